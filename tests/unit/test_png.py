"""Pictures by hand, read by a decoder that knows nothing of how they were written."""

import base64
import random
import struct
import zlib

import pytest

from tests.support.page_runs import page_run
from tfsload.report.page.png import data_uri, png


def decoded(data: bytes) -> tuple[int, bytes]:
    """Return the width and the pixels of an 8-bit grey picture, by the specification's words."""
    assert data[:8] == bytes.fromhex("89504e470d0a1a0a")
    at, chunks = 8, []
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", data, at + 8 + length)
        assert check == zlib.crc32(name + body)
        chunks.append((name, body))
        at += 12 + length
    assert [name for name, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[0][1])
    assert kind == [8, 0, 0, 0, 0]
    raw = zlib.decompress(chunks[1][1])
    rows: list[list[int]] = []
    for y in range(height):
        line = raw[y * (width + 1) : (y + 1) * (width + 1)]
        above = rows[-1] if rows else [0] * width
        row: list[int] = []
        for x, byte in enumerate(line[1:]):
            a, b, c = (row[x - 1] if x else 0), above[x], (above[x - 1] if x else 0)
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            row.append((byte + (0, a, b, (a + b) // 2, nearest)[line[0]]) % 256)
        rows.append(row)
    return width, bytes(pixel for row in rows for pixel in row)


@pytest.mark.parametrize(
    ("pixels", "width"),
    [
        pytest.param(bytes(28 * 28), 28, id="nothing"),
        pytest.param(bytes([255]) * 12, 3, id="all"),
        pytest.param(bytes(range(256)), 16, id="a-slope"),
        pytest.param(random.Random(1).randbytes(28 * 28), 28, id="noise"),
        pytest.param(b"\x07", 1, id="one-pixel"),
    ],
)
def test_a_picture_is_read_as_it_was_drawn(pixels, width):
    assert decoded(png(pixels, width)) == (width, pixels)


@pytest.mark.parametrize(("n_pixels", "width"), [(10, 3), (0, 4), (4, 0)])
def test_what_has_no_rows_is_no_picture(n_pixels, width):
    with pytest.raises(ValueError, match="expected rows"):
        png(bytes(n_pixels), width)


def test_digits_are_black_on_white_and_small():
    images = page_run("sweep").images
    assert images.pixels
    for pixels in images.pixels.values():
        uri = data_uri(bytes.fromhex(pixels), 28)
        _, seen = decoded(base64.b64decode(uri.removeprefix("data:image/png;base64,")))
        assert bytes(255 - pixel for pixel in seen) == bytes.fromhex(pixels)
        assert len(uri) <= 430
