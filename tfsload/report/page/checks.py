"""What a run was held to, and what its figures do not carry. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfsload.analysis.held import Held
from tfsload.analysis.held_words import words_of
from tfsload.analysis.level_names import told_name
from tfsload.analysis.percentiles import samples_needed
from tfsload.analysis.result import RunResult
from tfsload.analysis.threshold_words import told_words
from tfsload.report import units
from tfsload.report.page.level_tables import PERCENTILES
from tfsload.report.page.tables import Cell, Heading, Row, Table
from tfsload.report.page.verdict_words import is_of_a_threshold, notes_of
from tfsload.report.page.words import Sentence, sentence
from tfsload.report.thresholds import at_worst

_STATES = {"held": "pass", "crossed": "crossed", "unknown": "invalid"}


def thresholds_table(result: RunResult) -> Table:
    """Return each threshold where it was held worst."""
    return _table("Thresholds", at_worst(result.thresholds))


def all_thresholds_table(result: RunResult) -> Table:
    """Return each threshold at each level; empty where the table above holds as much."""
    held = result.thresholds
    return _table("Thresholds at each level, as a table", held if len(held) > len(at_worst(held)) else ())


def _table(name: str, thresholds: Sequence[Held]) -> Table:
    has_places = any(held.where for held in thresholds)
    headings = (
        Heading("threshold", True),
        *((Heading("at", True),) if has_places else ()),
        Heading("measured"),
        Heading("margin"),
        Heading("result", True),
    )
    rows = [_threshold_row(held) for held in thresholds]
    if not has_places:
        rows = [Row((row.cells[0], *row.cells[2:]), row.state) for row in rows]
    notes = ["crossed: the figure lies on the wrong side of its limit."] if _has_state(thresholds, "crossed") else []
    if _has_state(thresholds, "unknown"):
        notes.append("cannot be judged: what was measured does not carry it; the doubts say why.")
    if any(not words_of(held).margin for held in thresholds):
        notes.append(f"{units.NONE}: there is no figure, or no share of the limit says how far it is.")
    return Table(name, headings, tuple(rows), tuple(notes))


def _has_state(thresholds: Sequence[Held], state: str) -> bool:
    return any(words_of(held).state == state for held in thresholds)


def _threshold_row(held: Held) -> Row:
    words = words_of(held)
    found = _STATES[words.state]
    cells = (
        Cell(words.asked),
        Cell(words.where),
        Cell(words.value),
        Cell(words.margin or units.NONE),
        Cell(words.state_word, found),
    )
    return Row(cells, "" if held.holds else found)


@dataclass(frozen=True)
class DoubtView:
    """Something that the figures do not carry.

    Attributes:
        of: what it is about.
        what: what was found, and what to do.
    """

    of: str
    what: Sentence


def doubts(result: RunResult) -> tuple[DoubtView, ...]:
    """Return all that is to be known before a figure is relied on; of a run without figures, nothing."""
    if not (result.totals.requests or result.levels):
        return ()
    found: dict[tuple[str, str], None] = {}
    for level in result.levels:
        for doubt in level.doubts:
            found[told_name(result.levels, level), str(doubt)] = None
    told = {f"{of}: {what}" for of, what in found}
    names = [told_name(result.levels, level) for level in result.levels]
    for reason in result.judged.reasons:
        if is_of_a_threshold(result, reason):
            if reason.cure:  # what was crossed stands in the table; that something may be done about it does not
                found["thresholds", str(reason)] = None
        elif str(reason) not in told:
            of = next((name for name in names if reason.what.startswith(f"{name}: ")), "")
            found[of or "the run", str(reason).removeprefix(f"{of}: ") if of else str(reason)] = None
    for text in _unknown(result):
        found["thresholds", text] = None
    found.update({("the model", warning): None for warning in result.warnings})
    found.update({("to know", note): None for note in notes_of(result)})
    found.update(dict.fromkeys(_not_given(result)))
    found.update(dict.fromkeys(_not_counted(result)))
    return tuple(DoubtView(of, sentence(what)) for of, what in found)


def _unknown(result: RunResult) -> list[str]:
    told = " ".join(result.judged.sentences)
    return [
        f"{told_words(held.threshold)}{f' at {held.place}' if held.place else ''}: {held.unknown_and_cure}"
        for held in result.thresholds
        # What another threshold's abort left open is told among the notes, and has no cure.
        if held.holds is None and held.why_unknown not in told and not result.is_left_open(held)
    ]


def _not_given(result: RunResult) -> list[tuple[str, str]]:
    """Return which percentiles are left out of which levels, and what would bring them."""
    rows = []
    for percentile in PERCENTILES:
        lacking = [level for level in result.levels if level.upper_end_ns.get(percentile) is None]
        if lacking:
            all_of_them = len(lacking) == len(result.levels) > 1
            where = "every level" if all_of_them else ", ".join(told_name(result.levels, level) for level in lacking)
            what = f"p{percentile:g} is not given: it wants {samples_needed(percentile):,} samples; "
            rows.append((where, what + "a longer --level-duration has them"))
    return rows


def _not_counted(result: RunResult) -> list[tuple[str, str]]:
    uncounted, totals, workers = result.uncounted, result.totals, result.workers
    rows = []
    if uncounted.requests or uncounted.cut_off:
        failed = f", {uncounted.failed_requests:,} of them without an answer" if uncounted.failed_requests else ""
        cut_off = f"; {uncounted.cut_off:,} more were cut off" if uncounted.cut_off else ""
        rows.append(("not counted", f"{uncounted.requests:,} requests {result.of_uncounted}{failed}{cut_off}"))
    if totals.cut_off:
        rows.append(("not counted", f"{totals.cut_off:,} requests in flight when their users were stopped"))
    if workers.n_discarded:
        rows.append(("not counted", f"{workers.n_discarded:,} requests of workers that left; others made them again"))
    if result.others.names:
        rows.append(("beside predictions", ", ".join(result.others.names)))
    return rows
