"""What cures the reasons for which a run is INVALID: options that are to be others, or something else. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tfsload.analysis import exit_codes, missing_users, standstills, validity
from tfsload.analysis.held import Held
from tfsload.analysis.held_parallelism import wants_heavier
from tfsload.analysis.level_names import told_name
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.next_sweep import NextSweep, SweepAsked, as_options, heavier, longer, more_often, warmer
from tfsload.analysis.option_limits import MAX_LEVEL_S, MAX_USERS
from tfsload.analysis.percentiles import LEAST_PERCENTILE, samples_needed
from tfsload.analysis.result import RunResult
from tfsload.analysis.sweep import Sweep
from tfsload.analysis.threshold_words import told_words
from tfsload.analysis.verdict import Reason

# What is too short by an unknown share is made twice as long, and what has too few users gets twice as many.
_TWICE = 2.0
# Requests may be answered more slowly the next time, or be fewer by chance.
_TO_SPARE = 1.5
_LEVELLED = ("sweep", "rate", "find_max_rate")
# What to do where the reason itself does not say it.
_OTHERWISE = {
    validity.WORKERS_STAY: "mend what keeps that worker from taking part",
    validity.ENDS_BY_ITSELF: "let the run come to its end",
    validity.ONE_MODEL: "see that one model alone is served at this address",
    validity.ONE_MODEL_SAID: "see that one model alone is served at this address",
    validity.FINDS_A_RATE: "let the search come to its end",
}


@dataclass(frozen=True)
class FirstCure:
    """What to do about one reason.

    Attributes:
        options: that are to be others, as texts by name; empty: no option cures it.
        words: what to do, in words.
    """

    options: Mapping[str, str]
    words: str


def first_cure(result: RunResult) -> FirstCure | None:
    """Return what cures the first reason for which a run is INVALID; None: it is not."""
    return next(iter(cures(result)), None)


def cures(result: RunResult) -> tuple[FirstCure, ...]:
    """Return what cures each reason for which a run is INVALID, in their order; none: it is not.

    What was crossed besides is no such reason.
    """
    verdict = result.judged
    if verdict.exit_code != exit_codes.INVALID:
        return ()
    first, others = verdict.reasons[:1], verdict.reasons[1:]
    return tuple(_cure_of(result, one) for one in (*first, *(one for one in others if _is_invalidating(result, one))))


def _is_invalidating(result: RunResult, reason: Reason) -> bool:
    rule = next((rule for rule in result.judged.rules if str(reason) in rule.reasons), None)
    return rule.exit_code == exit_codes.INVALID if rule is not None else " cannot be judged: " in reason.what


def _cure_of(result: RunResult, reason: Reason) -> FirstCure:
    verdict = result.judged
    rule = next((rule.name for rule in verdict.rules if str(reason) in rule.reasons), "")
    of_rule = _BY_RULE.get(rule, _of_none)
    level = next((one for one in result.levels if validity.level_rule(one.name, one.number) == rule), None)
    if level is not None:
        options = _of_level(result, level, reason)
    elif rule:
        options = of_rule(result)
    else:
        options = _of_thresholds(result, reason)
    return FirstCure(options, reason.cure or _OTHERWISE.get(rule, "see the log for what went wrong"))


def _of_none(_result: RunResult) -> dict[str, str]:
    return {}


def _of_level(result: RunResult, level: LevelResult, reason: Reason) -> dict[str, str]:
    """Return what all levels want that are in doubt, where the reason's own one wants any of it."""
    name = told_name(result.levels, level)
    doubt = next((one for one in level.doubts if reason.what == f"{name}: {one.what}"), None)
    if doubt is None:
        is_drop = reason not in standstills.reasons_of_level(result, level)
        n_users = min(int(_TWICE * level.users), MAX_USERS)
        return {"num_users": str(n_users)} if is_drop and n_users > level.users else {}
    if not (doubt.wants_longer or doubt.wants_warmer):
        return {}
    # That a level had not settled may be the doing of others that took the CPU in this one or another.
    is_noisy = bool(result.noise_cure)
    doubts = [one for other in result.levels for one in other.doubts if not (is_noisy and other.is_of_drift(one))]
    wanted = _longer(result, _times_for_samples(result)) if any(one.wants_longer for one in doubts) else {}
    asked = _asked(result)
    warm = warmer(asked) if asked is not None and any(one.wants_warmer for one in doubts) else None
    return wanted | (as_options(warm) if warm is not None else {})


def _times_for_samples(result: RunResult) -> float:
    """Return how many times as long levels have to be, so that each has enough samples to be told anything of."""
    needed = samples_needed(LEAST_PERCENTILE)
    return max((_TO_SPARE * needed / one.answered for one in result.levels if 0 < one.answered < needed), default=1.0)


def _of_measuring(result: RunResult) -> dict[str, str]:
    return _lasting(result, _TWICE)


def _of_ending(result: RunResult) -> dict[str, str]:
    """Return a longer time for a run that had not fired all its images when its time was over."""
    course, n = result.course, result.totals.predictions
    if course.n_images_asked is None or course.run_time_s is None or not n or (course.ran_s or 0) < course.run_time_s:
        return {}
    return _run_time(_TO_SPARE * course.run_time_s * course.n_images_asked / n)


def _of_users(result: RunResult) -> dict[str, str]:
    """Return how many users to start a second, so that all run for half of the time at least."""
    run_time_s = result.course.run_time_s
    if not run_time_s or not missing_users.are_of_the_ramp(result):
        return {}
    return {"spawn_rate": str(math.ceil(_TWICE * result.users.n_users_asked / run_time_s))}


def _of_search(result: RunResult) -> dict[str, str]:
    search = result.search
    if search is None:
        return {}
    if search.goes_on_with:
        return {"find_max_rate": search.goes_on_with}
    is_unknown = any(one.finding is not None and one.finding.is_unknown for one in result.levels[-1:])
    if (search.is_undecided or is_unknown) and not result.noise_cure:
        return _longer(result, _times_for_samples(result))
    return {}


_BY_RULE: Mapping[str, Callable[[RunResult], dict[str, str]]] = {
    validity.MEASURED: _of_measuring,
    validity.ENDS_BY_ITSELF: _of_ending,
    validity.USERS_RUN: _of_users,
    validity.FINDS_A_RATE: _of_search,
}


def _of_thresholds(result: RunResult, reason: Reason) -> dict[str, str]:
    """Return what lets thresholds be judged that could not be, where the reason's own one is one of them."""
    undecided = [held for held in result.thresholds if held.holds is None and not result.is_left_open(held)]
    first = next((held for held in undecided if reason.what.startswith(f"{_named(held)} cannot be judged")), None)
    if first is None:
        return {}
    if first.threshold.is_of_sweep:
        wanted = _of_parallelism(result)
        return as_options(wanted) if wanted is not None else {}
    if not [*_times(result, first)]:
        return {}
    return _lasting(result, max(times for held in undecided for times in _times(result, held)))


def _of_parallelism(result: RunResult) -> NextSweep | None:
    """Return the sweep that its threshold's own cure asks for; None: none, or the sweep was not run to its end."""
    scaling = result.scaling
    if scaling is None or result.noise_cure:
        return None
    if scaling.interval is None:
        return scaling.answer.next if scaling.answer is not None else None
    asked = _asked(result)
    return heavier(asked) if wants_heavier(scaling.interval) else longer(asked) or more_often(Sweep(scaling.levels))


def _named(held: Held) -> str:
    return f"{told_words(held.threshold)}{f' at {held.place}' if held.place else ''}"


def _times(result: RunResult, held: Held) -> Iterator[float]:
    """Yield how many times as long it has to be measured so that a threshold can be judged, where that lets it be."""
    threshold = held.threshold
    level = next((one for one in result.levels if one.number == held.level), None)
    if threshold.is_of_sweep or (held.where and level is None):
        return
    if held.value is not None:  # one stall decides it, which others may have made that took the CPU
        if not result.noise_cure:
            yield _TWICE
    elif threshold.percentile is not None:
        n = _n_samples(result, level, held)
        yield math.ceil(samples_needed(threshold.percentile) / n) if n else _TWICE


def _n_samples(result: RunResult, level: LevelResult | None, held: Held) -> int:
    if level is None:
        totals = result.totals
        n_endless = totals.failed_requests if held.threshold.is_upper else 0
        return totals.requests - totals.failed_requests + n_endless
    if held.threshold.is_lag:
        return level.lag.count
    return level.answered + (level.failed_requests + level.dropped if held.threshold.is_upper else 0)


def _lasting(result: RunResult, times: float) -> dict[str, str]:
    """Return what makes a run measure so many times as long; nothing: it has no time of its own that may be longer."""
    options, course = result.asked.options, result.course
    if result.levels or any(options.get(name) for name in _LEVELLED):
        return _longer(result, times)
    return _run_time(times * max(course.run_time_s, course.deadline_s or 0)) if course.run_time_s else {}


def _run_time(seconds: float) -> dict[str, str]:
    return {"run_time": str(math.ceil(seconds))}


def _longer(result: RunResult, times: float) -> dict[str, str]:
    """Return levels that are so many times as long, and longer than the deadline; nothing: none may be so long."""
    asked = _asked(result)
    more = longer(asked) if asked is not None else None
    if asked is None or more is None or more.level_duration_s is None:
        return {}
    seconds = max(more.level_duration_s, math.ceil(times * asked.level_duration_s))
    return {"level_duration": f"{seconds:.12g}"} if seconds <= MAX_LEVEL_S else {}


def _asked(result: RunResult) -> SweepAsked | None:
    """Return what levels were asked for; None: what stands there is no number."""
    options = result.asked.options
    try:
        level_s, warm_up_s = float(options["level_duration"]), float(options["warm_up"])
        per_request = int(options.get("images_per_request") or 1)
    except (KeyError, ValueError):
        return None
    if not (0 < level_s < math.inf and 0 <= warm_up_s < math.inf):
        return None
    return SweepAsked(per_request, len(result.images.fired), level_s, result.course.deadline_s or 0.0, warm_up_s)
