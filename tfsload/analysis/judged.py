"""What a pass rests on, in words: a reader is to know what nobody looked at."""

from tfsload.analysis.figures import requests
from tfsload.analysis.result import RunResult

# Thresholds on these say how many requests may have no answer.
FAILURE_METRICS = ("failed_rate", "error_rate")


def sentence(result: RunResult) -> str:
    """Return what a run that passes was judged by, beside the thresholds that hold.

    For example `no thresholds; every request was answered`.
    """
    parts = [] if result.thresholds else ["no thresholds" if result.search is None else "the search's thresholds"]
    parts.append(_answers(result))
    if result.totals.dropped and result.search is None:  # which goes where arrivals are dropped
        were = "was" if result.totals.dropped == 1 else "were"
        parts.append(f"{result.totals.dropped:,} of {result.totals.offered:,} arrivals {were} dropped")
    if result.verified.n_images:
        answers = "1 answer" if result.totals.compared == 1 else f"{result.totals.compared:,} answers"
        parts.append(f"{answers} compared with those without load: {_mismatched(result)}")
    if result.course.n_images_asked is not None:
        parts.append("every image was fired")
    return "; ".join(parts)


def _mismatched(result: RunResult) -> str:
    n_mismatched = result.totals.mismatched + result.uncounted.mismatched
    return f"{n_mismatched:,} mismatched, as judged by mismatched_rate" if n_mismatched else "none differs"


def _answers(result: RunResult) -> str:
    if result.totals.failed_requests:
        unanswered = f"{requests(result.totals.failed_requests, result.totals.requests)} had no answer"
        if result.search is not None:
            return f"{unanswered}, at rates that it tried"
        naming = {held.threshold.text: None for held in result.thresholds if held.threshold.metric in FAILURE_METRICS}
        return f"{unanswered}, as judged by {' and '.join(naming)}"
    if result.uncounted.failed_requests:
        n_failed = result.uncounted.failed_requests
        uncounted = f"{n_failed:,} {result.of_uncounted} {'was' if n_failed == 1 else 'were'} not"
        return f"every request that counts was answered ({uncounted})"
    n_cut_off = result.totals.cut_off + result.uncounted.cut_off
    if not n_cut_off:
        return "every request was answered"
    return f"every request was answered ({n_cut_off:,} {'was' if n_cut_off == 1 else 'were'} in flight when it stopped)"
