"""Results in which everything that others may have written tries to be more than text."""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from tfsload.analysis.result import RunResult
from tfsload.analysis.thresholds import Threshold

# For HTML, scripts, attributes, XML, Markdown, spreadsheets, terminals; letters that JSON or UTF-8 trips over.
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "'\"><svg/onload=alert(1)>",
    "]]><!--&amp;-->",
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "a|b\n# heading\n- item\n1. one",
    "[link](http://x) ![image](http://x) `code` **bold** https://example.org www.example.org",
    "\x1b[31mred\x1b[0m\x07\x00\x9b2J",
    "two\r\nlines\u2028three",
    "\u202egnirts\u2066",
    "\udc80\ufffe",
    "x" * 5000,
)


def hostile(result: RunResult, text: str) -> RunResult:
    """Return a result of which every text is this one; keys of mappings too, and no figure."""
    changed: RunResult = _changed(result, text)
    return changed


def _changed(value: Any, text: str) -> Any:
    # A threshold is what its grammar allows.
    if isinstance(value, enum.Enum | Threshold) or value is None:
        return value
    if dataclasses.is_dataclass(value):
        return _of_dataclass(value, text)
    if isinstance(value, str):
        return text
    if isinstance(value, Mapping):
        return {_key(key, number, text): _changed(one, text) for number, (key, one) in enumerate(value.items())}
    if isinstance(value, tuple):
        return tuple(_changed(one, text) for one in value)
    return value


def _key(key: Any, number: int, text: str) -> Any:
    return f"{text}{number or ''}" if isinstance(key, str) else key


def _of_dataclass(value: Any, text: str) -> Any:
    # Pixels are digits by the way they are made.
    fields = [field.name for field in dataclasses.fields(value) if field.init and field.name != "pixels"]
    changes = {name: _changed(getattr(value, name), text) for name in fields}
    return dataclasses.replace(value, **changes)
