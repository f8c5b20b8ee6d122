"""What the charts over time show, as a table. Pure."""

from collections.abc import Mapping
from typing import Any

from tfsload.report import units
from tfsload.report.charts.chart import Chart
from tfsload.report.page.tables import Heading, Row, Table, figures


def seconds_table(charts: Mapping[str, Chart]) -> Table:
    """Return the figures of the charts over time; empty where there are none."""
    headings = (
        Heading("from (s)", True),
        Heading("for (s)"),
        Heading("requests/s"),
        Heading("p50 (ms)"),
        Heading("p99 (ms)"),
    )
    name = "What went on over time, as a table"
    if "rate" not in charts:
        return Table(name, headings, ())
    rates = charts["rate"].data["slots"]
    latencies = charts["latency_over_time"].data["slots"] if "latency_over_time" in charts else [{}] * len(rates)
    rows = [_row(rate, latency) for rate, latency in zip(rates, latencies, strict=True)]
    notes = ["Errors by part stand in series.csv, second by second."]
    if any(cell.text == units.NONE for row in rows for cell in row.cells):
        notes.append(f"{units.NONE}: nothing was answered then.")
    return Table(name, headings, tuple(rows), tuple(notes))


def _row(rate: Mapping[str, float], latency: Mapping[str, Any]) -> Row:
    return Row(
        figures(
            units.digits(rate["at_s"], 4),
            units.digits(rate["lasts_s"], 2),
            units.rate(rate["rps"]),
            _ms(latency.get("p50_ms")),
            _ms(latency.get("p99_ms")),
        )
    )


def _ms(milliseconds: float | None) -> str:
    return units.NONE if milliseconds is None else units.digits(milliseconds)
