"""How a run came out: figures, verdict and the words for both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import locust.log

from tfsload.analysis import exit_codes
from tfsload.analysis.levels import level_row
from tfsload.analysis.limit import SearchResult
from tfsload.analysis.others import NO_OTHERS, Others
from tfsload.analysis.summary import Summary, summarise
from tfsload.analysis.verdict import Verdict, judge
from tfsload.prediction.process_run import n_requests
from tfsload.records.record import Record
from tfsload.report import terminal
from tfsload.run.checks import Checked
from tfsload.run.results import Results
from tfsload.suite import process_exit
from tfsload.suite.before_reset import BeforeReset
from tfsload.suite.other_users import seen_beside
from tfsload.suite.run_time import RunTime
from tfsload.transport.words import LONGEST_VALUE, cut, lines


@dataclass(frozen=True)
class Outcome:
    """A run that has ended.

    Attributes:
        summary: its figures.
        verdict: its exit code, and why.
        exit_code: the verdict's, or what `--exit-code-on-error` makes of it.
        text: all for the terminal.
    """

    summary: Summary
    verdict: Verdict
    exit_code: int
    text: str
    _text_of: Callable[[Any], str]
    _present: "Callable[[Verdict], Outcome]"

    def text_ended_with(self, exit_code: Any) -> str:
        """Return the text for a process that ends with an exit code that may have been set by somebody else."""
        return self._text_of(exit_code)

    def failed_by(self, reasons: tuple[str, ...]) -> "Outcome":
        """Return this outcome as one that failed for further reasons, too."""
        return self._present(self.verdict.failed_by(reasons))


@dataclass(frozen=True)
class SaidByLocust:
    """What Locust knows of a run, and participants do not record.

    Attributes:
        user_errors: exceptions raised in the users' own code.
        is_broken: whether an exception escaped elsewhere, from a listener, say.
        others: what ran beside predictions.
        code_on_error: `--exit-code-on-error`.
    """

    user_errors: int = 0
    is_broken: bool = False
    others: Others = NO_OTHERS
    code_on_error: int = exit_codes.FAILED

    @classmethod
    def of(cls, environment: Any, before_reset: BeforeReset) -> "SaidByLocust":
        """Ask Locust's environment and who keeps what it forgets, when the run has ended and all have reported."""
        return cls(
            user_errors=before_reset.n_exceptions,
            is_broken=bool(locust.log.unhandled_greenlet_exception),
            others=seen_beside(before_reset.stats, environment.user_classes),
            code_on_error=environment.parsed_options.exit_code_on_error,
        )


# Long because each figure of a run is named once more.
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
    per_request = checked.settings.model.images_per_request
    summary = summarise(
        results.overall,
        n_asked=checked.settings.data.num_tests or None,
        n_workers=results.n_workers,
        lost_workers=tuple(sorted(results.lost_workers)),
        unfit_workers=results.unfit_workers,
        n_unaccounted=results.n_unaccounted,
        n_discarded=results.n_discarded,
        n_users=results.n_users,
        n_users_asked=results.n_users_asked,
        tolerance=checked.settings.checks.tolerance.text,
        expected=checked.preflight.servable,
        n_images=checked.n_images,
        n_verified=min(n_requests(checked.settings, checked.settings.checks.verify) * per_request, checked.n_images),
        levels=[level_row(run, results.records.get(run.level.number, Record())) for run in results.levels],
        n_levels_left=results.n_levels_left,
        uncounted=results.uncounted,
        search=search,
        thresholds=checked.settings.checks.thresholds,
        changed=changed,
        others=by_locust.others,
        ran_s=run_time.ran_s if run_time else None,
        run_time_s=run_time.limit_s if run_time else None,
        stalled=results.stalled,
        gave_up_after_s=results.gave_up_after_s,
        attendance=results.attendance,
    )
    verdict = judge(summary, by_locust.user_errors, by_locust.is_broken or results.is_broken)
    model = f"{cut(checked.settings.model.name, LONGEST_VALUE)}, version {checked.preflight.model_version},"
    address = cut(checked.settings.connection.target.address, LONGEST_VALUE)

    def present(verdict: Verdict) -> Outcome:
        def text_of(exit_code: Any) -> str:
            remark = process_exit.remark(verdict, by_locust.code_on_error, exit_code)
            return lines(terminal.render(summary, verdict, model, address, remark))

        exit_code = process_exit.code_of(verdict, by_locust.code_on_error)
        return Outcome(summary, verdict, exit_code, text_of(exit_code), text_of, present)

    return present(verdict)
