"""Which servers hear a secret from runs of the web UI: those that were named beside it, when Locust was started.

Whoever uses the web UI may name any server, one of their own too, and would be sent what is in `--metadata`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tfsload.settings import OPTIONS
from tfsload.target import TargetError, parse_grpc_target
from tfsload.words import quoted


class SecretReach:
    """Keeps secrets to the servers that they were given for."""

    def __init__(self, named: Iterable[str | None], is_on_loopback: bool) -> None:
        """Remember who was named.

        Args:
            named: `--host`, and hosts of user classes, as they were when Locust was started.
            is_on_loopback: whether only this machine reaches the web UI: then, where no server was named, its user is
                taken for the one who gave the secret, and may name any.
        """
        self._named = {_address(name) for name in named if name}
        self._may_go_anywhere = is_on_loopback and not self._named

    def faults(self, host: str | None, options: Mapping[str, Any]) -> list[str]:
        """Return why a run may not go there with what it has; nothing: it may.

        Args:
            host: where it is to go; None: to the embedded server.
            options: all that it was asked to do.
        """
        secrets = [option.flag for option in OPTIONS if option.is_secret and options.get(option.dest)]
        if not secrets or not host or self._may_go_anywhere or _address(host) in self._named:
            return []
        given = " or ".join(map(quoted, sorted(self._named))) or "no server"
        return [
            f"host {quoted(host)}: {' and '.join(secrets)} holds a secret and was given for {given}: start Locust anew "
            "with --host of the server that is to hear it"
        ]


def _address(host: str) -> str:
    """Return what ways of writing one address have in common."""
    try:
        return parse_grpc_target(host).address.lower()
    except TargetError:
        return host
