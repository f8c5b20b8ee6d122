"""Thresholds on accuracy while images are still fired: what ends a run by chance, and what is told from it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.summaries import record_of
from tfsload.analysis import thresholds
from tfsload.analysis.abort import Patience
from tfsload.analysis.beyond_chance import beyond_chance
from tfsload.analysis.held import Held, hold, hold_counters
from tfsload.records.level_counts import LevelCounts

N_IMAGES = 1_000
SECONDS = 60
TRIALS = 600


def parsed(text):
    (threshold,) = thresholds.parse(text)
    return threshold


def counts(wrong, n, failed=0):
    return LevelCounts(level=1, measured_s=1.0, requests=n, predictions=n, wrong=wrong, failed=failed)


@pytest.mark.parametrize(
    ("text", "told", "n_all", "holds"),
    [
        pytest.param("error_rate < 1%", counts(0, 100), None, True, id="it-holds"),
        pytest.param("error_rate < 1%", counts(2, 100), None, None, id="two-in-a-hundred"),
        pytest.param("error_rate < 1%", counts(4, 100), None, False, id="four-in-a-hundred"),
        pytest.param("error_rate < 1%", counts(1, 100, failed=3), None, False, id="failures-are-errors"),
        pytest.param("wrong_rate < 1%", counts(1, 100, failed=3), None, None, id="and-not-wrong"),
        pytest.param("wrong_rate > 5%", counts(3, 100), None, None, id="a-lower-limit"),
        pytest.param("wrong_rate > 5%", counts(0, 100), None, False, id="a-lower-limit-far-off"),
        pytest.param("error_rate <= 0%", counts(1, 100), None, False, id="none-may-be"),
        pytest.param("error_rate < 0.01%", counts(1, 100), None, False, id="hardly-any-may-be"),
        pytest.param("wrong_rate >= 100%", counts(99, 100), None, False, id="all-have-to-be"),
        pytest.param("error_rate < 100%", counts(1, 1), None, None, id="not-all-may-be"),
        pytest.param("error_rate < 1%", counts(4, 100), 1_000, None, id="data-in-an-order-of-its-own"),
        pytest.param("error_rate < 100%", counts(100, 100), 1_000, None, id="all-of-those-that-came-first"),
        pytest.param("error_rate <= 0%", counts(1, 100), 1_000, False, id="one-is-too-many"),
        pytest.param("error_rate < 1%", counts(11, 1_000), 1_000, False, id="all-were-fired"),
        pytest.param("error_rate < 1%", counts(10, 900), 1_000, False, id="the-rest-cannot-mend-it"),
        pytest.param("error_rate < 1%", counts(9, 850), 1_000, None, id="the-rest-can"),
        pytest.param("wrong_rate > 5%", counts(45, 995), 1_000, False, id="nor-a-lower-limit"),
        pytest.param("error_rate < 1%", counts(0, 0), None, None, id="nothing-was-fired"),
        pytest.param("failed_rate < 1%", counts(0, 100, failed=2), None, False, id="failures-come-in-bursts"),
        pytest.param("dropped_rate < 1%", LevelCounts(1, 1.0, offered=9, dropped=1), None, False, id="no-image"),
    ],
)
def test_what_is_told_from_chance(text, told, n_all, holds):
    assert beyond_chance(hold_counters(parsed(text), "1 user", told), told, n_all).holds is holds


def sevens(n_right, n_wrong, n_others=0):
    return record_of([(7, 7)] * n_right + [(7, 1)] * n_wrong + [(1, 1)] * n_others)


@pytest.mark.parametrize(
    ("text", "told", "holds"),
    [
        pytest.param("error_rate < 100%", counts(1, 1), None, id="one-image"),
        pytest.param("error_rate < 100%", counts(99, 99), None, id="each-once"),
        pytest.param("error_rate < 100%", counts(298, 298), None, id="one-may-not-have-been-met-yet"),
        pytest.param("error_rate < 100%", counts(299, 299), False, id="each-has-been-met"),
        pytest.param("error_rate < 100%", counts(298, 299), True, id="one-was-right"),
        pytest.param("error_rate < 100%", counts(99, 299, failed=200), False, id="failures-are-errors"),
        pytest.param("error_rate < 99.999%", counts(298, 298), None, id="nearly-all-one-too-few"),
        pytest.param("error_rate < 99.999%", counts(299, 299), False, id="nearly-all"),
        pytest.param("error_rate < 90%", counts(28, 28), None, id="told-by-the-share-alone-one-too-few"),
        pytest.param("error_rate < 90%", counts(29, 29), False, id="told-by-the-share-alone"),
        pytest.param("wrong_rate > 0", counts(0, 298), None, id="a-lower-limit-one-too-few"),
        pytest.param("wrong_rate > 0", counts(0, 299), False, id="a-lower-limit"),
        pytest.param("recall[7] > 0", sevens(0, 1), None, id="recall-one-image"),
        pytest.param("recall[7] > 0", sevens(0, 30, 268), None, id="recall-one-too-few"),
        pytest.param("recall[7] > 0", sevens(0, 30, 269), False, id="recall-each-has-been-met"),
        pytest.param("recall[7] > 0", sevens(1, 30, 269), True, id="recall-one-was-right"),
        pytest.param("recall[7] < 100%", sevens(1, 0), None, id="recall-an-upper-limit-one-image"),
        pytest.param("recall[7] < 100%", sevens(30, 0, 269), False, id="recall-an-upper-limit"),
        pytest.param("recall[7] >= 100%", sevens(30, 1), False, id="recall-one-is-too-many"),
    ],
)
def test_a_limit_that_only_all_images_cross_is_crossed_once_each_has_been_met(text, told, holds):
    """Of 100 images one has not been met by then in less than 5 % of all orders."""
    threshold = parsed(text)
    held = hold(threshold, "", told, None, 1.0) if threshold.label else hold_counters(threshold, "1 user", told)

    assert beyond_chance(held, told, n_images=100).holds is holds


@given(st.integers(1, 5000), st.integers(1, 2000), st.floats(0, 1), st.floats(0, 1))
@example(299, 100, 0.999, 1.0)
def test_a_stricter_limit_is_not_crossed_later(n, n_images, limit, higher):
    limit, higher = sorted((limit, higher))
    told = counts(n, n)
    held = [
        beyond_chance(Held(replace(parsed("error_rate < 1%"), limit=one), "", 1.0, False, None), told, None, n_images)
        for one in (limit, higher)
    ]

    assert held[0].holds is False or held[1].holds is None


@pytest.mark.parametrize(
    ("text", "n_other", "n_left", "holds"),
    [
        pytest.param("recall[7] > 90%", 2, None, None, id="recall-by-chance"),
        pytest.param("recall[7] > 90%", 9, None, False, id="recall"),
        pytest.param("precision[7] > 90%", 2, None, None, id="precision-by-chance"),
        pytest.param("precision[7] > 90%", 9, None, False, id="precision"),
        pytest.param("recall[7] > 90%", 9, 71, None, id="recall-that-the-rest-may-mend"),
        pytest.param("recall[7] > 90%", 9, 70, False, id="recall-that-the-rest-cannot"),
        pytest.param("precision[7] > 90%", 9, 71, None, id="precision-that-the-rest-may-mend"),
        pytest.param("recall[7] > 90%", 2, 0, False, id="none-is-left"),
        pytest.param("recall[7] < 50%", 9, 3, None, id="an-upper-limit-that-the-rest-may-mend"),
        pytest.param("recall[7] < 50%", 9, 2, False, id="an-upper-limit"),
    ],
)
def test_a_class_is_judged_by_its_own_images(text, n_other, n_left, holds):
    other = (7, 1) if text.startswith("recall") else (1, 7)
    record = record_of([(7, 7)] * 11 + [other] * n_other + [(1, 1)] * 500)
    held = hold(parsed(text), "", record, None, 10.0)

    assert held.holds is False
    assert beyond_chance(held, record, None if n_left is None else record.predictions + n_left).holds is holds


def ended_after(text, wrong):
    """Return after how many images, fired once in the order of their file, a threshold ends a run; None: it does not.

    Args:
        text: the threshold's.
        wrong: places of the images that are taken for something else.
    """
    patience, n_wrong = Patience(), 0
    for n in range(1, N_IMAGES + 1):
        n_wrong += n - 1 in wrong
        told = counts(n_wrong, n)
        if patience.look([beyond_chance(hold_counters(parsed(text), "", told), told, N_IMAGES)], n / 100):
            return n
    return None


@pytest.mark.parametrize(
    ("wrong", "ended"),
    [
        pytest.param(range(8), None, id="the-limit-holds"),
        pytest.param(range(10), 10, id="it-cannot-be-held-any-more"),
        pytest.param(range(0, 1_000, 99), 892, id="far-apart"),
        pytest.param(range(500, 508), None, id="in-the-middle"),
    ],
)
def test_each_image_once_in_an_order_of_its_own_ends_a_run_only_where_the_rest_cannot_mend_it(wrong, ended):
    assert ended_after("error_rate < 1% abort=0s", wrong) == ended


def share_ended(text, rate_rps, n_wrong, is_chance_told=True):
    """Return how many of some runs a threshold ends: images in turn, each round in an order of its own."""
    random, threshold = np.random.default_rng(2026), parsed(text)
    n, n_ended = rate_rps * SECONDS, 0
    for _ in range(TRIALS):
        rounds = [random.permutation(N_IMAGES) < n_wrong for _ in range(n // N_IMAGES + 2)]
        first = int(random.integers(N_IMAGES))
        wrong = np.cumsum(np.concatenate(rounds)[first : first + n])
        patience = Patience()
        for second in range(1, SECONDS + 1):
            told = counts(int(wrong[rate_rps * second - 1]), rate_rps * second)
            held = hold_counters(threshold, "1 user", told)
            if patience.look([beyond_chance(held, told) if is_chance_told else held], second):
                n_ended += 1
                break
    return n_ended / TRIALS


@pytest.mark.heavy
@pytest.mark.parametrize("rate_rps", [20, 50, 100])
def test_a_model_that_holds_a_limit_is_seldom_ended(rate_rps):
    assert share_ended("error_rate < 1% abort", rate_rps, 8, is_chance_told=False) > 0.1  # what there is to mend
    assert share_ended("error_rate < 1% abort", rate_rps, 8) <= 0.01
    assert share_ended("error_rate < 1% abort=0s", rate_rps, 8) <= 0.05


@pytest.mark.parametrize("rate_rps", [20, 100])
def test_a_model_that_is_far_beyond_it_is_ended(rate_rps):
    assert share_ended("error_rate < 1% abort", rate_rps, 40) == 1
