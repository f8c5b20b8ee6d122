"""The run that was checked and is about to begin: one at a time, until it begins or its start is given up."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gevent
from locust.env import Environment
from locust.exception import StopTest
from locust.runners import MasterRunner

from tfsload.analysis import exit_codes
from tfsload.load.plan import FixedPlan, SearchPlan
from tfsload.run.coordinator import DRAIN_LIMIT_S
from tfsload.run.user_hosts import suite_classes
from tfsload.settings.refusal import RunRefused
from tfsload.suite import beginning, locust_wraps
from tfsload.suite.led_run import LedRun
from tfsload.suite.level_shape import LevelShape
from tfsload.suite.run_check import RunCheck, refuse_levels_by_code
from tfsload.suite.run_warnings import COMMAND_LINE, FORM, Asker
from tfsload.suite.shape_in_use import ShapeInUse
from tfsload.suite.stage import Stage, Stages

if TYPE_CHECKING:
    from tfsload.suite.web_side import WebSide

_BEING_STARTED = "another run is being started: try again when it has ended"
_UNDER_WAY = "another run is under way: stop it first, or wait for its end"
_AWAITED = (
    "the run that the command line asks for begins when {n_awaited} {who} there: start another one when that has ended"
)


class ComingRun:
    """Has runs checked, one at a time, and keeps the one that was for its start.

    Attributes:
        run: the one that was checked; None: none is to begin.
    """

    def __init__(
        self,
        environment: Environment,
        check: RunCheck,
        shape_in_use: ShapeInUse,
        stages: Stages,
        web: "WebSide | None",
        shape_of: Callable[[FixedPlan | SearchPlan, list[type]], LevelShape],
    ) -> None:
        """Keep none yet.

        Args:
            environment: Locust's.
            check: of runs.
            shape_in_use: the load shape of the runs.
            stages: where runs stand.
            web: the web UI's side, where there is one.
            shape_of: returns what goes through a plan with users of these classes.
        """
        self._environment = environment
        self._check = check
        self._shape_in_use = shape_in_use
        self._stages = stages
        self._web = web
        self._shape_of = shape_of
        self.run: LedRun | None = None
        self._started_in: Any = None
        self._was_started = False  # whatever has become of its start since

    @property
    def _options(self) -> dict[str, Any]:
        return vars(self._environment.parsed_options)

    # Its check

    @property
    def told_before(self) -> tuple[str, ...]:
        """What the run that was checked is warned of before it begins, a sentence each."""
        return self.run.told_before if self.run is not None else ()

    def check(
        self,
        options: dict[str, Any],
        host: str | None,
        user_classes: list[type] | None = None,
        lasts_s: float | None = None,
        faults: list[str] | None = None,
        is_command_lines: bool = False,
        asker: Asker = FORM,
    ) -> None:
        """Check what a run is asked to do; keep the result for its start.

        Args:
            options: Locust's and the suite's, by name.
            host: as Locust or the form has it.
            user_classes: those of the run; None: all.
            lasts_s: for how long it is to run, where no option of Locust's says it.
            faults: what is wrong with it that the caller knows of, a sentence each.
            is_command_lines: whether the command line asks for it.
            asker: who else asks for it.

        Raises:
            RunRefused: with all faults; or another is being checked or started, or is under way.
        """
        self.refuse_a_second()
        run = self._checked(options, host, COMMAND_LINE if is_command_lines else asker, user_classes, faults)
        run.lasts_s, run.is_command_lines = lasts_s, is_command_lines
        self.run, self._started_in, self._was_started = run, None, False
        self._stages.move(Stage.CHECKED)

    def _checked(
        self,
        options: dict[str, Any],
        host: str | None,
        asker: Asker | None,
        user_classes: list[type] | None = None,
        known_faults: list[str] | None = None,
    ) -> LedRun:
        self._check.refuse_a_second()
        self.refuse_beside_a_run()
        self.take_back()
        classes = self._environment.user_classes if user_classes is None else user_classes
        run = self._check.run(options, host, classes, known_faults or [], asker, self._web)
        if run.plan is not None:
            self._shape_in_use.use_levels(self._shape_of(run.plan, suite_classes(classes)))
        return run

    def check_only(self) -> LedRun:
        """Check the command line's run, which does not start; raise as `check` does."""
        asker = COMMAND_LINE if self._check.starts_by_itself else None  # else its options are what a form begins with
        checked = self._checked(self._options, self._environment.host, asker)
        self.take_back()
        return checked

    def wait_for_last_run(self) -> bool:
        """Wait for the end of a run that is being stopped, and its files; return whether none is under way."""
        if self._stages.now is Stage.RUNNING:
            return False
        is_over = self._stages.wait_until_over(DRAIN_LIMIT_S + self._environment.stop_timeout)
        if is_over and self._web is not None:  # not before: its files are begun at its end
            self._web.wait_for_files()
        return is_over and self._stages.wait_until_over(0)  # another may have begun meanwhile

    # Its start

    @contextlib.contextmanager
    def begins(self) -> Iterator[LedRun]:
        """Give the run that begins, the one that was checked or what code has started; keep it until it has begun.

        Raises:
            StopTest: it was started by code, and cannot run.
        """
        self.run = self.run or self._checked_now()
        self._started_in = gevent.getcurrent()  # nobody is to come in between where its beginning waits for something
        try:
            yield self.run
        finally:
            self.run = None

    def _checked_now(self) -> LedRun:
        """Check a run that was started by code, not by headless mode or the form."""
        if self._web is not None:
            self._web.wait_for_files()
        try:
            run = self._checked(self._options, self._environment.host, None)
            refuse_levels_by_code(run)
        except RunRefused as refused:
            if not (self._check.is_under_way or self._stages.is_under_way):  # somebody else's is not to be disturbed
                self.take_back()
            raise StopTest(refused.text()) from None
        self._stages.move(Stage.CHECKED)
        return run

    def take_back(self) -> None:
        """Forget what was checked for a run that does not start."""
        self._stages.move(Stage.IDLE)  # first: what belongs to a run under way is not touched
        self.run = None
        self._check.leave_nothing()
        self._shape_in_use.use_own()

    def take_back_what_was_stopped(self) -> None:
        """Forget a run whose start was ended before Locust told of its beginning."""
        if self._stages.now is Stage.CHECKED and not (self._check.is_under_way or self.is_started or self._is_awaited):
            self.take_back()

    def know_starter(self, greenlet: Any) -> None:
        """Know the greenlet in which a program of one's own starts the run: Locust itself knows its own alone."""
        self._started_in = greenlet

    def know_start(self) -> None:
        """Know that Locust's program starts the run."""
        self._was_started = True

    @property
    def is_started(self) -> bool:
        """Whether the start of the run goes on: it may wait for listeners of `test_start`."""
        return self.run is not None and bool(self.starters)

    @property
    def n_images(self) -> int:
        """Images that the run fires that was checked; 0: none was."""
        return self.run.checked.n_images if self.run is not None else 0

    @property
    def starters(self) -> list[Any]:
        """The greenlets that are at work on a start."""
        own = [self._started_in] if self._started_in else []  # a greenlet is true as long as it runs
        return [*own, *locust_wraps.starters(self._environment)]

    @property
    def _is_awaited(self) -> bool:
        """Whether it is the command line's, and Locust has not come to its start yet: its master waits for workers."""
        if self.run is None or not self.run.is_command_lines or self.is_started:
            return False
        is_masters = isinstance(self._environment.runner, MasterRunner) and beginning.is_locusts_program()
        return is_masters and not self._was_started

    def why_not(self, starter: Any = None) -> str:
        """Return why no other run may be started now; empty: one may.

        Args:
            starter: a greenlet that is to start users; of the run that is about to begin it may.
        """
        if self._is_awaited:
            n_awaited = self._options.get("expect_workers") or 1
            who = "worker is" if n_awaited == 1 else "workers are"
            return _AWAITED.format(n_awaited=n_awaited, who=who)
        return _BEING_STARTED if self.is_started and starter not in self.starters else ""

    def refuse_a_second(self) -> None:
        """Let nobody start a run, nor have one checked, beside another.

        Raises:
            RunRefused: another is being checked, or about to begin.
        """
        self._check.refuse_a_second()
        if why_not := self.why_not():
            raise RunRefused(exit_codes.INVALID, [why_not])

    def refuse_beside_a_run(self) -> None:
        """Let nobody have a run checked while one is under way: what was made for that one would be taken away.

        Raises:
            RunRefused: one is, or is being ended.
        """
        if self._stages.is_under_way:
            raise RunRefused(exit_codes.INVALID, [_UNDER_WAY])
