"""Whether a run lasted for as long as it was asked to (`-t`), and who ended it."""

import argparse
import time
from collections.abc import Callable
from typing import Any

import gevent
from locust.env import Environment
from locust.util.timespan import parse_timespan
from locust.web import WebUI

from tfsload.transport.words import quoted

# What Locust's own timers run when a run's time is over: headless or with --autostart, and from the web form.
LOCUSTS_TIMERS = ("stop_and_optionally_quit", "_stop_runners")


def listen(parser: Any) -> None:
    """Have a parser refuse a run time that is none (on `init_command_line_parser`)."""
    for action in parser._actions:
        if action.dest == "run_time":
            action.type = above_zero


def above_zero(text: str) -> int:
    """Read a run time, in s. Locust takes 0 for one without an end, and a run of 0 s for ever is what nobody means.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        seconds: int = parse_timespan(text)
    except (ValueError, OverflowError):
        seconds = 0
    if seconds <= 0:
        expected = "expected a time above 0, such as 300, 300s, 20m or 1h30m; to run until it is stopped, leave it out"
        raise argparse.ArgumentTypeError(f"{quoted(text)}: {expected}")
    return seconds


def end_run_whose_time_is_over(runner: Any, is_over: Callable[[], bool]) -> None:
    """End a run that a program of one's own leads, unless it is over otherwise; what a timer of its own runs."""
    if not is_over():
        runner.stop()


_TIMERS = (*LOCUSTS_TIMERS, end_run_whose_time_is_over.__name__)


class RunTime:
    """How long a run was to last, and how long it did, whatever the machine's date does meanwhile.

    Attributes:
        limit_s: for how long it was asked to run; None: it has no such end.
        ran_s: for how long it did; None: it goes on.
    """

    def __init__(self, limit_s: float | None = None, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Begin now."""
        self.limit_s = limit_s
        self.ran_s: float | None = None
        self._clock_s = clock_s
        self._begun_s = clock_s()

    @property
    def left_s(self) -> float | None:
        """How much of its time is left; None: it has no such end, or is over."""
        if self.limit_s is None or self.ran_s is not None:
            return None
        return max(self.limit_s - (self._clock_s() - self._begun_s), 0.0)

    def end(self) -> None:
        """Know that the run begins to end; whatever is told after that is of no matter."""
        if self.ran_s is None:
            self.ran_s = self._clock_s() - self._begun_s
            if self.limit_s is not None and is_ended_by_timer():
                # Its timer was set before this run's beginning was heard of: the difference is not missing.
                self.ran_s = max(self.ran_s, self.limit_s)


def is_ended_by_timer() -> bool:
    """Whether this is the greenlet of a timer, which ends a run when its time is over."""
    run = getattr(gevent.getcurrent(), "_run", None)
    return getattr(run, "__name__", "") in _TIMERS


def asked_s(environment: Environment, web_ui: WebUI | None, starts_by_itself: bool) -> float | None:
    """Return for how long the run that starts now was asked to last; None: it has no such end.

    The options alone do not tell: those of the web form keep what was asked for before.

    Args:
        environment: Locust's. Where a load shape says when a run ends, a run time is of no effect.
        web_ui: Locust's, or None.
        starts_by_itself: whether the run is the one that the command line asks for.
    """
    if environment.shape_class is not None:
        return None
    has_timer = starts_by_itself or getattr(web_ui, "_run_time_greenlet", None) is not None
    return (getattr(environment.parsed_options, "run_time", None) or None) if has_timer else None
