"""A directory for files of this process alone: there when asked for, and gone with the process, however that ends."""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
import weakref
from pathlib import Path

# A directory that is younger may not be held yet by who has just made it.
_LEAST_AGE_S = 60.0


class OwnDirectory:
    """Lies where temporary files do. While its process lives it holds a lock on it, which goes with the process.

    One that a killed process has left is removed when another process makes its own.
    """

    def __init__(self, prefix: str) -> None:
        """Make none yet.

        Args:
            prefix: of its name, which says whose it is.
        """
        self._prefix = prefix
        self._path: Path | None = None
        self._removal: weakref.finalize[..., OwnDirectory] | None = None

    def path(self) -> Path:
        """Return where it lies; it is made anew where something has removed it.

        Raises:
            OSError: it cannot be made.
        """
        if self._path is None or not _is_own(self._path):
            self.close()
            _remove_left_over(self._prefix)
            made = self._path = Path(tempfile.mkdtemp(prefix=self._prefix))
            # Also where nobody closes it: a program's own that has led runs and goes on showing them.
            self._removal = weakref.finalize(self, _remove, made, _hold(made), os.getpid())
        return self._path

    def close(self) -> None:
        """Remove it with all that lies in it."""
        if self._removal is not None:
            self._removal()
        self._path = self._removal = None


def _is_own(path: Path) -> bool:
    """Whether it is there, and nobody else has put another one there since."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _hold(path: Path) -> int | None:
    """Hold a directory for as long as this process lives; None: that cannot be done here."""
    try:
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held


def _remove(path: Path, held: int | None, owner: int) -> None:
    if os.getpid() != owner:  # forked since: it is its parent's
        return
    if _is_own(path):
        shutil.rmtree(path, ignore_errors=True)
    if held is not None:
        os.close(held)


def _remove_left_over(prefix: str) -> None:
    """Remove what processes have left that are no more: nobody holds it."""
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            if not _is_own(left) or time.time() - left.lstat().st_mtime < _LEAST_AGE_S:
                continue
            held = _hold(left)
            if held is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(held)
