"""What the web UI's page hears of a run's state, with the time passed in."""

import pytest

from tfsload.webui.page_state import SUMMARY_LIMIT_S, PageState


class Told:
    """A page state over a runner, a form and a clock that the test sets."""

    def __init__(self):
        self.runner, self.is_starting, self.now_s = "ready", False, 100.0
        self.pages = PageState(lambda: self.runner, lambda: self.is_starting, lambda: self.now_s)

    def run(self):
        self.pages.begin()
        self.runner = "running"
        self.now_s += 60
        self.runner = "stopped"
        self.pages.conclude()


@pytest.fixture
def told():
    return Told()


@pytest.mark.parametrize(
    ("runner", "is_starting", "is_under_way", "shown"),
    [
        pytest.param("ready", False, False, "ready", id="the-form"),
        pytest.param("ready", True, False, "spawning", id="a-start-was-taken"),
        pytest.param("stopped", True, False, "spawning", id="a-start-was-taken-after-a-run"),
        pytest.param("ready", False, True, "running", id="a-shape-begins"),
        pytest.param("spawning", False, True, "spawning", id="spawning"),
        pytest.param("running", False, True, "running", id="running"),
        pytest.param("cleanup", False, True, "running", id="users-end"),
        pytest.param("stopping", False, True, "running", id="workers-end"),
        pytest.param("stopped", False, True, "running", id="summed-up"),
        pytest.param("stopping", False, False, "running", id="stopping-without-a-run-of-the-suites"),
        pytest.param("stopped", False, False, "stopped", id="the-end"),
    ],
)
def test_a_page_hears_of_the_form_a_run_or_its_end(told, runner, is_starting, is_under_way, shown):
    if is_under_way:
        told.pages.begin()
    told.runner, told.is_starting = runner, is_starting

    assert told.pages.shown() == shown


def test_a_run_goes_on_for_a_page_until_it_has_fetched_the_summary(told):
    told.pages.page_loaded()
    told.run()
    before = told.pages.shown()
    told.pages.logs_served()

    assert (before, told.pages.shown()) == ("running", "stopped")


def test_each_of_several_pages_fetches_it(told):
    for _ in range(3):
        told.pages.page_loaded()
    told.pages.begin()
    for _ in range(3):
        told.pages.logs_served()
        told.now_s += 1
    told.runner = "stopped"
    told.pages.conclude()
    seen = []
    for _ in range(4):
        seen.append(told.pages.shown())
        told.pages.logs_served()

    assert seen == ["running", "running", "running", "stopped"]


def test_a_page_that_was_closed_is_not_waited_for(told):
    told.pages.page_loaded()
    told.run()
    told.now_s += SUMMARY_LIMIT_S - 0.1
    before = told.pages.shown()
    told.now_s += 0.2

    assert (before, told.pages.shown()) == ("running", "stopped")


def test_a_script_that_loads_no_page_is_told_at_once(told):
    told.run()

    assert told.pages.shown() == "stopped"


def test_the_next_run_owes_nothing_for_the_last(told):
    told.pages.page_loaded()
    told.run()
    told.pages.begin()
    told.pages.conclude()
    told.pages.logs_served()

    assert told.pages.shown() == "stopped"
