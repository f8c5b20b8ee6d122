"""Whether a file that Locust is to write at the end of a run can be written, found out before the run."""

import argparse
import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from tfsload.suite.new_directories import NewDirectories


def fault(path: str) -> str:
    """Return why no file can be written at a path, as the system says it; empty where it can.

    Directories that are missing are made, as Locust makes them before it writes, and taken away again, as the file is.
    """
    existed = os.path.lexists(path)
    if _is_pipe(path):  # opened and closed again, whoever reads it would take that for the end
        return "" if os.access(path, os.W_OK) else os.strerror(errno.EACCES)
    new = NewDirectories(Path(path).absolute().parent)
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "ab"):
            pass
        if not existed:
            with contextlib.suppress(OSError):
                os.remove(path)
    except OSError as error:
        return f"{error.strerror or error}"
    finally:
        new.take_away()
    return ""


def _is_pipe(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


def lies_in(path: str, directory: str) -> bool:
    """Whether a path is a directory, or something in it, once links are followed; neither has to be there."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(directory))
    except ValueError:  # no path at all, which others refuse
        return False


def checked(*endings: str) -> Callable[[str], str]:
    """Return a `type` for argparse: text that is kept as it is, where a file can be written at it with each ending."""

    def check(text: str) -> str:
        for path in [text + ending for ending in endings if text]:
            reason = fault(path)
            if reason:
                raise argparse.ArgumentTypeError(
                    f"{text!r}: {path} cannot be written ({reason}); name a place in which files can be made"
                )
        return text

    return check
