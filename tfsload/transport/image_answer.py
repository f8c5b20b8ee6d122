"""What a model answered to one image, or example: what a user class's own `is_right` is given."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Outputs = Mapping[str, NDArray[Any]]


class ImageAnswer:
    """The answer to one image of a request. Nothing of it can be changed.

    Attributes:
        predicted: the class, where the answer names one; else None.
        scores: the score of each class, (classes,), read-only; None: the answer has none.
        outputs: all outputs that were asked for, by name, each the image's own part: a read-only array without the
            dimension of images; texts are bytes. One that has no such dimension is there as a whole.
    """

    __slots__ = ("_outputs", "_place", "_read", "_whole", "predicted", "scores")

    predicted: int | None
    scores: NDArray[Any] | None
    _outputs: Outputs
    _read: Callable[[], tuple[Outputs, int]]
    _place: int
    _whole: Collection[str]

    def __init__(
        self,
        predicted: int | None,
        scores: NDArray[Any] | None,
        read: Callable[[], tuple[Outputs, int]],
        place: int,
        whole: Collection[str] = (),
    ) -> None:
        """Take what was read.

        Args:
            predicted, scores: as the attributes.
            read: returns the outputs of the whole request, and how many images it had; not before they are asked for.
            place: the image's, in its request.
            whole: names of outputs without a dimension of images, even where they begin with as many values.
        """
        fields = (("predicted", predicted), ("scores", scores), ("_read", read), ("_place", place), ("_whole", whole))
        for name, value in fields:
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an answer cannot be changed: {name}")

    @property
    def outputs(self) -> Outputs:
        """As the class says."""
        try:
            own = self._outputs
        except AttributeError:
            (outputs, n), whole = self._read(), self._whole
            parts = {name: _part(array, -1 if name in whole else n, self._place) for name, array in outputs.items()}
            own = MappingProxyType(parts)
            object.__setattr__(self, "_outputs", own)
        return own

    @property
    def value(self) -> Any:
        """The only output: a number, or text, of numpy's where the model answers one; else an array.

        Raises:
            ValueError: there are several.
        """
        if len(self.outputs) != 1:
            names = ", ".join(sorted(self.outputs))
            raise ValueError(f"the model answers several outputs: take one of answer.outputs: {names}")
        (array,) = self.outputs.values()
        return array.ravel()[0] if array.size == 1 else array

    def __repr__(self) -> str:
        return f"<ImageAnswer: class {self.predicted}, outputs {', '.join(sorted(self.outputs))}>"


def _part(array: NDArray[Any], n_images: int, place: int) -> NDArray[Any]:
    """Return what of an output of so many images is one's; -1: it is of no image."""
    has_images = array.ndim > 0 and len(array) == n_images
    part: NDArray[Any] = np.array(array[place] if has_images else array, array.dtype)
    part.flags.writeable = False
    return part
