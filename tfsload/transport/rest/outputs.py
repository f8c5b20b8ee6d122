"""What stands where in a reply's JSON: outputs by name, or the pairs of `:classify`. Pure."""

from typing import Any

from tfsload.transport.answer import ReplyError

_PAIR = 2  # label, score
UNNAMED = ""
"""The name of a reply's only output, which TensorFlow Serving leaves out."""


def outputs_in(said: Any) -> dict[str, Any]:
    """Return the values of outputs, with the images' dimension first, out of a reply to `:predict`.

    Raises:
        ReplyError: there are none.
    """
    if isinstance(said, dict) and "predictions" in said:
        return _from_rows(said["predictions"])
    if isinstance(said, dict) and "outputs" in said:
        outputs = said["outputs"]
        return outputs if _is_named(outputs) else {UNNAMED: outputs}
    raise ReplyError(f"the reply has neither 'predictions' nor 'outputs': {_found(said)}")


def _from_rows(rows: Any) -> dict[str, Any]:
    if not isinstance(rows, list):
        raise ReplyError("'predictions' is no list in the reply")
    if not rows or not _is_named(rows[0]):
        return {UNNAMED: rows}
    names = rows[0].keys()
    if any(not isinstance(row, dict) or row.keys() != names for row in rows):
        raise ReplyError("the rows of the reply do not have the same outputs")
    return {name: [row[name] for row in rows] for name in names}


def _is_named(value: Any) -> bool:
    """Whether it is an object of outputs by name; `{"b64": …}` is a text."""
    return isinstance(value, dict) and not (len(value) == 1 and isinstance(value.get("b64"), str))


def output_in(outputs: dict[str, Any], name: str) -> Any:
    """Return the value of an output.

    Raises:
        ReplyError: it is not there.
    """
    if name in outputs:
        return outputs[name]
    if UNNAMED in outputs:
        return outputs[UNNAMED]
    raise ReplyError(f"no output {name!r} in the reply; it has {sorted(outputs) or 'none'}")


def pairs_in(said: Any) -> list[list[tuple[str, float]]]:
    """Return pairs of label and score, of each image, out of a reply to `:classify`.

    Raises:
        ReplyError: there are none.
    """
    found = said.get("results") if isinstance(said, dict) else None
    if not isinstance(found, list):
        raise ReplyError(f"the reply has no 'results': {_found(said)}")
    return [_pairs(one) for one in found]


def _pairs(one: Any) -> list[tuple[str, float]]:
    is_list = isinstance(one, list)
    if not is_list or not all(isinstance(pair, list) and len(pair) == _PAIR for pair in one):
        raise ReplyError("an image's result is no list of pairs of label and score")
    if not all(isinstance(label, str) and type(score) in (int, float) for label, score in one):
        raise ReplyError("an image's result is no list of pairs of label and score")
    try:
        return [(label, float(score)) for label, score in one]
    except OverflowError:
        raise ReplyError("an image's score is larger than any number") from None


def _found(said: Any) -> str:
    if isinstance(said, dict):
        return f"it has {sorted(said) or 'nothing'}"
    return f"it is no object, but {'a list' if isinstance(said, list) else 'a lone value'}"
