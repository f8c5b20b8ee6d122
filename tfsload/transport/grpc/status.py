"""What an answer without a gRPC status means, and the error that a caller sees. Pure."""

from collections.abc import Callable

import grpc

from tfsload.transport.grpc import frames

_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}

# gRPC's doc/http-grpc-status-mapping.md.
_BY_HTTP_STATUS = {
    400: grpc.StatusCode.INTERNAL,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.UNIMPLEMENTED,
    429: grpc.StatusCode.UNAVAILABLE,
    502: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.UNAVAILABLE,
}

# gRPC's doc/PROTOCOL-HTTP2.md, "Errors".
_BY_RESET = {
    frames.REFUSED_STREAM: grpc.StatusCode.UNAVAILABLE,
    frames.CANCEL: grpc.StatusCode.CANCELLED,
    frames.ENHANCE_YOUR_CALM: grpc.StatusCode.RESOURCE_EXHAUSTED,
    frames.INADEQUATE_SECURITY: grpc.StatusCode.PERMISSION_DENIED,
}


def from_number(number: int) -> grpc.StatusCode:
    """Return the code of a grpc-status; one that does not exist is UNKNOWN."""
    return _BY_NUMBER.get(number, grpc.StatusCode.UNKNOWN)


def from_http_status(status: int) -> grpc.StatusCode:
    """Return the code of an HTTP answer without a grpc-status."""
    return _BY_HTTP_STATUS.get(status, grpc.StatusCode.UNKNOWN)


def from_reset(code: int) -> grpc.StatusCode:
    """Return the code of a stream that the server reset."""
    return _BY_RESET.get(code, grpc.StatusCode.INTERNAL)


Metadata = tuple[tuple[str, str | bytes], ...]


class EndedRpc(grpc.Call):
    """What is known of an RPC that has ended."""

    def __init__(
        self, code: grpc.StatusCode, details: str, initial_metadata: Metadata = (), trailing_metadata: Metadata = ()
    ) -> None:
        super().__init__()
        self._code = code
        self._details = details
        self._initial_metadata = initial_metadata
        self._trailing_metadata = trailing_metadata

    def code(self) -> grpc.StatusCode:
        """Return the status code."""
        return self._code

    def details(self) -> str:
        """Return the server's or the channel's own words."""
        return self._details

    def initial_metadata(self) -> Metadata:
        """Return the metadata that the server sent before an answer."""
        return self._initial_metadata

    def trailing_metadata(self) -> Metadata:
        """Return the metadata that the server sent with the status."""
        return self._trailing_metadata

    def is_active(self) -> bool:
        """Whether the RPC goes on: no."""
        return False

    def time_remaining(self) -> None:  # type: ignore[override]  # grpcio's own returns None, too
        """Return None: it has ended."""

    def cancel(self) -> bool:
        """Do nothing: it has ended."""
        return False

    def add_callback(self, callback: Callable[[], None]) -> bool:  # noqa: ARG002  (grpc's name)
        """Do nothing: it has ended."""
        return False


class ChannelRpcError(EndedRpc, grpc.RpcError):  # type: ignore[misc]  # the stubs' metadata are of two types
    """An RPC that ended without an answer; reads like grpcio's own."""

    def __str__(self) -> str:
        return f"{self._code.name}: {self._details}"

    __repr__ = __str__
