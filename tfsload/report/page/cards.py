"""The three figures that matter: how fast, how soon, how often wrong. Pure."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tfsload.analysis import exit_codes
from tfsload.analysis.figures import at_once, percent, share, users
from tfsload.analysis.held import Held
from tfsload.analysis.held_words import words_of
from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.analysis.scaling import Scaling
from tfsload.analysis.scaling_answer import times_one_user
from tfsload.analysis.sweep import PLATEAU
from tfsload.report import states, units
from tfsload.report.asked_load import asked_load

# Of thresholds that were crossed beside a figure so many are named, and of levels as good as the best.
_MOST_NAMED = 3
# Of a run that supports no verdict some levels may: the card's is one of them.
_OF_A_SOUND_LEVEL = "this level is not in doubt"
_THROUGHPUT = ("rate", "right_rate", "dropped_rate", "parallelism")


@dataclass(frozen=True)
class Card:
    """One of the figures that matter.

    Attributes:
        title: which one.
        value, unit: the figure.
        below: what else is to be known of it.
        state: "crossed" or "failed" where it is what a verdict rests on, "invalid" where it supports none; else empty.
    """

    title: str
    value: str
    unit: str
    below: str
    state: str = ""

    @property
    def kind(self) -> str:
        """Which question it answers: "How fast", "How soon" or "How often wrong"."""
        return self.title.partition(":")[0]


def cards(result: RunResult) -> tuple[Card, ...]:
    """Return the figures; none where nothing was measured."""
    if not result.totals.requests:
        return ()
    if not result.levels:
        errors, *speed = _errors(result), _fast_as_a_whole(result), _soon_as_a_whole(result)
        return (*speed, errors) if asked_load(result).has_levels else (errors, *speed)
    best = states.best_level(result)
    return (_fast(result, best), _soon(result, best), _errors(result))


def images_rate(result: RunResult) -> str:
    """Return the images a second of what the card says how fast it was; empty: it says nothing."""
    totals = result.totals
    if not result.levels:
        return units.rate(totals.images_per_s) if totals.requests_per_s is not None else ""
    best = states.best_level(result)
    return units.rate(best.images_per_s) if best is not None else ""


def _fast(result: RunResult, best: LevelResult | None) -> Card:
    title = "How fast: best level" if result.search is None else "How fast: highest rate that holds"
    crossed = _of_throughput(result)
    if best is None:
        below = [states.why_none_is_best(result), *crossed.told(None)]
        return Card(title, units.NONE, "", " · ".join(below), crossed.state)
    below = [f"at {best.name}" if result.search is None else f"{best.name} offered"]
    if best.predictions != best.requests:
        below.append(f"{units.rate(best.images_per_s)} images/s")
    alone = {level.users: level.speed_up for level in result.scaling.levels} if result.scaling else {}
    speed_up = alone.get(best.users)
    if best.users > 1 and speed_up is not None and result.scaling is not None:
        below.append(_seen_from_outside(speed_up, result.scaling))
    below += _near(result, best)
    if best.rate_rps is not None:
        below.append(f"{units.count(best.offered)} requests")
    unsupported = _unsupported(result)
    if result.judged.exit_code == exit_codes.INVALID and not unsupported:
        below.append(_OF_A_SOUND_LEVEL)
    below += crossed.told(best.achieved_rps)
    state = crossed.state or unsupported
    return Card(title, units.rate(best.achieved_rps), "requests/s", " · ".join(below), state)


def _seen_from_outside(speed_up: float, scaling: Scaling) -> str:
    """Return a speed-up beside what the answer says of the server alone: they differ, and both are right."""
    has_way = scaling.round_trip_ns is not None
    told = times_one_user(speed_up, has_way)
    within = "" if scaling.interval is None else at_once(scaling.interval.value)
    return f"{told}; about {within} at once in the server alone" if has_way and within else told


def _near(result: RunResult, best: LevelResult) -> list[str]:
    """Return at how many users throughput came near to that of the best level."""
    levels = result.scaling.levels if result.scaling is not None else ()
    least_rps = best.achieved_rps * (1 - PLATEAU)
    near = [level.users for level in levels if level.is_trusted and level.throughput_rps >= least_rps]
    others = [n_users for n_users in near if n_users != best.users]
    if not others:
        return []
    if len(others) > _MOST_NAMED:
        named = f"{len(others)} more levels, {units.count(others[0])} to {users(others[-1])}"
    elif others[1:]:
        named = f"{', '.join(map(units.count, others[:-1]))} and {users(others[-1])}"
    else:
        named = users(others[0])
    return [f"within {share(PLATEAU)} of it at {named}"]


def _soon(result: RunResult, best: LevelResult | None) -> Card:
    crossed = _of_latency(result)
    if best is None:
        return _soon_without_verdict(result, crossed)
    below = []
    if (p50_ns := best.upper_end_ns.get(50)) is not None:
        below.append(f"p50 {_with_ms(p50_ns)}")
    worst = max(
        (level for level in result.levels if level.upper_end_ns.get(99) is not None),
        key=lambda level: level.upper_end_ns[99] or 0,
        default=None,
    )
    # Where the worst one crosses a threshold, that is told once.
    if worst is not None and worst is not best and (crossed.worst is None or crossed.worst.where != worst.name):
        mark = " (in doubt)" if states.is_doubted(result, worst) else ""
        told = _with_ms(worst.upper_end_ns[99])
        below.append(f"{'' if units.ENDLESS in told else 'worst '}{told} at {worst.name}{mark}")
    value = best.upper_end_ns.get(99)
    if value is None:
        below.append("too few samples carry p99")
    below += crossed.told(value)
    unit = "ms" if value is not None and math.isfinite(value) else ""
    state = crossed.state or _unsupported(result)
    return Card(f"How soon: p99 at {best.name}", units.latency_ms(value), unit, " · ".join(below), state)


def _soon_without_verdict(result: RunResult, crossed: "_Crossed") -> Card:
    known = [(level.upper_end_ns.get(99), level.name) for level in result.levels]
    values = [(value, name) for value, name in known if value is not None]
    below, most = [states.why_none_is_best(result)], None
    if values:
        (least, at_least), (most, at_most) = min(values), max(values)
        if at_least == at_most:
            below.append(f"p99 {_with_ms(least)} at {at_least}")
        else:
            below.append(f"p99: lowest {_with_ms(least)} at {at_least}, highest {_with_ms(most)} at {at_most}")
    below += crossed.told(most)
    return Card("How soon: p99", units.NONE, "", " · ".join(below), crossed.state)


def _fast_as_a_whole(result: RunResult) -> Card:
    totals, crossed = result.totals, _of_throughput(result)
    below = [f"{units.count(totals.requests)} requests in {units.span(totals.duration_s)}"]
    if asked_load(result).has_levels:
        below.append("of a level that was not measured to its end")
    if totals.requests_per_s is not None and totals.predictions != totals.requests:
        below.append(f"{units.rate(totals.images_per_s)} images/s")
    below += crossed.told(totals.requests_per_s)
    rate = units.rate(totals.requests_per_s)
    return Card("How fast: throughput", rate, "requests/s", " · ".join(below), crossed.state or _unsupported(result))


def _soon_as_a_whole(result: RunResult) -> Card:
    totals, crossed = result.totals, _of_latency(result)
    if not totals.latency_ns:
        below = ["no request was answered", *crossed.told(None)]
        return Card("How soon: p99", units.NONE, "", " · ".join(below), crossed.state)
    # What a threshold is held against is what is shown, so that the two agree.
    held = next((one for one in result.thresholds if _is_p99(one) and not one.where and one.value is not None), None)
    value = totals.latency_ns.get(99) if held is None else held.value
    answered = f"p50 {_with_ms(totals.latency_ns.get(50))} · longest {_with_ms(totals.latency.max_ns)}"
    if not totals.failed_requests:
        below = [answered]
    elif held is not None and held.threshold.is_upper:
        share = percent(totals.failed_requests / totals.requests)
        below = [f"of all requests, {share} of them without an answer", f"of those answered: {answered}"]
    else:
        below = [answered, "of answered requests"]
    below += crossed.told(value)
    unit = "ms" if value is not None and math.isfinite(value) else ""
    state = crossed.state or _unsupported(result)
    return Card("How soon: p99", units.latency_ms(value), unit, " · ".join(below), state)


def _unsupported(result: RunResult) -> str:
    """Return the state of a figure of a run that supports no verdict as a whole; empty: it does, or levels of it do."""
    is_invalid = result.judged.exit_code == exit_codes.INVALID
    return "invalid" if is_invalid and (not result.levels or states.is_doubted_as_a_whole(result)) else ""


def _errors(result: RunResult) -> Card:
    totals, crossed = result.totals, _of_errors(result)
    parts = [NO_LABELS if totals.wrong is None else f"{units.count(totals.wrong)} wrong"]
    parts.append(f"{units.count(totals.n_failed)} failed")
    if totals.compared:
        parts.append(f"{units.count(totals.mismatched)} mismatched")
    parts.append(f"of {units.count(totals.predictions)} predictions")
    state, standing = crossed.state, "" if totals.wrong is None else _how_errors_stand(result)
    if result.judged.exit_code == exit_codes.FAILED and (totals.n_failed or totals.mismatched):
        state = "failed"
    elif standing and _is_model_in_doubt(result):
        state = "invalid"
    below = [" · ".join(parts), *crossed.told(totals.error_rate), *([standing] if standing else [])]
    value = percent(totals.error_rate)
    unit = "%" if value.endswith("%") else ""
    return Card("How often wrong: error rate", value.removesuffix("%"), unit, " · ".join(below), state)


def _how_errors_stand(result: RunResult) -> str:
    """Say of a run that supports no verdict whether its error rate does; empty: the run is another one."""
    if result.judged.exit_code != exit_codes.INVALID:
        return ""
    if _is_model_in_doubt(result):
        return "of more than one model, perhaps"
    if result.workers.lost or result.workers.n_unaccounted:
        return "without what was lost with workers"
    return "it stands all the same: answers are counted, not timed"


def _is_model_in_doubt(result: RunResult) -> bool:
    return bool(result.server.wrong_model or result.server.changed)


@dataclass(frozen=True)
class _Crossed:
    """Thresholds that were crossed and are told beside a figure.

    Attributes:
        worst: of those on that very figure the one that was crossed the furthest; None: none was.
        others: what else was crossed, as it is named.
        own: all that was crossed on that figure.
    """

    worst: Held | None
    others: tuple[str, ...]
    own: tuple[Held, ...] = ()

    @property
    def state(self) -> str:
        """The card's state: it is marked by a threshold on its own figure only."""
        return "crossed" if self.worst is not None else ""

    def told(self, shown: float | None) -> list[str]:
        """Return what is said of them beside the figure that is shown, in the limit's unit; None: none is."""
        told = []
        if self.worst is not None:
            words = words_of(self.worst)
            margin = words.margin if words.margin.endswith("bound") else f"{words.margin or 'beyond'} the bound"
            value = "no value (∞)" if words.value == units.ENDLESS else words.value
            where = f" at {words.where}" if words.where else ""
            told.append(margin if self.worst.value == shown else f"{value}{where}: {margin}")
            told += self._how_many()
        if self.others:
            n_more = len(self.others) - _MOST_NAMED
            named = [*self.others[:_MOST_NAMED], *([f"{n_more} more"] if n_more > 0 else [])]
            verb = "was" if len(self.others) == 1 else "were"
            told.append(f"{_and(named)} {verb} crossed")
        return told

    def _how_many(self) -> list[str]:
        """Say how many were crossed on the figure, and which, where that is more than the one of which it is told."""
        asked = [*dict.fromkeys(words_of(held).asked for held in self.own)]
        if len(asked) > 1:
            more = [f"{len(asked) - _MOST_NAMED} more"] if len(asked) > _MOST_NAMED else []
            return [f"{len(asked)} thresholds on it were crossed: {_and([*asked[:_MOST_NAMED], *more])}"]
        if len(self.own) > 1:
            times = Counter(held.where for held in self.own)
            where = [name if n == 1 else f"{name} ({n}×)" for name, n in times.items()]
            more = [f"{len(where) - _MOST_NAMED} more"] if len(where) > _MOST_NAMED else []
            return [f"crossed at {len(self.own)} levels: {_and([*where[:_MOST_NAMED], *more])}"]
        return []


def _and(named: Sequence[str]) -> str:
    """Return names as a sentence has them."""
    return " and ".join(part for part in (", ".join(named[:-1]), named[-1]) if part)


def _crossed(result: RunResult, is_own: Callable[[Held], bool], is_near: Callable[[Held], bool]) -> _Crossed:
    crossed = [held for held in result.thresholds if held.holds is False]
    own = [held for held in crossed if is_own(held)]
    worst = min(own, key=lambda held: -math.inf if held.margin is None else held.margin, default=None)
    others = dict.fromkeys(held.threshold.subject for held in crossed if is_near(held) and not is_own(held))
    return _Crossed(worst, tuple(others), tuple(own))


def _of_throughput(result: RunResult) -> _Crossed:
    return _crossed(result, lambda held: held.threshold.metric == "rate", _is_of_throughput)


def _of_latency(result: RunResult) -> _Crossed:
    return _crossed(result, _is_p99, lambda held: held.threshold.unit_kind == "duration")


def _of_errors(result: RunResult) -> _Crossed:
    return _crossed(
        result,
        lambda held: held.threshold.metric == "error_rate",
        lambda held: held.threshold.unit_kind != "duration" and not _is_of_throughput(held),
    )


def _is_of_throughput(held: Held) -> bool:
    return held.threshold.metric in _THROUGHPUT


def _is_p99(held: Held) -> bool:
    return held.threshold.percentile == 99 and not held.threshold.is_lag


def _with_ms(nanoseconds: float | None) -> str:
    text = units.latency_ms(nanoseconds)
    if text == units.ENDLESS:
        return f"no value ({text})"
    return text if text == units.NONE else f"{text} ms"
