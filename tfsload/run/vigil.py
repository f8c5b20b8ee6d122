"""Ends a run in which nothing can come any more: no user is left, no request can end, or no server answers."""

import logging
from collections.abc import Collection
from typing import Any

from locust.runners import STATE_RUNNING, Runner

from tfsload.load.leases import Leases
from tfsload.run.pulses import Pulses
from tfsload.run.results import Results
from tfsload.run.silence import Silence

logger = logging.getLogger(__name__)

# After so many looks in a row at which nobody could go on, nobody is expected to.
IDLE_LOOKS = 4
# A worker that joined may read its images for long; after so many looks (ten minutes) without a pulse it does not.
READY_LOOKS = 1200


class Vigil:
    """Watches one run by its workers' pulses."""

    def __init__(self, runner: Runner, give_up_after_s: float | None = None) -> None:
        """Know of no pulse yet.

        Args:
            runner: Locust's.
            give_up_after_s: seconds in which requests are sent and none is answered, which end the run; None: none do.
        """
        self._runner = runner
        self._give_up_after_s = give_up_after_s
        self._pulses, self._silence = Pulses(), Silence()
        self._n_idle_looks = self._n_waiting_looks = 0

    def take(self, worker: str, pulse: dict[str, Any], now_s: float, probe: int | None) -> None:
        """Take a worker's pulse; `probe` is the number of the search's probe under way, or None."""
        self._pulses.take(worker, pulse)
        self._silence.take(pulse, now_s, probe)

    def is_over(self, results: Results, leases: Leases | None, workers: set[str], joined: Collection[str] = ()) -> bool:
        """Look, and return whether the run is to be ended now; `results` then hold why.

        Args:
            results: of the run.
            leases: of a run with `--num-tests`; else None.
            workers: that live and are fit for the run.
            joined: all that take part: they read their images then, which may take long, before they have users.
        """
        if self._is_given_up(results):
            return True
        return leases is not None and self._is_stalled(results, leases, workers, workers.intersection(joined))

    def _is_given_up(self, results: Results) -> bool:
        limit_s = self._give_up_after_s
        if limit_s is None or self._silence.seconds < limit_s or results.gave_up_after_s is not None:
            return False
        results.gave_up_after_s = limit_s
        logger.error(
            "Requests were sent for %g s, and none had a usable answer: the run ends (--give-up-after)", limit_s
        )
        return True

    def _is_stalled(self, results: Results, leases: Leases, workers: set[str], joined: set[str]) -> bool:
        # Where a load shape asks for no users, none is missing: it may ask for some again.
        is_asked_for = self._runner.state == STATE_RUNNING and self._runner.target_user_count
        why = self._why_stalled(leases, workers, joined) if is_asked_for else ""
        self._n_idle_looks = self._n_idle_looks + 1 if why else 0
        if self._n_idle_looks != IDLE_LOOKS:
            return False
        results.stalled = why
        logger.error("The run ends before each image was fired: %s", why)
        return True

    def _why_stalled(self, leases: Leases, workers: set[str], joined: set[str]) -> str:
        if not self._runner.user_count:
            is_waited_for = self._pulses.lack(joined) and self._n_waiting_looks < READY_LOOKS
            self._n_waiting_looks += is_waited_for
            return "" if is_waited_for else "no user is left"
        self._n_waiting_looks = 0
        # A load shape may ask for other classes first.
        has_shape = self._runner.environment.shape_class is not None
        return self._pulses.stall(workers, leases.has_waiting, has_shape)
