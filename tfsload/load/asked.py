"""What load a run was asked for. Pure."""

from dataclasses import dataclass

# How a process of open load waits until a request is due.
PACINGS = ("sleep", "spin")


@dataclass(frozen=True)
class LoadAsked:
    """Levels of load, or none: then users fire as Locust has it.

    Attributes:
        sweep: users of each level of closed load; empty: no sweep.
        rates: requests a second, over all workers, of each level of open load; empty: none.
        arrivals: `poisson` or `constant`.
        pacing: one of `PACINGS`: how a process waits until an arrival is due.
        find_max_rate: the lowest and the highest rate of a limit search; None: none.
        level_duration_s, warm_up_s: seconds of each level that count, and that come before.
        warm_up_requests: requests that are made before those of `--num-tests`, and do not count; 0: none.
        give_up_after_s: seconds without an answer after which the run ends; 0: never; None: it depends on the run.
    """

    sweep: tuple[int, ...]
    rates: tuple[float, ...]
    arrivals: str
    pacing: str
    find_max_rate: tuple[float, float] | None
    level_duration_s: float
    warm_up_s: float
    warm_up_requests: int
    give_up_after_s: float | None

    @property
    def is_open(self) -> bool:
        """Whether requests are sent when they are due, and not when the last one was answered."""
        return bool(self.rates or self.find_max_rate)

    @property
    def has_levels(self) -> bool:
        """Whether the run is made of levels, each measured for a time."""
        return bool(self.sweep) or self.is_open

    @property
    def counts_later(self) -> bool:
        """Whether the first requests do not count: those of a warm-up, by time or by number."""
        return self.has_levels or self.warm_up_requests > 0

    @property
    def has_warm_up(self) -> bool:
        """Whether there is a warm-up, by time or by number."""
        return (self.warm_up_s if self.has_levels else self.warm_up_requests) > 0
