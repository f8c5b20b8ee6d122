"""One unary call: what is sent, what has come back, and how it ended. Pure."""

import struct
import zlib
from typing import Any

import grpc

from tfsload.transport.grpc import status
from tfsload.transport.grpc.headers import ReplyHeaders, RequestHeaders

PREFIX = struct.Struct(">BL")  # gRPC's prefix of a message: compressed or not, length
PREFIX_SIZE = PREFIX.size
# Forty million bytes that unpack to gigabytes are refused as they unpack, not after.
_UNPACK_STEP = 1 << 20


class Call:
    """A unary call from its first byte sent to its last byte received.

    Attributes:
        headers: of the request.
        message: the request's message.
        deadline_ns: on `time.perf_counter_ns`'s clock; None: no limit.
        waits_for_ready: whether it waits out a server that cannot be reached.
        max_reply_bytes: a longer reply ends the call.
        waiter: whom to wake when it has ended; set by the channel.
        stream: its stream's number, 0 while it has none.
        window: what may still be sent on the stream.
        n_unsent: bytes of the framed message that are left to be sent, where it is sent in pieces; else 0.
        returns: how often it came back unprocessed, to be sent again.
        refusals: how often a server refused just this call.
        reply: the reply's message; None until it is complete.
        error: why there is none; None while it goes on and after success.
        is_over: whether it has ended.
        initial, trailing: the reply's header blocks.
    """

    __slots__ = (
        "_buffer",
        "_expected",
        "deadline_ns",
        "error",
        "headers",
        "initial",
        "is_over",
        "max_reply_bytes",
        "message",
        "n_unsent",
        "refusals",
        "reply",
        "returns",
        "stream",
        "trailing",
        "waiter",
        "waits_for_ready",
        "window",
    )

    def __init__(
        self,
        headers: RequestHeaders,
        message: bytes,
        deadline_ns: int | None,
        waits_for_ready: bool,
        max_reply_bytes: int,
    ) -> None:
        self.headers = headers
        self.message = message
        self.deadline_ns = deadline_ns
        self.waits_for_ready = waits_for_ready
        self.max_reply_bytes = max_reply_bytes
        self.waiter: Any = None
        self.returns = 0
        self.refusals = 0
        self.error: status.ChannelRpcError | None = None
        self.is_over = False
        # As `reset` has it, which were a call more for every request.
        self.stream = 0
        self.window = 0
        self.n_unsent = 0
        self.reply: bytes | None = None
        self.initial: ReplyHeaders | None = None
        self.trailing: ReplyHeaders | None = None
        self._buffer: bytearray | None = None
        self._expected = 0

    def reset(self) -> None:
        """Forget what was sent and received, to be sent anew."""
        self.stream = 0
        self.window = 0
        self.n_unsent = 0
        self.reply = None
        self.initial = None
        self.trailing = None
        self._buffer = None
        self._expected = 0

    def take_piece(self, size: int) -> bytes:
        """Return the next `size` bytes of the framed message, of the `n_unsent` that are left."""
        start = PREFIX_SIZE + len(self.message) - self.n_unsent
        self.n_unsent -= size
        prefix = PREFIX.pack(0, len(self.message))[start : start + size]
        start = max(start - PREFIX_SIZE, 0)
        return prefix + self.message[start : start + size - len(prefix)]

    def receive(self, payload: bytes) -> None:
        """Take a DATA frame's payload; may end the call with an error."""
        if self.reply is None and self._buffer is None and len(payload) >= PREFIX_SIZE:
            compressed, length = PREFIX.unpack_from(payload)
            if not compressed and length == len(payload) - PREFIX_SIZE and length <= self.max_reply_bytes:
                self.reply = payload[PREFIX_SIZE:]  # the common case: one message in one frame
                return
        self._collect(payload)

    def _collect(self, payload: bytes) -> None:
        if not payload:
            return
        if self.reply is not None:
            self.fail(grpc.StatusCode.INTERNAL, "more than one message in the reply to a unary call")
            return
        if self._buffer is None:
            self._buffer = bytearray()
            self._expected = 0
        self._buffer += payload
        if not self._expected:
            if len(self._buffer) < PREFIX_SIZE:
                return
            compressed, length = PREFIX.unpack_from(self._buffer)
            if compressed > 1:
                self.fail(grpc.StatusCode.INTERNAL, f"a message that begins with {compressed}: expected 0 or 1")
                return
            if length > self.max_reply_bytes:
                self._fail_too_long(length)
                return
            self._expected = PREFIX_SIZE + length
        if len(self._buffer) > self._expected:
            self.fail(grpc.StatusCode.INTERNAL, "more than one message in the reply to a unary call")
        elif len(self._buffer) == self._expected:
            self._complete(bytes(self._buffer))

    def _complete(self, framed: bytes) -> None:
        self._buffer = None
        message = framed[PREFIX_SIZE:]
        if framed[0]:
            encoding = self.initial.encoding if self.initial else "identity"
            if encoding != "gzip":
                self.fail(grpc.StatusCode.INTERNAL, f"a reply compressed as {encoding!r}: gzip was offered")
                return
            try:
                message = self._unpacked(message)
            except zlib.error as error:
                self.fail(grpc.StatusCode.INTERNAL, f"a reply that is not gzip, though it says so: {error}")
                return
        self.reply = message

    def _unpacked(self, packed: bytes) -> bytes:
        unpacker = zlib.decompressobj(wbits=31)
        pieces, size = [], 0
        while packed and not unpacker.eof:
            piece = unpacker.decompress(packed, _UNPACK_STEP)
            size += len(piece)
            if size > self.max_reply_bytes:
                self._fail_too_long(size)
                return b""
            pieces.append(piece)
            packed = unpacker.unconsumed_tail
        if not unpacker.eof:
            raise zlib.error("it is cut short")
        if unpacker.unused_data:
            raise zlib.error("more follows its end")
        return b"".join(pieces)

    def _fail_too_long(self, length: int) -> None:
        self.fail(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            f"a reply of at least {length} bytes: at most {self.max_reply_bytes} are taken",
        )

    def finish(self) -> None:
        """End the call: the server has closed the stream."""
        if self.is_over:
            return
        trailing = self.trailing
        if trailing is None or trailing.grpc_status is None:
            self._finish_without_status()
        elif trailing.grpc_status != 0:
            self.fail(status.from_number(trailing.grpc_status), trailing.grpc_message)
        elif self.initial is None and (self.reply is not None or self._buffer is not None):
            self.fail(grpc.StatusCode.INTERNAL, "a reply's message before its headers")
        elif self.reply is None:
            found = "half a message" if self._buffer else "no message"
            self.fail(grpc.StatusCode.INTERNAL, f"status OK with {found}")
        else:
            self.is_over = True

    def _finish_without_status(self) -> None:
        http_status = self.initial.http_status if self.initial else None
        if http_status is None and self.trailing is not None:
            http_status = self.trailing.http_status
        if http_status in (None, 200):
            content_type = self.initial.content_type if self.initial else ""
            of_what = "" if content_type.startswith("application/grpc") else f" (its content-type is {content_type!r})"
            self.fail(grpc.StatusCode.UNKNOWN, f"the server ended the call without a grpc-status{of_what}")
        else:
            self.fail(status.from_http_status(http_status), f"HTTP status {http_status} and no grpc-status")

    def fail(self, code: grpc.StatusCode, details: str) -> None:
        """End the call with an error; the first one stands."""
        if not self.is_over:
            self.is_over = True
            self.error = status.ChannelRpcError(
                code,
                details,
                self.initial.metadata if self.initial else (),
                self.trailing.metadata if self.trailing else (),
            )
