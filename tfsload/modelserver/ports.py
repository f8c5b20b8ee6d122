"""Where a server listens."""

import socket


class PortError(Exception):
    """The server cannot listen where it was told to."""


def address_words(host: str, port: int) -> str:
    """An address as "host:port"; one of IPv6 stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listening_socket(host: str, port: int, flag: str) -> socket.socket:
    """A socket bound to an address, for TCP.

    Args:
        host: an address of this machine.
        port: 0: any that is free.
        flag: which names the port, for the message.

    Raises:
        PortError: the system's reason.
    """
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    # A server that ended a moment ago leaves connections that the system keeps for a minute: they hold no port.
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise PortError(
            f"cannot listen on {host}, port {port}: {error.strerror}; "
            f"give another {flag} ({_FREE.get(flag, '0: a free one')}) or --bind_address"
        ) from error
    return found


_FREE = {"--rest_api_port": "or --rest_api_free_port"}
