"""What happens at each of Locust's events, from a process's start to its exit code."""

import atexit
import functools
import logging
import weakref
from typing import Any

import locust.log
from locust.env import Environment
from locust.event import EventHook, Events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner
from locust.web import WebUI

from tfsload.analysis import exit_codes
from tfsload.prediction import events as prediction_events
from tfsload.prediction import slot
from tfsload.run import messages, processes
from tfsload.run.coordinator import Coordinator
from tfsload.run.participant import Participant
from tfsload.run.user_hosts import UserHosts
from tfsload.settings.refusal import RunRefused
from tfsload.suite import (
    arguments,
    beginning,
    ending,
    given_options,
    interrupt,
    locust_files,
    locust_wraps,
    log_guard,
    process_exit,
    streams,
)
from tfsload.suite.before_reset import BeforeReset
from tfsload.suite.ending import Ending
from tfsload.suite.leader import Leader
from tfsload.suite.outcome import Outcome
from tfsload.suite.process_exit import ExitCode

AnyRunner = LocalRunner | MasterRunner | WorkerRunner

logger = logging.getLogger(__name__)


_INSTALLED = "tfsload_is_installed"


def install(where: Environment | Events, **options: Any) -> None:
    """Make an environment one of the suite's: hang the suite on its events; once more does no harm.

    A locustfile need not call it: whoever takes a user class from `tfsload` has it on Locust's global events. A program
    that makes its own `Environment`, and with that its own events, calls it before it makes a runner.

    Args:
        where: the environment; or its events alone.
        options: of the suite, by name, for an environment: `num_tests=1000, threshold="p99 < 50ms"`.

    Raises:
        ValueError: there is no such option.
    """
    if isinstance(where, Environment):
        given_options.give_options(where, options)
    elif options:
        raise ValueError("options are an environment's: call tfsload.install(environment, ...)")
    events: Any = where.events if isinstance(where, Environment) else where
    if getattr(events, _INSTALLED, False):
        return
    setattr(events, _INSTALLED, True)
    locust_wraps.install()
    prediction_events.install(events)
    events.init_command_line_parser.add_listener(arguments.add_arguments)
    events.init_command_line_parser.add_listener(locust_files.check_paths)
    events.before_worker_connects = EventHook()
    events.before_worker_connects.add_listener(_suite_of)
    events.init.add_listener(_on_init)
    events.test_start.add_listener(_on_test_start)
    # Listeners of quitting run last to first: here, before the runner adds its own, which ends the run.
    events.quitting.add_listener(_on_quitting)
    events.quit.add_listener(functools.partial(_on_quit, events))


# Those that have not said their last word: `quit` is fired without an environment.
_suites: "weakref.WeakSet[Suite]" = weakref.WeakSet()


def _suite_of(environment: Environment, runner: AnyRunner, web_ui: WebUI | None = None) -> "Suite":
    """Return the suite of a process, made when it is first asked for: a worker's, before its master knows of it."""
    suite = getattr(environment, "tfsload", None)
    if suite is None:
        log_guard.install()
        given_options.give_options(environment, {})
        suite = Suite(environment, runner, web_ui)
        vars(environment)["tfsload"] = suite  # beside what is Locust's own
        _suites.add(suite)
    return suite


def _on_init(environment: Environment, runner: AnyRunner | None, web_ui: WebUI | None = None, **_: Any) -> None:
    # Locust's `run_single_user` has no runner; leases and reports want one.
    suite = _suite_of(environment, runner or environment.create_local_runner(), web_ui)
    if beginning.is_locusts_program():
        interrupt.deliver_to_main_greenlet(suite.interruption)
        atexit.register(_on_exit)
    suite.prepare()


def _on_test_start(environment: Environment, **_: Any) -> None:
    if begin(environment):
        vars(environment)["tfsload"].begin_run()  # else the suite hears of the start by itself


def begin(environment: Environment) -> bool:
    """Begin where a program of one's own has a runner and has not fired `init`; return whether it was so."""
    if getattr(environment, "tfsload", None) is not None:
        return False
    runner: Any = environment.runner  # Locust's own annotation knows no more than that it has one
    _suite_of(environment, runner, environment.web_ui).prepare()
    return True


def _on_quitting(environment: Environment, **_: Any) -> None:
    suite = getattr(environment, "tfsload", None)
    if suite is not None:
        suite.quitting()


def _on_quit(events: Any, exit_code: Any = None, **_: Any) -> None:
    for suite in [one for one in _suites if one.events is events]:
        _suites.discard(suite)
        suite.quit(exit_code)


def _on_exit() -> None:
    while _suites:  # `quit` never came
        _suites.pop().leave()


class Suite:
    """The suite's part in one Locust process: tells its leader and its participant what Locust tells.

    Attributes:
        participant: where this process runs users; else None.
        leader: where this process leads runs; else None.
    """

    def __init__(self, environment: Environment, runner: AnyRunner, web_ui: WebUI | None = None) -> None:
        self._environment = environment
        self._runner = runner
        self._is_headless = bool(self._options.headless)  # kept, because the web form can set any of Locust's options
        self._hosts = UserHosts(environment)
        self._exit_code = ExitCode(environment)
        self._before_reset = BeforeReset(environment, runner)
        self._ending = Ending()
        self._is_prepared = False
        self.participant = None if isinstance(runner, MasterRunner) else Participant(environment, runner)
        if self.participant is not None:
            slot.fill(environment, self.participant.join)
        self.leader: Leader | None = None
        if not isinstance(runner, WorkerRunner):
            self.leader = Leader(environment, runner, web_ui, self._hosts, self._before_reset, self.participant)
        environment.events.test_start.add_listener(self.begin_run)
        environment.events.test_stopping.add_listener(self._on_test_stopping)
        environment.events.test_stop.add_listener(self._on_test_stop)

    @property
    def _options(self) -> Any:
        return self._environment.parsed_options

    @property
    def events(self) -> Any:
        """Locust's, on which this is hung."""
        return self._environment.events

    @property
    def coordinator(self) -> Coordinator | None:
        """What takes in the reports of the runs that this process leads; None: it leads none."""
        return self.leader.coordinator if self.leader else None

    @property
    def outcome(self) -> Outcome | None:
        """Of the last run that ended, where this process led it; None before."""
        return self.leader.outcome if self.leader else None

    @property
    def leads_headless(self) -> bool:
        """Whether this process leads a run that nobody watches."""
        return self._is_headless and self.leader is not None

    # The process's beginning

    def prepare(self) -> None:
        """Refuse what cannot run, before any load; offer the suite in the web UI."""
        # Later than the runner's own listener, so before it: that one ends the greenlet that receives messages.
        self._environment.events.quitting.add_listener(self._before_quitting)
        if self.leader is None:
            if self._options.processes:
                processes.end_with_parent(self._runner.quit)
                # Locust would have each of them write its own table, an empty one, where the master writes.
                self._options.json, self._options.json_file = False, None
            return
        try:
            self.leader.prepare()
        except (RunRefused, KeyboardInterrupt) as error:
            if not beginning.is_locusts_program():
                raise  # a program of one's own is told
            refused = error if isinstance(error, RunRefused) else RunRefused(exit_codes.INVALID, ["interrupted"])
            raise self._refusal(self.leader, refused) from None
        self._is_prepared = True

    def interruption(self) -> BaseException | None:
        """Return what Ctrl-C is to raise in Locust's main greenlet; None where the process is ending already."""
        leader = self.leader if self._is_headless else None
        is_run_ending = leader is not None and (leader.outcome is not None or leader.stages.is_ending)
        if self._ending.has_begun or is_run_ending:
            if self.leader is not None:
                self._ending.say_it_ends()
            return None
        self._ending.is_interrupted = True
        if leader is None or not self._is_prepared or leader.coordinator.has_begun:
            return KeyboardInterrupt()
        # Locust waits for workers. It would end with a traceback, and leave those behind that are there.
        self._runner.quit()
        return self._refusal(leader, RunRefused(exit_codes.INVALID, ["interrupted before the run began"]))

    def _refusal(self, leader: Leader, refused: RunRefused) -> SystemExit:
        """Say why there is no run, and leave nothing behind; return what ends the process."""
        streams.say(refused.text())
        _suites.discard(self)  # that was its last word
        leader.close()
        if self._options.processes:
            processes.end_forked_workers()
        return SystemExit(refused.exit_code)

    # A run

    def begin_run(self, **_: Any) -> None:
        """Begin a run (on `test_start`)."""
        self._before_reset.begin()
        locust.log.unhandled_greenlet_exception = False  # of an earlier run: Locust itself never takes it back
        if self.leader is not None:
            self.leader.begin()
        self._hosts.begin(vars(self._options).get(messages.ADDRESS_OPTION), is_leader=self.leader is not None)
        if self.participant is not None:
            self.participant.begin()

    def _on_test_stopping(self, **_: Any) -> None:
        if self.leader is not None:
            self.leader.begin_to_end()

    def _on_test_stop(self, **_: Any) -> None:
        self._hosts.end()
        if self.participant is not None:
            locust_wraps.send_statistics(self._runner)  # first: the master waits for what comes after
            self.participant.end()
        if self.leader is not None:
            self.leader.end()

    # The process's end

    def _before_quitting(self, **_: Any) -> None:
        """Let a run that is being stopped hand over its results, whoever stops it (on `quitting`)."""
        interrupt.leave_it_to_main_greenlet()
        self._ending.is_shutting_down = True
        if self.leader is None:
            self._runner.stop()  # and hand over, before Locust takes leave of the master
        else:
            self.leader.wait_while_ending()

    def quitting(self) -> None:
        """Say how the process ends (on `quitting`, which may come twice, and before `test_stop` on a signal)."""
        self._runner.stop()
        if self.leader is None:
            self._exit_code.set(exit_codes.PASS)  # the leader judges
            return
        if self.leader.coordinator.is_open:
            self._on_test_stop()  # where a user's own listener of it kept the event from coming here
        if self.leader.outcome is None:
            self._exit_code.set(process_exit.code_without_run(self.leader.starts_by_itself))
            return
        self._set_exit_code(self.leader, self.leader.outcome)

    def _set_exit_code(self, leader: Leader, outcome: Outcome) -> None:
        locust_files.complete_files(self._environment)
        leader.outcome = ending.judge_reports(outcome)
        self._exit_code.set(leader.outcome.exit_code)

    def quit(self, exit_code: Any) -> None:
        """Say the last word, after Locust's own tables (on `quit`)."""
        if self.leader is None:
            return
        if self._is_headless and (before := self.leader.outcome) is not None:
            # What Locust could not write since it took down the exit code counts, too.
            outcome = self.leader.outcome = ending.judge_reports(before)
            exit_code = _late_exit_code(before, outcome, exit_code)
            # With --json, standard output is Locust's JSON and nothing else.
            ending.say(outcome.text_ended_with(exit_code), "stderr" if self._options.json else "stdout")
            beginning.keep_said(process_exit.seen_by_shell(exit_code))
        else:
            self._exit_code.say_if_overruled(exit_code)
        self.leader.close()

    def leave(self) -> None:
        """Say the last word as the process ends, where Locust never came to `quit`."""
        if self.leader is None:
            return
        if self.leader.coordinator.is_open:
            self._on_test_stopping()
            self._on_test_stop()
        if self.leader.outcome is not None:
            self._set_exit_code(self.leader, self.leader.outcome)
            beginning.end_with(process_exit.seen_by_shell(self._environment.process_exit_code))
            self.quit(self._environment.process_exit_code)


def _late_exit_code(before: Outcome, outcome: Outcome, exit_code: Any) -> Any:
    """Return the process's exit code, and end with it, where reports have changed the outcome's since Locust has it."""
    if outcome.exit_code != before.exit_code == exit_code:
        exit_code = outcome.exit_code
        beginning.end_with(exit_code)
    return exit_code
