"""What has to be reached, and whether it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from benchmarks.figure import Figure
from benchmarks.measurement import Measurement
from benchmarks.row import Row
from benchmarks.spread import Spread

Results = Mapping[Row, Sequence[Measurement]]


class Sense(Enum):
    """How a figure is held against its bound: the last one in every repeat, the others by the median."""

    AT_LEAST = "≥"
    AT_MOST = "≤"
    EXACTLY = "="


@dataclass(frozen=True)
class Target:
    """A bound on a figure, or on its ratio to another row's in the same repeat.

    Attributes:
        at: the load, in words.
        figure: what is bounded.
        row: whose.
        sense, bound: what it must be.
        other: the row that it is divided by; None: the figure itself is bounded.
        whose: the other row in words.
    """

    at: str
    figure: Figure
    row: Row
    sense: Sense
    bound: float
    other: Row | None = None
    whose: str = ""

    def text(self) -> str:
        """Return what must be reached, in words."""
        bound = f"{self.bound:g} × {self.whose}" if self.other else f"{self.bound:g}{self.figure.unit}"
        return f"{self.figure.name} {self.sense.value} {bound}"

    def reached(self, results: Results) -> Spread | None:
        """Return what was measured; None if a row was left out."""
        if self.row not in results or (self.other and self.other not in results):
            return None
        values = [self.figure.of(run) for run in results[self.row]]
        if self.other:
            others = [self.figure.of(run) for run in results[self.other]]
            values = [value / other for value, other in zip(values, others, strict=True)]
        return Spread.of(values)

    def reached_text(self, reached: Spread) -> str:
        """Write what was measured."""
        return reached.text(".2f", " ×") if self.other else reached.text(self.figure.form, self.figure.unit)

    def holds(self, reached: Spread) -> bool:
        """Return whether what was measured is enough."""
        if self.sense is Sense.AT_LEAST:
            return reached.median >= self.bound
        if self.sense is Sense.AT_MOST:
            return reached.median <= self.bound
        return reached.low == reached.high == self.bound
