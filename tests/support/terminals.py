"""Terminals: a process writes to one, and what a person sees of it is read off."""

import contextlib
import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Callable, Iterator

import pyte

_LINES = 50
_READ_S = 0.05


class Terminal:
    """A terminal of so many columns, as xterm is one.

    Attributes:
        end: its other end, which a process may have as its standard streams.
        shown: every line that was ever shown below all that stays, in order, each once.
    """

    def __init__(self, columns: int) -> None:
        self._leader, self.end = pty.openpty()
        self._screen = pyte.HistoryScreen(columns, _LINES, history=100_000)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        self.shown: list[str] = []
        self.resize(columns)

    def resize(self, columns: int) -> None:
        """Make it wider or narrower, as a person does with a window."""
        termios.tcsetwinsize(self.end, (_LINES, columns))
        self._screen.resize(_LINES, columns)

    def read(self) -> None:
        """Take in what was written to it by now."""
        while select.select([self._leader], [], [], _READ_S)[0]:
            try:
                data = os.read(self._leader, 65536)
            except OSError:  # nobody has the other end any more
                return
            self.written += data
            self._stream.feed(data)
            last = self._line(self._screen.cursor.y)
            if last and last not in self.shown[-1:]:
                self.shown.append(last)

    def _line(self, number: int) -> str:
        return self._screen.display[number].rstrip()

    @property
    def lines(self) -> list[str]:
        """All lines, those that have scrolled out of sight, too; without the empty ones at the end."""
        history = ["".join(line[x].data for x in range(self._screen.columns)) for line in self._screen.history.top]
        return "\n".join(line.rstrip() for line in [*history, *self._screen.display]).rstrip().split("\n")

    def run(self, process: "subprocess.Popen[bytes]", limit_s: float, look: Callable[[], None] = lambda: None) -> int:
        """Read until a process has ended; return its exit code. `look` is called again and again meanwhile."""
        limit = time.monotonic() + limit_s
        while process.poll() is None:
            assert time.monotonic() < limit, "\n".join(self.lines)
            self.read()
            look()
        self.read()
        return process.returncode

    def close(self) -> None:
        for end in (self._leader, self.end):
            with contextlib.suppress(OSError):
                os.close(end)


@contextlib.contextmanager
def terminal(columns: int) -> Iterator[Terminal]:
    """Open a terminal; it does not outlive the block."""
    one = Terminal(columns)
    try:
        yield one
    finally:
        one.close()
