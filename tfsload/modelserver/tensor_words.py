"""A tensor's dtype and shape as the real server writes them in its messages. Pure."""

from typing import Any

from numpy.typing import NDArray

from tfsload.transport.tensors import name_of, number_of


def dtype_words(array: NDArray[Any]) -> str:
    """Its dtype, such as `DT_FLOAT`."""
    number = number_of(array.dtype)
    return str(array.dtype) if number is None else name_of(number)


def shape_words(array: NDArray[Any]) -> str:
    """Its shape, such as `[8,10]`."""
    return "[" + ",".join(map(str, array.shape)) + "]"
