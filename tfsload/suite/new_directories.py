"""The directories that somebody is about to make on the way to a place, and how they are taken away again."""

import contextlib
import os
from pathlib import Path


class NewDirectories:
    """Those that are not there when this is made: a directory and those that it lies in."""

    def __init__(self, innermost: Path | None) -> None:
        """Look at what is there; None: there is no place, and nothing is new."""
        ways = [] if innermost is None else [innermost, *innermost.parents]
        self._new = [one for one in ways if not os.path.lexists(one)]

    def take_away(self) -> None:
        """Take away those of them that were made since, where nothing is in them."""
        for one in self._new:
            with contextlib.suppress(OSError, ValueError):  # not there, or it holds something, or it is no path at all
                one.rmdir()
        self._new = []
