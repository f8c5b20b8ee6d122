"""Replies all of whose outputs matter: for a user class's own `is_right`, or where they name no class.

What is looked at is read when it is looked at: one that knows the class by its scores needs no outputs. Answers are
compared by all of them: what a class judges by, nobody else knows.
"""

import functools
import zlib
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.answer import Answer, Part, ReplyError, content_of
from tfsload.transport.contract import Reader
from tfsload.transport.image_answer import ImageAnswer, Outputs
from tfsload.transport.servable import FURTHER, MOST_TOLD_APART, Servable


class OutputsAnswer(Answer):
    """What a model answered to the images of one request, with all outputs.

    Attributes:
        predicted: the class of each image; None where the answer names none.
        counted: what is made of each by whoever judges them; 0 as long as nobody has.
        images: the answer to each.
    """

    __slots__ = ("_is_judged", "_known", "_layout", "_values", "counted", "images")

    predicted: list[Any]

    def __init__(self, known: Answer | None, outputs: "_Lazily", n_images: int, servable: Servable) -> None:
        """Take what was read.

        Args:
            known: the classes and their scores; None: the answer names none.
            outputs: all outputs.
            n_images: in the request.
            servable: the model that answered.
        """
        self.servable = servable
        self.counted = [0] * n_images
        self._known, self._is_judged = known, outputs.is_judged
        self._values: NDArray[Any] | None = None
        self._layout: tuple[Part, ...] = ()
        self.predicted = [None] * n_images if known is None else known.predicted
        scores = None if known is None else known.scores
        images = []  # which no function of its own fills: that were calls more for each answer
        for place, predicted in enumerate(self.predicted):
            own = None if scores is None else scores[place]
            images.append(ImageAnswer(predicted, own, outputs.read, place, outputs.whole))
        self.images = tuple(images)

    def holds(self, scores: bytes) -> bool:
        """Whether the numbers of its outputs are these, byte by byte, and of the same outputs."""
        return content_of(self.values, self.layout) == scores

    @property
    def values(self) -> NDArray[Any]:
        """Each image's numbers of all outputs, uint64 (images, numbers), whether or not the answer names a class.

        Each is held in eight bytes, which are to be read as `Part.dtype` says. Outputs come in the order of their
        names; in the place of a text stands its checksum.
        """
        if self._values is None:
            names = sorted(self.images[0].outputs)
            rows = [[_numbers(one.outputs[name]) for name in names] for one in self.images]
            self._layout = tuple(
                Part(name, len(numbers), *_kind(self.images[0].outputs[name].dtype, self._is_judged), numbers.dtype.str)
                for name, numbers in zip(names, rows[0], strict=True)
            )
            self._values = np.stack([np.concatenate([one.view(np.uint64) for one in row]) for row in rows])
        return self._values

    @property
    def layout(self) -> tuple[Part, ...]:  # type: ignore[override]  # of each answer, here
        """As of `Answer`."""
        _ = self.values
        return self._layout

    @property
    def scores(self) -> NDArray[Any] | None:
        """As of `Answer`."""
        return None if self._known is None else self._known.scores


class OutputsReader:
    """Reads all outputs out of replies, and the class where they name one."""

    def __init__(
        self,
        read_outputs: Callable[[bytes], tuple[Outputs, Servable]],
        classes: Reader | None,
        n_images: int,
        n_answered: int,
        whole: Collection[str] = (),
        is_judged: bool = True,
    ) -> None:
        """Get ready.

        Args:
            read_outputs: returns all outputs of a reply, by name, and which model answered.
            classes: reads the class of each image; None: the output names none.
            n_images: in the request.
            n_answered: those that the reply is of, where the request was filled up.
            whole: names of outputs without a dimension of images.
            is_judged: whether a class judges by them itself: whole numbers are then the same or others.
        """
        self._read_outputs = read_outputs
        self._classes, self._n_images, self._n_answered, self._whole = classes, n_images, n_answered, whole
        self._is_judged = is_judged
        self._servables: set[Servable] = set()

    def read(self, reply: bytes) -> OutputsAnswer:
        """Return the answer in a reply.

        Raises:
            ReplyError: unparsable bytes, no outputs, or none that can be read. An output that names no class is no
                error: what it says is for others to judge.
        """
        outputs, known = _Lazily(reply, self._read_outputs, self._n_answered, self._whole, self._is_judged), None
        if self._classes is not None:
            try:
                known = self._classes.read(reply)
            except ReplyError:
                outputs.read()  # which raises, where it is no reply at all
        servable = outputs.servable if known is None else known.servable
        if servable not in self._servables:
            if len(self._servables) >= MOST_TOLD_APART:
                servable = FURTHER
            self._servables.add(servable)
        return OutputsAnswer(known, outputs, self._n_images, servable)


class _Lazily:
    """The outputs of a reply, read when they are first asked for."""

    def __init__(self, reply: bytes, read: Any, n_answered: int, whole: Collection[str], is_judged: bool) -> None:
        self._reply, self._decode, self._n_answered, self.whole = reply, read, n_answered, whole
        self.is_judged = is_judged

    @functools.cached_property
    def _decoded(self) -> tuple[Outputs, Servable]:
        decoded: tuple[Outputs, Servable] = self._decode(self._reply)
        return decoded

    @property
    def servable(self) -> Servable:
        return self._decoded[1]

    def read(self) -> tuple[Outputs, int]:
        return self._decoded[0], self._n_answered


def _kind(dtype: np.dtype[Any], is_judged: bool) -> tuple[bool, bool]:
    """Return whether an output's numbers are exact, and whether they are texts' checksums, as `Part` has it."""
    is_text, is_whole = dtype.kind == "O", dtype.kind in "iu" and dtype.itemsize > 1
    return is_text or dtype.kind == "b" or (is_whole and is_judged), is_text


def _numbers(array: NDArray[Any]) -> NDArray[Any]:
    """Return an output's numbers, flat, of eight bytes each."""
    flat = array.ravel()
    if flat.dtype.kind in "iu" and flat.dtype.itemsize > 1:
        return flat.astype("<u8" if flat.dtype == np.uint64 else "<i8")
    if flat.dtype == object:
        return np.array([zlib.crc32(one) for one in flat], np.float64)
    if flat.dtype.kind == "c":
        flat = np.stack([flat.real, flat.imag], axis=-1).ravel()
    return flat.astype(np.float64)
