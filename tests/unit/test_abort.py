"""Thresholds that end a run: when they do, what is said of it, and what it is called."""

import dataclasses
from types import SimpleNamespace
from xml.etree import ElementTree

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.level_rows import closed_row, samples
from tests.support.runs import wait_for
from tests.support.summaries import judge, record_of, summarise, summary_of
from tfsload.analysis import exit_codes, summing_up, thresholds
from tfsload.analysis.abort import Aborted, Patience, with_aborted
from tfsload.analysis.held import Held, hold_all, margin_of
from tfsload.analysis.limit import Finding
from tfsload.load.plan import FixedPlan
from tfsload.records.level import Level
from tfsload.records.level_counts import LevelCounts
from tfsload.records.record import Record
from tfsload.report import junit
from tfsload.run import abort_watch
from tfsload.run.abort_watch import AbortWatch
from tfsload.run.results import Results
from tfsload.suite.level_shape import LevelShape


def parsed(text):
    return thresholds.parse(text)


def held(text, value, where="", level=None):
    (threshold,) = parsed(text)
    return Held(threshold, where, value, threshold.holds(value), margin_of(threshold, value), level=level)


# For how long a threshold is crossed

CROSSED, HOLDS, UNKNOWN = 0.2, 0.001, None


def looks_at(text, looks):
    """Return how each look ended: pairs of seconds and a figure, and whether it is a level's last and for how long."""
    patience = Patience()
    return [patience.look([held(text, value)], now_s, *rest) for now_s, value, *rest in looks]


@pytest.mark.parametrize(
    ("text", "looks", "crossed_s"),
    [
        pytest.param("error_rate < 5% abort=6s", [(0, CROSSED), (3, CROSSED)], None, id="not-for-long-enough"),
        pytest.param("error_rate < 5% abort=6s", [(0, CROSSED), (3, CROSSED), (6, CROSSED)], 6, id="for-the-grace"),
        pytest.param("error_rate < 5% abort=6s", [(0, CROSSED), (7, CROSSED)], 7, id="a-late-look"),
        pytest.param(
            "error_rate < 5% abort=6s", [(0, CROSSED), (3, HOLDS), (6, CROSSED), (9, CROSSED)], None, id="anew"
        ),
        pytest.param("error_rate < 5% abort=6s", [(0, CROSSED), (3, UNKNOWN), (6, CROSSED)], None, id="not-known"),
        pytest.param("error_rate < 5% abort=0s", [(0, HOLDS), (3, CROSSED)], 0, id="at-once"),
        pytest.param("error_rate < 5% abort", [(0, CROSSED), (3, CROSSED)], None, id="five-seconds-where-none-is-said"),
        pytest.param("error_rate < 5% abort", [(0, CROSSED), (5, CROSSED)], 5, id="and-no-more"),
        pytest.param("error_rate < 5%", [(0, CROSSED), (100, CROSSED)], None, id="not-asked-to"),
        pytest.param("error_rate < 5% abort", [(0, CROSSED, 2.0, True)], 2, id="a-levels-end-is-final"),
        pytest.param("error_rate < 5% abort=10s", [(0, CROSSED, 10.0, True)], 10, id="and-speaks-for-all-of-it"),
        pytest.param("error_rate < 5% abort=10s", [(0, CROSSED, 9.0, True)], None, id="a-level-shorter-than-the-grace"),
        pytest.param(
            "error_rate < 5% abort=10s",
            [(0, CROSSED, 9.0, True), (11, CROSSED, 9.0, True)],
            20,
            id="two-levels-in-a-row",
        ),
        pytest.param(
            "error_rate < 5% abort=10s",
            [(0, CROSSED, 9.0, True), (11, HOLDS, 9.0, True), (22, CROSSED, 9.0, True)],
            None,
            id="one-between-them-holds",
        ),
    ],
)
def test_a_run_ends_where_a_threshold_is_crossed_for_its_grace(text, looks, crossed_s):
    *before, last = looks_at(text, looks)

    assert before == [None] * len(before)
    assert (last and last.crossed_s) == crossed_s
    assert last is None or last.held == held(text, looks[-1][1])


@given(
    st.lists(
        st.tuples(
            st.integers(1, 5), st.sampled_from([CROSSED, CROSSED, HOLDS, UNKNOWN]), st.integers(0, 9), st.booleans()
        ),
        min_size=1,
        max_size=20,
    ),
    st.none() | st.integers(0, 20),
)
def test_looks_are_counted_as_a_plain_reckoning_has_it(steps, grace_s):
    text = "error_rate < 5% abort" + (f"={grace_s}s" if grace_s is not None else "")
    now_s, looks = 0, []
    for step_s, value, speaks_for_s, is_final in steps:
        now_s += step_s
        looks.append((now_s, value, float(speaks_for_s), is_final))
    found = looks_at(text, looks)

    for number, (now_s, value, _, is_final) in enumerate(looks):
        run = []  # the looks that are crossed, from this one back to the first that is not
        for one in reversed(looks[: number + 1]):
            if one[1] != CROSSED:
                break
            run.append(one)
        crossed_s = max((now_s - at_s + speaks_for_s for at_s, _, speaks_for_s, _ in run), default=None)
        limit_s = grace_s if grace_s is not None else 0 if is_final else thresholds.DEFAULT_GRACE_S
        expected = None if value != CROSSED or crossed_s < limit_s else crossed_s
        assert (found[number] and found[number].crossed_s) == expected


def test_of_two_the_first_ends_the_run():
    found = [held("error_rate < 5% abort=0s", CROSSED), held("wrong_rate < 1% abort=0s", CROSSED)]

    assert Patience().look(found, 0.0) == Aborted(found[0], 0.0)


# What thresholds were held against, with the one that ended the run


@pytest.mark.parametrize(
    ("before", "last", "after"),
    [
        pytest.param(
            [held("rate > 5", 9.0), held("error_rate < 5% abort", 0.01)],
            held("error_rate < 5% abort", 0.2),
            [held("rate > 5", 9.0), held("error_rate < 5% abort", 0.2)],
            id="in-place-of-the-figure-at-the-end",
        ),
        pytest.param(
            [held("p50 < 1s abort", 2e9, "1 user")],
            held("p50 < 1s abort", 2e9, "1 user"),
            [held("p50 < 1s abort", 2e9, "1 user")],
            id="a-level-that-has-ended",
        ),
        pytest.param(
            [held("error_rate < 5% abort", 0.01, "1 user")],
            held("error_rate < 5% abort", 0.2, "2 users"),
            [held("error_rate < 5% abort", 0.01, "1 user"), held("error_rate < 5% abort", 0.2, "2 users")],
            id="a-level-under-way",
        ),
        pytest.param(
            [held("error_rate < 5% abort", 0.01, "8 users")],
            held("error_rate < 5% abort", 0.2, "8 users"),
            [held("error_rate < 5% abort", 0.01, "8 users"), held("error_rate < 5% abort", 0.2, "8 users")],
            id="the-second-of-two-equal-levels",
        ),
        pytest.param(
            [held("error_rate[users=2] < 5% abort", None, "2 users")],
            held("error_rate[users=2] < 5% abort", 0.2, "2 users"),
            [held("error_rate[users=2] < 5% abort", 0.2, "2 users")],
            id="named-and-not-known-otherwise",
        ),
        pytest.param(
            [held("error_rate < 5% abort", 0.19), held("rate > 5", 9.0)],
            held("error_rate < 5% abort", 0.2, "1 user"),
            [held("rate > 5", 9.0), held("error_rate < 5% abort", 0.2, "1 user")],
            id="the-first-level-under-way",
        ),
    ],
)
def test_the_figure_that_ended_the_run_stands_among_the_others(before, last, after):
    assert list(with_aborted(tuple(before), Aborted(last, 5.0))) == after


def test_nothing_ended_the_run():
    found = (held("rate > 5", 9.0),)

    assert with_aborted(found, None) is found


# What the run is called


def ended_by(result, aborted):
    return dataclasses.replace(result, thresholds=with_aborted(result.thresholds, aborted), aborted=aborted)


def ended_in_a_level(text, n_levels_left=3, **more):
    """Return a sweep that `error_rate < 5% abort` has ended in its second level, 2 users."""
    result = summary_of([closed_row()], thresholds=parsed(text), n_levels_left=n_levels_left, **more)
    return ended_by(result, Aborted(held("error_rate < 5% abort", 0.2, "2 users"), 6.2))


def test_a_run_that_a_threshold_has_ended_in_a_level_has_crossed_it_and_is_not_invalid():
    verdict = judge(ended_in_a_level("error_rate < 5% abort; p50 < 1s"))

    assert (verdict.exit_code, verdict.sentences) == (
        exit_codes.THRESHOLD,
        (
            "error_rate < 5% abort was crossed at 2 users: 20.00%",
            "the run was ended by error_rate < 5% abort, which had been crossed for 6 s, with 3 levels to go",
        ),
    )
    assert all(rule.holds for rule in verdict.rules)


def test_what_the_rest_of_the_run_would_have_decided_is_a_note():
    text = "error_rate < 5% abort; p50[users=8] < 1s; parallelism > 1.5"
    verdict = judge(ended_in_a_level(text))

    assert verdict.exit_code == exit_codes.THRESHOLD
    assert tuple(map(str, verdict.notes)) == (
        "p50[users=8] < 1 s at 8 users was not judged, since the run had been ended",
        "parallelism > 1.5 was not judged, since the run had been ended",
    )


def test_what_a_level_that_was_run_leaves_open_stays_a_gap():
    result = summary_of(
        [closed_row(samples(n=100))], thresholds=parsed("error_rate < 5% abort; p99 < 1s"), n_levels_left=3
    )
    verdict = judge(ended_by(result, Aborted(held("error_rate < 5% abort", 0.2, "2 users"), 6.2)))

    assert verdict.exit_code == exit_codes.INVALID
    assert any(reason.startswith("p99 < 1 s at 1 user cannot be judged: ") for reason in verdict.sentences)
    assert any("the run was ended by error_rate < 5% abort" in reason for reason in verdict.sentences)


def test_a_level_that_has_ended_ends_the_run():
    rows = [closed_row()]
    result = summary_of(rows, thresholds=parsed("p50 < 1us abort"), n_levels_left=1)
    (found,) = hold_all(parsed("p50 < 1us abort"), rows)
    verdict = judge(ended_by(result, Aborted(found, 10.0)))

    assert verdict.exit_code == exit_codes.THRESHOLD
    assert verdict.sentences == (
        "p50 < 1 µs abort was crossed at 1 user: up to 1,000 µs",
        "the run was ended by p50 < 1 µs abort at the level's end, with 1 level to go",
    )


WRONG = record_of([(1, 1)] * 80 + [(1, 2)] * 20)


@pytest.mark.parametrize(
    "course",
    [
        pytest.param({}, id="without-an-end"),
        pytest.param({"ran_s": 9.0, "run_time_s": 60.0}, id="before-its-time"),
        pytest.param({"n_images_asked": 1000}, id="before-its-images"),
        pytest.param({"n_verified": 5}, id="before-anything-was-compared"),
    ],
)
def test_a_run_without_levels_is_not_invalid_for_having_been_ended(course):
    limits = "wrong_rate < 5% abort; p99.9 < 1s"
    result = summarise(WRONG, thresholds=parsed(limits), **course)
    last = held("wrong_rate < 5% abort", 0.25)
    verdict = judge(ended_by(result, Aborted(last, 6.0)))

    assert (verdict.exit_code, verdict.sentences) == (
        exit_codes.THRESHOLD,
        (
            "wrong_rate < 5% abort was crossed: 25.00%",
            "the run was ended by wrong_rate < 5% abort, which had been crossed for 6 s",
        ),
    )
    assert "p99.9 < 1 s was not judged, since the run had been ended" in map(str, verdict.notes)
    assert judge(result).exit_code == exit_codes.INVALID  # p99.9 wants more samples than there are


def test_requests_without_an_answer_come_before_it():
    result = summarise(record_of([(1, 2)] * 20, ["UNAVAILABLE"]), thresholds=parsed("wrong_rate < 5% abort"))
    verdict = judge(ended_by(result, Aborted(held("wrong_rate < 5% abort", 0.9), 6.0)))

    assert (verdict.exit_code, verdict.code_without_failures) == (exit_codes.FAILED, exit_codes.THRESHOLD)


def test_a_build_server_is_told_that_the_rest_was_skipped():
    text = "error_rate < 5% abort; p50[users=8] < 1s; p50 < 1s"
    result = ended_in_a_level(text)
    suite = ElementTree.fromstring(junit.write(dataclasses.replace(result, verdict=judge(result)))).find("testsuite")
    told = {case.get("name"): [one.tag for one in case] for case in suite if case.get("classname") == junit.THRESHOLDS}

    assert told == {
        "error_rate < 5% abort at 1 user": ["system-out"],
        "p50 < 1 s at 1 user": ["system-out"],
        "p50[users=8] < 1 s at 8 users": ["skipped"],
        "error_rate < 5% abort at 2 users": ["failure"],
    }
    assert (suite.get("failures"), suite.get("skipped")) == ("1", "1")


def test_a_build_server_is_told_which_of_two_levels_of_one_name_ended_the_run(run_of):
    text = "error_rate < 5% abort=0s"
    run = run_of(text)
    run.conductor.level, run.conductor.counted = Level(2, 1, None, 0.0, 60.0), counts(30, 20)
    wait_for(lambda: run.n_ended)
    result = ended_by(summary_of([closed_row()], thresholds=parsed(text), n_levels_left=1), run.aborted)
    suite = ElementTree.fromstring(junit.write(dataclasses.replace(result, verdict=judge(result)))).find("testsuite")

    assert [case.get("name") for case in suite if case.get("classname") == junit.THRESHOLDS] == [
        f"{text} at 1 user (first time)",
        f"{text} at 1 user (second time)",
    ]


@pytest.mark.parametrize(
    ("metric", "where", "elsewhere", "exit_code"),
    [
        pytest.param("failed_rate[users=2]", "2 users", 0, exit_codes.THRESHOLD, id="failures-of-the-level-cut-off"),
        pytest.param("failed_rate[users=2]", "2 users", 1, exit_codes.FAILED, id="and-of-one-before"),
        pytest.param("error_rate[users=2]", "2 users", 0, exit_codes.THRESHOLD, id="errors"),
        pytest.param("failed_rate[users=1]", "2 users", 0, exit_codes.FAILED, id="another-level-is-named"),
    ],
)
def test_failures_in_a_level_that_was_cut_off_are_judged_by_what_names_it(metric, where, elsewhere, exit_code):
    row = closed_row([*samples(), *samples(n=1, is_failed=True)[:elsewhere]])
    record = Record()
    record.merge(row.record)
    record.merge(record_of([(1, 1)] * 20, ["UNAVAILABLE"] * 20))
    result = summarise(
        record, levels=[row], thresholds=parsed(f"{metric} < 5% abort; wrong_rate < 5% abort"), n_levels_left=3
    )
    by = f"{metric} < 5% abort" if "users=2" in metric else "wrong_rate < 5% abort"

    assert judge(ended_by(result, Aborted(held(by, 0.5, where), 6.0))).exit_code == exit_code


@pytest.mark.parametrize(
    ("n_uncounted", "exit_code"),
    [
        pytest.param(0, exit_codes.THRESHOLD, id="in-the-level-cut-off"),
        pytest.param(1, exit_codes.FAILED, id="and-in-a-warm-up"),
    ],
)
def test_mismatches_in_a_level_that_was_cut_off_are_judged_by_what_names_it(n_uncounted, exit_code):
    row, text = closed_row(), "mismatched_rate[users=2] < 5% abort"
    record = record_of([(1, 1)] * 40)
    record.compared, record.mismatched = 40, 20
    record.merge(row.record)
    uncounted = Record(compared=n_uncounted, mismatched=n_uncounted)
    result = summarise(record, levels=[row], uncounted=uncounted, thresholds=parsed(text), n_levels_left=3)

    assert judge(ended_by(result, Aborted(held(text, 0.5, "2 users"), 6.0))).exit_code == exit_code


@pytest.mark.parametrize(
    "text", [pytest.param("error_rate < 5%", id="share"), pytest.param("p50 < 1us", id="percentile")]
)
def test_where_a_sweep_is_cut_off_in_its_first_level_other_thresholds_are_left_open(text):
    told = text.replace("1us", "1 µs")
    cut_off = f"wrong_rate < 5% abort; {text}"
    result = summarise(record_of([(1, 2)] * 40), thresholds=parsed(cut_off), n_levels_left=3)
    verdict = judge(ended_by(result, Aborted(held("wrong_rate < 5% abort", 1.0, "1 user"), 6.0)))

    assert result.judged_whole == ()
    assert [one.holds for one in result.thresholds] == [None, None]
    assert verdict.exit_code == exit_codes.THRESHOLD
    assert f"{told} was not judged, since the run had been ended" in map(str, verdict.notes)
    stopped = judge(result)  # by hand
    assert stopped.exit_code == exit_codes.INVALID
    assert any(one.startswith(f"{told} cannot be judged: no level was run to its end") for one in stopped.sentences)


# Who looks, and when


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


class Run:
    """A run under way, whose level and counters a test sets."""

    def __init__(self, text, has_levels, monkeypatch, n_images=None, n_in_turn=None):
        monkeypatch.setattr(abort_watch, "LOOK_INTERVAL_S", 0.001)
        monkeypatch.setattr(abort_watch, "RUN_INTERVAL_S", 0.001)
        self.n_refreshed = self.n_ended = 0
        self.coordinator = SimpleNamespace(
            results=Results(), is_ending=False, is_open=True, refresh=self.refresh, running_users=set()
        )
        self.conductor = SimpleNamespace(level=None, counted=None, n_measuring=1) if has_levels else None
        self.clock = Clock()
        self.watch = AbortWatch(
            parsed(text), self.coordinator, self.conductor, self.end, self.clock, n_images, n_in_turn
        )

    def refresh(self):
        self.n_refreshed += 1

    def end(self):
        self.n_ended += 1

    @property
    def aborted(self):
        return self.coordinator.results.aborted

    def wait_for_looks(self, n=3):
        """Let it look, so often at least."""
        n_before = self.n_refreshed
        if self.conductor is None:
            wait_for(lambda: self.n_refreshed >= n_before + n or self.aborted)
        for _ in range(5):
            gevent.sleep(0.002)


@pytest.fixture
def run_of(monkeypatch):
    made = []

    def make(text, has_levels=True, **images):
        made.append(Run(text, has_levels, monkeypatch, **images))
        return made[-1]

    yield make
    for run in made:
        run.watch.stop()


def counts(measured_s, n_wrong, level=2, n=100, **more):
    return LevelCounts(level=level, measured_s=measured_s, requests=n, predictions=n, wrong=n_wrong, **more)


LEVEL = Level(2, 8, None, 0.0, 60.0)


def test_a_level_is_looked_at_as_its_counters_come(run_of):
    run = run_of("error_rate < 5% abort=2s")
    run.conductor.level = LEVEL
    for second in range(1, 3):
        run.clock.now_s += 1
        run.conductor.counted = counts(second, n_wrong=20)
        run.wait_for_looks()
        assert run.aborted is None
    run.clock.now_s += 1
    run.conductor.counted = counts(3, n_wrong=20)
    wait_for(lambda: run.n_ended)

    assert run.aborted == Aborted(held("error_rate < 5% abort=2s", 0.2, "8 users", level=2), 2.0)
    assert run.watch.has_ended_run


def looked_at(run, told, level=LEVEL):
    """Have a level told of once, and then for a long time of nothing new."""
    run.conductor.level, run.conductor.counted = level, told
    run.wait_for_looks()
    run.clock.now_s += 100
    run.wait_for_looks()


@pytest.mark.parametrize(
    ("text", "told", "n_measuring"),
    [
        pytest.param("error_rate < 5% abort=50s", counts(30, 20), 1, id="nothing-new"),
        pytest.param("error_rate < 5% abort=0s", counts(0.5, 20), 1, id="only-just-begun"),
        pytest.param("error_rate < 5% abort=0s", counts(30, 20), 2, id="another-has-told-nothing"),
        pytest.param("error_rate < 5% abort=0s", None, 1, id="nobody-has-told-anything"),
        pytest.param("error_rate < 5% abort=0s", counts(30, 1), 1, id="it-holds"),
        pytest.param("error_rate[users=4] < 5% abort=0s", counts(30, 20), 1, id="about-another-level"),
        pytest.param("p99 < 1us abort=0s", counts(30, 20), 1, id="no-counter-tells-a-percentile"),
        pytest.param("recall[7] > 99% abort=0s", counts(30, 20), 1, id="nor-a-class"),
        pytest.param("mean < 1us abort=0s", counts(30, 20), 1, id="nor-a-mean"),
        pytest.param("mismatched_rate < 1% abort=0s", counts(30, 20), 1, id="nothing-was-compared"),
        pytest.param("error_rate < 5%", counts(30, 20), 1, id="not-asked-to"),
    ],
)
def test_what_ends_no_level(run_of, text, told, n_measuring):
    run = run_of(text)
    run.conductor.n_measuring = n_measuring
    looked_at(run, told)

    assert (run.aborted, run.n_ended) == (None, 0)


@pytest.mark.parametrize(
    ("text", "more", "value"),
    [
        pytest.param("rate > 100 abort=0s", {"rate_rps": 40.0}, 40.0, id="rate"),
        pytest.param("right_rate[5ms] > 100/s abort=0s", {"right_per_s": {5_000_000: 60.0}}, 60.0, id="right-rate"),
        pytest.param("right_rate[5ms] > 100/s abort=0s", {}, 0.0, id="nothing-right-in-time"),
        pytest.param("wrong_rate < 1% abort=0s", {}, 0.2, id="wrong"),
        pytest.param("failed_rate < 1% abort=0s", {"failed": 30}, 0.3, id="failed"),
        pytest.param("error_rate < 1% abort=0s", {"failed": 30}, 0.5, id="errors"),
        pytest.param("dropped_rate < 1% abort=0s", {"offered": 50, "dropped": 5}, 0.1, id="dropped"),
        pytest.param("mismatched_rate < 1% abort=0s", {"compared": 40, "mismatched": 4}, 0.1, id="mismatched"),
    ],
)
def test_what_counters_tell(run_of, text, more, value):
    run = run_of(text)
    run.conductor.level, run.conductor.counted = LEVEL, counts(30, 20, **more)
    wait_for(lambda: run.n_ended)

    assert run.aborted.held.value == value


def test_a_run_without_levels_is_looked_at_again_and_again(run_of):
    run = run_of("mean < 1ms abort=3s", has_levels=False)
    run.wait_for_looks()
    assert run.aborted is None  # nothing was measured yet
    run.coordinator.results.records[0] = record_of([(1, 1)] * 100)
    run.wait_for_looks()
    assert run.aborted is None
    run.clock.now_s += 3
    wait_for(lambda: run.n_ended)

    assert run.aborted == Aborted(held("mean < 1ms abort=3s", 2e6), 3.0)


def test_a_run_that_ends_is_not_looked_at(run_of):
    run = run_of("mean < 1ms abort=0s", has_levels=False)
    run.coordinator.is_ending = True
    run.coordinator.results.records[0] = record_of([(1, 1)] * 100)
    gevent.sleep(0.02)

    assert (run.aborted, run.n_refreshed) == (None, 0)


def ended(run, made, is_last=False, users=1):
    row = closed_row(made, users=users)
    run.coordinator.results.records[1] = row.record
    run.watch.level_ended(row.run, is_last)


@pytest.mark.parametrize(
    ("text", "is_ended"),
    [
        pytest.param("p50 < 1us abort", True, id="percentile"),
        pytest.param("recall[1] < 50% abort", True, id="class"),
        pytest.param("rate > 9999 abort", True, id="rate"),
        pytest.param("p50 < 1us abort=10s", True, id="as-long-as-the-grace"),
        pytest.param("p50 < 1us abort=11s", False, id="a-longer-grace"),
        pytest.param("p50[users=2] < 1us abort", False, id="about-another-level"),
        pytest.param("p50 < 1s abort", False, id="it-holds"),
        pytest.param("p99.9 < 1us abort", False, id="too-few-samples"),
        pytest.param("p50 < 1us", False, id="not-asked-to"),
    ],
)
def test_a_level_is_looked_at_when_it_has_ended(run_of, text, is_ended):
    run = run_of(text)
    ended(run, samples())

    assert run.watch.has_ended_run is is_ended
    assert run.n_ended == 0  # the next level does not begin, which ends the run


def test_the_log_names_the_level_at_whose_end_a_run_is_ended(run_of, caplog):
    ended(run_of("p50 < 1us abort"), samples())

    assert caplog.messages == ["p50 < 1 µs abort was crossed at 1 user at its end (1,000 µs): the run ends"]


def test_grace_ends_with_a_level_that_the_threshold_is_not_about(run_of):
    run = run_of("error_rate[users=2] < 5% abort=15s")
    made = samples(is_wrong=True)
    for users in (2, 4, 2):
        run.clock.now_s += 10
        ended(run, made, users=users)
        assert run.aborted is None
    run.clock.now_s += 10
    ended(run, made, users=2)

    assert run.aborted is not None
    assert run.aborted.crossed_s == 20


def test_grace_ends_also_where_counters_are_told_of_the_other_level(run_of):
    run = run_of("error_rate[users=8] < 5% abort=20s; failed_rate < 50% abort")
    for number, users in enumerate((8, 4, 8), 1):
        level = Level(number, users, None, 0.0, 60.0)
        run.conductor.level, run.conductor.counted = level, counts(5, n_wrong=20, level=number)
        run.wait_for_looks()
        run.clock.now_s += 15

    assert run.aborted is None


@pytest.mark.parametrize(
    ("has_levels", "text", "n_wrong", "is_ended"),
    [
        pytest.param(True, "error_rate < 100% abort=0s", 99, False, id="not-all-in-a-level"),
        pytest.param(True, "error_rate < 100% abort=0s", 100, True, id="all-in-a-level"),
        pytest.param(False, "error_rate < 100% abort=0s", 99, False, id="not-all"),
        pytest.param(False, "error_rate < 100% abort=0s", 100, True, id="all"),
        pytest.param(True, "error_rate < 1% abort=0s", 2, False, id="by-chance-in-a-level"),
        pytest.param(True, "error_rate < 1% abort=0s", 9, True, id="beyond-chance-in-a-level"),
        pytest.param(False, "error_rate < 1% abort=0s", 2, False, id="by-chance"),
        pytest.param(False, "error_rate < 1% abort=0s", 9, True, id="beyond-chance"),
    ],
)
def test_chance_ends_no_run(run_of, has_levels, text, n_wrong, is_ended):
    run = run_of(text, has_levels, n_in_turn=33)
    if has_levels:
        run.conductor.level, run.conductor.counted = LEVEL, counts(5, n_wrong)
    else:
        run.coordinator.results.records[0] = record_of([(1, 1)] * (100 - n_wrong) + [(1, 2)] * n_wrong)
    run.wait_for_looks()

    assert run.watch.has_ended_run is is_ended


@pytest.mark.parametrize("has_levels", [True, False])
def test_images_that_have_not_all_been_met_end_no_run(run_of, has_levels):
    run = run_of("error_rate < 100% abort=0s", has_levels, n_in_turn=34)
    if has_levels:
        run.conductor.level, run.conductor.counted = LEVEL, counts(5, 100)
    else:
        run.coordinator.results.records[0] = record_of([(1, 2)] * 100)
    run.wait_for_looks()

    assert not run.watch.has_ended_run


def test_images_that_are_each_fired_once_end_no_run_that_the_others_may_mend(run_of):
    run = run_of("error_rate < 1% abort=0s", has_levels=False, n_images=1000)
    run.coordinator.results.records[0] = record_of([(1, 2)] * 8 + [(1, 1)] * 12)
    run.wait_for_looks()

    assert not run.watch.has_ended_run


def test_after_the_last_level_nothing_is_left_to_end(run_of):
    run = run_of("p50 < 1us abort")
    ended(run, samples(), is_last=True)

    assert not run.watch.has_ended_run


def test_no_level_follows_where_a_threshold_has_ended_the_run():
    plan = FixedPlan([Level(number, 1, None, 0.0, 1.0) for number in (1, 2, 3)])
    measured: list[Level] = []

    def measure(level: Level) -> Finding | None:
        measured.append(level)
        return None

    shape = LevelShape(plan, measure, None, lambda: len(measured) == 2)
    asked = [shape.tick() for _ in range(3)]

    assert [one is None for one in asked] == [False, False, True]
    assert (len(measured), plan.n_left) == (2, 1)


def test_a_run_that_goes_on_is_held_by_the_rate_that_its_workers_keep_together():
    """Of two workers at 20/s one has reported 10 s, the other 5 s of the same time: 300 answers in 10 s are 40/s."""
    record = record_of([(1, 1)] * 300)
    asked = thresholds.parse("rate > 37/s abort; right_rate[20ms] > 37/s abort; failed_rate < 1% abort")
    record.right = {20_000_000: 300}
    held = {one.threshold.metric: one for one in summing_up.hold_run_so_far(asked, record, 40.0)}

    assert held["rate"].value == pytest.approx(40)
    assert held["rate"].holds
    assert held["right_rate"].value == pytest.approx(40)


def test_a_rate_that_is_not_known_begins_the_grace_anew():
    record = record_of([(1, 1)] * 300)
    asked = thresholds.parse("rate > 37/s abort=6s; right_rate[20ms] > 37/s abort=6s; failed_rate < 1% abort")
    unknown = summing_up.hold_run_so_far(asked, record, None)

    assert [(one.threshold, one.value, one.holds) for one in unknown[:2]] == [(one, None, None) for one in asked[:2]]
    assert unknown[2].holds
    patience = Patience()
    looks = [(0.0, 20.0), (3.0, None), (6.0, 20.0), (9.0, 20.0), (12.0, 20.0)]
    ended = [patience.look(summing_up.hold_run_so_far(asked[:1], record, rate_rps), now_s) for now_s, rate_rps in looks]
    assert [one and one.crossed_s for one in ended] == [None, None, None, None, 6.0]


def test_where_nobody_was_answered_the_rate_is_0_and_not_unknown():
    record = record_of([], ["UNAVAILABLE"] * 20)
    asked = thresholds.parse("rate > 37/s abort; right_rate[20ms] > 37/s abort")
    held = summing_up.hold_run_so_far(asked, record, 0.0)

    assert [(one.value, one.holds) for one in held] == [(0, False), (0, False)]
