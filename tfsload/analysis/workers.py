"""The processes that ran users, as a result keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class HeldUp:
    """A time in which a process of the load generator stood still.

    Attributes:
        worker: which.
        at_s: when it began, or up to a second later, in seconds from the begin of what was counted; in a run of
            levels from the run's own.
        lasted_s: for how long, or up to a second longer.
    """

    worker: str
    at_s: float
    lasted_s: float


@dataclass(frozen=True)
class Workers:
    """The processes that ran users.

    Attributes:
        n: most at once.
        lost: those whose results are missing.
        unfit: why some could not take part, by worker.
        n_unaccounted: requests that workers reported and that did not arrive.
        n_discarded: requests of workers that left in the middle of a lease; in no other figure.
        n_left: those that took part until the end; None: not known.
        held_up: when they stood still for a second or more, in order; of levels beside the level's own figures.
        judging_s: for how long user classes' own `is_right` judged what was counted, over all users of all processes.
    """

    n: int = 1
    lost: tuple[str, ...] = ()
    unfit: Mapping[str, str] = field(default_factory=dict)
    n_unaccounted: int = 0
    n_discarded: int = 0
    n_left: int | None = None
    held_up: tuple[HeldUp, ...] = ()
    judging_s: float = 0.0


ONE_WORKER = Workers()
