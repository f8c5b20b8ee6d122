"""What stands in a threshold's brackets, and its last word: what is read, and what is refused in which words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.analysis.thresholds import Threshold, ThresholdError, parse

MS = 1_000_000


def faults_of(text):
    with pytest.raises(ThresholdError) as raised:
        parse(text)
    return raised.value.faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "p99[users=8] < 20ms", Threshold("p99[users=8] < 20ms", "p99", "<", 20e6, 99.0, users=8), id="users"
        ),
        pytest.param(
            "p99 [ rate = 400/s ]<20ms",
            Threshold("p99[rate=400] < 20ms", "p99", "<", 20e6, 99.0, rate_rps=400.0),
            id="rate",
        ),
        pytest.param(
            "max[rate=0.50] < 1s", Threshold("max[rate=0.5] < 1s", "max", "<", 1e9, rate_rps=0.5), id="a-slow-rate"
        ),
        pytest.param("max[rate=4e2] < 1s", Threshold("max[rate=400] < 1s", "max", "<", 1e9, rate_rps=400.0), id="e"),
        pytest.param("recall[7] > 95%", Threshold("recall[7] > 95%", "recall", ">", 0.95, label=7), id="recall"),
        pytest.param("recall[07]>.9", Threshold("recall[7] > .9", "recall", ">", 0.9, label=7), id="leading-zero"),
        pytest.param(
            "precision[0,users=2] >= 0.95",
            Threshold("precision[0,users=2] >= 0.95", "precision", ">=", 0.95, users=2, label=0),
            id="precision-at-a-level",
        ),
        pytest.param(
            "right_rate[20ms] > 500/s",
            Threshold("right_rate[20ms] > 500/s", "right_rate", ">", 500.0, within_ns=20 * MS),
            id="right-rate",
        ),
        pytest.param(
            "right_rate[ users=8 , 1.5\u03bcs ] > 500",
            Threshold("right_rate[1.5µs,users=8] > 500", "right_rate", ">", 500.0, users=8, within_ns=1500),
            id="one-order",
        ),
        pytest.param(
            "right_rate[1.001ms] > 5",
            Threshold("right_rate[1.001ms] > 5", "right_rate", ">", 5.0, within_ns=1_001_000),
            id="exact",
        ),
        pytest.param(
            "mean < 1s abort=1.001ms",
            Threshold("mean < 1s abort=1.001ms", "mean", "<", 1e9, aborts=True, grace_s=0.001001),
            id="exact-grace",
        ),
        pytest.param("parallelism > 3", Threshold("parallelism > 3", "parallelism", ">", 3.0), id="parallelism"),
        pytest.param(
            "p99 < 50ms abort", Threshold("p99 < 50ms abort", "p99", "<", 50e6, 99.0, aborts=True), id="abort"
        ),
        pytest.param(
            "error_rate<5%abort = 10 s",
            Threshold("error_rate < 5% abort=10s", "error_rate", "<", 0.05, aborts=True, grace_s=10.0),
            id="grace",
        ),
        pytest.param(
            "rate[users=4] > 5/s abort=500ms",
            Threshold("rate[users=4] > 5/s abort=500ms", "rate", ">", 5.0, users=4, aborts=True, grace_s=0.5),
            id="grace-in-ms",
        ),
        pytest.param(
            "mean < 1s abort=0s", Threshold("mean < 1s abort=0s", "mean", "<", 1e9, aborts=True, grace_s=0.0), id="none"
        ),
    ],
)
def test_a_threshold_is_read(text, expected):
    assert parse(text) == (expected,)
    assert parse(expected.text) == (expected,)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("p99[users=8 < 20ms", "'[users': the bracket is not closed: ']' is missing", id="not-closed"),
        pytest.param("p99[8 < 20ms", "'[8': the bracket is not closed: ']' is missing", id="not-closed-without-equals"),
        pytest.param("abort", "abort is a threshold's last word: write it behind the value", id="abort-alone"),
        pytest.param("abort=10s", "abort is a threshold's last word: write it behind the value", id="grace-alone"),
        pytest.param("p99 abort < 20ms", "abort is the last word, behind the value", id="abort-before-the-value"),
        pytest.param(
            "p99[users=8] abort < 20ms", "abort is the last word, behind the value", id="abort-behind-brackets"
        ),
        pytest.param("p99] < 20ms", "']': expected an operator", id="not-opened"),
        pytest.param("p99[a[b]] < 20ms", "'[a[b]]': expected an operator", id="nested"),
        pytest.param("p99[users=8][rate=4] < 20ms", "'[rate': expected an operator", id="twice"),
        pytest.param("p99[users=8]x < 20ms", "'x': expected an operator", id="something-behind"),
        pytest.param("p99[users=8] 20ms", "no operator: expected <, <=, > or >=", id="no-operator"),
        pytest.param("[users=8] < 20ms", "no metric before the operator", id="no-metric"),
        pytest.param("p99[] < 20ms", "selector '': expected a level, as users=8 or rate=400", id="empty"),
        pytest.param("p99[users=8,] < 20ms", "selector '': expected a level", id="an-empty-place"),
        pytest.param("p99[8] < 20ms", "selector '8': expected a level, as users=8 or rate=400", id="which-is-it"),
        pytest.param(
            "p99[user=8] < 20ms", "unknown selector 'user' (did you mean users?): expected a level", id="typo"
        ),
        pytest.param("p99[USERS=8] < 20ms", "unknown selector 'USERS' (did you mean users?)", id="upper-case"),
        pytest.param("p99[level=8] < 20ms", "unknown selector 'level': expected a level, as users=8", id="unknown"),
        pytest.param("p99[users=0] < 20ms", "selector 'users=0': expected a whole number from 1", id="no-user"),
        pytest.param("p99[users=1.5] < 20ms", "selector 'users=1.5': expected a whole number", id="half-a-user"),
        pytest.param("p99[users=٨] < 20ms", "selector 'users=٨': expected a whole number", id="another-script"),
        pytest.param(f"p99[users={'9' * 5000}] < 20ms", "expected a whole number from 1", id="thousands-of-digits"),
        pytest.param("p99[rate=0] < 20ms", "selector 'rate=0': expected requests a second above 0", id="no-rate"),
        pytest.param("p99[rate=1e999] < 20ms", "selector 'rate=1e999': expected requests a second", id="endless"),
        pytest.param("p99[rate=5ms] < 20ms", "selector 'rate=5ms': expected requests a second", id="another-unit"),
        pytest.param("p99[users=8,users=8] < 20ms", "selector users= stands there twice", id="users-twice"),
        pytest.param("p99[users=8,rate=9] < 20ms", "a level has a number of users, or a rate", id="users-and-rate"),
        pytest.param("recall > 95%", "recall is of one class: expected recall[7]", id="no-class"),
        pytest.param("recall[users=8] > 95%", "recall is of one class: expected recall[7]", id="only-a-level"),
        pytest.param("recall[7,8] > 95%", "recall is of one class, and several are named", id="two-classes"),
        pytest.param("recall[seven] > 95%", "selector 'seven': expected a class, as 7, and a level", id="in-words"),
        pytest.param("precision[-1] > 95%", "selector '-1': expected a class", id="negative-class"),
        pytest.param("right_rate > 500", "right_rate counts answers within a latency: expected right_", id="no-limit"),
        pytest.param("right_rate[20] > 500", "selector '20': expected a number and its unit, ns", id="without-unit"),
        pytest.param("right_rate[20ms,30ms] > 5", "right_rate has one limit on latency", id="two-limits"),
        pytest.param("right_rate[0ms] > 5", "a latency is measured from 1ns to 7200s", id="no-time"),
        pytest.param("right_rate[3h] > 5", "selector '3h': expected a number and its unit", id="hours"),
        pytest.param("right_rate[9999s] > 5", "a latency is measured from 1ns to 7200s", id="any-time"),
        pytest.param("right_rate[-2ms] > 5", "selector '-2ms': expected a number and its unit", id="negative"),
        pytest.param("right_rate[20ms] > 5ms", "expected right images a second, for example 500", id="a-rate-in-ms"),
        pytest.param("right_rate[20ms] >= 0", "can never be crossed: a rate is 0 or more", id="any-right-rate"),
        pytest.param("recall[7] >= 0%", "can never be crossed: a share", id="any-recall"),
        pytest.param("parallelism[users=8] > 3", "parallelism is of the whole sweep: leave '[users=8]' out", id="one"),
        pytest.param("parallelism > 3/s", "value '3/s' has the unit '/s': expected a number of requests", id="per-s"),
        pytest.param("parallelism >= 0", "can never be crossed: parallelism is 0 or more", id="any-parallelism"),
        pytest.param("parallelism > 3 abort", "abort: parallelism is known at the sweep's end", id="nothing-to-end"),
        pytest.param("p99 < 5ms abort now", "'now' after abort: expected nothing, or the grace", id="more-words"),
        pytest.param("p99 < 5ms abort=", "abort='': expected a time, as abort=10s", id="no-grace"),
        pytest.param("p99 < 5ms abort=10", "abort='10': expected a time, as abort=10s", id="grace-without-unit"),
        pytest.param("p99 < 5ms abort=-1s", "abort='-1s': expected a time", id="negative-grace"),
        pytest.param("p99 < 5ms abort=1e5s", "abort='1e5s': expected at most 86400s", id="more-than-a-day"),
        pytest.param("p99 < 5ms abort=1e999s", "abort='1e999s': expected at most 86400s", id="endless-grace"),
        pytest.param(
            "p99 < 5ms ABORT", "what may follow it is abort, as in p99 < 50ms abort=10s", id="abort-in-capitals"
        ),
        pytest.param("p99 < 5ms stop", "what may follow it is abort", id="another-word"),
        pytest.param("p99 < abort", "no value after the operator", id="no-value"),
    ],
)
def test_a_bad_threshold_is_refused_with_a_reason(text, fault):
    assert any(fault in found for found in faults_of(text))


def test_all_faults_of_one_threshold_are_told_at_once():
    found = faults_of("recall[users=x,level=1] =< 5ms abort=soon")

    words = ["users=x", "unknown selector 'level'", "of one class", "operator '=<'", "abort='soon'", "unit 'ms'"]
    assert len(found) == len(words)
    assert all(word in fault for word, fault in zip(words, found, strict=True))


@pytest.mark.parametrize(
    ("text", "users", "rate_rps", "is_about"),
    [
        pytest.param("p99 < 1s", 8, None, True, id="each-level"),
        pytest.param("p99[users=8] < 1s", 8, None, True, id="its-users"),
        pytest.param("p99[users=8] < 1s", 4, None, False, id="other-users"),
        pytest.param("p99[users=8] < 1s", 8, 400.0, False, id="the-most-of-open-load"),
        pytest.param("p99[rate=400] < 1s", 1000, 400.0, True, id="its-rate"),
        pytest.param("p99[rate=400] < 1s", 1000, 401.0, False, id="another-rate"),
        pytest.param("p99[rate=400] < 1s", 400, None, False, id="no-rate"),
        pytest.param("parallelism > 3", 1, None, False, id="the-whole-sweep"),
    ],
)
def test_which_levels_a_threshold_is_about(text, users, rate_rps, is_about):
    assert parse(text)[0].is_about(users, rate_rps) is is_about


subjects = st.sampled_from(
    ["p99", "mean", "rate", "error_rate", "recall", "precision", "right_rate", "parallelism", "x"]
)
selectors = st.lists(
    st.sampled_from(["users=8", "rate=400", "rate=0.25/s", "users=", "7", "12", "20ms", "1.5us", "", "a=b", "[", "]"]),
    max_size=3,
).map(",".join)
brackets = st.one_of(st.just(""), selectors.map(lambda text: f"[{text}]"))
values = st.sampled_from(["20ms", "5%", "0.5", "3", "500/s", "", "1e999"])
last_words = st.sampled_from(["", " abort", " abort=10s", " abort=500ms", "abort", " abort=", " abort=1", " abort now"])
clauses = st.tuples(subjects, brackets, st.sampled_from([" < ", ">=", " = "]), values, last_words).map("".join)


@given(st.lists(clauses, max_size=3).map(";".join))
def test_any_text_is_read_or_refused_and_what_is_read_can_be_written(text):
    try:
        found = parse(text)
    except ThresholdError as error:
        assert error.faults
        assert all(fault.partition(": ")[2] for fault in error.faults)
    else:
        assert parse("; ".join(one.text for one in found)) == found
        for one in found:
            assert (one.label is not None) == (one.metric in ("recall", "precision"))
            assert (one.within_ns is not None) == (one.metric == "right_rate")
            assert one.subject == one.text.split()[0]


@given(st.text(alphabet="p9[]=<>users,rate7 abort%;ms\x00\x1b\u202e", max_size=40))
def test_a_hostile_text_steers_nothing(text):
    try:
        parse(text)
    except ThresholdError as error:
        assert all(fault.isprintable() for fault in error.faults)
