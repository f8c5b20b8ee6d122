"""Levels measured by several participants at once, and by one in this process, over fake runners."""

import dataclasses
import os
import time
from types import MappingProxyType, SimpleNamespace

import gevent
import numpy as np
import pytest
from gevent.event import Event
from locust.env import Environment
from locust.runners import STATE_MISSING, STATE_RUNNING, WorkerRunner

from tests.support.beats import beat
from tests.support.fake_master import Master, stamp
from tests.support.fake_users import Runner, ScriptedUser, run_options
from tests.support.runs import wait_for
from tfsload.analysis.doubts import Doubt
from tfsload.analysis.levels import level_row
from tfsload.prediction import events, slot
from tfsload.prediction.process_run import load_images
from tfsload.records.cpu import CpuShares
from tfsload.records.level import Disturbance, Level
from tfsload.records.level_counts import LevelCounts
from tfsload.records.neighbours import Neighbours
from tfsload.records.recorder import Record, Recorder, merge_plain
from tfsload.records.window import BETWEEN_LEVELS, UNCOUNTED, Window
from tfsload.run import conductor as conducting
from tfsload.run import coordinator as coordinating
from tfsload.run import machine_reading, messages
from tfsload.run import participant as participating
from tfsload.run.conductor import Conductor
from tfsload.run.coordinator import Coordinator
from tfsload.run.participant import Participant
from tfsload.settings.settings import Settings
from tfsload.transport.answer import Answer

CLOSED = Level(1, 2, None, 0.0, 0.01)
OPEN = Level(1, 2, 500.0, 0.25, 3.0)
MS = 1_000_000


class Clock:
    """`time` with a monotonic clock that a test sets, and that counts looks at it."""

    perf_counter_ns = staticmethod(time.perf_counter_ns)

    def __init__(self):
        self.now_s = 1000.0
        self.n_looks = 0

    def monotonic(self):
        self.n_looks += 1
        return self.now_s

    def wait_for_looks(self):
        """Wait until it was looked at, and what was seen thought over."""
        n_before = self.n_looks
        wait_for(lambda: self.n_looks > n_before + 2)


def count_sleeps(monkeypatch, module):
    """Return the list that holds how long each sleep of a module's was, once it is over."""
    over_s = []

    def sleep(seconds):
        gevent.sleep(seconds)
        over_s.append(seconds)

    monkeypatch.setattr(module, "gevent", SimpleNamespace(**{**vars(gevent), "sleep": sleep}))
    return over_s


# The conductor, whose workers are played by the test


class MasterOfUsers(Master):
    """A master without sockets, which knows how many users each worker runs."""

    @property
    def user_count(self):
        return sum(client.user_count for client in self.clients.all)


@pytest.fixture
def master():
    return MasterOfUsers(Environment(parsed_options=SimpleNamespace(), stop_timeout=0), ["a", "b"])


@pytest.fixture
def coordinator(master, monkeypatch):
    monkeypatch.setattr(coordinating, "WATCH_INTERVAL_S", 0.01)
    leader = Coordinator(master.environment, master, on_over=lambda: None)
    begin_run(leader, master)
    yield leader
    master.clients.clear()
    leader.end()


def begin_run(coordinator, master):
    coordinator.begin(None)
    for worker in ("a", "b"):
        master.receive(messages.JOINED, {"run": coordinator.number, "protocol": messages.PROTOCOL}, worker)


@pytest.fixture
def conductor(master, coordinator):
    return Conductor(master, coordinator)


@pytest.fixture
def measure(conductor, master):
    """Have a level measured beside the test; return its greenlet, once the workers were told of the level."""
    under_way = []

    def begin(level, deadline_s=1.0):
        told = len(asked(master))
        under_way.append(gevent.spawn(conductor.measure, level, deadline_s))
        wait_for(lambda: len(asked(master)) > told or under_way[-1].ready())
        return under_way[-1]

    yield begin
    gevent.killall(under_way)


def asked(master):
    """Return the LEVEL messages that were sent, with the worker that each went to."""
    return [(worker, data) for message, data, worker in master.sent if message == messages.LEVEL]


def rows_of(level, n_requests):
    recorder = Recorder()
    for _ in range(n_requests):
        recorder.record([1], [1], None, 10**18 - 10**6, 10**18 - 10**6, 10**18, None)
    return [{**row, "level": level} for row in recorder.take_all()]


def tell_done(master, worker, level=1, n_requests=3, run=1, **figures):
    data = {"run": run, "level": level, "rows": rows_of(level, n_requests), **stamp()}
    cpu = {"busy": figures.pop("busy_share", 0.25), "waited": figures.pop("waited_share", 0.0), "mean_wait_ns": 0.0}
    own = {"n_users": 1, "cpu": cpu, "round_trip_ns": None, **figures}
    master.receive(messages.LEVEL_DONE, {**data, **own}, worker)


def result_of(greenlet):
    return greenlet.get(timeout=10)


def test_each_worker_is_told_of_the_level_and_of_its_share(master, measure):
    measure(OPEN)

    common = {"run": 1, "level": 1, "rate_rps": 500.0, "warm_up_s": 0.25, "duration_s": 3.0, "n_shares": 2}
    assert asked(master) == [("a", {**common, "share": 0}), ("b", {**common, "share": 1})]


def test_a_level_is_over_when_each_worker_has_said_so(master, coordinator, measure):
    measuring = measure(CLOSED)
    tell_done(master, "a", n_requests=3, n_users=1, busy_share=0.5, waited_share=0.1)
    assert gevent.wait([measuring], timeout=0.05) == []
    tell_done(master, "b", n_requests=4, n_users=1, busy_share=0.75)
    run = result_of(measuring)

    assert (run.level, run.n_workers, run.missing_workers) == (CLOSED, 2, ())
    assert (run.n_users, run.busy_share) == (2, 0.75)
    assert run.cpu == (CpuShares(0.5, 0.1, 0.0), CpuShares(0.75, 0.0, 0.0))
    assert run.round_trip_ns is None
    assert coordinator.results.records[1].requests == 7


class Watch:
    """Sees that others take half of a CPU; keeps what it was told."""

    FOUND = Neighbours(2, 0.5, 0.0)

    def __init__(self):
        self.begun, self.n_looks, self.reports = [], 0, []

    def level_begins(self, level, now_s):
        self.begun.append((level, now_s))

    def look(self, now_s):
        self.n_looks += now_s > self.begun[-1][1]

    def level_ended(self, reports, _now_s):
        self.reports += [(report["place"], report["pid"]) for report in reports]
        return self.FOUND


def test_others_are_watched_while_a_level_is_measured(master, conductor, measure):
    conductor.watch = Watch()
    measuring = measure(CLOSED)
    wait_for(lambda: conductor.watch.n_looks > 1)
    tell_done(master, "a", place="here", pid=7)
    tell_done(master, "b", place="there", pid=8)

    assert result_of(measuring).neighbours is Watch.FOUND
    assert [level for level, _ in conductor.watch.begun] == [CLOSED]
    assert conductor.watch.reports == [("here", 7), ("there", 8)]


def test_where_a_worker_is_lost_nothing_is_said_of_others(master, conductor, measure):
    """It did not say which process it was: it may be one of those that took the CPU."""
    conductor.watch = Watch()
    measuring = measure(CLOSED)
    tell_done(master, "b", place="here", pid=8)
    master.clients["a"].state = STATE_MISSING

    assert result_of(measuring).neighbours is None


def test_the_round_trip_is_that_of_whoever_had_users(master, measure):
    measuring = measure(CLOSED)
    tell_done(master, "a", n_users=0, round_trip_ns=9_000_000)
    tell_done(master, "b", n_users=1, round_trip_ns=400_000)

    assert result_of(measuring).round_trip_ns == 400_000


def test_a_lost_worker_ends_the_wait_and_is_named(master, coordinator, measure):
    measuring = measure(CLOSED)
    tell_done(master, "b", n_users=1)
    master.clients["a"].state = STATE_MISSING
    run = result_of(measuring)

    assert (run.n_workers, run.missing_workers, run.n_users) == (2, ("a",), 1)
    assert any(
        "1 of 2 workers" in doubt.what for doubt in level_row(run, coordinator.results.records[1]).generator_doubts
    )


def test_when_all_workers_are_lost_the_level_is_over(master, measure):
    measuring = measure(CLOSED)
    for client in master.clients.all:
        client.state = STATE_MISSING
    run = result_of(measuring)

    assert (run.missing_workers, run.n_users, run.busy_share) == (("a", "b"), 0, 0.0)


def test_a_worker_that_is_lost_after_its_report_is_not_missing(master, measure):
    measuring = measure(CLOSED)
    tell_done(master, "a")
    master.clients["a"].state = STATE_MISSING
    tell_done(master, "b")

    assert result_of(measuring).missing_workers == ()


def test_a_worker_that_says_nothing_is_not_waited_for_beyond_the_limit(master, measure, monkeypatch, caplog):
    monkeypatch.setattr(conducting, "REPORT_LIMIT_S", 0.05)
    measuring = measure(CLOSED, deadline_s=0.01)
    tell_done(master, "b")

    assert result_of(measuring).missing_workers == ("a",)
    assert "Level 1: no report of a in time" in caplog.text


def edit(master):
    master.target_user_count = 3
    master.clients["a"].user_count = 2


def leave(master):
    """Stop the users of a worker, which is gone only later."""
    master.clients["b"].user_count = 0


def be_silent(master):
    master.clients["b"].state = STATE_MISSING
    master.clients["b"].user_count = 0


def join(master):
    master.clients["c"] = SimpleNamespace(id="c", state=STATE_RUNNING, user_count=1)
    master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, "c")


def take_over(master):
    """Join, and have users that another had."""
    join(master)
    master.clients["a"].user_count = 0


JOINED = Disturbance("worker c joined and took over users", "run again")


@pytest.mark.parametrize(
    ("happens", "is_b_back", "disturbance"),
    [
        pytest.param(lambda _: None, True, None, id="nothing"),
        pytest.param(
            edit, True, Disturbance("the number of users went from 2 to 3", "run again, and edit none"), id="edited"
        ),
        pytest.param(
            leave, True, Disturbance("the number of users went from 2 to 1 by itself", "see the log"), id="ended"
        ),
        pytest.param(leave, False, None, id="leaves"),
        pytest.param(be_silent, False, None, id="lost"),
        pytest.param(join, True, JOINED, id="joins"),
        pytest.param(take_over, True, JOINED, id="takes-over"),
    ],
)
def test_what_changes_while_a_level_is_measured_is_told(master, measure, monkeypatch, happens, is_b_back, disturbance):
    sleeps_s = count_sleeps(monkeypatch, conducting)
    measuring = measure(CLOSED)
    happens(master)
    n_before = len(sleeps_s)
    wait_for(lambda: len(sleeps_s) > n_before + 1)
    tell_done(master, "a")
    if is_b_back:
        tell_done(master, "b")
    else:
        master.clients.pop("b")

    assert result_of(measuring).disturbance == disturbance


def test_a_late_report_of_an_earlier_level_is_merged_and_is_not_this_ones(master, coordinator, measure, monkeypatch):
    monkeypatch.setattr(conducting, "REPORT_LIMIT_S", 0.05)
    measuring = measure(CLOSED, deadline_s=0.01)
    tell_done(master, "b", level=1, n_requests=1)
    assert result_of(measuring).missing_workers == ("a",)

    monkeypatch.setattr(conducting, "REPORT_LIMIT_S", 10)
    measuring = measure(Level(2, 2, None, 0.0, 0.01))
    tell_done(master, "a", level=1, n_requests=5, n_users=99)  # at last
    tell_done(master, "b", level=2, n_requests=7)
    assert gevent.wait([measuring], timeout=0.05) == []  # a's second level is still to come
    tell_done(master, "a", level=2, n_requests=8)
    run = result_of(measuring)

    assert (run.missing_workers, run.n_users) == ((), 2)
    assert {level: record.requests for level, record in coordinator.results.records.items()} == {1: 6, 2: 15}


def test_what_comes_after_a_search_is_no_probe(master, coordinator, measure):
    """The silence of a server is forgiven in a probe, and nowhere else."""
    measuring = measure(dataclasses.replace(CLOSED, is_probe=True))
    wait_for(lambda: coordinator.probe == CLOSED.number)
    for worker in ("a", "b"):
        tell_done(master, worker)
    result_of(measuring)

    assert coordinator.probe is None


def test_a_report_of_an_earlier_run_is_ignored(master, coordinator, measure):
    begin_run(coordinator, master)
    measuring = measure(CLOSED)
    tell_done(master, "a", run=1)
    tell_done(master, "a", run=2, n_requests=2)
    tell_done(master, "b", run=2, n_requests=2)

    assert result_of(measuring).missing_workers == ()
    assert coordinator.results.records[1].requests == 4


def test_a_report_is_accounted_for_like_any_other(master, coordinator, measure):
    measuring = measure(CLOSED)
    for worker in ("a", "b"):
        tell_done(master, worker, n_requests=3)
    result_of(measuring)
    drained = {"run": 1, "rows": [], "open": [], "is_broken": False, "unix_ns": time.time_ns()}
    master.receive(messages.DRAINED, {**drained, "n_reported": 3}, "a")
    master.receive(messages.DRAINED, {**drained, "n_reported": 5}, "b")

    assert coordinator.results.n_unaccounted == 2  # b reported five, and three arrived


def test_an_unfit_worker_is_not_asked(master, measure):
    master.receive(messages.UNFIT, {"run": 1, "reason": "no data"}, "a")
    measure(OPEN)

    assert [(worker, data["share"], data["n_shares"]) for worker, data in asked(master)] == [("b", 0, 1)]


def test_a_worker_that_is_gone_before_the_level_has_no_share(master, measure):
    master.clients["b"].state = STATE_MISSING
    master.clients["a"].user_count = 2
    master.clients["b"].user_count = 0
    measure(OPEN)

    assert [(worker, data["n_shares"]) for worker, data in asked(master)] == [("a", 1)]


def test_a_worker_without_a_user_has_no_share_of_the_arrivals(master, measure):
    master.clients["a"].user_count, master.clients["b"].user_count = 1, 0
    measure(Level(1, 1, 500.0, 0.0, 0.01))

    assert [worker for worker, data in asked(master) if data["share"] < data["n_shares"]] == ["a"]


def test_the_level_begins_when_its_users_run(master, coordinator):
    clock = Clock()
    conductor = Conductor(master, coordinator, clock.monotonic)
    master.clients["b"].user_count = 0
    measuring = gevent.spawn(conductor.measure, CLOSED, 1.0)
    clock.wait_for_looks()
    assert asked(master) == []
    master.clients["b"].user_count = 1
    wait_for(lambda: len(asked(master)) == 2)
    measuring.kill()


def test_users_that_do_not_come_are_not_waited_for_for_ever(master, measure, monkeypatch):
    monkeypatch.setattr(conducting, "USERS_LIMIT_S", 0.05)
    measuring = measure(Level(1, 5, None, 0.0, 0.01))
    for worker in ("a", "b"):
        tell_done(master, worker, n_users=1)
    run = result_of(measuring)

    assert run.n_users == 2
    assert level_row(run, Record()).generator_doubts == (Doubt("only 2 of 5 users ran", "see the log"),)


def test_the_users_of_a_lost_worker_are_not_waited_for(master, coordinator, measure, monkeypatch, caplog):
    monkeypatch.setattr(conducting, "USERS_LIMIT_AFTER_LOSS_S", 0.05)
    master.clients["b"].state = STATE_MISSING
    master.clients["b"].user_count = 0
    wait_for(lambda: coordinator.results.lost_workers)
    measuring = measure(CLOSED)
    tell_done(master, "a", n_users=1)
    run = result_of(measuring)

    assert (run.n_workers, run.missing_workers, run.n_users) == (1, (), 1)
    assert "1 of 2 users run, and no more come" in caplog.text


def test_users_that_come_one_after_the_other_are_waited_for(master, coordinator):
    clock = Clock()
    conductor = Conductor(master, coordinator, clock.monotonic)
    master.clients["a"].user_count = master.clients["b"].user_count = 0
    measuring = gevent.spawn(conductor.measure, Level(1, 8, None, 0.0, 0.01), 1.0)
    clock.wait_for_looks()
    for n_users in range(1, 8):  # longer than the limit in all
        clock.now_s += 0.9 * conducting.USERS_LIMIT_S
        master.clients["a"].user_count = n_users
        clock.wait_for_looks()
    assert asked(master) == []
    assert conductor.begun_s is None
    master.clients["a"].user_count = 8
    wait_for(lambda: asked(master))
    measuring.kill()

    assert conductor.begun_s is not None


def test_the_users_of_an_unfit_worker_are_not_waited_for(master, measure, monkeypatch):
    monkeypatch.setattr(conducting, "USERS_LIMIT_S", 600)
    master.receive(messages.UNFIT, {"run": 1, "reason": "no data"}, "b")
    master.clients["b"].user_count = 0
    measure(CLOSED)

    assert [worker for worker, _ in asked(master)] == ["a"]


def counted(level, requests=10, rate_rps=5.0):
    return LevelCounts(level=level, measured_s=2.0, requests=requests, predictions=requests, rate_rps=rate_rps)


def test_what_is_counted_of_the_level_under_way_is_that_of_its_workers_together(master, conductor, measure):
    assert conductor.counted is None
    beat(master, "a", counted=counted(1, 99).to_plain())  # of a level that has ended, say
    measuring = measure(dataclasses.replace(CLOSED, number=2))
    assert conductor.counted is None
    beat(master, "a", counted=counted(2).to_plain())
    beat(master, "b")
    assert (conductor.counted, conductor.n_measuring) == (counted(2), 2)
    beat(master, "b", counted=counted(2, 7, 3.5).to_plain())
    beat(master, "a", counted=counted(2, 20, 6.0).to_plain())
    beat(master, "c", counted=counted(2, 1000).to_plain())  # which does not measure it
    both = conductor.counted
    for worker in ("a", "b"):
        tell_done(master, worker, level=2)
    result_of(measuring)

    assert (both.requests, both.rate_rps, both.n_processes) == (27, 9.5, 2)
    assert conductor.counted is None


def test_a_worker_that_is_lost_holds_up_no_count(master, conductor, measure):
    measure(CLOSED)
    for worker in ("a", "b"):
        beat(master, worker, counted=counted(1).to_plain())
    assert (conductor.counted.requests, conductor.n_measuring) == (20, 2)
    master.clients["b"].state = STATE_MISSING

    assert (conductor.counted.requests, conductor.n_measuring) == (10, 1)


def test_what_is_counted_of_another_run_is_not_taken(master, coordinator, conductor, measure):
    beat(master, "a", counted=counted(1).to_plain())
    begin_run(coordinator, master)
    beat(master, "b", counted=counted(1).to_plain())  # of run 1
    measure(CLOSED)

    assert conductor.counted is None


# A participant, whose conductor is played by the test


class RunnerOfUsers(Runner):
    """Keeps what a participant sends; runs as many users as the test has started."""

    def __init__(self):
        super().__init__()
        self.users = []

    @property
    def user_count(self):
        return sum(not user.dead for user in self.users)

    def done(self):
        """Return the LEVEL_DONE messages that were sent."""
        return [data for message, data in self.sent if message == messages.LEVEL_DONE]


class LevelUser(ScriptedUser):
    """Takes 2 ms for each answer, as a server would."""

    def call(self, _body):
        gevent.sleep(0.002)
        return b"a reply"


@pytest.fixture
def runner():
    runner = RunnerOfUsers()
    yield runner
    gevent.killall(runner.users)


@pytest.fixture
def participant(runner):
    """Return a function that begins a run with these options in a participant."""
    begun = []

    def begin(runner=runner, **options):
        given = SimpleNamespace(**run_options(**{"warm_up": "0", **options}))
        environment = Environment(user_classes=[LevelUser], parsed_options=given, host="127.0.0.1:1", events=None)
        events.install(environment.events)
        participant = Participant(environment, runner)
        slot.fill(environment, participant.join)
        participant.begin()
        begun.append(participant)
        return participant

    yield begin
    for participant in begun:
        gevent.killall(runner.users)
        participant.end()


def start_users(participant, runner, n, user_class=LevelUser):
    def live():
        user = user_class(participant._environment)
        user.on_start()
        while True:
            user.predict()

    runner.users += [gevent.spawn(live) for _ in range(n)]
    gevent.sleep(0)


def level_data(level=1, rate_rps=None, warm_up_s=0.02, duration_s=0.06, share=0, n_shares=1, run=1):
    return {
        "run": run,
        "level": level,
        "rate_rps": rate_rps,
        "warm_up_s": warm_up_s,
        "duration_s": duration_s,
        "share": share,
        "n_shares": n_shares,
    }


# A level that must count something: a busy machine may let the whole process wait for longer than a level's 60 ms.
LONG_ENOUGH = {"warm_up_s": 0.2, "duration_s": 0.6}


def records_in(data):
    merged: dict[int, Record] = {}
    merge_plain(merged, data["rows"])
    return merged


@pytest.mark.parametrize(
    ("options", "rate_rps", "is_open_load"),
    [
        pytest.param({"sweep": "1"}, None, False, id="closed"),
        pytest.param({"rate": "100"}, 100.0, True, id="open"),
    ],
)
def test_the_message_opens_a_window_after_the_warm_up(participant, runner, options, rate_rps, is_open_load):
    run = participant(**options).run
    assert run.recorder.window is BETWEEN_LEVELS
    before_ns = time.perf_counter_ns()
    runner.receive(messages.LEVEL, level_data(3, rate_rps, warm_up_s=1.5, duration_s=0.6))
    after_ns = time.perf_counter_ns()
    window = run.recorder.window

    assert before_ns + 1500 * MS <= window.begin_ns <= after_ns + 1500 * MS
    assert window == Window.of(3, window.begin_ns, 600 * MS, is_open_load)


def test_a_closed_level_is_reported_at_its_end(participant, runner):
    begun = participant(sweep="2")
    start_users(begun, runner, 2)
    runner.receive(messages.LEVEL, level_data(**LONG_ENOUGH))
    wait_for(runner.done)
    (data,) = runner.done()
    records = records_in(data)

    assert (data["run"], data["level"], data["n_users"]) == (1, 1, 2)
    assert 0 < data["cpu"]["busy"] < 2
    assert 0 <= data["cpu"]["waited"] <= 1
    assert data["cpu"]["mean_wait_ns"] >= 0
    assert data["round_trip_ns"] is None  # no level has one user
    assert records[1].requests > 0
    assert records[1].latency.count == records[1].requests
    assert records[UNCOUNTED].requests > 0  # the warm-up
    assert (records[1].offered, records[1].lag.count) == (0, 0)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("share", "n_shares", "n_arrivals", "pacing"),
    [
        pytest.param(0, 1, 60, "sleep", id="alone"),
        pytest.param(0, 2, 30, "sleep", id="the-first-half"),
        pytest.param(2, 3, 20, "sleep", id="third"),
        pytest.param(2, 3, 20, "spin", id="third-that-spins"),
    ],
)
def test_an_open_level_sends_its_share_of_the_arrivals(participant, runner, share, n_shares, n_arrivals, pacing):
    begun = participant(rate="1000", arrivals="constant", pacing=pacing)
    start_users(begun, runner, 20)
    runner.receive(messages.LEVEL, level_data(1, 1000.0, share=share, n_shares=n_shares))
    wait_for(runner.done)
    record = records_in(runner.done()[0])[1]

    assert record.offered == n_arrivals
    assert record.sent + record.dropped == record.offered
    assert record.lag.count == record.requests
    assert record.lag.min_ns >= 0


def test_an_open_level_is_reported_when_what_it_has_in_flight_is_answered(participant, runner, monkeypatch):
    sleeps_s, answers = count_sleeps(monkeypatch, participating), Event()

    class Held(LevelUser):
        def call(self, _body):
            answers.wait()
            return b"a reply"

    begun = participant(rate="1000", arrivals="constant", deadline="5")
    start_users(begun, runner, 4, Held)
    runner.receive(messages.LEVEL, level_data(1, 1000.0, warm_up_s=0.0, duration_s=0.024))
    wait_for(lambda: sleeps_s.count(participating._SETTLE_POLL_S) > 1)
    assert runner.done() == []
    answers.set()
    wait_for(runner.done)
    record = records_in(runner.done()[0])[1]

    assert (record.offered, record.sent, record.dropped) == (24, 4, 20)
    assert (record.requests, record.straddling) == (0, 4)
    assert begun.run.pacer.n_free == 4


def test_an_open_level_waits_no_longer_than_a_deadline_and_a_second(participant, runner):
    class Stuck(LevelUser):
        def call(self, _body):
            Event().wait()

    begun = participant(rate="1000", deadline="0.01")
    start_users(begun, runner, 1, Stuck)
    runner.receive(messages.LEVEL, level_data(1, 1000.0, warm_up_s=0.0, duration_s=0.024))
    wait_for(runner.done)  # ten seconds at most

    (done,) = runner.done()
    assert (done["n_users"], done["pid"], done["place"]) == (1, os.getpid(), machine_reading.place())


def test_two_levels_in_a_row_are_kept_apart(participant, runner):
    begun = participant(rate="1000,500", arrivals="constant")
    start_users(begun, runner, 10)
    for level, rate_rps in ((1, 1000.0), (2, 500.0)):
        runner.receive(messages.LEVEL, level_data(level, rate_rps))
        wait_for(lambda level=level: len(runner.done()) == level)
    merged: dict[int, Record] = {}
    for data in runner.done():
        merge_plain(merged, data["rows"])

    assert {level: merged[level].offered for level in (1, 2)} == {1: 60, 2: 30}


@pytest.mark.parametrize("run", [pytest.param(0, id="an-earlier-run"), pytest.param(2, id="a-run-it-is-not-in")])
def test_a_level_of_another_run_is_not_measured(participant, runner, run):
    begun = participant(sweep="1")
    runner.receive(messages.LEVEL, level_data(level=7, run=run, duration_s=0.01))
    assert begun.run.recorder.window is BETWEEN_LEVELS
    runner.receive(messages.LEVEL, level_data(level=8, duration_s=0.01))
    wait_for(runner.done)

    assert [done["level"] for done in runner.done()] == [8]


def test_a_run_that_ends_in_a_level_hands_it_over_at_its_end(participant, runner):
    answered = []

    class Counted(LevelUser):
        def call(self, body):
            answered.append(super().call(body))
            return answered[-1]

    begun = participant(sweep="1")
    start_users(begun, runner, 1, Counted)
    n_before = len(answered)
    runner.receive(messages.LEVEL, level_data(warm_up_s=0.0, duration_s=60))
    wait_for(lambda: begun._is_measuring and len(answered) > n_before + 1)
    gevent.killall(runner.users)
    begun.end()

    assert begun._level.dead  # or it would meddle with the next run
    assert runner.done() == []
    drained = next(data for message, data in runner.sent if message == messages.DRAINED)
    records = records_in(drained)
    assert records[1].requests > 0
    assert drained["n_reported"] == sum(record.requests for record in records.values())
    assert (records[1].straddling, records[UNCOUNTED].cut_off) == (2, 1)  # it was in flight at either end


class WorkersRunner(RunnerOfUsers, WorkerRunner):
    """A worker's, which hears of its master when the test says so."""

    def __init__(self):
        RunnerOfUsers.__init__(self)
        self.last_heartbeat_timestamp = None

    user_count = RunnerOfUsers.user_count
    worker_index = 0
    greenlet = None  # for Locust's __del__


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(participating, "time", clock)
    monkeypatch.setattr(participating, "MASTER_POLL_S", 0.001)
    return clock


def test_the_load_stops_where_the_master_is_silent(participant, clock, caplog):
    runner = WorkersRunner()
    participant(runner=runner, sweep="2")
    clock.wait_for_looks()
    clock.now_s += participating.MASTER_LIMIT_S + 1
    wait_for(lambda: runner.n_stops)

    assert runner.n_stops == 1
    assert "Nothing was heard of the master for 15 s" in caplog.text


def test_the_load_goes_on_where_the_master_is_heard_of(participant, clock):
    runner = WorkersRunner()
    begun = participant(runner=runner, sweep="2")
    watcher = begun._master_watcher
    for _ in range(5):
        clock.now_s += participating.MASTER_LIMIT_S - 1
        begun._environment.events.heartbeat_received.fire(client_id="master", timestamp=0)
        clock.wait_for_looks()
    assert not watcher.dead
    begun.end()
    wait_for(lambda: watcher.dead)

    assert runner.n_stops == 0  # a run that has ended is left alone


def test_what_a_level_has_reported_is_in_the_account(participant, runner):
    begun = participant(sweep="2")
    start_users(begun, runner, 2)
    runner.receive(messages.LEVEL, level_data(**LONG_ENOUGH))
    wait_for(runner.done)
    gevent.killall(runner.users)
    begun.end()
    drained = next(data for message, data in runner.sent if message == messages.DRAINED)
    told = [*records_in(runner.done()[0]).values(), *records_in(drained).values()]

    assert drained["n_reported"] == sum(record.requests for record in told)


def test_answers_are_held_against_the_references_that_came_with_the_run(participant, runner):
    from tfsload.target.references import References

    references = References()
    right = np.eye(10, dtype="<f4")[[7]]
    for number in range(1000):
        references.keep(number, right if number % 2 else right / 2)

    class Sure(LevelUser):
        answer = staticmethod(lambda _n_images: Answer.of(right))

    begun = participant(sweep="1", verify="1000")
    assert [data for message, data in runner.sent if message == messages.REFERENCES_WANTED] == [{"run": 1}]
    runner.receive(messages.REFERENCES, {"run": 1, "rows": references.to_plain()})
    start_users(begun, runner, 2, Sure)
    runner.receive(messages.LEVEL, level_data(**LONG_ENOUGH))
    wait_for(runner.done)
    record = records_in(runner.done()[0])[1]

    fired = record.images.fired
    assert sum(fired.values()) == record.requests > 0
    # Whatever was drawn: an even number differs, an odd one does not.
    assert record.mismatched == sum(n for number, n in fired.items() if number % 2 == 0)


# Conductor, coordinator and participant in one process, as in a run without workers


class Loop(RunnerOfUsers):
    """A runner that is its own network, as Locust's LocalRunner is."""

    state = STATE_RUNNING
    target_user_count = 2
    target_user_classes_count = MappingProxyType({"LevelUser": 2})

    def send_message(self, message, data, client_id=None):  # noqa: ARG002  (Locust's name)
        super().send_message(message, data)
        if message in self.listeners:
            msg = SimpleNamespace(data=data, node_id="local")
            self.listeners[message](environment=None, msg=msg)


@pytest.fixture
def runner_of_all():
    runner = Loop()
    yield runner
    gevent.killall(runner.users)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("options", "rate_rps"),
    [
        pytest.param({"sweep": "2"}, None, id="closed"),
        pytest.param({"rate": "500", "arrivals": "constant"}, 500.0, id="open"),
    ],
)
def test_one_process_measures_levels_by_itself(runner_of_all, options, rate_rps):
    runner = runner_of_all
    images = load_images(Settings.parse({}, None)).fingerprint
    options = {messages.ADDRESS_OPTION: "127.0.0.1:1", messages.SPOKEN_OPTION: "grpc", **options}
    environment = Environment(parsed_options=SimpleNamespace(**options), host="127.0.0.1:1", stop_timeout=0)
    participant = Participant(environment, runner)
    slot.fill(environment, participant.join)
    coordinator = Coordinator(environment, runner, lambda: None, participant.report)
    conductor = Conductor(runner, coordinator)
    coordinator.begin(None, images)
    participant.begin()
    start_users(participant, runner, 2)

    with gevent.Timeout(20):
        runs = [conductor.measure(Level(number, 2, rate_rps, **LONG_ENOUGH), 1.0) for number in (1, 2)]
    gevent.killall(runner.users)
    coordinator.begin_to_end()
    participant.end()
    coordinator.end()

    results = coordinator.results
    rows = [level_row(run, results.records[run.level.number]) for run in runs]
    assert [(run.n_workers, run.missing_workers, run.n_users) for run in runs] == [(1, (), 2)] * 2
    assert all(row.answered > 0 for row in rows)
    assert [row.record.offered for row in rows] == ([300, 300] if rate_rps else [0, 0])
    assert results.n_unaccounted == 0
    assert results.overall.requests == sum(row.record.requests for row in rows)
