"""A master whose workers are played by the test."""

import time
from types import SimpleNamespace

from locust.runners import STATE_RUNNING, MasterRunner

from tfsload.records.recorder import Recorder
from tfsload.run import messages


class Master(MasterRunner):
    """A master without sockets: keeps what it would send, and is told what it receives."""

    def __init__(self, environment, workers):
        self.environment = environment
        self.clients = {name: SimpleNamespace(id=name, state=STATE_RUNNING, user_count=1) for name in workers}
        self.clients = _Clients(self.clients)
        self.custom_messages = {}
        self.sent = []
        self.target_user_count = 2
        self.target_user_classes_count = {"User": 2}
        self.state = STATE_RUNNING
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


def rows(lease, n_predictions, level=0):
    """Return what a worker's recorder hands over for some right answers."""
    recorder = Recorder()
    for _ in range(n_predictions):
        recorder.record([1], [1], None, 10**18 - 10**6, 10**18 - 10**6, 10**18, lease)
    return [{**row, "level": level} for row in recorder.take_all()]


def begin(coordinator, n_requests=None, **more):
    """Begin a run that both workers join."""
    coordinator.begin(n_requests, **more)
    run = coordinator._number
    for worker in ("a", "b"):
        coordinator._runner.receive(messages.JOINED, {"run": run, "protocol": messages.PROTOCOL}, worker)


def ask(master, worker, run=1, held=(), newest=None):
    """Ask for a lease, as one that has got all that was given to it; return its number, start and stop, or None."""
    if newest is None:
        newest = max(
            (data["lease"][0] for name, data, *_ in master.sent if name == messages.LEASE and data["lease"]), default=-1
        )
    master.receive(messages.LEASE_WANTED, {"run": run, "held": list(held), "newest": newest}, worker)
    return master.sent[-1][1]["lease"]


def stamp(clock_ns=0):
    """Return what goes with all rows that are handed over; `clock_ns` as of `report`."""
    return {"unix_ns": time.time_ns() + clock_ns, "n_undelivered": 0}


def deliver(master, worker, lease, run=1, level=0):
    number, start, stop = lease
    data = {"run": run, "lease": number, "rows": rows(number, stop - start, level), **stamp()}
    master.receive(messages.LEASE_DONE, data, worker)


def drain(master, worker, rows=(), still_open=(), n_reported=None, run=1):
    """Hand over the rest, as a worker whose users are stopped."""
    n_here = sum(row["record"]["requests"] for row in rows if row["lease"] is None)
    data = {
        "run": run,
        "rows": list(rows),
        "open": [list(pair) for pair in still_open],
        "n_reported": n_here if n_reported is None else n_reported,
        "is_broken": False,
        **stamp(),
    }
    master.receive(messages.DRAINED, data, worker)


def report(master, worker, rows, run=1, clock_ns=0):
    """Send a worker report; `clock_ns` is what the worker's clock is ahead of the coordinator's."""
    data = {messages.REPORT_KEY: {"run": run, "rows": rows, **stamp(clock_ns)}}
    master.environment.events.worker_report.fire(client_id=worker, data=data)
