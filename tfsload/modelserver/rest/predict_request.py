"""The body of a `:predict` call → the tensors of a PredictRequest: in rows (`instances`) or in columns (`inputs`).

The checks come in the order of the real server, in its words. Pure.
"""

from collections.abc import Mapping
from typing import Any

from tfsload.modelserver.errors import RequestError, invalid
from tfsload.modelserver.rest.reader import JsonError, read_json
from tfsload.modelserver.rest.values import Values, in_array, is_base64, stacked, values_of
from tfsload.modelserver.rest.words import value_words
from tfsload.transport.protos import types_pb2

_SIGNATURE, _ROWS, _COLUMNS = "signature_name", "instances", "inputs"


def document_of(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is.

    Raises:
        RequestError: it is none.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = read_json(body)
    except JsonError as fault:
        raise invalid(str(fault)) from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {value_words(document)} Is not object")
    return document


def signature_asked(document: Mapping[str, Any]) -> str:
    """Return the signature's name in a body; empty: none is named.

    Raises:
        RequestError: it is not a text.
    """
    name = document.get(_SIGNATURE, "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {value_words(document)} not formatted correctly. '{_SIGNATURE}' key must be a string value."
        )
    return name


def tensors_of(document: Mapping[str, Any], dtypes: Mapping[str, int]) -> tuple[dict[str, Values], bool]:
    """Return the tensors by their aliases, and whether they were given in rows.

    Args:
        document: the body.
        dtypes: alias → dtype of the signature's inputs, at least one, in order.

    Raises:
        RequestError: they are not given, or do not fit.
    """
    if _ROWS in document:
        if _COLUMNS in document:
            raise _format_error(document, f"expecting only one of '{_COLUMNS}' or '{_ROWS}' keys to exist ")
        rows = document[_ROWS]
        if not isinstance(rows, list):
            raise invalid(f"JSON Value: {value_words(document)} Excepting '{_ROWS}' to be an list/array")
        if not rows:
            raise invalid(f"JSON Value: {value_words(document)} No values in '{_ROWS}' array")
        return _from_rows(rows, dtypes), True
    if _COLUMNS in document:
        return _from_columns(document[_COLUMNS], dtypes), False
    raise invalid(f"Missing '{_COLUMNS}' or '{_ROWS}' key")


def fill_tensors(inputs: Any, tensors: Mapping[str, Values], dtypes: Mapping[str, int]) -> None:
    """Write the tensors into the `inputs` of an empty PredictRequest."""
    for alias, (shape, flat) in tensors.items():
        proto = inputs[alias]
        proto.dtype = dtypes[alias]
        for size in shape:
            proto.tensor_shape.dim.add(size=size)
        if proto.dtype == types_pb2.DT_STRING:
            proto.string_val.extend(flat.tolist())
        else:
            proto.tensor_content = flat.tobytes()


def _from_rows(rows: list[Any], dtypes: Mapping[str, int]) -> dict[str, Values]:
    if not isinstance(rows[0], dict) and len(dtypes) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    quick = _rows_at_a_glance(rows, dtypes)
    return _rows_one_by_one(rows, dtypes) if quick is None else quick


def _rows_at_a_glance(rows: list[Any], dtypes: Mapping[str, int]) -> dict[str, Values] | None:
    if not _is_named(rows[0]):
        alias = next(iter(dtypes))
        found = stacked(rows, dtypes[alias])
        return None if found is None else {alias: found}
    if not all(_is_named(row) and row.keys() == dtypes.keys() for row in rows):
        return None
    tensors = {}
    for alias, dtype in dtypes.items():
        column = stacked([row[alias] for row in rows], dtype)
        if column is None:
            return None
        tensors[alias] = column
    return tensors


def _rows_one_by_one(rows: list[Any], dtypes: Mapping[str, int]) -> dict[str, Values]:
    is_named = _is_named(rows[0])
    columns: dict[str, _Column] = {}
    for i, row in enumerate(rows):
        if _is_named(row) != is_named:
            expected, got = ("object", "list") if is_named else ("value/list", "object")
            raise invalid(f"Expecting {expected} but got {got} at item {i} of input list")
        for alias, value in (row if is_named else {next(iter(dtypes)): row}).items():
            try:
                if alias not in dtypes:
                    raise invalid(f"JSON object: does not have named input: {alias}")
                columns.setdefault(alias, _Column(dtypes[alias])).add(value)
            except RequestError as error:
                key = f" key: {alias}" if is_named else ""
                status = f"{error.code.name}: {error.message}"
                raise invalid(f"Failed to process element: {i}{key} of '{_ROWS}' list. Error: {status}") from None
        if is_named and row.keys() != dtypes.keys():
            raise invalid(
                f"Failed to process element: {i} of '{_ROWS}' list. JSON object: {value_words(row)} "
                f"must only have keys: {','.join(sorted(dtypes))}"
            )
    return {alias: column.values(len(rows)) for alias, column in columns.items()}


class _Column:
    """An input's values of all rows."""

    def __init__(self, dtype: int) -> None:
        self._dtype = dtype
        self._first: tuple[int, tuple[int, ...]] | None = None
        self._found: list[Any] = []

    def add(self, value: Any) -> None:
        """Take a row's value.

        Raises:
            RequestError: it does not fit the dtype, or is of another shape than the first.
        """
        shape, found = values_of(value, self._dtype)
        size, first_shape = self._first = self._first or (len(found), shape)
        if len(found) != size:
            raise invalid(f"Expecting tensor size: {size} but got: {len(found)}")
        if shape != first_shape:
            raise invalid(f"Expecting shape {_shape_words(first_shape)} but got: {_shape_words(shape)}")
        self._found += found

    def values(self, n_rows: int) -> Values:
        """Return them as a tensor."""
        _, shape = self._first or (0, ())
        return Values((n_rows, *shape), in_array(self._found, self._dtype))


def _from_columns(given: Any, dtypes: Mapping[str, int]) -> dict[str, Values]:
    if not _is_named(given):
        if len(dtypes) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        [(alias, dtype)] = dtypes.items()
        return {alias: _column(given, dtype)}
    tensors = {}
    for alias, dtype in dtypes.items():
        if alias not in given:
            raise invalid(f"Missing named input: {alias} in '{_COLUMNS}' object.")
        tensors[alias] = _column(given[alias], dtype)
    return tensors


def _column(value: Any, dtype: int) -> Values:
    quick = stacked(value, dtype) if isinstance(value, list) and value else None
    if quick is not None:
        return quick
    shape, found = values_of(value, dtype)
    return Values(shape, in_array(found, dtype))


def _is_named(value: Any) -> bool:
    """Whether a value names inputs: it is an object, and not one that stands for bytes."""
    return isinstance(value, dict) and not is_base64(value)


def _format_error(document: Mapping[str, Any], words: str) -> RequestError:
    return invalid(f"JSON Value: {value_words(document)} Not formatted correctly {words}")


def _shape_words(shape: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"
