"""TensorFlow Serving over gRPC: `Predict`, and what it says of its models."""

import functools
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import CLASSIFY, PREDICT, CallSpec
from tfsload.transport.contract import Examples, Reader, Transport
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.grpc import codec
from tfsload.transport.grpc.bound import bound
from tfsload.transport.grpc.connect import connect
from tfsload.transport.grpc.readers import reader_for
from tfsload.transport.protos import get_model_metadata_pb2, get_model_status_pb2
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.signature import READY, ModelDescribed, SignatureDescribed, TensorDescribed, VersionDescribed
from tfsload.transport.tensors import name_of
from tfsload.transport.tls import TlsCredentials, read_credentials

PREDICT_METHOD = "/tensorflow.serving.PredictionService/Predict"
CLASSIFY_METHOD = "/tensorflow.serving.PredictionService/Classify"
METADATA_METHOD = "/tensorflow.serving.PredictionService/GetModelMetadata"
STATUS_METHOD = "/tensorflow.serving.ModelService/GetModelStatus"
_METHODS = {PREDICT: PREDICT_METHOD, CLASSIFY: CLASSIFY_METHOD}


class GrpcTransport(Transport):
    """Over this suite's own channel, or over grpcio's (`--transport`)."""

    protocol = "grpc"
    _opener: "GrpcTransport | None" = None  # whose channel this is; None: its own

    def beside(self, spec: CallSpec) -> "GrpcTransport":
        """Return one that shares the channel, and leaves it to this one to be closed."""
        other = GrpcTransport(self.model, self.connection, spec)
        other._opener = self._opener or self
        return other

    @functools.cached_property
    def channel(self) -> grpc.Channel:
        """The channel that all users of this process share, opened on first use: after any fork."""
        return connect(self.connection, self.credentials) if self._opener is None else self._opener.channel

    @functools.cached_property
    def credentials(self) -> TlsCredentials | None:
        """What TLS shows and trusts, from the files that were named; None: cleartext.

        Raises:
            TlsFileError: one cannot be used, and why.
        """
        return read_credentials(self.connection)

    def check_files(self) -> None:
        """See to it that the TLS files can be used."""
        _ = self.credentials

    def encode(self, images: Examples) -> bytes:
        """Return a PredictRequest, or a ClassificationRequest, serialised."""
        return self._encoder.encode(images)

    @functools.cached_property
    def _encoder(self) -> codec.RequestEncoder:
        return codec.RequestEncoder(self.model, self.spec)

    def bound_call(self) -> Callable[[bytes], bytes]:
        """Return `Predict`, or `Classify`, which takes and returns bytes."""
        return bound(self.channel, _METHODS[self.spec.method], self.model.deadline_s)

    def failure_of(self, error: Exception) -> PredictionFailure | None:
        """Return the failure that a status stands for."""
        return _failure(error) if isinstance(error, grpc.RpcError) else None

    @functools.cached_property
    def reader_of(self) -> Callable[[int], Reader]:
        """What returns the reader of replies to requests of that many images."""
        return functools.cache(functools.partial(reader_for, self.spec))

    def describe(self, timeout_s: float) -> ModelDescribed:
        """Ask for the model's versions, and for the signatures of the one that was asked for."""
        versions = self._versions(timeout_s)
        if not any(one.state == READY and self.model.version in (None, one.version) for one in versions):
            # Who asked learns from the versions there are. That one loads would be hidden by its metadata's NOT_FOUND.
            return ModelDescribed(versions, UNTOLD, {})
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        codec.fill_model_spec(request.model_spec, self.model)
        reply = self._ask(METADATA_METHOD, request, timeout_s)
        try:
            metadata = get_model_metadata_pb2.GetModelMetadataResponse.FromString(reply)
            signatures = get_model_metadata_pb2.SignatureDefMap()
            metadata.metadata["signature_def"].Unpack(signatures)
        except DecodeError as error:
            raise ReplyError(f"the server's description of the model cannot be read: {error}") from None
        described = {name: _signature(one) for name, one in signatures.signature_def.items()}
        return ModelDescribed(versions, Servable.of(metadata.model_spec), described)

    def _versions(self, timeout_s: float) -> tuple[VersionDescribed, ...]:
        reply = self._ask(STATUS_METHOD, self._status_request(), timeout_s)
        try:
            statuses = get_model_status_pb2.GetModelStatusResponse.FromString(reply).model_version_status
        except DecodeError as error:
            raise ReplyError(f"the server's word on the model's versions cannot be read: {error}") from None
        return tuple(VersionDescribed(one.version, _state(one.state), one.status.error_message) for one in statuses)

    def _status_request(self) -> Any:
        # All versions, so that a wrong one can be answered with those that are there.
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = self.model.name
        return request

    def _ask(self, method: str, request: Any, timeout_s: float) -> bytes:
        try:
            return self.channel.unary_unary(method)(request.SerializeToString(), timeout=timeout_s)
        except grpc.RpcError as error:
            raise _failure(error) from None

    def send_blank(self, spec: CallSpec, timeout_s: float) -> None:
        """Make a request of blank images, and leave its answer."""
        self._ask(_METHODS[spec.method], codec.RequestEncoder(self.model, spec).blank(), timeout_s)

    def bound_ping(self, timeout_s: float) -> Callable[[], Any]:
        """Return a call for the model's status."""
        return functools.partial(
            bound(self.channel, STATUS_METHOD, timeout_s), self._status_request().SerializeToString()
        )

    def close(self) -> None:
        """Close the channel, if it was opened."""
        opened = self.__dict__.pop("channel", None)
        if opened is not None and self._opener is None:
            opened.close()


def _failure(error: grpc.RpcError) -> PredictionFailure:
    return PredictionFailure(error.code().name, error.details() or "")


def _signature(message: Any) -> SignatureDescribed:
    return SignatureDescribed(
        message.method_name,
        {name: _tensor(one) for name, one in message.inputs.items()},
        {name: _tensor(one) for name, one in message.outputs.items()},
        frozenset(getattr(message, "defaults", ())),  # none in the messages of older releases
    )


def _tensor(message: Any) -> TensorDescribed:
    shape = message.tensor_shape
    sizes = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
    return TensorDescribed(name_of(message.dtype), sizes)


def _state(number: int) -> str:
    """Return a state's name, or its number where a newer server knows one that we do not."""
    states = get_model_status_pb2.ModelVersionStatus.State
    return states.Name(number) if number in states.values() else str(number)
