"""The client's side of one HTTP/2 connection (RFC 9113): bytes in, ended calls out. Pure.

It opens no socket and reads no clock. Whoever does feeds it what was received, sends what `take_output`
returns, and looks at the calls that have ended.
"""

# Long because a connection's state machine is one thing: a frame may touch any of it.

from collections import OrderedDict

import grpc

from tfsload.transport.grpc import frames, status
from tfsload.transport.grpc.call import PREFIX_SIZE, Call
from tfsload.transport.grpc.frames import ProtocolError
from tfsload.transport.grpc.headers import HeadersTooLongError, decode_reply_headers
from tfsload.transport.grpc.known_replies import KnownReplies
from tfsload.transport.grpc.openings import Openings

# We take whatever comes: a reply's length is bounded by the call, not by the window.
OWN_WINDOW = frames.MAX_WINDOW
# When this much was received, the connection's window is opened again. A stream's takes the longest reply as it is.
_REOPEN_AT = 1 << 28
_OWN_SETTINGS = {
    # With a table of size 0 each header block of a reply stands for itself, and can be cached.
    frames.HEADER_TABLE_SIZE: 0,
    frames.ENABLE_PUSH: 0,
    frames.INITIAL_WINDOW_SIZE: OWN_WINDOW,
    frames.MAX_HEADER_LIST_SIZE: frames.MAX_HEADER_BLOCK,
}
# A message up to this size is not begun before the window takes all of it.
_SENT_WHOLE = frames.DEFAULT_MAX_FRAME_SIZE
# A peer that floods us with frames to be answered is not to fill the memory with answers.
_MAX_ANSWERS = 10_000
# When so much waits to be taken, calls wait their turn: a server that reads nothing, however wide it has opened its
# windows, is not to fill the memory with messages of calls that were given up long ago.
_MAX_OUTPUT = 1 << 20


class ClientProtocol:
    """One connection's streams, windows and settings.

    Attributes:
        calls: the calls in flight, by stream.
        waiting: calls for which there is no room yet, in order (as keys): the server allows no more streams, its
            window takes no message, or so much is to be sent already that more would only lie about.
        is_draining: whether no new call may start here: the server goes away, or the numbers are used up.
        going_away: the server's words on why it goes away; empty before.
        max_streams: the server's limit.
        is_ready: whether the server has sent its settings, so that its limits are known.
    """

    def __init__(self, first_stream: int = 1) -> None:
        """Begin a connection; `first_stream` is an odd number, above 1 only in tests."""
        self.calls: dict[int, Call] = {}
        self.waiting: OrderedDict[Call, None] = OrderedDict()
        self.is_draining = False
        self.going_away = ""
        self.max_streams = frames.MAX_STREAM_ID
        self._next_stream = first_stream
        self._parser = frames.FrameParser()
        self._known = KnownReplies()
        self._openings = Openings()
        self._n_output = 0  # bytes of messages in it
        self._output: list[bytes] = [
            frames.PREFACE,
            frames.settings_frame(_OWN_SETTINGS),
            frames.window_update(0, OWN_WINDOW - frames.DEFAULT_WINDOW),
        ]
        self._max_frame_size = frames.DEFAULT_MAX_FRAME_SIZE
        self._initial_window = frames.DEFAULT_WINDOW
        self._window = frames.DEFAULT_WINDOW  # what may still be sent on the connection
        # Calls that were begun, have more to send and may, in turn; those whose own window is shut are not among them.
        self._sendable: OrderedDict[Call, None] = OrderedDict()
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
        """Return what is to be sent, once; look at `take_unprocessed` afterwards."""
        output = b"".join(self._output)
        self._output.clear()
        self._n_answers = 0
        was_full, self._n_output = self._n_output >= _MAX_OUTPUT, 0
        if was_full:
            self._go_on()
        return output

    def take_ended(self) -> list[Call]:
        """Return the calls that have ended since the last time."""
        ended, self._ended = self._ended, []
        return ended

    def take_unprocessed(self) -> list[Call]:
        """Return the calls that the server declared unprocessed: they may be sent again elsewhere."""
        unprocessed, self._unprocessed = self._unprocessed, []
        return unprocessed

    # Sending

    def start(self, call: Call) -> None:
        """Send a call, or let it wait for room. Not on a draining connection."""
        if self.waiting:
            self.waiting[call] = None
        elif not self.start_like_others(call):
            if self._has_room(call):
                self._send(call)
            else:
                self.waiting[call] = None

    def start_like_others(self, call: Call) -> bool:
        """Send a call that is like one before it, where that takes two frames; return whether it was sent.

        The short way to what `_has_room` and `_send` would come to: it saves four calls of functions for each request.
        Where calls wait, it is not for those behind them. To be rid of it: have it return False at once.
        """
        message, calls = call.message, self.calls
        opening = self._openings.known.get((call.headers, len(message)))
        if opening is None or len(calls) >= self.max_streams:
            return False
        pack, first, middle, last, size = opening
        initial_window, n_output = self._initial_window, self._n_output
        if not (self._window >= size <= initial_window and size <= self._max_frame_size and n_output < _MAX_OUTPUT):
            return False
        stream = call.stream = self._next_stream
        self._next_stream = stream + 2
        if stream + 2 > frames.MAX_STREAM_ID:
            self.is_draining = True
        calls[stream] = call
        self._window -= size
        self._n_output = n_output + size
        call.window = initial_window - size
        self._output += (pack(first, stream, middle, stream, last), message)
        return True

    def _has_room(self, call: Call) -> bool:
        """Whether the server's limit of streams, its window and what is still to be sent leave room for a call.

        A short message waits until the window takes it whole: sent in pieces, it costs both sides several times
        the work. The calls in flight will open the window; where there is none, it is sent as far as it goes.
        """
        n_open = len(self.calls)
        if n_open >= self.max_streams or self._n_output >= _MAX_OUTPUT:
            return False
        size = len(call.message) + PREFIX_SIZE
        return size <= self._window or not n_open or (size > _SENT_WHOLE and self._window > 0)

    def _send(self, call: Call) -> None:
        stream = call.stream = self._next_stream
        self._next_stream = stream + 2
        if stream + 2 > frames.MAX_STREAM_ID:
            self.is_draining = True
        self.calls[stream] = call
        block = self._openings.block(call.headers)
        message = call.message
        size = len(message) + PREFIX_SIZE
        add = self._output.append
        if size <= self._window and size <= self._initial_window and size <= self._max_frame_size >= len(block):
            # The common case: all of it in two frames.
            self._window -= size
            self._n_output += size
            call.window = self._initial_window - size
            pack, first, middle, last, _ = self._openings.opening(call.headers, block, len(message))
            add(pack(first, stream, middle, stream, last))
            add(message)
            return
        add(frames.header_frames(stream, block, 0, self._max_frame_size))
        call.window = self._initial_window
        call.n_unsent = size
        self._sendable[call] = None
        self._send_rest()

    def _send_rest(self) -> None:
        """Send as much of messages that were begun as the windows allow, call by call in turn."""
        sendable = self._sendable
        while sendable and self._window > 0 and self._n_output < _MAX_OUTPUT:
            call, _ = sendable.popitem(last=False)
            size = min(call.n_unsent, self._window, call.window, self._max_frame_size)
            if size <= 0:
                continue  # its own window is shut; when it opens, the call is back
            piece = call.take_piece(size)
            self._window -= size
            self._n_output += size
            call.window -= size
            flags = 0 if call.n_unsent else frames.END_STREAM
            self._output.append(frames.frame(frames.DATA, flags, call.stream, piece))
            if call.n_unsent:
                sendable[call] = None

    def _forget_rest(self, call: Call) -> None:
        """Send no more of a call that has ended."""
        if call.n_unsent:
            call.n_unsent = 0
            self._sendable.pop(call, None)

    def _go_on(self) -> None:
        """Use the room that there is now: first for what was begun, then for what waits."""
        if self._sendable:
            self._send_rest()
        if self.waiting:
            self._start_waiting()

    def cancel(self, call: Call) -> None:
        """Give a call up: tell the server, and forget it. What still comes for it is ignored."""
        if self.calls.get(call.stream) is call:
            del self.calls[call.stream]
            self._forget_rest(call)
            self._output.append(frames.rst_stream(call.stream, frames.CANCEL))
            self._start_waiting()
        elif not call.stream:
            self.waiting.pop(call, None)

    def say_goodbye(self, code: int = frames.NO_ERROR, message: str = "") -> None:
        """Tell the peer that nothing more comes, and why; it began no streams, so the last of its was 0."""
        self._output.append(frames.goaway(0, code, message.encode()[:200]))

    def _start_waiting(self) -> None:
        waiting = self.waiting
        while waiting and not self.is_draining:
            call = next(iter(waiting))
            if not self.start_like_others(call):
                if not self._has_room(call):
                    break
                self._send(call)
            del waiting[call]
        if self.is_draining and self.waiting:
            self._unprocessed.extend(self.waiting)
            self.waiting.clear()

    # Receiving

    def receive(self, data: bytes) -> None:
        """Take what was received; look at `take_ended`, `take_unprocessed` and `take_output` afterwards.

        Raises:
            ProtocolError: the connection cannot go on; calls that have ended before are still in `take_ended`.
        """
        if not self.is_ready:
            _check_greeting(data)
        calls = self.calls
        if self.is_ready:
            data = self._read_known(data)
        received = self._parser.feed(data) if data else []
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
        if self._parser.broken is not None:
            raise self._parser.broken
        if self._unopened >= _REOPEN_AT:
            self._output.append(frames.window_update(0, self._unopened))
            self._unopened = 0

    def _read_known(self, data: bytes) -> bytes:
        """Take the replies of known form with which what was received begins; return what the parser is to have."""
        joined = self._parser.join(data)
        if joined is None:
            return data
        room = 0 if self._sendable else frames.MAX_WINDOW - self._window
        n_read, n_counted, n_opened = self._known.read(joined, self.calls, self._ended, room)
        self._window += n_opened
        self._unopened += n_counted
        if n_read and self.waiting:
            self._start_waiting()  # once for all that was read: each reply and each opening of a window makes room
        return joined[n_read:]

    def _check_was_opened(self, stream: int) -> None:
        if stream >= self._next_stream or not stream & 1:
            raise ProtocolError(frames.PROTOCOL_ERROR, f"a frame on stream {stream}, which was never opened")

    def _on_headers(self, flags: int, stream: int, block: bytes) -> None:
        call = self.calls.get(stream)
        if call is None:
            self._check_was_opened(stream)
            return  # as no block stands on another, none has to be read
        try:
            reply = decode_reply_headers(block)
        except HeadersTooLongError as error:
            call.fail(grpc.StatusCode.RESOURCE_EXHAUSTED, f"the server sent {error}")
            self._end(call, is_closed=bool(flags & frames.END_STREAM))
            return
        if flags & frames.END_STREAM:
            call.trailing = reply
            self._end(call, is_closed=True)
            self._known.learn(call)
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
        if not is_closed or call.n_unsent:
            # One side is open still: the server talks on, or has answered before it had the whole message.
            code = frames.NO_ERROR if is_closed else frames.CANCEL
            self._output.append(frames.rst_stream(call.stream, code))
            self._forget_rest(call)
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
            self._open_window(call, increment)
        self._go_on()

    def _open_window(self, call: Call, increment: int) -> None:
        call.window += increment
        if call.window > frames.MAX_WINDOW:
            raise ProtocolError(frames.FLOW_CONTROL_ERROR, f"stream {call.stream}'s window is too large")
        if call.n_unsent and call.window > 0:
            self._sendable[call] = None

    def _on_reset(self, stream: int, code: int) -> None:
        call = self.calls.get(stream)
        if call is None:
            self._check_was_opened(stream)
            return
        self._forget_rest(call)
        del self.calls[stream]
        if code == frames.REFUSED_STREAM:
            call.refusals += 1
            self._unprocessed.append(call)
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
                self._openings.set_table_size(value)
        self._answer(frames.frame(frames.SETTINGS, frames.ACK, 0, b""))
        self._go_on()

    def _set_initial_window(self, size: int) -> None:
        if size > frames.MAX_WINDOW:
            raise ProtocolError(frames.FLOW_CONTROL_ERROR, f"an initial window of {size}")
        change, self._initial_window = size - self._initial_window, size
        for call in self.calls.values():
            self._open_window(call, change)

    def _on_goaway(self, last_stream: int, code: int, debug: bytes) -> None:
        self.is_draining = True
        words = "".join(letter if letter.isprintable() else "?" for letter in debug[:200].decode("utf-8", "replace"))
        self.going_away = f"HTTP/2 error {code}{': ' + words if words else ''}"
        for stream in [stream for stream in self.calls if stream > last_stream]:
            call = self.calls.pop(stream)
            self._forget_rest(call)
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


# Where a frame's type stands in it: that of the first frame is no letter.
_FRAME_TYPE = 3


def _check_greeting(data: bytes) -> None:
    """Name what speaks instead of HTTP/2; its bytes would read as a frame of absurd length."""
    if data.startswith(b"HTTP/1"):
        raise ProtocolError(frames.PROTOCOL_ERROR, "it speaks HTTP/1, as a REST port does, or one that wants TLS")
    begin = data[: _FRAME_TYPE + 1].decode("ascii", "replace")
    if len(begin) > _FRAME_TYPE and begin.isascii() and begin.isprintable():
        # Some answer our first words as a request of HTTP/0.9, without a status line.
        said = "".join(letter for letter in data[:40].decode("ascii", "replace") if letter.isprintable())
        raise ProtocolError(frames.PROTOCOL_ERROR, f"it speaks HTTP/1, or other text, as a REST port does: {said!r}")
    if data.startswith(b"\x15\x03"):
        raise ProtocolError(frames.PROTOCOL_ERROR, "it answers in TLS: pass --tls")
