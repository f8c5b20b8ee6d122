"""What draws charts in the web UI's pages: made once for a machine, by a process of its own, before any load."""

import logging
import os
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent

from tfsload.analysis import exit_codes
from tfsload.datasets.download import cache_folder
from tfsload.report import program
from tfsload.report.charts import drawing_script
from tfsload.target.child_process import ChildProcess, own_program
from tfsload.webui.own_directory import OwnDirectory

logger = logging.getLogger("tfsload")  # a name for people

_POLL_S = 0.1
# It takes two seconds, and more on a busy machine; whoever starts a run waits for it.
_LIMIT_S = 30.0
_NO_CHARTS = "Runs under way are shown without charts, which come with their reports: %s"


class DrawingScript:
    """The script, and the process that makes it where it is not there yet."""

    def __init__(self, start: Callable[[list[str]], Any] = ChildProcess) -> None:
        """Look for it; where it is missing, begin to make it.

        Args:
            start: starts a program.
        """
        self._start = start
        self._own_place = OwnDirectory("tfsload-script-")
        self._path: Path | None = None
        self._content = b""
        self._greenlet: Any = None
        try:
            self._path = self._place() / drawing_script.file_name()
        except OSError as error:
            logger.warning(_NO_CHARTS, f"no directory for what draws them: {error.strerror or error}")
            return
        if not _is_ours(self._path):
            self._greenlet = gevent.spawn(self._make, self._path)

    def content(self) -> bytes:
        """Return it; empty: it is not there yet, or cannot be made."""
        if not self._content and self._path is not None and _is_ours(self._path):
            try:
                self._content = self._path.read_bytes()
            except OSError:  # removed at this moment
                return b""
        return self._content

    def wait(self) -> None:
        """Wait until it is made, or that has taken too long: no load is to begin meanwhile."""
        if self._greenlet is not None:
            self._greenlet.join()

    def close(self) -> None:
        """End what makes it, and leave nothing behind that is no other process's."""
        if self._greenlet is not None:
            self._greenlet.kill()
        self._own_place.close()

    def _make(self, path: Path) -> None:
        """Make it; say once why that cannot be done."""
        try:
            fault = self._made(path)
        except OSError as error:  # no process could be started
            fault = error.strerror or str(error)
        if not fault and not _is_ours(path):
            fault = f"{path} is not there, or others may write it"
        if fault:
            logger.warning(_NO_CHARTS, fault)

    def _made(self, path: Path) -> str:
        """Have a process make it; return what went wrong."""
        child = self._start(own_program("tfsload", "report", program.DRAWING_SCRIPT, str(path)))
        try:
            end_s = time.monotonic() + _LIMIT_S
            while not child.has_ended() and time.monotonic() < end_s:
                gevent.sleep(_POLL_S)
            if not child.has_ended():
                return f"what draws them was not ready within {_LIMIT_S:g} s"
            said: str = child.said.splitlines()[-1]
            return "" if child.exit_code == exit_codes.PASS else said.removeprefix("tfsload report: ")
        finally:
            child.stop()

    def _place(self) -> Path:
        """Return where it is kept: the user's cache, or where that cannot be written, a place for this process alone.

        Raises:
            OSError: there is none.
        """
        place = cache_folder().parent
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                return place
        except OSError:
            return self._own_place.path()


def _is_ours(path: Path) -> bool:
    """Whether a file is there that nobody else can have written: browsers run it."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
