"""TLS for a connection: verified unless asked otherwise, HTTP's version by ALPN."""

import contextlib
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

from gevent import socket

from tfsload.transport import regular_file
from tfsload.transport.asked import ConnectionAsked
from tfsload.transport.faults import FaultsError
from tfsload.transport.words import quoted

# What is spoken over TLS, as ALPN names it (RFC 7301).
HTTP_2, HTTP_1 = "h2", "http/1.1"
_READ_BYTES = 1 << 18
# All authorities of a system come to a quarter of one.
_MOST_PEM_BYTES = 16 * 2**20


class TlsFileError(FaultsError):
    """TLS files that cannot be used."""


class TlsError(OSError):
    """The server cannot be trusted, or does not speak HTTP/2 over TLS."""


@dataclass(frozen=True)
class TlsCredentials:
    """What a connection over TLS shows and trusts; each file is read once.

    Attributes:
        ca: PEM certificates to trust; None: the system's.
        certificate, key: the client's own, in PEM, if the server asks for one; else None.
        context: for `ssl`: it verifies the server and its name, and holds all of these.
    """

    ca: bytes | None
    certificate: bytes | None = field(repr=False)
    key: bytes | None = field(repr=False)
    context: ssl.SSLContext


def read_credentials(
    asked: ConnectionAsked, protocol: str = HTTP_2, is_spoken: bool | None = None
) -> TlsCredentials | None:
    """Read the TLS files that were named; None where TLS is not spoken.

    Args:
        asked: names them.
        protocol: what is spoken over TLS.
        is_spoken: whether TLS is; None: as was asked.

    Raises:
        TlsFileError: some cannot be read, or used; whether or not TLS is spoken.
    """
    faults: list[str] = []
    ca = _read("--tls-ca-file", asked.tls_ca_file, faults)
    certificate = _read("--tls-cert-file", asked.tls_cert_file, faults)
    key = _read("--tls-key-file", asked.tls_key_file, faults)
    if faults:
        raise TlsFileError(faults)
    if not (asked.tls if is_spoken is None else is_spoken):
        return None
    try:
        context = make_context(ca, protocol)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise TlsFileError(
            [f"--tls-ca-file {quoted(asked.tls_ca_file)}: not usable as PEM ({_reason(error)})"]
        ) from None
    if certificate is not None:
        try:
            with _named(asked.tls_cert_file, certificate) as cert_name, _named(asked.tls_key_file, key) as key_name:
                # Without a pass phrase OpenSSL would ask for one on the terminal, and wait.
                context.load_cert_chain(cert_name, key_name or None, password="")
        except (OSError, ValueError) as error:
            raise TlsFileError([_pair_fault(asked, error)]) from None
    return TlsCredentials(ca, certificate, key, context)


def _read(option: str, path: str, faults: list[str]) -> bytes | None:
    """Return a file's content; None where none is named, or, with one fault more, where it cannot be read."""
    if not path:
        return None
    try:
        return regular_file.read(path, _MOST_PEM_BYTES)
    except OSError as error:
        faults.append(f"{option} {quoted(path)} cannot be read ({error.strerror}): expected a PEM file")
        return None


@contextlib.contextmanager
def _named(path: str, content: bytes | None) -> Iterator[str]:
    """Give what was read a name, since OpenSSL takes these files by name alone; another may lie at its own by now."""
    if content is None or not (hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd")):
        yield path
        return
    with open(os.memfd_create("tfsload-pem"), "wb") as file:  # in memory: a key is not to lie on a disk twice
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _pair_fault(asked: ConnectionAsked, error: Exception) -> str:
    key = f"with --tls-key-file {quoted(asked.tls_key_file)}" if asked.tls_key_file else "without --tls-key-file"
    return (
        f"--tls-cert-file {quoted(asked.tls_cert_file)} {key}: not usable as PEM ({_reason(error)}): "
        "expected a certificate and the key that belongs to it"
    )


def _reason(error: Exception) -> object:
    return getattr(error, "reason", None) or error


def make_context(ca: bytes | None, protocol: str = HTTP_2) -> ssl.SSLContext:
    """Return a context that verifies the server and its name.

    Args:
        ca: PEM certificates to trust; None: the system's.
        protocol: what is spoken over TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is None:
        context.load_default_certs()
    else:
        # What is not ASCII can only be a comment.
        context.load_verify_locations(cadata=ca.decode("ascii", "ignore"))
    # RFC 9113, section 9.2.1, rules it out; in the middle of a write we would have to wait for it.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols([protocol])
    return context


class TlsLayer:
    """Turns what the socket carries into plain bytes and back, without a socket of its own.

    The connection reads its socket in the event loop, where nothing may wait; `ssl`'s sockets might.
    """

    def __init__(self, context: ssl.SSLContext, server_name: str, protocol: str = HTTP_2) -> None:
        self._protocol = protocol
        self.is_closed = False  # whether the server has said that nothing more comes
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    def handshake(self, connection: socket.socket) -> None:
        """Agree with the server on keys and what is spoken; waits.

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
        # HTTP/1.1 is what a server speaks that agrees on nothing.
        if self._protocol == HTTP_2 and self._tls.selected_alpn_protocol() != HTTP_2:
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
