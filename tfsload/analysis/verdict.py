"""Whether a run passed, and why not."""

import math
from dataclasses import dataclass, replace

from tfsload.analysis import exit_codes, judged, others
from tfsload.analysis.gate import LEAST_S
from tfsload.analysis.judged import FAILURE_METRICS
from tfsload.analysis.levels import LevelRow
from tfsload.analysis.limit import Ending
from tfsload.analysis.summary import Held, Summary
from tfsload.transport.servable import CURE

_WORDS = {
    exit_codes.PASS: "PASS",
    exit_codes.FAILED: "FAILED",
    exit_codes.THRESHOLD: "CROSSED",
    exit_codes.INVALID: "INVALID",
}

# How servers fail that have more to do than they can.
_OVERLOAD_CODES = {"DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}

_ADVICE = {
    "RESOURCE_EXHAUSTED": (
        "RESOURCE_EXHAUSTED: the server rejects requests that it has no thread for, by default more than 4 a CPU; "
        "start it with a larger --grpc_max_threads, or send with fewer users"
    ),
    "UNAVAILABLE": "UNAVAILABLE: the server was not reached, or went away: see whether it still runs, and its log",
}


@dataclass(frozen=True)
class Verdict:
    """How a run ends.

    Attributes:
        exit_code: one of `tfsload.analysis.exit_codes`.
        reasons: why it is no pass, and what to do, a sentence each; empty for a pass.
        judged: of a pass: what it rests on, beside thresholds.
        notes: what helps with what was found and is no reason, a sentence each.
        code_without_failures: of a failed run: the exit code if its failures are not to count; what is broken always
            does.
    """

    exit_code: int
    reasons: tuple[str, ...] = ()
    judged: str = ""
    notes: tuple[str, ...] = ()
    code_without_failures: int = exit_codes.FAILED

    @property
    def word(self) -> str:
        """The exit code in a word."""
        return _WORDS[self.exit_code]

    def failed_by(self, reasons: tuple[str, ...]) -> "Verdict":
        """Return this verdict where the run failed for these reasons, too."""
        failed = exit_codes.FAILED
        return replace(
            self, exit_code=failed, reasons=(*reasons, *self.reasons), judged="", code_without_failures=failed
        )


def judge(summary: Summary, user_errors: int = 0, is_broken: bool = False) -> Verdict:
    """Judge a run.

    Requests without an answer fail it, unless a threshold says how many may be; what is missing makes it invalid,
    and then no threshold is judged by it. Wrong answers alone do neither: a model is allowed its error rate.

    Args:
        summary: the run's figures.
        user_errors: exceptions raised in the users' own code.
        is_broken: whether an exception escaped elsewhere, from a listener, say.
    """
    failures, broken = _failures(summary, user_errors), _broken(is_broken)
    gaps, crossed = _gaps(summary) + _doubts(summary), _crossed(summary)
    advice, notes = _advice(summary), _judged_whole(summary)
    if failures or broken:
        # What was given up was cut short: that is a gap where the failure itself does not count.
        is_cut_short = bool(gaps) or summary.gave_up_after_s is not None
        rest = exit_codes.INVALID if is_cut_short else exit_codes.THRESHOLD if crossed else exit_codes.PASS
        without_failures = exit_codes.FAILED if broken else rest
        reasons = failures + broken + advice + gaps + crossed
        return Verdict(exit_codes.FAILED, reasons, notes=notes, code_without_failures=without_failures)
    notes = advice + notes
    if gaps:
        return Verdict(exit_codes.INVALID, gaps + crossed, notes=notes)
    if crossed:
        return Verdict(exit_codes.THRESHOLD, crossed, notes=notes)
    return Verdict(exit_codes.PASS, judged=judged.sentence(summary), notes=notes)


def _advice(summary: Summary) -> tuple[str, ...]:
    """Return what to do about requests without an answer, whether they fail the run or a threshold allows them."""
    if summary.search is not None:
        return ()  # it goes where requests fail: that is what it looks for
    return tuple(advice for code, advice in _ADVICE.items() if code in summary.failed)


def _judged_whole(summary: Summary) -> tuple[str, ...]:
    """Return what a reader has to know of thresholds that so little was measured for that one stall may decide them."""
    if not summary.judged_whole:
        return ()
    where = f" at {', '.join(summary.judged_whole)}" if any(summary.judged_whole) else ""
    return (
        f"less than {LEAST_S:g} s were measured{where}: percentiles and means are judged with all half-seconds alone, "
        "and one stall may decide them",
    )


def _are_failures_judged(summary: Summary) -> bool:
    """Whether a threshold judges requests without an answer.

    Where there was no answer at all, only a threshold that was crossed does: no share of failures says that a server
    was there.
    """
    naming = [held for held in summary.thresholds if held.threshold.metric in FAILURE_METRICS]
    if summary.failed_requests < summary.requests:
        return bool(naming)
    return any(held.holds is False for held in naming)


def _broken(is_broken: bool) -> tuple[str, ...]:
    return ("an exception escaped from a listener or a greenlet; the log shows it",) if is_broken else ()


def _failures(summary: Summary, user_errors: int) -> tuple[str, ...]:
    reasons = []
    if summary.gave_up_after_s is not None:
        reasons.append(_gave_up(summary))
    # A search goes where requests fail: that is what it looks for.
    if summary.failed_requests and summary.search is None and not _are_failures_judged(summary):
        codes = ", ".join(f"{code} {count:,}" for code, count in summary.failed.items())
        reasons.append(
            f"{summary.failed_requests:,} of {summary.requests:,} requests had no answer (images by code: {codes})"
        )
    reasons += _mismatches(summary)
    if summary.search is not None:
        reasons += [_gone(row) for row in summary.levels if _is_gone(row)]
    if not summary.requests and summary.n_uncounted_failed:
        reasons.append(
            f"{summary.n_uncounted_failed:,} requests had no answer, and none lay within a level as a whole: "
            "mend the server, or use a --level-duration longer than the --deadline"
        )
    reasons += others.reasons(summary.others)
    if user_errors:
        reasons.append(f"{user_errors:,} exceptions in user code; Locust's error report shows them")
    return tuple(reasons)


def _mismatches(summary: Summary) -> list[str]:
    """Return what is wrong with answers that are others under load, unless a threshold says how many may be."""
    n_mismatched = summary.mismatched + summary.n_uncounted_mismatched
    if not n_mismatched or "mismatched_rate" in summary.judged_metrics:
        return []
    where = "" if summary.mismatched else ", all of them in warm-ups or between levels"
    example = f" (for example {summary.mismatch.words})" if summary.mismatch else ""
    return [
        f"{n_mismatched:,} answers differ from those without load by more than {summary.tolerance}{where}{example}: "
        "see whether the server mixes up requests or computes otherwise under load; --tolerance and a threshold on "
        "mismatched_rate say what may be"
    ]


def _gave_up(summary: Summary) -> str:
    left = f", with {_levels_to_go(summary)}" if summary.n_levels_left else ""
    refused = [code for code in summary.failed if code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED")]
    cure = (
        f"it was said why ({', '.join(refused)}), see the server's log"
        if refused
        else ("see whether the server still runs, and its log")
    )
    return (
        f"given up{left}: requests were sent for {summary.gave_up_after_s:g} s, and none was answered: {cure}; "
        "--give-up-after says how long to go on (0: to the end)"
    )


def _levels_to_go(summary: Summary) -> str:
    return "1 level to go" if summary.n_levels_left == 1 else f"{summary.n_levels_left:,} levels to go"


def _nothing(summary: Summary) -> str:
    if summary.n_uncounted or summary.n_uncounted_cut_off:
        return "no request lies within a level as a whole: use a longer --level-duration"
    return "no request was made: let the run last longer, or start more users"


def _is_gone(row: LevelRow) -> bool:
    """Whether a probe met no server, which is no limit of its rate: one that has too much to do fails otherwise."""
    return bool(row.record.failed) and not row.answered and not set(row.record.failed) & _OVERLOAD_CODES


def _gone(row: LevelRow) -> str:
    codes = ", ".join(f"{code} {count:,}" for code, count in sorted(row.record.failed.items()))
    return f"{row.level.name}: no request had an answer (images by code: {codes}), which says nothing of the rate"


def _gaps(summary: Summary) -> tuple[str, ...]:
    reasons = [f"worker {worker} could not take part: {why}" for worker, why in summary.unfit_workers.items()]
    # Where it was stopped, or workers were lost, that is said, and enough.
    is_explained = summary.n_levels_left or summary.lost_workers or summary.is_stopped_early
    is_explained = is_explained or summary.gave_up_after_s is not None
    if not (summary.requests or summary.n_uncounted_failed or is_explained):
        reasons.append(_nothing(summary))
    if summary.is_stopped_early and not summary.unfit_workers and summary.gave_up_after_s is None:
        reasons.append(
            f"stopped after {summary.ran_s:,.1f} s of {summary.run_time_s:,g}: let it end by itself, or pass a lower -t"
        )
    n_answered = summary.requests - summary.failed_requests
    if summary.n_verified and n_answered and not summary.compared and not summary.n_uncounted_mismatched:
        reasons.append(
            f"nothing was compared: none of the first {summary.n_verified:,} images had its turn; let it last longer"
        )
    if not summary.is_complete:
        reasons.append(
            f"only {summary.predictions:,} of {summary.n_asked:,} images were fired before the run was stopped"
        )
    if summary.attendance is not None and _misses_users(summary):
        reasons.append(f"only {summary.attendance.sentence}: the log says which workers or users ended")
    if summary.stalled:
        reasons.append(f"the run was ended, since nobody could make the requests that were left: {summary.stalled}")
    if summary.n_unaccounted:
        reasons.append(f"{summary.n_unaccounted:,} requests that workers reported did not arrive: run again")
    if summary.lost_workers and summary.n_asked is None:
        reasons.append(
            f"{len(summary.lost_workers)} of {summary.n_workers} workers were lost with what they had not reported: "
            "run again with workers that stay"
        )
    return tuple(reasons)


def _misses_users(summary: Summary) -> bool:
    """Whether the load was not the one asked for. Levels have users of their own; who was lost or unfit is said."""
    if summary.attendance is None or not summary.attendance.is_considerable or summary.stalled:
        return False
    if summary.levels or summary.n_levels_left or summary.unfit_workers or summary.is_stopped_early:
        return False
    if summary.n_asked is None:
        return not summary.lost_workers
    # Each image was fired once, by however many: what it came to stands, but not how fast.
    return any(held.threshold.unit_kind != "share" for held in summary.thresholds)


def _doubts(summary: Summary) -> tuple[str, ...]:
    reasons = [f"{row.level.name}: {doubt}" for row in summary.levels for doubt in _doubts_that_count(summary, row)]
    search = summary.search
    if search is None and not any(map(_sees_drops, summary.thresholds)):
        reasons += [_drops(row) for row in summary.levels if row.record.dropped]
    if search is not None and search.rate_rps is None and not _is_none_known_to_hold(summary):
        reasons.append(search.sentence)
    if summary.n_levels_left and summary.gave_up_after_s is None:
        reasons.append(f"the run was stopped with {_levels_to_go(summary)}: let it end by itself")
    if summary.wrong_model:
        reasons.append(f"{summary.wrong_model}: {CURE}")
    elif summary.changed:
        reasons.append(f"the server's model changed during the run: {summary.changed}")
    for held in summary.thresholds:
        if held.holds is None:
            where = f" at {held.where}" if held.where else ""
            reasons.append(f"{held.threshold.text}{where} cannot be judged: {held.why_unknown}")
    return tuple(reasons)


def _sees_drops(held: Held) -> bool:
    """Whether a threshold already judges arrivals that were dropped: they count as endless for latencies."""
    threshold = held.threshold
    is_latency = threshold.metric in ("mean", "max") or threshold.metric.startswith("p")
    return threshold.metric == "dropped_rate" or (is_latency and threshold.operator.startswith("<"))


def _drops(row: LevelRow) -> str:
    users = "its only user was" if row.level.users == 1 else f"all {row.level.users:,} users were"
    return (
        f"{row.level.name}: {row.record.dropped:,} of {row.record.offered:,} arrivals were dropped, since {users} "
        "busy: ask for less, pass a higher -u, or say with --threshold how many may be (such as 'dropped_rate < 1%')"
    )


def _is_none_known_to_hold(summary: Summary) -> bool:
    """Whether a search found that no rate holds; where the lowest one only had too few samples, that is not known."""
    search = summary.search
    return search is not None and search.ending is Ending.NONE_HOLDS and not summary.is_lowest_unknown


def _doubts_that_count(summary: Summary, row: LevelRow) -> tuple[str, ...]:
    """Return a level's doubts; of a search's, those that its result rests on: an overloaded probe is never stable."""
    if summary.search is None:
        # A crossed limit on failures is a fact, and what they leave untold comes after it.
        return row.generator_doubts if _crosses_by_failures(summary, row) else row.doubts
    at_this_rate = [other for other in summary.levels if other.level.rate_rps == row.level.rate_rps]
    if row is not at_this_rate[-1]:
        return ()  # it was measured again, in full length
    if row.level.rate_rps == summary.search.rate_rps:
        return row.doubts
    return row.generator_doubts if row.level.rate_rps == summary.search.first_failing_rps else ()


def _crosses_by_failures(summary: Summary, row: LevelRow) -> bool:
    return bool(row.record.failed) and any(
        held.holds is False and held.where == row.level.name and held.threshold.metric in FAILURE_METRICS
        for held in summary.thresholds
    )


def _crossed(summary: Summary) -> tuple[str, ...]:
    crossed = [held for held in summary.thresholds if held.holds is False]
    reasons = [
        f"{held.threshold.text} was crossed{' at ' + held.where if held.where else ''}: {_found(held)}"
        for held in crossed
    ]
    if summary.search is not None and _is_none_known_to_hold(summary):
        reasons.append(summary.search.sentence)
    return tuple(reasons)


def _found(held: Held) -> str:
    value = held.value
    assert value is not None  # no threshold is crossed without a figure
    match held.threshold.unit_kind:
        case "duration" if math.isinf(value):
            return "too many requests had no answer, or were dropped"
        case "duration":
            return f"{value / 1e6:,.3f} ms"
        case "share":
            return f"{100 * value:.2f} %"
    return f"{value:,.1f} requests/s"
