"""Replies are read as they come while the alarm of open load spins: else the server would look slow."""

import contextlib
import statistics
import time

import pytest

from tests.support.faulty_server import FaultyServer, is_request
from tests.support.grpc_frames import reply
from tests.support.runs import wait_until
from tfsload.load.alarm import SpinAlarm
from tfsload.transport.address import parse_address
from tfsload.transport.grpc import frames
from tfsload.transport.grpc.native import NativeChannel
from tfsload.transport.grpc.pool import PoolSettings

S = 1_000_000_000
LIMIT_S = 20
# An answer takes a handful of turns of the loop, in each of which the alarm looks once or twice. One that had itself
# called back by `run_callback` would look some thousand times between two turns.
MOST_LOOKS = 200


class Clock:
    """Counts how often it is looked at."""

    n_looks = 0

    def __call__(self):
        self.n_looks += 1
        return time.perf_counter_ns()


def answering(server, socket, _number):
    socket.sendall(frames.settings_frame({}))
    for frame in server.received(socket):
        if is_request(frame):
            socket.sendall(reply(frame.stream))


@pytest.fixture
def method():
    """A method of a server in this process."""
    with contextlib.ExitStack() as opened:
        server = FaultyServer(answering)
        opened.callback(server.die)
        channel = opened.enter_context(NativeChannel(PoolSettings(parse_address(server.address))))
        yield channel.unary_unary("/a/b")


def test_a_reply_is_read_while_the_alarm_spins(method):
    assert method(b"question", timeout=LIMIT_S) == b"answer"  # the connection is there
    clock, looks = Clock(), []
    alarm = SpinAlarm(lambda: None, spin_ns=90 * S, clock_ns=clock)
    alarm.set(time.perf_counter_ns() + 60 * S)
    try:
        wait_until(lambda: clock.n_looks > 10 * MOST_LOOKS, "the alarm to spin", LIMIT_S)
        for _ in range(21):
            n_before = clock.n_looks
            assert method(b"question", timeout=LIMIT_S) == b"answer"
            looks.append(clock.n_looks - n_before)
    finally:
        alarm.close()

    assert statistics.median(looks) < MOST_LOOKS, looks
