"""How a signature gives each example a number: what Regress may call, and its output as values.

The checks come in the order of the real server, in its words.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.modelserver.errors import invalid
from tfsload.modelserver.tensor_words import dtype_words, shape_words

METHOD = "tensorflow/serving/regress"
_INPUT, _OUTPUT = "inputs", "outputs"


class Regression:
    """A signature that gives each example a number.

    Args:
        signature: a `tfsload.modelserver.model.Signature`.
        checks_method: whether it must have been made for Regress.

    Attributes:
        input: the tensor for the examples.
        outputs: the one tensor with the numbers.

    Raises:
        RequestError: it gives something else.
    """

    def __init__(self, signature: Any, *, checks_method: bool) -> None:
        if checks_method and signature.method != METHOD:
            raise invalid(f"Expected regression signature method_name to be {METHOD}. Was: {signature.method}")
        if len(signature.feeds) != 1:
            raise invalid("Expected one input Tensor.")
        if len(signature.fetches) != 1:
            raise invalid("Expected one output Tensor.")
        if _INPUT not in signature.feeds:
            raise invalid(f"No regression inputs found in SignatureDef: {signature.definition}")
        if _OUTPUT not in signature.fetches:
            raise invalid(f"No regression outputs found in SignatureDef: {signature.definition}")
        self.input = signature.feeds[_INPUT]
        self.outputs = [signature.fetches[_OUTPUT]]

    def fill(self, result: Any, n_examples: int, arrays: Sequence[NDArray[Any]]) -> None:
        """Write what `outputs` came to, (n_examples,) or (n_examples, 1), into an empty RegressionResult.

        Raises:
            RequestError: another shape or dtype came out.
        """
        [array] = arrays
        if array.ndim != 1 and array.shape[1:] != (1,):
            raise invalid(
                "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] "
                f"but got {shape_words(array)}"
            )
        if len(array) != n_examples:
            raise invalid(f"Input batch size did not match output batch size: {n_examples} vs. {len(array)}")
        if array.dtype != np.float32:
            raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {dtype_words(array)}")
        for value in array.ravel().tolist():
            result.regressions.add(value=value)
