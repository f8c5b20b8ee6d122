"""Runs with `-t`, and who ended them: Locust's timer, or somebody before it was over."""

import inspect
import re
import signal
from types import SimpleNamespace

import gevent
import locust.main
import locust.web
import pytest

from tests.runs import free_port, run_headless, wait_until
from tests.runs import locust as locust_process
from tests.test_webui import WebUi
from tfsload import exit_codes
from tfsload.run_time import LOCUSTS_TIMERS, RunTime, asked_s

STOPPED = r"  - stopped after (\d+\.\d) s of 60: "


class Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


def ran_s(limit_s, after_s, end=RunTime.end):
    """Return for how long a run is said to have lasted that was ended after some time."""
    clock = Clock()
    run_time = RunTime(limit_s, clock)
    clock.now_s += after_s
    end(run_time)
    return run_time.ran_s


@pytest.mark.parametrize("name", LOCUSTS_TIMERS)
def test_a_run_that_locusts_timer_ends_has_lasted_as_long_as_asked(name):
    def by_timer(run_time):
        def end():
            run_time.end()

        end.__name__ = name
        gevent.spawn(end).join()

    assert ran_s(20, 19.2, by_timer) == 20
    assert ran_s(20, 20.1, by_timer) == pytest.approx(20.1)


def test_a_run_that_others_end_has_lasted_as_long_as_it_did():
    assert ran_s(20, 1.1) == pytest.approx(1.1)
    assert ran_s(20, 1.1, lambda run_time: gevent.spawn(run_time.end).join()) == pytest.approx(1.1)
    assert ran_s(None, 1.1) == pytest.approx(1.1)


def test_what_comes_after_the_first_stop_does_not_prolong_it():
    clock = Clock()
    run_time = RunTime(20, clock)
    for _ in range(2):
        clock.now_s += 5
        run_time.end()

    assert run_time.ran_s == pytest.approx(5)


def environment_of(run_time, shape_class=None):
    return SimpleNamespace(parsed_options=SimpleNamespace(run_time=run_time), shape_class=shape_class)


@pytest.mark.parametrize(
    ("environment", "web_ui", "starts_by_itself", "asked"),
    [
        pytest.param(environment_of(20), None, True, 20, id="headless"),
        pytest.param(environment_of(None), None, True, None, id="headless-without-an-end"),
        pytest.param(environment_of(20, object()), None, True, None, id="a-shape-has-its-own-end"),
        pytest.param(environment_of(20), SimpleNamespace(_run_time_greenlet=object()), False, 20, id="from-the-form"),
        pytest.param(
            environment_of(20), SimpleNamespace(_run_time_greenlet=None), False, None, id="the-form-of-the-run-before"
        ),
        pytest.param(environment_of(20), SimpleNamespace(_run_time_greenlet=None), True, 20, id="autostart"),
    ],
)
def test_how_long_a_run_was_asked_to_last(environment, web_ui, starts_by_itself, asked):
    assert asked_s(environment, web_ui, starts_by_itself) == asked


def test_locusts_timers_are_still_called_that():
    headless, web = LOCUSTS_TIMERS

    assert f"spawn_later(options.run_time, {headless})" in inspect.getsource(locust.main)
    assert f"self._run_time_greenlet = gevent.spawn_later(run_time, self.{web})" in inspect.getsource(locust.web)


# From outside


def arguments_of(model_server, *more):
    return ("--host", model_server.address, "-u", "4", "-r", "4", *more)


@pytest.mark.parametrize(
    ("processes", "number"),
    [
        pytest.param([], signal.SIGTERM, id="sigterm"),
        pytest.param([], signal.SIGINT, id="ctrl-c"),
        pytest.param(["--processes", "2"], signal.SIGTERM, id="sigterm-two-processes"),
    ],
)
def test_a_run_with_a_length_that_is_stopped_before_it_is_invalid(tmp_path, model_server, processes, number):
    arguments = arguments_of(model_server, "-t", "60s", "--threshold", "error_rate < 50%", *processes)
    with locust_process(tmp_path, "--headless", "--only-summary", *arguments) as process:
        if processes:
            wait_until(lambda: "All users spawned" in process.log(), "users")
        else:
            wait_until(lambda: process.n_done() > 100, "a hundred answers")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert 0 < float(re.search(STOPPED, ended.stdout)[1]) < 60
    assert "  - error_rate < 50% holds\n" in ended.stdout


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, id="sigterm"), pytest.param(signal.SIGINT, id="ctrl-c")]
)
def test_a_run_without_a_length_is_ended_by_a_signal(tmp_path, model_server, number):
    with locust_process(tmp_path, "--headless", "--only-summary", *arguments_of(model_server)) as process:
        wait_until(lambda: process.n_done() > 100, "a hundred answers")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stdout
    assert "\nPASS:\n  - no thresholds; every request was answered" in ended.stdout


@pytest.mark.parametrize(
    "processes", [pytest.param([], id="one-process"), pytest.param(["--processes", "2"], id="two")]
)
def test_a_run_that_locust_ends_when_its_time_is_over_is_complete(tmp_path, model_server, processes):
    ended = run_headless(tmp_path, *arguments_of(model_server, "-t", "1s", *processes))

    assert ended.exit_code == exit_codes.PASS, ended.stdout
    assert "stopped after" not in ended.stdout


def test_the_web_uis_stop_button_ends_a_run_with_a_length_early(tmp_path, model_server):
    port = free_port()
    web_options = ("--web-host", "127.0.0.1", "--web-port", str(port))
    with locust_process(tmp_path, "--host", model_server.address, *web_options) as process:
        web_ui = WebUi(process, port)
        wait_until(web_ui.is_up, "the web UI")
        summaries = []
        for form, stops in (({"run_time": "60s"}, True), ({}, True), ({"run_time": "1s"}, False)):
            n_before = process.n_done()
            assert web_ui.start(**form)["success"]
            wait_until(lambda n_before=n_before: process.n_done() > n_before + 50, "answers")
            if stops:
                web_ui.stop()
            n_summaries = len(summaries) + 1
            wait_until(lambda n_summaries=n_summaries: web_ui.n_summaries() == n_summaries, "the summary")
            summaries.append(web_ui.summaries().split("Model mnist")[-1])
            wait_until(lambda: web_ui.stats()["state"] == "stopped", "the end")

    early, without_an_end, complete = summaries
    assert re.search(STOPPED, early)
    assert "INVALID" in early
    for summary in (without_an_end, complete):
        assert "PASS:" in summary
        assert "no thresholds; every request was answered" in summary
        assert "stopped after" not in summary
