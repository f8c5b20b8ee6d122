"""The check of a run before any load: all that is wrong with it, told at once; and its levels."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from locust.env import Environment

from tfsload.analysis import exit_codes
from tfsload.load.plan import make_plan
from tfsload.run import one_protocol
from tfsload.run.checks import check
from tfsload.run.user_hosts import UserHosts, transport_class_of
from tfsload.settings.given import levels_asked_for
from tfsload.settings.refusal import RunRefused
from tfsload.suite import beginning, dry_run, run_warnings
from tfsload.suite.arguments import mistyped_variables
from tfsload.suite.led_run import LedRun
from tfsload.suite.other_users import faults_of_levels
from tfsload.suite.run_report import RunReport
from tfsload.suite.shape_in_use import ShapeInUse
from tfsload.suite.tags import Tags
from tfsload.target.embedded import EmbeddedModel

if TYPE_CHECKING:
    from tfsload.suite.web_side import WebSide

_LEVELS_BY_CODE = (
    "levels are asked for, and users were started by code, which says how many there are: start the run with "
    "tfsload.run_to_end(environment), or leave --sweep, --rate and --find-max-rate out"
)


_ANOTHER = "another run is being checked: try again when that has ended"


class RunCheck:
    """Checks the runs of one process, one at a time: a form's, the command line's or a program's.

    Attributes:
        starts_by_itself: whether the command line asks for a run, and nobody has to start it.
        is_under_way: whether one is being checked, which may wait for its server.
    """

    def __init__(
        self,
        environment: Environment,
        hosts: UserHosts,
        shape_in_use: ShapeInUse,
        report: RunReport,
        embedded: EmbeddedModel,
        starts_by_itself: bool,
    ) -> None:
        """Check none yet.

        Args:
            environment: Locust's.
            hosts: the user classes' own.
            shape_in_use: the load shape of the runs.
            report: of the runs.
            embedded: the server of those that name none.
            starts_by_itself: whether the command line asks for a run, and nobody has to start it.
        """
        self._environment = environment
        self._hosts = hosts
        self._shape_in_use = shape_in_use
        self._report = report
        self._embedded = embedded
        self.starts_by_itself = starts_by_itself
        self._is_headless = bool(environment.parsed_options and environment.parsed_options.headless)
        self.is_under_way = False

    def refuse_a_second(self) -> None:
        """Let no run be checked beside another.

        Raises:
            RunRefused: one is.
        """
        if self.is_under_way:
            raise RunRefused(exit_codes.INVALID, [_ANOTHER])

    @contextlib.contextmanager
    def alone(self, web: "WebSide | None") -> Iterator[None]:
        """Be the only check; who has stopped the wait of an earlier one, did not mean this.

        Raises:
            RunRefused: another is being checked.
        """
        self.refuse_a_second()
        self.is_under_way = True
        if web is not None:
            web.wait.begin()
        try:
            yield
        finally:
            self.is_under_way = False

    def run(
        self,
        options: dict[str, Any],
        host: str | None,
        classes: list[type],
        known_faults: list[str],
        asker: run_warnings.Asker | None,
        web: "WebSide | None",
    ) -> LedRun:
        """Return a run that can start.

        Args:
            options: Locust's and the suite's, by name.
            host: as Locust or the form has it.
            classes: of its users.
            known_faults: what is wrong with it that the caller knows of, a sentence each.
            asker: who asks for it; None: code that starts users, of which no option tells.
            web: the web UI's side, where there is one.

        Raises:
            RunRefused: with all faults; or another is being checked.
        """
        with self.alone(web), self._nothing_left_of_refused():
            asked = self._hosts.ask(host, classes)
            faults = [*known_faults, *self._shape_in_use.faults(options), *faults_of_levels(options, classes)]
            faults += one_protocol.faults(classes)
            faults += Tags.of(self._environment).faults(classes, levels_asked_for(options))
            faults += self._report.faults(options)
            if self.starts_by_itself:
                faults += mistyped_variables(options)
            if dry_run.is_asked_for(options) and not beginning.is_locusts_program():
                faults.append(dry_run.NOT_BY_CODE)
            if web is not None:
                faults += web.secret_faults(asked.text, options)
            wait = web.wait if web is not None else None
            checked = check(options, asked, transport_class_of(classes), self._embedded, faults, wait, classes)
            settings, n_users = checked.settings, self._n_users(options, web)
            if self.starts_by_itself:
                run_warnings.warn_of_ignored(options, settings)
            run_warnings.warn_of_waits(classes, settings)
            has_shape = self._environment.shape_class is not None
            told_before = run_warnings.told_before(options, settings, asker, has_shape)
            told_before += run_warnings.unlabelled(checked)
            run_warnings.warn(told_before)
            run_warnings.tell_of_data(checked.remarks)
            plan = make_plan(settings.load, settings.checks.thresholds, settings.model.deadline_s, n_users)
            return LedRun(checked, plan, told_before)

    @contextlib.contextmanager
    def _nothing_left_of_refused(self) -> Iterator[None]:
        try:
            yield
        except BaseException:  # the wait for a server may be ended, too
            self.leave_nothing()
            raise

    def leave_nothing(self) -> None:
        """Take away what was made for a run that was checked, and does not start."""
        self._report.leave_no_directory()

    def _n_users(self, options: dict[str, Any], web: "WebSide | None") -> int | None:
        """Return what `-u` says; Locust's form has a field for it, which says 1 where nobody has touched it."""
        n_users = options.get("num_users")
        return None if n_users == 1 and not self._is_headless and web else n_users


def refuse_levels_by_code(run: LedRun) -> None:
    """Let nobody's program start users where levels say how many there are.

    Raises:
        RunRefused: the run has levels.
    """
    if run.plan is not None:
        raise RunRefused(exit_codes.BAD_USAGE, [_LEVELS_BY_CODE])
