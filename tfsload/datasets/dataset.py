"""The images of a run, and their labels: the shipped subset, downloaded ones, or whatever files of one's own hold."""

import difflib
import functools
import hashlib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tfsload.datasets import idx, idx_files, npz
from tfsload.datasets.data_error import DataError, named
from tfsload.datasets.idx_files import SPLITS, IdxFiles
from tfsload.datasets.labels import Labels, are_beyond_classes
from tfsload.datasets.listing import DIRECTORY, FILE, NOTHING, is_picture, list_directory, what_is
from tfsload.datasets.named_arrays import NamedArrays
from tfsload.datasets.shipped import shipped

__all__ = ["IMAGE_SHAPE", "MNIST_PIXELS", "SPLITS", "DataError", "Dataset", "load"]

IMAGE_SHAPE = (28, 28)
"""Rows and columns of an image of MNIST's, in pixels."""

MNIST_PIXELS = math.prod(IMAGE_SHAPE)
"""Of an image of MNIST's."""

SHIPPED = "mnist5k"
"""What comes with the suite: 5,000 of MNIST's images, 1,000 of them to test with."""

DOWNLOADED = ("mnist", "fashion_mnist")
"""What is fetched from a mirror once, verified and kept."""

# What `load` takes beside files and directories.
NAMED = (SHIPPED, *DOWNLOADED)

_EXPECTED = (
    "mnist5k (shipped), mnist or fashion_mnist (10,000 test images each, downloaded), or an existing file or "
    "directory: of IDX files, a .npz, or PNG and JPEG files in a folder for each class"
)
_EXPECTED_INSIDE = (
    "IDX files of images and labels (t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte and the like, gzipped or not), a "
    ".npz, or PNG and JPEG files, in a folder for each class or all in one"
)
_NPY_MAGIC = b"\x93NUMPY"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and their labels, in an order that stays the same.

    name: what `load` was asked for.
    images: uint8 (n, rows, columns), 0 (background) to 255 (ink); contiguous and read-only.
    labels: unsigned integers (n,), the class of each image; contiguous and read-only. None: they have none, so that no
        answer is right or wrong.
    class_names: by label, where classes have names in place of numbers; else empty.
    remarks: how it was read, where that is worth telling, a sentence each.
    label_range: the lowest and the highest label of the whole set, also where this is the first of its images alone;
        None: there are no labels.
    arrays: what is fired in place of images, by the names of a model's inputs: (n, …) each, read-only; texts as
        objects, bytes each. `images` are then (n, 0, 0). Empty: images are fired.
    targets: labels that are no classes, (n, …), read-only, texts as objects, `str` each, for whoever judges by himself;
        `labels` is then None. None: there are no such.
    beside: names of the arrays that lie beside the images in their archive, and are not fired, unless `by_name` is.
    """

    name: str
    images: NDArray[np.uint8]
    labels: Labels | None
    class_names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    label_range: tuple[int, int] | None = None
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    targets: NDArray[Any] | None = None
    beside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Look for the labels' range, where this is the whole set."""
        if self.labels is not None and self.label_range is None:
            object.__setattr__(self, "label_range", (int(self.labels.min()), int(self.labels.max())))

    def __len__(self) -> int:
        """Return the number of images; never 0."""
        return len(self.images)

    def first(self, n: int) -> "Dataset":
        """Return its first images; n is at least 1."""
        if n >= len(self):
            return self
        labels, targets = (None if one is None else one[:n] for one in (self.labels, self.targets))
        arrays = {name: array[:n] for name, array in self.arrays.items()}
        return replace(self, images=self.images[:n], labels=labels, arrays=arrays, targets=targets)

    def by_name(self) -> "Dataset":
        """Return all arrays of the archive, the images and those beside them, by the names of a model's inputs.

        Raises:
            DataError: some cannot be sent, or are not as many as the images.
        """
        found = npz.read_by_name(Path(os.path.expanduser(self.name)))
        return replace(_of_arrays(self.name, found).first(len(self)), label_range=self.label_range)

    @property
    def examples(self) -> "Examples":
        """What is fired: images, or arrays by name."""
        return self.images if not self.arrays else ArrayExamples(self.arrays)

    @property
    def targets_or_labels(self) -> NDArray[Any] | None:
        """The labels, whatever they are; None: there are none."""
        return self.labels if self.targets is None else self.targets

    @functools.cached_property
    def fingerprint(self) -> str:
        """What tells these images, labels and class names from others, wherever they were loaded."""
        # In ASCII: a name need not be Unicode, and what can be printed differs from one Python to another.
        digest = hashlib.sha256(ascii((self.images.shape, self.class_names)).encode())
        digest.update(self.images.data)
        if self.labels is not None:
            digest.update(self.labels.data)
        for name, array in [*sorted(self.arrays.items()), *([("", self.targets)] if self.targets is not None else [])]:
            digest.update(ascii((name, array.shape, array.dtype.str)).encode())
            texts = array.dtype == object
            digest.update(ascii(array.tolist()).encode() if texts else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


class Examples(Protocol):
    """What can be cut into requests: images, or arrays by name."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, chosen: slice, /) -> Any:
        """Return some of them."""


class ArrayExamples:
    """Arrays by name, cut alike."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take at least one."""
        self._arrays = arrays

    def __len__(self) -> int:
        return len(next(iter(self._arrays.values())))

    def __getitem__(self, chosen: slice) -> dict[str, NDArray[Any]]:
        return {name: array[chosen] for name, array in self._arrays.items()}


def load(source: str, split: str = "test") -> Dataset:
    """Load a data set.

    source: "mnist5k" (shipped: 1,000 images to test with; 4,000 to train on, in a checkout alone), "mnist" or
        "fashion_mnist" (60,000 and 10,000: downloaded once, verified and cached), an IDX file of images or a directory
        of such files, gzipped or not, a .npz, or a directory of PNG or JPEG files. The words win over files and
        directories of that name: write ./mnist for the directory.
    split: "test" or "train"; of what does not tell them apart, all of it is either.
    Raises DataError for anything else, and for files that are missing, damaged or do not belong together.
    """
    if split not in SPLITS:
        raise DataError(f"split {split!r}: expected one of {', '.join(SPLITS)}")
    if source == SHIPPED:
        return _mnist5k(split)
    if source in DOWNLOADED:
        # Only here: the downloader brings requests and tqdm along, which a load generator has no use for.
        from tfsload.datasets import download

        return _of_idx(source, IdxFiles(*download.fetch(source, split)))
    return _of_path(source, split)


@functools.cache
def _mnist5k(split: str) -> Dataset:
    # Read once: it takes longer than all else of a form's check, and what is shipped stays as it is.
    return _of_idx("mnist5k", idx_files.find_files(shipped("data/mnist5k"), split))


def _of_path(source: str, split: str) -> Dataset:
    path = Path(os.path.expanduser(source))
    found = what_is(path) if source else NOTHING
    if found == DIRECTORY:
        return _of_directory(source, path, split)
    if found == FILE:
        return _of_file(source, path, split)
    near = [] if os.sep in source else difflib.get_close_matches(source.lower(), NAMED, n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    raise DataError(f"dataset {source!r}{meant}: expected {_EXPECTED}; found {found}")


def _of_directory(source: str, directory: Path, split: str) -> Dataset:
    listing = list_directory(directory)
    idx_names = [name for name in listing.files if idx_files.is_name(name)]
    archives = [name for name in listing.files if name.endswith(".npz")]
    pictures = [name for name in listing.files if is_picture(name)]
    kinds = [names[0] for names in (idx_names, archives, pictures) if names]
    if len(kinds) > 1:
        raise DataError(
            f"{directory}: holds data sets of several kinds, {named(kinds)}: pass a file, or a directory of one kind"
        )
    if archives:
        paths = [f"{directory / name}" for name in archives]
        raise DataError(f"{directory}: a .npz is passed by its own name: {named(paths)}")
    if pictures or (listing.folders and not idx_names):
        return _of_pictures(source, directory)
    if not idx_names:
        there = [*listing.files, *(f"{name} ({kind})" for name, kind in listing.others.items())]
        raise DataError(f"{directory}: expected {_EXPECTED_INSIDE}; found {named(there) or NOTHING}")
    return _of_idx(source, idx_files.find_files(directory, split))


def _of_file(source: str, path: Path, split: str) -> Dataset:
    start = idx.first_bytes(path, len(_NPY_MAGIC))
    if start.startswith(npz.MAGIC):
        archive = npz.read(path, split)
        if isinstance(archive, NamedArrays):
            return _of_arrays(source, archive)
        images, labels = archive
        if labels is not None and are_beyond_classes(labels):
            return Dataset(source, images, None, targets=labels, beside=npz.beside_images(path))
        return Dataset(source, images, labels, beside=npz.beside_images(path))
    if is_picture(path.name):
        raise DataError(f"{path}: expected a data set, found a single image: pass its directory, {path.parent}")
    if start == _NPY_MAGIC:
        raise DataError(f"{path}: holds one array: save images and labels together with numpy.savez, as a .npz")
    return _of_idx(source, idx_files.files_of(path))


def _of_arrays(source: str, found: NamedArrays) -> Dataset:
    n = len(next(iter(found.arrays.values())))
    told = "and labels" if found.labels is not None or found.targets is not None else "without labels"
    remark = f"{source}: arrays that are sent as they are, {named(list(found.arrays))}, {told}"
    no_pixels = np.zeros((n, 0, 0), np.uint8)
    return Dataset(source, no_pixels, found.labels, (), (remark,), None, found.arrays, found.targets)


def _of_idx(source: str, files: IdxFiles) -> Dataset:
    images, labels = files.read()
    return Dataset(source, images, labels, remarks=(idx_files.TURNED,) if files.is_transposed else ())


def _of_pictures(source: str, directory: Path) -> Dataset:
    # Only here: it brings Pillow along.
    from tfsload.datasets import folders

    pictures = folders.read(directory)
    remarks = []
    if names := pictures.class_names:
        told = [f"{label} = {name}" for label, name in enumerate(names)]
        remarks.append(f"classes of {directory}, by the names of its folders: {named(told)}")
        if numbers := folders.numbers_meant(names):
            renamed = named([f"{name} {number}" for name, number in zip(names, numbers, strict=True)])
            why = "the alphabet's order is not that of their numbers (Keras takes folders in it, too)"
            remarks.append(f"{why}: where a model's classes are these numbers, rename the folders ({renamed})")
    if pictures.passed_over:
        remarks.append(f"passed over beside the folders of {directory}: {named(pictures.passed_over)}")
    return Dataset(source, pictures.images, pictures.labels, names, tuple(remarks))
