"""Open load: alarms in real time, and the pacer on a clock and an alarm of the test's."""

import functools
import time

import gevent
import pytest
from gevent.event import Event
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tests.support.runs import wait_until
from tfsload.load import alarm as alarms
from tfsload.load.alarm import LoopAlarm, SpinAlarm, TimerFdAlarm, make_alarm
from tfsload.load.arrivals import Schedule
from tfsload.load.asked import PACINGS
from tfsload.load.pacer import Pacer

MS = 1_000_000
# Long enough that what must not happen would have happened; no test fails because a machine is slow.
A_WHILE_S = 0.01


class Due:
    """What an alarm calls back: keeps when it was called."""

    def __init__(self):
        self.at_ns = []

    def __call__(self):
        self.at_ns.append(time.perf_counter_ns())


@pytest.fixture
def due():
    return Due()


@pytest.fixture(
    params=[
        pytest.param(TimerFdAlarm, id="timerfd"),
        pytest.param(LoopAlarm, id="loop"),
        pytest.param(SpinAlarm, id="spin"),
        pytest.param(functools.partial(SpinAlarm, spin_ns=1_000 * MS), id="spin-all-the-time"),
    ]
)
def make(request):
    """A kind of alarm; those that were made are closed."""
    made = []

    def make_one(on_due):
        made.append(request.param(on_due))
        return made[-1]

    yield make_one
    for alarm in made:
        alarm.close()


def test_an_alarm_calls_back_in_order_once_each_and_never_early(make):
    begin_ns = time.perf_counter_ns()
    asked = [begin_ns + number * 2 * MS for number in range(1, 6)]
    told = []

    def on_due():
        told.append(time.perf_counter_ns())
        if len(told) < len(asked):
            alarm.set(asked[len(told)])

    alarm = make(on_due)
    alarm.set(asked[0])
    wait_until(lambda: len(told) == len(asked), "five alarms", 10)
    gevent.sleep(A_WHILE_S)

    assert len(told) == len(asked)
    assert all(at_ns >= asked_ns for at_ns, asked_ns in zip(told, asked, strict=True))


@pytest.mark.parametrize(
    "ago_ns",
    [
        pytest.param(0, id="now"),
        pytest.param(1_000 * MS, id="a-second-ago"),
        pytest.param(None, id="zero-which-would-switch-a-timerfd-off"),
        pytest.param(-1, id="before-the-clock-began"),
    ],
)
def test_an_instant_that_has_passed_is_due_at_once(make, due, ago_ns):
    at_ns = {None: 0, -1: -5}.get(ago_ns, time.perf_counter_ns() - (ago_ns or 0))
    make(due).set(at_ns)
    wait_until(lambda: due.at_ns, "the alarm", 10)
    gevent.sleep(A_WHILE_S)

    assert len(due.at_ns) == 1


def test_an_alarm_that_is_set_anew_forgets_the_earlier_instant(make, due):
    alarm = make(due)
    now_ns = time.perf_counter_ns()
    alarm.set(now_ns + 2 * MS)
    alarm.set(now_ns + 8 * MS)
    wait_until(lambda: due.at_ns, "the alarm", 10)
    gevent.sleep(A_WHILE_S)

    assert len(due.at_ns) == 1
    assert due.at_ns[0] >= now_ns + 8 * MS


def test_an_alarm_that_is_set_to_an_earlier_instant_forgets_the_later_one(make, due):
    alarm = make(due)
    alarm.set(time.perf_counter_ns() + 8 * MS)
    alarm.set(time.perf_counter_ns())
    wait_until(lambda: due.at_ns, "the alarm", 10)
    gevent.sleep(0.008 + A_WHILE_S)

    assert len(due.at_ns) == 1


def test_an_alarm_that_has_run_out_unseen_can_still_be_set_anew(make, due):
    alarm = make(due)
    alarm.set(time.perf_counter_ns())
    while_the_loop_stands_still(2 * MS)
    later_ns = time.perf_counter_ns() + 5 * MS
    alarm.set(later_ns)
    wait_until(lambda: due.at_ns, "the alarm", 10)
    gevent.sleep(A_WHILE_S)

    assert len(due.at_ns) == 1
    assert due.at_ns[0] >= later_ns


def while_the_loop_stands_still(nanoseconds):
    until_ns = time.perf_counter_ns() + nanoseconds
    while time.perf_counter_ns() < until_ns:
        pass


def test_an_alarm_that_was_never_set_is_silent(make, due):
    make(due)
    gevent.sleep(A_WHILE_S)

    assert due.at_ns == []


@pytest.mark.parametrize("n_closes", [pytest.param(1, id="once"), pytest.param(2, id="twice")])
def test_a_closed_alarm_never_calls_back(make, due, n_closes):
    alarm = make(due)
    alarm.set(time.perf_counter_ns() + MS)
    for _ in range(n_closes):
        alarm.close()
    gevent.sleep(A_WHILE_S)

    assert due.at_ns == []


def test_an_alarm_that_is_due_and_closed_before_the_loop_goes_on_is_silent(make, due):
    alarm = make(due)
    alarm.set(time.perf_counter_ns())
    while_the_loop_stands_still(2 * MS)
    alarm.close()
    gevent.sleep(A_WHILE_S)

    assert due.at_ns == []


def test_an_alarm_can_be_closed_in_its_own_call(make):
    told = []

    def on_due():
        told.append(True)
        alarm.close()

    alarm = make(on_due)
    alarm.set(time.perf_counter_ns())
    wait_until(lambda: told, "the alarm", 10)
    gevent.sleep(A_WHILE_S)

    assert told == [True]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(None, TimerFdAlarm, id="the-finest-there-is"),
        pytest.param(OSError("no timerfd"), LoopAlarm, id="a-kernel-without"),
        pytest.param(AttributeError("timerfd_create"), LoopAlarm, id="a-libc-without"),
    ],
)
def test_a_system_without_timerfd_falls_back(monkeypatch, due, fault, kind):
    def refuse(*_):
        raise fault

    if fault is not None:
        monkeypatch.setattr(alarms.TimerFdAlarm, "__init__", refuse)
    alarm = make_alarm(due)
    alarm.set(time.perf_counter_ns())
    wait_until(lambda: due.at_ns, "the alarm", 10)
    alarm.close()

    assert type(alarm) is kind


# The pacer: nothing sleeps, the test rings.


class FakeAlarm:
    """Rings when the test says so."""

    def __init__(self, on_due):
        self.on_due = on_due
        self.at_ns = None
        self.is_closed = False

    def set(self, at_ns):
        self.at_ns = at_ns

    def close(self):
        self.is_closed = True
        self.at_ns = None


class FakeSchedule:
    """Arrivals at given offsets, and then none for a very long time."""

    def __init__(self, *offsets_ns):
        self._offsets = [*offsets_ns, 10**18]

    @property
    def next_ns(self):
        return self._offsets[0]

    def pop(self):
        return self._offsets.pop(0)


class Counts:
    """Keeps what was counted, and holds that an arrival is dropped only where nobody waits."""

    def __init__(self):
        self.offered, self.sent, self.dropped = [], [], []
        self.waiting = []  # names of users, in the order in which they came to wait

    def count_offered(self, due_ns):
        self.offered.append(due_ns)

    def count_sent(self, due_ns):
        self.sent.append(due_ns)

    def count_dropped(self, due_ns):
        assert self.waiting == []
        self.dropped.append(due_ns)


class Bench:
    """A pacer with users that wait, send, and hold each request until the test lets go of it."""

    def __init__(self):
        self.now_ns = 0
        self.counts = Counts()
        self.alarm = None
        self.dispatched = []  # (user, due)
        self.users = {}
        self.on_send = {}  # what a user does first with an arrival, by name
        self._held = {}
        self._out_of_turn = []  # an assertion in a user would end the user, not the test
        self.pacer = Pacer(self.counts, self._make_alarm, lambda: self.now_ns)

    def _make_alarm(self, on_due, *_):
        self.alarm = FakeAlarm(on_due)
        return self.alarm

    def add_users(self, *names):
        for name in names:
            self.users[name] = gevent.spawn(self._live, name)
            gevent.idle()

    def _live(self, name):
        while True:
            self.counts.waiting.append(name)
            is_overdue = self.alarm is not None and self.alarm.at_ns is not None and self.alarm.at_ns <= self.now_ns
            try:
                due_ns = self.pacer.next()
            except gevent.GreenletExit:
                self.counts.waiting.remove(name)
                raise
            if self.counts.waiting[0] != name and not is_overdue:  # an overdue arrival is better taken than waited for
                self._out_of_turn.append(name)
            self.counts.waiting.remove(name)
            self.dispatched.append((name, due_ns))
            self._held[name] = Event()
            self.on_send.pop(name, lambda: None)()
            self._held[name].wait()
            del self._held[name]

    @property
    def busy(self):
        return sorted(self._held)

    def let_go(self, name):
        self._held[name].set()
        gevent.idle()

    def kill(self, name):
        self.users.pop(name).kill()
        self._held.pop(name, None)

    def ring(self, now_ns=None):
        """Let the alarm call back, in the event loop, as a real one does."""
        if now_ns is not None:
            self.now_ns = now_ns
        failed = []

        def call():
            try:
                self.alarm.on_due()
            except BaseException as error:
                failed.append(error)

        gevent.get_hub().loop.run_callback(call)
        gevent.sleep(0)
        gevent.idle()
        assert (failed, self._out_of_turn) == ([], [])

    def end(self):
        gevent.killall(list(self.users.values()))


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.end()


def test_arrivals_go_to_the_user_that_has_waited_longest(bench):
    bench.add_users("a", "b", "c")
    bench.pacer.begin(FakeSchedule(10, 20, 30, 40, 50), 1000, 2000)
    bench.ring(1010)
    bench.let_go("a")
    for now_ns in (1020, 1030, 1040):
        bench.ring(now_ns)

    assert bench.dispatched == [("a", 1010), ("b", 1020), ("c", 1030), ("a", 1040)]
    assert (bench.counts.sent, bench.counts.dropped) == ([1010, 1020, 1030, 1040], [])
    assert bench.alarm.at_ns == 1050


def test_an_arrival_without_a_free_user_is_dropped(bench):
    bench.add_users("a")
    bench.pacer.begin(FakeSchedule(10, 20, 30), 1000, 2000)
    bench.ring(1010)
    bench.ring(1020)
    bench.let_go("a")
    bench.ring(1030)

    assert bench.dispatched == [("a", 1010), ("a", 1030)]
    assert bench.counts.offered == [1010, 1020, 1030]
    assert bench.counts.dropped == [1020]


def test_without_any_user_all_arrivals_are_dropped(bench):
    bench.pacer.begin(FakeSchedule(0, 5), 0, 100)
    bench.ring(50)

    assert (bench.counts.offered, bench.counts.sent, bench.counts.dropped) == ([0, 5], [], [0, 5])


def test_free_users_are_counted(bench):
    bench.add_users("a", "b")
    assert bench.pacer.n_free == 2
    bench.pacer.begin(FakeSchedule(0), 0, 100)
    bench.ring(0)
    assert bench.pacer.n_free == 1
    bench.let_go("a")

    assert bench.pacer.n_free == 2


def test_what_was_due_while_the_loop_was_busy_is_sent_in_one_wake(bench):
    bench.add_users("a", "b", "c")
    bench.pacer.begin(FakeSchedule(10, 11, 12, 500), 0, 1000)
    bench.ring(20)

    assert bench.dispatched == [("a", 10), ("b", 11), ("c", 12)]  # late, and each with the instant when it was due
    assert bench.alarm.at_ns == 500


def test_the_loop_gets_its_turn_while_more_is_overdue_than_can_be_handed_out(bench):
    bench.pacer.begin(FakeSchedule(*range(1000)), 0, 2000)
    n_offered = []
    while bench.pacer.has_more:
        bench.ring(1000)
        n_offered.append(len(bench.counts.offered))

    assert n_offered[0] < 1000
    assert n_offered == sorted(set(n_offered))  # each wake-up gets on
    assert bench.counts.offered == bench.counts.dropped == list(range(1000))


@pytest.mark.parametrize(
    ("offsets", "end_ns", "has_more"),
    [
        pytest.param((10, 20), 21, [True, True, False], id="two-arrivals"),
        pytest.param((10, 20), 20, [True, False, False], id="one-before-the-end"),
        pytest.param((10,), 10, [False, False, False], id="none-before-the-end"),
    ],
)
def test_whether_arrivals_are_still_to_come(bench, offsets, end_ns, has_more):
    found = []
    bench.pacer.begin(FakeSchedule(*offsets), 0, end_ns)
    for now_ns in (0, 10, 20):
        bench.ring(now_ns)
        found.append(bench.pacer.has_more)

    assert found == has_more


def test_what_falls_due_while_others_are_sent_is_sent_in_the_same_wake(bench):
    bench.add_users("a", "b", "c")
    bench.pacer.begin(FakeSchedule(10, 20, 30), 0, 1000)
    bench.on_send["a"] = lambda: setattr(bench, "now_ns", 25)  # sending takes its time
    bench.ring(10)

    assert bench.dispatched == [("a", 10), ("b", 20)]
    assert bench.alarm.at_ns == 30


def test_an_alarm_that_rings_early_sends_nothing(bench):
    bench.add_users("a")
    bench.pacer.begin(FakeSchedule(10), 0, 1000)
    bench.ring(9)

    assert bench.dispatched == []
    assert bench.alarm.at_ns == 10


@pytest.mark.parametrize(
    ("end_ns", "sent"),
    [
        pytest.param(20, [10], id="an-arrival-at-the-end-is-outside"),
        pytest.param(21, [10, 20], id="one-before-it-is-inside"),
        pytest.param(10, [], id="the-first-at-the-end"),
        pytest.param(0, [], id="no-time-at-all"),
    ],
)
def test_the_end_of_the_level_ends_arrivals(bench, end_ns, sent):
    bench.add_users("a", "b", "c", "d")
    bench.pacer.begin(FakeSchedule(10, 20, 30), 0, end_ns)
    for now_ns in (10, 20, 30, 10_000):
        bench.ring(now_ns)

    assert bench.counts.offered == bench.counts.sent == sent


@pytest.mark.parametrize(
    ("offsets", "end_ns", "sent"),
    [
        pytest.param((10, 20), 100, [10, 20], id="one"),
        pytest.param((10, 20, 21), 100, [10, 20], id="a-second-waits-for-another-user"),
        pytest.param((10, 20), 20, [10], id="none-beyond-the-end"),
    ],
)
def test_a_user_that_comes_free_while_an_arrival_is_overdue_sends_it_once(bench, offsets, end_ns, sent):
    bench.add_users("a")
    bench.pacer.begin(FakeSchedule(*offsets), 0, end_ns)
    bench.ring(10)
    bench.now_ns = 25  # the loop is busy with replies, and has not come to the alarm
    bench.let_go("a")
    bench.ring()
    bench.ring(200)

    assert bench.counts.sent == sent
    assert len(bench.counts.offered) == len(bench.counts.sent) + len(bench.counts.dropped)
    assert bench.counts.offered == [offset for offset in offsets if offset < end_ns]


def test_a_pacer_that_was_never_begun_is_silent(bench):
    bench.add_users("a")
    bench.pacer.close()

    assert bench.alarm is None
    assert bench.pacer.n_free == 1


def test_a_killed_user_is_given_no_arrival(bench):
    bench.add_users("a", "b")
    bench.pacer.begin(FakeSchedule(10, 20), 0, 100)
    bench.kill("a")
    assert bench.pacer.n_free == 1
    bench.ring(20)

    assert bench.dispatched == [("b", 10)]
    assert bench.counts.dropped == [20]


def test_a_user_that_is_about_to_be_killed_has_its_arrival_counted_all_the_same(bench):
    bench.add_users("a", "b")
    bench.pacer.begin(FakeSchedule(10, 20), 0, 100)
    bench.on_send["a"] = lambda: bench.users["b"].kill(block=False)
    bench.ring(20)
    bench.users["b"].join(10)

    assert bench.users["b"].dead
    assert bench.counts.sent == bench.counts.offered == [10, 20]


def test_a_killed_user_that_held_a_request_leaves_the_others_in_order(bench):
    bench.add_users("a", "b", "c")
    bench.pacer.begin(FakeSchedule(10, 20, 30), 0, 100)
    bench.ring(10)
    bench.kill("a")
    bench.ring(30)

    assert bench.dispatched == [("a", 10), ("b", 20), ("c", 30)]


def test_an_exception_in_a_waiting_user_takes_it_off_the_list(bench):
    bench.add_users("a")
    bench.users["a"].kill(ValueError("mine"), block=False)
    bench.counts.waiting.clear()
    with pytest.raises(ValueError, match="mine"):
        bench.users["a"].get()

    assert bench.pacer.n_free == 0


def test_two_levels_in_a_row(bench):
    bench.add_users("a", "b", "c")
    bench.pacer.begin(FakeSchedule(10, 60), 0, 50)
    bench.ring(10)
    bench.ring(60)  # the first level is over
    bench.pacer.begin(FakeSchedule(5, 15), 1000, 1010)
    bench.ring(1005)
    bench.ring(1015)

    assert bench.dispatched == [("a", 10), ("b", 1005)]
    assert bench.counts.offered == [10, 1005]


def test_a_level_that_begins_early_ends_the_one_before(bench):
    bench.add_users("a", "b", "c")
    bench.pacer.begin(FakeSchedule(10, 20, 30), 0, 1000)
    bench.ring(10)
    bench.pacer.begin(FakeSchedule(7), 100, 1000)
    assert bench.alarm.at_ns == 107
    bench.ring(500)

    assert bench.dispatched == [("a", 10), ("b", 107)]


@pytest.mark.parametrize(
    ("act", "set_to"),
    [
        pytest.param(lambda pacer: pacer.close(), None, id="closes-it"),
        pytest.param(lambda pacer: pacer.begin(FakeSchedule(15), 0, 50), 15, id="begins-another"),
    ],
)
def test_a_user_that_ends_the_level_with_its_arrival_ends_it_at_once(bench, act, set_to):
    bench.add_users("a", "b", "c")
    bench.pacer.begin(FakeSchedule(10, 20, 30), 0, 1000)
    bench.on_send["a"] = lambda: act(bench.pacer)
    bench.ring(30)

    assert bench.counts.offered == [10]
    assert bench.alarm.at_ns == set_to


def test_a_closed_pacer_sends_nothing_and_its_users_go_on_waiting(bench):
    bench.add_users("a")
    bench.pacer.begin(FakeSchedule(10), 0, 1000)
    bench.pacer.close()
    bench.ring(10)  # an alarm that was on its way
    bench.pacer.close()

    assert bench.alarm.is_closed
    assert bench.counts.offered == []
    assert bench.pacer.n_free == 1


def test_a_closed_pacer_can_begin_again(bench):
    bench.add_users("a")
    bench.pacer.begin(FakeSchedule(10), 0, 1000)
    bench.pacer.close()
    bench.pacer.begin(FakeSchedule(20), 0, 1000)
    bench.ring(20)

    assert not bench.alarm.is_closed
    assert bench.dispatched == [("a", 20)]


steps = st.one_of(
    st.tuples(st.just("pass"), st.integers(0, 60)),
    st.tuples(st.just("stall"), st.integers(0, 60)),
    st.tuples(st.just("let go"), st.integers(0, 9)),
    st.tuples(st.just("kill"), st.integers(0, 9)),
    st.tuples(st.just("add"), st.just(0)),
)


@given(st.lists(st.integers(0, 300), max_size=20), st.integers(0, 5), st.lists(steps, max_size=25), st.integers(0, 250))
@settings(max_examples=scaled(60))
def test_whatever_happens_each_arrival_is_sent_to_the_next_in_line_or_dropped(offsets, n_users, made, end_ns):
    bench = Bench()
    try:
        bench.add_users(*(f"user {number}" for number in range(n_users)))
        bench.pacer.begin(FakeSchedule(*sorted(offsets)), 0, end_ns)
        for number, (what, value) in enumerate(made):
            act(bench, what, value, number)
            assert len(bench.counts.offered) == len(bench.counts.sent) + len(bench.counts.dropped)
            assert bench.pacer.n_free == len(bench.counts.waiting)
        ring_if_due(bench, 10_000)
    finally:
        bench.end()

    due = [offset for offset in sorted(offsets) if offset < end_ns]
    assert bench.counts.offered == due
    assert sorted(bench.counts.sent + bench.counts.dropped) == due
    assert [due_ns for _, due_ns in bench.dispatched] == bench.counts.sent


def act(bench, what, value, number):
    if what == "pass":
        ring_if_due(bench, bench.now_ns + value)
    elif what == "stall":  # the loop is busy elsewhere: time passes and nobody rings
        bench.now_ns += value
    elif what == "add":
        bench.add_users(f"later {number}")
    elif what == "let go" and bench.busy:
        bench.let_go(bench.busy[value % len(bench.busy)])
    elif what == "kill" and bench.users:
        bench.kill(sorted(bench.users)[value % len(bench.users)])


def ring_if_due(bench, now_ns):
    bench.now_ns = now_ns
    if bench.alarm.at_ns is not None and bench.alarm.at_ns <= now_ns:
        bench.ring()


@pytest.mark.parametrize("pacing", PACINGS)
def test_in_real_time_no_arrival_is_lost_and_none_leaves_early(pacing):
    counts = Counts()
    left = []
    pacer = Pacer(counts, pacing=pacing)

    def live(name):
        while True:
            counts.waiting.append(name)
            due_ns = pacer.next()
            counts.waiting.remove(name)
            left.append((due_ns, time.perf_counter_ns()))
            gevent.sleep(0.004)

    users = [gevent.spawn(live, number) for number in range(3)]
    gevent.idle()
    begin_ns = time.perf_counter_ns()
    pacer.begin(Schedule(1000, "constant", 1, 1), begin_ns, begin_ns + 40 * MS)
    wait_until(lambda: len(counts.offered) == 40, "forty arrivals", 10)
    gevent.sleep(A_WHILE_S)
    pacer.close()
    gevent.killall(users)

    assert counts.offered == [begin_ns + number * MS for number in range(40)]
    assert sorted(counts.sent + counts.dropped) == counts.offered
    assert [due_ns for due_ns, _ in left] == counts.sent
    assert all(sent_ns >= due_ns for due_ns, sent_ns in left)
