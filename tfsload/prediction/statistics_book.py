"""Locust's own statistics of answered requests, booked many at a time, and before anybody reads them.

Locust does its sums for each request anew, twice, with a look at the clock each time: four of the six microseconds that
it takes to book a request. Done for many at once they are the same sums. To be rid of it: have `booked` return None.
"""

import functools
import itertools
import operator
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import locust.stats
from locust.env import Environment
from locust.stats import RequestStats, StatsEntry

SECOND_NS = 1_000_000_000
# Where they come slowly each is booked by itself, for who has got hold of a row and looks at it now and then.
LONGEST_NS = 100_000_000

# Times below are in the bucket of their whole ms, as Locust came with it.
_WHOLE_MS, _BUCKET_OF = 100, "bucket_response_time"
_LOCUSTS_LISTENER = "Runner.__init__.<locals>.on_request"
# What `book` does the work of.
_LOCUSTS_OWN = (
    (RequestStats, "log_request"),
    (StatsEntry, "log"),
    (StatsEntry, "_log_time_of_request"),
    (StatsEntry, "_log_response_time"),
)


# An answered request that waits to be booked: its name and type, which are its row in Locust's table, its latency in
# ns, the bytes of its answer, and when it ended, on `time.perf_counter_ns`'s clock.
Waiting = tuple[str, str, int, int, int]


class _Some(NamedTuple):
    """What is added to a row for some requests of one second.

    Attributes:
        times_ms: their latencies, in their order.
        least_ms, most_ms: the shortest and the longest.
        buckets: as Locust keeps them.
        n_bytes: of their answers, all together.
        last_s: when the last of them ended, since 1970.
    """

    times_ms: list[float]
    least_ms: float
    most_ms: float
    buckets: Counter[int]
    n_bytes: int
    last_s: float


class BookedStatistics(RequestStats):
    """What Locust's statistics of an environment become: whoever reads its rows has everything booked first.

    Attributes:
        waiting: requests that are not booked; whoever appends one calls `book` once there are
            many, and from `book_by_ns` on.
        book_by_ns: when they are to be booked in any case, on `time.perf_counter_ns`'s clock.
        listener: what Locust itself has put among the listeners to `request`, the work of which is done here.
    """

    waiting: list[Waiting]
    book_by_ns: int
    listener: Callable[..., Any]

    @property
    def total(self) -> StatsEntry:
        """Locust's row of all requests."""
        if self.waiting:
            self.book()
        total: StatsEntry = vars(self)["total"]
        return total

    @total.setter
    def total(self, total: StatsEntry) -> None:
        vars(self)["total"] = total

    @property
    def entries(self) -> dict[tuple[str, str], StatsEntry]:
        """Locust's rows, by name and type."""
        if self.waiting:
            self.book()
        entries: dict[tuple[str, str], StatsEntry] = vars(self)["entries"]
        return entries

    @entries.setter
    def entries(self, entries: dict[tuple[str, str], StatsEntry]) -> None:
        vars(self)["entries"] = entries

    def clear_all(self) -> None:
        """Remove all rows, as Locust's does: also what waits, which was before."""
        if self.waiting:
            self.book()
        super().clear_all()

    def book_all(self, **_: Any) -> None:
        """Book what waits, if anything does; a listener."""
        if self.waiting:
            self.book()

    def book(self) -> None:
        """Book what waits."""
        waiting, self.waiting = self.waiting, []
        now_ns = time.perf_counter_ns()
        self.book_by_ns = now_ns + LONGEST_NS
        # By the wall clock as it is now, which somebody may have set.
        unix_offset_ns = time.time_ns() - now_ns

        def kind(one: Waiting) -> tuple[str, str, int]:
            return one[0], one[1], (one[4] + unix_offset_ns) // SECOND_NS

        names, types, *_ = columns = list(zip(*waiting, strict=True))
        is_one_row = names.count(names[0]) == types.count(types[0]) == len(waiting)
        # Users book as they go on, one after the other, so that the first ended first, and the last last.
        if is_one_row and kind(waiting[0]) == kind(waiting[-1]):
            self._book_alike(columns, unix_offset_ns)
        else:
            for _, requests in itertools.groupby(waiting, kind):
                self._book_alike(list(zip(*requests, strict=True)), unix_offset_ns)

    def _book_alike(self, columns: list[Any], unix_offset_ns: int) -> None:
        """Book some requests of one row that ended in the same second of the wall clock; a column of each figure."""
        names, types, latencies_ns, lengths, done_ns = columns
        times_ms = list(map(operator.truediv, latencies_ns, itertools.repeat(1e6)))
        most_ms, bucket_of = max(times_ms), locust.stats.bucket_response_time
        some = _Some(
            times_ms,
            min(times_ms),
            most_ms,
            # Most are so short that Locust rounds them to whole ms: then it need not be called for each.
            Counter(map(round if most_ms < _WHOLE_MS and _is_own(bucket_of, _BUCKET_OF) else bucket_of, times_ms)),
            sum(lengths),
            (done_ns[-1] + unix_offset_ns) / 1e9,
        )
        _add(vars(self)["total"], some)
        _add(self._entry((names[0], types[0]), (done_ns[0] + unix_offset_ns) / 1e9), some)

    def _entry(self, row: tuple[str, str], first_s: float) -> StatsEntry:
        """Return a row; one that is not there yet begins with its first request, and not with its being booked."""
        entries: dict[tuple[str, str], StatsEntry] = vars(self)["entries"]
        is_new = row not in entries
        entry = entries[row]
        if is_new:
            entry.start_time = first_s
            if entry.response_times_cache is not None:
                entry.response_times_cache.clear()
                entry._cache_response_times(int(first_s))
        return entry


def _add(entry: StatsEntry, some: _Some) -> None:
    """Do what `StatsEntry.log` does for each of some requests of one second."""
    second, n = int(some.last_s), len(some.times_ms)
    before_s = entry.last_request_timestamp
    if entry.use_response_times_cache and before_s and second > int(before_s):
        entry._cache_response_times(second - 1)
    entry.num_requests += n
    entry.num_reqs_per_sec[second] += n
    entry.last_request_timestamp = some.last_s
    row: Any = entry  # whose times Locust declares as whole numbers
    row.total_response_time = _added_up(some.times_ms, entry.total_response_time)
    least_ms = entry.min_response_time
    row.min_response_time = some.least_ms if least_ms is None else min(least_ms, some.least_ms)
    row.max_response_time = max(entry.max_response_time, some.most_ms)
    for bucket, count in some.buckets.items():
        entry.response_times[bucket] += count
    entry.total_content_length += some.n_bytes


# One after the other, as Locust adds them: the sum of a sum rounds otherwise. So does `sum` from Python 3.12 on, which
# makes up for what is lost in rounding.
if sys.version_info < (3, 12):
    _added_up = sum
else:
    _added_up = functools.partial(functools.reduce, operator.add)


def booked(environment: Environment) -> BookedStatistics | None:
    """Return an environment's statistics, to be booked many requests at a time from now on.

    None where that would not come to the same: somebody has changed how Locust books, or it has no listener.
    """
    statistics = environment.stats
    listener = next((one for one in environment.events.request._handlers if _is_locusts(one, environment.runner)), None)
    is_plain = type(statistics) in (RequestStats, BookedStatistics) and "log_request" not in vars(statistics)
    if listener is None or not is_plain or any(_is_replaced(owner, name) for owner, name in _LOCUSTS_OWN):
        return None
    ours = cast("BookedStatistics", statistics)
    if type(statistics) is RequestStats:
        statistics.__class__ = BookedStatistics
        ours.waiting, ours.book_by_ns = [], 0
        # Before all others that hear of the end: who has got hold of a row, which books nothing, may look at it there.
        for hook in (environment.events.test_stopping, environment.events.test_stop):
            hook._handlers.insert(0, ours.book_all)
    ours.listener = listener
    return ours


def _is_locusts(listener: Callable[..., Any], runner: Any) -> bool:
    """Whether a listener is the one that Locust's runner has put there, to book requests in its statistics."""
    if getattr(listener, "__qualname__", "") != _LOCUSTS_LISTENER or listener.__module__ != "locust.runners":
        return False
    return any(cell.cell_contents is runner for cell in listener.__closure__ or ())


def _is_replaced(owner: type, name: str) -> bool:
    """Whether a method of Locust's is not the one that Locust came with."""
    return not _is_own(getattr(owner, name), f"{owner.__name__}.{name}")


def _is_own(function: Any, name: str) -> bool:
    """Whether a function is the one of `locust.stats`'s own; what a plugin wraps looks the same by name."""
    found = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    return found == ("locust.stats", name) and not hasattr(function, "__wrapped__")
