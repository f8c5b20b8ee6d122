"""The run to be made next, as it differs from the one that was made: it tells more, or anything at all. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tfsload.analysis.first_cure import FirstCure, cures
from tfsload.analysis.next_sweep import HEAVY, as_options
from tfsload.analysis.percentiles import LEAST_PERCENTILE, samples_needed
from tfsload.analysis.result import RunResult

_LARGER, _LASTING = "images_per_request", {"level_duration", "run_time"}

# The share of a lone request's time on its way from which on larger requests are what tells of the server.
_MOST_ON_THE_WAY = 0.5


@dataclass(frozen=True)
class NextRun:
    """What to run next.

    Attributes:
        changes: options that are to be others, as texts by name; empty: nothing is to be run, or no option says it.
        outside: of a run that supports no verdict, where no other option cures the first reason: what is to be done
            before the next run; else empty.
    """

    changes: Mapping[str, str] = field(default_factory=dict)
    outside: str = ""


def next_run(result: RunResult) -> NextRun:
    """Return what to run next: what cures all for which it is INVALID, as far as options do, else what tells more."""
    found, of_answer = cures(result), changes_of_answer(result)
    if not found:
        return NextRun(of_answer)
    curing = _all_others(result, found)
    outside = "" if _others(result, found[0].options) else found[0].words
    if not curing:
        return NextRun(outside=outside)
    beside = {name: text for name, text in of_answer.items() if name != _LARGER}
    return NextRun({**beside, **_larger(result, curing), **curing}, outside)


def _all_others(result: RunResult, found: Sequence[FirstCure]) -> dict[str, str]:
    """Return what cures all reasons: of two values of one option the larger one, where they are numbers."""
    curing: dict[str, str] = {}
    for cure in found:
        options = _others(result, cure.options)
        # How much longer it has to last is reckoned from this run's rate, which larger requests would change.
        if (_LARGER in options and _LASTING & curing.keys()) or (_LARGER in curing and _LASTING & options.keys()):
            continue
        curing |= {name: text for name, text in options.items() if _is_more(text, curing.get(name))}
    return curing


def _larger(result: RunResult, curing: Mapping[str, str]) -> dict[str, str]:
    """Return larger requests for a sweep of single images that spend most of their time on the way, as Check advises.

    Such a sweep tells little of the server also where nothing else is in its way any more.
    """
    options = result.asked.options
    if not options.get("sweep") or _LARGER in curing:
        return {}
    # As many requests fewer there may be: levels are to be long enough for them.
    has_enough = all(one.answered >= HEAVY * samples_needed(LEAST_PERCENTILE) for one in result.levels)
    if _LASTING & curing.keys() and not has_enough:
        return {}
    alone = next((one for one in result.levels if one.users == 1 and one.answered), None)
    if options.get(_LARGER) != "1" or alone is None or alone.round_trip_ns is None:
        return {}
    is_on_the_way = alone.round_trip_ns >= _MOST_ON_THE_WAY * alone.latency.mean_ns
    n_images = min(HEAVY, len(result.images.fired))
    return _others(result, {_LARGER: str(n_images)}) if is_on_the_way and n_images else {}


def _is_more(text: str, other: str | None) -> bool:
    """Whether a value is to take the place of another one, which an earlier reason asks for."""
    if other is None:
        return True
    one, before = _number(text), _number(other)
    return isinstance(one, float) and isinstance(before, float) and one > before


def changes(result: RunResult) -> Mapping[str, str]:
    """Return the options that are to be others, as texts by name; empty: nothing is to be run, or no option says it."""
    return next_run(result).changes


def changes_of_answer(result: RunResult) -> Mapping[str, str]:
    """Return the same by a sweep's answer alone."""
    answer = result.scaling.answer if result.scaling is not None else None
    wanted = answer.next if answer is not None else None
    return {} if wanted is None else _others(result, as_options(wanted))


def _others(result: RunResult, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return those options that the run has, and has otherwise."""
    options = result.asked.options
    return {name: text for name, text in wanted.items() if name in options and _value(text) != _value(options[name])}


def _value(text: str) -> tuple[float | str, ...]:
    """Return what an option's text says, in which blanks and the way a number is written say nothing.

    >>> _value("1, 2,1") == _value("1,2,1"), _value("10") == _value("10.0"), _value("1:4") == _value("1:5")
    (True, True, False)
    """
    parts = [part.strip() for part in text.split(",")]
    return tuple(map(_number, parts))


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
