"""A grey image as the bytes of a PNG file (ISO/IEC 15948): 8 bits a pixel, no filter. Pure."""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTH, _GREY = 8, 0


def png(image: NDArray[np.uint8]) -> bytes:
    """Return an image, uint8 (rows, columns), black 0 to white 255, as a file."""
    rows, columns = image.shape
    lines: NDArray[Any] = np.zeros((rows, columns + 1), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = image
    header = struct.pack(">2I5B", columns, rows, _DEPTH, _GREY, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines.tobytes())) + _chunk(b"IEND", b"")
    return _SIGNATURE + chunks


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
