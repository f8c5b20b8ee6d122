"""What reads the replies to one way of calling a model, whatever the protocol."""

from collections.abc import Callable
from typing import Protocol

from tfsload.transport.answer import Answer, ClassAnswer
from tfsload.transport.call_spec import SCORES, VALUES, CallSpec, OutputSpec
from tfsload.transport.class_reader import ClassReader
from tfsload.transport.contract import Reader
from tfsload.transport.image_answer import Outputs
from tfsload.transport.output_answers import OutputsReader
from tfsload.transport.servable import Servable


class Replies(Protocol):
    """How replies of a protocol are taken apart."""

    def scores(self, output: OutputSpec, n_images: int) -> Reader:
        """Return what reads the scores of so many images."""

    def classes(self, output: OutputSpec, n_images: int) -> Callable[[bytes], tuple[list[int], Servable]]:
        """Return what reads the label of each of so many images, and which model answered."""

    def outputs(self, spec: CallSpec) -> Callable[[bytes], tuple[Outputs, Servable]]:
        """Return what reads all outputs, by name, and which model answered."""


def reader_of(spec: CallSpec, n_images: int, replies: Replies) -> Reader:
    """Return what reads the replies to requests of that many images."""
    batch = spec.input.batch
    n_answered = n_images if batch is None else batch
    if spec.judged_by or spec.output.kind == VALUES:
        classes = None if spec.output.kind == VALUES else _reader(spec, n_images, n_answered, replies)
        outputs = replies.outputs(spec)
        return OutputsReader(outputs, classes, n_images, n_answered, spec.whole, bool(spec.judged_by))
    return _reader(spec, n_images, n_answered, replies)


def _reader(spec: CallSpec, n_images: int, n_answered: int, replies: Replies) -> Reader:
    """Return what reads the class of each image."""
    reader: Reader
    if spec.output.kind == SCORES:
        reader = replies.scores(spec.output, n_answered)
        if spec.output.offset:
            reader = _Moved(reader, spec.output.offset)
    else:
        reader = ClassReader(replies.classes(spec.output, n_answered))
    return reader if n_answered == n_images else _First(reader, n_images)


class _Moved:
    """Reads the answers of a model whose classes are the labels moved."""

    def __init__(self, reader: Reader, offset: int) -> None:
        self._reader, self._offset = reader, offset

    def read(self, reply: bytes) -> Answer:
        return self._reader.read(reply).moved(-self._offset)  # another one: the reader may give the same once more


class _First:
    """Reads the answers to the first images of a request that was filled up with others."""

    def __init__(self, reader: Reader, n_images: int) -> None:
        self._reader, self._n_images = reader, n_images

    def read(self, reply: bytes) -> Answer:
        answer, n = self._reader.read(reply), self._n_images
        if answer.scores is None:
            return ClassAnswer(answer.predicted[:n], answer.servable)
        first = Answer.of(answer.scores[:n], answer.servable)
        first.predicted = answer.predicted[:n]
        return first
