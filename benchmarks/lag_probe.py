"""A second locustfile that prints how late a level's requests left, how long they took then, and what CPU that took.

    locust -f locustfile.py,benchmarks/lag_probe.py --rate 1000 …

A run's own latency counts from when a request was due, so that a late one takes longer; here the two are told apart. A
line of JSON for each level: `n_kept` of its `n_requests`, of which are `lag_us` and `service_us`, each with its median
and p99, and of the process's CPU the share that was `busy`, and that of the time for which it `waited` for one.
"""

import json
from array import array

import numpy as np
from locust import events

import tfsload.prediction.events  # noqa: F401  (adds the event `level` to Locust's)
from tfsload.records.recorder import Recorder

PERCENTILES = (50, 99)

_lag_ns, _service_ns = array("q"), array("q")
_record, _settle = Recorder.record, Recorder.settle
_is_settling = False


def _keep(recorder, due_ns: int, sent_ns: int, done_ns: int) -> None:
    if recorder.window.begin_ns <= due_ns and done_ns < recorder.window.end_ns:
        _lag_ns.append(sent_ns - due_ns)
        _service_ns.append(done_ns - sent_ns)


def _kept_and_recorded(self, labels, predicted, failure, due_ns, sent_ns, done_ns, *more, **named):
    if not _is_settling:
        _keep(self, due_ns, sent_ns, done_ns)
    return _record(self, labels, predicted, failure, due_ns, sent_ns, done_ns, *more, **named)


def _kept_and_settled(self):
    """Keep what waits to be counted: nearly all requests are, and `record` is asked for few of them."""
    global _is_settling
    for _, _, due_ns, sent_ns, done_ns, *_ in self.waiting:
        _keep(self, due_ns, sent_ns, done_ns)
    _is_settling = True
    try:
        _settle(self)
    finally:
        _is_settling = False


Recorder.record = _kept_and_recorded
Recorder.settle = _kept_and_settled


@events.level.add_listener
def _on_level(row, **_):
    figures = {
        "n_kept": len(_lag_ns),
        "n_requests": row.requests,
        "lag_us": _percentiles_us(_lag_ns),
        "service_us": _percentiles_us(_service_ns),
        "busy": row.cpu[0].busy,
        "waited": row.cpu[0].waited,
    }
    print(json.dumps(figures), flush=True)
    del _lag_ns[:], _service_ns[:]


def _percentiles_us(values_ns) -> list[float]:
    return (np.percentile(values_ns, PERCENTILES) / 1e3).tolist()
