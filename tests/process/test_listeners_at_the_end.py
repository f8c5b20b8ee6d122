"""Listeners of a user's own that raise while a run ends: the summary is said, and the exit code goes with it."""

import re

import pytest

from tests.support.runs import forked, run_headless
from tfsload.analysis import exit_codes

LOCUSTFILE = """\
import sys
from locust import events
from locustfile import GrpcPredictionUser
@events.{event}.add_listener
def listener(**_):
    {statement}
"""
FAILED, PASS = exit_codes.FAILED, exit_codes.PASS


@pytest.mark.parametrize(
    ("event", "statement", "exit_code"),
    [
        pytest.param("test_stopping", "raise RuntimeError('mine')", FAILED, id="raises-on-test-stopping"),
        pytest.param("test_stop", "raise RuntimeError('mine')", FAILED, id="raises-on-test-stop"),
        pytest.param("quitting", "raise RuntimeError('mine')", PASS, id="raises-on-quitting"),
        pytest.param("quit", "raise RuntimeError('mine')", PASS, id="raises-on-quit", marks=pytest.mark.long),
        pytest.param("test_stopping", "sys.exit(7)", PASS, id="exits-on-test-stopping", marks=pytest.mark.long),
        pytest.param("test_stop", "sys.exit(7)", PASS, id="exits-on-test-stop", marks=pytest.mark.long),
        pytest.param("quitting", "sys.exit(7)", PASS, id="exits-on-quitting"),
        # Long, because shutting down waits for what is being concluded.
        pytest.param(
            "test_stop", "raise KeyboardInterrupt", PASS, id="interrupts-on-test-stop", marks=pytest.mark.long
        ),
        pytest.param("quitting", "raise KeyboardInterrupt", PASS, id="interrupts-on-quitting"),
        pytest.param("quit", "raise KeyboardInterrupt", PASS, id="interrupts-on-quit", marks=pytest.mark.long),
        pytest.param("quitting", "sys.stdout.close()", PASS, id="closes-standard-output", marks=pytest.mark.long),
        pytest.param("quitting", "sys.stdout = None", PASS, id="takes-standard-output-away"),
        pytest.param("quitting", "sys.stdout = object()", PASS, id="replaces-standard-output-by-what-is-none"),
    ],
)
def test_the_summary_is_said_all_the_same(tmp_path, model_server, event, statement, exit_code):
    locustfile = tmp_path / "own.py"
    locustfile.write_text(LOCUSTFILE.format(event=event, statement=statement))
    load = ("--host", model_server.address, "-u", "2", "-r", "2", "--num-tests", "100")

    ended = run_headless(tmp_path, *load, locustfile=locustfile)

    said = re.findall(r"^(PASS|FAILED|INVALID) \(", ended.stdout + ended.stderr, re.MULTILINE)
    assert said == ["FAILED" if exit_code else "PASS"], ended.stdout + ended.stderr
    assert ended.exit_code == exit_code
    assert "100 of 100 images, each exactly once" in ended.stdout + ended.stderr


STARTS_USERS = """\
import gevent
from locust import events
from locustfile import GrpcPredictionUser
@events.init.add_listener
def on_init(environment, **_):
    @environment.events.run.add_listener
    def on_run(**_):
        environment.runner.start(1, 1)
        gevent.sleep(0.5)
"""


@pytest.mark.parametrize("n_workers", [0, 1], ids=["alone", "on-a-worker"])
def test_no_users_start_while_a_result_is_told(tmp_path, model_server, n_workers):
    locustfile = tmp_path / "own.py"
    locustfile.write_text(STARTS_USERS)
    load = ("--host", model_server.address, "-u", "2", "-r", "2", "--num-tests", "100", *forked(n_workers))

    ended = run_headless(tmp_path, *load, locustfile=locustfile)

    assert ended.exit_code == PASS, ended.stdout + ended.stderr
    assert "No users are started: the run is being stopped" in ended.stderr
    assert "100 of 100 images, each exactly once" in ended.stdout
    assert "Traceback" not in ended.stderr
