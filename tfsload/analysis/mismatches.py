"""What answers under load that are others than without it leave of a run. Pure."""

from tfsload.analysis import judged
from tfsload.analysis.result import RunResult
from tfsload.analysis.validity import SAME_ANSWERS, Breach
from tfsload.records.mismatch import NO_SCORES, OTHER_FORM, OTHER_NUMBER, OTHER_TEXT

_NO_DISTANCE = (OTHER_NUMBER, NO_SCORES, OTHER_TEXT, OTHER_FORM)


def breaches(result: RunResult) -> list[Breach]:
    """Return what is wrong with answers that are others under load, unless a threshold says how many may be."""
    totals, verified = result.totals, result.verified
    n_mismatched = totals.mismatched + result.uncounted.mismatched
    if not n_mismatched or _are_judged(result, n_mismatched):
        return []
    differ = "1 answer differs from the one" if n_mismatched == 1 else f"{n_mismatched:,} answers differ from those"
    which = "" if n_mismatched == 1 else "all of them "
    where = "" if totals.mismatched else f", {which}in warm-ups or between levels"
    example = f" (for example {verified.example.words})" if verified.example else ""
    cure = (
        "see whether the server mixes up requests or computes otherwise under load; --tolerance and a threshold on "
        "mismatched_rate say what may be"
    )
    # Of another text, class or whole number no tolerance says how far off it may be.
    one = verified.example
    is_measured = one is None or not (one.is_exact or one.place in _NO_DISTANCE)
    by = f" by more than {verified.tolerance}" if is_measured else ""
    what = f"{differ} without load{by}{where}{example}"
    return [Breach(SAME_ANSWERS, what, cure)]


def _are_judged(result: RunResult, n_mismatched: int) -> bool:
    if result.search is not None:  # which has held all thresholds against each probe
        return "mismatched_rate" in result.judged_metrics
    naming = [held for held in result.thresholds if held.threshold.metric == "mismatched_rate"]
    return judged.are_all_judged(result, naming, n_mismatched, result.totals.mismatched, lambda level: level.mismatched)
