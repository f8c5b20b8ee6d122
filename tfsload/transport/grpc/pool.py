"""The connections of a channel: which of them takes a call, and what becomes of calls when one goes away."""

import contextlib
import ssl
import sys
import time
from collections import deque
from dataclasses import dataclass

import gevent
import greenlet
import grpc

from tfsload.transport.address import Address
from tfsload.transport.backoff import Backoff
from tfsload.transport.deadline_alarm import DeadlineAlarm
from tfsload.transport.grpc.call import Call
from tfsload.transport.grpc.connection import Connection
from tfsload.transport.late_reading import LateReading

# To the event loop without gevent's own `switch`, which looks first for a greenlet's hook, and whether it is the loop.
_switch = greenlet.greenlet.switch
_getcurrent, _Greenlet = gevent.getcurrent, gevent.Greenlet
# A call that a server refuses again and again is not to fill the wire.
_RETRY_PAUSES_S = (0.0, 0.01, 0.05, 0.25)
# So often may a server refuse a call: a little more than a second. Calls that come back because a connection goes
# away are not counted: a proxy that takes one request a connection still takes them all, one by one.
_MAX_REFUSALS = 8


@dataclass(frozen=True)
class PoolSettings:
    """How connections are made.

    Attributes:
        address: where to.
        n_connections: TCP connections, at least 1.
        tls: None: cleartext.
        tls_name: the name that the certificate must have.
        connect_timeout_s: for one connection, TLS and HTTP/2 settings included.
        initial_backoff_s, max_backoff_s: between tries to connect.
        first_stream: first stream number of a connection; above 1 only in tests.
    """

    address: Address
    n_connections: int = 1
    tls: ssl.SSLContext | None = None
    tls_name: str = ""
    connect_timeout_s: float = 20.0
    initial_backoff_s: float = 1.0
    max_backoff_s: float = 120.0
    first_stream: int = 1


class Pool:
    """Sends calls over the least busy connection, connects when there is something to send, and keeps deadlines.

    Attributes:
        n_made: connections made so far.
    """

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        self._n_connections = settings.n_connections
        self._hub = gevent.get_hub()
        self._connections: list[Connection] = []
        self._leaving: list[Connection] = []  # draining, with calls in flight
        self._pending: deque[Call] = deque()  # no connection yet
        self._retrying: set[Call] = set()
        self._connecting: set[gevent.Greenlet[..., None]] = set()
        self._next_try: gevent.Greenlet[..., None] | None = None  # when the back-off is over
        self._backoff = Backoff(settings.initial_backoff_s, settings.max_backoff_s)
        self._not_before_s = 0.0  # on time.monotonic's clock: when the next try to connect may be made
        self._last_failure = ""
        self._is_closed = False
        self._alarm, self._late_reading = DeadlineAlarm(self._hub.loop, self._on_alarm), LateReading()
        self.n_made = 0

    @property
    def n_connections(self) -> int:
        """Connections that take calls now."""
        return len(self._connections)

    @property
    def n_open_calls(self) -> int:
        """Calls that have not ended, wherever they are."""
        busy = sum(connection.protocol.n_open for connection in (*self._connections, *self._leaving))
        return busy + len(self._pending) + len(self._retrying)

    def run(self, call: Call) -> None:
        """Send a call and wait until it has ended; if the waiting is broken off, so is the call."""
        if self._is_closed:
            call.fail(grpc.StatusCode.CANCELLED, "the channel is closed")
            return
        deadline_ns = call.deadline_ns
        alarm = self._alarm
        if deadline_ns is not None and (alarm.at_ns is None or deadline_ns < alarm.at_ns):
            alarm.set(deadline_ns)
        waiter = call.waiter = _getcurrent()
        connections = self._connections
        # What `_dispatch` would come to, a call shorter. To be rid of it: call that one always.
        has_started = len(connections) == 1 == self._n_connections and connections[0].start(call)
        if not has_started:
            self._dispatch(call)
        hub = self._hub
        try:
            while not call.is_over or call.waiter is not None:
                if type(waiter) is _Greenlet:  # not the loop, nor with a hook; to be rid of it: `hub.switch` always
                    _switch(hub)
                else:
                    hub.switch()
        except BaseException:
            self._give_up(call)
            raise
        finally:
            call.waiter = None

    def _wake(self, call: Call) -> None:
        waiter = call.waiter
        if waiter is None:
            return
        if gevent.getcurrent() is self._hub:
            call.waiter = None
            try:
                waiter.switch()
            except BaseException:  # of a bare greenlet; it is not to take with it those that are woken next
                self._hub.handle_error(waiter, *sys.exc_info())
        else:
            # Only the event loop gets control back from those that it resumes.
            self._hub.loop.run_callback(self._wake, call)

    # Where a call goes

    def _dispatch(self, call: Call) -> None:
        if self._is_closed:
            call.fail(grpc.StatusCode.CANCELLED, "the channel is closed")
            self._wake(call)
            return
        connections = self._connections
        if len(connections) < self._settings.n_connections:
            self._connect_more()
        if connections:
            connection = connections[0] if len(connections) == 1 else self._least_busy()
            if not connection.start(call):  # its stream numbers are used up, or it was lost a moment ago
                self._on_change(connection)
                self._dispatch(call)
        elif self._connecting or call.waits_for_ready:
            self._pending.append(call)
            self._connect_later()
        else:
            call.fail(grpc.StatusCode.UNAVAILABLE, self._unreachable())
            self._wake(call)

    def _least_busy(self) -> Connection:
        return min(self._connections, key=lambda connection: connection.protocol.n_open)

    def _unreachable(self) -> str:
        return f"failed to connect to {self._settings.address.text}: {self._last_failure}"

    def _give_up(self, call: Call) -> None:
        for connection in (*self._connections, *self._leaving):
            connection.cancel(call)
        with contextlib.suppress(ValueError):
            self._pending.remove(call)
        self._retrying.discard(call)
        call.fail(grpc.StatusCode.CANCELLED, "the call was cancelled")
        self._close_idle()

    # Connecting

    def _connect_more(self) -> None:
        if self._is_closed or time.monotonic() < self._not_before_s:
            return
        missing = self._settings.n_connections - len(self._connections) - len(self._connecting)
        for _ in range(missing):
            greenlet = gevent.spawn(self._connect)
            self._connecting.add(greenlet)

    def _connect_later(self) -> None:
        """While calls wait for the server, try again when the back-off allows."""
        if self._pending and not (self._connecting or self._next_try or self._is_closed):
            delay_s = max(self._not_before_s - time.monotonic(), 0)
            self._next_try = gevent.spawn_later(delay_s, self._try_again)

    def _try_again(self) -> None:
        self._next_try = None
        self._connect_more()
        self._connect_later()  # the timer may have been early

    def _connect(self) -> None:
        settings = self._settings
        connection: Connection | None = None
        try:
            connection = Connection(
                settings.address,
                settings.tls,
                settings.tls_name,
                settings.connect_timeout_s,
                self._on_change,
                self._wake,
                settings.first_stream,
            )
        except (OSError, ValueError) as error:  # ValueError: a name that cannot be one
            self._back_off(str(error) or type(error).__name__)
        finally:
            self._connecting.discard(gevent.getcurrent())
        if connection is None:
            self._on_unreachable()
        elif self._is_closed:
            connection.lose(grpc.StatusCode.CANCELLED, "the channel is closed")
        elif connection.accepts:
            self._on_connected(connection)
        else:  # it goes away already
            if not connection.is_lost:
                self._leaving.append(connection)
            self._on_change(connection)
            self._back_off(f"the server goes away ({connection.protocol.going_away})")
            self._on_unreachable()

    def _back_off(self, failure: str) -> None:
        self._last_failure = failure
        now_s = time.monotonic()
        if now_s >= self._not_before_s:  # several connections that fail together are one failure
            self._not_before_s = now_s + self._backoff.next_s()

    def _on_connected(self, connection: Connection) -> None:
        self.n_made += 1
        self._backoff.reset()
        self._not_before_s = 0.0
        self._connections.append(connection)
        pending, self._pending = self._pending, deque()
        for call in pending:
            self._dispatch(call)

    def _on_unreachable(self) -> None:
        if not self._connections and not self._connecting:
            failing = [call for call in self._pending if not call.waits_for_ready]
            self._pending = deque(call for call in self._pending if call.waits_for_ready)
            for call in failing:
                call.fail(grpc.StatusCode.UNAVAILABLE, self._unreachable())
                self._wake(call)
        self._connect_later()

    # Connections that change

    def _on_change(self, connection: Connection) -> None:
        unprocessed = connection.protocol.take_unprocessed()
        if not connection.accepts and connection in self._connections:
            self._connections.remove(connection)
            if not connection.is_lost:
                self._leaving.append(connection)
        if connection.is_lost and connection in self._leaving:
            self._leaving.remove(connection)
        for call in unprocessed:
            self._retry(call)
        self._close_idle()

    def _close_idle(self) -> None:
        for connection in [*self._leaving]:
            connection.close_when_idle()

    def _retry(self, call: Call) -> None:
        """Send a call again that a server has not processed: at once the first time, then ever more slowly."""
        if call.is_over:
            return  # given up meanwhile
        if call.refusals > _MAX_REFUSALS:
            call.fail(grpc.StatusCode.UNAVAILABLE, f"the server refused it {_MAX_REFUSALS} times and once more")
            self._wake(call)
            return
        pause_s = _RETRY_PAUSES_S[min(call.returns, len(_RETRY_PAUSES_S) - 1)]
        call.reset()
        call.returns += 1
        self._retrying.add(call)
        if pause_s:
            gevent.spawn_later(pause_s, self._retry_now, call)
        else:
            self._hub.loop.run_callback(self._retry_now, call)

    def _retry_now(self, call: Call) -> None:
        if call in self._retrying:
            self._retrying.discard(call)
            self._dispatch(call)

    # Deadlines

    def _on_alarm(self) -> None:
        """End the calls whose time is up, and look when the next one's is."""
        now_ns = self._late_reading.read(self._has_late, (*self._connections, *self._leaving))
        if now_ns is None:
            self._alarm.set(time.perf_counter_ns())  # after a turn of the event loop
            return
        next_ns: int | None = None
        late: list[Call] = []
        for call in self._open_calls():
            if call.deadline_ns is None:
                continue
            if call.deadline_ns <= now_ns:
                late.append(call)
            elif next_ns is None or call.deadline_ns < next_ns:
                next_ns = call.deadline_ns
        if next_ns is not None:
            self._alarm.set(next_ns)
        # Those that wait come first: giving up one in flight would let one of them begin.
        late.sort(key=lambda call: call.stream != 0)
        for call in late:
            if not call.is_over:
                call.fail(grpc.StatusCode.DEADLINE_EXCEEDED, self._why_late(call))
                self._give_up(call)
                self._wake(call)

    def _has_late(self, at_ns: int) -> bool:
        return any(call.deadline_ns is not None and call.deadline_ns <= at_ns for call in self._open_calls())

    def _why_late(self, call: Call) -> str:
        """Return grpcio's words, and what kept the call; without figures, as errors are counted by their words."""
        if not self._connections and not call.stream:
            return f"Deadline Exceeded without a connection: {self._last_failure or 'it was still being made'}"
        if call.returns:
            return "Deadline Exceeded after the server had returned it unprocessed"
        if not call.stream:
            return "Deadline Exceeded before there was room to send it"
        return "Deadline Exceeded"

    def _open_calls(self) -> list[Call]:
        calls = [*self._pending, *self._retrying]
        for connection in (*self._connections, *self._leaving):
            calls.extend(connection.protocol.calls.values())
            calls.extend(connection.protocol.waiting)
        return calls

    def close(self) -> None:
        """Cancel all calls and close all connections."""
        if self._is_closed:
            return
        self._is_closed = True
        self._alarm.stop()
        for connecting in [*self._connecting, self._next_try]:
            if connecting is not None:
                connecting.kill(block=False)
        for call in [*self._pending, *self._retrying]:
            call.fail(grpc.StatusCode.CANCELLED, "the channel is closed")
            self._wake(call)
        self._pending.clear()
        self._retrying.clear()
        for connection in [*self._connections, *self._leaving]:
            connection.say_goodbye()
            connection.lose(grpc.StatusCode.CANCELLED, "the channel is closed")

    def __repr__(self) -> str:
        return f"<Pool {self._settings.address.text}: {len(self._connections)} connections>"
