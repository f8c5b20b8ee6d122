"""Thresholds that one stall decides: judged with all half-seconds, and without the worst."""

import dataclasses
import math
import random
import re
import tracemalloc

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.level_rows import MS, SECOND, Sample
from tests.support.stalls import RATE_RPS, SECONDS, calm, record_of, slow, stalled
from tfsload.analysis import thresholds
from tfsload.analysis.edges import limits_of
from tfsload.analysis.gate import LEAST_S, rule
from tfsload.analysis.held import judged_whole
from tfsload.analysis.metrics import figure_of
from tfsload.analysis.percentiles import rank_from_top
from tfsload.records.histogram import HIGHEST_NS, SIGNIFICANT_DIGITS
from tfsload.records.recorder import Recorder, merge_plain

HELD, CROSSED, OPEN = True, False, None


def lagging(made, at_s, seconds):
    """Return requests that left late, those that were due while the load generator stood still."""
    usual_ns = made[0].done_ns - made[0].due_ns
    return [
        dataclasses.replace(one, lag_ns=one.done_ns - one.due_ns - usual_ns) for one in stalled(made, at_s, seconds)
    ]


def failing(made, from_s, to_s):
    """Return requests of which those of some time have no answer."""
    return [dataclasses.replace(one, is_failed=from_s <= one.done_ns / SECOND < to_s) for one in made]


def ruling_of(text, made, seconds=SECONDS, **more):
    (threshold,) = thresholds.parse(text)
    return rule(threshold, record_of(text, made, seconds, **more), RATE_RPS, seconds)


ONE_STALL = stalled(calm(), 3.1, 0.3)


@pytest.mark.parametrize(
    ("text", "made", "holds"),
    [
        pytest.param("p99 < 50ms", calm(), HELD, id="no-stall"),
        pytest.param("p99 < 50ms", ONE_STALL, OPEN, id="one-stall"),
        pytest.param("p99 <= 50ms", ONE_STALL, OPEN, id="one-stall-and-an-inclusive-limit"),
        pytest.param("p99.9 < 50ms", stalled(calm(n=8000), 3.1, 0.1), OPEN, id="one-stall-in-a-higher-percentile"),
        pytest.param("p99 < 50ms", stalled(calm(), 3.45, 0.3), OPEN, id="across-the-border-of-two-half-seconds"),
        pytest.param("p99 < 50ms", stalled(calm(), 2.87, 0.15), OPEN, id="ends-at-a-border"),
        pytest.param("p99 < 50ms", stalled(calm(), 3.0, 1.2), OPEN, id="longer-than-a-half-second"),
        pytest.param("p99 < 50ms", stalled(calm(), 0.0, 0.3), OPEN, id="at-the-begin"),
        pytest.param("p99 < 50ms", stalled(calm(), 7.6, 0.3), OPEN, id="at-the-end"),
        pytest.param("p99 < 50ms", stalled(ONE_STALL, 6.0, 0.3), CROSSED, id="two-stalls"),
        pytest.param("p99 < 50ms", slow(calm(), every=50), CROSSED, id="as-many-slow-ones-spread-out"),
        pytest.param("p99 < 50ms", slow(ONE_STALL, every=50), CROSSED, id="a-stall-beside-a-tail-that-crosses-alone"),
        pytest.param("p99 < 50ms", slow(ONE_STALL, every=400), OPEN, id="a-stall-beside-a-tail-that-does-not"),
        pytest.param("p50 < 50ms", ONE_STALL, HELD, id="a-stall-that-the-percentile-does-not-reach"),
        pytest.param("p99 < 50ms", stalled(calm(), 3.1, 0.04), HELD, id="a-stall-shorter-than-the-limit"),
        pytest.param("p99 < 1ms", ONE_STALL, CROSSED, id="crossed-with-and-without-it"),
        pytest.param("p99 < 50ms", failing(calm(), 3.1, 3.4), OPEN, id="failures-at-once"),
        pytest.param("p99 < 50ms", failing(calm(), 3.1, 6.4), CROSSED, id="failures-for-seconds"),
        pytest.param("lag_p99 < 50ms", lagging(calm(), 3.1, 0.3), OPEN, id="one-stall-of-the-load-generator"),
        pytest.param(
            "lag_p99 < 50ms",
            [dataclasses.replace(one, lag_ns=100 * MS) if one.lag_ns == 0 and n % 50 == 0 else one
             for n, one in enumerate(calm(latency_ns=101 * MS)) if one.due_ns >= 0],
            CROSSED,
            id="lags-spread-out",
        ),
        pytest.param("mean < 10ms", stalled(calm(), 3.1, 0.9), OPEN, id="a-mean-that-one-stall-carries"),
        pytest.param("mean < 10ms", slow(calm(), every=5), CROSSED, id="a-mean-that-many-carry"),
        pytest.param("mean < 10ms", failing(calm(), 3.1, 3.2), OPEN, id="a-mean-without-an-answer-at-once"),
        pytest.param("mean < 10ms", slow(calm(), every=50), HELD, id="a-mean-that-holds"),
        pytest.param("max < 50ms", ONE_STALL, CROSSED, id="the-maximum-is-a-fact"),
        pytest.param("failed_rate < 1%", failing(calm(), 3.1, 3.4), CROSSED, id="failures-are-counted"),
        pytest.param("p99 > 50ms", ONE_STALL, OPEN, id="a-lower-limit-that-one-stall-holds"),
        pytest.param("p99 >= 50ms", slow(calm(), every=50), HELD, id="a-lower-limit-that-many-hold"),
        pytest.param("p99 > 50ms", calm(), CROSSED, id="a-lower-limit-that-none-holds"),
        pytest.param("p50 > 1ms", calm(), HELD, id="a-lower-limit-that-all-hold"),
        pytest.param(
            "p10 > 1ms",
            [dataclasses.replace(one, due_ns=one.done_ns - 10_000) if 2.0 < one.done_ns / SECOND < 2.4 else one
             for one in slow(calm(n=2000), every=12, latency_ns=500_000)],
            OPEN,
            id="a-lower-limit-that-one-fast-half-second-crosses",
        ),
        pytest.param("mean > 20ms", stalled(calm(), 3.1, 0.9), OPEN, id="a-mean-above-a-limit-by-one-stall"),
        pytest.param("p99 < 50ms", slow(calm(n=700), every=700), OPEN, id="hardly-enough-samples-and-one-slow"),
        pytest.param("p99 < 50ms", slow(calm(n=700), every=350), CROSSED, id="hardly-enough-samples-and-two-slow"),
        pytest.param("p99 < 50ms", stalled(calm(n=662), 0.0, SECONDS - 0.2), CROSSED, id="nothing-but-a-stall"),
    ],
)  # fmt: skip
def test_what_holds(text, made, holds):
    ruling = ruling_of(text, made)

    assert ruling.holds is holds, ruling
    assert bool(ruling.stall) is (holds is OPEN)


@pytest.mark.parametrize(
    ("dropped_s", "holds"),
    [
        pytest.param([3.1 + 0.002 * n for n in range(150)], OPEN, id="at-once"),
        pytest.param([0.05 * n for n in range(150)], CROSSED, id="all-the-time"),
    ],
)
def test_arrivals_that_were_dropped(dropped_s, holds):
    assert ruling_of("p99 < 50ms", calm(), dropped_s=dropped_s).holds is holds


@pytest.mark.parametrize(
    ("made", "share", "holds"),
    [
        pytest.param(ONE_STALL, lambda number: number, OPEN, id="in-both-workers-at-once"),
        pytest.param(
            [*calm(n=2000), *stalled(calm(n=2000), 3.1, 0.3)], lambda number: number // 2000, OPEN, id="in-one-of-two"
        ),
        pytest.param(
            [*stalled(calm(n=2000), 1.0, 0.3), *stalled(calm(n=2000), 6.0, 0.3)],
            lambda number: number // 2000,
            CROSSED,
            id="in-one-and-later-in-the-other",
        ),
    ],
)
def test_a_stall_of_several_workers(made, share, holds):
    assert ruling_of("p99 < 50ms", made, n_recorders=2, share=share).holds is holds


@pytest.mark.parametrize(
    ("seconds", "holds"),
    [
        pytest.param(LEAST_S, OPEN, id="exactly-long-enough"),
        pytest.param(LEAST_S - 0.1, CROSSED, id="too-short"),
        pytest.param(1.0, CROSSED, id="a-second"),
    ],
)
def test_of_a_short_time_all_half_seconds_alone_are_judged(seconds, holds):
    ruling = ruling_of("p99 < 50ms", stalled(calm(n=2000, seconds=seconds), 0.3, 0.3), seconds)

    assert ruling.holds is holds
    assert judged_whole(thresholds.parse("p99 < 50ms"), (), seconds) == (("",) if holds is CROSSED else ())


@pytest.mark.parametrize(
    ("text", "made", "words"),
    [
        pytest.param(
            "p99 < 50ms",
            ONE_STALL,
            "p99 rests on one stall: crossed with all half-seconds (2xx ms), held without the one from 3.0 s on, "
            "where 139 of the 139 requests beyond the limit lie",
            id="a-percentile",
        ),
        pytest.param(
            "p99 < 50ms",
            failing(calm(), 3.1, 3.4),
            "p99 rests on one stall: crossed with all half-seconds (endless), held without the one from 2.9 s on, "
            "where 150 of the 150 requests beyond the limit lie",
            id="failures",
        ),
        pytest.param(
            "mean < 10ms",
            stalled(calm(), 3.1, 0.9),
            "mean rests on one stall: crossed with all half-seconds (5x.x ms), held without the one from 3.6 s on",
            id="a-mean",
        ),
        pytest.param(
            "p99 > 50ms",
            ONE_STALL,
            "p99 rests on one stall: held with all half-seconds (2xx ms), crossed without the one from 3.0 s on, "
            "where 139 of the 139 requests beyond the limit lie",
            id="a-lower-limit",
        ),
    ],
)
def test_the_reason_says_what_was_found_both_ways(text, made, words):
    pattern = re.escape(words).replace("x", r"\d")

    assert re.fullmatch(pattern, ruling_of(text, made).stall), ruling_of(text, made).stall


# Seeded simulations of the kinds that were seen: open load on a server that stands still, closed load, busy programs


def open_load(chance, stall_s=0.0, seconds=SECONDS):
    """Return the answered requests of Poisson arrivals, with one stall somewhere."""
    made, at_s = [], 0.0
    while (at_s := at_s + chance.expovariate(RATE_RPS)) < seconds:
        due_ns = int(at_s * SECOND)
        made.append(Sample(due_ns, due_ns + int(chance.lognormvariate(0.7, 0.4) * MS)))
    if stall_s:
        made = stalled(made, chance.uniform(0, seconds - stall_s - 0.2), stall_s)
    return [one for one in made if one.done_ns < seconds * SECOND]


def spread(made, chance, seconds=SECONDS):
    """Return the same requests with the same latencies, shared out anew."""
    latencies_ns = [one.done_ns - one.due_ns for one in made]
    chance.shuffle(latencies_ns)
    shared = [
        dataclasses.replace(one, done_ns=one.due_ns + latency_ns)
        for one, latency_ns in zip(made, latencies_ns, strict=True)
    ]
    return [one for one in shared if one.done_ns < seconds * SECOND]


def closed_load(chance, users=4, workers=2, service_ms=4.0, busy=0.0, seconds=5.0):
    """Return the requests of users who wait for their answers; other programs take the CPU for some of the time.

    Args:
        busy: the chance that a request meets one of them, which takes 5 to 20 ms.
    """
    made, free_s, users_s = [], [0.0] * workers, [0.0] * users
    while (sent_s := min(users_s)) < seconds:
        begin_s = max(sent_s, min(free_s))
        taken_s = service_ms / 1e3 * chance.lognormvariate(0, 0.05)
        taken_s += chance.uniform(5e-3, 20e-3) if chance.random() < busy else 0
        free_s[free_s.index(min(free_s))] = users_s[users_s.index(sent_s)] = begin_s + taken_s
        made.append(Sample(int(sent_s * SECOND), int((begin_s + taken_s) * SECOND)))
    return [one for one in made if one.done_ns < seconds * SECOND]


N_LEVELS = 15


def outcomes(make, seconds=SECONDS):
    """Return how often `p99 < 50ms` is held, crossed and open: as it is, and by the rule."""
    plain, ruled = [], []
    for seed in range(N_LEVELS):
        record = record_of("p99 < 50ms", make(random.Random(seed)), seconds)
        (threshold,) = thresholds.parse("p99 < 50ms")
        plain.append(threshold.holds(figure_of(threshold, record, None)))
        ruled.append(rule(threshold, record, None, seconds).holds)
    return [[kind.count(outcome) for outcome in (HELD, CROSSED, OPEN)] for kind in (plain, ruled)]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("make", "seconds", "plain", "ruled"),
    [
        pytest.param(
            lambda chance: open_load(chance, stall_s=chance.uniform(0.15, 0.45)),
            SECONDS,
            [0, N_LEVELS, 0],
            [0, 0, N_LEVELS],
            id="open-load-and-one-stall-anywhere",
        ),
        pytest.param(
            lambda chance: spread(open_load(chance, stall_s=chance.uniform(0.15, 0.45)), chance),
            SECONDS,
            [0, N_LEVELS, 0],
            [0, N_LEVELS, 0],
            id="the-same-tail-spread-over-the-level",
        ),
        pytest.param(open_load, SECONDS, [N_LEVELS, 0, 0], [N_LEVELS, 0, 0], id="open-load-without-a-stall"),
        pytest.param(closed_load, 5.0, [N_LEVELS, 0, 0], [N_LEVELS, 0, 0], id="closed-steady"),
        pytest.param(
            lambda chance: closed_load(chance, busy=0.05),
            5.0,
            [N_LEVELS, 0, 0],
            [N_LEVELS, 0, 0],
            id="closed-beside-busy-programs",
        ),
        pytest.param(
            lambda chance: closed_load(chance, users=40),
            5.0,
            [0, N_LEVELS, 0],
            [0, N_LEVELS, 0],
            id="closed-steady-and-too-many-users",
        ),
    ],
)
def test_levels_as_they_were_seen(make, seconds, plain, ruled):
    assert outcomes(make, seconds) == [plain, ruled]


LAYOUT = HdrHistogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS)
COPIES = 20  # so that no rank is a matter of rounding


def judged_alone(threshold, latencies_ms, most_ms=math.inf):
    """Return whether some requests hold a threshold, at the highest rank where they are few; None: there are none.

    Args:
        threshold: on a percentile or a mean.
        latencies_ms: the requests'.
        most_ms: the longest of all, which is known exactly where all are told of: no figure is above it.
    """
    ordered, n = sorted(latencies_ms), len(latencies_ms)
    if not n:
        return None
    if threshold.percentile is None:
        return threshold.holds(sum(ordered) / n * MS)
    if threshold.is_upper:
        found_ms = ordered[-(rank_from_top(n, threshold.percentile) or 1)]
    else:
        found_ms = ordered[round(threshold.percentile / 100 * n) - 1]
    return threshold.holds(min(told_ns(found_ms), most_ms * MS))


def told_ns(latency_ms):
    """Return what a latency is told as, and held against limits: the highest that its bucket holds."""
    return LAYOUT.get_highest_equivalent_value(latency_ms * MS)


@given(
    st.lists(st.tuples(st.integers(0, 79), st.sampled_from([1, 2, 45, 50, 55, 900])), min_size=4, max_size=40),
    st.sampled_from(["p50 < 50ms", "p90 <= 50ms", "p50 > 50ms", "p90 >= 50ms", "mean < 50ms", "mean > 50ms"]),
)
@example([(0, 1), (0, 1), (0, 1), (0, 50)], "p90 <= 50ms")  # the longest is told exactly
@example([(0, 50), (0, 50), (40, 50), (70, 1)], "p50 > 50ms")  # and crosses a limit that its bucket would hold
@example([(0, 1), (0, 55), (1, 55), (1, 55)], "p50 > 50ms")  # all together weigh as much as a part of it
def test_it_is_open_where_one_half_second_turns_it(rows, text):
    """Each half-second is left out in turn, and what is left judged by itself: an oracle of its own."""
    (threshold,) = thresholds.parse(text)
    rows *= COPIES
    done_ns = [tenth * SECOND // 10 + 50 * MS for tenth, _ in rows]
    made = [Sample(ns - ms * MS, ns) for ns, (_, ms) in zip(done_ns, rows, strict=True)]
    plain = judged_alone(threshold, [ms for _, ms in rows], max(ms for _, ms in rows))
    turned = {
        judged_alone(threshold, [ms for tenth, ms in rows if not first <= tenth < first + 5]) for first in range(-4, 80)
    } - {plain, None}

    ruling = rule(threshold, whole_run(text, made), None, SECONDS)

    is_by_maximum = judged_alone(threshold, [ms for _, ms in rows]) is not plain  # which no half-second turns
    may_be_open = bool(turned) and not is_by_maximum and not (plain is HELD and "<" in text)
    if text.startswith("p") and "<" in text:
        # The upper end of fewer requests is a little higher: to leave out some may cross a limit. That is no stall.
        assert ruling.holds is plain or (ruling.holds is OPEN and may_be_open)
    else:
        assert ruling.holds is (OPEN if may_be_open else plain)


def whole_run(text, made, unix_offset_ns=10**18):
    """Return what a process records of a run without levels."""
    recorder = Recorder(unix_offset_ns, limits=limits_of(thresholds.parse(text)))
    for one in made:
        recorder.record([1], [1], None, one.due_ns, one.due_ns, one.done_ns, None)
    merged = {}
    merge_plain(merged, recorder.take_all())
    return merged[0]


@pytest.mark.parametrize(
    ("behind_ns", "holds"),
    [
        pytest.param(0, OPEN, id="clocks-agree"),
        pytest.param(3600 * SECOND, OPEN, id="an-hour-behind"),
        pytest.param(-7 * SECOND, OPEN, id="seconds-ahead"),
    ],
)
def test_workers_whose_clocks_differ_see_one_stall_at_one_time(behind_ns, holds):
    text = "p99 < 50ms"
    merged = {}
    for behind in (0, behind_ns):
        recorder = Recorder(10**18 - behind, limits=limits_of(thresholds.parse(text)))
        for one in ONE_STALL[:: 2 if behind else 1]:
            recorder.record([1], [1], None, one.due_ns, one.due_ns, one.done_ns, None)
        merge_plain(merged, recorder.take_all(), shift_ns=behind)
    (threshold,) = thresholds.parse(text)

    assert rule(threshold, merged[0], None, SECONDS).holds is holds


def test_leases_and_reports_of_one_stall_are_one_stall():
    text = "p99 < 50ms"
    recorder = Recorder(10**18, limits=limits_of(thresholds.parse(text)))
    merged = {}
    for number, one in enumerate(sorted(ONE_STALL, key=lambda one: one.done_ns)):
        recorder.record([1], [1], None, one.due_ns, one.due_ns, one.done_ns, number // 50 if number % 2 else None)
        if number % 50 == 49:
            merge_plain(merged, recorder.take(number // 50))
    merge_plain(merged, recorder.take_unleased())
    (threshold,) = thresholds.parse(text)

    assert rule(threshold, merged[0], None, SECONDS).holds is OPEN


def test_what_was_not_counted_by_half_second_is_judged_whole():
    (threshold,) = thresholds.parse("p99 < 50ms")
    ruling = rule(threshold, record_of("max < 1s", ONE_STALL), None, SECONDS)

    assert ruling.holds is CROSSED


@pytest.mark.heavy
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("p99 < 50ms", id="upper-and-crossed"),
        pytest.param("p50 < 50ms", id="upper-and-held"),
        pytest.param("p99 > 50ms", id="lower-and-held"),
        pytest.param("p50 > 50ms", id="lower-and-crossed"),
        pytest.param("mean < 1ms", id="mean"),
    ],
)
def test_an_hour_is_judged_in_little_memory(text):
    (threshold,) = thresholds.parse(text)
    made = [
        Sample(ns - (90 if n % 20 == 0 else 2) * MS, ns) for n, ns in enumerate(range(0, 3600 * SECOND, SECOND // 10))
    ]
    record = whole_run(text, made)
    rule(threshold, record, None, 3600.0)  # what is made once
    tracemalloc.start()
    try:
        ruling = rule(threshold, record, None, 3600.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert ruling.holds is threshold.holds(ruling.value)
    assert peak < 256 * 2**10
