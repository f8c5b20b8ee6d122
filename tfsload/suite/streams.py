"""Standard streams that raise nothing: a full disk, a reader that left or a narrow encoding costs text, not the run.

Python's own raise from any `print`, log line or progress bar, in whatever greenlet is at work, and once more when the
process ends, whose exit code then is 120.
"""

import codecs
import contextlib
import io
import os
import sys
from typing import Any, Protocol, TextIO

# What the suite prints that an encoding may lack, in letters that each has; anything else is escaped.
_PLAIN = str.maketrans(
    {"█": "#", "░": ".", "–": "-", "−": "-", "×": "x", "÷": "/", "µ": "u", "μ": "u", "σ": "s", "κ": "k", "²": "2"}
    | {"✓": "+", "✗": "x", "↑": "^", "→": ">", "←": "<", "∞": "8", "·": "-", "…": "...", "≤": "<=", "≥": ">="}
)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end


codecs.register_error("tfsload.plainly", _plainly)


class Overlay(Protocol):
    """A line that is shown on the terminal for the time being, and gives way to whatever else is written there.

    Attributes:
        is_writing: whether what is being written is its own.
    """

    is_writing: bool

    def erase(self) -> bytes:
        """Return what is to be written first, and know that the line is gone."""


class Shared:
    """What a process erases that writes to a terminal on which another one shows a line."""

    is_writing = False

    def erase(self) -> bytes:
        """Return what empties a line, whoever has written to it."""
        return b"\r\x1b[K"


_NEW_LINE = ord("\n")
_overlay: Overlay | None = None


def lay_over(overlay: Overlay | None) -> None:
    """Have a line give way to all that this process writes to a terminal; None: there is none any more."""
    global _overlay
    _overlay = overlay


def is_line_open() -> bool:
    """Whether somebody has written half a line to a terminal: one that is shown would overwrite it."""
    return any(descriptor.is_line_open for descriptor in _descriptors.values())


class _Descriptor(io.RawIOBase):
    """A file descriptor to write to, whose first failure is kept, and makes it swallow what comes after."""

    def __init__(self, number: int, name: str) -> None:
        self._number = number
        self.name = name
        self.fault: OSError | None = None
        self.is_line_open = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def write(self, data: Any) -> int:  # anything with a buffer
        left = memoryview(data).cast("B")
        n_bytes = len(left)
        if _overlay is not None and left and not _overlay.is_writing and self.isatty():
            if not self.is_line_open:
                left = memoryview(_overlay.erase() + left)
            self.is_line_open = left[-1] != _NEW_LINE
        while left and self.fault is None:
            try:
                left = left[os.write(self._number, left) :]
            except BlockingIOError:
                os.set_blocking(self._number, True)  # another program that has this terminal, too, has changed it
            except OSError as error:
                self.fault = error
        return n_bytes


_descriptors: dict[str, _Descriptor] = {}
_closed: set[str] = set()  # before this process began
_spoilt: dict[str, str] = {}  # why one could not be written that the program itself has closed or replaced


def make_sturdy() -> None:
    """Replace `sys.stdout` and `sys.stderr`, and fill in for standard streams that are closed.

    A descriptor that stays free would be given to the next socket, into which whoever writes to "stderr" then writes.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free: this one
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115  (for as long as the process lives)
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
            _closed.add(name)
        elif isinstance(stream, io.TextIOWrapper) and _number_of(stream) == number:
            setattr(sys, name, _sturdy(stream, _Descriptor(number, f"<{name}>")))
            _descriptors[name] = getattr(sys, name).buffer.raw


def _number_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _sturdy(stream: io.TextIOWrapper, descriptor: _Descriptor) -> io.TextIOWrapper:
    with contextlib.suppress(OSError):
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(descriptor),
        encoding=stream.encoding,
        errors="tfsload.plainly",
        newline="\n",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def fault_of(name: str) -> str:
    """Return why "stdout" or "stderr" could not be written; empty as long as it could."""
    if name in _closed:
        return "it is closed"
    descriptor = _descriptors.get(name)
    if descriptor is not None and descriptor.fault is not None:
        return str(descriptor.fault.strerror)
    return _spoilt.get(name, "")


def say(text: str, name: str = "stderr") -> bool:
    """Write a line to "stdout" or "stderr", where that can be done; return whether it could.

    Nothing is raised, also where the streams are another program's, or a locustfile has replaced them.
    """
    stream = getattr(sys, name)
    if stream is None or getattr(stream, "closed", False):  # without a stream, print writes to nowhere and is content
        _spoilt[name] = "it was closed"
        return False
    try:
        print(text, file=stream, flush=True)
    except Exception as error:  # whatever somebody's own stream raises
        _spoilt[name] = str(error)
        return False
    return not fault_of(name)


def flush() -> None:
    """Write what "stdout" and "stderr" still hold, as the process leaves.

    One that cannot be written is given up: Python tries, too, and ends with 120 for it.
    """
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except Exception:  # whatever somebody's own stream raises
            setattr(sys, name, None)
