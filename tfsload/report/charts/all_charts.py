"""All charts of a run that has what they show, by name. Pure."""

from tfsload.analysis.result import RunResult
from tfsload.report.charts.chart import Chart
from tfsload.report.charts.classes import classes
from tfsload.report.charts.confusion import confusion
from tfsload.report.charts.distribution import distribution
from tfsload.report.charts.latency import latency
from tfsload.report.charts.over_time import over_time
from tfsload.report.charts.throughput import throughput


def charts_of(result: RunResult) -> dict[str, Chart]:
    """Return the charts of a run, in the order of a page."""
    made = (
        throughput(result),
        latency(result),
        *over_time(result),
        confusion(result),
        classes(result),
        distribution(result),
    )
    return {chart.name: chart for chart in made if chart is not None}
