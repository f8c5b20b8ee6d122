"""What all builders of the zoo share: weights, what is made of pixels, how functions are saved. Imports TensorFlow."""

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from tests.support.model_zoo import ZOO
from tfsload.datasets.dataset import load

Build = Callable[[str], None]
BUILDERS: dict[str, Build] = {}
FEATURES = {"x": tf.io.FixedLenFeature([784], tf.float32)}


def built(name: str) -> Callable[[Build], Build]:
    """Register what builds a model, by the name it is served as; called with the directory to write."""

    def register(build: Build) -> Build:
        BUILDERS[name] = build
        return build

    return register


def weights() -> tuple[np.ndarray, np.ndarray]:
    """W, (784, 10), and b, (10,), float32: ridge regression on the images to train on."""
    dataset = load("mnist5k", "train")
    x = dataset.images.reshape(-1, 784) / 255
    mean = x.mean(axis=0)
    wanted = np.eye(10)[dataset.labels] - 0.1
    w = np.linalg.solve((x - mean).T @ (x - mean) + 100 * np.eye(784), (x - mean).T @ wanted)
    # Times 8: the scores of a digit are then well apart, as a trained network's are.
    return (8 * w).astype("float32"), (-8 * mean @ w).astype("float32")


W, B = weights()


def logits(x: Any) -> Any:
    """Rows of pixels from 0 to 1, in any shape of 784 elements a row → logits (n, 10), in the precision of x."""
    x = tf.reshape(x, [-1, 784])
    return tf.matmul(x, tf.cast(W, x.dtype)) + tf.cast(B, x.dtype)


def scores(x: Any) -> Any:
    """The same → probabilities (n, 10)."""
    return tf.nn.softmax(logits(x))


def module(path: str, *specs: tf.TensorSpec, signature: str = "serving_default", **functions: Callable) -> None:
    """Save functions as a tf.Module: `answer` as the signature, others by their names."""
    saved = tf.Module()
    signatures = {}
    for name, function in functions.items():
        traced = tf.function(function, input_signature=specs)
        setattr(saved, name, traced)
        signatures[signature if name == "answer" else name] = traced
    tf.saved_model.save(saved, path, signatures=signatures)


def spec(name: str, dtype: Any = None) -> tf.TensorSpec:
    """The image input of a model of the zoo."""
    model = ZOO[name]
    return tf.TensorSpec(
        [None if size == -1 else size for size in model.shape],
        dtype or tf.dtypes.as_dtype(model.dtype.removeprefix("DT_").lower()),
        name=model.input,
    )
