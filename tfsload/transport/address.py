"""Where the model server is: the address named, parsed."""

import re
from dataclasses import dataclass

from tfsload.transport.spoken import GRPC, REST, Spoken
from tfsload.transport.words import quoted

_HOST = r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]@?#]+)"
_ADDRESS = re.compile(rf"{_HOST}:(?P<port>[0-9]{{1,5}})")
_UNIX = "unix:"
# What a URL means that names no port.
_PORTS = {"http": 80, "https": 443}


class AddressError(ValueError):
    """An address that cannot be understood; the message says what is expected."""


@dataclass(frozen=True)
class Address:
    """A gRPC server's address.

    Attributes:
        text: `host:port`, `[ipv6]:port` or `unix:path`, as gRPC writes it.
        host: name or IP address, without brackets; for a Unix socket its path.
        port: TCP port; None for a Unix socket.
    """

    text: str
    host: str
    port: int | None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the address."""
        return bool(re.match(r"localhost:|127\.|\[::1\]:|unix:", self.text))

    @property
    def whole(self) -> str:
        """The address with what it says of TLS, so that who parses it anew knows that, too."""
        return self.text

    @property
    def authority(self) -> str:
        """What the `:authority` header says."""
        return "localhost" if self.port is None else self.text


def parse_address(text: str, named_by: str = "--host", spoken: Spoken = GRPC) -> Address:
    """Parse an address.

    >>> parse_address("grpc://serving.local:8500")
    Address(text='serving.local:8500', host='serving.local', port=8500)

    Args:
        text: the address.
        named_by: what names it, for messages.
        spoken: what is to be spoken there.

    Raises:
        AddressError: with what was given and what is expected.
    """
    if spoken is REST:
        return parse_rest_address(text, named_by)
    address = text.strip().removeprefix("grpc://").rstrip("/")
    expected = f"expected {GRPC.addresses}"
    if re.match(r"https?://", address):
        raise AddressError(
            f"{named_by} {quoted(text)} is an HTTP address and this run sends gRPC: {expected}, "
            f"{_instead(address, GRPC, REST)}"
        )
    if address.startswith(_UNIX):
        path = address.removeprefix(_UNIX)
        if not path:
            raise AddressError(f"{named_by} {quoted(text)} names no socket: {expected}")
        # gRPC's naming has `unix:///absolute`, too.
        return Address(address, "/" + path.lstrip("/") if path.startswith("//") else path, None)
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise AddressError(f"{named_by} {quoted(text)} is not an address: {expected}")
    if not 0 < int(match["port"]) < 65536:
        raise AddressError(f"{named_by} {quoted(text)} has port {match['port']}: expected 1 to 65535")
    return Address(address, match["host"].removeprefix("[").removesuffix("]"), int(match["port"]))


@dataclass(frozen=True)
class RestAddress(Address):
    """The address of a server that is spoken to over HTTP.

    Attributes:
        is_https: whether it was named as an `https://` one: TLS is spoken, whatever else was asked for.
    """

    is_https: bool = False

    @property
    def whole(self) -> str:
        """The address with what it says of TLS."""
        return f"https://{self.text}" if self.is_https else self.text


def parse_rest_address(text: str, named_by: str = "--host") -> RestAddress:
    """Parse an address for REST.

    >>> parse_rest_address("http://serving.local:8501").text, parse_rest_address("https://serving.local").port
    ('serving.local:8501', 443)

    Args:
        text: the address; one without a port is a URL, whose scheme has its own.
        named_by: what names it, for messages.

    Raises:
        AddressError: with what was given and what is expected.
    """
    address = text.strip()
    expected = f"expected {REST.addresses}"
    if address.startswith("grpc://"):
        raise AddressError(
            f"{named_by} {quoted(text)} is a gRPC address and this run sends REST: {expected}, "
            f"{_instead(address, REST, GRPC)}"
        )
    if address.startswith(_UNIX):
        socket = parse_address(address, named_by)
        return RestAddress(socket.text, socket.host, None)
    url = re.match(r"(https?)://", address, re.IGNORECASE)
    scheme = url[1].lower() if url else ""
    where, slash, path = address[url.end() if url else 0 :].partition("/")
    if url and "@" not in where and ":" not in where.rpartition("]")[2]:
        where += f":{_PORTS[scheme]}"
    match = _ADDRESS.fullmatch(where)
    if match is None:
        raise AddressError(f"{named_by} {quoted(text)} is not an address: {expected}")
    if slash and path:
        cure = "leave it out; --model-name names the model"
        raise AddressError(f"{named_by} {quoted(text)} has a path, and requests have their own: {cure}")
    if not 0 < int(match["port"]) < 65536:
        raise AddressError(f"{named_by} {quoted(text)} has port {match['port']}: expected 1 to 65535")
    host = match["host"].removeprefix("[").removesuffix("]")
    return RestAddress(where, host, int(match["port"]), scheme == "https")


def same_address(text: str, spoken: Spoken | None = None) -> str:
    """Return what ways of writing one address have in common; what is no address stays as it is.

    Args:
        text: the address.
        spoken: what is to be spoken there: an `http://` one is none for gRPC. None: what it is written for.

    >>> same_address("grpc://Serving.local:8500") == same_address("serving.local:8500")
    True
    >>> same_address("http://serving.local:8501/") == same_address("serving.local:8501")
    True
    """
    try:
        written = REST if re.match(r"\s*https?://", text, re.IGNORECASE) else GRPC
        address = parse_address(text, spoken=spoken or written)
    except AddressError:
        return text
    return address.text if address.port is None else address.whole.lower()


def _instead(url: str, spoken: Spoken, other: Spoken) -> str:
    """Return what may have been meant by an address of something else than is spoken."""
    match = re.match(rf"[a-z]+://(?:[^/?#]*@)?{_HOST}", url)
    host = match["host"] if match else "HOST"
    return f"for example {host}:{spoken.port}; {other.user_class} sends {other.name}"
