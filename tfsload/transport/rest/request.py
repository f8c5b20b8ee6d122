"""HTTP requests as bytes, whole: their heads are made once. Pure."""

import re
from collections.abc import Iterable

from tfsload.transport.faults import FaultsError

USER_AGENT = "tfsload"
# A field's name, and what its value may hold (RFC 9110, sections 5.1 and 5.5): no line may end in one.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~]*")
# What every request has already, or what would say of its body what is not so.
_OWN = {
    *("connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive"),
    *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
}


class HeaderError(FaultsError):
    """Metadata that HTTP cannot carry as headers."""


def header_faults(metadata: Iterable[tuple[str, str]]) -> list[str]:
    """Return what of metadata cannot be sent as headers, and why; without its values, which are secrets.

    >>> header_faults([("authorization", "Bearer x"), ("x-trace", "1")])
    []
    """
    faults = []
    for key, value in metadata:
        if not _NAME.fullmatch(key):
            faults.append(f"--metadata: the key {key!r} is no name of an HTTP header: expected letters, digits and '-'")
        elif key.lower() in _OWN:
            faults.append(f"--metadata: the header {key!r} is made for each request: leave it out")
        elif not _VALUE.fullmatch(value):
            faults.append(f"--metadata: the value of {key!r} holds what no HTTP header can: expected printable ASCII")
    return faults


class RequestMaker:
    """Makes the requests to one server."""

    def __init__(self, host: str, metadata: Iterable[tuple[str, str]] = ()) -> None:
        """Get ready.

        Args:
            host: as the Host header has it.
            metadata: sent as a header each.

        Raises:
            HeaderError: some of it cannot be.
        """
        metadata = tuple(metadata)
        if faults := header_faults([("x-host", host), *metadata]):
            raise HeaderError(faults)
        fields = [("Host", host), ("User-Agent", USER_AGENT), ("Accept", "application/json"), *metadata]
        self._fields = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("ascii")

    def get(self, path: str) -> bytes:
        """Return a request for what is at a path, which is quoted as URLs are."""
        return b"GET %b HTTP/1.1\r\n%b\r\n" % (path.encode("ascii"), self._fields)

    def post(self, path: str, body: bytes) -> bytes:
        """Return a request that sends JSON to a path, which is quoted as URLs are."""
        return b"POST %b HTTP/1.1\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            path.encode("ascii"),
            self._fields,
            len(body),
            body,
        )
