"""Values of replies as classes: numbers, texts, and the label of the highest score. Pure."""

import math
from collections.abc import Sequence

import numpy as np

from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import MOST_CLASSES, OutputSpec
from tfsload.transport.class_words import ClassWords


def highest(labels: Sequence[str], scores: Sequence[float], output: OutputSpec, words: ClassWords) -> int:
    """Return an image's label of the highest score, the first of equals, as of `Classify`."""
    numbers = np.array(scores)
    # A server that has labels alone, and no scores, sends several with a score of 0 each.
    are_none = len(numbers) > 1 and not numbers.any()
    if not len(numbers) or not np.isfinite(numbers.max()) or are_none:
        raise ReplyError("an image is classified without a label that has the highest score")
    place = int(numbers.argmax())
    label = labels[place]
    # A model may have no labels: its classes come in order, then, as TensorFlow Serving has them.
    return labelled(label, output, words) if label else class_of(place, output)


def labelled(said: bytes | str, output: OutputSpec, words: ClassWords) -> int:
    """Return the label that a text is, or the number of."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    label = words.label_of(text)
    if label is not None:
        return label
    try:
        number = words.number_of(text)
    except ValueError as error:
        raise ReplyError(f"output {output.name!r} {error}") from None
    return class_of(number, output)


def whole(number: float, output: OutputSpec) -> int:
    """Return a whole number, which may be there as a float."""
    if not math.isfinite(number) or number != int(number):
        raise ReplyError(f"output {output.name!r} answers {number:g}: expected the number of a class, a whole one")
    return int(number)


def class_of(number: int, output: OutputSpec) -> int:
    """Return the label of a class of the model's, by its number."""
    if not -MOST_CLASSES < number < MOST_CLASSES:
        raise ReplyError(f"output {output.name!r} answers class {number}: expected one below {MOST_CLASSES:,}")
    return number - output.offset
