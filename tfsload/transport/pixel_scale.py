"""How a pixel, 0 to 255, becomes what a model's input takes. Pure."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXPECTED = (
    "0..1, 0..255, -1..1 or any other LOW..HIGH, two numbers that differ, which black and white become (1..0 inverts "
    "them), or mean,deviation of pixels from 0 to 1, such as 0.1307,0.3081"
)
_NUMBER = r"([+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?)"
_RANGE = re.compile(rf"{_NUMBER}\s*\.\.\s*{_NUMBER}")
_MOMENTS = re.compile(rf"{_NUMBER}\s*,\s*{_NUMBER}")
_MOST = 255


@dataclass(frozen=True)
class PixelScale:
    """Black becomes one number, white another, and what lies between them is spaced evenly.

    Attributes:
        text: as it was given.
        low, high: what 0 and 255 become.
        words: what is done to a pixel, for people.
    """

    text: str
    low: float
    high: float
    words: str

    @classmethod
    def parse(cls, text: str) -> "PixelScale":
        """Read `LOW..HIGH`, or `mean,deviation` of pixels from 0 to 1.

        >>> PixelScale.parse("0..1").words, PixelScale.parse("-1..1").high
        ('÷ 255', 1.0)
        >>> PixelScale.parse("0.5,0.25").low
        -2.0

        Raises:
            ValueError: with what is expected.
        """
        if match := _RANGE.fullmatch(text):
            low, high = float(match[1]), float(match[2])
            if low != high:
                return cls(text, low, high, _range_words(low, high))
        elif match := _MOMENTS.fullmatch(text):
            mean, deviation = float(match[1]), float(match[2])
            if deviation > 0:
                words = f"÷ 255, − {mean:g}, ÷ {deviation:g}" if mean >= 0 else f"÷ 255, + {-mean:g}, ÷ {deviation:g}"
                return cls(text, (0 - mean) / deviation, (1 - mean) / deviation, words)
        raise ValueError(EXPECTED)

    def table(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return what each pixel becomes, (256,), nearest to the true value that the dtype has: of a bool, 0 or 1."""
        steps = np.arange(_MOST + 1, dtype=np.float64)
        # In this order k ÷ 255 is rounded once, and 0 to 255 not at all.
        values = steps * (self.high - self.low) / _MOST + self.low
        return values.astype(dtype) if _is_float(dtype) else np.rint(values).astype(dtype)

    def fault(self, dtype: np.dtype[Any]) -> str:
        """Return why pixels do not fit into a dtype on this scale, as the end of a sentence; empty: they do."""
        if dtype == np.bool_:
            return "" if {self.low, self.high} == {0, 1} else "it holds ink or no ink, 1 or 0"
        if _is_float(dtype):
            with np.errstate(over="ignore"):
                ends = np.array([self.low, self.high]).astype(dtype)
            return "" if np.isfinite(ends).all() else "it holds no numbers as large"
        limits = np.iinfo(dtype)
        if not (self.low.is_integer() and self.high.is_integer()):
            return "it holds whole numbers alone"
        if min(self.low, self.high) < limits.min or max(self.low, self.high) > limits.max:
            return f"it holds {limits.min:,} to {limits.max:,}"
        return ""


def default_of(dtype: np.dtype[Any]) -> PixelScale:
    """Return the scale that a model's input has by itself: floats take 0 to 1, whole numbers 0 to 255.

    An int8, which holds no 255, takes the same less 128, as TFLite quantises images.
    """
    if dtype == np.int8:
        return SIGNED_BYTES
    return BYTES if np.issubdtype(dtype, np.integer) else UNIT


def _range_words(low: float, high: float) -> str:
    if (low, high) == (0, 1):
        return "÷ 255"
    return "as they are" if (low, high) == (0, _MOST) else f"from {low:g} to {high:g}"


def _is_float(dtype: np.dtype[Any]) -> bool:
    return not np.issubdtype(dtype, np.integer) and dtype != np.bool_


UNIT = PixelScale.parse("0..1")
BYTES = PixelScale.parse("0..255")
SIGNED_BYTES = PixelScale.parse("-128..127")
