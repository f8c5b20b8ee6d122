"""Replies of a form that is known, read where they lie in the received bytes. Pure."""

import struct
from collections.abc import Callable

from tfsload.transport.grpc.call import PREFIX, PREFIX_SIZE, Call
from tfsload.transport.grpc.frames import (
    DATA,
    DEFAULT_MAX_FRAME_SIZE,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    WINDOW_UPDATE,
)
from tfsload.transport.grpc.headers import ReplyHeaders

# The nine bytes before a frame's payload: the length's 24 bits above the type's 8, flags, stream.
_HEAD = struct.Struct(">LBL")
_HEAD_SIZE = _HEAD.size
_LENGTH_TYPE_FLAGS = struct.Struct(">LB")
_U32 = struct.Struct(">L")
# The first four bytes of a frame that opens a window, which has four more behind its head.
_OPENS_WINDOW = 4 << 8 | WINDOW_UPDATE
_OPENING_SIZE = _HEAD_SIZE + 4
# Longer ones are not learnt, and so many forms at most: whatever a server sends, little is kept of it.
_LONGEST_BLOCK = 512
_KEPT = 64

# The end of a reply, from its DATA frame on: its length; its message's; what unpacks it (prefix, message, what the
# trailers' frame begins with, its stream, the trailers); the parts that must be as they were; the trailers, decoded.
_Unpack = Callable[[bytes, int], tuple[bytes, bytes, bytes, int, bytes]]
_End = tuple[int, int, _Unpack, bytes, bytes, bytes, ReplyHeaders]
# A whole reply, one frame behind the other: its length; its message's; what unpacks it (the first frame's beginning,
# stream, the opening with the next frame's beginning, stream, prefix, message, the last frame's beginning, stream, the
# trailers); the parts that must be as they were; the opening and the trailers, decoded.
_UnpackWhole = Callable[[bytes, int], tuple[bytes, int, bytes, int, bytes, bytes, bytes, int, bytes]]
_Whole = tuple[int, int, _UnpackWhole, bytes, bytes, bytes, bytes, bytes, ReplyHeaders, ReplyHeaders]


class KnownReplies:
    """Reads replies that differ from an earlier one in stream and message alone.

    Why: a server answers thousands of times in the same bytes; cutting them into frames, and having each frame looked
    at by itself, was half of what a reply cost. What is read here is a HEADERS frame that is known, a DATA frame of a
    known length together with the trailers that follow it, and (gRPC's own servers send one with every write) what
    opens the connection's window while nobody waits for that. Anything else is left to the parser, with all that
    follows it, so that nothing has to be understood here but what went well before.
    Sound as we offer an HPACK table of size 0: a block means the same wherever it stands, or nothing at all.
    To be rid of it: have `read` return 0, 0, 0 at once.
    """

    def __init__(self) -> None:
        self._openings: dict[bytes, ReplyHeaders] = {}  # header blocks, and what they say
        self._ends: dict[int, _End] = {}  # by the DATA frame's first four bytes: its length and type
        self._wholes: dict[bytes, _Whole] = {}  # by the opening with the DATA frame's beginning
        self._whole: _Whole | None = None  # of the reply that came last: most come in one piece, and are alike

    def learn(self, call: Call) -> None:
        """Remember the form of a call's reply, if it has ended well."""
        reply, initial, trailing = call.reply, call.initial, call.trailing
        if reply is None or initial is None or trailing is None or call.error is not None:
            return
        opening, trailers, size = initial.block, trailing.block, PREFIX_SIZE + len(reply)
        if size > DEFAULT_MAX_FRAME_SIZE or max(len(opening), len(trailers)) > _LONGEST_BLOCK:
            return
        if opening not in self._openings:
            if len(self._openings) >= _KEPT:
                self._openings.clear()
            self._openings[opening] = initial
        known = self._ends.get(size << 8 | DATA)
        if known is None or known[5] != trailers:
            if len(self._ends) >= _KEPT:
                self._ends.clear()
            self._wholes.clear()  # some may have the trailers that were
            self._ends[size << 8 | DATA] = (
                _HEAD_SIZE + size + _HEAD_SIZE + len(trailers),
                len(reply),
                struct.Struct(f">9x{PREFIX_SIZE}s{len(reply)}s5sL{len(trailers)}s").unpack_from,
                PREFIX.pack(0, len(reply)),
                _LENGTH_TYPE_FLAGS.pack(len(trailers) << 8 | HEADERS, END_HEADERS | END_STREAM),
                trailers,
                trailing,
            )
        self._whole = self._know_whole(initial, len(reply), trailing)

    def _know_whole(self, initial: ReplyHeaders, length: int, trailing: ReplyHeaders) -> _Whole:
        if len(self._wholes) >= _KEPT:
            self._wholes.clear()
        whole = _whole(initial, length, trailing)
        self._wholes[whole[4]] = whole
        return whole

    # Long because each part that were a function of its own would be a call more for every reply.
    def read(self, data: bytes, calls: dict[int, Call], ended: list[Call], room: int) -> tuple[int, int, int]:
        """Take what is known from the beginning of `data`.

        Args:
            data: begins with a frame, outside a header block.
            calls: those in flight, by stream; whose reply is complete is taken out,
            ended: and added here.
            room: by how much the connection's window to the server may be opened here.

        Returns:
            How many bytes were taken; how many of them the connection's window counts; and by how much the one to the
            server was opened.
        """
        start, stop, n_counted, n_opened = 0, len(data), 0, 0
        openings, ends, unpack = self._openings, self._ends, _HEAD.unpack_from
        wholes, whole = self._wholes, self._whole
        if whole is not None:
            whole_size, length, unpack_whole, known_first, known_middle, known_prefix, known_last, known_trailers = (
                whole[:8]
            )
        while stop - start >= _HEAD_SIZE:
            if whole is not None and stop - start >= whole_size:
                first, stream, middle, second, prefix, message, last, third, trailers = unpack_whole(data, start)
                if (
                    first == known_first
                    and middle == known_middle
                    and prefix == known_prefix
                    and last == known_last
                    and trailers == known_trailers
                    and stream == second == third
                    and (call := calls.get(stream)) is not None
                    and call.initial is None
                    and call.reply is None
                    and call._buffer is None
                    and not call.n_unsent
                    and length <= call.max_reply_bytes
                ):
                    call.initial, call.reply, call.trailing, call.is_over = whole[8], message, whole[9], True
                    del calls[stream]
                    ended.append(call)
                    start += whole_size
                    n_counted += PREFIX_SIZE + length
                    continue
            length_and_kind, flags, stream = unpack(data, start)
            call = calls.get(stream)
            if call is None:
                if stream or length_and_kind != _OPENS_WINDOW or stop - start < _OPENING_SIZE:
                    break
                (increment,) = _U32.unpack_from(data, start + _HEAD_SIZE)
                if not 0 < increment <= room - n_opened:
                    break
                n_opened += increment
                start += _OPENING_SIZE
                continue
            if flags == END_HEADERS:
                end = start + _HEAD_SIZE + (length_and_kind >> 8)
                other = wholes.get(data[start + _HEAD_SIZE : end + _LENGTH_TYPE_FLAGS.size])
                if other is not None and other is not whole:
                    # A reply of another form than the one before: it may be there as a whole, and so may the next.
                    self._whole = whole = other
                    (
                        whole_size,
                        length,
                        unpack_whole,
                        known_first,
                        known_middle,
                        known_prefix,
                        known_last,
                        known_trailers,
                    ) = whole[:8]
                    continue
                opening = openings.get(data[start + _HEAD_SIZE : end])
                if opening is None or end > stop or length_and_kind & 0xFF != HEADERS or call.initial is not None:
                    break
                call.initial = opening
                start = end
                continue
            known = ends.get(length_and_kind)
            if known is None or flags or stop - start < known[0]:
                break
            size, n_bytes, unpack_end, prefix_then, head_then, trailers_then, trailing = known
            prefix, message, head, trailers_stream, trailers = unpack_end(data, start)
            if prefix != prefix_then or head != head_then or trailers_stream != stream or trailers != trailers_then:
                break
            initial = call.initial
            if initial is None or call.n_unsent or n_bytes > call.max_reply_bytes:
                break
            if call.reply is not None or call._buffer is not None:
                break  # a part of it was there before
            call.reply, call.trailing, call.is_over = message, trailing, True
            del calls[stream]
            ended.append(call)
            if initial.block + data[start : start + _LENGTH_TYPE_FLAGS.size] not in wholes:
                self._know_whole(initial, n_bytes, trailing)  # of parts that were learnt with others
            start += size
            n_counted += PREFIX_SIZE + n_bytes
        return start, n_counted, n_opened


def _whole(initial: ReplyHeaders, length: int, trailing: ReplyHeaders) -> _Whole:
    """Return the form of a reply with these headers and a message of this length, in three frames."""
    opening, trailers, size = initial.block, trailing.block, PREFIX_SIZE + length
    middle = opening + _LENGTH_TYPE_FLAGS.pack(size << 8 | DATA, 0)
    packed = struct.Struct(f">5sL{len(middle)}sL{PREFIX_SIZE}s{length}s5sL{len(trailers)}s")
    return (
        packed.size,
        length,
        packed.unpack_from,
        _LENGTH_TYPE_FLAGS.pack(len(opening) << 8 | HEADERS, END_HEADERS),
        middle,
        PREFIX.pack(0, length),
        _LENGTH_TYPE_FLAGS.pack(len(trailers) << 8 | HEADERS, END_HEADERS | END_STREAM),
        trailers,
        initial,
        trailing,
    )
