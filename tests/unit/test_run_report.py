"""What becomes of a run whose report cannot be written, or only at the second try."""

import os
import sys

import pytest

from tests.support.page_runs import page_run
from tfsload.analysis import exit_codes
from tfsload.report import directory, json_file
from tfsload.settings.refusal import RunRefused
from tfsload.settings.settings import Settings, SettingsError
from tfsload.suite import run_report
from tfsload.suite.outcome import Outcome
from tfsload.suite.run_report import RunReport, make_others


@pytest.fixture(scope="module")
def outcome():
    return Outcome(page_run("demo"))


def drawn_by(monkeypatch, *faults):
    """Let the tries to draw come to these faults, one after another; empty: the page is made."""
    left = list(faults)

    def draw(making):
        fault = left.pop(0)
        if not fault:
            (making / directory.PAGE).touch()
        return fault

    monkeypatch.setattr(run_report, "make_others", draw)
    return left


def report_to(place):
    report = RunReport()
    assert report.faults({"report": str(place)}) == []
    return report


@pytest.mark.parametrize(
    ("source", "words"),
    [
        pytest.param("os.kill(os.getpid(), 9)", "ended by SIGKILL (of want of memory, maybe)", id="killed"),
        pytest.param("os.kill(os.getpid(), 11)", "ended by SIGSEGV", id="crashed"),
        pytest.param("os.kill(os.getpid(), 40)", "ended by signal 40", id="a-signal-without-a-name"),
        pytest.param("sys.exit('tfsload report: no disk')", "no disk", id="it-says-why"),
        pytest.param("sys.exit(1)", "it said nothing", id="it-says-nothing"),
        pytest.param("pass", "", id="drawn"),
    ],
)
def test_what_ended_the_drawing_is_said(tmp_path, monkeypatch, source, words):
    command = [sys.executable, "-c", f"import os, sys; {source}"]
    monkeypatch.setattr(run_report, "own_program", lambda *_: command)

    assert make_others(tmp_path).removeprefix("what draws it was ") == words


def test_a_second_try_that_comes_off_fails_no_run(tmp_path, monkeypatch, outcome):
    left = drawn_by(monkeypatch, "killed", "")
    report = report_to(tmp_path / "o")
    written = report.write_outcome(outcome)

    assert written.result == outcome.result
    assert (written.page, report.written) == (str(tmp_path / "o" / "report.html"), str(tmp_path / "o"))
    assert json_file.read(tmp_path / "o" / json_file.NAME) == outcome.result
    assert left == []


def test_a_report_that_is_never_drawn_fails_the_run_and_says_how_to_draw_it(tmp_path, monkeypatch, outcome):
    drawn_by(monkeypatch, "killed", "killed", "killed")
    written = report_to(tmp_path / "an o").write_outcome(outcome)

    assert (written.exit_code, written.page) == (exit_codes.FAILED, "")
    assert f"it could not be written: killed; `tfsload report '{tmp_path / 'an o'}'` makes" in written.text
    assert json_file.read(tmp_path / "an o" / json_file.NAME) == written.result


def test_what_takes_too_long_is_not_tried_again(tmp_path, monkeypatch, outcome):
    left = drawn_by(monkeypatch, "it was not ready within 300 s", "")

    assert report_to(tmp_path).write_outcome(outcome).exit_code == exit_codes.FAILED
    assert left == [""]


def in_place_of(path, name):
    def draw(making):
        (making / "junit.xml").touch()
        if (path / name).is_file():
            (path / name).unlink()
        (path / name).mkdir(exist_ok=True)
        return ""

    return draw


@pytest.mark.parametrize(
    ("has_older", "told"),
    [
        pytest.param(True, "; the report of an earlier run is still in '", id="an-older-one"),
        pytest.param(False, "which is no part of a report\n", id="none"),
    ],
)
def test_a_report_that_is_not_put_there_says_whether_an_older_one_is(tmp_path, monkeypatch, outcome, has_older, told):
    if has_older:
        drawn_by(monkeypatch, "")
        assert report_to(tmp_path).write_outcome(outcome).exit_code == exit_codes.PASS
    report = report_to(tmp_path)
    monkeypatch.setattr(run_report, "make_others", in_place_of(tmp_path, "junit.xml"))
    written = report.write_outcome(outcome)

    assert written.exit_code == exit_codes.FAILED
    assert told in written.text


def test_what_is_there_of_this_run_is_no_earlier_ones(tmp_path, monkeypatch, outcome):
    report = report_to(tmp_path)
    drawn_by(monkeypatch, "killed", "killed", "killed")
    report.write_outcome(outcome)
    monkeypatch.setattr(run_report, "make_others", in_place_of(tmp_path, "junit.xml"))

    (fault,) = report.write(outcome.result)
    assert "it could not be written" in fault
    assert "earlier run" not in fault


@pytest.mark.parametrize("given", [" ", "\t", "\n "])
def test_a_directory_of_blanks_is_refused(given):
    (fault,) = RunReport().faults({"report": given})

    assert fault.startswith("--report ")
    assert fault.endswith("it names no directory: name one, or leave it out")


def test_a_tilde_is_the_users_own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    assert RunReport().faults({"report": "~/o"}) == []
    assert (tmp_path / "home" / "o").is_dir()
    assert not (tmp_path / "~").exists()


def test_a_name_that_is_no_text_is_refused_and_nothing_is_made_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"report": os.fsdecode(b"bad\xff")}
    report = RunReport()

    assert report.faults(options) == []
    with pytest.raises(SettingsError, match=r"--report .*: expected text in UTF-8"):
        Settings.parse(options, None)
    report.write_refusal(RunRefused(exit_codes.BAD_USAGE, ["as was said"]), options)
    assert list(tmp_path.iterdir()) == []


FULL = os.statvfs_result((4096, 4096, 1000, 100, 100, 10, 10, 10, 0, 255))


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("a/b/c", id="new-ones"),
        pytest.param("new/../c", id="new-ones-with-a-way-back"),
        pytest.param("there", id="one-that-was-there"),
        pytest.param("there/b/c", id="below-one-that-was-there"),
        pytest.param(f"a/b/{'x' * 300}", id="half-of-them-made"),
        pytest.param("a/\0", id="no-path-at-all"),
    ],
)
def test_what_is_refused_leaves_no_directory_that_was_made_for_it(tmp_path, monkeypatch, place):
    (tmp_path / "there").mkdir()
    monkeypatch.setattr(os, "statvfs", lambda _: FULL)

    assert RunReport().faults({"report": str(tmp_path / place)}) != []
    assert sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*")) == ["there"]


def test_what_others_put_there_meanwhile_stays(tmp_path):
    report = report_to(tmp_path / "a" / "b")
    (tmp_path / "a" / "letter.txt").write_text("mine")
    report.leave_no_directory()

    assert [one.name for one in (tmp_path / "a").iterdir()] == ["letter.txt"]


def test_a_refusal_that_cannot_be_written_leaves_no_directory(tmp_path, monkeypatch):
    drawn_by(monkeypatch, "no disk")
    monkeypatch.setattr(run_report.directory, "write_data", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
    RunReport().write_refusal(RunRefused(exit_codes.BAD_USAGE, ["as was said"]), {"report": str(tmp_path / "a" / "b")})

    assert list(tmp_path.iterdir()) == []
