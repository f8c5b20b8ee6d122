"""The embedded model server as the default target, over servers that a test plays."""

import gevent
import pytest

from tfsload.run import checks
from tfsload.run.user_hosts import HostAsked
from tfsload.settings.refusal import RunRefused
from tfsload.target import embedded, waiting
from tfsload.target.embedded import SHIPPED_MODEL, EmbeddedModel
from tfsload.target.launcher import ServerStartError
from tfsload.target.preflight import MisfitError, NoServerError, Preflight
from tfsload.target.references import References
from tfsload.target.verification import VerificationError
from tfsload.transport.grpc.transport import GrpcTransport
from tfsload.transport.spoken import GRPC, REST


class Server:
    def __init__(self, address, rest_port):
        self.address, self.has_ended, self.n_stops = address, False, 0
        self.rest_address = f"127.0.0.1:{rest_port}" if rest_port else ""
        self.ends_soon = False

    def ends_within(self, _limit_s):
        self.has_ended = self.has_ended or self.ends_soon
        return self.has_ended

    def stop(self):
        self.n_stops += 1


class Servers:
    """Starts servers, each at the port that it is asked for or the next free one."""

    def __init__(self):
        self.started = []
        self.taken = set()

    def start(self, _model_name, _path, flags=()):
        (port,) = [flag.removeprefix("--port=") for flag in flags if "=" in flag] or [str(len(self.started) + 1)]
        if port in self.taken:
            raise ServerStartError(f"port {port} is taken")
        # A free port is another one each time.
        rest_port = 100 + len(self.started) if "--rest_api_free_port" in flags else 0
        self.started.append(Server(f"127.0.0.1:{port}", rest_port))
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


def test_a_server_has_a_port_for_rest_once_a_run_asks_for_it(servers):
    model = EmbeddedModel()

    asked = [model.address(SHIPPED_MODEL, spoken) for spoken in (GRPC, REST, GRPC, REST)]
    assert asked == ["127.0.0.1:1", "127.0.0.1:101", "127.0.0.1:1", "127.0.0.1:101"]
    assert [server.n_stops for server in servers.started] == [1, 0]


def test_a_server_with_a_port_for_rest_has_one_again_when_it_is_started_anew(servers):
    model = EmbeddedModel()
    model.address(SHIPPED_MODEL, REST)
    servers.started[0].has_ended = True

    assert model.address(SHIPPED_MODEL, GRPC) == "127.0.0.1:1"
    assert model.address(SHIPPED_MODEL, REST) == "127.0.0.1:101"
    assert len(servers.started) == 2


NO_ANSWER = NoServerError(["no model server answers"])
FOUND = Preflight(1)


def check_against(monkeypatch, model, *answers, verified_by=()):
    """Check a run whose servers give these answers, one after another; return who was asked."""
    asked, left, verified = [], list(answers), list(verified_by)

    def play(given):
        one = given.pop(0) if given else None
        if isinstance(one, Exception):
            raise one
        return one

    def ask(transport, *_, **__):
        asked.append(transport.connection.server.text)
        return play(left)

    monkeypatch.setattr(checks, "ask_when_ready", ask)
    monkeypatch.setattr(checks, "record_references", lambda *_: play(verified))
    options = {"dataset": "mnist5k", "num_users": None, "verify": "3" if verified_by else "0"}
    return checks.check(options, HostAsked(None), GrpcTransport, model, []), asked


@pytest.mark.parametrize(
    ("answers", "verified_by"),
    [
        pytest.param((NO_ANSWER, FOUND), (), id="as-it-is-asked"),
        pytest.param((FOUND, FOUND), (VerificationError("no answer"), References()), id="as-its-answers-are-recorded"),
    ],
)
def test_one_that_was_killed_a_moment_before_is_started_anew_at_once(servers, monkeypatch, answers, verified_by):
    model = EmbeddedModel()
    model.address(SHIPPED_MODEL)
    servers.started[0].ends_soon = True  # a killed one answers nobody, and has not ended yet as far as is known
    servers.taken = {"1"}
    checked, asked = check_against(monkeypatch, model, *answers, verified_by=verified_by)

    assert asked == ["127.0.0.1:1", "127.0.0.1:2"]
    assert (checked.settings.connection.server.text, checked.preflight) == ("127.0.0.1:2", FOUND)
    assert checked.transport.connection.server.text == "127.0.0.1:2"
    assert checked.is_embedded


def test_one_that_was_killed_is_not_waited_for(servers, monkeypatch):
    model = EmbeddedModel()
    model.address(SHIPPED_MODEL)
    servers.started[0].ends_soon, servers.taken = True, {"1"}

    def ask(transport, *_):
        if transport.connection.server.text == "127.0.0.1:1":
            raise NoServerError(["no model server answers"], passing="nobody listens there")
        return Preflight(1)

    monkeypatch.setattr(waiting.preflight, "ask", ask)
    options = {"dataset": "mnist5k", "num_users": None, "wait": "60"}
    with gevent.Timeout(20):
        checked = checks.check(options, HostAsked(None), GrpcTransport, model, [])

    assert checked.settings.connection.server.text == "127.0.0.1:2"


@pytest.mark.parametrize(
    ("ends_soon", "answers", "n_asked"),
    [
        pytest.param(False, (NO_ANSWER,), 1, id="one-that-lives-on"),
        pytest.param(True, (NO_ANSWER, NO_ANSWER), 2, id="another-that-does-not-answer-either"),
        pytest.param(True, (MisfitError(["no such model"]),), 1, id="one-that-has-answered"),
    ],
)
def test_what_another_server_does_not_mend_is_refused(servers, monkeypatch, ends_soon, answers, n_asked):
    model = EmbeddedModel()
    model.address(SHIPPED_MODEL)
    servers.started[0].ends_soon = ends_soon
    with pytest.raises(RunRefused, match=str(answers[-1])):
        check_against(monkeypatch, model, *answers)

    assert len(servers.started) == n_asked
