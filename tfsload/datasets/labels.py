"""Labels as every data set has them, whatever they were written as."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.datasets.data_error import DataError
from tfsload.datasets.sizes import MAX_CLASSES

Labels = NDArray[np.unsignedinteger[Any]]


def are_beyond_classes(numbers: NDArray[Any]) -> bool:
    """Whether whole numbers from 0 on are too large to be classes: only who judges by himself can use them."""
    return int(numbers.max()) >= MAX_CLASSES


def as_labels(numbers: NDArray[Any], source: str) -> Labels:
    """Return labels of the smallest unsigned type that holds them: (n,), contiguous and read-only.

    Args:
        numbers: integers (n,) of any type; at least one.
        source: names them in messages.

    Raises:
        DataError: one is negative, or larger than any class.
    """
    least, most = int(numbers.min()), int(numbers.max())
    if least < 0 or most >= MAX_CLASSES:
        found = least if least < 0 else most
        raise DataError(f"{source}: expected labels from 0 to {MAX_CLASSES - 1:,}, found {found}")
    labels = np.ascontiguousarray(numbers.astype(np.min_scalar_type(most), copy=False))
    labels.flags.writeable = False
    return labels
