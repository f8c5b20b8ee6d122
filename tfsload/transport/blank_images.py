"""Images that a request is tried with before the load: black ones, or texts of none."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.call_spec import PIXELS, CallSpec
from tfsload.transport.image_tensor import ImageTensor, example_of


def blank_examples(spec: CallSpec, images: ImageTensor, n_images: int) -> Any:
    """Return tf.Examples of black images; without a feature where what they are to hold is untold."""
    return images.examples(_black(spec, n_images)) if _is_told(spec) else [example_of(spec.input)] * n_images


def blank_tensors(spec: CallSpec, images: ImageTensor, n_images: int) -> Mapping[str, NDArray[Any]]:
    """Return the tensor of black images by its input's name; of empty texts where what these are to hold is untold."""
    asked = spec.input
    if _is_told(spec):
        return {asked.name: images.of(_black(spec, n_images))}
    text = example_of(asked).SerializeToString()  # without a feature it is empty
    return {asked.name: np.full((n_images, *asked.shape) if asked.has_batch else asked.shape, text, object)}


def _is_told(spec: CallSpec) -> bool:
    return spec.input.form == PIXELS or spec.input.feature_dtype != ""


def _black(spec: CallSpec, n_images: int) -> NDArray[np.uint8]:
    return np.zeros((n_images, *spec.input.pixels), np.uint8)
