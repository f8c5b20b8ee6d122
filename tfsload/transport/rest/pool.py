"""The connections to one server: which of them takes a request, and when one is given up.

HTTP/1.1 carries one request a connection at a time, so there are as many as requests in flight have needed.
"""

import ssl
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass

import gevent
import greenlet

from tfsload.transport import backoff
from tfsload.transport.address import Address
from tfsload.transport.backoff import Backoff
from tfsload.transport.deadline_alarm import DeadlineAlarm
from tfsload.transport.late_reading import LateReading
from tfsload.transport.rest.connection import Connection
from tfsload.transport.rest.exchange import Exchange
from tfsload.transport.rest.reply import DEFAULT_MAX_REPLY_BYTES, Heads, ReplyReader

# To the event loop without gevent's own `switch`, which looks first for a greenlet's hook, and whether it is the loop.
_switch = greenlet.greenlet.switch
_getcurrent, _Greenlet = gevent.getcurrent, gevent.Greenlet
_CLOSED = "the connections are closed"


@dataclass(frozen=True)
class PoolSettings:
    """How connections are made.

    Attributes:
        address: where to.
        tls: None: cleartext.
        tls_name: the name that the certificate must have.
        connect_timeout_s: for one connection, TLS included.
        max_reply_bytes: a longer body ends its request with RESOURCE_EXHAUSTED.
    """

    address: Address
    tls: ssl.SSLContext | None = None
    tls_name: str = ""
    connect_timeout_s: float = 20.0
    max_reply_bytes: int = DEFAULT_MAX_REPLY_BYTES


class Pool:
    """Sends requests over idle connections, makes more when there is none, and keeps deadlines.

    Attributes:
        n_made: connections made so far.
        n_sent_again: requests that were sent a second time, as the server had closed a kept connection before the
            first byte of a reply.
    """

    def __init__(self, settings: PoolSettings) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._hub = gevent.get_hub()
        self._heads: Heads = {}
        self._connections: set[Connection] = set()
        # Of thousands each is found at once. The connection that was used last is used first, so that others may age.
        self._idle: dict[Connection, None] = {}
        self._pending: OrderedDict[Exchange, None] = OrderedDict()  # no connection yet
        self._again: OrderedDict[Exchange, None] = OrderedDict()  # for a new one alone: a kept one may be closed, too
        self._connecting: set[gevent.Greenlet[..., None]] = set()
        self._backoff = Backoff(backoff.PROMPT_INITIAL_S, backoff.PROMPT_MAX_S)
        self._not_before_s = 0.0  # on time.monotonic's clock: when the next try to connect may be made
        self._last_failure = ""
        self._is_closed = False
        self._alarm, self._late_reading = DeadlineAlarm(self._hub.loop, self._on_alarm), LateReading()
        self.n_made = self.n_sent_again = 0

    @property
    def n_connections(self) -> int:
        """Connections that there are now."""
        return len(self._connections)

    def run(self, exchange: Exchange) -> None:
        """Send a request and wait until it has ended; if the waiting is broken off, so is the request."""
        if self._is_closed:
            exchange.fail("CANCELLED", _CLOSED)
            return
        deadline_ns, alarm = exchange.deadline_ns, self._alarm
        if alarm.at_ns is None or deadline_ns < alarm.at_ns:
            alarm.set(deadline_ns)
        waiter = exchange.waiter = _getcurrent()
        idle = self._idle
        if idle:
            idle.popitem()[0].start(exchange)
        else:
            self._dispatch(exchange)
        hub = self._hub
        try:
            while not exchange.is_over or exchange.waiter is not None:
                if type(waiter) is _Greenlet:  # not the loop, nor with a hook; to be rid of it: `hub.switch` always
                    _switch(hub)
                else:
                    hub.switch()
        except BaseException:
            self._give_up(exchange, "CANCELLED", "the request was cancelled")
            raise
        finally:
            exchange.waiter = None

    def _wake(self, exchange: Exchange) -> None:
        waiter = exchange.waiter
        if waiter is None:
            return
        if gevent.getcurrent() is not self._hub:  # only the event loop gets control back from those that it resumes
            self._hub.loop.run_callback(self._wake, exchange)
            return
        exchange.waiter = None
        try:
            waiter.switch()
        except BaseException:  # of a bare greenlet; it is not to take with it those that are woken next
            self._hub.handle_error(waiter, *sys.exc_info())

    def _fail(self, exchange: Exchange, code: str, details: str) -> None:
        exchange.fail(code, details)
        self._wake(exchange)

    # Where a request goes

    def _dispatch(self, exchange: Exchange) -> None:
        if self._is_closed:
            self._fail(exchange, "CANCELLED", _CLOSED)
        elif not (self._connections or self._connecting) and time.monotonic() < self._not_before_s:
            self._fail(exchange, "UNAVAILABLE", self._unreachable())
        else:
            (self._again if exchange.is_sent_again else self._pending)[exchange] = None
            if len(self._connecting) < len(self._pending) + len(self._again):
                self._connecting.add(gevent.spawn(self._connect))

    def _connect(self) -> None:
        settings = self._settings
        connection: Connection | None = None
        try:
            reader = ReplyReader(self._heads, settings.max_reply_bytes)
            connection = Connection(
                settings.address, settings.tls, settings.tls_name, settings.connect_timeout_s, reader, self
            )
        except (OSError, ValueError) as error:  # ValueError: a name that cannot be one
            self._last_failure = str(error) or type(error).__name__
        finally:
            self._connecting.discard(gevent.getcurrent())
        if connection is None:
            self._on_unreachable()
            return
        self._connections.add(connection)
        if self._is_closed:
            connection.close()
            return
        self.n_made += 1
        self._backoff.reset()
        self._not_before_s = 0.0
        if self._again:
            connection.start(_first(self._again))
        else:
            self.release(connection)

    def _on_unreachable(self) -> None:
        """End a request that has waited for this connection; the others have theirs to wait for."""
        if not self._connections:
            now_s = time.monotonic()
            if now_s >= self._not_before_s:  # several connections that fail together are one failure
                self._not_before_s = now_s + self._backoff.next_s()
        waiting = self._again or self._pending
        if waiting:
            self._fail(_first(waiting), "UNAVAILABLE", self._unreachable())

    def _unreachable(self) -> str:
        return f"failed to connect to {self._settings.address.text}: {self._last_failure}"

    # What connections tell

    def release(self, connection: Connection) -> None:
        """Give a connection that is free the request that has waited longest, or keep it."""
        if self._pending:
            connection.start(_first(self._pending))
        else:
            connection.is_kept = True
            self._idle[connection] = None

    def forget(self, connection: Connection) -> None:
        """Leave out a connection that is closed."""
        self._connections.discard(connection)
        self._idle.pop(connection, None)

    def send_again(self, exchange: Exchange) -> None:
        """Send a request over a new connection: the server had closed the one that it was sent on.

        HTTP's clients do so where a connection was kept and not a byte of a reply has come (RFC 9112, section 9.3.1):
        the server most likely has closed it before it saw the request. A prediction changes nothing, and is counted
        once, from when it was sent first.
        """
        self.n_sent_again += 1
        self._dispatch(exchange)

    # Deadlines

    def _on_alarm(self) -> None:
        """End the requests whose time is up, and look when the next one's is."""
        now_ns = self._late_reading.read(self._has_late, [*self._connections])
        if now_ns is None:
            self._alarm.set(time.perf_counter_ns())  # after a turn of the event loop
            return
        open_exchanges = self._open_exchanges()
        if coming := [one.deadline_ns for one in open_exchanges if one.deadline_ns > now_ns]:
            self._alarm.set(min(coming))
        for exchange in open_exchanges:
            if exchange.deadline_ns <= now_ns and not exchange.is_over:
                self._give_up(exchange, "DEADLINE_EXCEEDED", self._why_late(exchange))

    def _has_late(self, at_ns: int) -> bool:
        return any(one.deadline_ns <= at_ns for one in self._open_exchanges())

    def _open_exchanges(self) -> list[Exchange]:
        under_way = [one.exchange for one in self._connections if one.exchange is not None]
        return [*self._pending, *self._again, *under_way]

    def _why_late(self, exchange: Exchange) -> str:
        """Return what kept it; without figures, as errors are counted by their words."""
        if exchange in self._pending or exchange in self._again:
            return f"Deadline Exceeded without a connection: {self._last_failure or 'it was still being made'}"
        return "Deadline Exceeded"

    def _give_up(self, exchange: Exchange, code: str, details: str) -> None:
        if exchange.connection is not None:
            exchange.connection.close()  # HTTP/1.1 has no other way to say so
        self._pending.pop(exchange, None)
        self._again.pop(exchange, None)
        self._fail(exchange, code, details)

    def close(self) -> None:
        """Cancel all requests and close all connections."""
        if self._is_closed:
            return
        self._is_closed = True
        self._alarm.stop()
        for connecting in [*self._connecting]:
            connecting.kill(block=False)
        open_exchanges = self._open_exchanges()
        self._pending.clear()
        self._again.clear()
        for connection in [*self._connections]:
            connection.close()
        for exchange in open_exchanges:
            self._fail(exchange, "CANCELLED", _CLOSED)

    def __repr__(self) -> str:
        return f"<Pool {self._settings.address.text}: {len(self._connections)} connections>"


def _first(waiting: OrderedDict[Exchange, None]) -> Exchange:
    return waiting.popitem(last=False)[0]
