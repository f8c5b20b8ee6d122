"""The web UI of a program that leads its own runs (this one): Locust as a library."""

import contextlib
import json
import re
import socket
import sys
import urllib.parse
import urllib.request

import gevent
import gevent.event
import pytest
from locust import constant
from locust.env import Environment

import tfsload
from tests.support.runs import free_port, is_listening, wait_for
from tests.support.truth import truth_server
from tests.support.undrawn import make_undrawn
from tfsload.analysis import exit_codes
from tfsload.suite import web_side


class Patient(tfsload.GrpcUser):
    wait_time = constant(0.001)


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program"])  # Locust reads its options from there, to show them
    with truth_server(tmp_path, service_ms=5) as server:
        yield server


@pytest.fixture
def undrawn(monkeypatch):
    monkeypatch.setattr(web_side, "make_others", make_undrawn)


def environment_of(server, **options):
    environment = Environment(user_classes=[Patient], host=server.address)
    tfsload.install(environment, **options)
    return environment


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("how", ["by-hand", "to-its-end"])
def test_a_web_ui_of_ones_own_need_not_be_told_of(server, how):
    environment = environment_of(server)
    runner = environment.create_local_runner()
    port = free_port()
    web_ui = environment.create_web_ui("127.0.0.1", port)
    wait_for(lambda: is_listening(f"127.0.0.1:{port}"))
    try:
        if how == "by-hand":
            runner.start(2, spawn_rate=100)
            wait_for(lambda: runner.stats.total.num_requests > 20)
            runner.quit()
        else:
            tfsload.run_to_end(environment, run_time_s=2)
    finally:
        web_ui.stop()

    assert tfsload.result(environment).judged.exit_code == exit_codes.PASS


def test_a_web_ui_of_ones_own_shows_all_runs_with_their_reports(server):
    environment = environment_of(server, num_tests=50)
    environment.create_local_runner()
    port = free_port()
    web_ui = environment.create_web_ui("127.0.0.1", port)
    runs = f"http://127.0.0.1:{port}/tfsload/runs"
    wait_for(lambda: is_listening(f"127.0.0.1:{port}"))
    try:
        tfsload.run_to_end(environment)
        tfsload.run_to_end(environment, run_time_s=60)
        wait_for(lambda: json.loads(read(f"{runs}/2/live.json"))["is_settled"])
        pages = [read(f"{runs}/{number}") for number in (1, 2)]
        again = [dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)) for page in pages]
    finally:
        web_ui.stop()

    assert ["files/report.html" in page for page in pages] == [True, True]
    assert [(one["user_count"], one["run_time"]) for one in again] == [("1", ""), ("1", "60s")]


def read(url):
    with urllib.request.urlopen(url, timeout=60) as reply:
        return reply.read().decode()


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("what", ["an-origin", "a-port"])
@pytest.mark.parametrize("how", ["by-hand", "to-its-end"])
def test_what_was_refused_of_a_web_ui_can_be_put_right(server, what, how, caplog):
    environment = environment_of(server, web_origin="nonsense" if what == "an-origin" else "")
    runner, n_listeners = environment.create_local_runner(), []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1] if what == "a-port" else free_port()
        web_ui = environment.create_web_ui("127.0.0.1", port, delayed_start=True)
        for _ in range(2):
            if how == "by-hand":
                runner.start(1, spawn_rate=100)
                wait_for(lambda: said(what) in caplog.text)
                runner.stop()
            else:
                with pytest.raises(tfsload.RunRefused, match=said(what)):
                    tfsload.run_to_end(environment, run_time_s=60)
            caplog.clear()
            n_listeners.append(listeners_of(environment))
    tfsload.install(environment, web_origin="", num_tests=50)
    result = tfsload.run_to_end(environment)
    web_ui.start()
    wait_for(lambda: is_listening(f"127.0.0.1:{port}"))
    try:
        page = read(f"http://127.0.0.1:{port}/tfsload/runs/1")
    finally:
        web_ui.stop()

    assert result.totals.predictions == 50
    assert "/tfsload/?run=1" in page
    assert [*n_listeners, listeners_of(environment)] == [n_listeners[0]] * 3


class Held:
    """A web UI of a program's own, and a listener for which starts wait, until the test lets them go on."""

    def __init__(self, environment):
        self.environment = environment
        self.runner = environment.create_local_runner()
        self.port = free_port()
        self.web_ui = environment.create_web_ui("127.0.0.1", self.port)
        self.is_held, self.may_begin = gevent.event.Event(), gevent.event.Event()
        environment.events.test_start.add_listener(self._hold)
        environment.events.init.fire(environment=environment, runner=self.runner, web_ui=self.web_ui)
        wait_for(lambda: is_listening(f"127.0.0.1:{self.port}"))

    def _hold(self, **_):
        self.is_held.set()
        self.may_begin.wait(60)

    @property
    def leader(self):
        return self.environment.tfsload.leader

    def post(self, path, **form):
        fields = urllib.parse.urlencode({"user_count": 1, "spawn_rate": 1, **form}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", fields, timeout=60) as reply:
            return json.loads(reply.read())

    def close(self):
        self.may_begin.set()
        self.runner.quit()
        self.web_ui.stop()


@pytest.fixture
def held(monkeypatch):
    """Return a function that makes one of an environment; it is closed at the end."""
    monkeypatch.setattr(sys, "argv", ["program"])  # Locust reads its options from there, to show them
    with contextlib.ExitStack() as stack:

        def make(environment):
            made = Held(environment)
            stack.callback(made.close)
            return made

        yield make


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("load", [{"sweep": "1,2"}, {"num_tests": "50"}], ids=["levels", "images"])
def test_a_start_that_was_stopped_while_it_waited_leaves_nothing(server, held, load):
    ui = held(environment_of(server))
    assert ui.post("/swarm", **load)["success"]
    assert ui.is_held.wait(60)
    shape = ui.environment.shape_class
    ui.post("/stop")
    after = ui.leader.coming.run, ui.environment.shape_class, ui.leader.stages.now.value
    ui.may_begin.set()
    tfsload.install(ui.environment, sweep="", num_tests=50)
    result = tfsload.run_to_end(ui.environment)

    assert (shape is not None) is ("sweep" in load)
    assert after == (None, None, "idle")
    assert result.totals.predictions == 50


@pytest.mark.usefixtures("undrawn")
def test_a_stop_is_of_the_start_alone_that_it_was_meant_for(server, held):
    ui = held(environment_of(server, num_tests=50))
    ui.may_begin.set()
    ui.post("/stop")
    result = tfsload.run_to_end(ui.environment)

    assert result.totals.predictions == 50


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_is_refused_beside_a_start_leaves_that_its_server(held):
    environment = Environment(user_classes=[Patient])
    tfsload.install(environment, num_tests=50)
    ui = held(environment)
    assert ui.post("/swarm")["success"]
    assert ui.is_held.wait(60)
    starting = ui.leader.coming.run
    with pytest.raises(tfsload.RunRefused, match="another run is being started"):
        tfsload.run_to_end(environment)
    kept = ui.leader.coming.run
    ui.may_begin.set()
    wait_for(lambda: tfsload.result(environment) is not None)

    assert kept is starting
    assert tfsload.result(environment).judged.exit_code == exit_codes.PASS
    assert tfsload.result(environment).totals.predictions == 50


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("ends", [{}, {"run_time_s": 1}], ids=["by-its-images", "and-has-a-time"])
def test_a_run_from_the_form_that_begins_before_run_to_end_has_returned_is_left_alone(server, held, monkeypatch, ends):
    ui = held(environment_of(server, num_tests=50))
    ui.may_begin.set()
    let_go, forms = [], []
    monkeypatch.setattr(ui.leader, "let_go", lambda: let_go.append(True))

    def start_another(**_):
        if not forms:
            forms.append(ui.post("/swarm", num_tests="0"))
            wait_for(lambda: ui.runner.stats.total.num_requests > 20)
            gevent.sleep(2 * ends.get("run_time_s", 0))

    ui.environment.events.test_stop.add_listener(start_another)
    result = tfsload.run_to_end(ui.environment, **ends)
    stage, n_before = ui.leader.stages.now.value, ui.runner.stats.total.num_requests
    wait_for(lambda: ui.runner.stats.total.num_requests > n_before)

    assert forms[0]["success"]
    assert result.totals.predictions == 50
    assert (stage, let_go) == ("running", [])


def listeners_of(environment):
    events, own = environment.events, getattr(environment.stats, "book_all", None)  # hangs there from the first user on
    hooks = events.test_start, events.test_stop, events.quitting
    assert all(hook._handlers.count(own) <= 1 for hook in hooks)
    return [len([one for one in hook._handlers if one != own]) for hook in hooks]


def said(what):
    return "--web-origin 'nonsense'" if what == "an-origin" else "another program listens there"
