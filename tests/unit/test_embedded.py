"""The embedded model server as the default target, over servers that a test plays."""

import pytest

from tfsload.target import embedded
from tfsload.target.embedded import SHIPPED_MODEL, EmbeddedModel
from tfsload.target.launcher import ServerStartError


class Server:
    def __init__(self, address):
        self.address, self.has_ended, self.n_stops = address, False, 0

    def stop(self):
        self.n_stops += 1


class Servers:
    """Starts servers, each at the port that it is asked for or the next free one."""

    def __init__(self):
        self.started = []
        self.taken = set()

    def start(self, _model_name, _path, flags=()):
        (port,) = [flag.removeprefix("--port=") for flag in flags] or [str(len(self.started) + 1)]
        if port in self.taken:
            raise ServerStartError(f"port {port} is taken")
        self.started.append(Server(f"127.0.0.1:{port}"))
        return self.started[-1]


@pytest.fixture
def servers(monkeypatch):
    servers = Servers()
    monkeypatch.setattr(embedded, "EmbeddedServer", servers)
    return servers


def test_one_server_serves_all_runs(servers):
    model = EmbeddedModel()

    assert {model.address(SHIPPED_MODEL) for _ in range(3)} == {"127.0.0.1:1"}
    assert len(servers.started) == 1


@pytest.mark.parametrize(
    ("taken", "address"),
    [
        pytest.param(set(), "127.0.0.1:1", id="where-it-was"),
        pytest.param({"1"}, "127.0.0.1:2", id="elsewhere-where-its-port-is-taken"),
    ],
)
def test_a_server_that_has_ended_is_started_anew(servers, caplog, taken, address):
    model = EmbeddedModel()
    model.address(SHIPPED_MODEL)
    servers.started[0].has_ended, servers.taken = True, taken

    assert model.address(SHIPPED_MODEL) == address
    assert [server.n_stops for server in servers.started] == [1, 0]
    assert "at 127.0.0.1:1 has ended" in caplog.text
