"""One PNG or JPEG file, as grey pixels.

| file | pixels |
| --- | --- |
| grey, of 1, 2, 4 or 8 bits | as they are; of fewer bits than 8, black is 0 and white 255 |
| grey, of 16 bits | divided by 257, rounded |
| colours, a palette, CMYK | their luma (ITU-R 601: 0.299 red, 0.587 green, 0.114 blue) |
| with transparency | laid on black, which is the background of MNIST's images |
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tfsload.datasets.data_error import DataError
from tfsload.datasets.sizes import times
from tfsload.transport import regular_file

MAX_PIXELS = 1 << 24
"""Of one image: 4096×4096. A file of a few bytes may announce billions, and would be believed."""

_FORMATS = ("PNG", "JPEG")
_BLACK = (0, 0, 0, 255)
_DEEP = 65_535


def read_pixels(path: str) -> NDArray[np.uint8]:
    """Return an image file's pixels: uint8 (rows, columns), 0 (black) to 255 (white).

    What the file is, is told by its content, not by its name.

    Raises:
        DataError: it cannot be read, is neither PNG nor JPEG, is damaged or too large; without the file's name.
    """
    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            open(path, "rb", opener=regular_file.opener) as file,
            Image.open(file, formats=_FORMATS) as image,
        ):
            columns, rows = image.size
            if columns * rows > MAX_PIXELS:
                raise DataError(f"{times((rows, columns))} pixels, and at most {MAX_PIXELS:,} are expected")
            image.load()
            return _grey(image)
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError("neither PNG nor JPEG") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"more than {MAX_PIXELS:,} pixels") from None
    except OSError as error:
        raise DataError(error.strerror or f"damaged ({error})") from None
    except Exception as error:  # what a damaged file raises is whatever its reader came upon
        raise DataError(f"damaged ({type(error).__name__}: {error})") from None


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):  # of 16 bits: Pillow's own way to 8 cuts them off at 255
        return _of_16_bits(np.asarray(image), image.info.get("transparency"))
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, _BLACK)
        ground.alpha_composite(image.convert("RGBA"))
        image = ground
    return np.asarray(image.convert("L"))


def _of_16_bits(deep: NDArray[Any], transparent: object) -> NDArray[np.uint8]:
    wide = np.clip(deep, 0, _DEEP).astype(np.uint32)
    if isinstance(transparent, int):
        wide[wide == transparent] = 0
    grey: NDArray[np.uint8] = ((wide + 128) // 257).astype(np.uint8)
    return grey
