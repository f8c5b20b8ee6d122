"""Images made into arrays by a user class's own `encode`: once each, before any load."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.datasets.dataset import Dataset
from tfsload.datasets.progress import counted
from tfsload.datasets.sizes import MAX_BYTES
from tfsload.prediction.hooks import Hook, is_own, value_words
from tfsload.settings.settings import SettingsError
from tfsload.target.waiting import StoppedError
from tfsload.transport.given_array import UNNAMED, GivenArray
from tfsload.transport.words import shown

_EXPECTED = "expected an array of numbers, text or bytes, or a dict of such by the names of the model's inputs"
_HELD = "biufc"


@dataclass(frozen=True)
class Encoded:
    """What was made of a data set.

    Attributes:
        dataset: with other images, or with arrays in their place; its labels are as they were.
        by: who has made it; empty: nobody, it is the data set itself.
        by_words: the same, with what it has cost.
    """

    dataset: Dataset
    by: str = ""
    by_words: str = ""


def encoded(
    dataset: Dataset,
    encode: Hook | None,
    clock_s: Callable[[], float] = time.perf_counter,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Encoded:
    """Return a data set as a class's `encode` makes it, which is called once for each image, in order.

    Where it returns one array of bytes (uint8) with rows and columns, that is an image, and is fitted to the model as
    any other. All else is sent as it is.

    Args:
        dataset: of images; of arrays `encode` is given a dict with an example's.
        encode: the class's; None: it has none of its own.
        clock_s: seconds that go on.
        is_stopped: whether nobody wants it any more; others have their turn between two images, and may say so.

    Raises:
        StoppedError: nobody does.
        SettingsError: it raises, or returns what cannot be sent, or not the same for each image.
    """
    if encode is None:
        return Encoded(dataset, *_given_by(dataset))
    n, begun_s, stacked, n_bytes = len(dataset), clock_s(), {}, 0
    for number in counted(range(n), f"Encoding images with {encode.name}"):
        if is_stopped():
            raise StoppedError(f"{encode.name} made its images: {number:,} of {n:,} were made")
        arrays = _arrays_of(encode, _example(dataset, number), number)
        n_bytes += sum(map(_n_bytes, arrays.values()))
        if not number:
            n_first = sum(array.nbytes for array in arrays.values())  # of texts the least that they take
            _check_size(encode, f"{n:,} images would take", n * n_first)
            stacked = {name: np.empty((n, *array.shape), array.dtype) for name, array in arrays.items()}
        _check_size(encode, f"{number + 1:,} of {n:,} images take", n_bytes)  # texts need not be equally long
        _check_alike(encode, stacked, arrays, number)
        for name, array in arrays.items():
            stacked[name][number, ...] = array
    for array in stacked.values():
        array.flags.writeable = False
    cost = f"{n:,} image{'' if n == 1 else 's'} in {clock_s() - begun_s:.3g} s, {n_bytes / 1e6:.3g} MB"
    by_words = f"{encode.name} ({cost})"
    only = stacked.get(UNNAMED)
    if only is not None and only.dtype == np.uint8 and only.ndim == 3 and only.size:
        return Encoded(replace(dataset, images=only, arrays={}), encode.name, by_words)
    no_pixels = np.zeros((n, 0, 0), np.uint8)
    return Encoded(replace(dataset, images=no_pixels, arrays=stacked), encode.name, by_words)


def _given_by(dataset: Dataset) -> tuple[str, str]:
    """Return who gives a data set's own arrays; empty: it has images."""
    if not dataset.arrays:
        return "", ""
    by = f"--dataset {shown(dataset.name)}"
    return by, by


def _example(dataset: Dataset, number: int) -> Any:
    if dataset.arrays:
        return {name: array[number] for name, array in dataset.arrays.items()}
    return dataset.images[number]


def _arrays_of(encode: Hook, example: Any, number: int) -> dict[str, NDArray[Any]]:
    what = f"image {number}"
    try:
        made = encode.call(example)
    except BaseException as error:
        if not is_own(error):
            raise
        raise SettingsError([f"{encode.name}, {what}: {shown(encode.said(error))}"]) from error
    named = made if isinstance(made, Mapping) else {UNNAMED: made}
    if not named or (isinstance(made, Mapping) and not all(isinstance(name, str) and name for name in named)):
        raise SettingsError([f"{encode.name}, {what}: returned a dict with the keys {list(named)}: {_EXPECTED}"])
    arrays = {}
    for name, value in named.items():
        try:
            array = _as_array(value)
        except Exception as error:  # what is no array of numpy's turns itself into one, or raises whatever it likes
            told = f"returned {type(value).__name__}, which makes no array: {shown(encode.said(error))}"
            raise SettingsError([f"{encode.name}, {what}: {told}"]) from error
        if array is None:
            of = f"{shown(name)}: " if name else ""
            told = shown(f"{type(value).__name__} {value_words(value)}")
            raise SettingsError([f"{encode.name}, {what}: returned {of}{told}: {_EXPECTED}"])
        arrays[name] = array
    return arrays


def _as_array(value: Any) -> NDArray[Any] | None:
    """Return a value as an array of numbers, or of bytes as objects; None: it is neither."""
    if isinstance(value, str | bytes):  # numpy would cut zeros off their end
        only: NDArray[Any] = np.empty((), object)
        only[()] = value.encode() if isinstance(value, str) else value
        return only
    try:
        array = np.asarray(value)
        if array.dtype.kind in "SU":
            array = np.array(value, object) if not isinstance(value, np.ndarray) else value.astype(object)
    except (ValueError, TypeError):  # such as rows that are not equally long
        return None
    if array.dtype == object:
        texts = array.ravel().tolist()
        if not texts or not all(isinstance(one, str | bytes) for one in texts):
            return None
        made: NDArray[Any] = np.empty(len(texts), object)
        made[:] = [one.encode() if isinstance(one, str) else one for one in texts]
        return made.reshape(array.shape)
    return array if array.dtype.kind in _HELD or array.dtype.name == "bfloat16" else None


def _check_size(encode: Hook, which: str, n_bytes: int) -> None:
    if n_bytes > MAX_BYTES:
        raise SettingsError(
            [
                f"{encode.name}: {which} {n_bytes / (1 << 30):.3g} GiB, expected at most "
                f"{MAX_BYTES >> 30}: pass a smaller --num-tests, or return smaller arrays"
            ]
        )


def _check_alike(
    encode: Hook, stacked: Mapping[str, NDArray[Any]], arrays: Mapping[str, NDArray[Any]], number: int
) -> None:
    """Refuse what is not as the first image's was."""
    expected = {name: (array.dtype, array.shape[1:]) for name, array in stacked.items()}
    found = {name: (array.dtype, array.shape) for name, array in arrays.items()}
    if found == expected:
        return
    told = [
        ", ".join(f"{shown(name)} {GivenArray(*one).words}".strip() for name, one in of.items())
        for of in (found, expected)
    ]
    raise SettingsError(
        [f"{encode.name}, image {number}: returned {told[0]}, image 0 had {told[1]}: all must be alike"]
    )


def _n_bytes(array: NDArray[Any]) -> int:
    return array.nbytes if array.dtype != object else sum(map(len, array.ravel().tolist()))


def given_arrays(dataset: Dataset) -> dict[str, GivenArray]:
    """Return what is known of the arrays that are fired; empty: images are."""
    return {name: GivenArray.of(array) for name, array in dataset.arrays.items()}
