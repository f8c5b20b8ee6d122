"""What a reader sees first: did it pass, does the server run in parallel, how fast, how often wrong. Pure."""

import math
import re
from dataclasses import dataclass

from tfsload.analysis import exit_codes
from tfsload.analysis.figures import fold, percent, users
from tfsload.analysis.held import Held
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.analysis.totals import Totals
from tfsload.report import states, units
from tfsload.report.page.verdict_words import VerdictView, verdict_view
from tfsload.report.page.words import Sentence, sentence

# More levels than this are told by the first and the last one.
_MOST_NAMED = 6
# Where one sentence ends and the next begins; not in "p99.9" or "1.5 s".
_NEXT_SENTENCE = re.compile(r"(?<=[.:]) (?=[A-Z])")


@dataclass(frozen=True)
class Answer:
    """What the run was for, and what it came to.

    Attributes:
        question: for example, does the server run in parallel.
        answer: its first sentence.
        reasons: what follows.
    """

    question: str
    answer: Sentence
    reasons: Sentence


@dataclass(frozen=True)
class Card:
    """One of the figures that matter.

    Attributes:
        title: which one.
        value, unit: the figure.
        below: what else is to be known of it.
        state: "crossed" or "failed" where it is what a verdict rests on; else empty.
    """

    title: str
    value: str
    unit: str
    below: str
    state: str = ""


@dataclass(frozen=True)
class FirstScreen:
    """All of it.

    Attributes:
        subject: what was tested.
        context: where, what load, when.
        verdict: how the run ends.
        answer: what it was for; None: it was for nothing more.
        cards: the figures; empty: nothing was measured.
    """

    subject: str
    context: tuple[str, ...]
    verdict: VerdictView
    answer: Answer | None
    cards: tuple[Card, ...]


def first_screen(result: RunResult) -> FirstScreen:
    """Return what is seen first of a run."""
    return FirstScreen(subject(result), _context(result), verdict_view(result), _answer(result), _cards(result))


def subject(result: RunResult) -> str:
    """Return which model was tested."""
    server = result.server
    name = server.model_name or result.asked.options.get("model_name", "")
    version = f", version {server.model_version}" if server.model_version else ""
    return f"{name or 'a model'}{version}"


def _context(result: RunResult) -> tuple[str, ...]:
    server, course = result.server, result.course
    parts = [" · ".join(part for part in (server.address, protocol(server.protocol)) if part), load(result)]
    began = units.moment(course.begun_unix_s)
    took = course.ended_unix_s - course.begun_unix_s
    parts.append(f"{began} · {units.span(took)}" if began and took > 0 else began)
    return tuple(part for part in parts if part)


def protocol(name: str) -> str:
    """Return a protocol's name as people write it."""
    return {"grpc": "gRPC", "rest": "REST"}.get(name.lower(), name)


def load(result: RunResult) -> str:
    """Return what load there was, in words."""
    levels, search = result.levels, result.search
    if search is not None:
        return f"search from {units.rate(search.low_rps)} to {units.rate(search.high_rps)} requests/s"
    if levels:
        is_open = levels[0].rate_rps is not None
        what = [f"{level.rate_rps if level.rate_rps is not None else level.users:,.12g}" for level in levels]
        named = ", ".join(what) if len(what) <= _MOST_NAMED else f"{what[0]} to {what[-1]} in {len(what)} levels of"
        lasts = {level.duration_s for level in levels}
        each = f" · {units.span(lasts.pop())} each" if len(lasts) == 1 else ""
        return f"{'rates' if is_open else 'sweep'} of {named} {'requests/s' if is_open else 'users'}{each}"
    if result.course.n_images_asked is not None:
        return f"{units.count(result.course.n_images_asked)} images, each once"
    n_users = result.users.n_users_asked
    return users(n_users) if n_users else ""


def _answer(result: RunResult) -> Answer | None:
    if result.scaling is not None:
        head, *rest = _NEXT_SENTENCE.split(result.scaling.answer.sentence)
        return Answer("Does the server run in parallel?", sentence(head), sentence(" ".join(rest)))
    if result.search is not None:
        head, *rest = _NEXT_SENTENCE.split(result.search.sentence)
        return Answer("How much does it hold?", sentence(head), sentence(" ".join(rest)))
    return None


def _cards(result: RunResult) -> tuple[Card, ...]:
    totals = result.totals
    if not totals.requests:
        return ()
    if not result.levels:
        return (_errors(result), _fast_as_a_whole(totals), _soon_as_a_whole(result))
    best = states.best_level(result)
    return (_fast(result, best), _soon(result, best), _errors(result))


def _fast(result: RunResult, best: LevelResult | None) -> Card:
    title = "How fast: best throughput" if result.search is None else "How fast: highest rate that holds"
    if best is None:
        return Card(
            title, units.NONE, "", "no level is stable and without failures", _crossed(result, ("rate", "right_rate"))
        )
    below = [f"at {best.name}" if result.search is None else f"{best.name} offered"]
    alone = {level.users: level.speed_up for level in result.scaling.levels} if result.scaling else {}
    speed_up = alone.get(best.users)
    if best.users > 1 and speed_up is not None:
        below.append(f"{fold(speed_up)} one user")
    if best.rate_rps is not None:
        below.append(f"{units.count(best.offered)} requests")
    return Card(
        title, units.rate(best.achieved_rps), "requests/s", " · ".join(below), _crossed(result, ("rate", "right_rate"))
    )


def _soon(result: RunResult, best: LevelResult | None) -> Card:
    levels = result.levels
    if best is None:
        return _soon_without_verdict(result)
    below = []
    if (p50_ns := best.upper_end_ns.get(50)) is not None:
        below.append(f"p50 {_with_ms(p50_ns)}")
    crossing = [held for held in result.thresholds if held.holds is False and _is_latency(held)]
    known = [level for level in levels if level.upper_end_ns.get(99) is not None]
    worst = max(known, key=lambda level: level.upper_end_ns[99] or 0, default=None)
    if worst is not None and worst is not best:
        over = ": over the bound" if any(held.where == worst.name for held in crossing) else ""
        mark = " ?" if states.is_doubted(result, worst) else ""
        value = worst.upper_end_ns[99]
        if value is not None and math.isinf(value):
            below.append(f"no value ({units.ENDLESS}) at {worst.name}{mark}{over}")
        else:
            below.append(f"worst {_with_ms(value)} at {worst.name}{mark}{over}")
    elif crossing:
        below.append("over the bound")
    value = best.upper_end_ns.get(99)
    if value is None:
        below.append("too few samples carry p99")
    unit = "ms" if value is not None and math.isfinite(value) else ""
    return Card(
        f"How soon: p99 at {best.name}",
        units.latency_ms(value),
        unit,
        " · ".join(below),
        "crossed" if crossing else "",
    )


def _soon_without_verdict(result: RunResult) -> Card:
    known = [(level.upper_end_ns.get(99), level.name) for level in result.levels]
    values = [(value, name) for value, name in known if value is not None]
    is_crossed = any(held.holds is False and _is_latency(held) for held in result.thresholds)
    below = "no level is stable and without failures"
    if values:
        (least, at_least), (most, at_most) = min(values), max(values)
        span = f"{_with_ms(least)} at {at_least}" + (
            f" to {_with_ms(most)} at {at_most}" if at_least != at_most else ""
        )
        below += f": p99 {span}{', over the bound' if is_crossed else ''}"
    return Card("How soon: p99", units.NONE, "", below, "crossed" if is_crossed else "")


def _fast_as_a_whole(totals: Totals) -> Card:
    below = f"{units.count(totals.requests)} requests in {units.span(totals.duration_s)}"
    if totals.requests_per_s is not None and totals.predictions != totals.requests:
        below += f" · {units.rate(totals.images_per_s)} images/s"
    return Card("How fast: throughput", units.rate(totals.requests_per_s), "requests/s", below)


def _soon_as_a_whole(result: RunResult) -> Card:
    latency_ns, latency = result.totals.latency_ns, result.totals.latency
    is_crossed = any(held.holds is False and _is_latency(held) for held in result.thresholds)
    if not latency_ns:
        return Card("How soon: p99", units.NONE, "", "no request was answered", "crossed" if is_crossed else "")
    below = f"p50 {_with_ms(latency_ns.get(50))} · longest {_with_ms(latency.max_ns)}"
    if result.totals.failed_requests:
        below += " · of answered requests"
    below += " · over the bound" if is_crossed else ""
    return Card("How soon: p99", units.latency_ms(latency_ns.get(99)), "ms", below, "crossed" if is_crossed else "")


def _errors(result: RunResult) -> Card:
    totals = result.totals
    parts = [f"{units.count(totals.wrong)} wrong", f"{units.count(totals.n_failed)} failed"]
    if totals.compared:
        parts.append(f"{units.count(totals.mismatched)} mismatched")
    parts.append(f"of {units.count(totals.predictions)} predictions")
    crossed = _crossed(result, ("error_rate", "wrong_rate", "failed_rate", "mismatched_rate", "recall", "precision"))
    is_failed = result.judged.exit_code == exit_codes.FAILED and (totals.n_failed or totals.mismatched)
    value = percent(totals.error_rate)
    return Card(
        "How often wrong: error rate",
        value.removesuffix("%"),
        "%" if value.endswith("%") else "",
        " · ".join(parts) + (": over the bound" if crossed else ""),
        "failed" if is_failed else crossed,
    )


def _crossed(result: RunResult, metrics: tuple[str, ...]) -> str:
    """Return the state of a card whose figure a crossed threshold is about."""
    is_crossed = any(
        held.holds is False and re.split(r"\W", held.threshold.metric)[0] in metrics for held in result.thresholds
    )
    return "crossed" if is_crossed else ""


def _is_latency(held: Held) -> bool:
    return held.threshold.unit_kind == "duration" and not held.threshold.is_lag


def _with_ms(nanoseconds: float | None) -> str:
    text = units.latency_ms(nanoseconds)
    return text if text in (units.NONE, units.ENDLESS) else f"{text} ms"
