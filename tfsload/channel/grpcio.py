"""The reference transport: grpcio, taught to yield to gevent."""

import grpc
import grpc.experimental.gevent as grpc_gevent

from tfsload.settings import Settings

_OPTIONS = (
    # grpcio refuses replies over 4 MB; the server sends what was asked for, and the deadline bounds it.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A server that was restarted is to be noticed within the run, not after grpcio's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # A load generator measures the address that it was given, not a proxy from the environment.
    ("grpc.enable_http_proxy", 0),
)

_is_gevent_ready = False


def connect(settings: Settings) -> grpc.Channel:
    """Open an insecure channel to `settings.target`.

    gevent is initialised here, in the process that uses it: grpcio's threads do not survive a fork.
    """
    global _is_gevent_ready
    if not _is_gevent_ready:
        grpc_gevent.init_gevent()
        _is_gevent_ready = True
    return grpc.insecure_channel(settings.target.address, options=_OPTIONS)
