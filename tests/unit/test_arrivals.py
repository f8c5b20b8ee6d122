"""Schedules of open load: the same everywhere, shared without a gap, and free of drift."""

import hashlib
import math
from fractions import Fraction
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tests.support.schedules import take_until
from tfsload.load import arrivals
from tfsload.load.arrivals import Schedule, constant_offsets_ns

KINDS = st.sampled_from(arrivals.ARRIVALS)
RATES = st.one_of(st.integers(1, 100_000), st.floats(arrivals.LOWEST_RATE_RPS, arrivals.HIGHEST_RATE_RPS))


def take(schedule, n):
    return [schedule.pop() for _ in range(n)]


def gaps_s(schedule, n):
    return np.diff([0, *take(schedule, n)]) / 1e9


@pytest.mark.parametrize(
    ("seed", "sha256"),
    [
        pytest.param(0, "900fd0bce9eecbfc3a7ef064225e7e999e85abca654f9b2dd330e2a4cae17dab", id="seed-0"),
        pytest.param(20_240_229, "b9aac4cea41bbadd251986bbb9ffb02e4f90ecc3f820bd6bc890e1d841d915f7", id="another-seed"),
    ],
)
def test_a_seed_gives_the_same_schedule_for_ever(seed, sha256):
    offsets = take(Schedule(1_000, "poisson", seed, level=1), 10_000)

    assert hashlib.sha256(np.array(offsets, "<i8").tobytes()).hexdigest() == sha256


def test_offsets_are_plain_integers():
    for kind in arrivals.ARRIVALS:
        schedule = Schedule(50.0, kind, seed=1, level=0)
        offsets = [schedule.next_ns, schedule.pop(), *take_until(schedule, 10**9)]

        assert {type(offset) for offset in offsets} == {int}  # Locust's messages take no numpy numbers


@given(KINDS, RATES, st.integers(0, 2**64), st.integers(0, 100), st.integers(1, 3000))
@settings(max_examples=scaled(50))
def test_offsets_never_go_back(kind, rate, seed, level, n):
    offsets = take(Schedule(rate, kind, seed, level), n)

    assert offsets[0] >= 0
    assert all(before <= after for before, after in pairwise(offsets))


@given(KINDS, st.integers(1, 5), st.lists(st.one_of(st.none(), st.floats(0, 0.5)), max_size=30), st.integers(1, 400))
@settings(max_examples=scaled(50))
def test_it_does_not_matter_how_arrivals_are_taken(kind, n_workers, steps, block_size):
    whole = take(Schedule(2_000, kind, 7, 0, n_workers - 1, n_workers), 20_000)
    with mock.patch.object(arrivals, "BLOCK_SIZE", block_size):
        schedule = Schedule(2_000, kind, 7, 0, n_workers - 1, n_workers)
        taken = []
        now_ns = 0
        for step_s in steps:
            if step_s is None:
                assert schedule.next_ns == whole[len(taken)]
                taken.append(schedule.pop())
            else:
                now_ns += int(step_s * 1e9)
                taken += take_until(schedule, now_ns)
                assert schedule.next_ns > now_ns

    assert taken == whole[: len(taken)]


@given(KINDS, st.integers(1, 30), RATES, st.sampled_from([7, 100, 1024]))
@settings(max_examples=scaled(30))
def test_the_shares_of_all_workers_make_up_the_schedule(kind, n_workers, rate, block_size):
    """Also where a block is shorter than the list of workers, so that some get nothing of it."""
    whole = take(Schedule(rate, kind, 3, 2), 1_000)
    n_each = math.ceil(len(whole) / n_workers)
    with mock.patch.object(arrivals, "BLOCK_SIZE", block_size):
        shares = [take(Schedule(rate, kind, 3, 2, worker, n_workers), n_each) for worker in range(n_workers)]
    dealt = [offset for turn in zip(*shares, strict=True) for offset in turn]

    assert dealt[: len(whole)] == whole


def test_arrivals_due_now_are_taken():
    schedule = Schedule(1_000, "constant", 0, 0)

    assert take_until(schedule, 2_000_000) == [0, 1_000_000, 2_000_000]
    assert take_until(schedule, 2_999_999) == []
    assert take_until(schedule, -1) == []
    assert schedule.next_ns == 3_000_000


def test_a_long_stall_is_made_up_over_many_blocks():
    schedule = Schedule(10_000, "constant", 0, 0, worker=1, n_workers=2)

    assert take_until(schedule, 10 * 10**9) == list(range(100_000, 10 * 10**9 + 1, 200_000))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"level": 0}, {"level": 1}, id="levels"),
        pytest.param({"seed": 0}, {"seed": 1}, id="seeds"),
        pytest.param({"seed": 1, "level": 0}, {"seed": 0, "level": 1}, id="seed-and-level-swapped"),
        pytest.param({"seed": 0}, {"seed": 2**32}, id="seeds-of-more-than-32-bits"),
    ],
)
def test_streams_differ(first, second):
    common = {"rate_rps": 100, "arrivals": "poisson", "seed": 0, "level": 0}

    assert not set(take(Schedule(**common | first), 1_000)) & set(take(Schedule(**common | second), 1_000))


def test_arrivals_are_not_tied_to_the_order_of_images():
    gap_ns = np.random.default_rng([5, 1]).standard_exponential() * 1e9  # seeded as an EndlessSupply's order is

    assert Schedule(1, "poisson", seed=5, level=1).next_ns != round(gap_ns)


def test_poisson_keeps_its_rate():
    n = 200_000
    mean_s = gaps_s(Schedule(20_000, "poisson", 11, 0), n).mean()

    assert mean_s * 20_000 == pytest.approx(1, abs=4 / math.sqrt(n))  # four standard errors


def test_poisson_gaps_are_exponential():
    n = 20_000
    gaps = np.sort(gaps_s(Schedule(250, "poisson", 12, 0), n)) * 250
    expected = 1 - np.exp(-gaps)
    steps = np.arange(n + 1) / n
    distance = max((steps[1:] - expected).max(), (expected - steps[:-1]).max())

    assert distance < 1.63 / math.sqrt(n)  # Kolmogorov-Smirnov at 1 %
    assert gaps.std() / gaps.mean() == pytest.approx(1, abs=0.03)


def test_poisson_gaps_do_not_hang_together():
    gaps = gaps_s(Schedule(250, "poisson", 13, 0), 20_000)

    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 4 / math.sqrt(len(gaps))


def test_a_share_of_poisson_is_steadier_than_poisson():
    """Every n-th arrival of one Poisson schedule: Erlang gaps, with a coefficient of variation of 1 / sqrt(n)."""
    gaps = gaps_s(Schedule(1_000, "poisson", 14, 0, worker=3, n_workers=4), 20_000)[1:]

    assert gaps.mean() == pytest.approx(0.004, rel=0.02)
    assert gaps.std() / gaps.mean() == pytest.approx(0.5, rel=0.03)


@pytest.mark.parametrize(
    ("rate", "number", "offset_ns"),
    [
        pytest.param(1, 10**8, 10**17, id="one-a-second"),
        pytest.param(Fraction(20_000), 10**8, 5_000 * 10**9, id="whole-gaps"),
        pytest.param(3, 10**8, 33_333_333_333_333_333, id="thirds"),
        pytest.param(Fraction("0.1"), 10**8, 10**18, id="a-tenth"),
        pytest.param(Fraction(7, 3), 10**8, 42_857_142_857_142_857, id="a-ratio"),
        pytest.param(Fraction(2 * 10**9), 1, 1, id="a-half-goes-up"),
    ],
)
def test_constant_arrivals_do_not_drift(rate, number, offset_ns):
    assert constant_offsets_ns(Fraction(rate), range(number, number + 1)) == [offset_ns]


def test_a_rate_is_the_decimal_that_was_written():
    for rate in (0.1, np.float64(0.1), Fraction(1, 10)):
        assert take(Schedule(rate, "constant", 0, 0), 4) == [0, 10**10, 2 * 10**10, 3 * 10**10]


@given(st.fractions(min_value=Fraction(1, 100), max_value=10**6), st.integers(0, 10**9))
def test_constant_arrivals_are_as_near_as_whole_nanoseconds_can_be(rate, number):
    (offset_ns,) = constant_offsets_ns(rate, range(number, number + 1))

    assert abs(offset_ns - number * 10**9 / rate) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"rate_rps": 0}, "a rate from 0.001 .* got 0", id="no-rate"),
        pytest.param({"rate_rps": -5.0}, "got -5.0", id="negative-rate"),
        pytest.param({"rate_rps": math.nan}, "got nan", id="rate-nan"),
        pytest.param({"rate_rps": math.inf}, "got inf", id="rate-inf"),
        pytest.param({"rate_rps": 10**8}, "to 1,000,000 requests/s, got 100000000", id="rate-too-high"),
        pytest.param({"arrivals": "bursty"}, "one of poisson, constant, got 'bursty'", id="unknown-arrivals"),
        pytest.param({"seed": -1}, "got -1 and 0", id="negative-seed"),
        pytest.param({"level": -1}, "got 0 and -1", id="negative-level"),
        pytest.param({"worker": 2, "n_workers": 2}, "got 2 of 2", id="worker-too-high"),
        pytest.param({"worker": -1}, "got -1 of 1", id="negative-worker"),
        pytest.param({"n_workers": 0}, "got 0 of 0", id="no-workers"),
        pytest.param({"rate_rps": 0, "arrivals": "x"}, "a rate .*; .* one of", id="all-faults-at-once"),
    ],
)
def test_senseless_arguments_are_refused(changes, says):
    good = {"rate_rps": 10, "arrivals": "poisson", "seed": 0, "level": 0, "worker": 0, "n_workers": 1}

    with pytest.raises(ValueError, match=says):
        Schedule(**good | changes)
