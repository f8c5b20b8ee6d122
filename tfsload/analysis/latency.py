"""Latencies as plain data: what a histogram has counted."""

from dataclasses import dataclass

from hdrh.histogram import HdrHistogram

from tfsload.records.histogram import Histogram, new_hdr


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

    @property
    def mean_ns(self) -> float:
        """Their exact mean; 0 without any."""
        return self.sum_ns / self.count if self.count else 0.0

    def to_hdr(self) -> HdrHistogram:
        """Return the same counts in the `hdrhistogram` package's own histogram, for what it can write."""
        histogram = new_hdr()
        for lowest_ns, count in self.buckets:
            histogram.record_value(lowest_ns, count)
        return histogram
