"""A level of load: what was asked for, and how it was run. Pure."""

from dataclasses import dataclass

from tfsload.records.cpu import CpuShares
from tfsload.records.neighbours import Neighbours


def users(count: int) -> str:
    """Return a number of users in words.

    >>> users(1), users(1200)
    ('1 user', '1,200 users')
    """
    return f"{count:,} user{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class Level:
    """One setting of load, held for a time.

    Attributes:
        number: from 1 on.
        users: users in flight; in open load the most that may be.
        rate_rps: arrivals a second over all workers; None: closed load.
        warm_up_s, duration_s: seconds that do not count, and that do.
        is_probe: whether a search asked for it, and a failure is a finding.
    """

    number: int
    users: int
    rate_rps: float | None
    warm_up_s: float
    duration_s: float
    is_probe: bool = False

    @property
    def name(self) -> str:
        """What was asked for, in words."""
        if self.rate_rps is None:
            return users(self.users)
        return f"{self.rate_rps:,.12g} requests/s"


@dataclass(frozen=True)
class Disturbance:
    """What changed among those who measured a level, while they did.

    Attributes:
        what: who joined, or how users became more or fewer.
        cure: what to do.
    """

    what: str
    cure: str


@dataclass(frozen=True)
class LevelRun:
    """How a level was run.

    Attributes:
        level: what was asked for.
        n_workers: processes that were to take part.
        missing_workers: those that did not tell its end.
        n_users: users that ran.
        cpu: what each process had of the CPU.
        round_trip_ns: what a call took that asked the model for nothing, before the load; None: not measured.
        disturbance: what changed among those who measured it; None: nothing did.
        begun_s: when its warm-up began, in seconds since the run did; None: not known.
        neighbours: what other programs took of the CPUs that it ran on; None: not known.
    """

    level: Level
    n_workers: int
    missing_workers: tuple[str, ...]
    n_users: int
    cpu: tuple[CpuShares, ...]
    round_trip_ns: int | None = None
    disturbance: Disturbance | None = None
    begun_s: float | None = None
    neighbours: Neighbours | None = None

    @property
    def busy_share(self) -> float:
        """The busiest process's share of a CPU."""
        return max((one.busy for one in self.cpu), default=0.0)

    @property
    def held_up_s(self) -> float:
        """For how long that process stood still that did longest."""
        return max((one.held_up_s for one in self.cpu), default=0.0)
