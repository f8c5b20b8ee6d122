"""Channels as a run opens them."""

import grpc

from tfsload.transport.asked import ConnectionAsked
from tfsload.transport.grpc.connect import connect
from tfsload.transport.tls import read_credentials


def open_channel(asked: ConnectionAsked) -> grpc.Channel:
    """Open the channel that was asked for."""
    return connect(asked, read_credentials(asked))
