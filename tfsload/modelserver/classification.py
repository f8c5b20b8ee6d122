"""How a signature classifies examples: what Classify may call, and its outputs as labels and scores.

The checks come in the order of the real server, in its words.
"""

from collections.abc import Sequence
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from tfsload.modelserver.errors import RequestError, invalid
from tfsload.modelserver.tensor_words import dtype_words, shape_words
from tfsload.transport.call_spec import TEXT

METHOD = "tensorflow/serving/classify"
_INPUT, _CLASSES, _SCORES = "inputs", "classes", "scores"
_DTYPES = {_CLASSES: (np.dtype(object), TEXT), _SCORES: (np.dtype(np.float32), "DT_FLOAT")}


class Classification:
    """A signature that classifies.

    Args:
        signature: a `tfsload.modelserver.model.Signature`.
        checks_method: whether it must have been made for Classify.

    Attributes:
        input: the tensor for the examples.
        outputs: the tensors that tell classes and scores, or one of the two.

    Raises:
        RequestError: it cannot classify.
    """

    def __init__(self, signature: Any, *, checks_method: bool) -> None:
        if checks_method and signature.method != METHOD:
            raise invalid(f"Expected classification signature method_name to be {METHOD}. Was: {signature.method}")
        if len(signature.feeds) != 1:
            raise invalid("Expected one input Tensor.")
        if len(signature.fetches) not in (1, 2):
            raise invalid(f"Expected one or two output Tensors, found {len(signature.fetches)}")
        if _INPUT not in signature.feeds:
            raise invalid(f"No classification inputs found in SignatureDef: {signature.definition}")
        self._aliases = [alias for alias in _DTYPES if alias in signature.fetches]
        if not self._aliases:
            raise invalid(
                'Expected classification signature outputs to contain at least one of "classes" or "scores". '
                f"Signature was: {signature.definition}"
            )
        self.input = signature.feeds[_INPUT]
        self.outputs = [signature.fetches[alias] for alias in self._aliases]

    def fill(self, result: Any, n_examples: int, arrays: Sequence[NDArray[Any]]) -> None:
        """Write what `outputs` came to, (n_examples, classes) each, into an empty ClassificationResult.

        Where there are no classes a label is empty, and where there are no scores a score is 0.

        Raises:
            RequestError: other shapes or dtypes came out.
        """
        found = dict(zip(self._aliases, arrays, strict=True))
        for alias, array in found.items():
            _check(alias, array, n_examples)
        classes, scores = found.get(_CLASSES), found.get(_SCORES)
        if classes is not None and scores is not None and classes.shape != scores.shape:
            sizes = f"{classes.shape[1]} vs. {scores.shape[1]}"
            raise invalid(f"Tensors class and score should match in dim_size(1). Got {sizes}")
        n_classes = arrays[0].shape[1]
        labels = np.full((n_examples, n_classes), b"", object) if classes is None else classes
        numbers = np.zeros((n_examples, n_classes)) if scores is None else scores
        for names, values in zip(labels.tolist(), numbers.tolist(), strict=True):
            add = result.classifications.add().classes.add
            for name, value in zip(names, values, strict=True):
                add(label=_text(name), score=value)


def _check(alias: str, array: NDArray[Any], n_examples: int) -> None:
    if array.ndim != 2:
        raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {shape_words(array)}")
    dtype, name = _DTYPES[alias]
    if array.dtype != dtype:
        raise invalid(f"Expected {alias} Tensor of {name}. Got: {dtype_words(array)}")
    if len(array) != n_examples:
        raise invalid(f"Expected {alias} output batch size of {n_examples}. Got: {len(array)}")


def _text(label: bytes) -> str:
    try:
        return label.decode()
    except UnicodeDecodeError as error:
        # The real server sends such a reply, and no client can read it.
        message = f"the label {label!r} is not UTF-8, which the label of a class must be"
        raise RequestError(grpc.StatusCode.INTERNAL, message) from error
