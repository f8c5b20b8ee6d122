"""Runs that a program of one's own leads, without Locust's: a test suite, a notebook, a weekly job."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import gevent
from locust.env import Environment
from locust.exception import StopTest
from locust.runners import STATE_STOPPED, LocalRunner

from tfsload.analysis import exit_codes
from tfsload.analysis.result import RunResult
from tfsload.run.user_hosts import suite_classes
from tfsload.settings.refusal import RunRefused
from tfsload.suite.leader import Leader
from tfsload.suite.lifecycle import begin, install
from tfsload.suite.outcome import Outcome
from tfsload.suite.stage import Stage

# Seldom: it is a turn for this process in the middle of what is measured.
_POLL_S = 0.1
# Beyond what reports of workers and listeners of one's own take; a fault of theirs, or of this suite, is no wait.
_CONCLUSION_LIMIT_S = 60.0


def run_to_end(
    environment: Environment, users: int | None = None, spawn_rate: float | None = None, run_time_s: float | None = None
) -> RunResult:
    """Lead a run to its end: of its images (`num_tests`), its levels, its load shape, or after a time.

    Args:
        environment: Locust's, with the options that `tfsload.install` was given. It may have a local runner; a master
            is to have its workers.
        users: how many, None: 1; a load shape and a sweep say that themselves, and with `rate` or `find_max_rate` it is
            the most in flight, None: as many as arrive within a deadline, 1,000 at most.
        spawn_rate: users started a second; None: all at once.
        run_time_s: for how long; None: to another end.

    Returns:
        What it came to; `result.judged.exit_code` is what Locust's program would have ended with.

    Raises:
        RunRefused: it cannot run; `faults` says why, a sentence each.
        RuntimeError: the environment leads no runs, one is under way, or this one was ended before it began.
    """
    if environment.parsed_options is None:
        install(environment)
    given = environment.runner
    runner: Any = given or environment.create_local_runner()
    leader = _leader_of(environment)
    _check(environment, leader, users, run_time_s)
    last = leader.outcome
    with _interrupts_here():
        try:
            if environment.shape_class is not None:
                runner.start_shape()
                start, run_time_s = runner.shape_greenlet, None
            elif isinstance(runner, LocalRunner):
                runner.start(users or 1, spawn_rate or users or 1)
                start = runner.spawning_greenlet
            else:  # a master's start waits until all users are there
                start = gevent.spawn(runner.start, users or 1, spawn_rate or users or 1)
            return _await_result(leader, runner, start, last, run_time_s)
        finally:
            runner.stop()
            if given is None:
                runner.quit()  # its greenlets would keep the environment for good
            leader.close()


def _check(environment: Environment, leader: Leader, users: int | None, run_time_s: float | None) -> None:
    """Check a run before its start; raise what `run_to_end` raises."""
    if not leader.stages.wait_until_over(0):
        raise RuntimeError("a run is under way in this environment: one at a time")
    options = vars(environment.parsed_options)
    options["num_users"] = users
    leader.check(options, environment.host, lasts_s=run_time_s)
    if not suite_classes(environment.user_classes):
        leader.take_back()
        raise RunRefused(
            exit_codes.BAD_USAGE,
            ["the environment has no user class of the suite's: give it one, Environment(user_classes=[MyUser])"],
        )
    if environment.shape_class is None and leader.is_next_endless:
        leader.take_back()
        how = "pass run_time_s here, or num_tests, sweep, rate or find_max_rate to tfsload.install(environment, ...)"
        raise RunRefused(exit_codes.BAD_USAGE, [f"nothing ends the run: {how}"])


def _leader_of(environment: Environment) -> Leader:
    begin(environment)
    leader: Leader | None = getattr(getattr(environment, "tfsload", None), "leader", None)
    if leader is None:
        raise RuntimeError("this environment leads no runs: it is a worker's; its master's does")
    return leader


def _await_result(leader: Leader, runner: Any, start: Any, last: Outcome | None, run_time_s: float | None) -> RunResult:
    timer = None if run_time_s is None else gevent.spawn_later(run_time_s, end_run_whose_time_is_over, runner)
    stopped_s: float | None = None
    try:
        while leader.outcome is None or leader.outcome is last:
            if start.ready() and start.exception is not None and not isinstance(start.exception, StopTest):
                raise RuntimeError(f"the run broke off: {start.exception!r}") from start.exception
            if leader.stages.now is Stage.CHECKED:
                if start.ready():
                    leader.take_back()
                    raise RuntimeError("the run was ended before it began; the log says why")
            elif runner.state == STATE_STOPPED:
                stopped_s = stopped_s or time.monotonic()
                if time.monotonic() - stopped_s > _CONCLUSION_LIMIT_S:
                    raise RuntimeError("the run was stopped, and came to no result; the log says why")
            gevent.sleep(_POLL_S)
        leader.stages.wait_until_over(_CONCLUSION_LIMIT_S)
    finally:
        if timer is not None:
            timer.kill()
    return leader.outcome.result


def end_run_whose_time_is_over(runner: Any) -> None:
    """End a run (`run_time.OWN_TIMER` is its name)."""
    runner.stop()


@contextlib.contextmanager
def _interrupts_here() -> Iterator[None]:
    """Raise KeyboardInterrupt in this greenlet and in no user, which may be in the middle of a call."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    here, loop = gevent.getcurrent(), gevent.get_hub().loop
    before = signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        loop.run_callback(here.throw, KeyboardInterrupt())

    watcher: Any = gevent.signal_handler(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        watcher.cancel()
        signal.signal(signal.SIGINT, before)
