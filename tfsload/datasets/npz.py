"""NumPy's archives of arrays (.npz), never unpickled: images and labels, as Keras has them, or arrays by name.

The names are then those of a model's inputs.

A .npz is a zip file that holds a .npy file for each array: a header, which says its type and shape, and the elements.
"""

import contextlib
import lzma
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tfsload.datasets.data_error import DataError, named
from tfsload.datasets.labels import Labels, are_beyond_classes, as_labels
from tfsload.datasets.named_arrays import LABELS, Announced, NamedArrays, check_array, check_together, named_arrays
from tfsload.datasets.sizes import MAX_BYTES, MAX_ITEMS, check_images
from tfsload.transport import regular_file

MAGIC = b"PK"

_SPLITS = {"test": (("x_test", "y_test"), ("x_train", "y_train")), "train": (("x_train", "y_train"),)}
_IMAGES = "images"
_CHOICES = (
    "x_test and y_test (Keras's mnist.npz), x_train and y_train, images and labels, or arrays by the names of the "
    "model's inputs"
)
_READ_HEADER: Mapping[tuple[int, int], Callable[[IO[bytes]], tuple[tuple[int, ...], bool, np.dtype[Any]]]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# NumPy has no types for them.
_read_magic: Callable[..., tuple[int, int]] = np.lib.format.read_magic
_read_array: Callable[..., NDArray[Any]] = np.lib.format.read_array
# Beside its elements a .npy file has a header, which NumPy holds to 10,000 characters.
_MOST_HEADER_BYTES = 20_000
# What zipfile and what unpacks for it say of a damaged archive, and of one that they cannot read.
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
_UNREADABLE = (NotImplementedError, RuntimeError)  # a way of packing, or a password


def read(path: Path, split: str) -> tuple[NDArray[np.uint8], Labels | None] | NamedArrays:
    """Return images (n, rows, columns) and labels (n,) of an archive; None: it holds none. Or its arrays by name.

    Labels are classes, or all from 0 on, and one beyond all classes. It holds images where it has `x_test`, `x_train`,
    or `images` that can be none but pixels.

    Args:
        path: of the archive.
        split: "test" (x_train, too, where there is nothing else) or "train"; images and labels are of either.

    Raises:
        DataError: it is no such archive, it is damaged, it holds no images, or ones that cannot be used.
    """
    with _opened(path) as archive:
        names = _names_in(archive)
        if _are_by_name(archive, path, names):
            return _read_all(archive, path, names)
        of_images, of_labels = _choose(names, split, path)
        images = _read(archive, path, of_images, _check_images)
        labels = _read(archive, path, of_labels, _check_labels) if of_labels in names else None
    pixels = _as_pixels(images, f"{path}, {of_images}")
    if labels is None:
        return pixels, None
    if len(labels) != len(pixels):
        raise DataError(
            f"{path}: expected as many labels in {of_labels} as images in {of_images}, {len(pixels):,}, found "
            f"{len(labels):,}"
        )
    flat = labels.reshape(len(labels))
    if flat.min() >= 0 and are_beyond_classes(flat):
        flat.flags.writeable = False
        return pixels, flat
    return pixels, as_labels(flat, f"{path}, {of_labels}")


def beside_images(path: Path) -> tuple[str, ...]:
    """Return the names of the arrays that an archive of `images` has beside them and labels; raise as `read`."""
    with _opened(path) as archive:
        names = _names_in(archive)
    return tuple(name for name in names if name not in (_IMAGES, *LABELS)) if _IMAGES in names else ()


def read_by_name(path: Path) -> NamedArrays:
    """Return the arrays of an archive by name, also where `read` takes it for a set of images; raise as that."""
    with _opened(path) as archive:
        return _read_all(archive, path, _names_in(archive))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive, and tell in words what comes of reading it.

    Raises:
        DataError: it is none, or a damaged one.
    """
    try:
        with open(path, "rb", opener=regular_file.opener) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except DataError:
        raise
    except _UNREADABLE as error:
        raise DataError(f"{path}: expected a .npz as numpy.savez writes it, found another zip file ({error})") from None
    except OSError as error:
        raise DataError(f"{path}: expected a readable file, found: {error.strerror or error}") from None
    except Exception as error:  # what a damaged file raises is whatever its reader came upon
        said = f"{error}" if isinstance(error, _DAMAGED) else f"{type(error).__name__}: {error}"
        raise DataError(f"{path}: expected a sound .npz, found a damaged one ({said}): copy or save it again") from None


def _names_in(archive: zipfile.ZipFile) -> list[str]:
    return sorted({name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")})


def _are_by_name(archive: zipfile.ZipFile, path: Path, names: Sequence[str]) -> bool:
    """Whether arrays are not those of a set of images, so that they have the names of a model's inputs."""
    if any(pair[0] in names for pairs in _SPLITS.values() for pair in pairs):
        return False
    if not set(names) - {_IMAGES, *LABELS}:
        return False  # images, or nothing at all
    if _IMAGES not in names:
        return True
    found = _announced(archive, path, _IMAGES)
    return found.dtype.kind not in "bui" or len(_without_channel(found.shape)) != 3


def _read_all(archive: zipfile.ZipFile, path: Path, names: Sequence[str]) -> NamedArrays:
    """Return all arrays: the one that is called labels, or else y, as the labels."""
    if "" in names:
        raise DataError(f"{path}: holds an array without a name: save each by the name of an input of the model")
    of_labels = _labels_among(names)
    announced = {name: _announced(archive, path, name) for name in names}
    for name, one in announced.items():
        check_array(one, f"{path}, {name}")
    check_together([*announced.values()], path)
    read = {name: _read(archive, path, name, check_array) for name in names}
    labels = None if of_labels is None else read.pop(of_labels)
    return named_arrays(read, labels, path)


def _labels_among(names: Sequence[str]) -> str | None:
    return next((name for name in LABELS if name in names), None)


def _choose(names: list[str], split: str, path: Path) -> tuple[str, str]:
    """Return the names of images and labels."""
    pairs = [pair for pair in _SPLITS[split] if pair[0] in names][:1]
    if _IMAGES in names:
        pairs.append((_IMAGES, _labels_among(names) or LABELS[0]))
    if len(pairs) > 1:
        what = " and ".join(pair[0] for pair in pairs)
        raise DataError(f"{path}: holds {what}, and which are to be fired cannot be told: save one of them alone")
    if not pairs:
        there = f"the arrays {named(names)}" if names else "no array"
        raise DataError(f"{path}: expected {_CHOICES}, found {there}")
    return pairs[0]


def _read(archive: zipfile.ZipFile, path: Path, name: str, check: Callable[[Announced, str], None]) -> NDArray[Any]:
    """Return an array, whose header is believed once it was checked, and was found to fit the member's size."""
    source, member = f"{path}, {name}", archive.getinfo(f"{name}.npy")
    announced = _announced(archive, path, name)
    check(announced, source)
    n_bytes = math.prod(announced.shape) * announced.dtype.itemsize
    if not n_bytes < member.file_size <= n_bytes + _MOST_HEADER_BYTES:
        raise DataError(
            f"{source}: its header announces {n_bytes:,} bytes of elements, and it has "
            f"{member.file_size:,} in all: it is damaged, save it again"
        )
    with _array_errors(source), archive.open(member) as file:
        array: NDArray[Any] = _read_array(file, allow_pickle=False)
        file.read(1)  # to the member's end, where zipfile compares its checksum
    return array


@contextlib.contextmanager
def _array_errors(source: str) -> Iterator[None]:
    """Tell in words what NumPy says of an array that is none; what the archive says is told of the archive.

    To a header that is no dict of NumPy's it says whatever Python's own parser came upon.
    """
    try:
        yield
    except Exception as error:
        is_archives = isinstance(error, (*_DAMAGED, *_UNREADABLE, OSError))
        if is_archives and not isinstance(error, RecursionError):  # which is of the parser
            raise
        said = f"{error}" or type(error).__name__
        raise DataError(f"{source}: expected an array as numpy.savez writes it, found another file ({said})") from None


def _announced(archive: zipfile.ZipFile, path: Path, name: str) -> Announced:
    source = f"{path}, {name}"
    with archive.open(f"{name}.npy") as file:
        with _array_errors(source):
            version = _read_magic(file)
        if version not in _READ_HEADER:
            found = ".".join(map(str, version))
            raise DataError(f"{source}: expected version 1.0 or 2.0 of NumPy's format, found {found}")
        with _array_errors(source):
            shape, _, dtype = _READ_HEADER[version](file)
    if dtype.hasobject:
        raise DataError(
            f"{source}: expected numbers, found Python objects, which are never unpickled here since that can run "
            "anybody's code: save the array with a dtype of numbers"
        )
    return Announced(shape, dtype)


def _check_images(array: Announced, source: str) -> None:
    shape = _without_channel(array.shape)
    if len(shape) != 3:
        raise DataError(f"{source}: expected grey images (n, rows, columns), or with a last 1, found {array.shape}")
    if array.dtype.kind not in "bui":
        raise DataError(
            f"{source}: expected pixels as whole numbers from 0 to 255 (uint8), found {array.dtype}: save them as "
            "uint8, before any scaling"
        )
    check_images(shape, source)
    if math.prod(shape) * array.dtype.itemsize > MAX_BYTES:  # before they are pixels, a byte each
        raise DataError(
            f"{source}: expected at most {MAX_BYTES >> 30} GiB, found {array.shape} of {array.dtype}: save them as "
            "uint8"
        )


def _without_channel(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:-1] if len(shape) == 4 and shape[-1] == 1 else shape


def _check_labels(array: Announced, source: str) -> None:
    if array.dtype.kind not in "ui" or len(array.shape) not in (1, 2) or array.shape[1:] not in ((), (1,)):
        cure = "save the number of each image's class (of one-hot rows: argmax)"
        raise DataError(
            f"{source}: expected one whole number for each image, found {array.dtype} {array.shape}: {cure}"
        )
    if not 0 < array.shape[0] <= MAX_ITEMS:
        raise DataError(f"{source}: expected from 1 to {MAX_ITEMS:,} labels, found {array.shape[0]:,}")


def _as_pixels(images: NDArray[Any], source: str) -> NDArray[np.uint8]:
    if images.dtype == np.bool_:
        images = images.astype(np.uint8) * np.uint8(255)
    elif images.dtype != np.uint8:
        least, most = int(images.min()), int(images.max())
        if least < 0 or most > 255:
            raise DataError(f"{source}: expected pixels from 0 to 255, found {least if least < 0 else most}")
        images = images.astype(np.uint8)
    pixels = np.ascontiguousarray(images.reshape(images.shape[:3]))
    pixels.flags.writeable = False
    return pixels
