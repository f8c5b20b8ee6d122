"""A run's charts, drawn, as a page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass

from tfsload.report.charts import draw
from tfsload.report.charts.chart import WIDE_PX, Chart
from tfsload.report.page.words import clean


@dataclass(frozen=True)
class Figure:
    """A chart as it stands on a page.

    Attributes:
        name, title, below, legend: as of `tfsload.report.charts.chart.Chart`.
        wide, narrow: the drawing as an SVG element, where there is room and where there is not; empty: the other one
            stands everywhere.
        is_to_come: whether somebody else puts the drawing in later.
    """

    name: str
    title: str
    below: str
    legend: tuple[tuple[str, str], ...]
    wide: str
    narrow: str
    is_to_come: bool = False


def to_be_drawn(charts: Mapping[str, Chart]) -> dict[str, Figure]:
    """Return charts whose drawings somebody else puts in later."""
    return {
        name: Figure(name, chart.title, chart.below, chart.legend, wide="", narrow="", is_to_come=True)
        for name, chart in charts.items()
    }


def drawn(charts: Mapping[str, Chart]) -> dict[str, Figure]:
    """Return charts, drawn; it takes about 0.1 s each, for which nothing else of the process runs."""
    return {name: _drawn(chart) for name, chart in charts.items()}


def _drawn(chart: Chart) -> Figure:
    svgs = {
        width: draw.svg(clean(chart.spec(width)), f"{chart.name}-{width}", clean(chart.label))
        for width in dict.fromkeys(chart.widths_px)
    }
    wide = svgs.pop(WIDE_PX, "")
    return Figure(chart.name, chart.title, chart.below, chart.legend, wide, next(iter(svgs.values()), ""))
