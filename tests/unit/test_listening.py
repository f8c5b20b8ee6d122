"""A worker that gets ready for long: what it hears of its master meanwhile, and what it leaves for Locust to read."""

from collections import deque
from types import SimpleNamespace

import gevent
import gevent.event
import pytest
from locust.exception import RPCReceiveError
from locust.rpc import Message

from tests.support.runs import wait_for
from tfsload.run import listening, messages
from tfsload.run.listening import RunEndedError, hearing
from tfsload.settings.settings import SettingsError
from tfsload.target.waiting import StoppedError

LIMIT_S = 15.0


class Client:
    """A connection to the master, on which a test puts messages."""

    def __init__(self):
        self.arrived = deque()
        self.socket = SimpleNamespace(poll=lambda timeout: len(self.arrived) if timeout == 0 else None)

    def recv(self):
        message = self.arrived.popleft()
        if isinstance(message, Exception):
            raise message
        return message


class Worker:
    """A worker's runner, as far as it is asked."""

    def __init__(self):
        self.client, self.handled = Client(), []

    def handle_message(self, message):
        self.handled.append(message.type)

    def hears(self, *types):
        self.client.arrived.extend(Message(one, None, "w") if isinstance(one, str) else one for one in types)

    def read(self):
        """Return what Locust reads next, all of it."""
        found = []
        while self.client.arrived or "recv" in vars(self.client):
            found.append(self.client.recv().type)
        return found


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.setattr(listening, "_LOOK_EVERY_S", 0.001)
    return Worker()


def wait_for_ever():
    gevent.event.Event().wait()


@pytest.mark.parametrize(
    "told", [pytest.param("stop", id="stop"), pytest.param("quit", id="quit"), pytest.param(messages.DRAIN, id="drain")]
)
def test_it_ends_once_the_run_is_over_and_leaves_that_for_locust_to_read(worker, told):
    ended = gevent.event.Event()

    def make():
        try:
            wait_for_ever()
        finally:
            ended.set()

    worker.hears("heartbeat", "spawn", told, "spawn")
    with pytest.raises(RunEndedError, match=r"stopped while this worker got ready$"):
        hearing(worker, make, LIMIT_S)

    assert ended.is_set()
    assert worker.handled == ["heartbeat"]
    assert worker.read() == ["spawn", told, "spawn"]
    assert "recv" not in vars(worker.client)


def test_what_is_made_is_returned_and_what_came_meanwhile_is_read_in_order(worker):
    go_on = gevent.event.Event()
    worker.hears("spawn", RPCReceiveError("interrupted"), "heartbeat", "ours")
    made = gevent.spawn(hearing, worker, lambda: go_on.wait(10) and "a run", LIMIT_S)
    wait_for(lambda: not worker.client.arrived)
    go_on.set()

    assert made.get(timeout=10) == "a run"
    worker.hears("later")
    assert worker.read() == ["spawn", "ours", "later"]


@pytest.mark.parametrize("error", [SettingsError(["bad"]), KeyError("mine"), SystemExit(3)])
def test_what_is_raised_is_raised(worker, error, capfd):
    def make():
        raise error

    with pytest.raises(type(error)) as caught:
        hearing(worker, make, LIMIT_S)

    assert caught.value is error
    assert not capfd.readouterr().err


def test_a_master_that_is_heard_of_is_waited_for_and_one_that_is_not_is_gone(worker):
    now_s = [0.0]
    making = gevent.spawn(hearing, worker, wait_for_ever, LIMIT_S, lambda: now_s[0])
    for _ in range(10):
        now_s[0] += LIMIT_S - 1
        worker.hears("heartbeat")
        wait_for(lambda: not worker.client.arrived)
    gevent.sleep(0.01)
    assert not making.ready()
    now_s[0] += LIMIT_S + 1

    with pytest.raises(StoppedError, match="since nothing was heard of the master for 15 s"):
        making.get(timeout=10)


def test_who_is_ended_meanwhile_ends_what_it_waits_for(worker):
    ended = gevent.event.Event()

    def make():
        try:
            wait_for_ever()
        finally:
            ended.set()

    waiting = gevent.spawn(hearing, worker, make, LIMIT_S)
    gevent.sleep(0.01)
    waiting.kill()

    assert ended.is_set()
