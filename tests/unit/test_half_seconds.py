"""Requests beyond a limit, counted by tenth of a second: what is counted, where, and merged."""

import random
import sys
import tracemalloc

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from tests.support.half_seconds import half_seconds_of
from tfsload.analysis import thresholds
from tfsload.analysis.edges import limits_of, rests_on_many
from tfsload.records.half_seconds import BATCH, HalfSeconds
from tfsload.records.histogram import HIGHEST_NS, SIGNIFICANT_DIGITS
from tfsload.records.tenths import MOST_SINGLE, TENTH_NS, Count

MS = 1_000_000
# Made independently of tfsload.records.histogram: what a percentile among its buckets is told as.
LAYOUT = HdrHistogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS)


def counted(text, rows, origin_ns=0):
    """Return what is counted of requests: rows of when they were due, sent, done, and whether they were answered."""
    half_seconds = HalfSeconds(limits_of(thresholds.parse(text)), origin_ns)
    for row in rows:
        half_seconds.batch.append(row)
        if len(half_seconds.batch) >= BATCH:
            half_seconds.fill()
    return half_seconds


def answered(*latencies_ns, done_ns=0):
    return [(done_ns - latency_ns, done_ns - latency_ns, done_ns, True) for latency_ns in latencies_ns]


@pytest.mark.parametrize(
    ("text", "does"),
    [
        pytest.param("p99 < 5ms", True, id="percentile"),
        pytest.param("lag_p50 > 5ms", True, id="lag"),
        pytest.param("mean <= 5ms", True, id="mean"),
        pytest.param("max < 5ms", False, id="the-maximum-is-one-request"),
        pytest.param("failed_rate < 1%", False, id="a-share-counts"),
        pytest.param("rate > 5", False, id="a-rate-counts"),
    ],
)
def test_what_rests_on_many_requests(text, does):
    (threshold,) = thresholds.parse(text)

    assert rests_on_many(threshold) is does
    assert (text in counted(text, [])) is does


LATENCY_NS = st.integers(1, HIGHEST_NS) | st.sampled_from([1, 2, 5 * MS, HIGHEST_NS])


@given(
    st.lists(LATENCY_NS, max_size=20),
    st.integers(2, HIGHEST_NS - 1) | st.sampled_from([2, HIGHEST_NS - 1]),
    st.lists(st.integers(-3, 3), max_size=10),
    st.sampled_from(["<", "<=", ">", ">="]),
)
def test_a_request_is_on_the_side_that_its_percentile_would_be_told_on(latencies_ns, limit_ns, near_ns, operator):
    latencies_ns += [min(max(limit_ns + ns, 1), HIGHEST_NS) for ns in near_ns]
    text = f"p50 {operator} {limit_ns}ns"
    (threshold,) = thresholds.parse(text)
    told_ns = [LAYOUT.get_highest_equivalent_value(latency_ns) for latency_ns in latencies_ns]
    is_above = operator.startswith(">")

    total = counted(text, answered(*latencies_ns)).total(text)

    assert total == Count(len(told_ns), sum(threshold.holds(ns) is is_above for ns in told_ns), 0)


def test_a_mean_has_a_sum():
    assert counted("mean < 5ms", answered(3, 5, 7)).total("mean < 5ms") == Count(3, 15, 0)


def test_requests_without_an_answer_and_dropped_arrivals_are_endless_but_for_a_lag():
    text = "p99 < 5ms; lag_p99 < 5ms; mean < 5ms"
    half_seconds = counted(text, [(0, 9 * MS, 20 * MS, False), (0, MS, 2 * MS, True)])
    half_seconds.add_dropped(0)

    assert half_seconds.total("p99 < 5ms") == Count(1, 0, 2)
    assert half_seconds.total("lag_p99 < 5ms") == Count(2, 1, 0)
    assert half_seconds.total("mean < 5ms") == Count(1, 2 * MS, 2)


def test_a_latency_belongs_to_its_answer_and_a_lag_to_when_the_request_left():
    text = "p99 < 5ms; lag_p99 < 5ms"
    half_seconds = counted(text, [(0, 15 * TENTH_NS, 35 * TENTH_NS, True)])

    assert {start for start, _ in half_seconds_of(half_seconds, "p99 < 5ms")} == {31}
    assert {start for start, _ in half_seconds_of(half_seconds, "lag_p99 < 5ms")} == {11}


@given(
    st.lists(st.tuples(st.integers(-1500, 1500), st.sampled_from([MS, 9 * MS])), max_size=40), st.integers(-700, 700)
)
def test_half_seconds_are_all_that_five_tenths_in_a_row_can_hold(rows, origin):
    text = "p99 < 5ms"
    requests = [row for tenth, latency_ns in rows for row in answered(latency_ns, done_ns=tenth * TENTH_NS)]
    half_seconds = counted(text, requests, origin * TENTH_NS)

    def held_from(start):
        inside = [latency_ns for tenth, latency_ns in rows if start <= tenth - origin < start + 5]
        return Count(len(inside), sum(latency_ns == 9 * MS for latency_ns in inside), 0)

    found = dict(half_seconds_of(half_seconds, text))
    all_starts = {tenth - origin - back for tenth, _ in rows for back in range(5)}
    assert found == {start: held_from(start) for start in found}
    assert set(found.values()) == {held_from(start) for start in all_starts}


SHORT_NS = st.integers(0, 20 * MS) | st.sampled_from([0, 2 * MS, 5 * MS])
WHEN_NS = st.integers(0, 2**40) | st.integers(0, 9999).map(lambda tenth: tenth * TENTH_NS)
ROWS = st.lists(
    st.tuples(SHORT_NS, SHORT_NS, WHEN_NS, st.booleans()).map(
        lambda row: (row[2] - row[0] - row[1], row[2] - row[0], row[2], row[3])
    ),
    max_size=200,
)


@given(ROWS, st.integers(1, 4), st.lists(WHEN_NS, max_size=5), st.lists(st.tuples(SHORT_NS, WHEN_NS), max_size=5))
def test_merged_is_as_counted_together(rows, n_parts, dropped_ns, cut_off):
    text = "p99 < 5ms; lag_p90 > 2ms; mean < 5ms; max < 1s"

    def counted_with_others(part=0, n_parts=1):
        half_seconds = counted(text, rows[part::n_parts])
        for due_ns in dropped_ns[part::n_parts]:
            half_seconds.add_dropped(due_ns)
        for waited_ns, now_ns in cut_off[part::n_parts]:
            half_seconds.add_cut_off(now_ns - waited_ns, now_ns)
        return half_seconds

    merged = HalfSeconds()
    for part in range(n_parts):
        merged.merge(HalfSeconds.from_plain(counted_with_others(part, n_parts).to_plain()))

    assert merged.to_plain() == counted_with_others().to_plain()
    waited = [waited_ns for waited_ns, _ in cut_off if waited_ns >= 5 * MS]
    n = len(rows) - sum(not is_answered for *_, is_answered in rows) + len(waited)
    assert merged.total("p99 < 5ms")[::2] == (n, len(rows) + len(waited) - n + len(dropped_ns))


@given(st.lists(LATENCY_NS, max_size=30), st.integers(-(10**12), 10**12))
def test_a_shift_moves_everything_alike(latencies_ns, by_ns):
    text = "p99 < 5ms"
    here = counted(text, answered(*latencies_ns, done_ns=5 * 10**12))
    there = counted(text, answered(*latencies_ns, done_ns=5 * 10**12 + round(by_ns / TENTH_NS) * TENTH_NS))
    here.shift(by_ns)

    assert here.to_plain() == there.to_plain()


def test_an_hour_takes_little_memory_wherever_the_clock_stands():
    text = "p99 < 5ms"
    chance = random.Random(1)
    tracemalloc.start()
    try:
        half_seconds = counted(text, [])
        # Some requests in each tenth of it, and a worker whose clock is years off.
        for tenth in [*range(36_000), 3_000_000_000]:
            half_seconds.batch.extend(answered(chance.choice([MS, 9 * MS]), done_ns=tenth * TENTH_NS))
            if len(half_seconds.batch) >= BATCH:
                half_seconds.fill()
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert half_seconds.total(text).n == 36_001
    assert used < 1.5 * 2**20


def oracle(tenths):
    """Return what requests at some tenths, the odd ones of 9 ms, come to by tenth: as `to_plain` has it."""
    return [[tenth, tenths.count(tenth), tenths.count(tenth) * (tenth % 2), 0] for tenth in sorted(set(tenths))]


def at(tenths):
    return [row for tenth in tenths for row in answered(9 * MS if tenth % 2 else MS, done_ns=tenth * TENTH_NS)]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "tenths",
    [
        pytest.param(range(MOST_SINGLE), id="as-many-as-are-kept-one-by-one"),
        pytest.param(range(MOST_SINGLE + 1), id="one-more"),
        pytest.param([*range(MOST_SINGLE + 1), *range(0, 2 * MOST_SINGLE, 7)], id="some-of-both-kinds"),
        pytest.param([*range(-900, 900), *range(-10_000, 10_000, 33)], id="before-the-origin-too"),
        pytest.param(range(0, 5_000_000, 5_003), id="hardly-any-in-a-minute"),
    ],
)
@pytest.mark.parametrize("n_parts", [1, 3, 100])
def test_however_many_tenths_there_are_each_is_counted(tenths, n_parts):
    text, tenths = "p99 < 5ms", list(tenths)
    random.Random(1).shuffle(tenths)
    merged = HalfSeconds()
    for part in range(n_parts):
        merged.merge(HalfSeconds.from_plain(counted(text, at(tenths[part::n_parts])).to_plain()))
    expected = oracle(tenths)

    assert merged.total(text) == Count(len(tenths), sum(row[2] for row in expected), 0)
    assert merged.to_plain() == {text: expected}
    assert merged.total(text) == Count(len(tenths), sum(row[2] for row in expected), 0)
    merged.shift(7 * TENTH_NS)
    assert merged.to_plain() == {text: [[tenth + 7, *counts] for tenth, *counts in expected]}


# What a lease of a few requests costs, which there are thousands of

THREE = "p99 < 5ms; p90 < 2ms; mean < 5ms"
LEASE = answered(*[3 * MS] * 6, done_ns=10**18)


def peak_bytes(function):
    """Return how much memory a function takes at most, beside what there was."""
    function()  # what is made once
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def lines_run(function):
    """Return how many lines of Python run in a function: its cost, without a clock's noise."""
    n_lines = 0

    def trace(_, event, __):
        nonlocal n_lines
        n_lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return n_lines


def send():
    return counted(THREE, LEASE).to_plain()


def receive():
    read = HalfSeconds.from_plain(send())
    read.shift(TENTH_NS)
    merged = HalfSeconds()
    merged.merge(read)
    return merged


@pytest.mark.parametrize("does", [pytest.param(send, id="sent"), pytest.param(receive, id="received")])
def test_a_lease_of_six_requests_takes_little_memory_and_few_steps(does):
    assert peak_bytes(does) < 8 * 2**10
    assert lines_run(does) < 1010


def test_a_lease_that_joins_a_whole_run_costs_what_it_holds():
    text = "p99 < 5ms"
    lease = HalfSeconds.from_plain(counted(text, LEASE).to_plain())
    run = HalfSeconds()
    run.merge(counted(text, at(range(5_000))))

    assert lines_run(lambda: run.merge(lease)) < 100


def test_the_total_of_an_hour_holds_no_copy_of_it():
    text = "p99 < 5ms"
    half_seconds = counted(text, at(range(36_000)))

    assert peak_bytes(lambda: half_seconds.total(text)) < 64 * 2**10
