"""A small model with known weights and many signatures, and real embedded servers that serve it."""

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc.experimental import gevent as grpc_gevent

from tests.support.runs import wait_until
from tfsload.target.launcher import EmbeddedServer
from tfsload.transport.protos import model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc, types_pb2

PROJECT = Path(__file__).parents[2]
MODEL = "mnist"
VERSION = 3
DEADLINE_S = 20
ECHO_DTYPES = ["float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64"]
ECHO_DTYPES += ["uint8", "uint16", "uint32", "uint64", "bool", "complex64", "complex128", "string"]

# Run in a process of its own: TensorFlow does not belong into the one that tests the load generator.
_MAKE_MODEL = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf

path, dtypes = sys.argv[1], sys.argv[2].split(",")
tf.disable_eager_execution()

def signature(inputs, outputs):
    return tf.saved_model.predict_signature_def(inputs, outputs)

x = tf.placeholder(tf.float32, [None, None], "x")
w, b = np.load(path + ".npz")["w"], np.load(path + ".npz")["b"]
softmax = signature({"images": x}, {"scores": tf.nn.softmax(tf.matmul(x, w) + b)})
left, right = tf.placeholder(tf.float32, [None], "left"), tf.placeholder(tf.float32, [None], "right")
total = left + right
rounds = tf.placeholder(tf.int32, [], "rounds")
heavy = tf.while_loop(
    lambda i, _: i < rounds, lambda i, m: (i + 1, tf.tanh(tf.matmul(m, m))), [0, tf.fill([64, 64], 0.01)]
)
y = tf.identity(x, "y")
sparse = tf.sparse_placeholder(tf.float32, [None, 784], "sparse")
broken = tf.strings.to_number(tf.strings.as_string(y) + "x")
small = tf.cast(y, tf.dtypes.experimental.float8_e5m2)
constant = tf.saved_model.build_tensor_info(tf.constant([1.0, 2.0]))
gone = signature({"images": x}, {"scores": y, "gone": y})
gone.outputs["gone"].name = "gone:0"
by_operation = signature({"images": x}, {"scores": y})
by_operation.inputs["images"].name, by_operation.outputs["scores"].name = "x", "y"
with_default = signature({"left": left, "right": right}, {"total": total})
with_default.defaults["right"].CopyFrom(tf.make_tensor_proto([10.0]))
signatures = {
    "serving_default": softmax,
    "predict_images": softmax,
    "two_inputs": signature(
        {"left": left, "right": right},
        {"total": total, "count": tf.size(total), "text": tf.strings.as_string(total, precision=1)},
    ),
    "with_default": with_default,
    "half_broken": signature({"images": x}, {"scores": y, "broken": broken}),
    "half_unsendable": signature({"images": x}, {"scores": y, "small": small}),
    "sparse": signature({"images": sparse}, {"scores": tf.sparse.to_dense(sparse)}),
    "half_gone": gone,
    "by_operation": by_operation,
    "nothing_taken": tf.saved_model.build_signature_def({}, {"scores": constant}, "tensorflow/serving/predict"),
    "heavy": signature({"rounds": rounds}, {"sum": tf.reduce_sum(heavy[1])}),
}
for dtype in dtypes:
    given = tf.placeholder(getattr(tf, dtype), None, "given_" + dtype)
    signatures["echo_" + dtype] = signature({"given": given}, {"same": tf.identity(given)})
with tf.Session() as session:
    builder = tf.saved_model.Builder(path)
    builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
    builder.save()
"""


def weights() -> tuple[np.ndarray, np.ndarray]:
    """The fixture model's W, (784, 10), and b, (10,)."""
    random = np.random.default_rng(7)
    return random.normal(size=(784, 10)).astype("float32") / 28, random.normal(size=10).astype("float32")


def softmax(images: np.ndarray) -> np.ndarray:
    """What the fixture model answers, computed with numpy."""
    w, b = weights()
    powers = np.exp(images @ w + b)
    return powers / powers.sum(axis=1, keepdims=True)


class Script:
    """A command run in the project's directory, its output in files.

    Not by subprocess: gevent's replacement of it forks, and gRPC's fork handlers crash the child once this
    process has used a channel.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._files = [tempfile.TemporaryFile() for _ in ("out", "err")]  # noqa: SIM115 (they live as long as this)
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        wiring = [(os.POSIX_SPAWN_DUP2, file.fileno(), i + 1) for i, file in enumerate(self._files)]
        self.pid = os.posix_spawnp(command[0], command, environment, file_actions=wiring)
        self.code: int | None = None

    def said(self) -> tuple[str, str]:
        """(standard output, standard error) so far."""
        out, err = (os.pread(file.fileno(), 1 << 20, 0).decode() for file in self._files)
        return out, err

    def has_ended(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None

    def kill(self) -> None:
        if not self.has_ended():
            os.kill(self.pid, signal.SIGKILL)
            wait_until(self.has_ended, "a killed process ends")


def run(command: Sequence[str]) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of a command, once it has ended."""
    script = Script(command)
    try:
        wait_until(script.has_ended, f"{command[0]} ends")
    finally:
        script.kill()
    return (script.code, *script.said())


def make_model(base_path: Path) -> None:
    """Write the fixture model as version `VERSION` of `base_path`."""
    w, b = weights()
    version = base_path / str(VERSION)
    np.savez(f"{version}.npz", w=w, b=b)
    command = [sys.executable, "-c", _MAKE_MODEL, str(version), ",".join(ECHO_DTYPES)]
    code, _, said = run(command)
    assert code == 0, said


class Client:
    """The official stubs, on one channel."""

    def __init__(self, address: str) -> None:
        grpc_gevent.init_gevent()
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.channel = grpc.insecure_channel(address, options=options)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        """One call, with a deadline."""
        return self.prediction.Predict(request, timeout=DEADLINE_S)

    def fault(self, method, request) -> tuple[grpc.StatusCode, str]:
        """(code, details) of a call that must fail."""
        with pytest.raises(grpc.RpcError) as caught:
            method(request, timeout=DEADLINE_S)
        return caught.value.code(), caught.value.details()


@pytest.fixture(scope="session")
def model_base_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with the fixture model in it."""
    base_path = tmp_path_factory.mktemp("model")
    make_model(base_path)
    return base_path


@pytest.fixture(scope="session")
def server(model_base_path: Path):
    """A server with the default flags."""
    with EmbeddedServer.start(MODEL, model_base_path) as started:
        yield started


@pytest.fixture(scope="session")
def client(server: EmbeddedServer):
    """A client of `server`."""
    one = Client(server.address)
    yield one
    one.channel.close()


def request(signature: str = "predict_images", *, outputs: tuple[str, ...] = (), **inputs):
    """A PredictRequest; an input is an array (sent as bytes), or a dict of TensorProto's fields."""
    message = predict_pb2.PredictRequest(output_filter=outputs)
    message.model_spec.name = MODEL
    message.model_spec.signature_name = signature
    for alias, value in inputs.items():
        tensor = message.inputs[alias]
        if isinstance(value, dict):
            shape = value.get("shape", ())
            tensor.MergeFrom(type(tensor)(**{k: v for k, v in value.items() if k != "shape"}))
        else:
            shape = value.shape
            tensor.dtype = _number(value.dtype)
            tensor.tensor_content = value.tobytes()
        for size in shape:
            tensor.tensor_shape.dim.add(size=size)
    return message


def images(count: int = 1, size: int = 784) -> np.ndarray:
    """Random images, (count, size), float32 from 0 to 1."""
    return np.random.default_rng(count).random((count, size), dtype="float32")


def _number(dtype: np.dtype) -> int:
    names = {"float32": "DT_FLOAT", "float64": "DT_DOUBLE", "int32": "DT_INT32", "bool": "DT_BOOL"}
    return types_pb2.DataType.Value(names[dtype.name])
