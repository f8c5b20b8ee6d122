"""A second locustfile that prints how late a level's requests left, how long they took then, and what CPU that took.

    locust -f locustfile.py,benchmarks/lag_probe.py --rate 1000 …

A run's own latency counts from when a request was due, so that a late one takes longer; here the two are told apart. A
line of JSON for each level: `lag_us` and `service_us`, each with its median and p99, and of the process's CPU the share
that was `busy`, and that of the time for which it `waited` for one.
"""

import json
from array import array

import numpy as np
from locust import events

import tfsload.prediction.events  # noqa: F401  (adds the event `level` to Locust's)
from tfsload.records.recorder import Recorder

PERCENTILES = (50, 99)

_lag_ns, _service_ns = array("q"), array("q")
_record = Recorder.record


def _kept_and_recorded(self, labels, predicted, failure, due_ns, sent_ns, done_ns, *more, **named):
    if self.window.begin_ns <= due_ns and done_ns < self.window.end_ns:
        _lag_ns.append(sent_ns - due_ns)
        _service_ns.append(done_ns - sent_ns)
    return _record(self, labels, predicted, failure, due_ns, sent_ns, done_ns, *more, **named)


Recorder.record = _kept_and_recorded


@events.level.add_listener
def _on_level(row, **_):
    figures = {
        "lag_us": _percentiles_us(_lag_ns),
        "service_us": _percentiles_us(_service_ns),
        "busy": row.cpu[0].busy,
        "waited": row.cpu[0].waited,
    }
    print(json.dumps(figures), flush=True)
    del _lag_ns[:], _service_ns[:]


def _percentiles_us(values_ns) -> list[float]:
    return (np.percentile(values_ns, PERCENTILES) / 1e3).tolist()
