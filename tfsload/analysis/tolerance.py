"""How far a score may be from the one that was answered without load. Pure."""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.records.distances import distances

_TEXT = re.compile(r"([0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]{1,3})?|\.[0-9]+(?:[eE][+-]?[0-9]{1,3})?)\s*(%?)")
_EXPECTED = "a number of at least 0, such as 0.0001, or a share up to 100% of an image's largest score, such as 0.1%"


@dataclass(frozen=True)
class Tolerance:
    """An image's answer is another one where any of its scores is further off than this.

    Attributes:
        text: as it was given.
        value: the greatest difference that is none; of a relative one: as a share of the largest score, by magnitude,
            of the image's answer without load. (A share of each score by itself would make much of those near zero,
            which say nothing: a softmax has nine of them.)
        is_relative: which of the two.
    """

    text: str
    value: float
    is_relative: bool = False

    @classmethod
    def parse(cls, text: str) -> "Tolerance":
        """Read `0.0001` (absolute) or `0.1%` (relative).

        >>> Tolerance.parse("0.5%").value
        0.005

        Raises:
            ValueError: with what is expected.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(_EXPECTED)
        number, percent = float(match[1]), bool(match[2])
        if not math.isfinite(number) or (percent and number > 100):
            raise ValueError(_EXPECTED)
        return cls(f"{match[1]}{match[2]}", number / 100 if percent else number, percent)

    def is_beyond(self, expected: NDArray[Any], scores: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which images' answers are others: bool (images,).

        Args:
            expected, scores: without and under load, (images, classes), of one shape. Infinities of one sign are equal,
                and so are two that are no numbers; one that is none is another answer than a number.
        """
        limit: Any = self.value
        if self.is_relative:
            sizes = np.abs(expected.astype(np.float64))
            limit = self.value * np.where(np.isfinite(sizes), sizes, 0.0).max(axis=1, keepdims=True)
        is_beyond: NDArray[np.bool_] = (distances(expected, scores) > limit).any(axis=1)
        return is_beyond


# Batching and other threads may change the last digits. A swapped answer is further off, unless the model is as sure
# of the other image: of the shipped model's answers, a twentieth of all pairs lie this near to one another.
DEFAULT = Tolerance.parse("0.0001")
