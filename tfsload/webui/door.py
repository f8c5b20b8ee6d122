"""The web UI's door: requests of foreign pages stay outside."""

import logging
import socket

from flask import Response, request
from locust.web import WebUI

from tfsload.settings.origins import Caller, Policy, frame_ancestors, is_loopback

logger = logging.getLogger(__name__)

# Refusals are logged once each: the page shows "an unknown error", and its log tab is where a person looks then. No
# page is to fill the log with names that it makes up.
_MOST_LOGGED = 20


def close(web_ui: WebUI, origins: tuple[str, ...]) -> None:
    """Refuse requests of foreign pages, whatever route they ask for, those of the user's own too.

    Args:
        web_ui: Locust's, before it listens.
        origins: further ones that may start and stop runs (`--web-origin`).
    """
    is_on_loopback_alone = is_on_loopback(web_ui.host)
    policy = Policy(web_ui.host, origins, is_on_loopback_alone, () if is_on_loopback_alone else _machine_names())
    logged: set[str] = set()

    def turn_away() -> Response | None:
        headers = request.headers
        why = policy.refusal(
            Caller(
                request.method,
                headers.get("Host", ""),
                headers.get("Origin"),
                headers.get("Sec-Fetch-Site"),
                headers.get("Referer"),
            )
        )
        if why is None:
            return None
        if why not in logged and len(logged) < _MOST_LOGGED:
            logged.add(why)
            logger.warning("Refused: %s", why)
        return Response(f"tfsload: refused: {why}\n", 403, content_type="text/plain; charset=utf-8")

    def stay_out_of_frames(response: Response) -> Response:
        policies = [response.headers.get("Content-Security-Policy", ""), frame_ancestors(origins)]
        response.headers["Content-Security-Policy"] = "; ".join(filter(None, policies))
        return response

    app = web_ui.app
    assert app is not None  # Locust makes it before it tells of its web UI
    # Before whatever else looks at a request.
    app.before_request_funcs.setdefault(None, []).insert(0, turn_away)
    app.after_request(stay_out_of_frames)


def _machine_names() -> tuple[str, ...]:
    """Return what this machine calls itself: its host name, and that with its domain."""
    return tuple({name.lower().removesuffix(".") for name in (socket.gethostname(), socket.getfqdn()) if name})


def is_on_loopback(host: str) -> bool:
    """Return whether only this machine reaches what listens on `host` (`--web-host`; empty: all interfaces)."""
    if is_loopback(host):
        return True
    try:
        found = socket.getaddrinfo(host, None) if host else []
    except OSError:
        return False  # Locust will not be able to listen there
    return bool(found) and all(is_loopback(str(where[0])) for *_, where in found)
