"""Waits, before any load, for a server that is starting (`--wait`), while what is the matter may pass by itself."""

import logging
import time
from collections.abc import Callable

import gevent

from tfsload.target import preflight
from tfsload.target.preflight import LEAST_PATIENCE_S, Preflight, PreflightError, patience_s
from tfsload.transport.contract import Transport

logger = logging.getLogger("tfsload")  # a name for people, as that of all that is said of a run

POLL_S = 0.5
_LEAST_SLEEP_S = 0.01
# What goes on is said at once where it is something else, and otherwise now and then.
SAY_EACH_S = 10.0


def ask_when_ready(
    transport: Transport,
    n_classes: int,
    clock_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = gevent.sleep,
) -> Preflight:
    """Ask the server for the model's status and signature; wait for them as long as `--wait` says.

    Args:
        transport: to the server; closed afterwards.
        n_classes: labels of the data set are below this.
        clock_s, sleep: the time, and what lets it pass.

    Raises:
        NoServerError, MisfitError: as `preflight.ask`; at once where waiting is no help.
    """
    patience, wait_s = patience_s(transport.model), transport.connection.wait_s
    report = _Report(transport.connection.server.text, wait_s)
    begun_s, timeout_s = clock_s(), patience
    while True:
        try:
            found = preflight.ask(transport, n_classes, timeout_s)
        except PreflightError as error:
            waited_s = clock_s() - begun_s
            if not error.passing or waited_s >= wait_s:
                raise
            report.waits(error.passing, waited_s)
            sleep(min(POLL_S, max(wait_s - waited_s, _LEAST_SLEEP_S)))
            # The last call is not to outlast the wait by much.
            timeout_s = min(patience, max(wait_s - (clock_s() - begun_s), LEAST_PATIENCE_S))
        else:
            report.ready(clock_s() - begun_s)
            return found


class _Report:
    """Says in the log what is waited for."""

    def __init__(self, where: str, wait_s: float) -> None:
        self._where, self._wait_s = where, wait_s
        self._passing = ""
        self._said_s = 0.0

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
