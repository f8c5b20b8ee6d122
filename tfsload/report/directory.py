"""The directory of a report: what may lie in it, and how a report takes the place of an older one, all or nothing."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tfsload.report import hgrm, json_file

NAMES = (json_file.NAME, "levels.csv", "series.csv", "images.csv", "junit.xml", "summary.md", "report.html")
PAGE = "report.html"
# While files are made they lie in a directory within it, which takes such a name; one may be left by a killed process.
_MAKING = ".tfsload-report-"
# A report of many levels, twice over: the older one goes last.
_LEAST_FREE_BYTES = 16 * 2**20


def fault(directory: str) -> str:
    """Return why no report can be written into a directory, and what to do; empty where it can. It is made."""
    path = Path(directory)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if stranger := _stranger(path):
            return f"it holds {stranger!r}, which is no part of a report: name an empty directory, or one that is new"
        os.rmdir(tempfile.mkdtemp(prefix=_MAKING, dir=path))
        free_bytes = os.statvfs(path).f_bavail * os.statvfs(path).f_frsize
    except (FileExistsError, NotADirectoryError):
        return "it is a file, or lies in one: name a directory"
    except (OSError, ValueError) as error:
        return f"it cannot be written ({getattr(error, 'strerror', None) or error}): name another directory"
    if free_bytes < _LEAST_FREE_BYTES:
        free = f"{free_bytes / 2**20:,.1f} of {_LEAST_FREE_BYTES / 2**20:,.0f} MiB are free"
        return f"its disk is full ({free}): make room, or name another directory"
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
def replaced(directory: str) -> Iterator[Path]:
    """Give a new directory in which to make the files of a report; as it ends they take the place of older ones.

    What raises in between leaves the older report as it was.

    Raises:
        OSError: they could not be made, or not put there.
    """
    path = Path(directory)
    path.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=path))
    try:
        yield making
        _put(making, path)
    finally:
        for left in path.glob(f"{_MAKING}*"):
            shutil.rmtree(left, ignore_errors=True)


def _put(making: Path, path: Path) -> None:
    made = sorted(entry.name for entry in making.iterdir())
    for name in made:
        os.chmod(making / name, 0o666 & ~_umask())
        os.replace(making / name, path / name)
    for entry in list(path.iterdir()):  # of the older report: it would tell of another run
        if entry.name not in made and _is_ours(entry.name) and entry.is_file():
            entry.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_file(directory: Path, name: str, text: str) -> None:
    """Write a file of a report; letters that UTF-8 lacks are replaced.

    Raises:
        OSError: it cannot be written.
    """
    (directory / name).write_text(text, encoding="utf-8", errors="replace", newline="")
