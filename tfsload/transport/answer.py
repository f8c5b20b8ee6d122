"""Scores against labels: which class was answered, and how often which was taken for which. Pure."""

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
