"""A threshold, its figure and the margin in words."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tfsload.analysis.held import Held, margin_of
from tfsload.analysis.held_words import UP_TO, HeldWords, margin_words, value_words, words_of
from tfsload.analysis.threshold_kinds import kind_of
from tfsload.analysis.thresholds import parse
from tfsload.records.histogram import HIGHEST_NS


def held(text, value, where="", why_unknown="", cure=""):
    (threshold,) = parse(text)
    holds = None if why_unknown else threshold.holds(value)
    return Held(threshold, where, value, holds, margin_of(threshold, value), why_unknown, cure=cure)


@pytest.mark.parametrize(
    ("text", "value", "row"),
    [
        pytest.param("p99 < 20ms", 6_750_000, "✓ p99 < 20 ms | 20 ms | 6.75 ms | 66% below", id="as-looks-has-it"),
        pytest.param("p99 < 20ms", 20_004_000, "↑ p99 < 20 ms | 20 ms | 20.004 ms | 0.02% above", id="side-is-seen"),
        pytest.param("p99 < 20ms", 20_000_000, "↑ p99 < 20 ms | 20 ms | 20.0 ms | at the bound", id="at-the-bound"),
        pytest.param(
            "p99 < 20ms",
            19_999_999,
            "✓ p99 < 20 ms | 20 ms | 19.999999 ms | less than 0.0001% below",
            id="a-hair-below",
        ),
        pytest.param("max < 1500us", 61_200, "✓ max < 1,500 µs | 1,500 µs | 61.2 µs | 96% below", id="its-own-unit"),
        pytest.param("max < 1500us", 2_100_400, "↑ max < 1,500 µs | 1,500 µs | 2,100 µs | 40% above", id="thousands"),
        pytest.param("mean < 1.5s", 812_345_678, "✓ mean < 1.5 s | 1.5 s | 0.812 s | 46% below", id="seconds"),
        pytest.param("mean < 1.5s", 6_750_000, "✓ mean < 1.5 s | 1.5 s | 6.75 ms | over 99% below", id="another-unit"),
        pytest.param("p50 < 30us", 4e9, "↑ p50 < 30 µs | 30 µs | 4.00 s | 133,333× the bound", id="times"),
        pytest.param("lag_p99 <= 0ms", 0, "✓ lag_p99 <= 0 ms | 0 ms | 0 ms | at the bound", id="none"),
        pytest.param("lag_p99 <= 0ms", 12, "↑ lag_p99 <= 0 ms | 0 ms | 12.0 ns | above", id="nothing-to-compare-with"),
        pytest.param("p99 < 20ms", math.inf, "↑ p99 < 20 ms | 20 ms | ∞ | above", id="no-answers"),
        pytest.param("error_rate < 0.5%", 0.008, "↑ error_rate < 0.5% | 0.5% | 0.80% | 60% above", id="share"),
        pytest.param("wrong_rate < 0.05", 0.008, "✓ wrong_rate < 5% | 5% | 0.80% | 84% below", id="a-fraction"),
        pytest.param(
            "wrong_rate < .5%", 0.0050001, "↑ wrong_rate < 0.5% | 0.5% | 0.50001% | 0.002% above", id="barely"
        ),
        pytest.param("failed_rate <= 0", 0.0, "✓ failed_rate <= 0% | 0% | 0% | at the bound", id="none-failed"),
        pytest.param("failed_rate <= 0", 1e-6, "↑ failed_rate <= 0% | 0% | 0.0001% | above", id="not-quite-none"),
        pytest.param("failed_rate < 1", 0.99999, "✓ failed_rate < 100% | 100% | 99.999% | 0.001% below", id="not-all"),
        pytest.param("rate > 200", 2142.4, "✓ rate > 200/s | 200/s | 2,142/s | 10.7× the bound", id="rate"),
        pytest.param(
            "rate > 1e-307", 99.6, "✓ rate > 1e-307/s | 1e-307/s | 99.6/s | above", id="a-limit-of-nearly-none"
        ),
        pytest.param("rate > 1e308", 0.0, "↑ rate > 1e+308/s | 1e+308/s | 0/s | 100% below", id="a-limit-of-all"),
        pytest.param("rate > 0.5/s", 0.4444, "↑ rate > 0.5/s | 0.5/s | 0.444/s | 11% below", id="a-slow-rate"),
    ],
)
def test_a_row(text, value, row):
    words = words_of(held(text, value))
    told = words.value.removeprefix(UP_TO)

    assert f"{words.mark} {words.asked} | {words.bound} | {told} | {words.margin}" == row


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        pytest.param("p99 < 20ms", 6_750_000, "up to 6.75 ms", id="a-percentile"),
        pytest.param("lag_p99 < 20ms", 6_750_000, "up to 6.75 ms", id="of-the-lag"),
        pytest.param("p99[users=8] < 20ms", 6_750_000, "up to 6.75 ms", id="of-a-level"),
        pytest.param("p99 < 20ms", math.inf, "∞", id="no-answers"),
        pytest.param("p99 < 20ms", None, "–", id="too-few-samples"),
        pytest.param("p99 > 1ms", 6_750_000, "6.75 ms", id="a-lower-limit-is-held-against-what-was-observed"),
        pytest.param("mean < 20ms", 6_750_000, "6.75 ms", id="a-mean"),
    ],
)
def test_a_percentile_that_is_judged_by_its_upper_end_says_so(text, value, told):
    assert words_of(held(text, value)).value == told


def test_what_cannot_be_judged():
    unknown = held("p99 < 20ms", None, where="4 users", why_unknown="too few samples", cure="let it last longer")

    assert words_of(unknown) == HeldWords(
        state="unknown",
        mark="?",
        state_word="cannot be judged",
        asked="p99 < 20 ms",
        bound="20 ms",
        value="–",
        margin="",
        where="4 users",
        why_unknown="too few samples",
        cure="let it last longer",
    )


durations = st.integers(1, HIGHEST_NS)


@given(st.sampled_from(["ns", "us", "ms", "s"]), st.decimals(0, 7000, places=3).filter(bool), durations)
@example("ms", 20, 20_000_001)
def test_a_time_is_told_on_its_own_side_of_the_limit(unit, number, value):
    try:
        (threshold,) = parse(f"p99 < {number}{unit}")
    except ValueError:
        return  # no run could cross it
    figure, told_unit = value_words(threshold, value).split()
    told_ns = float(figure.replace(",", "")) * {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[told_unit]
    limit_ns = threshold.limit

    assert told_ns == pytest.approx(value, rel=0.005)
    if abs(value - limit_ns) > 1e-9 * limit_ns:
        assert (told_ns < limit_ns) == (value < limit_ns)
        assert margin_words(threshold, value).endswith("below") == (value < limit_ns)


@given(
    st.sampled_from(
        ["rate > {}", "rate < {}/s", "p99 < {}s", "lag_p50 <= {}ns", "error_rate >= {}%", "recall[7] > {}"]
    ),
    st.floats(0, allow_nan=False, allow_infinity=False),
    st.floats(0, allow_nan=False),
)
@example("rate > {}", 1e-320, 99.6)
@example("error_rate >= {}%", 35e-310, 0.5)
@example("lag_p50 <= {}ns", 65e-319, 7e9)
@example("rate > {}", 2.3e-308, 1e300)
def test_whatever_is_taken_has_words_for_whatever_is_found(text, limit, value):
    try:
        (asked,) = parse(text.format(limit))
    except ValueError:
        return
    if asked.unit_kind != "rate":  # of which there is no most
        value = min(value, kind_of(asked.metric).high)
    threshold = held(asked.text, value)
    words = words_of(threshold)

    assert threshold.margin is None or math.isfinite(threshold.margin) or math.isinf(value)
    assert "inf" not in words.margin + words.value + words.bound
    assert "nan" not in words.margin + words.value + words.bound


@given(st.integers(1, 10_000), st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_share_is_told_on_its_own_side_of_the_limit(limit, k, n):
    (threshold,) = parse(f"error_rate < {limit / 100}%")
    value = min(k / n, 1.0)
    told = float(value_words(threshold, value).removesuffix("%")) / 100

    assert (told == 0, told == 1) == (value == 0, value == 1)
    if abs(value - threshold.limit) > 1e-9:
        assert (told < threshold.limit) == (value < threshold.limit)
