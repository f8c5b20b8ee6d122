"""Models of the zoo that Keras 3 exports."""

import keras
import numpy as np

from tests.support.zoo_base import B, W, built


def _dense(name: str, activation: str | None) -> keras.layers.Layer:
    return keras.layers.Dense(10, activation, name=name)


@built("keras_export")
def _(path: str) -> None:
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), _dense("scores", "softmax")])
    model.get_layer("scores").set_weights([W, B])
    model.export(path, verbose=False)


@built("keras_tutorial")
def _(path: str) -> None:
    image = keras.Input((28, 28, 1), name="Conv1_input")
    seen = keras.layers.Conv2D(1, 1, name="Conv1")
    model = keras.Sequential([image, seen, keras.layers.Flatten(), _dense("Dense", None)])
    seen.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    model.get_layer("Dense").set_weights([W, B])
    model.export(path, verbose=False)


@built("keras_two_outputs")
def _(path: str) -> None:
    image = keras.Input((28, 28, 1), name="image")
    digit = _dense("digit", "softmax")
    even = keras.layers.Dense(1, "sigmoid", name="is_even")
    flat = keras.layers.Flatten()(image)
    model = keras.Model(image, {"digit": digit(flat), "is_even": even(flat)})
    digit.set_weights([W, B])
    even.set_weights([W[:, ::2].sum(axis=1, keepdims=True), B[::2].sum(keepdims=True)])
    model.export(path, verbose=False)


@built("keras_ensemble")
def _(path: str) -> None:
    image = keras.Input((28, 28, 1), name="image")
    heads = [_dense(name, "softmax") for name in ("main", "auxiliary_1", "auxiliary_2")]
    flat = keras.layers.Flatten()(image)
    model = keras.Model(image, [head(flat) for head in heads])
    # What is on the way to the end knows less: one is never sure, and one takes most for a 1.
    for head, sharpness, ones in zip(heads, (1, 0.1, 0.1), (0, 0, 3), strict=True):
        head.set_weights([W * sharpness, B * sharpness + ones * np.eye(10)[1]])
    model.export(path, verbose=False)


@built("autoencoder")
def _(path: str) -> None:
    image = keras.Input((28, 28, 1), name="image")
    flat = keras.layers.Flatten()(image)
    digit, latent = _dense("digit", "softmax"), keras.layers.Dense(16, name="latent")
    between = latent(flat)
    again = keras.layers.Reshape((28, 28, 1), name="reconstruction")(keras.layers.Dense(784, "sigmoid")(between))
    model = keras.Model(image, {"digit": digit(flat), "latent": between, "reconstruction": again})
    digit.set_weights([W, B])
    model.export(path, verbose=False)
