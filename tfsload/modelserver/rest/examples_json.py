"""The bodies of `:classify` and `:regress` calls → examples, and their results → JSON. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfsload.modelserver.errors import RequestError, invalid
from tfsload.modelserver.rest.decimals import decimals
from tfsload.modelserver.rest.layout import line_list
from tfsload.modelserver.rest.values import bytes_of, is_base64, to_float
from tfsload.modelserver.rest.words import quoted, type_words, value_words

_CONTEXT, _EXAMPLES = "context", "examples"
_MOST_INT64 = 2**63 - 1


def fill_examples(given: Any, document: Mapping[str, Any]) -> None:
    """Write the examples in a body, and their context, into an empty `Input`.

    Raises:
        RequestError: there are none, or one has a value that no feature takes.
    """
    examples = given.example_list
    if _CONTEXT in document:
        examples = given.example_list_with_context
        _fill(examples.context, document[_CONTEXT])
    if _EXAMPLES not in document:
        raise _format_error(document, f"When method is classify, key '{_EXAMPLES}' is expected and was not found")
    rows = document[_EXAMPLES]
    if not isinstance(rows, list):
        raise _format_error(document, f"Expecting '{_EXAMPLES}' value to be an list/array")
    if not rows:
        raise _format_error(document, f"'{_EXAMPLES}' value is an empty array")
    for row in rows:
        _fill(examples.examples.add(), row)


def classified(result: Any) -> str:
    """Return a ClassificationResult as JSON: for each example a list of pairs of label and score.

    Raises:
        RequestError: it is of no example.
    """
    if not result.classifications:
        raise invalid("Cannot convert empty ClassificationResults to JSON")
    return line_list([_pairs(one.classes) for one in result.classifications])


def regressed(result: Any) -> str:
    """Return a RegressionResult as JSON: a number for each example.

    Raises:
        RequestError: it is of no example.
    """
    if not result.regressions:
        raise invalid("Cannot convert empty RegressionResults to JSON")
    numbers = decimals(np.array([one.value for one in result.regressions], np.float32))
    return f"[{', '.join(numbers)}]"


def _pairs(classes: Any) -> str:
    scores = decimals(np.array([one.score for one in classes], np.float32))
    pairs = (f"[{quoted(one.label)}, {score}]" for one, score in zip(classes, scores, strict=True))
    return f"[{', '.join(pairs)}]"


def _fill(example: Any, given: Any) -> None:
    if not isinstance(given, dict):
        raise invalid(f"Example must be JSON object but got JSON {type_words(given)}")
    example.SetInParent()
    for name, content in given.items():
        feature = example.features.feature[_name(name)]
        for value in content if isinstance(content, list) else [content]:
            _add(feature, name, value)


def _name(name: str) -> str:
    try:
        return name.encode().decode()
    except UnicodeEncodeError:
        # The real server takes such a name, and no model can mean it.
        raise invalid(f"Feature: {name} has a name that is not UTF-8") from None


def _add(feature: Any, name: str, value: Any) -> None:
    """Add a value to a feature, whose first value says of which kind all are."""
    field, taken = _feature_value(name, value)
    if feature.WhichOneof("kind") not in (None, field):
        kind = feature.WhichOneof("kind").removesuffix("_list")
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {kind}")
    getattr(feature, field).value.append(to_float(taken) if field == "float_list" else taken)


def _feature_value(name: str, value: Any) -> tuple[str, Any]:
    """Return the list that a value belongs to, and what it is there."""
    if isinstance(value, int):  # also true and false, as 1 and 0
        if value > _MOST_INT64:
            raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
        return "int64_list", int(value)
    if isinstance(value, float):
        return "float_list", value
    if isinstance(value, str):
        return "bytes_list", value.encode("utf-8", "surrogateescape")
    if is_base64(value):
        return "bytes_list", bytes_of(value)
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {type_words(value)}")


def _format_error(document: Mapping[str, Any], words: str) -> RequestError:
    return invalid(f"JSON Value: {value_words(document)} {words}")
