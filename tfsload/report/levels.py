"""The sweep on the terminal: a row a level, and what the rows say."""

import math
from collections.abc import Collection, Sequence

from tfsload.analysis.figures import at_once, fold, milliseconds, percent, users
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.levels import PERCENTILES
from tfsload.analysis.percentiles import samples_needed
from tfsload.analysis.scaling import Scaling

# What marks a level that supports no verdict.
DOUBTED = " !"
_HOLDS = {True: "yes", False: "no", None: "open"}


def table(rows: Sequence[LevelResult], holds: Sequence[bool | None] = (), doubted: Collection[int] = ()) -> list[str]:
    """Return the levels' figures, a line each below the heading; latencies in µs.

    Args:
        rows: the levels'.
        holds: of a limit search: whether the level's rate holds, by row, None: one stall decides it; else empty.
        doubted: numbers of levels that support no verdict.
    """
    is_open = any(row.rate_rps is not None for row in rows)
    has_mismatches = any(row.compared for row in rows)
    heading = ["level", "achieved/s", "in flight", *(f"p{p:g}" for p in PERCENTILES), "max"]
    heading += ["lag p99", "offered", "dropped"] if is_open else []
    heading += ["errors", "wrong", "failed", *(["mismatched"] if has_mismatches else []), "straddling", "stable"]
    lines = [heading, *(_cells(row, is_open, has_mismatches, row.number in doubted) for row in rows)]
    if holds:
        for line, cell in zip(lines, ["holds", *(_HOLDS[one] for one in holds)], strict=True):
            line.append(cell)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]


def _cells(row: LevelResult, is_open: bool, has_mismatches: bool, is_doubted: bool) -> list[str]:
    cells = [
        row.name + (DOUBTED if is_doubted else ""),
        f"{row.achieved_rps:,.1f}",
        f"{row.mean_in_flight:,.2f}",
    ]
    cells += [_microseconds(row.upper_end_ns[percentile]) for percentile in PERCENTILES]
    cells.append(_microseconds(row.latency.max_ns if row.answered else None))
    if is_open:
        cells.append(_microseconds(row.lag_p99_ns))
        cells += [f"{row.offered:,}", f"{row.dropped:,}"]
    cells += [percent(row.error_rate), f"{row.wrong:,}", f"{row.n_failed:,}"]
    cells += [f"{row.mismatched:,}"] if has_mismatches else []
    return [*cells, f"{row.straddling:,}", "yes" if row.is_stable else "no"]


def _microseconds(nanoseconds: float | None) -> str:
    if nanoseconds is None:
        return "–"
    return "∞" if math.isinf(nanoseconds) else f"{nanoseconds / 1e3:,.0f}"


def notes(rows: Sequence[LevelResult], holds: Sequence[bool | None] = (), doubted: Collection[int] = ()) -> list[str]:
    """Return what explains the table, which has the same arguments."""
    lines = [
        "Latencies in µs; percentiles are those of this level (upper end, for independent requests).",
    ]
    if missing := [p for p in PERCENTILES if any(row.upper_end_ns[p] is None for row in rows)]:
        wanted = ", ".join(f"p{p:g} wants {samples_needed(p):,}" for p in missing)
        lines.append(f"–: too few samples carry it ({wanted}).")
    if any(math.inf in row.upper_end_ns.values() for row in rows):
        lines.append("∞: so many requests had no answer, or were dropped.")
    if any(row.number in doubted for row in rows):
        lines.append("!: such a level supports no verdict; the reason stands below.")
    if None in holds:
        lines.append("open: one stall decides a threshold; such a rate is held once more, at full length.")
    return lines


def scaling_lines(scaling: Scaling) -> list[str]:
    """Return how throughput grew with users."""
    lines = []
    steps = [
        f"{level.users}{'' if level.is_trusted else DOUBTED}: {fold(level.speed_up)} ({percent(level.efficiency)})"
        for level in scaling.levels
        if level.speed_up is not None
    ]
    if steps:
        lines.append("speed-up (efficiency) by users  " + "  ".join(steps))
    if failing := [f"{users(level.users)} ({level.n_failed:,})" for level in scaling.levels if level.n_failed]:
        lines.append(
            f"not used below, since requests had no answer there: {', '.join(failing)}; "
            "achieved/s and speed-up are of those that were answered"
        )
    if scaling.interval is not None and scaling.alone_ns is not None:
        service = _service(scaling.alone_ns, scaling.round_trip_ns)
        value, low, high = map(at_once, (scaling.interval.value, scaling.interval.low, scaling.interval.high))
        lines.append(
            f"effective parallelism {value} (best throughput × {service}), {low} to {high} at 95 %; "
            f"best throughput: {_best(scaling)}"
        )
    if scaling.usl is not None:
        sigma, kappa = scaling.usl.sigma, scaling.usl.kappa
        lines.append(
            f"Universal Scalability Law: contention σ {sigma.value:.3f} ({sigma.low:.3f} to {sigma.high:.3f}), "
            f"coherency κ {kappa.value:.5f} ({kappa.low:.5f} to {kappa.high:.5f}), at 95 %"
        )
    return lines


def _best(scaling: Scaling) -> str:
    *others, last = [f"{count:,}" for count in scaling.best_users]
    rate = f"{scaling.best_rps:,.1f} requests/s"
    if not others:
        return f"{rate}, at {users(scaling.best_users[0])}"
    return f"{rate}, the mean of levels within 10 % ({', '.join(others)} and {last} users)"


def _service(alone_ns: float, round_trip_ns: float | None) -> str:
    alone = f"{milliseconds(alone_ns)} a request at one user"
    if round_trip_ns is None:
        return alone
    return f"the {alone}, less {milliseconds(round_trip_ns)} on its way"
