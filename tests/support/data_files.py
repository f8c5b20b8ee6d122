"""Data sets written as the tools of their makers write them."""

import gzip
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

# Of each type of elements, NumPy's as it is written.
_WRITTEN_AS = {0x08: "u1", 0x0C: ">i4", 0x0D: ">f4"}


def idx_bytes(array: np.ndarray, *, element_type: int = 8) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, element_type, array.ndim, *array.shape)
    return header + array.astype(_WRITTEN_AS[element_type]).tobytes()


def images(count: int, shape: tuple[int, ...] = (28, 28)) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, *shape), np.uint8)


def labels(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.uint8) % 10


def write_idx(path: Path, array: np.ndarray, *, element_type: int = 8) -> Path:
    """Write an IDX file, gzipped where its name says so."""
    content = idx_bytes(array, element_type=element_type)
    path.write_bytes(gzip.compress(content, 1) if path.name.endswith(".gz") else content)
    return path


def write_pair(directory: Path, images_name: str, labels_name: str, count: int = 3) -> None:
    """Write images and their labels, in QMNIST's table where the name of the labels is of that kind."""
    write_idx(directory / images_name, images(count))
    if "idx2-int" in labels_name:
        write_idx(directory / labels_name, qmnist_labels(count), element_type=0x0C)
    else:
        write_idx(directory / labels_name, labels(count))


def qmnist_labels(count: int) -> np.ndarray:
    """Return labels as QMNIST has them: class, series, writer, …, global index, and so on; 8 columns."""
    table = np.zeros((count, 8), np.int32)
    table[:, 0] = labels(count)
    table[:, 1:] = 1_000_000 + np.arange(count)[:, None]  # of which a byte says nothing
    return table


def write_keras_npz(path: Path, n_test: int = 5, n_train: int = 7) -> Path:
    """Write what Keras's `mnist.load_data` downloads: uint8 images and labels of both splits, in one zip file."""
    arrays = {
        "x_test": images(n_test),
        "y_test": labels(n_test),
        "x_train": images(n_train),
        "y_train": labels(n_train),
    }
    np.savez_compressed(path, **arrays)
    return path


def write_pictures(directory: Path, pictures: Mapping[str, np.ndarray | Image.Image]) -> Path:
    """Write images by their path below a directory; the format is that of the name's ending."""
    for name, picture in pictures.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path)
    return directory
