"""What a person sees who runs it on a terminal, and what a log holds of the same."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runs import LIMIT_S, OBSERVED, PROJECT, UNHURRIED_S, forked, locust
from tests.support.terminals import Terminal, terminal
from tfsload.analysis import exit_codes

LEVELS = ("--sweep", "1,2", "--level-duration", "2", "--warm-up", "0.5")
LIVE = re.compile(r"\d/\d  \d users?  |[█░]{10}")
# Locust's own tables, and nothing else, have this row.
TOTAL = re.compile(r"^ +Aggregated ", re.MULTILINE)


def start_on(one: Terminal, directory: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    environment |= {"PYTHONPATH": str(PROJECT), "TERM": "xterm", "TFSLOAD_TEST_OUTCOME": str(directory / "outcome")}
    environment |= {} if "--num-tests" in arguments else {"TFSLOAD_TEST_IN_FLIGHT_S": UNHURRIED_S}
    command = [sys.executable, "-m", "locust", "-f", str(OBSERVED), "--headless", *arguments]
    return subprocess.Popen(command, cwd=PROJECT, env=environment, stdin=one.end, stdout=one.end, stderr=one.end)


def assert_is_clean(one: Terminal) -> None:
    """Nothing is left of the line that was shown, and nothing of it has wrapped."""
    assert [line for line in one.lines if LIVE.search(line)] == []
    assert one.lines[-1].startswith("Inference error rate: ")


@pytest.mark.timing
@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked")])
def test_a_sweep_shows_a_line_and_puts_each_level_above_it(tmp_path, model_server, n_workers):
    with terminal(100) as one:
        process = start_on(one, tmp_path, "--host", model_server.address, *LEVELS, *forked(n_workers))
        one.run(process, LIMIT_S)

    live = [line for line in one.shown if LIVE.search(line)]
    assert {line[:14] for line in live} >= {"1/2  1 user  ░", "2/2  2 users  "}
    assert any(re.fullmatch(r"2/2  2 users  [█░]{10}  \d s left  [\d.,]+/s  [\d.]+% err", line) for line in live)
    assert_is_clean(one)
    heading, first, second = (
        next(number for number, line in enumerate(one.lines) if line.startswith(begin))
        for begin in ("level  ", "1 user ", "2 users ")
    )
    assert heading + 1 == first < second < one.lines.index("All levels together, as counted:")
    assert not TOTAL.search("\n".join(one.lines))


@pytest.mark.timing
def test_a_window_that_becomes_narrow_in_mid_run_wraps_nothing(tmp_path, model_server):
    with terminal(100) as one:
        process = start_on(one, tmp_path, "--host", model_server.address, *LEVELS)
        n_before = []

        def narrow():
            if not n_before and any("2/2" in line for line in one.shown):
                one.resize(30)
                n_before.append(len(one.shown))

        one.run(process, LIMIT_S, narrow)

    after = [line for line in one.shown[n_before[0] + 1 :] if LIVE.search(line)]
    assert after
    assert all(len(line) < 30 for line in after)
    summary = one.lines[one.lines.index("All levels together, as") :]  # it goes on in the next line
    assert all(len(line) <= 30 for line in summary)
    assert summary[-1].startswith("Inference error rate: ")


@pytest.mark.timing
def test_a_run_of_images_says_how_many_are_fired(tmp_path, model_server):
    with terminal(80) as one:
        process = start_on(one, tmp_path, "--host", model_server.address, "-u", "1", "--num-tests", "1000")
        exit_code = one.run(process, LIMIT_S)

    live = [line for line in one.shown if LIVE.search(line)]
    assert any(re.fullmatch(r"[█░]{10}  [\d,]+ of 1,000 images  [\d.,]+/s  [\d.]+% err", line) for line in live)
    assert_is_clean(one)
    assert exit_code == exit_codes.PASS
    # States are painted, and nothing else steers the terminal but what shows the line.
    escapes = set(re.findall(rb"\x1b\[[0-9;?]*[A-Za-z]", one.written))
    assert escapes == {b"\x1b[K", b"\x1b[1;32m", b"\x1b[0m"}


@pytest.mark.timing
def test_a_log_has_plain_lines(tmp_path, model_server):
    with locust(tmp_path, "--headless", "--host", model_server.address, "-u", "1", "-t", "7s") as process:
        ended = process.wait()

    lines = [line for line in ended.stderr.splitlines() if LIVE.search(line)]
    assert lines
    assert all(re.fullmatch(r"[█░]{10}  \d s left  [\d.,]+/s  [\d.]+% err", line) for line in lines)
    assert "\x1b" not in ended.stderr + ended.stdout
    assert "\r" not in ended.stderr + ended.stdout


OTHERS = """
from locust import User, constant, task
import tfsload

class MyUser(tfsload.GrpcUser):
    pass

class Idle(User):
    wait_time = constant(0.1)
    @task
    def nothing(self):
        self.environment.events.request.fire(
            request_type="own", name="nothing", response_time=1, response_length=0, exception=None, context={}
        )
"""
BY_CLASS = """
import tfsload

class MyUser(tfsload.GrpcUser):
    pass

class Bulk(tfsload.GrpcUser):
    request_name = "bulk"
"""


@pytest.mark.parametrize(
    ("locustfile", "options", "n_periodic", "n_final"),
    [
        pytest.param(None, (), 0, 0, id="predictions-alone"),
        pytest.param(None, ("--only-summary",), 0, 2, id="only-summary"),
        pytest.param(None, ("--print-stats",), 1, 2, id="asked-for"),
        pytest.param(OTHERS, (), 1, 2, id="other-users"),
        pytest.param(BY_CLASS, (), 1, 2, id="classes-with-rows-of-their-own"),
    ],
)
def test_locusts_own_tables_are_printed_where_they_tell_something(
    tmp_path, model_server, locustfile, options, n_periodic, n_final
):
    path = OBSERVED
    if locustfile is not None:
        path = tmp_path / "own.py"
        path.write_text(locustfile)
    arguments = ("--headless", "--host", model_server.address, "-u", "2", "-r", "2", "-t", "3s", *options)
    with locust(tmp_path / "run", *arguments, locustfile=path) as process:
        ended = process.wait()

    n_tables = len(TOTAL.findall(ended.stderr))
    assert n_tables == n_final if not n_periodic else n_tables > n_final
    assert not TOTAL.search(ended.stdout)


def test_locusts_report_of_errors_stays(tmp_path, model_server):
    arguments = ("--headless", "--host", model_server.address, "-u", "1", "-t", "2s", "--deadline", "0.0005")
    with locust(tmp_path, *arguments) as process:
        ended = process.wait()

    assert "Error report" in ended.stderr
    assert "DEADLINE_EXCEEDED" in ended.stderr
    assert not TOTAL.search(ended.stderr)
