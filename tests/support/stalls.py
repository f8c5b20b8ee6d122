"""Open load with and without stalls, as records."""

import dataclasses

from tests.support.level_rows import MS, SECOND, samples
from tfsload.analysis import thresholds
from tfsload.analysis.edges import limits_of
from tfsload.records.recorder import Record, Recorder, merge_plain
from tfsload.records.window import Window
from tfsload.transport.failure import PredictionFailure

SECONDS = 8.0
RATE_RPS = 500
GONE = PredictionFailure("UNAVAILABLE", "gone")


def calm(n=4000, latency_ns=2 * MS, seconds=SECONDS):
    """Return requests that are due evenly, and answered alike."""
    return samples(n=n, latency_ns=latency_ns, seconds=seconds)


def stalled(made, at_s, seconds):
    """Return what becomes of requests when nothing is answered for some time: they are at its end, 0.2 ms apart."""
    begin_ns, end_ns = int(at_s * SECOND), int((at_s + seconds) * SECOND)
    held = [one for one in made if one.done_ns >= begin_ns and one.due_ns < end_ns]
    late = [dataclasses.replace(one, done_ns=end_ns + 200_000 * place) for place, one in enumerate(held)]
    others = [one for one in made if one.done_ns < begin_ns or one.due_ns >= end_ns]
    return [*others, *late]


def slow(made, every, latency_ns=100 * MS):
    """Return requests of which each so-many'th takes longer."""
    return [
        dataclasses.replace(one, due_ns=one.done_ns - latency_ns)
        if number % every == every // 2 and one.done_ns > latency_ns
        else one
        for number, one in enumerate(made)
    ]


def record_of(text, made, seconds=SECONDS, n_recorders=1, dropped_s=(), share=lambda number: number):
    """Return what workers record of an open level, each request by the one that `share` gives it to."""
    merged = {1: Record()}
    for worker in range(n_recorders):
        recorder = Recorder(counts_later=True, limits=limits_of(thresholds.parse(text)))
        # Each counts by its own clock, from its own window's begin.
        begin_ns = (5 + 3 * worker) * SECOND + 12_345
        recorder.measure(Window.of(1, begin_ns, int(seconds * SECOND), is_open_load=True))
        for number, one in enumerate(made):
            if share(number) % n_recorders == worker:
                due_ns, sent_ns, done_ns = (begin_ns + ns for ns in (one.due_ns, one.due_ns + one.lag_ns, one.done_ns))
                recorder.count_offered(due_ns)
                predicted, failure = (None, GONE) if one.is_failed else ([1], None)
                recorder.record([1], predicted, failure, due_ns, sent_ns, done_ns, None)
        for due_s in dropped_s if worker == 0 else ():
            recorder.count_offered(begin_ns + int(due_s * SECOND))
            recorder.count_dropped(begin_ns + int(due_s * SECOND))
        merge_plain(merged, recorder.take_all())
    return merged[1]
