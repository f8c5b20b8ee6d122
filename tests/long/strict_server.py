"""Knows one connection as a server does, and holds its client to every rule of RFC 9113. Pure."""

import struct
from collections import deque
from dataclasses import dataclass, field

import hpack
from hpack.hpack import decode_integer

from tests.long.finding import Finding, require
from tests.long.random_streams import raw_frames
from tfsload.transport.grpc import frames


@dataclass
class Stream:
    """One stream.

    Attributes:
        headers: of the request.
        window: what the client may still send on it.
        body: what it has sent.
        is_sent, is_answered: whether the client, the server, has ended its side.
    """

    headers: tuple[tuple[str, str], ...]
    window: int
    body: bytearray = field(default_factory=bytearray)
    is_sent: bool = False
    is_answered: bool = False


class StrictServer:
    """The rules and the state of the server's side.

    Attributes:
        streams: all that the client has opened, by number.
        open: those that neither side has reset and not both have ended.
        window: what the client may still send on the connection.
        last_stream: the last one that the server takes, once it goes away.
    """

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}
        self.open: dict[int, Stream] = {}
        self.window = frames.DEFAULT_WINDOW
        self.last_stream: int | None = None
        self._initial_window = frames.DEFAULT_WINDOW
        self._max_streams = frames.MAX_STREAM_ID
        self._max_frame_size = frames.DEFAULT_MAX_FRAME_SIZE
        self._decoder = hpack.Decoder()
        self._smallest_table = self._decoder.max_allowed_table_size  # since the last header block
        self._settings: deque[bytes] = deque()  # sent, and not acknowledged
        self._pings: deque[bytes] = deque()
        self._has_preface = False
        self._block = b""

    # What the server sends

    def send(self, unit: bytes) -> None:
        """Note what a unit of ours changes, before the client has it."""
        for frame in raw_frames(unit):
            kind, flags, stream, payload = _parts(frame)
            if kind in (frames.DATA, frames.HEADERS) and flags & frames.END_STREAM:
                self._end_side(stream, is_answered=True)
            elif kind == frames.RST_STREAM:
                self.open.pop(stream, None)
            elif kind == frames.WINDOW_UPDATE:
                self._open_window(stream, frames.read_u32(payload))
            elif kind == frames.SETTINGS and not flags & frames.ACK:
                self._settings.append(payload)
            elif kind == frames.PING and not flags & frames.ACK:
                self._pings.append(payload)
            elif kind == frames.GOAWAY:
                self.last_stream = frames.read_goaway(payload)[0]
                self.open = {stream: known for stream, known in self.open.items() if stream <= self.last_stream}

    def _open_window(self, stream: int, increment: int) -> None:
        if stream == 0:
            self.window += increment
        elif stream in self.open:
            self.open[stream].window += increment

    def _end_side(self, stream: int, is_answered: bool = False) -> None:
        known = self.open.get(stream)
        if known is None:
            return
        if is_answered:
            known.is_answered = True
        else:
            known.is_sent = True
        if known.is_answered and known.is_sent:
            del self.open[stream]

    def allows(self, unit: bytes) -> bool:
        """Whether SETTINGS would leave every window within its limit."""
        for name, value in struct.iter_unpack(">HL", unit[9:]):
            change = value - self._initial_window
            too_large = any(known.window + change > frames.MAX_WINDOW for known in self.open.values())
            if name == frames.INITIAL_WINDOW_SIZE and too_large:
                return False
        return True

    # What the client sends

    def receive(self, data: bytes) -> None:
        """Take what the client has sent.

        Raises:
            Finding: it breaks a rule.
        """
        if not self._has_preface:
            require(data.startswith(frames.PREFACE), "the client does not begin with its preface")
            data, self._has_preface = data[len(frames.PREFACE) :], True
        for frame in raw_frames(data):
            kind, flags, stream, payload = _parts(frame)
            length = int.from_bytes(frame[:3], "big")
            require(len(payload) == length <= self._max_frame_size, f"the client sends a frame of {length} bytes")
            if self._block:
                require(kind == frames.CONTINUATION, "the client interrupts a header block")
            _HANDLERS[kind](self, flags, stream, payload)

    def check_is_answered(self) -> None:
        """See whether the client has answered all that asks for an answer."""
        require(not self._settings, "the client has not acknowledged its settings")
        require(not self._pings, "the client has not answered a ping")

    def _on_headers(self, flags: int, stream: int, payload: bytes) -> None:
        self._block += payload
        if not flags & frames.END_HEADERS:
            return
        block, self._block = self._block, b""
        require(stream & 1 and stream > max(self.streams, default=0), f"the client opens stream {stream} out of turn")
        require(self.last_stream is None, "the client opens a stream though the server goes away")
        require(len(self.open) < self._max_streams, f"the client opens more than {self._max_streams} streams")
        self.streams[stream] = self.open[stream] = Stream(self._decoded(block), self._initial_window)

    def _decoded(self, block: bytes) -> tuple[tuple[str, str], ...]:
        """Read a header block, which must begin by shrinking its table where our settings have."""
        shrinks = self._smallest_table < self._decoder.header_table_size
        is_size = block[0] & 0xE0 == 0x20
        require(
            not shrinks or (is_size and decode_integer(block, 5)[0] <= self._smallest_table),
            "a header block does not shrink its table, as the server's settings ask",
        )
        self._smallest_table = self._decoder.max_allowed_table_size
        try:
            return tuple((name, value) for name, value in self._decoder.decode(block))
        except hpack.HPACKError as error:
            raise Finding(f"the server cannot read a header block: {error}") from None

    def _on_data(self, flags: int, stream: int, payload: bytes) -> None:
        known = self.open.get(stream)
        require(known is not None and not known.is_sent, "the client sends DATA on a stream that is not open")
        known.window -= len(payload)
        self.window -= len(payload)
        require(known.window >= 0 or not payload, "the client sends more than the stream's window")
        require(self.window >= 0, "the client sends more than the connection's window")
        known.body += payload
        if flags & frames.END_STREAM:
            self._end_side(stream)

    def _on_reset(self, _flags: int, stream: int, _payload: bytes) -> None:
        require(stream in self.streams, "the client resets a stream that it never opened")
        self.open.pop(stream, None)

    def _on_settings(self, flags: int, _stream: int, _payload: bytes) -> None:
        if not flags & frames.ACK:
            return
        require(self._settings, "the client acknowledges settings that nobody sent")
        for name, value in frames.read_settings(self._settings.popleft()):
            if name == frames.MAX_CONCURRENT_STREAMS:
                self._max_streams = value
            elif name == frames.MAX_FRAME_SIZE:
                self._max_frame_size = value
            elif name == frames.HEADER_TABLE_SIZE:
                self._decoder.max_allowed_table_size = value
                self._smallest_table = min(self._smallest_table, value)
            elif name == frames.INITIAL_WINDOW_SIZE:
                for known in self.open.values():
                    known.window += value - self._initial_window
                self._initial_window = value

    def _on_ping(self, flags: int, _stream: int, payload: bytes) -> None:
        require(flags & frames.ACK and self._pings, "the client sends a ping that nobody asked for")
        require(self._pings.popleft() == payload, "the client answers another ping")

    def _on_window_update(self, _flags: int, _stream: int, payload: bytes) -> None:
        require(frames.read_u32(payload) > 0, "the client opens a window by 0")

    def _on_goaway(self, _flags: int, _stream: int, payload: bytes) -> None:
        raise Finding(f"the client goes away, though the server keeps to the rules: {payload[8:]!r}")


_HANDLERS = {
    frames.HEADERS: StrictServer._on_headers,
    frames.CONTINUATION: StrictServer._on_headers,
    frames.DATA: StrictServer._on_data,
    frames.RST_STREAM: StrictServer._on_reset,
    frames.SETTINGS: StrictServer._on_settings,
    frames.PING: StrictServer._on_ping,
    frames.WINDOW_UPDATE: StrictServer._on_window_update,
    frames.GOAWAY: StrictServer._on_goaway,
}


def _parts(frame: bytes) -> tuple[int, int, int, bytes]:
    """Return a frame's kind, flags, stream and payload."""
    return frame[3], frame[4], int.from_bytes(frame[5:9], "big"), frame[9:]
