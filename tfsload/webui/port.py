"""The web UI's own address."""

import errno
import socket

from tfsload.analysis import exit_codes
from tfsload.settings.refusal import RunRefused

_OTHER_PORT, _OTHER_HOST = "pass another --web-port", "pass another --web-host, an address of this machine"
_OF_PORTS = {
    errno.EADDRINUSE: f"another program listens there; stop it, or {_OTHER_PORT}",
    errno.EACCES: f"this user may not listen on that port; {_OTHER_PORT}",
}


def require_free(host: str, port: int) -> None:
    """Refuse to start where another program listens; Locust itself would end in a traceback.

    Args:
        host: `--web-host`; empty: all interfaces.
        port: `--web-port`.

    Raises:
        RunRefused: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError:
            raise _refusal(host, port, f"a port is 0 to 65535; {_OTHER_PORT}", exit_codes.BAD_USAGE) from None
        except OSError as error:
            why = _OF_PORTS.get(error.errno or 0, f"{error.strerror or error}; {_OTHER_HOST}")
            raise _refusal(host, port, why, exit_codes.FAILED) from None


def _refusal(host: str, port: int, why: str, exit_code: int) -> RunRefused:
    return RunRefused(exit_code, [f"the web UI cannot listen on {host or '*'}:{port}: {why}"])
