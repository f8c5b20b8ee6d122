"""SavedModels as people build them, each with what it takes and gives: what a client must find out by itself.

    build(directory)                          # all of them, in one process of TensorFlow
    model = ZOO["png_bytes"]
    model.base_path(directory)                # what a server is given
    for sent, want in zip(model.requests(IMAGES), expected(directory, model), strict=True): ...

Needs no TensorFlow; `tests/support/zoo_builders.py` does, in a process of its own. All models recognise digits with the
same weights (88 of 100 shipped images as labelled), but for rounding: what differs is how they are asked.
"""

import functools
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.modelserver_fixtures import run
from tests.support.zoo_inputs import example, png
from tfsload.datasets.dataset import load
from tfsload.transport.protos import types_pb2
from tfsload.transport.tensors import kind_of

PREDICT = "tensorflow/serving/predict"
CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
DEFAULT = "serving_default"
VERSION = 1
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
        ink: the number for a pixel of 255; a pixel of 0 is 0.
        encoding: how an image is written where it is a string: `png` or `example`; empty: as numbers.
        required: further inputs that a request must have, alias → value.
        defaults: further inputs that have a default in the signature, alias → that default.
        output: alias of the output that tells the class.
        gives: what that output holds: `probabilities`, `logits`, `class ids`, or `labels` (strings).
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
            encode = {"png": png, "example": example}[self.encoding]
            strings = np.empty(len(images), object)
            strings[:] = [encode(image) for image in images]
            return strings if self.shape != () else strings.reshape(())
        values = _fitted(images, self.shape or (-1, 784))
        kind = kind_of(types_pb2.DataType.Value(self.dtype))
        assert kind is not None
        if self.dtype == "DT_BOOL":
            return values > 127
        scaled = values.astype(np.float32) / np.float32(255) if self.ink == 1 else values
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
            return [WORDS.index(word) if word in WORDS else int(word) for word in best.tolist()]
        if self.gives == "class ids":
            return [int(number) for number in answer.reshape(-1)]
        return [int(number) for number in answer.reshape(-1, 10).astype(np.float64).argmax(axis=1)]


def _fitted(images: Images, shape: tuple[int, ...]) -> NDArray[Any]:
    """Images, uint8 (n, 28, 28), in the shape of an input."""
    if 32 in shape:
        images = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    if shape[-1] == 3:
        images = np.repeat(images[..., None], 3, axis=3)
    return images.reshape(shape)


def build(directory: Path, names: Iterable[str] = ()) -> None:
    """Write the SavedModels, each as version 1 of a directory in `directory`, and TensorFlow's own answers beside them.

    Args:
        directory: an existing one.
        names: keys of `ZOO`; none: all.
    """
    code, _, said = run([sys.executable, "-m", "tests.support.zoo_builders", str(directory), *names])
    assert code == 0, said


def expected(directory: Path, model: ZooModel) -> list[dict[str, NDArray[Any]]]:
    """TensorFlow's own answers to `model.requests(sample()[0])`: for each request, output alias → tensor.

    Computed by `build` from the SavedModel, as a function of TensorFlow 2; no server took part. What was bfloat16 is
    float32 of the same value.
    """
    with np.load(directory / f"{model.name}.npz", allow_pickle=True) as found:
        n_requests = 1 + max(int(key.partition("/")[0]) for key in found)
        return [{alias: found[f"{i}/{alias}"] for alias in model.outputs} for i in range(n_requests)]


_TUTORIAL = {DEFAULT: CLASSIFY, "predict_images": PREDICT}
_ESTIMATOR = {DEFAULT: CLASSIFY, "classification": CLASSIFY, "regression": REGRESS, "predict": PREDICT}
_CLASSIFIED = {"method": CLASSIFY, "input": "inputs", "dtype": "DT_STRING", "shape": (-1,), "encoding": "example"}
_CLASSIFIED |= {"output": "classes", "gives": "labels", "outputs": ("classes", "scores")}
_KERAS = {DEFAULT: PREDICT, "serve": PREDICT}
_one = functools.partial(ZooModel, images_per_request=1)

_ALL = [
    # Keras 3, model.export
    ZooModel(
        name="keras_export",
        about="Keras 3's model.export",
        input="keras_tensor",
        shape=(-1, 28, 28),
        output="output_0",
        outputs=("output_0",),
        signatures=_KERAS,
    ),
    ZooModel(
        name="keras_tutorial",
        about="TF Serving's Keras tutorial: a convolution, logits",
        input="Conv1_input",
        shape=(-1, 28, 28, 1),
        output="output_0",
        gives="logits",
        outputs=("output_0",),
        signatures=_KERAS,
    ),
    ZooModel(
        name="keras_two_outputs",
        about="a functional Keras model with two heads",
        input="image",
        shape=(-1, 28, 28, 1),
        output="digit",
        outputs=("digit", "is_even"),
        signatures=_KERAS,
    ),
    # TF1
    ZooModel(
        name="tutorial",
        about="TF Serving's mnist_saved_model.py; its placeholder has no shape, so that nothing behind it has one",
        signature="predict_images",
        shape=None,
        signatures=_TUTORIAL,
    ),
    ZooModel(
        name="tutorial_classify",
        about="the same, by its classify signature",
        model_name="tutorial",
        signatures=_TUTORIAL,
        **(_CLASSIFIED | {"shape": None}),
    ),
    ZooModel(
        name="estimator",
        about="an Estimator's four signatures",
        signature="predict",
        dtype="DT_STRING",
        shape=(-1,),
        encoding="example",
        input="examples",
        output="probabilities",
        outputs=("class_ids", "classes", "logits", "probabilities"),
        signatures=_ESTIMATOR,
    ),
    ZooModel(
        name="estimator_classify",
        about="the same, by its classify signature: classes in their own order",
        model_name="estimator",
        signatures=_ESTIMATOR,
        **(_CLASSIFIED | {"output": "scores", "gives": "probabilities"}),
    ),
    ZooModel(
        name="tf1_defaults",
        about="TF1, with defaults for what only training changes",
        defaults={"keep_prob": np.float32(1), "is_training": np.bool_(False)},
    ),
    ZooModel(
        name="tf1_required",
        about="TF1, with an input that each request must give",
        required={"keep_prob": np.float32(1)},
    ),
    ZooModel(name="tf1_unknown_rank", about="TF1, a placeholder without a shape", shape=None),
    # TF2: tf.saved_model.save of a tf.Module, or of what was a Keras 2 model
    ZooModel(name="tf2_defaults", about="TF2, an argument with a default", defaults={"temperature": np.float32(1)}),
    ZooModel(
        name="named_signatures",
        about="TF2, no serving_default",
        signature="classify_digit",
        signatures={"classify_digit": PREDICT, "embed": PREDICT},
    ),
    ZooModel(name="two_outputs", about="TF2, the class and all scores", outputs=("class_id", "scores")),
    ZooModel(
        name="png_bytes",
        about="PNG files, decoded in the graph",
        input="image_bytes",
        dtype="DT_STRING",
        shape=(-1,),
        encoding="png",
    ),
    _one(
        name="png_one", about="one PNG file a request", input="image_bytes", dtype="DT_STRING", shape=(), encoding="png"
    ),
    ZooModel(
        name="examples",
        about="serialized tf.Example",
        input="examples",
        dtype="DT_STRING",
        shape=(-1,),
        encoding="example",
    ),
    ZooModel(name="fixed_batch", about="compiled for four images", shape=(4, 784), images_per_request=4),
    _one(name="batch_of_one", about="compiled for one image", shape=(1, 28, 28, 1)),
    _one(name="no_batch", about="one image, without a dimension for more", shape=(28, 28)),
    ZooModel(name="channels_first", about="converted from PyTorch", shape=(-1, 1, 28, 28), gives="logits"),
    ZooModel(name="lenet", about="LeNet-5's images of 32 by 32", shape=(-1, 32, 32, 1)),
    ZooModel(name="rgb", about="transfer learning on colour images", shape=(-1, 28, 28, 3)),
    ZooModel(name="raw_float", about="float pixels from 0 to 255, scaled in the graph", shape=(-1, 28, 28), ink=255),
    ZooModel(name="uint8", about="pixels as they are", shape=(-1, 28, 28), dtype="DT_UINT8", ink=255),
    ZooModel(name="int32", about="pixels as Python's integers", dtype="DT_INT32", ink=255),
    ZooModel(name="int64", about="pixels as numpy's integers", dtype="DT_INT64", ink=255),
    ZooModel(name="bool", about="ink or no ink", dtype="DT_BOOL"),
    ZooModel(name="half", about="mixed precision: half in and out", dtype="DT_HALF"),
    ZooModel(name="bfloat16", about="mixed precision: bfloat16 in and out", dtype="DT_BFLOAT16"),
    ZooModel(name="double", about="numpy's own floats", dtype="DT_DOUBLE"),
    ZooModel(
        name="class_ids", about="argmax in the graph", output="class_id", gives="class ids", outputs=("class_id",)
    ),
    ZooModel(
        name="class_ids_column",
        about="argmax in the graph, kept as a column",
        output="class_id",
        gives="class ids",
        outputs=("class_id",),
    ),
    ZooModel(name="labels", about="names of classes", output="label", gives="labels", outputs=("label",)),
    ZooModel(
        name="labels_file",
        about="names of classes from a file, an asset of the SavedModel",
        output="label",
        gives="labels",
        outputs=("label",),
    ),
    _one(name="squeezed", about="tf.squeeze at the end: no batch where there is one image"),
    ZooModel(name="logits", about="no softmax", output="logits", gives="logits", outputs=("logits",)),
    ZooModel(
        name="masked_logits",
        about="all but the three best classes score -inf",
        output="logits",
        gives="logits",
        outputs=("logits",),
    ),
]

ZOO: dict[str, ZooModel] = {model.name: model for model in _ALL}
"""By name."""
