"""Whether a run passed, and why not. Pure."""

import functools
import math
from collections.abc import Sequence

from tfsload.analysis import (
    exit_codes,
    hold_ups,
    judged,
    lost_workers,
    mismatches,
    missing_users,
    others,
    own_judging,
    standstills,
    validity,
)
from tfsload.analysis.figures import by_code, requests
from tfsload.analysis.gate import LEAST_S
from tfsload.analysis.held import Held
from tfsload.analysis.held_parallelism import sweep_further
from tfsload.analysis.held_words import words_of
from tfsload.analysis.judged import FAILURE_METRICS
from tfsload.analysis.level_breaches import breaches_of_levels, doubts_by_level
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.limit import Ending, SearchResult
from tfsload.analysis.no_answer import an_answer, no_answer
from tfsload.analysis.result import Course, RunResult
from tfsload.analysis.threshold_words import told_words
from tfsload.analysis.validity import Breach
from tfsload.analysis.verdict import Reason, Verdict

# What to do where several models answer at one address.
ONE_MODEL_CURE = "name one with --model-version, or wait until one alone is served at this address"
# How servers fail that have more to do than they can.
_OVERLOAD_CODES = {"DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}

_ADVICE = {
    "INVALID_ARGUMENT": Reason(
        "INVALID_ARGUMENT: the server, or its model, refuses what it is sent",
        "see its words in Locust's table of errors; --dry-run tries one request without load",
    ),
    "RESOURCE_EXHAUSTED": Reason(
        "RESOURCE_EXHAUSTED: the server rejects requests that it has no thread for, by default more than 4 a CPU",
        "start it with a larger --grpc_max_threads, or send with fewer users",
    ),
    "UNAVAILABLE": Reason(
        "UNAVAILABLE: the server was not reached, or went away", "see whether it still runs, and its log"
    ),
    "DEADLINE_EXCEEDED": Reason(
        "DEADLINE_EXCEEDED: the server took longer to answer than --deadline allows",
        "see whether it still runs, and its log; send less at once, or allow it more time",
    ),
}


def judge(result: RunResult) -> Verdict:
    """Judge a run.

    Requests without an answer fail it, unless a threshold says how many may be; what is missing makes it invalid,
    and then no threshold is judged by it. Wrong answers alone do neither: a model is allowed its error rate.

    Args:
        result: the run's; it need not have a verdict.
    """
    failing, broken_by = _failures(result), _broken(result.course.is_broken)
    by_level = doubts_by_level(result)
    gaping = _gaps(result) + breaches_of_levels(result, by_level) + _doubts(result)
    none_holds = _none_holds(result)
    rules = validity.held_rules(result, failing + broken_by + gaping + none_holds)
    failures, broken, gaps = (_reasons(breaches) for breaches in (failing, broken_by, gaping))
    gaps = _noise_first(gaps + _undecided(result), result)
    crossed = _crossed(result) + _reasons(none_holds)
    advice, notes = (
        _advice(result),
        standstills.notes(result)
        + hold_ups.notes(result)
        + own_judging.notes(result)
        + missing_users.notes(result)
        + _judged_whole(result)
        + _left_open(result),
    )
    notes += tuple(Reason(one.sentence) for one in result.accuracy)
    verdict = functools.partial(Verdict, doubted_levels=tuple(by_level), rules=rules)
    if failures or broken:
        # What was given up was cut short: that is a gap where the failure itself does not count.
        is_cut_short = bool(gaps) or result.course.gave_up_after_s is not None
        rest = exit_codes.INVALID if is_cut_short else exit_codes.THRESHOLD if crossed else exit_codes.PASS
        without_failures = exit_codes.FAILED if broken else rest
        reasons = failures + broken + advice + gaps + crossed
        return verdict(exit_codes.FAILED, reasons, notes=notes, code_without_failures=without_failures)
    notes = advice + notes
    if gaps:
        return verdict(exit_codes.INVALID, gaps + crossed, notes=notes)
    if crossed:
        return verdict(exit_codes.THRESHOLD, crossed, notes=notes)
    return verdict(exit_codes.PASS, judged=judged.sentence(result), notes=notes)


def _noise_first(reasons: tuple[Reason, ...], result: RunResult) -> tuple[Reason, ...]:
    """Put first what others on the machine have done: other reasons may be their doing, and be gone without them."""
    cure = result.noise_cure
    noise = tuple(doubt.what for level in result.levels for doubt in level.doubts if doubt.is_noise)
    return tuple(sorted(reasons, key=lambda one: (not one.what.endswith(noise), one.cure != cure))) if cure else reasons


def _reasons(breaches: tuple[Breach, ...]) -> tuple[Reason, ...]:
    return tuple(breach.reason for breach in breaches)


def _advice(result: RunResult) -> tuple[Reason, ...]:
    """Return what to do about requests without an answer, whether they fail the run or a threshold allows them."""
    if result.search is not None or hold_ups.explains_failures(result):
        return ()  # it goes where requests fail: that is what it looks for
    return tuple(advice for code, advice in _ADVICE.items() if code in result.totals.failed)


def _judged_whole(result: RunResult) -> tuple[Reason, ...]:
    """Return what a reader has to know of thresholds that so little was measured for that one stall may decide them."""
    if not result.judged_whole:
        return ()
    where = f" at {', '.join(result.judged_whole)}" if any(result.judged_whole) else ""
    what = (
        f"less than {LEAST_S:g} s were measured{where}, too little to tell whether one short stall decides a "
        "percentile or a mean: limits on these were held against all that was measured, a stall included"
    )
    return (Reason(what),)


def _are_failures_judged(result: RunResult) -> bool:
    """Whether a threshold judges requests without an answer.

    Where there was no answer at all, only a threshold that was crossed does: no share of failures says that a server
    was there.
    """
    totals = result.totals
    naming = [held for held in result.thresholds if held.threshold.metric in FAILURE_METRICS]
    if totals.failed_requests < totals.requests:
        n_failed = totals.failed_requests
        return judged.are_all_judged(result, naming, n_failed, n_failed, lambda level: level.failed_requests)
    return any(held.holds is False for held in naming)


def _broken(is_broken: bool) -> tuple[Breach, ...]:
    what = "an exception escaped from a listener or a greenlet"
    return (Breach(validity.LISTENERS_RAISE_NOTHING, what, "see the log"),) if is_broken else ()


def _failures(result: RunResult) -> tuple[Breach, ...]:
    totals = result.totals
    breaches = []
    if result.course.gave_up_after_s is not None:
        breaches.append(_gave_up(result))
    breaches += standstills.breaches(result)
    # A search goes where requests fail: that is what it looks for.
    is_own_fault = hold_ups.explains_failures(result)
    if totals.failed_requests and result.search is None and not (is_own_fault or _are_failures_judged(result)):
        what = f"{requests(totals.failed_requests, totals.requests)} had {no_answer(totals.failed)}"
        breaches.append(Breach(validity.ANSWERED, f"{what} (images by code: {by_code(totals.failed)})"))
    breaches += mismatches.breaches(result)
    if result.search is not None:
        breaches += [Breach(validity.GOES_ON, _gone(level)) for level in result.levels if _is_gone(level)]
    if not totals.requests and result.uncounted.failed_requests:
        what, cure = f"{requests(result.uncounted.failed_requests)} had no answer", "mend the server"
        if result.course.n_images_asked is None:
            what += ", and none lay within a level as a whole"
            cure += ", or use a --level-duration longer than the --deadline"
        else:
            what = f"{requests(result.uncounted.failed_requests)} of the warm-up had no answer, and none came after it"
        breaches.append(Breach(validity.ANSWERED, what, cure))
    breaches += [Breach(validity.OTHERS_SUCCEED, reason) for reason in others.reasons(result.others)]
    if result.course.user_errors:
        breaches.append(_user_errors(result.course))
    return tuple(breaches)


def _user_errors(course: Course) -> Breach:
    n = "1 exception" if course.user_errors == 1 else f"{course.user_errors:,} exceptions"
    example = f", such as {course.user_error}" if course.user_error else ""
    cure = "see the log, or the web UI's tab of exceptions"
    return Breach(validity.USERS_RAISE_NOTHING, f"{n} in user code{example}", cure)


def _gave_up(result: RunResult) -> Breach:
    left = f", with {_levels_to_go(result)}" if result.course.n_levels_left else ""
    refused = [code for code in result.totals.failed if code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED")]
    why = f"had a usable answer ({', '.join(refused)})" if refused else "was answered"
    log = "see the server's log" if refused else "see whether the server still runs, and its log"
    return Breach(
        validity.GOES_ON,
        f"given up{left}: requests were sent for {result.course.gave_up_after_s:g} s, and none {why}",
        f"{log}; --give-up-after says how long to go on (0: to the end)",
    )


def _levels_to_go(result: RunResult) -> str:
    return "1 level to go" if result.course.n_levels_left == 1 else f"{result.course.n_levels_left:,} levels to go"


def _nothing(result: RunResult) -> Breach:
    more = "let the run last longer, or start more users"
    if result.course.n_images_asked is not None and result.uncounted.requests:
        return Breach(validity.MEASURED, "no request was made after the warm-up", more)
    if n_cut_off := result.totals.cut_off:
        were = "1 request was sent, and it was" if n_cut_off == 1 else f"{n_cut_off:,} requests were sent, and all were"
        what = f"{were} in flight when the run was stopped: nothing was answered"
        cure = "see whether the server still runs, and its log; let the run last longer"
        return Breach(validity.MEASURED, what, cure)
    if result.uncounted.requests or result.uncounted.cut_off:
        what, cure = "no request lies within a level as a whole", "use a longer --level-duration"
    else:
        what, cure = "no request was made", more
    return Breach(validity.MEASURED, what, cure)


def _is_gone(level: LevelResult) -> bool:
    """Whether a probe met no server, which is no limit of its rate: one that has too much to do fails otherwise."""
    return bool(level.failed) and not level.answered and not set(level.failed) & _OVERLOAD_CODES


def _gone(level: LevelResult) -> str:
    what = f"no request had {an_answer(level.failed)} (images by code: {by_code(level.failed)})"
    return f"{level.name}: {what}, which says nothing of the rate"


def _gaps(result: RunResult) -> tuple[Breach, ...]:
    totals, course, workers = result.totals, result.course, result.workers
    breaches = [
        Breach(validity.WORKERS_STAY, f"worker {worker} could not take part: {why}")
        for worker, why in workers.unfit.items()
    ]
    breaches += lost_workers.breaches(result)
    # Where it was stopped, or workers were lost, that is said, and enough.
    is_explained = course.n_levels_left or workers.lost or result.is_stopped_early
    is_explained = is_explained or course.gave_up_after_s is not None or result.aborted is not None
    if not (totals.requests or result.uncounted.failed_requests or is_explained):
        breaches.append(_nothing(result))
    if result.is_stopped_early and not (workers.unfit or lost_workers.are_all(workers)):
        what = f"stopped after {course.ran_s:,.1f} s of {course.run_time_s:,g}"
        shorter = "" if course.n_levels_left else ", or pass a lower -t"
        breaches.append(Breach(validity.ENDS_BY_ITSELF, what, f"let it end by itself{shorter}"))
    n_answered = totals.requests - totals.failed_requests
    is_compared = totals.compared or result.uncounted.mismatched or result.aborted is not None
    if result.verified.n_images and n_answered and not is_compared:
        n_images = result.verified.n_images
        which = "the first image had not" if n_images == 1 else f"none of the first {n_images:,} images had"
        breaches.append(Breach(validity.MEASURED, f"nothing was compared: {which} its turn", "let it last longer"))
    if not result.is_complete and result.aborted is None:
        n, n_asked = totals.predictions, course.n_images_asked
        fired = f"only {n:,} of {n_asked:,} images {'was' if n == 1 else 'were'} fired"
        if lost_workers.are_all(workers):
            breaches.append(lost_workers.of_images(fired, workers))
        else:
            breaches.append(Breach(validity.ENDS_BY_ITSELF, f"{fired} before the run was stopped"))
    breaches += [*standstills.silent_ends(result), *hold_ups.breaches(result)]
    breaches += missing_users.given_up(result) + list(missing_users.breaches(result))
    if course.stalled:
        what = f"the run was ended, since nobody could make the requests that were left: {course.stalled}"
        breaches.append(Breach(validity.ENDS_BY_ITSELF, what))
    if workers.n_unaccounted:
        what = f"{requests(workers.n_unaccounted)} that workers reported did not arrive"
        breaches.append(Breach(validity.WORKERS_STAY, what, "run again"))
    return tuple(breaches)


def _doubts(result: RunResult) -> tuple[Breach, ...]:
    search = result.search
    breaches = []
    if search is not None and search.rate_rps is None and not _is_none_known_to_hold(result):
        breaches.append(Breach(validity.FINDS_A_RATE, search.found, _cure_of(search, result.levels[-1:])))
    if result.course.n_levels_left and result.course.gave_up_after_s is None and result.aborted is None:
        what = f"the run was stopped with {_levels_to_go(result)}"
        breaches.append(Breach(validity.ENDS_BY_ITSELF, what, "let it end by itself"))
    if result.server.wrong_model:
        breaches.append(Breach(validity.one_model_rule(result), result.server.wrong_model, ONE_MODEL_CURE))
    elif result.server.changed:
        what = f"the server's model changed during the run: {result.server.changed}"
        breaches.append(Breach(validity.one_model_rule(result), what))
    return tuple(breaches)


def _cure_of(search: SearchResult, last: Sequence[LevelResult]) -> str:
    """Return what to do about a search: a lower rate would have too few samples, too, where that was the reason."""
    has_too_few = any(one.finding is not None and one.finding.is_unknown for one in last)
    return "use a longer --level-duration" if has_too_few and not search.goes_on_with else search.cure


def _undecided(result: RunResult) -> tuple[Reason, ...]:
    open_ones = [held for held in result.thresholds if held.holds is None and not result.is_left_open(held)]
    return tuple(Reason(f"{_named(held)} cannot be judged: {held.why_unknown}", held.cure) for held in open_ones)


def _left_open(result: RunResult) -> tuple[Reason, ...]:
    """Return what is not known since a threshold has ended the run before."""
    open_ones = filter(result.is_left_open, result.thresholds)
    return tuple(Reason(f"{_named(held)} was not judged, since the run had been ended") for held in open_ones)


def _named(held: Held) -> str:
    return f"{told_words(held.threshold)}{f' at {held.place}' if held.place else ''}"


def _is_none_known_to_hold(result: RunResult) -> bool:
    """Whether a search found that no rate holds; where the lowest one only had too few samples, that is not known."""
    search = result.search
    if search is None or search.ending is not Ending.NONE_HOLDS:
        return False
    lowest = result.levels[-1].finding if result.levels else None
    return lowest is None or not lowest.is_unknown


def _crossed(result: RunResult) -> tuple[Reason, ...]:
    crossed = [held for held in result.thresholds if held.holds is False]
    reasons = [
        Reason(
            f"{told_words(held.threshold)} was crossed{' at ' + held.place if held.place else ''}: {_found(held)}",
            sweep_further(held, result.scaling),
        )
        for held in crossed
    ] + _ended_by_threshold(result)
    return tuple(reasons)


def _none_holds(result: RunResult) -> tuple[Breach, ...]:
    if result.search is None or not _is_none_known_to_hold(result):
        return ()
    return (Breach(validity.A_RATE_HOLDS, result.search.found, result.search.cure),)


def _ended_by_threshold(result: RunResult) -> list[Reason]:
    if result.aborted is None:
        return []
    last, seconds = result.aborted.held, result.aborted.crossed_s
    if last.level in {level.number for level in result.levels}:
        when = " at the level's end"  # the figure of all of it, whenever it was that its limit was crossed
    else:
        when = f", which had been crossed for {seconds:.0f} s" if seconds >= 1 else ""
    left = f", with {_levels_to_go(result)}" if result.course.n_levels_left else ""
    return [Reason(f"the run was ended by {told_words(last.threshold)}{when}{left}")]


def _found(held: Held) -> str:
    value = held.value
    assert value is not None  # no threshold is crossed without a figure
    if math.isinf(value):
        return "too many requests had no answer, or were dropped"
    return words_of(held).value
