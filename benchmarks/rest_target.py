"""What clients of REST are given: images, requests, and a port."""

import dataclasses
import socket
import time

import locust  # noqa: F401  (must come first: it monkey-patches the standard library for gevent)
import numpy as np
from numpy.typing import NDArray

from tfsload.settings.settings import Settings
from tfsload.transport.address import parse_rest_address
from tfsload.transport.rest.transport import RestTransport

_N_IMAGES = 64
_LONGEST_START_S = 10.0


def images() -> list[NDArray[np.uint8]]:
    """Return requests of an image each, whose pixels are as long as floats get."""
    return list(np.random.default_rng(1).integers(0, 256, (_N_IMAGES, 1, 28, 28), dtype=np.uint8))


def transport_to(port: int) -> RestTransport:
    """Return the suite's own way there."""
    settings = Settings.parse({}, f"127.0.0.1:{port}")
    target = parse_rest_address(f"127.0.0.1:{port}")
    return RestTransport(settings.model, dataclasses.replace(settings.connection, target=target))


def bodies(port: int) -> list[bytes]:
    """Return the requests' bodies, without their heads."""
    transport = transport_to(port)
    return [transport.bodies.encode(one) for one in images()]


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
    return port


def wait_for(port: int) -> None:
    """Wait until somebody listens there."""
    until_s = time.monotonic() + _LONGEST_START_S
    while time.monotonic() < until_s:
        with socket.socket() as tried:
            if not tried.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens on port {port}")
