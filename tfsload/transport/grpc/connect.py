"""Opens the channel that was asked for."""

import grpc

from tfsload.transport import backoff
from tfsload.transport.asked import ConnectionAsked
from tfsload.transport.grpc import native
from tfsload.transport.grpc.pool import PoolSettings
from tfsload.transport.tls import TlsCredentials


def connect(asked: ConnectionAsked, credentials: TlsCredentials | None) -> grpc.Channel:
    """Open a channel to the model server; it connects on first use.

    Never call this before the fork of `--processes`: a channel does not survive it.

    Args:
        asked: where to, and how.
        credentials: for TLS; None: cleartext.
    """
    if asked.transport == "grpcio":
        from tfsload.transport.grpc import grpcio

        return grpcio.connect(asked, credentials)
    where = asked.server
    pool = PoolSettings(
        where,
        n_connections=asked.connections,
        tls=credentials.context if credentials else None,
        tls_name=where.host if where.port is not None else "localhost",
        initial_backoff_s=backoff.PROMPT_INITIAL_S,
        max_backoff_s=backoff.PROMPT_MAX_S,
    )
    return native.NativeChannel(pool, metadata=asked.metadata)
