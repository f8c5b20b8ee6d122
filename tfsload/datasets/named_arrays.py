"""Arrays by the names of a model's inputs, sent as they are: the first axis is the example. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.datasets.data_error import DataError, named
from tfsload.datasets.labels import Labels, are_beyond_classes, as_labels
from tfsload.datasets.sizes import MAX_BYTES, TEXT_BYTES, check_count

LABELS = ("labels", "y")
"""What holds the labels: the first of these that is there."""


@dataclass(frozen=True)
class Announced:
    """What the header of an array says: nothing else of it has been read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def n_bytes(self) -> int:
        """What its elements take in memory; texts become objects."""
        beside = TEXT_BYTES if self.dtype.kind in "SU" else 0
        return math.prod(self.shape) * (self.dtype.itemsize + beside)


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
    # Texts of no bytes at all, which NumPy itself does not save, may be as many as a header likes.
    if array.dtype.kind not in "biufcSU" or not array.dtype.itemsize:
        raise DataError(f"{source}: expected numbers or texts, found {array.dtype}")
    if not array.shape:
        raise DataError(
            f"{source}: expected an array whose first axis is the example, found a single value: repeat it for each "
            "example, or pass it with --input NAME=VALUE"
        )
    check_count(array.shape[0], source)
    if array.n_bytes > MAX_BYTES:
        raise DataError(f"{source}: expected at most {MAX_BYTES >> 30} GiB, found {array.shape} of {array.dtype}")


def check_together(arrays: Sequence[Announced], path: Path) -> None:
    """Refuse arrays that take too much memory together: each may be unpacked from next to nothing."""
    if (n_bytes := sum(array.n_bytes for array in arrays)) > MAX_BYTES:
        raise DataError(
            f"{path}: expected at most {MAX_BYTES >> 30} GiB in all arrays, found {n_bytes / (1 << 30):,.1f}: save "
            "fewer examples, or smaller ones"
        )


def named_arrays(arrays: Mapping[str, NDArray[Any]], labels: NDArray[Any] | None, path: Path) -> NamedArrays:
    """Return arrays as they are fired.

    Args:
        arrays: at least one, by name.
        labels: as they were read; None: there are none.
        path: names them in messages.

    Raises:
        DataError: they are of different lengths, or hold texts that are none.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if labels is not None:
        lengths["the labels"] = len(labels)
    if len(set(lengths.values())) > 1:
        told = named([f"{name} {n:,}" for name, n in lengths.items()])
        raise DataError(f"{path}: expected arrays whose first axis, the example, is equally long, found {told}")
    made = {name: _read_only(_with_bytes(array, f"{path}, {name}")) for name, array in arrays.items()}
    if labels is None:
        return NamedArrays(made, None, None)
    flat = labels.reshape(len(labels)) if labels.shape[1:] == (1,) else labels
    if flat.ndim == 1 and flat.dtype.kind in "iu" and flat.min() >= 0 and not are_beyond_classes(flat):
        return NamedArrays(made, as_labels(flat, f"{path}, labels"), None)
    return NamedArrays(made, None, _read_only(_with_texts(flat, f"{path}, labels")))


def _with_bytes(array: NDArray[Any], source: str) -> NDArray[Any]:
    """Return an array whose texts are bytes: in UTF-8, where they are letters."""
    if array.dtype.kind not in "SU":
        return array
    try:
        texts = [one.encode() if isinstance(one, str) else one for one in array.ravel().tolist()]
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])
        raise DataError(f"{source}: expected texts that are UTF-8, found {half}, half a character") from None
    made: NDArray[Any] = np.empty(len(texts), object)
    made[:] = texts
    return made.reshape(array.shape)


def _with_texts(array: NDArray[Any], source: str) -> NDArray[Any]:
    """Return labels whose texts are `str`, as whoever judges by them writes them; bytes that are no UTF-8 stay."""
    made = _with_bytes(array, source)
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
