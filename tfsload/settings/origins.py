"""Pages that may use the web UI, by their origin and by the name they call it. Pure.

Whatever page is open in a browser may send requests to any address that the browser reaches, loopback too: it cannot
read the answers of another origin, but a start is done by then. And a page whose name is made to point at this
machine (DNS rebinding) is of the same origin as the web UI, and reads everything. So the web UI is known by those names
alone that no foreign page can have: addresses, this machine's own names, and those that it was given.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tfsload.settings import readers
from tfsload.transport.words import SEPARATED, quoted

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_NETLOC = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
# Methods that change nothing (RFC 9110, section 9.2.1).
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
# What a browser says of a request that comes from no other site's page (Sec-Fetch-Site).
_OWN_SITES = ("same-origin", "none")
_EXPECTED = "a page's scheme and host, such as https://load.example or http://localhost:9000"


def parse(text: str) -> tuple[str, ...]:
    """Read the origins of `--web-origin`, separated by ';'.

    >>> parse("https://Load.example/; http://localhost:9000")
    ('https://load.example', 'http://localhost:9000')

    Raises:
        ValueError: with what is expected.
    """
    return readers.several(text, _parse_one)


def _parse_one(text: str) -> str:
    scheme, _, netloc = text.lower().removesuffix("/").partition("://")
    name_and_port = _split(netloc)
    if scheme not in _DEFAULT_PORTS or name_and_port is None:
        raise ValueError(f"{_EXPECTED}, several {SEPARATED}")
    if name_and_port[1] and not 0 < int(name_and_port[1]) < 65536:
        raise ValueError(f"{_EXPECTED}; a port is 1 to 65535")
    return f"{scheme}://{_without_default_port(scheme, netloc)}"


def _split(netloc: str) -> tuple[str, str] | None:
    """Return name and port (empty: none) of a `Host` header or an origin; None where it is neither."""
    match = _NETLOC.fullmatch(netloc.lower())
    return (match["name"].removesuffix("."), match["port"] or "") if match else None


def _without_default_port(scheme: str, netloc: str) -> str:
    name, port = _split(netloc) or (netloc, "")
    return name if port in ("", _DEFAULT_PORTS.get(scheme)) else f"{name}:{port}"


def is_loopback(name: str) -> bool:
    """Whether a name or an address is one of loopback, by its form alone.

    >>> [is_loopback(name) for name in ("localhost", "127.9.9.9", "[::1]", "0.0.0.0", "evil.example")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name.lower().removesuffix(".") == "localhost"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Caller:
    """Where a request says that it comes from.

    Attributes:
        method: of HTTP.
        host: the `Host` header: how the caller names this server.
        origin: the `Origin` header: the page that asks; None: there is none.
        fetch_site: `Sec-Fetch-Site`, which browsers set and pages cannot; None: there is none.
        referer: the `Referer` header; None: there is none.
    """

    method: str
    host: str
    origin: str | None = None
    fetch_site: str | None = None
    referer: str | None = None


@dataclass(frozen=True)
class Policy:
    """Who may use the web UI.

    Attributes:
        host: where it listens (`--web-host`; empty: everywhere).
        origins: further pages that may start and stop runs (`--web-origin`), as `parse` returns them.
        is_on_loopback: whether only this machine reaches it.
        machine_names: what this machine calls itself, in lower case.
    """

    host: str
    origins: tuple[str, ...]
    is_on_loopback: bool
    machine_names: tuple[str, ...] = ()

    def refusal(self, caller: Caller) -> str | None:
        """Return why a request is refused, and the cure; None: it is not.

        Whoever sends neither `Origin` nor any other word of a page is no page: a script, or a person with curl.
        """
        if not self._is_own_name(caller.host):
            return self._unknown(caller.host)
        if caller.method in _SAFE_METHODS:
            return None
        if caller.origin is not None:
            return None if self._is_own_page(caller.origin, caller.host) else _foreign(caller.origin)
        if caller.fetch_site is not None:
            return None if caller.fetch_site in _OWN_SITES else _foreign("another site")
        if caller.referer is not None and not self._is_own_page(_origin_of(caller.referer), caller.host):
            return _foreign(_origin_of(caller.referer))
        return None

    def _is_own_name(self, host: str) -> bool:
        name = (_split(host) or ("", ""))[0]
        named = {(_split(urlsplit(origin).netloc) or ("", ""))[0] for origin in self.origins}
        if is_loopback(name) or (name and name in named | {self.host.lower().removesuffix(".")}):
            return True
        # Nobody makes an address point elsewhere; one that others reach it by is none of loopback's.
        return not self.is_on_loopback and (_is_address(name) or (bool(name) and name in self.machine_names))

    def _unknown(self, host: str) -> str:
        if self.is_on_loopback:
            return (
                f"the web UI listens on this machine alone, and is not known as {quoted(host)}: open it as localhost, "
                "or, where a proxy stands before it, name the proxy's page with --web-origin (https://NAME)"
            )
        return (
            f"the web UI is not known as {quoted(host)}: open it by this machine's address or its own name, or name "
            "the page that you open it by with --web-origin (http://NAME:PORT)"
        )

    def _is_own_page(self, origin: str, host: str) -> bool:
        scheme, _, netloc = origin.lower().partition("://")
        if _split(netloc) is None:
            return False  # "null", for one: a page that hides where it is from
        # The scheme is not compared: where a proxy speaks TLS, only the page knows of it.
        page = _without_default_port(scheme, netloc)
        return page == _without_default_port(scheme, host) or f"{scheme}://{page}" in self.origins


def _origin_of(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


def _foreign(page: str) -> str:
    return (
        f"a page of {quoted(page)} may not start, stop or change runs here: if that is how you open this web UI "
        f"(through a proxy or a forwarded port), start Locust with --web-origin {_cure(page)}"
    )


def _cure(page: str) -> str:
    try:
        return " ".join(parse(page)) or "URL"
    except ValueError:
        return "URL"


def frame_ancestors(origins: Iterable[str]) -> str:
    """Return the Content-Security-Policy by which no other page shows this one in a frame and lures a click."""
    return " ".join(("frame-ancestors", "'self'", *origins))
