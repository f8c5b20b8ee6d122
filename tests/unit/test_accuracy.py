"""What a gate on accuracy can see: by the definitions in small, by a simulation, and by the figures that are stated."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.summaries import judge, summarise
from tfsload.analysis import thresholds
from tfsload.analysis.accuracy import FALSE_ALARMS, POWER, SeenBy, least_rise, seen_by, upper_bound
from tfsload.analysis.binomial import at_least, at_most
from tfsload.analysis.image_counts import ImageCounts, Misread, n_different
from tfsload.records.images import Images
from tfsload.records.level import Level
from tfsload.records.record import Record

N_EXPERIMENTS = 20_000


def plainly_at_least(k, n, share):
    """Return P(Binomial(n, share) >= k) by its definition, in fractions."""
    return sum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1))


@given(st.integers(0, 40), st.integers(0, 42), st.fractions(0, 1, max_denominator=50))
def test_tails_are_those_of_the_definition(n, k, share):
    expected = float(plainly_at_least(k, n, share))

    assert at_least(k, n, float(share)) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert at_most(k - 1, n, float(share)) == pytest.approx(1 - expected, rel=1e-9, abs=1e-12)


@given(st.integers(1, 30), st.integers(0, 30))
def test_the_least_rise_is_that_of_the_definition(n, k):
    share = Fraction(min(k, n), n)
    criticals = [c for c in range(n + 1) if plainly_at_least(c, n, share) <= FALSE_ALARMS]
    rise = least_rise(n, float(share))

    assert (rise is None) == (not criticals)
    if criticals:
        higher = Fraction(float(share) + rise)
        assert plainly_at_least(criticals[0], n, min(higher + Fraction(1, 10**6), 1)) >= POWER
        assert plainly_at_least(criticals[0], n, higher - Fraction(1, 10**6)) < POWER


@given(st.integers(1, 30), st.integers(0, 30))
def test_the_bound_is_that_of_the_definition(n, k):
    k = min(k, n)
    bound = upper_bound(k, n)

    assert k / n <= bound <= 1
    if k < n:
        assert 1 - plainly_at_least(k + 1, n, Fraction(bound)) == pytest.approx(0.05, abs=1e-6)


# The figures that are stated, as STATISTICS.md's libraries gave them


@pytest.mark.parametrize(
    ("n", "points"),
    [
        pytest.param(200, "+3.2", id="200"),
        pytest.param(1000, "+1.1", id="1000"),
        pytest.param(10_000, "+0.29", id="e4"),
    ],
)
def test_what_so_many_images_at_0_8_percent_see(n, points):
    seen = SeenBy("error rate", n, 0.008, least_rise(n, 0.008), None)

    assert seen.sentence == f"error rate: {n:,} images at 0.80% see {points} points with 90% power"


@pytest.mark.parametrize(
    ("k", "n", "percentage"),
    [
        pytest.param(8, 1000, 1.44, id="eight"),
        pytest.param(0, 1000, 0.30, id="none"),
        pytest.param(5, 5, 100, id="all"),
    ],
)
def test_the_bound_for_new_images(k, n, percentage):
    assert 100 * upper_bound(k, n) == pytest.approx(percentage, abs=0.005)


@pytest.mark.parametrize(("n", "most"), [pytest.param(1000, 4, id="1000"), pytest.param(10_000, 83, id="10000")])
def test_how_few_errors_bound_new_images_below_one_percent(n, most):
    assert upper_bound(most, n) < 0.01 < upper_bound(most + 1, n)


# By simulation


@pytest.mark.parametrize(
    ("n", "share"),
    [
        pytest.param(1000, 0.008, id="the-shipped-model"),
        pytest.param(200, 0.05, id="few-images"),
        pytest.param(10_000, 0.0116, id="mnist"),
        pytest.param(100, 0.0, id="a-class-without-errors"),
    ],
)
def test_false_alarms_and_power_are_as_stated(n, share):
    """Models of that error rate, and worse ones by what is said to be seen, are each tried on n images."""
    random = np.random.default_rng(14)
    rise = least_rise(n, share)
    critical = next(k for k in range(n + 2) if at_least(k, n, share) <= FALSE_ALARMS)
    alarms, seen, nearly = (
        float(np.mean(random.binomial(n, one, N_EXPERIMENTS) >= critical))
        for one in (share, share + rise, share + rise / 2)
    )
    error = 4 * math.sqrt(0.25 / N_EXPERIMENTS)  # four standard deviations of a simulated share, at most

    assert alarms <= FALSE_ALARMS + error
    assert seen == pytest.approx(POWER, abs=error)
    assert nearly < POWER - error


@pytest.mark.parametrize("share", [0.002, 0.0116, 0.05, 0.5])
def test_the_bound_holds_for_new_images_as_often_as_stated(share):
    """Of models that are tried on 1,000 images, in at most 5 of 100 the rate on all images lies above the bound."""
    random = np.random.default_rng(14)
    counts, times = np.unique(random.binomial(1000, share, N_EXPERIMENTS), return_counts=True)
    above = sum(times[[upper_bound(int(k), 1000) < share for k in counts]]) / N_EXPERIMENTS

    assert above <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / N_EXPERIMENTS)


def test_shots_are_no_images():
    """However often 1,000 images are fired, the same is said: a test by shots would claim the more."""
    once, often = (counts_of(1000, {7: 3, 8: 1}, shots) for shots in (1, 700))

    assert seen("error_rate < 5%", once) == seen("error_rate < 5%", often)


# Of a run's images


def counts_of(n, misread, shots=1, labels=None, of_class=None):
    """Return the counts of n images, of which some were taken for a class each time."""
    rows = tuple(Misread(image, predicted, shots) for image, predicted in sorted(misread.items()))
    return ImageCounts((shots,) * n, rows, labels=labels or {}, of_class=of_class or {})


def seen(text, images, levels=()):
    return seen_by(thresholds.parse(text), images, levels)


EIGHT = dict.fromkeys(range(8), 1)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        pytest.param(
            "error_rate < 5%",
            [
                "error rate: 1,000 images at 0.80% see +1.1 points with 90% power; "
                "for new images: up to 1.44% (90%, exact)"
            ],
            id="error-rate",
        ),
        pytest.param(
            "wrong_rate <= 1%; error_rate < 5%; p99 < 1s; wrong_rate[users=2] < 3%",
            [
                "error rate: 1,000 images at 0.80% see +1.1 points with 90% power; "
                "for new images: up to 1.44% (90%, exact)"
            ],
            id="once-for-all-of-them",
        ),
        pytest.param("p99 < 1s; failed_rate < 1%; mismatched_rate < 1%; rate > 5", [], id="not-about-accuracy"),
        pytest.param("error_rate > 0.1%; recall[1] < 99%", [], id="nobody-minds-a-worse-model"),
        pytest.param(
            "recall[4] > 90%",
            [
                "recall[4]: 100 images at 92.00% see −10 points with 90% power; "
                "for new images: down to 86.03% (90%, exact)"
            ],
            id="recall",
        ),
        pytest.param(
            "precision[1] > 90%; recall[1] > 90%",
            [
                "precision[1]: 128 images at 93.75% see −8.2 points with 90% power; "
                "for new images: down to 89.01% (90%, exact)",
                "recall[1]: 120 images at 100% see −1.9 points with 90% power; "
                "for new images: down to 97.53% (90%, exact)",
            ],
            id="precision",
        ),
        pytest.param("recall[9] > 90%", [], id="a-class-that-was-not-fired"),
    ],
)
def test_what_is_said_of_a_gate(text, sentences):
    images = counts_of(1000, EIGHT, labels=dict.fromkeys(range(8), 4), of_class={1: 120, 4: 100})
    found = seen(text, images)

    assert [one.sentence for one in found] == sentences


def test_an_image_that_is_answered_one_way_and_another_has_no_exact_bound():
    images = ImageCounts(
        (10,) * 200, (Misread(3, 5, 5), Misread(4, 5, 10)), labels={3: 1, 4: 1}, of_class={1: 20, 5: 20}
    )
    error, recall = seen("error_rate < 5%; precision[5] > 5%; recall[1] > 5%", images)

    assert (error.share, error.new_images) == (pytest.approx(1.5 / 200), None)
    assert (recall.figure, recall.share, recall.new_images) == ("recall[1]", pytest.approx(1 - 1.5 / 20), None)
    assert error.sentence.endswith("with 90% power")


def test_requests_without_an_answer_say_nothing_of_an_image():
    """One that is wrong whenever it is answered is so always; one that never was answered is no sample."""
    answered = ImageCounts((10,) * 200, (Misread(3, 5, 10),), labels={3: 1}, of_class={1: 20})
    fired = ImageCounts(
        (11,) * 200 + (7,), answered.misread, {}, {3: 1}, {1: 20}, dict.fromkeys(range(200), 1) | {200: 7}
    )

    text = "error_rate < 5%; recall[1] > 5%; precision[5] > 5%"
    assert seen(text, fired) == seen(text, answered)
    assert seen("error_rate < 5%", fired)[0].new_images is not None


def test_images_that_were_not_fired_do_not_count():
    images = ImageCounts((3,) * 40 + (0,) * 60, (Misread(0, 5, 3),))
    (found,) = seen("error_rate < 5%", images)

    assert (found.n_images, found.share) == (40, 1 / 40)


def level(number, users):
    return Level(number, users, None, 0.0, 1.0)


@pytest.mark.parametrize(
    ("text", "n_images"),
    [
        pytest.param("error_rate < 5%", [300], id="the-level-with-the-fewest"),
        pytest.param("error_rate[users=2] < 5%", [1000], id="the-level-that-it-names"),
        pytest.param("recall[1] > 5%", [], id="a-class-of-some-of-the-images"),
        pytest.param("recall[1,users=2] > 5%", [120], id="a-class-of-all-of-them"),
    ],
)
def test_levels_have_images_of_their_own(text, n_images):
    images = counts_of(1000, EIGHT, labels=dict.fromkeys(range(8), 4), of_class={1: 120, 4: 100})
    found = seen(text, images, [(level(1, 1), 300), (level(2, 2), 1000)])

    assert [one.n_images for one in found] == n_images
    assert all(one.new_images is None for one in found if one.n_images == 300)


def test_nothing_was_fired():
    assert seen("error_rate < 5%; recall[1] > 5%", ImageCounts((0, 0))) == ()


def test_different_images_are_counted_with_the_request_that_held_them():
    assert n_different(Images(fired={0: 5, 4: 1, 8: 2}), 10, 4) == 10
    assert n_different(Images(fired={4: 1}), 10, 4) == 4
    assert n_different(Images(fired={0: 5, 4: 2}, unanswered={0: 1, 4: 2}), 10, 4) == 4


def test_the_verdict_notes_it():
    record = Record()
    result = summarise(record, thresholds=thresholds.parse("error_rate < 5%"))
    found = SeenBy("error rate", 1000, 0.008, 0.0109, None)
    notes = judge(result.__class__(**{**vars(result), "accuracy": (found,)})).notes

    assert tuple(map(str, notes)) == (found.sentence,)
