"""The runs of a session: remembered with their files, until there are too many, or the process ends."""

import contextlib
import json
import shutil
import tempfile

import pytest
from gevent import GreenletExit

from tests.support.page_runs import page_run
from tests.support.report_dirs import held
from tfsload.report import directory as report_directory
from tfsload.report import json_file, states
from tfsload.webui.session_runs import MOST_RUNS, CameTo, SessionRuns


@pytest.fixture(scope="module")
def result():
    return page_run("sweep")


def make_page(directory):
    """Make a page, as the process does that draws."""
    (directory / "report.html").write_text("<html>")
    return ""


@pytest.fixture
def runs():
    made = SessionRuns(make_page, clock_s=iter(range(1, 1000)).__next__)
    yield made
    made.close()


def test_a_run_is_under_way_then_has_ended_then_has_all_files(runs, result):
    runs.begin({"sweep": "1,2"})
    run = runs.last
    under_way = (run.number, run.begun_unix_s, run.came_to, run.is_settled, run.file_names)
    runs.conclude(result)
    ended = (run.came_to.state.word, run.is_settled, run.file_names)
    runs.make_files()

    assert under_way == (1, 1, None, False, ())
    assert ended == (states.of_run(result).word, False, ("result.json",))
    assert (run.has_all_files, run.is_settled, run.fault) == (True, True, "")
    assert run.file_names == ("report.html", "result.json")
    assert json_file.read(run.directory / "result.json") == result
    assert run.fields == {"sweep": "1,2"}


def test_in_short_a_run_is_what_its_report_says_first(runs, result):
    runs.begin({})
    runs.conclude(result)
    came_to = runs.last.came_to

    assert came_to.load.startswith("sweep of ")
    assert came_to.subject == "mnist, version 1"
    assert [card.title.partition(":")[0] for card in came_to.cards] == ["How fast", "How soon", "How often wrong"]


@pytest.mark.parametrize(
    ("kind", "in_parallel"),
    [
        pytest.param("sweep", "yes", id="a-sweep"),
        pytest.param("repeated", "no or hardly", id="one-that-tells-less"),
        pytest.param("rate", "", id="rates"),
        pytest.param("demo", "", id="without-levels"),
    ],
)
def test_in_short_a_sweep_says_whether_the_server_runs_in_parallel(kind, in_parallel):
    assert CameTo.of(page_run(kind)).in_parallel == in_parallel


def test_files_that_are_there_already_are_not_made_again(result, tmp_path):
    report = report_of(result, tmp_path)
    runs = SessionRuns(lambda _: pytest.fail("made again"))
    runs.begin({})
    runs.conclude(result, str(report))
    runs.make_files()
    run = runs.last
    kept = (run.file_names, (run.directory / "report.html").read_text())
    (report / "report.html").write_text("of the next run")
    runs.close()

    assert kept == (("report.html", "result.json", "latency-1.hgrm"), "report.html")


def report_of(result, tmp_path):
    """Return the directory of a report."""
    report = tmp_path / "report"
    report.mkdir()
    for name in ("report.html", "latency-1.hgrm"):
        (report / name).write_text(name)
    (report / "result.json").write_text(json_file.write(result))
    return report


def test_what_other_runs_put_beside_a_report_is_not_taken_for_a_part_of_it(runs, result, tmp_path):
    report = report_of(result, tmp_path)
    (report / ".tfsload-report-7-abc").mkdir()
    for name in (".tfsload-report-lock", "junit.xml.part", "letter.txt", ".tfsload-report-7-abc/result.json"):
        (report / name).write_text("of another run")
    (report / ".tfsload-report-7-abc" / "gone").symlink_to("nowhere")
    runs.begin({})
    runs.conclude(result, str(report))
    run = runs.last

    assert (run.has_all_files, run.fault) == (True, "")
    assert held(run.directory) == ["latency-1.hgrm", "report.html", "result.json"]


def another_result(report):
    (report / "result.json").write_text(json_file.write(page_run("demo")))


def no_result(report):
    (report / "result.json").unlink()


@pytest.mark.parametrize("put", [another_result, no_result, shutil.rmtree], ids=["another-runs", "half-there", "gone"])
def test_another_runs_report_is_not_taken_for_this_runs(runs, result, tmp_path, put):
    report = report_of(result, tmp_path)
    put(report)
    runs.begin({})
    runs.conclude(result, str(report))
    run = runs.last
    at_first = (run.has_all_files, run.fault, held(run.directory))
    runs.make_files()

    assert at_first == (False, "", ["result.json"])
    assert json_file.read(run.directory / "result.json") == result
    assert (run.has_all_files, run.file_names) == (True, ("report.html", "result.json"))


def test_a_report_that_is_replaced_while_it_is_copied_is_not_taken_for_this_runs(runs, result, tmp_path, monkeypatch):
    report, copy = report_of(result, tmp_path), shutil.copyfile
    monkeypatch.setattr(shutil, "copyfile", lambda *given: (copy(*given), another_result(report)))
    runs.begin({})
    runs.conclude(result, str(report))

    assert held(runs.last.directory) == ["result.json"]
    assert json_file.read(runs.last.directory / "result.json") == result


def test_a_run_goes_on_where_there_is_no_room_for_its_files(result, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    runs = SessionRuns(make_page)
    runs.begin({})
    runs.conclude(result)
    runs.make_files()
    run = runs.last
    runs.close()

    assert (run.is_settled, run.has_all_files, run.file_names) == (True, False, ())
    assert run.fault == "no directory for them: No such file or directory"


@pytest.mark.parametrize("how", ["not-made", "not-written"])
def test_what_goes_wrong_with_files_is_said_and_the_run_is_kept(how, result):
    runs = SessionRuns(lambda _: "it could not be drawn")
    runs.begin({})
    run = runs.last
    if how == "not-written":
        run.directory.write_text("in its way")
    runs.conclude(result)
    runs.make_files()
    runs.make_files()
    told = (run.came_to is not None, run.is_settled, run.has_all_files, run.fault)
    runs.close()

    fault = "it could not be drawn" if how == "not-made" else "File exists"
    assert told == (True, True, False, fault)


def take_away_and_say(directory):
    shutil.rmtree(directory)
    return f"'{directory}': it is not there: name the directory of a report, as a run was given it with --report"


def take_away_and_say_nothing(directory):
    shutil.rmtree(directory)
    return ""


@pytest.mark.parametrize(
    "make_others",
    [
        pytest.param(take_away_and_say, id="before-the-page-is-made"),
        pytest.param(take_away_and_say_nothing, id="after-it"),
        pytest.param(None, id="before-the-result-is-written"),
    ],
)
def test_what_was_removed_as_the_run_ended_is_told_with_what_one_can_do_there(result, monkeypatch, make_others):
    runs = SessionRuns(make_others or make_page)
    runs.begin({})
    run = runs.last
    if make_others is None:
        monkeypatch.setattr(report_directory, "write_data", lambda _, directory: (directory / "gone" / "x").touch())
    runs.conclude(result)
    runs.make_files()
    fault, is_settled = run.fault, run.is_settled
    runs.close()

    assert fault == f"something has removed them from {run.directory}: Run again makes others"
    assert is_settled


def test_the_oldest_are_forgotten_files_and_all(runs):
    for _ in range(MOST_RUNS + 2):
        runs.begin({})
        runs.conclude(page_run("stopped"))
    numbers = [run.number for run in runs.newest_first]
    directories = sorted(int(one.name) for one in runs.last.directory.parent.iterdir())

    assert numbers == [*range(MOST_RUNS + 2, 2, -1)]
    assert directories == sorted(numbers)
    assert (runs.get(2), runs.get(3).number, runs.get(99)) == (None, 3, None)


def test_nothing_is_left_behind(result):
    runs = SessionRuns(make_page)
    runs.begin({})
    runs.conclude(result)
    runs.make_files()
    root = runs.last.directory.parent
    runs.close()

    assert not root.exists()


@pytest.mark.parametrize("when", ["before-it-begins", "under-way"])
def test_a_run_keeps_its_files_where_something_has_removed_all_before(runs, result, when):
    runs.begin({})
    runs.conclude(result)
    runs.make_files()
    first = runs.last
    if when == "before-it-begins":
        shutil.rmtree(first.directory.parent)
    runs.begin({})
    if when == "under-way":
        shutil.rmtree(first.directory.parent)
    runs.conclude(result)
    runs.make_files()

    assert (runs.last.has_all_files, runs.last.fault) == (True, "")
    assert runs.last.file_names == ("report.html", "result.json")
    assert first.file_names == ()


def test_runs_that_come_after_files_were_removed_keep_theirs(runs, result):
    runs.begin({})
    runs.close()
    runs.begin({})
    runs.conclude(result)

    assert runs.last.file_names == ("result.json",)


def test_what_is_not_whole_or_no_file_is_none_of_its_files(runs, result):
    runs.begin({})
    runs.conclude(result)
    (runs.last.directory / "levels.csv.part").write_text("lev")
    (runs.last.directory / "junit.xml").mkdir()

    assert runs.last.file_names == ("result.json",)


def fail(error):
    def make(_directory):
        raise error

    return make


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        pytest.param(fail(OSError(24, "Too many open files")), "Too many open files", id="no-process"),
        pytest.param(fail(GreenletExit()), "making them was broken off", id="killed"),
        pytest.param(fail(ValueError("ours")), "making them was broken off", id="a-fault-of-ours"),
        pytest.param(lambda _: "no room", "no room", id="said"),
        pytest.param(lambda _: "", "they are not in ", id="nothing-made-and-nothing-said"),
    ],
)
def test_a_run_is_settled_however_the_making_of_its_files_ends(make, fault, result):
    runs = SessionRuns(make)
    runs.begin({})
    runs.conclude(result)
    with contextlib.suppress(ValueError, GreenletExit):
        runs.make_files()
    run = runs.last
    runs.close()

    assert (run.is_settled, run.has_all_files) == (True, False)
    assert run.fault.startswith(fault)


def test_who_else_is_on_this_machine_does_not_read_them(runs, result):
    runs.begin({})
    runs.conclude(result)

    assert runs.last.directory.parent.stat().st_mode & 0o077 == 0
    assert json.loads((runs.last.directory / "result.json").read_text())["schema"]


def test_the_run_under_way_is_the_one_that_has_come_to_nothing_yet(runs, result):
    seen = [runs.under_way]
    for _ in range(2):
        runs.begin({})
        seen.append(runs.under_way)
        runs.conclude(result)
        seen.append(runs.under_way)

    assert [run and run.number for run in seen] == [None, 1, None, 2, None]
    assert runs.next_number == 3


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("1", 1, id="one-that-is-there"),
        pytest.param("01", 1, id="with-a-zero-before-it"),
        pytest.param("2", None, id="none-there"),
        pytest.param("", None, id="empty"),
        pytest.param("-1", None, id="below-0"),
        pytest.param("²", None, id="another-alphabets"),
        pytest.param("9" * 10_000, None, id="far-too-long"),
    ],
)
def test_a_run_is_named_by_its_number(runs, text, number):
    runs.begin({})
    run = runs.named(text)

    assert (run and run.number) == number
