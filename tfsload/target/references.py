"""Answers recorded one at a time without load, which answers under load must equal. Pure."""

import base64
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.analysis.tolerance import DEFAULT, Tolerance
from tfsload.records.mismatch import Mismatch
from tfsload.transport.answer import Answer, Layout, Part, ReplyError, content_of


class References:
    """The scores that were answered without load, by request; of a model that answers no scores, the classes."""

    def __init__(self, tolerance: Tolerance = DEFAULT, label_offset: int = 0) -> None:
        """Start empty; scores under load may be off by so much, and lie so many places above the labels."""
        self._tolerance = tolerance
        self._offset = label_offset
        self._scores: dict[int, NDArray[Any]] = {}
        self._bytes: dict[int, bytes] = {}
        self._layouts: dict[int, Layout] = {}

    def __len__(self) -> int:
        return len(self._scores)

    def keep(self, number: int, scores: NDArray[Any], layout: Layout = None) -> None:
        """Keep a request's answer.

        Args:
            number: the request's.
            scores: as `Answer.values` has them: (images, classes), or integers (images,).
            layout: as `Answer.layout`.
        """
        self._scores[number] = scores
        self._bytes[number] = content_of(scores, layout)
        self._layouts[number] = layout

    def add(self, others: "References", shift: int) -> None:
        """Keep others' answers, too, their requests' numbers raised by so much."""
        for number, scores in others._scores.items():
            self.keep(shift + number, scores, others._layouts[number])

    def parts(self, n_parts: int, n_requests: int) -> "list[References]":
        """Return the answers to so many times so many requests, each in its own, as `add` has put them together."""
        parts = [References(self._tolerance, self._offset) for _ in range(n_parts)]
        for number, scores in self._scores.items():
            parts[number // n_requests].keep(number % n_requests, scores, self._layouts[number])
        return parts

    def n_mismatched(self, number: int, answer: Answer | None) -> int | None:
        """Return how many images of a request were answered otherwise than without load; None: nothing to compare.

        Args:
            number: the request's.
            answer: under load; None, where there was none, is a failure and no mismatch.
        """
        expected = self._bytes.get(number)
        if expected is None or answer is None:
            return None
        reference = self._scores[number]
        try:
            if answer.holds(expected):
                return 0
        except ReplyError:  # an output that cannot be read, and could be without load
            return len(reference)
        scores = answer.values
        if scores.shape != reference.shape or answer.layout != self._layouts[number]:
            return len(reference)
        return int(self._is_other(reference, scores, answer.layout).sum())

    def example(self, number: int, answer: Answer, first_image: int) -> Mismatch:
        """Return the first image of a request that was answered otherwise than without load.

        Args:
            number: the request's, of which `n_mismatched` says that there are such images.
            answer: under load.
            first_image: the position of its first image in the data set.
        """
        reference = self._scores[number]
        try:
            scores, layout = answer.values, answer.layout
        except ReplyError:
            return Mismatch.of_forms(first_image, reference[0].size, reference[0].size)
        if layout != self._layouts[number]:
            return Mismatch.of_forms(first_image, reference[0].size, scores[0].size)
        place = 0
        if scores.shape == reference.shape:
            place = int(self._is_other(reference, scores, layout).argmax())
        image, one, other = first_image + place, reference[place], scores[min(place, len(scores) - 1)]
        if reference.ndim == scores.ndim == 1:
            return Mismatch.of_classes(image, int(one), int(other))
        if layout is None:
            return Mismatch.of(image, one, other, self._offset)
        for part, columns in _columns(layout):
            pair = _numbers(part, reference[place, columns]), _numbers(part, scores[place, columns])
            if self._differs(part, pair[0][None], pair[1][None])[0]:
                break
        output = part.output if len(layout) > 1 else ""
        return Mismatch.of_values(image, *pair, output, part.is_text, part.is_exact)

    def _is_other(self, reference: NDArray[Any], values: NDArray[Any], layout: Layout) -> NDArray[np.bool_]:
        """Return which images' answers differ, of one shape: classes do where they are not the same."""
        differs: NDArray[np.bool_]
        if reference.ndim == 1:
            differs = reference != values
            return differs
        if layout is None:
            return self._tolerance.is_beyond(reference, values)
        differs = np.zeros(len(reference), np.bool_)
        for part, columns in _columns(layout):
            pair = _numbers(part, reference[:, columns]), _numbers(part, values[:, columns])
            differs |= self._differs(part, *pair)
        return differs

    def _differs(self, part: Part, reference: NDArray[Any], values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which images' numbers of one output, (images, numbers), differ: no tolerance applies to exact ones."""
        if not part.is_exact:
            return self._tolerance.is_beyond(reference, values)
        differs: NDArray[np.bool_] = (reference != values).any(axis=1)
        return differs

    def to_plain(self) -> list[list[Any]]:
        """Return what a message can hold: for each request its number, dtype, shape, packed scores and layout."""
        return [
            [number, _word(scores.dtype), list(scores.shape), _packed(scores.tobytes()), self._layouts[number]]
            for number, scores in self._scores.items()
        ]

    @classmethod
    def from_plain(cls, rows: list[list[Any]], tolerance: Tolerance = DEFAULT, label_offset: int = 0) -> "References":
        """Read what `to_plain` wrote; the tolerance and the offset are options, which each process has."""
        references = cls(tolerance, label_offset)
        for number, dtype, shape, packed, plain in rows:
            content = zlib.decompress(base64.b64decode(packed))
            layout = None if plain is None else tuple(Part(*one) for one in plain)
            references.keep(number, np.frombuffer(content, _dtype(dtype)).reshape(shape), layout)
        return references


def _columns(layout: tuple[Part, ...]) -> Iterator[tuple[Part, slice]]:
    """Yield each output that has numbers, with their places in an image's row."""
    start = 0
    for part in layout:
        if part.n:
            yield part, slice(start, start + part.n)
        start += part.n


def _numbers(part: Part, held: NDArray[Any]) -> NDArray[Any]:
    """Return an output's numbers as what they are."""
    return np.ascontiguousarray(held).view(part.dtype)


def _word(dtype: np.dtype[Any]) -> str:
    """Return a dtype's name; numpy has none that it reads again for those that are not its own."""
    return dtype.name if dtype.kind == "V" else dtype.str


def _dtype(word: str) -> np.dtype[Any]:
    if word[0] in "<>|=":
        return np.dtype(word)
    import ml_dtypes  # where it is met: few models have such scores, and the package takes two megabytes

    return np.dtype(getattr(ml_dtypes, word, word))


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode("ascii")
