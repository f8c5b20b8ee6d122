"""A grey picture as PNG, by hand: a few lines, where a library for images would be some megabytes. Pure."""

import base64
import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY = 0  # colour type
_FILTERS = 5


def data_uri(pixels: bytes, width: int) -> str:
    """Return a picture as a `data:` URI, black on white: 0 becomes white.

    Args:
        pixels: a byte each, row by row.
        width: of a row.

    Raises:
        ValueError: the rows are not all as wide.
    """
    return "data:image/png;base64," + base64.b64encode(png(bytes(255 - pixel for pixel in pixels), width)).decode()


def png(pixels: bytes, width: int) -> bytes:
    """Return a grey picture of 8 bits a pixel, as PNG (W3C, Portable Network Graphics, second edition).

    Raises:
        ValueError: the rows are not all as wide.
    """
    if width < 1 or not pixels or len(pixels) % width:
        raise ValueError(f"{len(pixels)} pixels: expected rows of {width}")
    height = len(pixels) // width
    rows = [pixels[start : start + width] for start in range(0, len(pixels), width)]
    packed = min((_packed(rows, kind) for kind in range(_FILTERS)), key=len)
    header = struct.pack(">IIBBBBB", width, height, 8, _GREY, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _packed(rows: list[bytes], kind: int) -> bytes:
    """Return all rows filtered in one way (0 none, 1 left, 2 above, 3 their mean, 4 Paeth's) and compressed."""
    above = bytes(len(rows[0]))
    filtered = bytearray()
    for row in rows:
        filtered.append(kind)
        filtered += _filtered(row, above, kind)
        above = row
    return zlib.compress(bytes(filtered), 9)


def _filtered(row: bytes, above: bytes, kind: int) -> bytes:
    left, corner = b"\0" + row[:-1], b"\0" + above[:-1]
    if kind == 1:
        guesses = left
    elif kind == 2:
        guesses = above
    elif kind == 3:
        guesses = bytes((one + other) // 2 for one, other in zip(left, above, strict=True))
    elif kind == 4:
        guesses = bytes(map(_paeth, left, above, corner))
    else:
        return row
    return bytes((pixel - guess) % 256 for pixel, guess in zip(row, guesses, strict=True))


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    distances = (abs(guess - left), abs(guess - above), abs(guess - corner))
    return (left, above, corner)[distances.index(min(distances))]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
