"""The web UI's own address: what cannot be listened on is told, with what to do about it."""

import errno
import socket

import pytest

from tfsload.analysis import exit_codes
from tfsload.settings.refusal import RunRefused
from tfsload.webui import port


def refused(host, number):
    with pytest.raises(RunRefused) as fault:
        port.require_free(host, number)
    return fault.value.exit_code, fault.value.sentence().partition("cannot listen on ")[2]


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        told = refused("127.0.0.1", number)

    why = "another program listens there; stop it, or pass another --web-port"
    assert told == (exit_codes.FAILED, f"127.0.0.1:{number}: {why}")


@pytest.mark.parametrize("number", [65536, -1])
def test_a_port_that_there_is_not(number):
    why = "a port is 0 to 65535; pass another --web-port"

    assert refused("", number) == (exit_codes.BAD_USAGE, f"*:{number}: {why}")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        pytest.param(
            PermissionError(errno.EACCES, "Permission denied"),
            "this user may not listen on that port; pass another --web-port",
            id="below-1024",
        ),
        pytest.param(
            OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"),
            "Cannot assign requested address; pass another --web-host, an address of this machine",
            id="another-machines",
        ),
        pytest.param(
            socket.gaierror(-2, "Name or service not known"),
            "Name or service not known; pass another --web-host, an address of this machine",
            id="no-name",
        ),
    ],
)
def test_what_else_cannot_be_listened_on(monkeypatch, fault, why):
    class Probe(socket.socket):
        def bind(self, _):
            raise fault

    monkeypatch.setattr(port.socket, "socket", Probe)

    assert refused("there", 80) == (exit_codes.FAILED, f"there:80: {why}")


def test_one_that_is_free():
    port.require_free("127.0.0.1", 0)
