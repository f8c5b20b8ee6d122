"""A server of HTTP/2 that does what it should not."""

import contextlib
from typing import NamedTuple

from gevent.pool import Pool
from gevent.server import StreamServer

from tfsload.transport.grpc import frames


class Frame(NamedTuple):
    """`frames.Frame`, with names."""

    kind: int
    flags: int
    stream: int
    payload: bytes
    flow_size: int


class FaultyServer:
    """Listens on loopback, and talks to each client as it is told.

    Attributes:
        n_accepted: connections so far.
        n_requests: requests that have arrived whole.
    """

    def __init__(self, talk):
        """Begin; `talk(server, socket, number)` serves the connection of that number, from 1."""
        self._talk = talk
        self._conversations = Pool()
        self._listener = StreamServer(("127.0.0.1", 0), self._converse, spawn=self._conversations)
        self._listener.start()
        self.n_accepted = 0
        self.n_requests = 0

    @property
    def address(self):
        return f"127.0.0.1:{self._listener.server_port}"

    @property
    def n_open(self):
        """Connections that neither side has closed."""
        return len(self._conversations)

    def _converse(self, socket, _address):
        self.n_accepted += 1
        with contextlib.suppress(OSError), socket:
            self._talk(self, socket, self.n_accepted)

    def received(self, socket):
        """Yield the client's frames until it closes."""
        with socket.makefile("rb") as stream:
            stream.read(len(frames.PREFACE))
            parser = frames.FrameParser()
            while data := stream.read1(65_536):
                for frame in map(Frame._make, parser.feed(data)):
                    self.n_requests += is_request(frame)
                    yield frame

    def die(self):
        """Close the port and all connections."""
        self._listener.close()
        self._conversations.kill()


def is_request(frame):
    """Whether a frame is a request's last."""
    return frame.kind == frames.DATA and bool(frame.flags & frames.END_STREAM)
