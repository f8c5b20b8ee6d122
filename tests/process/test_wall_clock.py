"""Runs in the middle of which somebody sets the wall clock."""

import os
import re
from pathlib import Path

import pytest

from tests.support.runs import PROJECT, Ended, forked, locust, wait_until
from tests.support.truth import number, parse_table
from tfsload.analysis import exit_codes

CLOCK_SET = PROJECT / "tests" / "support" / "locustfiles" / "clock_set.py"


def set_clock(path: Path, seconds: int) -> None:
    """Set the wall clock of the processes that look at this file."""
    path.with_suffix(".new").write_text(str(seconds))
    os.replace(path.with_suffix(".new"), path)


def duration_s(ended: Ended) -> float:
    """Return how long the requests took in all, as the summary says."""
    return float(re.search(r"^requests +[\d,]+ in ([\d.]+) s", ended.stdout, re.MULTILINE)[1])


@pytest.mark.timing
@pytest.mark.parametrize("seconds", [pytest.param(3600, id="an-hour-on"), pytest.param(-3600, id="an-hour-back")])
def test_a_run_on_forked_goes_on(tmp_path, model_server, seconds):
    arguments = ("--headless", "--only-summary", "--host", model_server.address, "-u", "2", "-r", "2", "-t", "5s")
    clock = tmp_path / "clock"
    with locust(tmp_path, *arguments, *forked(2), locustfile=CLOCK_SET, TFSLOAD_TEST_CLOCK=str(clock)) as process:
        wait_until(process.has_spawned, "users")
        set_clock(clock, seconds)
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert "heard of the master" not in ended.stderr
    assert "get heartbeat from master" not in ended.stderr
    assert 0 < duration_s(ended) < 60


@pytest.mark.timing
def test_levels_get_their_users_after_the_clock_was_set_back(tmp_path, model_server):
    levels = ("--sweep", "2,4", "--level-duration", "2", "--warm-up", "0")
    clock = tmp_path / "clock"
    with locust(
        tmp_path, *("--headless", "--host", model_server.address, *forked(2)), *levels,
        locustfile=CLOCK_SET, TFSLOAD_TEST_CLOCK=str(clock),
    ) as process:  # fmt: skip
        wait_until(process.has_spawned, "users")
        set_clock(clock, -3600)
        ended = process.wait()

    assert "Discard spawn message" not in ended.stderr
    last = parse_table(ended.stdout)[-1]
    assert last["level"].startswith("4 users")
    assert number(last["in flight"]) > 2  # two users could have no more
    assert "no more come" not in ended.stderr


@pytest.mark.timing
@pytest.mark.parametrize(
    ("whose", "seconds", "load"),
    [
        pytest.param("worker", 3600, ["-t", "6s"], id="worker-an-hour-on"),
        pytest.param("worker", -3600, ["--num-tests", "600"], id="worker-an-hour-back-in-leases"),
        pytest.param("master", 3600, ["--num-tests", "600"], id="master-an-hour-on-in-leases"),
        pytest.param("master", -3600, ["-t", "6s"], id="master-an-hour-back"),
    ],
)
def test_a_clock_that_is_set_on_one_machine_changes_no_duration(cluster, tmp_path, model_server, whose, seconds, load):
    arguments = ("--host", model_server.address, "-u", "2", "-r", "2", *load)
    clock = tmp_path / "clock"
    of_master, of_worker = {}, {"TFSLOAD_TEST_WAIT_S": "0.01"}
    (of_master if whose == "master" else of_worker)["TFSLOAD_TEST_CLOCK"] = str(clock)
    run = cluster(*arguments, locustfile=CLOCK_SET, of_master=of_master, **of_worker)
    run.join()
    wait_until(lambda: run.master.n_done() > 50, "users at work")
    set_clock(clock, seconds)
    ended = run.master.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert 0 < duration_s(ended) < 60
