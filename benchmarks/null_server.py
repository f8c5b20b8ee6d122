"""The null server: nghttpd with canned replies, so fast that the client is the bottleneck."""

import contextlib
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tfsload.protos import get_model_metadata_pb2, get_model_status_pb2, predict_pb2, types_pb2

CLASSES = 10
START_LIMIT_S = 10


def write_replies(directory: Path) -> None:
    """Write what a server of the shipped model would answer, one file a method, framed as gRPC frames it."""
    prediction = directory / "tensorflow.serving.PredictionService"
    model = directory / "tensorflow.serving.ModelService"
    prediction.mkdir()
    model.mkdir()
    (prediction / "Predict").write_bytes(_framed(_prediction()))
    (prediction / "GetModelMetadata").write_bytes(_framed(_metadata()))
    (model / "GetModelStatus").write_bytes(_framed(_status()))


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
        for tensors, tensor, size in ((signature.inputs, "images", 784), (signature.outputs, "scores", CLASSES)):
            tensors[tensor].name, tensors[tensor].dtype = f"{tensor}:0", types_pb2.DT_FLOAT
            for dimension in (-1, size):
                tensors[tensor].tensor_shape.dim.add(size=dimension)
    reply.metadata["signature_def"].Pack(signatures)
    return reply


def _status():
    reply = get_model_status_pb2.GetModelStatusResponse()
    reply.model_version_status.add(version=1, state=get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    return reply


@contextlib.contextmanager
def running(directory: Path) -> Iterator[str]:
    """Run the server over a new directory; yield its address."""
    write_replies(directory)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        "nghttpd",
        "--no-tls",
        "--address=127.0.0.1",
        "-d",
        str(directory),
        "--trailer",
        "grpc-status: 0",
        str(port),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_listens(port)
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _wait_until_it_listens(port: int) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > limit:
            raise TimeoutError(f"nghttpd does not listen on port {port} after {START_LIMIT_S} s")
        time.sleep(0.05)
