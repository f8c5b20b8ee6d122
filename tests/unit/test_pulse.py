"""What a process has in hand, and what the coordinator makes of it: a run is ended where nobody can go on with it."""

import itertools
from types import SimpleNamespace

import pytest
from locust.env import Environment
from locust.runners import STATE_RUNNING

from tests.support.beats import STUCK, beat
from tests.support.coordinator import coordinator as coordinator
from tests.support.coordinator import finished as finished
from tests.support.coordinator import master as master
from tests.support.fake_master import ask, begin, deliver
from tests.support.fake_users import Runner, fire, run_options
from tests.support.pulsing_process import DEADLINE_S, Process
from tests.support.runs import wait_for
from tfsload.load.leases import Lease
from tfsload.run import messages, pulse
from tfsload.run.participant import Participant
from tfsload.run.results import Results
from tfsload.run.vigil import IDLE_LOOKS, READY_LOOKS, Vigil

LIMIT_NS = int((DEADLINE_S + pulse.STUCK_AFTER_DEADLINE_S) * 1e9)


def test_a_process_tells_what_it_holds():
    process = Process(n_users=2)
    assert process.look()["newest"] == -1
    process.run.supply.grant(Lease(4, 0, 3))
    process.run.supply.grant(Lease(7, 3, 5))
    process.run.supply.next()
    process.run.supply.done(4)

    told = process.look()
    assert (told["held"], told["newest"], told["n_open"], told["n_users"]) == ([4, 7], 7, 4, 2)


def test_what_a_process_without_users_holds_goes_to_others():
    process = Process(n_users=0)
    process.run.supply.grant(Lease(0, 0, 3))
    process.run.recorder.record([1], [1], None, 1, 1, 2, 0)
    looks = [process.look() for _ in range(pulse.IDLE_LOOKS)]

    assert [look["held"] for look in looks] == [[0]] * (pulse.IDLE_LOOKS - 1) + [[]]
    assert [look["n_discarded"] for look in looks] == [0] * (pulse.IDLE_LOOKS - 1) + [1]
    assert process.run.recorder.take_all() == []


def test_users_that_come_back_in_time_keep_what_the_process_holds():
    process = Process(n_users=0)
    process.run.supply.grant(Lease(0, 0, 3))
    for _ in range(3):
        process.users = []
        for _ in range(pulse.IDLE_LOOKS - 1):
            assert process.look()["held"] == [0]
        process.users = [SimpleNamespace(sent_ns=0, in_hand_ns=0)]
        assert process.look()["held"] == [0]


@pytest.mark.parametrize(
    ("ages_ns", "n_stuck"),
    [
        pytest.param([0], 0, id="sent-now"),
        pytest.param([LIMIT_NS], 0, id="at-the-limit"),
        pytest.param([LIMIT_NS + 1], 1, id="beyond-it"),
        pytest.param([LIMIT_NS + 1, 5, LIMIT_NS + 9], 2, id="two-of-three"),
        pytest.param([None, None], 0, id="users-that-wait-between-requests"),
    ],
)
def test_a_request_that_is_older_than_its_deadline_allows_is_stuck(ages_ns, n_stuck):
    process = Process()
    process.users = [
        SimpleNamespace(sent_ns=0, in_hand_ns=0 if age is None else process.now_ns - age) for age in ages_ns
    ]

    assert process.look()["n_stuck"] == n_stuck


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        pytest.param([(0, 0, 0)], [(False, False)], id="nothing-yet"),
        pytest.param([(5, 0, 5)] * 2, [(True, False)] * 2, id="in-flight"),
        pytest.param([(5, 0, 0)] * 2, [(True, False), (False, False)], id="failed-and-rests"),
        pytest.param([(5, 8, 0)] * 2, [(True, True), (False, False)], id="answered-and-rests"),
        pytest.param([(5, 8, 0), (9, 8, 9), (9, 12, 0)], [(True, True), (True, False), (False, True)], id="once-more"),
    ],
)
def test_a_process_tells_whether_it_sends_and_is_answered(seen, told):
    process = Process()
    looks = []
    for last_sent_ns, answered_ns, in_flight_ns in seen:
        process.run.sent_ns, process.run.answered_ns = last_sent_ns, answered_ns
        process.users[0].sent_ns = in_flight_ns
        look = process.look()
        looks.append((look["has_sent"], look["has_answered"]))

    assert looks == told


# Users of a process that takes part in a run: to look at each of many would hold up requests

N_USERS = 500
LOOKS = 4


class SeenUser:
    """A user that counts how often it is looked at."""

    def __init__(self, sent_ns=1, in_hand_ns=1):
        self._sent_ns, self._in_hand_ns = sent_ns, in_hand_ns
        self.n_seen = 0

    @property
    def sent_ns(self):
        self.n_seen += 1
        return self._sent_ns

    @property
    def in_hand_ns(self):
        self.n_seen += 1
        return self._in_hand_ns


@pytest.fixture
def environment():
    """A participant's, for a run whose options `fire` completes."""
    return Environment(parsed_options=SimpleNamespace(**run_options()), host="127.0.0.1:1")


class LookedAt:
    """A participant in a run, whose pulses beat fast; what happens between two of them is the test's."""

    def __init__(self, environment, monkeypatch, users, goes_on, **options):
        monkeypatch.setattr(pulse, "INTERVAL_S", 0.001)
        fire(environment, **options)
        self._goes_on = goes_on
        self._runner = Runner()
        self._runner.user_greenlets = [SimpleNamespace(args=(user,)) for user in users]
        self._runner.send_message = self._take
        self.told = []
        self.participant = Participant(environment, self._runner)
        self.participant.begin()
        self._goes_on(self.participant.run)

    def _take(self, message, data):
        if message == messages.PULSE:
            self.told.append(data)
            self._goes_on(self.participant.run)

    def pulses(self):
        """Return some pulses, each after the run went on."""
        try:
            wait_for(lambda: len(self.told) >= LOOKS)
        finally:
            self.participant.end()
        return self.told[:LOOKS]


def answers(run):
    run.sent_ns += 2
    run.answered_ns += 2


def sends(run):
    run.sent_ns += 2


def hangs(_):
    """Nothing is sent, and nothing answered."""


def words_of(pulses, *names):
    return {tuple(told[name] for name in names) for told in pulses}


@pytest.mark.parametrize(
    ("options", "goes_on", "n_most"),
    [
        pytest.param({"rate": "5"}, answers, 0, id="a-level"),
        pytest.param({"sweep": "4"}, sends, 0, id="a-level-without-an-answer"),
        pytest.param({"rate": "5"}, hangs, 2, id="a-level-in-which-all-wait"),
        pytest.param({}, answers, 0, id="a-run-without-levels"),
        pytest.param({}, hangs, 2, id="a-run-without-levels-in-which-all-wait"),
        pytest.param({"num_tests": "100"}, answers, 0, id="leases-and-answers"),
    ],
)
def test_a_process_of_many_users_does_not_look_at_each(environment, monkeypatch, options, goes_on, n_most):
    users = [SeenUser() for _ in range(N_USERS)]
    looked_at = LookedAt(environment, monkeypatch, users, goes_on, **options)
    pulses = looked_at.pulses()

    assert sum(user.n_seen for user in users) <= n_most * len(looked_at.told)
    assert words_of(pulses, "n_users", "n_stuck", "has_sent", "has_answered") == {
        (N_USERS, 0, True, goes_on is answers)
    }


@pytest.mark.parametrize(
    ("in_hand", "goes_on", "n_stuck"),
    [
        pytest.param([True, True, False], sends, 2, id="no-answer"),
        pytest.param([True, True, True], hangs, 3, id="all-wait"),
        pytest.param([True, True, False], answers, 0, id="somebody-goes-on"),
        pytest.param([False, False], hangs, 0, id="all-rest"),
    ],
)
def test_requests_of_leases_that_are_stuck_are_seen_once_no_answer_comes(
    environment, monkeypatch, in_hand, goes_on, n_stuck
):
    monkeypatch.setattr(pulse, "STUCK_AFTER_DEADLINE_S", -DEADLINE_S)
    users = [SeenUser(is_stuck, int(is_stuck)) for is_stuck in in_hand]
    looked_at = LookedAt(environment, monkeypatch, users, goes_on, num_tests="100")

    assert words_of(looked_at.pulses(), "n_users", "n_stuck") == {(len(users), n_stuck)}


@pytest.mark.parametrize("options", [{"rate": "5"}, {}, {"num_tests": "100"}])
def test_one_request_that_waits_is_found_among_users_that_rest(environment, monkeypatch, options):
    users = [SeenUser(sent_ns=number == 7, in_hand_ns=0) for number in range(N_USERS)]

    assert words_of(LookedAt(environment, monkeypatch, users, hangs, **options).pulses(), "has_sent") == {(True,)}


@pytest.mark.parametrize("options", [{"rate": "5"}, {}, {"num_tests": "100"}])
def test_users_that_rest_send_nothing(environment, monkeypatch, options):
    users = [SeenUser(sent_ns=0, in_hand_ns=0), SimpleNamespace()]  # and one of another class

    assert words_of(LookedAt(environment, monkeypatch, users, hangs, **options).pulses(), "has_sent") == {(False,)}


def test_users_of_other_classes_keep_no_lease(environment, monkeypatch):
    looked_at = LookedAt(environment, monkeypatch, [SimpleNamespace()] * 3, hangs, num_tests="100")

    assert words_of(looked_at.pulses(), "n_users") == {(0,)}


# The coordinator, whose workers are played by the test


def test_a_lease_that_its_worker_gave_up_goes_to_another(master, coordinator, finished):
    begin(coordinator, n_requests=1)
    lease = ask(master, "a")
    beat(master, "a", n_users=0, held=[], newest=lease[0], n_discarded=1)
    again = ask(master, "b")
    deliver(master, "b", again)
    wait_for(lambda: finished)

    assert again[1:] == lease[1:]
    assert (coordinator.results.overall.requests, coordinator.results.n_discarded) == (1, 1)


def test_a_lease_on_its_way_to_a_worker_stays_its(master, coordinator, finished):
    begin(coordinator, n_requests=1)
    lease = ask(master, "a")
    beat(master, "a", held=[], newest=-1)  # it spoke before the lease came
    assert ask(master, "b") is None
    deliver(master, "a", lease)
    wait_for(lambda: finished)

    assert coordinator.results.n_done == 1


def test_a_lease_whose_delivery_was_lost_goes_to_another(master, coordinator):
    begin(coordinator, n_requests=1)
    lease = ask(master, "a")
    beat(master, "a", held=[], newest=lease[0])

    assert ask(master, "b")[1:] == lease[1:]


RESTS = {"n_users": 1}
GONE = {"n_users": 0}


@pytest.mark.parametrize(
    ("of_a", "of_b", "why"),
    [
        pytest.param(GONE, GONE, "no user that fires images is left", id="no-user-is-left"),
        pytest.param(STUCK, GONE, "1 request was in hand", id="stuck-and-nobody-else"),
        pytest.param(STUCK, RESTS, "1 request was in hand", id="stuck-and-the-other-has-nothing-to-do"),
        pytest.param(STUCK, STUCK, "2 requests were in hand", id="all-are-stuck"),
        pytest.param({"n_open": 9, "n_stuck": 1}, RESTS, "1 request was in hand", id="the-only-user-is-stuck"),
    ],
)
def test_a_run_that_nobody_can_go_on_with_is_ended_saying_so(master, coordinator, finished, of_a, of_b, why):
    begin(coordinator, n_requests=2)
    ask(master, "a"), ask(master, "b")
    beat(master, "a", held=[0], newest=0, **of_a)
    beat(master, "b", held=[1], newest=1, **of_b)
    wait_for(lambda: finished)

    assert why in coordinator.results.stalled
    assert len(finished) == 1


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("n_requests", "of_a", "of_b"),
    [
        pytest.param(2, RESTS, RESTS, id="long-wait-times"),
        pytest.param(2, {"n_users": 2, "n_open": 5, "n_stuck": 1}, RESTS, id="another-user-has-work-left"),
        pytest.param(3, STUCK, RESTS, id="another-worker-can-take-what-is-left"),
        pytest.param(2, STUCK, {"n_users": 1, "n_open": 1}, id="another-worker-is-at-work"),
        pytest.param(2, GONE, None, id="one-has-not-said-a-word-yet"),
    ],
)
def test_a_run_that_somebody_can_go_on_with_is_not(master, coordinator, finished, n_requests, of_a, of_b):
    begin(coordinator, n_requests=n_requests)
    ask(master, "a"), ask(master, "b")
    beat(master, "a", held=[0], newest=0, **of_a)
    if of_b is not None:
        beat(master, "b", held=[1], newest=1, **of_b)
    wait_for_looks(coordinator, 20)

    assert coordinator.results.stalled == ""
    assert finished == []


def wait_for_looks(coordinator, n):
    """Wait until the coordinator has looked so many times more."""
    looks = itertools.count()
    refresh, n_looks = coordinator.refresh, [0]

    def counting():
        n_looks[0] = next(looks) + 1
        refresh()

    coordinator.refresh = counting
    wait_for(lambda: n_looks[0] >= n)


def test_a_pulse_of_an_earlier_run_is_ignored(master, coordinator):
    begin(coordinator, n_requests=1)
    begin(coordinator, n_requests=1)
    lease = ask(master, "a", run=2)
    beat(master, "a", held=[], newest=lease[0], n_discarded=3)  # of run 1

    assert ask(master, "b", run=2) is None
    assert coordinator.results.n_discarded == 0


LEASES = SimpleNamespace(has_waiting=True)


@pytest.mark.parametrize(
    ("joined", "heard", "is_over"),
    [
        pytest.param({"a", "b"}, {"a"}, False, id="one-still-reads-its-images"),
        pytest.param({"a", "b"}, set(), False, id="both-do"),
        pytest.param({"a", "b"}, {"a", "b"}, True, id="none-does"),
        pytest.param({"a"}, {"a"}, True, id="the-other-has-not-joined"),
        pytest.param({"a", "gone"}, {"a"}, True, id="the-other-is-gone"),
    ],
)
def test_without_a_user_a_run_goes_on_while_a_worker_that_joined_gets_ready(joined, heard, is_over):
    vigil, results = Vigil(SimpleNamespace(state=STATE_RUNNING, target_user_count=2, user_count=0)), Results()
    for worker in heard:
        vigil.take(worker, {"has_sent": False, "has_answered": False, "n_users": 0}, 0.0, None)

    looks = [vigil.is_over(results, LEASES, {"a", "b"}, joined) for _ in range(IDLE_LOOKS)]

    assert looks == [False] * (IDLE_LOOKS - 1) + [is_over]
    assert results.stalled == ("no user is left" if is_over else "")


def test_a_worker_that_joined_and_never_gets_ready_is_not_waited_for_for_ever():
    vigil, results = Vigil(SimpleNamespace(state=STATE_RUNNING, target_user_count=2, user_count=0)), Results()
    looks = [vigil.is_over(results, LEASES, {"a"}, {"a"}) for _ in range(READY_LOOKS + IDLE_LOOKS)]

    assert looks == [False] * (READY_LOOKS + IDLE_LOOKS - 1) + [True]


def test_one_that_gets_ready_is_waited_for_as_long_again_after_users_ran():
    runner = SimpleNamespace(
        state=STATE_RUNNING, target_user_count=2, user_count=0, environment=SimpleNamespace(shape_class=None)
    )
    vigil, results = Vigil(runner), Results()
    looks = [vigil.is_over(results, LEASES, {"a"}, {"a"}) for _ in range(READY_LOOKS)]
    runner.user_count = 1
    looks += [vigil.is_over(results, LEASES, {"a"}, {"a"})]
    runner.user_count = 0
    looks += [vigil.is_over(results, LEASES, {"a"}, {"a"}) for _ in range(READY_LOOKS)]

    assert looks == [False] * (2 * READY_LOOKS + 1)


@pytest.mark.parametrize("shape_class", [None, object()], ids=["alone", "with-a-load-shape"])
def test_where_a_load_shape_may_ask_for_other_classes_first_none_that_fires_images_is_missing(shape_class):
    environment = SimpleNamespace(shape_class=shape_class)
    vigil, results = Vigil(SimpleNamespace(state=STATE_RUNNING, target_user_count=2, user_count=1)), Results()
    vigil._runner.environment = environment
    vigil.take("a", {"has_sent": False, "has_answered": False, "n_users": 0, "n_stuck": 0}, 0.0, None)
    looks = [vigil.is_over(results, LEASES, {"a"}, {"a"}) for _ in range(IDLE_LOOKS)]

    assert any(looks) is (shape_class is None)
