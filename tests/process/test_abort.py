"""Thresholds that end a run, as a user calls it: in one process, in several, from the web UI."""

import os
import signal
import time

import numpy as np
import pytest

from tests.support.runs import PROJECT, forked, locust, run_headless, wait_until
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes
from tfsload.datasets import dataset
from tfsload.target.launcher import EmbeddedServer

# The shipped model's 0.8 % cross it.
ERRORS = "error_rate < 0.1% abort=0s"
PLAIN = ("-u", "4", "-r", "4", "-t", "300")
# Far longer than a test may take: only a threshold ends it.
LEVELS = ("--sweep", "2,4", "--level-duration", "300", "--warm-up", "0.2")


def ended_by_threshold(ended):
    """Return the sentences of a run that was ended, which has crossed a threshold and is nothing worse."""
    assert ended.exit_code == exit_codes.THRESHOLD, ended.stdout + ended.stderr
    crossed, ended_by = [line for line in ended.stdout.splitlines() if "was crossed" in line or "was ended by" in line]
    for word in ("run was stopped", "stopped after", "let it end by itself", "were fired before"):
        assert word not in ended.stdout
    return crossed, ended_by


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="one-process"), pytest.param(2, id="two-processes")])
@pytest.mark.parametrize(
    ("arguments", "threshold", "words"),
    [
        pytest.param(PLAIN, "p50 < 1us abort=0s; p99.99 < 10s", "p50 < 1 µs abort=0s was crossed", id="a-percentile"),
        pytest.param(PLAIN, "recall[9] > 99.9% abort=2s", "recall[9] > 99.9% abort=2s was crossed: ", id="a-class"),
        pytest.param(
            ("-u", "2", "--num-tests", "1000"), ERRORS, "error_rate < 0.1% abort=0s was crossed", id="num-tests"
        ),
        pytest.param(LEVELS, ERRORS, "error_rate < 0.1% abort=0s was crossed at 2 users", id="in-a-level"),
        pytest.param(
            ("--rate", "100,200", *LEVELS[2:]),
            "right_rate[1us,rate=100] > 50/s abort=0s",
            "right_rate[1us,rate=100] > 50/s abort=0s was crossed at 100 requests/s",
            id="right-answers-in-a-level",
        ),
    ],
)
def test_a_threshold_ends_a_run(tmp_path, model_server, arguments, threshold, words, n_workers):
    pace = {"TFSLOAD_TEST_IN_FLIGHT_S": "0.01"}  # no more load than it needs
    slowly = pace | {"TFSLOAD_TEST_WAIT_S": "0.05"} if "--num-tests" in arguments else pace
    ended = run_headless(
        tmp_path, "--host", model_server.address, *arguments, "--threshold", threshold, *forked(n_workers), **slowly
    )

    crossed, ended_by = ended_by_threshold(ended)
    assert words in crossed
    assert f"the run was ended by {words.partition(' was ')[0]}" in ended_by
    assert ended_by.endswith(", with 2 levels to go") is ("--level-duration" in arguments)
    assert "the run ends" in ended.stderr
    if "--num-tests" in arguments:
        assert ended.outcome["predictions"] < 1000


@pytest.mark.parametrize("load", [PLAIN, LEVELS], ids=["plain", "levels"])
def test_a_run_ends_where_each_image_is_wrong(tmp_path, model_server, load):
    """By chance the one image of some that is right could not be left out for so long."""
    shipped = dataset.load("mnist5k")
    np.savez(tmp_path / "wrong.npz", images=shipped.images[:4], labels=(shipped.labels[:4] + 1) % 10)
    asked = ("--dataset", str(tmp_path / "wrong.npz"), "--threshold", "error_rate < 100% abort=0s")
    ended = run_headless(tmp_path, "--host", model_server.address, *load, *asked, TFSLOAD_TEST_IN_FLIGHT_S="0.01")

    assert "error_rate < 100% abort=0s was crossed" in ended_by_threshold(ended)[0]


def test_a_threshold_ends_a_run_of_a_master_and_its_worker(cluster, model_server):
    asked = ("--expect-workers", "1", *LEVELS, "--threshold", ERRORS)
    master = cluster("--host", model_server.address, *asked, TFSLOAD_TEST_IN_FLIGHT_S="0.01")
    master.join()
    ended = master.master.wait()

    assert "crossed at 2 users" in ended_by_threshold(ended)[0]


def test_a_level_that_has_ended_is_the_last(tmp_path, model_server):
    ended = run_headless(
        tmp_path,
        *("--host", model_server.address, "--sweep", "2,4,2", "--level-duration", "2", "--warm-up", "0.2"),
        *("--threshold", "p50 < 1us abort; p50[users=4] < 10s"),
        TFSLOAD_TEST_IN_FLIGHT_S="0.01",
    )

    # What it says of the level itself depends on what else the machine has to do.
    assert ended.exit_code in (exit_codes.THRESHOLD, exit_codes.INVALID)
    assert "p50 < 1 µs abort was crossed at 2 users: " in ended.stdout
    ended_by = "the run was ended by p50 < 1 µs abort at the level's end, with 2 levels to go"
    assert ended_by in ended.stdout
    assert "p50[users=4] < 10 s at 4 users was not judged, since the run had been ended" in ended.stdout
    assert "the run was stopped" not in ended.stdout


def test_a_threshold_ends_a_run_from_the_form_and_the_next_starts_clean(tmp_path, model_server):
    with web_ui_of(tmp_path, "--host", model_server.address, TFSLOAD_TEST_IN_FLIGHT_S="0.01") as ui:
        for form in ({"sweep": "2,4", "level_duration": "300", "warm_up": "0"}, {"sweep": ""}):
            before = ui.n_summaries()
            assert ui.start(threshold=ERRORS, **form)["success"]
            wait_until(lambda before=before: ui.n_summaries() > before, "the summary")
            ui.wait_for_end()
        summaries = ui.summaries()

    assert summaries.count("error_rate < 0.1% abort=0s was crossed at 2 users: ") == 1
    assert summaries.count("the run was ended by error_rate < 0.1% abort=0s, with 2 levels to go") == 1
    assert summaries.count("error_rate < 0.1% abort=0s was crossed: ") == 1


# Four users, each hardly ten requests a second.
PACED = {"TFSLOAD_TEST_IN_FLIGHT_S": "0.1"}
PACED_RUN = ("-u", "4", "-r", "4", "-t", "14")
PACED_LEVEL = ("--sweep", "4,4", "--level-duration", "7", "--warm-up", "1")


@pytest.mark.timing
@pytest.mark.parametrize("load", [pytest.param(PACED_RUN, id="without-levels"), pytest.param(PACED_LEVEL, id="level")])
@pytest.mark.parametrize(
    ("threshold", "is_ended"),
    [
        pytest.param("rate > 30/s abort=0s", False, id="just-above"),
        pytest.param("rate > 48/s abort=0s", True, id="clearly-below"),
    ],
)
def test_workers_that_report_at_other_times_are_held_together(cluster, model_server, load, threshold, is_ended):
    master = cluster(
        *("--host", model_server.address, "--expect-workers", "2", *load, "--threshold", threshold), **PACED
    )
    master.join()
    time.sleep(1.5)  # half of the time from one report of a worker to its next
    master.join()
    ended = master.master.wait()

    assert ("the run ends" in ended.stderr) is is_ended, ended.stdout + ended.stderr
    if is_ended:
        assert "rate > 48/s abort=0s was crossed" in ended_by_threshold(ended)[0]
    else:
        assert "was crossed" not in ended.stdout


@pytest.mark.timing
@pytest.mark.parametrize(
    ("load", "n_workers"),
    [
        pytest.param(("-u", "4", "-r", "4", "-t", "300"), 2, id="run-time"),
        pytest.param(("-u", "4", "-r", "4", "--num-tests", "1000"), 2, id="num-tests"),
        pytest.param(("--sweep", "4,4", "--level-duration", "300", "--warm-up", "0"), 0, id="level"),
    ],
)
def test_a_server_that_hangs_crosses_a_rate_before_a_request_has_failed(tmp_path, load, n_workers):
    server = EmbeddedServer.start("mnist", PROJECT / "models" / "mnist")
    asked = ("--threshold", "rate > 20/s abort=0s", "--deadline", "100", "--give-up-after", "0")
    try:
        with locust(
            tmp_path, "--headless", "--host", server.address, *load, *asked, *forked(n_workers), **PACED
        ) as process:
            wait_until(lambda: process.n_done() >= 100, "answers")
            os.kill(server.pid, signal.SIGSTOP)
            wait_until(lambda: "the run ends" in process.log(), "the run's end")
            os.kill(server.pid, signal.SIGCONT)  # it is asked for its model once more
            ended = process.wait()
    finally:
        os.kill(server.pid, signal.SIGCONT)
        server.stop()

    assert "rate > 20/s abort=0s was crossed" in ended_by_threshold(ended)[0]
