"""Runs with a run time that end otherwise: their timers end no later run, from outside."""

import re
import signal

import pytest

from tests.support.runs import free_port, locust, wait_until
from tests.support.web_ui import UNSET, web_ui_of

# Longer than what is left of the timer of the run before.
# Users at full speed would keep the machine busy for nothing.
PACED = {"TFSLOAD_TEST_IN_FLIGHT_S": "0.02"}
SWEEP = UNSET | {"sweep": "1,2", "level_duration": "3", "warm_up": "0.2"}


def rows_of_levels(ui, **form):
    """Start levels, wait for their summary, and return how many users its rows are of."""
    before = ui.n_summaries()
    answer = ui.start(**{**SWEEP, **form})
    assert answer["success"], answer
    wait_until(lambda: ui.n_summaries() > before, "the summary")
    summary = ui.summaries().split("Model mnist")[-1]
    return [int(n) for n in re.findall(r"(?m)^ *([0-9]+) users? ", summary)], summary


def test_a_run_that_ended_by_itself_leaves_no_timer(tmp_path, model_server):
    with web_ui_of(tmp_path, "--host", model_server.address, **PACED) as ui:
        assert ui.start(**UNSET | {"num_tests": "20", "run_time": "5s"})["success"]
        wait_until(ui.n_summaries, "the summary")
        rows, summary = rows_of_levels(ui)

    assert rows == [1, 2], summary
    assert "levels to go" not in summary


@pytest.mark.long
def test_a_run_whose_last_worker_quit_leaves_no_timer(tmp_path, model_server):
    port = str(free_port())
    master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    worker = ("--worker", "--master-port", port)
    with web_ui_of(tmp_path / "master", *master, "--host", model_server.address) as ui:
        with locust(tmp_path / "first", *worker, **PACED) as first:
            wait_until(lambda: len(ui.stats()["workers"]) == 1, "a worker")
            assert ui.start(**UNSET | {"run_time": "9s"})["success"]
            wait_until(lambda: ui.stats()["state"] == "running", "the run")
            first.signal(15)
            wait_until(ui.n_summaries, "the summary")
        with locust(tmp_path / "second", *worker, **PACED):
            wait_until(lambda: "ready" in [one["state"] for one in ui.stats()["workers"]], "a worker")
            rows, summary = rows_of_levels(ui, level_duration="5")

    assert rows == [1, 2], summary


@pytest.mark.parametrize(
    ("arguments", "is_stopped"),
    [
        pytest.param(("-u", "2", "-t", "8s"), True, id="stopped-from-the-page"),
        pytest.param(
            ("--sweep", "1", "--level-duration", "1", "-t", "4s"),  # Locust sets the timer once they are over
            False,
            id="levels-that-ended-by-themselves",
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_run_that_the_command_line_has_started_leaves_no_timer(tmp_path, model_server, arguments, is_stopped):
    with web_ui_of(tmp_path, "--host", model_server.address, "--autostart", *arguments, **PACED) as ui:
        wait_until(lambda: ui.stats()["state"] != "ready", "the run")
        if is_stopped:
            ui.stop()
        wait_until(ui.n_summaries, "the summary")
        rows, summary = rows_of_levels(ui, level_duration="5")

    assert rows == [1, 2], summary


def test_the_run_that_the_command_line_has_started_has_its_end(tmp_path, model_server):
    with web_ui_of(
        tmp_path, "--host", model_server.address, "--autostart", "-t", "2s", "--autoquit", "0", **PACED
    ) as ui:
        ended = ui.process.wait()

    assert "--autoquit time reached" in ended.stderr
    assert "stopped after" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("-t", "1s"), id="a-run-time"),
        # After these it is Locust's main greenlet that waits.
        pytest.param(("--sweep", "1", "--level-duration", "1", "--warm-up", "0.2"), id="levels"),
    ],
)
def test_the_wait_of_autoquit_ends_no_run_that_is_started_in_it(tmp_path, model_server, arguments):
    more = ("--autostart", "--autoquit", "8", *arguments)
    with web_ui_of(tmp_path, "--host", model_server.address, *more) as ui:
        wait_until(ui.n_summaries, "the command line's run to end")
        assert ui.start(**UNSET)["success"]
        wait_until(lambda: "another run was started after the command line's" in ui.process.log(), "a word on it")
        state = ui.stats()["state"]
        ui.stop()
        wait_until(lambda: ui.n_summaries() == 2, "the summary")
        assert ui.start(**UNSET | {"num_tests": "20"})["success"]
        wait_until(lambda: ui.n_summaries() == 3, "the summary of a third run")
        ui.process.signal(signal.SIGINT)
        ended = ui.process.wait()

    assert state == "running"
    assert "--autoquit time reached" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_autoquit_waits_for_a_start_that_comes_to_no_run(tmp_path, model_server):
    """A visitor whose start was refused leaves the process no other run."""
    nobody = f"127.0.0.1:{free_port()}"
    more = ("--autostart", "--autoquit", "4", "-t", "1s", "--wait", "8")
    with web_ui_of(tmp_path, "--host", model_server.address, *more) as ui:
        wait_until(ui.n_summaries, "the command line's run to end")
        answer = ui.start(**UNSET, host=nobody)
        ended = ui.process.wait()

    assert "no model server answers" in answer["message"]
    assert "--autoquit time reached" in ended.stderr


def test_autoquit_ends_the_process_with_no_run_that_is_started_from_the_page(tmp_path, model_server):
    with web_ui_of(tmp_path, "--host", model_server.address, "--autostart", "--autoquit", "0", **PACED) as ui:
        ui.wait_until_running()
        ui.stop()
        for n_ended in (1, 2):
            wait_until(lambda n=n_ended: ui.n_summaries() == n, "the last run's summary")
            assert ui.start(**UNSET | {"num_tests": "20"})["success"]
        wait_until(lambda: ui.n_summaries() == 3, "the summary of a run after one that ended by itself")
