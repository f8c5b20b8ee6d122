"""Reads what lies there unread before any call is given up."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol


class Connection(Protocol):
    """What can be read in parts."""

    def mark_what_is_there(self) -> None:
        """Have `catch_up` read all that has come by now."""

    def catch_up(self) -> bool:
        """Take in a part of what was marked; return whether all of it is read."""


class LateReading:
    """Reads it in parts, one in each turn of the event loop, in which others have their turn, too."""

    def __init__(self) -> None:
        """Have nothing to read."""
        self._marked_ns = 0

    def read(self, has_late: Callable[[int], bool], connections: Sequence[Connection]) -> int | None:
        """Read a part; return until when all that came has been read, or None: there is more of it.

        The event loop looks at timers first: an answer that is there is one, whoever is late to read it.

        Args:
            has_late: whether the time of a call was up at an instant of `time.perf_counter_ns`'s clock; where none is
                late nothing need be read.
            connections: all that there are.
        """
        at_ns = self._marked_ns or time.perf_counter_ns()
        if has_late(at_ns):
            if not self._marked_ns:
                self._marked_ns = at_ns
                for connection in connections:
                    connection.mark_what_is_there()
            are_read = [connection.catch_up() for connection in connections]
            if not all(are_read):
                return None
        self._marked_ns = 0
        return at_ns
