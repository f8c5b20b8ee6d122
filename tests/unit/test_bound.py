"""A method bound to its deadline, and how its caller waits; over connections that stand in for real ones."""

import gevent
import grpc
import pytest
from gevent.exceptions import BlockingSwitchOutError

from tests.support.runs import wait_for
from tfsload.transport.address import parse_address
from tfsload.transport.grpc import pool as pools
from tfsload.transport.grpc.bound import bound
from tfsload.transport.grpc.native import LONGEST_TIMEOUT_S, NativeChannel
from tfsload.transport.grpc.pool import PoolSettings
from tfsload.transport.grpc.status import ChannelRpcError


class Connection:
    """Keeps the calls that are started, and ends each: at once, or when the event loop has its turn; None: never."""

    accepts = True

    def __init__(self, pool, end, is_prompt=True):
        self.pool, self.end, self.is_prompt = pool, end, is_prompt
        self.calls, self.cancelled = [], []

    def start(self, call):
        if not self.accepts:
            return False
        self.calls.append(call)
        if self.is_prompt:
            call.waiter = None
            self.end(call)
        elif self.end:
            gevent.get_hub().loop.run_callback(self.end_later, call)
        return True

    def end_later(self, call):
        self.end(call)
        self.pool._wake(call)

    def cancel(self, call):
        self.cancelled.append(call)


def answer(call):
    call.reply, call.is_over = call.message[::-1], True


def refuse(call):
    call.fail(grpc.StatusCode.NOT_FOUND, "no such model")


@pytest.fixture
def channel_over():
    opened = []

    def begin(end, n_connections=1, n_made=1, **options):
        channel = NativeChannel(PoolSettings(parse_address("127.0.0.1:1"), n_connections=n_connections))
        connections = [Connection(channel.pool, end, **options) for _ in range(n_made)]
        channel.pool._connections += connections
        opened.append(channel)
        return channel, connections[0]

    yield begin
    for channel in opened:
        channel.pool._connections.clear()
        channel.close()


def seen_of(call):
    return call.headers, call.message, call.waits_for_ready, call.max_reply_bytes, call.deadline_ns is not None


@pytest.mark.parametrize("timeout_s", [0.001, 5.0, LONGEST_TIMEOUT_S - 1, LONGEST_TIMEOUT_S, 1e30])
def test_a_bound_method_sends_the_call_that_the_method_itself_does(channel_over, timeout_s):
    channel, connection = channel_over(answer)

    replies = [bound(channel, "/a/b", timeout_s)(b"abc"), channel.unary_unary("/a/b")(b"abc", timeout=timeout_s)]

    assert replies == [b"cba"] * 2
    one, other = connection.calls
    assert seen_of(one) == seen_of(other)
    if one.deadline_ns is not None:
        assert one.deadline_ns <= other.deadline_ns


def test_it_raises_the_error_that_ended_the_call(channel_over):
    channel, connection = channel_over(refuse)

    with pytest.raises(ChannelRpcError, match="no such model") as caught:
        bound(channel, "/a/b", 5.0)(b"abc")

    assert caught.value is connection.calls[0].error


@pytest.mark.parametrize("message", ["text", None, bytearray(b"abc")], ids=["text", "none", "bytearray"])
def test_what_is_no_bytes_is_refused_before_it_is_sent(channel_over, message):
    channel, connection = channel_over(answer)

    with pytest.raises(TypeError, match=f"/a/b: a message of type {type(message).__name__}, expected bytes"):
        bound(channel, "/a/b", 5.0)(message)

    assert connection.calls == []


def test_a_closed_channel_cancels_it(channel_over):
    channel, _ = channel_over(answer)
    channel.pool._connections.clear()
    method = bound(channel, "/a/b", 5.0)
    channel.close()

    with pytest.raises(ChannelRpcError, match="the channel is closed"):
        method(b"abc")


def test_another_channel_is_called_as_it_offers_it():
    class Channel:
        def unary_unary(self, method):
            return Method(method)

    class Method:
        def __init__(self, name):
            self.name = name

        def __call__(self, message, timeout):
            return self.name, message, timeout

    assert bound(Channel(), "/a/b", 7.0)(b"abc") == ("/a/b", b"abc", 7.0)


@pytest.mark.parametrize(("n_connections", "n_made", "straight"), [(1, 1, True), (2, 1, False), (2, 2, False)])
def test_only_the_one_connection_there_is_to_be_takes_a_call_without_dispatching(
    channel_over, monkeypatch, n_connections, n_made, straight
):
    channel, connection = channel_over(answer, n_connections, n_made)
    dispatched = []
    monkeypatch.setattr(channel.pool, "_dispatch", lambda call: (dispatched.append(call), connection.start(call)))

    assert bound(channel, "/a/b", 5.0)(b"abc") == b"cba"
    assert len(dispatched) == (not straight)


def test_a_connection_that_accepts_nothing_takes_no_call(channel_over, monkeypatch):
    channel, connection = channel_over(answer)
    connection.accepts = False
    monkeypatch.setattr(channel.pool, "_dispatch", refuse_and_let_go)

    with pytest.raises(ChannelRpcError, match="no such model"):
        bound(channel, "/a/b", 5.0)(b"abc")

    assert connection.calls == []


def refuse_and_let_go(call):
    call.waiter = None
    refuse(call)


class Hooked(gevent.Greenlet):
    """Is told when it gives way to the event loop, as gevent offers it."""

    n_times = 0

    def switch_out(self):
        self.n_times += 1


@pytest.mark.parametrize("kind", [gevent.Greenlet, Hooked])
def test_a_caller_waits_for_its_answer(channel_over, kind):
    channel, _ = channel_over(answer, is_prompt=False)
    caller = kind.spawn(bound(channel, "/a/b", 5.0), b"abc")

    assert caller.get(timeout=5) == b"cba"
    assert getattr(caller, "n_times", 1) == 1


@pytest.mark.parametrize("kind", [gevent.Greenlet, Hooked])
def test_a_caller_that_is_killed_gives_its_call_up(channel_over, kind):
    channel, connection = channel_over(None, is_prompt=False)
    caller = kind.spawn(bound(channel, "/a/b", 5.0), b"abc")
    gevent.sleep(0)

    caller.kill(timeout=5)

    (call,) = connection.calls
    assert connection.cancelled == [call]
    assert (call.waiter, call.error.code()) == (None, grpc.StatusCode.CANCELLED)


def test_the_main_greenlet_waits_as_others_do(channel_over):
    channel, _ = channel_over(answer, is_prompt=False)

    assert bound(channel, "/a/b", 5.0)(b"abc") == b"cba"


def test_the_event_loop_itself_is_not_let_wait(channel_over, monkeypatch):
    channel, connection = channel_over(None, is_prompt=False)
    monkeypatch.setattr(pools, "_switch", None)  # to itself it would return at once, again and again
    caught = []

    def call():
        try:
            bound(channel, "/a/b", 5.0)(b"abc")
        except BaseException as error:
            caught.append(error)

    gevent.get_hub().loop.run_callback(call)
    wait_for(lambda: caught)

    assert [type(error) for error in caught] == [BlockingSwitchOutError]
    assert connection.cancelled == connection.calls
