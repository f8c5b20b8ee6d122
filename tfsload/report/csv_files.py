"""A run as tables for spreadsheets and scripts: its levels, its seconds, its misread images.

Times are in ms and s, shares from 0 to 1; a cell is empty where there is no figure, and `inf` where so many requests
had no answer that a percentile has no end. Where the data set has no labels, nothing stands under `wrong` and
`error_rate`, and no image under those that were misread. What `--note` said stands in columns of its own, in each row.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from tfsload.analysis.figures import by_code
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.levels import PERCENTILES
from tfsload.analysis.result import RunResult
from tfsload.analysis.series import Second
from tfsload.report.speed_ups import speed_ups
from tfsload.report.states import is_doubted

Cell = str | int | float | None
Row = Mapping[str, Cell]

WHOLE_RUN = "whole run"
# A spreadsheet takes a text that begins so for a formula, and would reckon or fetch what somebody else has written.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# The columns stand there, too, where a run has no row.
_LEVEL_COLUMNS = (
    "level",
    "name",
    "users",
    "rate_rps",
    "stable",
    "supports_verdict",
    "holds",
    "warm_up_s",
    "duration_s",
    "requests",
    "failed_requests",
    "predictions",
    "wrong",
    "failed",
    "compared",
    "mismatched",
    "error_rate",
    "offered",
    "sent",
    "dropped",
    "straddling",
    "achieved_rps",
    "speed_up",
    "mean_in_flight",
    "mean_ms",
    *(f"p{percentile:g}_ms" for percentile in PERCENTILES),
    "max_ms",
    "lag_p99_ms",
    "failed_by_code",
    "doubts",
)
_SECOND_COLUMNS = (
    "level",
    "name",
    "at_s",
    "lasts_s",
    "rate_rps",
    "p50_ms",
    "p99_ms",
    "in_flight",
    "predictions",
    "wrong",
    "failed",
    "mismatched",
    "dropped",
)
_IMAGE_COLUMNS = ("image", "label", "predicted", "count", "fired", "answered")


def levels(result: RunResult) -> str:
    """Return `levels.csv`: a row a level; of a run without levels one row for all of it."""
    rows = [_level_row(result, level) for level in result.levels] or [_whole_row(result)]
    return _written(_LEVEL_COLUMNS, rows, result.notes)


def series(result: RunResult) -> str:
    """Return `series.csv`: a row a second of each level's window, or of a run without levels from its first request."""
    rows = [_second_row(one, level.number, level.name) for level in result.levels for one in level.seconds]
    rows += [_second_row(one, None, WHOLE_RUN) for one in result.seconds]
    if not result.images.is_labelled:
        rows = [{**row, "wrong": None} for row in rows]
    return _written(_SECOND_COLUMNS, rows, result.notes)


def images(result: RunResult) -> str:
    """Return `images.csv`: a row an image and a class that it was taken for, though it is none; most often first."""
    counts, answered = result.images, result.images.answered
    misread = sorted(counts.misread, key=lambda one: (-one.count, one.image, one.predicted))
    rows: list[Row] = [
        {
            "image": one.image,
            "label": counts.labels.get(one.image),
            "predicted": one.predicted,
            "count": one.count,
            "fired": counts.fired[one.image] if one.image < len(counts.fired) else None,
            "answered": answered[one.image] if one.image < len(answered) else None,
        }
        for one in misread
    ]
    return _written(_IMAGE_COLUMNS, rows, result.notes)


# Long because each column is named.
def _level_row(result: RunResult, level: LevelResult) -> Row:
    return {
        "level": level.number,
        "name": level.name,
        "users": level.users,
        "rate_rps": level.rate_rps,
        "stable": _yes(level.is_stable),
        "supports_verdict": _yes(not is_doubted(result, level)),
        "holds": None if level.finding is None else "open" if level.finding.is_undecided else _yes(level.finding.holds),
        "warm_up_s": level.warm_up_s,
        "duration_s": level.duration_s,
        "requests": level.requests,
        "failed_requests": level.failed_requests,
        "predictions": level.predictions,
        "wrong": level.wrong,
        "failed": level.n_failed,
        "compared": level.compared,
        "mismatched": level.mismatched,
        "error_rate": level.error_rate,
        "offered": level.offered,
        "sent": level.sent,
        "dropped": level.dropped,
        "straddling": level.straddling,
        "achieved_rps": level.achieved_rps,
        "speed_up": speed_ups(result).get(level.number),
        "mean_in_flight": level.mean_in_flight,
        "mean_ms": level.latency.mean_ns / 1e6 if level.latency.count else None,
        **{f"p{percentile:g}_ms": _ms(level.upper_end_ns.get(percentile)) for percentile in PERCENTILES},
        "max_ms": _ms(level.latency.max_ns) if level.latency.count else None,
        "lag_p99_ms": _ms(level.lag_p99_ns),
        "failed_by_code": by_code(level.failed),
        "doubts": "; ".join(map(str, level.doubts)),
    }


def _whole_row(result: RunResult) -> Row:
    totals = result.totals
    return {
        "name": WHOLE_RUN,
        "users": result.users.n_users_asked,
        "duration_s": totals.duration_s,
        "requests": totals.requests,
        "failed_requests": totals.failed_requests,
        "predictions": totals.predictions,
        "wrong": totals.wrong,
        "failed": totals.n_failed,
        "compared": totals.compared,
        "mismatched": totals.mismatched,
        "error_rate": totals.error_rate,
        "offered": totals.offered,
        "sent": totals.sent,
        "dropped": totals.dropped,
        "achieved_rps": totals.requests_per_s,
        "mean_ms": totals.latency.mean_ns / 1e6 if totals.latency.count else None,
        **{f"p{percentile:g}_ms": _ms(value) for percentile, value in totals.latency_ns.items()},
        "max_ms": _ms(totals.latency.max_ns) if totals.latency.count else None,
        "failed_by_code": by_code(totals.failed),
    }


def _second_row(second: Second, level: int | None, name: str) -> Row:
    return {
        "level": level,
        "name": name,
        "at_s": second.at_s,
        "lasts_s": second.lasts_s,
        "rate_rps": second.rate_rps,
        "p50_ms": _ms(second.p50_ns),
        "p99_ms": _ms(second.p99_ns),
        "in_flight": second.in_flight,
        "predictions": second.predictions,
        "wrong": second.wrong,
        "failed": second.failed,
        "mismatched": second.mismatched,
        "dropped": second.dropped,
    }


def _ms(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e6


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _written(columns: Sequence[str], rows: Iterable[Row], notes: Mapping[str, str]) -> str:
    """Return rows below a heading; notes stand behind them, each in a column."""
    noted = {f"note {key}": value for key, value in notes.items()}
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*columns, *map(_cell, noted)])
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns] + [_cell(value) for value in noted.values()])
    return file.getvalue()


def _cell(value: Cell) -> Cell:
    r"""Return a cell: a text is on one line, and none is a formula.

    >>> _cell("=1+1"), _cell("two\nlines"), _cell(-1.5)
    ("'=1+1", 'two lines', -1.5)
    """
    if not isinstance(value, str):
        return value
    text = "'" + value if value.startswith(_FORMULA) else value
    return "".join(letter if letter.isprintable() else " " for letter in text)
