"""The suite's locustfile, observed: writes what a run came to where tests can read it.

`TFSLOAD_TEST_OUTCOME`: a JSON file with the outcome, written when the process ends.
`TFSLOAD_TEST_PROGRESS`: a file with the number of requests delivered so far, rewritten while a run goes on; in a run
    without `--num-tests` with the number of images that this process, or on a master its workers, had an answer to.
`TFSLOAD_TEST_WAIT_S`: seconds for which each user waits between its requests.
`TFSLOAD_TEST_IN_FLIGHT_S`: seconds that each request takes, beside what the server takes; empty: none.
`TFSLOAD_TEST_INIT_S`: seconds from when a process has connected to when it tells so.
`TFSLOAD_TEST_ENDS_AFTER`: each user ends by itself after so many requests.
`TFSLOAD_TEST_UNDRAWN`: runs of the web UI leave a page without charts for their report, beside the result.
`TFSLOAD_TEST_WORKERS`: a directory in which each process that runs users leaves its longest request, in ns.
"""

import json
import os
from pathlib import Path

import gevent
from locust import constant, events
from locust.exception import StopUser

# Before the suite hears of it.
if "TFSLOAD_TEST_INIT_S" in os.environ:
    events.init.add_listener(lambda **_: gevent.sleep(float(os.environ["TFSLOAD_TEST_INIT_S"])))

from locustfile import GrpcPredictionUser, RestPredictionUser

__all__ = ["GrpcPredictionUser", "RestPredictionUser"]


def _wait(user_class):
    user_class.wait_time = constant(float(os.environ["TFSLOAD_TEST_WAIT_S"]))


def _be_slow(user_class):
    connect = user_class.connect

    def connect_slowly(self, run):
        connect(self, run)
        call = self._call

        def call_slowly(body):
            gevent.sleep(float(os.environ["TFSLOAD_TEST_IN_FLIGHT_S"]))
            return call(body)

        self._call = call_slowly

    user_class.connect = connect_slowly


def _end_by_itself(user_class):
    predict = user_class.predict

    def predict_at_most(self):
        self.n_made = getattr(self, "n_made", 0) + 1
        if self.n_made > int(os.environ["TFSLOAD_TEST_ENDS_AFTER"]):
            raise StopUser
        predict(self)

    user_class.predict = predict_at_most


_CHANGES = {
    "TFSLOAD_TEST_WAIT_S": _wait,
    "TFSLOAD_TEST_IN_FLIGHT_S": _be_slow,
    "TFSLOAD_TEST_ENDS_AFTER": _end_by_itself,
}


def _change():
    # In a function: a class that the module holds by another name is another one to Locust.
    for name, change in _CHANGES.items():
        for user_class in (GrpcPredictionUser, RestPredictionUser) if os.environ.get(name) else ():
            change(user_class)


_change()

if "TFSLOAD_TEST_UNDRAWN" in os.environ:
    from tests.support.undrawn import draw_nothing

    draw_nothing()

_longest_ns = 0
_n_answered = 0


@events.prediction.add_listener
def on_prediction(latency_ns, failure, **_):
    global _longest_ns, _n_answered
    _longest_ns = max(_longest_ns, latency_ns)
    _n_answered += failure is None


@events.test_start.add_listener
def on_test_start(environment, **_):
    path = os.environ.get("TFSLOAD_TEST_PROGRESS")
    coordinator = environment.tfsload.coordinator
    if not path or coordinator is None:
        return

    def watch():
        while True:
            results = coordinator.results
            has_an_end = results is not None and results.n_requests
            n_done = results.n_done if has_an_end else _n_answered or results.overall.predictions
            Path(path + ".new").write_text(str(n_done))
            os.replace(path + ".new", path)
            gevent.sleep(0.02)

    gevent.spawn(watch)


@events.quitting.add_listener
def on_quitting(environment, **_):
    # Reversed order of registration: this comes before the suite's own listener, which may set the outcome.
    directory = os.environ.get("TFSLOAD_TEST_WORKERS")
    if directory and environment.tfsload.participant is not None:
        (Path(directory) / str(os.getpid())).write_text(str(_longest_ns))
    _environments.append(environment)


_environments = []


@events.quit.add_listener
def on_quit(exit_code, **_):
    path = os.environ.get("TFSLOAD_TEST_OUTCOME")
    for environment in _environments:
        outcome = environment.tfsload.outcome
        if path and outcome is not None:
            result = outcome.result
            plain = {
                "exit_code": exit_code,
                "requests": result.totals.requests,
                "predictions": result.totals.predictions,
                "wrong": result.totals.wrong,
                "failed": dict(result.totals.failed),
                "cut_off": result.totals.cut_off,
                "error_rate": result.totals.error_rate,
                "confusion": result.confusion,
                "lost_workers": result.workers.lost,
                "n_workers": result.workers.n,
                "latency_count": result.totals.requests - result.totals.failed_requests,
            }
            Path(path).write_text(json.dumps(plain))
