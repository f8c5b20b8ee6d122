"""JSON lists → the values of a tensor, with the checks of TensorFlow Serving, in its words and its order. Pure."""

import base64
import binascii
import itertools
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import grpc
import numpy as np
from numpy.typing import NDArray

from tfsload.modelserver.errors import RequestError, invalid
from tfsload.modelserver.rest.words import dtype_name, type_words, value_words
from tfsload.transport.protos import types_pb2
from tfsload.transport.tensors import kind_of

_BASE64 = "b64"
_BASE64_TEXT = re.compile(r"([A-Za-z0-9+/]*)(={0,2})")
_SPACE = re.compile(r"[ \t\n\v\f\r]")
# The range of the whole numbers that a dtype takes; what is too large for one of fewer bits has its lowest ones.
_INT32, _INT64 = (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1)
_WHOLE = {
    types_pb2.DT_INT8: _INT32,
    types_pb2.DT_INT16: _INT32,
    types_pb2.DT_INT32: _INT32,
    types_pb2.DT_UINT8: _INT32,
    types_pb2.DT_INT64: _INT64,
    types_pb2.DT_UINT32: (0, 2**32 - 1),
    types_pb2.DT_UINT64: (0, 2**64 - 1),
}
# The dtype's words, the largest whole number up to which it has all, and the largest number.
_REAL = {
    types_pb2.DT_FLOAT: ("float", 2**24 - 1, float(np.finfo(np.float32).max)),
    types_pb2.DT_DOUBLE: ("double", 2**53 - 1, float(np.finfo(np.float64).max)),
}
_STORED = {number: np.dtype(np.uint64 if number == types_pb2.DT_UINT64 else np.int64) for number in _WHOLE}


class Values(NamedTuple):
    """A tensor's values.

    Attributes:
        shape: its sizes.
        flat: its values in order, of the tensor's dtype; strings are bytes.
    """

    shape: tuple[int, ...]
    flat: NDArray[Any]


def stacked(elements: Sequence[Any], dtype: int) -> Values | None:
    """Return the tensor of several of one shape, where that is seen at a glance; None: look at each.

    Args:
        elements: JSON values, at least one.
        dtype: the value in TensorProto.dtype.
    """
    shape = [len(elements)]
    flat = list(elements)
    while flat and type(flat[0]) is list:
        shape.append(len(flat[0]))
        if set(map(type, flat)) != {list} or set(map(len, flat)) != {shape[-1]}:
            return None
        flat = list(itertools.chain.from_iterable(flat))
    found = _at_a_glance(flat, dtype)
    return None if found is None else Values(tuple(shape), found)


def values_of(element: Any, dtype: int) -> tuple[tuple[int, ...], list[Any]]:
    """Return the shape and the values of one JSON value, each looked at by itself.

    Raises:
        RequestError: lists of unequal length or depth, or a value that the dtype does not take.
    """
    shape, inner = [], element
    while type(inner) is list:
        shape.append(len(inner))
        inner = inner[0] if inner else None
    found: list[Any] = []
    _collect(element, 0, shape, dtype, found)
    return tuple(shape), found


def in_array(values: list[Any], dtype: int) -> NDArray[Any]:
    """Return what `values_of` found as the tensor's values."""
    kind = kind_of(dtype)
    if kind is None or kind.dtype == object:
        strings = np.empty(len(values), object)
        strings[:] = values
        return strings
    if dtype in _REAL:
        return np.fromiter(values, np.float64, len(values)).astype(kind.dtype)
    return np.fromiter(values, _STORED.get(dtype, kind.dtype), len(values)).astype(kind.dtype)


def is_base64(value: Any) -> bool:
    """Whether a JSON value stands for bytes: `{"b64": "…"}`."""
    return type(value) is dict and len(value) == 1 and type(value.get(_BASE64)) is str


def bytes_of(value: Any) -> bytes:
    """Return the bytes that a JSON object stands for.

    Raises:
        RequestError: it is no `{"b64": "…"}`, or no base64.
    """
    if not is_base64(value):
        raise invalid(f"JSON Value: {value_words(value)} not formatted correctly for base64 data")
    found = _BASE64_TEXT.fullmatch(_SPACE.sub("", value[_BASE64]))
    try:
        if found is None or (found[2] and (len(found[1]) + len(found[2])) % 4):
            raise invalid("Unable to base64 decode")
        return base64.b64decode(found[1] + "=" * (-len(found[1]) % 4))
    except binascii.Error:
        raise invalid("Unable to base64 decode") from None


def to_float(value: float) -> float:
    """Return a JSON number that goes into a float32.

    Raises:
        RequestError: it would be another one there.
    """
    return _real(value, types_pb2.DT_FLOAT)


def _at_a_glance(flat: list[Any], dtype: int) -> NDArray[Any] | None:
    kinds = set(map(type, flat))
    if dtype in _REAL:
        return _reals_at_a_glance(flat, dtype, kinds) if kinds <= {float, int} else None
    if dtype in _WHOLE and kinds <= {int}:
        least, most = _WHOLE[dtype]
        fits = not flat or (min(flat) >= least and max(flat) <= most)
    elif dtype == types_pb2.DT_STRING and kinds <= {str}:
        return in_array([text.encode("utf-8", "surrogateescape") for text in flat], dtype)
    else:
        fits = dtype == types_pb2.DT_BOOL and kinds <= {bool}
    return in_array(flat, dtype) if fits else None


def _reals_at_a_glance(flat: list[Any], dtype: int, kinds: set[type]) -> NDArray[Any] | None:
    _, most_whole, most_real = _REAL[dtype]
    most = most_whole if int in kinds else most_real
    numbers = np.fromiter(flat, np.float64, len(flat))
    if len(numbers) and not (numbers.max() <= most and numbers.min() >= -most):
        # Too large, or no number at all: these may be.
        finite = numbers[np.isfinite(numbers)]
        if (np.abs(finite) > most).any():
            return None
    return numbers if dtype == types_pb2.DT_DOUBLE else numbers.astype(np.float32)


def _collect(value: Any, level: int, shape: list[int], dtype: int, found: list[Any]) -> None:
    """Add the values within `value`, which lies in `level` lists, to `found`."""
    if type(value) is not list:
        if level != len(shape):
            raise invalid(
                f"JSON Value: {value_words(value)} found at incorrect level: {level + 1} in the JSON DOM. "
                f"Expected at level: {len(shape)}"
            )
        found.append(_element(value, dtype))
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    for one in value:
        _collect(one, level + 1, shape, dtype, found)


def _element(value: Any, dtype: int) -> Any:
    if type(value) is dict:
        if dtype != types_pb2.DT_STRING:
            raise _type_error(value, dtype)
        return bytes_of(value)
    if dtype in _REAL:
        if type(value) not in (int, float):
            raise _type_error(value, dtype)
        return _real(value, dtype)
    if dtype in _WHOLE:
        if type(value) is not int or not _WHOLE[dtype][0] <= value <= _WHOLE[dtype][1]:
            raise _type_error(value, dtype)
        return value
    if dtype not in (types_pb2.DT_BOOL, types_pb2.DT_STRING):
        message = f"Conversion of JSON Value: {value_words(value)} to type: {dtype_name(dtype)}"
        raise RequestError(grpc.StatusCode.UNIMPLEMENTED, message)
    if type(value) is not (bool if dtype == types_pb2.DT_BOOL else str):
        raise _type_error(value, dtype)
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def _real(value: float, dtype: int) -> float:
    name, most_whole, most = _REAL[dtype]
    # What is no number at all is none there, too.
    if abs(value) > (most_whole if type(value) is int else most) and abs(value) != float("inf"):
        raise invalid(f"Cannot convert JSON value: {value_words(value)} to {name} without loss of precision.")
    return float(value)


def _type_error(value: Any, dtype: int) -> RequestError:
    return invalid(
        f"JSON Value: {value_words(value)} Type: {type_words(value)} is not of expected type: {dtype_name(dtype)}"
    )
