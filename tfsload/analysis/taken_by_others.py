"""What other programs took of the CPUs that a level ran on, and whether that is in the way. Pure."""

from dataclasses import dataclass

from tfsload.analysis.figures import share
from tfsload.records.neighbours import Neighbours

# Others that take so large a share of the CPUs are in the way, where next to nothing of these is idle. What the two
# ways in which Linux counts differ by comes to 0.4 % that would be taken for others.
TAKEN_SHARE = 0.10
# As long as this much is idle, whatever is to run finds a CPU: a share of the CPUs, and on large machines so many.
IDLE_SHARE = 0.10
IDLE_CPUS = 0.5
# The one cure of whatever other programs do to a run: what is derived from its figures would be as wrong as they are.
NOISE_CURE = (
    "close what takes the CPU, or run the load generator on another machine: the embedded server is none of those "
    "programs, and a server of your own on this machine can have CPUs of its own (`taskset`)"
)
# Where those took little: it is the server that the load generator shares its CPU with.
OWN_CPU_CURE = "run the load generator on a machine, or at least on a CPU, of its own"


@dataclass(frozen=True)
class OtherProgram:
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
class TakenByOthers:
    """What other programs took while a level was measured.

    Attributes:
        n_cpus: CPUs that the load generator, the workers on its machine or the server may use.
        taken_cpus: how many of these others took, on average; what a hypervisor did is among it.
        idle_cpus: how many had nothing to run, on average.
        greatest: the programs that took most, as far as they are seen.
    """

    n_cpus: int
    taken_cpus: float
    idle_cpus: float
    greatest: tuple[OtherProgram, ...] = ()

    @classmethod
    def of(cls, found: Neighbours | None) -> "TakenByOthers | None":
        """Return it as a result keeps it; None: it is not known."""
        if found is None:
            return None
        greatest = tuple(OtherProgram(one.name, one.pid, one.cpus) for one in found.greatest)
        return cls(found.n_cpus, found.taken_cpus, found.idle_cpus, greatest)

    @property
    def taken_share(self) -> float:
        """The share of the CPUs that others took."""
        return self.taken_cpus / self.n_cpus

    @property
    def is_in_the_way(self) -> bool:
        """Whether the load generator and the server would have had more of the CPUs without them."""
        return self.taken_share >= TAKEN_SHARE and self.idle_cpus < min(IDLE_SHARE * self.n_cpus, IDLE_CPUS)

    @property
    def words(self) -> str:
        """What they did, in words."""
        cpus = "1 CPU" if self.n_cpus == 1 else f"{self.n_cpus:,} CPUs"
        idle = share(self.idle_cpus, self.n_cpus)
        taken = f"{share(self.taken_cpus, self.n_cpus)} of {cpus} (limit {share(TAKEN_SHARE)}) with {idle} idle"
        named = " and ".join(map(_named, self.greatest))
        return f"other programs took {taken}{f', most of it {named}' if named else ''}"


def _named(one: OtherProgram) -> str:
    return f"{one.name}{f' (pid {one.pid})' if one.pid else ''} {one.cpus:.2f}"
