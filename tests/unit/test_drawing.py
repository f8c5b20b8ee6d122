"""What is drawn beside runs: it is waited for, and where it is given up, nobody waits for it any more."""

import gevent
import gevent.event
import pytest

from tests.support.page_runs import page_run
from tfsload.suite import drawing as drawing_module
from tfsload.suite.drawing import Drawing
from tfsload.webui.session_runs import SessionRuns

NEXT_RUN_BEGAN = "the next run began before they were made: its load is not to be measured beside drawing"


class Script:
    """Notes who waits for it."""

    def __init__(self):
        self.n_waits = 0
        self.is_closed = False

    def wait(self):
        self.n_waits += 1

    def close(self):
        self.is_closed = True


class Drawn:
    """Drawings of runs, each of which takes until the test lets it go on."""

    def __init__(self):
        self.may_end = gevent.event.Event()
        self.began, self.ended = [], []
        self.runs = SessionRuns(self._make)
        self.script = Script()
        self.drawing = Drawing(self.runs, self.script)

    def _make(self, directory):
        self.began.append(directory.name)
        try:
            self.may_end.wait()
            (directory / "report.html").write_text("<html>")
        finally:
            self.ended.append(directory.name)  # as a process is stopped
        return ""

    def end(self, run):
        """Let a drawing come to its end."""
        with gevent.Timeout(10):
            while not run.is_settled:
                gevent.sleep(0.001)

    def let_begin(self, n_drawings=1):
        """Let so many drawings begin in all."""
        with gevent.Timeout(10):
            while len(self.began) < n_drawings:
                gevent.sleep(0)

    def end_a_run(self):
        self.runs.begin({})
        self.runs.conclude(page_run("demo"))
        self.drawing.begin()
        return self.runs.last


@pytest.fixture
def drawn():
    made = Drawn()
    yield made
    made.drawing.close()
    made.runs.close()


def test_who_waits_has_all_files(drawn):
    run = drawn.end_a_run()
    waiting = gevent.spawn(drawn.drawing.wait)
    drawn.let_begin()
    before = waiting.ready()
    drawn.may_end.set()
    waiting.join(10)

    assert (before, waiting.ready()) == (False, True)
    assert (run.has_all_files, run.fault) == (True, "")
    assert drawn.script.n_waits == 1


def test_who_waits_too_long_goes_on_and_the_drawing_too(drawn, monkeypatch):
    monkeypatch.setattr(drawing_module, "_FILES_LIMIT_S", 0.01)
    run = drawn.end_a_run()
    drawn.drawing.wait()
    was_settled = run.is_settled
    monkeypatch.setattr(drawing_module, "_FILES_LIMIT_S", 600)
    another = gevent.spawn(drawn.drawing.wait)
    another.join(10)
    was_held_up = not another.ready()
    drawn.may_end.set()
    drawn.end(run)

    assert (was_settled, was_held_up, run.has_all_files) == (False, False, True)


@pytest.mark.parametrize("has_begun", [True, False], ids=["under-way", "not-begun"])
def test_a_drawing_that_is_given_up_is_over_and_says_why(drawn, has_begun, caplog):
    run = drawn.end_a_run()
    if has_begun:
        drawn.let_begin()
    drawn.drawing.give_up()

    assert drawn.began == drawn.ended == (["1"] if has_begun else [])
    assert (run.is_settled, run.has_all_files, run.fault) == (True, False, NEXT_RUN_BEGAN)
    assert NEXT_RUN_BEGAN in caplog.text


def test_what_is_complete_is_not_given_up(drawn, caplog):
    drawn.may_end.set()
    run = drawn.end_a_run()
    drawn.drawing.wait()
    drawn.drawing.give_up()

    assert (run.has_all_files, run.fault, caplog.text) == (True, "", "")


def test_the_next_runs_files_take_the_place_of_the_last_ones(drawn):
    first = drawn.end_a_run()
    drawn.let_begin()
    second = drawn.end_a_run()
    drawn.may_end.set()
    drawn.drawing.wait()

    assert first.fault == NEXT_RUN_BEGAN
    assert drawn.ended == ["1", "2"]
    assert second.has_all_files


def test_nothing_is_drawn_once_it_is_closed(drawn):
    run = drawn.end_a_run()
    drawn.let_begin()
    drawn.drawing.close()

    assert drawn.began == drawn.ended == ["1"]
    assert (run.is_settled, run.fault) == (True, "the web UI was closed before they were made")
    assert drawn.script.is_closed
