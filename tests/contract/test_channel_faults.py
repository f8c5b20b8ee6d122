"""Servers that die, go away or never let a call begin: each call ends, and nothing is left of it.

What a fuzz has found (`make fuzz`), each in its smallest form.
"""

import contextlib
import time
from collections import Counter

import gevent
import grpc
import pytest

from tests.support.faulty_server import FaultyServer, is_request
from tests.support.grpc_frames import reply
from tests.support.runs import wait_until
from tfsload.transport import sockets
from tfsload.transport.address import parse_address
from tfsload.transport.grpc import frames
from tfsload.transport.grpc.call import Call
from tfsload.transport.grpc.headers import request_headers
from tfsload.transport.grpc.native import NativeChannel
from tfsload.transport.grpc.pool import PoolSettings

pytestmark = pytest.mark.timing

CODE = grpc.StatusCode
# Far beyond what any of these tests takes: what hangs is to fail.
LIMIT_S = 20


def is_settings_ack(frame):
    return frame.kind == frames.SETTINGS and bool(frame.flags & frames.ACK)


@pytest.fixture
def serve():
    """Return a function that serves as `talk` does, and returns the server and a channel to it."""
    with contextlib.ExitStack() as opened:

        def begin(talk, **options):
            server = FaultyServer(talk)
            opened.callback(server.die)
            pool = PoolSettings(parse_address(server.address), initial_backoff_s=0.01, max_backoff_s=0.05, **options)
            return server, opened.enter_context(NativeChannel(pool))

        yield begin


def silent(**settings):
    """Return a conversation that takes requests and never answers."""

    def talk(server, socket, _number):
        socket.sendall(frames.settings_frame({getattr(frames, name): value for name, value in settings.items()}))
        for _ in server.received(socket):
            pass

    return talk


def outcome(method, message=b"question", **options):
    """Return how a call ends: its answer, or its error."""
    try:
        return method(message, **options)
    except grpc.RpcError as error:
        return error


def connect(server, channel):
    """Have the channel's connection made, so that what a call waits for after it is not that."""
    waiting = gevent.spawn(outcome, channel.unary_unary("/a/b"), timeout=None, wait_for_ready=True)
    wait_until(lambda: channel.pool.n_connections and server.n_accepted, "the connection", LIMIT_S)
    waiting.kill()


def test_calls_made_as_the_server_dies_end_in_time(serve):
    server, channel = serve(silent(), n_connections=2)
    method = channel.unary_unary("/a/b")

    def user():
        return [outcome(method, timeout=5).code() for _ in range(4)]

    users = [gevent.spawn(user) for _ in range(2)]
    wait_until(lambda: channel.pool.n_connections == 2, "both connections", LIMIT_S)
    users += [gevent.spawn(user) for _ in range(2)]
    wait_until(lambda: server.n_requests == 4, "a request from each user", LIMIT_S)
    server.die()
    gevent.joinall(users, timeout=LIMIT_S)

    assert [user.value for user in users] == [[CODE.UNAVAILABLE] * 4] * 4


def leaving(server, socket, _number):
    """Greet and say goodbye in one packet: the client has not begun before it is over."""
    socket.sendall(frames.settings_frame({}) + frames.goaway(0, frames.NO_ERROR, b"full"))
    for _ in server.received(socket):
        pass


def test_a_server_that_goes_away_as_it_greets_is_unavailable_and_left_alone(serve):
    server, channel = serve(leaving)
    waiting = gevent.spawn(outcome, channel.unary_unary("/a/b"), timeout=None)
    error = waiting.get(timeout=LIMIT_S)
    channel.close()

    assert error.code() == CODE.UNAVAILABLE
    assert "goes away" in error.details()
    wait_until(lambda: not server.n_open, "the connection to be closed", LIMIT_S)


def test_a_server_that_went_away_as_it_greeted_is_tried_again(serve):
    def talk(server, socket, number):
        (leaving if number <= 2 else answering)(server, socket, number)

    server, channel = serve(talk)
    waiting = gevent.spawn(outcome, channel.unary_unary("/a/b"), timeout=None, wait_for_ready=True)

    assert waiting.get(timeout=LIMIT_S) == b"answer"
    assert server.n_accepted == 3
    wait_until(lambda: server.n_open == 1, "the others to be closed", LIMIT_S)


def answering(server, socket, _number):
    socket.sendall(frames.settings_frame({}))
    for frame in server.received(socket):
        if is_request(frame):
            socket.sendall(reply(frame.stream))


@pytest.mark.parametrize("timeout", [pytest.param(None, id="no-deadline"), pytest.param(60, id="a-deadline")])
@pytest.mark.parametrize("max_streams", [pytest.param(0, id="none-begun"), pytest.param(1, id="one-in-flight")])
def test_closing_cancels_calls_that_wait_for_a_stream(serve, max_streams, timeout):
    server, channel = serve(silent(MAX_CONCURRENT_STREAMS=max_streams))
    method = channel.unary_unary("/a/b")
    callers = [gevent.spawn(outcome, method, timeout=timeout) for _ in range(3)]
    wait_until(
        lambda: channel.pool.n_connections and channel.pool.n_open_calls == 3 and server.n_requests == max_streams,
        "the calls to wait",
        LIMIT_S,
    )
    channel.close()
    gevent.joinall(callers, timeout=LIMIT_S)

    assert [caller.value and caller.value.code() for caller in callers] == [CODE.CANCELLED] * 3
    assert channel.pool.n_open_calls == 0


def test_a_call_given_up_hands_on_those_for_which_no_stream_is_left(serve):
    def talk(server, socket, number):
        socket.sendall(frames.settings_frame({frames.MAX_CONCURRENT_STREAMS: 1}))
        for frame in server.received(socket):
            if is_request(frame) and number > 1:
                socket.sendall(reply(frame.stream))

    server, channel = serve(talk, first_stream=frames.MAX_STREAM_ID - 2)
    method = channel.unary_unary("/a/b")
    given_up, last, left_over = (gevent.spawn(outcome, method, timeout=None) for _ in range(3))
    wait_until(lambda: channel.pool.n_open_calls == 3 and server.n_requests == 1, "the calls", LIMIT_S)
    given_up.kill()  # the second call takes its place, and the connection's last number

    assert left_over.get(timeout=LIMIT_S) == b"answer"
    assert server.n_accepted == 2
    assert not last.ready()


def test_a_server_that_takes_no_call_and_goes_away_is_not_stormed(serve):
    def talk(server, socket, _number):
        socket.sendall(frames.settings_frame({frames.MAX_CONCURRENT_STREAMS: 0}))
        for frame in server.received(socket):
            if is_settings_ack(frame):  # the client counts this connection as made
                socket.sendall(frames.goaway(0, frames.NO_ERROR))

    server, channel = serve(talk)
    waiting = gevent.spawn(outcome, channel.unary_unary("/a/b"), timeout=0.5)

    assert waiting.get(timeout=LIMIT_S).code() == CODE.DEADLINE_EXCEEDED
    assert 2 <= server.n_accepted <= 20  # each time it waits longer; at once, it would be hundreds


def test_a_callback_that_fails_takes_no_other_call_with_it(serve):
    def talk(server, socket, _number):
        socket.sendall(frames.settings_frame({}))
        asked = []
        for frame in filter(is_request, server.received(socket)):
            asked.append(frame.stream)
            if asked == [1] or len(asked) == 4:
                socket.sendall(b"".join(map(reply, asked)))
                asked = []

    server, channel = serve(talk)
    method = channel.unary_unary("/a/b")

    def call_and_fail(_future):
        method(b"again", timeout=LIMIT_S)
        raise ValueError("a callback's own fault")

    first = method.future(b"first", timeout=LIMIT_S)
    first.add_done_callback(call_and_fail)
    wait_until(lambda: server.n_requests == 2, "the callback's call")
    others = [gevent.spawn(method, b"other", timeout=LIMIT_S) for _ in range(3)]

    assert len(gevent.joinall(others, timeout=LIMIT_S)) == 3
    assert [other.value for other in others] == [b"answer"] * 3


def test_a_message_that_is_not_bytes_is_refused_and_spoils_nothing(serve):
    def talk(server, socket, _number):
        socket.sendall(frames.settings_frame({}))
        for frame in filter(is_request, server.received(socket)):
            socket.sendall(reply(frame.stream))

    method = serve(talk)[1].unary_unary("/a/b")

    with pytest.raises(TypeError, match="type str, expected bytes"):
        method("text", timeout=LIMIT_S)
    assert method(b"bytes", timeout=LIMIT_S) == b"answer"


def test_addresses_that_swallow_everything_use_up_one_limit_together(monkeypatch):
    monkeypatch.setattr(sockets, "_connect", lambda *_: gevent.sleep(LIMIT_S))
    monkeypatch.setattr(sockets.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", 1))] * 3)
    settings = PoolSettings(parse_address("everywhere:1"), connect_timeout_s=1)
    with NativeChannel(settings) as channel, gevent.Timeout(LIMIT_S / 2), pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/a/b")(b"x")

    assert caught.value.code() == CODE.UNAVAILABLE
    assert "127.0.0.1 does not answer" in caught.value.details()


def test_an_address_that_swallows_everything_leaves_the_next_its_turn(monkeypatch, serve):
    server, _ = serve(answering)
    port = int(server.address.rpartition(":")[2])
    nowhere, here = (2, 1, 6, "", ("127.0.0.9", port)), (2, 1, 6, "", ("127.0.0.1", port))
    connect = sockets._connect

    def connect_or_not(connection, where):
        gevent.sleep(LIMIT_S) if where == nowhere[4] else connect(connection, where)

    monkeypatch.setattr(sockets, "_connect", connect_or_not)
    monkeypatch.setattr(sockets.socket, "getaddrinfo", lambda *_, **__: [nowhere, here])
    settings = PoolSettings(parse_address(f"both:{port}"), connect_timeout_s=1)
    with NativeChannel(settings) as channel:
        assert outcome(channel.unary_unary("/a/b"), timeout=LIMIT_S) == b"answer"


def test_a_server_that_stops_reading_is_not_written_to_for_ever(serve):
    def talk(_server, socket, _number):
        socket.sendall(
            frames.settings_frame({frames.INITIAL_WINDOW_SIZE: frames.MAX_WINDOW})
            + frames.window_update(0, frames.MAX_WINDOW - frames.DEFAULT_WINDOW)
        )
        gevent.sleep(LIMIT_S)

    _, channel = serve(talk)
    method = channel.unary_unary("/a/b")

    def user():
        return {outcome(method, message=bytes(500_000), timeout=0.02).code() for _ in range(10)}

    users = [gevent.spawn(user) for _ in range(20)]
    gevent.joinall(users, timeout=LIMIT_S)
    (connection,) = channel.pool._connections
    kept = sum(map(len, connection.protocol._output)) + len(connection._unsent)

    assert {code for user in users for code in user.value} == {CODE.DEADLINE_EXCEEDED}
    assert kept < 4 << 20  # of the 100 MB that were asked for
    assert channel.pool.n_open_calls == 0


def test_a_call_that_does_not_wait_fails_at_once_while_another_waits_for_the_server():
    settings = PoolSettings(parse_address("127.0.0.1:1"), initial_backoff_s=LIMIT_S * 2, max_backoff_s=LIMIT_S * 2)
    with NativeChannel(settings) as channel:
        method = channel.unary_unary("/a/b")
        waiting = gevent.spawn(outcome, method, timeout=LIMIT_S * 3, wait_for_ready=True)
        wait_until(lambda: channel.pool._next_try is not None, "the back-off")
        impatient = gevent.spawn(outcome, method, timeout=LIMIT_S * 3)

        assert impatient.get(timeout=LIMIT_S / 2).code() == CODE.UNAVAILABLE
        assert not waiting.ready()


def test_a_call_that_a_server_always_refuses_ends_without_a_deadline(serve):
    def talk(server, socket, _number):
        socket.sendall(frames.settings_frame({}))
        for frame in filter(is_request, server.received(socket)):
            socket.sendall(frames.rst_stream(frame.stream, frames.REFUSED_STREAM))

    server, channel = serve(talk)
    waiting = gevent.spawn(outcome, channel.unary_unary("/a/b"), timeout=None)
    error = waiting.get(timeout=LIMIT_S)

    assert error.code() == CODE.UNAVAILABLE
    assert "refused" in error.details()
    assert server.n_requests == 9


def test_a_proxy_that_takes_one_request_a_connection_takes_them_all(serve):
    def talk(server, socket, _number):
        socket.sendall(frames.settings_frame({}))
        for frame in filter(is_request, server.received(socket)):
            socket.sendall(frames.goaway(frame.stream, frames.NO_ERROR) + reply(frame.stream))
            return

    server, channel = serve(talk)
    callers = [gevent.spawn(outcome, channel.unary_unary("/a/b"), timeout=LIMIT_S) for _ in range(15)]
    gevent.joinall(callers, timeout=LIMIT_S)

    assert [caller.value for caller in callers] == [b"answer"] * 15
    assert server.n_accepted >= 15


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        pytest.param(
            silent(MAX_CONCURRENT_STREAMS=0), "Deadline Exceeded before there was room to send it", id="no-room"
        ),
        pytest.param(silent(), "Deadline Exceeded", id="no-answer"),
    ],
)
def test_a_deadline_says_what_kept_the_call(serve, talk, words):
    server, channel = serve(talk)
    connect(server, channel)
    error = outcome(channel.unary_unary("/a/b"), timeout=0.2)

    assert error.code() == CODE.DEADLINE_EXCEEDED
    assert error.details() == words


def test_a_deadline_says_that_there_was_no_connection_yet(serve):
    _, channel = serve(lambda *_: gevent.sleep(LIMIT_S))
    error = outcome(channel.unary_unary("/a/b"), timeout=0.2)

    assert error.code() == CODE.DEADLINE_EXCEEDED
    assert error.details() == "Deadline Exceeded without a connection: it was still being made"


def test_calls_that_are_late_together_are_not_sent_any_more(serve):
    server, channel = serve(silent(MAX_CONCURRENT_STREAMS=10))
    connect(server, channel)
    wait_until(lambda: server.n_requests == 1, "the call that connected", LIMIT_S)
    deadline_ns = time.perf_counter_ns() + 300_000_000
    headers = request_headers("/a/b", "here:1", "http", None, ())
    calls = [Call(headers, b"question", deadline_ns, False, 1000) for _ in range(100)]
    callers = [gevent.spawn(channel.pool.run, call) for call in calls]
    gevent.joinall(callers, timeout=LIMIT_S)
    channel.close()
    wait_until(lambda: not server.n_open, "the server to have read everything", LIMIT_S)

    assert server.n_requests == 1 + 10
    said = Counter(call.error.details() for call in calls)
    assert said == {"Deadline Exceeded": 10, "Deadline Exceeded before there was room to send it": 90}


def test_a_timeout_without_end_is_none(serve):
    _, channel = serve(answering)

    assert outcome(channel.unary_unary("/a/b"), timeout=float("inf")) == b"answer"


@pytest.mark.parametrize("way", ["__call__", "with_call", "future"])
def test_what_is_not_offered_is_refused_whichever_way_it_is_asked_for(serve, way):
    _, channel = serve(answering)
    ask = getattr(channel.unary_unary("/a/b"), way)

    with pytest.raises(NotImplementedError, match="neither call credentials nor compressed requests"):
        ask(b"question", timeout=1, compression=grpc.Compression.Gzip)
    with pytest.raises(TypeError):
        ask(b"question", timeout=1, no_such_option=True)


@pytest.mark.parametrize(
    ("held_up_s", "n_users", "size"),
    [
        pytest.param(0.4, 1, 10, id="a-little-longer-than-the-deadline"),
        pytest.param(1.0, 8, 10, id="many-calls"),
        pytest.param(1.0, 8, 16_000, id="replies-longer-than-a-read"),
    ],
)
def test_an_answer_that_came_while_the_process_was_held_up_is_one(serve, held_up_s, n_users, size):
    def talk(server, socket, _number):
        socket.sendall(frames.settings_frame({}))
        streams = []
        for frame in server.received(socket):
            if is_request(frame):
                streams.append(frame.stream)
            if len(streams) == n_users:
                socket.sendall(b"".join(reply(stream, b"a" * size) for stream in streams))
                hold_up(held_up_s)

    _, channel = serve(talk)
    method = channel.unary_unary("/a/b")
    users = [gevent.spawn(outcome, method, timeout=0.3) for _ in range(n_users)]
    gevent.joinall(users, timeout=LIMIT_S)

    assert [user.value for user in users] == [b"a" * size] * n_users


def test_a_call_without_an_answer_is_given_up_after_the_process_was_held_up(serve):
    server, channel = serve(silent())
    connect(server, channel)
    user = gevent.spawn(outcome, channel.unary_unary("/a/b"), timeout=0.2)
    wait_until(lambda: server.n_requests == 1, "the request", LIMIT_S)
    hold_up(0.6)

    assert user.get(timeout=LIMIT_S).code() == CODE.DEADLINE_EXCEEDED


def hold_up(seconds):
    """Let nothing of this process's event loop go on: the server has answered, and lies in it, too."""
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        pass
