"""What draws charts in the web UI's pages: made once for a machine, by a process of its own, before any load."""

import os
import stat
import tempfile
from pathlib import Path

import gevent

from tfsload.datasets.download import cache_folder
from tfsload.report import program
from tfsload.report.charts import drawing_script
from tfsload.target.child_process import ChildProcess, own_program

_POLL_S = 0.1
_LIMIT_S = 120.0


class DrawingScript:
    """The script, and the process that makes it where it is not there yet."""

    def __init__(self) -> None:
        """Look for it; where it is missing, begin to make it."""
        self._path = _place() / drawing_script.file_name()
        self._content = b""
        self._greenlet = None if _is_ours(self._path) else gevent.spawn(self._make)

    def content(self) -> bytes:
        """Return it; empty: it is not there yet, or cannot be made."""
        if not self._content and _is_ours(self._path):
            self._content = self._path.read_bytes()
        return self._content

    def wait(self) -> None:
        """Wait until it is made: no load is to begin meanwhile."""
        if self._greenlet is not None:
            self._greenlet.join(_LIMIT_S)

    def close(self) -> None:
        """End what makes it."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _make(self) -> None:
        child = ChildProcess(own_program("tfsload", "report", program.DRAWING_SCRIPT, str(self._path)))
        try:
            while not child.has_ended():
                gevent.sleep(_POLL_S)
        finally:
            child.stop()


def _place() -> Path:
    """Return where it is kept: the user's cache, or where that cannot be written, a place for this process alone."""
    place = cache_folder().parent
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        return Path(tempfile.mkdtemp(prefix="tfsload-drawing-"))


def _is_ours(path: Path) -> bool:
    """Whether a file is there that nobody else can have written: browsers run it."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
