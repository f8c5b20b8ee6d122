"""Says, while a master waits for its workers, how many are missing, since when, and what to do."""

import logging
import time
from collections.abc import Callable
from typing import Any

import gevent
from locust.env import Environment
from locust.event import EventHook
from locust.runners import MasterRunner

logger = logging.getLogger(__name__)

INTERVAL_S = 10.0


class AwaitedWorkers:
    """Watches a master that starts its run once so many workers are there."""

    def __init__(
        self,
        environment: Environment,
        runner: MasterRunner,
        has_begun: Callable[[], bool],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Say nothing yet.

        Args:
            environment, runner: Locust's.
            has_begun: whether the run has begun.
            clock_s: the time.
        """
        self._options: Any = environment.parsed_options
        self._runner = runner
        self._has_begun = has_begun
        self._clock_s = clock_s
        self._missing_since_s = clock_s()
        self._heard_of_old_s: dict[str, float] = {}  # when a worker last spoke that has not said it is ready
        events: Any = environment.events
        if not hasattr(events, "heartbeat_of_unknown_worker"):
            events.heartbeat_of_unknown_worker = EventHook()  # which a wrap of Locust's master fires
        events.heartbeat_of_unknown_worker.add_listener(self._on_heartbeat_of_unknown_worker)

    def start(self) -> "gevent.Greenlet[[], None]":
        """Say so every ten seconds, until the run begins."""
        return gevent.spawn(self._watch)

    def _watch(self) -> None:
        while not self._has_begun():
            gevent.sleep(INTERVAL_S)
            words = self.words()
            if words:
                logger.warning("%s", words)

    def words(self) -> str:
        """Return what to say now; empty when nobody is missing, or the run has begun."""
        now_s = self._clock_s()
        n_there, n_awaited = len(self._runner.clients.ready), self._options.expect_workers
        n_missing = n_awaited - n_there
        if self._has_begun() or n_missing <= 0:
            self._missing_since_s = now_s
            return ""
        waited_s = now_s - self._missing_since_s
        what = f"{'worker' if n_awaited == 1 else 'workers'} {'is' if n_missing == 1 else 'are'} missing"
        return (
            f"{n_missing} of {n_awaited} {what}, for {waited_s:.0f} s now: {self._cure(self._n_old(now_s))}; "
            "--expect-workers-max-wait says how long to wait, Ctrl-C ends it"
        )

    def _n_old(self, now_s: float) -> int:
        """Return how many workers speak, lately, that have never said that they are ready: to another master only."""
        lately = [worker for worker, heard_s in self._heard_of_old_s.items() if now_s - heard_s < INTERVAL_S]
        return sum(worker not in self._runner.clients for worker in lately)

    def _cure(self, n_old: int) -> str:
        start = f"locust -f LOCUSTFILE --worker --master-host HOST --master-port {self._options.master_bind_port}"
        if not n_old:
            return f"start each with '{start}', and see that it reaches this port"
        who = "a worker of an earlier master calls" if n_old == 1 else f"{n_old} workers of an earlier master call"
        return f"{who} at this port, and cannot join this one: stop and start each anew, with '{start}'"

    def _on_heartbeat_of_unknown_worker(self, client_id: str, **_: Any) -> None:
        self._heard_of_old_s[client_id] = self._clock_s()
