"""JSON values and dtypes as TensorFlow Serving writes them in its error messages. Pure."""

import math
from typing import Any

import numpy as np

from tfsload.modelserver.rest.decimals import decimals
from tfsload.transport.tensors import name_of

INDENT = "    "
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = str.maketrans({**{chr(code): f"\\u{code:04X}" for code in range(0x20)}, **_ESCAPES})
_TYPES = {type(None): "Null", dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"}
_MOST_FLOAT = float(np.finfo(np.float32).max)
# A number's exponents between which it is written out.
_LEAST_EXPONENT, _MOST_EXPONENT = -6, 20


def quoted(text: str) -> str:
    """Return a string in JSON: only what must be is escaped."""
    return f'"{text.translate(_ESCAPED)}"'


def value_words(value: Any) -> str:
    """Return a JSON value as text, lists and objects over several lines."""
    if isinstance(value, float):
        # A number by itself is written as tensors are, one within a list as JSON has it.
        is_float = not math.isfinite(value) or abs(value) <= _MOST_FLOAT
        [text] = decimals(np.array([value], np.float32 if is_float else np.float64))
        return text
    return _nested(value, "\n")


def type_words(value: Any) -> str:
    """Return the kind of a JSON value, such as `String`."""
    return str(value) if isinstance(value, bool) else _TYPES[type(value)]


def dtype_name(number: int) -> str:
    """Return TensorFlow's name of a dtype in sentences, such as `float`."""
    return name_of(number).removeprefix("DT_").lower()


def _nested(value: Any, line: str) -> str:
    """Args: line: a line's end and what the next one begins with."""
    inner = line + INDENT
    if isinstance(value, list):
        return f"[{inner}{f',{inner}'.join(_nested(one, inner) for one in value)}{line}]" if value else "[]"
    if isinstance(value, dict):
        members = f",{inner}".join(f"{quoted(name)}: {_nested(one, inner)}" for name, one in value.items())
        return f"{{{inner}{members}{line}}}" if value else "{}"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        return _number(value)
    if value is None:
        return "null"
    return str(value).lower()  # a whole number, true or false


def _number(value: float) -> str:
    text = repr(value)
    if not math.isfinite(value) or "e" not in text:
        return text
    digits, exponent = text.split("e")
    if _LEAST_EXPONENT <= int(exponent) <= _MOST_EXPONENT:
        return str(np.format_float_positional(value, trim="0"))
    return f"{digits}e{int(exponent)}"
