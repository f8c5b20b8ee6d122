"""Builds the models of `tests/support/model_zoo.py`; run as a process of its own, which imports TensorFlow.

    python -m tests.support.zoo_builders DIRECTORY [NAME...]

writes DIRECTORY/MODEL/1 and DIRECTORY/NAME.npz with TensorFlow's own answers, keys `REQUEST/ALIAS`.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

# Each registers what it builds.
from tests.support import zoo_keras as zoo_keras
from tests.support import zoo_tf1 as zoo_tf1
from tests.support import zoo_tf2 as zoo_tf2
from tests.support.model_zoo import ZOO
from tests.support.zoo_base import BUILDERS
from tests.support.zoo_model import VERSION, ZooModel, sample


def answers(path: str, model: ZooModel) -> dict[str, np.ndarray]:
    """`REQUEST/ALIAS` → output, of each request with the sample's images."""
    signature = tf.saved_model.load(path).signatures[model.signature]
    found = {}
    for i, given in enumerate(model.requests(sample()[0])):
        for alias, tensor in signature(**{k: tf.constant(v) for k, v in {**given, **model.defaults}.items()}).items():
            value = tensor.numpy()
            # A text alone is no array yet.
            value = np.asarray(value, object) if tensor.dtype == tf.string else value
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
