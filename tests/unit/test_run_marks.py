"""What the list of runs says of each beside its load, so that it can be told from the others."""

from pathlib import Path

import pytest

from tests.support.html import by_class, parsed, text_of
from tests.support.page_runs import page_run
from tests.support.run_pages import client_of
from tfsload.report.states import BROKEN_OFF
from tfsload.settings.options import OPTIONS
from tfsload.webui.run_marks import Marks, marks
from tfsload.webui.session_runs import CameTo, SessionRun, SessionRuns

AT_FIRST = {option.dest: option.default for option in OPTIONS if option.is_in_form}
SWEEP = {**AT_FIRST, "sweep": "1,2", "host": "", "user_count": "1", "spawn_rate": "1", "run_time": ""}
PLAIN = {**SWEEP, "sweep": ""}
HOSTILE = "<script>alert(1)</script>\u202e"


def told(*all_fields, subjects=()):
    """Return what is said of runs that the form held this for."""
    runs = [SessionRun(number, fields, 0.0, Path()) for number, fields in enumerate(all_fields, 1)]
    for run, subject in zip(runs, subjects, strict=False):
        run.came_to = CameTo(subject, "", BROKEN_OFF, ())
    return [*marks(runs).values()]


@pytest.mark.parametrize(
    ("first", "second", "others"),
    [
        pytest.param(SWEEP, SWEEP, ["", ""], id="alike"),
        pytest.param(SWEEP, {**SWEEP, "connections": "4"}, ["", "--connections 4"], id="an-option"),
        pytest.param(
            {**SWEEP, "deadline": "2"}, {**SWEEP, "deadline": "3"}, ["--deadline 2", "--deadline 3"], id="both-changed"
        ),
        pytest.param({**SWEEP, "deadline": "2"}, {**SWEEP, "deadline": "2"}, ["", ""], id="both-changed-alike"),
        pytest.param(SWEEP, {**SWEEP, "sweep": "1,4"}, ["", ""], id="what-the-load-tells"),
        pytest.param(SWEEP, {**SWEEP, "run_time": "9s"}, ["", ""], id="what-its-kind-of-load-does-not-go-by"),
        pytest.param(PLAIN, {**PLAIN, "run_time": "9s"}, ["", "run time 9s"], id="a-run-time"),
        pytest.param(SWEEP, {**SWEEP, "host": "tf:8500"}, ["", "--host tf:8500"], id="a-server"),
        pytest.param(SWEEP, {**SWEEP, "own_one": "x"}, ["", ""], id="an-option-that-the-first-never-had"),
        pytest.param({**SWEEP, "own_one": "y"}, {**SWEEP, "own_one": "x"}, ["own one y", "own one x"], id="own"),
        pytest.param(
            SWEEP,
            {**SWEEP, "seed": "2", "verify": "5", "tls": "true", "wait": "9", "connections": "2"},
            ["", "--connections 2 · --tls true · --wait 9 · 2 more"],
            id="many",
        ),
        pytest.param(SWEEP, {**SWEEP, "dataset": "x" * 99}, ["", f"--dataset {'x' * 49}…"], id="long"),
        pytest.param({}, SWEEP, ["", ""], id="one-of-which-nothing-is-known"),
    ],
)
def test_options_are_told_where_runs_differ_in_them(first, second, others):
    assert [one.others for one in told(first, second)] == others


def test_notes_and_thresholds_are_told_as_they_are():
    (found,) = told({**SWEEP, "note": "commit=1a2b; why=10, 20;", "threshold": "p99 < 5ms;error_rate < 5% ; p99 < 5ms"})

    assert found == Marks("commit=1a2b · why=10, 20", "p99 < 5 ms · error_rate < 5%", "")


@pytest.mark.parametrize(
    ("typed", "told_as"),
    [
        pytest.param("p99<0.5ms", "p99 < 0.5 ms", id="a-time"),
        pytest.param("rate>=100 ; failed_rate<0.01", "rate >= 100/s · failed_rate < 1%", id="rates-and-shares"),
        pytest.param("p50 < 20us abort=10s", "p50 < 20 µs abort=10s", id="an-abort"),
        pytest.param("p99 < 5ms; what < 5ms", "p99 < 5ms · what < 5ms", id="what-is-none"),
    ],
)
def test_limits_are_written_as_everywhere(typed, told_as):
    assert told({**SWEEP, "threshold": typed})[0].thresholds == told_as


def test_models_are_told_where_they_are_not_the_same():
    assert [one.others for one in told(SWEEP, SWEEP, subjects=("a, version 1", "a, version 1"))] == ["", ""]
    assert [one.others for one in told(SWEEP, SWEEP, SWEEP, subjects=("a, version 1", "a, version 2"))] == [
        "a, version 1",
        "a, version 2",
        "",
    ]


def test_the_list_shows_them_as_text():
    runs = SessionRuns(lambda _: "")
    runs.begin({**SWEEP, "note": f"why={HOSTILE}", "threshold": HOSTILE})
    runs.conclude(page_run("demo"))
    runs.begin({**SWEEP, "dataset": HOSTILE})
    page = parsed(client_of(runs).get("/tfsload/runs/").text)
    runs.close()
    under_way, first = [text_of(one) for one in by_class(page, "load")][1:]

    assert not list(page.iter("script"))
    assert "why=<script>alert(1)</script>? to hold: <script>alert(1)</script>?" in first
    assert "--dataset <script>alert(1)</script>?" in under_way
