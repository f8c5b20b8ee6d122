"""The gRPC server around a model: its methods, its threads and its port."""

import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc

from tfsload.modelserver.flags import ServerFlags, channel_arguments
from tfsload.modelserver.inference import InferenceService
from tfsload.modelserver.ports import PortError, address_words, listening_socket
from tfsload.modelserver.service import PredictService, StatusService, answer
from tfsload.transport.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

# Threads beyond the quota, which do nothing but reject: so a rejection does not wait for a prediction.
_REJECTING_THREADS = 4


class ThreadQuota:
    """Lets so many calls in at once, and rejects the others at once.

    grpcio's own limit (`maximum_concurrent_rpcs`) does the same, but in other words than the real server.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._lock = threading.Lock()

    def guard(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """`handler`, behind the quota."""

        def handle(request: Any, context: grpc.ServicerContext) -> Any:
            with self._lock:
                admitted = self._inside < self._limit
                self._inside += admitted
            if not admitted:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")
            try:
                return handler(request, context)
            finally:
                with self._lock:
                    self._inside -= 1

        return handle


class ModelServer:
    """A model's gRPC server; it answers from `start` to `stop`.

    Args:
        model: a loaded `tfsload.modelserver.model.Model`.
        flags: port, address, threads and form of the answers.
    """

    def __init__(self, model: Any, flags: ServerFlags) -> None:
        self._flags = flags
        self._server = grpc.server(
            futures.ThreadPoolExecutor(flags.grpc_max_threads + _REJECTING_THREADS, "predict"),
            options=_options(flags),
        )
        quota = ThreadQuota(flags.grpc_max_threads)
        for service, methods in _methods(model, flags).items():
            handlers = {
                name: grpc.unary_unary_rpc_method_handler(
                    quota.guard(answer(method)),
                    request_deserializer=request.FromString,
                    response_serializer=response.SerializeToString,
                )
                for name, (method, request, response) in methods.items()
            }
            # Registered: the core finds the handler, instead of Python on each call.
            self._server.add_registered_method_handlers(service, handlers)

    def start(self) -> str:
        """Open the port and answer; returns "address:port".

        Raises:
            PortError: if the port cannot be opened.
        """
        host, port = self._flags.bind_address, self._flags.port
        try:
            port = self._server.add_insecure_port(address_words(host, port))
        except RuntimeError as error:
            raise PortError(_why_not(host, port) or str(error)) from error
        self._server.start()
        return address_words(host, port)

    def stop(self, grace_s: float) -> None:
        """Take no more calls, and give those under way `grace_s` seconds to end."""
        self._server.stop(grace_s).wait()


def _methods(model: Any, flags: ServerFlags) -> dict[str, dict[str, tuple[Any, Any, Any]]]:
    """Service → method → (function, request's message, reply's message); others are UNIMPLEMENTED."""
    checks_methods = flags.enable_signature_method_name_check
    as_content = flags.enable_serialization_as_tensor_content
    predict = PredictService(model, as_content=as_content, checks_methods=checks_methods)
    inference = InferenceService(model, checks_methods=checks_methods)
    return {
        "tensorflow.serving.PredictionService": {
            "Predict": (predict.predict, predict_pb2.PredictRequest, predict_pb2.PredictResponse),
            "Classify": (
                inference.classify,
                classification_pb2.ClassificationRequest,
                classification_pb2.ClassificationResponse,
            ),
            "Regress": (inference.regress, regression_pb2.RegressionRequest, regression_pb2.RegressionResponse),
            "MultiInference": (
                inference.multi_inference,
                inference_pb2.MultiInferenceRequest,
                inference_pb2.MultiInferenceResponse,
            ),
            "GetModelMetadata": (
                predict.metadata,
                get_model_metadata_pb2.GetModelMetadataRequest,
                get_model_metadata_pb2.GetModelMetadataResponse,
            ),
        },
        "tensorflow.serving.ModelService": {
            "GetModelStatus": (
                StatusService(model).status,
                get_model_status_pb2.GetModelStatusRequest,
                get_model_status_pb2.GetModelStatusResponse,
            ),
        },
    }


def _options(flags: ServerFlags) -> list[tuple[str, int | str]]:
    return [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        # Without this a second server would share a busy port, and get half of its calls.
        ("grpc.so_reuseport", 0),
        *channel_arguments(flags),
    ]


def _why_not(host: str, port: int) -> str:
    """The system's reason for not opening the port, which gRPC keeps to itself; "" if there is none."""
    try:
        listening_socket(host, port, "--port").close()
    except PortError as error:
        return str(error)
    return ""
