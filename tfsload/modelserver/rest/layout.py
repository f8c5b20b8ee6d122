"""How TensorFlow Serving lays out the JSON of its answers: spaces and line breaks, to the byte. Pure."""

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.modelserver.errors import invalid
from tfsload.modelserver.rest.decimals import decimals
from tfsload.modelserver.rest.words import INDENT, dtype_name, quoted
from tfsload.transport.protos import types_pb2
from tfsload.transport.tensors import number_of

# Strings of an output whose name ends so are bytes.
_BYTES_SUFFIX = "_bytes"
_UNTOLD = (types_pb2.DT_UINT16, types_pb2.DT_HALF, types_pb2.DT_BFLOAT16)


def encoded(text: str) -> bytes:
    """Return a text as it is sent; bytes in strings that are not UTF-8 are sent as they are."""
    return text.encode("utf-8", "surrogateescape")


def of_one_member(name: str, value: str) -> str:
    """Return the object that all answers are."""
    return f"{{\n{INDENT}{quoted(name)}: {value}\n}}"


def in_rows(outputs: Mapping[str, NDArray[Any]]) -> str:
    """Return the predictions as a list of rows, each an object where there are several outputs.

    Raises:
        RequestError: not all have equally many rows, or one has a dtype that JSON cannot tell.
    """
    n_rows = None
    for alias, array in outputs.items():
        if not array.ndim:
            raise invalid(f"Tensor name: {alias} has no shape information ")
        if n_rows is not None and len(array) != n_rows:
            raise invalid(f"Tensor name: {alias} has inconsistent batch size: {len(array)} expecting: {n_rows}")
        n_rows = len(array)
    columns = [_row_texts(alias, array, 2 if len(outputs) == 1 else 3) for alias, array in outputs.items()]
    if len(columns) == 1:
        return line_list(columns[0])
    if not n_rows:
        return "[]"
    member = "\n" + INDENT * 3
    rows = (
        "{"
        + ",".join(f"{member}{quoted(name)}: {one}" for name, one in zip(outputs, row, strict=True))
        + f"\n{INDENT * 2}}}"
        for row in zip(*columns, strict=True)
    )
    return _over_lines(list(rows), 1)


def in_columns(outputs: Mapping[str, NDArray[Any]]) -> str:
    """Return each output as a list of its own, in an object where there are several, a value a line.

    Raises:
        RequestError: one has a dtype that JSON cannot tell.
    """
    if len(outputs) == 1:
        [(alias, array)] = outputs.items()
        return _column_text(alias, array, 1)
    inner = "\n" + INDENT * 2
    members = (f"{inner}{quoted(alias)}: {_column_text(alias, array, 2)}" for alias, array in outputs.items())
    return "{" + ",".join(members) + f"\n{INDENT}}}"


def line_list(items: Sequence[str]) -> str:
    """Return a list in one line, but for its end."""
    return f"[{', '.join(items)}\n{INDENT}]" if items else "[]"


def _row_texts(alias: str, array: NDArray[Any], level: int) -> list[str]:
    """Return each row of an output. Args: level: how many lists and objects a row lies in."""
    items = _items(alias, array, level + array.ndim - 1)
    for axis in range(array.ndim - 1, 0, -1):
        items = ["[" + ", ".join(part) + "]" for part in _parts(items, array.shape, axis)]
    return items


def _column_text(alias: str, array: NDArray[Any], level: int) -> str:
    items = _items(alias, array, level + array.ndim)
    for axis in range(array.ndim - 1, -1, -1):
        items = [_over_lines(part, level + axis) for part in _parts(items, array.shape, axis)]
    return items[0]


def _over_lines(items: Sequence[str], level: int) -> str:
    """Return a list with an item a line. Args: level: how many lists and objects it lies in."""
    if not items:
        return "[]"
    line = "\n" + INDENT * level
    return f"[{line}{INDENT}" + f",{line}{INDENT}".join(items) + f"{line}]"


def _parts(items: list[str], shape: tuple[int, ...], axis: int) -> list[list[str]]:
    """Return the items by the lists that they lie in along an axis, the last that is left."""
    size = shape[axis]
    return [items[i * size : (i + 1) * size] for i in range(math.prod(shape[:axis]))]


def _items(alias: str, array: NDArray[Any], level: int) -> list[str]:
    """Return each value as text."""
    if array.dtype in (np.float32, np.float64):
        return decimals(array)
    values = array.ravel().tolist()
    if array.dtype == object:
        return [_string(value, level, is_bytes=alias.endswith(_BYTES_SUFFIX)) for value in values]
    if array.dtype == np.bool_:
        return ["true" if value else "false" for value in values]
    number = number_of(array.dtype)
    if values and (number is None or number in _UNTOLD or array.dtype.kind == "c"):
        name = str(array.dtype) if number is None else dtype_name(number)
        raise invalid(f"Failed to write JSON value for tensor type: {name}")
    return list(map(str, values))


def _string(value: bytes, level: int, *, is_bytes: bool) -> str:
    if not is_bytes:
        return quoted(value.decode("utf-8", "surrogateescape"))
    line = "\n" + INDENT * level
    return f'{{{line}{INDENT}"b64": {quoted(base64.b64encode(value).decode())}{line}}}'
