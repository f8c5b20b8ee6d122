"""A verdict in sentences: first what decided it, then the cure, then what else there is. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tfsload.analysis import exit_codes
from tfsload.analysis.held import Held
from tfsload.analysis.held_words import words_of
from tfsload.analysis.result import RunResult
from tfsload.analysis.threshold_words import told_words
from tfsload.analysis.verdict import Reason
from tfsload.report import states
from tfsload.report.page.reasons import grouped, where_failures_began
from tfsload.report.page.words import Sentence, capital, sentence, stopped, strong
from tfsload.report.states import State

# What is said beside the sentence that decides; the rest stands further below.
_MOST_LINES = 4
# So many thresholds that were crossed are told with their figures, and where something else decides, so many.
_MOST_TOLD, _MOST_BESIDES = 3, 2
CURE = "Cure: "
# So many thresholds that hold are named.
_MOST_HOLDING = 3


@dataclass(frozen=True)
class VerdictView:
    """How a run ends, for people.

    Attributes:
        state: as a word, with its colour.
        remark: on what the process ended with, where that is not the verdict's own exit code; else empty.
        lead: the sentence that says why.
        lines: the cure, and what else there is.
        n_more: reasons that are not among these.
    """

    state: State
    remark: str
    lead: Sentence
    lines: tuple[Sentence, ...]
    n_more: int


def verdict_view(result: RunResult) -> VerdictView:
    """Return a run's verdict in sentences."""
    verdict = result.judged
    sentences = [*_of_pass(result)] if verdict.exit_code == exit_codes.PASS else [*_of_others(result)]
    lead, *lines = sentences or [sentence("No reason was given.")]
    # What is not told below is told here.
    most = _n_told(lines) if result.totals.requests or result.levels else len(lines)
    return VerdictView(
        state=states.of_run(result),
        remark=_remark(result),
        lead=lead,
        lines=tuple(lines[:most]),
        n_more=len(lines) - most,
    )


def _n_told(lines: Sequence[Sentence]) -> int:
    """Return how many lines are told at once: a reason with its cure, and none less for a single one."""
    n = min(_MOST_LINES, len(lines))
    while n < len(lines) and (n == len(lines) - 1 or _is_cure(lines[n])):
        n += 1
    return n


def _remark(result: RunResult) -> str:
    if result.process_exit is not None and result.process_exit.remark:
        return result.process_exit.remark
    return f"exit code {result.exit_code}" if result.exit_code else ""


def _of_pass(result: RunResult) -> Iterable[Sentence]:
    texts = dict.fromkeys(held.threshold.text for held in result.thresholds)
    judged = sentence(stopped(capital(result.judged.judged)))
    if not texts:
        yield judged
        return
    tightest = min(result.thresholds, key=lambda held: math.inf if held.margin is None else held.margin)
    named = strong(words_of(tightest).asked)
    if len(texts) == 1:
        yield (*named, *sentence(f" holds: {_found(tightest, 'at worst ')}."))
    else:
        many = "Both" if len(texts) == 2 else f"All {len(texts)}"
        found = _found(tightest, "at worst ")
        yield (*sentence(f"{many} thresholds hold. The tightest: "), *named, *sentence(f", {found}."))
        if len(texts) <= _MOST_HOLDING:
            others = [words_of(one).asked for one in result.thresholds if one.threshold != tightest.threshold]
            yield _listed("The other one: " if len(texts) == 2 else "The others: ", others)
    if judged:
        yield judged


def _of_others(result: RunResult) -> Iterable[Sentence]:
    verdict = result.judged
    reasons = [reason for reason in verdict.reasons if not is_of_a_threshold(result, reason)]
    head = ""
    if verdict.exit_code == exit_codes.INVALID:
        head = "The run supports no verdict: "
    elif verdict.exit_code == exit_codes.BAD_USAGE:
        head = "The run was not begun: "
    if verdict.exit_code == exit_codes.THRESHOLD:
        yield from _all_crossed(result)
    for number, (lead, cure) in enumerate(grouped(result, reasons, bool(head))):
        yield (*sentence(head), *lead) if number == 0 else lead
        if number == 0 and verdict.exit_code == exit_codes.FAILED and (began := where_failures_began(result)):
            yield sentence(began)
        yield from _cured(cure)
    if verdict.exit_code != exit_codes.THRESHOLD:
        yield from _crossed_besides(result)
    else:
        yield from _holding(result)
    yield from (sentence(stopped(capital(note))) for note in notes_of(result))


def _all_crossed(result: RunResult) -> Iterable[Sentence]:
    """Say of the crossed thresholds how many there are, where there are several, and which, and of some how far."""
    crossed = [*_crossed(result)]
    if len(crossed) > 1:
        yield _listed(f"{len(crossed)} thresholds were crossed: ", [one.asked for one in crossed])
    for number, one in enumerate(crossed):
        if number < _MOST_TOLD:
            yield one.said
        yield from _cured(one.cure)


def _crossed_besides(result: RunResult) -> Iterable[Sentence]:
    """Say what was crossed where that does not decide how the run ends."""
    crossed = [*_crossed(result)]
    if len(crossed) > _MOST_BESIDES:
        yield _listed(f"Besides, {len(crossed)} thresholds were crossed: ", [one.asked for one in crossed])
    for one in crossed:
        if len(crossed) <= _MOST_BESIDES:
            yield (*sentence("Besides, "), *one.said)
        yield from _cured(one.cure)


def _cured(cure: str) -> Iterable[Sentence]:
    """Yield what to do, where something can be said."""
    if cure:
        yield sentence(f"{CURE}{stopped(cure)}")


def _is_cure(line: Sentence) -> bool:
    return bool(line) and line[0].text.startswith(CURE)


def notes_of(result: RunResult) -> tuple[str, ...]:
    """Return what helps with the verdict; what the images can see of accuracy stands with the answers."""
    of_accuracy = {one.sentence for one in result.accuracy}
    return tuple(str(note) for note in result.judged.notes if str(note) not in of_accuracy)


def is_of_a_threshold(result: RunResult, reason: Reason) -> bool:
    """Whether a reason says of a crossed threshold what is said here with its margin."""
    return any(held.holds is False and _is_of(held, reason) for held in result.thresholds)


def _is_of(held: Held, reason: Reason) -> bool:
    return reason.what.startswith(f"{told_words(held.threshold)} was crossed")


class _Crossed(NamedTuple):
    """A threshold that was crossed: as it is named, a sentence on it, and what to do, if anything."""

    asked: str
    said: Sentence
    cure: str


def _crossed(result: RunResult) -> Iterable[_Crossed]:
    """Say of each threshold that was crossed where it was so most, by how much, and what to do, if anything."""
    by_text: dict[str, list[Held]] = {}
    for held in result.thresholds:
        if held.holds is False:
            by_text.setdefault(held.threshold.text, []).append(held)
    for crossed in by_text.values():
        worst = min(crossed, key=lambda held: -math.inf if held.margin is None else held.margin)
        where = f" at {worst.place}" if worst.place else ""
        if len(crossed) > 1:
            where = f" at {_of_places(result, crossed)}, most{where}"
        said = sentence(f" was crossed{where}: {_value(worst)}{_margin(worst)}.")
        cure = next((one.cure for one in result.judged.reasons if one.cure and _is_of(worst, one)), "")
        asked = words_of(worst).asked
        yield _Crossed(asked, (*strong(asked), *said), cure)


def _of_places(result: RunResult, crossed: list[Held]) -> str:
    """Return at how many of the levels at which it was judged a threshold was crossed."""
    judged = [one for one in result.thresholds if one.threshold == crossed[0].threshold and one.holds is not None]
    if not _are_levels_left(result):
        return f"{len(crossed)} of {len(judged)} levels"
    of_all = f"all {len(judged)}" if len(crossed) == len(judged) else f"{len(crossed)} of the {len(judged)}"
    return f"{of_all} levels where it was measured"


def _are_levels_left(result: RunResult) -> bool:
    """Whether there were to be levels at which nothing was judged."""
    return bool(result.course.n_levels_left) or any(map(result.is_left_open, result.thresholds))


def _holding(result: RunResult) -> Iterable[Sentence]:
    broken = {held.threshold.text for held in result.thresholds if not held.holds}
    held = [one for one in result.thresholds if one.threshold.text not in broken]
    holding = [*dict.fromkeys(words_of(one).asked for one in held)]
    if not holding:
        return
    head = "The other one holds" if len(holding) == 1 else f"The other {len(holding)} hold"
    # At levels that were never run nothing holds.
    if _are_levels_left(result):
        head += " where it was measured" if len(holding) == 1 else " where they were measured"
    yield _listed(f"{head}: ", holding)


def _listed(head: str, asked: Iterable[str]) -> Sentence:
    """Return a sentence that names thresholds."""
    pieces: list[Sentence] = [sentence(head)]
    for number, text in enumerate(dict.fromkeys(asked)):
        pieces += [sentence(", ") if number else (), strong(text)]
    return tuple(piece for part in (*pieces, sentence(".")) for piece in part)


def _found(held: Held, how: str) -> str:
    return f"{how if held.where else ''}{_value(held)}{f' at {held.place}' if held.place else ''}{_margin(held)}"


def _value(held: Held) -> str:
    if held.value is not None and math.isinf(held.value):
        return "so many requests had no answer, or were dropped, that it has no value"
    return words_of(held).value


def _margin(held: Held) -> str:
    margin = words_of(held).margin
    return f", {margin}{'' if margin.endswith('bound') else ' the bound'}" if margin and _is_finite(held) else ""


def _is_finite(held: Held) -> bool:
    return held.value is not None and math.isfinite(held.value)
