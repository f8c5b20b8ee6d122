"""What this process's main thread, which runs all users, has had of the CPU, and how long it has waited for it."""

import time
from dataclasses import dataclass
from pathlib import Path

# Linux: time on the CPU, time runnable without one, time slices; of a process's main thread.
_SCHEDSTAT = Path("/proc/self/schedstat")


@dataclass(frozen=True)
class CpuShares:
    """What a process had of the CPU over some time.

    Attributes:
        busy: the share of the time that it ran, 0 to about 1.
        waited: the share for which it was ready to run and other programs ran.
        mean_wait_ns: how long it waited whenever it was to run.
        held_up_s: for how many seconds it stood still, a second or more at a time.
    """

    busy: float
    waited: float
    mean_wait_ns: float
    held_up_s: float = 0.0


@dataclass(frozen=True)
class CpuTime:
    """A moment's readings.

    Attributes:
        clock_ns: `time.perf_counter_ns`.
        cpu_ns: CPU time so far.
        waited_ns: for how long it was ready to run and something else ran; 0 where it is not known.
        n_slices: how often it was given a CPU; 0 where it is not known.
    """

    clock_ns: int
    cpu_ns: int
    waited_ns: int
    n_slices: int

    @classmethod
    def now(cls) -> "CpuTime":
        """Read the clocks; in the main thread."""
        return cls(time.perf_counter_ns(), time.thread_time_ns(), *_waited_ns_and_slices())

    def since(self, earlier: "CpuTime") -> CpuShares:
        """Return what went by since then."""
        passed_ns = max(self.clock_ns - earlier.clock_ns, 1)
        waited_ns = self.waited_ns - earlier.waited_ns
        return CpuShares(
            busy=(self.cpu_ns - earlier.cpu_ns) / passed_ns,
            waited=waited_ns / passed_ns,
            mean_wait_ns=waited_ns / max(self.n_slices - earlier.n_slices, 1),
        )


def _waited_ns_and_slices() -> tuple[int, int]:
    try:
        _, waited_ns, n_slices = map(int, _SCHEDSTAT.read_text().split())
    except (OSError, ValueError):
        return 0, 0
    return waited_ns, n_slices
