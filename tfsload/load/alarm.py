"""Wakes the event loop at an instant: by Linux's timerfd, or by gevent's own timer where there is none.

gevent's timers are rounded to the loop's millisecond; a timerfd is a file that becomes readable on the
nanosecond, so that the loop wakes for it as it does for a socket. Still a process that sleeps needs some tens
of microseconds to wake: the alarm that spins sleeps until a little before its instant, and then looks at the clock.
"""

import contextlib
import ctypes
import logging
import os
import sys
import time
from collections.abc import Callable, Sized
from typing import Any, Protocol

import gevent

logger = logging.getLogger(__name__)

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1  # TFD_TIMER_ABSTIME


class _TimerSpec(ctypes.Structure):
    """Linux's struct itimerspec: when to be due again and again, and when first."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


_NS_PER_S = 1_000_000_000
# For so long before an instant the loop is kept awake: nearly always longer than a process takes to wake.
SPIN_NS = 150_000
# A server on the same CPU is done within that, at rates where it matters; a program that computes is not.
_LONGEST_AWAY_NS = 100_000
_TIMES_AWAY = 100
_NEVER_NS = 2**63 - 1
# Work that can wait is done in the time before an instant, if so much of it is left: it takes a third of that.
_CHORES_NS = 100_000
# Less is not worth doing by itself: each time has its own cost.
_FEWEST_CHORES = 8


class Chores(Protocol):
    """Work that can wait until there is time for it."""

    @property
    def waiting(self) -> Sized:
        """What there is to do."""

    def settle(self) -> None:
        """Do it all, without switching to another greenlet."""


class _NoChores:
    waiting = ()

    def settle(self) -> None: ...


class Alarm(Protocol):
    """Calls back, in the event loop, once it is due."""

    def set(self, at_ns: int) -> None:
        """Be due at an instant of `time.perf_counter_ns`'s clock; at once if that has passed."""

    def close(self) -> None:
        """Never call back again."""


def make_alarm(on_due: Callable[[], None], pacing: str = "sleep", chores: Chores | None = None) -> Alarm:
    """Return the finest alarm that this system has, of those that wait in a way.

    Args:
        on_due: what it calls back.
        pacing: one of `PACINGS`. Where this system cannot spin, the log says why, and it sleeps.
        chores: what is done while it spins, besides.
    """
    if pacing == "spin":
        try:
            return SpinAlarm(on_due, chores=chores)
        except (OSError, AttributeError) as error:
            logger.warning("--pacing spin: no effect in this process, which sleeps until requests are due: %s", error)
    try:
        return TimerFdAlarm(on_due)
    except (OSError, AttributeError):
        return LoopAlarm(on_due)


class TimerFdAlarm:
    """By timerfd: `time.perf_counter_ns` is the monotonic clock on Linux, so instants need no conversion."""

    def __init__(self, on_due: Callable[[], None]) -> None:
        """Be ready to be set.

        Raises:
            OSError, AttributeError: there is no timerfd here.
        """
        if sys.platform != "linux":
            raise OSError("timerfd is Linux's")
        self._libc = ctypes.CDLL(None, use_errno=True)
        # Made once: at thousands of arrivals a second, what each call puts together anew is felt.
        self._spec = _TimerSpec()
        self._settime_arguments = (_ABSOLUTE, ctypes.byref(self._spec), None)
        self._settime = self._libc.timerfd_settime
        self._is_set_anew = False
        self._on_due = on_due
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._watcher: Any = gevent.get_hub().loop.io(self._fd, 1)
        self._watcher.start(self._on_readable)

    def set(self, at_ns: int) -> None:
        """Be due at an instant; 0 would switch a timerfd off, so the earliest is 1 ns."""
        self._spec.value_s, self._spec.value_ns = divmod(max(at_ns, 1), _NS_PER_S)
        self._is_set_anew = True
        if self._settime(self._fd, *self._settime_arguments) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def _on_readable(self) -> None:
        self._is_set_anew = False
        self._on_due()
        if not self._is_set_anew and self._fd >= 0:
            # To set it would have taken off what makes it readable.
            with contextlib.suppress(BlockingIOError):
                os.read(self._fd, 8)

    def close(self) -> None:
        """Never call back again."""
        if self._fd >= 0:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._fd)
            self._fd = -1


class SpinAlarm:
    """Sleeps by timerfd until `spin_ns` before it is due; then the loop goes round and round, and looks each time.

    An idle watcher keeps libev from waiting for files, and a check watcher is called once in each turn, after files
    were polled: so replies are read as they come. To call oneself again by `run_callback` would not do, nor would
    `gevent.sleep(0)`: gevent runs such calls for milliseconds on end before it polls, and replies are read that late.

    Whoever waits for this CPU, as a server on the same machine may, goes first, as where the process sleeps: else its
    replies come later by as much as is left to spin. After one that has kept the CPU for long, as a program that
    computes does, none goes first for a hundred times as long.

    Chores are done while it waits, so that requests that are due seldom wait for them; where there are some, the loop
    wakes earlier by as much as they take. Without: p99 of the lag is 2 to 3 times as long at 10,000 requests a second.
    """

    def __init__(
        self,
        on_due: Callable[[], None],
        spin_ns: int = SPIN_NS,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        give_way: Callable[[], None] | None = None,
        chores: Chores | None = None,
    ) -> None:
        """Be ready to be set.

        Args:
            on_due: what it calls back.
            spin_ns: for how long before an instant the loop is kept awake.
            clock_ns: the time.
            give_way: has others run that wait for this CPU, and returns when this process is to go on; None: Linux's.
            chores: what is done while there is time for it; None: nothing.

        Raises:
            OSError, AttributeError: there is no timerfd here, or the loop is not libev's.
        """
        loop: Any = gevent.get_hub().loop
        if "libev" not in type(loop).__module__:
            raise OSError(f"gevent's loop is {type(loop).__module__}, and only libev's can be kept awake")
        self._on_due = on_due
        self._spin_ns = spin_ns
        self._clock_ns = clock_ns
        self._due_ns, self._gives_way_from_ns = _NEVER_NS, 0
        self._is_set_anew = self._is_awake = False
        self._sleeper = TimerFdAlarm(self._look)
        self._chores: Chores = _NoChores() if chores is None else chores
        self._give_way = give_way or os.sched_yield  # on Linux, as it is by now
        # Of the lowest priority: idle watchers of others have their turns, too.
        self._idle: Any = loop.idle(priority=loop.MINPRI)
        self._check: Any = loop.check()

    def set(self, at_ns: int) -> None:
        """Be due at an instant."""
        self._due_ns = at_ns
        self._is_set_anew = True
        awake_ns = self._spin_ns + (_CHORES_NS if self._has_chores() else 0)
        if at_ns - self._clock_ns() > awake_ns:
            self._rest()
            self._sleeper.set(at_ns - awake_ns)
        elif not self._is_awake:
            self._is_awake = True
            self._idle.start(_do_nothing)
            self._check.start(self._look)

    def _look(self) -> None:
        now_ns = self._clock_ns()
        if now_ns >= self._due_ns:
            self._is_set_anew = False
            self._on_due()
            if not self._is_set_anew:
                self._due_ns = _NEVER_NS
                self._rest()
        elif not self._is_awake:
            self.set(self._due_ns)
        elif self._due_ns - now_ns > _CHORES_NS and self._has_chores():
            self._chores.settle()
        elif now_ns >= self._gives_way_from_ns:
            self._give_way()
            away_ns = self._clock_ns() - now_ns
            if away_ns > _LONGEST_AWAY_NS:
                self._gives_way_from_ns = now_ns + _TIMES_AWAY * away_ns

    def _has_chores(self) -> bool:
        return len(self._chores.waiting) >= _FEWEST_CHORES

    def _rest(self) -> None:
        if self._is_awake:
            self._is_awake = False
            self._idle.stop()
            self._check.stop()

    def close(self) -> None:
        """Never call back again."""
        self._rest()
        self._sleeper.close()
        self._idle.close()
        self._check.close()


def _do_nothing() -> None:
    """Be what an idle watcher calls: all that is wanted is that there is one."""


class LoopAlarm:
    """By the event loop's timer: up to a millisecond or two late."""

    def __init__(self, on_due: Callable[[], None]) -> None:
        self._on_due = on_due
        self._timer: Any = None

    def set(self, at_ns: int) -> None:
        """Be due at an instant."""
        self.close()
        self._timer = gevent.get_hub().loop.timer(max((at_ns - time.perf_counter_ns()) / _NS_PER_S, 0))
        self._timer.start(self._on_due, update=True)

    def close(self) -> None:
        """Never call back again."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
