"""Latencies in nanoseconds: an HdrHistogram that keeps its exact extremes and its sum."""

from typing import Any

import numpy as np
from hdrh.histogram import HdrHistogram

# Above the longest deadline that the settings allow.
HIGHEST_NS = 2 * 3600 * 10**9
# A bucket is at most 0.1 % wide, so a percentile is at most that far from the exact one.
SIGNIFICANT_DIGITS = 3
# Values are put into their buckets this many at a time: one by one costs a microsecond and a half each.
_BATCH = 4096
# Two values that agree in their 12 highest bits fall into one bucket: its 2,048 parts need 11.
_KEPT_BITS = 12


class Histogram:
    """Latencies from 1 ns to two hours, within 0.1 %.

    Nothing is lost out of range: a value below 1 ns counts as 1 ns, one above two hours as two hours,
    while `max_ns` stays exact.
    """

    def __init__(self) -> None:
        self._filled = HdrHistogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS)
        self._batch: list[int] = []
        self.count = 0
        self.sum_ns = 0
        self.min_ns = 0
        self.max_ns = 0

    def record(self, value_ns: int) -> None:
        """Count one latency in nanoseconds."""
        self._batch.append(value_ns)
        if len(self._batch) >= _BATCH:
            self._fill()
        if not self.count or value_ns < self.min_ns:
            self.min_ns = value_ns
        if value_ns > self.max_ns:
            self.max_ns = value_ns
        self.count += 1
        self.sum_ns += value_ns

    @property
    def _buckets(self) -> HdrHistogram:
        if self._batch:
            self._fill()
        return self._filled

    def _fill(self) -> None:
        values = np.clip(np.array(self._batch, np.int64), 1, HIGHEST_NS)
        # Cut off what lies within a bucket, so that equal ones can be counted together.
        excess_bits = np.maximum(np.frexp(values.astype(np.float64))[1] - _KEPT_BITS, 0)
        kept, counts = np.unique(values >> excess_bits << excess_bits, return_counts=True)
        for value, count in zip(kept.tolist(), counts.tolist(), strict=True):
            self._filled.record_value(value, count)
        self._batch.clear()

    def merge(self, other: "Histogram") -> None:
        """Add all that another one has recorded."""
        if not other.count:
            return
        self._buckets.add(other._buckets)
        self.min_ns = min(self.min_ns, other.min_ns) if self.count else other.min_ns
        self.max_ns = max(self.max_ns, other.max_ns)
        self.count += other.count
        self.sum_ns += other.sum_ns

    def percentile_ns(self, percentile: float) -> int:
        """Return the latency that `percentile` (0 to 100) of the requests do not exceed; 0 without any."""
        if not self.count:
            return 0
        value = self._buckets.get_value_at_percentile(percentile)
        return int(min(max(value, self.min_ns), self.max_ns))

    @property
    def mean_ns(self) -> float:
        """The exact mean; 0 if there are none."""
        return self.sum_ns / self.count if self.count else 0.0

    def to_plain(self) -> dict[str, Any]:
        """Return what a message or a JSON file can hold: numbers and one text."""
        return {
            "count": self.count,
            "sum_ns": self.sum_ns,
            "min_ns": self.min_ns,
            "max_ns": self.max_ns,
            "buckets": self._buckets.encode().decode("ascii") if self.count else "",
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Histogram":
        """Read what `to_plain` wrote."""
        histogram = cls()
        if plain["count"]:
            histogram._filled = HdrHistogram.decode(plain["buckets"])
            histogram.count = plain["count"]
            histogram.sum_ns = plain["sum_ns"]
            histogram.min_ns = plain["min_ns"]
            histogram.max_ns = plain["max_ns"]
        return histogram
