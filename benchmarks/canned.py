"""The messages that the null server answers with, and the request that a client without a model repeats."""

import struct

from tfsload.datasets.dataset import MNIST_PIXELS
from tfsload.transport.protos import get_model_metadata_pb2, get_model_status_pb2, predict_pb2, types_pb2

CLASSES = 10
PREDICT_PATH = "tensorflow.serving.PredictionService/Predict"


def replies() -> dict[str, bytes]:
    """Return what a server of the shipped model would answer, by the method's path, framed as gRPC frames it."""
    return {
        PREDICT_PATH: _framed(_prediction()),
        "tensorflow.serving.PredictionService/GetModelMetadata": _framed(_metadata()),
        "tensorflow.serving.ModelService/GetModelStatus": _framed(_status()),
    }


def request() -> bytes:
    """Return a PredictRequest of one image, framed as gRPC frames it."""
    message = predict_pb2.PredictRequest()
    message.model_spec.name, message.model_spec.signature_name = "mnist", "predict_images"
    tensor = message.inputs["images"]
    tensor.dtype = types_pb2.DT_FLOAT
    for size in (1, MNIST_PIXELS):
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = struct.pack(f"<{MNIST_PIXELS}f", *[0.5] * MNIST_PIXELS)
    return _framed(message)


def _framed(message) -> bytes:
    body = message.SerializeToString()
    return struct.pack(">BL", 0, len(body)) + body


def _prediction():
    reply = predict_pb2.PredictResponse()
    reply.model_spec.name, reply.model_spec.signature_name = "mnist", "predict_images"
    reply.model_spec.version.value = 1
    scores = reply.outputs["scores"]
    scores.dtype = types_pb2.DT_FLOAT
    for size in (1, CLASSES):
        scores.tensor_shape.dim.add(size=size)
    scores.float_val.extend([0.01] * (CLASSES - 1) + [0.91])
    return reply


def _metadata():
    reply = get_model_metadata_pb2.GetModelMetadataResponse()
    reply.model_spec.name = "mnist"
    reply.model_spec.version.value = 1
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name in ("predict_images", "serving_default"):
        signature = signatures.signature_def[name]
        signature.method_name = "tensorflow/serving/predict"
        for tensors, tensor, size in (
            (signature.inputs, "images", MNIST_PIXELS),
            (signature.outputs, "scores", CLASSES),
        ):
            tensors[tensor].name, tensors[tensor].dtype = f"{tensor}:0", types_pb2.DT_FLOAT
            for dimension in (-1, size):
                tensors[tensor].tensor_shape.dim.add(size=dimension)
    reply.metadata["signature_def"].Pack(signatures)
    return reply


def _status():
    reply = get_model_status_pb2.GetModelStatusResponse()
    reply.model_version_status.add(version=1, state=get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    return reply
