"""Which servers hear a secret from runs of the web UI: those that were named beside it, when Locust was started.

Whoever uses the web UI may name any server, one of their own too, and would be sent what is in `--metadata`. On the way
to the server that was named others would read it without TLS, or with authorities that were not named.

Where no server was named there is nothing to hold to: a UI that only this machine reaches sends it wherever its user
says, one that others reach nowhere.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tfsload.settings.options import OPTIONS
from tfsload.transport.address import same_address
from tfsload.transport.words import quoted


class SecretReach:
    """Keeps secrets to the servers that they were given for."""

    def __init__(self, named: Iterable[str | None], is_on_loopback: bool, options: Mapping[str, Any]) -> None:
        """Remember who was named, and how they were to be spoken to.

        Args:
            named: `--host`, and hosts of user classes, as they were when Locust was started.
            is_on_loopback: whether only this machine reaches the web UI: then, where no server was named, its user is
                taken for the one who gave the secret, and may name any.
            options: all as they were when Locust was started, as text by name.
        """
        self._named = {same_address(name) for name in named if name}
        self._may_go_anywhere = is_on_loopback and not self._named
        self._tls = _tls(options)

    def faults(self, host: str | None, options: Mapping[str, Any]) -> list[str]:
        """Return why a run may not go there with what it has; nothing: it may.

        Args:
            host: where it is to go; None: to the embedded server.
            options: all that it was asked to do.
        """
        secrets = [option.flag for option in OPTIONS if option.is_secret and options.get(option.dest)]
        if not secrets or not host or self._may_go_anywhere:
            return []
        what = f"{' and '.join(secrets)} holds a secret and was given"
        faults = []
        if same_address(host) not in self._named:
            given = " or ".join(map(quoted, sorted(self._named))) or "no server"
            faults.append(
                f"host {quoted(host)}: {what} for {given}: start Locust anew with --host of the server that is to "
                "hear it"
            )
        for flag, value in _tls(options).items():
            if value != self._tls[flag]:
                faults.append(
                    f"{flag} {_shown(value)}: {what} with {_shown(self._tls[flag])}: leave that as it was, or start "
                    "Locust anew with what is meant"
                )
        return faults


def _tls(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of TLS, by flag; what cannot be read is refused elsewhere, and differs from all that can."""
    said = {}
    for option in OPTIONS:
        if option.flag.startswith("--tls"):
            text = str(options.get(option.dest, option.default)).strip()
            try:
                said[option.flag] = option.read(text)
            except ValueError:
                said[option.flag] = text
    return said


def _shown(value: Any) -> str:
    return quoted(str(value).lower() if isinstance(value, bool) else value)
