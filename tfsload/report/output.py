"""Standard output of the suite's own programs: where it takes no more, that is an exit code, and no traceback."""

import os
import signal
import sys

from tfsload.analysis import exit_codes

# As a shell tells of a program that a closed pipe has ended; most are.
_CLOSED_PIPE = 128 + signal.SIGPIPE


class OutputError(Exception):
    """Standard output takes no more.

    Attributes:
        exit_code: what the process is to end with.
        words: for standard error; empty: who read it has gone, and nobody is to be told.
    """

    def __init__(self, error: OSError) -> None:
        """Take what the system has said."""
        is_closed = isinstance(error, BrokenPipeError)
        self.exit_code = _CLOSED_PIPE if is_closed else exit_codes.FAILED
        self.words = "" if is_closed else f"standard output could not be written: {error.strerror or error}"
        super().__init__(self.words)


def say(text: str) -> None:
    """Print a text.

    Raises:
        OutputError: it could not be.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        raise OutputError(error) from None


def flush() -> None:
    """Write what others have printed.

    Raises:
        OutputError: it could not be.
    """
    try:
        if sys.stdout is not None:  # it was closed before this process began
            sys.stdout.flush()
    except OSError as error:
        raise OutputError(error) from None


def give_up() -> None:
    """Lead standard output to nowhere: Python tries it once more as the process ends, and would tell of it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
