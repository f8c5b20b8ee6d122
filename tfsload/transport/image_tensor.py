"""Images as the tensor that a model's input takes. Pure."""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.transport import protos
from tfsload.transport.call_spec import BASE64, BYTES, EXAMPLE, FILE, PIXELS, PNG, TEXT, InputSpec
from tfsload.transport.given_input import tensor_of
from tfsload.transport.image_layout import bordered, laid_out
from tfsload.transport.pixel_scale import PixelScale
from tfsload.transport.png import png
from tfsload.transport.tensors import kind_named

# What an example's feature may hold, by the word that TensorFlow has for it.
FEATURE_LISTS = {"DT_FLOAT": "float_list", "DT_INT64": "int64_list", TEXT: "bytes_list"}
# An image, uint8 (rows, columns), as a file; base64 as tf.io.decode_base64 reads it, with or without padding.
_WRITERS: dict[str, Callable[[NDArray[np.uint8]], bytes]] = {
    PNG: png,
    BASE64: lambda image: base64.urlsafe_b64encode(png(image)),
    BYTES: lambda image: image.tobytes(),
}


class ImageTensor:
    """Makes tensors of images, for one input."""

    def __init__(self, spec: InputSpec) -> None:
        """Get ready for an input."""
        self._spec = spec
        dtype = spec.feature_dtype if spec.form == EXAMPLE else spec.dtype
        kind = kind_named(dtype)
        self._table = None
        if kind is not None and kind.dtype != object:
            self._table = PixelScale.parse(spec.scale).table(kind.dtype)
        forms: dict[str, Callable[[NDArray[np.uint8]], NDArray[Any]]] = {
            PIXELS: self._pixels,
            FILE: lambda images: _texts(map(_WRITERS[spec.file], images)),
            EXAMPLE: lambda images: _texts(one.SerializeToString() for one in self.examples(images)),
        }
        self._form = forms[spec.form]

    def of(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        """Return what the images of a request are sent as.

        Args:
            images: uint8 (n, rows, columns). Where the model takes more at once, and no fewer, the last is repeated.
        """
        spec = self._spec
        images = self._filled(images)
        tensor = self._form(images)
        return tensor.reshape(len(images), *spec.shape) if spec.has_batch else tensor.reshape(spec.shape)

    def examples(self, images: NDArray[np.uint8]) -> list[Any]:
        """Return each image, of uint8 (n, rows, columns), as a tf.Example: its pixels, or the bytes of a file.

        Filled up as those of `of`.
        """
        spec = self._spec
        made = []
        for image in self._filled(images):
            values = [_WRITERS[spec.file](image)] if self._table is None else self._table[image].ravel().tolist()
            example = example_of(spec)
            getattr(example.features.feature[spec.feature], FEATURE_LISTS[spec.feature_dtype]).value.extend(values)
            made.append(example)
        return made

    def _filled(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        missing = (self._spec.batch or 0) - len(images)
        return np.concatenate([images, np.repeat(images[-1:], missing, axis=0)]) if missing > 0 else images

    def _pixels(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        assert self._table is not None  # as the preflight has seen
        return laid_out(self._table[bordered(images, self._spec.border)], self._spec.shape)


def example_of(spec: InputSpec) -> Any:
    """Return a tf.Example with all that such an input wants in it, but for the image."""
    example = protos.example_pb2.Example()
    for one in spec.features:
        values = tensor_of(one, 1).ravel().tolist()
        getattr(example.features.feature[one.name], FEATURE_LISTS[one.dtype]).value.extend(values)
    return example


def _texts(texts: Any) -> NDArray[Any]:
    made = list(texts)
    array: NDArray[Any] = np.empty(len(made), object)
    array[:] = made
    return array
