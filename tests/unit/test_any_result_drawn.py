"""Whatever was measured can be drawn, and told in tables."""

import json
from unittest import mock
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings

from tests.support.any_result import unprinted_results
from tests.support.drawn_runs import drawn_runs
from tests.support.examples import scaled
from tests.support.vega_lite import all_of, faults
from tfsload.report import csv_files, hgrm, json_file, junit, markdown, terminal
from tfsload.report.charts.all_charts import charts_of
from tfsload.report.page import page
from tfsload.report.page.answers import answers
from tfsload.report.page.checks import doubts, thresholds_table
from tfsload.report.page.drawings import to_be_drawn
from tfsload.report.page.first_screen import first_screen
from tfsload.report.page.level_tables import generator_table, levels_table
from tfsload.report.states import is_doubted


def doubted_marks(spec):
    return [text for text in all_of(spec, "text") if isinstance(text, str) and (text == "?" or text.endswith(" ?"))]


@settings(max_examples=scaled(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(unprinted_results() | drawn_runs())
def test_any_result_has_its_charts_and_tables(drawn):
    result = drawn.result
    for chart in charts_of(result).values():
        json.dumps(chart.data, allow_nan=False)
        for width in chart.widths_px:
            spec = chart.spec(width)
            json.dumps(spec, allow_nan=False)
            assert faults(spec) == []
        if chart.name in ("latency", "throughput"):
            doubted = [level for level in result.levels if is_doubted(result, level)]
            for width in chart.widths_px:
                # However it is crowded.
                assert len(doubted_marks(chart.spec(width))) == len(doubted), (chart.name, width)
    for of in (first_screen, levels_table, generator_table, answers, thresholds_table, doubts):
        assert of(result) is not None


@settings(max_examples=scaled(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(unprinted_results() | drawn_runs())
def test_any_result_has_its_files(drawn):
    result = drawn.result
    assert json_file.parse(json_file.write(result).encode()) == result
    for of in (csv_files.levels, csv_files.series, csv_files.images, markdown.write, terminal.render):
        assert of(result)
    ElementTree.fromstring(junit.write(result))
    for _, latency in hgrm.files(result):
        assert hgrm.write(latency)
    with mock.patch.object(page, "drawn", to_be_drawn):
        assert page.render(result).encode()
