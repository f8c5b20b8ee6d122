"""What other programs took of a machine's CPUs beside a run, by two readings of it. Pure."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

# What a hypervisor gave to other machines, while this one had something to run.
STEAL = "other machines of the same host (steal)"
# So many programs are named, of those that took so much of a CPU.
_MOST_NAMED = 2
_LEAST_NAMED_CPUS = 0.05


@dataclass(frozen=True)
class ProcessTime:
    """What a process has had of the CPUs.

    Attributes:
        parent: the pid of its parent.
        name: its own.
        begun: when it began, in whatever unit: it tells a process from an earlier one with its pid.
        cpu_s: seconds that it ran.
        reaped_s: the same of its children that have ended, and of theirs.
    """

    parent: int
    name: str
    begun: int
    cpu_s: float
    reaped_s: float = 0.0

    @property
    def all_s(self) -> float:
        """What it and its ended children had."""
        return self.cpu_s + self.reaped_s


@dataclass(frozen=True)
class CpuClock:
    """How a CPU has spent its time, in seconds.

    Time in interrupts is in none of these: what a run sends over loopback is handled in there.

    Attributes:
        busy_s: that programs, and the kernel for them, ran.
        idle_s: that nothing was to run.
        steal_s: that a hypervisor ran something else.
    """

    busy_s: float
    idle_s: float
    steal_s: float = 0.0


@dataclass(frozen=True)
class MachineReading:
    """A moment's reading of a machine.

    Attributes:
        clock_s: when, on a clock that goes on evenly.
        cpus: by number.
        processes: by pid, as far as they are seen.
    """

    clock_s: float
    cpus: Mapping[int, CpuClock]
    processes: Mapping[int, ProcessTime]


@dataclass(frozen=True)
class Neighbour:
    """A program that is none of a run's.

    Attributes:
        name: its own.
        pid: its process; 0: it is none of this machine's.
        cpus: how many CPUs it took, on average.
    """

    name: str
    pid: int
    cpus: float


@dataclass(frozen=True)
class Neighbours:
    """What others took of the CPUs that a run may use, over some time.

    Attributes:
        n_cpus: CPUs that the load generator, the workers on its machine or the server may use.
        taken_cpus: how many of these others took, on average; what a hypervisor did is among it.
        idle_cpus: how many had nothing to run, on average.
        greatest: the programs that took most, as far as they are seen.
    """

    n_cpus: int
    taken_cpus: float
    idle_cpus: float
    greatest: tuple[Neighbour, ...] = ()


def neighbours_between(
    begin: MachineReading,
    end: MachineReading,
    roots: Collection[int],
    cpus_of: Callable[[int], Collection[int]],
) -> Neighbours | None:
    """Return what others than a run's own processes took between two readings; None: it is not known.

    Args:
        begin, end: the readings.
        roots: the run's own processes: these, and all that they have started.
        cpus_of: on which CPUs a process may run; empty: it has ended.
    """
    passed_s = end.clock_s - begin.clock_s
    if passed_s <= 0 or not all(_is_the_same(begin, end, pid) for pid in roots):
        return None
    own_before = _with_children(begin, roots)
    own = _with_children(end, [*roots, *(pid for pid in own_before if _is_the_same(begin, end, pid))])
    both = begin.cpus.keys() & end.cpus.keys()
    allowed = {cpu for pid in own for cpu in cpus_of(pid)} & both or both
    if not allowed:
        return None
    busy_s = sum(end.cpus[cpu].busy_s - begin.cpus[cpu].busy_s for cpu in allowed)
    idle_s = sum(end.cpus[cpu].idle_s - begin.cpus[cpu].idle_s for cpu in allowed)
    steal_s = sum(end.cpus[cpu].steal_s - begin.cpus[cpu].steal_s for cpu in allowed)
    took_s = _took_s(begin, end)
    own_s = sum(took_s[pid] for pid in own)
    others = [
        Neighbour(end.processes[pid].name, pid, seconds / passed_s)
        for pid, seconds in took_s.items()
        if pid not in own and (not (on := set(cpus_of(pid))) or on & allowed)
    ]
    return Neighbours(
        n_cpus=len(allowed),
        taken_cpus=max(busy_s - own_s, 0.0) / passed_s + max(steal_s, 0.0) / passed_s,
        idle_cpus=max(idle_s, 0.0) / passed_s,
        greatest=_greatest([*others, Neighbour(STEAL, 0, steal_s / passed_s)]),
    )


def _greatest(programs: Iterable[Neighbour]) -> tuple[Neighbour, ...]:
    named = [one for one in programs if one.cpus >= _LEAST_NAMED_CPUS]
    return tuple(sorted(named, key=lambda one: -one.cpus)[:_MOST_NAMED])


def _is_the_same(begin: MachineReading, end: MachineReading, pid: int) -> bool:
    """Whether a process lived at both readings."""
    before, after = begin.processes.get(pid), end.processes.get(pid)
    return before is not None and after is not None and before.begun == after.begun


def _with_children(reading: MachineReading, roots: Iterable[int]) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, one in reading.processes.items():
        children.setdefault(one.parent, []).append(pid)
    found: set[int] = set()
    waiting = [pid for pid in roots if pid in reading.processes]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def _took_s(begin: MachineReading, end: MachineReading) -> dict[int, float]:
    """Return what each process had between two readings, with its children that ended meanwhile."""
    # What those had before, which their heirs have among theirs by now.
    ended_s: defaultdict[int, float] = defaultdict(float)
    for pid, one in begin.processes.items():
        if (heir := _heir(begin, end, pid)) != pid:
            ended_s[heir] += one.all_s
    took_s = {}
    for pid, one in end.processes.items():
        before = begin.processes[pid] if _is_the_same(begin, end, pid) else ProcessTime(0, "", 0, 0.0)
        # One that nobody waited for left nothing to anybody.
        took_s[pid] = one.cpu_s - before.cpu_s + max(one.reaped_s - before.reaped_s - ended_s[pid], 0.0)
    return took_s


def _heir(begin: MachineReading, end: MachineReading, pid: int) -> int:
    """Return in whose time that of a process is by now: its own, or of its ancestors the nearest that has not ended."""
    seen: set[int] = set()
    while pid in begin.processes and pid not in seen and not _is_the_same(begin, end, pid):
        seen.add(pid)
        pid = begin.processes[pid].parent
    return pid
