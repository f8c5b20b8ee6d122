"""What the live line is told: rates of all who answer, from when requests count, or none; and how many levels come."""

import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.load.plan import FixedPlan
from tfsload.records.level import Level
from tfsload.records.level_counts import LevelCounts
from tfsload.records.record import Record
from tfsload.records.window import UNCOUNTED, WHOLE_RUN
from tfsload.report import live_line
from tfsload.run.results import Pace, Results
from tfsload.suite.led_run import LedRun
from tfsload.suite.run_standing import standing_of

S = 1_000_000_000
T0 = 1_000 * S


def rows(n, first_s, level=WHOLE_RUN.level, n_failed=0):
    record = Record(requests=n, failed_requests=n_failed, predictions=n, first_sent_unix_ns=T0 + int(first_s * S))
    return [{"level": level, "lease": None, "record": record}]


def results_of(*reports):
    """Return results in which each (worker, rows, seconds on its clock, and what it holds of leases) was reported."""
    results = Results()
    for worker, told, at_s, *n_undelivered in reports:
        results.paces.setdefault(worker, Pace()).take(told, T0 + int(at_s * S), *n_undelivered)
    return results


@pytest.mark.parametrize(
    ("reports", "workers", "rate_rps"),
    [
        pytest.param([("a", rows(300, 0), 3)], {"a"}, 100, id="one"),
        pytest.param([("a", rows(300, 0), 3), ("a", rows(300, 3), 6)], {"a"}, 100, id="in-two-reports"),
        pytest.param([("a", rows(60, 0), 3), ("b", rows(20, 0), 1)], {"a", "b"}, 40, id="of-other-age"),
        pytest.param([("a", rows(60, 0), 3), ("b", rows(60, 5), 8)], {"a", "b"}, 40, id="one-began-later"),
        pytest.param([("a", rows(60, 0), 3), ("b", rows(60, 90_000), 90_003)], {"a", "b"}, 40, id="another-clock"),
        pytest.param([("a", rows(60, 0), 3)], {"a", "b"}, None, id="one-has-told-nothing"),
        pytest.param([("a", rows(60, 0), 3), ("b", [], 3)], {"a", "b"}, None, id="one-has-told-of-nothing"),
        pytest.param([("a", rows(60, 0), 3), ("b", rows(60, 0), 3)], {"a"}, 20, id="one-is-gone"),
        pytest.param([], set(), None, id="nobody"),
        pytest.param([("a", rows(60, 0, n_failed=30), 3)], {"a"}, 10, id="only-what-is-answered"),
        pytest.param([("a", rows(500, 0, UNCOUNTED), 10), ("a", rows(200, 10), 12)], {"a"}, 100, id="after-a-warm-up"),
        pytest.param([("a", rows(500, 0, UNCOUNTED), 10)], {"a"}, None, id="in-a-warm-up"),
        pytest.param([("a", rows(300, 0), 3), ("a", [], 6)], {"a"}, 50, id="nothing-is-answered-any-more"),
        pytest.param(
            [("a", rows(60, 0), 3), ("b", rows(60, 0), 3), ("a", [], 6), ("b", rows(60, 3), 6)],
            {"a", "b"},
            30,
            id="by-one-server-of-two",
        ),
        pytest.param([("a", rows(9, 0, n_failed=9), 5)], {"a"}, 0, id="nothing-was-ever-answered"),
        pytest.param([("a", [], 3), ("a", rows(100, 9), 10)], {"a"}, 100, id="before-it-begins"),
        pytest.param([("a", rows(60, 0), 2), ("a", [], 3, 30)], {"a"}, 30, id="under-a-lease-that-is-not-worked-off"),
        pytest.param(
            [("a", rows(60, 0), 2), ("a", [], 3, 30), ("a", rows(60, 2), 4, 0)], {"a"}, 30, id="and-that-is-now"
        ),
        pytest.param([("a", rows(60, 0), 2, 30), ("a", [], 9, 30)], {"a"}, 10, id="which-is-answered-no-further"),
    ],
)
def test_the_rate_of_workers_together(reports, workers, rate_rps):
    assert results_of(*reports).rate_rps(workers) == rate_rps


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(1, 90), st.integers(0, 9)), min_size=1, max_size=4))
def test_the_rate_is_of_all_workers_however_old_their_reports_are(workers):
    """Each is answered evenly, from a time of its own on, and has reported up to another."""
    reports = []
    for number, (rate_rps, for_s, from_s) in enumerate(workers):
        n_first, n = int(rate_rps * for_s / 3), int(rate_rps * for_s)
        reports += [
            (number, rows(n_first, from_s), from_s + for_s / 3),
            (number, rows(n - n_first, from_s + (for_s / 3 if n_first else 0)), from_s + for_s),
        ]
    found = results_of(*reports).rate_rps(set(range(len(workers))))
    rate_rps = sum(rate_rps for rate_rps, _, _ in workers)

    assert rate_rps - sum(1.01 / for_s for _, for_s, _ in workers) <= found <= rate_rps * (1 + 1e-6)


def test_what_can_be_sent_counts_as_what_it_was_made_of():
    (row,) = rows(300, 0)
    sent = {**row, "record": row["record"].to_plain()}

    assert results_of(("a", [sent], 3)).rate_rps({"a"}) == results_of(("a", [row], 3)).rate_rps({"a"}) == 100


def standing_in(results=None, counted=None, n_measuring=1, plan=None, level=None, workers=("a",)):
    """Return where a run stands, 60 s after it began, of which so much has arrived."""
    coordinator = SimpleNamespace(
        refresh=lambda: None, results=results or Results(), elapsed_s=60.0, running_users=set(workers), is_ending=False
    )
    conductor = SimpleNamespace(begun_s=time.monotonic(), counted=counted, n_measuring=n_measuring, level=level)
    runner = SimpleNamespace(user_count=4, target_user_count=4)
    load = SimpleNamespace(rates=(), find_max_rate=None)
    settings = SimpleNamespace(data=SimpleNamespace(num_tests=0), load=load)
    return standing_of(LedRun(SimpleNamespace(settings=settings), plan), runner, coordinator, conductor)


def test_after_a_warm_up_the_line_tells_the_rate_from_its_end_on():
    results = results_of(("a", rows(500, 0, UNCOUNTED), 50), ("a", rows(1000, 50), 60))
    results.records = {WHOLE_RUN.level: rows(1000, 50)[0]["record"]}

    assert live_line.of(standing_in(results), 100) == "1 min  100/s  0% err"


LEVELS = [Level(number, 4, None, 0.0, 10.0) for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("n_told", "told"),
    [pytest.param(4, "160/s  5.00% err", id="whole"), pytest.param(1, "5.00% err", id="one-of-four")],
)
def test_in_a_level_the_rate_is_left_out_until_all_have_told_theirs(n_told, told):
    counts = LevelCounts(
        level=2, measured_s=2.0, requests=100, predictions=100, wrong=5, rate_rps=40.0 * n_told, n_processes=n_told
    )
    standing = standing_in(counted=counts, n_measuring=4, plan=FixedPlan(LEVELS), level=LEVELS[1])
    line = live_line.of(standing, 100)

    assert line.startswith("2/3  4 users")
    assert line.endswith(f"s left  {told}")


def test_between_two_levels_there_is_no_line():
    assert live_line.of(standing_in(plan=FixedPlan(LEVELS)), 100) == ""


@pytest.mark.parametrize(
    ("n_told", "level", "is_ending"),
    [
        pytest.param(3, None, True, id="all-done"),
        pytest.param(2, None, False, id="between-two"),
        pytest.param(3, LEVELS[2], False, id="the-last-being-told"),
        pytest.param(0, None, False, id="before-the-first"),
    ],
)
def test_after_its_last_level_a_run_is_ending_before_locust_has_looked_for_another(n_told, level, is_ending):
    plan, results = FixedPlan(LEVELS), Results()
    for _ in range(n_told):
        plan.tell(None)
        results.levels.append(None)

    assert standing_in(results, plan=plan, level=level).is_ending is is_ending


def test_how_many_levels_there_are_is_said_alike():
    plan = FixedPlan(LEVELS)
    plan.tell(None)
    search = SimpleNamespace(n_levels=9)
    fixed = LedRun(None, plan).place_of(LEVELS[1])
    probe = LedRun(None, search).place_of(Level(2, 4, 100.0, 0.0, 10.0, is_probe=True))

    assert (fixed.of_how_many, fixed.in_words) == ("3", "3")
    assert (probe.of_how_many, probe.in_words) == ("~9", "about 9")


def test_how_many_levels_there_are_is_what_was_known_when_the_level_began():
    search = SimpleNamespace(n_levels=9)
    run, probe = LedRun(None, search), Level(2, 4, 100.0, 0.0, 10.0, is_probe=True)
    before = run.place_of(probe)
    search.n_levels = 7

    assert run.place_of(probe) is before
