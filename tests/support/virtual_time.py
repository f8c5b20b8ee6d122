"""Time that passes when everybody waits: minutes of a run take milliseconds, the same ones each time."""

import heapq
import itertools
import time
from typing import Any

import gevent
import gevent.event

_real_sleep, _real_idle = gevent.sleep, gevent.idle
EPOCH_S = 1_700_000_000.0


class VirtualTime:
    """Takes the place of all clocks and sleeps of this process; moved on by `run`."""

    def __init__(self, monkeypatch: Any) -> None:
        """Begin at some instant."""
        self.now_s = 1000.0
        self._sleepers: list[tuple[float, int, gevent.event.Event]] = []
        self._numbers = itertools.count()
        for owner, name, replacement in (
            (gevent, "sleep", self.sleep),
            (gevent, "spawn_later", self.spawn_later),
            (gevent, "Timeout", self._timeout_class()),
            (time, "monotonic", self.read_s),
            (time, "perf_counter", self.read_s),
            (time, "time", lambda: EPOCH_S + self.read_s()),
            (time, "perf_counter_ns", self.now_ns),
            (time, "monotonic_ns", self.now_ns),
            (time, "time_ns", lambda: int(EPOCH_S * 1e9) + self.now_ns()),
        ):
            monkeypatch.setattr(owner, name, replacement)

    def read_s(self) -> float:
        """Return the time, a little later each time: Locust tells messages apart by it."""
        self.now_s += 1e-6
        return self.now_s

    def now_ns(self) -> int:
        return int(self.read_s() * 1e9)

    def sleep(self, seconds: float = 0, ref: bool = True) -> None:  # noqa: ARG002  (gevent's name)
        if seconds <= 0:
            _real_sleep(0)
            return
        awake = gevent.event.Event()
        heapq.heappush(self._sleepers, (self.now_s + seconds, next(self._numbers), awake))
        awake.wait()

    def spawn_later(self, seconds: float, function: Any, *args: Any, **kwargs: Any) -> gevent.Greenlet:
        def later() -> Any:
            if seconds > 0:
                self.sleep(seconds)
            return function(*args, **kwargs)

        return gevent.spawn(later)

    def _timeout_class(self) -> type:
        virtual = self

        class Timeout(BaseException):
            """As gevent's, as far as Locust and the suite use it."""

            def __init__(self, seconds: float, exception: bool | None = None) -> None:
                self.seconds, self.exception = seconds, exception

            def __enter__(self) -> Any:
                self.start()
                return self

            def __exit__(self, _kind: Any, error: Any, _traceback: Any) -> bool:
                self.cancel()
                return error is self and self.exception is False

            def start(self) -> None:
                waiting = gevent.getcurrent()
                self._greenlet = virtual.spawn_later(self.seconds, self._end, waiting)

            def _end(self, waiting: Any) -> None:
                gevent.get_hub().loop.run_callback(waiting.throw, self)

            def cancel(self) -> None:
                self._greenlet.kill(block=False)

            close = cancel

        return Timeout

    def settle(self) -> None:
        """Let everybody go on who can without time passing."""
        _real_idle()
        _real_idle()

    def step(self) -> None:
        """Move on to the next instant at which anybody wakes; all must have settled."""
        if not self._sleepers:
            return
        self.now_s = max(self.now_s, self._sleepers[0][0])
        while self._sleepers and self._sleepers[0][0] <= self.now_s:
            heapq.heappop(self._sleepers)[2].set()
        self.settle()

    def run(self, until: Any, limit_s: float) -> bool:
        """Let time pass until a condition holds; False where it does not within a time."""
        end_s = self.now_s + limit_s
        self.settle()
        while not until():
            if self.now_s >= end_s or not self._sleepers:
                return False
            self.step()
        return True

    def pass_s(self, seconds: float) -> None:
        """Let some time pass."""
        end_s = self.now_s + seconds
        gevent.spawn(self.sleep, seconds)
        self.run(lambda: self.now_s >= end_s, seconds + 1)
