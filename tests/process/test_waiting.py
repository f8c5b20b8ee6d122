"""`--wait`: a server that is starting is waited for, whatever it says meanwhile; what will not pass is said at once."""

import contextlib
import json
import signal

import gevent
import pytest

from tests.support.runs import forked, free_port, locust, run_headless, wait_until
from tests.support.server_processes import ScriptedServer
from tests.support.start_page import press, show
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes

NOT_ANSWERED = "it has not answered yet"
FOR_EVER = 1_000_000


@pytest.fixture
def starting(tmp_path):
    """Return a function that starts a model server, which takes its time; it is stopped at the end."""
    with contextlib.ExitStack() as stack:

        def start(*stages, port=0):
            server = ScriptedServer(str(port), json.dumps(stages), str(tmp_path / "served"), module="starting_server")
            stack.callback(server.stop)
            return server

        yield start


@pytest.mark.parametrize("transport", ["native", "grpcio"])
@pytest.mark.parametrize("n_workers", [0, 2], ids=["alone", "on-workers"])
def test_a_run_begins_when_its_server_is_ready(tmp_path, starting, n_workers, transport):
    port = free_port()
    arguments = ("--headless", "--only-summary", "--host", f"127.0.0.1:{port}", "--wait", "100", "--num-tests", "50")
    with locust(tmp_path / "run", *arguments, "--transport", transport, *forked(n_workers)) as process:
        wait_until(lambda: "Waiting for the server" in process.log(), "the wait for somebody to listen")
        starting(["UNAVAILABLE", 1], ["NOT_FOUND", 1], ["START", 1], ["LOADING", 1], port=port)
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert ended.outcome["predictions"] == 50
    waited = [line.partition("tfsload: ")[2] for line in ended.stderr.splitlines() if "aiting" in line]
    # A busy machine may take a second to find that nobody listens; what is said then comes first.
    assert waited[0].startswith(f"Waiting for the server at 127.0.0.1:{port}, 100 s at most: ")
    assert "no model server answers" in next(line for line in waited if NOT_ANSWERED not in line)
    for words in ("not yet: UNAVAILABLE", "it has no model 'mnist' (not yet: NOT_FOUND)", "is START", "is LOADING"):
        assert sum(words in line for line in waited) == 1, waited
    assert f"The server at 127.0.0.1:{port} is ready, after" in ended.stderr


@pytest.mark.parametrize(
    ("stage", "exit_code", "words"),
    [
        pytest.param(
            "NOT_FOUND", exit_codes.BAD_USAGE, "no model 'mnist' (not yet: NOT_FOUND): pass --model-name", id="name"
        ),
        pytest.param("LOADING", exit_codes.FAILED, "model 'mnist' is LOADING (version 1): pass --wait", id="loading"),
        pytest.param("UNAVAILABLE", exit_codes.FAILED, "no model server answers at", id="unavailable"),
    ],
)
@pytest.mark.parametrize("wait", [[], ["--wait", "1.2"]], ids=["not-waited-for", "waited-for"])
def test_too_early_is_told_from_a_wrong_name(tmp_path, starting, stage, exit_code, words, wait):
    server = starting([stage, FOR_EVER])
    ended = run_headless(tmp_path, "--host", server.address, "--num-tests", "50", *wait)

    assert ended.exit_code == exit_code, ended.stderr
    (fault,) = [line for line in ended.stderr.splitlines() if line.startswith("  - ")]
    assert words in fault
    assert ("1.2 s" if wait else "--wait 60") in fault
    assert ("Waiting for the server" in ended.stderr) is bool(wait)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        pytest.param(["--signature-name", "foo"], exit_codes.BAD_USAGE, "no signature 'foo'", id="signature"),
        pytest.param(["--tls"], exit_codes.FAILED, "does not speak TLS", id="no-tls"),
        pytest.param(["--deadline", "-1"], exit_codes.BAD_USAGE, "--deadline '-1'", id="option"),
        pytest.param(["--wait", "soon"], exit_codes.BAD_USAGE, "--wait 'soon': expected a number of", id="wait-itself"),
    ],
)
def test_what_will_not_pass_is_said_at_once(tmp_path, starting, arguments, exit_code, words):
    ended = run_headless(tmp_path, "--host", starting().address, "--wait", "3600", *arguments)

    assert ended.exit_code == exit_code, ended.stderr
    assert words in ended.stderr
    # A busy machine may take a second to hear the first answer, which ends it.
    assert all(NOT_ANSWERED in line for line in ended.stderr.splitlines() if "aiting" in line)


@pytest.mark.parametrize("n_workers", [0, 2], ids=["alone", "on-workers"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupt_ends_the_wait(tmp_path, number, n_workers):
    arguments = ("--headless", "--host", f"127.0.0.1:{free_port()}", "--wait", "3600", "--num-tests", "50")
    with locust(tmp_path, *arguments, *forked(n_workers)) as process:
        wait_until(lambda: "Waiting for the server" in process.log(), "the wait")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID, ended.stderr
    assert "tfsload: the run cannot start:\n  - interrupted" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_start_in_the_web_ui_waits_too(tmp_path, starting):
    server = starting(["LOADING", 2])
    with web_ui_of(tmp_path / "ui", "--host", server.address, "--wait", "100") as ui:
        answer = ui.start(num_tests=50)
        wait_until(ui.n_summaries, "the summary")
        log = ui.process.log()

    assert answer["success"], answer
    assert "model 'mnist' is LOADING (version 1)" in log
    assert "is ready, after" in log


def test_the_stop_button_ends_the_wait_of_a_start(tmp_path, starting):
    port = free_port()
    with web_ui_of(tmp_path / "ui", "--host", f"127.0.0.1:{port}", "--wait", "3600") as ui:
        start = gevent.get_hub().threadpool.spawn(ui.start, num_tests=50)
        wait_until(lambda: "Waiting for the server" in ui.process.log(), "the wait")
        second = ui.start(num_tests=50)
        ui.stop()
        first = start.get(timeout=60)
        starting(["AVAILABLE", FOR_EVER], port=port)
        third = ui.start(num_tests=50)
        wait_until(ui.n_summaries, "the summary")
        log = ui.process.log()

    assert (first["success"], second["success"]) == (False, False)
    assert "stopped while it waited for the server" in first["message"]
    assert f"another start waits for the server at 127.0.0.1:{port}: stop that one first" in second["message"]
    assert third["success"], third
    assert ui.n_summaries() == 1
    assert "Traceback" not in log


def test_a_check_that_waits_looks_to_nobody_like_a_run(tmp_path):
    port = free_port()
    with web_ui_of(tmp_path / "ui", "--host", f"127.0.0.1:{port}", "--wait", "3600") as ui:
        check = gevent.get_hub().threadpool.spawn(press, ui, "check", load="images", num_tests="50")
        wait_until(lambda: "Waiting for the server" in ui.process.log(), "the wait")
        state, page = ui.stats()["state"], show(ui)
        bar = json.loads(ui.get("/tfsload/bar.json"))
        led = [ui.ask("GET", path).headers.get("location", "") for path in ("/", "/tfsload/runs/live")]
        start = ui.start(num_tests=50)
        ui.stop()
        checked = check.get(timeout=60)

    assert state == "ready"
    assert not page.is_under_way
    assert "tarting" not in str(bar)
    assert led == ["/tfsload/", "/tfsload/"]
    assert f"a check that somebody has asked for waits for the server at 127.0.0.1:{port}" in start["message"]
    assert "stopped while it waited for the server" in checked.alert


def test_a_run_that_starts_by_itself_waits_before_the_web_ui_is_there(tmp_path, starting):
    server = starting(["LOADING", 2])
    with web_ui_of(
        tmp_path / "ui", "--host", server.address, "--wait", "100", "--autostart", "--num-tests", "50"
    ) as ui:
        wait_until(ui.n_summaries, "the summary")
        log = ui.process.log()

    assert log.index("is LOADING (version 1)") < log.index("is ready, after") < log.index("Inference error rate")


def test_an_interrupt_ends_a_web_ui_whose_start_waits(tmp_path):
    with web_ui_of(tmp_path / "ui", "--host", f"127.0.0.1:{free_port()}", "--wait", "3600") as ui:
        start = gevent.get_hub().threadpool.spawn(lambda: ui.ask("POST", "/swarm", "user_count=1&spawn_rate=1"))
        wait_until(lambda: "Waiting for the server" in ui.process.log(), "the wait")
        ui.process.signal(signal.SIGINT)
        ended = ui.process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stderr  # no run was asked for by the command line
    assert "Traceback" not in ended.stderr
    with contextlib.suppress(Exception):
        start.get(timeout=10)
