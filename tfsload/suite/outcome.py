"""How a run came out: its result, the exit code that it ends with, and the words for both."""

from dataclasses import dataclass, replace
from typing import Any

import locust.log
from locust.env import Environment

from tfsload.analysis import exit_codes
from tfsload.analysis.limit import SearchResult
from tfsload.analysis.others import NO_OTHERS, Others
from tfsload.analysis.result import ProcessExit, RunResult
from tfsload.analysis.verdict import Verdict
from tfsload.report import terminal
from tfsload.report.screen import LOG, Screen
from tfsload.run.checks import Checked
from tfsload.run.result_making import course_of, make_result
from tfsload.run.results import Results
from tfsload.suite import process_exit
from tfsload.suite.before_reset import BeforeReset
from tfsload.suite.other_users import seen_beside
from tfsload.suite.run_time import RunTime
from tfsload.transport.words import lines


@dataclass(frozen=True)
class Outcome:
    """A run that has ended.

    Attributes:
        result: all that is known of it, with its verdict.
        code_on_error: `--exit-code-on-error`.
        page: where the page of its report lies; empty: there is none.
    """

    result: RunResult
    code_on_error: int = exit_codes.FAILED
    page: str = ""

    @property
    def verdict(self) -> Verdict:
        """Its exit code, and why."""
        return self.result.judged

    @property
    def exit_code(self) -> int:
        """The verdict's, or what `--exit-code-on-error` makes of it."""
        return process_exit.code_of(self.verdict, self.code_on_error)

    @property
    def text(self) -> str:
        """All for the terminal."""
        return self.text_ended_with(self.exit_code)

    def ended_with(self, exit_code: Any) -> "Outcome":
        """Return this outcome of a process that ends with an exit code that may have been set by somebody else."""
        seen = process_exit.seen_by_shell(exit_code)
        remark = process_exit.remark(self.verdict, self.code_on_error, exit_code)
        is_by_option = bool(remark) and seen == process_exit.code_of(self.verdict, self.code_on_error)
        excuses_failures = is_by_option and self.code_on_error == exit_codes.PASS
        return replace(self, result=replace(self.result, process_exit=ProcessExit(seen, remark, excuses_failures)))

    def text_ended_with(self, exit_code: Any, screen: Screen = LOG) -> str:
        """Return the text for a process that ends with an exit code that may have been set by somebody else.

        Args:
            exit_code: what the process ends with.
            screen: what the text is written on.
        """
        ended = self.ended_with(exit_code).result
        remark = ended.process_exit.remark if ended.process_exit else ""
        return screen.painted(lines(terminal.render(ended, remark, screen, self.page)))

    def failed_by(self, reasons: tuple[str, ...]) -> "Outcome":
        """Return this outcome as one that failed for further reasons, too."""
        return replace(self, result=replace(self.result, verdict=self.verdict.failed_by(reasons)))


@dataclass(frozen=True)
class SaidByLocust:
    """What Locust knows of a run, and participants do not record.

    Attributes:
        user_errors: exceptions raised in the users' own code.
        user_error: one of the commonest of them; empty: not known.
        is_broken: whether an exception escaped elsewhere, from a listener, say.
        others: what ran beside predictions.
        code_on_error: `--exit-code-on-error`.
    """

    user_errors: int = 0
    user_error: str = ""
    is_broken: bool = False
    others: Others = NO_OTHERS
    code_on_error: int = exit_codes.FAILED

    @classmethod
    def of(cls, environment: Environment, before_reset: BeforeReset) -> "SaidByLocust":
        """Ask Locust's environment and who keeps what it forgets, when the run has ended and all have reported."""
        return cls(
            user_errors=before_reset.n_exceptions,
            user_error=before_reset.commonest_exception,
            is_broken=bool(locust.log.unhandled_greenlet_exception),
            others=seen_beside(before_reset.stats, environment.user_classes),
            code_on_error=getattr(environment.parsed_options, "exit_code_on_error", exit_codes.FAILED),
        )


def conclude(
    results: Results,
    checked: Checked,
    by_locust: SaidByLocust,
    search: SearchResult | None = None,
    changed: str = "",
    run_time: RunTime | None = None,
) -> Outcome:
    """Sum up and judge what has arrived of a run.

    Args:
        results: the coordinator's.
        checked: what the run was asked to do.
        by_locust: what Locust knows of it.
        search: what a limit search found; None: there was none.
        changed: what the server says otherwise after the run than before.
        run_time: how long it ran, and was to; None: it was not to last for a time.
    """
    course = course_of(results, checked)
    course = replace(
        course,
        user_errors=by_locust.user_errors,
        user_error=by_locust.user_error,
        is_broken=by_locust.is_broken or course.is_broken,
        ran_s=run_time.ran_s if run_time else None,
        run_time_s=run_time.limit_s if run_time else None,
    )
    return Outcome(make_result(results, checked, course, by_locust.others, search, changed), by_locust.code_on_error)


def so_far(results: Results, checked: Checked, search: SearchResult | None) -> RunResult:
    """Return what a run that goes on has come to; its verdict is that of what has ended, and not the run's."""
    return make_result(results, checked, course_of(results, checked), search=search, is_under_way=True)
