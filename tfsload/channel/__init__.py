"""gRPC channels for a gevent process: `connect` returns a `grpc.Channel`."""

import grpc

from tfsload.settings import Settings


def connect(settings: Settings) -> grpc.Channel:
    """Open a channel to the model server; it connects on first use.

    Never call this before the fork of `--processes`: a channel does not survive it.
    """
    from tfsload.channel import grpcio

    return grpcio.connect(settings)
