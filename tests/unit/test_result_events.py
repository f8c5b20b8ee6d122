"""What listeners of levels and runs are given, and what becomes of one that raises."""

import inspect
import logging
from types import SimpleNamespace

import pytest
from locust import log

from tests.support.golden import result_of
from tests.support.page_runs import page_run
from tests.support.past_runs import PAST_RUNS
from tfsload.prediction import events
from tfsload.run.result_events import tell_level, tell_run

LEVEL_KEYWORDS = {
    *("level", "name", "users", "rate_rps", "achieved_rps", "latency_ns", "error_rate", "wrong_rate", "failed_rate"),
    *("failed", "mismatched_rate", "dropped_rate", "doubts", "row"),
}


@pytest.fixture
def hooks():
    made = SimpleNamespace()
    events.install(made)
    return made


@pytest.fixture
def told(hooks):
    kept = []
    hooks.level.add_listener(lambda **given: kept.append(given))
    hooks.run.add_listener(lambda **given: kept.append(given))
    return kept


def test_a_listener_of_levels_is_told_its_figures(hooks, told):
    first, second = page_run("rate").levels
    tell_level(hooks, first)
    tell_level(hooks, second)

    assert [given["name"] for given in told] == ["100 requests/s", "400 requests/s"]
    assert set(told[0]) == LEVEL_KEYWORDS
    assert told[0]["achieved_rps"] == pytest.approx(100)
    assert told[0]["error_rate"] == told[0]["wrong_rate"] == pytest.approx(0.021)
    assert (told[0]["failed_rate"], told[0]["mismatched_rate"], told[0]["dropped_rate"]) == (0, None, 0)
    assert told[1]["dropped_rate"] == pytest.approx(0.04)
    assert told[0]["latency_ns"][50] < told[0]["latency_ns"][99] < 10_000_000


@pytest.mark.parametrize("kind", ["sweep", "rate", "search"])
def test_a_listener_of_levels_is_told_what_the_result_holds(hooks, told, kind):
    past = PAST_RUNS[kind]()
    past.results.levels.clear()  # they are to be closed again
    for run in past.runs:
        tell_level(hooks, past.results.close_level(run, past.settings.checks.thresholds))

    assert [given["row"].finding for given in told] == [level.finding for level in result_of(past).levels]
    assert all((given["row"].finding is not None) is (kind == "search") for given in told)


def test_what_is_listed_is_what_is_given():
    listed = inspect.getdoc(events).split("`environment.events.level`")[1].split("`environment.events.run`")[0]
    rows = [line.split("|")[1].strip() for line in listed.splitlines() if line.startswith("| ")]

    assert {name for row in rows[2:] for name in row.split(", ") if name} == LEVEL_KEYWORDS


def test_a_listener_of_runs_is_told_the_result(hooks, told):
    result = page_run("demo")
    tell_run(hooks, result)

    assert told == [{"result": result}]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)], ids=["an-error", "an-exit"])
def test_a_listener_that_raises_costs_a_warning(hooks, caplog, monkeypatch, error):
    monkeypatch.setattr(log, "unhandled_greenlet_exception", False)
    heard = []

    def fail(**_):
        raise error

    hooks.run.add_listener(fail)
    hooks.run.add_listener(lambda result: heard.append(result))
    tell_run(hooks, page_run("demo"))

    assert len(heard) == 1
    (record,) = caplog.records
    assert (record.levelno, record.getMessage().split(",")[0]) == (logging.WARNING, "A listener of events.run failed")
    assert not log.unhandled_greenlet_exception


def test_events_without_the_hooks_are_told_nothing():
    result = page_run("rate")

    tell_level(SimpleNamespace(), result.levels[0])
    tell_run(SimpleNamespace(), result)
