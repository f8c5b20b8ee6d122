"""How often which class was taken for which. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any


class ConfusionMatrix:
    """How often an image of class `label` was answered as class `predicted`.

    It grows with the classes it meets, so that a model with more classes than the data set has labels
    (or fewer) is counted too.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, int]] = Counter()

    def add_all(self, labels: Sequence[int], predicted: Sequence[int]) -> None:
        """Count the answers to some images, in the same order."""
        if len(labels) == len(predicted) == 1:  # most requests hold one image, and `update` takes longer than that
            self._counts[labels[0], predicted[0]] += 1
        else:
            self._counts.update(zip(labels, predicted, strict=True))

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

    def __repr__(self) -> str:
        return f"ConfusionMatrix({self.to_plain()})"
