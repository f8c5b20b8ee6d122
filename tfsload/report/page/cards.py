"""The three figures that matter: how fast, how soon, how often wrong. Pure."""

import math
from dataclasses import dataclass

from tfsload.analysis import exit_codes, missing_users
from tfsload.analysis.answer_kinds import is_overcorrected
from tfsload.analysis.figures import at_once, percent, share, users
from tfsload.analysis.held_words import UP_TO
from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.level_names import told_name
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.no_answer import none_answered
from tfsload.analysis.result import RunResult
from tfsload.analysis.scaling import Scaling
from tfsload.analysis.scaling_answer import times_one_user
from tfsload.analysis.sweep import PLATEAU
from tfsload.report import states, units
from tfsload.report.asked_load import asked_load
from tfsload.report.fewer_users import why_fewer
from tfsload.report.page.crossed import Crossed, is_p99, of_errors, of_latency, of_throughput
from tfsload.report.percentile_words import AS_COUNTED

# Of levels as good as the best so many are named.
_MOST_NAMED = 3
# Behind the title of a figure that is the upper end of a percentile; what is no such end is "as counted".
_UP_TO = f", {UP_TO.strip()}"
# Of a run that supports no verdict some levels may: the card's is one of them.
_OF_A_SOUND_LEVEL = "this level is not in doubt"


@dataclass(frozen=True)
class Card:
    """One of the figures that matter.

    Attributes:
        title: which one.
        value, unit: the figure.
        below: what else is to be known of it.
        state: "crossed" or "failed" where it is what a verdict rests on, "invalid" where it supports none; else empty.
        crossing, crossing_unit: the figure that crossed a threshold on this very one, where it is another, and its
            unit with where that was; empty: none did, or it is the one above.
    """

    title: str
    value: str
    unit: str
    below: str
    state: str = ""
    crossing: str = ""
    crossing_unit: str = ""

    @property
    def kind(self) -> str:
        """Which question it answers: "How fast", "How soon" or "How often wrong"."""
        return self.title.partition(":")[0]

    @property
    def bound(self) -> str:
        """What stands before the figure where its title does not: "up to" where it is an upper end; else empty."""
        return UP_TO if self.title.endswith(_UP_TO) else ""


# Of what a run with levels counted that was stopped in the first of them.
OF_A_PART = "of a level that was not measured to its end"


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
    crossed = of_throughput(result)
    higher = states.higher_level(result, best) if best is not None else None
    if best is None:
        below = [states.why_none_is_best(result), *crossed.told]
        return Card(title, units.NONE, "", " · ".join(below), crossed.state, *crossed.figure(None))
    below = [f"at {told_name(result.levels, best)}" if result.search is None else f"{best.name} offered"]
    if higher is not None:
        title = "How fast: at least"
        more = f"{units.rate(higher.throughput_rps)} at {users(higher.users)}"
        below[0] += f"; more users add less than {share(PLATEAU)} ({more})"
    if best.predictions != best.requests:
        below.append(f"{units.rate(best.images_per_s)} images/s")
    alone = {level.users: level.speed_up for level in result.scaling.levels} if result.scaling else {}
    speed_up = alone.get(best.users)
    if best.users > 1 and speed_up is not None and result.scaling is not None:
        below.append(_seen_from_outside(speed_up, result.scaling))
    below += _near(result, best) if higher is None else []
    if best.rate_rps is not None:
        below.append(f"{units.count(best.offered)} requests")
    unsupported = unsupported_as_a_whole(result)
    if result.judged.exit_code == exit_codes.INVALID and not unsupported:
        below.append(_OF_A_SOUND_LEVEL)
    below += crossed.told
    state, figure = crossed.state or unsupported, crossed.figure(best.achieved_rps)
    return Card(title, units.rate(best.achieved_rps), "requests/s", " · ".join(below), state, *figure)


def _seen_from_outside(speed_up: float, scaling: Scaling) -> str:
    """Return a speed-up beside what the answer says of the server alone: they differ, and both are right."""
    has_way = scaling.round_trip_ns is not None
    told = times_one_user(speed_up, has_way)
    if not has_way or scaling.interval is None or is_overcorrected(scaling.interval):
        return told
    return f"{told}; in the server alone about {at_once(scaling.interval.value)} requests at once"


def _near(result: RunResult, best: LevelResult) -> list[str]:
    """Return at how many users more throughput was as that of the best level, or little less."""
    near = result.scaling.best_users if result.scaling is not None else ()
    others = [n_users for n_users in near if n_users > best.users]
    if not others:
        return []
    if len(others) > _MOST_NAMED:
        named = f"{len(others)} more levels, {units.count(others[0])} to {users(others[-1])}"
    elif others[1:]:
        named = f"{', '.join(map(units.count, others[:-1]))} and {users(others[-1])}"
    else:
        named = users(others[0])
    return [f"no faster at {named}"]


def _soon(result: RunResult, best: LevelResult | None) -> Card:
    crossed = of_latency(result)
    if best is None:
        return _soon_without_verdict(result, crossed)
    below = []
    if (p50_ns := best.upper_end_ns.get(50)) is not None:
        below.append(f"p50 {_up_to(p50_ns)}")
    worst = max(
        (level for level in result.levels if level.upper_end_ns.get(99) is not None),
        key=lambda level: level.upper_end_ns[99] or 0,
        default=None,
    )
    # Where the worst one crosses a threshold, that is told once.
    if worst is not None and worst is not best and (crossed.worst is None or crossed.worst.level != worst.number):
        mark = " (in doubt)" if states.is_doubted(result, worst) else ""
        told = _up_to(worst.upper_end_ns[99])
        below.append(f"{'' if units.ENDLESS in told else 'worst '}{told} at {told_name(result.levels, worst)}{mark}")
    value = best.upper_end_ns.get(99)
    if value is None:
        below.append("too few samples carry p99")
    below += crossed.told
    unit = "ms" if value is not None and math.isfinite(value) else ""
    state = crossed.state or unsupported_as_a_whole(result)
    title = f"How soon: p99 at {told_name(result.levels, best)}{_UP_TO if unit else ''}"
    return Card(title, units.latency_ms(value), unit, " · ".join(below), state, *crossed.figure(value))


def _soon_without_verdict(result: RunResult, crossed: Crossed) -> Card:
    known = [(level.upper_end_ns.get(99), told_name(result.levels, level)) for level in result.levels]
    values = [(value, name) for value, name in known if value is not None]
    below = [states.why_none_is_best(result)]
    if values:
        (least, at_least), (most, at_most) = min(values), max(values)
        if at_least == at_most:
            below.append(f"p99 {_up_to(least)} at {at_least}")
        else:
            below.append(f"p99: lowest {_up_to(least)} at {at_least}, highest {_up_to(most)} at {at_most}")
    below += crossed.told
    return Card("How soon: p99", units.NONE, "", " · ".join(below), crossed.state, *crossed.figure(None))


def _fast_as_a_whole(result: RunResult) -> Card:
    totals, crossed = result.totals, of_throughput(result)
    below = [f"{units.count(totals.requests)} requests in {units.span(totals.duration_s)}"]
    if asked_load(result).has_levels:
        below.append(OF_A_PART)
    if totals.requests_per_s is not None and totals.predictions != totals.requests:
        below.append(f"{units.rate(totals.images_per_s)} images/s")
    if (why := why_fewer(result)) and not (missing_users.notes(result) or missing_users.breaches(result)):
        below.append(f"{result.users.n:,} of {users(result.users.n_users_asked)}: {why}")
    below += crossed.told
    rate = units.rate(totals.requests_per_s)
    state, figure = crossed.state or unsupported_as_a_whole(result), crossed.figure(totals.requests_per_s)
    return Card("How fast: throughput", rate, "requests/s", " · ".join(below), state, *figure)


def _soon_as_a_whole(result: RunResult) -> Card:
    totals, crossed = result.totals, of_latency(result)
    if not totals.latency_ns:
        below = [none_answered(totals.failed), *crossed.told]
        return Card("How soon: p99", units.NONE, "", " · ".join(below), crossed.state, *crossed.figure(None))
    # What a threshold is held against is what is shown, so that the two agree.
    held = next((one for one in result.thresholds if is_p99(one) and not one.where and one.value is not None), None)
    value = totals.latency_ns.get(99) if held is None else held.value
    is_end = held is not None and held.threshold.is_upper
    answered = f"p50 {_with_ms(totals.latency_ns.get(50))} · longest {_with_ms(totals.latency.max_ns)}"
    if is_end:
        answered = f"{AS_COUNTED} p99 {_with_ms(totals.latency_ns.get(99))} · {answered}"
    if not totals.failed_requests:
        below = [answered]
    elif is_end:
        share = percent(totals.failed_requests / totals.requests)
        below = [f"of all requests, {share} of them without an answer", f"of those answered: {answered}"]
    else:
        below = [answered, "of answered requests"]
    below += crossed.told
    unit = "ms" if value is not None and math.isfinite(value) else ""
    state = crossed.state or unsupported_as_a_whole(result)
    figure = crossed.figure(value)
    title = f"How soon: p99{(_UP_TO if is_end else f', {AS_COUNTED}') if unit else ''}"
    return Card(title, units.latency_ms(value), unit, " · ".join(below), state, *figure)


def unsupported_as_a_whole(result: RunResult) -> str:
    """Return the state of a figure of a run that supports no verdict as a whole; empty: it does, or levels of it do."""
    is_invalid = result.judged.exit_code == exit_codes.INVALID
    return "invalid" if is_invalid and (not result.levels or states.is_doubted_as_a_whole(result)) else ""


def _errors(result: RunResult) -> Card:
    totals, crossed = result.totals, of_errors(result)
    parts = [NO_LABELS if totals.wrong is None else f"{units.count(totals.wrong)} wrong"]
    parts.append(f"{units.count(totals.n_failed)} failed")
    if totals.compared:
        parts.append(f"{units.count(totals.mismatched)} mismatched")
    parts.append(f"of {units.count(totals.predictions)} predictions")
    state, standing = crossed.state, "" if totals.wrong is None else how_errors_stand(result)
    if result.judged.exit_code == exit_codes.FAILED and (totals.n_failed or totals.mismatched):
        state = "failed"
    elif standing and is_model_in_doubt(result):
        state = "invalid"
    below = [" · ".join(parts), *crossed.told, *([standing] if standing else [])]
    value = percent(totals.error_rate)
    unit = "%" if value.endswith("%") else ""
    figure = crossed.figure(totals.error_rate)
    return Card("How often wrong: error rate", value.removesuffix("%"), unit, " · ".join(below), state, *figure)


def how_errors_stand(result: RunResult) -> str:
    """Say of a run that supports no verdict whether its error rate does; empty: the run is another one."""
    if result.judged.exit_code != exit_codes.INVALID:
        return ""
    if is_model_in_doubt(result):
        return "of more than one model, perhaps"
    if result.workers.lost or result.workers.n_unaccounted:
        return "without what was lost with workers"
    return "it stands all the same: answers are counted, not timed"


def is_model_in_doubt(result: RunResult) -> bool:
    """Whether more than one model may have answered: of neither its errors are known then."""
    return bool(result.server.wrong_model or result.server.changed)


def _up_to(value_ns: float | None) -> str:
    """Return a percentile's upper end in words."""
    is_figure = value_ns is not None and math.isfinite(value_ns)
    return f"{UP_TO if is_figure else ''}{_with_ms(value_ns)}"


def _with_ms(nanoseconds: float | None) -> str:
    text = units.latency_ms(nanoseconds)
    if text == units.ENDLESS:
        return f"no value ({text})"
    return text if text == units.NONE else f"{text} ms"
