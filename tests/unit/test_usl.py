"""The Universal Scalability Law: fitted to servers whose contention and coherency are known."""

import heapq
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tfsload.analysis.usl import fit_usl, student_t_95

DOUBLING = (1, 2, 4, 8, 16, 32)
# 12 slices that scatter by 1 %.
NOISE = 0.01 / math.sqrt(12)


def law(n, sigma, kappa=0.0, lambda_rps=100.0):
    return lambda_rps * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))


def steady_lock(n, share, lambda_rps=100.0):
    """A lock held for a share of each request, all times fixed: users come for it in turn."""
    return lambda_rps * min(n, 1 / share)


def scattered_lock(n, share, scatter, lambda_rps=100.0, requests=3_000):
    """The same lock, simulated with times that scatter by a share of their mean (gamma)."""
    random = np.random.default_rng(n)
    held, free = (random.gamma(1 / scatter**2, mean * scatter**2, requests + n).tolist() for mean in (share, 1 - share))
    arrivals = free[:n]
    heapq.heapify(arrivals)
    released = first = 0.0
    for count in range(requests):
        released = max(released, heapq.heappop(arrivals)) + held[count]
        heapq.heappush(arrivals, released + free[n + count])
        first = first or (released if count == requests // 5 else 0.0)
    return lambda_rps * (requests - 1 - requests // 5) / (released - first)


def fitted(server, levels=DOUBLING, noise=NOISE, **more):
    return fit_usl(levels, [server(n) for n in levels], noise, **more)


def holds(estimate, truth):
    return estimate.low <= truth * (1 + 1e-9) and truth * (1 - 1e-9) <= estimate.high


@pytest.mark.parametrize(
    ("sigma", "kappa"),
    [
        pytest.param(0.0, 0.0, id="linear"),
        pytest.param(0.1, 0.0, id="amdahl"),
        pytest.param(1.0, 0.0, id="serial"),
        pytest.param(0.05, 0.001, id="contention-and-coherency"),
        pytest.param(0.02, 0.005, id="retrograde"),
        pytest.param(1.5, 0.01, id="two-are-slower-than-one"),
    ],
)
def test_the_law_itself_is_found_again(sigma, kappa):
    fit = fitted(lambda n: law(n, sigma, kappa))

    assert fit.discipline == 0
    assert fit.lambda_rps.value == pytest.approx(100, rel=1e-5)
    assert fit.sigma.value == pytest.approx(sigma, abs=1e-5)
    assert fit.kappa.value == pytest.approx(kappa, abs=1e-6)
    assert (fit.kappa.low > 0) is (kappa > 0)
    assert fit.throughputs_rps(DOUBLING) == pytest.approx([law(n, sigma, kappa) for n in DOUBLING], rel=1e-4)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("spread", "at_least"),
    [
        pytest.param(0.01 / math.sqrt(12), 57, id="slices-tell-all-the-noise"),
        pytest.param(0.01, 53, id="levels-differ-by-more-than-their-slices"),
    ],
)
def test_intervals_hold_the_truth_and_are_narrow(spread, at_least):
    random = np.random.default_rng(7)
    truth = {"lambda_rps": 100.0, "sigma": 0.05, "kappa": 0.001}
    fits = [fitted(lambda n: law(n, 0.05, 0.001) * (1 + random.normal(0, spread))) for _ in range(60)]

    for name, value in truth.items():
        assert sum(holds(getattr(fit, name), value) for fit in fits) >= at_least, name
    assert np.median([fit.sigma.high - fit.sigma.low for fit in fits]) < 0.015
    assert np.median([fit.kappa.high - fit.kappa.low for fit in fits]) < 0.0005


@pytest.mark.parametrize("share", [pytest.param(share, id=f"share-{share}") for share in (0.1, 0.125, 0.2, 0.5, 0.8)])
@pytest.mark.parametrize(
    "levels",
    [
        pytest.param(DOUBLING, id="doubling"),
        pytest.param((1, 2, 3, 4, 5, 6, 8, 10, 12, 16), id="dense"),
        pytest.param(tuple(range(1, 17)), id="every"),
        pytest.param((1, 4, 16, 64), id="sparse"),
    ],
)
def test_a_steady_lock_is_contention_and_no_coherency(share, levels):
    fit = fitted(lambda n: steady_lock(n, share), levels)

    assert holds(fit.sigma, share)
    assert fit.sigma.value == pytest.approx(share, rel=0.01)
    assert fit.sigma.high - fit.sigma.low < 0.1 * share
    assert fit.kappa.low == 0


@pytest.mark.parametrize("share", [pytest.param(0.2, id="share-0.2"), pytest.param(0.5, id="share-0.5")])
@pytest.mark.parametrize("scatter", [pytest.param(scatter, id=f"scatter-{scatter}") for scatter in (0.05, 0.2, 0.5, 1)])
def test_a_lock_held_for_varying_times_is_the_same_contention(share, scatter):
    fit = fitted(lambda n: scattered_lock(n, share, scatter))

    assert holds(fit.sigma, share)
    assert fit.sigma.high - fit.sigma.low < 0.15 * share
    assert fit.kappa.low < 1e-4


@pytest.mark.parametrize(
    ("levels", "high"),
    [
        pytest.param((1, 2, 4), 1 / 4, id="up-to-4-users"),
        pytest.param((1, 2, 4, 8), 1 / 8, id="up-to-8-users"),
    ],
)
def test_contention_that_would_show_only_with_more_users_is_not_ruled_out(levels, high):
    fit = fitted(lambda n: 100.0 * n, levels)

    assert (fit.sigma.value, fit.sigma.low) == (0, 0)
    assert fit.sigma.high == pytest.approx(high, rel=0.05)


@pytest.mark.parametrize(
    ("overhead", "most", "value", "high"),
    [
        pytest.param(0.0, None, 1.0, 1.0, id="none"),
        pytest.param(0.0, 0.2, 1.0, 1.25, id="up-to-a-fifth"),
        pytest.param(0.2, None, 1.25, 1.25, id="a-fifth"),
        pytest.param(0.2, 0.3, 1.25, 1 / 0.7, id="from-a-fifth"),
        pytest.param(0.2, 0.1, 1.25, 1.25, id="most-is-less"),
        pytest.param(1.0, None, math.inf, math.inf, id="all"),
    ],
)
def test_time_outside_the_server_raises_contention(overhead, most, value, high):
    plain = fitted(lambda n: steady_lock(n, 0.5))
    fit = fitted(lambda n: steady_lock(n, 0.5), overhead=overhead, most_overhead=most)

    assert fit.sigma.value == pytest.approx(min(1, plain.sigma.value * value))
    assert fit.sigma.high == pytest.approx(min(1, plain.sigma.high * high))
    assert fit.sigma.low == plain.sigma.low
    assert (fit.lambda_rps, fit.kappa) == (plain.lambda_rps, plain.kappa)


def test_more_noise_makes_wider_intervals():
    widths = [fit.sigma.high - fit.sigma.low for fit in (fitted(lambda n: law(n, 0.2), noise=n) for n in (0, 0.02))]

    assert widths[0] < widths[1]


def test_repeated_levels_count_as_more_measurements():
    once = fitted(lambda n: law(n, 0.2, 0.001))
    twice = fitted(lambda n: law(n, 0.2, 0.001), (*DOUBLING, *DOUBLING))

    assert twice.sigma.value == pytest.approx(once.sigma.value, abs=1e-6)
    assert twice.sigma.high - twice.sigma.low < once.sigma.high - once.sigma.low


@pytest.mark.parametrize(
    ("users", "rates"),
    [
        pytest.param((), (), id="nothing"),
        pytest.param((1, 2), (100, 180), id="two-levels"),
        pytest.param((1, 1, 2, 2), (100, 101, 180, 181), id="two-levels-repeated"),
        pytest.param((2, 4, 8), (100, 180, 300), id="no-lone-user"),
        pytest.param((1, 2, 4), (0, 180, 300), id="no-answer-to-the-lone-user"),
        pytest.param((1, 2, 4), (0, 0, 0), id="no-answers"),
        pytest.param((1, 2, 4, 8), (100, 3, 500, 1), id="no-law"),
    ],
)
def test_no_fit_where_the_figures_do_not_carry_it(users, rates):
    assert fit_usl(users, rates) is None


def test_levels_without_answers_are_left_out():
    assert fit_usl((1, 2, 4, 8, 16), (100, 180, 300, 400, 0)) == fit_usl((1, 2, 4, 8), (100, 180, 300, 400))


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [pytest.param(4, 2.776, id="4"), pytest.param(7, 2.365, id="7"), pytest.param(30, 2.042, id="30")],
)
def test_quantiles_of_students_t(freedom, quantile):
    assert student_t_95(freedom) == pytest.approx(quantile, rel=0.003)


rates = st.floats(1e-3, 1e9)
measurements = st.lists(st.tuples(st.integers(1, 300), rates), max_size=12)
# Servers that a law may describe: none is thrown out of the fit.
servers = st.lists(st.floats(0.7, 1.4), min_size=len(DOUBLING), max_size=len(DOUBLING)).map(
    lambda errors: [law(n, 0.1, 0.001) * error for n, error in zip(DOUBLING, errors, strict=True)]
)


def figures(fit):
    return [figure for part in (fit.lambda_rps, fit.sigma, fit.kappa) for figure in (part.low, part.value, part.high)]


@settings(max_examples=scaled(60))
@given(st.one_of(measurements, servers.map(lambda rates: list(zip(DOUBLING, rates, strict=True)))), st.floats(0, 0.2))
def test_any_figures_give_a_sound_fit_or_none(measured, noise):
    fit = fit_usl([n for n, _ in measured], [x for _, x in measured], noise)

    if fit is not None:
        assert all(math.isfinite(figure) and figure >= 0 for figure in figures(fit))
        assert all(part.low <= part.value <= part.high for part in (fit.lambda_rps, fit.sigma, fit.kappa))


@settings(max_examples=scaled(40))
@given(servers, st.integers(-20, 20))
def test_the_unit_of_rates_does_not_matter(rates, exponent):
    # A power of two, so that rounding does not matter either.
    fit, scaled = fit_usl(DOUBLING, rates), fit_usl(DOUBLING, [rate * 2.0**exponent for rate in rates])

    assert (fit is None) is (scaled is None)
    if fit is not None:
        assert (scaled.sigma, scaled.kappa, scaled.discipline) == (fit.sigma, fit.kappa, fit.discipline)
        assert scaled.lambda_rps.value == fit.lambda_rps.value * 2.0**exponent


@settings(max_examples=scaled(40))
@given(servers, st.permutations(range(len(DOUBLING))))
def test_the_order_of_levels_does_not_matter_and_nothing_is_random(rates, order):
    shuffled = fit_usl([DOUBLING[at] for at in order], [rates[at] for at in order])

    assert shuffled == fit_usl(DOUBLING, rates)
