"""Who takes part in a run, and whether those were as many as were asked for."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.beats import STUCK, beat
from tests.support.coordinator import master as master
from tests.support.fake_master import begin, report, rows
from tests.support.runs import wait_for
from tests.support.summaries import judge, summarise
from tfsload.analysis import exit_codes
from tfsload.analysis.attendance import MISSING_SHARE_ALLOWED, Attendance
from tfsload.analysis.thresholds import parse
from tfsload.records.recorder import Record
from tfsload.run import coordinator as coordinating
from tfsload.run import messages, roster
from tfsload.run.coordinator import Coordinator
from tfsload.run.roster import OTHER_VERSION, STRANGER


def attended(*spans):
    attendance = Attendance()
    for span in spans:
        attendance.add(*span)
    attendance.end()
    return attendance


@pytest.mark.parametrize(
    ("spans", "missing_share"),
    [
        pytest.param([], 0.0, id="nothing-looked-at"),
        pytest.param([(10, 8, 8)], 0.0, id="all"),
        pytest.param([(10, 8, 4)], 0.5, id="half"),
        pytest.param([(9, 8, 8), (1, 8, 0)], 0.1, id="none-for-a-tenth"),
        pytest.param([(10, 8, 12)], 0.0, id="more-than-asked"),
        pytest.param([(5, 8, 12), (5, 8, 4)], 0.25, id="more-make-up-for-none"),
        pytest.param([(10, 0, 0)], 0.0, id="a-shape-that-asks-for-none"),
        pytest.param([(1, 80, 80), (9, 0, 0)], 0.0, id="and-then-none"),
        pytest.param([(4, 8, 0), (6, 8, 8)], 0.0, id="only-slow-to-start"),
        pytest.param([(6, 8, 0), (6, 8, 8)], 0.5, id="too-slow-to-start"),
        pytest.param([(3, 8, 4)], 0.5, id="never-all-of-them"),
        pytest.param([(2, 8, 8), (3, 16, 8), (5, 16, 16)], 0.0, id="slow-when-more-are-asked-for"),
        pytest.param([(2, 8, 8), (2, 8, 0), (2, 8, 8)], 1 / 3, id="away-and-back-again"),
    ],
)
def test_missing_users_are_added_up_over_time(spans, missing_share):
    assert attended(*spans).attended.missing_share == pytest.approx(missing_share)


@pytest.mark.parametrize(
    ("spans", "is_considerable"),
    [
        pytest.param([(0.5, 1, 0)], False, id="one-look"),
        pytest.param([(0.5, 1, 0), (0.5, 1, 0)], True, id="two-looks"),
        pytest.param([(0.5, 8, 4), (9.5, 8, 8)], False, id="in-the-first-of-many"),
        pytest.param([(10, 8, 7)], True, id="one-of-eight"),
        pytest.param([(10, 80, 73)], False, id="seven-of-eighty"),
    ],
)
def test_so_much_is_missing_that_it_matters(spans, is_considerable):
    assert attended(*spans).attended.is_considerable is is_considerable


@pytest.mark.parametrize(
    ("spans", "told"),
    [
        pytest.param([(10, 8, 4)], "4.0 of the 8 users asked for ran on average", id="few"),
        pytest.param([(10, 1000, 700)], "700.0 of the 1,000 users asked for ran on average", id="a-thousand"),
        pytest.param([(10, 12_345, 700)], "700.0 of the 12,345 users asked for ran on average", id="all-digits"),
        pytest.param([(5, 8, 4), (5, 11, 4)], "4.0 of the 9.5 users asked for ran on average", id="more-in-between"),
        pytest.param([], "0.0 of the 0 users asked for ran on average", id="nothing-looked-at"),
    ],
)
def test_who_ran_is_told_in_numbers_of_users(spans, told):
    assert attended(*spans).attended.sentence == told


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 100), st.integers(0, 100))))
def test_the_missing_share_is_a_share(spans):
    assert -1e-9 <= attended(*spans).attended.missing_share <= 1


def record_of(n):
    record = Record()
    for _ in range(n):
        record.add([1], [1], None, 10**6, 10**18)
    return record


HALF, NEARLY_ALL = attended((10, 8, 4)), attended((10, 100, 100 - 100 * MISSING_SHARE_ALLOWED / 2))


@pytest.mark.parametrize(
    ("more", "exit_code"),
    [
        pytest.param({"attendance": HALF}, exit_codes.INVALID, id="half"),
        pytest.param({"attendance": NEARLY_ALL}, exit_codes.PASS, id="nearly-all"),
        pytest.param({"attendance": None}, exit_codes.PASS, id="not-known"),
        pytest.param({"attendance": HALF, "n_images_asked": 30}, exit_codes.PASS, id="each-image-once-by-however-many"),
        pytest.param(
            {"attendance": HALF, "n_images_asked": 30, "thresholds": parse("mean < 1s")},
            exit_codes.INVALID,
            id="each-image-once-and-how-fast",
        ),
        pytest.param(
            {"attendance": HALF, "n_images_asked": 30, "thresholds": parse("error_rate < 50%")},
            exit_codes.PASS,
            id="each-image-once-and-how-right",
        ),
    ],
)
def test_a_run_without_its_users_says_little(more, exit_code):
    verdict = judge(summarise(record_of(30), **more))

    assert verdict.exit_code == exit_code, verdict
    said = any("4.0 of the 8 users asked for ran on average" in reason for reason in verdict.sentences)
    assert said == (exit_code == exit_codes.INVALID)


# The coordinator, whose workers are played by the test


@pytest.fixture
def clock():
    return SimpleNamespace(now_s=1000.0)


@pytest.fixture
def coordinator(master, clock, monkeypatch):
    monkeypatch.setattr(coordinating, "WATCH_INTERVAL_S", 0.001)

    def look_again():
        clock.now_s += 0.5
        return clock.now_s

    leader = Coordinator(master.environment, master, lambda: None, clock_s=look_again)
    yield leader
    master.clients.clear()
    leader.end()


def wait_for_seconds(clock, seconds):
    until_s = clock.now_s + seconds
    wait_for(lambda: clock.now_s > until_s)


def test_users_count_where_their_worker_has_joined(master, coordinator, clock):
    coordinator.begin(None)
    master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, "a")
    wait_for_seconds(clock, 20)
    coordinator.begin_to_end()

    assert coordinator.results.attendance.attended.missing_share == pytest.approx(0.5)


def test_users_of_an_unfit_worker_do_not_count(master, coordinator, clock):
    begin(coordinator)
    master.receive(messages.UNFIT, {"run": 1, "reason": "no data"}, "b")
    wait_for_seconds(clock, 20)
    coordinator.begin_to_end()

    assert coordinator.results.attendance.attended.missing_share == pytest.approx(0.5)


def test_a_ramp_and_the_end_do_not_count(master, coordinator, clock):
    master.state = "spawning"
    begin(coordinator)
    master.target_user_count = 1000
    wait_for_seconds(clock, 5)
    master.state, master.target_user_count = "running", 2
    coordinator.begin_to_end()
    for client in master.clients.all:
        client.user_count = 0
    wait_for_seconds(clock, 5)

    assert coordinator.results.attendance.asked_user_s == 0


def test_a_worker_that_runs_users_and_never_joins_is_named(master, coordinator, clock):
    coordinator.begin(None)
    master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, "a")
    wait_for_seconds(clock, 2 * roster.STRANGE_AFTER_S)

    assert coordinator.results.unfit_workers == {"b": STRANGER}


def test_a_worker_that_was_only_slow_to_join_is_not(master, coordinator, clock):
    coordinator.begin(None)
    wait_for(lambda: len(coordinator.results.unfit_workers) == 2)
    for worker in ("a", "b"):
        master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, worker)
    wait_for_seconds(clock, 2 * roster.STRANGE_AFTER_S)

    assert coordinator.results.unfit_workers == {}
    assert coordinator.results.attendance.ran_user_s > 0


def test_a_worker_without_users_is_no_stranger(master, coordinator, clock):
    coordinator.begin(None)
    for client in master.clients.all:
        client.user_count = 0
    wait_for_seconds(clock, 2 * roster.STRANGE_AFTER_S)

    assert coordinator.results.unfit_workers == {}


@pytest.mark.parametrize(
    "data", [pytest.param({}, id="older"), pytest.param({"protocol": messages.PROTOCOL + 1}, id="newer")]
)
def test_a_worker_of_another_version_is_named_and_gets_nothing(master, coordinator, data):
    coordinator.begin(n_requests=1)
    master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, "a")
    master.receive(messages.JOINED, {"run": 1, **data}, "b")
    master.receive(messages.LEASE_WANTED, {"run": 1, "held": [], "newest": -1}, "b")

    assert master.sent[-1] == (messages.LEASE, {"run": 1, "lease": None, "is_warming_up": False}, "b")
    assert coordinator.results.unfit_workers == {"b": OTHER_VERSION}


def test_what_a_worker_of_another_version_reports_is_not_read(master, coordinator):
    coordinator.begin(None)
    master.receive(messages.JOINED, {"run": 1}, "b")
    report(master, "b", [{"of": "another kind"}])
    report(master, "a", rows(None, 2))

    assert coordinator.results.overall.requests == 2


def test_a_stuck_worker_counts_as_one_that_runs(master, coordinator, clock):
    begin(coordinator, n_requests=1)
    beat(master, "a", held=[0], newest=0, **STUCK)
    wait_for_seconds(clock, 2)

    assert coordinator.results.attendance.attended.missing_share == 0
