"""What a run leaves in logs: plain lines where nobody looks at a terminal, and in `--logfile` what was said."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys

import pytest

from tests.support.runs import PROJECT, free_port, locust, run_headless, wait_until
from tests.support.truth import truth_server
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes


@pytest.fixture
def server(tmp_path):
    with truth_server(tmp_path / "server", service_ms=2) as server:
        yield server


def without_stamps(path):
    """Return a log file's lines without date, host and level."""
    return [line.partition("/tfsload: ")[2] for line in path.read_text().splitlines()]


# Without a terminal


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(("-u", "2", "-r", "2", "-t", "6s"), id="for-a-time"),
        pytest.param(("--sweep", "1,2", "--level-duration", "3", "--warm-up", "0.2"), id="sweep"),
    ],
)
def test_a_log_is_made_of_plain_lines(tmp_path, server, load):
    ended = run_headless(tmp_path / "run", "--host", server.address, *load)

    for text in (ended.stdout, ended.stderr):
        assert "\r" not in text
        assert "\x1b" not in text
        assert all(line.isprintable() for line in text.replace("\t", " ").splitlines())
    assert "█" in ended.stderr or "6 s: " in ended.stderr or "5 s: " in ended.stderr  # how far it was, a line each


def on_a_terminal(*arguments, **environment):
    """Run Locust on a terminal; return what it wrote there."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "locust", "-f", "locustfile.py", "--headless", "--only-summary", *arguments]
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**inherited, "TERM": "xterm", "PYTHONPATH": str(PROJECT), **environment},
    )
    parts = []
    try:
        while True:
            has_ended = process.poll() is not None
            if select.select([ours], [], [], 0.1)[0]:
                parts.append(os.read(ours, 65536))
            elif has_ended:
                break
    finally:
        process.kill()
        for end in (ours, theirs):
            os.close(end)
    assert process.wait(60) == exit_codes.PASS
    return b"".join(parts).decode()


COLOUR = re.compile(r"\x1b\[[\d;]*m")


def test_no_color_is_kept(server):
    load = ("--host", server.address, "--num-tests", "50")

    # The line that says how far a run is, where it takes long enough for one, is wiped by a sequence that is no colour.
    assert COLOUR.search(on_a_terminal(*load))
    assert not COLOUR.search(on_a_terminal(*load, NO_COLOR="1"))


# `--logfile`


@pytest.mark.parametrize("level", ["INFO", "ERROR"])
def test_a_log_file_gets_the_summary_too(tmp_path, server, level):
    log = tmp_path / "logs" / "run.log"
    load = ("--num-tests", "50", "--note", "why=\x1b[2J")
    ended = run_headless(tmp_path / "run", "--host", server.address, *load, "--logfile", str(log), "--loglevel", level)

    assert ended.exit_code == exit_codes.PASS
    said = [line for line in ended.stdout.splitlines() if line.strip()]
    assert [line for line in without_stamps(log) if line][-len(said) :] == said
    assert said[-1].startswith("Inference error rate: ")
    assert "note         why=?[2J" in said


@pytest.mark.parametrize(
    ("arguments", "exit_code", "fault"),
    [
        pytest.param(
            ["--host", "127.0.0.1:9"], exit_codes.FAILED, "no model server answers at 127.0.0.1:9", id="server"
        ),
        pytest.param(["--num-tests", "x"], exit_codes.BAD_USAGE, "--num-tests 'x': expected", id="option"),
        pytest.param(
            ["--host", "127.0.0.1:9", "--dry-run"], exit_codes.FAILED, "no model server answers", id="dry-run"
        ),
    ],
)
def test_a_log_file_gets_refusals_too(tmp_path, arguments, exit_code, fault):
    log = tmp_path / "run.log"
    ended = run_headless(tmp_path / "run", *arguments, "--logfile", str(log))

    assert ended.exit_code == exit_code
    lines = without_stamps(log)
    assert lines.count("tfsload: the run cannot start:") == 1
    assert sum(line.startswith("  - ") and fault in line for line in lines) == 1
    assert fault in ended.stderr


def test_a_log_file_gets_what_a_dry_run_says(tmp_path, server):
    log = tmp_path / "run.log"
    run_headless(tmp_path / "run", "--host", server.address, "--dry-run", "--logfile", str(log))

    assert without_stamps(log)[-1] == "DRY RUN: all is there; a few predictions were sent, and nothing measured"


def test_a_log_file_gets_that_nothing_was_run(tmp_path, server):
    log = tmp_path / "run.log"
    port = str(free_port())
    load = ("--master", "--expect-workers", "2", "--master-bind-port", port, "--num-tests", "50", "--headless")
    with locust(tmp_path / "run", *load, "--host", server.address, "--logfile", str(log)) as process:
        wait_until(lambda: log.exists() and "Waiting for workers" in log.read_text(), "the wait for workers")
        process.signal(signal.SIGTERM)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    (said,) = [
        line for line in ended.stderr.splitlines() if "before the run began" in line or "  - interrupted" in line
    ]
    assert sum(said in line for line in log.read_text().splitlines()) == 1


def test_a_log_file_of_the_web_ui_has_the_summary_once(tmp_path, server):
    log = tmp_path / "run.log"
    with web_ui_of(tmp_path / "ui", "--host", server.address, "--logfile", str(log)) as ui:
        assert ui.start(num_tests=50)["success"]
        wait_until(lambda: "Inference error rate" in log.read_text(), "the summary")

    assert log.read_text().count("Inference error rate") == 1


def test_a_log_file_of_the_web_ui_has_each_start_that_was_refused_once(tmp_path, server):
    log = tmp_path / "run.log"
    with web_ui_of(tmp_path / "ui", "--host", server.address, "--logfile", str(log)) as ui:
        for _ in range(2):
            refused = ui.start(num_tests="many\nlines\x1b[31m")
            assert not refused["success"]

    said = [line.partition("Not started: ")[2] for line in log.read_text().splitlines() if "Not started: " in line]
    assert said == [refused["message"].removeprefix("The run cannot start: ")] * 2
    assert said[0].startswith("--num-tests 'many")
    assert "\x1b" not in log.read_text()


# Locust's own output, beside the suite's


def test_open_telemetry_gets_each_request(tmp_path, server):
    exporters = {"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "console"}
    ended = run_headless(
        tmp_path / "run", "--host", server.address, "--num-tests", "50", "--otel", is_forked=False, **exporters
    )

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert "50 of 50 images, each exactly once" in ended.stdout
    told, _ = json.JSONDecoder().raw_decode(ended.stdout[ended.stdout.index("{\n") :])
    metrics = [
        metric for one in told["resource_metrics"] for scope in one["scope_metrics"] for metric in scope["metrics"]
    ]
    (durations,) = [metric for metric in metrics if metric["name"] == "locust.client.duration"]
    assert [(point["attributes"]["name"], point["count"]) for point in durations["data"]["data_points"]] == [
        ("Predict", 50)
    ]


# What a process cannot do as it was asked


def test_each_worker_that_cannot_spin_says_so_once(tmp_path, server):
    level = ("--rate", "50,100", "--level-duration", "0.5", "--warm-up", "0", "--pacing", "spin")
    report = tmp_path / "report"
    ended = run_headless(
        tmp_path / "run",
        *("--host", server.address, "--processes", "2", "--report", str(report), *level),
        is_forked=False,
        GEVENT_LOOP="libuv",
    )
    asked = json.loads((report / "result.json").read_text())["asked"]

    assert ended.stderr.count("--pacing spin: no effect in this process") == 2
    assert asked["options"]["pacing"] == "spin"
    assert "pacing" in asked["changed"]
