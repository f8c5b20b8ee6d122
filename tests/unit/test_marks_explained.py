"""No mark stands on a page, or on a terminal, that nothing near it explains; and no text names a colour."""

import re

import pytest

from tests.support.golden import result_of
from tests.support.html import by_class, by_id, parsed, text_of
from tests.support.page_runs import PAGE_RUNS, page_run
from tests.support.past_runs import PastRun
from tfsload.report import terminal, units
from tfsload.report.charts.all_charts import charts_of
from tfsload.report.charts.latency import latency
from tfsload.report.page.answers import classes_table, pairs_table
from tfsload.report.page.checks import all_thresholds_table, thresholds_table
from tfsload.report.page.level_tables import generator_table, levels_table
from tfsload.report.page.page import render
from tfsload.report.page.seconds import seconds_table

COLOURS = re.compile(
    r"\b(black|white|gr[ae]y|pale|dark|light|blue|red|green|orange|yellow|purple|violet|brown)\b", re.IGNORECASE
)


def tables(result):
    yield levels_table(result)
    yield generator_table(result)
    yield thresholds_table(result)
    yield all_thresholds_table(result)
    yield classes_table(result)
    yield pairs_table(result)
    yield seconds_table(charts_of(result))


@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_where_a_dash_stands_in_a_table_a_line_below_it_says_what_it_means(kind):
    for table in tables(page_run(kind)):
        if any(cell.text == units.NONE for row in table.rows for cell in row.cells):
            assert [note for note in table.notes if re.search(rf"{units.NONE}( as [^:]+)?: ", note)] != [], table.name


def test_how_late_requests_were_sent_is_told_where_they_were_due_at_a_time():
    sweep, rates = ([one.text for one in generator_table(page_run(kind)).headings] for kind in ("sweep", "rate"))

    assert [heading for heading in rates if heading not in sweep] == ["sent late by, p99 (ms)"]


@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_no_text_of_a_page_names_a_colour(kind):
    page = parsed(render(page_run(kind)))
    (main,) = [one for one in page.iter() if one.tag == "main"]
    shown = " ".join(text_of(one) for one in main.iter() if one.tag in ("p", "h2", "h3", "td", "th", "summary", "dd"))

    assert COLOURS.findall(shown) == []


def test_levels_in_which_requests_failed_have_a_shape_of_their_own():
    chart, whole = (charts_of(page_run(kind))["throughput"] for kind in ("endless", "sweep"))

    assert "Square: requests failed, such a share" in chart.below
    assert "'shape': 'square'" in str(chart.spec(556))
    assert [layer for layer in whole.spec(556)["layer"] if "square" in str(layer) and layer["data"]["values"]] == []


def test_what_is_stacked_is_named_where_it_was_looked_for_and_no_dash_stands_in_a_legend():
    compared, not_compared = (charts_of(page_run(kind))["errors"].legend for kind in ("long", "sweep"))

    assert [text.partition(" ")[0] for _, text in compared] == ["wrong", "failed", "mismatched"]
    assert [text.partition(" ")[0] for _, text in not_compared] == ["wrong", "failed"]


def test_where_percentiles_are_drawn_as_counted_no_table_is_spoken_of_that_is_not_there():
    of_levels, of_a_run = (charts_of(page_run(kind))["distribution"].below for kind in ("sweep", "demo"))

    assert "those of the table are a little higher" in of_levels
    assert "table" not in of_a_run


@pytest.mark.parametrize(
    ("kind", "legend"),
    [
        pytest.param("thresholds", "↑: crossed", id="crossed"),
        pytest.param("slow-rates", "?: cannot be judged", id="not-judged"),
        pytest.param("search", "", id="none"),
    ],
)
def test_the_terminal_says_below_thresholds_what_their_marks_are(kind, legend):
    lines = terminal.render(page_run(kind)).splitlines()
    told = [line for line in lines if re.match(r"[↑?]: ", line) and "such a level" not in line]

    assert told == ([legend] if legend else [])


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        pytest.param("p99 < 100ms", ["Dashed: thresholds"], id="drawn"),
        pytest.param("p99 < 0.01ms", ["Too far off to be drawn: p99 < 0.01 ms"], id="far-below"),
        pytest.param("p99 < 100s", ["Too far off to be drawn: p99 < 100 s"], id="far-above"),
        pytest.param(
            "p99 < 100ms; p50 < 100s",
            ["Dashed: thresholds", "Too far off to be drawn: p50 < 100 s"],
            id="one-of-two",
        ),
        pytest.param("error_rate < 5%", [], id="none-on-latency"),
    ],
)
def test_a_chart_speaks_of_dashed_lines_where_it_has_some(limits, told):
    past = PastRun({"sweep": "1,2,4", "threshold": limits})
    for number, (n_users, latency_ms) in enumerate(((1, 20.0), (2, 21.0), (4, 40.0)), 1):
        past.close_level(number, n_users, latency_ms)
    chart = charts_of(result_of(past.end()))["latency"]
    n_dashed = str(chart.spec(556)).count("'strokeDash': [5, 3]")

    assert [one for one in chart.below.split(". ") if one.startswith(("Dashed", "Too far"))] == told
    assert bool(n_dashed) is ("Dashed: thresholds" in told)


@pytest.mark.parametrize("width_px", [320, 556])
def test_a_limit_is_named_whole_while_the_last_level_lies_far_to_the_left(width_px):
    past = PastRun({"sweep": "1,2,4,64", "threshold": "p99.99 < 50ms"})
    for number, (n_users, latency_ms) in enumerate(((1, 20.0), (2, 21.0)), 1):
        past.close_level(number, n_users, latency_ms)
    chart = latency(result_of(past.end()), to_come=(4.0, 64.0))

    assert "p99.99 < 50 ms" in str(chart.spec(width_px))


def test_a_limit_that_is_drawn_is_called_one_and_each_of_several_is_named():
    chart = charts_of(page_run("unsettled"))["latency"]
    texts = str(chart.spec(556))

    assert "Dashed: thresholds" in chart.below
    assert "p99 < 12 ms" in texts
    assert "p50 < 11 ms" in texts
    assert "Dashed" not in charts_of(page_run("sweep"))["latency"].below


def test_the_figure_that_crossed_stands_as_large_as_the_best_levels():
    page = parsed(render(page_run("endless")))
    figures = [text_of(one) for one in by_class(page, "figure")]

    assert figures[1:3] == ["4.30 ms", "∞ at 4 users, where a threshold was crossed"]
    assert by_id(page, "content") is not None
