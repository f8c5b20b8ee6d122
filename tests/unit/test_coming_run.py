"""The run that is about to begin: one at a time, and nothing is left of one whose start is given up."""

import contextlib
from types import SimpleNamespace

import gevent
import gevent.event
import pytest
from locust import LoadTestShape, User
from locust.exception import StopTest
from locust.runners import WorkerNode

from tests.support.leaders import SlowCheck, Web, environment_of, fail_of, leader_of, with_runner
from tests.support.runs import free_port
from tfsload.settings.refusal import RunRefused
from tfsload.suite import coming_run, locust_wraps
from tfsload.suite.stage import Stage


@pytest.mark.parametrize("second", ["by-code", "by-a-form"])
def test_one_run_at_a_time_is_checked_and_another_does_not_disturb_it(leader, monkeypatch, second):
    check = SlowCheck(leader, monkeypatch)
    monkeypatch.setattr(leader._shape_in_use, "use_own", lambda: shapes.append("own"))
    shapes = []
    first = gevent.spawn(leader.coming.check, {}, None)
    gevent.sleep(0)
    before = list(shapes)
    with pytest.raises((StopTest, RunRefused)) as refused:
        leader.begin() if second == "by-code" else leader.coming.check({}, None)
    after = list(shapes)
    check.may_end.set()
    first.get(timeout=10)

    assert "another run is being checked" in (refused.value.text() if second == "by-a-form" else str(refused.value))
    assert (check.n_begun, before, leader.coming.run, leader.stages.now) == (1, after, check.run, Stage.CHECKED)


WAY_OF_A_RUN = [Stage.CHECKED, Stage.RUNNING, Stage.ENDING, Stage.CONCLUDING]


@pytest.mark.parametrize("stage", WAY_OF_A_RUN[1:], ids=lambda stage: stage.value)
@pytest.mark.parametrize("how", ["by-code", "by-a-form", "by-a-dry-run"])
def test_a_check_beside_a_run_under_way_is_refused_and_takes_nothing_of_it_away(leader, monkeypatch, stage, how):
    check, touched = SlowCheck(leader, monkeypatch), []
    check.may_end.set()
    monkeypatch.setattr(leader._report, "leave_no_directory", lambda: touched.append("its directory"))
    monkeypatch.setattr(leader._shape_in_use, "use_own", lambda: touched.append("its load shape"))
    for reached in WAY_OF_A_RUN[: WAY_OF_A_RUN.index(stage) + 1]:
        leader.stages.move(reached)
    look = {
        "by-code": leader.begin,
        "by-a-form": lambda: leader.coming.check({}, None),
        "by-a-dry-run": leader.coming.check_only,
    }
    with pytest.raises((StopTest, RunRefused)) as refused:
        look[how]()

    assert "another run is under way" in str(refused.value.args)
    assert (touched, check.n_begun, leader.stages.now) == ([], 0, stage)


def test_what_is_no_moves_of_a_runs_touches_nothing(leader, monkeypatch):
    touched = []
    monkeypatch.setattr(leader._report, "leave_no_directory", lambda: touched.append("its directory"))
    leader.stages.move(Stage.CHECKED)
    leader.stages.move(Stage.RUNNING)
    with pytest.raises(RuntimeError, match="a run that is running cannot become idle"):
        leader.coming.take_back()

    assert touched == []


def test_after_a_check_that_was_refused_another_is_taken(leader, monkeypatch):
    monkeypatch.setattr(leader._hosts, "ask", fail_of(ValueError))
    with pytest.raises(ValueError, match="a fault"):
        leader.coming.check({}, None)
    check = SlowCheck(leader, monkeypatch)
    check.may_end.set()
    leader.coming.check({}, None)

    assert leader.coming.run is check.run


@pytest.mark.parametrize("is_command_lines", [True, False])
def test_whose_run_it_is_is_known_from_its_check_on(leader, is_command_lines, monkeypatch):
    SlowCheck(leader, monkeypatch).may_end.set()
    leader.coming.check({}, None, is_command_lines=is_command_lines)

    assert leader.coming.run.is_command_lines is is_command_lines


def test_what_the_command_line_asks_for_is_checked_as_its_run(web, monkeypatch):
    leader = leader_of(web, autostart=True)
    told = []
    monkeypatch.setattr(leader.coming, "check", lambda *_, **more: told.append(more))
    leader.prepare()
    leader._runner.quit()

    assert told == [{"is_command_lines": True}]


class WaitingStart:
    """A run from the form whose start waits for a listener of `test_start`, and whose levels are in place by then."""

    def __init__(self, leader, monkeypatch):
        self.leader, self.runner = leader, leader._runner
        self.may_begin = gevent.event.Event()
        SlowCheck(leader, monkeypatch).may_end.set()
        leader._environment.tfsload = SimpleNamespace(leader=leader)
        leader._environment.events.test_start.add_listener(lambda **_: self.may_begin.wait(10))
        leader.coming.check({}, None)
        self.runner.start(1, 100)
        gevent.sleep(0)


def test_a_start_that_is_stopped_while_it_waits_leaves_nothing_behind(leader, monkeypatch):
    locust_wraps.install()
    waiting = WaitingStart(leader, monkeypatch)
    before = leader.coming.is_started, leader.stages.now
    waiting.runner.stop()

    assert before == (True, Stage.CHECKED)
    assert (leader.coming.run, leader.coming.is_started, leader.stages.now) == (None, False, Stage.IDLE)


def test_nobody_starts_users_in_the_place_of_a_start_that_waits(leader, monkeypatch, caplog):
    locust_wraps.install()
    waiting = WaitingStart(leader, monkeypatch)
    starter, run = waiting.runner.spawning_greenlet, leader.coming.run
    waiting.runner.start(2, 100)  # as a key does
    after = waiting.runner.spawning_greenlet, leader.coming.run
    with pytest.raises(RunRefused) as refused:
        leader.coming.check({}, None)
    waiting.runner.stop()

    assert after == (starter, run)
    assert "No users are started: another run is being started" in caplog.text
    assert "another run is being started" in refused.value.text()


class WaitingMaster:
    """A master of Locust's program, whose run begins when its workers are there."""

    def __init__(self, monkeypatch, n_awaited=2, shape=None):
        environment = environment_of(expect_workers=n_awaited)
        environment.shape_class = shape
        environment.user_classes = [type("Waits", (User,), {"tasks": [lambda _: gevent.sleep(60)]})]
        self.runner = environment.create_master_runner("127.0.0.1", free_port())
        self.leader = with_runner(environment, self.runner, Web())
        environment.tfsload = SimpleNamespace(leader=self.leader)
        SlowCheck(self.leader, monkeypatch).may_end.set()
        monkeypatch.setattr(coming_run.beginning, "is_locusts_program", lambda: True)
        monkeypatch.setattr(locust_wraps._main_gevent, "start", None)
        self.leader.coming.check({}, None, is_command_lines=True)

    def is_started_by(self, who):
        """Start users, and return whether it came to that."""
        told = []
        self.leader._environment.events.test_start.add_listener(lambda **_: told.append(True) and may_end.wait(10))
        may_end = gevent.event.Event()
        self.runner.clients["worker"] = WorkerNode("worker")
        spawned = (locust_wraps._main_gevent if who == "locust" else gevent).spawn(self.runner.start, 1, 1)
        gevent.sleep(0)
        spawned.kill()
        return bool(told)

    def begins_to_start(self):
        """Start it as Locust's program does, and return the greenlet that is at work on it."""
        self.runner.clients["worker"] = WorkerNode("worker")
        if self.runner.environment.shape_class is None:
            return locust_wraps._main_gevent.spawn(self.runner.start, 1, 1)
        self.runner.start_shape()
        return self.runner.shape_greenlet


@pytest.mark.heavy
@pytest.mark.parametrize(("n_awaited", "who"), [(1, "1 worker is there"), (2, "2 workers are there")])
def test_while_a_master_waits_for_its_workers_no_other_run_takes_the_place_of_its_own(monkeypatch, n_awaited, who):
    locust_wraps.install()
    waiting = WaitingMaster(monkeypatch, n_awaited)
    run = waiting.leader.coming.run
    with pytest.raises(RunRefused) as refused:
        waiting.leader.coming.check({}, None)
    waiting.runner.stop()  # there is nothing to be stopped yet
    by_key, kept = waiting.is_started_by("a-key"), waiting.leader.coming.run
    by_locust = waiting.is_started_by("locust")
    waiting.runner.quit()

    assert f"the run that the command line asks for begins when {who}" in refused.value.text()
    assert kept is run
    assert (by_key, by_locust) == (False, True)


def test_a_start_in_a_programs_main_greenlet_is_stopped_and_the_program_goes_on(monkeypatch):
    locust_wraps.install()
    waiting = WaitingMaster(monkeypatch)
    leader, runner, begins = waiting.leader, waiting.runner, gevent.event.Event()
    leader.coming.take_back()
    monkeypatch.setattr(leader, "_begin", lambda _: begins.set() or gevent.sleep(10))
    leader._environment.events.test_start.add_listener(lambda **_: leader.begin())
    runner.clients["worker"] = WorkerNode("worker")
    stopped = gevent.spawn(lambda: begins.wait(10) and runner.stop(send_stop_to_client=False))
    with gevent.Timeout(5), pytest.raises(StopTest, match="stopped before it began"):
        runner.start(1, 1)  # here, in no greenlet of gevent's
    stopped.get(timeout=10)
    runner.quit()

    assert (leader.coming.run, leader.stages.now) == (None, Stage.IDLE)


class OneUser(LoadTestShape):
    def tick(self):
        return 1, 100


@pytest.mark.heavy
@pytest.mark.parametrize("shape", [None, OneUser()], ids=["users", "levels"])
@pytest.mark.parametrize("is_waiting", [True, False], ids=["waiting", "before-its-first-turn"])
def test_a_start_of_a_master_that_waits_is_stopped_and_leaves_nothing_behind(monkeypatch, shape, is_waiting):
    locust_wraps.install()
    waiting = WaitingMaster(monkeypatch, shape=shape)
    began = []
    coming, may_begin = waiting.leader.coming, gevent.event.Event()
    events = waiting.leader._environment.events
    events.test_start.add_listener(lambda **_: may_begin.wait(10) and began.append(True))
    starter = waiting.begins_to_start()
    if is_waiting:
        gevent.sleep(0)
    waiting.runner.stop(send_stop_to_client=False)
    may_begin.set()
    starter.join(10)
    left = coming.run, waiting.leader.stages.now
    coming.check({}, None)  # as a form does
    is_taken = coming.run is not None
    waiting.runner.quit()

    assert (began, starter.dead) == ([], True)
    assert left == (None, Stage.IDLE)
    assert is_taken


def test_after_a_load_shape_that_breaks_before_its_run_begins_another_run_is_taken(monkeypatch):
    locust_wraps.install()
    shape = OneUser()
    shape.tick = fail_of(ValueError)
    waiting = WaitingMaster(monkeypatch, shape=shape)
    waiting.begins_to_start().join(10)
    waiting.leader.coming.check({}, None)  # as a form does
    is_taken = waiting.leader.coming.run is not None
    waiting.runner.quit()

    assert is_taken


def test_a_new_run_ends_no_wait_that_was_stopped_for_another(leader, web, monkeypatch):
    SlowCheck(leader, monkeypatch).may_end.set()
    web.wait.stop()
    leader.coming.check({}, None)

    assert not web.wait.is_stopped


@pytest.mark.parametrize("is_checked", [True, False], ids=["checked-before", "started-by-code"])
@pytest.mark.parametrize("fails", [False, True], ids=["begins", "breaks-off"])
def test_nobody_comes_in_between_while_a_run_begins(leader, monkeypatch, is_checked, fails):
    """Its beginning may wait: for what is still drawn to be ended."""
    SlowCheck(leader, monkeypatch).may_end.set()
    if is_checked:
        leader.coming.check({}, None)
    told = []

    def begin(_):
        told.append(leader.coming.why_not())
        if fails:
            raise ValueError("a fault")

    monkeypatch.setattr(leader, "_begin", begin)
    with pytest.raises(ValueError, match="a fault") if fails else contextlib.nullcontext():
        leader.begin()

    assert told == ["another run is being started: try again when it has ended"]
    assert (leader.coming.run, leader.coming.why_not()) == (None, "")
