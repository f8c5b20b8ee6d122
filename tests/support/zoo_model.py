"""What a SavedModel of the zoo takes and gives, and its requests made from images. Needs no TensorFlow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.zoo_inputs import example, example_int64, example_png, example_raw, png, web_safe
from tfsload.datasets.dataset import load
from tfsload.transport.protos import types_pb2
from tfsload.transport.tensors import kind_of

PREDICT = "tensorflow/serving/predict"
CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
DEFAULT = "serving_default"
VERSION = 1
ENCODINGS = {
    "png": png,
    "base64": web_safe,
    "example": example,
    "example_png": example_png,
    "example_raw": example_raw,
    "example_int64": example_int64,
}
# As the models write them that answer in words.
WORDS = (b"zero", b"one", b"two", b"three", b"four", b"five", b"six", b"seven", b"eight", b"nine")

Images = NDArray[np.uint8]


def sample(n_images: int = 8) -> tuple[Images, NDArray[np.uint8]]:
    """The first shipped images, uint8 (n, 28, 28), and their labels, uint8 (n,): what `expected` answers."""
    dataset = load("mnist5k")
    return dataset.images[:n_images], dataset.labels[:n_images]


@dataclass(frozen=True, kw_only=True)
class ZooModel:
    """A signature of a SavedModel that tells digits.

    Attributes:
        name: its own; also the directory's and the model's, unless `model_name` says another.
        about: who has such a model.
        signature: the one that is meant; `serving_default` need not be asked for.
        method: the signature's method_name.
        input: alias of the input that takes images.
        dtype, shape: of that input, as the signature declares them; -1: any size, None: any rank.
        ink: the number for a pixel of 255.
        paper: the number for a pixel of 0.
        encoding: how an image is written where it is a string, a key of `ENCODINGS`; empty: as numbers.
        required: further inputs that a request must have, alias → value.
        defaults: further inputs that have a default in the signature, alias → that default.
        output: alias of the output that tells the class.
        gives: what that output holds: `probabilities`, `logits`, `class ids` (the first of an image is its class), or
            `labels` (strings).
        outputs: aliases of all outputs of the signature.
        images_per_request: how many images one request must have; None: any number.
        signatures: all signatures of the SavedModel, name → method_name.
    """

    name: str
    about: str
    model_name: str = ""
    signature: str = DEFAULT
    method: str = PREDICT
    input: str = "images"
    dtype: str = "DT_FLOAT"
    shape: tuple[int, ...] | None = (-1, 784)
    ink: int = 1
    paper: int = 0
    encoding: str = ""
    required: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    output: str = "scores"
    gives: str = "probabilities"
    outputs: tuple[str, ...] = ("scores",)
    images_per_request: int | None = None
    signatures: Mapping[str, str] = field(default_factory=lambda: {DEFAULT: PREDICT})

    @property
    def served_as(self) -> str:
        """The model's name for a server, and its directory's."""
        return self.model_name or self.name

    def base_path(self, directory: Path) -> Path:
        """What a server is given as --model_base_path."""
        return directory / self.served_as

    def value(self, images: Images) -> NDArray[Any]:
        """The tensor of the image input for images, uint8 (n, 28, 28)."""
        if self.encoding:
            encode = ENCODINGS[self.encoding]
            strings = np.empty(len(images), object)
            strings[:] = [encode(image) for image in images]
            return strings if self.shape != () else strings.reshape(())
        values = _fitted(images, self.shape or (-1, 784))
        kind = kind_of(types_pb2.DataType.Value(self.dtype))
        assert kind is not None
        if self.dtype == "DT_BOOL":
            return values > 127
        scaled = values.astype(np.float32) / np.float32(255) if self.ink == 1 else values + np.int16(self.paper)
        return scaled.astype(kind.dtype)

    def requests(self, images: Images) -> list[dict[str, NDArray[Any]]]:
        """Images as requests, in order: each what the inputs without a default get, alias → tensor."""
        step = self.images_per_request or len(images)
        return [
            {self.input: self.value(images[i : i + step]), **{k: np.asarray(v) for k, v in self.required.items()}}
            for i in range(0, len(images), step)
        ]

    def classes(self, answer: NDArray[Any]) -> list[int]:
        """The class of each image of a request, from the tensor of `output`."""
        if self.gives == "labels":
            best = answer if answer.ndim == 1 else answer[:, 0]
            return [WORDS.index(word) if word in WORDS else int(re.findall(rb"\d+", word)[0]) for word in best.tolist()]
        if self.gives == "class ids":
            best = answer if answer.ndim <= 1 else answer[:, 0]
            return [int(number) for number in best.reshape(-1)]
        rows = answer.T if self.shape == (784, -1) else answer.reshape(-1, answer.shape[-1])
        return [int(number) for number in rows.astype(np.float64).argmax(axis=1)]


def _fitted(images: Images, shape: tuple[int, ...]) -> NDArray[Any]:
    """Images, uint8 (n, 28, 28), in the shape of an input."""
    if 32 in shape:
        images = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    if shape[-1] == 3:
        images = np.repeat(images[..., None], 3, axis=3)
    if shape == (784, -1):
        return images.reshape(-1, 784).T
    return images.reshape([28 if size == -1 and axis else size for axis, size in enumerate(shape)])
