"""The observed locustfile for runs whose workers come and go: each waits where it is told to, and says where it is.

`TFSLOAD_TEST_CONNECTS`: a file; the process connects once it is there.
`TFSLOAD_TEST_STARTS`: a file; a master starts its run once it is there.
`TFSLOAD_TEST_STOPS_S`: seconds for which a master stands still when it begins to stop a run.
`TFSLOAD_TEST_STAGE`: a JSON file with where the process stands, rewritten all the time.
"""

import json
import os
import time
from pathlib import Path

import gevent
from locust import events
from locust.runners import MasterRunner

from tests.support.locustfiles.observed import GrpcPredictionUser

__all__ = ["GrpcPredictionUser"]

POLL_S = 0.01


def _wait_for_file(variable):
    while variable in os.environ and not Path(os.environ[variable]).exists():
        gevent.sleep(POLL_S)


_wait_for_file("TFSLOAD_TEST_CONNECTS")


def _stage(environment, heard_s):
    runner, suite = environment.runner, environment.tfsload
    unheard_s = time.monotonic() - heard_s  # by a worker, of its master; from its beginning where it never was
    stage = {"state": runner.state, "n_users": runner.user_count, "unheard_s": unheard_s}
    if not isinstance(runner, MasterRunner):
        return stage
    coordinator, conductor = suite.coordinator, suite.leader and suite.leader.conductor
    begun_s = conductor.begun_s if conductor is not None and conductor.level is not None else None
    return {
        **stage,
        "n_ready": len(runner.clients.ready),
        "elapsed_s": coordinator.elapsed_s if coordinator.has_begun else 0,
        "is_ending": coordinator.is_ending,
        "n_levels": len(coordinator.results.levels) if coordinator.results is not None else 0,
        "level": conductor.level.number if begun_s is not None else None,
        "level_s": time.monotonic() - begun_s if begun_s is not None else None,
    }


@events.init.add_listener
def on_init(environment, **_):
    path = os.environ["TFSLOAD_TEST_STAGE"]
    heard_s = time.monotonic()

    @environment.events.heartbeat_received.add_listener
    def on_heartbeat(**_):
        nonlocal heard_s
        heard_s = time.monotonic()

    def tell():
        while True:
            Path(path + ".new").write_text(json.dumps(_stage(environment, heard_s)))
            os.replace(path + ".new", path)
            gevent.sleep(POLL_S)

    gevent.spawn(tell)
    _wait_for_file("TFSLOAD_TEST_STARTS")


@events.test_stopping.add_listener
def on_test_stopping(environment, **_):
    if isinstance(environment.runner, MasterRunner):
        gevent.sleep(float(os.environ.get("TFSLOAD_TEST_STOPS_S", 0)))
