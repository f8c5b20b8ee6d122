"""Probes of a limit search that one stall decides: held once more at full length, and then given up."""

import random

import pytest

from tests.support import summaries as report
from tests.support.level_rows import run_of
from tests.support.stalls import calm, record_of, slow, stalled
from tests.support.summaries import judge, summary_of
from tfsload.analysis import exit_codes, thresholds
from tfsload.analysis.levels import finding_of, level_row
from tfsload.analysis.limit import Ending, Finding
from tfsload.load.plan import SearchPlan, make_plan
from tfsload.load.search import RateSearch
from tfsload.settings.settings import Settings

TEXT = "p99 < 50ms"
LIMITS = thresholds.parse(TEXT)
HOLDS, FAILS = Finding(True, (), None), Finding(False, ("crossed p99 < 50 ms",), None)
UNDECIDED = Finding(False, ("left p99 < 50 ms undecided, as one stall decides it",), None, is_undecided=True)


def plan_of(find_max_rate="100:5000", threshold=TEXT, level_duration="20"):
    options = {"find_max_rate": find_max_rate, "threshold": threshold, "level_duration": level_duration}
    settings = Settings.parse(options, None)
    return make_plan(settings.load, settings.checks.thresholds, settings.model.deadline_s, 50)


def row_of(made, rate_rps=500.0, seconds=8.0):
    return level_row(run_of(rate_rps=rate_rps, seconds=seconds, users=50), record_of(TEXT, made, seconds))


CALM = calm()
STALLED = stalled(calm(), 3.1, 0.3)
# A queue that drains for long is seen in the level's thirds, whatever a threshold says.
TAIL = slow(calm(), every=50)


@pytest.mark.parametrize(
    ("made", "finding"),
    [
        pytest.param(CALM, (True, (), False, False), id="holds"),
        pytest.param(STALLED, (False, UNDECIDED.binding, True, True), id="one-stall"),
        pytest.param(TAIL, (False, ("crossed p99 < 50 ms",), False, False), id="the-same-tail-spread"),
        pytest.param(
            slow(calm(n=500), every=500),
            (False, ("gave 500 answers, too few to tell whether p99 < 50 ms",), False, True),
            id="too-few",
        ),
    ],
)
def test_what_a_probe_finds(made, finding):
    found = finding_of(row_of(made), LIMITS)

    assert (found.holds, found.binding, found.is_undecided, found.is_unknown) == finding


def test_a_probe_that_also_crosses_something_else_is_decided():
    record = record_of("p99 < 50ms; max < 50ms", STALLED)
    row = level_row(run_of(rate_rps=500.0, seconds=8.0, users=50), record)
    found = finding_of(row, thresholds.parse("p99 < 50ms; max < 50ms"))

    assert not found.is_undecided
    assert found.binding[0] == "crossed max < 50 ms"


def test_it_is_held_once_more_at_full_length_and_then_as_good_as_any():
    plan = plan_of()
    first = plan.next()
    plan.tell(UNDECIDED)
    again = plan.next()
    plan.tell(HOLDS)
    after = plan.next()

    assert (first.rate_rps, again.rate_rps, after.rate_rps) == (100.0, 100.0, 707.0)
    assert (first.duration_s, again.duration_s, after.duration_s) == (10.0, 20.0, 10.0)
    assert (first.number, again.number, after.number) == (1, 2, 3)


def test_a_rate_that_one_stall_decides_twice_does_not_hold_and_the_result_says_so():
    plan = plan_of("100:104")
    for finding in (HOLDS, UNDECIDED, UNDECIDED, HOLDS):
        level = plan.next()
        plan.tell(finding)

    assert plan.next() is None
    assert (level.rate_rps, plan.search.result.ending) == (100.0, Ending.FOUND)
    assert plan.search.result.sentence == (
        "The highest rate that holds: 100 requests/s "
        "(the next one tried, 104, left p99 < 50 ms undecided, as one stall decides it, both times)."
    )


def test_a_confirmation_is_held_once_more_too():
    plan = plan_of("100:104")
    durations = []
    for finding in (HOLDS, FAILS, UNDECIDED, HOLDS):
        durations.append(plan.next().duration_s)
        plan.tell(finding)

    assert plan.next() is None
    assert durations == [10.0, 10.0, 20.0, 20.0]
    assert (plan.search.result.ending, plan.search.result.rate_rps) == (Ending.FOUND, 100.0)


def test_the_lowest_rate_is_not_called_too_high_for_one_stall():
    rows = [row_of(STALLED, rate_rps=100.0) for _ in range(2)]
    plan = plan_of()
    for row in rows:
        plan.next()
        plan.tell(finding_of(row, LIMITS))
    assert plan.next() is None
    verdict = judge(summary_of(rows, search=plan.search.result, thresholds=LIMITS))

    assert verdict.exit_code == exit_codes.INVALID
    assert verdict.sentences == (
        "Even 100 requests/s, the lowest rate asked for, left p99 < 50 ms undecided, as one stall decides it, both "
        "times; use a longer --level-duration",
    )


def test_the_table_says_which_probes_were_open():
    rows = [row_of(CALM, 100.0), row_of(STALLED, 200.0), row_of(TAIL, 300.0)]
    plan = plan_of("100:104")
    summary = summary_of(rows, search=plan.search.result, thresholds=LIMITS)

    heading, *lines = report.table(summary.levels, summary.probes_hold)
    assert [line.split()[-1] for line in (heading, *lines)] == ["holds", "yes", "open", "no"]
    assert report.notes(summary.levels, summary.probes_hold)[-1] == (
        "open: one stall decides a threshold; such a rate is held once more, at full length."
    )
    assert "open:" not in "\n".join(report.notes(summary.levels, (True, False, True)))


def driven(find, search):
    """Drive a search, and return the levels that it took."""
    plan, n_levels = SearchPlan(search, lambda number, rate_rps, is_full: (number, rate_rps, is_full)), 0
    while (level := plan.next()) is not None:
        n_levels += 1
        plan.tell(find(level))
    return n_levels


def test_stalls_that_come_and_go_cost_levels_and_no_result():
    chance = random.Random(3)
    for _ in range(200):
        capacity = 100 * 50 ** chance.random()
        undecided = set()

        def find(level, capacity=capacity, undecided=undecided):
            _, rate_rps, _ = level
            if rate_rps not in undecided and chance.random() < 0.5:
                undecided.add(rate_rps)
                return UNDECIDED
            undecided.discard(rate_rps)
            return Finding(rate_rps <= capacity, (), min(rate_rps, capacity))

        search = RateSearch(100, 5000)
        assert driven(find, search) <= 2 * 12
        assert 0.95 * capacity <= search.result.rate_rps <= capacity
        assert search.n_probes <= 12


def test_a_server_that_always_stalls_ends_a_search_at_once():
    search = RateSearch(100, 5000)

    assert driven(lambda _: UNDECIDED, search) == 2
    assert (search.n_probes, search.result.ending, search.result.is_undecided) == (1, Ending.NONE_HOLDS, True)


def test_where_probes_are_left_is_foreseen_with_a_probe_held_once_more():
    plan = plan_of()
    plan.next()
    before = plan.n_left
    plan.tell(UNDECIDED)
    plan.next()

    assert plan.n_left == before
