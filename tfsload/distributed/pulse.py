"""What a process has in hand, once a second: whether its users live, and work on what it holds."""

import logging
import time
from collections.abc import Callable
from typing import Any

import gevent

from tfsload.recorder import n_requests
from tfsload.run import Run

logger = logging.getLogger(__name__)

INTERVAL_S = 1.0
# After so many looks in a row without a user, what the process holds goes to others.
IDLE_LOOKS = 2
# A request may take its deadline, and a listener some time; one that has been in hand for longer than both is stuck.
STUCK_AFTER_DEADLINE_S = 30.0


class Pulse:
    """Looks at a run in this process again and again, and tells what it sees."""

    def __init__(
        self,
        run: Run,
        users: Callable[[], list[Any]],
        tell: Callable[[dict[str, Any]], None],
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        """Look at nothing yet.

        Args:
            run: under way in this process.
            users: returns those of its users that fire images and live.
            tell: takes what a PULSE message holds, but for the run's number.
            clock_ns: the time.
        """
        self._run = run
        self._users = users
        self._tell = tell
        self._clock_ns = clock_ns
        self._n_idle_looks = 0
        self._seen_sent_ns = self._seen_answered_ns = 0
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        """Look once a second."""
        self._greenlet = gevent.spawn(self._beat)

    def stop(self) -> None:
        """Look no more."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    def _beat(self) -> None:
        while True:
            gevent.sleep(INTERVAL_S)
            self._tell(self.look())

    def look(self) -> dict[str, Any]:
        """Look now; give up what this process holds where nobody has been there to work on it."""
        run = self._run
        users = self._users()
        self._n_idle_looks = 0 if users else self._n_idle_looks + 1
        n_discarded = self._give_up() if self._n_idle_looks >= IDLE_LOOKS else 0
        held = run.supply.held()
        has_sent = run.sent_ns > self._seen_sent_ns or any(user.sent_ns for user in users)
        has_answered = run.answered_ns > self._seen_answered_ns
        self._seen_sent_ns, self._seen_answered_ns = run.sent_ns, run.answered_ns
        return {
            "n_users": len(users),
            "held": list(held.leases),
            "newest": held.newest,
            "n_open": held.n_open,
            "n_stuck": self._n_stuck(users),
            "has_sent": has_sent,
            "has_answered": has_answered,
            "n_discarded": n_discarded,
        }

    def _give_up(self) -> int:
        given_up = self._run.supply.give_up()
        if given_up:
            logger.warning("No user is left in this process: what it was to fire goes to others")
        return sum(n_requests(self._run.recorder.take(lease)) for lease in given_up)

    def _n_stuck(self, users: list[Any]) -> int:
        limit_s = self._run.settings.deadline_s + STUCK_AFTER_DEADLINE_S
        latest_ns = self._clock_ns() - int(limit_s * 1e9)
        return sum(0 < user.in_hand_ns < latest_ns for user in users)
