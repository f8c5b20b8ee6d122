"""A `grpc.Channel` on the gevent event loop, for unary calls."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import gevent
import grpc

from tfsload.transport.grpc.call import Call
from tfsload.transport.grpc.headers import RequestHeaders, request_headers
from tfsload.transport.grpc.pool import Pool, PoolSettings
from tfsload.transport.grpc.status import ChannelRpcError, EndedRpc, Metadata

# What a stream's window takes, less the five bytes before a message.
DEFAULT_MAX_REPLY_BYTES = 2**31 - 1 - 5
# gRPC writes at most eight digits of seconds: a longer limit is none.
LONGEST_TIMEOUT_S = 10**8
# Headers for a handful of timeouts and metadata are kept; a new timeout with every call is not to fill the memory.
_KEPT_HEADERS = 64

_NO_STREAMS = "the native channel has unary calls only, as TensorFlow Serving does; for streams use grpcio's channel"


if TYPE_CHECKING:  # the stubs' classes take types, grpcio's own none
    _UnaryUnary = grpc.UnaryUnaryMultiCallable[Any, Any]
    _CallFuture = grpc._CallFuture[Any]
else:
    _UnaryUnary = grpc.UnaryUnaryMultiCallable

    class _CallFuture(grpc.Future, grpc.Call):
        pass


class NativeChannel(grpc.Channel):
    """Unary calls over HTTP/2 without grpcio's core; use it from gevent's main thread.

    It connects on first use. Never use it before a fork.
    """

    def __init__(
        self,
        settings: PoolSettings,
        max_reply_bytes: int = DEFAULT_MAX_REPLY_BYTES,
        metadata: Iterable[tuple[str, str | bytes]] = (),
    ) -> None:
        """Open a channel.

        Args:
            settings: where and how to connect.
            max_reply_bytes: a longer reply ends its call with RESOURCE_EXHAUSTED.
            metadata: sent with every call.
        """
        self.pool = Pool(settings)
        self.max_reply_bytes = max_reply_bytes
        self.metadata = tuple(metadata)
        self.authority = (settings.tls_name and settings.tls and _authority(settings)) or settings.address.authority
        self.scheme = "https" if settings.tls else "http"
        self._headers: dict[tuple[str, float | None], RequestHeaders] = {}

    def headers_of(
        self, method: str, timeout: float | None, metadata: Iterable[tuple[str, str | bytes]] | None
    ) -> RequestHeaders:
        """Return a call's headers: the same ones for all callers, where the call has no metadata of its own."""
        headers = self._headers.get((method, timeout)) if metadata is None else None
        if headers is None:
            pairs = (*self.metadata, *(metadata or ()))
            headers = request_headers(method, self.authority, self.scheme, timeout, pairs)
            if metadata is None:
                if len(self._headers) >= _KEPT_HEADERS:
                    self._headers.clear()
                self._headers[method, timeout] = headers
        return headers

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> "UnaryUnary":
        """Return a callable for a method; without serialisers it takes and returns bytes."""
        return UnaryUnary(self, method, request_serializer, response_deserializer)

    def unary_stream(self, method: str, *_: Any, **__: Any) -> Any:
        """Return a callable that says that there are no streams."""
        return _refuse(method)

    def stream_unary(self, method: str, *_: Any, **__: Any) -> Any:
        """Return a callable that says that there are no streams."""
        return _refuse(method)

    def stream_stream(self, method: str, *_: Any, **__: Any) -> Any:
        """Return a callable that says that there are no streams."""
        return _refuse(method)

    def subscribe(self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool = False) -> None:
        """Not offered: a call connects by itself, and `wait_for_ready` waits."""
        raise NotImplementedError("the native channel does not report connectivity: call with wait_for_ready=True")

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """Do nothing: nobody can have subscribed."""

    def close(self) -> None:
        """Cancel what is under way and close all connections."""
        self.pool.close()

    def __enter__(self) -> "NativeChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _authority(settings: PoolSettings) -> str:
    port = settings.address.port
    name = f"[{settings.tls_name}]" if ":" in settings.tls_name else settings.tls_name
    return name if port is None else f"{name}:{port}"


def _refuse(method: str) -> Callable[..., Any]:
    def streaming(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"{method}: {_NO_STREAMS}")

    return streaming


class UnaryUnary(_UnaryUnary):
    """One method of a server."""

    def __init__(
        self,
        channel: NativeChannel,
        method: str,
        serialize: Callable[[Any], bytes] | None,
        deserialize: Callable[[bytes], Any] | None,
    ) -> None:
        self._channel = channel
        self._pool = channel.pool
        self._method = method
        self._serialize = serialize
        self._deserialize = deserialize

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, str | bytes]] | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """Call the method and return its answer.

        Args:
            request: the message, or bytes where there is no serialiser.
            timeout: seconds until the call is given up; None: no limit.
            metadata: pairs of key and value.
            credentials, compression: not offered.
            wait_for_ready: whether to wait, within the timeout, for a server that cannot be reached.

        Raises:
            grpc.RpcError: there was no answer, with `code()` and `details()`.
        """
        call = self._prepare(request, timeout, metadata, credentials, wait_for_ready, compression)
        self._pool.run(call)
        if call.error is not None:
            raise call.error
        return call.reply if self._deserialize is None else self._read(call.reply)

    def with_call(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, str | bytes]] | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> tuple[Any, grpc.Call]:
        """Call the method; return its answer and a `grpc.Call` with its metadata and code."""
        call = self._prepare(request, timeout, metadata, credentials, wait_for_ready, compression)
        self._pool.run(call)
        if call.error is not None:
            raise call.error
        return self._read(call.reply), ended(call)

    def future(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, str | bytes]] | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> "CallFuture":
        """Call the method in a greenlet of its own; return a `grpc.Future` that is a `grpc.Call` too."""
        call = self._prepare(request, timeout, metadata, credentials, wait_for_ready, compression)
        return CallFuture(self._pool, call, self._read)

    def _read(self, reply: bytes | None) -> Any:
        assert reply is not None  # a call has a reply, or an error
        return reply if self._deserialize is None else self._deserialize(reply)

    def _prepare(
        self,
        request: Any,
        timeout: float | None,
        metadata: Iterable[tuple[str, str | bytes]] | None,
        credentials: grpc.CallCredentials | None,
        wait_for_ready: bool | None,
        compression: grpc.Compression | None,
    ) -> Call:
        if credentials is not None or compression not in (None, grpc.Compression.NoCompression):
            raise NotImplementedError("the native channel has neither call credentials nor compressed requests")
        if timeout is not None and timeout >= LONGEST_TIMEOUT_S:
            timeout = None
        message = request if self._serialize is None else self._serialize(request)
        if not isinstance(message, bytes):
            raise TypeError(f"{self._method}: a message of type {type(message).__name__}, expected bytes")
        headers = self._channel.headers_of(self._method, timeout, metadata)
        deadline_ns = None if timeout is None else time.perf_counter_ns() + int(timeout * 1e9)
        return Call(headers, message, deadline_ns, bool(wait_for_ready), self._channel.max_reply_bytes)


def ended(call: Call) -> grpc.Call:
    """Return what is known of a call that has ended, as a `grpc.Call`."""
    if call.error is not None:
        return call.error
    return EndedRpc(
        grpc.StatusCode.OK,
        call.trailing.grpc_message if call.trailing else "",
        call.initial.metadata if call.initial else (),
        call.trailing.metadata if call.trailing else (),
    )


class CallFuture(_CallFuture):
    """A call under way in a greenlet of its own."""

    def __init__(self, pool: Pool, call: Call, read: Callable[[bytes | None], Any]) -> None:
        self._call = call
        self._read = read
        self._is_cancelled = False
        self._callbacks: list[Callable[[CallFuture], None]] = []
        self._greenlet = gevent.spawn(pool.run, call)
        self._greenlet.link(lambda _: self._run_callbacks())

    def _run_callbacks(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)

    def cancel(self) -> bool:
        """Give the call up; False if it has ended."""
        if self._call.is_over or self._greenlet.ready():
            return False
        self._is_cancelled = True
        self._greenlet.kill()
        self._call.fail(grpc.StatusCode.CANCELLED, "Locally cancelled by application!")
        return True

    def cancelled(self) -> bool:
        """Whether `cancel` has given it up."""
        return self._is_cancelled

    def running(self) -> bool:
        """Whether it goes on."""
        return not self._greenlet.ready()

    def done(self) -> bool:
        """Whether it has ended."""
        return self._greenlet.ready()

    def _wait(self, timeout: float | None) -> None:
        self._greenlet.join(timeout)
        if not self._greenlet.ready():
            raise grpc.FutureTimeoutError
        if self._is_cancelled:
            raise grpc.FutureCancelledError

    def result(self, timeout: float | None = None) -> Any:
        """Return the answer, waiting for it.

        Raises:
            grpc.RpcError: there was none.
            grpc.FutureTimeoutError: not within `timeout` seconds; the call goes on.
            grpc.FutureCancelledError: it was cancelled.
        """
        self._wait(timeout)
        if self._call.error is not None:
            raise self._call.error
        return self._read(self._call.reply)

    def exception(self, timeout: float | None = None) -> ChannelRpcError | None:
        """Return why there was no answer, waiting for it; None where there was one."""
        self._wait(timeout)
        return self._call.error

    def traceback(self, timeout: float | None = None) -> Any:
        """Return the error's traceback, waiting for it; None where there was an answer."""
        error = self.exception(timeout)
        return error.__traceback__ if error is not None else None

    def add_done_callback(self, fn: Callable[["CallFuture"], None]) -> None:
        """Call `fn` with this future when it has ended."""
        self._callbacks.append(fn)
        if self._greenlet.ready():
            self._run_callbacks()

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Call `callback` when it has ended; False if it has."""
        if self._greenlet.ready():
            return False
        self._callbacks.append(lambda _: callback())
        return True

    def is_active(self) -> bool:
        """Whether it goes on."""
        return self.running()

    def time_remaining(self) -> float | None:  # type: ignore[override]  # grpcio's own may return None, too
        """Return the seconds until it is given up; None without a limit."""
        if self._call.deadline_ns is None:
            return None
        return max((self._call.deadline_ns - time.perf_counter_ns()) / 1e9, 0.0)

    def _ended(self) -> grpc.Call:
        self._greenlet.join()
        return ended(self._call)

    def code(self) -> grpc.StatusCode:
        """Return the status code, waiting for it."""
        return self._ended().code()

    def details(self) -> str:
        """Return the words that came with it, waiting for them."""
        return self._ended().details()

    def initial_metadata(self) -> Metadata:
        """Return the metadata that came before the answer, waiting for it."""
        return self._ended().initial_metadata()

    def trailing_metadata(self) -> Metadata:
        """Return the metadata that came with the status, waiting for it."""
        return self._ended().trailing_metadata()
