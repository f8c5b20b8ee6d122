"""Whether a level had settled: change is told from chance."""

import math

import numpy as np
import pytest

from tfsload.analysis.stability import N_THIRDS, TOLERANCE, settles_late, unsteady
from tfsload.records.window import N_SLICES

MS = 1_000_000


def thirds(*counts):
    """Return slices of which a third each holds so many answers, evenly."""
    per_third = N_SLICES // N_THIRDS
    return [count / per_third for count in counts for _ in range(per_third)]


def sums_of(answers, *latencies_ns):
    """Return the latencies' sums by slice, for a mean latency in each third."""
    per_third = N_SLICES // N_THIRDS
    return [count * latencies_ns[number // per_third] for number, count in enumerate(answers)]


def test_the_rule_is_perf_analyzers():
    assert (N_THIRDS, TOLERANCE) == (3, 0.10)
    assert N_SLICES % N_THIRDS == 0  # no slice is left out


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param((10_000, 10_000, 10_000), id="constant"),
        pytest.param((9_100, 10_000, 10_900), id="within-a-tenth"),
        pytest.param((80, 100, 120), id="chance-among-few"),
        pytest.param((1, 1, 1), id="three-answers"),
    ],
)
def test_a_steady_throughput(counts):
    answers = thirds(*counts)

    assert unsteady(answers, sums_of(answers, MS, MS, MS), 0.0) == ""


@pytest.mark.parametrize(
    ("counts", "course", "limit"),
    [
        pytest.param((12_000, 10_000, 8_000), "120% → 100% → 80%", "10%", id="falling"),
        pytest.param((8_000, 10_000, 12_000), "80% → 100% → 120%", "10%", id="growing"),
        pytest.param((12_500, 8_700, 8_800), "125% → 87% → 88%", "10%", id="a-burst-at-the-start"),
        pytest.param((60, 100, 140), "60% → 100% → 140%", "30%", id="more-than-chance-among-few"),
        pytest.param((8_990, 10_000, 11_010), "89.9% → 100.0% → 110.1%", "10.0%", id="just-beyond"),
    ],
)
def test_a_throughput_that_drifts(counts, course, limit):
    answers = thirds(*counts)
    found = unsteady(answers, sums_of(answers, MS, MS, MS), 0.0)

    assert found == f"throughput went {course} of its mean (limit {limit} off), third by third"


@pytest.mark.parametrize(
    "latencies_ns",
    [
        pytest.param((MS, MS, MS), id="constant"),
        pytest.param((0.92 * MS, MS, 1.08 * MS), id="within-a-tenth"),
    ],
)
def test_a_steady_latency(latencies_ns):
    answers = thirds(10_000, 10_000, 10_000)

    assert unsteady(answers, sums_of(answers, *latencies_ns), 0.1 * MS) == ""


@pytest.mark.parametrize(
    ("n", "sd_ns", "limit"),
    [
        pytest.param(10_000, 1.0 * MS, "10%", id="many"),
        pytest.param(100, 0.1 * MS, "10%", id="few-that-vary-little"),
        pytest.param(400, 1.0 * MS, "15%", id="few-that-vary-more"),
        pytest.param(20, 1.0 * MS, "", id="few-that-vary-much-say-nothing"),
    ],
)
def test_a_latency_that_drifts_as_a_queue_grows(n, sd_ns, limit):
    answers = thirds(n, n, n)
    found = unsteady(answers, sums_of(answers, 0.7 * MS, MS, 1.3 * MS), sd_ns)

    course = f"mean latency went 70% → 100% → 130% of its mean (limit {limit} off), third by third"
    assert found == (course if limit else "")


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param((0, 0, 0), id="no-answer-at-all"),
        pytest.param((0, 1_000, 1_000), id="a-server-that-starts-late"),
        pytest.param((1_000, 1_000, 0), id="a-server-that-stops"),
    ],
)
def test_a_third_without_an_answer(counts):
    answers = thirds(*counts)

    assert unsteady(answers, sums_of(answers, MS, MS, MS), 0.0) == "a third of the time passed without an answer"


def test_throughput_is_named_before_latency():
    answers = thirds(12_000, 10_000, 8_000)

    assert unsteady(answers, sums_of(answers, MS, 2 * MS, 3 * MS), 0.0).startswith("throughput")


def noisy_level(random, n_answers, latency):
    """Return what independent arrivals and latencies give in one level: answers, sums and the standard deviation."""
    answers = random.poisson(n_answers / N_SLICES, N_SLICES)
    drawn = [latency(count) for count in answers]
    return answers.tolist(), [float(values.sum()) for values in drawn], float(np.concatenate(drawn).std())


@pytest.mark.heavy
@pytest.mark.parametrize("n_answers", [pytest.param(n, id=f"{n}-answers") for n in (64, 130, 300, 662, 3_000, 20_000)])
@pytest.mark.parametrize("spread", [pytest.param(0.0, id="equal-latencies"), pytest.param(1.0, id="long-tailed")])
def test_chance_is_seldom_taken_for_drift(n_answers, spread):
    random = np.random.default_rng([7, n_answers])
    n_levels = 500

    def latency(count):
        return MS * random.lognormal(0.0, spread, count)

    taken = sum(bool(unsteady(*noisy_level(random, n_answers, latency))) for _ in range(n_levels))

    # Three standard errors are exceeded once in 370 times, by each of three thirds, for throughput and for latency.
    assert taken <= n_levels * 6 / 370 + 3 * math.sqrt(n_levels * 6 / 370)


@pytest.mark.parametrize(
    ("n_answers", "growth"), [pytest.param(300, 1.0, id="doubling"), pytest.param(20_000, 0.5, id="by-half")]
)
def test_a_queue_that_grows_is_seldom_taken_for_chance(n_answers, growth):
    random = np.random.default_rng(11)
    n_levels, noticed = 200, 0
    for _ in range(n_levels):
        answers = random.poisson(n_answers / N_SLICES, N_SLICES)
        means = MS * (1 + growth * np.arange(N_SLICES) / N_SLICES)
        drawn = [mean * random.lognormal(0.0, 0.3, count) for mean, count in zip(means, answers, strict=True)]
        noticed += bool(unsteady(answers.tolist(), [float(v.sum()) for v in drawn], float(np.concatenate(drawn).std())))

    assert noticed >= 0.95 * n_levels


def stepped(after, before_value, value):
    return [before_value if number < after else value for number in range(N_SLICES)]


STEPS = [pytest.param(after, id=f"after-{after}-of-12-slices") for after in (2, 3, 4, 6, 8, 9, 10)]


@pytest.mark.parametrize("after", STEPS)
@pytest.mark.parametrize("factor", [pytest.param(2, id="double"), pytest.param(20, id="twentyfold")])
def test_a_step_of_latency_is_noticed_wherever_it_is(after, factor):
    answers = [2000] * N_SLICES
    means_ns = stepped(after, factor * MS, MS)

    assert unsteady(answers, [2000 * mean_ns for mean_ns in means_ns], 0.5 * MS).startswith("mean latency went")


@pytest.mark.parametrize("after", STEPS)
def test_a_step_of_throughput_is_noticed_wherever_it_is(after):
    answers = stepped(after, 500, 2000)

    assert unsteady(answers, [count * MS for count in answers], 0.0).startswith("throughput went")


def queue_level(random, arrivals_rps, served_rps, seconds=10.0, warm_up_s=2.0):
    """Return what one worker with a queue (Poisson arrivals, exponential service) makes of a level."""
    n = int(1.2 * arrivals_rps * (seconds + warm_up_s)) + 50
    due = np.cumsum(random.exponential(1 / arrivals_rps, n))
    service = random.exponential(1 / served_rps, n)
    worked = np.cumsum(service)
    done = worked + np.maximum.accumulate(due - (worked - service))  # each begins when it is due and the last is done
    inside = (done >= warm_up_s) & (done < warm_up_s + seconds)
    slices = ((done[inside] - warm_up_s) / seconds * N_SLICES).astype(int)
    latency_ns = (done - due)[inside] * 1e9
    answers = np.bincount(slices, minlength=N_SLICES)
    return answers.tolist(), np.bincount(slices, latency_ns, N_SLICES).tolist(), float(latency_ns.std())


@pytest.mark.parametrize(
    ("arrivals_rps", "served_rps", "least", "most"),
    [
        pytest.param(100, 200, 0.0, 0.15, id="half-busy"),
        pytest.param(100, 125, 0.0, 0.25, id="busy-for-four-fifths"),
        pytest.param(1000, 1250, 0.0, 0.15, id="many-requests"),
        pytest.param(100, 90, 0.75, 1.0, id="more-than-can-be-served"),
        pytest.param(1000, 900, 0.95, 1.0, id="many-more-than-can-be-served"),
    ],
)
def test_a_queue_that_comes_and_goes_is_told_from_one_that_grows(arrivals_rps, served_rps, least, most):
    # Neighbouring requests wait alike: they tell far less than their number, and are not to be taken for drift.
    random = np.random.default_rng(5)
    n_levels = 200
    taken = sum(bool(unsteady(*queue_level(random, arrivals_rps, served_rps))) for _ in range(n_levels))

    assert least <= taken / n_levels <= most


@pytest.mark.parametrize(
    ("counts", "latencies_ns", "is_late"),
    [
        pytest.param((7_000, 10_000, 10_200), (MS, MS, MS), True, id="slow-at-first"),
        pytest.param((12_500, 8_700, 8_800), (MS, MS, MS), True, id="a-burst-at-first"),
        pytest.param((8_000, 10_000, 12_000), (MS, MS, MS), True, id="faster-all-along"),
        pytest.param((12_000, 10_000, 8_000), (MS, MS, MS), True, id="slower-all-along"),
        pytest.param((10_000, 7_000, 10_000), (MS, MS, MS), False, id="a-dip-in-the-middle"),
        pytest.param((10_000, 13_000, 10_000), (MS, MS, MS), False, id="a-burst-in-the-middle"),
        pytest.param((10_200, 10_000, 7_000), (MS, MS, MS), True, id="ever-slower-towards-its-end"),
        pytest.param((10_000, 10_200, 7_000), (MS, MS, MS), False, id="a-dip-at-the-end"),
        pytest.param((9_000, 12_000, 7_000), (MS, MS, MS), False, id="up-and-down"),
        pytest.param((10_000,) * 3, (2 * MS, MS, MS), True, id="latency-high-at-first"),
        pytest.param((10_000,) * 3, (MS, 2 * MS, MS), False, id="latency-high-in-the-middle"),
        pytest.param((0, 10_000, 10_000), (MS, MS, MS), False, id="a-third-without-an-answer"),
    ],
)
def test_whether_a_window_began_too_early(counts, latencies_ns, is_late):
    answers = thirds(*counts)
    sums = sums_of(answers, *latencies_ns)

    assert unsteady(answers, sums, 0.0)
    assert settles_late(answers, sums, 0.0) is is_late
