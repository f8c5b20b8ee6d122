"""Images and scores ↔ the bytes of `PredictRequest` and `PredictResponse`."""

import math
import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfsload.transport import protos
from tfsload.transport.answer import Answer, ReplyError, are_scores
from tfsload.transport.asked import ModelAsked
from tfsload.transport.blank_images import blank_examples, blank_tensors
from tfsload.transport.call_spec import GIVEN, PREDICT, SCORE_DTYPES, CallSpec
from tfsload.transport.contract import Examples
from tfsload.transport.given_array import tensors_of
from tfsload.transport.given_input import tensor_of
from tfsload.transport.image_tensor import ImageTensor
from tfsload.transport.kept_answers import MOST_KEPT_BYTES, KeptAnswers
from tfsload.transport.protos import predict_pb2
from tfsload.transport.score_rows import score_rows
from tfsload.transport.servable import FURTHER, MOST_TOLD_APART, Servable
from tfsload.transport.tensors import Kind, fill_proto, kind_of, name_of

_LOWEST = -math.inf
# Up to so many scores of one image are read faster without numpy.
_SHORT = 64
# Numbers that `struct` knows.
_UNPACKED = "edf"
# So many kinds of reply are known by sight: versions behind one address, as a rule.
_MOST_TEMPLATES = 8
# So many answers are kept for when the same bytes come again, to replies of at most so many bytes: a megabyte, mostly.
_MOST_ANSWERS = 2_048
# To look for an answer in vain takes a fifth of what is saved where it is there.
_WORTH_PERCENT = 16


class RequestEncoder:
    """Encodes images for one way to call a model: what requests have alike is made once."""

    def __init__(self, model: ModelAsked, spec: CallSpec) -> None:
        """Get ready.

        Args:
            model: names it, its version or label.
            spec: names the signature, its inputs and output.
        """
        self._model = model
        self._spec = spec
        if spec.input.form != GIVEN:
            self._images = ImageTensor(spec.input)

    def encode(self, images: Examples) -> bytes:
        """Return a PredictRequest, or a ClassificationRequest, serialised.

        Args:
            images: as of `Transport.encode`.
        """
        if not isinstance(images, np.ndarray):
            tensors = tensors_of(self._spec.given, images)
            n_sent = self._spec.input.batch or len(next(iter(images.values())))
            message: bytes = self._predict(tensors, n_sent).SerializeToString()
        elif self._spec.method == PREDICT:
            n_sent = self._spec.input.batch or len(images)  # filled up with the last one, where there are fewer
            message = self._predict({self._spec.input.name: self._images.of(images)}, n_sent).SerializeToString()
        else:
            message = self._classify(self._images.examples(images)).SerializeToString()
        return message

    def blank(self) -> Any:
        """Return a request of a run's size: of black images, or of none where what its texts are to hold is untold."""
        n = self._spec.input.batch or self._model.images_per_request
        if self._spec.method != PREDICT:
            return self._classify(blank_examples(self._spec, self._images, n))
        return self._predict(blank_tensors(self._spec, self._images, n), n)

    def _predict(self, tensors: Mapping[str, NDArray[Any]], n_images: int) -> Any:
        spec, request = self._spec, predict_pb2.PredictRequest()
        self._name(request.model_spec)
        for name, tensor in tensors.items():
            fill_proto(request.inputs[name], tensor, as_content=True)
        for further in spec.further:
            value = tensor_of(further, n_images, self._model.images_per_request)
            fill_proto(request.inputs[further.name], value, as_content=True)
        told = [one for one in (spec.output.name, spec.output.scored_by) if one]
        request.output_filter.extend(told if spec.asks_for is None else spec.asks_for)
        return request

    def _classify(self, examples: list[Any]) -> Any:
        request = protos.classification_pb2.ClassificationRequest()
        self._name(request.model_spec)
        request.input.example_list.examples.extend(examples)
        return request

    def _name(self, spec: Any) -> None:
        fill_model_spec(spec, self._model)
        spec.signature_name = self._spec.signature_name


def fill_model_spec(spec: Any, model: ModelAsked) -> None:
    """Say in a message's `ModelSpec` which model is meant."""
    spec.name = model.name
    if model.version is not None:
        spec.version.value = model.version
    if model.label:
        spec.version_label = model.label


def decode_tensor(reply: bytes, output_name: str) -> tuple[Any, Servable]:
    """Return the one output that `decode_tensors` does, and which model it names."""
    (tensor,), servable = decode_tensors(reply, output_name)
    return tensor, servable


def decode_tensors(reply: bytes, *output_names: str) -> tuple[list[Any], Servable]:
    """Return outputs of a PredictResponse's bytes, as TensorProtos, and which model it names.

    Raises:
        ReplyError: unparsable bytes, or no such output.
    """
    try:
        message = predict_pb2.PredictResponse.FromString(reply)
    except Exception as error:  # protobuf's DecodeError is not the same class in all its implementations
        raise ReplyError(f"not a PredictResponse: {error}") from None
    outputs = message.outputs
    for name in output_names:
        if name not in outputs:
            raise ReplyError(f"no output {name!r} in the reply; it has {sorted(outputs) or 'none'}")
    return [outputs[name] for name in output_names], Servable.of(message.model_spec)


def decode_answer(reply: bytes, output_name: str, n_images: int) -> tuple[NDArray[Any], Servable]:
    """Read the scores out of a PredictResponse's bytes, and which model it names.

    Args:
        reply: a serialised PredictResponse.
        output_name: which output holds the scores.
        n_images: how many images the request held.

    Returns:
        array (n_images, classes), as `are_scores` has it, and who answered.

    Raises:
        ReplyError: unparsable bytes, no such output, another dtype, shape or length, or what is no score.
    """
    tensor, servable = decode_tensor(reply, output_name)
    kind = kind_of(tensor.dtype)
    if kind is None or name_of(kind.number) not in SCORE_DTYPES:
        expected = f"{', '.join(SCORE_DTYPES[:-1])} or {SCORE_DTYPES[-1]}"
        raise ReplyError(f"output {output_name!r} is {name_of(tensor.dtype)}: expected {expected}")
    scores = values_of(tensor, kind)
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    return score_rows(scores, shape, n_images, output_name), servable


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
    scores the answer is kept, and is the same object when they come again. To be rid of it: set _MOST_ANSWERS to 0.
    """

    def __init__(self, output_name: str, n_images: int) -> None:
        """Read replies to requests of `n_images` images; the output's name as in `decode_answer`."""
        self._output_name = output_name
        self._n_images = n_images
        self._templates: tuple[_Template, ...] = ()  # the newest first
        self._servables: set[Servable] = set()
        self._kept: KeptAnswers[Answer] = KeptAnswers(_MOST_ANSWERS, _WORTH_PERCENT)

    def read(self, reply: bytes) -> Answer:
        """Return the answer in a reply; its scores are as `are_scores` has it.

        Raises:
            ReplyError: as `decode_answer`.
        """
        kept = self._kept
        answers = kept.by_reply
        if answers:  # else the bytes, which may be many, are not gone through
            known = answers.get(reply)
            if known is not None:
                kept.n_known += 1
                return known
        n_bytes = len(reply)
        for length, before, after, start, dtype, shape, unpack, servable in self._templates:
            if n_bytes != length or not reply.startswith(before) or not reply.endswith(after):
                continue
            if unpack is None:
                answer = Answer(None, reply, start, dtype, shape, servable)
                if are_scores(answer.values):
                    return answer
            else:
                values = unpack(reply, start)
                total = sum(values)
                # Neither an infinity nor NaN is among them; or -inf alone, and not for every class.
                if total - total == 0.0 or (total == _LOWEST and max(values) > total):
                    answer = Answer([values.index(max(values))], reply, start, dtype, shape, servable)
                    if n_bytes <= MOST_KEPT_BYTES and kept.room:  # as by `KeptAnswers.add`, which were a call more
                        if len(answers) < kept.room:
                            answers[reply] = answer
                        else:
                            kept.n_left -= 1
                            if not kept.n_left:
                                kept.look_whether_it_pays()
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
        if scores.dtype.kind in "iu":
            return  # a few bytes, which a name or a version may hold by chance
        values = scores.tobytes()
        start = reply.find(values)
        if start < 0 or reply.find(values, start + 1) >= 0:
            return  # not packed in one piece, or in two places: no telling which
        is_short = scores.size <= _SHORT and self._n_images == 1 and scores.dtype.char in _UNPACKED
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


def values_of(tensor: Any, kind: Kind) -> NDArray[Any]:
    """Return a TensorProto's numbers, flat, from whichever form it uses.

    The real server answers in typed values, unless --enable_serialization_as_tensor_content is set. Fewer of them than
    elements, which `to_array` would fill up, are a broken reply.

    Raises:
        ReplyError: they are none of its dtype.
    """
    content: bytes = tensor.tensor_content
    if content:
        if len(content) % kind.dtype.itemsize:
            raise ReplyError(f"tensor_content of {len(content)} bytes does not divide by its dtype")
        return np.frombuffer(content, kind.dtype)
    try:
        return np.array(getattr(tensor, kind.field), kind.stored).view(kind.dtype)
    except OverflowError as error:
        raise ReplyError(f"its values are none of its dtype: {error}") from None
