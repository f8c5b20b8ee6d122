"""What is fired at a model, as far as its signature has to fit it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tfsload.transport.given_array import GivenArray


@dataclass(frozen=True)
class Fired:
    """Images and their labels.

    Attributes:
        pixels: rows and columns of an image.
        lowest, highest: label; None: there are none.
        offset: how far the model's classes are above the labels.
        names: what classes are called, by label; empty: by their numbers.
        given: arrays by the names of inputs that are fired in place of images; empty: images are.
        by: who has made the images, or gives the arrays, such as `MyUser.encode`; empty: the data set has the images.
        by_words: the same, with what it has cost.
        judged_by: whose own `is_right` judges the answers; empty: labels do.
    """

    pixels: tuple[int, int] = (28, 28)
    lowest: int | None = None
    highest: int | None = None
    offset: int = 0
    names: tuple[str, ...] = ()
    given: Mapping[str, GivenArray] = field(default_factory=dict)
    by: str = ""
    by_words: str = ""
    judged_by: str = ""

    @property
    def n_classes(self) -> int:
        """How many classes a model must tell apart, so that each label is one of them; 0: nothing is known of it."""
        return 0 if self.highest is None else self.highest + self.offset + 1

    @property
    def fault(self) -> str:
        """What is wrong with the offset; empty: nothing."""
        if self.lowest is None or self.lowest + self.offset >= 0:
            return ""
        return (
            f"--label-offset {self.offset}: label {self.lowest:,} would be the model's class "
            f"{self.lowest + self.offset:,}; pass --label-offset {-self.lowest} or more"
        )

    @property
    def image_words(self) -> str:
        """An image for people."""
        return f"{self.pixels[0]} × {self.pixels[1]} pixels{f' of {self.by}' if self.by else ''}"


DIGITS = Fired(lowest=0, highest=9)
"""MNIST's."""
