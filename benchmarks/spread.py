"""What several repeats of one figure came to."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median of repeats, and between what they lay."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Return the spread of at least one value."""
        ordered = sorted(values)
        return cls(statistics.median(ordered), ordered[0], ordered[-1])

    def text(self, form: str, unit: str = "") -> str:
        """Write it as `median unit (low–high)`, each number in a format such as `,.0f`; no range if it is none."""
        median, low, high = (f"{value:{form}}" for value in (self.median, self.low, self.high))
        return f"{median}{unit}" if low == high else f"{median}{unit} ({low}–{high})"
