"""Where the embedded model server listens."""

import socket

import pytest

from tfsload.modelserver.ports import PortError, listening_socket

HOST = "127.0.0.1"


def test_a_port_whose_server_ended_a_moment_ago_is_free():
    with listening_socket(HOST, 0, "--rest_api_port") as before:
        before.listen()
        port = before.getsockname()[1]
        with socket.create_connection((HOST, port), timeout=10) as client:
            accepted, _ = before.accept()
            accepted.close()  # who closes first keeps the connection for a minute
            assert client.recv(1) == b""

    listening_socket(HOST, port, "--rest_api_port").close()


def test_a_port_where_somebody_listens_is_not():
    with listening_socket(HOST, 0, "--port") as taken:
        taken.listen()

        with pytest.raises(PortError, match=r"Address already in use; give another --port \(0: a free one\)"):
            listening_socket(HOST, taken.getsockname()[1], "--port")
