"""The suite's locustfile, heard: writes each request and each level's row where `test_truth.py` can read them.

`TFSLOAD_TEST_TRUTH_HEARD`: a directory. Each process leaves `heard-PID.json`, the master and a process without workers
`rows.json` beside it, when they end. Instants are `time.perf_counter_ns`'s.
`TFSLOAD_TEST_TRUTH_BURN_MS`: so long the CPU is kept busy for each prediction, in its listener.
"""

import json
import os
import time
import zlib
from pathlib import Path

from locust import events

from locustfile import GrpcPredictionUser
from tests.support.truth_server import take_precedence

__all__ = ["GrpcPredictionUser"]

_BURN_NS = int(float(os.environ.get("TFSLOAD_TEST_TRUTH_BURN_MS", "0")) * 1e6)

_environments = []
_requests = []  # image, level, due, done, whether it failed
_windows = {}  # begin and end, by level


@events.init.add_listener
def on_init(environment, **_):
    _environments.append(environment)
    take_precedence()


@events.prediction.add_listener
def on_prediction(image_index, level, latency_ns, done_unix_ns, failure, **_):
    recorder = _environments[0].tfsload.participant.run.recorder
    window = recorder.window
    _windows[window.level] = [window.begin_ns, window.end_ns]
    done_ns = done_unix_ns - recorder.to_unix_ns(0)
    _requests.append([image_index, level, done_ns - latency_ns, done_ns, failure is not None])
    until_ns = time.thread_time_ns() + _BURN_NS
    while time.thread_time_ns() < until_ns:
        pass


@events.quit.add_listener
def on_quit(**_):
    directory = Path(os.environ["TFSLOAD_TEST_TRUTH_HEARD"])
    suite = _environments[0].tfsload
    if suite.participant is not None and suite.participant.run is not None:
        book = suite.participant.run.book
        crcs = {image: zlib.crc32(book[image].body) for image in {request[0] for request in _requests}}
        heard = {"windows": _windows, "requests": [[crcs[image], *others] for image, *others in _requests]}
        (directory / f"heard-{os.getpid()}.json").write_text(json.dumps(heard))
    if suite.outcome is not None:
        rows = [_plain(row) for row in suite.outcome.result.levels]
        (directory / "rows.json").write_text(json.dumps(rows))


def _plain(row):
    counts = ("requests", "failed_requests", "mismatched", "offered", "sent", "dropped", "straddling")
    return {
        "name": row.name,
        **{name: getattr(row, name) for name in counts},
        "max_ns": row.latency.max_ns,
        "doubts": [str(doubt) for doubt in row.doubts],
    }
