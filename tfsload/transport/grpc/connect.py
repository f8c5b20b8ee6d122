"""Opens the channel that the settings ask for."""

import grpc

from tfsload.settings.settings import Settings, SettingsError
from tfsload.transport import tls
from tfsload.transport.grpc import backoff, native
from tfsload.transport.grpc import endpoint as address
from tfsload.transport.grpc.pool import PoolSettings
from tfsload.transport.words import quoted


def connect(settings: Settings) -> grpc.Channel:
    """Open a channel to the model server; it connects on first use.

    Never call this before the fork of `--processes`: a channel does not survive it.

    Raises:
        SettingsError: a TLS file cannot be used.
    """
    if settings.transport == "grpcio":
        from tfsload.transport.grpc import grpcio

        return grpcio.connect(settings, _read_files(settings))
    where = address.parse_address(settings.target.address)
    pool = PoolSettings(
        where,
        n_connections=settings.connections,
        tls=_context(settings),
        tls_name=where.host if where.port is not None else "localhost",
        initial_backoff_s=backoff.PROMPT_INITIAL_S,
        max_backoff_s=backoff.PROMPT_MAX_S,
    )
    return native.NativeChannel(pool, metadata=settings.metadata)


def check_files(settings: Settings) -> None:
    """See to it that the TLS files can be used, before any load.

    Raises:
        SettingsError: one cannot, and why.
    """
    _read_files(settings)
    _context(settings)


def _read_files(settings: Settings) -> dict[str, bytes]:
    """Return the contents of the TLS files that were named, by option."""
    contents, faults = {}, []
    for option, path in (
        ("--tls-ca-file", settings.tls_ca_file),
        ("--tls-cert-file", settings.tls_cert_file),
        ("--tls-key-file", settings.tls_key_file),
    ):
        if path:
            try:
                with open(path, "rb") as file:
                    contents[option] = file.read()
            except OSError as error:
                faults.append(f"{option} {quoted(path)} cannot be read ({error.strerror}): expected a PEM file")
    if faults:
        raise SettingsError(faults)
    return contents


def _context(settings: Settings):
    if not settings.tls:
        return None
    authority = _read_files(settings).get("--tls-ca-file")
    try:
        tls.make_context(authority, None, None)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingsError(
            [f"--tls-ca-file {quoted(settings.tls_ca_file)}: not usable as PEM ({_reason(error)})"]
        ) from None
    try:
        return tls.make_context(authority, settings.tls_cert_file or None, settings.tls_key_file or None)
    except (OSError, ValueError) as error:
        given = f"--tls-cert-file {quoted(settings.tls_cert_file)}"
        given += (
            f" with --tls-key-file {quoted(settings.tls_key_file)}"
            if settings.tls_key_file
            else " without --tls-key-file"
        )
        raise SettingsError(
            [f"{given}: not usable as PEM ({_reason(error)}): expected a certificate and the key that belongs to it"]
        ) from None


def _reason(error: Exception) -> object:
    return getattr(error, "reason", None) or error
