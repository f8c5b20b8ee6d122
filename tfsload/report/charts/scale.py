"""Where on an axis a value lies, and which values are told there. Pure.

Charts are laid out here, so that names can be put where nothing else is; Vega-Lite draws by the same domains.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["linear", "log", "log2"]
# Steps of ticks that people count by.
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Scale:
    """An axis's scale.

    Attributes:
        low, high: the values at its ends.
        start_px, end_px: where these lie.
        kind: "linear", "log" or "log2".
    """

    low: float
    high: float
    start_px: float
    end_px: float
    kind: Kind = "linear"

    def px(self, value: float) -> float:
        """Return where a value lies."""
        low, high = self._bent(self.low), self._bent(self.high)
        return self.start_px + (self._bent(value) - low) / (high - low) * (self.end_px - self.start_px)

    def held(self, value: float) -> float:
        """Return what is drawn of a value: a latency too short for the clock, 0, has no place on a logarithm's axis.

        >>> Scale(0.5, 20, 100, 0, "log").held(0.0), Scale(0, 20, 100, 0).held(0.0)
        (0.5, 0.0)
        """
        return value if self.kind == "linear" else max(value, self.low)

    def value(self, px: float) -> float:
        """Return what lies at a place."""
        low, high = self._bent(self.low), self._bent(self.high)
        bent = low + (px - self.start_px) / (self.end_px - self.start_px) * (high - low)
        return bent if self.kind == "linear" else float(10**bent)

    def _bent(self, value: float) -> float:
        return value if self.kind == "linear" else math.log10(value)

    @property
    def spec(self) -> dict[str, Any]:
        """The scale as Vega-Lite has it."""
        domain = {"domain": [self.low, self.high], "nice": False}
        if self.kind == "linear":
            return {"type": "linear", "zero": False, **domain}
        return {"type": "log", "base": 2 if self.kind == "log2" else 10, **domain}


def ticks_from_zero(most: float, about: int = 5) -> tuple[float, ...]:
    """Return round values from 0 to the last one that is not above the most.

    >>> ticks_from_zero(2739), ticks_from_zero(0.9)
    ((0.0, 500.0, 1000.0, 1500.0, 2000.0, 2500.0), (0.0, 0.2, 0.4, 0.6, 0.8))
    """
    if most <= 0:
        return (0.0,)
    rough = most / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in _STEPS if one * power >= rough * 0.7)
    return tuple(float(f"{number * step:.10g}") for number in range(int(most / step + 1e-9) + 1))


def whole_ticks_from_zero(most: float, about: int = 5) -> tuple[float, ...]:
    """Return the same of counts: whole ones.

    >>> whole_ticks_from_zero(2)
    (0.0, 1.0, 2.0)
    """
    return tuple(tick for tick in ticks_from_zero(most, about) if tick == int(tick))


def log_ticks(least: float, most: float) -> tuple[float, ...]:
    """Return 1, 2, 5, 10 … around values, at least two of them; over many decades the tens alone.

    >>> log_ticks(0.7, 9.8)
    (0.5, 1.0, 2.0, 5.0, 10.0)
    """
    decades = range(math.floor(math.log10(least)) - 1, math.ceil(math.log10(most)) + 2)
    steps = (1, 2, 5) if math.log10(most / least) <= 3.5 else (1,)
    values = [float(f"{step}e{decade}") for decade in decades for step in steps]
    low = max(value for value in values if value <= least)
    high = min(value for value in values if value >= most)
    found = tuple(value for value in values if low <= value <= high)
    return found if len(found) > 1 else (*found, min(value for value in values if value > high))


def spread(values: Iterable[float], scale: Scale, least_px: float) -> tuple[float, ...]:
    """Return those of some values that lie far enough apart to be told: the least, and the greatest if it does."""
    ordered = sorted(set(values))
    if not ordered:
        return ()
    last = ordered[-1]
    told = [ordered[0]]
    for value in ordered[1:-1]:
        is_free = abs(scale.px(value) - scale.px(told[-1])) >= least_px
        if is_free and abs(scale.px(last) - scale.px(value)) >= least_px:
            told.append(value)
    if last != told[-1] and abs(scale.px(last) - scale.px(told[-1])) >= least_px:
        told.append(last)
    return tuple(told)


def format_of(ticks: Sequence[float]) -> str:
    """Return how D3 writes ticks: with as many decimals as they need.

    >>> format_of((0.0, 500.0)), format_of((0.0, 0.25)), format_of((0.0, 0.2))
    (',.0f', ',.2~f', ',.1~f')
    """
    decimals = _decimals(ticks)
    return f",.{decimals}~f" if decimals else ",.0f"


def labels_of(ticks: Sequence[float]) -> list[str]:
    """Return ticks as they are written so.

    >>> labels_of((0.0, 0.25, 1000.0))
    ['0', '0.25', '1,000']
    """
    decimals = _decimals(ticks)
    texts = [f"{tick:,.{decimals}f}" for tick in ticks]
    return [text.rstrip("0").rstrip(".") if decimals else text for text in texts]


def _decimals(ticks: Sequence[float]) -> int:
    decimals = 0
    while decimals < 6 and any(abs(tick - round(tick, decimals)) > 1e-9 * max(abs(tick), 1e-9) for tick in ticks):
        decimals += 1
    return decimals
