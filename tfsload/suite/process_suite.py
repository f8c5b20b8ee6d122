"""The suite's part in one Locust process: tells who leads runs and who takes part in them what Locust tells."""

import sys
import weakref
from typing import TYPE_CHECKING, Any

import gevent
import locust.log
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner
from locust.web import WebUI

from tfsload.analysis import exit_codes
from tfsload.prediction import slot
from tfsload.report.screen import Screen
from tfsload.run import messages, processes
from tfsload.run.coordinator import Coordinator
from tfsload.run.participant import Participant
from tfsload.run.user_hosts import UserHosts
from tfsload.settings.refusal import RunRefused
from tfsload.suite import (
    bare_run,
    beginning,
    dry_run,
    ending,
    interrupt,
    locust_files,
    locust_wraps,
    process_exit,
    streams,
)
from tfsload.suite.before_reset import BeforeReset
from tfsload.suite.ending import Ending
from tfsload.suite.leader import Leader
from tfsload.suite.other_users import are_tables_wanted
from tfsload.suite.outcome import Outcome
from tfsload.suite.process_exit import ExitCode
from tfsload.suite.run_report import RunReport

if TYPE_CHECKING:
    from tfsload.suite.web_side import WebSide

AnyRunner = LocalRunner | MasterRunner | WorkerRunner

# Those that have not said their last word: `quit` is fired without an environment.
SUITES: "weakref.WeakSet[Suite]" = weakref.WeakSet()


class Suite:
    """The suite's part in one Locust process: tells its leader and its participant what Locust tells.

    Attributes:
        participant: where this process runs users; else None.
        leader: where this process leads runs; else None.
        is_refused: whether it was refused when it was to be prepared last: another time may be better.
    """

    def __init__(self, environment: Environment, runner: AnyRunner, web_ui: WebUI | None = None) -> None:
        self._environment = environment
        self._runner = runner
        self._is_headless = bool(self._options.headless)
        self._hosts = UserHosts(environment)
        self._exit_code = ExitCode(environment)
        self._before_reset = BeforeReset(environment, runner)
        self._report = RunReport()
        self._ending = Ending()
        self._is_prepared = self.is_refused = False
        self.participant = None if isinstance(runner, MasterRunner) else Participant(environment, runner)
        if self.participant is not None:
            slot.fill(environment, self.participant.join)
        if isinstance(runner, WorkerRunner) and self._options.processes:
            # From now on: it is about to wait for its master, which may never listen.
            main = gevent.getcurrent()
            processes.end_with_parent(lambda: processes.leave(runner, main))
        self.leader: Leader | None = None
        if not isinstance(runner, WorkerRunner):
            hosts, before_reset = self._hosts, self._before_reset
            self.leader = Leader(
                environment, runner, _web_side(web_ui), hosts, before_reset, self._report, self.participant
            )
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
    def is_running(self) -> bool:
        """Whether a run that this process leads is under way."""
        return self.leader is not None and not self.leader.stages.wait_until_over(0)

    @property
    def leads_headless(self) -> bool:
        """Whether this process leads a run that nobody watches."""
        return self._is_headless and self.leader is not None

    # The process's beginning

    def prepare(self) -> None:
        """Refuse what cannot run, before any load; offer the suite in the web UI. After a refusal it may be tried anew.

        Raises:
            RunRefused: with all faults.
        """
        if not self.is_refused:
            # Later than the runner's own listener, so before it: that one ends the greenlet that receives messages.
            self._environment.events.quitting.add_listener(self._before_quitting)
        self.is_refused = True
        self._prepare()
        self.is_refused = False

    def _prepare(self) -> None:
        if self.leader is None:
            if self._options.processes:
                streams.lay_over(streams.Shared())  # its master shows how far the run is, on the same terminal
                # Locust would have each of them write its own table, an empty one, where the master writes.
                self._options.json, self._options.json_file = False, None
            return
        bare_run.leave_out(self._environment)
        if self._is_dry_run:
            raise self._dry_run(self.leader)
        if self._is_headless:
            tables_wanted = are_tables_wanted(self._options, self._environment.user_classes)
            locust_wraps.leave_tables_out(self._environment.stats, not tables_wanted)
        self.leader.prepare()
        # What is set to happen in a second, by a program of one's own, is reckoned from when the loop last looked at
        # the time: before all imports, maybe.
        gevent.get_hub().loop.update_now()
        self._is_prepared = True

    @property
    def _is_dry_run(self) -> bool:
        return beginning.is_locusts_program() and dry_run.is_asked_for(vars(self._options))

    def _dry_run(self, leader: Leader) -> SystemExit:
        """Say what a run would find and do, and leave nothing behind; return what ends the process."""
        run = leader.coming.check_only()
        text = dry_run.words(run.checked, run.plan, self._environment.shape_class, vars(self._options))
        # With --json, standard output is Locust's JSON and nothing else.
        ending.say(text, "stderr" if self._options.json else "stdout")
        locust_files.log_what_was_said(text)
        self._report.leave_no_directory()
        SUITES.discard(self)
        leader.close()
        return SystemExit(exit_codes.PASS)

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
        return self.refusal(RunRefused(exit_codes.INVALID, ["interrupted before the run began"]))

    def refusal(self, refused: RunRefused) -> SystemExit:
        """Say why there is no run, and leave nothing behind; return what ends the process."""
        streams.say(refused.text())
        locust_files.log_what_was_said(refused.text())
        if self._is_dry_run:
            self._report.leave_no_directory()
        elif self.leader is not None:
            self._report.write_refusal(refused, vars(self._options))
        SUITES.discard(self)  # that was its last word
        if self.leader is not None:
            self.leader.close()
        if self._options.processes:
            processes.end_forked_workers()
        return SystemExit(refused.exit_code)

    # A run

    def begin_run(self, environment: Environment, **_: Any) -> None:
        """Begin a run (on `test_start`)."""
        if environment is not self._environment:
            return  # several may have the same events
        self._before_reset.begin()
        if not any(one.is_running for one in SUITES):
            locust.log.unhandled_greenlet_exception = False  # of an earlier run: Locust itself never takes it back
        if self.leader is not None:
            self.leader.begin()
        self._hosts.begin(vars(self._options).get(messages.ADDRESS_OPTION), is_leader=self.leader is not None)
        if self.participant is not None:
            self.participant.begin(is_reading=True)

    def _on_test_stopping(self, environment: Environment, **_: Any) -> None:
        if environment is self._environment and self.leader is not None:
            self.leader.begin_to_end()

    def _on_test_stop(self, environment: Environment, **_: Any) -> None:
        if environment is self._environment:
            self._end_run()

    def _end_run(self) -> None:
        self._hosts.end()
        if self.participant is not None:
            locust_wraps.send_statistics(self._runner)  # first: the master waits for what comes after
            self.participant.end()
        if self.leader is not None:
            self.leader.end()

    # The process's end

    def _before_quitting(self, environment: Environment, **_: Any) -> None:
        """Let a run that is being stopped hand over its results, whoever stops it (on `quitting`)."""
        if environment is not self._environment:
            return
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
            self._end_run()  # where a user's own listener of it kept the event from coming here
        if self.leader.outcome is None:
            code = process_exit.code_without_run(self.leader.starts_by_itself)
            if self.leader.starts_by_itself:
                self._report.write_refusal(RunRefused(code, [process_exit.why_no_run(code)]), vars(self._options))
            self._exit_code.set(code)
            return
        self._set_exit_code(self.leader, self.leader.outcome)

    def _set_exit_code(self, leader: Leader, outcome: Outcome) -> None:
        locust_files.complete_files(self._environment)
        leader.outcome = ending.judge_words(ending.judge_reports(outcome))
        self._exit_code.set(leader.outcome.exit_code)

    def quit(self, exit_code: Any) -> None:
        """Say the last word, after Locust's own tables (on `quit`)."""
        if self.leader is None:
            return
        if self._is_headless and (before := self.leader.outcome) is not None:
            # What Locust could not write since it took down the exit code counts, too.
            outcome = ending.judge_reports(before)
            exit_code = _late_exit_code(before, outcome, exit_code)
            written = self.leader.outcome = self._report.write_outcome(outcome.ended_with(exit_code))
            exit_code = _late_exit_code(outcome, written, exit_code)
            outcome = written
            # With --json, standard output is Locust's JSON and nothing else.
            to = "stderr" if self._options.json else "stdout"
            ending.say(ending.words_of(outcome, exit_code, Screen.of(getattr(sys, to))), to)
            locust_files.log_what_was_said(ending.words_of(outcome, exit_code))
            beginning.keep_said(process_exit.seen_by_shell(exit_code))
        else:
            self._exit_code.say_if_overruled(exit_code)
        self.leader.close()

    def leave(self) -> None:
        """Say the last word as the process ends, where Locust never came to `quit`."""
        if self.leader is None:
            return
        if self.leader.coordinator.is_open:
            self.leader.begin_to_end()
            self._end_run()
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


def _web_side(web_ui: WebUI | None) -> "WebSide | None":
    if web_ui is None:
        return None
    # A quarter of all that this suite imports, and most processes have no page to show.
    from tfsload.suite.web_side import WebSide

    return WebSide(web_ui)
