"""Replies as servers of several makes write them to a client that offers an HPACK table of size 0."""

from collections.abc import Callable

import hpack
from hpack.hpack import encode_integer
from hpack.table import HeaderTable

from tests.support.grpc_frames import message
from tfsload.transport.grpc import frames

_STATUS_200 = b"\x88"  # in HPACK's own table
_TABLE_OF_SIZE_0 = b"\x20"  # said once, at the beginning of a connection's first block
_OWN_NAMES = {name.decode(): number for number, (name, _) in reversed([*enumerate(HeaderTable.STATIC_TABLE, 1)])}

# A literal's kinds: to be added to the table (in vain), not to be added, never to be.
ADDED, PLAIN, NEVER = 0x40, 0x00, 0x10


def literals(kind: int, *pairs: tuple[str, str]) -> bytes:
    """Return headers as literals without Huffman's code."""
    block = b""
    for name, value in pairs:
        index = _OWN_NAMES.get(name, 0)
        head = encode_integer(index, 6 if kind == ADDED else 4)
        head[0] |= kind
        texts = (value,) if index else (name, value)
        block += bytes(head) + b"".join(bytes(encode_integer(len(text), 7)) + text.encode() for text in texts)
    return block


def _huffman(*pairs: tuple[str, str]) -> bytes:
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    encoder.header_table.resized = False
    return encoder.encode(pairs, huffman=True)


def _grpcio(number: int) -> tuple[bytes, bytes]:
    pairs = (
        ("content-type", "application/grpc"), ("grpc-encoding", "identity"),
        ("grpc-accept-encoding", "identity, deflate, gzip"),
    )  # fmt: skip
    opening = (_TABLE_OF_SIZE_0 if number == 0 else b"") + _STATUS_200 + literals(PLAIN, *pairs)
    return opening, literals(PLAIN, ("grpc-status", "0"))


def _go(number: int) -> tuple[bytes, bytes]:
    opening = _STATUS_200 + _huffman(("content-type", "application/grpc"))
    return (_TABLE_OF_SIZE_0 if number == 0 else b"") + opening, _huffman(("grpc-status", "0"), ("grpc-message", ""))


def _nginx(number: int) -> tuple[bytes, bytes]:
    date = f"Mon, 30 Nov 2026 09:20:{number // 3 % 60:02} GMT"  # another one each second
    pairs = (("server", "nginx/1.24.0"), ("date", date), ("content-type", "application/grpc"))
    return _STATUS_200 + literals(PLAIN, *pairs), literals(PLAIN, ("grpc-status", "0"), ("grpc-message", ""))


def _envoy(number: int) -> tuple[bytes, bytes]:
    pairs = (
        ("content-type", "application/grpc"), ("x-envoy-upstream-service-time", str(number * 7 % 4)),
        ("server", "envoy"),
    )  # fmt: skip
    return _STATUS_200 + literals(NEVER, *pairs), literals(ADDED, ("grpc-status", "0"))


def _nghttpd(_: int) -> tuple[bytes, bytes]:
    pairs = (("server", "nghttpd nghttp2/1.52.0"), ("cache-control", "max-age=3600"), ("trailer", "grpc-status"))
    return _STATUS_200 + literals(ADDED, *pairs), literals(ADDED, ("grpc-status", "0"))


# A server's header blocks: those of its reply of some number, before the message and after it.
STYLES: dict[str, Callable[[int], tuple[bytes, bytes]]] = {
    "grpcio": _grpcio,
    "go": _go,
    "nginx": _nginx,
    "envoy": _envoy,
    "nghttpd": _nghttpd,
}


def usual_reply(style: str, number: int, stream: int, body: bytes) -> list[bytes]:
    """Return a reply as its three frames."""
    opening, trailers = STYLES[style](number)
    return [
        frames.frame(frames.HEADERS, frames.END_HEADERS, stream, opening),
        frames.frame(frames.DATA, 0, stream, message(body)),
        frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, trailers),
    ]
