"""One connection to the server: the only place in the channel that touches a socket.

Reading happens in the event loop's own callback: what one `recv` brings is parsed at once, each caller whose
reply is complete is switched to directly, and what they send next leaves in few `send`s, many requests in each.
"""

import fcntl
import ssl
import struct
import sys
import termios
from collections.abc import Callable
from typing import Any

import gevent
import gevent.event
import grpc
from gevent import monkey

from tfsload.transport.address import Address
from tfsload.transport.grpc.call import Call
from tfsload.transport.grpc.frames import ProtocolError
from tfsload.transport.grpc.protocol import ClientProtocol
from tfsload.transport.sockets import open_socket
from tfsload.transport.tls import TlsLayer

_READ_BYTES = 1 << 16
# More reads in one turn of the event loop would hold up its timers.
_READS_AT_ONCE = 4
# What those send that were woken leaves after so many at the latest: the last of a long batch would hold up the first.
# (To be rid of many requests in one `send`: set it to 1.)
_WAKES_BEFORE_FLUSH = 16
# gevent's socket would wait in the event loop's own greenlet, which must not.
_PlainSocket = monkey.get_original("socket", "socket")


class Connection:
    """A connection that is made and ready: streams can start at once.

    Attributes:
        protocol: its state; `n_open` tells how busy it is.
        is_lost: whether it has ended.
    """

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext | None,
        tls_name: str,
        timeout_s: float,
        on_change: Callable[["Connection"], None],
        wake: Callable[[Call], None],
        first_stream: int = 1,
    ) -> None:
        """Connect, and wait for the server's settings.

        Args:
            address: where to.
            tls: for TLS; None: cleartext.
            tls_name: the name that the server's certificate must have.
            timeout_s: for all of it.
            on_change: told when calls were declared unprocessed, the server goes away or the connection is lost.
            wake: resumes whoever waits for an ended call.
            first_stream: the first stream's number.

        Raises:
            OSError: it could not be made; TimeoutError: not in time.
        """
        self.protocol = ClientProtocol(first_stream)
        self.is_lost = False
        self._on_change = on_change
        self._wake = wake
        self._tls: TlsLayer | None = None
        self._unsent: bytes | memoryview = b""
        # Read into again and again: a fresh buffer for each read fragments the memory.
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._n_read = self._marked = 0  # bytes that were read, and up to which `catch_up` reads
        self._is_busy = False  # within the read callback, which flushes at its end
        self._is_flush_due = False
        self._hub = gevent.get_hub()
        # Not an OSError, which would be taken for one address that refuses, and the next one be tried.
        limit = gevent.Timeout(timeout_s)
        try:
            with limit:
                self._open(address, tls, tls_name, timeout_s)
        except gevent.Timeout as expired:
            if expired is not limit:
                raise
            raise TimeoutError(f"no connection within {timeout_s:g} s") from None

    def _open(self, address: Address, tls: ssl.SSLContext | None, tls_name: str, timeout_s: float) -> None:
        cooperative = open_socket(address, timeout_s)
        try:
            if tls is not None:
                self._tls = TlsLayer(tls, tls_name)
                self._tls.handshake(cooperative)
        except BaseException:
            cooperative.close()
            raise
        self._socket = _PlainSocket(cooperative.family, cooperative.type, cooperative.proto, cooperative.detach())
        self._socket.setblocking(False)
        self._reader = self._hub.loop.io(self._socket.fileno(), 1)
        self._writer: Any = self._hub.loop.io(self._socket.fileno(), 2)
        self._opened: Any = gevent.event.Event()
        self._reader.start(self._on_readable)
        try:
            self.flush()
            self._opened.wait()
            if self.is_lost:
                raise OSError(self._lost_because)
        except BaseException:
            self.lose(grpc.StatusCode.UNAVAILABLE, "the connection was not completed")
            raise

    @property
    def accepts(self) -> bool:
        """Whether a call may start here."""
        return not (self.is_lost or self.protocol.is_draining)

    def start(self, call: Call) -> bool:
        """Send a call, soon, together with what others send; return False where none may start here any more."""
        protocol = self.protocol
        if self.is_lost or protocol.is_draining:  # as of `accepts`, which were a call more for every request
            return False
        if protocol.waiting or not protocol.start_like_others(call):
            protocol.start(call)
        if not self._is_busy:  # else it is flushed anyway
            self._flush_soon()
        return True

    def cancel(self, call: Call) -> None:
        """Give a call up."""
        self.protocol.cancel(call)
        self._flush_soon()

    def _flush_soon(self) -> None:
        if not (self._is_busy or self._is_flush_due):
            self._is_flush_due = True
            self._hub.loop.run_callback(self._on_flush_due)

    def _on_flush_due(self) -> None:
        self._is_flush_due = False
        self.flush()

    def flush(self) -> None:
        """Send what there is, as far as the socket takes it; the rest follows when it takes more."""
        if self.is_lost:
            return
        protocol = self.protocol
        try:
            # Of the protocol the lists themselves: a property would be a call for each look.
            while self._unsent or protocol._output:
                if not self._unsent:
                    output = protocol.take_output()
                    self._unsent = self._tls.encrypt(output) if self._tls else output
                n_sent = self._socket.send(self._unsent)
                # A view: what a full socket leaves over may be long, and is not to be copied again and again.
                self._unsent = memoryview(self._unsent)[n_sent:] if n_sent < len(self._unsent) else b""
        except BlockingIOError:
            if not self._writer.active:
                self._writer.start(self._on_writable)
        except OSError as error:
            self.lose(grpc.StatusCode.UNAVAILABLE, f"the connection broke: {error}")
        if protocol._unprocessed:  # what took room that became free has used up the stream numbers
            self._on_change(self)

    def _on_writable(self) -> None:
        self._writer.stop()
        self.flush()

    def mark_what_is_there(self) -> None:
        """Have `catch_up` read all that has come by now."""
        if not self.is_lost:
            n_there = struct.unpack("i", fcntl.ioctl(self._socket.fileno(), termios.FIONREAD, bytes(4)))[0]
            self._marked = self._n_read + n_there

    def catch_up(self) -> bool:
        """Take in a part of what was marked; return whether all of it is read. In the event loop only.

        Each part wakes users, who send at once what is answered at once: to read on while there is more may never end.
        """
        for _ in range(_READS_AT_ONCE):
            if self.is_lost or self._n_read >= self._marked:
                return True
            if not self._on_readable():
                return True
        return self.is_lost or self._n_read >= self._marked

    def _on_readable(self) -> bool:
        """Take in what one read brings; return whether it brought anything."""
        try:
            n_read: int = self._socket.recv_into(self._buffer)
            self._n_read += n_read
            data: bytes | None = bytes(self._buffer[:n_read])
            if self._tls and data:
                data = self._tls.decrypt(data)
                if data is not None and not data:
                    return True  # half a TLS record
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self.lose(grpc.StatusCode.UNAVAILABLE, f"the connection broke: {error}")
            return False
        if not data:
            self.lose(grpc.StatusCode.UNAVAILABLE, f"the server closed the connection{self._said_before()}")
            return False
        self._take(data)
        if self._tls is not None and self._tls.is_closed:
            self.lose(grpc.StatusCode.UNAVAILABLE, "the server closed the connection")
        return True

    def _said_before(self) -> str:
        """Return what the server said before it closed the connection, or that it said nothing."""
        if self.protocol.going_away:
            return f" after it said that it goes away ({self.protocol.going_away})"
        return "" if self.protocol.is_ready else " before it said anything"

    def _take(self, data: bytes) -> None:
        protocol = self.protocol
        try:
            protocol.receive(data)
        except ProtocolError as error:
            protocol.say_goodbye(error.code, str(error))
            self.flush()
            self.lose(grpc.StatusCode.INTERNAL, f"the server broke the HTTP/2 protocol: {error}")
            return
        ended = protocol.take_ended()
        if protocol.is_draining or protocol._unprocessed:
            # Before anybody is woken, who would at once send the next call over a connection that goes away.
            self._on_change(self)
        self._is_busy = True
        try:
            self._wake_all(ended)  # to be rid of it: have the loop's `run_callback` call `_wake` for each
        finally:
            self._is_busy = False
        if protocol.is_ready and not self._opened.is_set():
            self._opened.set()
        if not self.is_lost:
            self.flush()

    def _wake_all(self, ended: list[Call]) -> None:
        """Resume who waits for one of these. In the event loop only: `_wake` would ask for each whether this is it."""
        for number, call in enumerate(ended, 1):
            waiter = call.waiter
            if waiter is not None:
                call.waiter = None
                try:
                    waiter.switch()
                except BaseException:  # of a bare greenlet; it is not to take with it those that are woken next
                    self._hub.handle_error(waiter, *sys.exc_info())
            if not number % _WAKES_BEFORE_FLUSH:
                self.flush()

    def say_goodbye(self) -> None:
        """Tell the server that nothing more comes."""
        self.protocol.say_goodbye()
        self.flush()

    def close_when_idle(self) -> None:
        """Close a draining connection that has no call left."""
        if not self.is_lost and self.protocol.is_draining and self.protocol.is_idle:
            self.say_goodbye()
            self.lose(grpc.StatusCode.UNAVAILABLE, "the connection was closed")

    def lose(self, code: grpc.StatusCode, details: str) -> None:
        """End the connection and all its calls."""
        if self.is_lost:
            return
        self.is_lost = True
        self._lost_because = details
        for watcher in (self._reader, self._writer):
            watcher.stop()
            watcher.close()
        self._socket.close()
        self.protocol.lose(code, details)
        for call in self.protocol.take_ended():
            self._wake(call)
        self._opened.set()
        self._on_change(self)
