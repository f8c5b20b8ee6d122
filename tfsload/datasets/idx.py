"""IDX, the file format of MNIST, gzipped or not: bytes to a NumPy array, strictly.

An IDX file is two zero bytes, a byte for the element type (0x08: unsigned byte), a byte for the number of
dimensions, one big-endian 32-bit size per dimension, and then the elements, the last dimension fastest
(Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits").
"""

import gzip
import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tfsload.datasets.data_error import DataError
from tfsload.datasets.sizes import check_count, check_images

_ELEMENT_TYPES = {
    0x08: "unsigned byte",
    0x09: "signed byte",
    0x0B: "16-bit integer",
    0x0C: "32-bit integer",
    0x0D: "32-bit float",
    0x0E: "64-bit float",
}
GZIP_MAGIC = b"\x1f\x8b"
_MAGIC_BYTES = 4
_SIZE_BYTES = 4
# What a byte of deflate can come to at most (zlib's technical details), and what a stream has beside its data.
_MOST_UNPACKED = 1032
_SLACK_BYTES = 1024


@dataclass(frozen=True)
class Kind:
    """What a file is expected to hold.

    Attributes:
        element_type, dimensions: as its header has them.
        dtype: of NumPy, as the elements are written.
    """

    element_type: int
    dimensions: int
    dtype: str

    @property
    def magic(self) -> bytes:
        """The first bytes of such a file."""
        return bytes([0, 0, self.element_type, self.dimensions])

    @property
    def header_bytes(self) -> int:
        """The length of its header."""
        return _MAGIC_BYTES + _SIZE_BYTES * self.dimensions

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"{_ELEMENT_TYPES[self.element_type]}s in {self.dimensions} dimension(s) (magic {self.magic.hex(' ')})"


IMAGES = Kind(0x08, 3, "u1")
"""Images: (n, rows, columns)."""

LABELS = Kind(0x08, 1, "u1")
"""Labels: (n,)."""

QMNIST_LABELS = Kind(0x0C, 2, ">i4")
"""Labels as QMNIST has them: (n, 8), the class first, and then where each image comes from."""


def parse_shape(header: bytes, kind: Kind, source: str) -> tuple[int, ...]:
    """Return the shape that an IDX header announces, its items first.

    `header` may be followed by anything. `source` names the file in messages.
    Raises DataError if the header is cut short, announces another kind of elements or of dimensions, no items, or
    more than a data set may have.
    """
    _check_magic(header, kind, source)
    if len(header) < kind.header_bytes:
        raise DataError(
            f"{source}: expected an IDX header of {kind.header_bytes} bytes, found a file of {len(header)} bytes"
        )
    shape = struct.unpack_from(f">{kind.dimensions}I", header, _MAGIC_BYTES)
    if kind is IMAGES:
        check_images(shape, source)
    else:
        check_count(shape[0], source)
    if kind is QMNIST_LABELS and not 1 <= shape[1] <= 100:
        raise DataError(f"{source}: expected the 8 columns of QMNIST's labels, found {shape[1]:,}")
    return shape


def parse(content: bytes, kind: Kind, source: str) -> NDArray[Any]:
    """Return the array in a whole, uncompressed IDX file: of its header's shape, contiguous and read-only.

    `source` names the file in messages.
    Raises DataError as `parse_shape` does, and if bytes are missing or left over at the end.
    """
    shape = parse_shape(content, kind, source)
    expected_bytes = _file_bytes(shape, kind)
    if len(content) < expected_bytes:
        raise _cut_short(shape, kind, source, f"ends after {len(content)} bytes")
    if len(content) > expected_bytes:
        raise DataError(
            f"{source}: the header announces {shape[0]} items, {expected_bytes} bytes in all, but the file "
            "goes on after them; it is damaged, or two files run together: copy or download it again"
        )
    # A view of immutable bytes: no copy, and nobody can write to what all users share.
    return np.frombuffer(content, dtype=kind.dtype, offset=kind.header_bytes).reshape(shape)


def read(path: str | os.PathLike[str], kind: Kind) -> NDArray[Any]:
    """Return the array in the IDX file at `path`, as `parse` does; gzip is told by content, not by name.

    (Browsers unpack a .gz on the way and keep its name.) At most one byte more than the header announces is
    ever unpacked, and nothing where the file cannot hold so much, so that neither a decompression bomb nor a
    header that lies costs memory.
    Raises DataError as `parse` does, and for a file that cannot be read or unpacked.
    """
    source = os.fspath(path)
    with _read_errors(source), open(path, "rb") as file:
        return parse(_read_bounded(file, kind, source), kind, source)


def first_bytes(path: str | os.PathLike[str], n: int) -> bytes:
    """Return the first bytes of a file, unpacked; fewer where it is shorter.

    Raises DataError for a file that cannot be read or unpacked.
    """
    with _read_errors(os.fspath(path)), open(path, "rb") as file:
        return _unpacked(file).read(n)


@contextmanager
def _read_errors(source: str) -> Iterator[None]:
    """Tell in words what the system or gzip says of a file."""
    try:
        yield
    except EOFError:
        raise DataError(
            f"{source}: expected a complete gzip stream, found its end missing; copy or download it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{source}: expected a sound gzip stream, found a damaged one ({error}); copy or download it again"
        ) from None
    except OSError as error:
        raise DataError(f"{source}: expected a readable file, found: {error.strerror or error}") from None


def _is_packed(file: BinaryIO) -> bool:
    magic = file.read(len(GZIP_MAGIC))
    file.seek(0)
    return magic == GZIP_MAGIC


def _unpacked(file: BinaryIO) -> BinaryIO | gzip.GzipFile:
    return gzip.GzipFile(fileobj=file, mode="rb") if _is_packed(file) else file


def _read_bounded(file: BinaryIO, kind: Kind, source: str) -> bytes:
    """Read what the header announces, and one byte more to see whether that is all.

    That further read also takes gzip to the end of its stream, where its checksum is compared.
    """
    n_bytes = os.fstat(file.fileno()).st_size
    stream = _unpacked(file)
    shape = parse_shape(stream.read(kind.header_bytes), kind, source)
    expected_bytes = _file_bytes(shape, kind)
    if stream is file and n_bytes < expected_bytes:
        raise _cut_short(shape, kind, source, f"ends after {n_bytes} bytes")
    if expected_bytes > n_bytes * _MOST_UNPACKED + _SLACK_BYTES:
        raise _cut_short(shape, kind, source, f"has {n_bytes}, which cannot unpack to so many")
    stream.seek(0)
    return stream.read(expected_bytes + 1)


def _file_bytes(shape: tuple[int, ...], kind: Kind) -> int:
    return kind.header_bytes + math.prod(shape) * np.dtype(kind.dtype).itemsize


def _cut_short(shape: tuple[int, ...], kind: Kind, source: str, found: str) -> DataError:
    return DataError(
        f"{source}: the header announces {shape[0]} items, {_file_bytes(shape, kind)} bytes in all, but the file "
        f"{found}; it is cut short: copy or download it again"
    )


def _check_magic(header: bytes, kind: Kind, source: str) -> None:
    found = header[:_MAGIC_BYTES]
    if found != kind.magic:
        raise DataError(f"{source}: expected an IDX file of {kind.words}, found {_describe_magic(found)}")


def _describe_magic(magic: bytes) -> str:
    if not magic:
        return "an empty file"
    as_hex = f"magic {magic.hex(' ')}"
    if len(magic) < _MAGIC_BYTES:
        return f"{as_hex}, and then the end of the file"
    if magic[:2] != b"\0\0" or magic[2] not in _ELEMENT_TYPES:
        return f"{as_hex}, which is not IDX"
    return f"elements of type {_ELEMENT_TYPES[magic[2]]} in {magic[3]} dimension(s) ({as_hex})"
