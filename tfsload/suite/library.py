"""Runs that a program of one's own leads, without Locust's: a test suite, a notebook, a weekly job."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import gevent
import gevent.event
from locust.env import Environment
from locust.exception import StopTest
from locust.runners import STATE_STOPPED, LocalRunner, MasterRunner

from tfsload.analysis.result import RunResult
from tfsload.run.user_hosts import suite_classes
from tfsload.settings.given import levels_asked_for
from tfsload.suite import interrupt
from tfsload.suite.leader import Leader
from tfsload.suite.led_run import LedRun
from tfsload.suite.lifecycle import install, make_suite
from tfsload.suite.load_arguments import LoadArguments
from tfsload.suite.outcome import Outcome
from tfsload.suite.run_time import end_run_whose_time_is_over
from tfsload.suite.run_warnings import PROGRAM
from tfsload.suite.stage import Stage

# Seldom: it is a turn for this process in the middle of what is measured.
_POLL_S = 0.1
# Beyond what reports of workers and listeners of one's own take; a fault of theirs, or of this suite, is no wait.
_CONCLUSION_LIMIT_S = 60.0
_UNDER_WAY = "tfsload_is_under_way"
_ONE_AT_A_TIME = "a run is under way in this environment: one at a time"


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
        run_time_s: for how long; None: to another end. A load shape and levels have an end of their own.

    Returns:
        What it came to; `result.judged.exit_code` is what Locust's program would have ended with.

    Raises:
        RunRefused: it cannot run, or an argument is none that it can go by; `faults` says why, a sentence each.
        RuntimeError: the environment leads no runs, one is under way, or this one broke off.
    """
    with _alone(environment), interrupt.raised_here() as interrupts:
        if environment.parsed_options is None:
            install(environment)
        given = environment.runner
        runner: Any = given or environment.create_local_runner()
        leader = run = None
        try:
            leader = _leader_whose_turn_it_is(environment)
            given_load = LoadArguments.read(users, spawn_rate, run_time_s)
            run = _checked(environment, leader, given_load)
            return _Led(environment, leader, run).to_end(given_load)
        finally:
            interrupts.hold()  # another one is not to leave the rest undone
            if leader is not None:  # else what is there is another run's
                _leave(leader, run, runner)
            if given is None:
                runner.quit()  # its greenlets would keep the environment for good


def _leave(leader: Leader, run: LedRun | None, runner: Any) -> None:
    """Leave nothing of a run, or of one that was refused; but all of another that has come meanwhile, from a form."""

    def wait() -> None:
        leader.stages.wait_until_over(_CONCLUSION_LIMIT_S)

    for step in (runner.stop, wait, leader.coming.take_back_what_was_stopped, leader.let_go):
        if not leader.has_another(run):  # each of them may take its time
            step()


@contextlib.contextmanager
def _alone(environment: Environment) -> Iterator[None]:
    """Refuse a second run in an environment, from before the first is checked until it is over."""
    leader = getattr(getattr(environment, "tfsload", None), "leader", None)
    if vars(environment).get(_UNDER_WAY) or (leader is not None and not leader.stages.wait_until_over(0)):
        raise RuntimeError(_ONE_AT_A_TIME)
    vars(environment)[_UNDER_WAY] = True
    try:
        yield
    finally:
        vars(environment)[_UNDER_WAY] = False


def _leader_whose_turn_it_is(environment: Environment) -> Leader:
    """Return who leads the run, when nothing of the last one is drawn any more and no other one is on its way."""
    leader = _leader_of(environment)
    if not leader.coming.wait_for_last_run():
        raise RuntimeError(_ONE_AT_A_TIME)
    leader.coming.refuse_a_second()
    return leader


def _leader_of(environment: Environment) -> Leader:
    make_suite(environment)
    leader: Leader | None = getattr(getattr(environment, "tfsload", None), "leader", None)
    if leader is None:
        raise RuntimeError("this environment leads no runs: it is a worker's; its master's does")
    return leader


def _checked(environment: Environment, leader: Leader, given: LoadArguments) -> LedRun:
    """Return a run that can start; raise what `run_to_end` raises."""
    options = vars(environment.parsed_options)
    has_end = bool(levels_asked_for(options)) or environment.shape_class is not None
    options["num_users"] = given.users
    options["spawn_rate"] = given.spawn_rate or (None if has_end else given.users)
    options["run_time"] = _whole_if_it_is(given.run_time_s)
    faults = [*given.faults]
    if not suite_classes(environment.user_classes):
        faults.append("no user class of the suite's is to be run: give it one, Environment(user_classes=[MyUser])")
    if not given.is_time_given and not has_end and options["num_tests"].strip() in ("", "0"):
        how = "pass run_time_s here, or num_tests, sweep, rate or find_max_rate to tfsload.install(environment, ...)"
        faults.append(f"nothing ends the run: {how}")
    if given.is_time_given and has_end:
        time = "run_time_s" if given.run_time_s is None else f"run_time_s={given.run_time_s:g}"
        faults.append(f"{time}: levels and a load shape end by themselves: leave it out")
    if isinstance(environment.runner, MasterRunner) and not environment.runner.clients.ready:
        faults.append("the master has no worker that is ready: wait until len(runner.clients.ready) is as you want it")
    leader.coming.check(options, environment.host, lasts_s=given.run_time_s, faults=faults, asker=PROGRAM)
    assert leader.coming.run is not None  # it was not refused
    return leader.coming.run


def _whole_if_it_is(seconds: float | None) -> float | None:
    """Return a run time as `-t` takes it: without a point, where it can be."""
    return int(seconds) if seconds is not None and float(seconds).is_integer() else seconds


class _Led:
    """A run that was checked, from its start to its end."""

    def __init__(self, environment: Environment, leader: Leader, run: LedRun) -> None:
        self._environment = environment
        self._runner: Any = environment.runner
        self._leader = leader
        self._run = run
        self._start: Any = None  # the greenlet that starts users
        self._is_told = gevent.event.Event()  # all listeners of the run's end have had their turn

    def to_end(self, load: LoadArguments) -> RunResult:
        """Start it, wait for its end, and return what it came to."""
        stopped = self._environment.events.test_stop
        stopped.add_listener(self._on_test_stop)  # the last of them
        timer = None
        try:
            self._start_users(load.users or 1, load.spawn_rate or load.users or 1)
            if load.run_time_s is not None:
                timer = gevent.spawn_later(load.run_time_s, end_run_whose_time_is_over, self._runner, self._is_over)
            return self._await_outcome().result
        finally:
            stopped.remove_listener(self._on_test_stop)
            if timer is not None:
                timer.kill(block=False)
            if self._start is not None and not isinstance(self._runner, LocalRunner):
                self._start.kill(block=False)  # Locust's would go on sending users to workers

    def _is_over(self) -> bool:
        return self._run.outcome is not None or self._leader.has_another(self._run)

    def _on_test_stop(self, environment: Environment, **_: Any) -> None:
        if environment is self._environment:
            self._is_told.set()

    def _start_users(self, users: int, spawn_rate: float) -> None:
        if self._environment.shape_class is not None:
            self._runner.start_shape()
            self._start = self._runner.shape_greenlet
        elif isinstance(self._runner, LocalRunner):
            self._runner.start(users, spawn_rate)
            self._start = self._runner.spawning_greenlet
        else:  # a master's start waits until all users are there
            self._start = gevent.spawn(self._runner.start, users, spawn_rate)
            self._leader.coming.know_starter(self._start)

    def _await_outcome(self) -> Outcome:
        stopped_s: float | None = None
        while (outcome := self._run.outcome) is None:  # the leader's may be another run's by then
            self._raise_if_broken_off()
            is_stopped = self._runner.state == STATE_STOPPED and self._leader.stages.now is not Stage.CHECKED
            stopped_s = (stopped_s or time.monotonic()) if is_stopped or self._is_over() else None
            if stopped_s is not None and time.monotonic() - stopped_s > _CONCLUSION_LIMIT_S:
                raise RuntimeError("the run was stopped, and came to no result; the log says why")
            gevent.sleep(_POLL_S)
        self._is_told.wait(_CONCLUSION_LIMIT_S)
        return outcome

    def _raise_if_broken_off(self) -> None:
        start, stages = self._start, self._leader.stages
        if stages.is_ending and not isinstance(self._runner, LocalRunner):
            start.kill(block=False)
        if start.ready() and start.exception is not None and not isinstance(start.exception, StopTest):
            raise RuntimeError(f"the run broke off: {start.exception!r}") from start.exception
        if start.ready() and not self._run.has_begun:
            self._leader.coming.take_back_what_was_stopped()
            raise RuntimeError("the run was ended before it began; the log says why")
