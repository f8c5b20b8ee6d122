"""Runs with `-t` that somebody stops before their time, and runs that have no other end, from outside."""

import re
import signal

import pytest

from tests.support.runs import forked, run_headless, wait_until
from tests.support.runs import locust as locust_process
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes

ALL_ANSWERED = "no threshold was set; PASS means a valid run in which every request was answered"
STOPPED = r"\(exit code 4\): stopped after (\d+\.\d) s of 60\n"


def arguments_of(model_server, *more):
    return ("--host", model_server.address, "-u", "4", "-r", "4", *more)


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, id="sigterm"), pytest.param(signal.SIGINT, id="ctrl-c")]
)
def test_a_run_with_a_length_that_is_stopped_before_it_is_invalid(tmp_path, model_server, number):
    arguments = arguments_of(model_server, "-t", "60s", "--threshold", "error_rate < 50%")
    with locust_process(tmp_path, "--headless", "--only-summary", *arguments) as process:
        wait_until(lambda: process.n_done() > 100, "a hundred answers")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert 0 <= float(re.search(STOPPED, ended.stdout)[1]) < 60
    assert "\n✓ error_rate < 50%  " in ended.stdout


def test_a_run_of_two_processes_that_is_stopped_before_its_length_is_invalid(tmp_path, model_server):
    """They may be stopped before they have told of an answer: what a threshold says is not known then."""
    arguments = arguments_of(model_server, "-t", "60s", *forked(2))
    with locust_process(tmp_path, "--headless", "--only-summary", *arguments) as process:
        wait_until(process.has_spawned, "users")
        process.signal(signal.SIGTERM)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert 0 <= float(re.search(STOPPED, ended.stdout)[1]) < 60


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, id="sigterm"), pytest.param(signal.SIGINT, id="ctrl-c")]
)
def test_a_run_without_a_length_is_ended_by_a_signal(tmp_path, model_server, number):
    with locust_process(tmp_path, "--headless", "--only-summary", *arguments_of(model_server)) as process:
        wait_until(lambda: process.n_done() > 100, "a hundred answers")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stdout
    assert f"\nPASS (exit code 0): {ALL_ANSWERED}" in ended.stdout


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="one-process"), pytest.param(2, id="two")])
def test_a_run_that_locust_ends_when_its_time_is_over_is_complete(tmp_path, model_server, n_workers):
    ended = run_headless(tmp_path, *arguments_of(model_server, "-t", "3s", *forked(n_workers)))

    assert ended.exit_code == exit_codes.PASS, ended.stdout
    assert "stopped after" not in ended.stdout


def test_the_web_uis_stop_button_ends_a_run_with_a_length_early(tmp_path, model_server):
    with web_ui_of(tmp_path, "--host", model_server.address) as web_ui:
        process, summaries = web_ui.process, []
        for form, stops in (({"run_time": "60s"}, True), ({}, True), ({"run_time": "1s"}, False)):
            n_before = process.n_done()
            assert web_ui.start(**form)["success"]
            wait_until(lambda n_before=n_before: process.n_done() > n_before + 50, "answers")
            if stops:
                web_ui.stop()
            n_summaries = len(summaries) + 1
            wait_until(lambda n_summaries=n_summaries: web_ui.n_summaries() == n_summaries, "the summary")
            summaries.append(web_ui.summaries().split("Model mnist")[-1])
            web_ui.wait_for_end()

    early, without_an_end, complete = summaries
    assert re.search(STOPPED, early)
    assert "INVALID" in early
    for summary in (without_an_end, complete):
        assert "PASS (exit code 0): " in summary
        assert ALL_ANSWERED in summary
        assert "stopped after" not in summary
