"""An authority, and certificates that it has issued, as files."""

import datetime
from pathlib import Path
from typing import Any

import trustme

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def write_tls_files(directory: Path) -> None:
    """Write `ca.pem`, `stranger.pem` of another authority, `junk.pem`, and certificates with their keys."""
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    stranger.cert_pem.write_to_path(directory / "stranger.pem")
    _write(authority.issue_cert("localhost", "127.0.0.1"), directory / "server")
    _write(authority.issue_cert("elsewhere.example"), directory / "other-name")
    expired = authority.issue_cert("localhost", "127.0.0.1", not_before=LONG_AGO, not_after=LONG_AGO.replace(year=2021))
    _write(expired, directory / "expired")
    _write(authority.issue_cert("client@example.org"), directory / "client")
    (directory / "junk.pem").write_text("no certificate")


def _write(certificate: Any, path: Path) -> None:
    path.with_suffix(".crt").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(path.with_suffix(".key"))
