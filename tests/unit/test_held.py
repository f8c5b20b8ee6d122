"""Thresholds held against levels, classes and a sweep: against a plain count of the requests that were made."""

import dataclasses
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.level_rows import closed_row, growing, open_row, samples
from tests.support.summaries import judge, summarise, summary_of
from tfsload.analysis import exit_codes, thresholds
from tfsload.analysis.edges import limits_of, within_ns_of
from tfsload.analysis.held_parallelism import hold_parallelism
from tfsload.analysis.held_words import words_of
from tfsload.analysis.levels import level_row
from tfsload.analysis.parallelism import Parallelism
from tfsload.analysis.result import RunResult
from tfsload.analysis.scaling import LevelPoint, assess
from tfsload.records.cpu import CpuShares
from tfsload.records.level import Level, LevelRun
from tfsload.records.record import Record
from tfsload.records.recorder import Recorder
from tfsload.records.window import Window
from tfsload.transport.failure import PredictionFailure

MS, SECOND = 10**6, 10**9
GONE = PredictionFailure("UNAVAILABLE", "gone")
DURATION_S = 12.0
# A request of one image: how long it took in ms, its label and its answer; None: there was none.
requests = st.tuples(st.integers(1, 30), st.integers(0, 2), st.none() | st.integers(0, 2))


def recorded(made, judging, has_levels=True):
    """Return the record of requests that end one every 10 ms."""
    recorder = Recorder(counts_later=has_levels, limits=limits_of(judging), within_ns=within_ns_of(judging))
    if has_levels:
        recorder.measure(Window.of(1, 0, int(DURATION_S * SECOND), is_open_load=False))
    for number, (latency_ms, label, answer) in enumerate(made):
        done_ns = (number + 4) * 10 * MS
        due_ns = done_ns - latency_ms * MS
        recorder.record(
            [label],
            None if answer is None else [answer],
            GONE if answer is None else None,
            due_ns,
            due_ns,
            done_ns,
            None,
        )
    rows = recorder.take_all()
    return Record.from_plain(rows[0]["record"]) if rows else Record()


def level_of(number, users, rate_rps, record):
    run = LevelRun(Level(number, users, rate_rps, 0.0, DURATION_S), 1, (), users, (CpuShares(0.1, 0.0, 0.0),))
    return level_row(run, record)


def plainly(metric, made, threshold, seconds):
    """Return a figure by its definition, from the requests alone; None: there is none."""
    answered = [one for one in made if one[2] is not None]
    right = [one for one in answered if one[1] == one[2]]
    if metric == "right_rate":
        return sum(latency_ms * MS <= threshold.within_ns for latency_ms, _, _ in right) / seconds
    if metric == "rate":
        return len(answered) / seconds
    if metric == "recall":
        of_class = [one for one in answered if one[1] == threshold.label]
    elif metric == "precision":
        of_class = [one for one in answered if one[2] == threshold.label]
    else:
        return (len(made) - len(right)) / len(made) if made else None
    return sum(one in right for one in of_class) / len(of_class) if of_class else None


own = st.sampled_from(["right_rate[5ms", "right_rate[20ms", "recall[1", "precision[2", "rate[", "error_rate["])
level_selectors = st.sampled_from(["", "users=1", "users=4"])


@st.composite
def texts(draw):
    name, level = draw(own), draw(level_selectors)
    inside = f"{name}{',' if level and not name.endswith('[') else ''}{level}]".replace("[]", "")
    limit = "50%" if name.startswith(("recall", "precision", "error")) else "1/s"
    return f"{inside} {draw(st.sampled_from(['<', '>=']))} {limit}"


@given(st.lists(texts(), min_size=1, max_size=4, unique=True), st.lists(st.lists(requests, max_size=30), max_size=3))
def test_levels(asked, by_level):
    judging = thresholds.parse(";".join(asked))
    users = [1, 4, 1][: len(by_level)]
    rows = [
        level_of(n, of, None, recorded(made, judging))
        for n, (of, made) in enumerate(zip(users, by_level, strict=True), 1)
    ]
    record = Record()
    for row in rows:
        record.merge(row.record)
    found = summarise(record, levels=rows, thresholds=judging).thresholds if rows else ()
    expected = Counter(
        (one.text, f"{of} user{'s' if of > 1 else ''}", plainly(one.metric, made, one, DURATION_S))
        for of, made in zip(users, by_level, strict=True)
        for one in judging
        if one.users in (None, of)
    )
    expected += Counter(
        (one.text, f"{one.users} user{'s' if one.users > 1 else ''}", None)
        for one in judging
        if rows and one.users is not None and one.users not in users
    )

    assert Counter((held.threshold.text, held.where, held.value) for held in found) == expected
    for held in found:
        assert held.holds is (None if held.value is None else held.threshold.holds(held.value))
        assert bool(held.why_unknown) is (held.holds is None)


@given(st.lists(texts(), min_size=1, max_size=4, unique=True), st.lists(requests, min_size=1, max_size=30))
def test_a_run_without_levels(asked, made):
    judging = thresholds.parse(";".join(asked))
    result = summarise(recorded(made, judging, has_levels=False), thresholds=judging)
    begin_ms = min((number + 4) * 10 - latency_ms for number, (latency_ms, _, _) in enumerate(made))
    seconds = ((len(made) + 3) * 10 - begin_ms) / 1000

    of_run = [one for one in judging if one.users is None]
    assert {held.where for held in result.thresholds[len(of_run) :]} <= {"1 user", "4 users"}
    for one, held in zip(of_run, result.thresholds[: len(of_run)], strict=True):
        expected = plainly(one.metric, made, one, seconds)
        assert (held.threshold, held.where) == (one, "")
        assert held.value == (None if expected is None else pytest.approx(expected))


def test_a_level_that_was_not_run_is_said():
    judging = thresholds.parse("p50[users=8] < 1s; p50[rate=400] < 1s")
    row = level_of(1, 1, None, recorded([(1, 1, 1)] * 200, judging))
    result = summarise(row.record, levels=[row], thresholds=judging, n_levels_left=1)

    assert [(held.where, held.holds) for held in result.thresholds] == [("8 users", None), ("400 requests/s", None)]
    assert judge(result).exit_code == exit_codes.INVALID


def test_a_run_that_was_stopped_before_its_first_level_ended_holds_nothing_against_the_rest():
    judging = thresholds.parse("rate[users=8] > 1; parallelism > 2; rate > 1")
    result = summarise(recorded([(1, 1, 1)] * 50, judging), thresholds=judging, n_levels_left=2)

    assert [(held.threshold.metric, held.where, held.holds) for held in result.thresholds] == [
        ("rate", "", None),
        ("rate", "8 users", None),
        ("parallelism", "", None),
    ]


# Parallelism


def points(rates, latency_ms=10.0, **more):
    """Return the levels of a sweep, by users: throughput, a little different from slice to slice."""
    return [
        LevelPoint(users, rate, latency_ms * MS * users, (rate * 0.99, rate, rate * 1.01) * 4, **more)
        for users, rate in rates.items()
    ]


SWEEP = assess(points({1: 100.0, 2: 200.0, 4: 400.0, 8: 400.0}), round_trip_ns=0.1 * MS)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        pytest.param("parallelism > 3", True, id="below-the-lower-end"),
        pytest.param("parallelism >= 3", True, id="or-equal"),
        pytest.param("parallelism > 6", False, id="above-the-upper-end"),
        pytest.param("parallelism > 4", None, id="between"),
        pytest.param("parallelism < 3", False, id="at-most-and-above"),
        pytest.param("parallelism <= 6", True, id="at-most-and-below"),
        pytest.param("parallelism <= 4", None, id="at-most-and-between"),
    ],
)
def test_parallelism_is_judged_by_its_interval(text, holds):
    held = hold_parallelism(thresholds.parse(text)[0], SWEEP)
    interval = SWEEP.interval

    assert (held.value, held.low, held.high) == (interval.value, interval.low, interval.high)
    assert interval.low < 4 < interval.high
    assert held.holds is holds
    assert bool(held.why_unknown) is (holds is None)


@given(
    st.tuples(st.floats(0.1, 20), st.floats(0, 5), st.floats(0, 5)),
    st.sampled_from(["<", "<=", ">", ">="]),
    st.integers(1, 200),
)
def test_any_interval_decides_or_leaves_open(found, operator, limit):
    value, down, up = found
    interval = Parallelism(value, max(value - down, 0), value + up, value + up, 0.1, 0.1)
    (threshold,) = thresholds.parse(f"parallelism {operator} {limit / 10}")
    held = hold_parallelism(threshold, dataclasses.replace(SWEEP, interval=interval))
    is_above, is_below = interval.low > limit / 10, interval.high < limit / 10

    if is_above or is_below:
        assert held.holds is (is_above if operator.startswith(">") else is_below)
    elif interval.low < limit / 10 < interval.high:
        assert held.holds is None


@pytest.mark.parametrize(
    ("times", "cure"),
    [
        (1, "hold the levels longer (--level-duration), or each several times (`--sweep 1,2,4,1,2,4,1`)"),
        (4, "hold the levels longer (--level-duration)"),
    ],
)
def test_levels_that_were_measured_four_times_are_not_to_be_measured_again(times, cure):
    scaling = assess([*points({1: 100.0, 2: 200.0, 4: 400.0})] * times, round_trip_ns=0.1 * MS)

    assert hold_parallelism(thresholds.parse("parallelism > 4")[0], scaling).cure == cure


def test_what_is_open_is_said_with_the_interval_and_a_cure():
    held = hold_parallelism(thresholds.parse("parallelism > 4")[0], SWEEP)
    words = words_of(held)

    low, high = f"{held.low:.2f}", f"{held.high:.2f}"
    assert held.why_unknown == f"it lies between {low} and {high} (95%), and so does the limit"
    assert held.cure.startswith(("hold the levels longer", "send heavier requests"))
    assert (words.state, words.value) == ("unknown", f"{held.value:.2f} ({low} to {high})")


GROWING = assess(points({1: 100.0, 2: 190.0, 4: 280.0}), round_trip_ns=0.1 * MS)
IN_DOUBT = assess(
    points({1: 100.0, 2: 190.0, 4: 280.0}) + points({8: 285.0}, doubt="too few samples"), round_trip_ns=0.1 * MS
)


@pytest.mark.parametrize(
    ("text", "scaling", "cure"),
    [
        pytest.param("parallelism > 6", SWEEP, "", id="it-stopped-growing"),
        pytest.param("parallelism > 3.5", GROWING, "throughput was still growing at 4 users: sweep", id="it-may-grow"),
        pytest.param(
            "parallelism > 3.5", IN_DOUBT, "throughput was still growing at 4 users: sweep", id="the-last-is-in-doubt"
        ),
        pytest.param("parallelism < 2", GROWING, "", id="at-most"),
        pytest.param("parallelism > 90", GROWING, "", id="out-of-reach-of-more-users"),
        pytest.param(
            "parallelism > 1.3", assess(points({1: 100.0, 2: 102.0, 4: 111.0}), 0.1 * MS), "", id="the-answer-is-no"
        ),
    ],
)
def test_a_sweep_that_crosses_it_says_what_was_found(text, scaling, cure):
    held = hold_parallelism(thresholds.parse(text)[0], scaling)
    result = dataclasses.replace(summarise(recorded([(1, 1, 1)], ())), scaling=scaling, thresholds=(held,))
    verdict = judge(result)
    interval = scaling.interval

    assert verdict.exit_code == exit_codes.THRESHOLD
    found = f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"
    assert verdict.reasons[0].what == f"{text} was crossed: {found}"
    assert verdict.reasons[0].cure.startswith(cure)
    assert bool(verdict.reasons[0].cure) is bool(cure)


@pytest.mark.parametrize(
    ("scaling", "why"),
    [
        pytest.param(None, "the sweep was not run to its end; let it end by itself", id="cut-short"),
        pytest.param(
            assess(points({1: 100.0, 2: 200.0}, doubt="throughput scattered")),
            "the level with 1 user cannot be trusted: throughput scattered",
            id="untrusted",
        ),
        pytest.param(
            assess(points({2: 200.0, 4: 380.0})),
            "no level has 1 user, to compare the others with; begin the sweep with 1 (`--sweep 1,2,4,1`)",
            id="no-lone-user",
        ),
        pytest.param(
            assess([*points({1: 100.0}), *points({2: 200.0}, n_failed=3)]),
            "no level with more than 1 user can be trusted; the one with 2 users: 3 requests had no answer there; "
            "see why, or sweep over fewer users",
            id="the-others-had-failures",
        ),
    ],
)
def test_a_sweep_that_tells_nothing(scaling, why):
    held = hold_parallelism(thresholds.parse("parallelism > 1")[0], scaling)

    assert (held.value, held.holds) == (None, None)
    assert held.unknown_and_cure == why


def test_a_sweep_that_was_ended_in_its_second_level_is_not_advised_to_sweep():
    cut_short, whole = (summary_of([closed_row()], n_levels_left=left).scaling for left in (1, 0))

    assert cut_short.answer.sentence == "Cannot tell: the sweep was not run to its end."
    assert whole.answer.sentence.startswith("Cannot tell: only one level was measured; sweep over several")


def test_a_result_with_all_of_it_can_be_written_and_read():
    judging = thresholds.parse(
        "right_rate[5ms,users=1] > 1 abort=3s; recall[1] > 5%; parallelism > 1; p50[users=8] < 1s"
    )
    row = level_of(1, 1, None, recorded([(1, 1, 1)] * 200, judging))
    result = summarise(row.record, levels=[row], thresholds=judging)

    assert RunResult.from_plain(result.to_plain()).thresholds == result.thresholds


# What a threshold of one level leaves to be judged elsewhere


def open_level(number, rate_rps, n_dropped):
    made = [dataclasses.replace(one, n_mismatched=int(place < 3)) for place, one in enumerate(samples(n=900))]
    row = open_row(made, n_dropped=n_dropped, rate_rps=rate_rps, is_probe=False)
    return dataclasses.replace(
        row, run=dataclasses.replace(row.run, level=dataclasses.replace(row.level, number=number))
    )


@pytest.mark.parametrize(
    ("limits", "doubted"),
    [
        pytest.param("dropped_rate < 30%", (), id="each-level"),
        pytest.param("dropped_rate[rate=120] < 30%", (2,), id="the-other-level-drops-too"),
        pytest.param("dropped_rate[rate=120] < 30%; p50[rate=125] < 1s", (), id="latency-sees-drops"),
        pytest.param("lag_p50 < 1s; recall[1] > 1%", (1, 2), id="neither-lag-nor-classes-do"),
    ],
)
def test_drops_are_judged_where_a_threshold_is_about_them(limits, doubted):
    rows = [open_level(1, 120.0, 300), open_level(2, 125.0, 300)]
    verdict = judge(summary_of(rows, thresholds=thresholds.parse(limits)))

    assert verdict.doubted_levels == doubted


def test_a_level_is_no_less_in_doubt_since_another_of_its_name_crossed_a_limit_on_failures():
    few_failed = closed_row([*growing(samples(n=1188)), *samples(n=12, is_failed=True)], users=8)
    most_failed = closed_row([*samples(n=480), *samples(n=720, is_failed=True)], users=8)
    limits = thresholds.parse("failed_rate < 50%")
    verdict = judge(summary_of([few_failed, most_failed], thresholds=limits))

    assert (verdict.exit_code, verdict.doubted_levels) == (exit_codes.INVALID, (1,))
    assert judge(summary_of([most_failed], thresholds=limits)).exit_code == exit_codes.THRESHOLD


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        pytest.param("mismatched_rate < 5%", exit_codes.PASS, id="each-level"),
        pytest.param("mismatched_rate[rate=120] < 5%", exit_codes.FAILED, id="the-other-level-mismatches-too"),
        pytest.param(
            "mismatched_rate[rate=120] < 5%; mismatched_rate[rate=125] < 5%", exit_codes.PASS, id="both-by-name"
        ),
        pytest.param("mismatched_rate[rate=120] < 0.1%", exit_codes.FAILED, id="crossed-there-and-unjudged-elsewhere"),
    ],
)
def test_mismatches_are_judged_where_a_threshold_is_about_them(limits, code):
    rows = [open_level(1, 120.0, 0), open_level(2, 125.0, 0)]

    assert judge(summary_of(rows, thresholds=thresholds.parse(limits))).exit_code == code
