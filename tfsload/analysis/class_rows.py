"""How each class was answered."""

from dataclasses import dataclass

from tfsload.records.confusion import ConfusionMatrix


@dataclass(frozen=True)
class ClassRow:
    """How one class was answered.

    Attributes:
        label: the class.
        images: answered images of this class.
        right: those answered as this class.
        recall: right ÷ images; None without images.
        precision: right ÷ all images answered as this class; None if there are none.
        taken_for: the other class that most of its wrong answers named, and how many; None without wrong ones.
    """

    label: int
    images: int
    right: int
    recall: float | None
    precision: float | None
    taken_for: tuple[int, int] | None

    @property
    def wrong(self) -> int:
        """Images of this class answered as another."""
        return self.images - self.right


def class_rows(confusion: ConfusionMatrix) -> tuple[ClassRow, ...]:
    """Return a row for each class that was a label or an answer."""
    return tuple(class_row(confusion, label) for label in confusion.classes)


def class_row(confusion: ConfusionMatrix, label: int) -> ClassRow:
    """Return the row of one class; it need not have been met."""
    classes = confusion.classes
    images = sum(confusion.count(label, predicted) for predicted in classes)
    answered = sum(confusion.count(other, label) for other in classes)
    right = confusion.count(label, label)
    mistakes = [(confusion.count(label, other), other) for other in classes if other != label]
    most, other = max(mistakes, key=lambda mistake: (mistake[0], -mistake[1]), default=(0, 0))
    return ClassRow(
        label=label,
        images=images,
        right=right,
        recall=right / images if images else None,
        precision=right / answered if answered else None,
        taken_for=(other, most) if most else None,
    )
