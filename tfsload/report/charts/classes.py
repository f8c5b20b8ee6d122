"""How often each class was answered wrongly. Pure."""

from tfsload.analysis.class_rows import ClassRow
from tfsload.analysis.figures import percent
from tfsload.analysis.result import RunResult
from tfsload.report.charts.bars import Bar, bars_spec
from tfsload.report.charts.chart import Chart

MOST_CLASSES = 20


def classes(result: RunResult) -> Chart | None:
    """Return the chart of a run; None: nothing was answered."""
    rows = [row for row in result.classes if row.images]
    if not rows:
        return None
    shown = rows
    if len(rows) > MOST_CLASSES:
        shown = sorted(rows, key=lambda row: (-_share(row), row.label))[:MOST_CLASSES]
    bars = [_bar(row) for row in shown]
    worst = max(rows, key=_share)
    return Chart(
        name="classes",
        title="Error rate of each class" if shown is rows else f"Error rate of the worst {MOST_CLASSES} classes",
        below="On the images fired, and exact for these; in brackets: wrong answers",
        label=f"Error rate of each class. Worst: class {worst.label}, {percent(_share(worst))}.",
        data={"classes": [{"class": row.label, "error_rate": _share(row), "wrong": row.wrong} for row in shown]},
        spec=lambda width: bars_spec(bars, width, x_title="error rate (% of the class's answers)", y_title="class"),
    )


def _share(row: ClassRow) -> float:
    return row.wrong / row.images if row.images else 0.0


def _bar(row: ClassRow) -> Bar:
    share = percent(_share(row))
    text = f"{share} ({row.wrong:,})" if row.wrong else "0"
    return Bar(str(row.label), 100 * _share(row), text, f"class {row.label}: {share}, {row.wrong:,} of {row.images:,}")
