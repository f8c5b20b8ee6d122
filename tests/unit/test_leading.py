"""What a leader tells the web UI of a run, and in what order; whatever goes wrong on the way."""

from types import SimpleNamespace

import gevent
import gevent.event
import pytest
from locust.exception import StopTest

from tests.support.leaders import fail_of, leader_of
from tests.support.page_runs import page_run
from tfsload.suite import leader as leading
from tfsload.suite.stage import Stage


class Run:
    """A run of which somebody shows how far it is."""

    run_time = None
    is_watched = True
    looks = SimpleNamespace(changed="")

    def stop_watching(self):
        self.is_watched = False


def run_to(leader, stage):
    leader._run = Run()
    for one in (Stage.CHECKED, Stage.RUNNING, Stage.ENDING, Stage.CONCLUDING):
        leader.stages.move(one)
        if one is stage:
            return


def test_who_starts_a_run_waits_for_the_last_ones_end_then_for_its_files(leader, web):
    run_to(leader, Stage.CONCLUDING)
    waiting = gevent.spawn(leader.coming.wait_for_last_run)
    gevent.sleep(0)
    before = list(web.told)
    leader.stages.move(Stage.IDLE)
    waiting.join(10)

    assert before == []
    assert web.told == [("wait_for_files", Stage.IDLE)]
    assert waiting.value is True


def test_nobody_waits_for_a_run_that_nobody_stops(leader, web):
    run_to(leader, Stage.RUNNING)

    assert leader.coming.wait_for_last_run() is False
    assert web.told == []


def test_a_run_that_begins_while_files_are_waited_for_is_under_way(leader, web):
    web.on_wait = lambda: run_to(leader, Stage.RUNNING)

    assert leader.coming.wait_for_last_run() is False


@pytest.mark.parametrize(
    ("options", "waits"),
    [
        pytest.param({"autostart": True}, True, id="begun-by-the-command-line"),
        pytest.param({}, False, id="begun-by-a-form-later"),
    ],
)
def test_a_run_that_starts_by_itself_does_not_begin_beside_a_drawing(web, options, waits, monkeypatch):
    leader = leader_of(web, **options)
    monkeypatch.setattr(leader.coming, "check", lambda *_, **__: web.told.append(("check", leader.stages.now)))
    leader.prepare()
    leader._runner.quit()

    told = [what for what, _ in web.told]
    assert told == (["open", "wait_for_files", "check"] if waits else ["open"])


def test_a_run_that_cannot_begin_is_shown_nowhere(leader, web, monkeypatch):
    monkeypatch.setattr(leader.coming, "_checked", fail_of(StopTest))
    with pytest.raises(StopTest):
        leader.begin()

    assert web.told == [("wait_for_files", Stage.IDLE)]  # it was started by code: nobody has waited before


@pytest.mark.parametrize("broken", ["end", "conclude", "run-event"])
def test_a_run_that_breaks_off_is_over_for_the_web_ui(leader, web, broken, monkeypatch):
    run_to(leader, Stage.ENDING)
    monkeypatch.setattr(leader.coordinator, "end", fail_of(ValueError) if broken == "end" else lambda: None)
    if broken == "conclude":
        monkeypatch.setattr(leader, "_conclude", fail_of(ValueError))
    elif broken == "run-event":
        conclude_with(leader, monkeypatch)
        monkeypatch.setattr(leading.result_events, "tell_run", fail_of(gevent.GreenletExit))
    with pytest.raises((ValueError, gevent.GreenletExit)):
        leader.end()

    assert web.told == [("conclude", Stage.IDLE)]
    assert leader.stages.now is Stage.IDLE
    assert not leader._run.is_watched


def conclude_with(leader, monkeypatch):
    """Let a run come to an outcome that the test has made."""
    leader._run.checked, leader._run.search, leader._run.n_levels_left = None, None, 0
    monkeypatch.setattr(leading, "has_changed", lambda _: "")
    monkeypatch.setattr(leading.SaidByLocust, "of", lambda *_: None)
    monkeypatch.setattr(leading, "conclude", lambda *_: leading.Outcome(page_run("demo")))


def test_a_runs_summary_is_in_the_log_before_pages_hear_of_its_end(leader, web, monkeypatch, caplog):
    run_to(leader, Stage.ENDING)
    conclude_with(leader, monkeypatch)
    monkeypatch.setattr(leader.coordinator, "end", lambda: None)
    logged = []
    web.__dict__["end"] = lambda *_: (web.told.append(("end", leader.stages.now)), logged.append(caplog.text))
    watched = []
    monkeypatch.setattr(leading, "has_changed", lambda _: watched.append(leader._run.is_watched))
    with caplog.at_level("INFO"):
        leader.end()

    assert watched == [False]  # nothing is shown on the terminal by then
    assert "PASS" in logged[0]
    assert web.told == [("end", Stage.CONCLUDING), ("conclude", Stage.IDLE)]


@pytest.mark.parametrize(
    ("options", "is_command_lines", "called"),
    [
        pytest.param({"autostart": True}, True, ["stop", "quit the process"], id="of-the-command-line"),
        pytest.param({"autostart": True}, False, ["stop"], id="started-from-the-form"),
        pytest.param({"headless": True}, True, ["quit"], id="headless"),  # its process ends with it in any case
    ],
)
def test_autoquit_ends_the_process_with_the_command_lines_run_alone(
    web, options, is_command_lines, called, monkeypatch
):
    leader = leader_of(web, autoquit=5, **options)
    told = []
    runner = leader._runner
    leader._runner = SimpleNamespace(stop=lambda: told.append("stop"), quit=lambda: told.append("quit"))
    monkeypatch.setattr(leader._autoquit, "quit", lambda: told.append("quit the process"))
    leader._run = SimpleNamespace(is_command_lines=is_command_lines)
    leader._end_run()
    runner.quit()

    assert told == called


@pytest.mark.parametrize(
    ("change", "is_idle"),
    [
        pytest.param(lambda *_: None, True, id="nothing-under-way"),
        pytest.param(lambda leader, *_: run_to(leader, Stage.RUNNING), False, id="a-run"),
        pytest.param(lambda leader, *_: run_to(leader, Stage.CONCLUDING), False, id="a-run-that-is-judged"),
        pytest.param(lambda leader, *_: setattr(leader._check, "is_under_way", True), False, id="a-check"),
        pytest.param(lambda leader, *_: start_slowly(leader), False, id="a-start-that-waits"),
        pytest.param(lambda _, web: setattr(web, "is_starting", True), False, id="a-start-that-waits-for-files"),
    ],
)
def test_the_process_does_not_end_beside_what_is_under_way(leader, web, change, is_idle):
    web.is_starting = False
    change(leader, web)

    assert leader._is_idle() is is_idle


def start_slowly(leader):
    leader.coming.run = SimpleNamespace(is_command_lines=False)
    leader.coming.know_starter(gevent.spawn(gevent.sleep, 60))


@pytest.mark.parametrize("run", [None, True, False], ids=["none-began", "the-command-lines", "another"])
def test_which_run_was_the_last(leader, run):
    leader._run = None if run is None else SimpleNamespace(is_command_lines=run)

    assert leader._is_command_lines_last() is (run is not False)
