"""Where the model server is: the address named, parsed."""

import re
from dataclasses import dataclass

from tfsload.transport.words import quoted

GRPC_PORT = 8500

_HOST = r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]@?#]+)"
_ADDRESS = re.compile(rf"{_HOST}:(?P<port>[0-9]{{1,5}})")


class TargetError(ValueError):
    """An address that cannot be understood; the message says what is expected."""


@dataclass(frozen=True)
class Target:
    """A gRPC server's address.

    Attributes:
        address: `host:port`, `[ipv6]:port` or `unix:path`, as gRPC writes it.
    """

    address: str

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the address."""
        return bool(re.match(r"localhost:|127\.|\[::1\]:|unix:", self.address))


def parse_grpc_target(text: str, named_by: str = "--host") -> Target:
    """Parse an address for gRPC.

    >>> parse_grpc_target("grpc://serving.local:8500").address
    'serving.local:8500'

    Args:
        text: the address.
        named_by: what names it, for messages.

    Raises:
        TargetError: with what was given and what is expected.
    """
    address = text.strip().removeprefix("grpc://").rstrip("/")
    expected = f"expected HOST:PORT (TensorFlow Serving's gRPC port is {GRPC_PORT}), [IPV6]:PORT or unix:PATH"
    if re.match(r"https?://", address):
        raise TargetError(
            f"{named_by} {quoted(text)} is an HTTP address and this run sends gRPC: {expected}, "
            f"for example {_host_of(address)}:{GRPC_PORT}"
        )
    if address.startswith("unix:"):
        if len(address) == len("unix:"):
            raise TargetError(f"{named_by} {quoted(text)} names no socket: {expected}")
        return Target(address)
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise TargetError(f"{named_by} {quoted(text)} is not an address: {expected}")
    if not 0 < int(match["port"]) < 65536:
        raise TargetError(f"{named_by} {quoted(text)} has port {match['port']}: expected 1 to 65535")
    return Target(address)


def same_address(text: str) -> str:
    """Return what ways of writing one address have in common; what is no address stays as it is.

    >>> same_address("grpc://Serving.local:8500") == same_address("serving.local:8500")
    True
    """
    try:
        address = parse_grpc_target(text).address
    except TargetError:
        return text
    return address if address.startswith("unix:") else address.lower()


def _host_of(url: str) -> str:
    match = re.match(rf"https?://(?:[^/?#]*@)?{_HOST}", url)
    return match["host"] if match else "HOST"
