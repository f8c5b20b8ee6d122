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
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tfsload.transport import regular_file

UNSIGNED_BYTE = 0x08
MAX_ITEMS = 1_000_000
"""Items a file may announce. The largest set of this kind, EMNIST, has 814,255; a header that says more is
damaged or hostile, and would be believed down to the last byte of memory."""

_ELEMENT_TYPES = {
    0x08: "unsigned byte",
    0x09: "signed byte",
    0x0B: "16-bit integer",
    0x0C: "32-bit integer",
    0x0D: "32-bit float",
    0x0E: "64-bit float",
}
_GZIP_MAGIC = b"\x1f\x8b"
_MAGIC_BYTES = 4
_SIZE_BYTES = 4


class DataError(ValueError):
    """A data set that cannot be used; the message names the file, what was expected and what was found."""


def header_bytes(item_shape: tuple[int, ...]) -> int:
    """Return the length in bytes of the header of a file whose items have the shape `item_shape`."""
    return _MAGIC_BYTES + _SIZE_BYTES * (1 + len(item_shape))


def parse_shape(header: bytes, item_shape: tuple[int, ...], source: str) -> tuple[int, ...]:
    """Return the shape (n, *item_shape) that an IDX header announces.

    `header` may be followed by anything. `source` names the file in messages.
    Raises DataError if the header is cut short, announces another element type than unsigned bytes, another
    item shape than `item_shape`, no items, or more than `MAX_ITEMS`.
    """
    dimensions = 1 + len(item_shape)
    expected_bytes = header_bytes(item_shape)
    _check_magic(header, dimensions, source)
    if len(header) < expected_bytes:
        raise DataError(
            f"{source}: expected an IDX header of {expected_bytes} bytes, found a file of {len(header)} bytes"
        )
    shape = struct.unpack_from(f">{dimensions}I", header, _MAGIC_BYTES)
    _check_shape(shape, item_shape, source)
    return shape


def parse(content: bytes, item_shape: tuple[int, ...], source: str) -> NDArray[np.uint8]:
    """Return the array in a whole, uncompressed IDX file: uint8 (n, *item_shape), contiguous and read-only.

    `item_shape` is () for labels and (28, 28) for MNIST's images; `source` names the file in messages.
    Raises DataError as `parse_shape` does, and if bytes are missing or left over at the end.
    """
    shape = parse_shape(content, item_shape, source)
    header = header_bytes(item_shape)
    expected_bytes = header + math.prod(shape)
    if len(content) < expected_bytes:
        raise DataError(
            f"{source}: the header announces {shape[0]} items, {expected_bytes} bytes in all, but the file "
            f"ends after {len(content)} bytes; it is cut short: copy or download it again"
        )
    if len(content) > expected_bytes:
        raise DataError(
            f"{source}: the header announces {shape[0]} items, {expected_bytes} bytes in all, but the file "
            "goes on after them; it is damaged, or two files run together: copy or download it again"
        )
    # A view of immutable bytes: no copy, and nobody can write to what all users share.
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def read(path: str | os.PathLike[str], item_shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the array in the IDX file at `path`, as `parse` does; gzip is told by content, not by name.

    (Browsers unpack a .gz on the way and keep its name.) At most one byte more than the header announces is
    ever unpacked, so that a decompression bomb costs nothing.
    Raises DataError as `parse` does, and for a file that cannot be read or unpacked.
    """
    source = os.fspath(path)
    try:
        with open(path, "rb", opener=regular_file.opener) as file:
            return parse(_read_bounded(_unpacked(file), item_shape, source), item_shape, source)
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


def _unpacked(file: BinaryIO) -> BinaryIO | gzip.GzipFile:
    magic = file.read(len(_GZIP_MAGIC))
    file.seek(0)
    return gzip.GzipFile(fileobj=file, mode="rb") if magic == _GZIP_MAGIC else file


def _read_bounded(stream: BinaryIO | gzip.GzipFile, item_shape: tuple[int, ...], source: str) -> bytes:
    """Read what the header announces, and one byte more to see whether that is all.

    That further read also takes gzip to the end of its stream, where its checksum is compared.
    """
    shape = parse_shape(stream.read(header_bytes(item_shape)), item_shape, source)
    stream.seek(0)
    return stream.read(header_bytes(item_shape) + math.prod(shape) + 1)


def _check_magic(header: bytes, dimensions: int, source: str) -> None:
    wanted = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    found = header[:_MAGIC_BYTES]
    if found == wanted:
        return
    expected = f"expected an IDX file of unsigned bytes in {dimensions} dimension(s) (magic {wanted.hex(' ')})"
    raise DataError(f"{source}: {expected}, found {_describe_magic(found)}")


def _describe_magic(magic: bytes) -> str:
    if not magic:
        return "an empty file"
    as_hex = f"magic {magic.hex(' ')}"
    if len(magic) < _MAGIC_BYTES:
        return f"{as_hex}, and then the end of the file"
    if magic[:2] != b"\0\0" or magic[2] not in _ELEMENT_TYPES:
        return f"{as_hex}, which is not IDX"
    return f"elements of type {_ELEMENT_TYPES[magic[2]]} in {magic[3]} dimension(s) ({as_hex})"


def _check_shape(shape: tuple[int, ...], item_shape: tuple[int, ...], source: str) -> None:
    if shape[1:] != item_shape:
        raise DataError(f"{source}: expected images of {_times(item_shape)} pixels, found {_times(shape[1:])}")
    if shape[0] == 0:
        raise DataError(f"{source}: expected at least one item, found none")
    if shape[0] > MAX_ITEMS:
        raise DataError(f"{source}: expected at most {MAX_ITEMS:,} items, found {shape[0]:,} in the header")


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
