"""Readings of this machine, as Linux tells them: its CPUs, and all processes that are seen."""

import os
import time
from pathlib import Path

from tfsload.records.neighbours import CpuClock, MachineReading, ProcessTime

_PROC = Path("/proc")
# More than these take longer to read than a level's border may last: 20 to 30 µs each.
MOST_PROCESSES = 2000


def read_machine(proc: Path = _PROC) -> MachineReading | None:
    """Return a reading of this machine; None: it does not tell, or there are too many processes.

    It takes a few milliseconds, in which this process does nothing else: at a level's borders only.
    """
    try:
        ticks_a_second = os.sysconf("SC_CLK_TCK")
        pids = [int(name) for name in os.listdir(proc) if name.isdecimal()]
        cpus = _cpus((proc / "stat").read_text(), ticks_a_second)
    except (AttributeError, OSError, ValueError, IndexError):
        return None
    if len(pids) > MOST_PROCESSES or not cpus:
        return None
    found = {pid: _process(f"{proc}/{pid}/stat", ticks_a_second) for pid in pids}
    seen = {pid: one for pid, one in found.items() if one is not None}
    return MachineReading(time.monotonic(), cpus, seen)


def cpus_of(pid: int) -> set[int]:
    """Return on which CPUs a process may run; empty: it has ended, or this system does not tell."""
    try:
        return os.sched_getaffinity(pid)
    except (AttributeError, OSError):
        return set()


def place() -> str:
    """Return which machine this is and which of its processes are seen from here; empty: it is not known.

    Processes of two containers of one machine have the first word alone in common.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return ""


def whereabouts() -> dict[str, str | int]:
    """Return which process this is, and where, as participants tell it."""
    return {"place": place(), "pid": os.getpid()}


def _cpus(stat: str, ticks_a_second: int) -> dict[int, CpuClock]:
    cpus = {}
    for line in stat.splitlines():
        name, *fields = line.split()
        if not name.startswith("cpu"):
            break
        if name == "cpu":
            continue  # all together
        ticks = [*map(int, fields), 0, 0, 0, 0]
        user, nice, system, idle, iowait, _irq, _softirq, steal = ticks[:8]
        busy_s, idle_s = (user + nice + system) / ticks_a_second, (idle + iowait) / ticks_a_second
        cpus[int(name.removeprefix("cpu"))] = CpuClock(busy_s, idle_s, steal / ticks_a_second)
    return cpus


def _process(stat: str, ticks_a_second: int) -> ProcessTime | None:
    """Return what a process had; None: it has ended meanwhile."""
    try:
        fd = os.open(stat, os.O_RDONLY)
        try:
            told = os.read(fd, 4096)
        finally:
            os.close(fd)
        # A name stands in brackets, and may hold any of them.
        head, _, rest = told.rpartition(b")")
        fields = rest.split()
        user, system, reaped_user, reaped_system = map(int, fields[11:15])
        return ProcessTime(
            parent=int(fields[1]),
            name=head.partition(b"(")[2].decode(errors="replace"),
            begun=int(fields[19]),
            cpu_s=(user + system) / ticks_a_second,
            reaped_s=(reaped_user + reaped_system) / ticks_a_second,
        )
    except (OSError, ValueError, IndexError):
        return None
