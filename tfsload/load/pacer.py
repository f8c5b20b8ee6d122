"""Open load: hands each arrival to a free user at the instant when it is due, or drops it.

It runs in the event loop itself: at an arrival the alarm calls back, and the user that has been free for
longest is switched to directly. What it sends leaves when the loop goes on. While the loop is busy with
replies it does not look at alarms: then a user that comes free takes what is overdue by itself.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

import gevent

from tfsload.load.alarm import Alarm, Chores, make_alarm
from tfsload.load.arrivals import Schedule

# So many arrivals are handed out before the loop looks at anything else: replies, an interrupt, the end of the level.
_MOST_AT_ONCE = 256


class ArrivalCounts(Protocol):
    """Where arrivals are counted; instants are on `time.perf_counter_ns`'s clock."""

    def count_offered(self, due_ns: int) -> None:
        """An arrival was due."""

    def count_sent(self, due_ns: int) -> None:
        """A user sends it."""

    def count_dropped(self, due_ns: int) -> None:
        """No user was free."""


class Pacer:
    """Paces the users of one process."""

    def __init__(
        self,
        counts: ArrivalCounts,
        alarm: Callable[[Callable[[], None], str, Chores | None], Alarm] = make_alarm,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        pacing: str = "sleep",
        chores: Chores | None = None,
    ) -> None:
        """Pace nothing yet.

        Args:
            counts: where arrivals are counted.
            alarm: makes what calls back when an arrival is due.
            clock_ns: the time.
            pacing: how an alarm waits: one of `PACINGS`.
            chores: what an alarm that spins does meanwhile.
        """
        self._counts = counts
        self._make_alarm = alarm
        self._clock_ns = clock_ns
        self._pacing, self._chores = pacing, chores
        self._alarm: Alarm | None = None  # made with the first schedule
        self._schedule: Schedule | None = None
        self._begin_ns = self._end_ns = 0
        self._free: OrderedDict[Any, None] = OrderedDict()  # users that wait, the longest first

    @property
    def n_free(self) -> int:
        """Users that wait for an arrival."""
        return len(self._free)

    @property
    def has_more(self) -> bool:
        """Whether arrivals of the schedule under way are still to come, or overdue."""
        return self._schedule is not None

    def is_free(self, user: Any) -> bool:
        """Whether a user, by its greenlet, waits for an arrival."""
        return user in self._free

    def next(self) -> int:
        """Wait for an arrival; return when it was due. For a user's greenlet."""
        due_ns = self._take_due()
        if due_ns is not None:
            return due_ns
        user = gevent.getcurrent()
        self._free[user] = None
        try:
            arrived_ns: int = gevent.get_hub().switch()
        except BaseException:
            self._free.pop(user, None)
            raise
        self._counts.count_sent(arrived_ns)
        return arrived_ns

    def _take_due(self) -> int | None:
        """Take an arrival that is due already: the loop may be busy with replies for longer than it should wait."""
        schedule = self._schedule
        if schedule is None:
            return None
        due_ns = self._begin_ns + schedule.next_ns
        if due_ns > self._clock_ns() or due_ns >= self._end_ns:
            return None
        schedule.pop()
        self._counts.count_offered(due_ns)
        self._counts.count_sent(due_ns)
        return due_ns

    def begin(self, schedule: Schedule, begin_ns: int, end_ns: int) -> None:
        """Follow a schedule that starts at `begin_ns`, up to and without `end_ns`, instead of any other."""
        if self._alarm is None:
            self._alarm = self._make_alarm(self._on_due, self._pacing, self._chores)
        self._schedule, self._begin_ns, self._end_ns = schedule, begin_ns, end_ns
        self._wait_for_next(schedule, self._alarm)

    def _on_due(self) -> None:
        schedule, alarm = self._schedule, self._alarm
        if schedule is None or alarm is None:
            return
        for _ in range(_MOST_AT_ONCE):
            # An arrival that falls due while others are sent is sent, too: sleeping first would make it late.
            due_ns = self._begin_ns + schedule.next_ns
            if due_ns > self._clock_ns() or due_ns >= self._end_ns:
                break
            schedule.pop()
            self._arrive(due_ns)
            if self._schedule is not schedule:
                return  # a user has ended the level
        self._wait_for_next(schedule, alarm)

    def _wait_for_next(self, schedule: Schedule, alarm: Alarm) -> None:
        due_ns = self._begin_ns + schedule.next_ns
        if due_ns < self._end_ns:
            alarm.set(due_ns)
        else:
            self._schedule = None

    def _arrive(self, due_ns: int) -> None:
        self._counts.count_offered(due_ns)
        if self._free:
            user, _ = self._free.popitem(last=False)
            user.switch(due_ns)
        else:
            self._counts.count_dropped(due_ns)

    def close(self) -> None:
        """Stop; users that wait go on waiting until they are ended."""
        self._schedule = None
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None
