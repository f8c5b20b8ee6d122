"""The suite's tabs on Locust's page from one run to the next."""

import dataclasses

import pytest

from tests.support.page_runs import page_run
from tfsload.report.standing import Begun, Counters, LevelPlace, Standing
from tfsload.webui.locust_tabs import LocustTabs
from tfsload.webui.tab_rows import ACCURACY, LEVELS, TABS


class Page:
    """Locust's page, its run, and the tabs in it."""

    def __init__(self):
        self.standing = None
        self.tabs = LocustTabs(None, self, lambda: self.standing)

    def wrap_page(self, _, edit):
        self.edit = edit

    def extend_statistics(self, _, tables):
        self._tables = tables

    def column(self, tab, key):
        return [row[key].replace("\u00a0", " ") for row in self._tables()[tab.key]]

    def states(self):
        return list(zip(self.column(LEVELS, "level"), self.column(LEVELS, "state"), strict=True))


@pytest.fixture
def page():
    return Page()


def at_level(number, names, done):
    place = LevelPlace(number, len(names), False, names[number - 1])
    counted = Counters(requests=10, predictions=10, wrong=1, rate_rps=5.0)
    return Standing(1.0, place=place, counted=counted, levels_done=done, has_levels=True)


def begun(result):
    return Begun("mnist", "", "", tuple(level.name for level in result.levels))


def so_far(result, n):
    return dataclasses.replace(result, levels=result.levels[:n], scaling=None)


def test_before_any_run_there_are_no_rows(page):
    assert page.column(LEVELS, "level") == page.column(ACCURACY, "label") == []


def test_levels_done_come_first_then_the_one_under_way_then_those_to_come(page):
    result = page_run("sweep")
    one, two, *others = [level.name for level in result.levels]
    page.tabs.begin(begun(result))
    page.standing = at_level(1, [one, two, *others], 0)
    first = page.states()
    page.tabs.renew(so_far(result, 1))
    page.standing = at_level(2, [one, two, *others], 1)
    second = page.states()

    to_come = [(name, "to come") for name in others]
    assert first == [("all", "under way"), (one, "under way"), (two, "to come"), *to_come]
    assert [(name.partition(" (")[0], state) for name, state in second] == [
        ("all", "under way"),
        (one, "✓ stable"),
        (two, "under way"),
        *to_come,
    ]
    assert page.column(LEVELS, "rate")[2] == "5.00"


def test_between_two_levels_the_next_one_is_to_come(page):
    result = page_run("sweep")
    page.tabs.begin(begun(result))
    page.tabs.renew(so_far(result, 1))
    page.standing = Standing(None, levels_done=1, has_levels=True)

    assert page.states()[2] == (result.levels[1].name, "to come")


def test_of_a_search_whose_levels_nobody_knows_the_one_under_way_is_shown(page):
    page.tabs.begin(Begun("mnist", "", ""))
    page.standing = at_level(1, ["100 requests/s"], 0)

    assert page.states() == [("all", "under way"), ("100 requests/s", "under way")]


def test_a_run_without_levels_shows_its_counters_in_one_row(page):
    page.tabs.begin(Begun("mnist", "", ""))
    page.standing = Standing(1.0, counted=Counters(requests=10, predictions=10, wrong=1, failed=1, rate_rps=5.0))

    assert page.states() == [("all", "under way")]
    assert page.column(ACCURACY, "label") == ["all: under way"]
    assert (page.column(ACCURACY, "images"), page.column(ACCURACY, "right")) == (["10"], ["8"])


def test_a_run_without_levels_that_is_put_together_meanwhile_shows_that(page):
    page.tabs.begin(Begun("mnist", "", ""))
    page.standing = Standing(1.0, workers=2)
    page.tabs.renew(page_run("demo"))

    assert page.states() == [("all", "under way")]
    assert page.column(LEVELS, "remark") == ["percentiles as counted"]
    assert page.column(LEVELS, "tail") != ["–"]
    assert page.column(ACCURACY, "label") == ["all: under way", *map(str, range(10))]


def test_the_end_shows_the_verdict_even_while_locust_still_ends_the_run(page):
    result = page_run("rate")
    page.tabs.begin(begun(result))
    page.standing = dataclasses.replace(at_level(1, ["x"], 0), is_ending=True)
    page.tabs.end(result)
    ending = page.states()
    page.standing = None

    assert ending[0] == ("all levels together", "↑ THRESHOLD CROSSED")
    assert page.states() == ending
    assert page.column(ACCURACY, "label")[0] == "all: ↑ THRESHOLD CROSSED"


def test_levels_that_were_never_measured_are_said_to_be_so(page):
    result = page_run("sweep")
    page.tabs.begin(begun(result))
    page.tabs.end(dataclasses.replace(result, levels=result.levels[:1], scaling=None))

    assert page.states()[2:] == [(level.name, "not measured") for level in result.levels[1:]]


def test_a_new_run_forgets_the_last_one(page):
    page.tabs.begin(begun(page_run("sweep")))
    page.tabs.end(page_run("sweep"))
    page.tabs.begin(Begun("mnist", "", ""))
    page.standing = Standing(1.0)

    assert page.states() == [("all", "under way")]
    assert page.column(ACCURACY, "label") == ["all: under way"]


def test_a_locustfiles_own_tabs_stay_and_each_tab_stands_there_once(page):
    own = {"extended_tabs": [{"title": "Mine", "key": "mine"}], "extended_tables": [{"key": "mine", "structure": []}]}
    arguments = dict(own)
    for _ in range(2):
        page.edit(arguments)

    assert arguments["extended_tabs"] == [
        *own["extended_tabs"],
        *({"title": one.title, "key": one.key} for one in TABS),
    ]
    assert [one["key"] for one in arguments["extended_tables"]] == ["mine", *(one.key for one in TABS)]
    structure = arguments["extended_tables"][1]["structure"]
    assert structure == [{"key": one.key, "title": one.title} for one in LEVELS.columns]
