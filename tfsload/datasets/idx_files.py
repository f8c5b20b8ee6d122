"""Which IDX files belong together, by the names that MNIST's, EMNIST's and QMNIST's makers gave them.

| set | images | labels |
| --- | --- | --- |
| MNIST, Fashion-MNIST, KMNIST | t10k-images-idx3-ubyte, train-images-idx3-ubyte | t10k-labels-idx1-ubyte, … |
| EMNIST | emnist-letters-test-images-idx3-ubyte, emnist-letters-train-…, and so on | …-labels-idx1-ubyte |
| QMNIST | qmnist-test-images-idx3-ubyte, qmnist-train-images-idx3-ubyte | qmnist-test-labels-idx2-int, … |

A dot may stand before idx (Kaggle's way), test in the place of t10k, and .gz at the end.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfsload.datasets import idx
from tfsload.datasets.data_error import DataError, named
from tfsload.datasets.labels import Labels, as_labels
from tfsload.datasets.listing import DIRECTORY, FILE, NOTHING, what_is

SPLITS = {"test": ("t10k", "test"), "train": ("train",)}
"""The two halves of a data set, and how the names of their sets end."""

_NAME = re.compile(r"(?P<set>.*?)(?P<what>images|labels)(?P<mark>[-.])(?P<kind>idx3-ubyte|idx1-ubyte|idx2-int)(\.gz)?")
_LABEL_KINDS = {"idx1-ubyte": idx.LABELS, "idx2-int": idx.QMNIST_LABELS}
_EMNIST = re.compile(r"emnist\b", re.IGNORECASE)
TURNED = "EMNIST's files hold images with rows and columns exchanged: they were put upright, as their name says so"


@dataclass(frozen=True)
class IdxFiles:
    """The files of one set.

    Attributes:
        images: of the images.
        labels: of their labels; None: there is none.
    """

    images: Path
    labels: Path | None

    @property
    def is_transposed(self) -> bool:
        """Whether they are EMNIST's, by their name, whose images are stored with rows and columns exchanged."""
        return bool(_EMNIST.match(self.images.name))

    def read(self) -> tuple[NDArray[np.uint8], Labels | None]:
        """Return images (n, rows, columns) and labels (n,).

        Raises DataError for files that are damaged or do not belong together.
        """
        images = idx.read(self.images, idx.IMAGES)
        if self.is_transposed:
            images = np.ascontiguousarray(images.transpose(0, 2, 1))
            images.flags.writeable = False
        if self.labels is None:
            return images, None
        match = _NAME.fullmatch(self.labels.name)
        assert match  # by it the file was found
        numbers = idx.read(self.labels, _LABEL_KINDS[match["kind"]])
        labels = as_labels(numbers if numbers.ndim == 1 else numbers[:, 0], str(self.labels))
        if len(images) != len(labels):
            raise DataError(
                f"{self.labels}: expected {len(images)} labels, one for each image in {self.images}, "
                f"found {len(labels)}; the two files are not of one set"
            )
        return images, labels


def is_name(name: str) -> bool:
    """Whether a file is named as IDX files are."""
    return _NAME.fullmatch(name) is not None


def find_files(directory: Path, split: str) -> IdxFiles:
    """Return the files of a split in a directory.

    Of one name the unpacked file wins over the .gz, and -idx3- over .idx3-. Images and labels are named alike, but
    either may be gzipped. Images without labels are taken where nothing has both.
    Raises DataError if there are none, or those of several sets.
    """
    there, odd = _lying_in(directory)
    images = [path for path in there if _is_of(path, "images", split)]
    found = [IdxFiles(path, _labels_of(path, there)) for path in images]
    complete = [one for one in found if one.labels]
    if not complete:
        _refuse_odd(odd, [path for path in odd for what in ("images", "labels") if _is_of(path, what, split)])
    sets = {_set_of(one.images): one for one in reversed(complete or found)}
    if len(sets) > 1:
        names = sorted(one.images.name for one in sets.values())
        raise DataError(
            f"{directory}: holds several sets, {named(names)}: pass the one to fire, as {directory}/{names[0]}"
        )
    if sets:
        return next(iter(sets.values()))
    if lonely := [path for path in there if _is_of(path, "labels", split)]:
        counterpart = lonely[0].name.removesuffix(".gz").replace("labels", "images")
        counterpart = re.sub("idx1-ubyte|idx2-int", "idx3-ubyte", counterpart)
        raise DataError(
            f"{directory}: found {lonely[0].name}, but not its counterpart {counterpart} (or {counterpart}.gz)"
        )
    raise DataError(
        f"{directory}: found no images and labels of the {split} split; expected {_expected(split)}, each file gzipped "
        f"(.gz) or not; what is there: {named([path.name for path in (*there, *odd)]) or NOTHING}"
    )


def files_of(images: Path) -> IdxFiles:
    """Return a file of images with that of its labels beside it, if there is one: it is named alike.

    Raises DataError if it is one of labels.
    """
    match = _NAME.fullmatch(images.name)
    if match is None:
        return IdxFiles(images, None)
    if match["what"] == "labels":
        raise DataError(
            f"{images}: expected images, found labels by its name: pass the file of images, or the directory"
        )
    there, odd = _lying_in(images.parent)
    labels = _labels_of(images, there)
    if labels is None and (odd_one := _labels_of(images, odd)):
        _refuse_odd(odd, [odd_one])
    return IdxFiles(images, labels)


def _lying_in(directory: Path) -> tuple[list[Path], dict[Path, str]]:
    """Return the files of these names in a directory, in order, and what is none, nor a directory, with what it is."""
    try:
        names = sorted(filter(is_name, os.listdir(directory)), key=_rank)
    except OSError as error:
        raise DataError(f"{directory}: expected a readable directory, found: {error.strerror or error}") from None
    kinds = {path: what_is(path) for path in (directory / name for name in names)}
    there = [path for path, kind in kinds.items() if kind == FILE]
    return there, {path: kind for path, kind in kinds.items() if kind not in (FILE, DIRECTORY)}


def _refuse_odd(odd: Mapping[Path, str], paths: Sequence[Path]) -> None:
    """Refuse what is no file where one of the set is expected: to fire images without their labels is no way out."""
    if paths:
        raise DataError(f"{paths[0]}: expected an IDX file, found {odd[paths[0]]}")


def _rank(name: str) -> tuple[bool, bool, str]:
    return "." in name.removesuffix(".gz"), name.endswith(".gz"), name


def _set_of(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    return match["set"] if match else ""


def _is_of(path: Path, what: str, split: str) -> bool:
    match = _NAME.fullmatch(path.name)
    if match is None or match["what"] != what or (match["kind"] == "idx3-ubyte") != (what == "images"):
        return False
    parts = re.split(r"[-_.]", match["set"].rstrip("-_."))
    return parts[-1] in SPLITS[split]


def _labels_of(images: Path, there: Iterable[Path]) -> Path | None:
    of_images = _NAME.fullmatch(images.name)
    for path in there:
        match = _NAME.fullmatch(path.name)
        if not (of_images and match) or match["what"] != "labels" or match["kind"] not in _LABEL_KINDS:
            continue
        if (match["set"], match["mark"]) == (of_images["set"], of_images["mark"]):
            return path
    return None


def _expected(split: str) -> str:
    pairs = [
        f"{name}-images{mark}idx3-ubyte with {name}-labels{mark}idx1-ubyte"
        for name in SPLITS[split]
        for mark in ("-", ".")
    ]
    others = f"those of EMNIST (emnist-letters-{split}-images-idx3-ubyte, …) or QMNIST (qmnist-{split}-…)"
    return f"one of these pairs: {'; '.join(pairs)}; or {others}"
