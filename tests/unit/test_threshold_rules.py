"""Thresholds that do not go with the load that was asked for are refused before it starts."""

import numpy as np
import pytest

from tfsload.analysis.thresholds import parse
from tfsload.datasets.dataset import MNIST_PIXELS, Dataset
from tfsload.run.data_faults import data_faults
from tfsload.settings.settings import Settings, SettingsError


def faults_of(**given):
    try:
        Settings.parse(given, None)
    except SettingsError as error:
        return error.faults
    return []


SWEEP, RATES, SEARCH = {"sweep": "1,2,4,8,1"}, {"rate": "100,200.5"}, {"find_max_rate": "100:200"}


@pytest.mark.parametrize(
    ("threshold", "load", "fault"),
    [
        pytest.param(
            "p99[users=16] < 20ms",
            SWEEP,
            "the run has no level users=16: expected users= one of 1, 2, 4, 8",
            id="other-users",
        ),
        pytest.param(
            "p99[rate=100] < 20ms",
            SWEEP,
            "the run has no level rate=100: expected users= one of 1, 2, 4, 8",
            id="a-rate-in-a-sweep",
        ),
        pytest.param(
            "p99[users=8] < 20ms",
            RATES,
            "the run has no level users=8: expected rate= one of 100, 200.5",
            id="users-in-open-load",
        ),
        pytest.param(
            "p99[rate=200] < 20ms",
            RATES,
            "the run has no level rate=200: expected rate= one of 100, 200.5",
            id="another-rate",
        ),
        pytest.param(
            "recall[7,users=8] > 5%",
            {},
            "the run has no levels: pass --sweep with 8 in it, or leave users=8 out",
            id="no-levels",
        ),
        pytest.param(
            "right_rate[1ms,rate=50] > 5",
            {"num_tests": "10"},
            "the run has no levels: pass --rate with 50 in it, or leave rate=50 out",
            id="a-number-of-images",
        ),
        pytest.param(
            "p99[users=1] < 20ms",
            {"sweep": ",".join(map(str, range(2, 30)))},
            "expected users= one of 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 16 more",
            id="many-levels",
        ),
        pytest.param(
            "p99[rate=100] < 20ms",
            SEARCH,
            "with --find-max-rate: each has to hold at every rate that is tried; leave users= and rate= out",
            id="a-rate-of-a-search",
        ),
        pytest.param("right_rate[1ms] > 5", SEARCH, "with --find-max-rate: the search sets the rate", id="right-rate"),
        pytest.param("p99 < 20ms abort", SEARCH, "what is crossed is what the search looks for", id="abort"),
        pytest.param("parallelism < 3", SEARCH, "told by a sweep that begins with one user", id="parallelism-search"),
        pytest.param("parallelism < 3", RATES, "told by a sweep that begins with one user", id="parallelism-of-rates"),
        pytest.param("parallelism < 3", {}, "pass --sweep, such as --sweep 1,2,4,8,1", id="parallelism-without-levels"),
        pytest.param("parallelism < 3", {"sweep": "2,4"}, "a sweep that begins with one user", id="no-lone-user"),
        pytest.param("parallelism < 3", {"sweep": "1,1"}, "a sweep that begins with one user", id="lone-users-alone"),
        pytest.param(
            "parallelism > 3",
            {"sweep": "1,2,3"},
            "can never be held: of 3 users no more requests than these are in flight; pass a --sweep over more",
            id="more-than-there-are-users",
        ),
        pytest.param(
            "parallelism < 100",
            {"sweep": "1,2,4"},
            "can never be crossed: of 4 users no more requests than these are in flight; pass a --sweep over more, or",
            id="never-so-many-users",
        ),
        pytest.param("parallelism <= 4", {"sweep": "1,2,4"}, "can never be crossed: of 4 users", id="all-users"),
        pytest.param(
            "rate[rate=100] > 500",
            RATES,
            "can never be held: at 100 requests a second no more than 155/s are answered; ask for less, or",
            id="more-than-is-sent",
        ),
        pytest.param("rate > 200", RATES, "can never be held: at 100 requests a second", id="the-least-level"),
        pytest.param("right_rate[50ms,rate=100] > 5000/s", RATES, "can never be held: at 100", id="right-images"),
        pytest.param("rate[rate=100] < 500", RATES, "can never be crossed: at 100 requests", id="never-so-many"),
        pytest.param("rate < 500", RATES, "can never be crossed: at 200.5 requests", id="at-no-level"),
    ],
)
def test_what_nothing_could_be_held_against_is_refused(threshold, load, fault):
    (found,) = faults_of(threshold=threshold, **load)

    assert found.startswith("--threshold '")
    assert fault in found


@pytest.mark.parametrize(
    ("threshold", "load"),
    [
        pytest.param("p99[users=8] < 20ms; p99[users=1] < 10ms abort", SWEEP, id="levels-of-a-sweep"),
        pytest.param("p99[rate=200.50] < 20ms", RATES, id="a-level-of-open-load"),
        pytest.param("parallelism > 3; parallelism < 8", SWEEP, id="parallelism"),
        pytest.param("rate > 110; rate < 120; right_rate[5ms] >= 99", RATES, id="rates-by-chance"),
        pytest.param("right_rate[5ms] > 500", {**RATES, "images_per_request": "5"}, id="several-images-a-request"),
        pytest.param("rate > 5e6", {"sweep": "1,2"}, id="rates-of-a-sweep"),
        pytest.param("recall[7] > 5%; precision[7] > 5%", SEARCH, id="classes-in-a-search"),
        pytest.param("right_rate[5ms] > 5 abort; recall[7] > 5% abort=3s", {}, id="no-levels"),
    ],
)
def test_what_fits_is_taken(threshold, load):
    assert faults_of(threshold=threshold, **load) == []


def test_levels_that_could_not_be_read_are_another_fault():
    (fault,) = faults_of(threshold="p99[users=8] < 20ms", sweep="many")

    assert fault.startswith("--sweep 'many'")


def test_each_threshold_is_told_of():
    found = faults_of(threshold="p99[users=16] < 20ms; rate[users=3] > 4; parallelism > 9", sweep="1,2")

    assert [fault.split("'")[1] for fault in found] == ["p99[users=16] < 20ms", "rate[users=3] > 4", "parallelism > 9"]


@pytest.mark.parametrize(
    ("threshold", "labels", "faults"),
    [
        pytest.param("recall[7] > 5%", [3, 7], [], id="there-is-one"),
        pytest.param(
            "recall[7] > 5%; p99 < 1s; precision[8] > 5%",
            [0, 1, 2],
            [
                "--threshold 'recall[7] > 5%': none of the 3 images that are fired is of class 7; "
                "expected one of 0 to 2",
                "--threshold 'precision[8] > 5%': none of the 3 images that are fired is of class 8; "
                "expected one of 0 to 2",
            ],
            id="none-is-fired",
        ),
        pytest.param(
            "recall[5] > 5%",
            [9, 2, 9],
            ["--threshold 'recall[5] > 5%': none of the 3 images that are fired is of class 5; expected one of 2, 9"],
            id="labels-with-gaps",
        ),
    ],
)
def test_a_class_that_no_image_is_of(threshold, labels, faults):
    dataset = Dataset("made up", np.zeros((len(labels), MNIST_PIXELS), np.float32), np.array(labels, np.uint8))

    assert data_faults(parse(threshold), dataset) == faults
