"""The range that the highest rate lies in, and where to cut it. Pure."""

import math
from dataclasses import dataclass

# In widths of a bracket that is narrow enough: a guess must cut off at least this much;
LEAST_CUT = 0.25
# and a friendly number may be this far from the rate that was meant.
ROUNDING = 0.125


@dataclass(frozen=True)
class Bracket:
    """The range that the limit lies in. Widths are logarithms of ratios."""

    low: float
    high: float
    resolution: float

    @property
    def narrow(self) -> float:
        """The width that is narrow enough."""
        return math.log1p(self.resolution)

    @property
    def is_narrow(self) -> bool:
        """Whether the limit is known finely enough."""
        return _width(self.low, self.high) <= self.narrow * (1 + 1e-9)  # a hair, for rounding

    @property
    def middle(self) -> float:
        """The rate in the middle, by ratio."""
        return math.sqrt(self.low) * math.sqrt(self.high)

    def is_cut_by(self, rate: float) -> bool:
        """Whether a probe there cuts off enough on either side to be worth it."""
        margin = math.exp(LEAST_CUT * self.narrow)
        return self.low * margin < rate < self.high / margin

    def n_halvings_beside(self, rate: float) -> int:
        """Return how many more probes the worse side of a rate needs until it is narrow."""
        sides = (Bracket(self.low, rate, self.resolution), Bracket(rate, self.high, self.resolution))
        return max(side.n_halvings for side in sides)

    @property
    def n_halvings(self) -> int:
        """How many probes make it narrow.

        With each probe off the middle by up to r, a width w becomes w / 2 + r; after n, (w - 2r) / 2**n + 2r.
        """
        if self.is_narrow:
            return 0
        off = 2 * ROUNDING * self.narrow
        return math.ceil(math.log2((_width(self.low, self.high) - off) / (self.narrow - off)))

    def friendly(self, rate: float) -> float:
        """Return the rate with 3 significant digits, or as few more as are near enough."""
        for digits in range(3, 17):
            rounded = float(f"{rate:.{digits - 1}e}")
            if abs(_width(rate, rounded)) <= ROUNDING * self.narrow:
                return rounded
        return rate


def _width(low: float, high: float) -> float:
    return math.log(high / low)
