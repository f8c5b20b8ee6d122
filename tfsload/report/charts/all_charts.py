"""All charts of a run that has what they show, by name. Pure."""

from collections.abc import Sequence

from tfsload.analysis.result import RunResult
from tfsload.report.charts.chart import Chart
from tfsload.report.charts.classes import classes
from tfsload.report.charts.confusion import confusion
from tfsload.report.charts.distribution import distribution
from tfsload.report.charts.latency import latency
from tfsload.report.charts.over_time import over_time
from tfsload.report.charts.throughput import throughput


def charts_of(result: RunResult, to_come: Sequence[float] = ()) -> dict[str, Chart]:
    """Return the charts of a run, in the order of a page.

    Args:
        result: of the run.
        to_come: loads of its levels that have not ended: axes have room for them.
    """
    made = (
        throughput(result, to_come),
        latency(result, to_come),
        *over_time(result),
        confusion(result),
        classes(result),
        distribution(result),
    )
    return {chart.name: chart for chart in made if chart is not None}
