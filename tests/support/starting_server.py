"""A model server that takes its time to start; run as a process of its own by the tests.

    python -m tests.support.starting_server PORT STAGES LOG

prints `PORT` when it listens (0: a free one). STAGES is JSON: [[stage, n], …], what the first n questions for the
model's status are answered with: a status code (`NOT_FOUND`, `UNAVAILABLE`, …), or a state of the model's version 1
(`START`, `LOADING`, …). Then the model is AVAILABLE. Predict is answered with class 9, and each request of it leaves a
byte, a number counted from 0 and wrapped, in LOG.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from benchmarks import canned
from tests.support.serving import serve
from tfsload.transport.protos import get_model_status_pb2

_STATES = get_model_status_pb2.ModelVersionStatus.State
_STATUS = "/tensorflow.serving.ModelService/GetModelStatus"


class Handler(grpc.GenericRpcHandler):
    """Answers as its stages say."""

    def __init__(self, stages: list[list], log: Path) -> None:
        self._stages = iter([stage for stage, n in stages for _ in range(n)])
        self._lock = threading.Lock()
        self._log = log
        self._n_predicted = 0
        self._replies = {f"/{path}": framed[5:] for path, framed in canned.replies().items()}

    def service(self, details):
        path = details.method
        if path == _STATUS:
            return grpc.unary_unary_rpc_method_handler(self._status)
        if path in self._replies:
            return grpc.unary_unary_rpc_method_handler(lambda *_: self._answer(path))
        return None

    def _answer(self, path: str) -> bytes:
        if path == f"/{canned.PREDICT_PATH}":
            with self._lock, self._log.open("ab") as log:
                log.write(bytes([self._n_predicted % 256]))
                self._n_predicted += 1
        return self._replies[path]

    def _status(self, _request: bytes, context: grpc.ServicerContext) -> bytes:
        with self._lock:
            stage = next(self._stages, "AVAILABLE")
        if stage in _STATES.keys():  # noqa: SIM118  (protobuf's enumerations are no mappings)
            reply = get_model_status_pb2.GetModelStatusResponse()
            reply.model_version_status.add(version=1, state=_STATES.Value(stage))
            return reply.SerializeToString()
        context.abort(grpc.StatusCode[stage], f"not yet: {stage}")
        return b""


def main() -> None:
    port, stages, log = sys.argv[1:]
    server = grpc.server(
        ThreadPoolExecutor(16), handlers=[Handler(json.loads(stages), Path(log))], options=[("grpc.so_reuseport", 0)]
    )
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    serve(server, bound)


if __name__ == "__main__":
    main()
