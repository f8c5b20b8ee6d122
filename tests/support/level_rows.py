"""Levels as they were measured, made from samples."""

import dataclasses

from tfsload.analysis.levels import level_row
from tfsload.analysis.metrics import figure_of
from tfsload.records.cpu import CpuShares
from tfsload.records.level import Level, LevelRun
from tfsload.records.recorder import Record, Recorder, merge_plain
from tfsload.records.window import Window
from tfsload.transport.failure import PredictionFailure

MS = 1_000_000
SECOND = 1_000 * MS
BEGIN_NS = 5 * SECOND
GONE = PredictionFailure("DEADLINE_EXCEEDED", "too late")


@dataclasses.dataclass(frozen=True)
class Sample:
    """One request: when it was due and done in ns from the level's start, how late it left, and what came of it."""

    due_ns: int
    done_ns: int
    lag_ns: int = 0
    is_wrong: bool = False
    is_failed: bool = False
    n_mismatched: int | None = None


def samples(n=1200, latency_ns=MS, seconds=10.0, lag_ns=0, **more):
    """Return requests that end evenly over a level, the last one a microsecond before its end."""
    gap_ns = seconds * SECOND / n
    done_ns = [int((number + 1) * gap_ns) - 1000 for number in range(n)]
    return [Sample(done - latency_ns, done, lag_ns, **more) for done in done_ns]


def tell(recorder, made, is_open=False):
    for one in made:
        due_ns, sent_ns, done_ns = (BEGIN_NS + ns for ns in (one.due_ns, one.due_ns + one.lag_ns, one.done_ns))
        if is_open:
            recorder.count_offered(due_ns)
            recorder.count_sent(due_ns)
        predicted = None if one.is_failed else [2 if one.is_wrong else 1]
        failure = GONE if one.is_failed else None
        recorder.record([1], predicted, failure, due_ns, sent_ns, done_ns, None, one.n_mismatched)


def record_of(made, seconds=10.0, is_open=False, n_dropped=0, n_recorders=1):
    """Return what processes record of a level, each request by one of them, merged."""
    merged = {1: Record()}
    for number in range(n_recorders):
        recorder = Recorder(counts_later=True)
        recorder.measure(Window.of(1, BEGIN_NS, int(seconds * SECOND), is_open))
        tell(recorder, made[number::n_recorders], is_open)
        for _ in range(n_dropped if number == 0 else 0):
            recorder.count_offered(BEGIN_NS)
            recorder.count_dropped(BEGIN_NS)
        merge_plain(merged, recorder.take_all())
    return merged[1]


def run_of(users=1, rate_rps=None, seconds=10.0, **more):
    level = Level(1, users, rate_rps, 2.0, seconds, is_probe=more.pop("is_probe", rate_rps is not None))
    cpu = CpuShares(more.pop("busy_share", 0.3), more.pop("waited_share", 0.0), more.pop("mean_wait_ns", 0.0))
    given = {"n_workers": 1, "missing_workers": (), "n_users": users, "cpu": (cpu,), **more}
    return LevelRun(level=level, **given)


def closed_row(made=None, **run):
    return level_row(run_of(**run), record_of(samples() if made is None else made))


def open_row(made=None, n_dropped=0, **run):
    made = samples() if made is None else made
    return level_row(run_of(**{"rate_rps": 120.0, **run}), record_of(made, is_open=True, n_dropped=n_dropped))


def growing(made):
    """Make latencies grow evenly to three times what they were, as a queue does."""
    return [
        dataclasses.replace(one, due_ns=one.due_ns - int((one.done_ns - one.due_ns) * 2 * one.done_ns / (10 * SECOND)))
        for one in made
    ]


def doubts_of(row):
    """Return why a level supports no verdict, whoever's fault it is."""
    return row.generator_doubts + row.sample_doubts


def metric_of(row, threshold):
    """Return the figure of a level that a threshold is about."""
    return figure_of(threshold, row.record, row.achieved_rps)
