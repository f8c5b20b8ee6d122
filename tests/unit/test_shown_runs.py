"""What the web UI shows of runs, however they begin and end, and whatever goes wrong with showing them."""

import contextlib

import gevent
import pytest

from tests.support.page_runs import page_run
from tfsload.report.standing import Begun
from tfsload.suite.drawing import Drawing
from tfsload.suite.shown_runs import Places, ShownRuns
from tfsload.webui import session_runs
from tfsload.webui.session_runs import SessionRuns

BEGUN = Begun("mnist, version 1", "host · gRPC", "4 users")
PLACES = ("pages", "bar", "tabs", "view")


class Place:
    """Notes what it is told, and fails where the test says so."""

    is_watched = True

    def __init__(self, name, told, faulty):
        self._name, self._told, self._faulty = name, told, faulty

    def __getattr__(self, what):
        def tell(*given):
            self._told.append((self._name, what, *given))
            if what in self._faulty:
                raise ValueError(f"{self._name} has a fault")

        return tell


class Script:
    def wait(self):
        pass

    def close(self):
        pass


class Shown:
    """Runs that are shown in places of the test's."""

    def __init__(self, make_others=lambda _: "no room"):
        self.told, self.faulty = [], set()
        self.runs = SessionRuns(make_others)
        self.drawing = Drawing(self.runs, Script())
        places = {name: Place(name, self.told, self.faulty) for name in PLACES}
        self.shown = ShownRuns(Places(**places, runs=self.runs), self.drawing)

    def begin(self, begun=lambda: BEGUN, fields=lambda: {"sweep": "1,2"}):
        self.shown.begin(begun, fields)

    def heard(self, what):
        return {name for name, heard, *_ in self.told if heard == what}


@pytest.fixture
def shown():
    made = Shown()
    yield made
    made.shown.close()


@pytest.fixture(scope="module")
def result():
    return page_run("demo")


def fail(*_):
    raise ValueError("a fault of ours")


def test_all_places_hear_of_a_run_from_its_beginning_to_its_end(shown, result):
    shown.begin()
    shown.shown.end(result, "")
    shown.shown.conclude()

    assert shown.heard("begin") == set(PLACES)
    assert shown.heard("end") == {"bar", "tabs"}
    assert shown.heard("conclude") == {"pages"}
    assert shown.runs.last.came_to.state.word == "PASS"
    assert shown.runs.last.fields == {"sweep": "1,2"}


@pytest.mark.parametrize("faulty", ["begin", "end", "conclude", "renew"])
def test_a_fault_of_a_place_is_logged_and_all_others_are_told(shown, result, faulty, caplog):
    shown.faulty.add(faulty)
    shown.begin()
    shown.shown.renew(lambda: result)
    shown.shown.end(result, "")
    shown.shown.conclude()

    assert shown.heard("begin") == set(PLACES)
    assert shown.heard("end") == {"bar", "tabs"}
    assert shown.heard("conclude") == {"pages"}
    assert shown.runs.last.came_to.state.word == "PASS"
    assert "have a fault" in caplog.text


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        pytest.param({"fields": fail}, {}, id="fields"),
        pytest.param({"begun": fail}, {"sweep": "1,2"}, id="what-it-is-begun-to-do"),
    ],
)
def test_a_run_begins_whose_words_cannot_be_found(shown, given, fields):
    shown.begin(**given)

    assert (shown.runs.last.number, shown.runs.last.fields) == (1, fields)
    assert shown.heard("begin") == set(PLACES)


def test_a_run_that_breaks_off_is_over_and_says_so(shown, result, caplog):
    shown.begin()
    shown.shown.renew(lambda: result)
    with contextlib.suppress(gevent.GreenletExit):
        try:
            raise gevent.GreenletExit("somebody killed it")
        finally:
            shown.shown.conclude()
    run = shown.runs.last

    assert (run.came_to.state.word, run.came_to.subject, run.came_to.load) == ("BROKEN OFF", BEGUN.model, BEGUN.load)
    assert (run.is_settled, run.has_all_files) == (True, False)
    assert "the log says why" in run.fault
    assert "The run broke off before it came to a result" in caplog.text
    assert "somebody killed it" in caplog.text
    assert shown.heard("break_off") == {"bar"}
    assert ("tabs", "end", result) in shown.told  # what was measured stays, and is no longer under way
    assert shown.heard("conclude") == {"pages"}


def test_a_run_whose_result_cannot_be_shown_keeps_its_verdict(shown, result, monkeypatch):
    monkeypatch.setattr(session_runs, "first_screen", fail)
    shown.begin()
    shown.shown.end(result, "")
    shown.shown.conclude()
    run = shown.runs.last

    assert (run.came_to.state.word, run.is_settled) == ("PASS", True)
    assert run.fault == "what the run came to could not be shown; the log says why"


@pytest.mark.parametrize("ends", [True, False], ids=["ended", "broken-off"])
def test_nothing_of_a_run_is_shown_once_it_is_over(shown, result, ends, monkeypatch):
    monkeypatch.setattr("tfsload.suite.shown_runs._RENEW_INTERVAL_S", 0)
    shown.begin()
    shown.shown.keep_renewing(lambda: result)
    renewing = shown.shown._renewing
    with gevent.Timeout(10):
        while "tabs" not in shown.heard("renew"):
            gevent.sleep(0)
    if ends:
        shown.shown.end(result, "")
    shown.shown.conclude()
    shown.told.clear()
    shown.shown.renew(lambda: result)  # a level's end that comes late
    gevent.sleep(0.01)

    assert shown.heard("renew") == set()
    assert renewing.dead


def test_the_next_run_is_not_renewed_by_the_last_ones_greenlet(shown, result):
    shown.begin()
    shown.shown.keep_renewing(lambda: result)
    renewing = shown.shown._renewing
    shown.begin()

    assert renewing.dead


def test_nothing_goes_on_after_it_is_closed(shown, result):
    shown.begin()
    shown.shown.keep_renewing(lambda: result)
    renewing = shown.shown._renewing
    shown.shown.close()

    assert renewing.dead


def test_files_of_a_run_are_begun_once_it_is_over(result):
    shown = Shown(lambda directory: (directory / "report.html").write_text("<html>") and "")
    shown.begin()
    shown.shown.end(result, "")
    before = shown.runs.last.is_settled
    shown.shown.conclude()
    shown.drawing.wait()
    after = shown.runs.last.has_all_files
    shown.shown.close()

    assert (before, after) == (False, True)
