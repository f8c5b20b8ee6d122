"""Which thresholds go with the load that was asked for: one that nothing could ever be held against is a fault."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tfsload.analysis.next_sweep import SUGGESTED, as_option
from tfsload.analysis.threshold_kinds import RIGHT_RATE, plain_number
from tfsload.analysis.thresholds import Threshold
from tfsload.transport.words import quoted

# What says that a run has levels, and which; a field that is missing could not be read.
_SWEEP, _RATES, _SEARCH = "load.sweep", "load.rates", "load.find_max_rate"
_MOST_NAMED = 12
_IMAGES_PER_REQUEST = "model.images_per_request"
# What says how much a level of open load can answer.
_OF_RATES = ("load.level_duration_s", "load.warm_up_s", _IMAGES_PER_REQUEST)
_DEVIATIONS = 10


def faults(fields: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with thresholds, as values by `Option.field`, a sentence each."""
    thresholds: tuple[Threshold, ...] = fields.get("checks.thresholds") or ()
    is_open = any(fields.get(field) or field not in fields for field in (_RATES, _SEARCH))
    found = [] if is_open else _each(thresholds, _is_of_open_load, _WITHOUT_OPEN_LOAD)
    if fields.get("checks.verify") == 0:
        why = "nothing is compared; pass --verify N, or leave the threshold out"
        found += _each(thresholds, lambda one: one.metric == "mismatched_rate", why, "without --verify")
    if fields.get(_SEARCH):
        return found + _of_search(thresholds)
    if not {_SWEEP, _RATES, _SEARCH} <= set(fields):
        return found
    found += _of_levels(thresholds, fields[_SWEEP], fields[_RATES]) + _of_parallelism(thresholds, fields[_SWEEP])
    return found + _of_rates(thresholds, fields)


_WITHOUT_OPEN_LOAD = "there is no such figure without --rate or --find-max-rate"


def _is_of_open_load(threshold: Threshold) -> bool:
    return threshold.is_lag or threshold.metric == "dropped_rate"


def _each(
    thresholds: Iterable[Threshold], is_wrong: Callable[[Threshold], bool], why: str, beside: str = ""
) -> list[str]:
    return [_fault(one, why, beside) for one in thresholds if is_wrong(one)]


def _fault(threshold: Threshold, why: str, beside: str = "") -> str:
    """Return what is wrong with a threshold; `beside`: with or without which option it is."""
    return f"--threshold {quoted(threshold.text)}{' ' if beside else ''}{beside}: {why}"


def _of_search(thresholds: tuple[Threshold, ...]) -> list[str]:
    found = []
    for one in thresholds:
        if one.metric in ("rate", RIGHT_RATE):
            found.append((one, "the search sets the rate; leave it out"))
        if one.names_level:
            found.append((one, "each has to hold at every rate that is tried; leave users= and rate= out"))
        if one.aborts:
            found.append((one, "what is crossed is what the search looks for; leave abort out"))
        if one.is_of_sweep:
            found.append((one, _NO_SWEEP))
    return [_fault(one, why, "with --find-max-rate") for one, why in found]


_NO_SWEEP = (
    f"requests at once are told by a sweep that begins with one user: pass --sweep, such as {as_option(SUGGESTED)}"
)


def _of_levels(thresholds: tuple[Threshold, ...], sweep: tuple[int, ...], rates: tuple[float, ...]) -> list[str]:
    """Return what names a level that the run does not have."""
    if sweep and rates:
        return []  # which of them it is, is another fault
    beside = "with --sweep" if sweep else "with --rate" if rates else ""
    return [
        _fault(one, _cure(one, sweep, rates), beside)
        for one in thresholds
        if one.names_level and not _has(one, sweep, rates)
    ]


def _has(threshold: Threshold, sweep: tuple[int, ...], rates: tuple[float, ...]) -> bool:
    if threshold.users is not None:
        return threshold.users in sweep
    return threshold.rate_rps in rates


def _cure(threshold: Threshold, sweep: tuple[int, ...], rates: tuple[float, ...]) -> str:
    is_users = threshold.users is not None
    named = (
        f"users={threshold.users}" if threshold.users is not None else f"rate={plain_number(threshold.rate_rps or 0)}"
    )
    if not (sweep or rates):
        flag = "--sweep" if is_users else "--rate"
        return f"the run has no levels: pass {flag} with {named.partition('=')[2]} in it, or leave {named} out"
    key, levels = ("users", sweep) if sweep else ("rate", rates)
    texts = [plain_number(float(level)) for level in dict.fromkeys(levels)]
    more = f" and {len(texts) - _MOST_NAMED:,} more" if len(texts) > _MOST_NAMED else ""
    return f"the run has no level {named}: expected {key}= one of {', '.join(texts[:_MOST_NAMED])}{more}"


def _of_parallelism(thresholds: tuple[Threshold, ...], sweep: tuple[int, ...]) -> list[str]:
    """Return what no sweep of these levels could tell, or hold."""
    of_sweep = [one for one in thresholds if one.is_of_sweep]
    if 1 not in sweep or len(set(sweep)) < 2:
        return _each(of_sweep, lambda _: True, _NO_SWEEP, "with this --sweep" if sweep else "")
    most = max(sweep)
    more = f"of {most} users no more requests than these are in flight; pass a --sweep over more"

    def beyond(is_wrong: Callable[[Threshold], bool], why: str) -> list[str]:
        return _each(of_sweep, is_wrong, why, "with this --sweep")

    return [
        *beyond(lambda one: not one.is_upper and one.holds(most) is False, f"can never be held: {more}"),
        *beyond(lambda one: one.is_upper and one.holds(most) is True, f"can never be crossed: {more}, or ask for less"),
    ]


def _of_rates(thresholds: tuple[Threshold, ...], fields: Mapping[str, Any]) -> list[str]:
    """Return what is about more, or less, than levels of open load could ever answer."""
    rates: tuple[float, ...] = fields[_RATES]
    if fields[_SWEEP] or not set(_OF_RATES) <= set(fields):
        return []
    found = []
    for one in thresholds:
        about = [rate for rate in rates if one.metric in ("rate", RIGHT_RATE) and one.is_about(0, rate)]
        per_answer = fields[_IMAGES_PER_REQUEST] if one.metric == RIGHT_RATE else 1
        most = {rate: per_answer * _most_rps(rate, fields) for rate in about}
        # Each of the levels has to hold it.
        if not one.is_upper and (short := [rate for rate in about if not one.holds(most[rate])]):
            found.append((one, "held", short[0], most[short[0]]))
        elif one.is_upper and about and all(one.holds(most[rate]) for rate in about):
            found.append((one, "crossed", max(about), most[max(about)]))
    return [
        _fault(
            one,
            f"can never be {what}: at {plain_number(rate)} requests a second no more than {at_most:,.0f}/s are "
            "answered; ask for less, or for other rates",
            "with this --rate",
        )
        for one, what, rate, at_most in found
    ]


def _most_rps(rate_rps: float, fields: Mapping[str, Any]) -> float:
    """Return the most requests a second that a level could ever answer.

    What was due in its warm-up may all be late, and arrivals at random are more than their rate by chance, but
    never by more than ten standard deviations and one request.
    """
    duration_s: float = fields["load.level_duration_s"]
    due: float = rate_rps * (duration_s + fields["load.warm_up_s"])
    return (due + _DEVIATIONS * math.sqrt(due) + 1) / duration_s
