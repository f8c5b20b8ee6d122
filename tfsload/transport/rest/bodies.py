"""Images as the bodies of `:predict` and `:classify`, row by row or column by column."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.asked import COLUMN, ROW, ModelAsked
from tfsload.transport.blank_images import blank_examples, blank_tensors
from tfsload.transport.call_spec import GIVEN, PREDICT, CallSpec, FurtherInput
from tfsload.transport.contract import Examples
from tfsload.transport.given_array import tensors_of
from tfsload.transport.given_input import tensor_of
from tfsload.transport.image_tensor import ImageTensor
from tfsload.transport.rest.json_text import array_text, dumps, text_value

_NO_VALUES = b"[]"


class BodyEncoder:
    """Encodes images for one way to call a model: what bodies have alike is made once.

    Attributes:
        format: `row` or `column`, as `format_of` has it.
    """

    def __init__(self, model: ModelAsked, spec: CallSpec, rest_format: str = ROW) -> None:
        """Get ready.

        Args:
            model: says how many images a full request has.
            spec: names the signature, its inputs and output.
            rest_format: `row` or `column`, where there is a choice.
        """
        self._model, self._spec = model, spec
        self.format = format_of(spec, model.images_per_request, rest_format)
        key = b"examples" if spec.method != PREDICT else b"instances" if self.format == ROW else b"inputs"
        self._before = b'{"signature_name":' + dumps(spec.signature_name) + b',"' + key + b'":'
        if spec.input.form != GIVEN:
            self._images = ImageTensor(spec.input)

    def encode(self, images: Examples) -> bytes:
        """Return a body.

        Args:
            images: as of `Transport.encode`.

        Raises:
            UnsendableError: an input's numbers cannot be sent over REST.
        """
        spec = self._spec
        if not isinstance(images, np.ndarray):
            n_sent = spec.input.batch or len(next(iter(images.values())))
            return self._predict(tensors_of(spec.given, images), n_sent)
        if spec.method != PREDICT:
            return self._classify(self._images.examples(images))
        n_sent = spec.input.batch or len(images)  # filled up with the last one, where there are fewer
        return self._predict({spec.input.name: self._images.of(images)}, n_sent)

    def blank(self) -> bytes:
        """Return a body of a run's size: of black images, or of none where what its texts are to hold is untold."""
        n = self._spec.input.batch or self._model.images_per_request
        if self._spec.method != PREDICT:
            return self._classify(blank_examples(self._spec, self._images, n))
        return self._predict(blank_tensors(self._spec, self._images, n), n)

    def _predict(self, tensors: Mapping[str, NDArray[Any]], n_images: int) -> bytes:
        per_request = self._model.images_per_request
        sent = {**tensors, **{one.name: tensor_of(one, n_images, per_request) for one in self._spec.further}}
        if len(sent) == 1:
            (only,) = sent.values()
            return self._before + array_text(only) + b"}"
        if self.format == COLUMN:
            return self._before + _object({name: array_text(one) for name, one in sent.items()}) + b"}"
        rows = [_object({name: array_text(_row(one, row)) for name, one in sent.items()}) for row in range(n_images)]
        return self._before + b"[" + b",".join(rows) + b"]}"

    def _classify(self, examples: list[Any]) -> bytes:
        return self._before + b"[" + b",".join(map(_example, examples)) + b"]}"


def format_of(spec: CallSpec, per_request: int, rest_format: str = ROW) -> str:
    """Return how bodies are written: rows only where the model's inputs and outputs have one for each image.

    TensorFlow Serving puts rows together to tensors with a dimension more, and takes outputs apart again into as many:
    what belongs to no image has no place in them.

    Args:
        spec: how the model is called.
        per_request: images of a full request.
        rest_format: what was asked for.
    """
    has_rows = all(one.has_batch for one in spec.given) if spec.given else spec.input.has_batch
    n = spec.input.batch or per_request
    if rest_format == COLUMN or spec.whole or not has_rows:
        return COLUMN
    return ROW if all(_has_rows(one, n, spec.input.batch is not None) for one in spec.further) else COLUMN


def _has_rows(further: FurtherInput, n: int, is_fixed: bool) -> bool:
    """Whether another input is sent a value for each of `n` images, and of fewer in a smaller last request."""
    shape, described = tensor_of(further, n, n).shape, further.described
    return shape[:1] == (n,) and (is_fixed or (described is not None and described[0] < 0))


def _row(array: NDArray[Any], row: int) -> NDArray[Any]:
    return array[row : row + 1].reshape(array.shape[1:])


def _object(texts: Mapping[str, bytes]) -> bytes:
    return b"{" + b",".join([dumps(name) + b":" + text for name, text in texts.items()]) + b"}"


def _example(example: Any) -> bytes:
    """Return a tf.Example as the object of its features."""
    return _object({name: _feature(feature) for name, feature in example.features.feature.items()})


def _feature(feature: Any) -> bytes:
    kind = feature.WhichOneof("kind")
    if kind == "float_list":
        # With a point in each: a whole number without one would become an int64_list.
        return array_text(np.array(feature.float_list.value, np.float32))
    if kind == "int64_list":
        return dumps(list(feature.int64_list.value))
    return dumps([text_value(one) for one in feature.bytes_list.value]) if kind == "bytes_list" else _NO_VALUES
