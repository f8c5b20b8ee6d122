"""TensorProto ↔ numpy, with the meaning that TensorFlow's own `Tensor::FromProto` gives it.

`tf.make_ndarray` has the same meaning for typed fields, but costs tens of microseconds a tensor and
reads no strings from `tensor_content`.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.protos import types_pb2


class TensorError(ValueError):
    """A TensorProto that TensorFlow could not read either."""


@dataclass(frozen=True)
class Kind:
    """How one dtype is written.

    Attributes:
        number: the dtype's value in TensorProto.dtype.
        dtype: numpy's dtype of an element.
        field: the TensorProto field with the values.
        stored: numpy's dtype of a value in that field, where it is not an element: the bits of a half,
            the two parts of a complex number.
    """

    number: int
    dtype: np.dtype[Any]
    field: str
    stored: np.dtype[Any]


def _kind(number: int, dtype: Any, field: str, stored: Any = None) -> Kind:
    return Kind(number, np.dtype(dtype), field, np.dtype(dtype if stored is None else stored))


_STRING = _kind(types_pb2.DT_STRING, object, "string_val")
_KINDS = [
    _kind(types_pb2.DT_FLOAT, np.float32, "float_val"),
    _kind(types_pb2.DT_DOUBLE, np.float64, "double_val"),
    _kind(types_pb2.DT_HALF, np.float16, "half_val", np.uint16),
    _kind(types_pb2.DT_INT8, np.int8, "int_val"),
    _kind(types_pb2.DT_INT16, np.int16, "int_val"),
    _kind(types_pb2.DT_INT32, np.int32, "int_val"),
    _kind(types_pb2.DT_INT64, np.int64, "int64_val"),
    _kind(types_pb2.DT_UINT8, np.uint8, "int_val"),
    _kind(types_pb2.DT_UINT16, np.uint16, "int_val"),
    _kind(types_pb2.DT_UINT32, np.uint32, "uint32_val"),
    _kind(types_pb2.DT_UINT64, np.uint64, "uint64_val"),
    _kind(types_pb2.DT_BOOL, np.bool_, "bool_val"),
    _kind(types_pb2.DT_COMPLEX64, np.complex64, "scomplex_val", np.float32),
    _kind(types_pb2.DT_COMPLEX128, np.complex128, "dcomplex_val", np.float64),
    _STRING,
]
_BY_NUMBER = {kind.number: kind for kind in _KINDS}
_BY_DTYPE = {kind.dtype: kind for kind in _KINDS}


@functools.cache
def _bfloat16() -> Kind:
    # Imported where such a tensor is met: few models have one, and the package takes two megabytes of each process.
    import ml_dtypes

    return _kind(types_pb2.DT_BFLOAT16, ml_dtypes.bfloat16, "half_val", np.uint16)


def kind_of(number: int) -> Kind | None:
    """Return how a dtype is written, by its value in TensorProto.dtype; None: no tensor can have it."""
    return _bfloat16() if number == types_pb2.DT_BFLOAT16 else _BY_NUMBER.get(number)


def _kind_of_dtype(dtype: np.dtype[Any]) -> Kind | None:
    # By its name first, as its package registers it with numpy: where none was made, nothing is to be imported.
    if dtype.name == "bfloat16" and dtype == _bfloat16().dtype:
        return _bfloat16()
    return _BY_DTYPE.get(dtype)


def number_of(dtype: np.dtype[Any]) -> int | None:
    """Return the value in TensorProto.dtype of numpy's dtype; None: no tensor of ours can have it."""
    kind = _kind_of_dtype(dtype)
    return None if kind is None else kind.number


def kind_named(name: str) -> Kind | None:
    """Return how a dtype is written, by TensorFlow's name of it, such as `DT_FLOAT`; None: no tensor can have it."""
    return kind_of(types_pb2.DataType.Value(name)) if name in types_pb2.DataType.keys() else None  # noqa: SIM118


def name_of(number: int) -> str:
    """Return TensorFlow's name of a dtype, such as `DT_FLOAT`, or its number where we do not know one."""
    return types_pb2.DataType.Name(number) if number in types_pb2.DataType.values() else str(number)


def to_array(proto: Any) -> NDArray[Any]:
    """Return the tensor in a TensorProto: a view of its bytes (not writable) where it has `tensor_content`.

    Fewer typed values than elements: the last one fills the rest; no values at all: zeros. One that is too large for
    its dtype has its lowest bits, as in TensorFlow.

    Raises:
        TensorError: unknown dtype, a shape with a negative or unknown size, or the wrong number of bytes.
    """
    kind = kind_of(proto.dtype)
    if kind is None:
        raise TensorError(f"no tensor can have the dtype {proto.dtype}")
    shape = _shape(proto.tensor_shape)
    size = math.prod(shape)
    try:
        flat = _from_content(kind, proto.tensor_content, size) if proto.tensor_content else None
        if flat is None:
            flat = _from_values(kind, getattr(proto, kind.field), size)
        return flat.reshape(shape)
    except (ValueError, OverflowError, MemoryError) as error:
        raise TensorError(str(error)) from error


def fill_proto(proto: Any, array: NDArray[Any], *, as_content: bool) -> None:
    """Write `array` into an empty TensorProto: as typed values, or as bytes with `as_content`.

    Raises:
        TensorError: if the array's dtype has no place in a TensorProto.
    """
    kind = _kind_of_dtype(array.dtype)
    if kind is None:
        raise TensorError(f"no TensorProto can hold the dtype {array.dtype}")
    proto.dtype = kind.number
    add = proto.tensor_shape.dim.add
    for size in array.shape:
        add(size=size)
    if as_content:
        proto.tensor_content = _strings_to_bytes(array) if kind is _STRING else array.tobytes()
    else:
        flat = array.ravel()
        values = flat if kind.stored == kind.dtype else flat.view(kind.stored)
        getattr(proto, kind.field).extend(values.tolist())


def _shape(proto: Any) -> list[int]:
    if proto.unknown_rank:
        raise TensorError("a tensor's rank must be known")
    shape = [dim.size for dim in proto.dim]
    if any(size < 0 for size in shape):
        raise TensorError(f"a tensor's sizes must be known: {shape}")
    return shape


def _from_content(kind: Kind, content: bytes, size: int) -> NDArray[Any]:
    if size == 0:
        return np.empty(0, kind.dtype)
    if kind is _STRING:
        return _bytes_to_strings(content, size)
    if len(content) != size * kind.dtype.itemsize:
        raise TensorError(f"{len(content)} bytes for {size} elements of {kind.dtype}")
    return np.frombuffer(content, kind.dtype)


def _from_values(kind: Kind, values: Sequence[Any], size: int) -> NDArray[Any]:
    if kind is _STRING:
        given: NDArray[Any] = np.empty(len(values), object)
        given[:] = values
    else:
        given = _numbers(kind, values).view(kind.dtype)
    if len(given) >= size:
        return given[:size]
    flat = np.empty(size, kind.dtype)
    flat[: len(given)] = given
    flat[len(given) :] = given[-1] if len(given) else (b"" if kind is _STRING else 0)
    return flat


def _numbers(kind: Kind, values: Sequence[Any]) -> NDArray[Any]:
    # fromiter reads a repeated field twice as fast as array does.
    try:
        return np.fromiter(values, kind.stored, len(values))
    except OverflowError:  # in fields of 32 bits, for a dtype of fewer
        return np.fromiter(values, np.int64, len(values)).astype(kind.stored)


def _bytes_to_strings(content: bytes, size: int) -> NDArray[Any]:
    """Strings in `tensor_content`: all lengths as varints, then all bytes."""
    lengths, start = [], 0
    for _ in range(size):
        length, start = _varint(content, start)
        lengths.append(length)
    if start + sum(lengths) != len(content):
        raise TensorError(f"{len(content)} bytes for strings of {start + sum(lengths)}")
    flat = np.empty(size, object)
    for i, length in enumerate(lengths):
        flat[i] = content[start : start + length]
        start += length
    return flat


def _strings_to_bytes(array: NDArray[Any]) -> bytes:
    texts = array.ravel().tolist()
    return b"".join([*(_to_varint(len(text)) for text in texts), *texts])


def _varint(content: bytes, start: int) -> tuple[int, int]:
    """(value, position after it) of the varint at `start`."""
    value = 0
    for i in range(10):
        if start + i >= len(content):
            break
        byte = content[start + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, start + i + 1
    raise TensorError(f"no length of a string at byte {start}")


def _to_varint(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
