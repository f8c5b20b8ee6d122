"""Builds the models of `tests/support/model_zoo.py`; run as a process of its own, which imports TensorFlow.

    python -m tests.support.zoo_builders DIRECTORY [NAME...]

writes DIRECTORY/MODEL/1 and DIRECTORY/NAME.npz with TensorFlow's own answers, keys `REQUEST/ALIAS`.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from tests.support.model_zoo import PREDICT, VERSION, WORDS, ZOO, ZooModel, sample
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


# ---- Keras 3


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


# ---- TensorFlow 1


def tf1(path: str, graph: Callable[[Any], dict[str, Any]]) -> None:
    """Save what `graph` puts into a graph and names as signatures, as TF1's builder does it."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        signatures = graph(v1)
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(path)
        builder.add_meta_graph_and_variables(
            session, ["serve"], signature_def_map=signatures, main_op=v1.tables_initializer()
        )
        builder.save()


def tf1_weights(v1: Any) -> tuple[Any, Any]:
    """The weights as variables."""
    return v1.get_variable("w", initializer=W), v1.get_variable("b", initializer=B)


def signed(inputs: dict[str, Any], outputs: dict[str, Any], method: str = PREDICT) -> Any:
    """A SignatureDef, over tensors."""
    info = tf.compat.v1.saved_model.build_tensor_info
    return tf.compat.v1.saved_model.build_signature_def(
        {alias: info(tensor) for alias, tensor in inputs.items()},
        {alias: info(tensor) for alias, tensor in outputs.items()},
        method,
    )


@built("tutorial")
def _(path: str) -> None:
    def graph(v1: Any) -> dict[str, Any]:
        serialized = v1.placeholder(tf.string, name="tf_example")
        x = tf.identity(v1.parse_example(serialized, FEATURES)["x"], name="x")
        w, b = tf1_weights(v1)
        y = tf.nn.softmax(tf.matmul(x, w) + b, name="y")
        values, indices = tf.nn.top_k(y, 10)
        names = tf.constant([str(i) for i in range(10)])
        rows = tf.lookup.KeyValueTensorInitializer(tf.range(10, dtype=tf.int64), names)
        classes = tf.lookup.StaticHashTable(rows, "?").lookup(tf.cast(indices, tf.int64))
        return {
            "predict_images": signed({"images": x}, {"scores": y}),
            "serving_default": signed(
                {"inputs": serialized}, {"classes": classes, "scores": values}, ZOO["tutorial_classify"].method
            ),
        }

    tf1(path, graph)


@built("estimator")
def _(path: str) -> None:
    def graph(v1: Any) -> dict[str, Any]:
        serialized = v1.placeholder(tf.string, [None], name="input_example_tensor")
        w, b = tf1_weights(v1)
        seen = tf.matmul(v1.parse_example(serialized, FEATURES)["x"], w) + b
        found = tf.argmax(seen, 1)[:, None]
        probabilities = tf.nn.softmax(seen)
        names = tf.tile(tf.constant([[str(i) for i in range(10)]]), [tf.shape(seen)[0], 1])
        given = {"inputs": serialized}
        classify, regress = "tensorflow/serving/classify", "tensorflow/serving/regress"
        classification = signed(given, {"classes": names, "scores": probabilities}, classify)
        told = {"class_ids": found, "classes": tf.strings.as_string(found)}
        told |= {"logits": seen, "probabilities": probabilities}
        return {
            "serving_default": classification,
            "classification": classification,
            "regression": signed(given, {"outputs": tf.cast(found, tf.float32)}, regress),
            "predict": signed({"examples": serialized}, told),
        }

    tf1(path, graph)


def _with_keep_prob(name: str) -> Build:
    def graph(v1: Any) -> dict[str, Any]:
        x = v1.placeholder(tf.float32, [None, 784], "x")
        keep_prob = v1.placeholder(tf.float32, [], "keep_prob")
        inputs = {"images": x, "keep_prob": keep_prob}
        w, b = tf1_weights(v1)
        seen = tf.matmul(v1.nn.dropout(x, keep_prob), w) + b
        if "is_training" in ZOO[name].defaults:
            inputs["is_training"] = v1.placeholder(tf.bool, [], "is_training")
            seen *= tf.where(inputs["is_training"], 0.5, 1.0)
        one = signed(inputs, {"scores": tf.nn.softmax(seen)})
        for alias, value in ZOO[name].defaults.items():
            one.defaults[alias].CopyFrom(tf.make_tensor_proto(value))
        return {"serving_default": one}

    return lambda path: tf1(path, graph)


BUILDERS |= {name: _with_keep_prob(name) for name in ("tf1_defaults", "tf1_required")}


@built("tf1_unknown_rank")
def _(path: str) -> None:
    def graph(v1: Any) -> dict[str, Any]:
        x = v1.placeholder(tf.float32, None, "x")
        return {"serving_default": signed({"images": x}, {"scores": scores(x)})}

    tf1(path, graph)


# ---- TensorFlow 2


@built("tf2_defaults")
def _(path: str) -> None:
    usual = tf.constant(1.0)

    def answer(images: Any, temperature: Any = usual) -> dict[str, Any]:
        return {"scores": tf.nn.softmax(logits(images) / temperature)}

    module(path, spec("tf2_defaults"), tf.TensorSpec([], tf.float32, name="temperature"), answer=answer)


@built("named_signatures")
def _(path: str) -> None:
    module(
        path,
        spec("named_signatures"),
        signature="classify_digit",
        answer=lambda images: {"scores": scores(images)},
        embed=lambda images: {"embedding": images[:, ::16]},
    )


@built("labels_file")
def _(path: str) -> None:
    with tempfile.NamedTemporaryFile("wb", suffix=".txt") as file:
        file.write(b"\n".join(WORDS))
        file.flush()
        whole, line = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        rows = tf.lookup.TextFileInitializer(file.name, tf.int64, line, tf.string, whole)
        saved = tf.Module()
        saved.table = tf.lookup.StaticHashTable(rows, "?")
        saved.answer = tf.function(
            lambda images: {"label": saved.table.lookup(_class_id(images))}, input_signature=[spec("labels_file")]
        )
        tf.saved_model.save(saved, path, signatures=saved.answer)


def png_scores(strings: Any) -> Any:
    """PNG files, (n,) → scores (n, 10)."""
    pixels = tf.map_fn(
        lambda one: tf.ensure_shape(tf.io.decode_png(one, 1), [28, 28, 1]), strings, fn_output_signature=tf.uint8
    )
    return scores(tf.cast(pixels, tf.float32) / 255)


def _as_float(x: Any) -> Any:
    return tf.cast(x, tf.float32) / 255


def _class_id(x: Any, dtype: Any = tf.int64) -> Any:
    return tf.argmax(logits(x), axis=1, output_type=dtype)


def _masked(x: Any) -> Any:
    seen = logits(x)
    return tf.where(seen < tf.nn.top_k(seen, 3).values[:, -1:], -np.inf, seen)


# Model → what its outputs are, of its image input.
_ANSWERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "two_outputs": lambda x: {"class_id": _class_id(x), "scores": scores(x)},
    "png_bytes": lambda x: {"scores": png_scores(x)},
    "png_one": lambda x: {"scores": png_scores(x[None])[0]},
    "examples": lambda x: {"scores": scores(tf.io.parse_example(x, FEATURES)["x"])},
    "no_batch": lambda x: {"scores": scores(x)[0]},
    "channels_first": lambda x: {"scores": logits(x)},
    "lenet": lambda x: {"scores": scores(x[:, 2:30, 2:30])},
    "rgb": lambda x: {"scores": scores(tf.reduce_mean(x, axis=3))},
    "raw_float": lambda x: {"scores": scores(_as_float(x))},
    "uint8": lambda x: {"scores": scores(_as_float(x))},
    "int32": lambda x: {"scores": scores(_as_float(x))},
    "int64": lambda x: {"scores": scores(_as_float(x))},
    "bool": lambda x: {"scores": scores(tf.cast(x, tf.float32))},
    "class_ids": lambda x: {"class_id": _class_id(x)},
    "class_ids_column": lambda x: {"class_id": _class_id(x, tf.int32)[:, None]},
    "labels": lambda x: {"label": tf.gather(tf.constant(WORDS), _class_id(x))},
    "squeezed": lambda x: {"scores": tf.squeeze(scores(x))},
    "logits": lambda x: {"logits": logits(x)},
    "masked_logits": lambda x: {"logits": _masked(x)},
}
for _name in ("fixed_batch", "batch_of_one", "half", "bfloat16", "double"):
    _ANSWERS[_name] = lambda x: {"scores": scores(x)}


def _plain(name: str) -> Build:
    return lambda path: module(path, spec(name), answer=_ANSWERS[name])


BUILDERS |= {name: _plain(name) for name in _ANSWERS}


# ---- what TensorFlow itself answers


def answers(path: str, model: ZooModel) -> dict[str, np.ndarray]:
    """`REQUEST/ALIAS` → output, of each request with the sample's images."""
    signature = tf.saved_model.load(path).signatures[model.signature]
    found = {}
    for i, given in enumerate(model.requests(sample()[0])):
        for alias, tensor in signature(**{k: tf.constant(v) for k, v in {**given, **model.defaults}.items()}).items():
            value = tensor.numpy()
            found[f"{i}/{alias}"] = value.astype("float32") if tensor.dtype == tf.bfloat16 else value
    return found


def main(directory: str, *names: str) -> None:
    models = [ZOO[name] for name in names or ZOO]
    for served_as in {model.served_as: None for model in models}:
        BUILDERS[served_as](str(Path(directory) / served_as / str(VERSION)))
    for model in models:
        path = str(model.base_path(Path(directory)) / str(VERSION))
        np.savez(Path(directory) / f"{model.name}.npz", **answers(path, model))


if __name__ == "__main__":
    main(*sys.argv[1:])
