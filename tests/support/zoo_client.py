"""A client of another's making: TensorFlow Serving's official stubs and TensorFlow's own tensors.

    python -m tests.support.zoo_client ADDRESSES OUTPUT

sends the sample's images to each model of the zoo, at its address in the file ADDRESSES (JSON), and writes
OUTPUT/NAME.npz with the answers, keys `REQUEST/ALIAS`, as `tests.support.model_zoo.expected` reads them.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.support.model_zoo import ZOO
from tests.support.zoo_model import CLASSIFY, DEFAULT, ZooModel, sample

DEADLINE_S = 20


def predict(stub: Any, model: ZooModel, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Output alias → tensor of a Predict request."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model.served_as
    # Whoever calls the default signature need not say so.
    request.model_spec.signature_name = "" if model.signature == DEFAULT else model.signature
    for alias, value in given.items():
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
    reply = stub.Predict(request, timeout=DEADLINE_S)
    assert (reply.model_spec.name, reply.model_spec.signature_name) == (model.served_as, model.signature)
    answers = {}
    for alias, proto in reply.outputs.items():
        array = np.asarray(tf.make_ndarray(proto))
        answers[alias] = array.astype("float32") if proto.dtype == tf.bfloat16.as_datatype_enum else array
    return answers


def classify(stub: Any, model: ZooModel, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """`classes` and `scores`, (n, classes) each, of a Classify request."""
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = model.served_as
    for serialized in given[model.input]:
        request.input.example_list.examples.append(tf.train.Example.FromString(serialized))
    reply = stub.Classify(request, timeout=DEADLINE_S)
    rows = [one.classes for one in reply.result.classifications]
    return {
        "classes": np.array([[one.label.encode() for one in row] for row in rows], object),
        "scores": np.array([[one.score for one in row] for row in rows], "float32"),
    }


def signatures(stub: Any, model: ZooModel) -> bytes:
    """The serialized SignatureDefMap that a server tells of a model."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model.served_as
    found = get_model_metadata_pb2.SignatureDefMap()
    reply = stub.GetModelMetadata(request, timeout=DEADLINE_S)
    assert reply.metadata["signature_def"].Unpack(found)
    return found.SerializeToString()


def main(addresses: str, output: str) -> None:
    images, _ = sample()
    at = json.loads(Path(addresses).read_text())
    for model in ZOO.values():
        with grpc.insecure_channel(at[model.served_as]) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            ask = classify if model.method == CLASSIFY else predict
            answers = {
                f"{i}/{alias}": value
                for i, given in enumerate(model.requests(images))
                for alias, value in ask(stub, model, given).items()
            }
            np.savez(Path(output) / f"{model.name}.npz", **answers)
            (Path(output) / f"{model.name}.signatures").write_bytes(signatures(stub, model))


if __name__ == "__main__":
    main(*sys.argv[1:])
