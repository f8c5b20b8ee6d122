"""Latencies as plain data: what a histogram has counted."""

import math
from dataclasses import dataclass

from tfsload.records.histogram import BUCKETS as BUCKETS
from tfsload.records.histogram import Histogram, bucket_around


@dataclass(frozen=True)
class LatencyCounts:
    """Latencies, or lags, in ns, by bucket.

    Attributes:
        count: how many.
        sum_ns, min_ns, max_ns: their exact sum and extremes; 0 without any.
        buckets: pairs of the least value that falls into a bucket, and how many did, in order; a bucket is at most
            0.1 % wide.
    """

    count: int = 0
    sum_ns: int = 0
    min_ns: int = 0
    max_ns: int = 0
    buckets: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, histogram: Histogram) -> "LatencyCounts":
        """Return what a histogram holds."""
        return cls(
            histogram.count, histogram.sum_ns, histogram.min_ns, histogram.max_ns, tuple(histogram.counts_by_lowest())
        )

    def by_share(self, most: int) -> tuple[tuple[float, int], ...]:
        """Return the distribution as points: which share of the requests was shorter, and how long the next one was.

        The last point is the longest request. Points lie as far apart as they do on an axis of -log10(1 - share), on
        which each nine takes as much room as the one before.

        Args:
            most: points at most, from 2.

        >>> LatencyCounts(4, 10, 1, 4, ((1, 1), (2, 1), (3, 1), (4, 1))).by_share(10)
        ((0.0, 1), (0.25, 2), (0.5, 3), (0.75, 4))
        """
        if not self.count:
            return ()
        points: dict[float, int] = {}
        shorter, next_place, gap = 0, 0.0, math.log10(self.count) / (most - 1)
        for value_ns, count in self.buckets:
            place = -math.log10(1 - shorter / self.count)
            if place >= next_place:
                points[shorter / self.count] = max(value_ns, self.min_ns)
                next_place = place + gap
            shorter += count
        points[(self.count - 1) / self.count] = self.max_ns
        return tuple(points.items())

    @property
    def mean_ns(self) -> float:
        """Their exact mean; 0 without any."""
        return self.sum_ns / self.count if self.count else 0.0

    @property
    def ranges(self) -> tuple[tuple[int, int, int], ...]:
        """The least and the greatest value of each bucket that holds something, and how many it holds, in order."""
        return tuple((lowest_ns, bucket_around(lowest_ns)[1], count) for lowest_ns, count in self.buckets)
