"""From a level's record to its row: figures, doubts, thresholds and what a search is told."""

import dataclasses
import math

import pytest

from tests.support import summaries as report
from tests.support.level_rows import (
    MS,
    SECOND,
    Sample,
    closed_row,
    doubts_of,
    growing,
    metric_of,
    open_row,
    record_of,
    run_of,
    samples,
)
from tfsload.analysis import thresholds
from tfsload.analysis.levels import PERCENTILES, finding_of, level_row
from tfsload.analysis.taken_by_others import NOISE_CURE
from tfsload.records.cpu import CpuShares
from tfsload.records.neighbours import STEAL, Neighbour, Neighbours
from tfsload.records.recorder import Record, Recorder, merge_plain
from tfsload.records.window import N_SLICES, Window


def test_the_figures_of_a_level():
    made = [*samples(n=1000, latency_ns=4 * MS), Sample(0, 5 * MS, is_wrong=True), Sample(0, SECOND, is_failed=True)]
    row = closed_row([*made, Sample(-MS, 3 * MS), Sample(10 * SECOND - 2 * MS, 10 * SECOND + MS)])

    assert row.answered == 1001
    assert row.achieved_rps == pytest.approx(100.2)  # the one that began before the window and came in it, too
    assert row.mean_in_flight == pytest.approx((1000 * 0.004 + 0.005 + 1 + 0.003 + 0.002) / 10)
    assert (row.record.straddling, row.record.wrong, row.record.failed_requests) == (2, 1, 1)
    assert sum(row.slice_rates_rps) / N_SLICES == pytest.approx(row.achieved_rps)
    assert len(row.slice_rates_rps) == N_SLICES
    assert not row.unsteady


def test_a_level_without_a_request():
    row = level_row(run_of(), Record())

    assert (row.achieved_rps, row.mean_in_flight, row.answered) == (0.0, 0.0, 0)
    assert row.unsteady
    assert set(row.upper_end_ns.values()) == {None}
    assert [doubt.what.split(":")[0] for doubt in doubts_of(row)] == ["too few samples"]


@pytest.mark.parametrize(
    ("n", "p90", "p99"),
    [
        pytest.param(63, None, None, id="63"),
        pytest.param(64, 64, None, id="64-carry-p90-by-their-maximum"),
        # Of 661, at most 47 lie above the 90th percentile with a chance of 1 %: the 47th highest.
        pytest.param(661, 615, None, id="661-carry-no-p99"),
        pytest.param(662, 616, 662, id="662-carry-p99-by-their-maximum"),
    ],
)
def test_upper_ends_need_samples(n, p90, p99):
    record = Record()
    for number in range(1, n + 1):
        record.latency.record(number * 1000)
    row = level_row(run_of(), record)

    assert row.upper_end_ns[99] == (None if p99 is None else p99 * 1000)
    assert row.upper_end_ns[90] == (None if p90 is None else pytest.approx(p90 * 1000, rel=0.002))
    assert list(row.upper_end_ns) == list(PERCENTILES)


def test_one_record_and_four_merged_ones_print_the_same_row():
    made = samples(n=4001, latency_ns=3 * MS)
    made = [dataclasses.replace(one, due_ns=one.due_ns - 997 * (n % 1013)) for n, one in enumerate(made)]
    made += [dataclasses.replace(one, is_failed=True) for one in made[::100]]
    made += [dataclasses.replace(one, is_wrong=True, n_mismatched=1, lag_ns=2000) for one in made[::50]]
    one, four = (
        level_row(run_of(rate_rps=400.0), record_of(made, is_open=True, n_dropped=3, n_recorders=n)) for n in (1, 4)
    )

    assert report.table([four]) == report.table([one])
    assert doubts_of(four) == doubts_of(one)
    assert four.record.to_plain() == one.record.to_plain()


# Doubts


@pytest.mark.parametrize(
    ("made", "found"),
    [
        pytest.param(
            [Sample(9 * SECOND, 14 * SECOND, is_failed=True)] * 2, ["2 requests that left in it had"], id="after"
        ),
        pytest.param([Sample(9 * SECOND, 14 * SECOND, is_failed=True)], ["1 request that left in it had"], id="one"),
        pytest.param(
            [Sample(9 * SECOND, 14 * SECOND, is_failed=True), Sample(SECOND, 6 * SECOND, is_failed=True)],
            [],
            id="and-others-within",
        ),
        pytest.param([Sample(-SECOND, 4 * SECOND, is_failed=True)], [], id="left-before"),
        pytest.param([Sample(10 * SECOND - MS, 10 * SECOND + MS)], [], id="answered-after"),
    ],
)
def test_failures_that_come_after_a_level_put_one_without_any_in_doubt(made, found):
    row = closed_row([*samples(n=4000, latency_ns=200 * MS), *made])

    assert [doubt.what.partition(" no answer")[0] for doubt in doubts_of(row)] == found
    assert all(doubt.wants_longer for doubt in doubts_of(row))


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(lambda: closed_row(), id="closed"),
        pytest.param(lambda: closed_row(users=8, n_users=8), id="closed-with-more-users"),
        pytest.param(lambda: closed_row(samples(n=64)), id="just-enough-samples"),
        pytest.param(lambda: closed_row(neighbours=Neighbours(2, 0.19, 0.0)), id="others-that-took-little"),
        pytest.param(lambda: closed_row(neighbours=Neighbours(2, 0.76, 0.21)), id="others-beside-an-idle-cpu"),
        pytest.param(lambda: closed_row(neighbours=Neighbours(64, 30.0, 0.6)), id="others-on-a-large-machine"),
        pytest.param(lambda: closed_row(busy_share=0.89), id="not-quite-busy"),
        pytest.param(
            lambda: closed_row(samples(latency_ns=5 * MS), waited_share=0.5, mean_wait_ns=0.49 * MS),
            id="waits-that-are-little-beside-the-latency",
        ),
        pytest.param(
            lambda: closed_row(samples(latency_ns=5 * MS), waited_share=0.049, mean_wait_ns=2.0 * MS), id="seldom-waits"
        ),
        pytest.param(lambda: closed_row(n_workers=3), id="all-workers-there"),
        pytest.param(
            lambda: closed_row(cpu=(CpuShares(0.7, 0.0, 0.0), CpuShares(0.1, 0.25, 1000.0))),
            id="one-process-works-and-another-waits",
        ),
        pytest.param(lambda: closed_row(n_users=2), id="more-users-than-asked-for"),
        pytest.param(lambda: open_row(), id="open"),
        pytest.param(lambda: open_row(samples(latency_ns=5 * MS, lag_ns=900_000)), id="a-lag-below-a-millisecond"),
        pytest.param(
            lambda: open_row(samples(latency_ns=300_000, lag_ns=100_000)), id="a-lag-that-is-much-of-a-short-latency"
        ),
        pytest.param(
            lambda: open_row(samples(latency_ns=100 * MS, lag_ns=9 * MS)), id="a-lag-below-a-tenth-of-the-latency"
        ),
    ],
)
def test_a_level_that_supports_a_verdict(row):
    assert doubts_of(row()) == ()


TAKEN = Neighbours(2, 0.76, 0.04, (Neighbour("make", 812, 0.5), Neighbour("cc", 9, 0.2)))
GENERATOR_DOUBTS = [
    pytest.param(
        lambda: closed_row(n_workers=3, missing_workers=("w1",)),
        "1 of 3 workers did not report it; run again",
        id="a-missing-worker",
    ),
    pytest.param(
        lambda: closed_row(users=1000, n_users=999), "only 999 of 1,000 users ran; see the log", id="too-few-users"
    ),
    pytest.param(
        lambda: closed_row(busy_share=0.9),
        "the load generator was the bottleneck: it kept a CPU busy 90% of the time (limit 90%); "
        "use --processes or more workers, and take work out of listeners",
        id="a-busy-generator",
    ),
    pytest.param(
        lambda: closed_row(samples(latency_ns=5 * MS), waited_share=0.2, mean_wait_ns=0.51 * MS),
        "other programs kept the load generator off its CPU for 20% of the time (limit 5%), 0.510 ms whenever it was "
        f"to run (limit 0.500 ms), which looks like latency; {NOISE_CURE}",
        id="a-starved-generator",
    ),
    pytest.param(
        lambda: closed_row(busy_share=0.8, waited_share=0.1, mean_wait_ns=1000.0),
        "other programs kept the load generator off its CPU for 10% of the time (limit 90% with the 80% in which it "
        "ran), 0.00100 ms whenever it was to run, which looks like latency; "
        f"{NOISE_CURE}",
        id="a-generator-that-would-have-filled-its-cpu",
    ),
    pytest.param(
        lambda: open_row(samples(latency_ns=5 * MS, lag_ns=2 * MS)),
        "the load generator sent late: 1 request in 100 left 2.00 ms late or more (limit 1.00 ms); "
        "use --processes or more workers on idle CPUs",
        id="a-late-generator",
    ),
    pytest.param(
        lambda: open_row(samples(latency_ns=100 * MS, lag_ns=15 * MS)),
        "the load generator sent late: 1 request in 100 left 15.0 ms late or more (limit 10.0 ms); "
        "use --processes or more workers on idle CPUs",
        id="late-by-more-than-a-tenth-of-the-latency",
    ),
    pytest.param(
        lambda: open_row(samples(n=70, latency_ns=100 * MS, lag_ns=15 * MS)),
        "the load generator sent late: 1 request in 70 left 15.0 ms late or more (limit 10.0 ms); "
        "use --processes or more workers on idle CPUs",
        id="of-fewer-than-a-hundred",
    ),
    pytest.param(
        lambda: open_row(samples(latency_ns=5 * MS, lag_ns=2 * MS), waited_share=0.2, mean_wait_ns=0.51 * MS),
        "other programs kept the load generator off its CPU for 20% of the time (limit 5%), 0.510 ms whenever it was "
        f"to run (limit 0.500 ms), which looks like latency; {NOISE_CURE}",
        id="late-because-it-was-starved",
    ),
    pytest.param(
        lambda: closed_row(neighbours=TAKEN),
        "other programs took 38% of 2 CPUs (limit 10%) with 2% idle, most of it make (pid 812) 0.50 and cc (pid 9) "
        f"0.20; {NOISE_CURE}",
        id="other-programs-and-nothing-idle",
    ),
    pytest.param(
        lambda: closed_row(neighbours=Neighbours(1, 0.1, 0.0)),
        f"other programs took 10% of 1 CPU (limit 10%) with 0% idle; {NOISE_CURE}",
        id="other-programs-that-are-not-seen",
    ),
    pytest.param(
        lambda: closed_row(neighbours=Neighbours(2, 0.5, 0.1, (Neighbour(STEAL, 0, 0.4),))),
        "other programs took 25% of 2 CPUs (limit 10%) with 5% idle, most of it other machines of the same host "
        f"(steal) 0.40; {NOISE_CURE}",
        id="a-hypervisor",
    ),
    pytest.param(
        lambda: closed_row(
            samples(latency_ns=5 * MS), waited_share=0.2, mean_wait_ns=0.51 * MS, neighbours=Neighbours(2, 0.5, 0.0)
        ),
        f"other programs took 25% of 2 CPUs (limit 10%) with 0% idle; {NOISE_CURE}",
        id="whose-waiting-is-the-same",
    ),
    pytest.param(
        lambda: closed_row(
            samples(latency_ns=5 * MS), waited_share=0.2, mean_wait_ns=0.51 * MS, neighbours=Neighbours(2, 0.05, 0.0)
        ),
        "the server kept the load generator off its CPU for 20% of the time (limit 5%), 0.510 ms whenever it was to "
        "run (limit 0.500 ms), which looks like latency; "
        "run the load generator on a machine, or at least on a CPU, of its own",
        id="starved-by-the-server",
    ),
]
SAMPLE_DOUBTS = [
    pytest.param(
        lambda: closed_row(samples(n=63)),
        "too few samples: 63 answered requests (p90 wants 64); use a longer --level-duration",
        id="too-few-samples",
    ),
    pytest.param(
        lambda: closed_row([*samples(n=63), *samples(n=100, is_failed=True)]),
        "too few samples: 63 answered requests (p90 wants 64); see why others failed",
        id="requests-without-an-answer-are-no-samples",
    ),
    pytest.param(
        lambda: closed_row([one for one in samples() if one.done_ns < 6 * SECOND]),
        "unstable: a third of the time passed without an answer; use a longer --level-duration",
        id="nothing-in-a-third",
    ),
    pytest.param(
        lambda: closed_row(growing(samples())),
        "unstable: mean latency went 67% → 100% → 133% of its mean (limit 16% off), third by third; "
        "use a longer --warm-up",
        id="a-queue-that-grows",
    ),
    pytest.param(
        lambda: level_row(run_of(), with_more_in_flight(record_of(samples()), 1.1)),
        "Little's law does not hold: rate × latency is 9.1% off the requests in flight (limit 5%), 0.12 against 0.13; "
        "0 requests lie across the window's edges; use a longer --level-duration",
        id="more-in-flight-than-rate-and-latency-say",
    ),
    pytest.param(
        lambda: level_row(run_of(), with_more_in_flight(record_of(samples()), 0.9)),
        "Little's law does not hold: rate × latency is 11.1% off the requests in flight (limit 5%), 0.12 against 0.11; "
        "0 requests lie across the window's edges; use a longer --level-duration",
        id="less-in-flight-than-rate-and-latency-say",
    ),
]


def with_more_in_flight(record, factor):
    record.in_flight_ns = int(record.in_flight_ns * factor)
    return record


@pytest.mark.parametrize(("row", "doubt"), GENERATOR_DOUBTS)
def test_doubts_of_the_generator(row, doubt):
    row = row()

    assert list(map(str, row.generator_doubts)) == [doubt]
    assert row.sample_doubts == ()


@pytest.mark.parametrize(("row", "doubt"), SAMPLE_DOUBTS)
def test_doubts_of_the_sample(row, doubt):
    row = row()

    assert list(map(str, row.sample_doubts)) == [doubt]
    assert [one.wants_longer or one.wants_warmer for one in row.sample_doubts] == [
        "use a longer --" in doubt or "--level-duration" in doubt
    ]
    assert row.generator_doubts == ()


def test_where_requests_failed_littles_law_is_not_asked_for():
    # Those without an answer were in flight, and are in no latency.
    made = [*samples(), *samples(n=60, latency_ns=50 * MS, is_failed=True)]

    assert doubts_of(closed_row(made)) == ()


def test_all_doubts_are_told_at_once():
    made = [one for one in samples(lag_ns=2 * MS, latency_ns=3 * MS) if one.done_ns < 6 * SECOND]
    row = open_row(made, users=4, n_users=2, n_workers=2, missing_workers=("w2",), busy_share=1.2)

    assert [doubt.what.split()[0] for doubt in row.generator_doubts] == ["1", "only", "the", "the"]
    assert [doubt.what.split()[0] for doubt in row.sample_doubts] == ["unstable:"]


# Thresholds


def mixed_row():
    """1,000 requests: 900 right in 4 ms (30 mismatched), 60 wrong in 8 ms, 40 without an answer; 250 more dropped."""
    made = [
        *samples(n=870, latency_ns=4 * MS, lag_ns=1000, n_mismatched=0),
        *samples(n=30, latency_ns=4 * MS, lag_ns=1000, n_mismatched=1),
        *samples(n=60, latency_ns=8 * MS, lag_ns=5000, is_wrong=True),
        *samples(n=40, latency_ns=SECOND // 10, is_failed=True),
    ]
    return open_row(made, n_dropped=250)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("p50 < 1s", 4 * MS, id="p50"),
        pytest.param("p99 < 1s", math.inf, id="what-was-dropped-takes-for-ever"),
        pytest.param("p99.99 < 1s", None, id="a-percentile-that-the-sample-does-not-carry"),
        pytest.param("p99.9 > 1ms", 8 * MS, id="observed-where-it-is-to-be-above"),
        pytest.param("lag_p50 < 1ms", 1000, id="lag"),
        pytest.param("lag_p99.9 <= 1ms", None, id="a-lag-that-the-sample-does-not-carry"),
        pytest.param("mean < 1s", math.inf, id="mean-with-requests-that-had-no-answer"),
        pytest.param("max < 1s", math.inf, id="max-with-requests-that-had-no-answer"),
        pytest.param("error_rate < 50%", 0.1, id="errors"),
        pytest.param("wrong_rate < 50%", 0.06, id="wrong"),
        pytest.param("failed_rate < 50%", 0.04, id="failed"),
        pytest.param("mismatched_rate < 50%", 30 / 900, id="mismatched-of-those-compared"),
        pytest.param("dropped_rate < 50%", 0.2, id="dropped"),
        pytest.param("rate > 1", 96.0, id="rate"),
    ],
)
def test_the_figure_that_a_threshold_is_about(text, value):
    (threshold,) = thresholds.parse(text)
    found = metric_of(mixed_row(), threshold)

    assert found is None if value is None else found == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("p50 < 1s", None, id="percentile"),
        pytest.param("p50 > 1ms", None, id="percentile-to-be-above"),
        pytest.param("lag_p50 < 1s", None, id="lag"),
        pytest.param("lag_p50 > 1us", None, id="lag-to-be-above"),
        pytest.param("mean < 1s", None, id="mean"),
        pytest.param("max < 1s", None, id="max"),
        pytest.param("error_rate < 5%", None, id="errors"),
        pytest.param("wrong_rate < 5%", None, id="wrong"),
        pytest.param("failed_rate < 5%", None, id="failed"),
        pytest.param("mismatched_rate < 5%", None, id="mismatched"),
        pytest.param("dropped_rate < 5%", None, id="dropped"),
        pytest.param("rate > 1", 0.0, id="no-answer-is-a-rate-of-none"),
    ],
)
def test_without_a_request_hardly_any_figure_is_known(text, value):
    (threshold,) = thresholds.parse(text)

    assert metric_of(level_row(run_of(rate_rps=10.0), Record()), threshold) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("failed_rate < 5%", 1.0, id="failed"),
        pytest.param("p50 < 1s", math.inf, id="percentile"),
        pytest.param("mean < 1s", math.inf, id="mean"),
        pytest.param("max < 1s", math.inf, id="max"),
        pytest.param("mean > 1us", None, id="mean-to-be-above"),
        pytest.param("max > 1us", None, id="max-to-be-above"),
        pytest.param("p50 > 1us", None, id="percentile-to-be-above"),
    ],
)
def test_where_all_failed_latencies_are_endless(text, value):
    (threshold,) = thresholds.parse(text)

    assert metric_of(closed_row(samples(n=100, is_failed=True)), threshold) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("p50 < 1s", MS, id="half-of-them-were-answered"),
        pytest.param("p90 < 1s", math.inf, id="a-fifth-was-dropped"),
        pytest.param("p90 > 1us", MS, id="observed-where-it-is-to-be-above"),
        pytest.param("lag_p90 < 1s", 0, id="a-lag-has-what-was-sent-alone"),
    ],
)
def test_dropped_arrivals_take_for_ever(text, value):
    (threshold,) = thresholds.parse(text)

    assert metric_of(open_row(n_dropped=300), threshold) == pytest.approx(value)


@pytest.mark.parametrize("text", [pytest.param("max < 50ms", id="max"), pytest.param("mean < 50ms", id="mean")])
def test_dropped_arrivals_take_for_ever_by_any_measure(text):
    (threshold,) = thresholds.parse(text)

    assert not threshold.holds(metric_of(open_row(n_dropped=1200), threshold))


def test_a_search_takes_no_rate_at_which_requests_fail_for_one_that_holds():
    row = open_row([*samples(n=1200), *samples(n=50, is_failed=True)], rate_rps=125.0)

    assert not finding_of(row, thresholds.parse("p99 < 50ms")).holds


def test_the_share_of_mismatches_is_of_the_answers_that_were_compared():
    compared = samples(n=120, n_mismatched=1)  # each of them differs
    row = closed_row([*compared, *samples(n=1080)])
    (threshold,) = thresholds.parse("mismatched_rate < 20%")

    assert metric_of(row, threshold) == 1.0


# What a search is told


@pytest.mark.parametrize(
    ("made", "n_dropped", "text", "binding"),
    [
        pytest.param(samples(), 0, "p99 < 50ms; error_rate < 5%", [], id="all-hold"),
        pytest.param(samples(), 0, "p99 < 500us; error_rate < 5%", ["crossed p99 < 500 µs"], id="one-is-crossed"),
        pytest.param(
            samples(is_wrong=True),
            0,
            "p99 < 500us; error_rate < 5%",
            ["crossed p99 < 500 µs and error_rate < 5%"],
            id="both",
        ),
        pytest.param(samples(), 3, "p99 < 50ms", [], id="so-few-drops-are-not-among-a-percent"),
        pytest.param(samples(), 60, "p99 < 50ms", ["crossed p99 < 50 ms"], id="so-many-are"),
        pytest.param(samples(), 60, "error_rate < 5%", [], id="a-twentieth-is-kept-up-with"),
        pytest.param(
            samples(),
            120,
            "error_rate < 5%",
            ["answered 120 of 132 requests/s"],
            id="answers-that-do-not-keep-up",
        ),
        pytest.param(
            samples(n=1100) + samples(n=100, is_failed=True),
            0,
            "error_rate < 50%",
            ["answered 110 of 120 requests/s"],
            id="failures-are-no-answers",
        ),
        pytest.param(
            samples(),
            120,
            "p99 < 500us",
            ["crossed p99 < 500 µs", "answered 120 of 132 requests/s"],
            id="thresholds-first",
        ),
    ],
)
def test_what_binds_at_a_probe(made, n_dropped, text, binding):
    finding = finding_of(open_row(made, n_dropped), thresholds.parse(text))

    assert (finding.holds, list(finding.binding)) == (not binding, binding)
    assert finding.achieved_rps == pytest.approx(sum(not one.is_failed for one in made) / 10)


@pytest.mark.parametrize(
    ("n", "n_missing", "mean_in_flight", "holds"),
    [
        pytest.param(2, 1, 0.15, True, id="one-of-three"),
        pytest.param(20, 4, 1.0, True, id="some-of-a-few"),
        pytest.param(20, 5, 1.0, False, id="more-than-chance-explains"),
        pytest.param(1000, 50, 5.0, True, id="a-twentieth-of-many"),
        pytest.param(1000, 60, 5.0, False, id="more-of-many"),
    ],
)
def test_what_is_in_flight_at_the_end_is_no_shortfall_by_itself(n, n_missing, mean_in_flight, holds):
    record = record_of(samples(n=n), is_open=True, n_dropped=n_missing)
    record.in_flight_ns = int(mean_in_flight * 10 * SECOND)
    finding = finding_of(level_row(run_of(rate_rps=n / 10), record), ())

    assert finding.holds is holds


def test_a_rate_that_falls_short_is_known_to_whatever_else_is_not():
    row = open_row(samples(n=200), n_dropped=800, rate_rps=100.0)
    unknown = thresholds.parse("p99.9 > 1ns; lag_p99 < 1s")

    assert not finding_of(row, unknown).is_unknown
    assert "answered 20.0 of 100 requests/s" in finding_of(row, unknown).binding
    assert finding_of(open_row(samples(n=200), rate_rps=20.0), unknown).is_unknown


# A search has no use for a rate that cannot be judged: what is not known does not hold.
def test_a_threshold_that_cannot_be_judged_does_not_hold_at_a_probe():
    finding = finding_of(open_row(samples(n=200), rate_rps=20.0), thresholds.parse("p99 < 50ms"))

    assert not finding.holds
    assert finding.achieved_rps == pytest.approx(20.0)


FEW = "gave 200 answers, too few to tell whether p99 < 50 ms"


@pytest.mark.parametrize(
    ("text", "binding"),
    [
        pytest.param("p99 < 50ms", (FEW,), id="too-few-answers"),
        pytest.param(
            "mismatched_rate < 5%",
            ("left mismatched_rate < 5% unknown, as nothing was measured that it is about",),
            id="nothing-was-compared",
        ),
        pytest.param(
            "recall[7] > 90%; p99 < 50ms; precision[7] > 90%",
            (
                FEW,
                "left recall[7] > 90% and precision[7] > 90% unknown, as nothing was measured that they are about",
            ),
            id="no-image-of-the-class",
        ),
    ],
)
def test_what_is_not_known_is_not_named_as_crossed(text, binding):
    assert finding_of(open_row(samples(n=200), rate_rps=20.0), thresholds.parse(text)).binding == binding


@pytest.mark.parametrize(
    ("n_answered", "hangs", "cure"),
    [
        pytest.param(0, True, "see whether the server still runs, and its log", id="hung-throughout"),
        pytest.param(20, True, "see whether the server still runs, and its log", id="hung-after-a-few"),
        pytest.param(20, False, "use a longer --level-duration", id="too-short"),
    ],
)
def test_too_few_samples_of_a_server_that_hangs_are_no_matter_of_length_alone(n_answered, hangs, cure):
    recorder = Recorder(counts_later=True)
    recorder.measure(Window.of(1, 0, 10 * SECOND, False))
    for n in range(n_answered):
        recorder.record([1], [1], None, n * 20 * MS, n * 20 * MS, (n + 1) * 20 * MS, None)
    if hangs:
        for _ in range(4):
            recorder.count_cut_off(n_answered * 20 * MS, n_answered * 20 * MS, 12 * SECOND, None)
    records = {1: Record()}
    merge_plain(records, recorder.take_all())
    (doubt,) = level_row(run_of(4), records[1]).sample_doubts

    assert doubt.what.startswith(f"too few samples: {n_answered} answered requests")
    assert doubt.cure.startswith(cure)
    assert ("4 requests that did not begin and end in it" in doubt.what) is hangs


def test_of_a_level_in_which_others_took_the_cpu_no_longer_one_is_asked_for():
    """That it went up or down may be their doing: what cures that cures both."""
    row = level_row(run_of(neighbours=Neighbours(2, 0.5, 0.0)), record_of(growing(samples())))

    assert [(doubt.cure, doubt.wants_longer, doubt.wants_warmer) for doubt in row.sample_doubts] == [
        (NOISE_CURE, False, False)
    ]
