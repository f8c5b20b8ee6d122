"""Answers recorded one at a time without load, which answers under load must equal. Pure."""

import base64
import zlib
from typing import Any

import numpy as np

from tfsload.scoring import Answer

# Batching and other threads may change the last digits. A swapped answer is further off, unless the model is as sure
# of the other image: of the shipped model's answers, a twentieth of all pairs lie this near to one another.
TOLERANCE = 1e-4


class References:
    """The scores that were answered without load, by request."""

    def __init__(self) -> None:
        self._scores: dict[int, np.ndarray] = {}
        self._bytes: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._scores)

    def keep(self, number: int, scores: np.ndarray) -> None:
        """Keep a request's answer: float (images, classes)."""
        self._scores[number] = scores
        self._bytes[number] = scores.tobytes()

    def n_mismatched(self, number: int, answer: Answer | None) -> int | None:
        """Return how many images of a request were answered otherwise than without load; None: nothing to compare.

        Args:
            number: the request's.
            answer: under load; None, where there was none, is a failure and no mismatch.
        """
        expected = self._bytes.get(number)
        if expected is None or answer is None:
            return None
        if answer.holds(expected):
            return 0
        reference, scores = self._scores[number], answer.scores
        if scores.shape != reference.shape:
            return len(reference)
        return int((np.abs(scores - reference) > TOLERANCE).any(axis=1).sum())

    def to_plain(self) -> list[list[Any]]:
        """Return what a message can hold: for each request its number, dtype, shape and packed scores."""
        return [
            [number, scores.dtype.str, list(scores.shape), _packed(scores.tobytes())]
            for number, scores in self._scores.items()
        ]

    @classmethod
    def from_plain(cls, rows: list[list[Any]]) -> "References":
        """Read what `to_plain` wrote."""
        references = cls()
        for number, dtype, shape, packed in rows:
            content = zlib.decompress(base64.b64decode(packed))
            references.keep(number, np.frombuffer(content, dtype).reshape(shape))
        return references


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode("ascii")
