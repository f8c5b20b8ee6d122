"""Processes of a run that are held up for a while, as by a debugger."""

import json
import os
import re
import signal
import time
from pathlib import Path

import gevent
import pytest

from tests.support.runs import PROJECT, forked, locust, run_headless, wait_until
from tests.support.truth import truth_server
from tfsload.analysis import exit_codes

pytestmark = pytest.mark.timing

HELD_UP_S = 7
N_USERS, SERVICE_MS = 4, 50
MOST_RPS = N_USERS * 1000 / SERVICE_MS
USERS = ("-u", str(N_USERS), "-r", str(N_USERS))


def hold_up(pid, seconds=HELD_UP_S):
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)  # what is tested: nothing of it goes on by itself
    os.kill(pid, signal.SIGCONT)


def run(tmp_path, *arguments, after_s, who, seconds=HELD_UP_S, **options):
    """Make a run in which a process is held up, and return how it ended, and its result."""
    with truth_server(tmp_path / "server", service_ms=SERVICE_MS) as server:
        arguments = (*USERS, "--host", server.address, *arguments, "--report", str(tmp_path / "report"))
        options = {"locustfile": PROJECT / "locustfile.py", **options}
        with locust(tmp_path / "run", "--headless", *arguments, **options) as process:
            wait_until(process.has_spawned, "users")
            gevent.sleep(after_s)
            hold_up(who(process.pid), seconds)
            ended = process.wait()
    return ended, json.loads((tmp_path / "report" / "result.json").read_text())


def the_leader(pid):
    return pid


def test_a_master_that_was_held_up_makes_no_rate_higher(tmp_path):
    ended, result = run(tmp_path, "-t", "12s", *forked(2), after_s=4, who=the_leader)

    assert result["totals"]["requests_per_s"] <= MOST_RPS
    assert max(second["rate_rps"] for second in result["seconds"] if second["lasts_s"] >= 1) <= 1.2 * MOST_RPS
    assert ended.exit_code == exit_codes.PASS, ended.stdout


def test_a_master_that_was_held_up_gives_out_each_image_once(tmp_path):
    ended, result = run(tmp_path, "--num-tests", "600", *forked(2), after_s=1, who=the_leader, seconds=4)

    assert result["totals"]["predictions"] == 600
    assert result["workers"]["n_discarded"] == 0
    assert ended.exit_code == exit_codes.PASS, ended.stdout


def a_worker(pid):
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@pytest.mark.parametrize(
    ("arguments", "who", "told"),
    [
        pytest.param(("-t", "16s"), the_leader, r"the load generator stood still for \d", id="one-process"),
        pytest.param(
            ("-t", "16s", *forked(2)), a_worker, r"1 of 2 processes of the load generator stood still", id="one-of-two"
        ),
        pytest.param(
            ("--sweep", "4", "--level-duration", "14", "--warm-up", "0"),
            the_leader,
            r"4 users: the load generator stood still for \d",
            id="in-a-level",
        ),
    ],
)
def test_a_load_generator_that_was_held_up_blames_no_server(tmp_path, arguments, who, told):
    ended, result = run(tmp_path, *arguments, after_s=3, who=who)

    assert result["totals"]["failed"] == {}
    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert re.search(told, " ".join(ended.stdout.split()))
    assert "whether the server still runs" not in ended.stdout


BUSY_ONCE = """
import time
from pathlib import Path

from tfsload import GrpcUser, events


class Busy(GrpcUser):
    pass


@events.prediction.add_listener
def compute(image_index, **_):
    if image_index == 500 and not vars(compute):
        compute.is_done = True
        until_s = time.monotonic() + 6
        while time.monotonic() < until_s:
            pass
"""


def test_a_listener_that_computes_for_longer_than_the_deadline_blames_no_server(tmp_path):
    (tmp_path / "busy.py").write_text(BUSY_ONCE)
    with truth_server(tmp_path / "server", service_ms=5) as server:
        arguments = (*USERS, "--host", server.address, "-t", "16s", "--deadline", "5")
        ended = run_headless(tmp_path / "run", *arguments, locustfile=tmp_path / "busy.py")

    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert "the load generator stood still for" in " ".join(ended.stdout.split())
    assert "DEADLINE_EXCEEDED" not in ended.stdout
