"""TLS for a connection: verified unless asked otherwise, HTTP/2 by ALPN."""

import contextlib
import ssl

from gevent import socket

_READ_BYTES = 1 << 18


class TlsFileError(ValueError):
    """A TLS file that cannot be used. `faults` holds one sentence for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class TlsError(OSError):
    """The server cannot be trusted, or does not speak HTTP/2 over TLS."""


def make_context(ca: bytes | None, certificate_file: str | None, key_file: str | None) -> ssl.SSLContext:
    """Return a context that verifies the server and its name.

    Args:
        ca: PEM certificates to trust; None: the system's.
        certificate_file, key_file: the client's own, if the server asks for one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is None:
        context.load_default_certs()
    else:
        # What is not ASCII can only be a comment.
        context.load_verify_locations(cadata=ca.decode("ascii", "ignore"))
    if certificate_file:
        # Without a pass phrase: OpenSSL would ask for one on the terminal, and wait.
        context.load_cert_chain(certificate_file, key_file, password="")
    # RFC 9113, section 9.2.1, rules it out; in the middle of a write we would have to wait for it.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["h2"])
    return context


class TlsLayer:
    """Turns what the socket carries into plain bytes and back, without a socket of its own.

    The connection reads its socket in the event loop, where nothing may wait; `ssl`'s sockets might.
    """

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self.is_closed = False  # whether the server has said that nothing more comes
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    def handshake(self, connection: socket.socket) -> None:
        """Agree with the server on keys and HTTP/2; waits.

        Raises:
            TlsError: a certificate that does not verify, another name, no HTTP/2.
            OSError: the connection broke.
        """
        try:
            while not self._is_agreed():
                connection.sendall(self._outgoing.read())
                received = connection.recv(_READ_BYTES)
                if not received:
                    raise TlsError("the server closed the connection during the TLS handshake")
                self._incoming.write(received)
        except TlsError:
            with contextlib.suppress(OSError):  # the alert that tells the server why
                connection.sendall(self._outgoing.read())
            raise
        connection.sendall(self._outgoing.read())
        if self._tls.selected_alpn_protocol() != "h2":
            raise TlsError("the server does not offer HTTP/2 over TLS (no ALPN h2)")

    def _is_agreed(self) -> bool:
        """Go on with the handshake; return whether it is complete."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLCertVerificationError as error:
            raise TlsError(f"the server's certificate does not verify: {error.verify_message}") from None
        except ssl.SSLError as error:
            if error.reason == "WRONG_VERSION_NUMBER":
                raise TlsError("the server does not speak TLS: leave --tls out, or name its port for TLS") from None
            raise TlsError(f"TLS handshake failed: {error.reason or error}") from None
        return True

    def encrypt(self, plain: bytes) -> bytes:
        """Return what to send for plain bytes, and for what TLS itself has to say."""
        rest = memoryview(plain)
        while rest:
            rest = rest[self._tls.write(rest) :]
        return self._outgoing.read()

    def decrypt(self, received: bytes) -> bytes | None:
        """Return the plain bytes that were completed; None: the server has closed.

        Raises:
            TlsError: the stream is damaged.
        """
        self._incoming.write(received)
        pieces = []
        try:
            while piece := self._tls.read(_READ_BYTES):
                pieces.append(piece)
            self.is_closed = True  # it was told to: `close_notify` reads as nothing
        except ssl.SSLWantReadError:
            return b"".join(pieces)
        except ssl.SSLError as error:
            raise TlsError(f"TLS: {error.reason or error}") from None
        return b"".join(pieces) or None
