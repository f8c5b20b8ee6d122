"""What a pass rests on, in words: a reader is to know what nobody looked at."""

from tfsload.analysis.summary import Summary

# Thresholds on these say how many requests may have no answer.
FAILURE_METRICS = ("failed_rate", "error_rate")


def sentence(summary: Summary) -> str:
    """Return what a run that passes was judged by, beside the thresholds that hold.

    For example `no thresholds; every request was answered`.
    """
    parts = [] if summary.thresholds else ["no thresholds" if summary.search is None else "the search's thresholds"]
    parts.append(_answers(summary))
    if summary.dropped and summary.search is None:  # which goes where arrivals are dropped
        parts.append(f"{summary.dropped:,} of {summary.offered:,} arrivals were dropped")
    if summary.n_verified:
        parts.append(f"{summary.compared:,} answers compared with those without load: {_mismatched(summary)}")
    if summary.n_asked is not None:
        parts.append("every image was fired")
    return "; ".join(parts)


def _mismatched(summary: Summary) -> str:
    n_mismatched = summary.mismatched + summary.n_uncounted_mismatched
    return f"{n_mismatched:,} mismatched, as judged by mismatched_rate" if n_mismatched else "none differs"


def _answers(summary: Summary) -> str:
    if summary.failed_requests:
        unanswered = f"{summary.failed_requests:,} of {summary.requests:,} requests had no answer"
        if summary.search is not None:
            return f"{unanswered}, at rates that it tried"
        naming = {held.threshold.text: None for held in summary.thresholds if held.threshold.metric in FAILURE_METRICS}
        return f"{unanswered}, as judged by {' and '.join(naming)}"
    if summary.n_uncounted_failed:
        uncounted = f"{summary.n_uncounted_failed:,} of warm-ups and between levels were not"
        return f"every request that counts was answered ({uncounted})"
    n_cut_off = summary.cut_off + summary.n_uncounted_cut_off
    if not n_cut_off:
        return "every request was answered"
    return f"every request was answered ({n_cut_off:,} {'was' if n_cut_off == 1 else 'were'} in flight when it stopped)"
