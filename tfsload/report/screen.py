"""What a text is written on: how wide it is, and what it can show."""

import os
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfsload.transport.numerals import whole_number

# Of a log, so that it is the same wherever it was written.
LOG_WIDTH = 100
# What a state's word and mark are painted with: colours of the terminal's own, so that they fit its background.
_GREEN, _RED, _YELLOW, _MAGENTA = "32", "31", "33", "35"
_COLOURS = {"PASS": _GREEN, "FAILED": _RED, "THRESHOLD CROSSED": _YELLOW, "INVALID": _MAGENTA}
_COLOURS |= {"✓": _GREEN, "✗": _RED, "↑": _YELLOW, "?": _MAGENTA}
_STATE = re.compile(r"^(PASS|FAILED|THRESHOLD CROSSED|INVALID)(?= \()|^[✓✗↑?](?= )", re.MULTILINE)


@dataclass(frozen=True)
class Screen:
    """What a text is written on.

    Attributes:
        width: characters that a line has room for.
        is_terminal: whether somebody looks at it: long sentences are broken between words. In a log each is one line,
            however long, so that it can be searched for.
        has_colours: whether states may be painted.
    """

    width: int = LOG_WIDTH
    is_terminal: bool = False
    has_colours: bool = False

    @classmethod
    def of(cls, stream: Any, environment: Mapping[str, str] = os.environ) -> "Screen":
        """Return what a stream writes on; `COLUMNS` says how wide a log is, where it is to be of another width."""
        try:
            if not stream.isatty():
                return _log(environment)
            width = os.get_terminal_size(stream.fileno()).columns
        except (AttributeError, OSError, ValueError):  # whatever somebody's own stream is, or was
            return _log(environment)
        has_colours = not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
        return cls(width or LOG_WIDTH, True, has_colours)  # a terminal that does not say has width 0

    def wrapped(self, text: str, indent: int = 0) -> str:
        """Return a sentence that fits, its further lines indented by so many characters."""
        if not self.is_terminal or len(text) <= self.width:
            return text
        indent = min(indent, self.width // 2)
        return "\n".join(
            textwrap.wrap(text, self.width, subsequent_indent=" " * indent, break_on_hyphens=False, tabsize=1)
        )

    def painted(self, text: str) -> str:
        """Return a text in which states are painted, that stand at the beginning of a line, where colours may be."""
        if not self.has_colours:
            return text
        return _STATE.sub(lambda state: f"\x1b[1;{_COLOURS[state[0]]}m{state[0]}\x1b[0m", text)


LOG = Screen()


def _log(environment: Mapping[str, str]) -> Screen:
    return Screen(whole_number(environment.get("COLUMNS", "")) or LOG_WIDTH)
