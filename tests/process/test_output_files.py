"""Files that Locust writes for a run: places that take none are refused before it, full disks are told of after it."""

import argparse
import os
import resource
import select
import signal
from pathlib import Path

import pytest

from tests.support.runs import free_port, locust, run_headless, wait_until
from tests.support.shell import run_in_shell
from tfsload.analysis import exit_codes
from tfsload.suite import locust_files, output_paths

FILES = {"--csv": "_stats.csv", "--html": "", "--json-file": ".json", "--logfile": ""}


NO_PLACES = {
    "below-a-file": ("file/below", "File exists"),
    "where-no-directory-can-be-made": ("/proc/none/below", "No such file or directory"),
    "too-long-a-name": ("x" * 300, "File name too long"),
    "too-long-a-name-below-new-directories": ("a/b/" + "x" * 300, "File name too long"),
}


@pytest.mark.parametrize(("place", "reason"), [pytest.param(*case, id=name) for name, case in NO_PLACES.items()])
def test_a_place_that_takes_no_file_has_a_fault(tmp_path, monkeypatch, place, reason):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()

    assert output_paths.fault(place) == reason
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


# In every run; that each option is tried is held in `test_locust_wraps.py`, too.
IN_EVERY_RUN = {("--csv", "too-long-a-name"), ("--html", "below-a-file")}


@pytest.mark.parametrize(
    ("option", "name"),
    [
        pytest.param(option, name, marks=() if (option, name) in IN_EVERY_RUN else pytest.mark.long)
        for option in FILES
        for name in NO_PLACES
    ],
)
def test_a_place_that_takes_no_file_is_refused_before_the_load(tmp_path, option, name):
    place, reason = NO_PLACES[name]
    (tmp_path / "file").touch()
    # Nobody listens there: a run would fail otherwise.
    ended = run_headless(tmp_path, "--host", f"127.0.0.1:{free_port()}", option, place, cwd=tmp_path)

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert f"argument {option}: " in ended.stderr
    assert reason in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("ending", ["_stats.csv", "_stats_history.csv", "_failures.csv", "_exceptions.csv"])
def test_each_of_the_csv_files_is_tried(tmp_path, monkeypatch, ending):
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser(exit_on_error=False)
    for option in FILES:
        parser.add_argument(option)
    locust_files.check_paths(parser)
    Path(f"c{ending}").mkdir()

    with pytest.raises(argparse.ArgumentError, match=rf"--csv: 'c': c{ending} cannot be written \(Is a directory\)"):
        parser.parse_args(["--csv", "c"])


def parser_of_files():
    parser = argparse.ArgumentParser(prog="locust")
    for option in (*FILES, "--report"):
        parser.add_argument(option)
    parser.add_argument("--worker", action="store_true")
    locust_files.check_paths(parser)
    return parser


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(["--html", "o/l.html"], "--html 'o/l.html': o/l.html lies in", id="html"),
        pytest.param(["--html", "o/report.html"], "o/report.html lies in", id="a-name-of-the-reports-own"),
        pytest.param(["--json-file", "o/j"], "--json-file 'o/j': o/j.json lies in", id="json"),
        pytest.param(["--csv", "o/c"], "--csv 'o/c': o/c_stats.csv lies in", id="csv"),
        pytest.param(["--logfile", "o/below/log"], "--logfile 'o/below/log': o/below/log lies in", id="further-in"),
        pytest.param(["--html", "link/o/l.html"], "link/o/l.html lies in", id="by-a-link"),
        pytest.param(["--html", "o"], "--html 'o': o lies in", id="in-its-place"),
        pytest.param(["--html", "o/h", "--csv", "o/c"], "o/c_stats.csv lies in", id="one-of-two"),
        pytest.param(["--html", "o/h", "--csv", "o/c"], "o/h lies in", id="the-other-of-two"),
    ],
)
def test_a_file_in_the_directory_of_the_report_is_refused_before_it_is_made(tmp_path, monkeypatch, capsys, given, told):
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to(".")
    with pytest.raises(SystemExit) as ended:
        parser_of_files().parse_args([*given, "--report", " o"])

    said = capsys.readouterr().err
    assert ended.value.code == exit_codes.BAD_USAGE
    assert told in said
    assert "the directory of --report: name another place" in said
    assert not any(one.is_file() for one in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(["--html", "o.html", "--report", "o"], id="beside-it"),
        pytest.param(["--csv", "o/c"], id="no-report"),
        pytest.param(["--csv", "o/c", "--report", "o/report"], id="above-it"),
        pytest.param(["--logfile", "o/log", "--report", "o", "--worker"], id="a-worker-writes-none"),
    ],
)
def test_a_file_elsewhere_is_taken(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    assert parser_of_files().parse_args(given)


@pytest.mark.parametrize("further", [pytest.param((), id="run"), pytest.param(("--dry-run",), id="dry-run")])
def test_a_run_whose_report_would_be_lost_to_files_in_it_is_not_begun(tmp_path, further):
    given = ("--report", "o", "--csv", "o/c", "--html", "o/report.html", "--logfile", "o/log", *further)
    ended = run_headless(tmp_path / "run", "--host", f"127.0.0.1:{free_port()}", *given, cwd=tmp_path)

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert "--html 'o/report.html': o/report.html lies in the directory of --report" in ended.stderr
    assert "--logfile 'o/log': o/log lies in the directory of --report" in ended.stderr
    assert not (tmp_path / "o").exists()


def test_a_pipe_is_left_to_who_reads_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    fault = output_paths.fault(str(tmp_path / "pipe"))
    waiting = select.poll()
    waiting.register(reader, select.POLLIN | select.POLLHUP)

    assert (fault, waiting.poll(0)) == ("", [])  # a writer that had come and gone would be an end to it
    os.close(reader)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("new", id="new-file"),
        pytest.param("made/for/it", id="directories-that-are-missing"),
        pytest.param("there", id="file-that-is-there"),
        pytest.param("/dev/null", id="device"),
    ],
)
def test_a_place_that_takes_one_is_left_as_it_was(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    Path("there").write_text("kept")

    assert output_paths.fault(place) == ""
    assert Path("there").read_text() == "kept"
    assert [one.name for one in tmp_path.iterdir()] == ["there"]
    assert Path("/dev/null").exists()


@pytest.mark.parametrize("option", ["--html", "--csv", "--json-file", "--logfile"])
def test_a_file_in_a_directory_that_is_not_there_is_written_with_it(tmp_path, model_server, option):
    load = ("--host", model_server.address, "--num-tests", "20")
    place = tmp_path / "not" / "there" / "file"
    ended = run_headless(tmp_path / "run", *load, option, str(place))

    assert ended.exit_code == exit_codes.PASS, ended.stdout
    assert place.with_name(f"file{FILES[option]}").stat().st_size > 0


@pytest.mark.parametrize("option", ["--csv", "--html", pytest.param("--json-file", marks=pytest.mark.long)])
def test_a_report_that_finds_the_disk_full_fails_the_run_in_words(tmp_path, model_server, option):
    file = tmp_path / f"report{FILES[option]}"
    file.symlink_to("/dev/full")
    load = ("--host", model_server.address, "-u", "4", "-r", "4", "--num-tests", "300")

    ended = run_headless(tmp_path, *load, option, str(tmp_path / "report"))

    assert ended.exit_code == exit_codes.FAILED
    assert f"\nFAILED (exit code 1): {option} {tmp_path / 'report'}" in ended.stdout
    assert "No space left on device" in ended.stdout
    assert ended.outcome["predictions"] == 300
    assert "Traceback" not in ended.stderr


@pytest.mark.long
def test_a_disk_that_is_full_in_the_middle_fails_the_run_in_words(tmp_path, model_server):
    """The history grows by a line a second, until no file of this process may grow any more."""
    load = ("--host", model_server.address, "-u", "2", "-r", "2", "--csv", str(tmp_path / "c"), "--csv-full-history")
    with locust(tmp_path, "--headless", "--only-summary", *load) as process:
        wait_until(process.has_spawned, "users")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        wait_until(lambda: "could not be written" in process.log(), "a file that cannot grow")
        process.signal(signal.SIGINT)
        ended = process.wait()

    assert ended.exit_code == exit_codes.FAILED, ended.stdout
    assert f"\nFAILED (exit code 1): --csv {tmp_path / 'c'}" in ended.stdout
    assert "could not be written: File too large" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("Inference error rate: ")
    assert "Traceback" not in ended.stderr


def test_json_that_cannot_be_printed_fails_the_run_in_words(model_server):
    ended = run_in_shell(">/dev/full", "--host", model_server.address, "--num-tests", "100", "--json")

    assert ended.returncode == exit_codes.FAILED
    assert (
        "FAILED (exit code 1): --json: standard output could not be written: No space left on device"
        in ended.stderr.decode()
    )


def test_a_log_that_cannot_be_written_is_told_of_once(tmp_path, model_server):
    load = ("--host", model_server.address, "--num-tests", "100")
    ended = run_headless(tmp_path, *load, "--logfile", "/dev/full", "--loglevel", "DEBUG")

    assert ended.exit_code == exit_codes.PASS
    assert ended.stderr.count("--logfile /dev/full: it cannot be written: ") == 1
    assert "Traceback" not in ended.stderr


def test_an_html_report_holds_what_an_interrupted_run_came_to(tmp_path, model_server):
    load = ("--host", model_server.address, "-u", "2", "-r", "2", "--html", str(tmp_path / "report.html"))
    with locust(tmp_path, "--headless", "--only-summary", *load) as process:
        wait_until(lambda: process.n_done() > 100, "answers")
        process.signal(signal.SIGTERM)  # on which Locust itself writes none
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert f'"num_requests": {ended.outcome["requests"]}' in (tmp_path / "report.html").read_text()
