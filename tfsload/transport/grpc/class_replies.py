"""Replies that say the class of each image instead of scores: its number, its label, or a `ClassificationResponse`."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfsload.transport import protos
from tfsload.transport.answer import ClassAnswer, ReplyError
from tfsload.transport.call_spec import (
    CLASS_DTYPES,
    CLASSES,
    CLASSIFIED,
    LABELS,
    MOST_CLASSES,
    SCORE_DTYPES,
    TEXT,
    OutputSpec,
)
from tfsload.transport.grpc.class_words import ClassWords
from tfsload.transport.grpc.codec import MOST_KEPT_BYTES, decode_answer, decode_tensor, values_of
from tfsload.transport.grpc.kept_answers import KeptAnswers
from tfsload.transport.servable import FURTHER, MOST_TOLD_APART, Servable
from tfsload.transport.tensors import TensorError, kind_of, name_of, to_array

# Most answers are one of few, and read by sight; those to requests of many images hardly ever come again.
_MOST_KNOWN = 256
# To take a reply apart takes many times as long as to look for it.
_WORTH_PERCENT = 5


class ClassReader:
    """Reads classes out of replies. One that came before, byte by byte, is known by sight."""

    def __init__(self, output: OutputSpec, n_images: int) -> None:
        """Read replies to requests of `n_images` images."""
        self._kept: KeptAnswers[ClassAnswer] = KeptAnswers(_MOST_KNOWN, _WORTH_PERCENT)
        self._servables: set[Servable] = set()
        words = ClassWords(output.names)
        decoders: dict[str, Callable[[bytes], tuple[list[int], Servable]]] = {
            CLASSES: lambda reply: decode_classes(reply, output, n_images),
            LABELS: lambda reply: decode_labels(reply, output, n_images, words),
            CLASSIFIED: lambda reply: decode_classified(reply, output, n_images, words),
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
        classes, servable = self._decode(reply)
        if servable not in self._servables:
            if len(self._servables) == MOST_TOLD_APART:
                servable = FURTHER
            else:
                self._servables.add(servable)
        answer = ClassAnswer(classes, servable)
        if len(reply) <= MOST_KEPT_BYTES:
            kept.add(reply, answer)
        return answer


def decode_classes(reply: bytes, output: OutputSpec, n_images: int) -> tuple[list[int], Servable]:
    """Read the label of each image, from a whole number, and which model answered; raise as `ClassReader.read`."""
    tensor, servable = decode_tensor(reply, output.name)
    # Argmax as a float is read where the model says beforehand that it is one.
    dtypes = CLASS_DTYPES if output.dtype in CLASS_DTYPES else SCORE_DTYPES
    if name_of(tensor.dtype) not in dtypes:
        raise ReplyError(f"output {output.name!r} is {name_of(tensor.dtype)}: expected the class of each image")
    return [_class(_whole(one, output), output) for one in _best_each(reply, tensor, output, n_images)], servable


def decode_labels(reply: bytes, output: OutputSpec, n_images: int, words: ClassWords) -> tuple[list[int], Servable]:
    """Read the label of each image, from a text, and which model answered; raise as `ClassReader.read`."""
    tensor, servable = decode_tensor(reply, output.name)
    if name_of(tensor.dtype) != TEXT:
        raise ReplyError(f"output {output.name!r} is {name_of(tensor.dtype)}: expected the label of each image")
    return [_labelled(one, output, words) for one in _best_each(reply, tensor, output, n_images)], servable


def decode_classified(reply: bytes, output: OutputSpec, n_images: int, words: ClassWords) -> tuple[list[int], Servable]:
    """Read each image's label of the highest score (the first of equals) out of a ClassificationResponse's bytes."""
    try:
        message = protos.classification_pb2.ClassificationResponse.FromString(reply)
    except Exception as error:  # protobuf's DecodeError is not the same class in all its implementations
        raise ReplyError(f"not a ClassificationResponse: {error}") from None
    found = message.result.classifications
    if len(found) != n_images:
        raise ReplyError(f"{len(found)} images are classified: expected {n_images}")
    return [_highest(one.classes, output, words) for one in found], Servable.of(message.model_spec)


def _highest(classes: Sequence[Any], output: OutputSpec, words: ClassWords) -> int:
    scores = np.array([one.score for one in classes])
    # A server that has labels alone, and no scores, sends several with a score of 0 each.
    are_none = len(scores) > 1 and not scores.any()
    if not len(scores) or not np.isfinite(scores.max()) or are_none:
        raise ReplyError("an image is classified without a label that has the highest score")
    place = int(scores.argmax())
    label = classes[place].label
    # A model may have no labels: its classes come in order, then, as TensorFlow Serving has them.
    return _labelled(label, output, words) if label else _class(place, output)


def _best_each(reply: bytes, tensor: Any, output: OutputSpec, n_images: int) -> list[Any]:
    """Return one value for each image: the only one, or that of the highest score, the first of equals."""
    if not output.scored_by:
        return _one_each(tensor, output, n_images)
    scores, _ = decode_answer(reply, output.scored_by, n_images)
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if shape != scores.shape:
        raise ReplyError(f"output {output.name!r} has shape {shape}: expected {scores.shape}, a class for each score")
    values, n_each = _values(tensor, output, shape), shape[1]
    return [values[row * n_each + place] for row, place in enumerate(scores.argmax(axis=1).tolist())]


def _one_each(tensor: Any, output: OutputSpec, n_images: int) -> list[Any]:
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if math.prod(shape) != n_images or any(size not in (1, n_images) for size in shape):
        raise ReplyError(f"output {output.name!r} has shape {shape}: expected ({n_images},)")
    return _values(tensor, output, shape)


def _values(tensor: Any, output: OutputSpec, shape: tuple[int, ...]) -> list[Any]:
    try:
        kind = kind_of(tensor.dtype)
        assert kind is not None  # as its name has shown
        is_text = kind.dtype == object
        values = _texts(tensor) if is_text else values_of(tensor, kind).tolist()
    except TensorError as error:
        raise ReplyError(f"output {output.name!r}: {error}") from None
    if len(values) != math.prod(shape):
        raise ReplyError(f"output {output.name!r} holds {len(values)} values for its shape {shape}")
    return values


def _texts(tensor: Any) -> list[bytes]:
    if tensor.tensor_content:
        texts: list[bytes] = to_array(tensor).ravel().tolist()
        return texts
    return list(tensor.string_val)


def _labelled(said: bytes | str, output: OutputSpec, words: ClassWords) -> int:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    label = words.label_of(text)
    if label is not None:
        return label
    try:
        number = words.number_of(text)
    except ValueError as error:
        raise ReplyError(f"output {output.name!r} {error}") from None
    return _class(number, output)


def _whole(number: float, output: OutputSpec) -> int:
    if not math.isfinite(number) or number != int(number):
        raise ReplyError(f"output {output.name!r} answers {number:g}: expected the number of a class, a whole one")
    return int(number)


def _class(number: int, output: OutputSpec) -> int:
    """Return the label of a class of the model's, by its number."""
    if not -MOST_CLASSES < number < MOST_CLASSES:
        raise ReplyError(f"output {output.name!r} answers class {number}: expected one below {MOST_CLASSES:,}")
    return number - output.offset
