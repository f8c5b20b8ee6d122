"""How far numbers lie from others: of whole ones of 64 bits exactly, which floats cannot tell apart. Pure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distances(some: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Return how far each number lies from its other, of two arrays of one shape.

    Two that are no numbers are as one; one that is none is endlessly far from a number.

    >>> distances(np.array([2**53, -(2**63)]), np.array([2**53 + 1, 2**63 - 1])).tolist()
    [1, 18446744073709551615]

    Returns:
        uint64 where both are whole numbers of 64 bits of one dtype, else float64.
    """
    if some.dtype == others.dtype and are_long(some.dtype):
        # The difference of two int64 may be none; that of the same bits as uint64 is the same, and there.
        greater, less = np.maximum(some, others), np.minimum(some, others)
        exact: NDArray[Any] = greater.astype(np.uint64) - less.astype(np.uint64)
        return exact
    one, other = some.astype(np.float64), others.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # an infinite difference is one
        apart: NDArray[Any] = np.abs(other - one)  # of float32 exact
    apart[np.isnan(apart)] = np.inf
    apart[(one == other) | (np.isnan(one) & np.isnan(other))] = 0.0
    return apart


def are_long(dtype: np.dtype[Any]) -> bool:
    """Whether numbers of a dtype are whole and of 64 bits."""
    return dtype.kind in "iu" and dtype.itemsize == 8
