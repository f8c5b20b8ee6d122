"""The frames before a request's message, made once for all requests that are alike. Pure."""

import functools
import struct
from collections.abc import Callable

from tfsload.transport.grpc.call import PREFIX, PREFIX_SIZE
from tfsload.transport.grpc.frames import DATA, END_HEADERS, END_STREAM, HEADERS
from tfsload.transport.grpc.headers import RequestEncoder, RequestHeaders

_LENGTH_TYPE_FLAGS = struct.Struct(">LB")
# So many are kept for a connection: messages of ever new lengths are not to fill the memory.
_KEPT = 1024

_Pack = Callable[[bytes, int, bytes, int, bytes], bytes]
# What packs a HEADERS frame, a DATA frame's head and the prefix of its message; what stands before the first stream's
# number, between the two and behind the second; and what the windows count, prefix and message.
Opening = tuple[_Pack, bytes, bytes, bytes, int]


class Openings:
    """What begins a connection's requests: their header blocks, and all frames but the streams' numbers.

    Attributes:
        known: by headers and the message's length; only those whose block is the same whenever it is sent.
            (To be rid of it: enter none.)
    """

    def __init__(self) -> None:
        self._encoder = RequestEncoder()
        self.known: dict[tuple[RequestHeaders, int], Opening] = {}

    def set_table_size(self, size: int) -> None:
        """Follow the peer's SETTINGS_HEADER_TABLE_SIZE."""
        self._encoder.set_table_size(size)
        self.known.clear()

    def block(self, headers: RequestHeaders) -> bytes:
        """Return the block for these headers; blocks are to be sent in the order in which they were made."""
        block = self._encoder.encode(headers)
        if not self._encoder.keeps(headers):
            self.known.clear()  # what was added to HPACK's table has moved the others
        return block

    def opening(self, headers: RequestHeaders, block: bytes, length: int) -> Opening:
        """Return what begins a request with this block, just made, and a message of this length."""
        size = PREFIX_SIZE + length
        opening = (
            _packer(len(block)),
            _LENGTH_TYPE_FLAGS.pack(len(block) << 8 | HEADERS, END_HEADERS),
            block + _LENGTH_TYPE_FLAGS.pack(size << 8 | DATA, END_STREAM),
            PREFIX.pack(0, length),
            size,
        )
        if self._encoder.keeps(headers):
            if len(self.known) >= _KEPT:
                self.known.clear()
            self.known[headers, length] = opening
        return opening


@functools.lru_cache(maxsize=64)
def _packer(block_size: int) -> _Pack:
    return struct.Struct(f">5sL{block_size + _LENGTH_TYPE_FLAGS.size}sL{PREFIX_SIZE}s").pack
