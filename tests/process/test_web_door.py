"""Pages of other origins, rebound names and callers without an origin, at every route of a web UI."""

import json
import socket

import pytest

from tests.support.runs import PROJECT, locust
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes

ROUTED = PROJECT / "tests" / "support" / "locustfiles" / "routed.py"
FOREIGN = "http://evil.example"
FORM = "user_count=1&spawn_rate=1&num_tests=1&host=127.0.0.1:9"
SAFE = {"GET", "HEAD", "OPTIONS"}


class Routes:
    """A web UI and all its routes."""

    def __init__(self, ui, rules):
        self.ui = ui
        filled = {rule.replace("<path:path>", "x").replace("<path:filename>", "x"): rules[rule] for rule in rules}
        self.changing = [(method, path) for path, methods in filled.items() for method in sorted(methods - SAFE)]
        self.reading = [path for path, methods in filled.items() if "GET" in methods]

    @property
    def state(self):
        """What a change would change: the state, and the log, which tells of checks and starts."""
        return json.loads(self.ui.get("/stats/requests"))["state"], self.ui.process.log().count("model server")


@pytest.fixture(scope="module")
def routes(tmp_path_factory, model_server):
    directory = tmp_path_factory.mktemp("door")
    found = directory / "routes.json"
    with web_ui_of(directory, "--host", model_server.address, locustfile=ROUTED, TFSLOAD_TEST_ROUTES=str(found)) as ui:
        yield Routes(ui, ui.routes(found))


def test_the_routes_that_change_something_are_those_that_are_known(routes):
    known = {("POST", "/swarm"), ("POST", "/stop"), ("POST", "/stats/reset"), ("POST", "/user")}
    own = {(method, "/mine") for method in ("POST", "PUT", "PATCH", "DELETE")}
    pages = {("POST", "/tfsload/"), ("POST", "/tfsload/runs/stop"), ("POST", "/tfsload/runs/reset")}

    assert set(routes.changing) == known | own | pages


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": FOREIGN}, id="foreign-origin"),
        pytest.param({"Origin": "null"}, id="origin-that-hides"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, id="another-port"),
        pytest.param({"Sec_Fetch_Site": "cross-site"}, id="no-origin-and-cross-site"),
        pytest.param({"Sec_Fetch_Site": "same-site"}, id="no-origin-and-same-site"),
        pytest.param({"Referer": FOREIGN + "/page"}, id="no-origin-and-a-foreign-referer"),
        pytest.param({"Host": "evil.example:8089", "Origin": "http://evil.example:8089"}, id="rebound-name"),
        pytest.param({"Host": "evil.example"}, id="rebound-name-without-origin"),
    ],
)
def test_nobody_from_elsewhere_changes_anything(routes, headers):
    before = routes.state
    replies = [routes.ui.ask(method, path, FORM, **headers) for method, path in routes.changing]

    assert {reply.status for reply in replies} == {403}
    assert all("--web-origin" in reply.body for reply in replies)
    assert all("access-control-allow-origin" not in reply.headers for reply in replies)
    assert routes.state == before
    assert "Refused: " in routes.ui.process.log()


def test_a_rebound_name_reads_nothing(routes):
    replies = {path: routes.ui.ask("GET", path, Host="evil.example:8089") for path in [*routes.reading, "/nowhere"]}

    assert {path: reply.status for path, reply in replies.items() if reply.status != 403} == {}


@pytest.mark.parametrize("origin", [FOREIGN, "null", "http://127.0.0.1:1"])
def test_no_page_of_another_origin_is_let_read_or_changes_anything_by_it(routes, origin):
    before = routes.state
    replies = [
        routes.ui.ask(method, path, Origin=origin) for path in routes.reading for method in ("GET", "HEAD", "OPTIONS")
    ]

    assert [
        reply.headers for reply in replies if any(name.startswith("access-control") for name in reply.headers)
    ] == []
    assert routes.state == before


def test_no_page_of_another_origin_shows_it_in_a_frame(routes):
    assert "frame-ancestors 'self'" in routes.ui.ask("GET", "/").headers["content-security-policy"]


def test_its_own_page_and_a_script_are_let_in(routes):
    own = routes.ui.ask("POST", "/mine", Origin=routes.ui.url, Sec_Fetch_Site="same-origin")
    as_localhost = {"Host": f"localhost:{routes.ui.port}", "Origin": f"http://localhost:{routes.ui.port}"}

    assert (own.status, own.body) == (200, "changed")
    assert routes.ui.ask("POST", "/mine", **as_localhost).body == "changed"
    assert routes.ui.ask("POST", "/mine").body == "changed"
    assert routes.ui.ask("POST", "/stop", Origin=routes.ui.url).status == 200


def test_further_pages_are_those_that_are_named_and_a_base_path_is_kept(tmp_path, model_server):
    arguments = ("--web-origin", "https://load.example", "--web-origin", "http://localhost:9000")
    arguments += ("--web-base-path", "/lt", "--host", model_server.address)
    with web_ui_of(tmp_path, *arguments, up_path="/lt/") as ui:
        proxied = ui.ask("POST", "/lt/stop", Host="load.example", Origin="https://load.example")
        renamed = ui.ask("POST", "/lt/stop", Origin="http://localhost:9000")
        foreign = ui.ask("POST", "/lt/stop", Origin=FOREIGN)
        page = ui.ask("GET", "/lt/")

    assert (proxied.status, renamed.status, foreign.status) == (200, 200, 403)
    assert "access-control-allow-origin" not in proxied.headers
    assert "https://load.example" in page.headers["content-security-policy"]


def test_open_to_others_it_is_known_by_its_own_names_and_still_keeps_pages_apart(tmp_path, model_server):
    arguments = ("--host", model_server.address, "--web-origin", "http://box.example:8089")
    with web_ui_of(tmp_path, *arguments, web_host="0.0.0.0") as ui:
        let_in = [
            ui.ask("GET", "/stats/requests", Host=f"{name}:{ui.port}")
            for name in ("10.0.0.5", "[fd00::5]", "localhost", socket.gethostname(), socket.getfqdn(), "box.example")
        ]
        own = ui.ask("POST", "/stop", Host="box.example:8089", Origin="http://box.example:8089")
        foreign = ui.ask("POST", "/stop", Host="box.example:8089", Origin=FOREIGN)
        rebound = [
            ui.ask("GET", "/stats/requests", Host="evil.example:8089"),
            ui.ask("GET", "/logs", Host="evil.example:8089"),
            ui.ask("POST", "/swarm", FORM, Host="evil.example:8089", Origin="http://evil.example:8089"),
        ]

    assert [reply.status for reply in let_in] == [200] * 6
    assert (own.status, foreign.status) == (200, 403)
    assert [reply.status for reply in rebound] == [403] * 3
    assert all("--web-origin" in reply.body for reply in rebound)


def test_a_web_origin_that_is_none_is_refused_when_the_ui_starts(tmp_path):
    with locust(tmp_path, "--web-origin", "load.example") as process:
        ended = process.wait()

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert "--web-origin 'load.example': expected a page's scheme and host" in ended.stderr


@pytest.mark.parametrize("field", ["web_origin", "metadata"])
def test_what_is_no_field_of_the_form_is_refused_there(routes, field):
    answer = routes.ui.start(num_tests=10, **{field: "http://127.0.0.1:1=sesame"})

    assert not answer["success"]
    assert f"--{field.replace('_', '-')} is not a field of the form" in answer["message"]
    assert "sesame" not in answer["message"]
