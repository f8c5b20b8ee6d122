"""The client's side of one HTTP/2 connection (RFC 9113): bytes in, ended calls out. Pure.

It opens no socket and reads no clock. Whoever does feeds it what was received, sends what `take_output`
returns, and looks at the calls that have ended.
"""

import functools
import struct
from collections import deque

import grpc

from tfsload.channel import frames, status
from tfsload.channel.call import PREFIX, Call
from tfsload.channel.frames import ProtocolError
from tfsload.channel.headers import RequestEncoder, decode_reply_headers

# We take whatever comes: a reply's length is bounded by the call, not by the window.
OWN_WINDOW = frames.MAX_WINDOW
# When this much was received, the connection's window is opened again; a stream's, likewise.
_REOPEN_AT = 1 << 28
_OWN_SETTINGS = {
    # With a table of size 0 each header block of a reply stands for itself, and can be cached.
    frames.HEADER_TABLE_SIZE: 0,
    frames.ENABLE_PUSH: 0,
    frames.INITIAL_WINDOW_SIZE: OWN_WINDOW,
}
# A message up to this size is not begun before the window takes all of it.
_SENT_WHOLE = frames.DEFAULT_MAX_FRAME_SIZE
# A peer that floods us with frames to be answered is not to fill the memory with answers.
_MAX_ANSWERS = 10_000


class ClientProtocol:
    """One connection's streams, windows and settings.

    Attributes:
        calls: the calls in flight, by stream.
        waiting: calls for which the server's limit of streams, or its window, leaves no room yet, in order.
        is_draining: whether no new call may start here: the server goes away, or the numbers are used up.
        going_away: the server's words on why it goes away; empty before.
        max_streams: the server's limit.
        is_ready: whether the server has sent its settings, so that its limits are known.
    """

    def __init__(self, first_stream: int = 1) -> None:
        """Begin a connection; `first_stream` is an odd number, above 1 only in tests."""
        self.calls: dict[int, Call] = {}
        self.waiting: deque[Call] = deque()
        self.is_draining = False
        self.going_away = ""
        self.max_streams = frames.MAX_STREAM_ID
        self._next_stream = first_stream
        self._parser = frames.FrameParser()
        self._encoder = RequestEncoder()
        self._output: list[bytes] = [
            frames.PREFACE,
            frames.settings_frame(_OWN_SETTINGS),
            frames.window_update(0, OWN_WINDOW - frames.DEFAULT_WINDOW),
        ]
        self._max_frame_size = frames.DEFAULT_MAX_FRAME_SIZE
        self._initial_window = frames.DEFAULT_WINDOW
        self._window = frames.DEFAULT_WINDOW  # what may still be sent on the connection
        self._blocked: deque[Call] = deque()  # calls whose message waits for a window
        self._unopened = 0  # what was received since the connection's window was last opened
        self._n_answers = 0  # to pings and settings, since output was last taken
        self._ended: list[Call] = []
        self._unprocessed: list[Call] = []
        self.is_ready = False

    @property
    def is_idle(self) -> bool:
        """Whether no call is in flight or waiting."""
        return not (self.calls or self.waiting)

    @property
    def n_open(self) -> int:
        """Calls in flight or waiting."""
        return len(self.calls) + len(self.waiting)

    @property
    def has_output(self) -> bool:
        """Whether there is something to send."""
        return bool(self._output)

    def take_output(self) -> bytes:
        """Return what is to be sent, once."""
        output = b"".join(self._output)
        self._output.clear()
        self._n_answers = 0
        return output

    def take_ended(self) -> list[Call]:
        """Return the calls that have ended since the last time."""
        ended, self._ended = self._ended, []
        return ended

    @property
    def has_unprocessed(self) -> bool:
        """Whether `take_unprocessed` would return any."""
        return bool(self._unprocessed)

    def take_unprocessed(self) -> list[Call]:
        """Return the calls that the server declared unprocessed: they may be sent again elsewhere."""
        unprocessed, self._unprocessed = self._unprocessed, []
        return unprocessed

    # Sending

    def start(self, call: Call) -> None:
        """Send a call, or let it wait for room. Not on a draining connection."""
        if self.waiting or not self._has_room(call):
            self.waiting.append(call)
        else:
            self._send(call)

    def _has_room(self, call: Call) -> bool:
        """Whether the server's limit of streams and its window leave room for a call.

        A short message waits until the window takes it whole: sent in pieces, it costs both sides several times
        the work. The calls in flight will open the window; where there is none, it is sent as far as it goes.
        """
        n_open = len(self.calls)
        if n_open >= self.max_streams:
            return False
        size = len(call.message) + 5
        return size <= self._window or not n_open or size > _SENT_WHOLE

    def _send(self, call: Call) -> None:
        stream = call.stream = self._next_stream
        self._next_stream = stream + 2
        if stream + 2 > frames.MAX_STREAM_ID:
            self.is_draining = True
        self.calls[stream] = call
        block = self._encoder.encode(call.headers)
        message = call.message
        size = len(message) + 5
        add = self._output.append
        if size <= self._window and size <= self._initial_window and size <= self._max_frame_size >= len(block):
            # The common case: all of it in two frames.
            self._window -= size
            call.window = self._initial_window - size
            add(_opening(stream, block, size))
            add(message)
            return
        add(frames.header_frames(stream, block, 0, self._max_frame_size))
        call.window = self._initial_window
        call.unsent = memoryview(PREFIX.pack(0, len(message)) + message)
        self._blocked.append(call)
        self._send_blocked()

    def _send_blocked(self) -> None:
        """Send as much as the windows allow, call by call in turn."""
        stuck: deque[Call] = deque()
        while self._blocked and self._window > 0:
            call = self._blocked.popleft()
            if call.is_over or self.calls.get(call.stream) is not call:
                continue  # ended meanwhile
            size = min(len(call.unsent), self._window, call.window, self._max_frame_size)
            if size <= 0:
                stuck.append(call)
                continue
            piece, call.unsent = call.unsent[:size], call.unsent[size:]
            self._window -= size
            call.window -= size
            flags = 0 if call.unsent else frames.END_STREAM
            self._output.append(frames.frame(frames.DATA, flags, call.stream, bytes(piece)))
            if call.unsent:
                self._blocked.append(call)
        stuck.extend(self._blocked)
        self._blocked = stuck

    def _drop_unsent(self, call: Call) -> None:
        """Keep no message of a call that has ended: the window that it waits for may never come."""
        if call.unsent:
            call.unsent = b""
            self._blocked.remove(call)

    def cancel(self, call: Call) -> None:
        """Give a call up: tell the server, and forget it. What still comes for it is ignored."""
        if self.calls.get(call.stream) is call:
            del self.calls[call.stream]
            self._drop_unsent(call)
            self._output.append(frames.rst_stream(call.stream, frames.CANCEL))
            self._start_waiting()
        elif not call.stream and call in self.waiting:
            self.waiting.remove(call)

    def close(self, code: int = frames.NO_ERROR, message: str = "") -> None:
        """Say goodbye: the peer began no streams, so the last of its was 0."""
        self._output.append(frames.goaway(0, code, message.encode()[:200]))

    def _start_waiting(self) -> None:
        while self.waiting and not self.is_draining and self._has_room(self.waiting[0]):
            self._send(self.waiting.popleft())
        if self.is_draining and self.waiting:
            self._unprocessed.extend(self.waiting)
            self.waiting.clear()

    # Receiving

    def receive(self, data: bytes) -> None:
        """Take what was received; look at `take_ended`, `take_unprocessed` and `take_output` afterwards.

        Raises:
            ProtocolError: the connection cannot go on; calls that have ended before are still in `take_ended`.
        """
        calls = self.calls
        received = self._parser.feed(data)
        if not self.is_ready and received and (received[0][0] != frames.SETTINGS or received[0][1] & frames.ACK):
            raise ProtocolError(frames.PROTOCOL_ERROR, "the server's first frame is not SETTINGS")
        for kind, flags, stream, payload, flow_size in received:
            if kind == frames.DATA:
                self._unopened += flow_size
                call = calls.get(stream)
                if call is None:
                    self._check_was_opened(stream)  # cancelled: only the window counts
                    continue
                call.receive(payload)
                if flags & frames.END_STREAM or call.is_over:
                    self._end(call, is_closed=bool(flags & frames.END_STREAM))
            elif kind == frames.HEADERS:
                self._on_headers(flags, stream, payload)
            else:
                self._on_control(kind, flags, stream, payload)
        if self._unopened >= _REOPEN_AT:
            self._output.append(frames.window_update(0, self._unopened))
            self._unopened = 0

    def _check_was_opened(self, stream: int) -> None:
        if stream >= self._next_stream or not stream & 1:
            raise ProtocolError(frames.PROTOCOL_ERROR, f"a frame on stream {stream}, which was never opened")

    def _on_headers(self, flags: int, stream: int, block: bytes) -> None:
        reply = decode_reply_headers(block)
        call = self.calls.get(stream)
        if call is None:
            self._check_was_opened(stream)
            return
        if flags & frames.END_STREAM:
            call.trailing = reply
            self._end(call, is_closed=True)
        elif reply.http_status is not None and 100 <= reply.http_status < 200:
            return  # an interim answer: the real one follows
        elif call.initial is not None:
            call.fail(grpc.StatusCode.INTERNAL, "a second header block that does not end the reply")
            self._end(call, is_closed=False)
        else:
            call.initial = reply
            if reply.http_status != 200:
                call.finish()
                self._end(call, is_closed=False)

    def _end(self, call: Call, is_closed: bool) -> None:
        """Take a call off; `is_closed`: the server has closed its side of the stream."""
        call.finish()
        del self.calls[call.stream]
        if not is_closed or call.unsent:
            # One side is open still: the server talks on, or has answered before it had the whole message.
            code = frames.NO_ERROR if is_closed else frames.CANCEL
            self._output.append(frames.rst_stream(call.stream, code))
            self._drop_unsent(call)
        self._ended.append(call)
        if self.waiting:
            self._start_waiting()

    def _on_control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == frames.WINDOW_UPDATE:
            self._on_window_update(stream, frames.read_u32(payload) & frames.MAX_WINDOW)
        elif kind == frames.RST_STREAM:
            self._on_reset(stream, frames.read_u32(payload))
        elif kind == frames.PING:
            if not flags & frames.ACK:
                self._answer(frames.frame(frames.PING, frames.ACK, 0, payload))
        elif kind == frames.SETTINGS:
            if not flags & frames.ACK:
                self._on_settings(frames.read_settings(payload))
        elif kind == frames.GOAWAY:
            self._on_goaway(*frames.read_goaway(payload))

    def _answer(self, answer: bytes) -> None:
        self._n_answers += 1
        if self._n_answers > _MAX_ANSWERS:
            raise ProtocolError(frames.ENHANCE_YOUR_CALM, "too many pings or settings at once")
        self._output.append(answer)

    def _on_window_update(self, stream: int, increment: int) -> None:
        if not increment:
            raise ProtocolError(frames.PROTOCOL_ERROR, "a window opened by 0")
        if stream == 0:
            self._window += increment
            if self._window > frames.MAX_WINDOW:
                raise ProtocolError(frames.FLOW_CONTROL_ERROR, "the connection's window is too large")
        else:
            call = self.calls.get(stream)
            if call is None:
                self._check_was_opened(stream)
                return
            call.window += increment
            if call.window > frames.MAX_WINDOW:
                raise ProtocolError(frames.FLOW_CONTROL_ERROR, f"stream {stream}'s window is too large")
        if self._blocked:
            self._send_blocked()
        if self.waiting:
            self._start_waiting()

    def _on_reset(self, stream: int, code: int) -> None:
        call = self.calls.get(stream)
        if call is None:
            self._check_was_opened(stream)
            return
        self._drop_unsent(call)
        del self.calls[stream]
        if code == frames.REFUSED_STREAM:
            self._unprocessed.append(call)
        else:
            if code == frames.NO_ERROR and call.trailing is not None:
                call.finish()
            else:
                call.fail(status.from_reset(code), f"the server reset the stream (HTTP/2 error {code})")
            self._ended.append(call)
        self._start_waiting()

    def _on_settings(self, settings: list[tuple[int, int]]) -> None:
        self.is_ready = True
        for name, value in settings:
            if name == frames.MAX_CONCURRENT_STREAMS:
                self.max_streams = value
            elif name == frames.INITIAL_WINDOW_SIZE:
                self._set_initial_window(value)
            elif name == frames.MAX_FRAME_SIZE:
                if not frames.DEFAULT_MAX_FRAME_SIZE <= value < 2**24:
                    raise ProtocolError(frames.PROTOCOL_ERROR, f"a largest frame of {value} bytes")
                self._max_frame_size = value
            elif name == frames.HEADER_TABLE_SIZE:
                self._encoder.set_table_size(value)
        self._answer(frames.frame(frames.SETTINGS, frames.ACK, 0, b""))
        self._start_waiting()
        if self._blocked:
            self._send_blocked()

    def _set_initial_window(self, size: int) -> None:
        if size > frames.MAX_WINDOW:
            raise ProtocolError(frames.FLOW_CONTROL_ERROR, f"an initial window of {size}")
        change, self._initial_window = size - self._initial_window, size
        for call in self.calls.values():
            call.window += change
            if call.window > frames.MAX_WINDOW:
                raise ProtocolError(frames.FLOW_CONTROL_ERROR, f"stream {call.stream}'s window is too large")

    def _on_goaway(self, last_stream: int, code: int, debug: bytes) -> None:
        self.is_draining = True
        words = "".join(letter if letter.isprintable() else "?" for letter in debug[:200].decode("utf-8", "replace"))
        self.going_away = f"HTTP/2 error {code}{': ' + words if words else ''}"
        for stream in [stream for stream in self.calls if stream > last_stream]:
            call = self.calls.pop(stream)
            self._drop_unsent(call)
            self._unprocessed.append(call)
        self._start_waiting()

    def lose(self, code: grpc.StatusCode, details: str) -> None:
        """End all calls: the connection is gone. Those that were not sent count as unprocessed."""
        self.is_draining = True
        for call in self.calls.values():
            call.fail(code, details)
            self._ended.append(call)
        self.calls.clear()
        self._unprocessed.extend(self.waiting)
        self.waiting.clear()


@functools.lru_cache(maxsize=64)
def _opening_of(block_size: int) -> struct.Struct:
    """Return what packs a HEADERS frame, a DATA frame's head and the prefix of its message, in this order."""
    return struct.Struct(f">LBL{block_size}sLBLBL")


def _opening(stream: int, block: bytes, size: int) -> bytes:
    """Return a call's frames up to its message, which takes `size` bytes with its prefix."""
    return _opening_of(len(block)).pack(
        len(block) << 8 | frames.HEADERS, frames.END_HEADERS, stream, block,
        size << 8 | frames.DATA, frames.END_STREAM, stream, 0, size - 5,
    )  # fmt: skip
