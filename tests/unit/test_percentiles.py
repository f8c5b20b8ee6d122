"""Upper ends of percentiles: MLPerf LoadGen's ranks, and what they promise."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.analysis.percentiles import rank_from_top, samples_needed, upper_end_ns
from tfsload.records.histogram import HIGHEST_NS, Histogram

percentiles = st.sampled_from([50, 75, 90, 95, 99, 99.9])
latencies = st.integers(1, 10**11) | st.sampled_from([1, 2, HIGHEST_NS - 1, HIGHEST_NS])


def histogram_of(values):
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


def exact_rank(n, percentile, confidence):
    """Return the rank by exact fractions, term by term."""
    above = 1 - Fraction(str(percentile)) / 100
    tail, t = Fraction(0), -1
    while True:
        tail += math.comb(n, t + 1) * above ** (t + 1) * (1 - above) ** (n - t - 1)
        if tail > 1 - Fraction(str(confidence)):
            return t if t >= 1 else None
        t += 1


@pytest.mark.parametrize(
    ("percentile", "samples"),
    [
        pytest.param(50, 11, id="p50"),
        pytest.param(90, 64, id="p90"),
        pytest.param(95, 130, id="p95"),
        pytest.param(99, 662, id="p99"),
        pytest.param(99.9, 6_636, id="p99.9"),
        pytest.param(99.99, 66_381, id="p99.99"),
    ],
)
def test_the_samples_that_a_percentile_needs(percentile, samples):
    assert samples_needed(percentile) == samples
    assert rank_from_top(samples, percentile) == 1
    assert rank_from_top(samples - 1, percentile) is None


@pytest.mark.parametrize(
    ("n", "percentile", "rank"),
    [
        pytest.param(0, 50, None, id="nothing"),
        pytest.param(1, 50, None, id="one"),
        pytest.param(661, 99, None, id="p99-one-too-few"),
        pytest.param(662, 99, 1, id="p99-the-maximum"),
        pytest.param(10_000, 99, 77, id="p99-of-10,000"),
        pytest.param(10_000_000, 99, 99_268, id="p99-of-10-million"),
        pytest.param(10_000_000, 99.9, 9_767, id="p99.9-of-10-million"),
        pytest.param(10_000_000, 50, 4_996_321, id="p50-of-10-million"),
    ],
)
def test_ranks(n, percentile, rank):
    assert rank_from_top(n, percentile) == rank


@pytest.mark.parametrize("percentile", [1, 50, 62.5, 90, 99, 99.9])
@pytest.mark.parametrize("confidence", [0.1, 0.5, 0.9, 0.99, 0.999999])
def test_ranks_are_those_of_exact_arithmetic(percentile, confidence):
    sizes = [*range(60), 64, 99, 101, 250, 661, 662]
    found = {n: rank_from_top(n, percentile, confidence) for n in sizes}

    assert found == {n: exact_rank(n, percentile, confidence) for n in sizes}


@pytest.mark.parametrize("n", [3, 101, 1_001, 100_001])
def test_a_tail_that_equals_its_limit_is_within_it(n):
    # Of an odd number of coins, P(at most the smaller half) is 1/2: rounding must not tip it.
    assert rank_from_top(n, 50, confidence=0.5) == (n - 1) // 2


@given(st.integers(0, 5_000), percentiles)
def test_more_samples_never_lower_the_rank(n, percentile):
    assert (rank_from_top(n + 1, percentile) or 0) >= (rank_from_top(n, percentile) or 0)


@given(st.integers(1, 5_000), percentiles)
def test_an_upper_end_is_never_below_the_sample_percentile(n, percentile):
    rank = rank_from_top(n, percentile)

    assert rank is None or rank <= n * (1 - percentile / 100) + 1


@given(st.floats(0, 100, exclude_min=True, exclude_max=True))
def test_every_percentile_has_a_number_of_samples(percentile):
    samples = samples_needed(percentile)

    assert rank_from_top(samples, percentile) >= 1
    assert rank_from_top(samples - 1, percentile) is None


@pytest.mark.parametrize("percentile", [0, 100, -1, 101, math.nan, math.inf])
def test_a_bad_percentile_is_refused(percentile):
    calls = (
        lambda: rank_from_top(1000, percentile),
        lambda: samples_needed(percentile),
        lambda: upper_end_ns(Histogram(), percentile),
    )
    for call in calls:
        with pytest.raises(ValueError, match=f"^percentile {percentile}: expected a number above 0 and below 100$"):
            call()


@pytest.mark.parametrize("confidence", [0, 1, 99, -0.5, math.nan])
def test_a_bad_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match=f"^confidence {confidence}: expected a number above 0 and below 1"):
        rank_from_top(1000, 99, confidence)


def test_a_negative_number_of_samples_is_refused():
    with pytest.raises(ValueError, match=r"^-1 samples: expected at least 0$"):
        rank_from_top(-1, 99)


@given(st.lists(latencies, min_size=1), st.data())
def test_ranks_of_a_histogram_are_those_of_the_sorted_values(values, data):
    rank = data.draw(st.integers(1, len(values)))
    exact = sorted(values, reverse=True)[rank - 1]
    found = histogram_of(values).nth_highest_ns(rank)

    assert exact <= found <= exact * 1.001
    assert rank > 1 or found == exact


@pytest.mark.parametrize("rank", [0, -1, 4])
def test_a_histogram_refuses_a_rank_that_it_does_not_have(rank):
    with pytest.raises(ValueError, match=f"^rank {rank}: expected 1 to the number of latencies, 3$"):
        histogram_of([1, 2, 3]).nth_highest_ns(rank)


def test_a_rank_is_exact_among_many():
    histogram = histogram_of(range(1, 2_001))

    assert [histogram.nth_highest_ns(rank) for rank in range(1, 2_001)] == list(range(2_000, 0, -1))


@given(st.integers(0, 2**32), st.integers(64, 2_000), percentiles)
def test_an_upper_end_is_that_of_the_sorted_sample(seed, n, percentile):
    values = np.random.default_rng(seed).lognormal(14, 1, n).astype(int).tolist()
    rank = rank_from_top(n, percentile)
    found = upper_end_ns(histogram_of(values), percentile)

    if rank is None:
        assert found is None
    else:
        exact = sorted(values)[-rank]
        assert exact <= found <= exact * 1.001


def test_nothing_has_no_upper_end():
    assert upper_end_ns(Histogram(), 50) is None


@given(st.integers(0, 2**32), st.integers(0, 800), st.integers(0, 800), percentiles)
def test_merged_histograms_have_the_same_upper_end_as_one(seed, n_some, n_others, percentile):
    values = np.random.default_rng(seed).lognormal(14, 1, n_some + n_others).astype(int).tolist()
    merged = histogram_of(values[:n_some])
    merged.merge(Histogram.from_plain(histogram_of(values[n_some:]).to_plain()))

    assert upper_end_ns(merged, percentile) == upper_end_ns(histogram_of(values), percentile)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("percentile", "n"),
    [
        pytest.param(50, 200, id="p50"),
        pytest.param(90, 64, id="p90-by-the-maximum"),
        pytest.param(90, 1_000, id="p90"),
        pytest.param(99, 662, id="p99-by-the-maximum"),
        pytest.param(99, 3_000, id="p99"),
    ],
)
def test_the_true_percentile_lies_below_with_the_promised_confidence(percentile, n):
    # The true percentile of numbers spread evenly over 0 to 1 is known, and no distribution matters to a rank.
    samples = np.sort(np.random.default_rng(7).random((4_000, n)), axis=1)
    rank = rank_from_top(n, percentile)
    true = percentile / 100

    assert np.mean(samples[:, -rank] >= true) >= 0.99
    # Two ranks lower would promise too much: the upper end is no higher than it must be.
    assert np.mean(samples[:, -rank - 2] >= true) < 0.992
