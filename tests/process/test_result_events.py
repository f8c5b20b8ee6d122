"""Runs whose listeners of levels and of the run's end fail: they cost a warning."""

import json

import pytest

from tests.support.runs import forked, run_headless
from tfsload.analysis import exit_codes
from tfsload.analysis.result import RunResult

LOCUSTFILE = """\
import json, os, tfsload
from locust import events
from locustfile import GrpcPredictionUser

@events.level.add_listener
def on_level(level, **_):
    raise ValueError(f"no place for level {level}")

@events.run.add_listener
def on_run(result, **_):
    with open(os.environ["RESULT"], "w") as file:
        json.dump(result.to_plain(), file, allow_nan=False)
    raise ValueError("no place for the run")

@events.quitting.add_listener
def on_quitting(environment, **_):
    result = tfsload.result(environment)
    print("requests:", result and result.totals.requests)
"""


@pytest.mark.parametrize("n_workers", [0, 2], ids=["alone", "on-workers"])
def test_listeners_that_fail_cost_a_warning_each(tmp_path, model_server, n_workers):
    locustfile, written = tmp_path / "failing.py", tmp_path / "result.json"
    locustfile.write_text(LOCUSTFILE)
    load = ("--sweep", "2,4", "--level-duration", "1", "--warm-up", "0.2", "--threshold", "failed_rate < 1%")
    ended = run_headless(
        tmp_path,
        *("--host", model_server.address, "--metadata", "authorization=Bearer c0ffee-c0ffee"),
        *(*load, *forked(n_workers)),
        locustfile=locustfile,
        RESULT=str(written),
    )

    assert ended.exit_code in (exit_codes.PASS, exit_codes.INVALID), ended.stderr  # not FAILED; the machine may be busy
    warnings = [line for line in ended.stderr.splitlines() if "A listener of events." in line]
    assert [line.split("failed")[0].split()[-1] for line in warnings] == ["events.level", "events.level", "events.run"]
    result = RunResult.from_plain(json.loads(written.read_text()))
    assert f"requests: {result.totals.requests}" in ended.stdout
    assert [level.name for level in result.levels] == ["2 users", "4 users"]
    assert result.totals.requests == sum(level.requests for level in result.levels)
    assert (result.workers.n, result.asked.options["sweep"]) == (max(n_workers, 1), "2,4")
    assert 0 < result.course.begun_unix_s < result.course.ended_unix_s
    assert "c0ffee" not in written.read_text()
