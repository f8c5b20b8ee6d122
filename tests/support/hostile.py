"""Results in which everything that others may have written tries to be more than text."""

import dataclasses
import enum
from collections.abc import Callable, Mapping
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
MARKUP = "<img src=x onerror=alert(1)>"
# Much of that in one.
TAIL = "'\"><script>alert(2)</script>" + MARKUP + "</script><!--]]>&amp;{{ 7 * 7 }}\u2028`--x`=cmd|' /C calc'!A0\u202e"
# What says how the rest is to be read; digits, by the way they are made.
_KEPT = {"kind", "pixels"}


def hostile(result: RunResult, text: str | None = None) -> RunResult:
    """Return a result of which every text is this one; None: is its own, followed by `TAIL`.

    Keys of mappings are changed, too, and no figure.
    """
    changed: RunResult = _changed(result, (lambda own: f"{own}{TAIL}") if text is None else lambda _: text)
    return changed


def _changed(value: Any, to_text: Callable[[str], str]) -> Any:
    if type(value) in (int, float):  # of which there are tens of thousands
        return value
    # A threshold is what its grammar allows.
    if isinstance(value, enum.Enum | Threshold) or value is None:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.init and field.name not in _KEPT]
        return dataclasses.replace(value, **{name: _changed(getattr(value, name), to_text) for name in names})
    if isinstance(value, str):
        return to_text(value)
    if isinstance(value, Mapping):
        return {_key(key, n, to_text): _changed(one, to_text) for n, (key, one) in enumerate(value.items())}
    if isinstance(value, tuple):
        return tuple(_changed(one, to_text) for one in value)
    return value


def _key(key: Any, number: int, to_text: Callable[[str], str]) -> Any:
    return f"{to_text(key)}{number or ''}" if isinstance(key, str) else key
