"""The bar above Locust's page: what it says from one run to the next, and of what was refused."""

from types import SimpleNamespace

import pytest
from flask import Flask, jsonify

from tests.support.page_runs import page_run
from tfsload.report.standing import Begun, LevelPlace, Standing
from tfsload.webui.locust_bar import LocustBar
from tfsload.webui.refused_starts import EDIT_SHOWN_S, RefusedStarts
from tfsload.webui.run_view import RunView
from tfsload.webui.session_runs import SessionRuns


class Page:
    """A bar over a runner, a form and a clock that the test sets."""

    def __init__(self):
        self.now_s, self.is_starting, self.standing = 100.0, False, None
        self.runner = SimpleNamespace(state="ready")
        self.runs = SessionRuns(lambda _: "")
        self.view = RunView(lambda: self.standing, self._clock_s)
        web_ui = SimpleNamespace(environment=SimpleNamespace(runner=self.runner))
        self.refused = RefusedStarts(web_ui, self, self._clock_s)
        site = SimpleNamespace(blueprint=SimpleNamespace(add_url_rule=lambda *_: None))
        self.bar = LocustBar(web_ui, self, site, self.runs, self.view, self.refused, lambda: self.is_starting)

    def _clock_s(self):
        self.now_s += 1.0  # so that the view looks anew
        return self.now_s

    def wrap_start(self, _, start):
        self._start = start

    def put_above_page(self, *_):
        pass

    def post(self, success, message="", state="ready"):
        self.runner.state = state
        with Flask("form").app_context():
            reply = jsonify({"success": success, "message": message})
            assert self._start(lambda: reply) is reply

    def begin(self, has_warm_up=False):
        self.view.begin(Begun("mnist", "", "", has_warm_up=has_warm_up))
        self.runs.begin({})
        self.bar.begin()

    def end(self, kind):
        self.bar.end(page_run(kind))
        self.runs.conclude(page_run(kind))

    @property
    def says(self):
        words = self.bar.words()
        return words.key, words.state, words.more


@pytest.fixture
def page():
    made = Page()
    yield made
    made.runs.close()


def test_before_any_run_nothing_is_under_way_and_nothing_linked(page):
    words = page.bar.words()

    assert page.says == ("none", "Nothing under way", "")
    assert (words.run, words.link, words.refusal) == (None, "", "")


def test_a_run_under_way_says_its_level_and_is_linked(page):
    page.begin()
    page.standing = Standing(1.0, place=LevelPlace(2, 4, False, "2 users"), levels_done=1, has_levels=True)
    words = page.bar.words()

    assert page.says == ("running", "Running", "level 2 of 4, 2 users")
    assert (words.run, words.link) == (1, "Watch run 1")


def test_what_has_gone_wrong_on_the_way_is_said(page):
    page.begin()
    page.standing = Standing(1.0, users=2, users_asked=2, lost_workers=("host_1",))

    assert page.says == ("running", "Running", "2 users · 1 worker was lost: host_1")


@pytest.mark.parametrize("is_taken", [pytest.param(True, id="taken"), pytest.param(False, id="begun-without-a-look")])
def test_a_run_that_is_about_to_begin_is_starting(page, is_taken):
    if is_taken:
        page.is_starting = True
    else:
        page.begin()

    assert page.says == ("running", "Starting", "")


@pytest.mark.parametrize(
    ("kind", "key", "state", "why"),
    [
        pytest.param("demo", "pass", "✓ PASS", "No threshold was set; PASS means a valid run", id="passed"),
        pytest.param(
            "rate", "crossed", "↑ THRESHOLD CROSSED", "2 thresholds were crossed: p99 < 50 ms, dr", id="crossed"
        ),
        pytest.param("invalid", "invalid", "? INVALID", "The run supports no verdict: 1 of 2 workers", id="invalid"),
        pytest.param("failed", "failed", "✗ FAILED", "12 of 900 requests had no answer", id="failed"),
    ],
)
def test_the_last_run_is_told_with_its_first_reason(page, kind, key, state, why):
    page.begin()
    page.end(kind)
    words = page.bar.words()

    assert (words.key, words.state) == (key, state)
    assert words.more.startswith(why)
    assert (words.run, words.link) == (1, "Report of run 1")


def test_the_next_run_takes_the_last_ones_place(page):
    page.begin()
    page.end("failed")
    page.begin()
    page.standing = Standing(1.0, users=1, users_asked=1)

    assert page.says == ("running", "Running", "1 user")
    assert page.bar.words().run == 2


@pytest.mark.parametrize("has_warm_up", [True, False])
def test_that_locusts_totals_include_warm_ups_is_said_under_way_and_after(page, has_warm_up):
    before = page.bar.words().note
    page.begin(has_warm_up)
    page.standing = Standing(1.0, users=1, users_asked=1)
    under_way = page.bar.words().note
    page.end("demo")
    after = page.bar.words().note

    said = "Locust's own totals below include warm-ups; Levels, Accuracy and the run's page do not."
    assert [before, under_way, after] == ["", *[said if has_warm_up else ""] * 2]


def test_a_refused_start_is_told_until_one_is_taken(page):
    page.post(success=False, message="The run cannot start: --sweep 'x': expected numbers")
    page.now_s += 10 * EDIT_SHOWN_S
    told = page.bar.words().refusal
    page.post(success=True)

    assert told == "Not started: --sweep 'x': expected numbers"
    assert page.bar.words().refusal == ""


@pytest.mark.parametrize("state", ["running", "spawning"])
def test_a_refused_edit_is_told_for_a_while_and_in_the_log(page, state, caplog):
    page.post(success=False, message="The run cannot start: host: a run is under way", state=state)
    told = page.bar.words().refusal
    page.now_s += EDIT_SHOWN_S

    assert told == "Not changed: host: a run is under way"
    assert caplog.messages == [told]
    assert page.bar.words().refusal == ""


def test_what_locust_refuses_itself_is_told_too_on_one_line_and_steers_nothing(page):
    page.post(success=False, message="Invalid spawn_rate value:\n'\x1b[31m'")

    assert page.bar.words().refusal == "Not started: Invalid spawn_rate value: '?[31m'"


def test_the_logins_answer_is_none_of_the_forms(page):
    page.post(success=False, message="no")
    assert page._start(lambda: "log in first") == "log in first"

    assert page.bar.words().refusal == "Not started: no"


def test_a_run_that_begins_otherwise_forgets_what_was_refused(page):
    page.post(success=False, message="no")
    page.begin()

    assert page.bar.words().refusal == ""
