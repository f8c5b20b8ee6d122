"""Thresholds: what is read, what is refused and in which words, and what holds."""

import math
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.analysis.thresholds import OPERATORS, Threshold, ThresholdError, parse
from tfsload.records.histogram import HIGHEST_NS

METRICS = "pN (as p99 or p99.9), lag_pN, mean, max, error_rate, wrong_rate, failed_rate, mismatched_rate, dropped_rate"


def faults_of(text):
    with pytest.raises(ThresholdError) as raised:
        parse(text)
    return raised.value.faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("p99 < 20ms", Threshold("p99 < 20ms", "p99", "<", 20e6, 99.0), id="percentile"),
        pytest.param("p99.9<=1.5s", Threshold("p99.9 <= 1.5s", "p99.9", "<=", 1.5e9, 99.9), id="decimals"),
        pytest.param("p099.90 < 1s", Threshold("p99.9 < 1s", "p99.9", "<", 1e9, 99.9), id="one-name-for-one-thing"),
        pytest.param("p0.00001 < 1s", Threshold("p0.00001 < 1s", "p0.00001", "<", 1e9, 1e-5), id="no-exponent"),
        pytest.param("mean>100ns", Threshold("mean > 100ns", "mean", ">", 100.0), id="mean-in-ns"),
        pytest.param("max >= 30us", Threshold("max >= 30us", "max", ">=", 30e3), id="max-in-us"),
        pytest.param("max < 30\u00b5s", Threshold("max < 30µs", "max", "<", 30e3), id="micro-sign"),
        pytest.param("max < 30\u03bcs", Threshold("max < 30µs", "max", "<", 30e3), id="greek-mu"),
        pytest.param("lag_p99 < 1ms", Threshold("lag_p99 < 1ms", "lag_p99", "<", 1e6, 99.0), id="lag"),
        pytest.param("lag_p50 <= 0ms", Threshold("lag_p50 <= 0ms", "lag_p50", "<=", 0.0, 50.0), id="no-lag-at-all"),
        pytest.param("error_rate < 5%", Threshold("error_rate < 5%", "error_rate", "<", 0.05), id="percent"),
        pytest.param("wrong_rate < 0.05", Threshold("wrong_rate < 0.05", "wrong_rate", "<", 0.05), id="fraction"),
        pytest.param("failed_rate<=0", Threshold("failed_rate <= 0", "failed_rate", "<=", 0.0), id="none-may-fail"),
        pytest.param(
            "mismatched_rate <= .7 %", Threshold("mismatched_rate <= .7%", "mismatched_rate", "<=", 0.007), id="exact"
        ),
        pytest.param(
            "dropped_rate < 1e-3", Threshold("dropped_rate < 1e-3", "dropped_rate", "<", 0.001), id="exponent"
        ),
        pytest.param("error_rate < 100%", Threshold("error_rate < 100%", "error_rate", "<", 1.0), id="not-all-wrong"),
        pytest.param("rate >= 200", Threshold("rate >= 200", "rate", ">=", 200.0), id="rate"),
        pytest.param("rate > 0.5 /s", Threshold("rate > 0.5/s", "rate", ">", 0.5), id="rate-per-second"),
        pytest.param("\n p99\t<  20\u00a0ms ", Threshold("p99 < 20ms", "p99", "<", 20e6, 99.0), id="white-space"),
    ],
)
def test_a_threshold_is_read(text, expected):
    assert parse(text) == (expected,)


@pytest.mark.parametrize(
    ("text", "metrics"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("p99 < 1s; error_rate < 5%", ["p99", "error_rate"], id="two"),
        pytest.param(";p99<1s;;max<2s;", ["p99", "max"], id="empty-ones-between"),
    ],
)
def test_several_are_separated_by_semicolons(text, metrics):
    assert [threshold.metric for threshold in parse(text)] == metrics


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("p99 20ms", "no operator: expected <, <=, > or >= between a metric and a value", id="no-operator"),
        pytest.param("p99 = 20ms", "operator '=': expected <, <=, > or >=", id="equals"),
        pytest.param("p99 =< 20ms", "operator '=<': expected <, <=, > or >=", id="the-wrong-way-round"),
        pytest.param("p99 ≤ 20ms", "operator '≤': expected <, <=, > or >=", id="typographic"),
        pytest.param("< 20ms", f"no metric before the operator: expected one of {METRICS}, rate", id="no-metric"),
        pytest.param(
            "eror_rate < 5%",
            f"unknown metric 'eror_rate' (did you mean error_rate?): expected one of {METRICS}, rate",
            id="typo",
        ),
        pytest.param(
            "accuracy > 90%",
            "unknown metric 'accuracy' (accuracy is 1 − error_rate: for 'accuracy > 90%' pass 'error_rate < 10%')",
            id="accuracy",
        ),
        pytest.param("Top-1 > 0.9", "unknown metric 'Top-1' (accuracy is 1 − error_rate", id="top-one"),
        pytest.param("success_rate > 99%", "pass 'failed_rate < 1%')", id="success"),
        pytest.param("errors < 1%", "did you mean failed_rate, of requests without an answer, or", id="errors"),
        pytest.param("qps > 100", "unknown metric 'qps' (did you mean rate?)", id="queries-a-second"),
        pytest.param("median < 5ms", "(did you mean p50?)", id="median"),
        pytest.param("avg < 5ms", "(did you mean mean?)", id="average"),
        pytest.param("latency < 5ms", "(did you mean a percentile of it, such as p99?)", id="latency"),
        pytest.param("f1 > 90%", "(there are precision and recall, of one class each)", id="f1"),
        pytest.param("P99 < 5ms", "unknown metric 'P99' (did you mean p99?)", id="upper-case"),
        pytest.param("p(99) < 5ms", "unknown metric 'p(99)' (did you mean p99?)", id="as-k6-writes-it"),
        pytest.param("p٩٩ < 5ms", "unknown metric 'p٩٩'", id="digits-of-another-script"),
        pytest.param("colour < 5ms", f"unknown metric 'colour': expected one of {METRICS}, rate", id="nothing-near"),
        pytest.param("p0 < 5ms", "metric 'p0': expected a percentile above 0 and below 100", id="p0"),
        pytest.param("lag_p100 < 5ms", "metric 'lag_p100': expected a percentile above 0 and below 100", id="p100"),
        pytest.param(
            "p999 < 5ms",
            "metric 'p999': expected a percentile above 0 and below 100 (did you mean p99.9?)",
            id="p999",
        ),
        pytest.param(
            "p99 <",
            "no value after the operator: expected a number and its unit, ns, us, µs, ms or s, for example 20ms",
            id="no-value",
        ),
        pytest.param(
            "p99 < 20",
            "value '20' has no unit: expected a number and its unit, ns, us, µs, ms or s, for example 20ms",
            id="a-latency-without-a-unit",
        ),
        pytest.param(" ; ;; ", "no threshold stands there: name one, or leave it out", id="nothing-but-separators"),
        pytest.param("p99 < 20m", "value '20m' has the unit 'm': expected a number and its unit, ns", id="minutes"),
        pytest.param("p99 < 20MS", "value '20MS' has the unit 'MS'", id="unit-in-upper-case"),
        pytest.param("p99 < 20%", "value '20%' has the unit '%'", id="a-latency-in-percent"),
        pytest.param("rate > 5ms", "value '5ms' has the unit 'ms': expected requests a second", id="a-rate-in-ms"),
        pytest.param(
            "error_rate < 5ms",
            "value '5ms' has the unit 'ms': expected a percentage or a fraction from 0 to 1, for example 5% or 0.05",
            id="a-share-in-ms",
        ),
        pytest.param("error_rate < 5", "value '5' is no share (did you mean 5%?)", id="a-share-above-1"),
        pytest.param("p99 < 1,000ms", "value '1,000ms': expected a number", id="thousands"),
        pytest.param("p99 < 1_000ms", "value '1_000ms': expected a number", id="as-python-writes-it"),
        pytest.param("p99 < nan", "value 'nan': expected a number", id="nan"),
        pytest.param("rate > inf", "value 'inf': expected requests a second", id="inf"),
        pytest.param("rate > 1e999", "value '1e999' is not finite", id="inf-in-digits"),
        pytest.param(
            "rate > 1e-320", "value '1e-320' is too small to be told from 0: expected requests", id="subnormal"
        ),
        pytest.param("error_rate >= 35e-310%", "value '35e-310%' is too small to be told from 0", id="tiny-share"),
        pytest.param("rate > 1e-999", "value '1e-999' is too small to be told from 0", id="0-in-digits"),
        pytest.param("p99<50msabort", "the unit 'msabort' (did you mean 'ms abort', with a space?)", id="glued"),
        pytest.param(
            "rate > 200abort", "the unit 'abort' (did you mean 'abort', with a space?)", id="glued-on-a-number"
        ),
        pytest.param("p99 < -5ms", "value '-5ms' is negative", id="negative"),
        pytest.param("p99 > -0ms", "value '-0ms' is negative", id="negative-zero"),
        pytest.param(
            "p99 < 5ms, max < 9ms", "; several thresholds are separated by ';'", id="separated-by-something-else"
        ),
        pytest.param("error_rate < 0", "can never be held: a share is from 0% to 100%", id="less-than-none"),
        pytest.param("error_rate > 100%", "can never be held: a share", id="more-than-all"),
        pytest.param("error_rate <= 100%", "can never be crossed: a share is from 0% to 100%", id="at-most-all"),
        pytest.param("error_rate >= 0", "can never be crossed: a share", id="at-least-none"),
        pytest.param("error_rate < 500%", "can never be crossed: a share", id="more-than-all-in-percent"),
        pytest.param("rate >= 0", "can never be crossed: a rate is 0 or more", id="any-rate"),
        pytest.param("rate < 0/s", "can never be held: a rate is 0 or more", id="no-rate"),
        pytest.param("p99 <= 0ms", "can never be held: a latency is measured from 1ns to 7200s", id="no-time-at-all"),
        pytest.param("p99 > 0ms", "can never be crossed: a latency", id="any-time"),
        pytest.param("p99 < 3e4s", "can never be crossed: a latency is measured from 1ns to 7200s", id="any-latency"),
        pytest.param("lag_p99 >= 0s", "can never be crossed: a lag is measured from 0ns to 7200s", id="any-lag"),
    ],
)
def test_a_bad_threshold_is_refused_with_a_reason(text, fault):
    (found,) = faults_of(text)

    assert found.startswith(f"{text!r}: ")
    assert fault in found


def test_all_faults_are_told_at_once():
    found = faults_of("p99 < 20; error_rate < 5%; avrage =< 5 miles; rate >= 0")

    assert [fault.partition(": ")[0] for fault in found] == [
        "'p99 < 20'",
        "'avrage =< 5 miles'",
        "'avrage =< 5 miles'",
        "'avrage =< 5 miles'",
        "'rate >= 0'",
    ]
    assert [word in fault for word, fault in zip(("metric", "operator", "unit"), found[1:4], strict=True)] == [True] * 3


def test_the_error_itself_says_it_all():
    with pytest.raises(ValueError, match=r"'p99 < 20': value '20' has no unit.*; 'max < x': value 'x'"):
        parse("p99 < 20; max < x")


@pytest.mark.parametrize(
    ("text", "unit_kind"),
    [
        ("p99 < 1ms", "duration"),
        ("mean < 1ms", "duration"),
        ("lag_p99 < 1ms", "duration"),
        ("dropped_rate < 1%", "share"),
        ("rate > 1", "rate"),
    ],
)
def test_the_kind_of_unit(text, unit_kind):
    assert parse(text)[0].unit_kind == unit_kind


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        pytest.param("p99 < 20ms", 19_999_999, True, id="below"),
        pytest.param("p99 < 20ms", 20_000_000, False, id="at-the-limit"),
        pytest.param("p99 <= 20ms", 20_000_000, True, id="at-the-limit-and-allowed"),
        pytest.param("error_rate <= 0.7%", 7 / 1000, True, id="exactly-the-share"),
        pytest.param("rate > 200", 199.9, False, id="too-slow"),
        pytest.param("error_rate <= 0", 0.0, True, id="zero-is-a-value"),
        pytest.param("p99 < 20ms", None, None, id="no-sample-is-no-pass"),
        pytest.param("rate > 200", None, None, id="no-sample-is-no-failure"),
        pytest.param("rate > 200", math.nan, None, id="nan-is-no-value"),
    ],
)
def test_whether_a_value_holds(text, value, holds):
    assert parse(text)[0].holds(value) is holds


@given(
    st.sampled_from([("<", operator.lt), ("<=", operator.le), (">", operator.gt), (">=", operator.ge)]),
    st.integers(2, 10**12),
    st.integers(1, 10**12) | st.floats(1, 1e12),
)
def test_operators_are_those_of_arithmetic(sign, limit_ns, value):
    (threshold,) = parse(f"p99 {sign[0]} {limit_ns}ns")

    assert threshold.holds(value) is sign[1](value, limit_ns)
    assert threshold.holds(limit_ns) is sign[1](0, 0)


names = ["p50", "p99.9", "lag_p95", "mean", "max", "error_rate", "wrong_rate", "dropped_rate", "rate"]
units = ["ns", "us", "µs", "μs", "ms", "s", "%", "", "/s"]
odds_and_ends = [
    "p0",
    "p100",
    "lag_p",
    "latency",
    "=",
    "≥",
    ";",
    "-",
    "0",
    "1",
    "99.9",
    "5",
    ".",
    "e5",
    "e999",
    "nan",
    "inf",
    "m",
]
parts = st.sampled_from([*names, *OPERATORS, *units, *odds_and_ends, " "])
clauses = st.tuples(
    st.sampled_from([*names, "p12.50", "p99.99999"]),
    st.sampled_from([*OPERATORS]),
    st.decimals(0, 1000, allow_nan=False, allow_infinity=False).map(str) | st.floats(0).map(str),
    st.sampled_from(units),
).map(" ".join)


@given(st.text() | st.lists(parts).map("".join) | st.lists(clauses).map(";".join))
def test_any_text_is_read_or_refused(text):
    try:
        found = parse(text)
    except ThresholdError as error:
        assert error.faults
        assert all(fault.partition(": ")[2] for fault in error.faults)
    else:
        each = [parse(part)[0] for part in text.split(";") if part.strip()]
        assert found == tuple(dict.fromkeys(each))


@given(st.lists(clauses))
def test_what_is_read_can_be_written_and_read_again(texts):
    good = [threshold for text in texts for threshold in read_if_good(text)]

    assert parse("; ".join(threshold.text for threshold in good)) == tuple(dict.fromkeys(good))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param("p99 < 5ms; p99 < 5ms", ["p99 < 5ms"], id="twice"),
        pytest.param("p99<5ms; mean < 1s; p99 <  5 ms", ["p99 < 5ms", "mean < 1s"], id="written-otherwise"),
        pytest.param("p99 < 5ms; p99 < 5ms abort", ["p99 < 5ms", "p99 < 5ms abort"], id="one-of-them-aborts"),
        pytest.param("p99 < 5ms; p99 <= 5ms", ["p99 < 5ms", "p99 <= 5ms"], id="another-operator"),
    ],
)
def test_what_is_asked_for_twice_is_held_once(text, read):
    assert [threshold.text for threshold in parse(text)] == read


def read_if_good(text):
    try:
        return parse(text)
    except ThresholdError:
        return ()


@given(clauses)
def test_a_limit_can_be_held_and_crossed(text):
    ends = {"duration": (0, HIGHEST_NS), "share": (0.0, 1.0), "rate": (0.0, math.inf)}
    for threshold in read_if_good(text):
        assert {threshold.holds(value) for value in ends[threshold.unit_kind]} == {True, False}
