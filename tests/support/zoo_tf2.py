"""Models of the zoo that TensorFlow 2 saves: a tf.Module, or what was a Keras 2 model."""

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tests.support.zoo_base import BUILDERS, FEATURES, Build, built, logits, module, scores, spec
from tests.support.zoo_model import WORDS


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


def _resized(x: Any) -> Any:
    """Colour images of any size, (n, rows, columns, 3) → pixels from 0 to 1."""
    return tf.reduce_mean(tf.image.resize(tf.cast(x, tf.float32) / 255, [28, 28]), axis=3)


def _top_three(x: Any) -> dict[str, Any]:
    best = tf.math.top_k(scores(x), 3)
    return {"classes": best.indices, "scores": best.values}


def _all_ranked(x: Any) -> dict[str, Any]:
    best = tf.math.top_k(scores(x), 10)
    return {"classes": tf.gather(tf.constant(WORDS), best.indices), "scores": best.values}


def _ensemble(x: Any) -> dict[str, Any]:
    # The second is never sure, and the third takes each image for a 1.
    members = [scores(x), tf.nn.softmax(0.1 * logits(x)), tf.nn.softmax(0 * logits(x) + 0.1 * tf.one_hot(1, 10))]
    return {"mean": tf.add_n(members) / 3, **{f"member_{i}": one for i, one in enumerate(members)}}


def _told_about(x: Any) -> dict[str, Any]:
    told = {
        "class_names": tf.constant(WORDS),
        "model_version": tf.constant("1.4.2"),
        "threshold": tf.constant(0.5),
    }
    return {"probabilities": scores(x), **told}


def _in_examples(x: Any, **features: Any) -> dict[str, Any]:
    return tf.io.parse_example(x, features)


def _raw_examples(x: Any) -> Any:
    one = tf.io.FixedLenFeature([], tf.string), tf.io.FixedLenFeature([], tf.int64)
    return _as_float(tf.io.decode_raw(_in_examples(x, image_raw=one[0], label=one[1])["image_raw"], tf.uint8))


def _png_examples(x: Any) -> Any:
    features = {"image/encoded": tf.io.FixedLenFeature([], tf.string)}
    features["image/format"] = tf.io.FixedLenFeature([], tf.string, "png")
    return png_scores(_in_examples(x, **features)["image/encoded"])


def _int64_examples(x: Any) -> Any:
    return scores(_as_float(_in_examples(x, pixels=tf.io.FixedLenFeature([784], tf.int64))["pixels"]))


def _quantised(x: Any, zero: int, dtype: Any) -> Any:
    """Whole numbers in and out: logits from -4 to 4 over the dtype's 256 numbers, the first of which is `zero`."""
    seen = logits((tf.cast(x, tf.float32) - zero) / 255)
    return tf.cast(tf.clip_by_value(tf.round(seen * 32) + 128, 0, 255) + zero, dtype)


def _hugging_face(x: Any) -> dict[str, Any]:
    names = tf.strings.join(["LABEL_", tf.strings.as_string(_class_id(x))])
    return {"label": names, "score": tf.reduce_max(scores(x), axis=1)}


def _torchvision(x: Any) -> Any:
    return tf.gather(tf.constant([b"%d - %s" % one for one in enumerate(WORDS)]), _class_id(x))


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
_ANSWERS |= {
    "resized": lambda x: {"scores": scores(_resized(x))},
    "top_three": _top_three,
    "all_ranked": _all_ranked,
    "label_and_version": lambda x: {
        "label": tf.gather(tf.constant(WORDS), _class_id(x)),
        "model_version": tf.constant("v2"),
    },
    "ensemble": _ensemble,
    "told_about": _told_about,
    "base64": lambda x: {"scores": png_scores(tf.io.decode_base64(x))},
    "example_png": lambda x: {"scores": _png_examples(x)},
    "example_raw": lambda x: {"scores": scores(_raw_examples(x))},
    "example_int64": lambda x: {"scores": _int64_examples(x)},
    "quantised": lambda x: {"scores": _quantised(x, -128, tf.int8)},
    "uint8_scores": lambda x: {"scores": _quantised(x, 0, tf.uint8)},
    "columns": lambda x: {"scores": tf.transpose(scores(tf.transpose(x)))},
    "conv_head": lambda x: {"scores": logits(x)[:, None, None]},
    "torchvision_labels": lambda x: {"label": _torchvision(x)},
    "hugging_face_labels": _hugging_face,
    "class_id_float": lambda x: {"class_id": tf.cast(_class_id(x), tf.float32)},
}
for _name in ("fixed_batch", "batch_of_one", "half", "bfloat16", "double"):
    _ANSWERS[_name] = lambda x: {"scores": scores(x)}


def _plain(name: str) -> Build:
    return lambda path: module(path, spec(name), answer=_ANSWERS[name])


BUILDERS |= {name: _plain(name) for name in _ANSWERS}


@built("instance_key")
def _(path: str) -> None:
    key = tf.TensorSpec([None], tf.string, name="key")
    module(path, spec("instance_key"), key, answer=lambda image, key: {"key": key, "scores": scores(image)})
