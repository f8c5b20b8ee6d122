"""How a run came out: figures, verdict and the words for both."""

from dataclasses import dataclass

from tfsload.analysis.levels import level_row
from tfsload.analysis.summary import Summary, summarise
from tfsload.analysis.verdict import Verdict, judge
from tfsload.checks import Checked
from tfsload.distributed.results import Results
from tfsload.load.search import SearchResult
from tfsload.recorder import Record
from tfsload.report import terminal
from tfsload.run import n_requests
from tfsload.run_time import RunTime


@dataclass(frozen=True)
class Outcome:
    """A run that has ended.

    Attributes:
        summary: its figures.
        verdict: its exit code, and why.
        text: both for the terminal.
    """

    summary: Summary
    verdict: Verdict
    text: str


def conclude(
    results: Results,
    checked: Checked,
    user_errors: int,
    is_broken: bool = False,
    search: SearchResult | None = None,
    changed: str = "",
    run_time: RunTime | None = None,
) -> Outcome:
    """Sum up and judge what has arrived of a run.

    Args:
        results: the coordinator's.
        checked: what the run was asked to do.
        user_errors: exceptions raised in the users' own code.
        is_broken: whether an exception escaped elsewhere, from a listener, say.
        search: what a limit search found; None: there was none.
        changed: what the server says otherwise after the run than before.
        run_time: how long it ran, and was to; None: it was not to last for a time.
    """
    per_request = checked.settings.images_per_request
    summary = summarise(
        results.overall,
        n_asked=checked.settings.num_tests or None,
        n_workers=results.n_workers,
        lost_workers=tuple(sorted(results.lost_workers)),
        unfit_workers=results.unfit_workers,
        n_unaccounted=results.n_unaccounted,
        n_discarded=results.n_discarded,
        n_users=results.n_users,
        n_users_asked=results.n_users_asked,
        tolerance=checked.settings.tolerance.text,
        expected=checked.preflight.servable,
        n_images=checked.n_images,
        n_verified=min(n_requests(checked.settings, checked.settings.verify) * per_request, checked.n_images),
        levels=[level_row(run, results.records.get(run.level.number, Record())) for run in results.levels],
        n_levels_left=results.n_levels_left,
        uncounted=results.uncounted,
        search=search,
        thresholds=checked.settings.thresholds,
        changed=changed,
        ran_s=run_time.ran_s if run_time else None,
        run_time_s=run_time.limit_s if run_time else None,
        stalled=results.stalled,
        gave_up_after_s=results.gave_up_after_s,
        attendance=results.attendance,
    )
    verdict = judge(summary, user_errors, is_broken or results.is_broken)
    model = f"{checked.settings.model_name}, version {checked.preflight.model_version},"
    return Outcome(summary, verdict, terminal.render(summary, verdict, model, checked.settings.target.address))
