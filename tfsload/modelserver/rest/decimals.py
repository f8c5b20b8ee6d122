"""Numbers as TensorFlow Serving prints them in JSON. Pure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# So many digits tell any number of the dtype from its neighbours.
_DIGITS = {np.dtype(np.float32): 9, np.dtype(np.float64): 17}


def decimals(array: NDArray[Any]) -> list[str]:
    """Return each number of a float32 or float64 array, in order, as text.

    Six digits where they say which number it is, else as many as always do: 0.5, 9e+06, 0.333333343. Whole ones end
    in `.0`; then there are `NaN`, `Infinity` and `-Infinity`, which JSON has not.
    """
    values = tuple(array.ravel().tolist())
    if not values:
        return []
    short = ("%.6g " * len(values) % values).split()
    is_read_back = np.array(list(map(float, short))).astype(array.dtype) == array.ravel()
    if is_read_back.all():
        return list(map(_with_point, short))
    long = (f"%.{_DIGITS[array.dtype]}g " * len(values) % values).split()
    return [
        _with_point(one if is_enough else exact)
        for one, exact, is_enough in zip(short, long, is_read_back.tolist(), strict=True)
    ]


def _with_point(text: str) -> str:
    if "." in text or "e" in text:
        return text
    return _NOT_FINITE.get(text) or text + ".0"


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
