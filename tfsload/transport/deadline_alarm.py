"""One timer for the deadlines of all calls of a channel."""

import time
from collections.abc import Callable
from typing import Any

# An alarm that is later than this tells that the process was held up: nobody has read what came meanwhile.
_HELD_UP_NS = 250_000_000
# What came meanwhile is read before anything is given up; a long reply comes in parts, for which so long is enough.
_GRACE_NS = 1_000_000_000


class DeadlineAlarm:
    """Calls back when the earliest deadline is over, on `time.perf_counter_ns`'s clock.

    Attributes:
        at_ns: when it goes off; None: it is not set.
    """

    def __init__(self, loop: Any, on_due: Callable[[], None]) -> None:
        """Be set to nothing.

        Args:
            loop: gevent's event loop, in which it calls.
            on_due: called when a deadline is over.
        """
        self._loop = loop
        self._on_due = on_due
        self._timer = loop.timer(0)
        self._has_waited = False  # after the process was held up
        self.at_ns: int | None = None

    def set(self, at_ns: int) -> None:
        """Go off then, and not when it was to before."""
        self.at_ns = at_ns
        self._timer.stop()
        self._timer.close()
        self._timer = self._loop.timer(max((at_ns - time.perf_counter_ns()) / 1e9, 0))
        self._timer.start(self._go_off, update=True)

    def stop(self) -> None:
        """Go off no more."""
        self._timer.stop()

    def _go_off(self) -> None:
        assert self.at_ns is not None  # it was set
        now_ns = time.perf_counter_ns()
        late_ns = now_ns - self.at_ns
        if late_ns > _HELD_UP_NS and not self._has_waited:
            self._has_waited = True
            self.set(now_ns + min(late_ns, _GRACE_NS))
            return
        self._has_waited = False
        self.at_ns = None
        self._on_due()
