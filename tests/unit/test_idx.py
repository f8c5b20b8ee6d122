"""The strict IDX reader."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.data_files import idx_bytes, images, labels, qmnist_labels
from tests.support.odd_files import ODD_FILES
from tfsload.datasets import idx
from tfsload.datasets.data_error import DataError
from tfsload.datasets.idx import IMAGES, LABELS, QMNIST_LABELS

SIDES = st.integers(1, 40)


@given(count=st.integers(1, 5), rows=SIDES, columns=SIDES, seed=st.integers(0, 99))
def test_parse_gives_back_images_of_any_size(count, rows, columns, seed):
    array = np.random.default_rng(seed).integers(0, 256, (count, rows, columns), np.uint8)
    parsed = idx.parse(idx_bytes(array), IMAGES, "file")
    np.testing.assert_array_equal(parsed, array)
    assert (parsed.dtype, parsed.flags.c_contiguous, parsed.flags.writeable) == (np.uint8, True, False)


@given(table=st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=8, max_size=8), min_size=1, max_size=4))
def test_parse_gives_back_qmnist_s_table(table):
    array = np.array(table, np.int32)
    np.testing.assert_array_equal(idx.parse(idx_bytes(array, element_type=0x0C), QMNIST_LABELS, "file"), array)


def _with_count(count_and_tail: tuple[int, bytes]) -> bytes:
    count, tail = count_and_tail
    return struct.pack(">HBBI", 0, 8, 1, count) + tail


@given(content=st.binary(max_size=64) | st.tuples(st.integers(0, 4), st.binary(max_size=4)).map(_with_count))
def test_parse_reads_or_refuses_any_bytes(content):
    try:
        again = idx_bytes(idx.parse(content, LABELS, "file"))
    except DataError:
        again = None
    sound = len(content) > 8 and content[:4] == b"\0\0\x08\1"
    sound = sound and struct.unpack_from(">I", content, 4) == (len(content) - 8,)
    assert again == (content if sound else None)


@given(length=st.integers(0, 16 + 2 * 784 - 1))
def test_parse_refuses_every_shorter_file(length):
    with pytest.raises(DataError, match=r"^file: "):
        idx.parse(idx_bytes(images(2))[:length], IMAGES, "file")


GOOD = idx_bytes(images(2))


def _header(*shape: int) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "found an empty file", id="empty"),
        pytest.param(b"\0\0", "found magic 00 00, and then the end", id="half-a-magic"),
        pytest.param(b"PK\3\4" + bytes(20), r"magic 50 4b 03 04, which is not IDX", id="a-zip-file"),
        pytest.param(GOOD[:10], "expected an IDX header of 16 bytes, found a file of 10", id="half-a-header"),
        pytest.param(idx_bytes(images(1), element_type=0x0D), r"elements of type 32-bit float in 3 dim", id="floats"),
        pytest.param(idx_bytes(labels(2)), r"in 1 dimension\(s\) \(magic 00 00 08 01\)", id="labels-for-images"),
        pytest.param(GOOD[:-1], "2 items, 1584 bytes in all, but the file ends after 1583", id="one-byte-short"),
        pytest.param(GOOD + b"\0", "1584 bytes in all, but the file goes on", id="one-byte-over"),
        pytest.param(idx_bytes(images(2, (0, 28))), "images of at least one pixel, found 0×28", id="no-rows"),
        pytest.param(idx_bytes(images(2, (28, 0))), "images of at least one pixel, found 28×0", id="no-columns"),
        pytest.param(idx_bytes(images(0)), "at least one item, found none", id="no-images"),
        pytest.param(_header(2**32 - 1, 28, 28), "at most 1,000,000 items, found 4,294,967,295", id="absurd-count"),
        pytest.param(_header(2, 2**31, 2**31), "at most 4 GiB of pixels, found 2 images of 2147", id="absurd-size"),
    ],
)
@pytest.mark.parametrize("packed", [pytest.param(False, id="plain"), pytest.param(True, id="gzipped")])
def test_read_refuses_what_is_not_an_image_file(tmp_path, content, message, packed):
    path = tmp_path / "some-images"
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError, match=message) as caught:
        idx.read(path, IMAGES)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        pytest.param(idx_bytes(labels(2)), QMNIST_LABELS, "32-bit integers in 2 dimension", id="bytes-for-table"),
        pytest.param(
            idx_bytes(qmnist_labels(2), element_type=0x0C),
            LABELS,
            "found elements of type 32-bit integer",
            id="reverse",
        ),
        pytest.param(
            idx_bytes(np.zeros((2, 0), np.int32), element_type=0x0C),
            QMNIST_LABELS,
            "8 columns.*found 0",
            id="no-columns",
        ),
        pytest.param(
            idx_bytes(qmnist_labels(2), element_type=0x0C)[:-4],
            QMNIST_LABELS,
            "76 bytes in all, but the file ends after 72",
            id="short-table",
        ),
    ],
)
def test_labels_of_one_kind_are_not_taken_for_the_other(tmp_path, content, kind, message):
    (tmp_path / "labels").write_bytes(content)
    with pytest.raises(DataError, match=message):
        idx.read(tmp_path / "labels", kind)


@pytest.mark.parametrize("packed", [pytest.param(False, id="plain"), pytest.param(True, id="gzipped")])
def test_a_header_that_lies_costs_no_memory(tmp_path, packed):
    content = _header(1_000_000, 60, 60) + bytes(100)
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(content) if packed else content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"3600000016 bytes in all, but the file .*it is cut short"):
            idx.read(path, IMAGES)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 1_000_000


def _with_bad_checksum(packed: bytes) -> bytes:
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


def _with_damaged_body(packed: bytes) -> bytes:
    return packed[:40] + bytes(200) + packed[240:]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(_with_bad_checksum, "damaged one .*CRC", id="wrong-crc"),
        pytest.param(_with_damaged_body, "expected a sound gzip stream, found a damaged one", id="damaged-body"),
        pytest.param(lambda packed: packed[:-100], "complete gzip stream, found its end missing", id="cut-short"),
        pytest.param(lambda packed: packed[:-4], "complete gzip stream, found its end missing", id="no-length"),
        pytest.param(lambda packed: packed + b"junk", "found a damaged one", id="junk-behind"),
        pytest.param(lambda packed: packed + packed, "but the file goes on after them", id="twice"),
    ],
)
def test_read_refuses_a_damaged_gzip(tmp_path, damage, message):
    path = tmp_path / "images.gz"
    path.write_bytes(damage(gzip.compress(GOOD, mtime=0)))
    with pytest.raises(DataError, match=message):
        idx.read(path, IMAGES)


def test_read_unpacks_no_more_of_a_bomb_than_the_header_announces(tmp_path, monkeypatch):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(GOOD + bytes(50_000_000)))
    parsed = []
    monkeypatch.setattr(idx, "parse", lambda content, *_: parsed.append(len(content)))
    idx.read(path, IMAGES)
    assert parsed == [len(GOOD) + 1]


@pytest.mark.parametrize("make", ODD_FILES)
def test_read_opens_nothing_but_a_regular_file(tmp_path, make):
    make(tmp_path / "odd")
    with pytest.raises(DataError, match="expected a readable file, found: it is no regular file"):
        idx.read(tmp_path / "odd", IMAGES)


def test_read_says_what_the_system_says_of_an_unreadable_file(tmp_path):
    with pytest.raises(DataError, match="expected a readable file, found: it is no regular file"):
        idx.read(tmp_path, IMAGES)
