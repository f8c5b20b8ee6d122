"""What lies there unread when a deadline is over: it is read in parts, all of it and no more."""

import socket

import pytest

from tfsload.transport.grpc import connection as connecting
from tfsload.transport.grpc.connection import Connection
from tfsload.transport.late_reading import LateReading

PART = connecting._READ_BYTES * connecting._READS_AT_ONCE


class Reading(Connection):
    """A connection that only reads, from a socket of the test's; what it reads wakes users, whom the test plays."""

    def __init__(self, on_data=lambda: None):
        ours, self.peer = socket.socketpair()
        for end in (ours, self.peer):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * PART)
            end.setblocking(False)
        self._socket, self._tls, self.is_lost = ours, None, False
        self._buffer = memoryview(bytearray(connecting._READ_BYTES))
        self._n_read = self._marked = 0
        self.on_data, self.n_reads = on_data, 0

    def _take(self, data):  # noqa: ARG002  (as the connection has it)
        self.n_reads += 1
        self.on_data()

    def answer(self, n_bytes):
        return self.peer.send(b"a" * n_bytes)


@pytest.fixture
def reading():
    made = Reading()
    yield made
    made._socket.close()
    made.peer.close()


def turns(reading, late=lambda _: True):
    """Return how many turns of the event loop are taken until calls may be given up."""
    late_reading, n = LateReading(), 1
    while late_reading.read(late, [reading]) is None:
        n += 1
    return n


@pytest.mark.parametrize(
    ("n_bytes", "n_reads"),
    [pytest.param(0, 0, id="nothing"), pytest.param(5, 1, id="an-answer"), pytest.param(2000, 1, id="answers")],
)
def test_all_that_is_there_is_read(reading, n_bytes, n_reads):
    reading.answer(n_bytes)

    assert (turns(reading), reading.n_reads, reading._n_read) == (1, n_reads, n_bytes)


def test_what_is_answered_at_once_is_not_read_on_and_on(reading):
    """Each part wakes users, whose next answers are there before it is asked whether there is more."""
    reading.on_data = lambda: reading.answer(connecting._READ_BYTES)
    n_there = reading.answer(connecting._READ_BYTES)
    n_turns = turns(reading)

    assert n_there <= reading._n_read <= n_there + PART
    assert n_turns == 1


def test_much_of_it_is_read_in_several_turns(reading, monkeypatch):
    monkeypatch.setattr(reading, "_buffer", memoryview(bytearray(100)))
    n_there = reading.answer(2000)

    assert turns(reading) == n_there // (100 * connecting._READS_AT_ONCE)
    assert reading._n_read == n_there


def test_where_no_call_is_late_nothing_is_read(reading):
    reading.answer(5)

    assert (turns(reading, lambda _: False), reading.n_reads) == (1, 0)


def test_a_call_is_given_up_by_the_time_at_which_all_was_there(reading, monkeypatch):
    """What comes while that is read may be the answer to another one, whose time is up meanwhile."""
    monkeypatch.setattr(reading, "_buffer", memoryview(bytearray(100)))
    reading.answer(1000)
    asked, late_reading = [], LateReading()
    while (until_ns := late_reading.read(lambda at_ns: bool(asked.append(at_ns) or True), [reading])) is None:
        pass

    assert set(asked) == {until_ns}
    assert len(asked) > 1


def test_what_comes_while_it_is_read_is_not_waited_for():
    """A server that answers each request at once, of users that send at once, would be read for ever."""
    reading = Reading(on_data=lambda: reading.answer(PART))
    try:
        reading.answer(2 * PART)
        late_reading = LateReading()
        n_turns = next(n for n in range(1, 100) if late_reading.read(lambda _: True, [reading]) is not None)
    finally:
        reading._socket.close()
        reading.peer.close()

    assert n_turns <= 4
