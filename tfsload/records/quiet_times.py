"""Since when, and for how long, this process neither sent nor read anything: a busy one does all the time. Pure."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

from tfsload.records.together import Answered

# What is shorter is no hold-up: a machine that has much to do is that late.
LEAST_NS = 1_000_000_000
# More are not kept one by one.
_MOST = 100


class QuietTimes:
    """Keeps times between requests, on `time.perf_counter_ns`'s clock.

    Attributes:
        until_ns: when the last request ended that was taken in; whoever takes in others sets it, or calls `note`
            where they ended `LEAST_NS` later or more.
    """

    def __init__(self) -> None:
        """Know of no request."""
        self.until_ns = 0
        self._spans_ns: list[tuple[int, int]] = []

    def note(self, answered: Sequence[Answered], *others_ns: int) -> None:
        """Take in requests of which the last ended long after those before them.

        Args:
            answered: some.
            others_ns: when others were sent and ended.
        """
        times_ns = [*_times_ns(answered), *others_ns]
        self._spans_ns += _between(self.until_ns, times_ns, max(times_ns))
        del self._spans_ns[:-_MOST]
        self.until_ns = max(times_ns)

    def within(
        self, begin_ns: int, end_ns: int, waiting: Sequence[Answered], others_ns: Iterable[int]
    ) -> list[tuple[int, int]]:
        """Return in which parts of a span that ends now nothing was sent or answered, of a second or more each.

        Args:
            begin_ns, end_ns: the span.
            waiting: answered requests that were not taken in yet.
            others_ns: when others were sent or answered.
        """
        times_ns = [*_times_ns(waiting), *others_ns]
        parts = ((max(from_ns, begin_ns), to_ns) for from_ns, to_ns in [*self._spans_ns, (self.until_ns, end_ns)])
        return [part for from_ns, to_ns in parts for part in _between(from_ns, times_ns, min(to_ns, end_ns))]


def _times_ns(answered: Iterable[Answered]) -> list[int]:
    return [time_ns for one in answered for time_ns in (one[3], one[4])]


def _between(from_ns: int, times_ns: Iterable[int], to_ns: int) -> Iterator[tuple[int, int]]:
    """Yield what lies between instants of a span for long enough."""
    borders = [from_ns, *sorted(time_ns for time_ns in times_ns if from_ns < time_ns < to_ns), to_ns]
    return ((one, other) for one, other in itertools.pairwise(borders) if other - one >= LEAST_NS)
