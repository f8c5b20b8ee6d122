"""Scoring, histograms and records: merged equals recorded together."""

import math

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from tfsload.records.confusion import ConfusionMatrix
from tfsload.records.histogram import HIGHEST_NS, SIGNIFICANT_DIGITS, Histogram
from tfsload.records.recorder import Record, Recorder, merge_plain, n_ended
from tfsload.transport.answer import predicted_classes
from tfsload.transport.failure import PredictionFailure

latencies = st.integers(1, 10**11)
answers = st.tuples(st.integers(0, 9), st.integers(0, 11))


def histogram_of(values):
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


def confusion_of(pairs):
    matrix = ConfusionMatrix()
    for label, predicted in pairs:
        matrix.add_all([label], [predicted])
    return matrix


@pytest.mark.parametrize(
    ("scores", "classes"),
    [
        pytest.param([[0.1, 0.9]], [1], id="one-row"),
        pytest.param([[0.1, 0.9], [3.0, -1.0]], [1, 0], id="two-rows"),
        pytest.param([[0.5, 0.5]], [0], id="the-first-of-equals"),
        pytest.param([[-2.0, -1.0, -3.0]], [1], id="logits"),
    ],
)
def test_the_highest_score_is_the_answer(scores, classes):
    found = predicted_classes(np.array(scores))

    assert found == classes
    assert all(type(value) is int for value in found)  # numpy integers would not survive a message


@given(st.lists(answers), st.lists(answers))
def test_merged_confusion_equals_counted_together(some, others):
    merged = confusion_of(some)
    merged.merge(ConfusionMatrix.from_plain(confusion_of(others).to_plain()))

    assert merged == confusion_of(some + others)
    assert merged.total == len(some) + len(others)
    assert merged.wrong == sum(label != predicted for label, predicted in some + others)


@given(st.lists(latencies, min_size=1), st.lists(latencies))
def test_merged_histogram_equals_recorded_together(some, others):
    merged = histogram_of(some)
    merged.merge(Histogram.from_plain(histogram_of(others).to_plain()))
    together = histogram_of(some + others)

    for percentile in (0, 50, 90, 99, 99.9, 100):
        assert merged.percentile_ns(percentile) == together.percentile_ns(percentile)
    assert (merged.count, merged.sum_ns, merged.min_ns, merged.max_ns) == (
        together.count,
        together.sum_ns,
        together.min_ns,
        together.max_ns,
    )


@given(st.lists(st.integers(1, HIGHEST_NS), min_size=1), st.sampled_from([1, 50, 90, 99, 99.9]))
def test_buckets_and_percentiles_are_those_of_hdrhistogram(values, percentile):
    one_by_one = HdrHistogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS)
    for value in values:
        one_by_one.record_value(value)
    histogram = histogram_of(values)

    assert dict(histogram.buckets()) == {index: count for index, count in enumerate(one_by_one.counts) if count}
    expected = one_by_one.get_value_at_percentile(percentile)
    assert histogram.percentile_ns(percentile) == min(max(expected, min(values)), max(values))


@given(st.lists(latencies, min_size=1), st.sampled_from([50, 90, 95, 99, 99.9, 100]))
def test_percentiles_are_within_a_thousandth_of_the_exact_one(values, percentile):
    ordered = sorted(values)
    found = histogram_of(values).percentile_ns(percentile)

    # Two neighbouring ranks: the definition rounds the rank, the exact value lies at one of them.
    rank = percentile / 100 * len(ordered)
    low = ordered[max(math.floor(rank) - 1, 0)]
    high = ordered[min(math.ceil(rank), len(ordered)) - 1]
    assert low * 0.999 - 1 <= found <= high * 1.001 + 1


@pytest.mark.parametrize(
    ("value", "maximum"),
    [
        pytest.param(0, 0, id="zero"),
        pytest.param(-5, 0, id="a-clock-that-stepped-back"),
        pytest.param(HIGHEST_NS * 3, HIGHEST_NS * 3, id="above-the-highest"),
    ],
)
def test_a_value_out_of_range_is_counted(value, maximum):
    histogram = histogram_of([value])

    assert histogram.count == 1
    assert histogram.max_ns == maximum


def test_an_empty_histogram_travels():
    empty = Histogram.from_plain(Histogram().to_plain())

    assert (empty.count, empty.percentile_ns(99), empty.mean_ns) == (0, 0, 0.0)


requests_made = st.fixed_dictionaries(
    {
        "answers": st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=3),
        "latency_ns": st.integers(1, 10**10),
        "sent_ns": st.integers(1, 10**12),
        "failure": st.sampled_from([None, None, PredictionFailure("UNAVAILABLE", "gone")]),
        "lease": st.sampled_from([None, 1, 2]),
    }
)


def record_all(recorder, made):
    for request in made:
        labels, predicted = zip(*request["answers"], strict=True)
        recorder.record(
            labels,
            None if request["failure"] else predicted,
            request["failure"],
            request["sent_ns"],
            request["sent_ns"],
            request["sent_ns"] + request["latency_ns"],
            request["lease"],
        )


def plain_records(rows):
    merged: dict[int, Record] = {}
    merge_plain(merged, rows)
    return {level: record.to_plain() for level, record in sorted(merged.items())}


def comparable(plain):
    """Leave out the histogram's encoding: equal counts may be encoded from differently sized arrays."""
    return {
        level: {
            **record,
            "failed": dict(sorted(record["failed"].items())),
            "latency": {**record["latency"], "buckets": ""},
        }
        for level, record in plain.items()
    }


@given(st.lists(requests_made), st.lists(requests_made))
def test_two_recorders_merged_equal_one(some, others):
    first, second, both = Recorder(), Recorder(), Recorder()
    record_all(first, some)
    record_all(second, others)
    record_all(both, some + others)

    assert comparable(plain_records(first.take_all() + second.take_all())) == comparable(plain_records(both.take_all()))


@given(st.lists(requests_made))
def test_a_recorder_hands_everything_over_once(made):
    recorder = Recorder()
    record_all(recorder, made)

    rows = recorder.take(1) + recorder.take_unleased() + recorder.take_all()

    assert recorder.take_all() == []
    assert sum(row["record"]["predictions"] for row in rows) == sum(len(request["answers"]) for request in made)
    assert n_ended(rows) == len(made)


def test_records_survive_locusts_messages():
    import msgpack

    recorder = Recorder()
    labels = tuple(np.array([7, 3], np.uint8).tolist())
    recorder.record(labels, predicted_classes(np.eye(10)[[7, 2]]), None, 0, 0, 1_500_000, None)
    rows = recorder.take_all()

    assert msgpack.loads(msgpack.dumps(rows)) == rows


def add(record, latency_ns, done_unix_ns, failure=None):
    record.add([1], None if failure else [1], failure, latency_ns, done_unix_ns)


def test_failures_are_kept_out_of_the_latencies():
    record = Record()
    add(record, 5_000_000_000, 10**18, PredictionFailure("DEADLINE_EXCEEDED", ""))
    add(record, 1_000_000, 10**18)

    assert record.latency.count == 1
    assert (record.requests, record.failed_requests) == (2, 1)


def test_the_span_reaches_from_the_first_sent_to_the_last_done():
    early, late = Record(), Record()
    add(early, 50, 10**18 + 100)
    add(late, 10, 10**18 + 900)

    early.merge(Record.from_plain(late.to_plain()))
    early.merge(Record())

    assert (early.first_sent_unix_ns, early.last_done_unix_ns) == (10**18 + 50, 10**18 + 900)


def test_a_span_of_another_clock_is_moved_to_ours():
    recorder = Recorder()
    recorder.record([1], [1], None, 10**18 - 50, 10**18 - 50, 10**18, None)
    merged: dict[int, Record] = {}
    merge_plain(merged, recorder.take_all(), shift_ns=1000)

    assert (merged[0].first_sent_unix_ns, merged[0].last_done_unix_ns) == (10**18 + 950, 10**18 + 1000)


def test_at_the_end_too_who_is_in_the_same_process_gets_the_records_themselves():
    recorder, written = Recorder(), Recorder()
    for one in (recorder, written):
        one.record([3], [3], None, 1000, 1000, 2000, None)
        one.record([3], [4], None, 1000, 1000, 2000, lease=1)
    rows = recorder.take_all(is_sent=False)

    assert all(isinstance(row["record"], Record) for row in rows)
    assert [{**row, "record": row["record"].to_plain()} for row in rows] == written.take_all()
    assert recorder.take_all() == []


def test_who_is_in_the_same_process_gets_the_records_themselves():
    recorder, written = Recorder(), Recorder()
    for one in (recorder, written):
        one.record([3], [3], None, 1000, 1000, 2000, None)
        one.record([3], None, PredictionFailure("UNAVAILABLE", "gone"), 1000, 1000, 2000, lease=1)
    handed, plain = {}, {}
    rows = recorder.take_unleased_records()
    merge_plain(handed, rows)
    merge_plain(plain, written.take_unleased())

    assert n_ended(rows) == 1
    assert {level: record.to_plain() for level, record in handed.items()} == {
        level: record.to_plain() for level, record in plain.items()
    }
    assert [row["lease"] for row in recorder.take_all()] == [1]
