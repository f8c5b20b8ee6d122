"""Opens the channel that was asked for."""

import ssl

import grpc

from tfsload.transport import tls
from tfsload.transport.asked import ConnectionAsked
from tfsload.transport.grpc import backoff, native
from tfsload.transport.grpc import endpoint as address
from tfsload.transport.grpc.pool import PoolSettings
from tfsload.transport.tls import TlsFileError
from tfsload.transport.words import quoted


def connect(asked: ConnectionAsked) -> grpc.Channel:
    """Open a channel to the model server; it connects on first use.

    Never call this before the fork of `--processes`: a channel does not survive it.

    Raises:
        TlsFileError: a TLS file cannot be used.
    """
    if asked.transport == "grpcio":
        from tfsload.transport.grpc import grpcio

        return grpcio.connect(asked, _read_files(asked))
    where = address.parse_address(asked.server.address)
    pool = PoolSettings(
        where,
        n_connections=asked.connections,
        tls=_context(asked),
        tls_name=where.host if where.port is not None else "localhost",
        initial_backoff_s=backoff.PROMPT_INITIAL_S,
        max_backoff_s=backoff.PROMPT_MAX_S,
    )
    return native.NativeChannel(pool, metadata=asked.metadata)


def check_files(asked: ConnectionAsked) -> None:
    """See to it that the TLS files can be used, before any load.

    Raises:
        TlsFileError: one cannot, and why.
    """
    _read_files(asked)
    _context(asked)


def _read_files(asked: ConnectionAsked) -> dict[str, bytes]:
    """Return the contents of the TLS files that were named, by option."""
    contents, faults = {}, []
    for option, path in (
        ("--tls-ca-file", asked.tls_ca_file),
        ("--tls-cert-file", asked.tls_cert_file),
        ("--tls-key-file", asked.tls_key_file),
    ):
        if path:
            try:
                with open(path, "rb") as file:
                    contents[option] = file.read()
            except OSError as error:
                faults.append(f"{option} {quoted(path)} cannot be read ({error.strerror}): expected a PEM file")
    if faults:
        raise TlsFileError(faults)
    return contents


def _context(asked: ConnectionAsked) -> ssl.SSLContext | None:
    if not asked.tls:
        return None
    authority = _read_files(asked).get("--tls-ca-file")
    try:
        tls.make_context(authority, None, None)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise TlsFileError(
            [f"--tls-ca-file {quoted(asked.tls_ca_file)}: not usable as PEM ({_reason(error)})"]
        ) from None
    try:
        return tls.make_context(authority, asked.tls_cert_file or None, asked.tls_key_file or None)
    except (OSError, ValueError) as error:
        given = f"--tls-cert-file {quoted(asked.tls_cert_file)}"
        given += (
            f" with --tls-key-file {quoted(asked.tls_key_file)}" if asked.tls_key_file else " without --tls-key-file"
        )
        raise TlsFileError(
            [f"{given}: not usable as PEM ({_reason(error)}): expected a certificate and the key that belongs to it"]
        ) from None


def _reason(error: Exception) -> object:
    return getattr(error, "reason", None) or error
