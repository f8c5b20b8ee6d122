"""Latencies in nanoseconds: an HdrHistogram that keeps its exact extremes and its sum."""

from typing import Any

from hdrh.histogram import HdrHistogram

# Above the longest deadline that the settings allow.
HIGHEST_NS = 2 * 3600 * 10**9
# A bucket is at most 0.1 % wide, so a percentile is at most that far from the exact one.
SIGNIFICANT_DIGITS = 3


class Histogram:
    """Latencies from 1 ns to two hours, within 0.1 %.

    Nothing is lost out of range: a value below 1 ns counts as 1 ns, one above two hours as two hours,
    while `max_ns` stays exact.
    """

    def __init__(self) -> None:
        self._buckets = HdrHistogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS)
        self.count = 0
        self.sum_ns = 0
        self.min_ns = 0
        self.max_ns = 0

    def record(self, value_ns: int) -> None:
        """Count one latency in nanoseconds."""
        self._buckets.record_value(min(max(value_ns, 1), HIGHEST_NS))
        if not self.count or value_ns < self.min_ns:
            self.min_ns = value_ns
        if value_ns > self.max_ns:
            self.max_ns = value_ns
        self.count += 1
        self.sum_ns += value_ns

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
            histogram._buckets = HdrHistogram.decode(plain["buckets"])
            histogram.count = plain["count"]
            histogram.sum_ns = plain["sum_ns"]
            histogram.min_ns = plain["min_ns"]
            histogram.max_ns = plain["max_ns"]
        return histogram
