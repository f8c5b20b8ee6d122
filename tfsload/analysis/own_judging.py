"""How long users' own `is_right` took under load: a run's figures contain that. Pure."""

from tfsload.analysis.figures import latency, share, span
from tfsload.analysis.result import RunResult
from tfsload.analysis.verdict import Reason

NOTED_SHARE = 0.05
"""Of the time of a process from which on it is told: below, it is lost among all that a client does."""
_CURE = "make it faster, such as by having ready what it compares with, or let more processes judge (--processes)"


def notes(result: RunResult) -> tuple[Reason, ...]:
    """Return that judging took long enough to change how fast all went: one note at most."""
    totals, workers = result.totals, result.workers
    run_s = totals.duration_s * max(workers.n, 1)
    if not totals.requests or workers.judging_s < NOTED_SHARE * run_s or not workers.judging_s:
        return ()
    each = latency(workers.judging_s * 1e9 / totals.requests)
    of = "a run" if workers.n <= 1 else f"{workers.n:,} processes"
    part = f", {share(workers.judging_s, run_s)} of the time of {of}" if run_s > workers.judging_s else ""
    who = result.images.judged_by or "is_right"
    what = (
        f"{who} took {each} a request ({span(workers.judging_s)} in all{part}): the figures contain it, since a user "
        "sends nothing meanwhile, and while it computes the replies to others wait"
    )
    return (Reason(what, _CURE),)
