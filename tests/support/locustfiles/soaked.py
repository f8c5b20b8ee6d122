"""The suite's locustfile, watched by `tests/long/soak.py`.

`TFSLOAD_TEST_SOAK_LOOK`: a JSON file, rewritten every second: requests and failures so far. When the users have
stopped, and before the channel is closed, `left` says what is left in it.
"""

import json
import os
from collections import Counter
from pathlib import Path

import gevent
from locust import events

from locustfile import GrpcPredictionUser
from tfsload.transport.grpc.native import NativeChannel

__all__ = ["GrpcPredictionUser"]

LOOK_INTERVAL_S = 1.0


def _write(environment, **more):
    path = os.environ["TFSLOAD_TEST_SOAK_LOOK"]
    total = environment.stats.total
    Path(path + ".new").write_text(json.dumps({"requests": total.num_requests, "failed": total.num_failures, **more}))
    os.replace(path + ".new", path)


@events.test_start.add_listener
def on_test_start(environment, **_):
    def look():
        while True:
            gevent.sleep(LOOK_INTERVAL_S)
            _write(environment)

    watcher = gevent.spawn(look)

    def on_test_stop(**_):
        watcher.kill()
        _write(environment, left=left_in(environment.tfsload.participant.run.transport.channel))

    # Before the suite's own listener, which closes the channel.
    environment.events.test_stop._handlers.insert(0, on_test_stop)


def left_in(channel: NativeChannel) -> dict[str, int]:
    """Count what a channel holds."""
    pool = channel.pool
    left = Counter(open_calls=pool.n_open_calls, pending=len(pool._pending), retrying=len(pool._retrying))
    for connection in (*pool._connections, *pool._leaving):
        protocol = connection.protocol
        left.update(
            calls=len(protocol.calls),
            waiting=len(protocol.waiting),
            blocked=len(protocol._sendable),
            ended=len(protocol._ended),
            unprocessed=len(protocol._unprocessed),
        )
    return dict(left)
