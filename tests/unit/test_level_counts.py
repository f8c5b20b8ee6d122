"""What is known of a level while it is measured: counters, held against a plain count; nothing is put together."""

from dataclasses import replace

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.level_rows import Sample, run_of
from tests.support.level_rows import tell as tell_samples
from tfsload.analysis.edges import within_ns_of
from tfsload.analysis.held import hold_all, hold_counters
from tfsload.analysis.levels import level_row
from tfsload.analysis.thresholds import parse
from tfsload.records.level_counts import LevelCounts
from tfsload.records.record import Record
from tfsload.records.recorder import Recorder, merge_plain
from tfsload.records.window import N_SLICES, Window
from tfsload.transport.failure import PredictionFailure

GONE = PredictionFailure("UNAVAILABLE", "gone")
SECOND = 10**9
BEGIN_NS = 5 * SECOND
LEVEL = Window.of(3, BEGIN_NS, N_SLICES * SECOND, is_open_load=True)


def measuring(**more):
    recorder = Recorder(counts_later=True, **more)
    recorder.measure(LEVEL)
    return recorder


def tell(recorder, answers, latency_ns=10**6, n_mismatched=None):
    """Record requests of one image, a millisecond apart: pairs of a label and an answer, None: there was none."""
    for number, (label, predicted) in enumerate(answers):
        done_ns = BEGIN_NS + (number + 2) * 10**6
        recorder.count_offered(done_ns - latency_ns)
        failure = GONE if predicted is None else None
        answer = None if predicted is None else [predicted]
        recorder.record(
            [label], answer, failure, done_ns - latency_ns, done_ns - latency_ns, done_ns, None, n_mismatched
        )


@pytest.mark.parametrize(
    "now_ns",
    [
        pytest.param(BEGIN_NS - 1, id="in-its-warm-up"),
        pytest.param(BEGIN_NS, id="as-it-begins"),
        pytest.param(LEVEL.end_ns, id="as-it-ends"),
    ],
)
def test_outside_a_level_there_is_nothing_to_tell(now_ns):
    assert measuring().counts_so_far(now_ns) is None


@pytest.mark.parametrize("has_levels", [pytest.param(True, id="between-levels"), pytest.param(False, id="no-levels")])
def test_without_a_level_there_is_nothing_to_tell(has_levels):
    assert Recorder(counts_later=has_levels).counts_so_far(BEGIN_NS) is None


def test_a_level_without_a_request_has_been_measured_all_the_same():
    counts = measuring().counts_so_far(BEGIN_NS + 2 * SECOND)

    assert counts == LevelCounts(level=3, measured_s=2.0)


answers = st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 3)), max_size=40)


@given(st.lists(answers, min_size=1, max_size=3), st.integers(1, 5))
def test_counts_are_those_of_all_processes(by_process, seconds):
    told = []
    for made in by_process:
        recorder = measuring(within_ns=(500_000, 2 * 10**6))
        tell(recorder, made, n_mismatched=1)
        counts = recorder.counts_so_far(BEGIN_NS + seconds * SECOND)
        told.append(LevelCounts.from_plain(msgpack.loads(msgpack.dumps(counts.to_plain()))))
        assert sum(row["record"]["requests"] for row in recorder.take_all()) == len(made)  # it was only looked at
    together = LevelCounts.together(told)
    made = [one for process in by_process for one in process]
    n_failed = sum(predicted is None for _, predicted in made)
    n_right = sum(label == predicted for label, predicted in made)

    assert together.n_processes == len(by_process)
    assert (together.requests, together.failed_requests, together.failed) == (len(made), n_failed, n_failed)
    assert (together.predictions, together.wrong) == (len(made), len(made) - n_failed - n_right)
    assert (together.compared, together.mismatched, together.offered) == (len(made),) * 3
    assert together.rate_rps == pytest.approx((len(made) - n_failed) / seconds)
    assert together.right_per_s.get(500_000, 0) == 0
    assert together.right_per_s.get(2 * 10**6, 0) == pytest.approx(n_right / seconds)


def test_nobody_has_told_anything():
    assert LevelCounts.together([]) is None


def test_arrivals_that_were_dropped_are_told():
    recorder = measuring()
    recorder.count_offered(BEGIN_NS + 5)
    recorder.count_dropped(BEGIN_NS + 5)
    counts = recorder.counts_so_far(BEGIN_NS + SECOND)

    assert (counts.offered, counts.dropped, counts.requests) == (1, 1, 0)


# Processes tell of a level at other times


def evenly_answering(gap_ms, until_s):
    """Return what a process tells that has an answer every so many ms, when the level has been measured for so long."""
    recorder = measuring(within_ns=(2 * 10**6,))
    for done_ns in range(BEGIN_NS + gap_ms * 10**6, BEGIN_NS + int(until_s * SECOND), gap_ms * 10**6):
        recorder.record([1], [1], None, done_ns - 10**6, done_ns - 10**6, done_ns, None)
    return recorder.counts_so_far(BEGIN_NS + int(until_s * SECOND))


@given(st.lists(st.tuples(st.integers(5, 50), st.floats(1, 9.9)), min_size=1, max_size=4))
def test_rates_are_of_all_processes_however_old_what_each_has_told_is(processes):
    together = LevelCounts.together(evenly_answering(*one) for one in processes)
    rate_rps = sum(1000 / gap_ms for gap_ms, _ in processes)
    # What has not yet been answered of the next one.
    room_rps = sum(1.01 / until_s for _, until_s in processes)

    assert together.rate_rps <= rate_rps + 1e-6
    assert together.rate_rps >= rate_rps - room_rps
    assert together.right_per_s[2 * 10**6] == pytest.approx(together.rate_rps)


def test_a_rate_falls_while_nothing_is_answered():
    recorder = measuring()
    tell(recorder, [(1, 1)] * 100)
    told = [recorder.counts_so_far(BEGIN_NS + seconds * SECOND) for seconds in (1, 2, 5)]

    assert [counts.rate_rps for counts in told] == [100, 50, 20]
    # Of another process that still is answered all of it counts.
    assert LevelCounts.together([told[2], evenly_answering(10, 1.0)]).rate_rps == pytest.approx(120, abs=1.1)


# As a level ends, the last look and the verdict tell the same

request = st.builds(
    Sample,
    due_ns=st.integers(-SECOND, 10 * SECOND),
    done_ns=st.just(0),
    lag_ns=st.just(0),
    is_wrong=st.booleans(),
    is_failed=st.booleans(),
    n_mismatched=st.sampled_from([None, 0, 1]),
)
COUNTED = parse(
    "rate > 5/s; right_rate[20ms] > 5/s; right_rate[3s] > 5/s; error_rate < 9%; wrong_rate < 9%; failed_rate < 9%; "
    "mismatched_rate < 9%; dropped_rate < 9%"
)


@given(
    st.lists(st.tuples(request, st.integers(1, 2 * SECOND) | st.integers(1, 40 * 10**6)), max_size=40),
    st.lists(st.floats(0, 9.9), max_size=5),
    st.integers(1, 3),
    st.booleans(),
)
def test_as_a_level_ends_a_look_finds_what_the_verdict_is_given_by(requests, dropped_s, n_processes, is_open):
    window = Window.of(1, BEGIN_NS, 10 * SECOND, is_open)
    made = sorted(
        (replace(one, done_ns=one.due_ns + took_ns) for one, took_ns in requests), key=lambda one: one.done_ns
    )
    told, merged = [], {1: Record()}
    for number in range(n_processes):
        recorder = Recorder(counts_later=True, within_ns=within_ns_of(COUNTED))
        recorder.measure(window)
        own = made[number::n_processes]
        for due_s in dropped_s[number::n_processes]:
            recorder.count_offered(BEGIN_NS + int(due_s * SECOND))
            recorder.count_dropped(BEGIN_NS + int(due_s * SECOND))
        late = [one for one in own if BEGIN_NS + one.done_ns >= window.end_ns - 1]
        tell_samples(recorder, [one for one in own if one not in late], is_open)
        for one in late if is_open else ():  # due, and in flight
            recorder.count_offered(BEGIN_NS + one.due_ns)
        told.append(recorder.counts_so_far(window.end_ns - 1))
        tell_samples(recorder, late)
        merge_plain(merged, recorder.take_all())
    row = level_row(run_of(rate_rps=9.0 if is_open else None), merged[1])
    at_the_end = {one.threshold: one.value for one in hold_all(COUNTED, [row])}
    together = LevelCounts.together(told)

    for threshold in COUNTED:
        value, judged = hold_counters(threshold, "", together).value, at_the_end[threshold]
        assert value == (judged if judged is None else pytest.approx(judged, rel=1e-9)), threshold.text
