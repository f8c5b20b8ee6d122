"""NumPy's archives: Keras's layout, plain ones, and all that is refused."""

import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.support.data_files import images, labels, write_keras_npz
from tests.support.odd_files import ODD_FILES
from tfsload.datasets import npz
from tfsload.datasets.data_error import DataError
from tfsload.datasets.dataset import load


def _saved(path: Path, **named: np.ndarray) -> Path:
    np.savez(path, **named)
    return path


def test_keras_s_archive_gives_its_test_images(tmp_path):
    path = write_keras_npz(tmp_path / "mnist.npz", n_test=5, n_train=7)

    test, train = (load(str(path), split) for split in ("test", "train"))

    np.testing.assert_array_equal(test.images, images(5))
    np.testing.assert_array_equal(test.labels, labels(5))
    assert (test.name, len(train)) == (str(path), 7)
    assert (test.images.flags.c_contiguous, test.images.flags.writeable) == (True, False)


@pytest.mark.parametrize(
    ("images_name", "labels_name"),
    [
        pytest.param("x_test", "y_test", id="test"),
        pytest.param("x_train", "y_train", id="train-alone"),
        pytest.param("images", "labels", id="plain"),
        pytest.param("images", "y", id="labels-called-as-beside-other-arrays"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"more": np.zeros(2)}], ids=["alone", "beside-more"])
def test_images_are_found_by_name(tmp_path, images_name, labels_name, more):
    path = _saved(tmp_path / "a.npz", **{images_name: images(3), labels_name: labels(3), **more})
    dataset = load(str(path))
    np.testing.assert_array_equal(dataset.images, images(3))
    assert dataset.labels.tolist() == [0, 1, 2]


def test_the_home_directory_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_keras_npz(tmp_path / "mnist.npz")
    assert len(load("~/mnist.npz")) == 5


@given(
    pixels=arrays.arrays(
        st.sampled_from([np.uint8, np.int16, np.int64, np.uint32, ">i4", np.bool_]),
        st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)),
        elements={"min_value": 0, "max_value": 255},
    ).filter(lambda one: one.size > 0)
    | arrays.arrays(np.bool_, (2, 3, 4)),
    is_packed=st.booleans(),
    is_fortran=st.booleans(),
    has_channel=st.booleans(),
    label_type=st.sampled_from([np.uint8, np.int64, np.int32, ">u2"]),
    is_column=st.booleans(),
)
def test_whatever_whole_numbers_are_saved_as_they_are_read_as_bytes(
    tmp_path_factory, pixels, is_packed, is_fortran, has_channel, label_type, is_column
):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    classes = np.arange(len(pixels)).astype(label_type)
    saved = np.asfortranarray(pixels) if is_fortran else pixels
    save = np.savez_compressed if is_packed else np.savez
    save(
        path,
        images=saved[..., None] if has_channel else saved,
        labels=classes[:, None] if is_column else classes,
    )

    found, found_labels = npz.read(path, "test")

    expected = pixels.astype(np.uint8) * (255 if pixels.dtype == np.bool_ else 1)
    np.testing.assert_array_equal(found, expected)
    assert (found.dtype, found.flags.c_contiguous, found.flags.writeable) == (np.uint8, True, False)
    assert found_labels.tolist() == list(range(len(pixels)))


@pytest.mark.parametrize(
    ("most", "dtype"),
    [
        pytest.param(255, np.uint8, id="byte"),
        pytest.param(256, np.uint16, id="two"),
        pytest.param(70_000, np.uint32, id="four"),
    ],
)
def test_labels_of_many_classes_are_kept(tmp_path, most, dtype):
    path = _saved(tmp_path / "a.npz", images=images(2), labels=np.array([0, most]))
    dataset = load(str(path))
    assert (dataset.labels.tolist(), dataset.labels.dtype) == ([0, most], dtype)


class _Bad:
    """Would leave a file behind if anybody unpickled it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self):
        return Path.touch, (self._path,)


OBJECTS = np.array([[[1, None]]], dtype=object)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        pytest.param({"labels": labels(1), "y": labels(1)}, "found the arrays labels, y", id="labels-alone"),
        pytest.param(
            {}, "expected x_test and y_test .*, images and labels, or arrays by the names .*, found no", id="no-arrays"
        ),
        pytest.param(
            {"x_test": images(1), "y_test": labels(1), "images": images(1)},
            "holds x_test and images, and which are to be fired cannot be told",
            id="two-sets",
        ),
        pytest.param(
            {"images": OBJECTS, "labels": labels(1)}, "images: expected numbers, found Python obj", id="objects"
        ),
        pytest.param(
            {"images": images(1), "labels": OBJECTS}, "labels: expected numbers, found Python obj", id="labels"
        ),
        pytest.param(
            {"images": images(3).astype(np.float32) / 255, "labels": labels(3)},
            r"whole numbers from 0 to 255 \(uint8\), found float32: save them as uint8",
            id="floats",
        ),
        pytest.param(
            {"images": images(3).reshape(3, 784), "labels": labels(3)},
            r"\(n, rows, columns\).*found \(3, 784\)",
            id="flat",
        ),
        pytest.param({"images": images(3, (28, 28, 3)), "labels": labels(3)}, r"found \(3, 28, 28, 3\)", id="colours"),
        pytest.param({"images": images(0), "labels": labels(0)}, "at least one item, found none", id="none"),
        pytest.param(
            {"images": images(1, (0, 28)), "labels": labels(1)}, "at least one pixel, found 0×28", id="no-rows"
        ),
        pytest.param(
            {"images": images(1).astype(np.uint16) + 256, "labels": labels(1)},
            "pixels from 0 to 255, found 5",
            id="deep",
        ),
        pytest.param(
            {"images": -images(1).astype(np.int16), "labels": labels(1)},
            "pixels from 0 to 255, found -255",
            id="negative",
        ),
        pytest.param(
            {"images": images(3), "labels": labels(4)},
            "expected as many labels in labels as images in images, 3, found 4",
            id="more-labels",
        ),
        pytest.param(
            {"images": images(3), "labels": np.eye(3)},
            r"found float64 \(3, 3\): save the number .*argmax",
            id="one-hot",
        ),
        pytest.param({"images": images(2), "labels": np.array(["a", "b"])}, "found <U1", id="texts"),
        pytest.param(
            {"images": images(2), "labels": np.array([0, -1])}, "labels from 0 to 999,999, found -1", id="below"
        ),
        pytest.param({"images": images(1), "labels": np.array(3)}, "one whole number for each image", id="scalar"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(tmp_path, named, message):
    path = tmp_path / "a.npz"
    np.savez(path, allow_pickle=True, **named)
    with pytest.raises(DataError, match=message) as caught:
        load(str(path))
    assert str(caught.value).startswith(f"{path}")


def test_nothing_is_unpickled(tmp_path):
    mark = tmp_path / "unpickled"
    path = _saved(tmp_path / "a.npz", images=np.array([[[_Bad(mark)]]], dtype=object))
    with pytest.raises(DataError, match="never unpickled"):
        load(str(path))
    assert not mark.exists()
    np.load(path, allow_pickle=True)["images"]
    assert mark.exists()  # it would have been


def _npy(shape: tuple[int, ...], content: bytes = b"", descr: str = "|u1") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue() + content


def _of_header(header: str) -> bytes:
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode()


def _archive(path: Path, members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


_NUMBERS = _npy((1,), bytes(4), "<f4")
_HALF_A_LETTER, _NO_LETTER = (number.to_bytes(4, "little") for number in (0xD800, 0x7FFFFFFF))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param({"images": b"none", "x": _NUMBERS}, "images: .* as numpy.savez writes it", id="no-magic-beside"),
        pytest.param({"images": b"", "x": _NUMBERS}, "images: .* as numpy.savez writes it", id="empty-beside"),
        pytest.param({"images": _of_header("{'descr':")}, "images: .* as numpy.savez writes it", id="half-a-header"),
        pytest.param({"x": _of_header("(" * 5000)}, "x: .* as numpy.savez writes it", id="deep-header"),
        pytest.param(
            {"images": _of_header("-" * 9000 + "1")}, "images: .* as numpy.savez writes it", id="header-of-signs"
        ),
        pytest.param(
            {"images": _npy((True, 3, 3), bytes(9))}, "images: .* as numpy.savez", id="size-that-is-no-number"
        ),
        pytest.param({"images": b"\x93NUMPY\3\0" + bytes(99)}, "1.0 or 2.0 of NumPy's format, found 3.0", id="version"),
        pytest.param({"x": _npy((1,), _HALF_A_LETTER, "<U1")}, r"x: .*found '\\ud800', half a char", id="half-letter"),
        pytest.param({"x": _NUMBERS, "y": _npy((1,), _HALF_A_LETTER, "<U1")}, "labels: .*half a", id="half-label"),
        pytest.param(
            {"x": _npy((1,), _NO_LETTER, "<U1")}, "expected a sound .npz, found a damaged one", id="no-letter"
        ),
        pytest.param(
            {"x": _npy((1000, 10**12), descr="|S0")}, "x: expected numbers or texts, found .S0", id="no-bytes"
        ),
        pytest.param(
            {"x": _npy((10**6, 100), descr="|S1")}, r"at most 4 GiB, found \(1000000, 100\)", id="short-texts"
        ),
        pytest.param(
            {name: _npy((10**6, 500), descr="<f4") for name in "abc"}, "4 GiB in all arrays, found 5.6", id="together"
        ),
        pytest.param({"images": _npy((10**6, 28, 28), descr="<i8")}, "4 GiB, found .* of int64: .*uint8", id="wide"),
        pytest.param({"": _NUMBERS, "x": _NUMBERS}, "an array without a name", id="no-name"),
    ],
)
def test_hostile_members_are_refused_in_words(tmp_path, members, message):
    path = _archive(tmp_path / "a.npz", members)
    with pytest.raises(DataError, match=message) as caught:
        load(str(path))
    assert str(caught.value).startswith(f"{path}")


def test_a_name_that_is_no_text_is_refused(tmp_path):
    path = _archive(tmp_path / "a.npz", {"äé": _NUMBERS})
    path.write_bytes(path.read_bytes().replace("äé".encode(), b"\xff\xfe\xff\xfe"))
    with pytest.raises(DataError, match=r"found a damaged one .*UnicodeDecodeError"):
        load(str(path))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        pytest.param((900_000, 60, 60), "announces 3,240,000,000 bytes of elements, and it has 50,000,1", id="lies"),
        pytest.param((50_000, 1, 1), "announces 50,000 bytes of elements, and it has 50,000,1", id="bomb"),
        pytest.param((1, 100_000, 100_000), "at most 4 GiB of pixels, found 1 images of 100000×100000", id="huge"),
        pytest.param((10**7, 1, 1), "at most 1,000,000 items, found 10,000,000", id="many"),
        pytest.param((-1, 28, 28), "expected images|damaged|another file", id="negative"),
    ],
)
def test_sizes_are_checked_before_memory_is_taken(tmp_path, shape, message):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", _npy(shape, bytes(50_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=message):
            load(str(path))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 1_000_000


def _with_bit(content: bytes, at: int, bit: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


@given(
    share=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
    packing=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
)
def test_a_damaged_archive_is_refused_or_read_as_it_was(tmp_path_factory, share, bit, packing):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    pixels = _npy((3, 4, 5), images(3, (4, 5)).tobytes())
    _archive(path, {"images": pixels, "labels": _npy((3,), labels(3).astype(np.uint8).tobytes())}, packing)
    content = path.read_bytes()
    path.write_bytes(_with_bit(content, int(share * len(content)), bit))
    try:
        found, found_labels = npz.read(path, "test")
    except DataError:
        return
    np.testing.assert_array_equal(found, images(3, (4, 5)))
    assert found_labels is None or found_labels.tolist() == [0, 1, 2]  # the name of the labels may have been hit


@given(share=st.floats(0, 1, exclude_max=True))
def test_an_archive_cut_short_is_refused(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    np.savez(path, images=images(3, (4, 5)), labels=labels(3))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError):
        npz.read(path, "test")


@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    path.write_bytes(b"PK\3\4" + content)
    with pytest.raises(DataError):
        npz.read(path, "test")


def test_a_password_is_named(tmp_path):
    path = write_keras_npz(tmp_path / "a.npz")
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2")
    while at >= 0:
        content[at + 8] |= 1  # the flag of a member that is encrypted, in the directory at the end
        at = content.find(b"PK\1\2", at + 1)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"as numpy.savez writes it, found another zip file .*password|encrypted"):
        load(str(path))


@pytest.mark.parametrize("make", ODD_FILES)
def test_what_has_become_no_file_is_never_waited_for(tmp_path, make):
    path = tmp_path / "a.npz"
    make(path)
    with pytest.raises(DataError, match="it is no regular file"):
        npz.read(path, "test")
