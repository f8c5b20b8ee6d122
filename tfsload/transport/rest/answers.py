"""Scores, classes and outputs out of the JSON of replies. They name no model: who answered is untold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import SCORE_DTYPES, CallSpec, OutputSpec
from tfsload.transport.class_values import class_of, highest, labelled, whole
from tfsload.transport.class_words import ClassWords
from tfsload.transport.image_answer import Outputs
from tfsload.transport.rest.json_text import flat_and_shape, loads, text_bytes
from tfsload.transport.rest.outputs import output_in, outputs_in, pairs_in
from tfsload.transport.score_rows import score_rows
from tfsload.transport.tensors import kind_named

_NUMBERS = {int, float}
_LARGEST_INT64 = 2**63 - 1


def decode_scores(reply: bytes, output: OutputSpec, n_images: int) -> NDArray[Any]:
    """Read the scores out of a reply: (n_images, classes), as `are_scores` has it.

    Raises:
        ReplyError: no JSON, no such output, another shape or length, or what is no score.
    """
    return _scores(outputs_in(loads(reply)), output.name, output.dtype, n_images)


def _scores(outputs: dict[str, Any], name: str, dtype: str, n_images: int) -> NDArray[Any]:
    flat, shape = flat_and_shape(output_in(outputs, name))
    return score_rows(_numbers(flat, dtype if dtype in SCORE_DTYPES else "DT_DOUBLE", name), shape, n_images, name)


def _numbers(flat: list[Any], dtype: str, name: str) -> NDArray[Any]:
    """Return numbers as the array of a dtype, by TensorFlow's name of it."""
    kind = kind_named(dtype)
    assert kind is not None  # as its name has shown
    _require_numbers(flat, name)
    try:
        with np.errstate(over="ignore"):
            values = np.array(flat, kind.dtype)
            is_same = kind.dtype.kind not in "iu" or values.tolist() == flat  # 1.5 would become 1
    except (OverflowError, ValueError) as error:
        raise ReplyError(f"output {name!r}: {error}") from None
    if not is_same:
        raise ReplyError(f"output {name!r} holds fractions: expected whole numbers ({dtype})")
    return values


def _require_numbers(flat: list[Any], name: str) -> None:
    if not set(map(type, flat)) <= _NUMBERS:
        odd = next(one for one in flat if type(one) not in _NUMBERS)
        raise ReplyError(f"output {name!r} holds {_json_word(odd)}: expected numbers")


def decode_classes(reply: bytes, output: OutputSpec, n_images: int) -> list[int]:
    """Read the label of each image, from a whole number; raise as `decode_scores`."""
    values = _best_each(reply, output, n_images)
    _require_numbers(values, output.name)
    return [class_of(whole(one, output), output) for one in values]


def decode_labels(reply: bytes, output: OutputSpec, n_images: int, words: ClassWords) -> list[int]:
    """Read the label of each image, from a text; raise as `decode_scores`."""
    return [labelled(_text(one, output.name), output, words) for one in _best_each(reply, output, n_images)]


def decode_classified(reply: bytes, output: OutputSpec, n_images: int, words: ClassWords) -> list[int]:
    """Read each image's label of the highest score (the first of equals) out of a reply to `:classify`."""
    found = pairs_in(loads(reply))
    if len(found) != n_images:
        raise ReplyError(f"{len(found)} images are classified: expected {n_images}")
    return [highest([pair[0] for pair in pairs], [pair[1] for pair in pairs], output, words) for pairs in found]


def _best_each(reply: bytes, output: OutputSpec, n_images: int) -> list[Any]:
    """Return one value for each image: the only one, or that of the highest score, the first of equals."""
    outputs = outputs_in(loads(reply))
    values, shape = flat_and_shape(output_in(outputs, output.name))
    if not output.scored_by:
        if len(values) != n_images or any(size not in (1, n_images) for size in shape):
            raise ReplyError(f"output {output.name!r} has shape {shape}: expected ({n_images},)")
        return values
    scores = _scores(outputs, output.scored_by, "DT_DOUBLE", n_images)
    if shape != scores.shape:
        raise ReplyError(f"output {output.name!r} has shape {shape}: expected {scores.shape}, a class for each score")
    return [values[row * shape[1] + place] for row, place in enumerate(scores.argmax(axis=1).tolist())]


def decode_outputs(reply: bytes, spec: CallSpec) -> Outputs:
    """Return the outputs that are asked for, as arrays by name.

    JSON does not tell dtypes apart: floats are float64, whole numbers int64, or uint64 where that holds them alone, but
    for the output that the call names, which has its own. Texts are bytes.
    """
    output, outputs = spec.output, outputs_in(loads(reply))
    if "" in outputs:
        names = [output.name or next(iter(spec.asks_for or ()), "output")]
    elif spec.asks_for is None:
        names = [one for one in (output.name, output.scored_by) if one]
    else:
        names = list(spec.asks_for or outputs)
    return {name: _array(output_in(outputs, name), name, output.dtype if name == output.name else "") for name in names}


def _array(value: Any, name: str, dtype: str) -> NDArray[Any]:
    flat, shape = flat_and_shape(value)
    kinds = set(map(type, flat))
    kind = kind_named(dtype)
    if kinds <= {bool}:
        flat_array: NDArray[Any] = np.array(flat, np.bool_)
    elif kinds <= _NUMBERS:
        wanted = dtype if kind is not None and kind.dtype.kind in "iufV" else ""
        integer = "DT_UINT64" if flat and max(flat) > _LARGEST_INT64 else "DT_INT64"
        flat_array = _numbers(flat, wanted or ("DT_DOUBLE" if float in kinds else integer), name)
    else:
        flat_array = np.empty(len(flat), object)
        flat_array[:] = [_text(one, name) for one in flat]
    return flat_array.reshape(shape)


def decode_pairs(reply: bytes, spec: CallSpec) -> Outputs:  # noqa: ARG001  (as of `decode_outputs`)
    """Return labels and scores of a reply to `:classify`, (images, labels), as the outputs classes and scores."""
    found = pairs_in(loads(reply))
    if not found or len(set(map(len, found))) > 1:
        raise ReplyError("the images are not classified with equally many labels each")
    shape = (len(found), len(found[0]))
    labels = np.empty(shape, object)
    labels.ravel()[:] = [pair[0].encode() for pairs in found for pair in pairs]
    return {"classes": labels, "scores": np.array([[pair[1] for pair in pairs] for pairs in found], np.float32)}


def _text(value: Any, name: str) -> bytes:
    text = text_bytes(value)
    if text is None:
        raise ReplyError(f"output {name!r} holds {_json_word(value)}: expected texts")
    return text


def _json_word(value: Any) -> str:
    """Return what a value of JSON is, for people."""
    words = {bool: "true or false", type(None): "null", str: "a text", dict: "an object", int: "a number"}
    return words.get(type(value), "a number")
