"""`--report DIR`, as a user calls it: each end of a run leaves its report, and all of it says the same."""

import contextlib
import csv
import json
import resource
import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from locust.env import Environment

import tfsload
from tests.support.clusters import Cluster
from tests.support.runs import PROJECT, forked, free_port, locust, run_headless, wait_until
from tests.support.web_ui import UNSET, web_ui_of
from tfsload.analysis import exit_codes
from tfsload.analysis.result import RunResult
from tfsload.report import directory, hgrm, json_file
from tfsload.suite.ending import STILL_ENDING


class OneUser(tfsload.GrpcUser):
    """What a program of one's own runs."""


WORDS = {
    exit_codes.PASS: "PASS",
    exit_codes.FAILED: "FAILED",
    exit_codes.BAD_USAGE: "REFUSED",
    exit_codes.THRESHOLD: "THRESHOLD CROSSED",
    exit_codes.INVALID: "INVALID",
}


def held(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


def failing_cases(path: Path) -> set[str]:
    root = ElementTree.parse(path / "junit.xml").getroot()
    return {case.get("name") for case in root.iter("testcase") if case.find("failure") is not None}


def consistent(path: Path, exit_code: int) -> RunResult:
    """Return the result in a report; its files say that the process ended with this code."""
    assert held(path) == sorted(directory.NAMES)
    result = json_file.read(path / json_file.NAME)
    word = WORDS[exit_code]

    assert (result.judged.exit_code, result.exit_code, result.judged.word) == (exit_code, exit_code, word)
    assert bool(failing_cases(path)) == (exit_code != exit_codes.PASS)
    properties = {one.get("name"): one.get("value") for one in ElementTree.parse(path / "junit.xml").iter("property")}
    assert (properties["verdict"], properties["exit code"]) == (word, str(exit_code))
    assert word in (path / "summary.md").read_text().splitlines()[0]
    page = (path / "report.html").read_text()
    assert (f"exit code {exit_code}" in page) == (exit_code != exit_codes.PASS)
    assert word in page
    return result


LOAD = ("-u", "4", "-r", "4", "--num-tests", "200")
ENDINGS = {
    "pass": (LOAD, exit_codes.PASS),
    "crossed": ((*LOAD, "--threshold", "p50 < 1us; error_rate < 50%"), exit_codes.THRESHOLD),
    "refused": ((*LOAD, "--signature-name", "none"), exit_codes.BAD_USAGE),
}


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked")])
@pytest.mark.parametrize(("load", "exit_code"), [pytest.param(*case, id=name) for name, case in ENDINGS.items()])
def test_each_end_of_a_run_leaves_a_report_that_says_it(tmp_path, model_server, load, exit_code, n_workers):
    report = tmp_path / "out" / "report"
    ended = run_headless(
        tmp_path / "run",
        "--host",
        model_server.address,
        *load,
        *forked(n_workers),
        "--report",
        str(report),
        "--note",
        "by=test",
    )

    assert ended.exit_code == exit_code
    result = consistent(report, exit_code)
    assert result.notes == {"by": "test"}
    assert (f"Report: {report / 'report.html'}" in ended.stdout) == (exit_code != exit_codes.BAD_USAGE)
    if exit_code == exit_codes.BAD_USAGE:
        assert any("no signature 'none'" in reason for reason in result.judged.sentences)
    else:
        assert f"\n{WORDS[exit_code]}" in ended.stdout
        assert result.totals.predictions == ended.outcome["predictions"] == 200


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked")])
def test_a_run_without_a_server_leaves_its_report(tmp_path, n_workers):
    ended = run_headless(
        tmp_path / "run",
        "--host",
        f"127.0.0.1:{free_port()}",
        *LOAD,
        *forked(n_workers),
        "--report",
        str(tmp_path / "report"),
    )

    assert ended.exit_code == exit_codes.FAILED
    result = consistent(tmp_path / "report", exit_codes.FAILED)
    assert failing_cases(tmp_path / "report") == {"the run can start"}
    assert "no model server answers" in result.judged.sentences[0]


@pytest.mark.parametrize(
    ("number", "n_workers"),
    [
        pytest.param(signal.SIGINT, 0, id="ctrl-c"),
        pytest.param(signal.SIGTERM, 0, id="sigterm"),
        pytest.param(signal.SIGINT, 2, id="ctrl-c-forked"),
    ],
)
def test_an_interrupted_run_leaves_its_report(tmp_path, model_server, number, n_workers):
    load = ("--host", model_server.address, "-u", "2", "-r", "2", "-t", "5m", *forked(n_workers))
    with locust(tmp_path / "run", "--headless", *load, "--report", str(tmp_path / "report")) as process:
        wait_until(process.has_spawned, "users")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    result = consistent(tmp_path / "report", exit_codes.INVALID)
    assert failing_cases(tmp_path / "report") == {"the run ends by itself"}
    assert result.totals.predictions == ended.outcome["predictions"]
    assert f"Report: {tmp_path / 'report' / 'report.html'}" in ended.stdout


LEVELS = {
    "sweep": (("--sweep", "1,2,4"), 3),
    "rate": (("--rate", "50,100"), 2),
    # A busy machine may fail the lowest rate, which ends it.
    "search": (("--find-max-rate", "90:180", "--threshold", "error_rate < 50%"), 1),
}


@pytest.mark.parametrize(("asked", "n_least"), [pytest.param(*case, id=name) for name, case in LEVELS.items()])
def test_a_run_of_levels_leaves_its_report(tmp_path, model_server, asked, n_least):
    """Levels so short support no verdict; what they do support stands in the report."""
    load = ("--host", model_server.address, *asked, "--level-duration", "1", "--warm-up", "0.2", "--hgrm")
    ended = run_headless(tmp_path / "run", *load, "--report", str(tmp_path / "report"))

    report = tmp_path / "report"
    hgrm_names = [name for name in held(report) if hgrm.is_name(name)]
    for name in hgrm_names:
        (report / name).unlink()
    result = consistent(report, ended.exit_code)
    assert n_least <= len(result.levels) == len(hgrm_names)
    with (report / "levels.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == [level.name for level in result.levels]
    for level in result.levels:
        assert level.name in (report / "summary.md").read_text()
        assert level.name.replace(" requests/s", "/s") in ended.stdout


def test_further_signals_while_the_report_is_made_change_nothing(tmp_path, model_server):
    load = ("--host", model_server.address, "-u", "2", "-r", "2", "-t", "5m")
    with locust(tmp_path / "run", "--headless", *load, "--report", str(tmp_path / "report")) as process:
        wait_until(process.has_spawned, "users")
        process.signal(signal.SIGINT)
        wait_until(lambda: any((tmp_path / "report").glob(".tfsload-report-*")), "a report that is being made")
        process.signal(signal.SIGINT)
        has_ended = process.process.poll
        wait_until(lambda: STILL_ENDING in process.log() or has_ended() is not None, "an answer to the second")
        for number in (signal.SIGTERM, signal.SIGINT):
            process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    consistent(tmp_path / "report", exit_codes.INVALID)
    assert "Traceback" not in ended.stderr


def test_an_exit_code_of_ones_own_stands_in_all_of_it(tmp_path, model_server):
    """A server that rejects requests, and failures that are to end with 7."""
    load = ("--host", model_server.address, *LOAD, "--deadline", "0.0001", "--exit-code-on-error", "7")
    ended = run_headless(tmp_path / "run", *load, "--report", str(tmp_path / "report"))

    result = json_file.read(tmp_path / "report" / json_file.NAME)
    assert (ended.exit_code, result.exit_code, result.judged.exit_code) == (7, 7, exit_codes.FAILED)
    assert result.process_exit.remark == "exit code 7, by --exit-code-on-error 7"
    assert "exit code 7, by" in (tmp_path / "report" / "summary.md").read_text()
    assert "exit code 7" in (tmp_path / "report" / "report.html").read_text()


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked")])
def test_a_directory_that_holds_something_else_is_refused_before_the_load(tmp_path, n_workers):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "letter.txt").write_text("mine")
    # Nobody listens there: a run would fail otherwise.
    ended = run_headless(
        tmp_path / "run",
        "--host",
        f"127.0.0.1:{free_port()}",
        *LOAD,
        *forked(n_workers),
        "--report",
        str(tmp_path / "report"),
    )

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert "it holds 'letter.txt', which is no part of a report" in ended.stderr
    assert held(tmp_path / "report") == ["letter.txt"]


def test_a_directory_that_cannot_be_written_any_more_costs_no_summary(tmp_path, model_server):
    """Somebody puts a file in the place of the directory while the run goes on."""
    source = f"""
from locust import events
import pathlib, shutil
from users import GrpcPredictionUser

@events.test_stop.add_listener
def _(**_):
    shutil.rmtree({str(tmp_path / "report")!r})
    pathlib.Path({str(tmp_path / "report")!r}).write_text("in the way")
"""
    (tmp_path / "mine.py").write_text(source)
    ended = run_headless(
        tmp_path / "run",
        *("--host", model_server.address, *LOAD, "--report", str(tmp_path / "report")),
        locustfile=tmp_path / "mine.py",
    )

    assert ended.exit_code == exit_codes.FAILED
    assert f"--report '{tmp_path / 'report'}': it could not be written: File exists" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("Inference error rate: ")
    assert "Report: " not in ended.stdout
    assert (tmp_path / "report").read_text() == "in the way"


def test_a_disk_that_is_full_at_the_end_costs_no_summary_and_no_older_report(tmp_path, model_server):
    report = tmp_path / "report"
    load = ("--host", model_server.address, "--report", str(report))
    assert run_headless(tmp_path / "first", *load, "--num-tests", "50").exit_code == exit_codes.PASS
    with locust(tmp_path / "run", "--headless", "--only-summary", *load, "-t", "5m") as process:
        wait_until(process.has_spawned, "users")
        # No file of this process, nor of one that it starts, may grow beyond.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        process.signal(signal.SIGINT)
        ended = process.wait()

    assert ended.exit_code == exit_codes.FAILED
    assert f"--report '{report}': it could not be written: File too large" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("Inference error rate: ")
    assert "Traceback" not in ended.stderr
    assert consistent(report, exit_codes.PASS).totals.predictions == 50


def test_a_page_that_cannot_be_drawn_costs_no_other_file(tmp_path, model_server):
    """The library that draws is broken; what could be made is there, and says so, without an older page beside it."""
    report, broken = tmp_path / "report", tmp_path / "broken"
    broken.mkdir()
    (broken / "vl_convert.py").write_text("raise ImportError('nothing is drawn today')")
    load = ("--host", model_server.address, *LOAD, "--report", str(report))
    assert run_headless(tmp_path / "first", *load).exit_code == exit_codes.PASS
    ended = run_headless(tmp_path / "run", *load, PYTHONPATH=f"{broken}:{PROJECT}")

    assert ended.exit_code == exit_codes.FAILED
    assert f"--report '{report}': it could not be written: " in ended.stdout
    assert "nothing is drawn today" in ended.stdout
    assert held(report) == sorted(set(directory.NAMES) - {directory.PAGE})
    result = json_file.read(report / json_file.NAME)
    assert (result.exit_code, result.judged.exit_code) == (exit_codes.FAILED, exit_codes.FAILED)
    assert failing_cases(report) == {"reports that were asked for are written"}


def test_a_second_run_takes_the_place_of_the_first(tmp_path, model_server):
    report = tmp_path / "report"
    for n_images in (100, 50):
        load = ("--host", model_server.address, "--num-tests", str(n_images), "--report", str(report))
        assert run_headless(tmp_path / str(n_images), *load).exit_code == exit_codes.PASS

    assert consistent(report, exit_codes.PASS).totals.predictions == 50
    with (report / "levels.csv").open() as file:
        assert [row["predictions"] for row in csv.DictReader(file)] == ["50"]


def test_locusts_own_files_are_written_beside_it(tmp_path, model_server):
    own = ("--csv", str(tmp_path / "c"), "--html", str(tmp_path / "l.html"), "--json-file", str(tmp_path / "j"))
    load = ("--host", model_server.address, *LOAD, *own, "--report", str(tmp_path / "report"))
    ended = run_headless(tmp_path / "run", *load)

    assert ended.exit_code == exit_codes.PASS
    consistent(tmp_path / "report", exit_codes.PASS)
    (entry,) = json.loads((tmp_path / "j.json").read_text())
    assert entry["num_requests"] == 200
    assert (tmp_path / "c_stats.csv").exists()
    assert (tmp_path / "l.html").exists()


def test_each_run_of_the_web_ui_leaves_its_report(tmp_path, model_server):
    report = tmp_path / "report"
    with web_ui_of(tmp_path / "ui", "--host", model_server.address, "--report", str(report)) as ui:
        found = []
        for n_images in (50, 80):
            before = ui.n_summaries()
            assert ui.start(**{**UNSET, "num_tests": str(n_images)})["success"]
            wait_until(lambda before=before: ui.n_summaries() > before, "the summary")
            found.append(json_file.read(report / json_file.NAME).totals.predictions)
        refused = ui.start(**{**UNSET, "num_tests": "x"})
        log = ui.process.log()

    assert found == [50, 80]
    assert not refused["success"]
    assert json_file.read(report / json_file.NAME).totals.predictions == 80  # a form that is refused replaces nothing
    assert log.count(f"Report: {report / 'report.html'}") == 2
    assert held(report) == sorted(directory.NAMES)


def test_whoever_reaches_the_web_ui_does_not_choose_where_files_are_written(tmp_path, model_server):
    with web_ui_of(tmp_path / "ui", "--host", model_server.address) as ui:
        told = ui.start(**{**UNSET, "num_tests": "50", "report": str(tmp_path / "chosen")})

    assert not told["success"]
    assert "--report" in told["message"]
    assert not (tmp_path / "chosen").exists()


def test_a_program_of_ones_own_is_left_a_report(tmp_path, model_server):
    environment = Environment(user_classes=[OneUser], host=model_server.address)
    tfsload.install(environment, num_tests=60, report=str(tmp_path / "report"), note={"by": "me"})
    result = tfsload.run_to_end(environment, users=2)

    assert result.judged.exit_code == exit_codes.PASS
    assert json_file.read(tmp_path / "report" / json_file.NAME).totals == result.totals
    assert held(tmp_path / "report") == sorted(directory.NAMES)


def test_a_program_of_ones_own_hears_of_a_report_that_cannot_be_written(tmp_path, model_server):
    (tmp_path / "report").write_text("in the way")
    environment = Environment(user_classes=[OneUser], host=model_server.address)
    tfsload.install(environment, num_tests=60, report=str(tmp_path / "report"))

    with pytest.raises(tfsload.RunRefused, match="it is a file, or lies in one: name a directory"):
        tfsload.run_to_end(environment, users=2)


def test_a_master_alone_writes_it(tmp_path, model_server):
    """A worker is started with the same options, as by one file of a cluster for all."""
    load = ("--host", model_server.address, "-u", "4", "-r", "4", "--num-tests", "200", "--expect-workers", "2")
    report = tmp_path / "report"
    with contextlib.ExitStack() as stack:
        machines = Cluster(tmp_path, stack, *load, "--report", str(report), TFSLOAD_REPORT=str(report))
        for _ in range(2):
            machines.join()
        ended = machines.master.wait()

    assert ended.exit_code == exit_codes.PASS
    result = consistent(report, exit_codes.PASS)
    assert (result.workers.n, result.totals.predictions) == (2, 200)
