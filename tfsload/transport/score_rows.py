"""An output's values as the scores of images. Pure."""

import math
from typing import Any

from numpy.typing import NDArray

from tfsload.transport.answer import ReplyError, are_scores


def score_rows(values: NDArray[Any], shape: tuple[int, ...], n_images: int, output_name: str) -> NDArray[Any]:
    """Return the scores of each image, (n_images, classes), as `are_scores` has it.

    Args:
        values: all of them, flat.
        shape: that they have in the reply.
        n_images: how many images the request held.
        output_name: for messages.

    Raises:
        ReplyError: another shape or length, or what is no score.
    """
    rows = (1, *shape) if len(shape) == 1 and n_images == 1 else shape  # a model that takes one image may say so
    if len(rows) > 2 and math.prod(rows[1:]) == max(rows[1:]):
        rows = (rows[0], max(rows[1:]))  # a convolution's, not squeezed
    if len(rows) != 2 or rows[0] != n_images or rows[1] < 1:
        raise ReplyError(f"output {output_name!r} has shape {shape}: expected ({n_images}, classes)")
    if values.size != rows[0] * rows[1]:
        raise ReplyError(f"output {output_name!r} holds {values.size} values for its shape {shape}")
    scores = values.reshape(rows)
    if not are_scores(scores):
        raise ReplyError(f"output {output_name!r} holds scores that are not finite: NaN, +inf, or -inf for every class")
    return scores
