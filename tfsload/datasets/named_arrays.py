"""Arrays by the names of a model's inputs, sent as they are: the first axis is the example. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.datasets.data_error import DataError, named
from tfsload.datasets.labels import Labels, are_beyond_classes, as_labels
from tfsload.datasets.sizes import MAX_BYTES, check_count

LABELS = ("labels", "y")
"""What holds the labels: the first of these that is there."""


@dataclass(frozen=True)
class Announced:
    """What the header of an array says: nothing else of it has been read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True, eq=False)
class NamedArrays:
    """Arrays, and what they are judged by.

    Attributes:
        arrays: (n, …) each, by name, read-only; texts as objects, bytes each.
        labels: the class of each example; None: there are none, or `targets`.
        targets: labels that are no classes, texts as objects, `str` each; None: there are none, or they are.
    """

    arrays: Mapping[str, NDArray[Any]]
    labels: Labels | None
    targets: NDArray[Any] | None


def check_array(array: Announced, source: str) -> None:
    """Refuse what no input takes, and what has no first axis, or one that is too long."""
    if array.dtype.kind not in "biufcSU":
        raise DataError(f"{source}: expected numbers or texts, found {array.dtype}")
    if not array.shape:
        raise DataError(
            f"{source}: expected an array whose first axis is the example, found a single value: repeat it for each "
            "example, or pass it with --input NAME=VALUE"
        )
    check_count(array.shape[0], source)
    if math.prod(array.shape) * array.dtype.itemsize > MAX_BYTES:
        raise DataError(f"{source}: expected at most {MAX_BYTES >> 30} GiB, found {array.shape} of {array.dtype}")


def named_arrays(arrays: Mapping[str, NDArray[Any]], labels: NDArray[Any] | None, path: Path) -> NamedArrays:
    """Return arrays as they are fired.

    Args:
        arrays: at least one, by name.
        labels: as they were read; None: there are none.
        path: names them in messages.

    Raises:
        DataError: they are of different lengths.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if labels is not None:
        lengths["the labels"] = len(labels)
    if len(set(lengths.values())) > 1:
        told = named([f"{name} {n:,}" for name, n in lengths.items()])
        raise DataError(f"{path}: expected arrays whose first axis, the example, is equally long, found {told}")
    made = {name: _read_only(_with_bytes(array)) for name, array in arrays.items()}
    if labels is None:
        return NamedArrays(made, None, None)
    flat = labels.reshape(len(labels)) if labels.shape[1:] == (1,) else labels
    if flat.ndim == 1 and flat.dtype.kind in "iu" and flat.min() >= 0 and not are_beyond_classes(flat):
        return NamedArrays(made, as_labels(flat, f"{path}, labels"), None)
    return NamedArrays(made, None, _read_only(_with_texts(flat)))


def _with_bytes(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array whose texts are bytes: in UTF-8, where they are letters."""
    if array.dtype.kind not in "SU":
        return array
    texts = [one.encode() if isinstance(one, str) else one for one in array.ravel().tolist()]
    made: NDArray[Any] = np.empty(len(texts), object)
    made[:] = texts
    return made.reshape(array.shape)


def _with_texts(array: NDArray[Any]) -> NDArray[Any]:
    """Return labels whose texts are `str`, as whoever judges by them writes them; bytes that are no UTF-8 stay."""
    made = _with_bytes(array)
    if made.dtype == object:
        try:
            texts = [one.decode() for one in made.ravel().tolist()]
        except UnicodeDecodeError:
            return made
        made = np.empty(len(texts), object)
        made[:] = texts
        made = made.reshape(array.shape)
    return made


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    made = np.ascontiguousarray(array)
    made.flags.writeable = False
    return made
