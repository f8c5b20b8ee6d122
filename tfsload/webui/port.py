"""The web UI's own address."""

import errno
import socket

from tfsload.analysis import exit_codes
from tfsload.settings.refusal import RunRefused


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
        except OSError as error:
            cause = "another program listens there" if error.errno == errno.EADDRINUSE else str(error)
            raise RunRefused(
                exit_codes.FAILED,
                [f"the web UI cannot listen on {host or '*'}:{port}: {cause}; stop it, or pass another --web-port"],
            ) from None
