"""Image files of every kind, as grey pixels: right, or refused in words."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tests.support.data_files import images
from tests.support.odd_files import ODD_FILES
from tfsload.datasets.data_error import DataError
from tfsload.datasets.pictures import read_pixels

GREY = images(1, (5, 4))[0]
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def _saved(path: Path, picture: Image.Image | np.ndarray, **how: object) -> str:
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path, **how)
    return str(path)


def _read(picture: Image.Image | np.ndarray, tmp_path: Path, name: str = "a.png") -> list[list[int]]:
    return read_pixels(_saved(tmp_path / name, picture)).tolist()


@given(pixels=arrays.arrays(np.uint8, SHAPES))
def test_grey_pixels_come_back_as_they_were_written(tmp_path_factory, pixels):
    found = read_pixels(_saved(tmp_path_factory.mktemp("png") / "a.png", pixels))
    np.testing.assert_array_equal(found, pixels)
    assert found.dtype == np.uint8


@given(pixels=arrays.arrays(np.uint16, SHAPES))
def test_16_bits_are_divided_and_not_cut_off(tmp_path_factory, pixels):
    found = read_pixels(_saved(tmp_path_factory.mktemp("png") / "a.png", pixels))
    assert np.abs(found - pixels / 257).max() <= 0.5


@pytest.mark.parametrize(
    ("deep", "grey"),
    [(0, 0), (255, 1), (256, 1), (257, 1), (32_768, 128), (65_535, 255)],
)
def test_16_bits_by_value(tmp_path, deep, grey):
    assert _read(np.full((1, 2), deep, np.uint16), tmp_path) == [[grey, grey]]


@given(pixels=arrays.arrays(np.bool_, SHAPES))
def test_one_bit_is_black_or_white(tmp_path_factory, pixels):
    found = read_pixels(_saved(tmp_path_factory.mktemp("png") / "a.png", Image.fromarray(pixels)))
    np.testing.assert_array_equal(found, pixels.astype(np.uint8) * 255)


@given(values=arrays.arrays(np.uint8, SHAPES), alpha=st.integers(0, 255), mode=st.sampled_from(["LA", "RGBA"]))
def test_what_is_transparent_lies_on_black(tmp_path_factory, values, alpha, mode):
    bands = [Image.fromarray(values)] * (len(mode) - 1) + [Image.new("L", values.shape[::-1], alpha)]
    found = read_pixels(_saved(tmp_path_factory.mktemp("png") / "a.png", Image.merge(mode, bands)))
    assert np.abs(found - values * (alpha / 255)).max() <= 1


def _palette(colours: list[int], **info: object) -> Image.Image:
    picture = Image.new("P", (len(colours) // 3, 1))
    picture.putpalette(colours)
    picture.putdata(range(len(colours) // 3))
    picture.info.update(info)
    return picture


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        pytest.param(Image.new("RGB", (1, 1), (255, 0, 0)), [[76]], id="red"),
        pytest.param(Image.new("RGB", (1, 1), (0, 255, 0)), [[150]], id="green"),
        pytest.param(Image.new("RGB", (1, 1), (0, 0, 255)), [[29]], id="blue"),
        pytest.param(
            _palette([0, 0, 0, 255, 255, 255, 255, 0, 0]), [[0, 255, 76]], id="palette-by-colour-not-by-number"
        ),
        pytest.param(
            _palette([9, 9, 9, 255, 255, 255], transparency=1), [[9, 0]], id="palette-with-a-transparent-colour"
        ),
    ],
)
def test_colours_become_their_luma(tmp_path, picture, expected):
    assert _read(picture, tmp_path) == expected


def _png(bits: int, colour: int, rows: bytes, width: int, more: bytes = b"") -> bytes:
    """Return a PNG of one row, written by hand: Pillow writes not every kind that it reads."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, 1, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + more
        + chunk(b"IDAT", zlib.compress(b"\0" + rows))
        + chunk(b"IEND", b"")
    )


def _transparent(value: int) -> bytes:
    content = struct.pack(">H", value)
    return struct.pack(">I", 2) + b"tRNS" + content + struct.pack(">I", zlib.crc32(b"tRNS" + content))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(_png(2, 0, bytes([0b00011011]), 4), [[0, 85, 170, 255]], id="2-bits"),
        pytest.param(_png(4, 0, bytes([0x0F, 0x80]), 3), [[0, 255, 136]], id="4-bits"),
        pytest.param(_png(8, 0, bytes([7, 200]), 2, _transparent(200)), [[7, 0]], id="8-bits-with-a-transparent-grey"),
        pytest.param(
            _png(16, 0, bytes([255, 255, 2, 2]), 2, _transparent(0xFFFF)),
            [[0, 2]],
            id="16-bits-with-a-transparent-grey",
        ),
        pytest.param(_png(16, 2, bytes([255, 255] * 3), 1), [[255]], id="48-bit-colours"),
        pytest.param(_png(16, 4, bytes([200, 0, 255, 255]), 1), [[200]], id="16-bits-with-alpha"),
        pytest.param(_png(16, 6, bytes([200, 0] * 3 + [0, 0]), 1), [[0]], id="64-bit-colours-with-alpha"),
    ],
)
def test_png_s_of_every_depth(tmp_path, content, expected):
    (tmp_path / "a.png").write_bytes(content)
    assert read_pixels(str(tmp_path / "a.png")).tolist() == expected


@pytest.mark.parametrize(
    "mode", [pytest.param("L", id="grey"), pytest.param("RGB", id="colours"), pytest.param("CMYK", id="inks")]
)
def test_jpeg_s_of_every_kind(tmp_path, mode):
    path = _saved(tmp_path / "a.jpg", Image.new("L", (16, 8), 200).convert("RGB").convert(mode), quality=95)
    found = read_pixels(path)
    assert found.shape == (8, 16)
    assert np.abs(found.astype(int) - 200).max() <= 3


def test_a_file_is_what_it_holds_and_not_what_it_is_called(tmp_path):
    picture = Image.new("L", (16, 8), 200)
    picture.save(tmp_path / "a", format="JPEG")
    (tmp_path / "a").rename(tmp_path / "a.png")
    assert read_pixels(str(tmp_path / "a.png")).shape == (8, 16)


def _content(format_name: str, picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, format=format_name)
    return file.getvalue()


NOISE = Image.fromarray(images(1, (40, 30))[0])
PNG, JPEG = _content("PNG", NOISE), _content("JPEG", NOISE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "neither PNG nor JPEG", id="empty"),
        pytest.param(b"<html>not found</html>", "neither PNG nor JPEG", id="a-page"),
        pytest.param(_content("GIF", NOISE), "neither PNG nor JPEG", id="gif"),
        pytest.param(_content("TIFF", NOISE), "neither PNG nor JPEG", id="tiff"),
        pytest.param(PNG[: len(PNG) // 2], "damaged .*truncated", id="png-cut-short"),
        pytest.param(JPEG[: len(JPEG) // 2], "damaged .*truncated", id="jpeg-cut-short"),
        pytest.param(PNG[:300] + bytes(500) + PNG[800:], "damaged", id="png-with-a-hole"),
        pytest.param(_png(8, 0, b"", 5000 * 5000), "1×25000000 pixels, and at most 16,777,216 are expected", id="wide"),
        pytest.param(_png(8, 0, b"", 100_000_000), "more than 16,777,216 pixels", id="bomb-that-pillow-warns-of"),
        pytest.param(_png(8, 0, b"", 2**31 - 1), "more than 16,777,216 pixels", id="bomb-that-pillow-refuses"),
    ],
)
def test_what_is_no_sound_image_is_refused_in_words(tmp_path, content, message, recwarn):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_pixels(str(tmp_path / "a.png"))
    assert not recwarn.list


def test_what_the_system_says_is_told(tmp_path):
    with pytest.raises(DataError, match="No such file or directory"):
        read_pixels(str(tmp_path / "a.png"))


@given(
    content=st.sampled_from([PNG, JPEG]),
    share=st.floats(0, 1, exclude_max=True),
    junk=st.binary(min_size=1, max_size=9),
)
def test_a_damaged_file_is_read_or_refused(tmp_path_factory, content, share, junk):
    path = tmp_path_factory.mktemp("png") / "a.png"
    at = int(share * len(content))
    path.write_bytes(content[:at] + junk + content[at + len(junk) :])
    try:
        found = read_pixels(str(path))
    except DataError:
        return
    assert found.dtype == np.uint8


@pytest.mark.parametrize("make", ODD_FILES)
def test_what_has_become_no_file_is_never_waited_for(tmp_path, make):
    path = tmp_path / "a.png"
    make(path)
    with pytest.raises(DataError, match="it is no regular file"):
        read_pixels(str(path))
