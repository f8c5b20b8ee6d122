"""One connection to the server: the only place in the client that touches a socket.

It carries one request at a time. Reading happens in the event loop's own callback: whoever waits for a reply that is
complete is switched to directly.
"""

import fcntl
import ssl
import struct
import sys
import termios
from typing import Any, Protocol

import gevent
from gevent import monkey

from tfsload.transport.address import Address
from tfsload.transport.rest.exchange import Exchange
from tfsload.transport.rest.reply import HttpProtocolError, HttpReply, ReplyReader
from tfsload.transport.sockets import open_socket
from tfsload.transport.tls import HTTP_1, TlsLayer

_READ_BYTES = 1 << 16
# More reads in one turn of the event loop would hold up its timers.
_READS_AT_ONCE = 4
# Read into again and again, by all connections: a fresh buffer for each read fragments the memory.
_buffer = memoryview(bytearray(_READ_BYTES))
# gevent's socket would wait in the event loop's own greenlet, which must not.
_PlainSocket = monkey.get_original("socket", "socket")


class Owner(Protocol):
    """Whom a connection tells what has become of it."""

    def release(self, connection: "Connection") -> None:
        """Take a connection that may carry another request."""

    def forget(self, connection: "Connection") -> None:
        """Take note that a connection is closed."""

    def send_again(self, exchange: Exchange) -> None:
        """Take an exchange whose connection the server had closed before it was sent."""


class Connection:
    """A connection that is made.

    Attributes:
        exchange: what it carries now; None: nothing.
        is_closed: whether it has ended.
        is_kept: whether it has brought a reply or lain idle, so that the server may have closed it by itself.
    """

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext | None,
        tls_name: str,
        timeout_s: float,
        reader: ReplyReader,
        owner: Owner,
    ) -> None:
        """Connect; waits.

        Args:
            address: where to.
            tls: for TLS; None: cleartext.
            tls_name: the name that the server's certificate must have.
            timeout_s: for all of it.
            reader: of its replies.
            owner: told what becomes of it.

        Raises:
            OSError: it could not be made; TimeoutError: not in time.
        """
        self.exchange: Exchange | None = None
        self.is_closed = self.is_kept = False
        self._owner = owner
        self._reader = reader
        self._tls: TlsLayer | None = None
        self._unsent: bytes | memoryview = b""
        self._send_error = ""
        self._n_read = self._marked = 0  # bytes that were read, and up to which `catch_up` reads
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
                self._tls = TlsLayer(tls, tls_name, HTTP_1)
                self._tls.handshake(cooperative)
        except BaseException:
            cooperative.close()
            raise
        self._socket = _PlainSocket(cooperative.family, cooperative.type, cooperative.proto, cooperative.detach())
        self._socket.setblocking(False)
        self._readable = self._hub.loop.io(self._socket.fileno(), 1)
        self._writable: Any = self._hub.loop.io(self._socket.fileno(), 2)
        self._readable.start(self._on_readable)

    def start(self, exchange: Exchange) -> None:
        """Send a request: at once, as far as the socket takes it; the rest follows when it takes more."""
        self.exchange = exchange
        exchange.connection = self
        request = exchange.request
        try:
            if self._tls is not None:
                request = self._tls.encrypt(request)
            n_sent = self._socket.send(request)
        except (BlockingIOError, InterruptedError):
            n_sent = 0
        except OSError as error:
            self._send_error = str(error)
            # What it said before it closed is there to be read, in the event loop.
            self._hub.loop.run_callback(self._on_readable)
            return
        if n_sent < len(request):
            self._unsent = memoryview(request)[n_sent:]
            self._writable.start(self._on_writable)

    def _on_writable(self) -> None:
        try:
            n_sent = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:  # it may have answered before, and will be read to its end
            self._send_error = str(error)
            n_sent = len(self._unsent)
        self._unsent = self._unsent[n_sent:]
        if not self._unsent:
            self._writable.stop()

    def _on_readable(self) -> bool:
        """Take in what one read brings; return whether it brought anything."""
        if self.is_closed:
            return False
        try:
            n_read = self._socket.recv_into(_buffer)
            self._n_read += n_read
            data: bytes | None = bytes(_buffer[:n_read])
            if self._tls is not None and data:
                data = self._tls.decrypt(data)
                if data is not None and not data:
                    return True  # half a TLS record
        except (BlockingIOError, InterruptedError):
            if self._send_error:
                self._on_end(f"the connection broke: {self._send_error}")
            return False
        except OSError as error:
            self._on_end(f"the connection broke: {error}")
            return False
        if not data:
            self._on_end("")
            return False
        self._take(data)
        if self._tls is not None and self._tls.is_closed and not self.is_closed:
            self._on_end("")
        return True

    def _take(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None:  # nobody has asked for it, and what follows would be taken for another's answer
            self.close()
            return
        try:
            reply = self._reader.receive(data)
        except HttpProtocolError as error:
            self.close()
            exchange.fail(error.code, str(error))
            self._wake(exchange)
            return
        if reply is not None:
            self._finish(exchange, reply)

    def _finish(self, exchange: Exchange, reply: HttpReply) -> None:
        exchange.reply = reply
        exchange.is_over = True
        exchange.connection = self.exchange = None
        self.is_kept = True
        # What answers before it has read the request may not read the rest of it.
        is_ending = self._reader.has_surplus or self._unsent or (self._tls is not None and self._tls.is_closed)
        if reply.keeps and not (is_ending or self._send_error):
            self._owner.release(self)
        else:
            self.close()
        self._wake(exchange)

    def _on_end(self, broke: str) -> None:
        """Take the end of what the server sends.

        Args:
            broke: why it broke; empty: the server has closed it.
        """
        exchange, reader = self.exchange, self._reader
        is_idle_close = self.is_kept and not reader.has_begun
        was_cut = bool(broke) or (self._tls is not None and not self._tls.is_closed)
        self.close()
        if exchange is None:
            return
        try:
            reply = None if was_cut else reader.end()
        except HttpProtocolError as error:
            exchange.fail(error.code, str(error))
            self._wake(exchange)
            return
        if reply is not None:
            exchange.reply = reply
            exchange.is_over = True
        elif is_idle_close and not exchange.is_sent_again:
            exchange.is_sent_again = True
            self._owner.send_again(exchange)
            return
        else:
            nothing = "without a reply" if self.is_kept else "before it said anything"
            how_far = reader.progress if reader.has_begun else nothing
            exchange.fail("UNAVAILABLE", f"{broke or 'the server closed the connection'} {how_far}")
        self._wake(exchange)

    def _wake(self, exchange: Exchange) -> None:
        """Resume who waits for an exchange that has ended. In the event loop only."""
        waiter = exchange.waiter
        if waiter is not None:
            exchange.waiter = None
            try:
                waiter.switch()
            except BaseException:  # of a bare greenlet; it is not to take with it those that are woken next
                self._hub.handle_error(waiter, *sys.exc_info())

    def mark_what_is_there(self) -> None:
        """Have `catch_up` read all that has come by now."""
        if not self.is_closed:
            n_there = struct.unpack("i", fcntl.ioctl(self._socket.fileno(), termios.FIONREAD, bytes(4)))[0]
            self._marked = self._n_read + n_there

    def catch_up(self) -> bool:
        """Take in a part of what was marked; return whether all of it is read. In the event loop only."""
        for _ in range(_READS_AT_ONCE):
            if self.is_closed or self._n_read >= self._marked or not self._on_readable():
                return True
        return self.is_closed or self._n_read >= self._marked

    def close(self) -> None:
        """Close it; an exchange that it carries is its owner's to end."""
        if self.is_closed:
            return
        self.is_closed = True
        if self.exchange is not None:
            self.exchange.connection = None
            self.exchange = None
        for watcher in (self._readable, self._writable):
            watcher.stop()
            watcher.close()
        self._socket.close()
        self._owner.forget(self)
