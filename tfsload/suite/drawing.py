"""What is drawn for the web UI beside runs: the pictures of a report when its run has ended, and the drawing script."""

import logging
import time
from typing import Any

import gevent

from tfsload.suite.drawing_script import DrawingScript
from tfsload.webui.session_runs import SessionRun, SessionRuns

logger = logging.getLogger("tfsload")  # a name for people

# Far beyond what drawing takes; a run is not to wait for ever for the last one's pictures.
_FILES_LIMIT_S = 30.0
_GIVEN_UP = "the next run began before they were made: its load is not to be measured beside drawing"
_CLOSED = "the web UI was closed before they were made"


class Drawing:
    """Draws when no load is under way, one thing at a time for each run; whoever starts one waits for it."""

    def __init__(self, runs: SessionRuns, script: DrawingScript) -> None:
        """Draw no run's report yet.

        Args:
            runs: of this session.
            script: with which browsers draw; it is being made, or is there.
        """
        self._runs = runs
        self._script = script
        self._run: SessionRun | None = None  # whose files are made, or were
        self._making: Any = None  # the greenlet in which that is done
        self._limit_s = 0.0  # until when it is waited for, on time.monotonic's clock

    def begin(self) -> None:
        """Begin with the files of the run that has ended."""
        self.give_up()
        self._run = self._runs.last
        self._limit_s = time.monotonic() + _FILES_LIMIT_S
        self._making = gevent.spawn(self._runs.make_files)

    def wait(self) -> None:
        """Wait until nothing is drawn any more, or it takes too long; nothing is given up by that.

        What takes too long is waited for once, not by each that comes.
        """
        self._script.wait()
        if self._making is not None:
            self._making.join(max(self._limit_s - time.monotonic(), 0.0))

    def give_up(self, why: str = _GIVEN_UP) -> None:
        """End what is still drawn of a run; its page says so, and why."""
        if self._making is None or self._making.dead:
            return
        logger.warning("The files of the last run's report are not all there: %s", why)
        if self._run is not None and not self._run.is_settled:
            self._run.fault = why  # before it is ended, which would say no more than that it was
        self._making.kill()

    def close(self) -> None:
        """Leave no process behind."""
        self._script.close()
        self.give_up(_CLOSED)
