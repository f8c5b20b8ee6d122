"""Rotated, shifted and zoomed copies of images, so that 4,000 of them teach more than themselves."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranges:
    """How far a copy may be from its original; each is drawn uniformly from both sides of nothing.

    rotation_degrees: about the centre. shift_pixels: along each axis. zoom: 0.1 is 0.9 to 1.1 times the size,
    for each axis by itself. shear: columns a row is shifted by, for each row from the centre.
    0 switches one off.
    """

    rotation_degrees: float = 12.0
    shift_pixels: float = 2.0
    zoom: float = 0.12
    shear: float = 0.15


def augment(images: np.ndarray, random: np.random.Generator, ranges: Ranges | None = None) -> np.ndarray:
    """Return a copy of float32 `images` (n, rows, columns), each moved in its own way; outside is 0."""
    rows, columns = _sources(images.shape, random, ranges or Ranges())
    return _sample(images, rows, columns)


def _sources(shape: tuple[int, ...], random: np.random.Generator, ranges: Ranges) -> tuple[np.ndarray, np.ndarray]:
    """Return where each pixel of each copy comes from: rows and columns, float32 (n, rows, columns)."""
    count, height, width = shape
    grid_rows, grid_columns = np.mgrid[:height, :width].astype(np.float32)
    centre = np.array([(height - 1) / 2, (width - 1) / 2], np.float32)
    matrices = _matrices(count, random, ranges)
    shifts = random.uniform(-ranges.shift_pixels, ranges.shift_pixels, (2, count, 1, 1)).astype(np.float32)
    grid_rows, grid_columns = grid_rows - centre[0], grid_columns - centre[1]
    rows = matrices[0, 0] * grid_rows + matrices[0, 1] * grid_columns + centre[0] + shifts[0]
    columns = matrices[1, 0] * grid_rows + matrices[1, 1] * grid_columns + centre[1] + shifts[1]
    return rows, columns


def _matrices(count: int, random: np.random.Generator, ranges: Ranges) -> np.ndarray:
    """Return float32 (2, 2, count, 1, 1): rotation, shear and zoom, from a copy's pixel to its source."""
    angle = np.radians(random.uniform(-ranges.rotation_degrees, ranges.rotation_degrees, (count, 1, 1)))
    shear = random.uniform(-ranges.shear, ranges.shear, (count, 1, 1))
    zoom_rows, zoom_columns = random.uniform(1 - ranges.zoom, 1 + ranges.zoom, (2, count, 1, 1))
    sine, cosine = np.sin(angle), np.cos(angle)
    matrix = [
        [(cosine + sine * shear) / zoom_rows, sine / zoom_columns],
        [(cosine * shear - sine) / zoom_rows, cosine / zoom_columns],
    ]
    return np.array(matrix, np.float32)


def _sample(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the images read at fractional places, bilinearly."""
    # One pixel of margin on each side: a place outside is moved onto it and reads 0, and no edge needs care.
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2)))
    rows = np.clip(rows + 1, 0, images.shape[1] + 1)
    columns = np.clip(columns + 1, 0, images.shape[2] + 1)
    top, left = np.floor(rows), np.floor(columns)
    down, right = rows - top, columns - left
    width = padded.shape[2]
    starts = np.arange(len(images))[:, None, None] * padded[0].size
    origin = starts + top.astype(np.intp) * width + left.astype(np.intp)
    pixels = padded.ravel()
    upper = pixels[origin] * (1 - right) + pixels[origin + 1] * right
    lower = pixels[origin + width] * (1 - right) + pixels[origin + width + 1] * right
    return upper * (1 - down) + lower * down
