"""Arrays that are sent as they are: how they fit an input, and what becomes of them. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.call_spec import GivenInput
from tfsload.transport.signature import TensorDescribed, fits
from tfsload.transport.tensors import Kind, kind_named

UNNAMED = ""
"""Of an array that is given without a name: it is for the input that takes the images."""

# What a dtype holds, by numpy's letter for it. (Of ml_dtypes' floats it is V.)
_HOLDS = {"b": "bool", "i": "whole", "u": "whole", "f": "float", "V": "float", "c": "complex", "O": "text"}


@dataclass(frozen=True)
class GivenArray:
    """What is known of the arrays that are given for one input, one for each example, before any is sent.

    Attributes:
        dtype: numpy's; `object`: texts, as bytes.
        shape: of one.
        lowest, highest: number in any of them; None: they hold no numbers that are finite.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    lowest: float | None = None
    highest: float | None = None

    @classmethod
    def of(cls, array: NDArray[Any]) -> "GivenArray":
        """Return it of all examples: (n, …)."""
        lowest = highest = None
        if array.dtype.kind in "iuf" and array.size:
            numbers = array[np.isfinite(array)] if array.dtype.kind == "f" else array
            if numbers.size:
                lowest, highest = numbers.min().item(), numbers.max().item()
        return cls(array.dtype, array.shape[1:], lowest, highest)

    @property
    def words(self) -> str:
        """One of them for people.

        >>> GivenArray.of(np.zeros((5, 28, 28), np.float32)).words
        'float32 [28, 28]'
        """
        what = "text" if self.dtype == object else self.dtype.name
        return f"{what} [{', '.join(map(str, self.shape))}]" if self.shape else what


class GivenArrayError(ValueError):
    """Arrays do not fit an input; the message says what would."""


def fitted(name: str, tensor: TensorDescribed, given: GivenArray, per_request: int, by: str) -> GivenInput:
    """Return how arrays are sent to an input.

    A float becomes the input's float, a whole number the input's, where it holds it; nothing else is another kind of
    number. The values keep their order: their shape becomes the input's where that has as many.

    Args:
        name, tensor: the input's.
        given: the arrays.
        per_request: examples in a full request.
        by: who gives them, for people.

    Raises:
        GivenArrayError: they do not fit.
    """
    kind = kind_named(tensor.dtype)
    if kind is None:
        raise GivenArrayError("nothing can be sent there")
    _check_dtype(kind, given)
    described = tensor.shape
    if described is None or (described and _is_of(given.shape, described[1:])):
        batch = described[0] if described and described[0] >= 0 else None
        if batch not in (None, per_request):
            raise GivenArrayError(f"{batch} in each request: pass --images-per-request {batch}")
        shape = given.shape if described is None or -1 in described[1:] else described[1:]
        return GivenInput(name, tensor.dtype, described, shape, True, batch, given.words, by)
    if _is_of(given.shape, described):
        if per_request != 1:
            raise GivenArrayError("one in each request: leave --images-per-request out")
        shape = given.shape if -1 in described else described
        return GivenInput(name, tensor.dtype, described, shape, False, None, given.words, by)
    one = TensorDescribed(tensor.dtype, described[1:] if described else ()).shape_text
    raise GivenArrayError(f"{one} each")


def tensors_of(specs: tuple[GivenInput, ...], arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return what is sent to each input with a request of some examples, by name.

    Args:
        specs: the inputs.
        arrays: the examples', (n, …) each. Where the model takes more at once, and no fewer, the last is repeated.
    """
    tensors = {}
    for spec in specs:
        kind = kind_named(spec.dtype)
        assert kind is not None  # as `fitted` has seen
        array = arrays[spec.name if spec.name in arrays else UNNAMED]
        if (missing := (spec.batch or 0) - len(array)) > 0:
            array = np.concatenate([array, np.repeat(array[-1:], missing, axis=0)])
        shape = (len(array), *spec.shape) if spec.has_batch else spec.shape
        tensors[spec.name] = array.astype(kind.dtype, copy=False).reshape(shape)
    return tensors


def _check_dtype(kind: Kind, given: GivenArray) -> None:
    wanted, found = (_HOLDS.get(dtype.kind) for dtype in (kind.dtype, given.dtype))
    if wanted != found:
        more = ", such as image / np.float32(255)" if wanted == "float" and given.dtype == np.uint8 else ""
        name = "bytes or str" if wanted == "text" else kind.dtype.name
        raise GivenArrayError(f"{name}{more}")
    if given.lowest is None or given.highest is None:
        return
    if wanted == "whole":
        limits = np.iinfo(kind.dtype)
        if given.lowest < limits.min or given.highest > limits.max:
            found_there = given.lowest if given.lowest < limits.min else given.highest
            raise GivenArrayError(f"numbers from {limits.min:,} to {limits.max:,}, found {found_there:,}")
    elif wanted == "float" and kind.dtype.itemsize < given.dtype.itemsize:
        with np.errstate(over="ignore"):
            ends = np.array([given.lowest, given.highest]).astype(kind.dtype).astype(np.float64)
        if not np.isfinite(ends).all():
            raise GivenArrayError(f"numbers that {kind.dtype.name} holds, found {max(given.highest, -given.lowest):g}")


def _is_of(shape: tuple[int, ...], described: tuple[int, ...]) -> bool:
    """Whether arrays of a shape are one of these sizes, -1 for any, or become so with their values in order."""
    if fits(shape, described):
        return True
    return -1 not in described and math.prod(shape) == math.prod(described)
