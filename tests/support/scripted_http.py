"""An HTTP server that does what a test tells it to, byte by byte."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.server import StreamServer

CLOSE, RESET = "close", "reset"
"""What a script may have among its bytes: the connection is closed, or reset."""


@dataclass(frozen=True)
class Received:
    """A request as it came.

    Attributes:
        line: its first line.
        headers: by name, in lower case.
        body: of it.
        connection: the number of the connection, from 0 on.
    """

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def said(self) -> Any:
        """What the body's JSON says, as Python's own reads it."""
        return json.loads(self.body)


def reply(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """Return a reply with a length."""
    fields = {"content_type": "application/json", "content_length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


class ScriptedHttp:
    """Listens on loopback, and answers each request as a function says.

    Attributes:
        requests: all that came.
        n_connections: made so far.
    """

    def __init__(self, answer: Callable[[Received], Iterable[Any]], where: Any = ("127.0.0.1", 0), **tls: Any) -> None:
        """Serve.

        Args:
            answer: is given a request, and returns what is done: bytes are sent, one piece a packet; CLOSE and RESET
                end the connection; what can be called is called, such as to wait for something.
            where: to listen.
            tls: of `StreamServer`.
        """
        self.requests: list[Received] = []
        self.n_connections = 0
        self._answer = answer
        self._server = StreamServer(where, self._serve, **tls)
        self._server.start()

    @property
    def address(self) -> str:
        host, port = self._server.address[:2]
        return f"{host}:{port}"

    @property
    def port(self) -> int:
        return self._server.server_port

    def _serve(self, socket, _):
        number, self.n_connections = self.n_connections, self.n_connections + 1
        file = socket.makefile("rb")
        try:
            while (request := _read(file, number)) is not None:
                self.requests.append(request)
                for what in self._answer(request):
                    if what in (CLOSE, RESET):
                        if what == RESET:
                            socket.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER: at once
                        return
                    if callable(what):
                        what()
                    else:
                        socket.sendall(what)
                        gevent.sleep(0)
        except OSError:  # the client has gone
            pass
        finally:
            file.close()
            socket.close()

    def stop(self) -> None:
        self._server.stop(timeout=0)


def _read(file: Any, number: int) -> Received | None:
    line = file.readline().decode().strip()
    if not line:
        return None
    headers = {}
    while field := file.readline().decode().strip():
        name, _, value = field.partition(":")
        headers[name.lower()] = value.strip()
    return Received(line, headers, file.read(int(headers.get("content-length", 0))), number)
