"""Wakes the event loop at an instant: by Linux's timerfd, or by gevent's own timer where there is none.

gevent's timers are rounded to the loop's millisecond; a timerfd is a file that becomes readable on the
nanosecond, so that the loop wakes for it as it does for a socket.
"""

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import gevent

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


class Alarm(Protocol):
    """Calls back, in the event loop, once it is due."""

    def set(self, at_ns: int) -> None:
        """Be due at an instant of `time.perf_counter_ns`'s clock; at once if that has passed."""

    def close(self) -> None:
        """Never call back again."""


def make_alarm(on_due: Callable[[], None]) -> Alarm:
    """Return the finest alarm that this system has."""
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
