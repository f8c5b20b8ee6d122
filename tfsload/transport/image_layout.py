"""How an image lies in a tensor, told by the tensor's sizes. Pure."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.signature import fits

COLOURS = 3
"""Channels of an image that is not grey."""
# Each side of a border is at most so many pixels, and such a share of an image; what is larger wants larger images.
_MOST_BORDER, _BORDER_SHARE = 3, 8


@dataclass(frozen=True)
class Layout:
    """How images lie in a tensor.

    Attributes:
        shape: of one image, without the dimension of images.
        has_batch: whether images have a dimension of their own.
        batch: that dimension's size, where it has but one; None: any number of images.
        border: pixels of black around the image.
        certainty: how much speaks for it, to be held against others': that sizes are an image's own, that images have
            a dimension, that anything is known at all.
    """

    shape: tuple[int, ...]
    has_batch: bool
    batch: int | None
    certainty: int
    border: int = 0


def shapes_of(pixels: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the shapes that one image may be sent in, the likelier first.

    >>> shapes_of((28, 28))[:3]
    [(784,), (28, 28), (28, 28, 1)]

    Args:
        pixels: its rows and columns.
    """
    flat = math.prod(pixels)
    return [
        (flat,),
        pixels,
        (*pixels, 1),
        (1, *pixels),
        (*pixels, COLOURS),
        (COLOURS, *pixels),
        (flat, 1),
        (1, flat),
    ]


def layout_in(described: tuple[int, ...] | None, pixels: tuple[int, int]) -> Layout | None:
    """Return how images lie in a tensor; None: they do not fit.

    Of several shapes, where sizes are open, it is the likeliest: flat where the rank is. A tensor that is
    a little larger on all sides has its image in the middle, as LeNet-5 has MNIST's: 28 × 28 pixels in 32 × 32.

    Args:
        described: its sizes, -1 for any; None: of any rank.
        pixels: rows and columns of an image.
    """
    if described is None:
        return Layout(shapes_of(pixels)[0], True, None, 0)
    for border in range(min(_MOST_BORDER, min(pixels) // _BORDER_SHARE) + 1):
        layout = _layout_of(described, (pixels[0] + 2 * border, pixels[1] + 2 * border))
        if layout is not None:
            return replace(layout, border=border)
    return None


def _layout_of(described: tuple[int, ...], pixels: tuple[int, int]) -> Layout | None:
    """Return how images of just that size lie in a tensor."""
    shapes = shapes_of(pixels)
    if described:
        fitting = [shape for shape in shapes if fits(shape, described[1:])]
        if fitting:
            batch = described[0] if described[0] >= 0 else None
            return Layout(fitting[0], True, batch, 3 if _is_known(described[1:]) else 2)
    # One number of any size may be anything: it is no image.
    fitting = [shape for shape in shapes if fits(shape, described) and described != (-1,)]
    return Layout(fitting[0], False, None, 3 if _is_known(described) else 1) if fitting else None


def pixels_in(described: tuple[int, ...] | None) -> tuple[int, int] | None:
    """Return the rows and columns of the images that a tensor is made for; None: it does not tell.

    >>> pixels_in((-1, 224, 224, 3)), pixels_in((-1, 1, 64, 48)), pixels_in((-1, 4096)), pixels_in((-1, 10))
    ((224, 224), (64, 48), (64, 64), None)

    Args:
        described: its sizes, -1 for any; None: of any rank.
    """
    if described is None or (len(described) == 2 and -1 not in described):
        return None  # an image, or some flat ones
    for sizes in (described, described[1:]):
        if len(sizes) == 3:
            sizes = sizes[:2] if sizes[2] in (1, COLOURS) else sizes[1:] if sizes[0] in (1, COLOURS) else ()
        side = math.isqrt(sizes[0]) if len(sizes) == 1 and sizes[0] > 1 else 0
        if side and side * side == sizes[0]:
            return side, side
        if len(sizes) == 2 and min(sizes) > 1:
            return sizes[0], sizes[1]
    return None


def shapes_in(described: tuple[int, ...] | None, pixels: tuple[int, int], border: int) -> list[tuple[int, ...]]:
    """Return all shapes of one image that a tensor with a dimension of images leaves open, the likelier first.

    Args:
        described: its sizes, -1 for any; None: of any rank.
        pixels, border: of an image, and around it.
    """
    shapes = shapes_of((pixels[0] + 2 * border, pixels[1] + 2 * border))
    return shapes if described is None else [shape for shape in shapes if fits(shape, described[1:])]


def bordered(images: NDArray[np.uint8], border: int) -> NDArray[np.uint8]:
    """Return images, (n, rows, columns), with so many pixels of black around each."""
    sides = (border, border)
    return np.pad(images, ((0, 0), sides, sides)) if border else images


def laid_out(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return images in the shape that each is sent in: (n, *shape).

    Args:
        values: (n, rows, columns).
        shape: of one; three times as many numbers: each is repeated, in the dimension that is 3.
    """
    n, rows, columns = values.shape
    if math.prod(shape) == rows * columns:
        return values.reshape(n, *shape)
    axis = 3 if shape == (rows, columns, COLOURS) else 1
    return np.repeat(np.expand_dims(values, axis), COLOURS, axis)


def _is_known(described: tuple[int, ...]) -> bool:
    return -1 not in described
