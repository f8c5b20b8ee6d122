"""Figures at a limit, and a nanosecond or an image beside it: the exact figure is judged, wherever it is."""

import pytest

from tests.support.golden import result_of
from tests.support.past_runs import MS, SECOND, PastRun
from tests.support.standing_server import BEGIN_NS
from tfsload.analysis.held import hold, hold_counters
from tfsload.analysis.levels import finding_of, level_row
from tfsload.analysis.summing_up import hold_run_so_far
from tfsload.analysis.thresholds import parse
from tfsload.records.level import Level, LevelRun
from tfsload.records.level_counts import LevelCounts
from tfsload.records.record import Record
from tfsload.transport.failure import PredictionFailure

LIMIT_NS = 20 * MS
BESIDE = [pytest.param(-1, id="below"), pytest.param(0, id="at"), pytest.param(1, id="above")]
OPERATORS = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("off_ns", BESIDE)
@pytest.mark.parametrize("metric", ["max", "mean", "p90"])
def test_answers_at_a_limit(metric, off_ns, operator):
    """Of answers that were all as slow the upper end is their maximum, which is exact."""
    past = PastRun({"threshold": f"{metric} {operator} 20ms"})
    for n in range(100):
        past.fire(n, BEGIN_NS + n * 60 * MS, LIMIT_NS + off_ns)
    result = past.end()
    held = result_of(result).thresholds[0]
    (so_far,) = hold_run_so_far((held.threshold,), result.results.records[0], None)

    assert held.value == LIMIT_NS + off_ns
    assert held.holds is (off_ns in OPERATORS[operator])
    assert (so_far.value, so_far.holds) == (held.value, held.holds)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("off_ns", BESIDE)
@pytest.mark.parametrize("metric", ["max", "mean", "p90"])
def test_requests_that_were_cut_off_at_a_limit(metric, off_ns, operator):
    """They are at least as slow as they had waited: of less than the limit nothing is known."""
    past = PastRun({"threshold": f"{metric} {operator} 20ms"})
    for _ in range(100):
        past.recorder.count_cut_off(BEGIN_NS, BEGIN_NS, BEGIN_NS + LIMIT_NS + off_ns, None)
    held = result_of(past.end()).thresholds[0]

    if off_ns < 0:
        assert (held.value, held.holds) == (None, None)
    else:
        assert held.value == LIMIT_NS + off_ns
        assert held.holds is (off_ns in OPERATORS[operator])


@pytest.mark.parametrize("off_ns", BESIDE)
@pytest.mark.parametrize("text", ["max < 20ms", "max <= 20ms"])
def test_the_slowest_of_answers_and_of_those_that_were_cut_off(text, off_ns):
    past = PastRun({"threshold": text})
    past.fire(0, BEGIN_NS, 5 * MS)
    past.recorder.count_cut_off(BEGIN_NS, BEGIN_NS, BEGIN_NS + LIMIT_NS + off_ns, None)
    held = result_of(past.end()).thresholds[0]

    assert held.value == (LIMIT_NS + off_ns if off_ns >= 0 else 5 * MS)
    assert held.holds is (off_ns in OPERATORS[text.split()[1]])


def test_a_mean_is_told_with_exactly_what_was_waited_beyond_its_limit():
    past = PastRun({"threshold": "mean < 20ms"})
    past.fire(0, BEGIN_NS, 5 * MS)
    for waited_ns in (19_999_999, 20_000_001, 123_456_789):
        past.recorder.count_cut_off(BEGIN_NS, BEGIN_NS, BEGIN_NS + waited_ns, None)
    held = result_of(past.end()).thresholds[0]

    assert held.value == (5 * MS + 20_000_001 + 123_456_789) / 3


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("off", BESIDE)
@pytest.mark.parametrize("percent", [7, 29, 55, 57, 58])  # some of these shares of a hundred are no float
@pytest.mark.parametrize("metric", ["error_rate", "wrong_rate", "failed_rate", "recall[1]"])
def test_shares_at_a_limit(metric, percent, off, operator):
    k, record = percent + off, Record()
    for n in range(100):
        failure = PredictionFailure("UNAVAILABLE", "gone") if metric == "failed_rate" and n < k else None
        answer = 1 if (n < k) == (metric == "recall[1]") else 0
        record.add([1], None if failure else [answer], failure, MS, SECOND)
    record.slice_answers[0], record.in_flight_ns = 100, 100 * MS
    (threshold,) = parse(f"{metric} {operator} {percent}%")
    row = level_row(LevelRun(Level(1, 1, None, 0.0, 10.0), 1, (), 1, ()), record)
    is_held = off in OPERATORS[operator]

    assert hold(threshold, "", record, 10.0, 10.0).holds is is_held
    assert finding_of(row, (threshold,)).holds is is_held
    if threshold.label is None:
        assert hold_counters(threshold, "", LevelCounts.of(1, record, 10.0)).holds is is_held
