"""What is known of a level while it is measured: counters, held against a plain count; nothing is put together."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.records.level_counts import LevelCounts
from tfsload.records.recorder import Recorder
from tfsload.records.window import N_SLICES, Window
from tfsload.transport.failure import PredictionFailure

GONE = PredictionFailure("UNAVAILABLE", "gone")
SECOND = 10**9
BEGIN_NS = 5 * SECOND
LEVEL = Window.of(3, BEGIN_NS, N_SLICES * SECOND, is_open_load=True)


def measuring(**more):
    recorder = Recorder(has_levels=True, **more)
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
    assert Recorder(has_levels=has_levels).counts_so_far(BEGIN_NS) is None


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
