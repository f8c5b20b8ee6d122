"""How two commits' speeds are held against each other, without running any."""

import math

import pytest

from benchmarks.against import CONTESTS, LEAST_PAIRS, Interval, render
from benchmarks.measurement import Measurement


@pytest.mark.parametrize(
    ("ratios", "falls_short"),
    [
        pytest.param([1.0] * 5, False, id="equal"),
        pytest.param([0.9] * 5, True, id="slower-each-time"),
        pytest.param([0.97] * 5, False, id="at-the-limit"),
        pytest.param([1.1, 0.9, 1.05, 0.92, 0.99], False, id="noise"),
        pytest.param([0.80, 0.92, 0.84, 0.88, 0.86], True, id="slower-with-noise"),
        pytest.param([0.80, 1.10, 0.84, 0.88, 0.86], False, id="slower-but-for-one"),
    ],
)
def test_a_row_falls_short_where_its_whole_interval_does(ratios, falls_short):
    assert Interval.of(ratios).falls_short is falls_short


def test_the_interval_is_students():
    interval = Interval.of([1.0, 1.1, 1.2, 1.3, 1.4])

    # The mean of the logarithms, and 2.776445 (Student's t, 4 degrees of freedom, 97.5 %) standard errors of it.
    assert interval.ratio == pytest.approx(1.191596, abs=1e-6)
    assert math.log(interval.high / interval.ratio) == pytest.approx(0.165116, rel=0.004)
    assert interval.low * interval.high == pytest.approx(interval.ratio**2)


def test_too_few_pairs_are_no_interval():
    with pytest.raises(ValueError, match=f"expected at least {LEAST_PAIRS}"):
        Interval.of([1.0] * (LEAST_PAIRS - 1))


def test_a_slower_row_is_named_and_a_dearer_request_is_slower():
    fast, slow = (Measurement(rate, cpu_us=1e6 / rate, other_cpus=0.0) for rate in (40_000, 30_000))
    closed, _, open_load = CONTESTS

    text = render("abc1234", {closed: [(slow, fast)] * 5, open_load: [(fast, slow)] * 5}).splitlines()

    assert (
        text[2]
        == "| 8 in flight | requests/s | 30,000 | 40,000 | 0.750 (0.750 to 0.750) | **slower**: all of it below 0.97 |"
    )
    assert text[3] == "| 20,000/s, open load | CPU a request | 25.0 µs | 33.3 µs | 1.333 (1.333 to 1.333) | holds |"
