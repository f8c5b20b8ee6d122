"""The value of a further input, as `--input` has it, as a tensor of the input's dtype and shape. Pure."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.call_spec import TEXT, FurtherInput, type_word
from tfsload.transport.signature import TensorDescribed, fits
from tfsload.transport.tensors import Kind, kind_named

_BOOL = "DT_BOOL"


class GivenInputError(ValueError):
    """A value does not fit its input; the message says what is expected."""


def tensor_of(given: FurtherInput, n_images: int, per_request: int = 1) -> NDArray[Any]:
    """Return what is sent to a further input with a request.

    A list has its own shape. Where its first size is open and it has a value for each image of a full request, one that
    holds fewer has the first of them. A single value fills the input's: once for each image where its first size is
    open, and once in each other dimension of any size.

    Args:
        given: the input and the text.
        n_images: in the request.
        per_request: in a full one.

    Raises:
        GivenInputError: the text is no value of that dtype, or has another shape.
    """
    kind = kind_named(given.dtype)
    if kind is None:
        raise GivenInputError(f"nothing can be sent to an input of {given.dtype}")
    value = _read(given.text, given.dtype)
    array = _array(value, kind, given.dtype)
    described = given.described
    if array.ndim or not described:
        if described is not None and not fits(array.shape, described):
            raise GivenInputError(f"a value of shape {TensorDescribed(given.dtype, described).shape_text}")
        return array[:n_images] if n_images < per_request and _is_each(array, described, per_request) else array
    sizes = [size if size >= 0 else 1 for size in described]
    if described[0] < 0:
        sizes[0] = n_images
    return np.full(sizes, array.item() if kind.dtype == object else array, kind.dtype)


def is_each_image(given: FurtherInput, per_request: int) -> bool:
    """Whether a value that fits its input is a list of one for each image, so that a smaller request has fewer of them.

    That an input's first size is open does not tell what it is of: who gives as many values as a request has images is
    told how they are taken.
    """
    kind = kind_named(given.dtype)
    if kind is None or per_request <= 1:
        return False
    return _is_each(_array(_read(given.text, given.dtype), kind, given.dtype), given.described, per_request)


def _is_each(array: NDArray[Any], described: tuple[int, ...] | None, per_request: int) -> bool:
    is_open = described is None or bool(described and described[0] < 0)
    return array.ndim > 0 and len(array) == per_request and is_open


def _read(text: str, dtype: str) -> Any:
    """Return the value that JSON has for a text; one of letters needs no quotes where it stands alone."""
    try:
        value = json.loads(text, parse_constant=float)
    except (ValueError, RecursionError):
        value = None
    if dtype == TEXT and not isinstance(value, list | str):
        return text
    if value is None:
        words = {"true": True, "false": False, "True": True, "False": False}
        if dtype == _BOOL and text in words:
            return words[text]
        if text.lower() in ("nan", "inf", "-inf"):
            return float(text)
        raise GivenInputError(_expected(dtype))
    return value


def _array(value: Any, kind: Kind, dtype: str) -> NDArray[Any]:
    leaves, shape = _leaves_and_shape(value, dtype)
    if kind.dtype == object:
        if not all(isinstance(leaf, str) for leaf in leaves):
            raise GivenInputError(_expected(dtype))
        flat: NDArray[Any] = np.empty(len(leaves), object)
        flat[:] = [leaf.encode() for leaf in leaves]
        return flat.reshape(shape)
    is_bool = kind.dtype == np.bool_
    if any(isinstance(leaf, str) or isinstance(leaf, bool) != is_bool or leaf is None for leaf in leaves):
        raise GivenInputError(_expected(dtype))
    if np.issubdtype(kind.dtype, np.integer):
        limits = np.iinfo(kind.dtype)
        if not all(isinstance(leaf, int) and limits.min <= leaf <= limits.max for leaf in leaves):
            raise GivenInputError(f"{_expected(dtype)} from {limits.min:,} to {limits.max:,}")
    with np.errstate(over="ignore"):
        return np.array(leaves, kind.dtype).reshape(shape)


def _leaves_and_shape(value: Any, dtype: str) -> tuple[list[Any], tuple[int, ...]]:
    """Return a list's values in order, and its sizes.

    Raises:
        GivenInputError: its rows differ in length, or it holds what is no value.
    """
    if isinstance(value, dict):
        raise GivenInputError(_expected(dtype))
    if not isinstance(value, list):
        return [value], ()
    parts = [_leaves_and_shape(one, dtype) for one in value]
    if len({shape for _, shape in parts}) > 1:
        raise GivenInputError("a list whose rows are equally long")
    inner = parts[0][1] if parts else ()
    return [leaf for leaves, _ in parts for leaf in leaves], (len(value), *inner)


def _expected(dtype: str) -> str:
    return f"a value of {type_word(dtype)}, or a list of them as JSON has it"
