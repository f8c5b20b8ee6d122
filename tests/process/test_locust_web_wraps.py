"""Each wrap of a function of Locust's own: what it cures is still there to be cured, and it cures it.

A new Locust that has mended one of these, or has changed what it hangs on, fails a test here.
"""

import inspect
import json
import logging
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import gevent
import gevent.event
import locust.log
import locust.web
import pytest
from flask_cors import CORS
from locust import User
from locust.env import Environment
from locust.runners import (
    STATE_RUNNING,
    STATE_SPAWNING,
    STATE_STOPPED,
    STATE_STOPPING,
    LocalRunner,
    MasterRunner,
    Runner,
    WorkerNode,
)

from tests.support.runs import free_port, wait_for
from tfsload.suite import locust_wraps

FOREIGN = {"Origin": "http://evil.example"}


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["locust"])  # which Locust's page reads its options from
    made = Environment()
    made.create_local_runner()
    yield made
    made.runner.quit()


def web_ui_of(environment, **options):
    return environment.create_web_ui("127.0.0.1", 0, delayed_start=True, **options)


@pytest.fixture
def web_ui(environment):
    return web_ui_of(environment)


def test_pages_of_other_origins_may_not_read(environment, monkeypatch):
    monkeypatch.setattr(locust.web, "CORS", CORS)  # Locust's own
    bare = web_ui_of(environment).app.test_client().get("/stats/requests", headers=FOREIGN)
    locust_wraps.install()
    wrapped = web_ui_of(environment).app.test_client().get("/stats/requests", headers=FOREIGN)

    assert bare.headers["Access-Control-Allow-Origin"] in ("*", FOREIGN["Origin"])
    assert "Access-Control-Allow-Origin" not in wrapped.headers


def test_a_start_is_asked_for_first(web_ui, environment):
    client = web_ui.app.test_client()
    bare = client.post("/swarm", data={"user_count": 1, "spawn_rate": 0, "host": "changed"}).get_json()
    was_changed = environment.host
    locust_wraps.wrap_start(web_ui, lambda start: {"success": False, "message": "no", "locusts": callable(start)})
    wrapped = client.post("/swarm", data={"user_count": 1, "spawn_rate": 1, "host": "again"}).get_json()

    assert (bare["success"], was_changed) == (False, "changed")  # Locust refuses, and has changed the host by then
    assert wrapped == {"success": False, "message": "no", "locusts": True}
    assert environment.host == "changed"


def test_a_stop_is_told_of_first(web_ui, environment, monkeypatch):
    told = []
    monkeypatch.setattr(environment.runner, "stop", lambda: told.append("locust"))
    locust_wraps.wrap_stop(web_ui, lambda: told.append("we"))

    assert web_ui.app.test_client().post("/stop").get_json()["success"]
    assert told == ["we", "locust"]


def test_a_start_stands_behind_the_login(environment):
    web_ui = web_ui_of(environment, web_login=True)
    web_ui.app.secret_key = "for this test"
    web_ui.login_manager.user_loader(lambda user_id: None)  # noqa: ARG005  (Flask's name)
    asked = []
    locust_wraps.wrap_start(web_ui, asked.append)
    locust_wraps.wrap_stop(web_ui, lambda: asked.append("stop"))
    locust_wraps.wrap_statistics(web_ui, lambda: "mine")
    locust_wraps.wrap_logs(web_ui, lambda: asked.append("log"))
    client = web_ui.app.test_client()
    replies = [client.post("/swarm"), client.post("/stop"), client.get("/stats/requests"), client.get("/logs")]

    assert [reply.status_code for reply in replies] == [302, 302, 302, 302]
    assert asked == []


def test_the_class_picker_replaces_the_shape_after_a_check(environment):
    web_ui = web_ui_of(environment, userclass_picker_is_active=True)
    environment.available_user_classes = {"User": type("User", (), {})}
    checked, seen = object(), []
    locust_wraps.wrap_picked_shape(web_ui, lambda: seen.append(environment.shape_class))
    locust_wraps.wrap_start(web_ui, lambda start: setattr(environment, "shape_class", checked) or start())
    environment._remove_user_classes_with_weight_zero = lambda: None  # that stand-in is no user class
    environment._validate_user_class_name_uniqueness = lambda: None
    web_ui.app.test_client().post("/swarm", data={"user_count": 1, "spawn_rate": 0, "user_classes": "User"})

    assert seen == [None]  # the checked one was dropped by then


def test_a_page_is_told_another_state_each_time_it_is_loaded(web_ui, environment):
    web_ui.update_template_args()
    bare = web_ui.template_args["state"]
    locust_wraps.wrap_page(web_ui, lambda arguments: arguments.update(state="mine"))
    page = web_ui.app.test_client().get("/").text

    assert bare == environment.runner.state
    assert '"state": "mine"' in page


def test_locusts_page_leads_elsewhere_as_long_as_there_is_somewhere_and_it_is_not_asked_for(web_ui):
    client, where = web_ui.app.test_client(), ["/elsewhere"]
    bare = client.get("/")
    locust_wraps.wrap_index(web_ui, lambda: where[0])
    wrapped, asked_for = client.get("/"), client.get("/?locust=1")
    where[0] = ""

    assert (bare.status_code, wrapped.status_code, wrapped.headers["Location"]) == (200, 302, "/elsewhere")
    assert asked_for.text == bare.text == client.get("/").text


def test_statistics_are_remembered_but_not_the_state(web_ui, environment):
    client = web_ui.app.test_client()
    environment.runner.state = "first"
    client.get("/stats/requests")
    environment.runner.state = "second"
    bare = client.get("/stats/requests").get_json()
    locust_wraps.wrap_statistics(web_ui, lambda: environment.runner.state)
    wrapped = client.get("/stats/requests").get_json()
    environment.runner.state = "third"

    assert bare["state"] == "first"  # for two seconds
    assert wrapped == {**bare, "state": "second"}
    assert client.get("/stats/requests").get_json()["state"] == "third"


def test_statistics_can_be_forgotten(web_ui, environment):
    locust_wraps.wrap_statistics(web_ui, lambda: "mine")
    client = web_ui.app.test_client()
    client.get("/stats/requests")
    environment.stats.log_request("grpc", "Predict", 1, 1)
    remembered = client.get("/stats/requests").get_json()["stats"]
    locust_wraps.forget_statistics(web_ui)

    assert [row["num_requests"] for row in remembered] == [0]
    assert [row["num_requests"] for row in client.get("/stats/requests").get_json()["stats"]] == [1, 1]


def test_the_log_keeps_its_spaces_and_tells_that_it_was_served(web_ui, monkeypatch):
    monkeypatch.setattr(locust.web, "get_logs", lambda: ["1 user     5.0 ∞", 'a "b"'])
    client = web_ui.app.test_client()
    bare = client.get("/logs").get_json()["master"]
    served = []
    locust_wraps.wrap_logs(web_ui, lambda: served.append(True))
    wrapped = client.get("/logs").get_json()["master"]

    assert bare[0] == "1 user     5.0 ∞"
    assert wrapped == ["1 user\u00a0\u00a0\u00a0\u00a0 5.0 ∞", 'a "b"']
    assert served == [True]


def test_locusts_log_tab_has_a_line_for_each_record():
    reader = locust.log.LogReader()
    reader.emit(logging.makeLogRecord({"msg": "one\ntwo"}))

    assert list(reader.logs) == ["one\ntwo"]  # which a browser shows as one line


@pytest.mark.parametrize("name", ["_swarm_greenlet", "shape_greenlet", "spawning_greenlet", "start"])
def test_a_run_is_beginning_while_a_greenlet_that_begins_it_is_alive(web_ui, environment, monkeypatch, name):
    owner = {"_swarm_greenlet": web_ui, "start": locust_wraps._main_gevent}.get(name, environment.runner)
    before = locust_wraps.starters(environment)
    greenlet = gevent.spawn(lambda: None)
    monkeypatch.setattr(owner, name, greenlet)
    during = locust_wraps.starters(environment)
    greenlet.join(10)

    assert (before, during, locust_wraps.starters(environment)) == ([], [greenlet], [])
    assert "_swarm_greenlet = gevent.spawn(" in inspect.getsource(locust.web)
    assert "shape_greenlet = self.greenlet.spawn(" in inspect.getsource(Runner.start_shape)
    assert "spawning_greenlet = self.greenlet.spawn(" in inspect.getsource(LocalRunner.start)


@pytest.mark.parametrize("is_ours", [False, True], ids=["locusts-own", "ours"])
def test_a_start_that_a_listener_holds_up_is_known_and_can_be_stopped(web_ui, environment, monkeypatch, is_ours):
    """Once Locust's own stop ends such a start, too, the wrap is needless."""
    locust_wraps.install()
    if not is_ours:
        monkeypatch.setattr(LocalRunner, "stop", inspect.unwrap(LocalRunner.stop))
    may_begin = gevent.event.Event()
    runner = environment.runner
    environment.user_classes = [type("Waits", (User,), {"tasks": [lambda user: gevent.sleep(60)]})]  # noqa: ARG005
    environment.events.test_start.add_listener(lambda **_: may_begin.wait(10))
    runner.update_state(STATE_STOPPED)  # as after a run
    client = web_ui.app.test_client()
    client.post("/swarm", data={"user_count": 1, "spawn_rate": 1})
    web_ui._swarm_greenlet.join(10)
    is_known = bool(locust_wraps.starters(environment))
    client.post("/stop")
    may_begin.set()
    runner.spawning_greenlet.join(10)

    assert is_known
    assert runner.user_count == (0 if is_ours else 1)
    assert runner.state == (STATE_STOPPED if is_ours else STATE_RUNNING)


def ends_left_after_a_run_that_ended_by_itself(web_ui, environment, listener):
    """Start a run with a run time from the form, end it as the suite does, and return what is left of its timer."""
    environment.user_classes = [type("Waits", (User,), {"tasks": [lambda user: gevent.sleep(60)]})]  # noqa: ARG005
    environment.events.test_stopping.add_listener(listener)
    web_ui.app.test_client().post("/swarm", data={"user_count": 1, "spawn_rate": 1, "run_time": "60s"})
    timer = web_ui._run_time_greenlet
    web_ui._swarm_greenlet.join(10)
    environment.runner.stop()
    gevent.sleep(0)
    return timer, web_ui._run_time_greenlet


def test_the_end_of_a_run_that_ended_by_itself_is_taken_back(web_ui, environment):
    """Once Locust itself forgets it when a run ends, the call is needless."""
    bare, still_set = ends_left_after_a_run_that_ended_by_itself(web_ui, environment, lambda **_: None)
    wrapped, left = ends_left_after_a_run_that_ended_by_itself(
        web_ui, environment, lambda **_: locust_wraps.forget_run_time(web_ui)
    )

    assert still_set is bare
    assert (left, wrapped.dead) == (None, True)


def test_the_timer_that_ends_a_run_forgets_itself_first(web_ui, environment):
    left = []
    environment.runner.stop = lambda: left.append(web_ui._run_time_greenlet)
    web_ui._run_time_greenlet = gevent.spawn(web_ui._stop_runners)
    web_ui._run_time_greenlet.join(10)

    assert left == [None]


def test_an_edit_takes_a_run_its_end_and_it_can_be_set_again(web_ui, environment):
    """Once Locust leaves a run its end, or the page sends it along, the call is needless."""
    client, stopped = web_ui.app.test_client(), []
    environment.runner.start = lambda *_: None
    environment.runner.stop = lambda: stopped.append(True)
    ends = []
    for form in ({"run_time": "60s"}, {}):
        client.post("/swarm", data={"user_count": 1, "spawn_rate": 1, **form})
        ends.append(locust_wraps.has_run_time(web_ui))
    locust_wraps.set_run_time(web_ui, 60)
    first = web_ui._run_time_greenlet
    locust_wraps.set_run_time(web_ui, 0)
    web_ui._run_time_greenlet.join(10)

    assert ends == [True, False]
    assert (stopped, first.dead, locust_wraps.has_run_time(web_ui)) == ([True], True, False)


def test_locusts_page_knows_the_states_that_it_is_told_and_asks_on_while_it_runs():
    (script,) = Path(locust.web.DEFAULT_BUILD_PATH, "assets").glob("*.js")
    text = script.read_text()

    for state in ("ready", "running", "stopped", "spawning"):
        assert f"{state.upper()}:`{state}`" in text
    # The log, every five seconds.
    assert re.search(r"5e3,\{shouldRunInterval:e\.state===\w+\.SPAWNING\|\|e\.state==\w+\.RUNNING\}", text)


ROOT = '<div id="root">'


def test_something_stands_above_locusts_page_once_and_outside_of_what_its_script_makes(web_ui):
    client = web_ui.app.test_client()
    bare = client.get("/").text
    locust_wraps.put_above_page(web_ui, lambda: "<nav>ours</nav>")
    page = client.get("/").text

    assert bare.count(ROOT) == 1
    assert page == bare.replace(ROOT, f"<nav>ours</nav>\n{ROOT}")


def test_who_has_to_log_in_sees_nothing_above_the_page(environment):
    web_ui = web_ui_of(environment, web_login=True)
    web_ui.app.secret_key = "for this test"
    web_ui.login_manager.user_loader(lambda user_id: None)  # noqa: ARG005  (Flask's name)
    web_ui.login_manager.unauthorized_handler(lambda: f"log in first{ROOT}")
    asked = []
    locust_wraps.put_above_page(web_ui, lambda: asked.append("above") or "ours")

    assert web_ui.app.test_client().get("/").text == f"log in first{ROOT}"
    assert asked == []


def extended(client):
    return client.get("/stats/requests").get_json()["extended_stats"]


@pytest.mark.parametrize("is_state_told", [pytest.param(True, id="with-our-state"), pytest.param(False, id="alone")])
def test_rows_go_along_with_the_statistics_beside_those_of_a_locustfile(web_ui, is_state_told):
    theirs = {"key": "theirs", "data": []}
    rows = [{"level": "1 user"}]
    if is_state_told:
        locust_wraps.wrap_statistics(web_ui, lambda: "mine")
    locust_wraps.extend_statistics(web_ui, lambda: {"ours": rows})

    @web_ui.app.after_request
    def add(response):  # as Locust's documentation has it
        if response.is_json:
            response.set_data(json.dumps({**response.get_json(), "extended_stats": [theirs]}))
        return response

    client = web_ui.app.test_client()
    first, second = extended(client), extended(client)
    rows.append({"level": "2 users"})

    assert first == second == [theirs, {"key": "ours", "data": [{"level": "1 user"}]}]
    assert extended(client) == [theirs, {"key": "ours", "data": rows}]  # though Locust remembers its answer
    assert '"ours"' not in client.get("/logs").text


@pytest.mark.parametrize("is_ours", [False, True], ids=["locusts-own", "ours"])
@pytest.mark.parametrize("whose", ["the-forms", "the-command-lines"])
def test_a_masters_run_that_ends_while_its_users_are_awaited_is_not_said_to_run(monkeypatch, whose, is_ours):
    """Once Locust's own stop ends such a start, however it comes to that, the wrap is needless."""
    locust_wraps.install()
    master = Environment(user_classes=[type("Waits", (User,), {"tasks": [lambda _: gevent.sleep(60)]})])
    runner = master.create_master_runner("127.0.0.1", free_port())
    runner.clients["worker"] = WorkerNode("worker")  # which never says that its users are there
    master.web_ui = SimpleNamespace(_swarm_greenlet=None)
    starter = gevent.spawn(runner.start, 1, 1)
    owner, name = (master.web_ui, "_swarm_greenlet") if whose == "the-forms" else (locust_wraps._main_gevent, "start")
    monkeypatch.setattr(owner, name, starter)
    wait_for(lambda: runner.state == STATE_SPAWNING)
    stop = MasterRunner.stop if is_ours else inspect.unwrap(MasterRunner.stop)
    stop(runner, send_stop_to_client=False)
    starter.join(10)
    state = runner.state
    runner.quit()

    assert state == (STATE_STOPPING if is_ours else STATE_RUNNING)
