"""What a request over REST costs in calls of Python functions, sockets faked: as of a whole prediction over gRPC."""

import struct
import sys
from collections import Counter

import numpy as np
import pytest

from tests.support.rest_replies import rows_text
from tests.support.scripted_http import reply
from tfsload.transport.address import parse_rest_address
from tfsload.transport.call_spec import MNIST_EXAMPLE
from tfsload.transport.rest.connection import Connection
from tfsload.transport.rest.exchange import Exchange
from tfsload.transport.rest.pool import Pool, PoolSettings
from tfsload.transport.rest.readers import reader_for
from tfsload.transport.rest.reply import ReplyReader

N = 1000
# From what the event loop calls to the next request that is sent: read, take, receive, finish, release, wake, start.
CALLS_OF_THE_CLIENT = 7
# An answer that was there before, byte by byte; and one that is new: read, tried as the ones before, made, kept.
CALLS_OF_A_KNOWN_REPLY, CALLS_OF_A_NEW_REPLY = 1, 4


class Socket:
    """Has a reply whenever it is read."""

    def __init__(self, *_):
        self.n_sent = 0

    def setblocking(self, _):
        pass

    def fileno(self):
        return 0

    def send(self, data):
        self.n_sent += 1
        return len(data)

    def recv_into(self, buffer):
        buffer[: len(REPLY)] = REPLY
        return len(REPLY)


REPLY = reply(rows_text(np.linspace(0, 1, 10, dtype=np.float32)[None]))


class User:
    """Sends the next request as soon as it is woken, without a greenlet."""

    def __init__(self, pool):
        self._pool = pool

    def switch(self):
        exchange = Exchange(b"request", 10**18)
        exchange.waiter = self
        self._pool._idle.popitem()[0].start(exchange)


def calls_in(function):
    counts = Counter()

    def count(frame, event, _):
        if event == "call" and "tfsload" in frame.f_code.co_filename and "/tests/" not in frame.f_code.co_filename:
            counts[frame.f_code.co_qualname] += 1

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return counts


@pytest.fixture
def connection(monkeypatch):
    """A connection that is idle, with a user who is there."""
    pool = Pool(PoolSettings(parse_rest_address("127.0.0.1:1")))

    def open_fake(self, *_):
        self._socket = Socket()

    monkeypatch.setattr(Connection, "_open", open_fake)
    made = Connection(None, None, "", 1, ReplyReader(pool._heads), pool)
    pool.release(made)
    User(pool).switch()
    return made


def test_a_request_and_its_reply_take_so_many_calls(connection):
    connection._on_readable()  # the head is known from then on

    counts = calls_in(lambda: [connection._on_readable() for _ in range(N)])

    counts.pop("Exchange.__init__")  # the user's own
    assert sum(counts.values()) / N == CALLS_OF_THE_CLIENT, counts
    assert connection._socket.n_sent == N + 2


def test_an_answer_takes_so_many_calls():
    reader = reader_for(MNIST_EXAMPLE, 1)
    texts = [rows_text(np.frombuffer(struct.pack("<10f", *range(n, n + 10)), np.float32)[None]) for n in range(N)]
    reader.read(texts[0])

    new = calls_in(lambda: [reader.read(one) for one in texts[1:]])
    known = calls_in(lambda: [reader.read(one) for one in texts])

    assert sum(new.values()) / (N - 1) == CALLS_OF_A_NEW_REPLY, new
    assert sum(known.values()) / N == CALLS_OF_A_KNOWN_REPLY, known
