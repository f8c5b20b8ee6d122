"""What processes that were killed have left behind: it is told by its age, whatever else is known of its process."""

import contextlib
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

# Far beyond what it takes to make any of it: what is younger may be in the making, by a process of another container.
LEAST_AGE_S = 3600.0


def remove(found: Iterable[Path]) -> None:
    """Remove those files and directories that are left over; what cannot be removed stays.

    Args:
        found: what may be; what is younger than an hour is not.
    """
    for path in found:
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime <= LEAST_AGE_S:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
