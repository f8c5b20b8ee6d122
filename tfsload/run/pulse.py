"""What a process has in hand, once a second: whether its users live, and work on what it holds.

To look at 100,000 users one by one takes ten milliseconds, in which no request leaves. So that is done only where
requests may be stuck in a lease, and in seconds without an answer.
"""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import gevent

from tfsload.prediction.process_run import Run
from tfsload.records.recorder import n_ended
from tfsload.run.late_looks import LateLooks

logger = logging.getLogger(__name__)

INTERVAL_S = 1.0
# Between two beats it looks so often whether the process stood still: what is as long as a beat would else go unseen.
_GLANCES = 4
# After so many looks in a row without a user, what the process holds goes to others.
IDLE_LOOKS = 2
# A request may take its deadline, and a listener some time; one that has been in hand for longer than both is stuck.
STUCK_AFTER_DEADLINE_S = 30.0


class Pulse:
    """Looks at a run in this process again and again, and tells what it sees."""

    def __init__(
        self,
        run: Run,
        users: Callable[[], Iterable[Any]],
        tell: Callable[[dict[str, Any]], None],
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        count_all: Callable[[], int] | None = None,
    ) -> None:
        """Look at nothing yet.

        Args:
            run: under way in this process.
            users: returns those of its users that fire images and live.
            tell: takes what a PULSE message holds, but for the run's number.
            clock_ns: the time.
            count_all: returns how many users live, of all classes, without a look at each; None: each is looked at,
                always.
        """
        self._run = run
        self._users = users
        self._tell = tell
        self._clock_ns = clock_ns
        self._count_all = count_all
        self._late_looks = LateLooks()
        self._n_idle_looks = 0
        self._seen_sent_ns = self._seen_answered_ns = 0
        self._greenlet: gevent.Greenlet[[], None] | None = None

    def start(self) -> None:
        """Look once a second."""
        self._greenlet = gevent.spawn(self._beat)

    def stop(self) -> None:
        """Look no more."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
        if self._see():
            self._tell(self.look(is_last=True))

    def _beat(self) -> None:
        while True:
            for _ in range(_GLANCES):
                self._late_looks.expect(self._clock_ns() + int(INTERVAL_S / _GLANCES * 1e9))
                gevent.sleep(INTERVAL_S / _GLANCES)
                self._see()
            self._tell(self.look())

    def held_up_s(self, begin_ns: int, end_ns: int) -> float:
        """Return for how many seconds of a span that is over this process stood still."""
        self._see()
        return self._late_looks.within_s(begin_ns, end_ns)

    def _see(self) -> bool:
        return self._late_looks.see(self._clock_ns(), self._quiet_times)

    def _quiet_times(self, begin_ns: int, end_ns: int) -> list[tuple[int, int]]:
        """Return when in a span nothing was sent or read. That looks at each user: only where a look was late."""
        run = self._run
        others_ns = [run.sent_ns, run.answered_ns, *(user.sent_ns for user in self._users())]
        return run.recorder.quiet_times.within(begin_ns, end_ns, run.recorder.waiting, others_ns)

    def look(self, is_last: bool = False) -> dict[str, Any]:
        """Look now; give up what nobody has been there to work on, unless it is the last look."""
        self._see()
        run = self._run
        has_sent, has_answered = run.sent_ns > self._seen_sent_ns, run.answered_ns > self._seen_answered_ns
        self._seen_sent_ns, self._seen_answered_ns = run.sent_ns, run.answered_ns
        n_users, n_stuck = self._count(has_answered)
        self._n_idle_looks = 0 if n_users else self._n_idle_looks + 1
        n_discarded = self._give_up() if self._n_idle_looks >= IDLE_LOOKS and not is_last else 0
        held = run.supply.held()
        return {
            "n_users": n_users,
            "held": list(held.leases),
            "newest": held.newest,
            "n_open": held.n_open,
            "n_stuck": n_stuck,
            # Where nothing was sent for a second, most often all wait: the first that does is enough.
            "has_sent": has_sent or any(user.sent_ns for user in self._users()),
            "has_answered": has_answered,
            "n_discarded": n_discarded,
            "held_up": self._late_looks.to_plain(run.recorder.unix_offset_ns),
            "counted": counted.to_plain() if (counted := run.recorder.counts_so_far(self._clock_ns())) else None,
        }

    def _count(self, has_answered: bool) -> tuple[int, int]:
        """Return how many users live, and how many of them have a request in hand that is stuck.

        Outside leases nobody asks which users they are. And with an answer in this second somebody goes on: whose
        request is stuck can wait for a second without.
        """
        if self._count_all is not None and (has_answered or not self._run.settings.data.num_tests):
            return self._count_all(), 0
        limit_s = self._run.settings.model.deadline_s + STUCK_AFTER_DEADLINE_S
        latest_ns = self._clock_ns() - int(limit_s * 1e9)
        users = list(self._users())
        return len(users), sum(0 < user.in_hand_ns < latest_ns for user in users)

    def _give_up(self) -> int:
        given_up = self._run.supply.give_up()
        if given_up:
            logger.warning("No user is left in this process: what it was to fire goes to others")
        return sum(n_ended(self._run.recorder.take(lease)) for lease in given_up)
