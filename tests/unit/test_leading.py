"""What a leader tells the web UI of a run, and in what order; whatever goes wrong on the way."""

from types import SimpleNamespace

import gevent
import gevent.event
import pytest
from locust.env import Environment
from locust.exception import StopTest

from tests.support.page_runs import page_run
from tfsload.settings.refusal import RunRefused
from tfsload.suite import leader as leading
from tfsload.suite.leader import Leader
from tfsload.suite.stage import Stage

OPTIONS = {"headless": False, "autostart": False, "processes": None, "exit_code_on_error": 1}


class Web:
    """Notes what it is told of, and where runs stand then."""

    def __init__(self):
        self.told = []
        self.leader = None
        self.on_wait = lambda: None
        self.web_ui = SimpleNamespace()

    def __getattr__(self, what):
        def tell(*_):
            self.told.append((what, self.leader.stages.now))
            if what == "wait_for_files":
                self.on_wait()

        return tell


class Hosts:
    def ask(self, *_):
        return SimpleNamespace(text="elsewhere")


class Report:
    written = ""

    def write_outcome(self, outcome):
        return outcome


@pytest.fixture
def web():
    return Web()


def leader_of(web, **options):
    environment = Environment(parsed_options=SimpleNamespace(**{**OPTIONS, **options}), user_classes=[], stop_timeout=0)
    runner = environment.create_local_runner()
    made = web.leader = Leader(environment, runner, web, Hosts(), None, Report(), None)
    return made


@pytest.fixture
def leader(web):
    made = leader_of(web)
    yield made
    made._runner.quit()


class Run:
    """A run of which somebody shows how far it is."""

    run_time = None
    is_watched = True

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
    waiting = gevent.spawn(leader.wait_for_last_run)
    gevent.sleep(0)
    before = list(web.told)
    leader.stages.move(Stage.IDLE)
    waiting.join(10)

    assert before == []
    assert web.told == [("wait_for_files", Stage.IDLE)]
    assert waiting.value is True


def test_nobody_waits_for_a_run_that_nobody_stops(leader, web):
    run_to(leader, Stage.RUNNING)

    assert leader.wait_for_last_run() is False
    assert web.told == []


def test_a_run_that_begins_while_files_are_waited_for_is_under_way(leader, web):
    web.on_wait = lambda: run_to(leader, Stage.RUNNING)

    assert leader.wait_for_last_run() is False


@pytest.mark.parametrize(
    ("options", "waits"),
    [
        pytest.param({"autostart": True}, True, id="begun-by-the-command-line"),
        pytest.param({}, False, id="begun-by-a-form-later"),
    ],
)
def test_a_run_that_starts_by_itself_does_not_begin_beside_a_drawing(web, options, waits, monkeypatch):
    leader = leader_of(web, **options)
    monkeypatch.setattr(leader, "check", lambda *_: web.told.append(("check", leader.stages.now)))
    leader.prepare()
    leader._runner.quit()

    told = [what for what, _ in web.told]
    assert told == (["open", "wait_for_files", "check"] if waits else ["open"])


def test_a_run_that_cannot_begin_is_shown_nowhere(leader, web, monkeypatch):
    monkeypatch.setattr(leader, "_checked", fail_of(StopTest))
    with pytest.raises(StopTest):
        leader.begin()

    assert web.told == [("wait_for_files", Stage.IDLE)]  # it was started by code: nobody has waited before


class SlowCheck:
    """A check that waits, as for a server, until the test lets it end."""

    def __init__(self, leader, monkeypatch):
        self.run, self.n_begun = SimpleNamespace(plan=None, lasts_s=None), 0
        self.may_end = gevent.event.Event()
        monkeypatch.setattr(leader._check, "_checked", self._checked)

    def _checked(self, *_):
        self.n_begun += 1
        self.may_end.wait(10)
        return self.run


@pytest.mark.parametrize("second", ["by-code", "by-a-form"])
def test_one_run_at_a_time_is_checked_and_another_does_not_disturb_it(leader, monkeypatch, second):
    check = SlowCheck(leader, monkeypatch)
    monkeypatch.setattr(leader._shape_in_use, "use_own", lambda: shapes.append("own"))
    shapes = []
    first = gevent.spawn(leader.check, {}, None)
    gevent.sleep(0)
    before = list(shapes)
    with pytest.raises((StopTest, RunRefused)) as refused:
        leader.begin() if second == "by-code" else leader.check({}, None)
    after = list(shapes)
    check.may_end.set()
    first.get(timeout=10)

    assert "another run is being checked" in (refused.value.text() if second == "by-a-form" else str(refused.value))
    assert (check.n_begun, before, leader._next, leader.stages.now) == (1, after, check.run, Stage.CHECKED)


def test_after_a_check_that_was_refused_another_is_taken(leader, monkeypatch):
    monkeypatch.setattr(leader._check, "_checked", fail_of(ValueError))
    with pytest.raises(ValueError, match="a fault"):
        leader.check({}, None)
    check = SlowCheck(leader, monkeypatch)
    check.may_end.set()
    leader.check({}, None)

    assert leader._next is check.run


def fail_of(kind):
    def fail(*_, **__):
        raise kind("a fault")

    return fail


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
    ("is_command_lines", "quits_after_s"),
    [pytest.param(True, 5, id="of-the-command-line"), pytest.param(False, None, id="started-from-the-form")],
)
def test_autoquit_ends_the_process_with_the_command_lines_run_alone(web, is_command_lines, quits_after_s, monkeypatch):
    leader = leader_of(web, autostart=True, autoquit=5)
    told = []
    monkeypatch.setattr(leading.ending, "end_run", lambda *given: told.append(given))
    leader._run = SimpleNamespace(is_command_lines=is_command_lines)
    leader._end_run()
    leader._runner.quit()
    (*_, quits, is_last) = told[0]
    before = is_last()
    leader._run = SimpleNamespace(is_command_lines=False)

    assert (quits, before, is_last()) == (quits_after_s, True, False)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"autostart": True}, [True, False], id="autostart"),
        pytest.param({}, [False, False], id="from-the-form"),
    ],
)
def test_the_command_lines_run_is_the_first_alone(web, options, expected, monkeypatch):
    leader = leader_of(web, **options)
    monkeypatch.setattr(leader, "_new_run_time", fail_of(ValueError))  # whose it is, is known by then
    settings = SimpleNamespace(connection=SimpleNamespace(server=SimpleNamespace(text="127.0.0.1:8500")))
    runs = [SimpleNamespace(checked=SimpleNamespace(settings=settings)) for _ in expected]
    for run, has_begun in zip(runs, (False, True), strict=True):
        monkeypatch.setattr(type(leader.coordinator), "has_begun", has_begun)
        leader._next = run
        with pytest.raises(ValueError, match="a fault"):
            leader.begin()
    leader._runner.quit()

    assert [run.is_command_lines for run in runs] == expected
