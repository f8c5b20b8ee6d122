"""A run is what was asked for, however far it came: done, stopped in its first part, and stopped before it."""

import dataclasses

import pytest

from tests.support.golden import result_of
from tests.support.page_runs import page_run
from tests.support.past_runs import MS, SECOND, PastRun
from tests.support.standing_server import ran
from tfsload.records.level import Level
from tfsload.report.asked_load import AskedLoad, asked_load
from tfsload.report.page.first_screen import first_screen
from tfsload.webui import tab_rows

IN_PARALLEL, HOW_MUCH = "Does the server run in parallel?", "How much does it hold?"
OF_LEVELS, OF_OTHERS = ["How fast", "How soon", "How often wrong"], ["How often wrong", "How fast", "How soon"]
LEVELS_LEFT = {"sweep": 4, "rate": 2, "find_max_rate": 0, "num_tests": 0}


def done(kind):
    return page_run({"users": "thresholds", "images": "demo"}.get(kind, kind))


def stopped(options, n_fired):
    """Return a run that was stopped within its first part, or before it, where nothing was fired."""
    name = next(iter(options), "")
    past = PastRun(options, run_time=None if options else ran(1.0, 60.0))
    past.results.n_levels_left = LEVELS_LEFT.get(name, 0)
    begin_ns = SECOND
    if name in ("sweep", "rate", "find_max_rate") and n_fired:
        begin_ns = past.hold(Level(1, 1, None, 2.0, 10.0))
        past.runs.clear()
    for n in range(n_fired):
        past.fire(n, begin_ns + n * 4 * MS, past.jitter(3 * MS))
    past.results.n_requests = past.results.n_done = n_fired
    return result_of(past.end())


KINDS = {
    "sweep": ({"sweep": "1,2,4,8"}, "sweep of 1, 2, 4, 8 users · 10 s each", IN_PARALLEL, OF_LEVELS),
    "rate": ({"rate": "100,400"}, "rates of 100, 400 requests/s · 10 s each", None, OF_LEVELS),
    "search": (
        {"find_max_rate": "100:400", "threshold": "p99 < 50ms"},
        "search from 100 to 400 requests/s",
        HOW_MUCH,
        OF_LEVELS,
    ),
    "images": ({"num_tests": "1000"}, "1,000 images, each once · 10 users", None, OF_OTHERS),
    "users": ({}, "10 users", None, OF_OTHERS),
}


@pytest.mark.parametrize(("kind", "given"), KINDS.items(), ids=KINDS)
@pytest.mark.parametrize("n_fired", [None, 300, 0], ids=["done", "stopped-in-its-first-part", "stopped-before-it"])
def test_a_run_is_what_was_asked_for(kind, given, n_fired):
    options, load, question, order = given
    result = done(kind) if n_fired is None else stopped(options, n_fired)
    seen = first_screen(result)

    assert asked_load(result).kind == kind
    assert seen.context[1].startswith(load)
    assert (seen.answer.question if seen.answer else None) == question
    assert [card.kind for card in seen.cards] == ([] if n_fired == 0 else order)


@pytest.mark.parametrize("kind", ["sweep", "rate"])
def test_a_part_of_a_level_is_called_that(kind):
    seen = first_screen(stopped(KINDS[kind][0], 300))

    assert f"0 of {LEVELS_LEFT[kind]} levels measured" in seen.context[1]
    assert "of a level that was not measured to its end" in seen.cards[0].below
    assert seen.cards[0].state == "invalid"


@pytest.mark.parametrize(("kind", "n_fired"), [("sweep", 300), ("rate", 300), ("users", 40)])
def test_a_figure_that_is_in_doubt_on_a_card_is_so_in_locusts_tab(kind, n_fired):
    result = stopped(KINDS[kind][0], n_fired)
    marked = {card.kind: card.state == "invalid" for card in first_screen(result).cards}
    row = tab_rows.all_levels(result, tab_rows.verdict_words(result)[0])
    under_way = tab_rows.all_levels(result, tab_rows.UNDER_WAY)

    assert (marked["How fast"], marked["How soon"], marked["How often wrong"]) == (True, True, False)
    assert [row[key].endswith("\u00a0?") for key in ("rate", "median", "tail", "errors")] == [True, True, True, False]
    assert ("not measured to its end" in row["remark"].replace("\u00a0", " ")) is (kind != "users")
    assert "?" not in "".join(under_way.values())


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        pytest.param({"sweep": "1, 2,4"}, AskedLoad("sweep", (1, 2, 4), 10.0), id="blanks"),
        pytest.param({"sweep": "one"}, AskedLoad("sweep", (), 10.0), id="no-numbers"),
        pytest.param({"rate": "0.5", "level_duration": ""}, AskedLoad("rate", (0.5,)), id="no-duration"),
        pytest.param({"rate": "nan"}, AskedLoad("rate", (), 10.0), id="not-a-number"),
        pytest.param({"find_max_rate": "1:inf"}, AskedLoad("search", (), 10.0), id="without-end"),
        pytest.param({"num_tests": "x"}, AskedLoad("users"), id="no-number-of-images"),
        pytest.param({"num_tests": "0"}, AskedLoad("users"), id="no-images"),
        pytest.param({"num_tests": "7"}, AskedLoad("images", n_images=7), id="images"),
    ],
)
def test_it_is_read_from_the_options(options, asked):
    result = page_run("thresholds")
    given = dataclasses.replace(result.asked, options={**result.asked.options, **options})

    assert asked_load(dataclasses.replace(result, asked=given)) == asked


@pytest.mark.parametrize(
    ("kind", "found"), [("sweep", "sweep"), ("rate", "rate"), ("search", "search"), ("demo", "images")]
)
def test_where_no_option_tells_it_the_run_does(kind, found):
    result = page_run(kind)
    nothing = dataclasses.replace(result.asked, options={})

    assert asked_load(dataclasses.replace(result, asked=nothing)).kind == found
