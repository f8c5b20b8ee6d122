"""What a reply says: the scores, the class that was answered and the model that answered. Pure."""

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.servable import UNTOLD, Servable


class Part(NamedTuple):
    """The numbers of one output, among those of all that an answer's `values` hold.

    Attributes:
        output: its name.
        n: how many they are, of each image.
        is_exact: whether they say something by being the same: texts' checksums, truth values and whole numbers, but
            for those of 8 bits, which a quantised model has in place of floats.
        is_text: whether they are texts' checksums.
        dtype: how they are held, in the eight bytes that each of them has: whole numbers are as long as some floats,
            which cannot tell two of them apart.
    """

    output: str
    n: int
    is_exact: bool = False
    is_text: bool = False
    dtype: str = "<f8"


Layout = tuple[Part, ...] | None


def content_of(values: NDArray[Any], layout: Layout = None) -> bytes:
    """Return the bytes of an answer's `values`, with what they are of: what `Answer.holds` is asked for."""
    return values.tobytes() if layout is None else values.tobytes() + repr(layout).encode()


class ReplyError(ValueError):
    """A reply came, but it cannot be read. The message says what was found and expected."""


class Answer:
    """What a model answered to the images of one request. Nothing of it is to be changed: it may answer others, too.

    Attributes:
        predicted: the class with the highest score for each image; the first of equals.
        counted: what is held against the request's `labels`: `predicted`, unless a user class judges by itself.
        servable: the model that answered; `UNTOLD` where replies do not say, as over REST.
    """

    __slots__ = ("_dtype", "_reply", "_shape", "_start", "predicted", "servable")

    counted: list[int]
    layout: ClassVar[Layout] = None
    """Which of `values` are of which output; None: they are the scores or the classes."""

    def __init__(
        self,
        predicted: list[int] | None,
        reply: bytes,
        start: int,
        dtype: np.dtype[Any],
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
        self.predicted = predicted_classes(self.values) if predicted is None else predicted

    @classmethod
    def of(cls, scores: NDArray[Any], servable: Servable = UNTOLD) -> "Answer":
        """Return the answer with these scores, (images, classes), by a model."""
        images, classes = scores.shape
        return cls(None, scores.tobytes(), 0, scores.dtype, (images, classes), servable)

    def moved(self, by: int) -> "Answer":
        """Return the same answer with its classes, and not its scores, moved."""
        classes = [one + by for one in self.predicted]
        return Answer(classes, self._reply, self._start, self._dtype, self._shape, self.servable)

    def holds(self, scores: bytes) -> bool:
        """Whether its scores are these, byte by byte."""
        images, classes = self._shape
        length = images * classes * self._dtype.itemsize
        return length == len(scores) and self._reply.startswith(scores, self._start)

    @property
    def values(self) -> NDArray[Any]:
        """The scores, (images, classes), read-only; of an answer without scores its classes, integers (images,)."""
        images, classes = self._shape
        return np.frombuffer(self._reply, self._dtype, images * classes, self._start).reshape(self._shape)

    @property
    def scores(self) -> NDArray[Any] | None:
        """The scores: array (images, classes), read-only; None: the model answers classes alone."""
        return self.values


# The same place by another name: to look there costs no call.
Answer.counted = Answer.predicted  # type: ignore[misc]  # a place, and no list, as long as it is the class's


class ClassAnswer(Answer):
    """What a model answered that says the class of each image, and no scores."""

    __slots__ = ("_classes",)

    def __init__(self, predicted: list[int], servable: Servable = UNTOLD) -> None:
        """Take the classes, an image each, and the model that answered."""
        self.predicted = predicted
        self.servable = servable
        self._classes: NDArray[Any] = np.array(predicted, np.int64)
        self._classes.flags.writeable = False

    def holds(self, scores: bytes) -> bool:
        """Whether its classes are these, byte by byte."""
        return self._classes.tobytes() == scores

    @property
    def values(self) -> NDArray[Any]:
        """The classes, integers (images,)."""
        return self._classes

    @property
    def scores(self) -> None:
        """None: there are none."""
        return None


def are_scores(values: NDArray[Any]) -> bool:
    """Whether each image's numbers, (images, classes), are scores: one is the highest, and none beyond all numbers.

    `-inf` is the score of a class that a model leaves out; NaN, and what has grown beyond all numbers, are none.
    """
    if np.isfinite(values).all():
        return True
    with np.errstate(invalid="ignore"):  # numpy warns of NaN in half of its dtypes
        return bool(np.isfinite(values.max(axis=1)).all())


def predicted_classes(scores: NDArray[Any]) -> list[int]:
    """Return the class with the highest score for each row of scores (n, classes); the first of equals."""
    predicted: list[int] = scores.argmax(axis=1).tolist()
    return predicted
