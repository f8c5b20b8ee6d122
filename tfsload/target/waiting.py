"""Waits, before any load, for a server that is starting (`--wait`), while what is the matter may pass by itself."""

import logging
import time
from collections.abc import Callable
from typing import Any

import gevent
import gevent.event

from tfsload.target import preflight
from tfsload.target.fired import Fired
from tfsload.target.preflight import LEAST_PATIENCE_S, Preflight, PreflightError, patience_s
from tfsload.transport.contract import Transport

logger = logging.getLogger("tfsload")  # a name for people, as that of all that is said of a run

POLL_S = 0.5
_LEAST_SLEEP_S = 0.01
# What goes on is said at once where it is something else, and otherwise now and then.
SAY_EACH_S = 10.0
# And that it is waited for, where the first answer takes longer than this.
SAY_FIRST_S = 1.0


class StoppedError(Exception):
    """Somebody has ended the wait, or what else a run does before it begins."""

    def __init__(self, while_what: str = "it waited for the server") -> None:
        """Say in the middle of what."""
        super().__init__(f"stopped while {while_what}")


class Wait:
    """A wait that somebody else may end.

    Attributes:
        where: the server that is being waited for; empty: none is.
    """

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self.where = ""
        self._stopped = gevent.event.Event()

    @property
    def is_stopped(self) -> bool:
        """Whether it was ended, since `begin`."""
        return self._stopped.is_set()

    def begin(self) -> None:
        """Forget that an earlier wait was ended."""
        self._stopped.clear()

    def stop(self) -> None:
        """End it."""
        self._stopped.set()

    def sleep(self, seconds: float) -> None:
        """Let time pass, unless it is ended meanwhile."""
        self._stopped.wait(seconds)

    def for_either(self, greenlet: Any, limit_s: float | None) -> bool:
        """Wait until a greenlet has ended, or this wait is; return whether one of them is, within the limit."""
        ended: list[Any] = gevent.wait([greenlet, self._stopped], timeout=limit_s, count=1)
        return bool(ended)


def ask_when_ready(
    transport: Transport,
    fired: Fired,
    clock_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] | None = None,
    wait: Wait | None = None,
) -> Preflight:
    """Ask the server for the model's status and signatures; wait for them as long as `--wait` says.

    Args:
        transport: to the server; closed afterwards.
        fired: the images and their labels.
        clock_s, sleep: the time, and what lets it pass; None: the wait's own.
        wait: with which somebody else may end it; None: nobody may.

    Raises:
        NoServerError, MisfitError: as `preflight.ask`; at once where waiting is no help.
        StoppedError: the wait was ended.
    """
    wait = wait or Wait()
    sleep = sleep or wait.sleep
    patience, wait_s = patience_s(transport.model), transport.connection.wait_s
    report = _Report(transport.connection.server.text, wait_s)
    begun_s, left_s = clock_s(), wait_s or patience
    try:
        while True:
            # No call is to outlast the wait by much.
            timeout_s = min(patience, max(left_s, LEAST_PATIENCE_S))
            found = _ask(transport, fired, timeout_s, wait, report)
            waited_s = clock_s() - begun_s
            if isinstance(found, Preflight):
                report.ready(waited_s)
                return found
            if not found.passing or waited_s >= wait_s:
                raise found
            wait.where = transport.connection.server.text
            report.waits(found.passing, waited_s)
            sleep(min(POLL_S, max(wait_s - waited_s, _LEAST_SLEEP_S)))
            left_s = wait_s - (clock_s() - begun_s)
    finally:
        wait.where = ""


def _ask(
    transport: Transport, fired: Fired, timeout_s: float, wait: Wait, report: "_Report"
) -> Preflight | PreflightError:
    """Ask once, in a greenlet of its own: a call that is given up ends by itself, and lets go of what it holds.

    Raises:
        StoppedError: the wait was ended meanwhile, or before.
    """

    def ask() -> Preflight | PreflightError:
        try:
            return preflight.ask(transport, fired, timeout_s)
        except PreflightError as error:
            return error

    if wait.is_stopped:
        raise StoppedError
    asking = gevent.spawn(ask)
    if not wait.for_either(asking, SAY_FIRST_S if report.has_said_nothing else None):
        wait.where = transport.connection.server.text
        report.waits("it has not answered yet", 0.0)
        wait.for_either(asking, None)
    if not asking.ready():
        raise StoppedError
    found: Preflight | PreflightError = asking.get()
    return found


class _Report:
    """Says in the log what is waited for."""

    def __init__(self, where: str, wait_s: float) -> None:
        self._where, self._wait_s = where, wait_s
        self._passing = ""
        self._said_s = 0.0

    @property
    def has_said_nothing(self) -> bool:
        """Whether nobody knows yet that a server is waited for, where one is."""
        return not self._passing and self._wait_s > 0

    def waits(self, passing: str, waited_s: float) -> None:
        """Know what is the matter, after so many seconds."""
        if not self._passing:
            logger.info("Waiting for the server at %s, %g s at most: %s", self._where, self._wait_s, passing)
        elif passing != self._passing or waited_s >= self._said_s + SAY_EACH_S:
            logger.info("Still waiting (%.0f of %g s): %s", waited_s, self._wait_s, passing)
        else:
            return
        self._passing, self._said_s = passing, waited_s

    def ready(self, waited_s: float) -> None:
        """Know that the model can be used."""
        if self._passing:
            logger.info("The server at %s is ready, after %.1f s", self._where, waited_s)
