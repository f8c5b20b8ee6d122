"""A run from Locust's start to its exit code: what happens at each of Locust's events."""

# Long because it holds a run from its start to its exit code, and that is to be cut into named states.

import atexit
import logging
from typing import Any

import gevent
import gevent.event
import locust.log
from locust.event import EventHook
from locust.exception import StopTest
from locust.runners import MasterRunner, WorkerRunner

from tfsload.analysis import exit_codes
from tfsload.analysis.limit import Finding
from tfsload.load.plan import FixedPlan, SearchPlan, make_plan
from tfsload.prediction import events as prediction_events
from tfsload.prediction import slot
from tfsload.prediction.process_run import n_requests
from tfsload.records.level import Level
from tfsload.report.progress import Progress
from tfsload.run import messages, processes, result_events, silence
from tfsload.run.awaited import AwaitedWorkers
from tfsload.run.checks import Checked, RunRefused, check, has_changed, web_origins
from tfsload.run.conductor import Conductor
from tfsload.run.coordinator import DRAIN_LIMIT_S, Coordinator
from tfsload.run.participant import Participant
from tfsload.run.user_hosts import UserHosts, suite_classes, transport_class_of
from tfsload.settings.options import default_of
from tfsload.settings.secret_reach import SecretReach
from tfsload.suite import (
    arguments,
    beginning,
    ending,
    interrupt,
    locust_files,
    locust_wraps,
    log_guard,
    process_exit,
    run_warnings,
    streams,
)
from tfsload.suite.before_reset import BeforeReset
from tfsload.suite.ending import Ending
from tfsload.suite.level_shape import LevelShape
from tfsload.suite.other_users import faults_of_levels
from tfsload.suite.outcome import Outcome, SaidByLocust, conclude
from tfsload.suite.process_exit import ExitCode
from tfsload.suite.run_progress import RunProgress
from tfsload.suite.run_time import RunTime, asked_s
from tfsload.suite.shape_in_use import ShapeInUse
from tfsload.target.embedded import EmbeddedModel
from tfsload.webui import door, port
from tfsload.webui.pages import Pages
from tfsload.webui.start_form import StartForm

logger = logging.getLogger(__name__)


_INSTALLED = "tfsload_is_installed"


def install(events: Any) -> None:
    """Hang the suite on Locust's events; once more does nothing.

    A locustfile need not call it: whoever takes a user class from `tfsload` has it on Locust's global events. A program
    that makes its own `Environment`, and with that its own events, calls it before it makes a runner.
    """
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
    # Listeners of quitting run last to first: here, before the runner adds its own, which ends the run.
    events.quitting.add_listener(_on_quitting)
    events.quit.add_listener(_on_quit)


# How long after a headless run's end Locust may take to quit by itself.
QUIT_GRACE_S = 2.0

_suites: list["Suite"] = []  # `quit` is fired without an environment


def _suite_of(environment: Any, runner: Any, web_ui: Any = None) -> "Suite":
    """Return the suite of a process, made when it is first asked for: a worker's, before its master knows of it."""
    suite = getattr(environment, "tfsload", None)
    if suite is None:
        log_guard.install()
        suite = environment.tfsload = Suite(environment, runner, web_ui)
        _suites.append(suite)
    return suite


def _on_init(environment: Any, runner: Any, web_ui: Any = None, **_: Any) -> None:
    suite = _suite_of(environment, runner, web_ui)
    interrupt.deliver_to_main_greenlet(suite.interruption)
    if beginning.is_locusts_program():
        atexit.register(_on_exit)
    suite.prepare()


def _on_quitting(environment: Any, **_: Any) -> None:
    suite = getattr(environment, "tfsload", None)
    if suite is not None:
        suite.quitting()


def _on_quit(exit_code: Any = None, **_: Any) -> None:
    while _suites:
        _suites.pop().quit(exit_code)


def _on_exit() -> None:
    while _suites:  # `quit` never came
        _suites.pop().leave()


class Suite:
    """The suite's part in one Locust process.

    Attributes:
        participant: where this process runs users; else None.
        coordinator: where this process leads runs; else None.
        outcome: of the last run that ended; None before.
    """

    def __init__(self, environment: Any, runner: Any, web_ui: Any = None) -> None:
        self._environment = environment
        self._runner = runner
        self._web_ui = web_ui
        # Kept, because the web form can set any of Locust's options.
        self._is_headless = bool(self._options.headless)
        self._embedded = EmbeddedModel()
        self._shape_in_use = ShapeInUse(environment)
        self._hosts = UserHosts(environment)
        self._exit_code = ExitCode(environment)
        self._checked: Checked | None = None  # for the run that is about to start
        self._run_checked: Checked | None = None  # of the run under way
        self._progress: RunProgress | None = None
        self._run_time = RunTime()  # of the run under way or last ended
        self.outcome: Outcome | None = None
        self.participant = None if isinstance(runner, MasterRunner) else Participant(environment, runner)
        if self.participant is not None:
            slot.fill(environment, self.participant.join)
        self.coordinator = None
        if not isinstance(runner, WorkerRunner):
            own_report = self.participant.report if self.participant else None
            self.coordinator = Coordinator(environment, runner, self._end_run, own_report)
            self._conductor = Conductor(runner, self.coordinator)
        self._plan: FixedPlan | SearchPlan | None = None  # of the run that is about to start, or under way
        self._is_prepared = False
        self._pages: Pages | None = None  # the web UI's
        self._secret_reach: SecretReach | None = None  # of runs that it starts
        self._before_reset = BeforeReset(environment, runner)
        self._ending = Ending()
        self._is_concluding = False
        self._concluded = gevent.event.Event()  # the last run; also before the first
        self._concluded.set()
        environment.events.test_start.add_listener(self._on_test_start)
        environment.events.test_stopping.add_listener(self._on_test_stopping)
        environment.events.test_stop.add_listener(self._on_test_stop)

    @property
    def _options(self) -> Any:
        return self._environment.parsed_options

    @property
    def _starts_by_itself(self) -> bool:
        return self._is_headless or bool(self._options.autostart)

    def prepare(self) -> None:
        """Refuse what cannot run, before any load; offer the suite in the web UI."""
        # Later than the runner's own listener, so before it: that one ends the greenlet that receives messages.
        self._environment.events.quitting.add_listener(self._before_quitting)
        if self.coordinator is None:
            if self._options.processes:
                processes.end_with_parent(self._runner.quit)
            return
        try:
            if self._web_ui is not None:
                port.require_free(self._web_ui.host, self._web_ui.port)
                door.close(self._web_ui, web_origins(vars(self._options)))
                form = StartForm(
                    self._web_ui,
                    locust_wraps,
                    self._shape_in_use,
                    self._check,
                    self._wait_for_last_run,
                    self._take_back,
                    lambda: self._run_time,
                )
                self._pages = Pages(self._web_ui, locust_wraps, form)
                named = [self._environment.host, *self._hosts.named]
                self._secret_reach = SecretReach(named, door.is_on_loopback(self._web_ui.host), vars(self._options))
            if self._starts_by_itself:
                self._check(vars(self._options), self._environment.host)
                if isinstance(self._runner, MasterRunner):
                    AwaitedWorkers(self._environment, self._runner, lambda: self.coordinator.has_begun).start()
            elif self._hosts.ask(self._environment.host, self._environment.user_classes).text is None:
                # The form shows where the load will go.
                self._hosts.show(self._embedded.address(default_of("model.name")))
        except RunRefused as refused:
            self._exit_refused(refused)
        except KeyboardInterrupt:
            self._exit_refused(RunRefused(exit_codes.INVALID, ["interrupted"]))
        self._is_prepared = True

    @property
    def leads_headless(self) -> bool:
        """Whether this process leads a run that nobody watches."""
        return self._is_headless and self.coordinator is not None

    @property
    def _is_run_ending(self) -> bool:
        """Whether a run is on its way from its last prediction to its outcome; in the process that leads it."""
        return self.coordinator.is_ending or self._is_concluding

    def interruption(self) -> BaseException | None:
        """Return what Ctrl-C is to raise in Locust's main greenlet; None where the process is ending already."""
        is_run_ending = self.leads_headless and (self.outcome is not None or self._is_run_ending)
        if self._ending.has_begun or is_run_ending:
            if self.coordinator is not None:
                self._ending.say_it_ends()
            return None
        self._ending.is_interrupted = True
        if not (self.leads_headless and self._is_prepared) or self.coordinator.has_begun:
            return KeyboardInterrupt()
        # Locust waits for workers. It would end with a traceback, and leave those behind that are there.
        self._runner.quit()
        return self._refusal(RunRefused(exit_codes.INVALID, ["interrupted before the run began"]))

    def _check(self, options: dict[str, Any], host: str | None, user_classes: list[type] | None = None) -> None:
        """Check what a run is asked to do; keep the result for its start.

        Raises:
            RunRefused: with all faults.
        """
        self._checked = None
        self._shape_in_use.use_own()
        classes = self._environment.user_classes if user_classes is None else user_classes
        asked = self._hosts.ask(host, classes)
        faults = self._shape_in_use.faults(options) + faults_of_levels(options, classes)
        if self._secret_reach is not None:
            faults += self._secret_reach.faults(asked.text, options)
        self._checked = check(options, asked, transport_class_of(classes), self._embedded, faults)
        settings = self._checked.settings
        self._plan = make_plan(
            settings.load, settings.checks.thresholds, settings.model.deadline_s, self._n_users(options)
        )
        if self._starts_by_itself:
            run_warnings.warn_of_ignored(options, self._checked.settings)
        if self._plan is not None:
            self._shape_in_use.use_levels(LevelShape(self._plan, self._measure, suite_classes(classes)))

    def _wait_for_last_run(self) -> bool:
        """Wait for the end of a run that is being stopped; return whether none is under way."""
        if self._is_run_ending or not self.coordinator.is_open:
            self._concluded.wait(DRAIN_LIMIT_S + self._environment.stop_timeout)
        return self._concluded.is_set()

    def _take_back(self) -> None:
        """Forget what was checked for a run that does not start."""
        self._checked = self._plan = None
        self._shape_in_use.use_own()

    def _n_users(self, options: dict[str, Any]) -> int | None:
        """Return what `-u` says; Locust's form has a field for it, which says 1 where nobody has touched it."""
        n_users = options.get("num_users")
        return n_users if self._is_headless or n_users != 1 else None

    def _measure(self, level: Level) -> Finding:
        settings, results = self._run_checked.settings, self.coordinator.results
        if not self._is_headless:  # the web UI's log tab is all that shows how far it is
            logger.info("Level %d of about %d: %s", level.number, level.number + self._plan.n_left - 1, level.name)
        run = self._conductor.measure(level, settings.model.deadline_s)
        finished = results.close_level(run, settings.checks.thresholds)
        result_events.tell_level(self._environment.events, finished)
        return finished.finding

    def _exit_refused(self, refused: RunRefused) -> None:
        raise self._refusal(refused)

    def _refusal(self, refused: RunRefused) -> SystemExit:
        """Say why there is no run, and leave nothing behind; return what ends the process."""
        streams.say(refused.text())
        if self in _suites:
            _suites.remove(self)  # that was its last word
        self._embedded.stop()
        if self._options.processes:
            processes.end_forked_workers()
        return SystemExit(refused.exit_code)

    def _on_test_start(self, **_: Any) -> None:
        self._before_reset.begin()
        locust.log.unhandled_greenlet_exception = False  # of an earlier run: Locust itself never takes it back
        if self.coordinator is not None:
            self._begin_coordinating()
        self._hosts.begin(vars(self._options).get(messages.ADDRESS_OPTION), is_leader=self.coordinator is not None)
        if self.participant is not None:
            self.participant.begin()

    def _begin_coordinating(self) -> None:
        self.outcome = None
        if self._checked is None:  # started by code, not by headless mode or the form
            try:
                self._check(vars(self._options), self._environment.host)
            except RunRefused as refused:
                raise StopTest(refused.text()) from None
        checked, self._checked = self._checked, None
        self._run_checked = checked
        if self._pages is not None:
            self._pages.begin()
        vars(self._options)[messages.ADDRESS_OPTION] = checked.settings.connection.target.text
        asked = n_requests(checked.settings, checked.n_images) if checked.settings.data.num_tests else None
        if isinstance(self._runner, MasterRunner) and not self._options.processes:
            run_warnings.warn_of_loopback(checked.settings.connection.target)
        is_of_command_line = self._starts_by_itself and not self.coordinator.has_begun
        self._run_time = RunTime(asked_s(self._environment, self._web_ui, is_of_command_line))
        if self.coordinator.has_begun and not self._is_headless:
            locust_wraps.forget_command_lines_run_time()
        give_up_after_s = silence.limit_s(checked.settings, self._run_time.limit_s is not None)
        self.coordinator.begin(asked, checked.data_fingerprint, checked.references, give_up_after_s)
        self._concluded.clear()  # not before: of a run that could not begin nobody hears the end
        if self._is_headless:
            progress = Progress(in_place=self._options.only_summary)
            n_asked = checked.settings.data.num_tests or None
            self._progress = RunProgress(progress, self.coordinator, self._conductor, self._plan, n_asked)

    def _on_test_stopping(self, **_: Any) -> None:
        if self.coordinator is not None:
            self._run_time.end()
            if self._web_ui is not None:
                locust_wraps.forget_run_time(self._web_ui)
            self.coordinator.begin_to_end()

    def _on_test_stop(self, **_: Any) -> None:
        self._hosts.end()
        if self.participant is not None:
            locust_wraps.send_statistics(self._runner)  # first: the master waits for what comes after
            self.participant.end()
        if self.coordinator is not None and self.coordinator.is_open and not self._is_concluding:
            self._is_concluding = True  # which waits for messages, and Locust may meanwhile tell the end again
            try:
                self.coordinator.end()
                self._conclude()
            finally:
                self._is_concluding = False
                if not self._is_headless:
                    self._shape_in_use.use_own()  # the next page shows what the next run will go by
                self._concluded.set()
                if self._pages is not None:
                    self._pages.conclude()
            if self._is_headless:
                # Locust only stops, and waits, when its last worker is lost or a user has asked it to quit.
                gevent.spawn_later(QUIT_GRACE_S, self._runner.quit)

    def _conclude(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        search = self._plan.search.result if isinstance(self._plan, SearchPlan) else None
        changed = has_changed(self._run_checked)
        results = self.coordinator.results
        results.n_levels_left = self._plan.n_left if self._plan else 0
        by_locust = SaidByLocust.of(self._environment, self._before_reset)
        self.outcome = conclude(results, self._run_checked, by_locust, search, changed, self._run_time)
        result_events.tell_run(self._environment.events, self.outcome.result)
        if not self._is_headless:
            for line in self.outcome.text.splitlines():  # the web UI's log tab makes a line of each record
                logger.info("%s", line)

    def _end_run(self) -> None:
        """End the run by itself: each image was fired."""
        if self._is_headless:
            self._runner.quit()
            return
        self._runner.stop()
        if self._options.autostart and self._options.autoquit != -1:
            gevent.sleep(self._options.autoquit)
            self._runner.quit()
            self._web_ui.stop()

    def _before_quitting(self, **_: Any) -> None:
        """Let a run that is being stopped hand over its results, whoever stops it (on `quitting`)."""
        interrupt.leave_it_to_main_greenlet()
        self._ending.is_shutting_down = True
        if self.coordinator is None:
            self._runner.stop()  # and hand over, before Locust takes leave of the master
        elif self._is_run_ending:
            self._concluded.wait(DRAIN_LIMIT_S + self._environment.stop_timeout)

    def quitting(self) -> None:
        """Say how the process ends (on `quitting`, which may come twice, and before `test_stop` on a signal)."""
        self._runner.stop()
        if self.coordinator is None:
            self._exit_code.set(exit_codes.PASS)  # the coordinator judges
            return
        if self.coordinator.is_open:
            self._on_test_stop()  # where a user's own listener of it kept the event from coming here
        if self.outcome is not None:
            self._set_exit_code()
        else:
            self._exit_code.set(process_exit.code_without_run(self._starts_by_itself))

    def _set_exit_code(self) -> None:
        locust_files.complete_files(self._environment)
        self.outcome = ending.judge_reports(self.outcome)
        self._exit_code.set(self.outcome.exit_code)

    def quit(self, exit_code: Any) -> None:
        """Say the last word, after Locust's own tables (on `quit`)."""
        if self.coordinator is not None and self._is_headless and self.outcome is not None:
            exit_code = self._judge_late_reports(exit_code)
            # With --json, standard output is Locust's JSON and nothing else.
            ending.say(self.outcome.text_ended_with(exit_code), "stderr" if self._options.json else "stdout")
            beginning.keep_said(process_exit.seen_by_shell(exit_code))
        elif self.coordinator is not None:
            self._exit_code.say_if_overruled(exit_code)
        self._embedded.stop()

    def _judge_late_reports(self, exit_code: Any) -> Any:
        """Let what Locust could not write since it took down the exit code count, too; return the process's."""
        before, self.outcome = self.outcome, ending.judge_reports(self.outcome)
        if self.outcome.exit_code != before.exit_code == exit_code:
            exit_code = self.outcome.exit_code
            beginning.end_with(exit_code)
        return exit_code

    def leave(self) -> None:
        """Say the last word as the process ends, where Locust never came to `quit`."""
        if self.coordinator is None:
            return
        if self.coordinator.is_open:
            self._on_test_stopping()
            self._on_test_stop()
        if self.outcome is not None:
            self._set_exit_code()
            beginning.end_with(process_exit.seen_by_shell(self._environment.process_exit_code))
            self.quit(self._environment.process_exit_code)
