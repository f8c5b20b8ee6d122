"""What the web UI's page is told of the run's state, so that it goes on asking until it has shown the summary.

Locust's page asks for statistics and the log as long as it last heard `running` or `spawning`. It knows the start form
(`ready`), a run, and its end (`stopped`); with any other state it stands still until it is loaded again.
"""

import time
from collections import deque
from collections.abc import Callable

from locust.runners import STATE_CLEANUP, STATE_INIT, STATE_RUNNING, STATE_SPAWNING, STATE_STOPPING

# How often a page asks for the log, and how much later it may come, from a busy machine.
LOG_INTERVAL_S = 5.0
# How long a page is given to fetch a log with the summary in it; one that was closed never does.
SUMMARY_LIMIT_S = 7.0


class PageState:
    """Follows runs, and says what state a page is to hear of."""

    def __init__(
        self,
        state: Callable[[], str],
        is_starting: Callable[[], bool],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin before any run.

        Args:
            state: returns Locust's own.
            is_starting: whether a start was taken whose run has not begun.
            clock_s: seconds that only grow.
        """
        self._state = state
        self._is_starting = is_starting
        self._clock_s = clock_s
        self._is_under_way = False
        self._has_page = False
        self._served_s: deque[float] = deque(maxlen=100)
        self._n_owed = 0
        self._owed_until_s = 0.0

    def page_loaded(self) -> None:
        """Know that somebody looks; scripts do not load the page."""
        self._has_page = True

    def begin(self) -> None:
        """Know that a run begins (on `test_start`)."""
        self._is_under_way = True
        self._n_owed = 0

    def conclude(self) -> None:
        """Know that a run's summary is in the log: each page that reads the log is to fetch it once more."""
        self._is_under_way = False
        now_s = self._clock_s()
        # A page fetches the log once in an interval, so these are as many as there are pages.
        n_pages = sum(now_s - served_s <= LOG_INTERVAL_S for served_s in self._served_s)
        self._n_owed = max(n_pages, 1) if self._has_page else 0
        self._owed_until_s = now_s + SUMMARY_LIMIT_S

    def logs_served(self) -> None:
        """Know that a page has fetched the log."""
        self._served_s.append(self._clock_s())
        self._n_owed = max(self._n_owed - 1, 0)

    def shown(self) -> str:
        """Return the state that a page is to hear of."""
        state = self._state()
        if state in (STATE_RUNNING, STATE_SPAWNING):
            return state
        if self._is_under_way or state in (STATE_CLEANUP, STATE_STOPPING):
            return STATE_RUNNING  # between two levels, being stopped, or being summed up
        if self._is_starting():
            return STATE_SPAWNING
        if self._n_owed and self._clock_s() < self._owed_until_s and state != STATE_INIT:
            return STATE_RUNNING
        return state
