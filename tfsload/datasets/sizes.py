"""How large a data set may be: looked at before memory is taken, since a damaged or hostile file may say anything."""

import math

from tfsload.datasets.data_error import DataError

MAX_ITEMS = 1_000_000
"""Images in a set. The largest of this kind, EMNIST, has 814,255."""

MAX_BYTES = 4 << 30
"""Pixels in a set, a byte each."""

TEXT_BYTES = 48
"""What a text takes in memory beside its letters, as an object of Python's that an array and a list refer to."""

MAX_CLASSES = 1_000_000
"""A label is less than this."""


def check_images(shape: tuple[int, ...], source: str) -> None:
    """Refuse images of a shape that no run can fire.

    Args:
        shape: (n, rows, columns).
        source: names them in messages.

    Raises:
        DataError: there are none, they have no pixels, or there are too many of either.
    """
    check_count(shape[0], source)
    if 0 in shape:
        raise DataError(f"{source}: expected images of at least one pixel, found {times(shape[1:])}")
    if math.prod(shape) > MAX_BYTES:
        raise DataError(
            f"{source}: expected at most {MAX_BYTES >> 30} GiB of pixels, found {shape[0]:,} images of "
            f"{times(shape[1:])}: split the set, or make its images smaller"
        )


def check_count(n: int, source: str) -> None:
    """Refuse a number of items that no run can fire, as `check_images`."""
    if n == 0:
        raise DataError(f"{source}: expected at least one item, found none")
    if n > MAX_ITEMS:
        raise DataError(f"{source}: expected at most {MAX_ITEMS:,} items, found {n:,}")


def times(shape: tuple[int, ...]) -> str:
    """Return a shape for people.

    >>> times((28, 28))
    '28×28'
    """
    return "×".join(map(str, shape))
