"""HTTP/2 frames (RFC 9113, sections 4 and 6): bytes in, frames out, and back. Pure.

Padding and priority are taken off, and CONTINUATION frames are joined to their HEADERS, so that what
comes out is a message's own bytes.
"""

import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)

# Flags. ACK and END_STREAM share a bit: they never occur on the same kind of frame.
ACK = END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
WITH_PRIORITY = 0x20

# Error codes, RFC 9113, section 7.
(
    NO_ERROR,
    PROTOCOL_ERROR,
    INTERNAL_ERROR,
    FLOW_CONTROL_ERROR,
    SETTINGS_TIMEOUT,
    STREAM_CLOSED,
    FRAME_SIZE_ERROR,
    REFUSED_STREAM,
    CANCEL,
    COMPRESSION_ERROR,
    CONNECT_ERROR,
    ENHANCE_YOUR_CALM,
    INADEQUATE_SECURITY,
    HTTP_1_1_REQUIRED,
) = range(14)

# Settings, RFC 9113, section 6.5.2.
(
    HEADER_TABLE_SIZE,
    ENABLE_PUSH,
    MAX_CONCURRENT_STREAMS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
) = range(1, 7)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DEFAULT_WINDOW = 65_535
MAX_WINDOW = 2**31 - 1
DEFAULT_MAX_FRAME_SIZE = 16_384
MAX_STREAM_ID = 2**31 - 1
# More than any server has reason to send; a peer that goes on is not to fill the memory.
MAX_HEADER_BLOCK = 64 * 1024

_HEADER = struct.Struct(">LBL")  # the length's 24 bits above the type's 8, flags, stream
_SETTING = struct.Struct(">HL")
_U32 = struct.Struct(">L")
_TWO_U32 = struct.Struct(">LL")
_HEADER_SIZE = 9
_EXACT_SIZES = {RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4, PRIORITY: 5}
_ON_STREAM = {DATA, HEADERS, RST_STREAM, CONTINUATION, PRIORITY, PUSH_PROMISE}
_ON_CONNECTION = {SETTINGS, PING, GOAWAY}


class ProtocolError(Exception):
    """The peer broke the protocol; the connection cannot go on.

    Attributes:
        code: HTTP/2's error code, for our GOAWAY.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


# One frame as the protocol sees it: its kind (a joined header block is one HEADERS), its flags (of a joined block those
# of the HEADERS frame), its stream (0: the connection), its payload without padding and priority, and what a DATA frame
# takes from the flow-control windows, padding included (else 0). A plain tuple: tens of thousands are made a second.
Frame = tuple[int, int, int, bytes, int]


class FrameParser:
    """Cuts a byte stream into frames, however it arrives.

    Attributes:
        broken: why no frame comes any more after those that `feed` returned last; None: more may come.
    """

    def __init__(self, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        """Read frames of at most `max_frame_size` bytes: what our SETTINGS allow the peer."""
        self._max_frame_size = max_frame_size
        self._rest = b""
        self.broken: ProtocolError | None = None
        self._block: bytearray | None = None  # a header block whose CONTINUATION is to come
        self._block_start = (0, 0)  # flags and stream of its HEADERS

    def join(self, data: bytes) -> bytes | None:
        """Hand over what is left of the last bytes, with these behind: from a frame on. Within a header block: None.

        Whoever takes them feeds what he has no use for.
        """
        if self._block is not None:
            return None
        joined, self._rest = self._rest + data, b""
        return joined

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes and return the frames that they complete, each as `Frame` has it.

        A malformed frame behind others is told by `broken`: those that came before it count, however they arrived.

        Raises:
            ProtocolError: the first frame is malformed.
        """
        if self._rest:
            data = self._rest + data
        frames: list[Frame] = []
        start, end = 0, len(data)
        unpack, add = _HEADER.unpack_from, frames.append
        try:
            while end - start >= _HEADER_SIZE:
                length_and_kind, flags, stream = unpack(data, start)
                length, kind = length_and_kind >> 8, length_and_kind & 0xFF
                if length > self._max_frame_size:
                    raise ProtocolError(
                        FRAME_SIZE_ERROR, f"a frame of {length} bytes, {self._max_frame_size} are allowed"
                    )
                stop = start + _HEADER_SIZE + length
                if stop > end:
                    break
                payload = data[start + _HEADER_SIZE : stop]
                start = stop
                stream &= MAX_STREAM_ID  # the topmost bit is reserved
                # The two that carry a reply, in their plain form, take the short way.
                if kind == DATA and not flags & PADDED and stream and self._block is None:
                    add((DATA, flags, stream, payload, length))
                elif kind == HEADERS and flags & ~END_STREAM == END_HEADERS and stream and self._block is None:
                    add((HEADERS, flags, stream, payload, 0))
                else:
                    frame = self._unusual(kind, flags, stream, payload)
                    if frame is not None:
                        add(frame)
        except ProtocolError as error:
            if not frames:
                raise
            self.broken = error
        self._rest = data[start:]
        return frames

    def _unusual(self, kind: int, flags: int, stream: int, payload: bytes) -> Frame | None:
        self._check(kind, flags, stream, len(payload))
        if kind == CONTINUATION:
            return self._continue_block(flags, payload)
        if kind == DATA:
            return DATA, flags, stream, _unpadded(flags, payload), len(payload)
        if kind == HEADERS:
            return self._begin_block(flags, stream, _unpadded(flags, payload))
        if kind in (RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE):
            return kind, flags, stream, payload, 0
        return None  # PRIORITY says nothing to a client; unknown kinds are to be ignored

    def _check(self, kind: int, flags: int, stream: int, length: int) -> None:
        if self._block is not None and (kind != CONTINUATION or stream != self._block_start[1]):
            raise ProtocolError(PROTOCOL_ERROR, f"frame of kind {kind} within a header block")
        if kind == CONTINUATION and self._block is None:
            raise ProtocolError(PROTOCOL_ERROR, "CONTINUATION without HEADERS")
        if kind == PUSH_PROMISE:
            raise ProtocolError(PROTOCOL_ERROR, "PUSH_PROMISE, though push is switched off")
        if (kind in _ON_STREAM and not stream) or (kind in _ON_CONNECTION and stream):
            raise ProtocolError(PROTOCOL_ERROR, f"frame of kind {kind} on stream {stream}")
        exact = 0 if kind == SETTINGS and flags & ACK else _EXACT_SIZES.get(kind, length)
        if length != exact or (kind == SETTINGS and length % 6) or (kind == GOAWAY and length < 8):
            raise ProtocolError(FRAME_SIZE_ERROR, f"frame of kind {kind} with {length} bytes")

    def _begin_block(self, flags: int, stream: int, payload: bytes) -> Frame | None:
        if flags & WITH_PRIORITY:
            if len(payload) < 5:
                raise ProtocolError(FRAME_SIZE_ERROR, "HEADERS too short for its priority")
            payload = payload[5:]
        if flags & END_HEADERS:
            return HEADERS, flags, stream, payload, 0
        self._block, self._block_start = bytearray(payload), (flags, stream)
        return None

    def _continue_block(self, flags: int, payload: bytes) -> Frame | None:
        block = self._block
        assert block is not None  # else `_check` has refused it
        block += payload
        if len(block) > MAX_HEADER_BLOCK:
            raise ProtocolError(ENHANCE_YOUR_CALM, f"a header block of more than {MAX_HEADER_BLOCK} bytes")
        if not flags & END_HEADERS:
            return None
        self._block = None
        return HEADERS, self._block_start[0], self._block_start[1], bytes(block), 0


def _unpadded(flags: int, payload: bytes) -> bytes:
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ProtocolError(PROTOCOL_ERROR, "more padding than payload")
    return payload[1 : len(payload) - payload[0]]


def frame_header(length: int, kind: int, flags: int, stream: int) -> bytes:
    """Return the nine bytes before a payload of `length` bytes."""
    return _HEADER.pack(length << 8 | kind, flags, stream)


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a whole frame."""
    return frame_header(len(payload), kind, flags, stream) + payload


def header_frames(stream: int, block: bytes, flags: int, max_frame_size: int) -> bytes:
    """Return a header block as HEADERS and, where it is long, CONTINUATION frames."""
    if len(block) <= max_frame_size:
        return frame(HEADERS, flags | END_HEADERS, stream, block)
    pieces = [block[start : start + max_frame_size] for start in range(0, len(block), max_frame_size)]
    frames = [frame(HEADERS, flags, stream, pieces[0])]
    frames += [frame(CONTINUATION, 0, stream, piece) for piece in pieces[1:-1]]
    frames.append(frame(CONTINUATION, END_HEADERS, stream, pieces[-1]))
    return b"".join(frames)


def settings_frame(settings: dict[int, int]) -> bytes:
    """Return a SETTINGS frame of values by setting."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(name, value) for name, value in settings.items()))


def read_settings(payload: bytes) -> list[tuple[int, int]]:
    """Return the settings and values in a SETTINGS payload, in order."""
    return list(_SETTING.iter_unpack(payload))


def window_update(stream: int, increment: int) -> bytes:
    """Return a WINDOW_UPDATE frame."""
    return frame(WINDOW_UPDATE, 0, stream, _U32.pack(increment))


def rst_stream(stream: int, code: int) -> bytes:
    """Return a RST_STREAM frame."""
    return frame(RST_STREAM, 0, stream, _U32.pack(code))


def goaway(last_stream: int, code: int, debug: bytes = b"") -> bytes:
    """Return a GOAWAY frame."""
    return frame(GOAWAY, 0, 0, _TWO_U32.pack(last_stream, code) + debug)


def read_u32(payload: bytes) -> int:
    """Return the number in a RST_STREAM's or WINDOW_UPDATE's payload (the latter without its reserved bit)."""
    value: int = _U32.unpack(payload)[0]
    return value


def read_goaway(payload: bytes) -> tuple[int, int, bytes]:
    """Return a GOAWAY's last stream, error code and debug data."""
    last_stream, code = _TWO_U32.unpack_from(payload)
    return last_stream & MAX_STREAM_ID, code, payload[8:]
