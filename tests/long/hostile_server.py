"""A server over TCP that answers gRPC calls as it likes: well, wrongly, late, too often or not at all."""

import contextlib
import random
import socket
import struct
from collections import deque
from collections.abc import Iterator

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer

from tests.long import random_streams
from tests.long.random_streams import raw_frames
from tfsload.transport.grpc import frames

# A server that is honest answers each request with the request itself.
_GREETINGS = {
    "settings": 12,
    "settings, in pieces": 4,
    "go away": 1,
    "garbage": 1,
    "silence": 1,
    "close": 1,
    "reset": 1,
}
_ANSWERS = {
    "valid": 12,
    "damaged": 6,
    "nothing": 2,
    "late": 2,
    "garbage": 1,
    "flood": 2,
    "settings": 3,
    "go away": 2,
    "half, then close": 2,
    "close": 1,
    "reset": 1,
    "shut": 1,
    "silence": 1,
}


class _Over(Exception):  # noqa: N818  (no error)
    """The conversation has ended."""


class HostileServer:
    """Listens on a port of loopback; each connection is a `Conversation` with random numbers of its own.

    Attributes:
        port: where it listens.
    """

    def __init__(self, rng: random.Random, is_honest: bool) -> None:
        self._seed = rng.getrandbits(64)
        self._is_honest = is_honest
        self._n_conversations = 0
        self._handlers = Pool()
        self._is_over = Event()
        self.port = 0
        self.listen()

    def listen(self) -> None:
        """Listen, on the same port as before."""
        self._server = StreamServer(("127.0.0.1", self.port), self._converse, spawn=self._handlers)
        self._server.start()
        self.port = self._server.server_port

    def close_port(self) -> None:
        """Refuse new connections; those that are open go on."""
        self._server.close()

    def wait_until_left(self, limit_s: float) -> int:
        """Say and send nothing more; return how many connections the clients have not closed in time."""
        self._is_over.set()
        self._handlers.join(timeout=limit_s)
        return len(self._handlers)

    def stop(self) -> None:
        """Close all."""
        self._server.close()
        self._handlers.kill()

    def _converse(self, connection: socket.socket, _address: object) -> None:
        self._n_conversations += 1
        rng = random.Random(f"{self._seed}/{self._n_conversations}")
        with contextlib.suppress(OSError, _Over), connection:
            Conversation(connection, rng, self._is_honest, self._is_over).run()


class Conversation:
    """One connection from its preface to its end."""

    def __init__(self, connection: socket.socket, rng: random.Random, is_honest: bool, is_over: Event) -> None:
        self._socket = connection
        self._rng = rng
        self._is_honest = is_honest
        self._is_over = is_over
        self._bodies: dict[int, bytearray] = {}

    def run(self) -> None:
        """Greet, then answer each request."""
        self._greet()
        for frame in self._received():
            kind, flags, stream, payload = frame[3], frame[4], int.from_bytes(frame[5:9], "big"), frame[9:]
            if kind == frames.HEADERS:
                self._bodies[stream] = bytearray()
            elif kind == frames.DATA and stream in self._bodies:
                self._bodies[stream] += payload
                self._open_windows(stream, len(payload))
                if flags & frames.END_STREAM:
                    self._answer(stream, bytes(self._bodies.pop(stream)[5:]))

    def _received(self) -> Iterator[bytes]:
        """Yield the client's frames until it closes."""
        waiting = b""
        skipped = len(frames.PREFACE)
        while data := self._socket.recv(65_536):
            data, skipped = data[skipped:], max(skipped - len(data), 0)
            *whole, waiting = [*raw_frames(waiting + data), b""]
            if whole and len(whole[-1]) < max(9, 9 + int.from_bytes(whole[-1][:3], "big")):
                waiting = whole.pop()
            if not self._is_over.is_set():
                yield from whole

    # What it sends

    def _send(self, data: bytes) -> None:
        """Send at once or in pieces, with a pause now and then."""
        for piece in random_streams.cut(self._rng, data, self._rng.choice((0, 0, 0, 1, 4))):
            self._socket.sendall(piece)
            if self._rng.random() < 0.1:
                gevent.sleep(self._rng.uniform(0, 0.01))

    def _greet(self) -> None:
        greeting = "settings" if self._is_honest else self._choose(_GREETINGS)
        settings = random_streams.settings_unit(self._rng)
        if self._is_honest:
            settings = frames.settings_frame({frames.MAX_CONCURRENT_STREAMS: self._rng.choice((1, 3, 100))})
        if greeting == "settings":
            self._socket.sendall(settings)
        elif greeting == "settings, in pieces":
            self._send(settings + frames.window_update(0, 1_000_000))
        elif greeting == "go away":
            self._send(settings + frames.goaway(0, frames.NO_ERROR, b"not now"))
        elif greeting == "garbage":
            self._send(self._rng.randbytes(self._rng.randrange(1, 60)))
        else:
            self._leave(greeting)

    def _choose(self, weights: dict[str, int]) -> str:
        return self._rng.choices(list(weights), list(weights.values()))[0]

    def _open_windows(self, stream: int, size: int) -> None:
        if size and (self._is_honest or self._rng.random() < 0.9):
            self._send(frames.window_update(0, size) + frames.window_update(stream, size))

    def _answer(self, stream: int, body: bytes) -> None:
        if self._is_honest:
            answer = self._rng.choice((random_streams.answer, random_streams.usual_answer))
            self._send(b"".join(answer(self._rng, stream, body)[0]))
            return
        how = self._choose(_ANSWERS)
        reply = b"".join(random_streams.any_reply(self._rng, stream)[0])
        if how in ("valid", "late"):
            gevent.sleep(0 if how == "valid" else self._rng.uniform(0, 0.5))
            self._send(reply)
        elif how == "damaged":
            self._send(random_streams.damage(self._rng, reply))
        elif how == "garbage":
            self._send(self._rng.randbytes(100))
        elif how == "settings":
            self._send(random_streams.settings_unit(self._rng) + reply)
        elif how == "flood":
            self._send(self._flood(stream) + reply)
        elif how == "go away":
            self._send(frames.goaway(self._rng.choice((0, stream, 2**31 - 1)), self._rng.randrange(14)) + reply)
        elif how == "half, then close":
            self._send(reply[: self._rng.randrange(len(reply))])
            self._leave("close")
        elif how != "nothing":
            self._leave(how)

    def _flood(self, stream: int) -> bytes:
        flood = self._rng.choice(
            [
                frames.frame(frames.PING, 0, 0, bytes(8)),
                frames.settings_frame({frames.INITIAL_WINDOW_SIZE: 65_535}),
                frames.window_update(0, 1),
                frames.frame(frames.DATA, 0, stream, b""),
                frames.frame(frames.PRIORITY, 0, stream, bytes(5)),
                frames.rst_stream(stream, frames.CANCEL),
                frames.frame(99, 0, 0, b""),
            ]
        )
        return flood * self._rng.choice((10, 1000, 12_000))

    def _leave(self, how: str) -> None:
        """End the conversation, one way or another."""
        if how == "silence":  # nothing is sent, and nothing read
            self._is_over.wait()
            deque(self._received(), maxlen=0)
        elif how == "shut":  # the client may go on to send, and is to close
            self._socket.shutdown(socket.SHUT_WR)
            deque(self._received(), maxlen=0)
        elif how == "reset":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Over
