"""HTTP replies out of what a connection brings. Pure."""

import zlib
from typing import NamedTuple

from httptools import HttpParserError, HttpResponseParser

OK = 200
DEFAULT_MAX_REPLY_BYTES = 2**31 - 1
# All that is no body: heads, interim replies, the sizes of chunks, trailers. Servers stay far below it.
_MOST_HEAD_BYTES = 1 << 16
# A byte of body may cost so many more where it comes in small chunks.
_MOST_CHUNK_BYTES = 16
_HEAD_END = b"\r\n\r\n"
# Heads differ by the date, once a second, and the length.
_MOST_HEADS = 512
_BEGINNING = b"HTTP/1."
_UNPACK_STEP = 1 << 20
_SWITCHING, _FIRST_FINAL, _NO_CONTENT, _NOT_MODIFIED = 101, 200, 204, 304


class HttpProtocolError(Exception):
    """What came is no reply, or one that is not taken.

    Attributes:
        code: the name of the status that it is counted as.
    """

    def __init__(self, words: str, code: str = "INTERNAL") -> None:
        super().__init__(words)
        self.code = code


class HttpReply(NamedTuple):
    """A reply.

    Attributes:
        status: its number.
        reason: the words beside it.
        headers: names in lower case, and values.
        body: unpacked.
        keeps: whether the connection may carry another request.
        is_answer: whether it may be a model server's answer: status 200, and no page.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    keeps: bool
    is_answer: bool

    def header(self, name: str) -> str:
        """Return a header's value; empty: there is none."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def is_html(self) -> bool:
        """Whether it is a page for people: what holds JSON is none, though small servers often say so of it."""
        return self.says_html and not self.body.lstrip().startswith((b"{", b"["))

    @property
    def says_html(self) -> bool:
        """Whether its headers say that it is a page."""
        return self.header("content-type").lower().startswith("text/html")


class KnownHead(NamedTuple):
    """What a head says that came before: of replies with a body of a known length, and nothing further to be done."""

    reason: str
    headers: tuple[tuple[str, str], ...]
    length: int


Heads = dict[bytes, KnownHead]
"""Heads by their bytes, for all connections to one server."""


class ReplyReader:
    """Reads the replies of one connection, one after the other.

    A reply whose head came before, byte by byte, and which is there as a whole, is not parsed anew. To be rid of it:
    give it no room for heads.

    Attributes:
        has_begun: whether some of the next reply is there.
        has_surplus: whether more came than was asked for: nothing further can be trusted.
    """

    def __init__(self, heads: Heads, max_reply_bytes: int = DEFAULT_MAX_REPLY_BYTES, most_heads: int = _MOST_HEADS):
        """Read nothing yet.

        Args:
            heads: those that are known, which it adds to.
            max_reply_bytes: a longer body is an error.
            most_heads: so many are kept.
        """
        self._heads, self._most_heads = heads, most_heads
        self._max_reply_bytes = max_reply_bytes
        self._parser = HttpResponseParser(self)
        self.has_surplus = False
        self._begin()

    def _begin(self) -> None:
        """Expect a reply."""
        self.has_begun = False
        self._beginning = b""
        self._n_taken = 0  # bytes since the last reply ended
        self._body: list[bytes] = []
        self._n_body = 0
        self._complete: HttpReply | None = None
        self._begin_message()

    def _begin_message(self) -> None:
        self._reason = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._fields: tuple[tuple[str, str], ...] | None = None  # of a head that is complete
        self._fault: HttpProtocolError | None = None

    def receive(self, data: bytes) -> HttpReply | None:
        """Take what the connection brings; return the reply that it completes.

        Raises:
            HttpProtocolError: it is none; the connection is of no more use.
        """
        if not self.has_begun:
            start = data.find(_HEAD_END) + 4
            known = self._heads.get(data[:start])
            if known is not None and len(data) == start + known.length:
                return HttpReply(OK, known.reason, known.headers, data[start:], True, True)
        return self._parse(data)

    def _parse(self, data: bytes) -> HttpReply | None:
        is_first = not self.has_begun
        self.has_begun = True
        self._n_taken += len(data)
        if len(self._beginning) < len(_BEGINNING):
            self._beginning = (self._beginning + data)[: len(_BEGINNING)]
            if not _BEGINNING.startswith(self._beginning):
                raise HttpProtocolError(_no_http(data), "UNAVAILABLE")
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            if self._complete is None:
                raise self._fault or HttpProtocolError(f"what the server sent is no HTTP reply: {error}") from None
            self.has_surplus = True
        if self._fault is not None:
            raise self._fault
        reply = self._complete
        if reply is None:
            if self._n_taken - self._n_body > _MOST_HEAD_BYTES + _MOST_CHUNK_BYTES * self._n_body:
                raise HttpProtocolError(f"a reply with more than {_MOST_HEAD_BYTES:,} bytes of headers")
            return None
        if is_first:
            self._remember(data, reply)
        self._begin()
        return reply

    def end(self) -> HttpReply | None:
        """Take the end of the connection; return the reply that ends with it, as one without a length does."""
        fields = self._fields
        if fields is None or any(name in ("content-length", "transfer-encoding") for name, _ in fields):
            return None
        self.on_message_complete()
        if self._fault is not None:
            raise self._fault
        return self._complete

    @property
    def progress(self) -> str:
        """How far the reply is, where it broke off."""
        if self._fields is None:
            return "in the head of its reply"
        length = next((value for name, value in self._fields if name == "content-length"), "")
        return f"after {self._n_body} of {length} bytes of its reply" if length else "in the middle of its reply"

    def _remember(self, data: bytes, reply: HttpReply) -> None:
        start = data.find(_HEAD_END) + 4
        is_plain = reply.is_answer and reply.keeps and not self.has_surplus and len(reply.body) == len(data) - start
        if (
            not is_plain
            or reply.says_html
            or reply.header("content-length") != str(len(reply.body))
            or reply.header("content-encoding")
        ):
            return
        if len(self._heads) >= self._most_heads:
            self._heads.clear()
        if self._most_heads:
            self._heads[data[:start]] = KnownHead(reply.reason, reply.headers, len(reply.body))

    # What the parser calls

    def on_message_begin(self) -> None:
        """Begin a message: the reply, an interim one before it, or one that nobody has asked for."""
        if self._complete is not None:
            self.has_surplus = True

    def on_status(self, reason: bytes) -> None:
        """Take a part of the words beside the status."""
        if self._complete is None:
            self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer."""
        if self._complete is None and self._fields is None:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the end of a head."""
        if self._complete is not None:
            return
        self._fields = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1").strip()) for name, value in self._headers
        )
        if self._parser.get_status_code() == _SWITCHING:
            self._fault = HttpProtocolError("the server switches to another protocol, which nobody has asked it to")

    def on_body(self, piece: bytes) -> None:
        """Take a part of the body."""
        if self._complete is not None:
            return
        self._n_body += len(piece)
        if self._n_body > self._max_reply_bytes:
            self._fault = _too_long(self._n_body, self._max_reply_bytes)
            self._body.clear()
        elif self._fault is None:
            self._body.append(piece)

    def on_message_complete(self) -> None:
        """Take the end of a message."""
        if self._complete is not None or self._fault is not None:
            return
        parser, fields = self._parser, self._fields or ()
        status = parser.get_status_code()
        if status < _FIRST_FINAL:
            self._begin_message()
            return
        body = b"".join(self._body)
        encodings = [value.lower() for name, value in fields if name == "content-encoding" and value]
        try:
            if body and encodings:
                body = _unpacked(body, encodings, self._max_reply_bytes)
        except HttpProtocolError as error:
            self._fault = error
            return
        reply = HttpReply(
            status, self._reason.decode("latin-1"), fields, body, bool(parser.should_keep_alive()), status == OK
        )
        self._complete = reply._replace(is_answer=False) if reply.is_html else reply


def _unpacked(body: bytes, encodings: list[str], most: int) -> bytes:
    """Return a body that was packed, as `Content-Encoding` says.

    Raises:
        HttpProtocolError: it was not, or otherwise than by gzip or deflate, or becomes too long.
    """
    for encoding in reversed([part.strip() for line in encodings for part in line.split(",")]):
        if encoding in ("", "identity"):
            continue
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise HttpProtocolError(f"a reply compressed as {encoding!r}, which nobody has asked for")
        # 32: as its head says, gzip or zlib.
        unpacker, pieces, size = zlib.decompressobj(wbits=47), [], 0
        try:
            while not unpacker.eof:
                piece = unpacker.decompress(body, _UNPACK_STEP)
                body = unpacker.unconsumed_tail
                if not (piece or body):
                    break
                size += len(piece)
                if size > most:
                    raise _too_long(size, most)
                pieces.append(piece)
        except zlib.error as error:
            raise HttpProtocolError(f"a reply that is not {encoding}, though it says so: {error}") from None
        if not unpacker.eof or unpacker.unused_data:
            what = "more follows its end" if unpacker.eof else "it is cut short"
            raise HttpProtocolError(f"a reply that is not {encoding}, though it says so: {what}")
        body = b"".join(pieces)
    return body


def _too_long(length: int, most: int) -> HttpProtocolError:
    return HttpProtocolError(f"a reply of at least {length} bytes: at most {most} are taken", "RESOURCE_EXHAUSTED")


def _no_http(data: bytes) -> str:
    """Return what it may be that answers otherwise than by HTTP/1."""
    # A frame of HTTP/2's settings, or its farewell: nine bytes, of the stream 0.
    if len(data) >= 9 and data[3] in (0x4, 0x7) and data[:2] == b"\0\0" and data[5:9] == bytes(4):
        return (
            "the server speaks HTTP/2 alone, as gRPC does: is this the gRPC port? "
            "(TensorFlow Serving's REST port is 8501 as a rule, and gRPC's 8500)"
        )
    if data[:2] == b"\x15\x03":
        return "the server speaks TLS: pass --tls, or name it with https://"
    return "what the server sent is no HTTP reply"
