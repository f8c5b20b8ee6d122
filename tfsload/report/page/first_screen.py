"""What a reader sees first: did it pass, does the server run in parallel, how fast, how often wrong. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tfsload.analysis import exit_codes
from tfsload.analysis.figures import at_once
from tfsload.analysis.next_sweep import as_flags, as_options
from tfsload.analysis.result import RunResult
from tfsload.analysis.scaling import Scaling, ScalingAnswer
from tfsload.report import next_run, units
from tfsload.report.asked_load import asked_load
from tfsload.report.command import command
from tfsload.report.load import load
from tfsload.report.page.cards import Card, cards
from tfsload.report.page.verdict_words import CURE, VerdictView, verdict_view
from tfsload.report.page.words import Sentence, sentence, stopped
from tfsload.report.sweep_answer import sweep_answer
from tfsload.report.where import where

_IN_PARALLEL, _HOW_MUCH = "Does the server run in parallel?", "How much does it hold?"
# Of a run that ended within its first level, or before it.
_UNFINISHED = {
    "search": (_HOW_MUCH, "Cannot tell: the search was not run to its end."),
}
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
class FirstScreen:
    """All of it.

    Attributes:
        subject: what was tested.
        context: where, what load, when.
        verdict: how the run ends.
        answer: what it was for; None: it was for nothing more.
        cards: the figures; empty: nothing was measured.
        next_command: what to run next: it cures the first reason told, or tells more; empty: no other command does it.
        outside: what to do before that, or before the same command is run again; empty: nothing.
        is_outside_told: whether it is the one cure that the verdict tells, in the same words.
    """

    subject: str
    context: tuple[str, ...]
    verdict: VerdictView
    answer: Answer | None
    cards: tuple[Card, ...]
    next_command: str = ""
    outside: Sentence = ()
    is_outside_told: bool = False


def first_screen(result: RunResult) -> FirstScreen:
    """Return what is seen first of a run."""
    coming, told = next_run.next_run(result), verdict_view(result)
    outside = stopped(coming.outside)
    lines = ("".join(piece.text for piece in line) for line in told.lines)
    return FirstScreen(
        subject(result),
        _context(result),
        told,
        _answer(result, coming.changes),
        cards(result),
        command(result, coming.changes) if coming.changes else "",
        sentence(outside),
        [line for line in lines if line.startswith(CURE)] == [f"{CURE}{outside}"],
    )


def subject(result: RunResult) -> str:
    """Return which model was tested."""
    server = result.server
    name = server.model_name or result.asked.options.get("model_name", "")
    version = f", version {server.model_version}" if server.model_version else ""
    return f"{name or 'a model'}{version}"


def _context(result: RunResult) -> tuple[str, ...]:
    server, course = result.server, result.course
    parts = [where(server.address, server.protocol, server.is_embedded), load(result)]
    began = units.moment(course.begun_unix_s)
    took = course.ended_unix_s - course.begun_unix_s
    parts.append(f"{began} · {units.span(took)}" if began and took > 0 else began)
    return tuple(part for part in parts if part)


def _with_confidence(result: RunResult, scaling: Scaling) -> str:
    """Return the answer of a sweep, in which the interval says how sure it is: no table stands beside it."""
    text, found = sweep_answer(result), scaling.interval
    if found is None:
        return text
    interval = f"({at_once(found.low)} to {at_once(found.high)})"
    return text.replace(interval, f"{interval.removesuffix(')')}, 95%)", 1)


def _without_options(text: str, answer: ScalingAnswer, changes: Mapping[str, str]) -> str:
    """Return the answer's text without the options that it advises, where the command with them stands below it."""
    wanted = answer.next
    if wanted is None or not as_options(wanted).items() <= changes.items():
        return text
    return text.replace(f" (`{as_flags(wanted)}`)", "", 1)


def _answer(result: RunResult, changes: Mapping[str, str]) -> Answer | None:
    if result.scaling is not None and result.scaling.answer is not None:
        text = _without_options(_with_confidence(result, result.scaling), result.scaling.answer, changes)
        head, *rest = _NEXT_SENTENCE.split(text)
        return Answer(_IN_PARALLEL, sentence(head), sentence(" ".join(rest)))
    if result.search is not None:
        head, *rest = _NEXT_SENTENCE.split(result.search.sentence)
        return Answer(_HOW_MUCH, sentence(head), sentence(" ".join(rest)))
    kind = asked_load(result).kind
    if kind not in _UNFINISHED or result.judged.exit_code == exit_codes.BAD_USAGE:
        return None
    question, told = _UNFINISHED[kind]
    return Answer(question, sentence(told), ())
