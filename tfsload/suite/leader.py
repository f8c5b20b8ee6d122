"""Leads runs: from the check of one to its outcome, in the process that the others report to."""

import logging
from typing import TYPE_CHECKING, Any

import gevent
from locust.env import Environment
from locust.runners import MasterRunner, Runner

from tfsload.analysis.limit import Finding
from tfsload.load.plan import FixedPlan, SearchPlan
from tfsload.prediction.process_run import requests_for
from tfsload.records.level import Level
from tfsload.report.progress import Progress
from tfsload.report.standing import Standing
from tfsload.run import messages, result_events, silence
from tfsload.run.abort_watch import AbortWatch
from tfsload.run.awaited import AwaitedWorkers
from tfsload.run.checks import has_changed
from tfsload.run.conductor import Conductor
from tfsload.run.coordinator import DRAIN_LIMIT_S, Coordinator
from tfsload.run.kinds import calls_text
from tfsload.run.neighbour_watch import NeighbourWatch
from tfsload.run.participant import Participant
from tfsload.run.user_hosts import UserHosts, transport_class_of
from tfsload.settings.options import default_of
from tfsload.suite import bare_run, ending, locust_wraps, run_warnings
from tfsload.suite.autoquit import Autoquit
from tfsload.suite.before_reset import BeforeReset
from tfsload.suite.coming_run import ComingRun
from tfsload.suite.led_run import LedRun
from tfsload.suite.level_shape import LevelShape
from tfsload.suite.outcome import Outcome, SaidByLocust, conclude, so_far
from tfsload.suite.run_check import RunCheck
from tfsload.suite.run_progress import RunProgress
from tfsload.suite.run_report import RunReport
from tfsload.suite.run_standing import begun, standing_of
from tfsload.suite.run_time import RunTime, asked_s
from tfsload.suite.shape_in_use import ShapeInUse
from tfsload.suite.stage import Stage, Stages
from tfsload.target.embedded import EmbeddedModel

if TYPE_CHECKING:
    from tfsload.suite.web_side import WebSide

logger = logging.getLogger("tfsload")  # a name for people: these lines are what the web UI's log tab shows of a run


class Leader:
    """Leads the runs of one Locust process.

    Attributes:
        coordinator: takes in what participants report.
        conductor: has levels measured.
        stages: where the runs stand.
        coming: the run that was checked, and is about to begin.
        outcome: of the last run that ended; None before, and while one is under way.
    """

    def __init__(
        self,
        environment: Environment,
        runner: Runner,
        web: "WebSide | None",
        hosts: UserHosts,
        before_reset: BeforeReset,
        report: RunReport,
        participant: Participant | None,
    ) -> None:
        """Stand before the first run.

        Args:
            environment, runner: Locust's.
            web: the web UI's side, where there is one.
            hosts: the user classes' own.
            before_reset: keeps what statistics forget.
            report: of its runs.
            participant: of this same process, if it runs users.
        """
        self._environment = environment
        self._runner = runner
        self._is_headless = bool(self._options.headless)
        self._hosts = hosts
        self._participant = participant
        self._embedded = EmbeddedModel()
        self._shape_in_use = ShapeInUse(environment)
        self._before_reset = before_reset
        self._report = report
        self._web = web
        check = RunCheck(environment, hosts, self._shape_in_use, report, self._embedded, self.starts_by_itself)
        self._check = check
        self.coordinator = Coordinator(environment, runner, self._end_run, participant.report if participant else None)
        self.conductor = Conductor(runner, self.coordinator)
        self.stages = Stages()
        self.coming = ComingRun(environment, check, self._shape_in_use, self.stages, web, self._shape_of)
        self._autoquit = Autoquit(environment, runner, self._is_command_lines_last, self._is_idle)
        self._run: LedRun | None = None  # under way, or the last
        self.outcome: Outcome | None = None
        self._ended_by: Any = None  # the greenlet that ends the run, or has ended the last

    @property
    def _options(self) -> Any:
        return self._environment.parsed_options

    @property
    def starts_by_itself(self) -> bool:
        """Whether the command line asks for a run, and nobody has to start it."""
        return self._is_headless or bool(self._options.autostart)

    def prepare(self) -> None:
        """Refuse what cannot run, before any load; offer the suite in the web UI.

        Raises:
            RunRefused: with all faults.
        """
        if self._web is not None:
            if not self.starts_by_itself:
                bare_run.refuse_several(self._environment)
            self._web.open(self, self._shape_in_use, self._hosts)
        if self.starts_by_itself:
            if self._web is not None:
                self._web.wait_for_files()
                locust_wraps.wait_before_autoquit(self._autoquit.sleep)
            self.coming.check(vars(self._options), self._environment.host, is_command_lines=True)
            if isinstance(self._runner, MasterRunner):
                AwaitedWorkers(self._environment, self._runner, lambda: self.coordinator.has_begun).start()
        elif self._web and self._hosts.ask(self._environment.host, self._environment.user_classes).text is None:
            # The form shows where the load will go.
            spoken = transport_class_of(self._environment.user_classes).spoken()
            self._hosts.show(self._embedded.address(default_of("model.name"), spoken))

    def _shape_of(self, plan: FixedPlan | SearchPlan, classes: list[type]) -> LevelShape:
        return LevelShape(plan, self._measure, classes, self._is_aborted)

    # A run under way

    def begin(self) -> None:
        """Begin a run (on `test_start`).

        Raises:
            StopTest: it was started by code, and cannot run.
        """
        self.outcome = None
        with self.coming.begins() as run:
            self._begin(run)

    def _begin(self, run: LedRun) -> None:
        checked = run.checked
        if self._web is not None:
            self._web.make_way()
        server = checked.settings.connection.server
        vars(self._options)[messages.ADDRESS_OPTION] = server.whole
        vars(self._options)[messages.SPOKEN_OPTION] = checked.transport.protocol
        if isinstance(self._runner, MasterRunner) and not self._options.processes:
            run_warnings.warn_of_loopback(server)
        run.run_time = self._new_run_time(run)
        n_requests = requests_for(checked.settings, checked.n_images) if checked.settings.data.num_tests else None
        give_up_after_s = silence.limit_s(checked.settings, run.run_time.limit_s is not None)
        if self._participant is not None:
            self._participant.images = checked.images
        else:
            run.checked = checked.without_images()  # its participants hold them
        self.coordinator.begin(
            n_requests,
            checked.data_fingerprint,
            calls_text(checked.all_kinds),
            checked.references,
            give_up_after_s,
            checked.settings.load.warm_up_requests,
            checked.is_labelled,
        )
        self._run = run
        self.conductor.watch = NeighbourWatch.of(server, checked.is_embedded) if run.plan else None
        conductor = self.conductor if run.plan else None
        limits = checked.settings.checks.thresholds
        n_images = checked.settings.data.num_tests or None
        run.abort_watch = AbortWatch(
            limits,
            self.coordinator,
            conductor,
            self._end_run,
            n_images=n_images,
            n_in_turn=checked.n_images * len(checked.all_kinds),
        )
        if run.plan is not None:
            run_warnings.say_how_long(run.plan, checked.settings)
        self.stages.move(Stage.RUNNING)  # not before: of a run that could not begin nobody hears the end
        run.has_begun = True
        if self._web is not None:
            self._show(run, self._web)
        if self._is_headless:
            run.progress = RunProgress(Progress(), lambda: self._standing(run), run.longest_names)

    def _show(self, run: LedRun, web: "WebSide") -> None:
        web.begin(lambda: begun(run, self._runner.target_user_count), self.run_time.limit_s)
        if run.plan is None and self._participant is None:
            web.keep_renewing(lambda: so_far(self.coordinator.results, run.checked, run.search))

    def _standing(self, run: LedRun) -> Standing:
        return standing_of(run, self._runner, self.coordinator, self.conductor)

    def standing(self) -> Standing | None:
        """Return where the run under way stands; None: none is under way."""
        run = self._run
        if run is None or self.stages.now not in (Stage.RUNNING, Stage.ENDING, Stage.CONCLUDING):
            return None
        return self._standing(run)

    def _new_run_time(self, run: LedRun) -> RunTime:
        if run.lasts_s is not None:
            return RunTime(run.lasts_s)
        if not (run.is_command_lines or self._is_headless):
            locust_wraps.forget_command_lines_run_time()
        web_ui = self._web.web_ui if self._web else None
        return RunTime(asked_s(self._environment, web_ui, run.is_command_lines))

    @property
    def run_time(self) -> RunTime:
        """How long the run under way was to last, and has lasted; or the last one."""
        return self._run.run_time if self._run is not None and self._run.run_time is not None else RunTime()

    def _measure(self, level: Level) -> Finding | None:
        led, results = self._run, self.coordinator.results
        assert led is not None and led.plan is not None  # noqa: PT018  (levels are a plan's)
        settings = led.checked.settings
        if not self._is_headless:  # the web UI's log tab is all that shows how far it is
            logger.info("Level %d of %s: %s", level.number, led.place_of(level).in_words, level.name)
        run = self.conductor.measure(level, settings.model.deadline_s)
        led.looks.look(level.name)
        finished = results.close_level(run, settings.checks.thresholds)
        led.level_ended(run, finished)
        if self._web is not None:
            self._web.renew(lambda: so_far(results, led.checked, led.search))
        result_events.tell_level(self._environment.events, finished)
        return finished.finding

    def _is_aborted(self) -> bool:
        return self.coordinator.results.aborted is not None

    def _end_run(self) -> None:
        """End the run by itself: each image was fired, nobody can go on or is answered, or a threshold says so."""
        run = self._run
        if self._is_headless:
            self._runner.quit()
            return
        self._runner.stop()
        if run is not None and run.is_command_lines:
            self._autoquit.quit()

    def _is_command_lines_last(self) -> bool:
        return self._run is None or self._run.is_command_lines

    def _is_idle(self) -> bool:
        if self._check.is_under_way or self.coming.is_started or (self._web is not None and self._web.is_starting):
            return False
        return self.stages.wait_until_over(0)

    # A run that ends

    def begin_to_end(self) -> None:
        """Know that users are being stopped (on `test_stopping`)."""
        if self._run is not None and self._run.run_time is not None:
            self._run.run_time.end()
        if self._web is not None:
            locust_wraps.forget_run_time(self._web.web_ui)
        self.coordinator.begin_to_end()
        if self.stages.now is Stage.RUNNING:
            self._ended_by = gevent.getcurrent()
            self.stages.move(Stage.ENDING)

    def end(self) -> None:
        """Take in what is left, and judge the run (on `test_stop`, which Locust may tell again meanwhile)."""
        if self._run is None or self.stages.now not in (Stage.RUNNING, Stage.ENDING):
            return
        self._ended_by = gevent.getcurrent()
        self.stages.move(Stage.CONCLUDING)
        try:
            try:
                self.coordinator.end()
            finally:
                self._run.stop_watching()  # also of one that breaks off, or it would be the next one's end
            self._conclude(self._run)
        finally:
            if not self._is_headless:
                self._shape_in_use.use_own()  # the next page shows what the next run will go by
            self._run.outcome = self.outcome
            self.stages.move(Stage.IDLE)
            if self._web is not None:
                self._web.conclude()
        if self._is_headless:
            ending.quit_soon(self._runner)

    def _conclude(self, run: LedRun) -> None:
        results = self.coordinator.results
        changed = run.looks.changed or has_changed(run.checked)
        results.n_levels_left = run.n_levels_left
        by_locust = SaidByLocust.of(self._environment, self._before_reset)
        self.outcome = conclude(results, run.checked, by_locust, run.search, changed, run.run_time)
        result_events.tell_run(self._environment.events, self.outcome.result)
        if not self._is_headless:
            self.outcome = self._report.write_outcome(ending.judge_words(self.outcome))
            ending.log_words(self.outcome)
        if self._web is not None:
            self._web.end(self.outcome.result, self._report.written)

    def wait_while_ending(self) -> None:
        """Let a run that another greenlet stops hand over its results; not where that one is gone."""
        if self.stages.is_ending and self._ended_by is not gevent.getcurrent() and not self._ended_by.dead:
            self.stages.wait_until_over(DRAIN_LIMIT_S + self._environment.stop_timeout)

    def has_another(self, run: LedRun | None) -> bool:
        """Whether a run other than this one is under way, or on its way: it was checked, or is being checked."""
        is_coming = self.coming.run is not None and self.coming.run is not run
        is_there = self.stages.is_under_way and self._run is not run
        return self._check.is_under_way or is_coming or is_there

    def let_go(self) -> None:
        """Stop what only runs need; a web UI goes on showing those that have ended."""
        self._embedded.stop()

    def close(self) -> None:
        """Leave nothing behind."""
        self._embedded.stop()
        if self._web is not None:
            self._web.close()
