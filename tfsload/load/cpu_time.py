"""What this process has had of the CPU, and what it has waited for it."""

import time
from dataclasses import dataclass
from pathlib import Path

# Linux: time on the CPU, time runnable without one, time slices; of a process's main thread, which runs all users.
_SCHEDSTAT = Path("/proc/self/schedstat")


@dataclass(frozen=True)
class CpuTime:
    """A moment's readings.

    Attributes:
        clock_ns: `time.perf_counter_ns`.
        cpu_ns: CPU time of all threads so far.
        waited_ns: for how long the main thread was ready to run and something else ran; 0 where it is not known.
    """

    clock_ns: int
    cpu_ns: int
    waited_ns: int

    @classmethod
    def now(cls) -> "CpuTime":
        """Read the clocks."""
        return cls(time.perf_counter_ns(), time.process_time_ns(), _waited_ns())

    def shares_since(self, earlier: "CpuTime") -> tuple[float, float]:
        """Return the shares of the time since then that went by on the CPU and in waiting for it."""
        passed_ns = max(self.clock_ns - earlier.clock_ns, 1)
        return (self.cpu_ns - earlier.cpu_ns) / passed_ns, (self.waited_ns - earlier.waited_ns) / passed_ns


def _waited_ns() -> int:
    try:
        return int(_SCHEDSTAT.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
