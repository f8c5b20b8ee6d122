"""The examples of a Classify or Regress request, as the string tensor that models take. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.modelserver.errors import invalid


def serialized(given: Any) -> NDArray[Any]:
    """An `Input` message as strings, object (n,): each a serialized `tf.Example`, behind the context if there is one.

    The two together read as one message, in which the example adds to the context's features, and replaces some.

    Raises:
        RequestError: there is no example.
    """
    context = b""
    examples: Sequence[Any] = given.example_list.examples
    if given.WhichOneof("kind") == "example_list_with_context":
        context = given.example_list_with_context.context.SerializeToString()
        examples = given.example_list_with_context.examples
    if not examples:
        raise invalid("Input is empty.")
    strings = np.empty(len(examples), object)
    strings[:] = [context + example.SerializeToString() for example in examples]
    return strings
