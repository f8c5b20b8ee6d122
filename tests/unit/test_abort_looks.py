"""A look at a run that goes on: it finds what a reckoning from all there is finds, and costs no more after an hour."""

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.half_seconds import half_seconds_of
from tfsload.analysis import thresholds
from tfsload.analysis.edges import limits_of
from tfsload.analysis.percentiles import rank_from_top
from tfsload.analysis.summing_up import hold_run_so_far
from tfsload.records.greatest import BLOCK
from tfsload.records.half_seconds import HalfSeconds
from tfsload.records.record import Record
from tfsload.records.tenths import TENTH_NS
from tfsload.transport.failure import PredictionFailure

MS = 1_000_000
# Since 1970, as of a run without levels.
BEGIN = 17 * 10**9
LIMITS = "p50 < 5ms; p90 <= 5ms; p50 > 5ms; p90 >= 5ms; mean < 5ms; mean > 5ms; max < 1s; wrong_rate < 10%; rate > 5/s"
GONE = PredictionFailure("UNAVAILABLE", "gone")


def report_of(rows, text=LIMITS):
    """Return what a worker reports: rows of a tenth, a latency in ms (None: no answer), and how many such requests."""
    record = Record(HalfSeconds(limits_of(thresholds.parse(text))))
    for tenth, latency_ms, n in rows:
        done_ns = (BEGIN + tenth) * TENTH_NS + 50 * MS
        latency_ns = (latency_ms or 20) * MS
        for number in range(n):
            predicted = None if latency_ms is None else [number % 7]
            record.add([number % 10], predicted, GONE if latency_ms is None else None, latency_ns, done_ns)
            record.half_seconds.batch.append(
                (done_ns - latency_ns, done_ns - latency_ns, done_ns, predicted is not None)
            )
        record.half_seconds.fill()
    return Record.from_plain(record.to_plain())


def looked_at(record, text=LIMITS):
    return hold_run_so_far(thresholds.parse(text), record, 100.0)


row = st.tuples(
    # Beside one another, across the borders of what is looked at together, and hours apart.
    st.integers(0, 30) | st.integers(BLOCK - 6, BLOCK + 6) | st.integers(-(10**5), 10**5),
    st.sampled_from([1, 4, 5, 6, 900, None]),
    st.integers(1, 30),
)


@given(st.lists(st.lists(row, max_size=12), min_size=1, max_size=6))
@example([[(0, 6, 1), (1, 6, 1)], [(2 * BLOCK, 1, 30)], [(0, 1, 30), (1, 1, 30), (2 * BLOCK, 6, 1)]])
def test_what_a_look_finds_is_what_a_reckoning_from_all_there_is_finds(reports):
    run = Record()
    for rows in reports:
        run.merge(report_of(rows))

        assert looked_at(run) == looked_at(Record.from_plain(run.to_plain()))
        for text in run.half_seconds.texts:
            for measure in (amount, calm):
                if run.half_seconds.total(text) != (0, 0, 0):
                    plainly = max(half_seconds_of(run.half_seconds, text), key=lambda one: order(measure, one))
                    assert run.half_seconds.greatest(text, measure) == plainly
                    assert run.half_seconds.first(text) == next(half_seconds_of(run.half_seconds, text))[0]


def amount(count):
    return count.amount + count.n_endless


def calm(count):
    return -amount(count) / (count.n + count.n_endless)


def order(measure, half_second):
    start, count = half_second
    return measure(count), -count.n - count.n_endless, -start


def test_of_equal_half_seconds_the_first_is_found_whichever_came_first():
    run = Record()
    for tenth in (5000, 40, 90_000):
        run.merge(report_of([(tenth, 6, 3)]))

    assert run.half_seconds.greatest("p50 < 5ms", amount)[0] == BEGIN + 40 - 4


def test_a_clock_that_is_set_right_moves_what_was_found():
    half_seconds = report_of([(0, 6, 3), (700, 1, 5)]).half_seconds
    before, count = half_seconds.greatest("p50 < 5ms", amount)
    half_seconds.shift(250 * TENTH_NS)

    assert half_seconds.greatest("p50 < 5ms", amount) == (before + 250, count)


def calls_of(function):
    """Return how many Python functions are called in a function: its cost, without a clock's noise."""
    n_calls = 0

    def count(frame, event, argument):  # noqa: ARG001  (the interpreter's)
        nonlocal n_calls
        n_calls += event == "call"

    rank_from_top.cache_clear()  # as of figures that nobody has asked for yet
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return n_calls


def calls_of_a_look(text, minutes):
    """Return what a look costs that comes three seconds after the last, in a run of so many minutes."""
    run, n_tenths = Record(), minutes * 600
    for begin in range(0, n_tenths, 30):
        run.merge(report_of([(tenth, 6 if tenth % 3 else 4, 2) for tenth in range(begin, begin + 30)], text))
    looked_at(run, text)
    # Half of it in another of the parts that are looked at together than the rest.
    run.merge(report_of([(tenth, 6 if tenth % 3 else 4, 2) for tenth in range(n_tenths + 85, n_tenths + 115)], text))
    return calls_of(lambda: looked_at(run, text))


@pytest.mark.heavy
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("p99 < 5ms abort", id="percentile-crossed"),
        pytest.param("p50 > 9ms abort", id="lower-limit"),
        pytest.param("mean < 5ms abort", id="mean"),
        pytest.param("wrong_rate < 10% abort", id="share"),
    ],
)
def test_a_look_after_an_hour_costs_what_one_after_ten_minutes_does(text):
    after_ten_minutes, after_an_hour = (calls_of_a_look(text, minutes) for minutes in (10, 60))

    # A hundred half-seconds begin in each part that is looked at; in an hour 36,000 do.
    assert after_an_hour <= after_ten_minutes + 20
    assert after_an_hour < 5000
