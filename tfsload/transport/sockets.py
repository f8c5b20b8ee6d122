"""Sockets to the server; a name is resolved anew for each connection."""

from typing import Any

import gevent
from gevent import socket

from tfsload.transport.address import Address


def open_socket(address: Address, timeout_s: float) -> socket.socket:
    """Connect, trying all addresses of a name in turn; each of several has its share of the time.

    One that swallows everything, as of a network that is not there, is not to keep the others from their turn.

    Raises:
        OSError: none of them could be reached.
    """
    if address.port is None:
        connection = socket.socket(socket.AF_UNIX)
        _connect(connection, address.host)
        return connection
    candidates = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    connection = _connect_to_any(candidates, timeout_s)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _connect_to_any(candidates: list[Any], timeout_s: float) -> socket.socket:
    error: OSError = OSError("the name has no address")
    for family, kind, protocol, _, where in candidates:
        connection = socket.socket(family, kind, protocol)
        try:
            # A little less than an equal share: the last one is to be told before the caller's own limit ends it.
            with gevent.Timeout(0.9 * timeout_s / len(candidates), TimeoutError(f"{where[0]} does not answer")):
                _connect(connection, where)
        except OSError as refused:
            error = refused
        else:
            return connection
    raise error


def _connect(connection: socket.socket, where: Any) -> None:
    try:
        connection.connect(where)
    except BaseException:
        connection.close()
        raise
