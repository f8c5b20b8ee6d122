"""`tfsload report DIR`: a report is made again from its result, and what is none is refused in words."""

import os
from pathlib import Path

import pytest

from tests.support.page_runs import page_run
from tests.support.report_dirs import held, report_in
from tfsload.analysis import exit_codes
from tfsload.report import directory, files, json_file, program


@pytest.fixture(scope="module")
def result():
    return page_run("demo")


def test_a_page_that_cannot_be_made_leaves_the_older_report(tmp_path, result, capsys, monkeypatch):
    report_in(tmp_path, result)

    def cannot(_):
        raise KeyError("drawn by nobody")

    monkeypatch.setattr(files, "_page", cannot)

    assert program.main([str(tmp_path)]) == exit_codes.FAILED
    assert "it could not be drawn: KeyError: 'drawn by nobody'" in capsys.readouterr().err
    assert held(tmp_path) == ["levels.csv", "result.json"]
    assert (tmp_path / "levels.csv").read_text() == "new\n"


def pipe(path):
    os.mkfifo(path)


def endless_zeros(path):
    path.symlink_to("/dev/zero")


def far_too_large(path):
    with path.open("w") as file:
        file.truncate(2**40)  # of which nothing is on the disk


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(pipe, "it is no regular file: expected", id="a-pipe"),
        pytest.param(endless_zeros, "it is no regular file: expected", id="a-link-to-a-device"),
        pytest.param(Path.mkdir, "it is no regular file: expected", id="a-directory"),
        pytest.param(far_too_large, "it is larger than 1 MiB, as none is: expected", id="far-too-large"),
    ],
)
def test_what_never_ends_in_the_place_of_a_result_is_refused_at_once(tmp_path, capsys, monkeypatch, make, words):
    monkeypatch.setattr(json_file, "_MOST_BYTES", 2**20)
    make(tmp_path / json_file.NAME)

    assert program.main([str(tmp_path)]) == exit_codes.BAD_USAGE
    assert f"{tmp_path / json_file.NAME}: {words}" in capsys.readouterr().err
    assert f"it holds '{json_file.NAME}', which is no part of a report" in directory.fault(str(tmp_path))


def without_a_result(path):
    path.mkdir()


def link_to_no_result(path):
    path.mkdir()
    (path / "result.json").symlink_to("nowhere")


NAME_ONE = ": name the directory of a report, as a run was given it with --report\n"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda _: None, "it is not there", id="none-there"),
        pytest.param(without_a_result, "it holds no result.json", id="empty"),
        pytest.param(link_to_no_result, "it holds no result.json", id="a-link-to-nowhere"),
        pytest.param(
            Path.touch,
            "it is no directory, or lies in a file; result.json is read from its directory",
            id="a-file",
        ),
    ],
)
def test_what_is_no_directory_of_a_report_is_refused(tmp_path, monkeypatch, capsys, make, words):
    monkeypatch.chdir(tmp_path)
    make(Path("there"))

    assert program.main(["there"]) == exit_codes.BAD_USAGE
    assert capsys.readouterr().err == f"tfsload report: 'there': {words}{NAME_ONE}"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        pytest.param(b'{"result": 1}', "it is no result of a run: expected one of schema 1", id="another-tools"),
        pytest.param(b'{"schema": 1, "made_by"', "it holds no JSON (line 1, column 24): expected", id="broken-off"),
        pytest.param(b"", "it holds no JSON (line 1, column 1): expected", id="empty"),
        pytest.param(b'"\xff"', "it is no text in UTF-8 (byte 1): expected", id="no-text"),
        pytest.param(b"[" * 100_000, "its JSON is nested too deep: expected", id="nested"),
        pytest.param(b"1" * 5000, "its JSON holds a number of too many digits: expected", id="thousands-of-digits"),
        pytest.param(b"\xef\xbb\xbf{}", "it begins with a byte order mark: expected", id="byte-order-mark"),
    ],
)
def test_what_is_no_result_is_refused_in_words_of_ours(tmp_path, capsys, written, words):
    (tmp_path / json_file.NAME).write_bytes(written)

    assert program.main([str(tmp_path)]) == exit_codes.BAD_USAGE
    said = capsys.readouterr().err
    assert said.startswith(f"tfsload report: {tmp_path / json_file.NAME}: {words}")
    assert said.count("\n") == 1


def test_a_result_among_other_files_is_refused_too(tmp_path, capsys, result):
    report_in(tmp_path, result)
    (tmp_path / "mine.txt").write_text("mine")

    assert program.main([str(tmp_path)]) == exit_codes.BAD_USAGE
    assert "it holds 'mine.txt'" in capsys.readouterr().err
    assert held(tmp_path) == ["levels.csv", "mine.txt", "result.json"]


def test_a_threshold_that_nobody_can_have_asked_for_is_refused(tmp_path, capsys):
    crossed = page_run("thresholds")
    report_in(tmp_path, crossed)
    path = tmp_path / json_file.NAME
    path.write_text(path.read_text().replace("error_rate < 1%", "<b>x</b>"))

    assert program.main([str(tmp_path)]) == exit_codes.BAD_USAGE
    assert "'<b>x</b>' is no threshold" in capsys.readouterr().err


def test_a_report_is_made_again_from_the_result_alone(tmp_path, result, capsys):
    report_in(tmp_path, result)
    before = (tmp_path / json_file.NAME).read_bytes()

    assert program.main([str(tmp_path), "--hgrm"]) == exit_codes.PASS
    assert held(tmp_path) == sorted([*directory.NAMES, "latency-run.hgrm"])
    assert (tmp_path / json_file.NAME).read_bytes() == before
    assert capsys.readouterr().out == f"Report: {tmp_path / 'report.html'}\n"
    assert program.main([str(tmp_path)]) == exit_codes.PASS
    assert held(tmp_path) == sorted(directory.NAMES)


def test_where_a_report_was_made_again_is_told_on_one_line(tmp_path, result, capsys):
    (tmp_path / "x\ny").mkdir()
    report_in(tmp_path / "x\ny", result)

    assert program.main([str(tmp_path / "x\ny")]) == exit_codes.PASS
    assert capsys.readouterr().out == f"Report: $'{tmp_path}/x\\ny/report.html'\n"


def test_without_a_directory_the_usage_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        program.main([])
    assert ended.value.code == exit_codes.BAD_USAGE
    assert "expected DIR" in capsys.readouterr().err


def newer_report(path):
    report_in(path, page_run("sweep"))


def no_report(path):
    for one in list(path.glob("*.*")):
        if one.is_file():
            one.unlink()


@pytest.mark.parametrize(
    ("meanwhile", "left"),
    [
        pytest.param(newer_report, ["levels.csv", "result.json"], id="a-newer-runs-report"),
        pytest.param(no_report, [], id="taken-away"),
    ],
)
def test_what_was_put_there_while_a_report_was_drawn_stays(tmp_path, result, capsys, monkeypatch, meanwhile, left):
    report_in(tmp_path, result)
    write, seen = files.write_others, []

    def write_slowly(*given):
        write(*given)
        meanwhile(tmp_path)
        seen.extend(one.read_bytes() for one in tmp_path.glob(json_file.NAME))

    monkeypatch.setattr(files, "write_others", write_slowly)

    assert program.main([str(tmp_path)]) == exit_codes.FAILED
    assert (
        "its result.json was changed meanwhile; what is there now stays: run this again for" in capsys.readouterr().err
    )
    assert held(tmp_path) == left
    assert [one.read_bytes() for one in tmp_path.glob(json_file.NAME)] == seen
