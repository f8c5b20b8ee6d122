"""The directory of a report: what may lie in it, and how a report takes the place of an older one."""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import psutil

from tfsload.analysis.result import RunResult
from tfsload.report import hgrm, json_file, left_over
from tfsload.transport.numerals import whole_number
from tfsload.transport.words import quoted

NAMES = (json_file.NAME, "levels.csv", "series.csv", "images.csv", "junit.xml", "summary.md", "report.html")
PAGE = "report.html"
# How the process that leads a run has the others made, in a directory that holds the result and nothing else.
HERE = "--here"
# While files are made they lie in a directory within it, named so and by the process; one may be left by a killed one.
_MAKING = ".tfsload-report-"
_LOCK = f"{_MAKING}lock"
# The system knows no process of a longer number.
_MOST_DIGITS_OF_A_PID = 9
_LOCK_LIMIT_S, _LOCK_POLL_S = 10.0, 0.05
PART = ".part"  # at the end of a name: such a file is not complete
# A report of many levels, twice over: the older one goes last.
_LEAST_FREE_BYTES = 16 * 2**20


def place_of(given: str) -> str:
    """Return the directory that is meant by what was given for one; empty: none was.

    A `~` is the user's own directory in a configuration file, too, where no shell has seen to it.
    """
    return os.path.expanduser(given.strip())


def fault(directory: str) -> str:
    """Return why no report can be written into a directory, and what to do; empty where it can. It is made."""
    path = Path(directory)
    if "\0" in directory:  # Pythons say so in words of their own each
        return "its name holds a null character, which no name can: name another directory"
    try:
        if leading := _leads_nowhere(path):
            return f"{leading}: make that directory, or name another one"
        path.mkdir(parents=True, exist_ok=True)
        if stranger := _stranger(path):
            return f"it holds {stranger!r}, which is no part of a report: name an empty directory, or one that is new"
        os.rmdir(_new_directory(path))
        free_bytes = os.statvfs(path).f_bavail * os.statvfs(path).f_frsize
    except (FileExistsError, NotADirectoryError):
        return "it is a file, or lies in one: name a directory"
    except (OSError, ValueError) as error:
        return f"it cannot be written ({getattr(error, 'strerror', None) or error}): name another directory"
    if free_bytes < _LEAST_FREE_BYTES:
        free = f"{free_bytes / 2**20:,.1f} of {_LEAST_FREE_BYTES / 2**20:,.0f} MiB are free"
        return f"its disk is full ({free}): make room, or name another directory"
    return ""


def _leads_nowhere(path: Path) -> str:
    """Return which part of a path is a link to what is not there, in words; empty: none is."""
    for one in (path, *path.parents):
        if one.is_symlink() and not one.exists():
            what = "it is a link" if one == path else f"it lies in {quoted(str(one))}, a link"
            return f"{what} to {quoted(os.readlink(one))}, which is not there"
    return ""


def _stranger(path: Path) -> str:
    """Return the name of something that no report has left there; empty: there is nothing such."""
    names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith(_MAKING))
    for name in names:
        if not _is_ours(name) or not (path / name).is_file():
            return name
    if names and not json_file.is_one(path / json_file.NAME):
        return json_file.NAME if json_file.NAME in names else names[0]
    return ""


def _is_ours(name: str) -> bool:
    return name in NAMES or hgrm.is_name(name)


@contextlib.contextmanager
def replaced(directory: str, check: Callable[[Path], None] = lambda _: None) -> Iterator[Path]:
    """Give a new directory in which to make the files of a report; as it ends they take the place of older ones.

    What raises in between leaves the older report as it was; what others have put there meanwhile stays. Of two runs
    that end in one directory the later one's report stays.

    Args:
        directory: of the report.
        check: looks at it just before its files are replaced, when no other process puts any there, and raises where
            they are not to be.

    Raises:
        OSError: they could not be made, or not put there.
    """
    path = Path(directory)
    path.mkdir(parents=True, exist_ok=True)
    making = _new_directory(path)
    try:
        yield making
        with _alone(path):
            check(path)
            _put(making, path)
    finally:
        shutil.rmtree(making, ignore_errors=True)
        left_over.remove(one for one in path.glob(f"{_MAKING}*") if one.is_dir() and not _is_of_a_process(one))


def _new_directory(path: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{_MAKING}{os.getpid()}-", dir=path))


def _is_of_a_process(making: Path) -> bool:
    """Whether the process that made a directory is there; those of other containers never are."""
    number = whole_number(making.name.removeprefix(_MAKING).partition("-")[0], _MOST_DIGITS_OF_A_PID)
    return number is not None and psutil.pid_exists(number)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let no other run put its files there meanwhile; one that takes too long with it is waited for no longer."""
    lock, end_s = path / _LOCK, time.monotonic() + _LOCK_LIMIT_S
    while True:
        with open(lock, "w") as file:
            is_held = _try_to_hold(file, lock)
            if is_held or time.monotonic() > end_s:
                try:
                    yield
                finally:
                    lock.unlink(missing_ok=True)
                return
        time.sleep(_LOCK_POLL_S)


def _try_to_hold(file: IO[str], lock: Path) -> bool:
    """Hold a lock's file, unless another run holds it, or has taken it away as it let go."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), os.stat(lock))
    except OSError:
        return False


def _put(making: Path, path: Path) -> None:
    """Put files beside what others have put there since the run began; ours replace ours alone."""
    made = sorted(entry.name for entry in making.iterdir() if not entry.name.endswith(PART))
    holds_report = json_file.is_one(path / json_file.NAME)
    for name in made:
        if os.path.lexists(path / name) and not (holds_report and (path / name).is_file()):
            raise OSError(errno.EEXIST, f"the directory holds {name!r}, which is no part of a report")
    # The result first: with it, whatever was broken off is known for a report.
    for name in sorted(made, key=lambda name: name != json_file.NAME):
        os.replace(making / name, path / name)
    for entry in list(path.iterdir()) if holds_report else ():  # of the older report: it would tell of another run
        if entry.name not in made and _is_ours(entry.name) and entry.is_file():
            entry.unlink()


def copied(path: Path, to: Path, result: bytes) -> bool:
    """Copy a report, where it is the one of a result, to a new directory; return whether it is there.

    Another run may put its own there meanwhile. It begins with its result, so that is copied last: where it is still
    the one that is meant, all that was copied before is its own.

    Args:
        path: where the report lies.
        to: the directory, which is made; where the report is another one's, nothing is left of it.
        result: what `result.json` is to hold.
    """
    try:
        to.mkdir(mode=0o700)
    except OSError:
        return False
    with contextlib.suppress(OSError):  # another run has taken it away at this moment
        names = {entry.name for entry in path.iterdir() if _is_ours(entry.name) and entry.is_file()}
        for name in sorted(names, key=lambda name: name == json_file.NAME):
            shutil.copyfile(path / name, to / name)
        if (to / json_file.NAME).read_bytes() == result:
            return True
    shutil.rmtree(to, ignore_errors=True)
    return False


def write_data(result: RunResult, directory: Path) -> None:
    """Write `result.json`, the datum that all other files are made of.

    Raises:
        OSError: it cannot be written.
    """
    write_file(directory, json_file.NAME, json_file.write(result))


def write_file(directory: Path, name: str, text: str) -> None:
    """Write a file of a report, which takes its name when it is whole; letters that UTF-8 lacks are replaced.

    Raises:
        OSError: it cannot be written.
    """
    part = directory / (name + PART)
    part.write_bytes(as_bytes(text))
    os.replace(part, directory / name)


def as_bytes(text: str) -> bytes:
    """Return a text as a file of a report holds it."""
    return text.encode("utf-8", "replace")
