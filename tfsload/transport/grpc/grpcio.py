"""The reference transport: grpcio, taught to yield to gevent."""

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.experimental.gevent as grpc_gevent

from tfsload.transport import backoff
from tfsload.transport.asked import ConnectionAsked
from tfsload.transport.tls import TlsCredentials

if TYPE_CHECKING:
    _UnaryUnary = grpc.UnaryUnaryMultiCallable[Any, Any]  # the stubs' class takes types, grpcio's own none
else:
    _UnaryUnary = grpc.UnaryUnaryMultiCallable

_is_gevent_ready = False


def connect(asked: ConnectionAsked, tls: TlsCredentials | None) -> grpc.Channel:
    """Open a channel to `asked.server`.

    gevent is initialised here, in the process that uses it: grpcio's threads do not survive a fork.

    Args:
        asked: where and how.
        tls: what TLS shows and trusts; None: cleartext.
    """
    global _is_gevent_ready
    if not _is_gevent_ready:
        grpc_gevent.init_gevent()
        _is_gevent_ready = True
    channels = [_open(asked, tls) for _ in range(asked.connections)]
    whole = channels[0] if len(channels) == 1 else SpreadChannel(channels)
    return grpc.intercept_channel(whole, _AddMetadata(asked.metadata)) if asked.metadata else whole


def _open(asked: ConnectionAsked, tls: TlsCredentials | None) -> grpc.Channel:
    options = (
        # grpcio refuses replies over 4 MB; the server sends what was asked for, and the deadline bounds it.
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.initial_reconnect_backoff_ms", int(backoff.PROMPT_INITIAL_S * 1000)),
        # grpcio gives an attempt to connect no more time than this.
        ("grpc.min_reconnect_backoff_ms", 2500),
        ("grpc.max_reconnect_backoff_ms", 2500),
        # A load generator measures the address that it was given, not a proxy from the environment.
        ("grpc.enable_http_proxy", 0),
        # Channels to one address would share one connection otherwise.
        ("grpc.use_local_subchannel_pool", 1),
    )
    address = asked.server.text
    if tls is None:
        return grpc.insecure_channel(address, options)
    # A certificate's file may hold the key, too.
    credentials = grpc.ssl_channel_credentials(tls.ca, tls.key or tls.certificate, tls.certificate)
    return grpc.secure_channel(address, credentials, options)


class SpreadChannel(grpc.Channel):
    """Several channels, used in turn."""

    def __init__(self, channels: list[grpc.Channel]) -> None:
        self._channels = channels

    def unary_unary(self, *arguments: Any, **options: Any) -> "SpreadCall":
        """Return a callable that uses the channels in turn."""
        return SpreadCall([channel.unary_unary(*arguments, **options) for channel in self._channels])

    def unary_stream(self, *arguments: Any, **options: Any) -> Any:
        """Use the first channel."""
        return self._channels[0].unary_stream(*arguments, **options)

    def stream_unary(self, *arguments: Any, **options: Any) -> Any:
        """Use the first channel."""
        return self._channels[0].stream_unary(*arguments, **options)

    def stream_stream(self, *arguments: Any, **options: Any) -> Any:
        """Use the first channel."""
        return self._channels[0].stream_stream(*arguments, **options)

    def subscribe(self, *arguments: Any, **options: Any) -> None:
        """Watch the first channel."""
        self._channels[0].subscribe(*arguments, **options)

    def unsubscribe(self, *arguments: Any, **options: Any) -> None:
        """Watch the first channel no longer."""
        self._channels[0].unsubscribe(*arguments, **options)

    def close(self) -> None:
        """Close all."""
        for one in self._channels:
            one.close()

    def __enter__(self) -> "SpreadChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SpreadCall(_UnaryUnary):
    """One method over several channels, in turn."""

    def __init__(self, calls: list[_UnaryUnary]) -> None:
        self._next = itertools.cycle(calls).__next__

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call over the next channel."""
        return self._next()(*arguments, **options)

    def with_call(self, *arguments: Any, **options: Any) -> Any:
        """Call over the next channel; also return the call."""
        return self._next().with_call(*arguments, **options)

    def future(self, *arguments: Any, **options: Any) -> Any:
        """Call over the next channel, without waiting."""
        return self._next().future(*arguments, **options)


class _AddMetadata(grpc.UnaryUnaryClientInterceptor):
    def __init__(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self._metadata = metadata

    def intercept_unary_unary(self, continuation: Callable[..., Any], client_call_details: Any, request: Any) -> Any:
        details = client_call_details._replace(metadata=[*(client_call_details.metadata or ()), *self._metadata])
        return continuation(details, request)
