"""A directory of PNG or JPEG files: a folder for each class, or all of them in one, without labels."""

import hashlib
import itertools
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tfsload.datasets.data_error import MOST_NAMED, DataError, legible, named
from tfsload.datasets.labels import Labels, as_labels
from tfsload.datasets.listing import Listing, is_picture, list_directory
from tfsload.datasets.pictures import read_pixels
from tfsload.datasets.progress import Turns, counted
from tfsload.datasets.sizes import check_images, times

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Pictures:
    """What a directory holds.

    Attributes:
        images: uint8 (n, rows, columns), read-only. Of class folders the first of each, then the second of each, and so
            on, so that the first images of a set are of all classes; in a folder by name.
        labels: (n,); None: they lie in no class folders.
        class_names: the folders' names by label, where these are not the labels themselves; else empty.
        passed_over: files beside class folders that are no images.
    """

    images: NDArray[np.uint8]
    labels: Labels | None
    class_names: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()


@dataclass
class _Faults:
    """What is wrong with files: the first few of a kind, and how many there are."""

    texts: list[str] = field(default_factory=list)
    n: int = 0

    def add(self, text: str) -> None:
        self.n += 1
        if len(self.texts) < MOST_NAMED:
            self.texts.append(text)


@dataclass
class _Files:
    """The image files of a directory.

    Attributes:
        paths: in order, below the directory.
        classes: of each its class, as its place among `labels`; empty: there are none.
        labels: of the classes.
        class_names, passed_over: as of `Pictures`.
    """

    paths: list[str]
    classes: list[int] = field(default_factory=list)
    labels: tuple[int, ...] = ()
    class_names: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()


# The directory that was read last, and what of it: a start is checked, run and summed up, each time with its images.
_kept: tuple[str, Pictures] | None = None


def read(directory: Path) -> Pictures:
    """Return the images of a directory; those of the one that was read last are kept while its files stay as they are.

    Raises:
        DataError: it holds none, or files and folders that are no such data set: all of them at once, the first few
            named.
    """
    global _kept
    files = _find(directory)
    print_of_files = _print_of(directory, files)
    if _kept is None or _kept[0] != print_of_files:
        _kept = None  # before others take memory
        _kept = print_of_files, _read(directory, files)
    return _kept[1]


def _print_of(directory: Path, files: _Files) -> str:
    """Return what tells files from others, and from what they were before, without reading them."""
    digest = hashlib.sha256(os.fsencode(directory.absolute()))
    digest.update(repr((files.labels, files.class_names)).encode())
    turns = Turns()
    for path in files.paths:
        turns.give()
        try:
            stat = os.stat(os.path.join(directory, path))
        except OSError:
            continue  # told when it is to be read
        digest.update(os.fsencode(path) + f"\0{stat.st_ino} {stat.st_size} {stat.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _find(directory: Path) -> _Files:
    top = list_directory(directory)
    pictures = [name for name in top.files if is_picture(name)]
    if pictures and top.folders:
        raise DataError(
            f"{directory}: holds both images ({named(pictures)}) and folders ({named(top.folders)}): put each image "
            "into its class's folder, or pass a directory of one kind"
        )
    if not top.folders:
        faults = _Faults()
        _check_listing(top, "", faults)
        _refuse(directory, faults)
        return _Files(pictures)
    return _of_classes(directory, top)


def _of_classes(directory: Path, top: Listing) -> _Files:
    inside = {name: list_directory(directory / name) for name in top.folders}
    if not any(one.files for one in inside.values()):
        deeper = [f"{directory / name}" for name, one in inside.items() if one.folders]
        if deeper:
            raise DataError(
                f"{directory}: expected a folder of images for each class, found folders of folders: pass one of "
                f"{named(deeper)}"
            )
    faults = _Faults()
    for name, kind in top.others.items():
        faults.add(f"{legible(name)}: {kind}")
    for name, one in inside.items():
        _check_listing(one, f"{name}/", faults)
        for folder in one.folders:
            faults.add(f"{legible(name)}/{legible(folder)}: a folder within a class's folder")
        if not one.files and not one.folders:
            faults.add(f"{legible(name)}: a folder without images")
    numbers = {name: int(name) if name.isascii() and name.isdecimal() else None for name in inside}
    are_numbers = None not in numbers.values()
    if are_numbers and len(set(numbers.values())) < len(numbers):
        faults.add(f"folders {named(sorted(numbers))}: two of them are the same number")
    _refuse(directory, faults)
    ordered = sorted(inside, key=lambda name: (numbers[name] or 0, name)) if are_numbers else sorted(inside)
    mixed = list(_in_turn([[f"{name}/{file}" for file in inside[name].files] for name in ordered]))
    labels = tuple(numbers[name] or 0 for name in ordered) if are_numbers else tuple(range(len(ordered)))
    return _Files(
        paths=[path for path, _ in mixed],
        classes=[place for _, place in mixed],
        labels=labels,
        class_names=() if are_numbers else tuple(ordered),
        passed_over=tuple(top.files),
    )


def numbers_meant(names: Sequence[str]) -> list[int]:
    """Return the numbers that the names of folders stand for, where these come in another order; else none.

    >>> numbers_meant(["eight", "one", "two"]), numbers_meant(["digit10", "digit9"]), numbers_meant(["cat", "dog"])
    ([8, 1, 2], [10, 9], [])
    """
    words = [name.strip().casefold() for name in names]
    if all(word in _DIGITS for word in words):
        numbers = [_DIGITS.index(word) for word in words]
    else:
        found = [re.findall("[0-9]{1,9}", word) for word in words]
        if any(len(one) != 1 for one in found):
            return []
        numbers = [int(one[0]) for one in found]
    return numbers if len({*numbers}) == len(numbers) and numbers != sorted(numbers) else []


_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _in_turn(rows: Sequence[Sequence[_Item]]) -> Iterable[tuple[_Item, int]]:
    """Yield the first of each row, then the second of each, and so on, with the row's number.

    >>> list(_in_turn(["ab", "c"]))
    [('a', 0), ('c', 1), ('b', 0)]
    """
    missing = object()
    for column in itertools.zip_longest(*rows, fillvalue=missing):
        yield from ((item, place) for place, item in enumerate(column) if item is not missing)  # type: ignore[misc]


def _check_listing(listing: Listing, prefix: str, faults: _Faults) -> None:
    for name in listing.files:
        if not is_picture(name):
            faults.add(f"{legible(prefix + name)}: no PNG or JPEG by its name")
    for name, kind in listing.others.items():
        faults.add(f"{legible(prefix + name)}: {kind}")


def _refuse(directory: Path, faults: _Faults) -> None:
    if faults.n:
        raise DataError(
            f"{directory}: expected PNG or JPEG files, in a folder for each class or all in one; found "
            f"{named(faults.texts, faults.n, '; ')}: mend them, or move them elsewhere"
        )


def _read(directory: Path, files: _Files) -> Pictures:
    images: NDArray[np.uint8] | None = None
    faults, sizes = _Faults(), dict[tuple[int, int], _Faults]()
    places = range(len(files.paths))
    for place in counted(places, f"Reading {legible(str(directory))}"):
        path = files.paths[place]
        try:
            pixels = read_pixels(os.path.join(directory, path))
        except DataError as error:
            faults.add(f"{legible(path)}: {error}")
            continue
        rows, columns = pixels.shape
        sizes.setdefault((rows, columns), _Faults()).add(path)
        if images is None:
            shape = (len(places), rows, columns)
            check_images(shape, str(directory))
            images = np.empty(shape, np.uint8)
        if pixels.shape == images.shape[1:]:
            images[place] = pixels
    for fault in _odd_sizes(sizes):
        faults.add(fault)
    _refuse(directory, faults)
    assert images is not None  # a directory without any is no data set
    images.flags.writeable = False
    labels = None
    if files.classes:
        labels = as_labels(np.asarray(files.labels)[files.classes], str(directory))
    return Pictures(images, labels, files.class_names, files.passed_over)


def _odd_sizes(sizes: dict[tuple[int, int], _Faults]) -> list[str]:
    """Return which files are of another size than most."""
    if len(sizes) < 2:
        return []
    most = max(sizes, key=lambda size: (sizes[size].n, size))
    return [
        f"{named(found.texts, found.n)}: {times(size)} pixels, and {times(most)} as most of them are expected"
        for size, found in sizes.items()
        if size != most
    ]
