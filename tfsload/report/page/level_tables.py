"""The levels of a run: what was measured, and what the load generator itself was like. Pure."""

import math
from collections.abc import Callable, Sequence

from tfsload.analysis.answer_kinds import is_overcorrected
from tfsload.analysis.doubts import BUSY_SHARE, LATE_NS, LATE_SHARE_OF_LATENCY, WAIT_SHARE_OF_LATENCY, WAITED_SHARE
from tfsload.analysis.figures import at_once, fold, latency, percent, share
from tfsload.analysis.level_names import told_name
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.percentiles import samples_needed
from tfsload.analysis.result import RunResult
from tfsload.analysis.scaling import Scaling
from tfsload.analysis.stability import TOLERANCE
from tfsload.analysis.sweep import PLATEAU
from tfsload.analysis.taken_by_others import TAKEN_SHARE
from tfsload.report import states, units
from tfsload.report.page.tables import Cell, Heading, Row, Table, figures
from tfsload.report.percentile_words import PERCENTILES_ARE
from tfsload.report.speed_ups import are_of_a_mean, speed_ups

PERCENTILES = (50.0, 90.0, 99.0, 99.9)

_OTHERS_LIMITS = (
    f"CPUs taken by other programs, of those that the run's own processes and the server may use: in the way from "
    f"{share(TAKEN_SHARE)} on, where next to nothing of them is idle."
)

Column = tuple[Heading, Callable[[LevelResult], Cell]]


def levels_table(result: RunResult, to_come: Sequence[str] = ()) -> Table:
    """Return the levels' figures.

    Args:
        result: of the run.
        to_come: names of levels that have not ended, the one under way first.
    """
    levels = result.levels
    columns = _columns(result)
    rows = [Row(tuple(cell(level) for _, cell in columns), _row_state(result, level)) for level in levels]
    rows += [
        Row((Cell(name), Cell("to come" if index else "under way"), *[Cell(units.NONE)] * (len(columns) - 2)))
        for index, name in enumerate(to_come)
    ]
    return Table("Levels", tuple(heading for heading, _ in columns), tuple(rows), _notes(result))


def _row_state(result: RunResult, level: LevelResult) -> str:
    found = states.of_level(result, level).key
    return "" if found == "pass" else found


# Long because each column of the table is named.
def _columns(result: RunResult) -> list[Column]:
    levels = result.levels
    best = states.best_level(result)
    columns: list[Column] = [
        (Heading("level", True), lambda level: Cell(level.name, note="best" if level is best else "")),
        (Heading("state", True), lambda level: _state_cell(result, level)),
    ]
    if result.probes_hold:
        by_number = dict(zip((level.number for level in levels), result.probes_hold, strict=False))
        columns.append((Heading("holds", True), lambda level: Cell(states.HOLDS[by_number.get(level.number)])))
    columns.append((Heading("requests/s"), _plain(lambda level: units.rate(level.achieved_rps))))
    if result.scaling is not None:
        found = speed_ups(result)
        if found:
            columns.append((Heading("speed-up"), _plain(lambda level: _fold(found.get(level.number)))))
    columns.append((Heading("in flight"), _plain(lambda level: f"{level.mean_in_flight:,.2f}")))
    columns += [(Heading(f"p{p:g}"), _percentile(p)) for p in PERCENTILES]
    columns.append((Heading("max"), _plain(lambda level: units.latency_ms(_longest_ns(level)))))
    if any(level.rate_rps is not None for level in levels):
        columns += [
            (Heading("lag p99"), _plain(lambda level: units.latency_ms(level.lag_p99_ns))),
            (Heading("offered"), _plain(lambda level: units.count(level.offered))),
            (Heading("dropped"), _plain(lambda level: units.count(level.dropped))),
        ]
    if result.images.is_labelled:
        columns += [
            (Heading("errors"), _plain(lambda level: percent(level.error_rate))),
            (Heading("wrong"), _plain(lambda level: units.count(level.wrong))),
        ]
    columns.append((Heading("failed"), _plain(lambda level: units.count(level.n_failed))))
    if any(level.compared for level in levels):
        columns.append((Heading("mismatched"), _plain(lambda level: units.count(level.mismatched))))
    columns.append((Heading("straddling"), _plain(lambda level: units.count(level.straddling))))
    return columns


def _plain(text: Callable[[LevelResult], str]) -> Callable[[LevelResult], Cell]:
    return lambda level: Cell(text(level))


def _percentile(percentile: float) -> Callable[[LevelResult], Cell]:
    return _plain(lambda level: units.latency_ms(level.upper_end_ns.get(percentile)))


def _state_cell(result: RunResult, level: LevelResult) -> Cell:
    found = states.of_level(result, level)
    return Cell(found.word, found.key)


def _longest_ns(level: LevelResult) -> float | None:
    return level.latency.max_ns if level.answered else None


def _fold(speed_up: float | None) -> str:
    return units.NONE if speed_up is None else fold(speed_up)


def _notes(result: RunResult) -> tuple[str, ...]:
    levels = result.levels
    notes = [f"Latencies in ms; {PERCENTILES_ARE}."]
    missing = [p for p in PERCENTILES if any(level.upper_end_ns.get(p) is None for level in levels)]
    if missing:
        wanted = ", ".join(f"p{p:g} wants {samples_needed(p):,}" for p in missing)
        notes.append(f"{units.NONE}: too few samples carry it ({wanted}).")
    if any(math.inf in level.upper_end_ns.values() for level in levels):
        notes.append(f"{units.ENDLESS}: so many requests had no answer, or were dropped, that it has no value.")
    if result.scaling is not None and speed_ups(result):
        notes.append(_what_speed_up_is(result.scaling, are_of_a_mean(result)))
        if any(level.number not in speed_ups(result) for level in levels):
            notes.append(f"{units.NONE} as a speed-up: the level's throughput cannot be trusted.")
    words = {states.of_level(result, level).word for level in levels} & {"unstable", "doubted"}
    if words:
        notes.append(f"{', '.join(sorted(words))}: such a level supports no verdict; the doubts say why.")
    best = states.best_level(result)
    if best is not None and states.higher_level(result, best) is not None:
        notes.append(f"best: the fewest users to whose throughput more users add less than {share(PLATEAU)}.")
    if None in result.probes_hold:
        notes.append("open: one stall decides a threshold; such a rate is held once more, at full length.")
    settled = f"throughput and mean latency of each third within {share(TOLERANCE)} of its mean"
    notes.append(f"stable: {settled}, or as near as chance explains.")
    if result.scaling is None:
        notes.append("requests/s: its 95% interval in the chart is this level's own; equal runs differ by more.")
    else:
        notes.append("requests/s: in its 95% interval, in the chart, the scatter between equal levels is included.")
    notes.append("straddling: requests that lie across an end of the level, in none of its figures.")
    return tuple(notes)


def generator_table(result: RunResult) -> Table:
    """Return what the load generator was like in each level: where it was late or busy, figures are its own."""
    is_open = any(level.rate_rps is not None for level in result.levels)
    has_others = any(level.others is not None for level in result.levels)
    headings = (
        Heading("level", True),
        Heading("CPU of the busiest process"),
        Heading("kept waiting for a CPU"),
        *((Heading("CPUs taken by other programs"),) if has_others else ()),
        *((Heading("sent late by, p99 (ms)"),) if is_open else ()),  # closed load is due when it is sent
        Heading("round trip without the model (ms)"),
        Heading("processes"),
        Heading("users"),
    )
    rows = tuple(_generator_row(told_name(result.levels, level), level, is_open, has_others) for level in result.levels)
    notes = [_generator_limits(), *([_OTHERS_LIMITS] if has_others else [])]
    if any(cell.text == units.NONE for row in rows for cell in row.cells):
        notes.append(f"{units.NONE}: not measured, or by too few requests.")
    return Table("The load generator", headings, rows, tuple(notes))


def _generator_limits() -> str:
    """Return from where on a level is doubted for its load generator."""
    waits = f"kept waiting for {share(WAITED_SHARE)} of it and also each time for {share(WAIT_SHARE_OF_LATENCY)}"
    late = f"1 request in 100 sent late by {latency(LATE_NS)} and by {share(LATE_SHARE_OF_LATENCY)}"
    return (
        f"Limits: a CPU busy, or wanted, for {share(BUSY_SHARE)} of the time; {waits} of the median latency; "
        f"{late} of the median latency."
    )


def _taken(level: LevelResult) -> str:
    """Return the share of the CPUs that other programs took."""
    return units.NONE if level.others is None else f"{level.others.taken_share:.1%}"


def _generator_row(name: str, level: LevelResult, is_open: bool, has_others: bool) -> Row:
    busiest = max((one.busy for one in level.cpu), default=None)
    waited = max((one.waited for one in level.cpu), default=None)
    cells = figures(
        name,
        units.NONE if busiest is None else f"{busiest:.1%}",
        units.NONE if waited is None else f"{waited:.1%}",
        *((_taken(level),) if has_others else ()),
        *((units.latency_ms(level.lag_p99_ns),) if is_open else ()),
        units.latency_ms(level.round_trip_ns),
        units.count(level.n_workers),
        units.count(level.n_users),
    )
    return Row(cells)


def in_order_of_load(levels: Sequence[LevelResult]) -> list[LevelResult]:
    """Return levels by load, the least first."""
    return sorted(levels, key=lambda level: (level.rate_rps or 0.0, level.users, level.number))


def _what_speed_up_is(scaling: Scaling, is_of_a_mean: bool) -> str:
    """Return what the column holds, and why the answer's figure is another one."""
    of_one = "that of one user (the mean of its levels)" if is_of_a_mean else "that of one user"
    told = f"speed-up: throughput ÷ {of_one}, as the client sees it"
    if scaling.round_trip_ns is None or scaling.interval is None:
        return f"{told}."
    told += ": the way to the server and back, where any number of requests are under way at once, is in it."
    if is_overcorrected(scaling.interval):
        return told
    return f"{told} In the server alone there are about {at_once(scaling.interval.value)} requests at once."
