"""Whether a model looks broken, told from its answers, and how seldom one that works is called so."""

import dataclasses

import numpy as np
import pytest

from tests.support.summaries import judge, render, summarise
from tfsload.analysis import exit_codes
from tfsload.analysis.suspicion import suspicions
from tfsload.records.confusion import ConfusionMatrix
from tfsload.records.record import Record


def confusion_of(counts):
    """Return the confusion matrix with these counts, by label and answer."""
    return ConfusionMatrix.from_plain([label, answer, count] for (label, answer), count in counts.items())


def each(answer_of, n=100, n_classes=10):
    """Return the confusion of balanced data, of which each image of a class gets the same answer."""
    return confusion_of({(label, answer_of(label)): n for label in range(n_classes)})


def mixed(share_right, n=100, n_classes=10):
    """Return the confusion of balanced data, wrong answers spread over all others."""
    n_right = round(share_right * n * (n_classes - 1))
    wrong = n * (n_classes - 1) - n_right
    counts = {}
    for label in range(n_classes):
        for answer in range(n_classes):
            counts[label, answer] = n_right if label == answer else wrong // (n_classes - 1)
    return confusion_of(counts)


@pytest.mark.parametrize(
    ("confusion", "words"),
    [
        pytest.param(each(lambda _: 3), "100% of all answers are class 3, and 90.00% of all are wrong", id="one-class"),
        pytest.param(
            confusion_of(
                {**{(label, 3): 95 for label in range(10)}, **{(label, label): 5 for label in range(10) if label != 3}}
            ),
            "of all answers are class 3",
            id="one-class-for-nearly-all",
        ),
        pytest.param(
            confusion_of({(0, 0): 9500, (1, 0): 500}),
            "100% of all answers are class 0",
            id="one-class-on-unbalanced-data",
        ),
        pytest.param(each(lambda _: 12), "class 12, and 100% of all are wrong", id="a-class-that-no-label-has"),
        pytest.param(confusion_of({(3, 4): 50}), "class 4, and 100% of all are wrong", id="images-of-one-class"),
        pytest.param(mixed(0.1), "10.00% of all answers are right, and answers that ignore the images", id="chance"),
        pytest.param(mixed(0.15), "15.00% of all answers are right", id="near-chance"),
        pytest.param(
            confusion_of({(0, 0): 4900, (0, 1): 5100, (1, 0): 5000, (1, 1): 5000}), "49.50% of all", id="two-classes"
        ),
        pytest.param(
            confusion_of({(0, 0): 6400, (0, 1): 1600, (1, 0): 1600, (1, 1): 400}),
            "68.00% of all",
            id="chance-on-unbalanced",
        ),
        pytest.param(each(lambda label: (label + 1) % 10), "0% of all answers are right", id="labels-shifted"),
        pytest.param(each(lambda label: (label + 1) % 10), "; 100% are the label plus 1;", id="shifted-by-one"),
        pytest.param(each(lambda label: label + 1), "; 100% are the label plus 1;", id="counted-from-one"),
        pytest.param(each(lambda label: (label - 1) % 10), "; 100% are the label minus 1;", id="shifted-down"),
        pytest.param(each(lambda label: 9 - label), "as with labels in another order", id="labels-in-another-order"),
    ],
)
def test_a_broken_model_is_told_by_what_it_answers(confusion, words):
    (warning,) = suspicions(confusion, confusion.total)

    assert words in warning


@pytest.mark.parametrize(
    "confusion",
    [
        pytest.param(ConfusionMatrix(), id="no-answer"),
        pytest.param(each(lambda label: label), id="all-right"),
        pytest.param(mixed(0.92), id="a-good-model"),
        pytest.param(mixed(0.4), id="a-bad-model-that-works"),
        pytest.param(confusion_of({(3, 3): 1000}), id="images-of-one-class"),
        pytest.param(confusion_of({(3, 3): 990, (3, 5): 10}), id="images-of-one-class-and-some-wrong"),
        pytest.param(confusion_of({(0, 0): 945, (0, 1): 5, (1, 0): 5, (1, 1): 45}), id="unbalanced-and-good"),
        pytest.param(confusion_of({(0, 0): 990, (1, 0): 10}), id="unbalanced-and-too-few-others-to-tell"),
        pytest.param(confusion_of({(0, 0): 20, (1, 0): 11, (2, 2): 3}), id="one-class-and-too-few"),
        pytest.param(each(lambda label: (label + 1) % 10, n=1), id="ten-images-all-wrong"),
    ],
)
def test_a_model_that_works_or_is_not_known_is_not_called_broken(confusion):
    assert suspicions(confusion, confusion.total) == ()


def test_a_hundred_answers_to_ten_images_say_what_ten_say():
    confusion = each(lambda label: (label + 1) % 10, n=1000)

    assert suspicions(confusion, 10) == ()
    assert len(suspicions(confusion, 1000)) == 1


@pytest.mark.parametrize(
    ("shares", "right", "n_images"),
    [
        pytest.param([0.1] * 10, 0.55, 20, id="ten-classes-few-images"),
        pytest.param([0.1] * 10, 0.55, 200, id="ten-classes"),
        pytest.param([0.5] * 2, 0.75, 50, id="two-classes"),
        pytest.param([0.95, 0.05], 0.975, 200, id="unbalanced"),
        pytest.param([0.91] + [0.01] * 9, 0.955, 50, id="one-class-heavy"),
    ],
)
def test_a_model_that_works_half_as_well_as_can_be_is_hardly_ever_called_broken(shares, right, n_images):
    random = np.random.default_rng(11)
    alarms = 0
    for _ in range(1000):
        labels = random.choice(len(shares), n_images, p=shares)
        others = (labels + random.integers(1, len(shares), n_images)) % len(shares)
        answers = np.where(random.random(n_images) < right, labels, others)
        confusion = ConfusionMatrix()
        confusion.add_all(labels.tolist(), answers.tolist())
        alarms += bool(suspicions(confusion, n_images))

    assert alarms <= 1  # 1 in 10,000 is what is promised


@pytest.mark.parametrize("n_images", [pytest.param(100, id="100"), pytest.param(1000, id="1000")])
def test_guessing_is_found_out(n_images):
    random = np.random.default_rng(12)
    found = 0
    for _ in range(200):
        confusion = ConfusionMatrix()
        confusion.add_all(*random.integers(0, 10, (2, n_images)).tolist())
        found += bool(suspicions(confusion, n_images))

    assert found >= 190


def test_a_warning_is_in_the_summary_and_no_reason():
    record = Record()
    for number in range(100):
        record.add([number % 10], [3], None, 1_000_000, 10**18 + number)
    summary = summarise(record, n_images=100)
    verdict = judge(summary)
    text = render(summary, verdict, "m", "h:1")

    assert (verdict.exit_code, verdict.sentences) == (exit_codes.PASS, ())
    assert text.index("\n\nWarning: the model looks broken: ") < text.index("\n\nPASS (")
    assert "Warning" not in render(dataclasses.replace(summary, warnings=()), verdict, "m", "h:1")
