"""The levels on the terminal: a row a level, what the rows mean, and how throughput grew with users."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tfsload.analysis.figures import (
    NONE,
    at_once,
    count,
    digits,
    fold,
    latency,
    latency_ms,
    percent,
    rate,
    share,
    users,
)
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.levels import PERCENTILES
from tfsload.analysis.percentiles import samples_needed
from tfsload.analysis.scaling import Scaling
from tfsload.analysis.sweep import PLATEAU
from tfsload.report.percentile_words import PERCENTILES_ARE
from tfsload.report.states import HOLDS
from tfsload.report.tables import Column, Table, fitted

# What marks a level that supports no verdict.
DOUBTED = " ?"
# What a wide terminal shows beside the rest, all or nothing.
_BESIDES = ("p95 ms", "max ms", "offered", "wrong", "straddling")
# In which order the rest is left out.
_LEAVING = (
    *("in flight", "p90 ms", "p99.9 ms", "lag p99 ms", "p50 ms", "speed-up"),
    *("failed", "mismatched", "dropped", "stable", "p99 ms", "errors", "req/s", "holds"),
)
_WORDS = ("level", "stable", "holds")


def table(
    rows: Sequence[LevelResult],
    width: int,
    holds: Sequence[bool | None] = (),
    doubted: Collection[int] = (),
    speed_ups: Mapping[int, float] | None = None,
) -> Table:
    """Return the levels' figures, a row each, in a table of at most so many characters a line.

    Args:
        rows: the levels'.
        width: of the table.
        holds: of a limit search: whether the level's rate holds, by row, None: one stall decides it; else empty.
        doubted: numbers of levels that support no verdict.
        speed_ups: of a closed sweep: throughput against that of one user, by level's number.
    """
    return fitted(columns(rows, holds, doubted, speed_ups), width)


# Long because each column is named.
def columns(
    rows: Sequence[LevelResult],
    holds: Sequence[bool | None] = (),
    doubted: Collection[int] = (),
    speed_ups: Mapping[int, float] | None = None,
) -> list[Column]:
    """Return all columns that these levels have; the arguments are those of `table`."""
    is_open = any(row.rate_rps is not None for row in rows)
    cells = {
        "level": [_name(row) + (DOUBTED if row.number in doubted else "") for row in rows],
        "req/s": [rate(row.achieved_rps) for row in rows],
    }
    if speed_ups:
        cells["speed-up"] = [_speed_up(speed_ups.get(row.number)) for row in rows]
    cells["in flight"] = [f"{row.mean_in_flight:,.2f}" for row in rows]
    for percentile in PERCENTILES:
        cells[f"p{percentile:g} ms"] = [latency_ms(row.upper_end_ns[percentile]) for row in rows]
    cells["max ms"] = [latency_ms(row.latency.max_ns if row.answered else None) for row in rows]
    if is_open:
        cells["lag p99 ms"] = [latency_ms(row.lag_p99_ns) for row in rows]
        cells["offered"] = [count(row.offered) for row in rows]
        cells["dropped"] = [count(row.dropped) for row in rows]
    if any(row.wrong is not None for row in rows):  # without labels none is
        cells["errors"] = [percent(row.error_rate) for row in rows]
        cells["wrong"] = [count(row.wrong) for row in rows]
    cells["failed"] = [count(row.n_failed) for row in rows]
    if any(row.compared for row in rows):
        cells["mismatched"] = [count(row.mismatched) for row in rows]
    cells["straddling"] = [count(row.straddling) for row in rows]
    cells["stable"] = [_stable(row, row.number in doubted) for row in rows]
    if holds:
        cells["holds"] = [HOLDS[one] for one in holds]
    return [_column(heading, of_rows) for heading, of_rows in cells.items()]


def _stable(row: LevelResult, is_doubted: bool) -> str:
    """Return whether a level was steady; of one that is in doubt for another reason, a yes would speak for it."""
    if not row.is_stable:
        return "NO"
    return DOUBTED.strip() if is_doubted else "yes"


def _column(heading: str, cells: Sequence[str]) -> Column:
    leaves = 0 if heading in _BESIDES else _LEAVING.index(heading) + 1 if heading in _LEAVING else None
    return Column(heading, cells, heading in _WORDS, leaves)


def row_to_come(
    row: LevelResult, names: Sequence[str], speed_up: float | None, hold: Sequence[bool | None] = ()
) -> list[Column]:
    """Return a level's columns for a table to which others will be added.

    Args:
        row: the level that has ended.
        names: of all levels, as far as they are known.
        speed_up: of a closed sweep: throughput against that of one user; None: there is none.
        hold: of a limit search: whether its rate holds, as of `table`.
    """
    is_doubted = bool(row.doubts) and not row.is_probe
    shown = columns([row], hold, [row.number] if is_doubted else (), {row.number: speed_up} if speed_up else None)
    least = {"level": max(map(len, map(_short, names)), default=0) + len(DOUBTED), "req/s": len("123,456")}
    return [replace(one, least=max(least.get(one.heading, 0), one.least)) for one in shown]


def _name(row: LevelResult) -> str:
    return _short(row.name)


def _short(name: str) -> str:
    """Return a level's name, shorter than it is told in a sentence."""
    return name.replace(" requests/s", "/s")


def _speed_up(value: float | None) -> str:
    return NONE if value is None else fold(value)


def notes(
    rows: Sequence[LevelResult],
    shown: Table,
    holds: Sequence[bool | None] = (),
    doubted: Collection[int] = (),
) -> list[str]:
    """Return what explains a table of levels, as `table` has made it of the same arguments."""
    lines = [f"{PERCENTILES_ARE[0].upper()}{PERCENTILES_ARE[1:]}."]
    missing = [p for p in PERCENTILES if any(row.upper_end_ns[p] is None for row in rows)]
    if missing := [p for p in missing if f"p{p:g} ms" not in shown.left_out]:
        wanted = ", ".join(f"p{p:g} wants {count(samples_needed(p))}" for p in missing)
        lines.append(f"–: too few samples carry it ({wanted}).")
    if any(math.inf in row.upper_end_ns.values() for row in rows):
        lines.append("∞: so many requests had no answer, or were dropped.")
    if any(row.number in doubted for row in rows):
        lines.append("?: such a level supports no verdict; the reason stands below.")
    if None in holds:
        lines.append("open: one stall decides a threshold; such a rate is held once more, at full length.")
    if shown.left_out:
        lines.append(f"Left out for want of room: {', '.join(one.removesuffix(' ms') for one in shown.left_out)}.")
    return lines


def scaling_figures(scaling: Scaling) -> list[tuple[str, str]]:
    """Return how throughput grew with users: figures, each with its label."""
    figures = []
    if failing := [f"{users(level.users)} ({count(level.n_failed)})" for level in scaling.levels if level.n_failed]:
        text = f"{', '.join(failing)} had requests without an answer; req/s and speed-up are of answers alone"
        figures.append(("not used", text))
    if scaling.interval is not None and scaling.alone_ns is not None:
        figures.append(("throughput", _best(scaling)))
        value, low, high = map(at_once, (scaling.interval.value, scaling.interval.low, scaling.interval.high))
        service = _service(scaling.alone_ns, scaling.round_trip_ns)
        figures.append(("parallelism", f"{value} ({low} to {high} at 95%): that throughput × {service}"))
    if scaling.usl is not None:
        sigma, kappa = scaling.usl.sigma, scaling.usl.kappa
        text = (
            f"contention σ {sigma.value:.3f} ({sigma.low:.3f} to {sigma.high:.3f}), "
            f"coherency κ {kappa.value:.5f} ({kappa.low:.5f} to {kappa.high:.5f}) at 95%"
        )
        figures.append(("scaling law", text))
    return figures


def _best(scaling: Scaling) -> str:
    """Return the throughput that parallelism rests on: a mean, where a page's card has the best level's alone."""
    *others, last = [count(n_users) for n_users in scaling.best_users]
    best = f"{digits(scaling.best_rps or 0)} requests/s"
    if others:
        best += f", the mean of the levels within {share(PLATEAU)} of the best"
        return f"{best} ({', '.join(others)} and {last} users)"
    (n_users,) = scaling.best_users
    n_runs = next(level.n_runs for level in scaling.levels if level.users == n_users)
    return f"{best}, {'' if n_runs == 1 else f'the mean of {n_runs} levels '}at {users(n_users)}"


def _service(alone_ns: float, round_trip_ns: float | None) -> str:
    if round_trip_ns is None:
        return f"{latency(alone_ns)} alone"
    return f"({latency(alone_ns)} alone − {latency(round_trip_ns)} on the way)"
