"""Latencies in nanoseconds, counted in HdrHistogram's buckets, with their exact extremes and sum."""

import bisect
import itertools
import math
from collections.abc import Iterator
from typing import Any

from hdrh.histogram import HdrHistogram

# Above the longest deadline that the settings allow.
HIGHEST_NS = 2 * 3600 * 10**9
# A bucket is at most 0.1 % wide, so a percentile is at most that far from the exact one.
SIGNIFICANT_DIGITS = 3
# Values are put into their buckets this many at a time, 10 µs: one by one costs a third more, and while hundreds are,
# no request leaves.
_BATCH = 64


# Which value falls into which bucket. Its own counters, a quarter of a megabyte, are of no use here.
_LAYOUT = HdrHistogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS)
_LAYOUT.counts = _LAYOUT.encoder = None
# How many buckets of HdrHistogram's there are, and into how many each is divided.
BUCKETS: tuple[int, int] = (_LAYOUT.bucket_count, _LAYOUT.sub_bucket_count)
# HdrHistogram's index is (shift << these bits) + (value >> shift): half of a shift's sub-buckets are never used.
_INDEX_BITS = _LAYOUT.sub_bucket_half_count_magnitude


class Histogram:
    """Latencies from 1 ns to two hours, within 0.1 %.

    Nothing is lost out of range: a value below 1 ns counts as 1 ns, one above two hours as two hours,
    while `min_ns` and `max_ns` stay exact.

    Only buckets that hold something are kept. Processes make a new one for every report, and HdrHistogram's
    arrays, a quarter of a megabyte each, would fragment their memory.
    """

    def __init__(self) -> None:
        self._batch: list[int] = []
        self._counts: dict[int, int] = {}  # by bucket; this and those below: without the batch
        self._count = 0
        self._sum_ns = 0
        self._min_ns = 0
        self._max_ns = 0

    def record(self, value_ns: int) -> None:
        """Count one latency in nanoseconds."""
        self._batch.append(value_ns)
        if len(self._batch) >= _BATCH:
            self._fill()

    def record_all(self, values_ns: list[int]) -> None:
        """Count some latencies."""
        self._batch += values_ns
        if len(self._batch) >= _BATCH:
            self._fill()

    def _fill(self) -> None:
        """Put the batch into its buckets."""
        batch = self._batch
        if not batch:
            return
        low_ns, high_ns = min(batch), max(batch)
        self._min_ns = min(self._min_ns, low_ns) if self._count else low_ns
        self._max_ns = max(self._max_ns, high_ns)
        self._sum_ns += sum(batch)
        self._count += len(batch)
        if low_ns < 1 or high_ns > HIGHEST_NS:
            batch = [min(max(value_ns, 1), HIGHEST_NS) for value_ns in batch]
        _count_in_buckets(batch, self._counts)
        self._batch = []

    @property
    def count(self) -> int:
        """Latencies recorded."""
        return self._count + len(self._batch)

    @property
    def sum_ns(self) -> int:
        """Their exact sum."""
        self._fill()
        return self._sum_ns

    @property
    def min_ns(self) -> int:
        """The exact shortest; 0 if there are none."""
        self._fill()
        return self._min_ns

    @property
    def max_ns(self) -> int:
        """The exact longest; 0 if there are none."""
        self._fill()
        return self._max_ns

    @property
    def mean_ns(self) -> float:
        """The exact mean; 0 if there are none."""
        return self.sum_ns / self.count if self.count else 0.0

    @property
    def sd_ns(self) -> float:
        """The standard deviation, from the buckets; 0 if there are none."""
        if not self.count:
            return 0.0
        mean_ns = self.mean_ns
        squares = sum(count * (_LAYOUT.get_value_from_index(bucket) - mean_ns) ** 2 for bucket, count in self.buckets())
        return math.sqrt(squares / self.count)

    def merge(self, other: "Histogram") -> None:
        """Add all that another one has recorded."""
        if not other.count:
            return
        self._fill()
        other._fill()
        self._min_ns = min(self._min_ns, other._min_ns) if self._count else other._min_ns
        self._max_ns = max(self._max_ns, other._max_ns)
        self._count += other._count
        self._sum_ns += other._sum_ns
        for bucket, count in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + count

    def beginning_at(self, edge_ns: int) -> "Histogram":
        """Return the part of it from a bucket on: with its exact maximum, and a sum within 0.1 %.

        Args:
            edge_ns: the least value of that bucket.
        """
        part = Histogram()
        for lowest_ns, count in self.counts_by_lowest():
            if lowest_ns >= edge_ns:
                part.record_all([min(max(lowest_ns, self.min_ns), self.max_ns)] * count)
        if part.count:
            part._fill()
            part._max_ns = self.max_ns
        return part

    def percentile_ns(self, percentile: float) -> int:
        """Return the latency that `percentile` (0 to 100) of the requests do not exceed; 0 without any.

        The rank is rounded as HdrHistogram rounds it: n × percentile ÷ 100 to the nearest, at least 1.
        """
        if not self.count:
            return 0
        return self._at_rank(min(max(int(percentile / 100 * self.count + 0.5), 1), self.count))

    def nth_highest_ns(self, rank: int) -> int:
        """Return the latency of a rank from the top: 1 is the maximum, exactly; others within 0.1 %, rounded up.

        Raises:
            ValueError: if there is no such rank.
        """
        if not 1 <= rank <= self.count:
            raise ValueError(f"rank {rank!r}: expected 1 to the number of latencies, {self.count:,}")
        return self._at_rank(self.count - rank + 1)

    def _at_rank(self, rank: int) -> int:
        """Return the latency of a rank from below, at least 1 and at most `count`."""
        if rank == self.count:
            return self.max_ns
        self._fill()
        buckets = sorted(self._counts)
        up_to = list(itertools.accumulate(map(self._counts.__getitem__, buckets)))
        bucket = buckets[bisect.bisect_left(up_to, rank)]
        highest = _LAYOUT.get_highest_equivalent_value(_LAYOUT.get_value_from_index(bucket))
        return int(min(max(highest, self._min_ns), self._max_ns))

    def buckets(self) -> Iterator[tuple[int, int]]:
        """Yield HdrHistogram's index of each bucket that holds something, in order, and its count."""
        self._fill()
        yield from sorted(self._counts.items())

    def counts_by_lowest(self) -> Iterator[tuple[int, int]]:
        """Yield the least value in ns of each bucket that holds something, in order, and its count."""
        return ((int(_LAYOUT.get_value_from_index(bucket)), count) for bucket, count in self.buckets())

    def to_plain(self) -> dict[str, Any]:
        """Return what a message or a JSON file can hold; `buckets` holds pairs of an index and a count."""
        return {
            "count": self.count,
            "sum_ns": self.sum_ns,
            "min_ns": self.min_ns,
            "max_ns": self.max_ns,
            "buckets": [list(pair) for pair in self.buckets()],
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Histogram":
        """Read what `to_plain` wrote."""
        histogram = cls()
        histogram._counts.update(dict(plain["buckets"]))
        histogram._count = plain["count"]
        histogram._sum_ns = plain["sum_ns"]
        histogram._min_ns = plain["min_ns"]
        histogram._max_ns = plain["max_ns"]
        return histogram


def bucket_around(value_ns: int) -> tuple[int, int]:
    """Return the lowest and the highest value that are told apart from others, but not from this one."""
    return int(_LAYOUT.get_lowest_equivalent_value(value_ns)), int(_LAYOUT.get_highest_equivalent_value(value_ns))


def _count_in_buckets(values_ns: list[int], counts: dict[int, int]) -> None:
    """Count values within range by HdrHistogram's index, which its `get_counts_array_index` tells ten times slower."""
    bits, width, known = _INDEX_BITS, _INDEX_BITS + 1, counts.get
    for value_ns in values_ns:
        shift = value_ns.bit_length() - width
        bucket = value_ns if shift <= 0 else (shift << bits) + (value_ns >> shift)
        counts[bucket] = known(bucket, 0) + 1
