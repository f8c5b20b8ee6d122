"""gRPC's headers over HTTP/2: requests encoded once, replies decoded once. Pure."""

import base64
import binascii
import functools
import logging
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

import hpack

from tfsload.transport.grpc.frames import COMPRESSION_ERROR, MAX_HEADER_BLOCK, ProtocolError
from tfsload.transport.grpc.status import Metadata

USER_AGENT = "tfsload"
# At DEBUG it logs every header with its value, a token in the metadata among them; the web UI shows the log.
logging.getLogger("hpack").setLevel(logging.WARNING)
# Header blocks that are worth keeping: a server sends the same few over and over, or a new one each time.
_CACHED_REPLIES = 1024
_CACHEABLE_BYTES = 512

# Request header blocks kept for one connection; metadata that is new with every call is not to fill the memory.
_KEPT_BLOCKS = 64
_METADATA_KEY = re.compile(r"(?!grpc-)[0-9a-z_.-]+")


class RequestHeaders:
    """A request's headers, in order; made once and used for many calls.

    Two of them are never equal: as a key it costs an address, where a tuple's hash goes through all the texts.
    """

    __slots__ = ("pairs",)

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self.pairs = pairs


def request_headers(
    path: str, authority: str, scheme: str, timeout_s: float | None, metadata: Iterable[tuple[str, str | bytes]]
) -> RequestHeaders:
    """Return a unary call's headers in the order that gRPC asks for (doc/PROTOCOL-HTTP2.md).

    Raises:
        ValueError: metadata that cannot be sent, with the key.
    """
    headers = [(":method", "POST"), (":scheme", scheme), (":path", path), (":authority", authority), ("te", "trailers")]
    if timeout_s is not None:
        headers.append(("grpc-timeout", timeout_text(timeout_s)))
    headers += [
        ("content-type", "application/grpc"),
        ("user-agent", USER_AGENT),
        ("grpc-accept-encoding", "identity,gzip"),
    ]
    headers += [_metadatum(key, value) for key, value in metadata]
    return RequestHeaders(tuple(headers))


def _metadatum(key: str, value: str | bytes) -> tuple[str, str]:
    if not _METADATA_KEY.fullmatch(key):
        expected = "expected lower-case letters, digits, '-', '_' and '.', and not 'grpc-' at its beginning"
        raise ValueError(f"metadata key {key!r}: {expected}")
    if key.endswith("-bin"):
        raw = value.encode() if isinstance(value, str) else value
        return key, base64.b64encode(raw).rstrip(b"=").decode()
    text = value.decode("ascii") if isinstance(value, bytes) else value
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"metadata {key!r}: expected printable ASCII, or a key that ends in -bin")
    return key, text


def timeout_text(seconds: float) -> str:
    """Write a timeout as gRPC has it: at most eight digits and a unit, never rounded up.

    >>> timeout_text(5.0)
    '5000m'
    """
    for unit, per_second in (("n", 1e9), ("u", 1e6), ("m", 1e3), ("S", 1)):
        # A millisecond is fine enough where it fits: the text is the same from call to call.
        value = int(seconds * per_second)
        if value < 10**8 and (unit in "mS" or seconds < 1):
            return f"{max(value, 0)}{unit}"
    return "99999999S"


class HeadersTooLongError(Exception):
    """Headers of a reply that are longer than what we have told the server that we take."""


class RequestEncoder:
    """Encodes header blocks for one connection; after the first of a kind a block is a few bytes from a cache.

    The blocks are to be sent in the order in which they were made: HPACK's table lives on both sides.
    """

    def __init__(self) -> None:
        self._encoder = hpack.Encoder()
        self._blocks: dict[RequestHeaders, bytes] = {}

    def set_table_size(self, size: int) -> None:
        """Follow the peer's SETTINGS_HEADER_TABLE_SIZE (4096 at most is used)."""
        encoder = self._encoder
        encoder.header_table_size = min(size, 4096)
        if changes := encoder.table_size_changes:
            # hpack forgets to tell where one size comes twice, and tells those in between, which may be too large.
            encoder.table_size_changes = sorted({min(changes), changes[-1]})
            encoder.header_table.resized = True
        self._blocks.clear()

    def keeps(self, headers: RequestHeaders) -> bool:
        """Whether the block for these headers is the same as the last time, until `encode` returns one that is not."""
        return headers in self._blocks

    def encode(self, headers: RequestHeaders) -> bytes:
        """Return the block for these headers."""
        block = self._blocks.get(headers)
        if block is None:
            table = self._encoder.header_table.dynamic_entries
            before = tuple(table)
            block = self._encoder.encode(headers.pairs)
            if table and tuple(table) == before and len(self._blocks) < _KEPT_BLOCKS:
                self._blocks[headers] = block  # references alone: the same whenever it is sent
            else:
                self._blocks.clear()  # what was added has moved the others
        return block


class ReplyHeaders(NamedTuple):
    """One header block of a reply.

    Attributes:
        http_status: of `:status`; None in trailers.
        grpc_status: number of `grpc-status`; None without one.
        grpc_message: decoded; empty without one.
        encoding: of `grpc-encoding`; `identity` without one.
        content_type: empty without one.
        metadata: all other headers; values of keys in `-bin` as bytes.
        block: the bytes that say all this.
    """

    http_status: int | None
    grpc_status: int | None
    grpc_message: str
    encoding: str
    content_type: str
    metadata: Metadata
    block: bytes


def decode_reply_headers(block: bytes) -> ReplyHeaders:
    """Decode a header block that stands for itself (we offer a table of size 0).

    Raises:
        ProtocolError: not HPACK, or it refers to a table that is not there.
        HeadersTooLongError: they unpack to more than we take.
    """
    return _decode_cached(block) if len(block) <= _CACHEABLE_BYTES else _decode(block)


def _decode(block: bytes) -> ReplyHeaders:
    decoder = hpack.Decoder(max_header_list_size=MAX_HEADER_BLOCK)
    decoder.max_allowed_table_size = 0
    decoder.header_table_size = 0
    try:
        pairs = decoder.decode(block, raw=True)
    except hpack.OversizedHeaderListError:
        raise HeadersTooLongError(f"headers of more than {MAX_HEADER_BLOCK} bytes") from None
    except (hpack.HPACKError, UnicodeError, IndexError) as error:
        raise ProtocolError(COMPRESSION_ERROR, f"unreadable headers: {error}"[:200]) from None
    return _sorted_out(block, ((name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs))


_decode_cached = functools.lru_cache(maxsize=_CACHED_REPLIES)(_decode)


def _sorted_out(block: bytes, pairs: Iterable[tuple[str, str]]) -> ReplyHeaders:
    known = {":status": "", "grpc-status": "", "grpc-message": "", "grpc-encoding": "identity", "content-type": ""}
    metadata: list[tuple[str, str | bytes]] = []
    for name, value in pairs:
        if name in known:
            known[name] = value
        elif name.endswith("-bin"):
            # A peer may join several into one, as HTTP allows.
            metadata += [(name, _binary(one)) for one in value.split(",")]
        elif not name.startswith(":"):
            metadata.append((name, value))
    return ReplyHeaders(
        http_status=_number(known[":status"]),
        grpc_status=_number(known["grpc-status"]),
        grpc_message=unquote(known["grpc-message"], errors="replace"),
        encoding=known["grpc-encoding"],
        content_type=known["content-type"],
        metadata=tuple(metadata),
        block=block,
    )


def _number(text: str) -> int | None:
    if not text:
        return None
    # -1 is no status: it reads as UNKNOWN, as gRPC has it for what it cannot parse.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return text.encode("latin-1")
