"""The directory of a report: what is refused before the load, and how a report takes the place of an older one."""

import os
import time
from pathlib import Path

import pytest

from tests.support.page_runs import page_run
from tests.support.report_dirs import held, report_in
from tfsload.report import directory, json_file


@pytest.fixture(scope="module")
def result():
    return page_run("demo")


def half_a_report_in(path, error):
    with directory.replaced(str(path)) as making:
        (making / json_file.NAME).write_text("half")
        raise error


@pytest.mark.parametrize(
    "place", [pytest.param("new", id="new"), pytest.param("a/b/c", id="below-new-ones"), pytest.param(".", id="empty")]
)
def test_a_place_that_takes_a_report_is_made(tmp_path, place):
    assert directory.fault(str(tmp_path / place)) == ""
    assert held(tmp_path / place) == []


def file_of_that_name(path):
    path.write_text("mine")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        pytest.param("link", "it is a link to 'nowhere', which is not there", id="itself"),
        pytest.param("link/below", "it lies in 'link', a link to 'nowhere', which is not there", id="above-it"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused_with_where_it_leads(tmp_path, monkeypatch, place, words):
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("nowhere")

    assert directory.fault(place) == f"{words}: make that directory, or name another one"
    assert held(tmp_path) == ["link"]


def with_a_letter(path):
    path.mkdir()
    (path / "letter.txt").write_text("mine")


def with_a_hidden_file(path):
    path.mkdir()
    (path / ".git").mkdir()


def with_another_tools_junit(path):
    path.mkdir()
    (path / "junit.xml").write_text("<testsuites/>")


def with_another_tools_result(path):
    path.mkdir()
    (path / "result.json").write_text('{"result": 1}')


def with_a_damaged_result(path):
    path.mkdir()
    (path / "result.json").write_text('{"schema": 1, "made_by"')


def with_a_directory_in_place_of_a_file(path):
    path.mkdir()
    (path / "report.html").mkdir()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(file_of_that_name, "it is a file", id="a-file"),
        pytest.param(with_a_letter, "it holds 'letter.txt', which is no part of a report", id="something-else"),
        pytest.param(with_a_hidden_file, "it holds '.git'", id="a-hidden-one"),
        pytest.param(with_another_tools_junit, "it holds 'junit.xml'", id="another-tools-junit"),
        pytest.param(with_another_tools_result, "it holds 'result.json'", id="another-tools-result"),
        pytest.param(with_a_damaged_result, "it holds 'result.json'", id="a-damaged-result"),
        pytest.param(with_a_directory_in_place_of_a_file, "it holds 'report.html'", id="a-directory"),
    ],
)
def test_what_holds_something_else_is_refused_and_left_as_it_is(tmp_path, make, words):
    make(tmp_path / "there")
    before = held(tmp_path / "there") if (tmp_path / "there").is_dir() else None
    fault = directory.fault(str(tmp_path / "there"))

    assert words in fault
    assert "name " in fault
    assert (held(tmp_path / "there") if (tmp_path / "there").is_dir() else None) == before


@pytest.mark.parametrize(
    ("place", "words"),
    [
        pytest.param("file/below", "it is a file, or lies in one", id="below-a-file"),
        pytest.param("/proc/none", "it cannot be written (No such file or directory)", id="where-none-can-be-made"),
        pytest.param("x" * 300, "it cannot be written (File name too long)", id="too-long"),
        pytest.param("a\0b", "its name holds a null character", id="no-name-at-all"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path, monkeypatch, place, words):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()

    assert words in directory.fault(place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where nobody may")
def test_what_must_not_be_written_is_refused(tmp_path):
    (tmp_path / "kept").mkdir(mode=0o500)
    assert "it cannot be written (Permission denied)" in directory.fault(str(tmp_path / "kept"))


def test_a_full_disk_is_refused(tmp_path, monkeypatch):
    full = os.statvfs_result((4096, 4096, 1000, 100, 100, 10, 10, 10, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: full)

    assert directory.fault(str(tmp_path)) == (
        "its disk is full (0.4 of 16 MiB are free): make room, or name another directory"
    )


def test_an_older_report_is_replaced_as_a_whole(tmp_path, result):
    report_in(tmp_path, result)
    for name in ("report.html", "summary.md", "latency-3-8-users.hgrm"):
        (tmp_path / name).write_text("old")

    assert directory.fault(str(tmp_path)) == ""
    report_in(tmp_path, result)
    assert held(tmp_path) == ["levels.csv", "result.json"]
    assert (tmp_path / "levels.csv").read_text() == "new\n"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_what_goes_wrong_in_between_leaves_the_older_one(tmp_path, result, error):
    report_in(tmp_path, result)
    before = (tmp_path / json_file.NAME).read_bytes()

    with pytest.raises(type(error)):
        half_a_report_in(tmp_path, error)
    assert held(tmp_path) == ["levels.csv", "result.json"]
    assert (tmp_path / json_file.NAME).read_bytes() == before


def left_in(path, name, age_s):
    """Leave a directory with half a report of an age."""
    (path / name).mkdir()
    (path / name / "result.json").write_text("half")
    then_s = time.time() - age_s
    os.utime(path / name, (then_s, then_s))


NOBODYS = 2**30  # far beyond any process's number here


@pytest.mark.parametrize(
    ("name", "age_s", "stays"),
    [
        pytest.param(f".tfsload-report-{NOBODYS}-abc", 7200, False, id="old-and-nobodys"),
        pytest.param(".tfsload-report-abc", 7200, False, id="old-and-without-a-number"),
        pytest.param(f".tfsload-report-{'9' * 11}-abc", 7200, False, id="old-and-of-no-number-of-a-process"),
        pytest.param(f".tfsload-report-{os.getpid()}-abc", 7200, True, id="old-and-of-a-process"),
        pytest.param(f".tfsload-report-{NOBODYS}-abc", 60, True, id="being-made-in-another-container"),
    ],
)
def test_what_a_killed_process_has_left_is_no_stranger_and_goes(tmp_path, result, name, age_s, stays):
    left_in(tmp_path, name, age_s)

    assert directory.fault(str(tmp_path)) == ""
    report_in(tmp_path, result)
    assert held(tmp_path) == [*([name] if stays else []), "levels.csv", "result.json"]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_are_as_readable_as_any_that_this_user_makes(tmp_path, result, mask, mode):
    before = os.umask(mask)
    try:
        report_in(tmp_path, result)
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in held(tmp_path)} == {mode}


def test_a_file_that_was_broken_off_takes_the_place_of_none(tmp_path, result):
    report_in(tmp_path, result)
    with directory.replaced(str(tmp_path)) as making:
        directory.write_data(result, making)
        (making / "report.html.part").write_text("half a page")

    assert held(tmp_path) == ["result.json"]


def test_two_runs_that_end_in_one_directory_leave_one_whole_report(tmp_path, result):
    with directory.replaced(str(tmp_path)) as first:
        (first / "levels.csv").write_text("first\n")
        directory.write_data(result, first)
        assert directory.fault(str(tmp_path)) == ""
        report_in(tmp_path, result)
        assert held(tmp_path) == [first.name, "levels.csv", "result.json"]

    assert held(tmp_path) == ["levels.csv", "result.json"]
    assert (tmp_path / "levels.csv").read_text() == "first\n"


def report_while(put, path, result):
    with directory.replaced(str(path)) as making:
        directory.write_data(result, making)
        (making / "junit.xml").write_text("ours")
        put(path)


@pytest.mark.parametrize("has_older", [False, True])
@pytest.mark.parametrize(
    "put",
    [
        pytest.param(lambda path: (path / "letter.txt").write_text("mine"), id="a-file"),
        pytest.param(lambda path: (path / "letter.txt").mkdir(), id="a-directory"),
        pytest.param(lambda path: (path / "letter.txt").symlink_to("nowhere"), id="a-link-to-nowhere"),
    ],
)
def test_what_was_put_there_meanwhile_costs_no_report_and_is_kept(tmp_path, result, put, has_older):
    if has_older:
        report_in(tmp_path, result)
    report_while(put, tmp_path, result)

    assert held(tmp_path) == ["junit.xml", "letter.txt", "result.json"]
    assert (tmp_path / "junit.xml").read_text() == "ours"


@pytest.mark.parametrize(
    ("name", "make"),
    [
        pytest.param("junit.xml", Path.touch, id="another-tools-file"),
        pytest.param("junit.xml", Path.mkdir, id="a-directory"),
        pytest.param("result.json", Path.touch, id="another-result"),
        pytest.param("result.json", lambda path: path.symlink_to("nowhere"), id="a-link-to-nowhere"),
    ],
)
def test_what_was_put_in_the_place_of_a_file_is_kept(tmp_path, result, name, make):
    with pytest.raises(OSError, match=f"holds '{name}', which is no part of a report"):
        report_while(lambda path: make(path / name), tmp_path, result)

    assert held(tmp_path) == [name]


def test_a_file_of_a_reports_name_that_was_put_there_meanwhile_is_not_taken_for_an_older_one(tmp_path, result):
    report_while(lambda path: (path / "summary.md").write_text("mine"), tmp_path, result)

    assert held(tmp_path) == ["junit.xml", "result.json", "summary.md"]
