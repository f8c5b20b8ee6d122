"""Where it is shown how far a run is: one line that changes on a terminal, a line now and then in a log."""

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from tfsload.report.screen import LOG_WIDTH, Screen

TTY_INTERVAL_S = 0.5
# In a log, a line now and then is enough.
LOG_INTERVAL_S = 5.0
# Back to the line's beginning, and empty to its end.
ERASE = "\r\x1b[K"


class Progress:
    """Shows a line: over itself on a terminal, under one another elsewhere.

    Attributes:
        interval_s: how often `show` is to be called.
        is_writing: whether what is being written is this line, or what is to stand above it.
    """

    def __init__(self, stream: TextIO | None = None, environment: Mapping[str, str] = os.environ) -> None:
        """Write to `stream` (None: stderr); in place where it is a terminal that can erase a line."""
        self._stream = stream or sys.stderr
        self._is_in_place = Screen.of(self._stream).is_terminal and environment.get("TERM") != "dumb"
        self._is_shown = False
        self.is_writing = False
        self.interval_s = TTY_INTERVAL_S if self._is_in_place else LOG_INTERVAL_S

    @property
    def width(self) -> int:
        """Characters that a line has room for, as of now: windows change. In the last column some terminals wrap."""
        return max(Screen.of(self._stream).width - 1, 1) if self._is_in_place else LOG_WIDTH

    def show(self, line: str) -> None:
        """Show a line, in the place of the last one where that can be."""
        self._write(f"{ERASE}{line}" if self._is_in_place else f"{line}\n")
        self._is_shown = self._is_in_place

    def put_above(self, lines: list[str]) -> None:
        """Write lines that stay, above the one that is shown."""
        if lines:
            self._write("".join(f"{line}\n" for line in [(ERASE if self._is_shown else "") + lines[0], *lines[1:]]))
            self._is_shown = False

    def clear(self) -> None:
        """Leave the terminal's line empty for what comes next."""
        if self._is_shown:
            self._write(ERASE)
            self._is_shown = False

    def erase(self) -> bytes:
        """Return what somebody else is to write to this terminal first, and know that the line is gone."""
        was_shown, self._is_shown = self._is_shown, False
        return ERASE.encode() if was_shown else b""

    def _write(self, text: str) -> None:
        self.is_writing = True
        try:
            self._stream.write(text)
            self._stream.flush()
        finally:
            self.is_writing = False
