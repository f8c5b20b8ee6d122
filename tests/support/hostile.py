"""Texts that would be more than text where they are not escaped, put into every place of a result that holds one."""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from tfsload.analysis.result import RunResult
from tfsload.analysis.thresholds import Threshold

MARKUP = "<img src=x onerror=alert(1)>"
HOSTILE = (
    "'\"><script>alert(2)</script>" + MARKUP + "</script><!--]]>&amp;{{ 7 * 7 }}\u2028`--x`=cmd|' /C calc'!A0\u202e"
)
# What says how the rest is to be read.
_KEPT = {"kind"}


def hostile(result: RunResult) -> RunResult:
    """Return a result with a hostile text in every place that holds a text of others."""
    made = _made(result)
    assert isinstance(made, RunResult)
    return made


def _made(value: Any, kind: Any = None) -> Any:
    if isinstance(value, Threshold):
        return value  # nothing else than a threshold is ever read as one
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = typing.get_type_hints(type(value))
        changes = {
            field.name: _made(getattr(value, field.name), hints[field.name])
            for field in dataclasses.fields(value)
            if field.name not in _KEPT
        }
        return dataclasses.replace(value, **changes)
    if kind is str:
        return f"{value}{HOSTILE}"
    if isinstance(value, Mapping):
        return {_key(key): _made(one, type(one)) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_made(one, type(one)) for one in value)
    return value


def _key(key: Any) -> Any:
    return f"{key}{HOSTILE}" if isinstance(key, str) else key
