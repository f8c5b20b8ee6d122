"""Models of the zoo that TensorFlow 1 saves: sessions, placeholders, Estimators and modules of its Hub."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tests.support.model_zoo import ZOO
from tests.support.zoo_base import BUILDERS, FEATURES, B, Build, W, built, scores
from tests.support.zoo_model import PREDICT


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
        all_ids = tf.tile(tf.range(10)[None], [tf.shape(seen)[0], 1])
        told |= {"logits": seen, "probabilities": probabilities, "all_class_ids": all_ids, "all_classes": names}
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


@built("official")
def _(path: str) -> None:
    def graph(v1: Any) -> dict[str, Any]:
        image = v1.placeholder(tf.float32, [None, 28, 28])
        w, b = tf1_weights(v1)
        seen = tf.matmul(tf.reshape(image, [-1, 784]), w) + b
        one = signed({"image": image}, {"classes": tf.argmax(seen, 1), "probabilities": tf.nn.softmax(seen)})
        return {"serving_default": one, "classify": one}

    tf1(path, graph)


@built("hub_module")
def _(path: str) -> None:
    def graph(v1: Any) -> dict[str, Any]:
        images = v1.placeholder(tf.float32, [None, 28, 28, 1])
        w, b = tf1_weights(v1)
        flat = tf.reshape(images, [-1, 784])
        seen = tf.matmul(flat, w) + b
        told = {"Digits/Logits": seen, "Digits/Predictions": tf.nn.softmax(seen), "Digits/embedding": flat[:, ::16]}
        vector = signed({"images": images}, {"default": flat[:, ::16]})
        return {"default": signed({"images": images}, {"default": seen, **told}), "image_feature_vector": vector}

    tf1(path, graph)
