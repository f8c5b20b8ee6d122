"""`--dry-run`: all is checked, a few predictions are made, what would be run is said; nothing else happens."""

import contextlib
import json
import re
import socket

import pytest

import tfsload
from tests.support.own_locustfiles import own_locustfiles
from tests.support.runs import PROJECT, forked, free_port, is_listening, locust, wait_until
from tests.support.server_processes import ScriptedServer
from tests.support.truth import truth_server
from tfsload.analysis import exit_codes

DONE = "DRY RUN: all is there; a few predictions were sent, and nothing measured"


@pytest.fixture
def server(tmp_path):
    with truth_server(tmp_path / "server", service_ms=1, **{"class": 0}) as server:
        yield server


def run(directory, *arguments, **options):
    """Run Locust to its end, with `--headless` only where the test says so."""
    with locust(directory / "run", "--dry-run", *arguments, **options) as process:
        return process.wait()


def rows_of(ended):
    """Return what is said, by its label."""
    lines = ended.stdout.split("\n\n")[1].splitlines()
    return [(line[:13].strip(), line[13:]) for line in lines]


@pytest.mark.parametrize("headless", [[], ["--headless", "--only-summary"]], ids=["with-web-ui", "headless"])
@pytest.mark.parametrize("processes", [[], ["--processes", "2"], ["--master", "--expect-workers", "2"]])
def test_a_few_predictions_and_no_load(tmp_path, server, headless, processes):
    port, web_port = str(free_port()), free_port()
    options = ("--sweep", "1,2,4", "--threshold", "p99 < 50ms; error_rate < 5%", "--note", "commit=1a2b3c4")
    ports = ("--master-bind-port", port, "--master-port", port, "--web-port", str(web_port))
    with socket.create_server(("127.0.0.1", int(port))):  # somebody else's master, and a UI that needs no port
        ended = run(tmp_path, "--host", server.address, *options, *headless, *processes, *ports)

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert ended.stdout.endswith(f"\n\n{DONE}\n")
    assert f"Model mnist, version 1, at {server.address} (tfsload {tfsload.__version__})" in ended.stdout
    rows = rows_of(ended)
    predictions = dict(rows)["predictions"]
    assert re.match(r"images 0 to 19: \d+ right, \d+ wrong, the first request in ", predictions)
    # The scripted server is always of one opinion, which is warned of.
    assert [one for one in rows if one[0] != "warning"] == [
        ("signature", "predict_images"),
        ("input", "images [-1, 784] float ← 28 × 28 pixels ÷ 255"),
        ("output", "scores [-1, 10] float → class by the highest"),
        ("data", "mnist5k: 1,000 images, one a request"),
        ("load", "--sweep: 3 levels · about 37 s (10 s each after 2 s of warm-up)"),
        ("threshold", "p99 < 50 ms"),
        ("threshold", "error_rate < 5%"),
        ("note", "commit=1a2b3c4"),
        ("predictions", predictions),
    ]
    assert "web interface" not in ended.stderr
    assert "spawn" not in ended.stderr.lower()
    assert len(server.end()) == 20


@pytest.mark.parametrize(
    ("arguments", "load"),
    [
        pytest.param(["--headless"], "1 user, until it is stopped", id="without-an-end"),
        pytest.param(["--headless", "-u", "8", "-t", "90s"], "8 users, for 1 min 30 s", id="for-a-time"),
        pytest.param([], "as the web UI's form says", id="in-the-web-ui"),
        pytest.param(["--autostart", "-u", "2", "-t", "9s"], "2 users, for 9 s", id="in-the-web-ui-by-itself"),
        pytest.param(
            ["--headless", "-u", "8", "--num-tests", "100", "--warm-up-requests", "7"],
            "8 users: 100 images, each exactly once, after 7 requests of warm-up",
            id="images",
        ),
        pytest.param(
            ["--headless", "--num-tests", "1", "--warm-up-requests", "1"],
            "1 user: 1 image, exactly once, after 1 request of warm-up",
            id="one-image",
        ),
        pytest.param(
            ["--rate", "100", "--level-duration", "60"], "--rate: 1 level · about 1 min 3 s (1 min each", id="rate"
        ),
        pytest.param(
            ["--find-max-rate", "100:200", "--threshold", "p99 < 9s"],
            "--find-max-rate: about 8 probes, at most 12",
            id="search",
        ),
    ],
)
def test_what_would_be_run(tmp_path, server, arguments, load):
    ended = run(tmp_path, "--host", server.address, *arguments)

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert dict(rows_of(ended))["load"].startswith(load)


def test_a_load_shape_of_ones_own_is_named(tmp_path):
    source = """
from locustfile import GrpcPredictionUser

class Steps(LoadTestShape):
    def tick(self):
        return 1, 1
"""
    with own_locustfiles(tmp_path) as own:
        seen = own.run(source, "--dry-run")

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stderr
    assert dict(rows_of(seen.ended))["load"] == "the load shape Steps"
    assert seen.n_served == 20


def test_many_images_a_request_are_scored_each_and_wrong_ones_are_no_fault(tmp_path, server):
    ended = run(tmp_path, "--host", server.address, "--images-per-request", "2000", "--num-tests", "1000")
    assert ended.exit_code == exit_codes.FAILED  # the server answers one image
    assert "the answer to the prediction that was tried: " in ended.stderr

    with truth_server(tmp_path / "other", **{"class": 7}) as other:
        ended = run(tmp_path, "--host", other.address)
    assert ended.exit_code == exit_codes.PASS
    rows = dict(rows_of(ended))
    assert rows["predictions"].startswith("images 0 to 19: ")
    assert "the model looks broken: 100% of all answers are class 7" in rows["warning"]
    assert "--pixel-scale 0..255" in rows["warning"]


def test_of_one_image_the_answer_is_told_and_nothing_is_suspected(tmp_path, server):
    ended = run(tmp_path, "--host", server.address, "--num-tests", "1")

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert dict(rows_of(ended))["predictions"].startswith("image 0, a 0: answered 0, right, in ")
    assert "warning" not in dict(rows_of(ended))


def test_a_model_that_is_right_is_not_suspected(tmp_path, model_server):
    ended = run(tmp_path, "--host", model_server.address)

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert dict(rows_of(ended))["predictions"].startswith("images 0 to 19: 20 right, 0 wrong, the first request in ")
    assert "warning" not in dict(rows_of(ended))


def test_answers_without_load_are_not_recorded(tmp_path, server):
    ended = run(tmp_path, "--host", server.address, "--verify", "50")

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert ("verify", "the answers to the first 50 images are recorded before") in rows_of(ended)
    assert len(server.end()) == 20


@pytest.mark.parametrize(
    ("arguments", "exit_code", "faults"),
    [
        pytest.param(
            ["--host", "127.0.0.1:9"], exit_codes.FAILED, ["no model server answers at 127.0.0.1:9"], id="server"
        ),
        pytest.param(
            ["--model-label", "x", "--model-version", "1"], exit_codes.BAD_USAGE, ["exclude each"], id="options"
        ),
        pytest.param(
            ["--seed", "x", "--dataset", "nowhere", "--report", "/dev/null/x"],
            exit_codes.BAD_USAGE,
            ["--seed 'x'", "'nowhere'", "--report '/dev/null/x'"],
            id="all-at-once",
        ),
        pytest.param(["--signature-name", "x"], exit_codes.BAD_USAGE, ["no signature 'x'"], id="signature"),
    ],
)
def test_faults_are_those_of_a_run(tmp_path, server, arguments, exit_code, faults):
    ended = run(tmp_path, "--host", server.address, *arguments)

    assert ended.exit_code == exit_code
    assert "tfsload: the run cannot start:" in ended.stderr
    assert [fault for fault in faults if fault not in ended.stderr] == []
    assert DONE not in ended.stdout


def test_a_prediction_without_an_answer_fails(tmp_path):
    with truth_server(tmp_path / "server", freeze=[1, 3600]) as server:
        ended = run(tmp_path, "--host", server.address, "--deadline", "0.5")

    assert ended.exit_code == exit_codes.FAILED
    assert "the prediction that was tried had no answer (DEADLINE_EXCEEDED" in ended.stderr


def test_a_server_that_is_starting_is_waited_for(tmp_path):
    stages = json.dumps([["LOADING", 2]])
    server = ScriptedServer("0", stages, str(tmp_path / "served"), module="starting_server")
    with contextlib.ExitStack() as stack:
        stack.callback(server.stop)
        ended = run(tmp_path, "--host", server.address, "--wait", "60")

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert "model 'mnist' is LOADING (version 1)" in ended.stderr
    assert (tmp_path / "served").stat().st_size == 20  # a prediction of each image that is looked at


def test_nothing_is_left_of_it(tmp_path, server):
    files, directory = tmp_path / "files", tmp_path / "new" / "within" / "report"
    files.mkdir()
    outputs = (
        "--csv",
        str(files / "a"),
        "--csv-full-history",
        "--html",
        str(files / "b"),
        "--json-file",
        str(files / "c"),
        "--json",
    )
    ended = run(tmp_path, "--host", server.address, *outputs, "--report", str(directory))

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert ended.stdout == ""  # with --json it is JSON's
    assert f"report       {directory} can be written" in ended.stderr
    assert list(files.iterdir()) == []
    assert not (tmp_path / "new").exists()


def test_an_older_report_stays(tmp_path, server):
    directory = tmp_path / "report"
    arguments = ("--host", server.address, "--report", str(directory))
    with locust(tmp_path / "first", "--headless", "--num-tests", "10", *arguments) as process:
        process.wait()
    before = {path.name: path.read_bytes() for path in directory.iterdir()}

    run(tmp_path, *arguments)
    run(tmp_path, *arguments, "--num-tests", "x")

    assert before
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_a_worker_is_refused_in_a_line(tmp_path):
    ended = run(tmp_path, "--worker", "--master-port", str(free_port()))

    assert ended.exit_code == exit_codes.BAD_USAGE
    faults = [line for line in ended.stderr.splitlines() if line.startswith("  - ")]
    assert faults == ["  - --dry-run with --worker: a worker has nothing to check before a run; leave one of them out"]


def test_a_limit_that_may_be_meant_in_per_cent_is_told_once(tmp_path, server):
    ended = run(tmp_path, "--host", server.address, "--threshold", "error_rate < 0.5")

    assert ended.exit_code == exit_codes.PASS
    assert ended.stderr.count("error_rate < 0.5 means 50%: write 50%, or 0.5% if that is meant") == 1


def test_a_value_that_is_none_is_refused(tmp_path, server):
    ended = run(tmp_path, "--dry-run", "maybe", "--host", server.address)

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert "--dry-run 'maybe': expected true or false" in ended.stderr


def test_it_can_be_asked_for_in_the_environment_and_be_taken_back(tmp_path, server):
    arguments = ("--headless", "--only-summary", "--num-tests", "10", "--host", server.address)
    with locust(tmp_path / "dry", *arguments, TFSLOAD_DRY_RUN="true") as process:
        assert DONE in process.wait().stdout
    with locust(tmp_path / "wet", *arguments, "--dry-run", "false", TFSLOAD_DRY_RUN="true") as process:
        assert "10 of 10 images" in process.wait().stdout


def test_the_embedded_server_is_started_and_stopped(tmp_path):
    with locust(tmp_path / "run", "--dry-run", cwd=PROJECT) as process:
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    (address,) = {word for line in ended.stderr.splitlines() if "server is at" in line for word in line.split()[-1:]}
    wait_until(lambda: not is_listening(address), "the server to be gone")


@pytest.mark.parametrize("n_workers", [0, 2], ids=["alone", "on-workers"])
def test_a_run_itself_says_how_long_it_takes_before_it_starts(tmp_path, server, n_workers):
    load = ("--sweep", "2,4", "--level-duration", "0.8", "--warm-up", "0.2")
    with locust(tmp_path, "--headless", *load, "--host", server.address, *forked(n_workers)) as process:
        log = process.wait().stderr

    said, _, after = log.partition("--sweep: 2 levels · about 3.2 s\n")
    started = ("All users spawned", "Spawning is complete")  # Locust's words on a machine with time, and without
    assert not any(words in said for words in started)
    assert any(words in after for words in started)
