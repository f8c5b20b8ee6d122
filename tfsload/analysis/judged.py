"""What a run was judged by, and in words what a pass rests on: a reader is to know what nobody looked at."""

from collections.abc import Callable

from tfsload.analysis import exit_codes
from tfsload.analysis.figures import requests
from tfsload.analysis.held import Held
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.no_answer import no_answer
from tfsload.analysis.result import RunResult
from tfsload.analysis.threshold_words import asked_words

# Thresholds on these say how many requests may have no answer.
FAILURE_METRICS = ("failed_rate", "error_rate")


def sentence(result: RunResult) -> str:
    """Return what a run that passes was judged by, beside the thresholds that hold.

    For example `no threshold was set; PASS means a valid run in which every request was answered`.
    """
    answers = _answers(result)
    if _has_thresholds(result):
        parts = [answers] if result.thresholds else ["the search's thresholds", answers]
    else:
        parts = [f"no threshold was set; PASS means a valid run in which {answers}"]
    if result.totals.dropped and result.search is None:  # which goes where arrivals are dropped
        were = "was" if result.totals.dropped == 1 else "were"
        parts.append(f"{result.totals.dropped:,} of {result.totals.offered:,} arrivals {were} dropped")
    if result.verified.n_images:
        answers = "1 answer" if result.totals.compared == 1 else f"{result.totals.compared:,} answers"
        parts.append(f"{answers} compared with those without load: {_mismatched(result)}")
    if result.course.n_images_asked is not None:
        parts.append("every image was fired")
    return "; ".join(parts)


def in_short(result: RunResult) -> str:
    """Return the same where there is room for a few words; empty: thresholds were set, or it is no pass."""
    if result.judged.exit_code != exit_codes.PASS or _has_thresholds(result):
        return ""
    return f"no threshold set: valid{'' if result.uncounted.failed_requests else ', all answered'}"


def _has_thresholds(result: RunResult) -> bool:
    return bool(result.thresholds) or result.search is not None


def _mismatched(result: RunResult) -> str:
    n_mismatched = result.totals.mismatched + result.uncounted.mismatched
    return f"{n_mismatched:,} mismatched, as judged by mismatched_rate" if n_mismatched else "none differs"


def _answers(result: RunResult) -> str:
    if result.totals.failed_requests:
        failed = requests(result.totals.failed_requests, result.totals.requests)
        unanswered = f"{failed} had {no_answer(result.totals.failed)}"
        if result.search is not None:
            return f"{unanswered}, at rates that it tried"
        about = (held.threshold for held in result.thresholds if held.threshold.metric in FAILURE_METRICS)
        naming = dict.fromkeys(map(asked_words, about))
        return f"{unanswered}, as judged by {' and '.join(naming)}"
    if result.uncounted.failed_requests:
        n_failed = result.uncounted.failed_requests
        uncounted = f"{n_failed:,} {result.of_uncounted} {'was' if n_failed == 1 else 'were'} not"
        return f"every request that counts was answered ({uncounted})"
    n_cut_off = result.totals.cut_off + result.uncounted.cut_off
    if not n_cut_off:
        return "every request was answered"
    in_flight = f"{n_cut_off:,} more {'was' if n_cut_off == 1 else 'were'} in flight when it stopped: not counted"
    return f"every request was answered ({in_flight})"


def are_all_judged(
    result: RunResult, naming: list[Held], n_all: int, n_of_totals: int, n_of: Callable[[LevelResult], int]
) -> bool:
    """Whether thresholds judge all of something: those of one level judge what happened there, and nothing else.

    Args:
        result: the run's.
        naming: thresholds that are about it.
        n_all: how often it happened.
        n_of_totals: how often of that within levels, those that were cut off as well.
        n_of: returns how often within a level that has ended.
    """
    if any(not held.threshold.names_level for held in naming):
        return True
    judged_at = {held.where for held in naming}
    n_judged = sum(n_of(level) for level in result.levels if level.name in judged_at)
    if result.aborted is not None and result.aborted.held.where in judged_at:
        # A level that was cut off is none of the result's: what the totals have beyond the others' is its own.
        n_judged += n_of_totals - sum(map(n_of, result.levels))
    return n_all == n_judged
