"""Images and scores ↔ the bytes of `PredictRequest` and `PredictResponse`."""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.answer import Answer, ReplyError
from tfsload.transport.asked import ModelAsked
from tfsload.transport.protos import predict_pb2, types_pb2
from tfsload.transport.servable import FURTHER, MOST_TOLD_APART, Servable
from tfsload.transport.tensors import Kind, fill_proto, kind_of, name_of

_SCORE_DTYPES = (types_pb2.DT_FLOAT, types_pb2.DT_DOUBLE)
# Up to so many scores of one image are read faster without numpy.
_SHORT = 64
# So many kinds of reply are known by sight: versions behind one address, as a rule.
_MOST_TEMPLATES = 8
# So many answers are kept for when the same bytes come again, to replies of at most so many bytes: a megabyte, mostly.
_MOST_ANSWERS, _MOST_KEPT_BYTES = 2_048, 1_024


def encode_request(model: ModelAsked, images: NDArray[np.uint8]) -> bytes:
    """Encode a PredictRequest.

    Args:
        model: names it, its version or label, signature and input.
        images: uint8 (n, …), sent as float32 (n, pixels) scaled to 0..1.
    """
    request = predict_pb2.PredictRequest()
    fill_model_spec(request.model_spec, model)
    request.model_spec.signature_name = model.signature_name
    rows = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    fill_proto(request.inputs[model.input_name], rows, as_content=True)
    request.output_filter.append(model.output_name)
    message: bytes = request.SerializeToString()
    return message


def fill_model_spec(spec: Any, model: ModelAsked) -> None:
    """Say in a message's `ModelSpec` which model is meant."""
    spec.name = model.name
    if model.version is not None:
        spec.version.value = model.version
    if model.label:
        spec.version_label = model.label


def decode_answer(reply: bytes, output_name: str, n_images: int) -> tuple[NDArray[Any], Servable]:
    """Read the scores out of a PredictResponse's bytes, and which model it names.

    Args:
        reply: a serialised PredictResponse.
        output_name: which output holds the scores.
        n_images: how many images the request held.

    Returns:
        float array (n_images, classes), finite, and who answered.

    Raises:
        ReplyError: unparsable bytes, no such output, another dtype, shape or length, or NaN.
    """
    try:
        message = predict_pb2.PredictResponse.FromString(reply)
    except Exception as error:  # protobuf's DecodeError is not the same class in all its implementations
        raise ReplyError(f"not a PredictResponse: {error}") from None
    outputs = message.outputs
    if output_name not in outputs:
        raise ReplyError(f"no output {output_name!r} in the reply; it has {sorted(outputs) or 'none'}")
    tensor = outputs[output_name]
    kind = kind_of(tensor.dtype)
    if kind is None or kind.number not in _SCORE_DTYPES:
        raise ReplyError(f"output {output_name!r} is {name_of(tensor.dtype)}: expected DT_FLOAT or DT_DOUBLE")
    scores = _values(tensor, kind)
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if len(shape) != 2 or shape[0] != n_images or shape[1] < 1:
        raise ReplyError(f"output {output_name!r} has shape {shape}: expected ({n_images}, classes)")
    if scores.size != shape[0] * shape[1]:
        raise ReplyError(f"output {output_name!r} holds {scores.size} values for its shape {shape}")
    if not np.isfinite(scores).all():
        raise ReplyError(f"output {output_name!r} holds scores that are not finite")
    return scores.reshape(shape), Servable.of(message.model_spec)


class _Template(NamedTuple):
    """What replies of one kind share, so that they can be read in place.

    Attributes:
        length: of the reply.
        before, after: all that stands around its scores, the model's name and version among it.
        start: where the scores begin.
        dtype, shape: the scores'.
        unpack: reads the few scores of one image; None: numpy does.
        servable: the model that it names.
    """

    length: int
    before: bytes
    after: bytes
    start: int
    dtype: np.dtype[Any]
    shape: tuple[int, int]
    unpack: Callable[[bytes, int], tuple[float, ...]] | None
    servable: Servable


class ReplyReader:
    """Reads answers out of replies, fast: those of one model to one kind of request differ in the scores alone.

    The first reply is decoded in full. Where its scores stand in its bytes, and all that stands around them, is
    remembered; a later reply with the same around them is read in place, any other decoded in full, and remembered
    beside it. So it stays fast, and knows who answered, where several models answer in turn.

    An image is fired over and over, and most models answer in the same bytes each time: of such replies with a few
    scores the answer is kept, and is the same object when they come again. To be rid of it: keep none.
    """

    def __init__(self, output_name: str, n_images: int) -> None:
        """Read replies to requests of `n_images` images; the output's name as in `decode_answer`."""
        self._output_name = output_name
        self._n_images = n_images
        self._templates: tuple[_Template, ...] = ()  # the newest first
        self._servables: set[Servable] = set()
        self._answers: dict[bytes, Answer] = {}  # by the whole reply

    def read(self, reply: bytes) -> Answer:
        """Return the answer in a reply; its scores are finite.

        Raises:
            ReplyError: as `decode_answer`.
        """
        if self._answers:  # else the bytes, which may be many, are not gone through
            known = self._answers.get(reply)
            if known is not None:
                return known
        n_bytes = len(reply)
        for length, before, after, start, dtype, shape, unpack, servable in self._templates:
            if n_bytes != length or not reply.startswith(before) or not reply.endswith(after):
                continue
            if unpack is None:
                answer = Answer(None, reply, start, dtype, shape, servable)
                if np.isfinite(answer.scores).all():
                    return answer
            else:
                values = unpack(reply, start)
                total = sum(values)
                if total - total == 0.0:  # neither an infinity nor NaN is among them
                    answer = Answer([values.index(max(values))], reply, start, dtype, shape, servable)
                    if n_bytes <= _MOST_KEPT_BYTES and len(self._answers) < _MOST_ANSWERS:
                        self._answers[reply] = answer
                    return answer
            break
        scores, servable = decode_answer(reply, self._output_name, self._n_images)
        servable = self._told_apart(servable)
        self._remember(reply, scores, servable)
        return Answer.of(scores, servable)

    def _told_apart(self, servable: Servable) -> Servable:
        if servable not in self._servables:
            if len(self._servables) == MOST_TOLD_APART:
                return FURTHER
            self._servables.add(servable)
        return servable

    def _remember(self, reply: bytes, scores: NDArray[Any], servable: Servable) -> None:
        values = scores.tobytes()
        start = reply.find(values)
        if start < 0 or reply.find(values, start + 1) >= 0:
            return  # not packed in one piece, or in two places: no telling which
        is_short = scores.size <= _SHORT and self._n_images == 1
        template = _Template(
            length=len(reply),
            before=reply[:start],
            after=reply[start + len(values) :],
            start=start,
            dtype=scores.dtype,
            shape=(scores.shape[0], scores.shape[1]),
            unpack=struct.Struct(f"<{scores.size}{scores.dtype.char}").unpack_from if is_short else None,
            servable=servable,
        )
        self._templates = (template, *self._templates)[:_MOST_TEMPLATES]


def _values(tensor: Any, kind: Kind) -> NDArray[Any]:
    """Return the tensor's values, flat, from whichever form it uses.

    The real server answers in typed values, unless --enable_serialization_as_tensor_content is set. Fewer of them than
    elements, which `to_array` would fill up, are a broken reply.
    """
    content: bytes = tensor.tensor_content
    if content:
        if len(content) % kind.dtype.itemsize:
            raise ReplyError(f"tensor_content of {len(content)} bytes does not divide by its dtype")
        return np.frombuffer(content, kind.dtype)
    return np.array(getattr(tensor, kind.field), kind.dtype)
