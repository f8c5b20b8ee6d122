"""The labelled images of a run: the shipped subset, MNIST itself, or a folder of IDX files."""

import functools
import hashlib
import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfsload.datasets.idx import DataError, read
from tfsload.datasets.shipped import shipped

__all__ = ["IMAGE_SHAPE", "PIXELS", "SPLITS", "DataError", "Dataset", "load"]

IMAGE_SHAPE = (28, 28)
"""Rows and columns of an image, in pixels."""

PIXELS = math.prod(IMAGE_SHAPE)
"""Of an image."""

SPLITS = {"test": ("t10k", "test"), "train": ("train",)}
"""The two halves of a data set, and how their files' names begin, in the order of choice."""

_STYLES = (("-images-idx3-ubyte", "-labels-idx1-ubyte"), ("-images.idx3-ubyte", "-labels.idx1-ubyte"))
_SUFFIXES = ("", ".gz")
# What `load` takes beside directories.
NAMED = ("mnist5k", "mnist")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and their labels, in file order.

    name: what `load` was asked for.
    images: uint8 (n, 28, 28), 0 (background) to 255 (ink); contiguous and read-only.
    labels: uint8 (n,), the class of each image; contiguous and read-only.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of images; never 0."""
        return len(self.labels)

    @functools.cached_property
    def fingerprint(self) -> str:
        """What tells these images and labels from others, wherever they were loaded."""
        digest = hashlib.sha256(self.images.data)
        digest.update(self.labels.data)
        return digest.hexdigest()


def load(source: str, split: str = "test") -> Dataset:
    """Load a data set.

    source: "mnist5k" (shipped: 1,000 images to test with; 4,000 to train on, in a checkout alone), "mnist" (60,000
        and 10,000: downloaded once, verified and cached) or a directory of IDX files, gzipped or not. The two
        words win over directories of that name: write ./mnist for the directory.
    split: "test" or "train".
    Raises DataError for anything else, and for files that are missing, damaged or do not belong together.
    """
    if split not in SPLITS:
        raise DataError(f"split {split!r}: expected one of {', '.join(SPLITS)}")
    return _mnist5k(split) if source == "mnist5k" else _read(source, *_find(source, split))


@functools.cache
def _mnist5k(split: str) -> Dataset:
    # Read once: it takes longer than all else of a form's check, and what is shipped stays as it is.
    return _read("mnist5k", *find_files(shipped("data/mnist5k"), split))


def _read(source: str, images_path: Path, labels_path: Path) -> Dataset:
    images = read(images_path, IMAGE_SHAPE)
    labels = read(labels_path, ())
    if len(images) != len(labels):
        raise DataError(
            f"{labels_path}: expected {len(images)} labels, one for each image in {images_path}, "
            f"found {len(labels)}; the two files are not of one set"
        )
    return Dataset(source, images, labels)


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long, for one
        return False


def _find(source: str, split: str) -> tuple[Path, Path]:
    if source == "mnist":
        # Only here: the downloader brings requests and tqdm along, which a load generator has no use for.
        from tfsload.datasets import download

        return download.fetch(split)
    directory = Path(os.path.expanduser(source))
    if not source or not _is_directory(directory):
        raise DataError(
            f"dataset {source!r}: expected mnist5k (shipped), mnist (the 10,000-image test set, downloaded) "
            "or an existing directory of IDX files"
        )
    return find_files(directory, split)


def find_files(directory: Path, split: str) -> tuple[Path, Path]:
    """Return the paths of a split's images and labels in a directory.

    Several sets in one directory: the first complete pair wins, in the order of `SPLITS` (t10k- before
    test-), then -idx3- before .idx3-; of one name, the unpacked file wins over the .gz. Images and labels
    are named alike, but either may be gzipped. Directories with such names are passed over.
    Raises DataError if there is no complete pair.
    """
    lonely = None
    for images_name, labels_name in _pairs(split):
        images, labels = _existing(directory, images_name), _existing(directory, labels_name)
        if images and labels:
            return images, labels
        if found := images or labels:
            lonely = lonely or (found, labels_name if images else images_name)
    if lonely:
        found, missing = lonely
        raise DataError(f"{directory}: found {found.name}, but not its counterpart {missing} (or {missing}.gz)")
    names = "; ".join(" with ".join(pair) for pair in _pairs(split))
    raise DataError(
        f"{directory}: found no images and labels of the {split} split; expected one of these pairs, each "
        f"file gzipped (.gz) or not: {names}"
    )


def _pairs(split: str) -> list[tuple[str, str]]:
    return [(prefix + images, prefix + labels) for prefix in SPLITS[split] for images, labels in _STYLES]


def _existing(directory: Path, name: str) -> Path | None:
    candidates = (directory / (name + suffix) for suffix in _SUFFIXES)
    return next((path for path in candidates if os.path.isfile(path)), None)
