"""Replies that say the class of each image instead of scores: its number, its label, or a `ClassificationResponse`."""

import math
from collections.abc import Callable
from typing import Any

from tfsload.transport import protos
from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import (
    CLASS_DTYPES,
    CLASSES,
    CLASSIFIED,
    LABELS,
    SCORE_DTYPES,
    TEXT,
    OutputSpec,
)
from tfsload.transport.class_values import class_of, highest, labelled, whole
from tfsload.transport.class_words import ClassWords
from tfsload.transport.grpc.codec import decode_answer, decode_tensor, values_of
from tfsload.transport.servable import Servable
from tfsload.transport.tensors import TensorError, kind_of, name_of, to_array

Decoder = Callable[[bytes], tuple[list[int], Servable]]


def class_decoder(output: OutputSpec, n_images: int) -> Decoder:
    """Return what reads the label of each image out of replies to requests of `n_images` images."""
    words = ClassWords(output.names)
    decoders: dict[str, Decoder] = {
        CLASSES: lambda reply: decode_classes(reply, output, n_images),
        LABELS: lambda reply: decode_labels(reply, output, n_images, words),
        CLASSIFIED: lambda reply: decode_classified(reply, output, n_images, words),
    }
    return decoders[output.kind]


def decode_classes(reply: bytes, output: OutputSpec, n_images: int) -> tuple[list[int], Servable]:
    """Read the label of each image, from a whole number, and which model answered; raise as `ClassReader.read`."""
    tensor, servable = decode_tensor(reply, output.name)
    # Argmax as a float is read where the model says beforehand that it is one.
    dtypes = CLASS_DTYPES if output.dtype in CLASS_DTYPES else SCORE_DTYPES
    if name_of(tensor.dtype) not in dtypes:
        raise ReplyError(f"output {output.name!r} is {name_of(tensor.dtype)}: expected the class of each image")
    return [class_of(whole(one, output), output) for one in _best_each(reply, tensor, output, n_images)], servable


def decode_labels(reply: bytes, output: OutputSpec, n_images: int, words: ClassWords) -> tuple[list[int], Servable]:
    """Read the label of each image, from a text, and which model answered; raise as `ClassReader.read`."""
    tensor, servable = decode_tensor(reply, output.name)
    if name_of(tensor.dtype) != TEXT:
        raise ReplyError(f"output {output.name!r} is {name_of(tensor.dtype)}: expected the label of each image")
    return [labelled(one, output, words) for one in _best_each(reply, tensor, output, n_images)], servable


def decode_classified(reply: bytes, output: OutputSpec, n_images: int, words: ClassWords) -> tuple[list[int], Servable]:
    """Read each image's label of the highest score (the first of equals) out of a ClassificationResponse's bytes."""
    try:
        message = protos.classification_pb2.ClassificationResponse.FromString(reply)
    except Exception as error:  # protobuf's DecodeError is not the same class in all its implementations
        raise ReplyError(f"not a ClassificationResponse: {error}") from None
    found = message.result.classifications
    if len(found) != n_images:
        raise ReplyError(f"{len(found)} images are classified: expected {n_images}")
    classes = [
        highest([each.label for each in one.classes], [each.score for each in one.classes], output, words)
        for one in found
    ]
    return classes, Servable.of(message.model_spec)


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
