"""From a trained network to a SavedModel that holds inference and nothing else.

The graph is written anew with plain operations: weights are constants, batch normalisation is folded into
the convolutions before it, and there are no function calls and no variables, so that a server has nothing to
restore, and its Session nothing to look up.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from models.training.network import STRIDE
from tfsload.datasets.dataset import IMAGE_SHAPE, MNIST_PIXELS, Dataset

SIGNATURE = "predict_images"
INPUT = "images"
OUTPUT = "scores"

Layer = tuple[np.ndarray, np.ndarray]
"""Kernel and bias, float32."""
Layers = list[Layer]

_TOLERANCE = 1e-4
_BATCH_IMAGES = 500


class ExportError(RuntimeError):
    """The exported graph does not compute what the trained network computes."""


def save(network: tf.keras.Model, directory: Path, *, sample: np.ndarray, replace: bool = False) -> None:
    """Write the network as a SavedModel to `directory` (a version directory such as models/mnist/1).

    Signatures `predict_images` and `serving_default`: `images` float32 (n, 784) in 0..1 → `scores` float32
    (n, 10), each row a softmax. `sample`: uint8 (n, 28, 28), images for which graph and network must agree.
    The directory appears whole or not at all, so that a running server never loads half of it; an existing
    one is kept unless `replace`.
    Raises FileExistsError, and ExportError if the two disagree.
    """
    if directory.exists() and not replace:
        raise FileExistsError(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with _scratch_directory(directory.parent) as scratch:
        _write(network, scratch / "new")
        _check_same(network, scratch / "new", sample)
        if directory.exists():
            directory.rename(scratch / "old")
        (scratch / "new").rename(directory)


def predict(directory: Path, images: np.ndarray) -> np.ndarray:
    """Return the scores, float32 (n, 10), that the SavedModel gives uint8 `images` (n, 28, 28).

    It is loaded as TensorFlow Serving does it: a graph with the tag "serve" in a Session.
    """
    v1 = tf.compat.v1
    pixels = images.reshape(-1, MNIST_PIXELS).astype(np.float32) / 255
    with tf.Graph().as_default(), v1.Session() as session:
        signature = v1.saved_model.load(session, ["serve"], str(directory)).signature_def[SIGNATURE]
        feed, fetch = signature.inputs[INPUT].name, signature.outputs[OUTPUT].name
        batches = (pixels[start : start + _BATCH_IMAGES] for start in range(0, len(pixels), _BATCH_IMAGES))
        return np.concatenate([session.run(fetch, {feed: batch}) for batch in batches])


def error_rate(directory: Path, dataset: Dataset) -> float:
    """Return the share, 0 to 1, of a data set's images that the SavedModel gets wrong."""
    return float(np.mean(predict(directory, dataset.images).argmax(axis=1) != dataset.labels))


def parameter_count(network: tf.keras.Model) -> int:
    """Return how many weights the exported graph of a network holds."""
    convolutions, dense = _weights(network)
    return sum(kernel.size + bias.size for kernel, bias in convolutions + dense)


def size_bytes(directory: Path) -> int:
    """Return the size of all files in a version directory, in bytes."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


@contextlib.contextmanager
def _scratch_directory(parent: Path) -> Iterator[Path]:
    """Yield a directory beside the target: a rename within one file system is atomic."""
    # A server takes only numbers for versions, and passes this name over.
    scratch = Path(tempfile.mkdtemp(prefix=".export-", dir=parent))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(network: tf.keras.Model, directory: Path) -> None:
    v1 = tf.compat.v1
    convolutions, dense = _weights(network)
    with tf.Graph().as_default(), v1.Session() as session:
        images = v1.placeholder(tf.float32, [None, MNIST_PIXELS], name=INPUT)
        scores = tf.nn.softmax(_logits(images, convolutions, dense), name=OUTPUT)
        signature = v1.saved_model.predict_signature_def({INPUT: images}, {OUTPUT: scores})
        builder = v1.saved_model.Builder(os.fspath(directory))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {SIGNATURE: signature, "serving_default": signature},
            strip_default_attrs=True,  # so that a somewhat older server still reads it
        )
        builder.save()
    # Always empty here, and version control would lose it: better never there.
    (directory / "variables").rmdir()


def _logits(images: tf.Tensor, convolutions: Layers, dense: Layers) -> tf.Tensor:
    """Write the layers into the current graph, behind `images` (n, 784)."""
    tensor = tf.reshape(images, [-1, *IMAGE_SHAPE, 1])
    for kernel, bias in convolutions:
        tensor = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(tensor, kernel, STRIDE, "SAME"), bias))
    tensor = tf.reshape(tensor, [-1, len(dense[0][0])])
    for index, (kernel, bias) in enumerate(dense):
        tensor = tf.nn.bias_add(tf.matmul(tensor, kernel), bias)
        if index < len(dense) - 1:
            tensor = tf.nn.relu(tensor)
    return tensor


def _weights(network: tf.keras.Model) -> tuple[Layers, Layers]:
    """Return (kernel, bias) of each convolution, normalisation folded in, and of each dense layer."""
    layers = tf.keras.layers
    convolutions, dense = [], []
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D):
            kernel = layer.kernel.numpy()
        elif isinstance(layer, layers.BatchNormalization):
            convolutions.append(_folded(kernel, layer))
        elif isinstance(layer, layers.Dense):
            dense.append((layer.kernel.numpy(), layer.bias.numpy()))
    return convolutions, dense


def _folded(kernel: np.ndarray, normalisation: tf.keras.layers.BatchNormalization) -> Layer:
    """Return (kernel, bias) of one convolution that does what convolution and normalisation did."""
    gamma, beta, mean, variance = normalisation.get_weights()
    scale = gamma / np.sqrt(variance + normalisation.epsilon)
    return (kernel * scale).astype(np.float32), (beta - mean * scale).astype(np.float32)


def _check_same(network: tf.keras.Model, directory: Path, images: np.ndarray) -> None:
    exported = predict(directory, images)
    trained = tf.nn.softmax(network(images[..., None].astype(np.float32) / 255, training=False)).numpy()
    difference = float(np.abs(exported - trained).max())
    if not difference <= _TOLERANCE:
        raise ExportError(
            f"{directory}: expected exported scores within {_TOLERANCE} of the trained network's, found a "
            f"difference of {difference}; network and export no longer describe the same layers"
        )
