"""The observed locustfile, in processes whose wall clock somebody sets.

`TFSLOAD_TEST_CLOCK`: a file that comes to hold the seconds by which the wall clock is set on.
"""

import os
import time
from pathlib import Path

import gevent
from locust import events

from tests.support.locustfiles.observed import GrpcPredictionUser

__all__ = ["GrpcPredictionUser"]

_set_on_s = 0
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + _set_on_s
time.time_ns = lambda: _time_ns() + _set_on_s * 10**9


def _set_clock():
    global _set_on_s
    path = Path(os.environ["TFSLOAD_TEST_CLOCK"])
    while not path.exists():
        gevent.sleep(0.02)
    _set_on_s = int(path.read_text())


if "TFSLOAD_TEST_CLOCK" in os.environ:
    events.init.add_listener(lambda **_: gevent.spawn(_set_clock))
