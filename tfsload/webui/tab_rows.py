"""The rows of the suite's tabs on Locust's page: texts that stand in the report's tables, word for word. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tfsload.analysis.doubts import in_short
from tfsload.analysis.figures import NONE, by_code, count, latency_ms, percent, rate
from tfsload.analysis.held import Held
from tfsload.analysis.held_words import words_of
from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.report import states
from tfsload.report.asked_load import asked_load
from tfsload.report.page.answers import classes_table
from tfsload.report.page.cards import OF_A_PART, how_errors_stand, is_model_in_doubt, unsupported_as_a_whole
from tfsload.report.page.level_tables import levels_table
from tfsload.report.page.tables import Cell, Table
from tfsload.report.page.verdict_words import verdict_view
from tfsload.report.page.words import clean
from tfsload.report.percentile_words import AS_COUNTED, PERCENTILES_ARE
from tfsload.report.standing import NOTHING_COUNTED, Counters

Row = dict[str, str]

# The page draws all rows anew every two seconds.
MOST_CLASSES = 200
_SHORT = 12
# On a phone the page makes a column as narrow as its longest word, and a sentence a row as high as the screen: words of
# what is longer than a few are held together to so many letters.
_SENTENCE = 30
_LEAST_LINE = 32
_NO_BREAK = "\u00a0"
_ICONS = frozenset(states.ICONS.values())
UNDER_WAY, TO_COME, NOT_MEASURED = "under way", "to come", "not measured"


@dataclass(frozen=True)
class Column:
    """A column of a tab's table.

    Attributes:
        key: by which a row holds its text: letters alone, since Locust's page changes others, and not "name", which it
            sorts by.
        title: what stands above it.
        heading: of the same column of the report's table; empty: it has none.
    """

    key: str
    title: str
    heading: str = ""


@dataclass(frozen=True)
class Tab:
    """A tab. Its columns are always the same: Locust's page reads them once, before any run.

    Attributes:
        key: names it in the page's address.
        title: what it is called there.
        columns: of its table.
    """

    key: str
    title: str
    columns: tuple[Column, ...]

    def row(self, **texts: str) -> Row:
        """Return a row with these texts, and with "–" where there is none."""
        return {column.key: _held_together(clean(texts.get(column.key, NONE))) for column in self.columns}

    def rows(self, table: Table) -> list[Row]:
        """Return the rows of a report's table."""
        headings = [heading.text for heading in table.headings]
        return [self._of_report(dict(zip(headings, row.cells, strict=True))) for row in table.rows]

    def _of_report(self, cells: Mapping[str, Cell]) -> Row:
        texts = {one.key: _text(cells[one.heading]) for one in self.columns if one.heading in cells}
        return self.row(**texts)


LEVELS = Tab(
    "tfsload-levels",
    "Levels",
    (
        Column("level", "level", "level"),
        Column("state", "state", "state"),
        Column("rate", "requests/s", "requests/s"),
        Column("fold", "speed-up (sweep)", "speed-up"),
        Column("median", "p50 ms", "p50"),
        Column("ninety", "p90 ms", "p90"),
        Column("tail", "p99 ms", "p99"),
        Column("errors", "error rate", "errors"),
        Column("wrong", "wrong", "wrong"),
        Column("failed", "failed", "failed"),
        Column("mismatched", "mismatched (--verify)", "mismatched"),
        Column("dropped", "dropped (rates)", "dropped"),
        Column("remark", "what else is to be known"),
    ),
)
ACCURACY = Tab(
    "tfsload-accuracy",
    "Accuracy",
    (
        Column("label", "class", "class"),
        Column("images", "images", "images"),
        Column("right", "right", "right"),
        Column("wrong", "wrong", "wrong"),
        Column("failed", "failed (of all)"),
        Column("mismatched", "mismatched (of all, --verify)"),
        Column("errors", "error rate", "error rate"),
        Column("recall", "recall (of a class)", "recall"),
        Column("precision", "precision (of a class)", "precision"),
        Column("taken", "most taken for (of a class)", "most taken for"),
    ),
)
TABS = (LEVELS, ACCURACY)


def _text(cell: Cell) -> str:
    told = f"{cell.text} ({cell.note})" if cell.note else cell.text
    return with_icon(cell.state, told) if cell.state else told or NONE


def with_icon(state: str, word: str) -> str:
    """Return a state's word with its icon."""
    return f"{states.ICONS[state]} {word}"


def _held_together(text: str) -> str:
    """Return a cell of which no end of a line parts what is short, nor an icon from its word."""
    if len(text) > _SENTENCE:
        return _in_lines(text)
    n = -1 if len(text) <= _SHORT else int(text[:1] in _ICONS)
    return text.replace(" ", _NO_BREAK, n)


def _in_lines(text: str) -> str:
    held = ""
    n_held = 0
    for word in text.split(" "):
        fits = held and n_held + 1 + len(word) <= _LEAST_LINE
        n_held = n_held + 1 + len(word) if fits else len(word)
        held += f"{_NO_BREAK if fits else ' ' if held else ''}{word}"
    return held


def verdict_words(result: RunResult) -> tuple[str, str]:
    """Return how a run ended: its state, with its icon, and the sentence that says why."""
    view = verdict_view(result)
    return with_icon(view.state.key, view.state.word), "".join(piece.text for piece in view.lead)


def all_levels(result: RunResult, state: str, so_far: str = "") -> Row:
    """Return the row of all that counts; `so_far`: what its levels have come to, in words."""
    totals = result.totals
    of_the_run = [held for held in result.thresholds if not held.where]
    # Of levels those of all together would be of no load, and another kind of figure than theirs.
    known = {} if result.levels else totals.latency_ns
    percentiles = {key: latency_ms(known.get(p)) for key, p in (("median", 50), ("ninety", 90), ("tail", 99))}
    told = [so_far] if so_far else [*_not_held(of_the_run)]
    mark = ""
    if state != UNDER_WAY:  # as on the report's cards; of a run that goes on nobody knows yet
        mark = " ?" if unsupported_as_a_whole(result) else ""
        told += [OF_A_PART] if _is_a_part(result) else []
    figures = {"rate": rate(totals.requests_per_s), **percentiles}
    return LEVELS.row(
        level=_of_all(result),
        state=state,
        **{key: text if text == NONE else f"{text}{mark}" for key, text in figures.items()},
        **_errors(result),
        dropped=count(totals.dropped) if totals.offered else NONE,
        remark=" · ".join(filter(None, [*told, _percentiles(result)])) or NONE,
    )


def _is_a_part(result: RunResult) -> bool:
    """Whether a run that was to have levels has counted something, and none of them ended."""
    return not result.levels and bool(result.totals.requests) and asked_load(result).has_levels


def _percentiles(result: RunResult) -> str:
    """Say what the percentiles are of which the columns' heads say no more than the unit."""
    if result.levels:
        are_all_known = all(level.upper_end_ns.get(p) is not None for level in result.levels for p in (50, 90, 99))
        too_few = "" if are_all_known else ", or too few samples carry it"
        return f"{PERCENTILES_ARE}; {NONE}: of all together there is none{too_few}"
    return f"percentiles {AS_COUNTED}" if result.totals.latency_ns else ""


def _of_all(result: RunResult) -> str:
    return "all levels together" if len(result.levels) > 1 else "all"


def _errors(result: RunResult) -> Row:
    totals = result.totals
    if not totals.predictions:
        return {}
    failed = count(totals.n_failed)
    return {
        "errors": percent(totals.error_rate),
        "wrong": count(totals.wrong),
        "failed": f"{failed}: {by_code(totals.failed)}" if totals.failed else failed,
        "mismatched": count(totals.mismatched) if totals.compared else NONE,
    }


def levels(result: RunResult) -> list[Row]:
    """Return a row for each level that was measured."""
    rows = LEVELS.rows(levels_table(result)) if result.levels else []
    held = _held_by_level(result)
    for level, row in zip(result.levels, rows, strict=True):
        remark = clean(" · ".join(_remarks(level, held.get(level.number, ()))))
        row["remark"] = _held_together(remark) or NONE
    return rows


def _held_by_level(result: RunResult) -> dict[int, list[Held]]:
    """Return thresholds by level's number; of levels with one name, each threshold names them in their order."""
    found: dict[int, list[Held]] = {}
    numbers: dict[tuple[str, str], list[int]] = {}
    for held in result.thresholds:
        of_this_name = [level.number for level in result.levels if level.name == held.where]
        left = numbers.setdefault((held.threshold.text, held.where), of_this_name)
        if left:
            found.setdefault(left.pop(0), []).append(held)
    return found


def _remarks(level: LevelResult, thresholds: Iterable[Held]) -> Iterable[str]:
    """Yield which thresholds a level does not hold, and, in short, why its figures support no verdict."""
    yield from _not_held(thresholds)
    yield from dict.fromkeys(in_short(doubt.what) for doubt in level.doubts)


def _not_held(thresholds: Iterable[Held]) -> Iterable[str]:
    for words in map(words_of, thresholds):
        if words.state != "held":
            yield f"{words.asked} {words.state_word}: {words.why_unknown or words.value}"


def under_way(name: str, counted: Counters, *, is_open_load: bool, remark: str = "") -> Row:
    """Return the row of what is being measured: counters that are there anyway."""
    texts = {"level": name, "state": UNDER_WAY, "remark": remark or NONE}
    if counted == NOTHING_COUNTED:
        return LEVELS.row(**texts)
    return LEVELS.row(
        **texts,
        rate=rate(counted.rate_rps),
        errors=percent(counted.error_rate),
        wrong=count(counted.wrong),
        failed=count(counted.failed),
        mismatched=count(counted.mismatched) if counted.mismatched else NONE,
        dropped=count(counted.dropped) if is_open_load else NONE,
    )


def unmeasured(names: Sequence[str], state: str) -> list[Row]:
    """Return a row for each level that is to come, or never came."""
    return [LEVELS.row(level=name, state=state) for name in names]


def all_classes(result: RunResult, state: str) -> Row:
    """Return the row of all images: the error rate and its parts."""
    totals = result.totals
    if not totals.predictions:
        return ACCURACY.row(label=f"all: {state}")
    return ACCURACY.row(
        label=f"all: {_of_answers(result, state)}{_unlabelled(totals.wrong)}",
        images=count(totals.predictions),
        right=count(None if totals.wrong is None else totals.predictions - totals.wrong - totals.n_failed),
        **_errors(result),
    )


def _of_answers(result: RunResult, state: str) -> str:
    """Return a run's state beside its error rate, which stands where the verdict's question mark is of its speed."""
    if result.verdict is None or result.totals.wrong is None or state in (UNDER_WAY, TO_COME):
        return state
    standing = how_errors_stand(result)
    if not standing:
        return state
    word = states.of_run(result).word
    return (
        f"{state}, {standing}"
        if is_model_in_doubt(result)
        else f"of a run that is {word}; {standing.replace('it stands', 'the error rate stands', 1)}"
    )


def _unlabelled(wrong: int | None) -> str:
    return f" ({NO_LABELS})" if wrong is None else ""


def all_classes_under_way(counted: Counters) -> Row:
    """Return the same of what is being measured."""
    if counted == NOTHING_COUNTED:
        return ACCURACY.row(label=f"all: {UNDER_WAY}")
    return ACCURACY.row(
        label=f"all: {UNDER_WAY}{_unlabelled(counted.wrong)}",
        images=count(counted.predictions),
        right=count(None if counted.wrong is None else counted.predictions - counted.wrong - counted.failed),
        wrong=count(counted.wrong),
        failed=count(counted.failed),
        mismatched=count(counted.mismatched) if counted.mismatched else NONE,
        errors=percent(counted.error_rate),
    )


def classes(result: RunResult) -> list[Row]:
    """Return a row for each class; of very many, the first ones, and how many more there are."""
    rows = ACCURACY.rows(classes_table(result))
    if len(rows) <= MOST_CLASSES:
        return rows
    more = f"{count(len(rows) - MOST_CLASSES)} more: see the run's report"
    return [*rows[:MOST_CLASSES], ACCURACY.row(label=more)]
