"""What is in --metadata reaches the server, and nobody else."""

import pytest

from tests.support.runs import PROJECT, run_headless, wait_until
from tests.support.secret import METADATA, SECRET
from tests.support.server_processes import ScriptedServer
from tests.support.start_page import press, press_again, send, show
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes
from tfsload.settings.options import OPTIONS
from tfsload.settings.settings import Settings, SettingsError

ROUTED = PROJECT / "tests" / "support" / "locustfiles" / "routed.py"


def given_by(source, directory):
    """Return arguments and environment by which a run learns the secret."""
    if source == "command-line":
        return ("--metadata", METADATA, "--metadata", f"x-key={SECRET}"), {}
    if source == "environment":
        return (), {"TFSLOAD_METADATA": METADATA}
    configuration = directory / "run.conf"
    configuration.write_text(f"metadata = {METADATA}\n")
    return ("--config", str(configuration)), {}


@pytest.mark.parametrize("source", ["command-line", "environment", "configuration"])
def test_no_page_and_no_log_holds_it(tmp_path, model_server, source):
    routes = tmp_path / "routes.json"
    arguments, environment = given_by(source, tmp_path)
    environment |= {"TFSLOAD_TEST_ROUTES": str(routes)}
    arguments += ("--loglevel", "DEBUG", "--host", model_server.address, "--processes", "2")
    with web_ui_of(tmp_path, *arguments, locustfile=ROUTED, is_drawn=True, **environment) as ui:
        wait_until(lambda: len(ui.stats()["workers"]) == 2, "two workers")
        answers = [str(ui.start(num_tests="x")), str(ui.start(num_tests=50))]
        wait_until(ui.n_summaries, "the summary")
        answers += [str(ui.start(metadata=f"Authorization={SECRET}"))]
        paths = [path for path in ui.routes(routes) if "<" not in path]
        pages = {path: ui.ask("GET", path).body for path in [*paths, "/stats/report?download=1"]}
        log = ui.process.log()

    assert "PASS" in log  # the run was made
    assert "DEBUG" in log
    assert {"/", "/logs", "/stats/report", "/exceptions", "/stats/requests"} <= set(pages)
    assert [path for path, page in pages.items() if SECRET in page] == []
    assert [answer for answer in answers if SECRET in answer] == []
    assert SECRET not in log


TELLS = f"""
import logging
from locust import events
from tests.support.locustfiles.routed import GrpcPredictionUser

@events.init_command_line_parser.add_listener
def add(parser):
    parser.add_argument("--own", default="key {SECRET}")

@events.test_start.add_listener
def tell(environment, **_):
    options = environment.parsed_options
    logging.warning("TOLD %s", ["{SECRET}" in text for text in (options.note, options.own)])
"""


def test_no_page_holds_it_where_it_was_said_elsewhere_and_it_stays_what_it_was(tmp_path, model_server):
    routes, locustfile = tmp_path / "routes.json", tmp_path / "tells.py"
    locustfile.write_text(TELLS)
    arguments = ("--host", model_server.address, "--metadata", METADATA, "--note", f"a=1; auth={SECRET}")
    with web_ui_of(tmp_path, *arguments, locustfile=locustfile, TFSLOAD_TEST_ROUTES=str(routes)) as ui:
        paths = [path for path in ui.routes(routes) if "<" not in path] + ["/?locust=1"]
        pages = [ui.ask("GET", path).body for path in paths]
        note = show(ui).values["note"]
        pages += [send(ui, action, load="images", num_tests="x", note=note).body for action in ("start", "check")]
        assert send(ui, load="images", num_tests="50", note=f"{note}\nb=2").status == 303
        pages += [ui.get("/tfsload/runs/1"), ui.get("/tfsload/runs/1/live.json")]
        ui.wait_for_end()
        assert press_again(ui, 1).status == 303
        ui.wait_for_end()
        pages += [str(ui.start(num_tests="50", note=note.replace("\n", ";")))]
        ui.wait_for_end()
        pages += [
            ui.ask("GET", path).body for path in [*paths, "/tfsload/?run=1", *(f"/tfsload/runs/{n}" for n in (1, 2))]
        ]
        log = ui.process.log()

    assert note == "a=1\nauth=(hidden)"
    assert [page for page in pages if SECRET in page] == []
    assert log.count("TOLD [True, True]") == 3


def test_a_pass_word_before_a_host_is_in_no_page_that_comes_before_a_check_nor_after_it(tmp_path):
    with web_ui_of(tmp_path, "--host", f"me:{SECRET}@127.0.0.1:9") as ui:
        shown = show(ui).values["host"]
        pages = [ui.get("/tfsload/"), ui.get("/?locust=1"), str(ui.start(num_tests="5"))]
        pages += [send(ui, action, load="images", num_tests="5", host=shown).body for action in ("start", "check")]
        refused = press(ui, load="images", num_tests="5", host=shown)

    assert shown == "(hidden)@127.0.0.1:9"
    assert "host" in refused.faults
    assert [page for page in pages if SECRET in page] == []


@pytest.mark.parametrize("transport", ["native", "grpcio"])
def test_no_file_and_no_log_of_a_headless_run_holds_it(tmp_path, model_server, transport):
    files = tmp_path / "files"
    files.mkdir()
    ended = run_headless(
        tmp_path,
        *("--host", model_server.address, "--metadata", METADATA, "--num-tests", "50", "--transport", transport),
        *("--loglevel", "DEBUG", "--html", str(files / "report.html"), "--csv", str(files / "run")),
        *("--csv-full-history", "--logfile", str(files / "log"), "--json-file", str(files / "run")),
    )

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    written = {path.name: path.read_text() for path in files.iterdir()}
    assert {"report.html", "log", "run_stats.csv", "run.json"} <= set(written)
    assert [name for name, text in written.items() if SECRET in text] == []
    assert SECRET not in ended.stdout + ended.stderr


@pytest.fixture(scope="module", params=["Predict", ""], ids=["each-prediction", "the-preflight"])
def repeating_server(request, model_server):
    """A server that repeats the token in its refusals; of each prediction, or of the first call before the load."""
    server = ScriptedServer(model_server.address, request.param, module="repeating_server")
    yield server
    server.stop()


@pytest.mark.parametrize("transport", ["native", "grpcio"])
@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["one-process", "two-processes"])
def test_a_server_that_repeats_it_is_quoted_without_it(tmp_path, repeating_server, transport, processes):
    ended = run_headless(
        tmp_path,
        *("--host", repeating_server.address, "--metadata", METADATA, "--num-tests", "20", "--transport", transport),
        *("--html", str(tmp_path / "report.html"), "--csv", str(tmp_path / "run"), "--loglevel", "DEBUG", *processes),
    )

    assert ended.exit_code == exit_codes.FAILED, ended.stderr
    said = ended.stdout + ended.stderr
    assert "nobody knows (hidden)" in said
    assert "\x1b" not in said
    assert "!" * 400 not in said
    written = "".join(path.read_text() for path in tmp_path.glob("r*"))
    assert SECRET not in said + written


UNREADABLE = [
    pytest.param(f"Authorization=Bearer {SECRET}", "capitals in the key", id="capital-key"),
    pytest.param(f"authorization: Bearer {SECRET}", "no '='", id="as-http-writes-it"),
    pytest.param(SECRET, "no '='", id="no-key"),
    pytest.param(f"{SECRET}é=x", "the key holds other", id="secret-where-the-key-stands"),
    pytest.param(f"ok=1;authorization=Bearer {SECRET}é", "second of 2", id="not-ascii"),
    pytest.param(f"grpc-token={SECRET}", "gRPC's own", id="grpc's-own"),
    pytest.param(f"token-bin={SECRET}", "binary", id="binary"),
    pytest.param(f"x={SECRET}\x1b", "the value holds others", id="not-printable"),
]


@pytest.mark.parametrize(("text", "words"), UNREADABLE)
def test_a_refusal_says_what_is_wrong_without_it(text, words):
    with pytest.raises(SettingsError) as refused:
        Settings.parse({"metadata": text}, None)

    assert words in str(refused.value)
    assert str(refused.value).startswith("--metadata")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("source", ["command-line", "environment"])
def test_a_headless_run_is_refused_without_it(tmp_path, source):
    text = f"Authorization=Bearer {SECRET}"
    arguments, environment = (
        (("--metadata", text), {}) if source == "command-line" else ((), {"TFSLOAD_METADATA": text})
    )
    ended = run_headless(tmp_path, "--num-tests", "x", *arguments, **environment)

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert "--num-tests 'x'" in ended.stderr
    assert "--metadata" in ended.stderr
    assert SECRET not in ended.stdout + ended.stderr


def test_settings_that_are_printed_do_not_hold_it():
    settings = Settings.parse({"metadata": METADATA}, None)

    assert settings.connection.metadata == (("authorization", f"Bearer {SECRET}"),)
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param(f"http://me:{SECRET}@serving:8500", id="http"),
        pytest.param(f"grpc://me:{SECRET}@serving:8500", id="grpc"),
        pytest.param(f"me:{SECRET}@serving:8500", id="bare"),
    ],
)
def test_a_pass_word_in_an_address_is_not_repeated(host):
    with pytest.raises(SettingsError) as refused:
        Settings.parse({}, host)
    with pytest.raises(SettingsError) as other:
        Settings.parse({"web_origin": host}, None)

    assert "(hidden)@serving:8500" in str(refused.value)
    assert SECRET not in str(refused.value) + str(other.value)


def test_no_secret_is_a_field_of_the_form():
    assert [option.flag for option in OPTIONS if option.is_secret and option.is_in_form] == []
