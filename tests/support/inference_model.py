"""A model whose signatures classify and regress examples, rightly and in every wrong way; and a server of it.

    python -m tests.support.inference_model PATH

writes the SavedModel. An example has a feature `x` and may have `offset` (else 0); it is classified as `low`, `mid` and
`high`, with the scores x, x + offset and 1, and x + offset is its number.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.modelserver_fixtures import MODEL, VERSION, Client, run
from tfsload.target.launcher import EmbeddedServer
from tfsload.transport.protos import classification_pb2, example_pb2, inference_pb2, input_pb2, regression_pb2

PREDICT, CLASSIFY, REGRESS = (f"tensorflow/serving/{method}" for method in ("predict", "classify", "regress"))
LABELS = ("low", "mid", "high")


def main(path: str) -> None:
    import tensorflow.compat.v1 as tf

    tf.disable_eager_execution()
    strings = tf.placeholder(tf.string, [None], "examples")
    features = {"x": tf.FixedLenFeature([], tf.float32), "offset": tf.FixedLenFeature([], tf.float32, 0.0)}
    parsed = tf.parse_example(strings, features)
    x, moved = parsed["x"], parsed["x"] + parsed["offset"]
    classifying, regressing = classifying_outputs(tf, x, moved), regressing_outputs(tf, x, moved)
    signatures = {
        **{name: signature(tf, {"inputs": strings}, outputs, CLASSIFY) for name, outputs in classifying.items()},
        **{name: signature(tf, {"inputs": strings}, outputs, REGRESS) for name, outputs in regressing.items()},
        **odd_signatures(tf, strings, x, classifying["serving_default"], regressing["regress"]),
    }
    with tf.Session() as session:
        builder = tf.saved_model.Builder(path)
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
        builder.save()


def signature(tf: Any, inputs: dict[str, Any], outputs: dict[str, Any], method: str) -> Any:
    made = tf.saved_model.predict_signature_def(inputs, outputs)
    made.method_name = method
    return made


def classifying_outputs(tf: Any, x: Any, moved: Any) -> dict[str, dict[str, Any]]:
    """The outputs of each signature that classifies examples, by its name."""
    scores = tf.stack([x, moved, tf.ones_like(x)], axis=1)
    classes = tf.tile([list(LABELS)], [tf.size(x), 1])
    both = {"classes": classes, "scores": scores}
    return {
        "serving_default": both,
        "classes_alone": {"classes": classes},
        "scores_alone": {"scores": scores},
        "more_outputs": {**both, "x": x},
        "no_output": {"x": x},
        "flat_scores": {"scores": x},
        "flat_classes": {"classes": classes[0]},
        "double_scores": {"scores": tf.cast(scores, tf.float64)},
        "number_classes": {"classes": tf.cast(scores, tf.int64)},
        "one_row": {"scores": scores[:1]},
        "one_row_of_classes": {"classes": classes[:1]},
        "fewer_scores": {"classes": classes, "scores": scores[:, :2]},
        "not_utf8": {"classes": tf.fill([tf.size(x), 1], b"\xff")},
    }


def regressing_outputs(tf: Any, x: Any, moved: Any) -> dict[str, dict[str, Any]]:
    """The outputs of each signature that gives examples a number, by its name."""
    return {
        "regress": {"outputs": moved},
        "regress_column": {"outputs": moved[:, None]},
        "regress_wide": {"outputs": tf.stack([x, moved, tf.ones_like(x)], axis=1)},
        "regress_row": {"outputs": moved[:1]},
        "regress_double": {"outputs": tf.cast(moved, tf.float64)},
        "regress_other_name": {"values": moved},
        "regress_two": {"outputs": moved, "more": x},
    }


def odd_signatures(tf: Any, strings: Any, x: Any, both: dict[str, Any], moved: dict[str, Any]) -> dict[str, Any]:
    """Signatures with other inputs than examples alone, or of another method than their outputs are made for."""
    other = tf.placeholder(tf.string, [None], "other_examples")
    alone, two = {"inputs": strings}, {"inputs": strings, "more": other}
    lengths = {"outputs": tf.cast(tf.strings.length(other), tf.float32)}
    return {
        "as_predict": signature(tf, alone, both, PREDICT),
        "regress_as_predict": signature(tf, alone, moved, PREDICT),
        "two_inputs": signature(tf, two, both, CLASSIFY),
        "other_input_name": signature(tf, {"examples": strings}, both, CLASSIFY),
        "regress_other_input_name": signature(tf, {"examples": strings}, moved, REGRESS),
        "regress_two_inputs": signature(tf, two, moved, REGRESS),
        "other_tensor": signature(tf, {"inputs": other}, lengths, REGRESS),
        "takes_numbers": signature(tf, {"inputs": x}, {"scores": tf.identity(both["scores"])}, CLASSIFY),
        "own_method": signature(tf, alone, both, "own/method"),
    }


def an_example(**features: float) -> Any:
    """A `tf.Example` with a number for each feature."""
    example = example_pb2.Example()
    for name, value in features.items():
        example.features.feature[name].float_list.value.append(value)
    return example


def examples(*values: float) -> Any:
    """An `Input` of examples with these `x`."""
    return input_pb2.Input(example_list=input_pb2.ExampleList(examples=[an_example(x=value) for value in values]))


def classification(signature: str = "", given: Any = None) -> Any:
    """A ClassificationRequest; of two examples where none are given."""
    request = classification_pb2.ClassificationRequest(input=given or examples(0.25, 0.5))
    request.model_spec.name, request.model_spec.signature_name = MODEL, signature
    return request


def regression(signature: str = "regress", given: Any = None) -> Any:
    """A RegressionRequest; of two examples where none are given."""
    request = regression_pb2.RegressionRequest(input=given or examples(0.25, 0.5))
    request.model_spec.name, request.model_spec.signature_name = MODEL, signature
    return request


def tasks(*pairs: tuple[str, str], given: Any = None) -> Any:
    """A MultiInferenceRequest of (signature, method) each; of two examples where none are given."""
    request = inference_pb2.MultiInferenceRequest(input=given or examples(0.25, 0.5))
    for signature, method in pairs:
        task = request.tasks.add(method_name=method)
        task.model_spec.name, task.model_spec.signature_name = MODEL, signature
    return request


@pytest.fixture(scope="session")
def inference_base_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with the model in it."""
    base_path = tmp_path_factory.mktemp("inference")
    command = [sys.executable, "-m", "tests.support.inference_model", str(base_path / str(VERSION))]
    code, _, said = run(command)
    assert code == 0, said
    return base_path


@pytest.fixture(scope="session")
def inference(inference_base_path: Path) -> Iterator[Client]:
    """A client of a server with the default flags."""
    with EmbeddedServer.start(MODEL, inference_base_path) as started:
        one = Client(started.address)
        yield one
        one.channel.close()


@pytest.fixture(scope="session")
def strict_inference(inference_base_path: Path) -> Iterator[Client]:
    """A client of a server that insists on a signature's method_name."""
    with EmbeddedServer.start(MODEL, inference_base_path, ["--enable_signature_method_name_check"]) as started:
        one = Client(started.address)
        yield one
        one.channel.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
