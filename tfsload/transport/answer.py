"""Scores against labels: which class was answered, and how often which was taken for which. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from tfsload.transport.servable import UNTOLD, Servable


class Answer:
    """What a model answered to the images of one request.

    Attributes:
        predicted: the class with the highest score for each image; the first of equals.
        servable: the model that answered.
    """

    __slots__ = ("_dtype", "_reply", "_shape", "_start", "predicted", "servable")

    def __init__(
        self,
        predicted: list[int] | None,
        reply: bytes,
        start: int,
        dtype: np.dtype,
        shape: tuple[int, int],
        servable: Servable = UNTOLD,
    ) -> None:
        """Take scores where they stand.

        Args:
            predicted: the classes, or None: computed from the scores.
            reply: bytes that hold the scores.
            start: where in them.
            dtype: of a score.
            shape: (images, classes).
            servable: the model that answered.
        """
        self.servable = servable
        self._reply = reply
        self._start = start
        self._dtype = dtype
        self._shape = shape
        self.predicted = predicted_classes(self.scores) if predicted is None else predicted

    @classmethod
    def of(cls, scores: np.ndarray, servable: Servable = UNTOLD) -> "Answer":
        """Return the answer with these scores, float (images, classes), by a model."""
        return cls(None, scores.tobytes(), 0, scores.dtype, scores.shape, servable)

    def holds(self, scores: bytes) -> bool:
        """Whether its scores are these, byte by byte."""
        images, classes = self._shape
        length = images * classes * self._dtype.itemsize
        return length == len(scores) and self._reply.startswith(scores, self._start)

    @property
    def scores(self) -> np.ndarray:
        """The scores: float array (images, classes), read-only."""
        images, classes = self._shape
        return np.frombuffer(self._reply, self._dtype, images * classes, self._start).reshape(self._shape)


def predicted_classes(scores: np.ndarray) -> list[int]:
    """Return the class with the highest score for each row of scores (n, classes); the first of equals."""
    return scores.argmax(axis=1).tolist()


class ConfusionMatrix:
    """How often an image of class `label` was answered as class `predicted`.

    It grows with the classes it meets, so that a model with more classes than the data set has labels
    (or fewer) is counted too.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, int]] = Counter()

    def add_all(self, labels: Iterable[int], predicted: Iterable[int]) -> None:
        """Count the answers to some images, in the same order."""
        counts = self._counts
        for key in zip(labels, predicted, strict=True):
            counts[key] += 1

    def merge(self, other: "ConfusionMatrix") -> None:
        """Add the counts of another one."""
        self._counts.update(other._counts)

    def count(self, label: int, predicted: int) -> int:
        """Return how often `label` was answered as `predicted`."""
        return self._counts[label, predicted]

    @property
    def classes(self) -> list[int]:
        """All classes met, as label or as answer, in order."""
        return sorted({label for label, _ in self._counts} | {predicted for _, predicted in self._counts})

    @property
    def total(self) -> int:
        """All answers."""
        return sum(self._counts.values())

    @property
    def wrong(self) -> int:
        """Answers that are not the label."""
        return sum(count for (label, predicted), count in self._counts.items() if label != predicted)

    def to_plain(self) -> list[list[int]]:
        """Return rows of [label, predicted, count], in order: what a message or a JSON file can hold."""
        return [[label, predicted, count] for (label, predicted), count in sorted(self._counts.items())]

    @classmethod
    def from_plain(cls, rows: Iterable[Any]) -> "ConfusionMatrix":
        """Read what `to_plain` wrote."""
        matrix = cls()
        for label, predicted, count in rows:
            matrix._counts[(label, predicted)] = count
        return matrix

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfusionMatrix) and self._counts == other._counts

    __hash__ = None  # mutable

    def __repr__(self) -> str:
        return f"ConfusionMatrix({self.to_plain()})"
