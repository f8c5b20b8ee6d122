"""Coordinator and participant over a network of messages that the test can delay, lose and repeat."""

from types import SimpleNamespace

import gevent
import pytest
from locust.env import Environment
from locust.runners import STATE_MISSING, STATE_RUNNING, MasterRunner

from tfsload.distributed import coordinator as coordinating
from tfsload.distributed import messages
from tfsload.distributed.coordinator import Coordinator
from tfsload.recorder import Recorder


class Master(MasterRunner):
    """A master without sockets: keeps what it would send, and is told what it receives."""

    def __init__(self, environment, workers):
        self.environment = environment
        self.clients = {name: SimpleNamespace(id=name, state=STATE_RUNNING) for name in workers}
        self.clients = _Clients(self.clients)
        self.custom_messages = {}
        self.sent = []
        self.greenlet = None

    def send_message(self, msg_type, data=None, client_id=None):
        self.sent.append((msg_type, data, client_id))

    def receive(self, msg_type, data, worker):
        listener, _ = self.custom_messages[msg_type]
        listener(environment=self.environment, msg=SimpleNamespace(data=data, node_id=worker))


class _Clients(dict):
    @property
    def all(self):
        return list(self.values())


@pytest.fixture
def finished():
    return []


@pytest.fixture
def master():
    environment = Environment(parsed_options=SimpleNamespace(), stop_timeout=0)
    return Master(environment, ["a", "b"])


@pytest.fixture
def coordinator(master, finished, monkeypatch):
    monkeypatch.setattr(coordinating, "WATCH_INTERVAL_S", 0.01)
    leader = Coordinator(master.environment, master, on_finished=lambda: finished.append(True))
    yield leader
    master.clients.clear()
    leader.end()


def rows(lease, n_predictions, level=0):
    """Return what a worker's recorder hands over for some right answers."""
    recorder = Recorder()
    for _ in range(n_predictions):
        recorder.on_prediction(
            image_index=0, label=1, predicted=1, scores=None, latency_ns=10**6, done_unix_ns=10**18,
            failure=None, level=level, lease=lease, position=0,
        )  # fmt: skip
    return recorder.take_all()


def ask(master, worker, run=1):
    """Ask for a lease; return its number, start and stop, or None."""
    master.receive(messages.LEASE_WANTED, {"run": run}, worker)
    return master.sent[-1][1]["lease"]


def deliver(master, worker, lease, run=1):
    number, start, stop = lease
    master.receive(messages.LEASE_DONE, {"run": run, "lease": number, "rows": rows(number, stop - start)}, worker)


def wait_for(condition):
    with gevent.Timeout(10):
        while not condition():
            gevent.sleep(0.005)


def test_leases_are_given_out_and_taken_once(master, coordinator, finished):
    coordinator.begin(n_requests=2)
    first, second = ask(master, "a"), ask(master, "b")
    assert ask(master, "a") is None

    deliver(master, "a", first)
    deliver(master, "a", first)  # repeated
    deliver(master, "b", second)
    wait_for(lambda: finished)

    assert coordinator.results.n_done == 2
    assert coordinator.results.overall.predictions == 2
    assert finished == [True]


def test_a_lost_workers_lease_goes_to_another_and_counts_once(master, coordinator, finished):
    coordinator.begin(n_requests=1)
    lease = ask(master, "a")
    master.clients["a"].state = STATE_MISSING
    wait_for(lambda: "a" in coordinator.results.lost_workers)
    again = ask(master, "b")
    deliver(master, "b", again)
    deliver(master, "a", lease)  # it was alive after all
    wait_for(lambda: finished)

    assert coordinator.results.overall.predictions == 1
    assert coordinator.results.lost_workers == {"a"}


@pytest.mark.parametrize(
    ("msg_type", "data"),
    [
        pytest.param(messages.LEASE_WANTED, {}, id="lease-wanted"),
        pytest.param(messages.LEASE_DONE, {"lease": 0, "rows": rows(0, 1)}, id="lease-done"),
        pytest.param(messages.DRAINED, {"rows": rows(None, 1), "open": []}, id="drained"),
        pytest.param(messages.UNFIT, {"reason": "old"}, id="unfit"),
    ],
)
def test_messages_of_an_earlier_run_are_ignored(master, coordinator, msg_type, data):
    coordinator.begin(n_requests=1)
    coordinator.begin(n_requests=1)
    ask(master, "a", run=2)
    sent = len(master.sent)

    master.receive(msg_type, {"run": 1, **data}, "a")

    assert len(master.sent) == sent
    assert coordinator.results.overall.predictions == 0
    assert coordinator.results.unfit_workers == {}


def test_reports_of_an_earlier_run_are_ignored(master, coordinator):
    coordinator.begin(n_requests=None)
    coordinator.begin(n_requests=None)
    for run, n_predictions in ((1, 5), (2, 3)):
        report = {messages.REPORT_KEY: {"run": run, "rows": rows(None, n_predictions)}}
        master.environment.events.worker_report.fire(client_id="a", data=report)

    assert coordinator.results.overall.predictions == 3


def test_reports_are_kept_by_level(master, coordinator):
    coordinator.begin(n_requests=None)
    for level in (0, 1, 1):
        report = {messages.REPORT_KEY: {"run": 1, "rows": rows(None, 2, level)}}
        master.environment.events.worker_report.fire(client_id="a", data=report)

    assert {level: record.predictions for level, record in coordinator.results.records.items()} == {0: 2, 1: 4}


def test_the_end_waits_for_each_worker(master, coordinator):
    coordinator.begin(n_requests=None)
    coordinator.begin_to_end()
    ending = gevent.spawn(coordinator.end)
    wait_for(lambda: (messages.DRAIN, {"run": 1}, None) in master.sent)
    master.receive(messages.DRAINED, {"run": 1, "rows": rows(None, 2), "open": []}, "a")
    assert not ending.ready()
    assert gevent.wait([ending], timeout=0.05) == []
    master.receive(messages.DRAINED, {"run": 1, "rows": rows(None, 3), "open": []}, "b")
    ending.join(10)

    assert ending.ready()
    assert coordinator.results.overall.predictions == 5
    assert coordinator.results.lost_workers == set()


def test_the_end_does_not_wait_for_a_worker_that_is_gone(master, coordinator):
    coordinator.begin(n_requests=None)
    coordinator.begin_to_end()
    master.receive(messages.DRAINED, {"run": 1, "rows": [], "open": []}, "a")
    del master.clients["b"]
    ending = gevent.spawn(coordinator.end)
    ending.join(10)

    assert ending.ready()
    assert coordinator.results.lost_workers == {"b"}


def test_the_end_gives_up_on_a_worker_that_says_nothing(master, coordinator, monkeypatch):
    monkeypatch.setattr(coordinating, "DRAIN_LIMIT_S", 0.05)
    coordinator.begin(n_requests=None)
    master.receive(messages.DRAINED, {"run": 1, "rows": [], "open": []}, "a")
    ending = gevent.spawn(coordinator.end)
    ending.join(10)

    assert coordinator.results.lost_workers == {"b"}


def test_half_a_lease_counts_when_the_run_is_ending(master, coordinator, monkeypatch):
    monkeypatch.setattr(coordinating, "LEASES_PER_WORKER", 1)
    coordinator.begin(n_requests=20)
    number, start, stop = ask(master, "a")
    assert stop - start == 10
    coordinator.begin_to_end()
    master.receive(messages.DRAINED, {"run": 1, "rows": rows(number, 4), "open": [[number, 6]]}, "a")

    assert coordinator.results.n_done == 4
    assert coordinator.results.overall.predictions == 4


def test_half_a_lease_of_a_worker_that_leaves_early_is_made_again(master, coordinator, finished):
    coordinator.begin(n_requests=2)
    lease = ask(master, "a")
    master.receive(messages.DRAINED, {"run": 1, "rows": rows(lease[0], 1), "open": [[lease[0], 0]]}, "a")
    del master.clients["a"]
    assert coordinator.results.overall.predictions == 0
    deliver(master, "b", ask(master, "b"))
    deliver(master, "b", ask(master, "b"))
    wait_for(lambda: finished)

    assert coordinator.results.overall.predictions == 2
    assert coordinator.results.lost_workers == set()  # it said goodbye


def test_an_unfit_worker_is_kept_with_its_reason(master, coordinator):
    coordinator.begin(n_requests=None)
    master.receive(messages.UNFIT, {"run": 1, "reason": "no data here"}, "b")

    assert coordinator.results.unfit_workers == {"b": "no data here"}
