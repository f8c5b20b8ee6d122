"""An image that was answered otherwise under load than without: one example of them, to look at. Pure."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from tfsload.records.distances import are_long, distances
from tfsload.transport.words import shown

# What stands in the place of a class.
OTHER_NUMBER, NO_SCORES, OTHER_TEXT, OTHER_FORM = -1, -2, -3, -4
# What the class is of an answer that names none.
NO_CLASS = -1


class Mismatch(NamedTuple):
    """An image's two answers. Of several, the least one is kept, whichever process met it when: by image first.

    Attributes:
        image: its position in the data set.
        expected_class, answered_class: without load and under it; both -1: the answer names none.
        place: the model's class whose score is furthest off; -1: there are other classes, and the scores are their
            numbers; -2: the model answers classes alone, and the scores are the two; -3: a text is another one; -4: the
            outputs have other sizes, or are others.
        expected, answered: that class's score without load and under it; whole numbers of 64 bits are no floats.
        output: of answers that are compared by several outputs, the one that it is about; empty: there is one.
        is_exact: whether no tolerance applies to that, as `Part` has it.
    """

    image: int
    expected_class: int
    answered_class: int
    place: int
    expected: float
    answered: float
    output: str = ""
    is_exact: bool = False

    @classmethod
    def of(cls, image: int, expected: NDArray[Any], scores: NDArray[Any], offset: int = 0) -> "Mismatch":
        """Return an image's mismatch.

        Args:
            image: its position in the data set.
            expected, scores: (classes,) each, not always of one length.
            offset: how far the model's classes are above the labels.
        """
        place, one, other = _furthest(expected, scores)
        return cls(image, int(expected.argmax()) - offset, int(scores.argmax()) - offset, place, one, other)

    @classmethod
    def of_classes(cls, image: int, expected: int, answered: int) -> "Mismatch":
        """Return the mismatch of an image that was given one class without load and another under it."""
        return cls(image, expected, answered, NO_SCORES, float(expected), float(answered))

    @classmethod
    def of_values(
        cls,
        image: int,
        expected: NDArray[Any],
        values: NDArray[Any],
        output: str = "",
        is_text: bool = False,
        is_exact: bool = False,
    ) -> "Mismatch":
        """Return the mismatch of an image whose answers are numbers that name no class.

        Args:
            image, expected, values: as of `of`.
            output: the one that the numbers are of, where there are several.
            is_text: whether they are texts' checksums.
            is_exact: whether no tolerance applies to them.
        """
        place, one, other = _furthest(expected, values)
        return cls(image, NO_CLASS, NO_CLASS, OTHER_TEXT if is_text else place, one, other, output, is_exact)

    @classmethod
    def of_forms(cls, image: int, n_expected: int, n_answered: int) -> "Mismatch":
        """Return the mismatch of an image whose answers have so many numbers, of outputs of other sizes or names."""
        place = OTHER_FORM if n_expected == n_answered else OTHER_NUMBER
        return cls(image, NO_CLASS, NO_CLASS, place, float(n_expected), float(n_answered))

    @property
    def words(self) -> str:
        """Both answers in words."""
        if self.place == OTHER_NUMBER:
            what = "numbers" if self.expected_class == self.answered_class == NO_CLASS else "scores"
            return f"image {self.image}: {self.expected:.0f} {what} without load, {self.answered:.0f} under it"
        if self.expected_class == self.answered_class == NO_CLASS:
            of = f"the output {shown(self.output)}" if self.output else "the answer"
            if self.place == OTHER_FORM:
                return f"image {self.image}: other outputs, or of other sizes, without load than under it"
            if self.place == OTHER_TEXT:
                return f"image {self.image}: a text of {of} is not the one without load"
            expected, answered = _numbers(self.expected, self.answered)
            return f"image {self.image}: number {self.place} of {of} was {expected} and became {answered}"
        if self.expected_class == self.answered_class:
            classes = f"class {self.expected_class} both times"
        else:
            classes = f"class {self.expected_class} without load, class {self.answered_class} under it"
        if self.place == NO_SCORES:
            return f"image {self.image}: {classes}"
        expected, answered = _numbers(self.expected, self.answered)
        return f"image {self.image}: {classes}; the score of class {self.place} was {expected} and became {answered}"


def _furthest(expected: NDArray[Any], found: NDArray[Any]) -> tuple[int, float, float]:
    """Return which of some numbers is furthest off, and both; of other numbers of them these."""
    if len(expected) != len(found) or not len(found):
        return OTHER_NUMBER, float(len(expected)), float(len(found))
    place = int(distances(expected, found).argmax())
    return place, _number(expected[place]), _number(found[place])


def _number(one: Any) -> float:
    """Return a number of numpy's as Python has it: a whole one of 64 bits is no float."""
    return int(one) if are_long(one.dtype) else float(one)


def least(*mismatches: Mismatch | None) -> Mismatch | None:
    """Return the one that is kept of several; None where there is none."""
    return min(filter(None, mismatches), key=_place_in_order, default=None)


def _place_in_order(mismatch: Mismatch) -> tuple[Any, ...]:
    """Return what mismatches are put in order by: what is no number is neither less nor more than one."""
    return tuple((one != one, 0 if one != one else one) for one in mismatch)  # NaN alone is not itself


def to_plain(mismatch: Mismatch | None) -> list[Any] | None:
    """Return what a message can hold."""
    return None if mismatch is None else list(mismatch)


def from_plain(plain: list[Any] | None) -> Mismatch | None:
    """Read what `to_plain` wrote."""
    return None if plain is None else Mismatch(*plain)


def _numbers(one: float, other: float) -> tuple[str, str]:
    """Return two numbers as short as tells them apart, with the digits of a float32 at least; whole ones as a whole."""
    if isinstance(one, int) and isinstance(other, int):
        return str(one), str(other)
    short = f"{one:.7g}", f"{other:.7g}"
    return short if short[0] != short[1] else (repr(one), repr(other))
