"""The alarm that spins: when the loop is awake for it, who comes first meanwhile, and where it cannot be had."""

import logging
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import gevent
import gevent.socket
import pytest

from tests.support.runs import PROJECT, wait_until
from tfsload.load import alarm as alarms
from tfsload.load.alarm import LoopAlarm, SpinAlarm, make_alarm
from tfsload.load.arrivals import Schedule
from tfsload.load.pacer import Pacer

MS = 1_000_000
S = 1_000 * MS
# A loop at rest goes round a few times in `A_WHILE_S`, for timers; one that is kept awake, thousands of times.
A_WHILE_S = 0.01
FEW, MANY = 50, 500


class Turns:
    """Counts how often the loop goes round."""

    def __init__(self):
        self.n = 0
        self._check = gevent.get_hub().loop.check()
        self._check.start(self._count)

    def _count(self):
        self.n += 1

    def in_a_while(self):
        before = self.n
        gevent.sleep(A_WHILE_S)
        return self.n - before

    def wait_for_many(self):
        wait_until(lambda: self.in_a_while() >= MANY, "the loop to be awake", 20)

    def close(self):
        self._check.stop()
        self._check.close()


@pytest.fixture
def turns():
    counted = Turns()
    yield counted
    counted.close()


@pytest.fixture
def spin():
    """Return a function that makes such an alarm; those that were made are closed."""
    made = []

    def make(on_due=lambda: None, **options):
        made.append(SpinAlarm(on_due, **options))
        return made[-1]

    yield make
    for alarm in made:
        alarm.close()


# When the loop is awake


def test_the_loop_is_awake_while_an_instant_is_near(spin, turns):
    spin(spin_ns=90 * S).set(time.perf_counter_ns() + 60 * S)

    turns.wait_for_many()


def never_set(_spin, _turns):
    pass


def far_away(spin, _turns):
    spin().set(time.perf_counter_ns() + 60 * S)


def has_rung(spin, _turns):
    told = []
    spin(lambda: told.append(True)).set(time.perf_counter_ns() + MS)
    wait_until(lambda: told, "the alarm", 20)


def set_far_away_in_its_call(spin, _turns):
    told = []

    def on_due():
        told.append(True)
        alarm.set(time.perf_counter_ns() + 60 * S)

    alarm = spin(on_due)
    alarm.set(time.perf_counter_ns() + MS)
    wait_until(lambda: told, "the alarm", 20)


def set_far_away_while_it_spins(spin, turns):
    alarm = spin(spin_ns=30 * S)
    alarm.set(time.perf_counter_ns() + 20 * S)
    turns.wait_for_many()
    alarm.set(time.perf_counter_ns() + 60 * S)


def closed_while_it_spins(spin, turns):
    alarm = spin(spin_ns=90 * S)
    alarm.set(time.perf_counter_ns() + 60 * S)
    turns.wait_for_many()
    alarm.close()


def closed_while_it_sleeps(spin, _turns):
    alarm = spin()
    alarm.set(time.perf_counter_ns() + MS)
    alarm.close()


def closed_in_its_call(spin, _turns):
    told = []

    def on_due():
        told.append(True)
        alarm.close()

    alarm = spin(on_due, spin_ns=S)
    alarm.set(time.perf_counter_ns() + MS)
    wait_until(lambda: told, "the alarm", 20)


@pytest.mark.parametrize(
    "act",
    [
        never_set,
        far_away,
        has_rung,
        set_far_away_in_its_call,
        set_far_away_while_it_spins,
        closed_while_it_spins,
        closed_while_it_sleeps,
        closed_in_its_call,
    ],
)
def test_the_loop_rests_where_nothing_is_near(spin, turns, act):
    act(spin, turns)

    assert turns.in_a_while() < FEW


def ends_by_itself(begin, _turns, _users):
    pacer = begin(50 * MS)
    wait_until(lambda: not pacer.has_more, "the level's end", 20)


def is_closed(begin, turns, _users):
    pacer = begin(60 * S)
    turns.wait_for_many()
    pacer.close()


def is_closed_when_its_users_are_killed(begin, turns, users):
    pacer = begin(60 * S)
    turns.wait_for_many()
    gevent.killall(users)
    pacer.close()


@pytest.mark.parametrize("end", [ends_by_itself, is_closed, is_closed_when_its_users_are_killed])
def test_the_loop_rests_after_a_level(turns, end):
    counts = SimpleNamespace(**dict.fromkeys(("count_offered", "count_sent", "count_dropped"), lambda _due_ns: None))
    pacer = Pacer(counts, lambda on_due, *_: SpinAlarm(on_due, spin_ns=S), pacing="spin")
    users = [gevent.spawn(fire_for_ever, pacer)]

    def begin(duration_ns):
        now_ns = time.perf_counter_ns()
        pacer.begin(Schedule(200, "constant", 1, 1), now_ns, now_ns + duration_ns)
        return pacer

    end(begin, turns, users)
    n_turns = turns.in_a_while()
    gevent.killall(users)
    pacer.close()

    assert n_turns < FEW


def fire_for_ever(pacer):
    while True:
        pacer.next()


# Who comes first


class Clock:
    """Counts how often it is looked at; it goes on by itself where it is not set."""

    def __init__(self, now_ns=None):
        self.now_ns = now_ns
        self.n_looks = 0

    def __call__(self):
        self.n_looks += 1
        return time.perf_counter_ns() if self.now_ns is None else self.now_ns


def test_what_can_be_read_is_read_in_the_turn_in_which_it_comes(spin, turns):
    """An alarm that had itself called back by `run_callback` would look thousands of times before."""
    clock = Clock()
    ours, theirs = gevent.socket.socketpair()
    reader = gevent.spawn(lambda: (ours.recv(1), clock.n_looks)[1])
    spin(spin_ns=90 * S, clock_ns=clock).set(time.perf_counter_ns() + 60 * S)
    turns.wait_for_many()
    for _ in range(10):
        n_written = clock.n_looks
        theirs.send(b"x")
        assert reader.get(timeout=20) - n_written < FEW
        reader = gevent.spawn(lambda: (ours.recv(1), clock.n_looks)[1])
        gevent.sleep(0.001)
    reader.kill()


@pytest.mark.parametrize(
    ("away_ns", "is_held_against"),
    [
        pytest.param(0, False, id="nobody-waits"),
        pytest.param(90_000, False, id="a-server-that-is-soon-done"),
        pytest.param(4 * MS, True, id="a-program-that-computes"),
    ],
)
def test_others_go_first_unless_they_have_kept_the_cpu(spin, turns, away_ns, is_held_against):
    clock, given = Clock(now_ns=1), []

    def give_way():
        given.append(clock.now_ns)
        clock.now_ns += away_ns

    spin(spin_ns=10**18, clock_ns=clock, give_way=give_way).set(10**18)
    turns.wait_for_many()
    if not is_held_against:
        assert len(given) > MANY - FEW
        return
    assert given == [1]
    clock.now_ns = 1 + 100 * away_ns - 1
    turns.wait_for_many()
    assert given == [1]
    clock.now_ns += 1
    turns.wait_for_many()
    assert given == [1, 1 + 100 * away_ns]


# What is done meanwhile


class Work:
    """Chores, which are counted."""

    def __init__(self, n):
        self.waiting = [None] * n
        self.n_times = 0

    def settle(self):
        self.waiting = []
        self.n_times += 1


@pytest.mark.parametrize(
    ("left_ns", "n_waiting", "n_times"),
    [
        pytest.param(10 * MS, 8, 1, id="time-and-work"),
        pytest.param(100_001, 100, 1, id="just-time-enough"),
        pytest.param(100_000, 100, 0, id="too-little-time"),
        pytest.param(10 * MS, 7, 0, id="too-little-work"),
        pytest.param(10 * MS, 0, 0, id="no-work"),
    ],
)
def test_chores_are_done_while_there_is_time(spin, turns, left_ns, n_waiting, n_times):
    work = Work(n_waiting)
    spin(spin_ns=S, clock_ns=Clock(now_ns=1), chores=work).set(1 + left_ns)
    turns.wait_for_many()
    assert work.n_times == n_times
    assert len(work.waiting) == (0 if n_times else n_waiting)


@pytest.mark.parametrize(
    ("n_waiting", "awake_ns"), [pytest.param(8, 250_000, id="some"), pytest.param(7, 150_000, id="hardly-any")]
)
def test_the_loop_wakes_earlier_where_there_are_chores(spin, monkeypatch, n_waiting, awake_ns):
    woken_at_ns = []

    sleeper = SimpleNamespace(set=woken_at_ns.append, close=lambda: None)
    monkeypatch.setattr(alarms, "TimerFdAlarm", lambda _on_due: sleeper)
    spin(clock_ns=Clock(now_ns=1), chores=Work(n_waiting)).set(S)

    assert woken_at_ns == [S - awake_ns]


# Where it cannot be had


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(OSError("timerfd is Linux's"), id="another-system"),
        pytest.param(AttributeError("undefined symbol: timerfd_create"), id="a-libc-without"),
    ],
)
def test_a_system_that_cannot_spin_sleeps_and_says_why(monkeypatch, caplog, fault):
    def refuse(*_):
        raise fault

    monkeypatch.setattr(alarms.TimerFdAlarm, "__init__", refuse)
    told = []
    with caplog.at_level(logging.WARNING):
        alarm = make_alarm(lambda: told.append(True), "spin")
    alarm.set(time.perf_counter_ns())
    wait_until(lambda: told, "the alarm", 20)
    alarm.close()

    assert type(alarm) is LoopAlarm
    (said,) = caplog.messages
    assert said.startswith("--pacing spin: no effect in this process")
    assert said.endswith(str(fault))


def test_another_loop_than_libevs_sleeps_and_says_so():
    code = (
        "import logging; logging.basicConfig(format='%(message)s'); from tfsload.load.alarm import make_alarm;"
        "alarm = make_alarm(print, 'spin'); print(type(alarm).__name__); alarm.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**os.environ, "GEVENT_LOOP": "libuv"},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stdout == "TimerFdAlarm\n"
    assert done.stderr.startswith("--pacing spin: no effect in this process")
    assert "gevent.libuv" in done.stderr
