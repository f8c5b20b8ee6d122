"""Cases with sockets: real channels, each with a hostile server of its own, on one event loop."""

import contextlib
import functools
import gc
import os
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol

import gevent
import grpc

from tests.long import random_streams
from tests.long.finding import Finding
from tests.long.hostile_server import HostileServer
from tfsload.transport.address import parse_address
from tfsload.transport.grpc.call import Call
from tfsload.transport.grpc.native import NativeChannel
from tfsload.transport.grpc.pool import PoolSettings

N_DUELS = 40
# What a call may take beyond its deadline, or beyond its channel's end, on a machine that has other things to do.
ROOM_S = 1.0
# For how long the event loop may stand still.
STILL_S = 1.0
HEARTBEAT_S = 0.02
KILLED = "killed"


class AnyDuel(Protocol):
    """A client against a server.

    Attributes:
        outcomes: how calls ended.
        problems: what was wrong.
    """

    outcomes: Counter[str]
    problems: list[str]

    def run(self) -> None: ...


def io_case(rng: random.Random) -> Counter[str]:
    """Each call ends in time, whatever its server does; the event loop lives on; nothing is left of it all."""
    return duels_case(rng, Duel)


def duels_case(rng: random.Random, duel_of: Callable[[str, random.Random], AnyDuel]) -> Counter[str]:
    """Have many of a kind fought at once."""
    _warm_up()
    before = _what_is_open()
    with _hub_errors() as problems:
        heartbeat = gevent.spawn(_beat, problems)
        duels = [duel_of(f"duel {number}", random.Random(rng.getrandbits(64))) for number in range(N_DUELS)]
        gevent.joinall([gevent.spawn(duel.run) for duel in duels], raise_error=True)
        problems += [problem for duel in duels for problem in duel.problems]
        heartbeat.kill()
        if left := _what_is_left(before):
            problems.append(left)
    if problems:
        raise Finding(*problems)
    return sum((duel.outcomes for duel in duels), Counter())


@functools.cache
def _warm_up() -> None:
    """Have gevent open what it keeps for ever: its loop's file descriptors, a thread that resolves names."""
    Duel("warm-up", random.Random(0)).run()


def _beat(problems: list[str]) -> None:
    last_s = time.monotonic()
    while True:
        gevent.sleep(HEARTBEAT_S)
        now_s = time.monotonic()
        if now_s - last_s > STILL_S:
            problems.append(f"the event loop stood still for {now_s - last_s:.1f} s")
        last_s = now_s


@contextlib.contextmanager
def _hub_errors() -> Iterator[list[str]]:
    """Catch what gevent would print: exceptions that nobody handles."""
    hub, problems = gevent.get_hub(), []

    def handle_error(context: object, kind: type, error: BaseException, trace: object) -> None:
        if not issubclass(kind, hub.NOT_ERROR):
            text = "".join(traceback.format_exception(kind, error, trace))
            problems.append(f"unhandled: {error!r} in {type(context).__name__}\n{text}")

    hub.handle_error = handle_error
    try:
        yield problems
    finally:
        del hub.handle_error


def _what_is_open() -> tuple[int, int]:
    """Return the numbers of file descriptors and of living greenlets."""
    greenlets = [thing for thing in gc.get_objects() if isinstance(thing, gevent.Greenlet) and not thing.dead]
    return len(os.listdir("/proc/self/fd")), len(greenlets)


def _what_is_left(before: tuple[int, int]) -> str:
    """Return what is open beyond what was, once it had time to end; empty if nothing."""
    limit_s = time.monotonic() + ROOM_S
    while True:
        n_fds, n_greenlets = _what_is_open()
        if n_fds <= before[0] and n_greenlets <= before[1]:
            return ""
        if time.monotonic() > limit_s:
            return f"left over: {n_fds - before[0]} file descriptors, {n_greenlets - before[1]} greenlets"
        gevent.sleep(HEARTBEAT_S)


class Duel:
    """One channel against one server, from the first call until the channel is closed.

    Attributes:
        outcomes: how calls ended.
        problems: what was wrong.
    """

    def __init__(self, name: str, rng: random.Random) -> None:
        self._rng = rng
        self._is_honest = rng.random() < 0.2
        self._server = HostileServer(rng, self._is_honest)
        self._name = f"{name} ({'an honest' if self._is_honest else 'a hostile'} server)"
        settings = PoolSettings(
            parse_address(f"127.0.0.1:{self._server.port}"),
            n_connections=rng.choice((1, 1, 2, 3)),
            connect_timeout_s=rng.choice((0.1, 0.3, 5)),
            initial_backoff_s=0.02,
            max_backoff_s=0.1,
            first_stream=rng.choice((1, 1, 1, 2**31 - 5)),
        )
        self._channel = NativeChannel(settings, max_reply_bytes=random_streams.REPLY_LIMIT)
        self._method = self._channel.unary_unary("/test.Duel/Call")
        self.outcomes: Counter[str] = Counter()
        self.problems: list[str] = []

    def run(self) -> None:
        """Make calls, disturb them, close the channel, and see that all has ended."""
        rng = self._rng
        n_calls, deadline_s = rng.choice((1, 4, 8)), rng.uniform(0.1, 0.5)
        hurried = [self._spawn(n_calls, deadline_s) for _ in range(rng.randint(1, 6))]
        patient = [self._spawn(n_calls, None) for _ in range(rng.choice((0, 0, 1, 3)))]
        helpers = [gevent.spawn(self._disturb, hurried)]
        if rng.random() < 0.3:
            helpers.append(gevent.spawn_later(rng.uniform(0, 0.5), self._channel.close))
        gevent.joinall(hurried, timeout=n_calls * deadline_s + ROOM_S)
        self._expect_end(hurried, "its deadline")
        gevent.joinall(helpers)
        self._channel.close()
        gevent.joinall(patient, timeout=ROOM_S)
        self._expect_end(patient, "its channel's end")
        self._expect_nothing_left()

    def _problem(self, words: str) -> None:
        self.problems.append(f"{words}\n    in {self._name}, {self._channel.pool!r}")

    def _expect_end(self, callers: list[gevent.Greenlet], what: str) -> None:
        hanging = [caller for caller in callers if not caller.ready()]
        for caller in hanging:
            self._problem(f"a call goes on beyond {what}{self._known_of(caller)}")
        gevent.killall(hanging)

    def _known_of(self, caller: gevent.Greenlet) -> str:
        """Return what the pool knows of the call that a caller waits for."""
        frame = caller.gr_frame
        while frame is not None:
            call = frame.f_locals.get("call")
            if isinstance(call, Call):
                is_known = call in self._channel.pool._open_calls()
                place = "" if is_known else ", and the pool does not know it any more"
                return f": stream {call.stream}, returned {call.returns} times{', over' if call.is_over else ''}{place}"
            frame = frame.f_back
        return ""

    def _expect_nothing_left(self) -> None:
        if n_open := self._channel.pool.n_open_calls:
            self._problem(f"{n_open} calls are left in a closed channel")
        if n_left := self._server.wait_until_left(ROOM_S):
            self._problem(f"{n_left} connections of a closed channel are open")
        self._server.stop()

    def _disturb(self, callers: list[gevent.Greenlet]) -> None:
        """Kill a caller, or close the server's port for a while."""
        for _ in range(self._rng.choice((0, 0, 1, 3))):
            gevent.sleep(self._rng.uniform(0, 0.2))
            if self._rng.random() < 0.5:
                self._rng.choice(callers).kill(block=False)
            else:
                self._server.close_port()
                gevent.sleep(self._rng.uniform(0, 0.1))
                self._server.listen()

    def _spawn(self, n_calls: int, deadline_s: float | None) -> gevent.Greenlet:
        return gevent.spawn(self._caller, random.Random(self._rng.getrandbits(64)), n_calls, deadline_s)

    def _caller(self, rng: random.Random, n_calls: int, deadline_s: float | None) -> None:
        for _ in range(n_calls):
            body = rng.randbytes(rng.choice((0, 10, 10, 1000, 20_000, 100_000)))
            if self._is_honest:
                body = body[: random_streams.REPLY_LIMIT]
            self._call(body, deadline_s, waits=rng.random() < 0.3)

    def _call(self, body: bytes, deadline_s: float | None, waits: bool) -> None:
        start_s = time.monotonic()
        outcome = KILLED
        try:
            reply = self._method(body, timeout=deadline_s, wait_for_ready=waits)
            outcome = "OK"
            if self._is_honest and reply != body:
                self._problem(f"a request of {len(body)} bytes got another's reply, of {len(reply)} bytes")
        except grpc.RpcError as error:
            outcome = error.code().name
        except Exception as error:
            outcome = type(error).__name__
            self._problem(f"a call raised {error!r}\n{traceback.format_exc()}")
        finally:
            self.outcomes[outcome] += 1
        took_s = time.monotonic() - start_s
        if deadline_s is not None and took_s > deadline_s + ROOM_S:
            self._problem(f"a call with a deadline of {deadline_s:.2f} s took {took_s:.2f} s")
