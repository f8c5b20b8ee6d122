"""Cases with sockets: REST transports, each with a hostile server of its own, on one event loop."""

import contextlib
import random
import socket
import time
from collections import Counter

import gevent
from gevent.server import StreamServer

from tests.long import http_cases
from tests.long.io_cases import KILLED, ROOM_S, duels_case
from tfsload.transport.address import parse_rest_address
from tfsload.transport.rest.exchange import Exchange
from tfsload.transport.rest.pool import Pool, PoolSettings
from tfsload.transport.rest.request import RequestMaker

# What a hostile server does with a request, and how often.
_ANSWERS = {
    "valid": 12,
    "damaged": 4,
    "surplus": 2,
    "early": 1,
    "error": 2,
    "garbage": 1,
    "flood": 1,
    "half, then close": 2,
    "half, then reset": 1,
    "half, then silence": 1,
    "close": 2,
    "reset": 2,
    "late": 2,
    "silence": 1,
}
_OTHER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"
# What an honest one may do after a reply that would keep the connection.
_AFTERWARDS = ("stay", "stay", "stay", "close", "close soon")


def http_io_case(rng: random.Random) -> Counter[str]:
    """Each request ends in time with its own reply or a named failure, whatever its server does."""
    return duels_case(rng, HttpDuel)


class HostileHttp:
    """A server over TCP that answers HTTP requests as it likes.

    Attributes:
        port: where it listens.
        tainted: requests that were answered over a connection on which it had told what is no reply of theirs.
    """

    def __init__(self, rng: random.Random, is_honest: bool) -> None:
        self._rng, self._is_honest = rng, is_honest
        self.tainted: set[bytes] = set()
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.port = self._server.server_port
        self._serving: set[gevent.Greenlet] = set()

    def _serve(self, connection: socket.socket, _: object) -> None:
        greenlet = gevent.getcurrent()
        self._serving.add(greenlet)
        try:
            with contextlib.suppress(OSError), connection.makefile("rb") as file:
                self._talk(connection, file, random.Random(self._rng.getrandbits(64)))
        finally:
            self._serving.discard(greenlet)
            connection.close()

    def _talk(self, connection: socket.socket, file: object, rng: random.Random) -> None:
        is_tainted = False
        while True:
            does = "valid" if self._is_honest else rng.choices([*_ANSWERS], [*_ANSWERS.values()])[0]
            if does == "early" and not is_tainted:
                connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
                return
            body = _request(file)
            if body is None:
                return
            if is_tainted or does not in ("valid", "surplus", "late", "close", "reset"):
                is_tainted = True
                self.tainted.add(body)
            if not self._answer(connection, body, does, rng):
                return

    def _answer(self, connection: socket.socket, body: bytes, does: str, rng: random.Random) -> bool:
        """Return whether the connection goes on."""
        sent, keeps, ends = http_cases.valid_reply(rng, body)
        if does == "late":
            gevent.sleep(rng.uniform(0, 0.4))
        match does:
            case "close":
                return False
            case "reset":
                _reset(connection)
                return False
            case "silence":
                gevent.sleep(60)
            case "damaged":
                sent = http_cases.damaged(rng, sent)
            case "surplus":
                more = b"" if ends else _OTHER[: rng.randint(1, len(_OTHER))]
                connection.sendall(sent + more)
                return not ends
            case "error":
                sent = b"HTTP/1.1 %d Odd\r\nContent-Length: 3\r\n\r\nodd" % rng.randint(300, 599)
            case "garbage":
                sent = rng.randbytes(rng.choice((1, 20, 2000)))
            case "flood":
                sent = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30_000
            case _ if does.startswith("half"):
                sent = sent[: rng.randrange(len(sent))]
        for piece in http_cases.cut(rng, sent):
            connection.sendall(piece)
            gevent.sleep(rng.choice((0, 0, 0.001)))
        if does == "half, then silence":
            gevent.sleep(60)
        if does == "half, then reset":
            _reset(connection)
        if not keeps or does.startswith("half"):
            return False
        after = rng.choice(_AFTERWARDS)
        if after == "close soon":
            gevent.sleep(rng.uniform(0, 0.01))
        return after == "stay"

    def wait_until_left(self, limit_s: float) -> int:
        """Return how many connections there still are after so long."""
        until_s = time.monotonic() + limit_s
        while (waiting := self._serving_now()) and time.monotonic() < until_s:
            gevent.sleep(0.005)
        return waiting

    def _serving_now(self) -> int:
        return len(self._serving)

    def stop(self) -> None:
        self._server.stop(timeout=0)
        gevent.killall([*self._serving])


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def _request(file: object) -> bytes | None:
    """Return the body of the next request; None: there is none."""
    length, line = 0, b"-"
    while line not in (b"\r\n", b""):
        line = file.readline()
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return file.read(length) if line and length else None


class HttpDuel:
    """One pool against one server, from the first request until it is closed.

    Attributes:
        outcomes: how requests ended.
        problems: what was wrong.
    """

    def __init__(self, name: str, rng: random.Random) -> None:
        self._rng = rng
        self._is_honest = rng.random() < 0.3
        self._server = HostileHttp(rng, self._is_honest)
        self._name = f"{name} ({'an honest' if self._is_honest else 'a hostile'} server)"
        address = parse_rest_address(f"127.0.0.1:{self._server.port}")
        self._pool = Pool(PoolSettings(address, max_reply_bytes=http_cases.LIMIT))
        self._requests = RequestMaker(address.authority)
        self.outcomes: Counter[str] = Counter()
        self.problems: list[str] = []

    def run(self) -> None:
        """Make requests, disturb them, close the pool, and see that all has ended."""
        rng = self._rng
        n_calls, deadline_s = rng.choice((1, 4, 12)), rng.uniform(0.2, 0.5)
        callers = [gevent.spawn(self._caller, number, n_calls, deadline_s) for number in range(rng.randint(1, 6))]
        helpers = (
            [gevent.spawn_later(rng.uniform(0, 0.3), rng.choice(callers).kill, block=False)]
            if rng.random() < 0.3
            else []
        )
        is_closed_early = rng.random() < 0.2
        if is_closed_early:
            helpers.append(gevent.spawn_later(rng.uniform(0, 0.3), self._pool.close))
        gevent.joinall(callers, timeout=n_calls * deadline_s + ROOM_S)
        if hanging := [caller for caller in callers if not caller.ready()]:
            self._problem(f"{len(hanging)} requests go on beyond their deadline")
            gevent.killall(hanging)
        gevent.joinall(helpers)
        self._pool.close()
        if n_left := self._pool.n_connections:
            self._problem(f"{n_left} connections are left in a closed pool")
        if self._is_honest and (n_open := self._server.wait_until_left(ROOM_S)):
            self._problem(f"{n_open} connections of a closed pool are open")
        self._server.stop()

    def _problem(self, words: str) -> None:
        self.problems.append(f"{words}\n    in {self._name}, {self._pool!r}")

    def _caller(self, number: int, n_calls: int, deadline_s: float) -> None:
        for call in range(n_calls):
            body = b'{"request": "%d of %d"}' % (call, number) + b" " * self._rng.choice((0, 0, 0, 20_000))
            exchange = Exchange(self._requests.post("/x", body), time.perf_counter_ns() + int(deadline_s * 1e9))
            begun_s, outcome = time.monotonic(), KILLED
            try:
                self._pool.run(exchange)
                outcome = self._outcome_of(exchange, body)
            finally:
                self.outcomes[outcome] += 1
                if time.monotonic() - begun_s > deadline_s + ROOM_S:
                    self._problem(
                        f"a request took {time.monotonic() - begun_s:.1f} s, its deadline was {deadline_s:.1f} s"
                    )

    def _outcome_of(self, exchange: Exchange, body: bytes) -> str:
        reply, error = exchange.reply, exchange.error
        if (reply is None) == (error is None):
            self._problem("a request has ended with a reply and an error, or with neither")
        if error is not None:
            if self._is_honest and error.code not in ("CANCELLED", "DEADLINE_EXCEEDED"):
                self._problem(f"an honest server's reply is refused: {error}")
            return error.code
        if reply.status == 200 and reply.body != body and body not in self._server.tainted:
            self._problem(f"a request got another's reply, of {len(reply.body)} bytes")
        return "OK" if reply.status == 200 else "an error"
