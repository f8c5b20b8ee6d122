"""Connections over which REST is spoken: kept, closed, lost, late; against a server that does as it is told."""

import gc
import gzip
import socket
import time

import gevent
import gevent.event
import gevent.server
import pytest

from tests.support.rest_transports import rest_transport
from tests.support.scripted_http import CLOSE, RESET, ScriptedHttp, reply
from tfsload.transport.failure import PredictionFailure

BODY = b'{"predictions": [[0.5, 0.25]]}'


@pytest.fixture
def serve():
    """Return a function from what is answered to a server and a transport to it, which are closed at the end."""
    opened = []

    def serve(answer, **options):
        server = ScriptedHttp(answer if callable(answer) else lambda _: answer)
        transport = rest_transport(server.address, **options)
        opened.extend((transport.close, server.stop))
        return server, transport

    yield serve
    for close in opened:
        close()


def ask(transport, request=None, timeout_s=5):
    """Send a request and return the reply's body."""
    with gevent.Timeout(timeout_s):
        return transport.call(transport._requests.post("/x", b"{}") if request is None else request)


def failure(transport, request=None):
    with pytest.raises(PredictionFailure) as raised:
        ask(transport, request)
    return f"{raised.value.code}: {raised.value.message}"


def test_a_connection_is_kept():
    server = ScriptedHttp(lambda _: [reply(BODY)])
    transport = rest_transport(server.address)
    try:
        assert [ask(transport) for _ in range(3)] == [BODY] * 3
        assert (server.n_connections, transport.pool.n_connections) == (1, 1)
    finally:
        transport.close()
        server.stop()


def test_there_are_as_many_connections_as_requests_in_flight(serve):
    all_here = gevent.event.Event()

    def answer(_):
        if len(server.requests) == 5:
            all_here.set()
        return [all_here.wait, reply(BODY)]

    server, transport = serve(answer)

    asking = [gevent.spawn(ask, transport) for _ in range(5)]

    assert [one.get(timeout=5) for one in asking] == [BODY] * 5
    assert [ask(transport) for _ in range(5)] == [BODY] * 5
    assert server.n_connections == transport.pool.n_made == 5


# What ends a connection after a reply, in the same breath or later.
ENDINGS = {
    "as-announced": [reply(BODY, connection="close"), CLOSE],
    "as-announced-and-left-open": [reply(BODY, connection="close")],
    "at-once": [reply(BODY), CLOSE],
    "with-its-body": [b"HTTP/1.1 200 OK\r\n\r\n", BODY, CLOSE],
    "after-more-than-was-asked-for": [reply(BODY) + b"x"],
    "after-more-that-comes-later": [reply(BODY), b"HTTP/1.1 408 Late\r\n\r\n"],
}


@pytest.mark.parametrize("script", ENDINGS.values(), ids=ENDINGS)
def test_another_connection_is_made_where_one_has_ended(serve, script):
    server, transport = serve(script)

    assert ask(transport) == BODY
    gevent.sleep(0.02)  # until what comes later is there
    assert transport.pool.n_connections == 0
    assert ask(transport) == BODY
    assert [one.connection for one in server.requests] == [0, 1]
    assert transport.pool.n_sent_again == 0


@pytest.mark.parametrize("ending", [CLOSE, RESET])
def test_a_request_on_a_kept_connection_that_was_closed_is_sent_again_once(serve, ending):
    server, transport = serve(lambda _: [ending] if len(server.requests) == 2 else [reply(BODY)])

    assert [ask(transport), ask(transport)] == [BODY, BODY]
    assert [one.connection for one in server.requests] == [0, 0, 1]
    assert transport.pool.n_sent_again == 1


def test_a_connection_that_was_made_and_not_needed_is_kept_like_any_other(serve):
    server, transport = serve(lambda request: [CLOSE] if request.connection == 0 else [reply(BODY)])
    gevent.spawn(transport.pool._connect).join(5)

    assert ask(transport) == BODY
    assert (server.n_connections, transport.pool.n_sent_again) == (2, 1)


@pytest.mark.parametrize("ending", [CLOSE, RESET])
def test_one_that_is_closed_again_has_failed(serve, ending):
    server, transport = serve(lambda _: [ending] if len(server.requests) > 1 else [reply(BODY)])
    ask(transport)

    assert failure(transport).startswith("UNAVAILABLE: the ")
    assert len(server.requests) == 3


def test_the_connection_of_the_second_try_is_a_new_one_whatever_is_idle(serve):
    everyone = gevent.event.Event()

    def answer(request):
        if len(server.requests) <= 3:
            if len(server.requests) == 3:
                everyone.set()
            return [everyone.wait, reply(BODY)]
        return [CLOSE] if request.connection < 3 else [reply(BODY)]

    server, transport = serve(answer)
    gevent.joinall([gevent.spawn(ask, transport) for _ in range(3)], timeout=5)

    assert ask(transport) == BODY
    assert server.n_connections == 4


# What a first request is told, and what becomes of it.
BROKEN = {
    "closed-at-once": ([CLOSE], "UNAVAILABLE: the server closed the connection before it said anything"),
    "reset-at-once": (
        [RESET],
        "UNAVAILABLE: the connection broke: [Errno 104] Connection reset by peer before it said anything",
    ),
    "closed-in-the-head": (
        [b"HTTP/1.1 200 OK\r\n", CLOSE],
        "UNAVAILABLE: the server closed the connection in the head",
    ),
    "closed-in-the-body": ([reply(BODY)[:-4], CLOSE], "UNAVAILABLE: the server closed the connection after 26 of 30"),
    "reset-in-the-body": ([reply(BODY)[:-4], lambda: gevent.sleep(0.02), RESET], "after 26 of 30 bytes of its reply"),
    "reset-in-what-ends-so": (
        [b"HTTP/1.1 200 OK\r\n\r\n", b"half", lambda: gevent.sleep(0.02), RESET],
        "in the middle of its reply",
    ),
    "no-http": ([b"SSH-2.0-x\r\n"], "UNAVAILABLE: what the server sent is no HTTP reply"),
    "http-2": ([bytes(3) + b"\4" + bytes(5)], "UNAVAILABLE: the server speaks HTTP/2 alone, as gRPC does"),
    "two-lengths": (
        [reply(BODY).replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n")],
        "INTERNAL: what the server sent",
    ),
    "an-error": ([reply(b'{ "error": "no room" }', status="429 Busy")], "RESOURCE_EXHAUSTED: HTTP 429: no room"),
    "a-page": (
        [reply(b"<title>Log in</title>", content_type="text/html", server="gate")],
        "BAD_REPLY: HTTP 200 with an",
    ),
}


@pytest.mark.parametrize(("script", "said"), BROKEN.values(), ids=BROKEN)
def test_a_request_without_an_answer_says_why(serve, script, said):
    server, transport = serve(script)

    assert said in failure(transport)
    assert len(server.requests) == 1


def test_nobody_there_is_a_failure_at_once_and_a_server_that_comes_is_found():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    transport = rest_transport(f"127.0.0.1:{port}")
    try:
        told = {failure(transport) for _ in range(50)}
        assert told == {f"UNAVAILABLE: failed to connect to 127.0.0.1:{port}: [Errno 111] Connection refused"}
        server = ScriptedHttp(lambda _: [reply(BODY)], ("127.0.0.1", port))
        try:
            with gevent.Timeout(5):
                while transport.pool.n_made == 0:
                    try:
                        assert ask(transport) == BODY
                    except PredictionFailure:
                        gevent.sleep(0.01)  # until it is tried again
        finally:
            server.stop()
    finally:
        transport.close()


EARLY = {
    "and-reads-no-more": [reply(b'{ "error": "too large" }', status="413 Too Large", connection="close"), CLOSE],
    "and-would-go-on": [reply(b'{ "error": "too large" }', status="413 Too Large")],
}


@pytest.mark.parametrize("script", EARLY.values(), ids=EARLY)
def test_a_reply_before_the_request_is_sent_is_read_and_its_connection_of_no_more_use(script):
    def serve(connection, _):
        connection.recv(1000)
        for what in script:
            if what != CLOSE:
                connection.sendall(what)
        gevent.sleep(0.05)  # the client reads before a reset takes the reply away
        if CLOSE in script:
            connection.close()
        else:
            done.wait()

    done = gevent.event.Event()
    server = gevent.server.StreamServer(("127.0.0.1", 0), serve)
    server.start()
    transport = rest_transport(f"127.0.0.1:{server.server_port}")
    try:
        large = transport._requests.post("/x", bytes(50_000_000))
        assert failure(transport, large) == "INVALID_ARGUMENT: HTTP 413: too large"
        assert transport.pool.n_connections == 0
    finally:
        done.set()
        transport.close()
        server.stop(timeout=0)


def test_a_large_request_and_a_large_reply_pass_whole(serve):
    large = bytes(range(256)) * 40_000
    server, transport = serve(lambda request: [reply(gzip.compress(request.body), content_encoding="gzip")])

    assert ask(transport, transport._requests.post("/x", large), 20) == large
    assert server.requests[0].body == large


# What keeps a request from its answer, for good.
SILENT = {
    "nothing-comes": [lambda: gevent.sleep(60)],
    "half-a-head": [b"HTTP/1.1 200 OK\r\n", lambda: gevent.sleep(60)],
    "half-a-body": [reply(BODY)[:-5], lambda: gevent.sleep(60)],
    "interim-replies-alone": [b"HTTP/1.1 100 Continue\r\n\r\n", lambda: gevent.sleep(60)],
    "a-chunk-after-the-other": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        *[b"1\r\nx\r\n", lambda: gevent.sleep(0.02)] * 1000,
    ],
}


@pytest.mark.parametrize("script", SILENT.values(), ids=SILENT)
def test_every_request_ends_in_its_deadline_and_leaves_no_connection(serve, script):
    _, transport = serve(script, deadline="0.2")
    begun_s = time.monotonic()

    assert failure(transport) == "DEADLINE_EXCEEDED: Deadline Exceeded"
    assert time.monotonic() - begun_s >= 0.2
    assert transport.pool.n_connections == 0


def test_a_deadline_that_passes_while_connecting_says_so():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        filled = [socket.socket() for _ in range(3)]
        for one in filled:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        transport = rest_transport(f"127.0.0.1:{full.getsockname()[1]}", deadline="0.2")
        try:
            assert failure(transport) == (
                "DEADLINE_EXCEEDED: Deadline Exceeded without a connection: it was still being made"
            )
        finally:
            transport.close()
            for one in filled:
                one.close()


def test_an_answer_that_is_there_is_one_whoever_is_late_to_read_it():
    def serve(connection, _):
        connection.recv(1000)
        connection.sendall(reply(BODY))
        while time.monotonic() < begun_s + 0.25:  # the process is held up until the deadline is over
            pass

    server = gevent.server.StreamServer(("127.0.0.1", 0), serve)
    server.start()
    transport = rest_transport(f"127.0.0.1:{server.server_port}", deadline="0.2")
    begun_s = time.monotonic()
    try:
        assert ask(transport) == BODY
    finally:
        transport.close()
        server.stop(timeout=0)


def test_who_is_killed_takes_the_connection_along_and_no_one_elses(serve):
    _, transport = serve(lambda request: [reply(BODY)] if request.body == b"2" else [lambda: gevent.sleep(60)])
    waiting = gevent.spawn(ask, transport)
    gevent.sleep(0.05)

    waiting.kill()

    assert transport.pool.n_connections == 0
    assert ask(transport, transport._requests.post("/x", b"2")) == BODY


def test_a_connection_that_is_closed_while_idle_is_noticed(serve):
    leave = gevent.event.Event()
    server, transport = serve([reply(BODY), leave.wait, CLOSE])
    assert ask(transport) == BODY
    assert transport.pool.n_connections == 1

    leave.set()

    with gevent.Timeout(5):
        while transport.pool.n_connections:
            gevent.sleep(0.001)
    assert ask(transport) == BODY
    assert (server.n_connections, transport.pool.n_sent_again) == (2, 0)


def test_closing_ends_what_is_under_way_and_what_follows(serve):
    _, transport = serve([lambda: gevent.sleep(60)])
    pool, call = transport.pool, transport.bound_call()
    waiting = gevent.spawn(failure, transport)
    gevent.sleep(0.05)

    transport.close()

    assert waiting.get(timeout=5) == "CANCELLED: the connections are closed"
    with pytest.raises(Exception, match="CANCELLED: the connections are closed"):
        call(b"x")
    assert pool.n_connections == 0


def test_a_transport_that_was_closed_opens_again(serve):
    server, transport = serve([reply(BODY)])
    ask(transport)
    transport.close()

    assert ask(transport) == BODY
    assert server.n_connections == 2


def test_a_socket_of_this_machine_alone(tmp_path):
    listener = gevent.socket.socket(gevent.socket.AF_UNIX)
    listener.bind(str(tmp_path / "rest.sock"))
    listener.listen()
    server = ScriptedHttp(lambda _: [reply(BODY)], listener)
    transport = rest_transport(f"unix:{tmp_path}/rest.sock")
    try:
        assert ask(transport) == BODY
        assert server.requests[0].headers["host"] == "localhost"
    finally:
        transport.close()
        server.stop()


def test_a_run_of_many_requests_leaves_nothing_behind(serve):
    _, transport = serve(lambda request: [reply(BODY, connection="close")] if len(request.body) % 2 else [reply(BODY)])
    gevent.joinall([gevent.spawn(ask, transport, transport._requests.post("/x", bytes(n))) for n in range(40)])
    transport.close()
    gc.collect()

    assert not [one for one in gc.get_objects() if type(one).__name__ == "Exchange"]
