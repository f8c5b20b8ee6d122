"""A run second by second: what is counted, merged, handed over and told."""

import json
import random

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.golden import result_of
from tests.support.page_runs import page_run
from tests.support.past_runs import UNIX_OFFSET_NS, PastRun
from tests.support.summaries import summarise
from tfsload.analysis.result import Course
from tfsload.analysis.series import series
from tfsload.analysis.summing_up import Measured, sum_up
from tfsload.records.record import Record
from tfsload.records.recorder import Recorder, merge_plain
from tfsload.records.seconds import IN_FLIGHT_NS, MOST_ROWS, SECOND_NS, Seconds, bucket_of, middle_ns
from tfsload.records.window import Window
from tfsload.transport.failure import PredictionFailure

MS = 1_000_000
GONE = PredictionFailure("UNAVAILABLE", "gone")


def recorded(*requests, begin_ns=5 * SECOND_NS, seconds=4, unix_offset_ns=0, has_level=True):
    """Return the recorder of requests: when each was sent and done in ns from the level's begin, label, answer."""
    recorder = Recorder(unix_offset_ns, counts_later=has_level)
    if has_level:
        recorder.measure(Window.of(1, begin_ns, seconds * SECOND_NS, False))
    images = random.Random(2)
    for sent_ns, done_ns, labels, predicted in requests:
        sent_ns, done_ns = begin_ns + sent_ns, begin_ns + done_ns
        first, failure = images.randrange(1000), None if predicted else GONE
        recorder.record(labels, predicted, failure, sent_ns, sent_ns, done_ns, None, None, None, None, first)
    return recorder


@pytest.mark.parametrize("behind_s", [0.0, 0.3, 0.6, -0.6, 3600.4])
def test_the_end_is_moved_to_another_clock_as_exactly_as_the_begin(behind_s):
    recorder, behind_ns = Recorder(1_700_000_000 * SECOND_NS - int(behind_s * SECOND_NS)), int(behind_s * SECOND_NS)
    recorder.record([1], [1], None, SECOND_NS, SECOND_NS, SECOND_NS + MS, None)
    recorder.count_cut_off(2 * SECOND_NS, 2 * SECOND_NS, 11 * SECOND_NS, None)
    record = merged(recorder, level=0, shift_ns=behind_ns)

    assert record.seconds.until_ns - record.first_sent_unix_ns == 10 * SECOND_NS
    result = sum_up(Measured(record), Course(begun_unix_s=1.7e9))
    assert result.totals.duration_s == pytest.approx(10)


def near_whole(of_ns, most):
    """Return a strategy for times of up to so many of something, and beside a whole number of them, by nanoseconds."""
    beside = st.builds(lambda n, by_ns: max(n * of_ns + by_ns, 0), st.integers(0, most), st.integers(-200, 200))
    return st.integers(0, most * of_ns) | beside


SPANS_NS = st.tuples(near_whole(SECOND_NS, 5), near_whole(SECOND_NS // 2, 6))


@given(
    st.lists(SPANS_NS, min_size=1, max_size=20),
    st.lists(SPANS_NS, max_size=3),
    near_whole(SECOND_NS // 2, 200).map(lambda ns: ns - 50 * SECOND_NS),
)
@example([(500 * MS, 0), (700 * MS, 100 * MS)], [], 6 * SECOND_NS // 10)
@example([(SECOND_NS, SECOND_NS)], [], 0)
@example([(SECOND_NS, 0)], [(0, MS)], 0)
@example([(MS, 0)], [(0, MS)], 0)
@example([(SECOND_NS - 100, 50), (SECOND_NS, SECOND_NS)], [], 0)
@example([(SECOND_NS - 100, MS), (2 * SECOND_NS, MS)], [], 6 * SECOND_NS // 10)
def test_rows_have_each_answer_whatever_a_worker_clock_shows(answered_ns, cut_off_ns, behind_ns):
    recorder = Recorder(1_700_000_000 * SECOND_NS - behind_ns)
    for sent_ns, lasted_ns in answered_ns:
        recorder.record([1], [2], None, sent_ns, sent_ns, sent_ns + lasted_ns, None)
    for sent_ns, waited_ns in cut_off_ns:
        recorder.count_cut_off(sent_ns, sent_ns, sent_ns + waited_ns, None)
    result = sum_up(Measured(merged(recorder, level=0, shift_ns=behind_ns)), Course(begun_unix_s=1.7e9))
    if not result.seconds:  # of an instant there are no rows
        assert result.totals.duration_s == 0
        return
    n = len(answered_ns)
    in_flight_ns = sum(lasted_ns for _, lasted_ns in answered_ns + cut_off_ns)

    assert (sum(one.predictions for one in result.seconds), sum(one.wrong for one in result.seconds)) == (n, n)
    assert sum(one.in_flight * one.lasts_s for one in result.seconds) * 1e9 == pytest.approx(in_flight_ns, abs=1)
    if not cut_off_ns:  # else nobody knows since when they were in flight
        assert sum(one.lasts_s for one in result.seconds) == pytest.approx(result.totals.duration_s, abs=1e-9)


def merged(*recorders, level=1, shift_ns=0):
    records = {level: Record()}
    for recorder in recorders:
        merge_plain(records, json.loads(json.dumps(recorder.take_all())), shift_ns)
    return records[level]


@given(st.integers(0, 7200 * SECOND_NS))
def test_a_latency_is_told_within_5_percent(latency_ns):
    assert abs(middle_ns(bucket_of(latency_ns)) - latency_ns) <= 0.032 * latency_ns


def test_each_second_has_its_own_figures():
    made = [(n * 10 * MS, n * 10 * MS + 5 * MS, [1], [1]) for n in range(100)]
    made += [(1100 * MS, 1150 * MS, [1, 2], [1, 3]), (1900 * MS, 3500 * MS, [4], None)]
    first, second, third, fourth = series(merged(recorded(*made)).seconds, 0, 4 * SECOND_NS)

    assert (first.rate_rps, first.predictions, first.wrong, first.failed) == (100, 100, 0, 0)
    assert first.p50_ns == first.p99_ns == pytest.approx(5 * MS, rel=0.05)
    assert first.in_flight == pytest.approx(0.5)
    assert (second.rate_rps, second.predictions, second.wrong) == (1, 2, 1)
    assert second.in_flight == pytest.approx(0.05 + 0.1)
    assert (third.rate_rps, third.p50_ns, third.in_flight) == (0, None, 1)  # nothing ended: a stall shows
    assert (fourth.predictions, fourth.failed, fourth.in_flight) == (1, 1, pytest.approx(0.5))


@pytest.mark.parametrize(
    ("begin_s", "end_s", "rows"),
    [
        pytest.param(0, 4, [(0, 1, 1), (1, 1, 2), (2, 1, 4), (3, 1, 8)], id="whole-seconds"),
        pytest.param(0.4, 3.6, [(0, 0.6, 1), (0.6, 1, 2), (1.6, 1, 4), (2.6, 0.6, 8)], id="more-than-half-of-one"),
        pytest.param(0.7, 3.2, [(0, 1.3, 3), (1.3, 1.2, 12)], id="less-than-half-at-either-end"),
        pytest.param(0.999, 2.001, [(0, 1.002, 7)], id="a-millisecond-at-either-end"),
        pytest.param(0.7, 1.2, [(0, 0.5, 3)], id="no-second-as-a-whole"),
        pytest.param(2.2, 2.5, [(0, 0.3, 4)], id="less-than-half-of-one-in-all"),
    ],
)
def test_less_than_half_a_second_at_either_end_is_told_with_its_neighbour(begin_s, end_s, rows):
    seconds = Seconds()
    for number in range(4):
        seconds.row(number)
        seconds.latencies[number][bucket_of(number + 5)] = 2**number
    found = series(seconds, round(begin_s * SECOND_NS), round(end_s * SECOND_NS))

    told = [(one.at_s, one.lasts_s, one.rate_rps * one.lasts_s) for one in found]
    assert told == [pytest.approx(row) for row in rows]


def test_the_parts_add_up_to_the_whole():
    result = page_run("rate")

    for level in result.levels:
        seconds = level.seconds
        assert [(one.at_s, one.lasts_s) for one in seconds] == [(float(n), 1.0) for n in range(10)]
        for name in ("predictions", "wrong", "mismatched", "dropped"):
            assert sum(getattr(one, name) for one in seconds) == getattr(level, name)
        assert sum(one.in_flight for one in seconds) / 10 == pytest.approx(level.mean_in_flight)
    assert result.seconds == ()


def test_a_run_without_levels_is_told_from_its_first_request_to_its_last_one():
    result = page_run("thresholds")

    assert sum(one.lasts_s for one in result.seconds) == pytest.approx(result.totals.duration_s)
    assert sum(one.predictions for one in result.seconds) == result.totals.predictions
    assert all(one.rate_rps == pytest.approx(500, rel=0.02) for one in result.seconds[1:-1])


@pytest.mark.parametrize(
    ("cut_off_at_s", "ended_s", "in_flight"),
    [
        pytest.param([2.5], 6, [0.01, 0, 0.5, 1, 1, 1], id="a-hang-at-the-end"),
        pytest.param([2.5, 3], 6, [0.01, 0, 0.5, 2, 2, 2], id="two-users-hang"),
        pytest.param([], 6, [0.01, 0, 0, 0, 0, 0], id="nobody-sends-any-more"),
        pytest.param([0], 0, [1.01, 1, 1, 1, 1, 1], id="an-end-that-nobody-told-of"),
        pytest.param([2.5], 5.25, [0.01, 0, 0.5, 1, 1, 1], id="users-that-are-stopped-a-little-later"),
    ],
)
def test_a_run_without_levels_is_told_to_its_end(cut_off_at_s, ended_s, in_flight):
    past = PastRun({})
    past.fire(0, 10 * SECOND_NS, 10 * MS)
    past.results.ended_unix_s = (UNIX_OFFSET_NS / 1e9 + 10 + ended_s) * bool(ended_s)
    for sent_s in cut_off_at_s:
        sent_ns = int((10 + sent_s) * SECOND_NS)
        past.recorder.count_cut_off(sent_ns, sent_ns, 16 * SECOND_NS, None)
    seconds = result_of(past.end()).seconds

    assert [one.in_flight * one.lasts_s for one in seconds] == pytest.approx(in_flight)
    assert sum(one.lasts_s for one in seconds) == pytest.approx(6)


def test_a_run_of_which_no_request_came_back_is_told_all_the_same():
    past = PastRun({})
    past.recorder.count_cut_off(10 * SECOND_NS, 10 * SECOND_NS, 13 * SECOND_NS, None)
    past.results.ended_unix_s = UNIX_OFFSET_NS / 1e9 + 13

    assert [(one.rate_rps, one.in_flight) for one in result_of(past.end()).seconds] == [(0, 1)] * 3


@given(st.lists(st.tuples(st.integers(0, 3900), st.integers(1, 90), st.booleans()), max_size=40), st.integers(1, 3))
def test_what_several_recorded_is_what_one_would_have(made, n_recorders):
    requests = [(sent * MS, (sent + took) * MS, [1], [1] if right else [2]) for sent, took, right in made]
    one, several = recorded(*requests), [recorded(*requests[n::n_recorders]) for n in range(n_recorders)]

    assert merged(*several).seconds.to_plain() == merged(one).seconds.to_plain()


def test_another_clock_moves_whole_seconds():
    recorder = recorded((0, 10 * MS, [1], [1]), has_level=False, unix_offset_ns=1_700_000_000 * SECOND_NS)
    recorder.count_cut_off(5 * SECOND_NS, 5 * SECOND_NS, 5 * SECOND_NS + 10 * MS, None)
    record = merged(recorder, level=0, shift_ns=3 * SECOND_NS + 100 * MS)

    assert list(record.seconds.counts) == [1_700_000_008]
    assert record.seconds.until_ns == 1_700_000_008 * SECOND_NS + 110 * MS  # exactly


@pytest.mark.parametrize(
    ("seconds", "width_s"),
    [
        pytest.param(10, 1, id="a-level"),
        pytest.param(MOST_ROWS, 1, id="as-many-as-are-kept"),
        pytest.param(MOST_ROWS + 1, 2, id="one-more"),
        pytest.param(24 * 3600, 128, id="a-day"),
    ],
)
def test_a_long_time_is_told_by_several_seconds_together(seconds, width_s):
    assert Seconds.lasting(0, seconds * SECOND_NS).width_s == width_s
    collected = Seconds()
    for number in range(0, seconds, 30 if seconds > 4000 else 1):
        part = Seconds()
        part.row(number)[0] += 1
        part.latencies[number][7] = 1
        collected.merge(part)
    told = series(collected, 0, seconds * SECOND_NS)

    assert len(told) <= MOST_ROWS
    assert sum(one.predictions for one in told) == len(range(0, seconds, 30 if seconds > 4000 else 1))
    assert sum(one.lasts_s for one in told) == pytest.approx(seconds)


def test_a_request_that_never_ends_costs_no_more_rows_than_are_kept():
    seconds = Seconds()
    seconds.spread(0, 2**62)

    assert len(seconds.counts) <= MOST_ROWS + 1
    assert all(0 < counts[IN_FLIGHT_NS] <= SECOND_NS for counts in seconds.counts.values())


@pytest.mark.parametrize(
    ("n", "seconds", "has_level"),
    [
        pytest.param(10_000, 10, True, id="a-level"),
        pytest.param(2_000, 10, True, id="a-level-of-few"),
        pytest.param(3_000, 3, False, id="three-seconds-without-levels"),
        pytest.param(100, 1, False, id="a-lease"),
    ],
)
def test_what_a_worker_hands_over_grows_by_less_than_half(n, seconds, has_level):
    """Latencies as of a busy server."""
    chance = random.Random(5)
    requests = []
    for number in range(n):
        sent_ns = number * seconds * SECOND_NS // n
        latency_ns = int(chance.lognormvariate(15.5, 0.6))
        requests.append((sent_ns, min(sent_ns + latency_ns, seconds * SECOND_NS - 1000), [number % 10], [number % 10]))
    (row,) = recorded(*requests, seconds=seconds, has_level=has_level).take_all()
    whole = len(msgpack.dumps(row))
    del row["record"]["seconds"], row["record"]["images"]

    assert whole < 1.5 * len(msgpack.dumps(row))


def test_ten_minutes_of_a_million_requests_are_written_in_less_than_two_megabytes():
    past, chance = PastRun({"threshold": "p99 < 50ms"}), random.Random(5)
    for n in range(50_000):
        past.fire(n % 1000, SECOND_NS + n * 12 * MS, int(chance.lognormvariate(15, 0.7)))
    rows = past.recorder.take_all()
    for _ in range(20):  # as of 20 workers that measured the same
        merge_plain(past.results.records, rows)
    result = result_of(past)

    assert result.totals.requests == 1_000_000
    assert 600 <= len(result.seconds) <= 603
    assert len(json.dumps(result.to_plain(), allow_nan=False)) < 2_000_000


def test_a_level_that_was_stopped_is_no_run_without_levels():
    """Its seconds are counted from its window's begin: as those since 1970 they would fill fifty years."""
    record = merged(recorded(*[(n * 10 * MS, n * 10 * MS + MS, [1], [1]) for n in range(100)], unix_offset_ns=10**18))
    stopped, whole = (summarise(record, n_levels_left=n_left) for n_left in (2, 0))

    assert (stopped.seconds, stopped.limit_counts) == ((), ())
    assert len(whole.seconds) > 0
