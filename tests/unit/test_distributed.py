"""Coordinator and participant over a network of messages that the test can delay, lose and repeat."""

import time
from dataclasses import replace
from types import SimpleNamespace

import gevent
import numpy as np
import pytest
from locust.exception import RPCError
from locust.runners import STATE_MISSING, STATE_RUNNING

from tests.support.beats import beat
from tests.support.coordinator import coordinator as coordinator
from tests.support.coordinator import finished as finished
from tests.support.coordinator import master as master
from tests.support.fake_master import ask, begin, deliver, drain, report, rows
from tests.support.runs import wait_for
from tfsload.records.record import Record
from tfsload.records.window import UNCOUNTED
from tfsload.run import coordinator as coordinating
from tfsload.run import ledger, messages, roster, vigil
from tfsload.run.late_looks import MOST, LateLooks
from tfsload.target.references import References
from tfsload.transport.call_spec import LABELS, MNIST_EXAMPLE


def raising(error):
    def raise_it(*_, **__):
        raise error

    return raise_it


def test_leases_are_given_out_and_taken_once(master, coordinator, finished):
    begin(coordinator, n_requests=2)
    first, second = ask(master, "a"), ask(master, "b")
    assert ask(master, "a", held=[first[0]]) is None

    deliver(master, "a", first)
    deliver(master, "a", first)  # repeated
    deliver(master, "b", second)
    wait_for(lambda: finished)

    assert coordinator.results.n_done == 2
    assert coordinator.results.overall.predictions == 2
    assert finished == [True]


def test_a_lost_workers_lease_goes_to_another_and_counts_once(master, coordinator, finished):
    begin(coordinator, n_requests=1)
    lease = ask(master, "a")
    master.clients["a"].state = STATE_MISSING
    wait_for(lambda: "a" in coordinator.results.lost_workers)
    again = ask(master, "b")
    deliver(master, "b", again)
    deliver(master, "a", lease)  # it was alive after all
    wait_for(lambda: finished)

    assert coordinator.results.overall.predictions == 1
    assert coordinator.results.lost_workers == {"a"}
    assert coordinator.results.n_discarded == 1


def test_a_worker_that_is_lost_twice_keeps_nothing(master, coordinator, finished):
    begin(coordinator, n_requests=1)
    for _ in range(2):
        ask(master, "a")
        master.clients["a"].state = STATE_MISSING
        wait_for(lambda: "a" in coordinator.results.lost_workers)
        master.clients["a"].state = STATE_RUNNING
        wait_for(lambda: not coordinator.results.lost_workers)
    deliver(master, "b", ask(master, "b"))
    wait_for(lambda: finished)

    assert coordinator.results.overall.predictions == 1


def test_a_lease_whose_message_was_lost_is_given_out_again(master, coordinator):
    begin(coordinator, n_requests=1)
    lost = ask(master, "a")
    again = ask(master, "a", held=[])

    assert again[0] != lost[0]
    assert again[1:] == lost[1:]


def test_a_lease_that_is_held_stays_with_its_worker(master, coordinator):
    begin(coordinator, n_requests=2)
    lease = ask(master, "a")
    ask(master, "a", held=[lease[0]])
    deliver(master, "a", lease)

    assert coordinator.results.n_done == 1


def test_a_warm_up_is_given_out_first_and_in_no_figure(master, coordinator, finished):
    begin(coordinator, n_requests=1, n_warm_up=2)
    first, second = ask(master, "a"), ask(master, "b")
    assert master.sent[-1][1]["is_warming_up"]
    deliver(master, "a", first, level=UNCOUNTED)
    assert ask(master, "a") is None
    assert master.sent[-1][1]["is_warming_up"]
    assert coordinator.results.n_warm_up_left == 1
    deliver(master, "b", second, level=UNCOUNTED)
    counted = ask(master, "a")
    assert not master.sent[-1][1]["is_warming_up"]
    assert (coordinator.results.n_done, coordinator.results.tally.requests) == (0, 0)
    deliver(master, "a", counted)
    wait_for(lambda: finished)

    results = coordinator.results
    assert (results.uncounted.requests, results.overall.requests, results.n_warm_up_left) == (2, 1, 0)


def test_a_worker_that_is_lost_in_the_warm_up_leaves_it_as_long_as_it_was(master, coordinator, finished):
    begin(coordinator, n_requests=1, n_warm_up=1)
    lost = ask(master, "a")
    master.clients["a"].state = STATE_MISSING
    wait_for(lambda: "a" in coordinator.results.lost_workers)
    again = ask(master, "b")
    assert again[1:] == lost[1:]
    deliver(master, "b", again, level=UNCOUNTED)
    deliver(master, "a", lost, level=UNCOUNTED)  # it was alive after all
    deliver(master, "b", ask(master, "b"))
    wait_for(lambda: finished)

    results = coordinator.results
    assert (results.uncounted.requests, results.overall.requests, results.n_discarded) == (1, 1, 1)


def test_reports_that_did_not_arrive_are_noticed(master, coordinator):
    begin(coordinator, n_requests=None)
    report(master, "a", rows(None, 5))
    drain(master, "a", rows(None, 2), n_reported=17)

    assert coordinator.results.overall.requests == 7
    assert coordinator.results.n_unaccounted == 10


@pytest.mark.parametrize(
    ("ahead_ns", "is_moved"),
    [
        pytest.param(0, False, id="same-clock"),
        pytest.param(100_000_000, False, id="a-message-on-its-way"),
        pytest.param(3600 * 10**9, True, id="an-hour-ahead"),
        pytest.param(-3600 * 10**9, True, id="an-hour-behind"),
    ],
)
@pytest.mark.parametrize("level", [0, 1], ids=["whole-run", "level"])
def test_clocks_that_differ_are_reckoned_with(master, coordinator, ahead_ns, is_moved, level):
    begin(coordinator, n_requests=None)
    report(master, "a", rows(None, 1, level), clock_ns=ahead_ns)
    coordinator._ledger.settle()
    moved_ns = coordinator.results.overall.last_done_unix_ns - 10**18

    assert abs(moved_ns + (ahead_ns if is_moved else 0)) < 10**9


@pytest.mark.parametrize(
    ("ahead_s", "is_moved"),
    [
        pytest.param(0, False, id="same-clock"),
        pytest.param(0.1, False, id="a-message-on-its-way"),
        pytest.param(3600, True, id="an-hour-ahead"),
        pytest.param(-3600, True, id="an-hour-behind"),
    ],
)
def test_who_stood_still_is_told_by_the_leaders_clock(master, coordinator, ahead_s, is_moved):
    begin(coordinator, n_requests=None)
    ahead_ns = int(ahead_s * 10**9)
    from_ns = time.time_ns() - 9 * 10**9
    spans = [[from_ns + ahead_ns, 8 * 10**9]]
    beat(master, "a", held=[], unix_ns=time.time_ns() + ahead_ns, held_up=spans)
    [(told_ns, lasted_ns)] = coordinator.results.held_up["a"]

    assert lasted_ns == 8 * 10**9
    assert abs(told_ns - from_ns - (0 if is_moved else ahead_ns)) < 10**9 / 4


@pytest.mark.parametrize("n", [1, MOST, MOST + 1, 5 * MOST])
def test_however_often_a_worker_stood_still_each_time_is_kept(master, coordinator, n):
    begin(coordinator, n_requests=None)
    late_looks = LateLooks()
    for number in range(n):
        late_looks.expect(3 * number * 10**9)
        late_looks.see((3 * number + 2) * 10**9)
        beat(master, "a", held=[], held_up=late_looks.to_plain(0))

    assert late_looks.within_s(0, 10**18) == 2 * n
    assert coordinator.results.held_up["a"] == [[3 * number * 10**9, 2 * 10**9] for number in range(n)]


def test_workers_that_cannot_be_told_of_the_end_are_named(master, coordinator, monkeypatch, caplog):
    begin(coordinator)
    monkeypatch.setattr(coordinating, "DRAIN_LIMIT_S", 0)
    monkeypatch.setattr(master, "send_message", raising(RPCError("closed")))
    ask_in_vain = {"run": 1, "held": [], "newest": -1}
    master.receive(messages.LEASE_WANTED, ask_in_vain, "a")
    coordinator.begin_to_end()
    coordinator.end()

    assert coordinator.results.lost_workers == {"a", "b"}
    assert "could not be sent to a: closed" in caplog.text
    assert "could not be sent to the workers: closed" in caplog.text


def test_a_clock_that_is_set_in_the_middle_makes_a_run_no_longer(coordinator, monkeypatch):
    begin(coordinator)
    now_s = time.time()
    monkeypatch.setattr(coordinating.time, "time", lambda: now_s - 3600)
    coordinator.begin_to_end()

    assert 0 <= coordinator.results.ended_unix_s - coordinator.results.begun_unix_s < 600


@pytest.mark.parametrize(
    ("msg_type", "data"),
    [
        pytest.param(messages.LEASE_WANTED, {"held": []}, id="lease-wanted"),
        pytest.param(messages.LEASE_DONE, {"lease": 0, "rows": rows(0, 1)}, id="lease-done"),
        pytest.param(
            messages.DRAINED, {"rows": rows(None, 1), "open": [], "n_reported": 1, "is_broken": False}, id="drained"
        ),
        pytest.param(messages.UNFIT, {"reason": "old"}, id="unfit"),
    ],
)
def test_messages_of_an_earlier_run_are_ignored(master, coordinator, msg_type, data):
    begin(coordinator, n_requests=1)
    begin(coordinator, n_requests=1)
    ask(master, "a", run=2)
    sent = len(master.sent)

    master.receive(msg_type, {"run": 1, "unix_ns": time.time_ns(), **data}, "a")

    assert len(master.sent) == sent
    assert coordinator.results.overall.predictions == 0
    assert coordinator.results.unfit_workers == {}


def test_reports_of_an_earlier_run_are_ignored(master, coordinator):
    begin(coordinator, n_requests=None)
    begin(coordinator, n_requests=None)
    report(master, "a", rows(None, 5), run=1)
    report(master, "a", rows(None, 3), run=2)

    assert coordinator.results.overall.predictions == 3


def test_reports_are_kept_by_level(master, coordinator):
    begin(coordinator, n_requests=None)
    for level in (0, 1, 1):
        report(master, "a", rows(None, 2, level))

    assert {level: record.predictions for level, record in coordinator.results.records.items()} == {0: 2, 1: 4}


def test_the_end_waits_for_each_worker(master, coordinator):
    begin(coordinator, n_requests=None)
    coordinator.begin_to_end()
    ending = gevent.spawn(coordinator.end)
    wait_for(lambda: (messages.DRAIN, {"run": 1}, None) in master.sent)
    drain(master, "a", rows(None, 2))
    assert not ending.ready()
    assert gevent.wait([ending], timeout=0.05) == []
    drain(master, "b", rows(None, 3))
    ending.join(10)

    assert ending.ready()
    assert coordinator.results.overall.predictions == 5
    assert coordinator.results.lost_workers == set()


def connect(master, worker):
    master.clients[worker] = SimpleNamespace(id=worker, state=STATE_RUNNING, user_count=0)


def test_the_end_waits_for_a_worker_that_was_there_when_it_began_and_for_none_that_comes_then(master, coordinator):
    begin(coordinator, n_requests=None)
    connect(master, "late")  # it has not said that it takes part, and may be about to
    coordinator.begin_to_end()
    ending = gevent.spawn(coordinator.end)
    wait_for(lambda: (messages.DRAIN, {"run": 1}, None) in master.sent)
    connect(master, "later")
    for worker in ("a", "b"):
        drain(master, worker)
    assert gevent.wait([ending], timeout=0.05) == []
    drain(master, "late", rows(None, 3))
    ending.join(10)

    assert ending.ready()
    assert coordinator.results.overall.predictions == 3
    assert coordinator.results.lost_workers == set()


def test_the_end_does_not_wait_for_a_worker_that_is_gone(master, coordinator):
    begin(coordinator, n_requests=None)
    coordinator.begin_to_end()
    drain(master, "a")
    del master.clients["b"]
    ending = gevent.spawn(coordinator.end)
    ending.join(10)

    assert ending.ready()
    assert coordinator.results.lost_workers == {"b"}


def test_the_end_gives_up_on_a_worker_that_says_nothing(master, coordinator, monkeypatch):
    monkeypatch.setattr(coordinating, "DRAIN_LIMIT_S", 0.05)
    begin(coordinator, n_requests=None)
    drain(master, "a")
    ending = gevent.spawn(coordinator.end)
    ending.join(10)

    assert ending.ready()
    assert coordinator.results.lost_workers == {"b"}


def test_half_a_lease_counts_when_the_run_is_ending(master, coordinator, monkeypatch):
    monkeypatch.setattr(ledger, "LEASES_PER_WORKER", 1)
    begin(coordinator, n_requests=20)
    number, start, stop = ask(master, "a")
    assert stop - start == 10
    coordinator.begin_to_end()
    drain(master, "a", rows(number, 4), [(number, 6)])

    assert coordinator.results.n_done == 4
    assert coordinator.results.overall.predictions == 4


def test_half_a_lease_of_a_worker_that_leaves_early_is_made_again(master, coordinator, finished):
    begin(coordinator, n_requests=2)
    lease = ask(master, "a")
    drain(master, "a", rows(lease[0], 1), [(lease[0], 0)])
    del master.clients["a"]
    assert coordinator.results.overall.predictions == 0
    deliver(master, "b", ask(master, "b"))
    deliver(master, "b", ask(master, "b"))
    wait_for(lambda: finished)

    assert coordinator.results.overall.predictions == 2
    assert coordinator.results.lost_workers == set()  # it said goodbye


def test_an_unfit_worker_is_kept_with_its_reason(master, coordinator):
    begin(coordinator, n_requests=None)
    master.receive(messages.UNFIT, {"run": 1, "reason": "no data here"}, "b")

    assert coordinator.results.unfit_workers == {"b": "no data here"}


def test_a_worker_that_never_ran_a_user_is_no_loss(master, coordinator):
    coordinator.begin(n_requests=None)
    master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, "a")
    master.clients["a"].user_count = 2
    del master.clients["b"]
    coordinator.begin_to_end()
    drain(master, "a")
    coordinator.end()

    assert coordinator.results.lost_workers == set()
    assert coordinator.results.n_workers == 1


def test_a_worker_that_is_lost_with_its_users_before_it_has_said_a_word_is_lost(master, coordinator):
    coordinator.begin(n_requests=None)
    master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, "a")
    del master.clients["b"]  # one of the two users was its
    coordinator.begin_to_end()
    drain(master, "a")
    coordinator.end()

    assert coordinator.results.lost_workers == {"b"}
    assert coordinator.results.n_workers == 2


def test_a_worker_that_was_lost_before_the_other_one_joined_is_one_of_two(master, coordinator):
    coordinator.begin(n_requests=None)
    master.target_user_count = master.user_count + 1
    del master.clients["b"]
    wait_for(lambda: coordinator.results.lost_workers == {"b"})
    master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, "a")

    assert coordinator.results.n_workers == 2


@pytest.mark.parametrize(
    ("lost", "is_heard_in_time", "n_left"),
    [
        pytest.param([], True, 2, id="nobody-is-lost"),
        pytest.param(["a"], True, 1, id="one"),
        pytest.param(["a", "b"], True, 0, id="all"),
        pytest.param(["a", "b"], False, 0, id="all-as-it-ends"),
    ],
)
def test_how_many_workers_are_left_at_the_end_is_counted(master, coordinator, lost, is_heard_in_time, n_left):
    coordinator.begin(n_requests=None)
    for worker in ("a", "b"):
        master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, worker)
    for worker in lost:
        master.clients[worker].state = STATE_MISSING
    if is_heard_in_time:
        wait_for(lambda: coordinator.results.lost_workers == set(lost))
    coordinator.begin_to_end()
    for worker in {"a", "b"} - set(lost):
        drain(master, worker)
    coordinator.end()

    assert coordinator.results.n_workers_left == n_left


def test_a_worker_that_has_come_in_the_place_of_a_lost_one_is_left(master, coordinator):
    coordinator.begin(n_requests=None)
    master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, "a")
    master.clients["a"].state = STATE_MISSING
    wait_for(lambda: coordinator.results.lost_workers == {"a"})
    master.receive(messages.JOINED, {"run": 1, "protocol": messages.PROTOCOL}, "b")
    coordinator.begin_to_end()
    drain(master, "b")
    coordinator.end()

    assert (coordinator.results.n_workers, coordinator.results.n_workers_left) == (1, 1)


def test_an_exception_that_escaped_in_a_worker_is_told(master, coordinator):
    begin(coordinator)
    data = {"run": 1, "rows": [], "open": [], "n_reported": 0, "unix_ns": time.time_ns(), "is_broken": True}
    master.receive(messages.DRAINED, data, "a")

    assert coordinator.results.is_broken


def test_a_limited_run_without_users_ends(master, coordinator, finished):
    begin(coordinator, n_requests=5)
    for client in master.clients.all:
        client.user_count = 0
        beat(master, client.id, n_users=0)  # it has got ready
    wait_for(lambda: finished)

    assert coordinator.results.n_done == 0


def test_a_limited_run_whose_load_shape_asks_for_no_users_goes_on(master, coordinator, finished, monkeypatch):
    looks = []
    monkeypatch.setattr(coordinator, "refresh", lambda: looks.append(True))  # is called at each
    begin(coordinator, n_requests=5)
    master.target_user_count = 0
    for client in master.clients.all:
        client.user_count = 0
        beat(master, client.id, n_users=0)  # it has got ready
    wait_for(lambda: len(looks) > 3 * vigil.IDLE_LOOKS)
    assert not finished
    master.target_user_count = 2
    wait_for(lambda: finished)


def test_when_every_worker_is_unfit_the_run_ends(master, coordinator, finished):
    begin(coordinator, n_requests=5)
    master.receive(messages.UNFIT, {"run": 1, "reason": "no data"}, "a")
    gevent.idle()
    assert not finished
    master.receive(messages.UNFIT, {"run": 1, "reason": "no data"}, "b")
    wait_for(lambda: finished)

    assert set(coordinator.results.unfit_workers) == {"a", "b"}


def test_how_much_was_done_is_told_without_merging(master, coordinator, monkeypatch):
    """Whoever shows progress asks twice a second: what grows with the run would hold up its requests."""
    begin(coordinator)
    for level, n_predictions in ((0, 3), (1, 4), (UNCOUNTED, 5)):
        report(master, "a", rows(None, n_predictions, level))
    overall = coordinator.results.overall
    monkeypatch.setattr(Record, "merge", None)

    tally = coordinator.results.tally
    assert tally == (overall.requests, overall.predictions, 0, 0, 7, 0, 0) == (7, 7, 0, 0, 7, 0, 0)


def test_a_workers_reason_is_told_with_its_cure(master, coordinator):
    begin(coordinator)
    reason = "a first part" + " of many words" * 40 + ": pass another --dataset"
    master.receive(messages.UNFIT, {"run": 1, "reason": reason}, "a")

    assert coordinator.results.unfit_workers["a"].endswith(": pass another --dataset")


def test_workers_that_never_join_and_are_all_there_is_end_the_run(coordinator, finished, monkeypatch):
    monkeypatch.setattr(roster, "STRANGE_AFTER_S", 0.02)
    coordinator.begin(None)
    wait_for(lambda: finished)

    assert set(coordinator.results.unfit_workers.values()) == {roster.STRANGER}


def test_the_answers_without_load_go_to_who_asks_for_them(coordinator, master):
    """The options that travel with every spawn message stay short, however many images are compared."""
    references = References()
    for number in range(1000):
        references.keep(number, np.eye(10, dtype="<f4")[[7]])
    coordinator.begin(None, references=references)

    master.receive(messages.REFERENCES_WANTED, {"run": 1}, "b")
    master.receive(messages.REFERENCES_WANTED, {"run": 7}, "a")  # of another run

    told = [(data, worker) for message, data, worker in master.sent if message == messages.REFERENCES]
    assert [(len(data["rows"]), worker) for data, worker in told] == [(1000, "b")]
    assert len(str(vars(master.environment.parsed_options))) < 1000


def test_what_classes_are_called_travels_with_no_spawn_message(coordinator, master):
    names = tuple(f"class {n}" for n in range(20_000))
    output = replace(MNIST_EXAMPLE.output, kind=LABELS, names=names)
    coordinator.begin(None, calls=replace(MNIST_EXAMPLE, output=output).to_text())

    assert len(str(vars(master.environment.parsed_options))) < 1000
