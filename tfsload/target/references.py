"""Answers recorded one at a time without load, which answers under load must equal. Pure."""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.analysis.tolerance import DEFAULT, Tolerance
from tfsload.records.mismatch import Mismatch
from tfsload.transport.answer import Answer


class References:
    """The scores that were answered without load, by request."""

    def __init__(self, tolerance: Tolerance = DEFAULT) -> None:
        """Start empty; scores under load may be off by so much."""
        self._tolerance = tolerance
        self._scores: dict[int, NDArray[Any]] = {}
        self._bytes: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._scores)

    def keep(self, number: int, scores: NDArray[Any]) -> None:
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
        return int(self._tolerance.is_beyond(reference, scores).sum())

    def example(self, number: int, answer: Answer, first_image: int) -> Mismatch:
        """Return the first image of a request that was answered otherwise than without load.

        Args:
            number: the request's, of which `n_mismatched` says that there are such images.
            answer: under load.
            first_image: the position of its first image in the data set.
        """
        reference, scores = self._scores[number], answer.scores
        place = 0
        if scores.shape == reference.shape:
            place = int(self._tolerance.is_beyond(reference, scores).argmax())
        return Mismatch.of(first_image + place, reference[place], scores[min(place, len(scores) - 1)])

    def to_plain(self) -> list[list[Any]]:
        """Return what a message can hold: for each request its number, dtype, shape and packed scores."""
        return [
            [number, scores.dtype.str, list(scores.shape), _packed(scores.tobytes())]
            for number, scores in self._scores.items()
        ]

    @classmethod
    def from_plain(cls, rows: list[list[Any]], tolerance: Tolerance = DEFAULT) -> "References":
        """Read what `to_plain` wrote; the tolerance is an option, which each process has."""
        references = cls(tolerance)
        for number, dtype, shape, packed in rows:
            content = zlib.decompress(base64.b64decode(packed))
            references.keep(number, np.frombuffer(content, dtype).reshape(shape))
        return references


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode("ascii")
