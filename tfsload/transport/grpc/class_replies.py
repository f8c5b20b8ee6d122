"""Replies that say the class of each image instead of scores: its number, its label, or a `ClassificationResponse`."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfsload.transport import protos
from tfsload.transport.answer import ClassAnswer, ReplyError
from tfsload.transport.call_spec import CLASS_DTYPES, CLASSES, CLASSIFIED, LABELS, OutputSpec
from tfsload.transport.grpc.codec import decode_tensor, values_of
from tfsload.transport.grpc.kept_answers import KeptAnswers
from tfsload.transport.servable import FURTHER, MOST_TOLD_APART, Servable
from tfsload.transport.tensors import TensorError, kind_of, name_of, to_array
from tfsload.transport.words import quoted

# A server that answers with any number is not to fill the memory with what is counted by class.
MOST_CLASSES = 100_000
# Labels of digits, as models write them that answer in words.
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:\.0+)?")
# Most answers are one of few, and read by sight; those to requests of many images hardly ever come again.
_MOST_KNOWN = 256
# To take a reply apart takes many times as long as to look for it.
_WORTH_PERCENT = 5


class ClassReader:
    """Reads classes out of replies. One that came before, byte by byte, is known by sight."""

    def __init__(self, output: OutputSpec, n_images: int) -> None:
        """Read replies to requests of `n_images` images."""
        self._output = output
        self._n_images = n_images
        self._kept: KeptAnswers[ClassAnswer] = KeptAnswers(_MOST_KNOWN, _WORTH_PERCENT)
        self._servables: set[Servable] = set()
        decoders: dict[str, Callable[[bytes, OutputSpec, int], tuple[list[int], Servable]]] = {
            CLASSES: decode_classes,
            LABELS: decode_labels,
            CLASSIFIED: decode_classified,
        }
        self._decode = decoders[output.kind]

    def read(self, reply: bytes) -> ClassAnswer:
        """Return the answer in a reply.

        Raises:
            ReplyError: unparsable bytes, no such output, another dtype, shape or length, or what is no class.
        """
        kept = self._kept
        known = kept.by_reply.get(reply) if kept.by_reply else None
        if known is not None:
            kept.n_known += 1
            return known
        classes, servable = self._decode(reply, self._output, self._n_images)
        if servable not in self._servables:
            if len(self._servables) == MOST_TOLD_APART:
                servable = FURTHER
            else:
                self._servables.add(servable)
        offset = self._output.offset
        answer = ClassAnswer([one - offset for one in classes], servable)
        kept.add(reply, answer)
        return answer


def decode_classes(reply: bytes, output: OutputSpec, n_images: int) -> tuple[list[int], Servable]:
    """Read the class of each image, as an integer, and which model answered; raise as `ClassReader.read`."""
    tensor, servable = decode_tensor(reply, output.name)
    if name_of(tensor.dtype) not in CLASS_DTYPES:
        raise ReplyError(f"output {output.name!r} is {name_of(tensor.dtype)}: expected the class of each image")
    return [_class(one, output) for one in _one_each(tensor, output, n_images)], servable


def decode_labels(reply: bytes, output: OutputSpec, n_images: int) -> tuple[list[int], Servable]:
    """Read the class of each image, as a text, and which model answered; raise as `ClassReader.read`."""
    tensor, servable = decode_tensor(reply, output.name)
    if name_of(tensor.dtype) != "DT_STRING":
        raise ReplyError(f"output {output.name!r} is {name_of(tensor.dtype)}: expected the label of each image")
    return [_labelled(one, output) for one in _one_each(tensor, output, n_images)], servable


def decode_classified(reply: bytes, output: OutputSpec, n_images: int) -> tuple[list[int], Servable]:
    """Read each image's label of the highest score (the first of equals) out of a ClassificationResponse's bytes."""
    try:
        message = protos.classification_pb2.ClassificationResponse.FromString(reply)
    except Exception as error:  # protobuf's DecodeError is not the same class in all its implementations
        raise ReplyError(f"not a ClassificationResponse: {error}") from None
    found = message.result.classifications
    if len(found) != n_images:
        raise ReplyError(f"{len(found)} images are classified: expected {n_images}")
    return [_highest(one.classes, output) for one in found], Servable.of(message.model_spec)


def _highest(classes: Sequence[Any], output: OutputSpec) -> int:
    scores = np.array([one.score for one in classes])
    if not len(scores) or not np.isfinite(scores.max()):
        raise ReplyError("an image is classified without a label that has the highest score")
    place = int(scores.argmax())
    label = classes[place].label
    # A model may have no labels: its classes come in order, then, as TensorFlow Serving has them.
    return _labelled(label, output) if label else _class(place, output)


def _one_each(tensor: Any, output: OutputSpec, n_images: int) -> list[Any]:
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if math.prod(shape) != n_images or any(size not in (1, n_images) for size in shape):
        raise ReplyError(f"output {output.name!r} has shape {shape}: expected ({n_images},)")
    try:
        kind = kind_of(tensor.dtype)
        assert kind is not None  # as its name has shown
        is_text = kind.dtype == object
        values = _texts(tensor) if is_text else values_of(tensor, kind).tolist()
    except TensorError as error:
        raise ReplyError(f"output {output.name!r}: {error}") from None
    if len(values) != n_images:
        raise ReplyError(f"output {output.name!r} holds {len(values)} values for its shape {shape}")
    return values


def _texts(tensor: Any) -> list[bytes]:
    if tensor.tensor_content:
        texts: list[bytes] = to_array(tensor).ravel().tolist()
        return texts
    return list(tensor.string_val)


def _labelled(label: bytes | str, output: OutputSpec) -> int:
    text = label.decode("utf-8", "replace") if isinstance(label, bytes) else label
    word = text.strip().lower()
    if text in output.names:  # a label, and no class of the model's: it is not moved by what `read` takes off
        return output.names.index(text) + output.offset
    if word in _DIGITS:
        return _DIGITS.index(word)
    if not _NUMBER.fullmatch(word):
        expected = "a label that is a class's number, a digit in words, or a class of the data set's by its name"
        raise ReplyError(f"output {output.name!r} answers {quoted(text)}: expected {expected}")
    return _class(int(float(text)), output)


def _class(number: int, output: OutputSpec) -> int:
    if not -MOST_CLASSES < number < MOST_CLASSES:
        raise ReplyError(f"output {output.name!r} answers class {number}: expected one below {MOST_CLASSES:,}")
    return number
