"""Arrays as JSON, and JSON as values: as TensorFlow Serving writes and reads it. Pure."""

import base64
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from tfsload.transport.answer import ReplyError

_WITH_NUMPY = orjson.OPT_SERIALIZE_NUMPY
# Deeper lists are no tensors: numpy's have at most so many dimensions.
_MOST_DIMENSIONS = 32
_SHOWN = 60


class UnsendableError(ValueError):
    """An array whose numbers JSON has no way to say."""


def dumps(value: Any) -> bytes:
    """Return plain values as JSON."""
    return orjson.dumps(value)


def array_text(array: NDArray[Any]) -> bytes:
    """Return an array as nested lists: floats as short as they can be to become the same ones again.

    Args:
        array: of numbers, truth values, or `object`: texts as bytes, which become `{"b64": …}` where they are no text.

    Raises:
        UnsendableError: of complex numbers.
    """
    if array.dtype == object:
        return orjson.dumps(_nested([text_value(one) for one in array.ravel().tolist()], array.shape))
    if array.dtype.kind == "c":
        raise UnsendableError("complex numbers cannot be sent over REST")
    if array.dtype.kind == "V":  # bfloat16 and its kind, which every float32 holds
        array = array.astype(np.float32)
    array = np.ascontiguousarray(array).reshape(array.shape)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return _with_infinities(array)
    # A lone number is none of numpy's arrays to orjson.
    return orjson.dumps(array, option=_WITH_NUMPY) if array.ndim else _numbers(array)[0]


def text_value(text: bytes) -> str | dict[str, str]:
    """Return a text as it is sent: as it is, or in base64 where it holds what is none."""
    try:
        plain = text.decode()
    except UnicodeDecodeError:
        plain = "\0"
    return plain if plain.isprintable() else {"b64": base64.b64encode(text).decode()}


def _numbers(array: NDArray[Any]) -> list[bytes]:
    """Return the text of each number, in order."""
    flat = orjson.dumps(array.ravel(), option=_WITH_NUMPY)
    return flat[1:-1].split(b",") if array.size else []


def _with_infinities(array: NDArray[Any]) -> bytes:
    """Return an array as lists, with what JSON has no word for as TensorFlow Serving reads it."""
    finite = np.isfinite(array)
    texts = _numbers(np.where(finite, array, np.zeros((), array.dtype)))
    for place in np.flatnonzero(~finite.ravel()).tolist():
        value = float(array.ravel()[place])
        texts[place] = b"NaN" if math.isnan(value) else b"Infinity" if value > 0 else b"-Infinity"
    return _joined(iter(texts), array.shape)


def _joined(texts: Iterator[bytes], shape: tuple[int, ...]) -> bytes:
    if not shape:
        return next(texts)
    return b"[" + b",".join([_joined(texts, shape[1:]) for _ in range(shape[0])]) + b"]"


def _nested(values: list[Any], shape: tuple[int, ...]) -> Any:
    if not shape:
        return values[0]
    for size in reversed(shape[1:]):
        values = [values[start : start + size] for start in range(0, len(values), size)] if size else []
    return values


def loads(text: bytes) -> Any:
    """Return what JSON says; NaN and the infinities may be in it, as TensorFlow Serving writes them.

    A text that is no UTF-8, as an output's bytes may be, is there with its other bytes as Python has them (PEP 383).

    Raises:
        ReplyError: it is none.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        said = text[:_SHOWN].decode("utf-8", "replace")
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ReplyError(f"the reply is no JSON ({why}): it begins {said!r}") from None


def text_bytes(value: Any) -> bytes | None:
    """Return the bytes of a text as JSON has it, plain or as `{"b64": …}`; None: it is none."""
    try:
        if isinstance(value, str):
            return value.encode("utf-8", "surrogateescape")
        if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str):
            return base64.b64decode(value["b64"], validate=True)
    except ValueError:  # half a character, or what is no base64
        pass
    return None


def flat_and_shape(value: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Return the values of nested lists, in order, and the lists' sizes.

    Raises:
        ReplyError: rows differ in length, or stand beside values, or are nested too deeply.
    """
    level: list[Any] = [value]
    shape: list[int] = []
    while level and type(level[0]) is list:
        size = len(level[0])
        if any(type(one) is not list or len(one) != size for one in level):
            raise ReplyError("the rows of the reply are not equally long")
        if len(shape) == _MOST_DIMENSIONS:
            raise ReplyError(f"the reply's lists are nested more than {_MOST_DIMENSIONS} deep")
        shape.append(size)
        level = [each for one in level for each in one]
    if list in set(map(type, level)):
        raise ReplyError("lists and values stand side by side in the reply")
    return level, tuple(shape)
