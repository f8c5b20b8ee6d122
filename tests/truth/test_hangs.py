"""What a run without levels says of a server that hangs until its users are stopped, from outside."""

import json

import pytest

from tests.support.runs import PROJECT, run_headless
from tests.support.truth import truth_server
from tfsload.analysis import exit_codes

LASTS_S = 6


@pytest.mark.timing
@pytest.mark.parametrize("more", [pytest.param((), id="one"), pytest.param(("--processes", "2"), id="two-processes")])
def test_a_server_that_hangs_most_of_a_run_holds_no_rate(tmp_path, more):
    users = ("-u", "8", "-r", "8", "-t", f"{LASTS_S}s", "--deadline", "60", "--threshold", "rate > 150/s", *more)
    with truth_server(tmp_path / "server", service_ms=20, freeze=[400, 100]) as server:
        ended = run_headless(
            tmp_path / "run",
            *("--host", server.address, *users, "--report", str(tmp_path / "report")),
            locustfile=PROJECT / "locustfile.py",
        )
        server.end()

    totals = json.loads((tmp_path / "report" / "result.json").read_text())["totals"]
    assert 390 <= totals["requests"] <= 400
    assert ended.exit_code == exit_codes.THRESHOLD, ended.stdout


IMPATIENT = """
import gevent
from locust import task

from tfsload import GrpcUser


class Impatient(GrpcUser):
    @task
    def predict_in_turn(self):
        with gevent.Timeout(0.03, False):
            self.predict()
"""


@pytest.mark.timing
def test_users_that_give_up_requests_are_told_of(tmp_path):
    (tmp_path / "impatient.py").write_text(IMPATIENT)
    with truth_server(tmp_path / "server", service_ms=10, freeze=[100, 1]) as server:
        arguments = ("--host", server.address, "-u", "4", "-r", "4", "-t", "3s")
        ended = run_headless(tmp_path / "run", *arguments, locustfile=tmp_path / "impatient.py")

    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert "requests were given up by user code before an answer came" in " ".join(ended.stdout.split())
