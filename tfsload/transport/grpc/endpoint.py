"""Where to connect: `host:port`, `[ipv6]:port` or `unix:path`, resolved anew for each connection."""

from dataclasses import dataclass
from typing import Any

import gevent
from gevent import socket


@dataclass(frozen=True)
class Address:
    """A server's address.

    Attributes:
        text: as it was given.
        host: name or IP address; for a Unix socket its path.
        port: TCP port; None for a Unix socket.
    """

    text: str
    host: str
    port: int | None

    @property
    def authority(self) -> str:
        """What the `:authority` header says."""
        return "localhost" if self.port is None else self.text

    def open(self, timeout_s: float) -> socket.socket:
        """Connect, trying all addresses of a name in turn; each of several has its share of the time.

        One that swallows everything, as of a network that is not there, is not to keep the others from their turn.

        Raises:
            OSError: none of them could be reached.
        """
        if self.port is None:
            connection = socket.socket(socket.AF_UNIX)
            _connect(connection, self.host)
            return connection
        candidates = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        connection = _connect_to_any(candidates, timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def parse_address(text: str) -> Address:
    """Parse an address as gRPC writes it.

    Raises:
        ValueError: it is not one.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        return Address(text, "/" + path.lstrip("/") if path.startswith("//") else path, None)
    host, separator, port = text.rpartition(":")
    if not separator or not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
        raise ValueError(f"address {text!r}: expected host:port, [ipv6]:port or unix:path, with a port of 1 to 65535")
    return Address(text, host.removeprefix("[").removesuffix("]"), int(port))


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
