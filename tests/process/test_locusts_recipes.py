"""Recipes of Locust's own documentation, as people copy them, with the suite's users in them: each keeps its promise.

Chapter by chapter: writing a locustfile, load shapes, other systems, as a library, event hooks, request rate,
distributed, configuration, web UI. What test_in_your_locustfile.py holds of these is not here once more.
"""

import os
import signal
import subprocess
import sys

import pytest

from tests.support.own_locustfiles import own_locustfiles
from tests.support.runs import LIMIT_S, PROJECT, free_port, wait_until
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes


@pytest.fixture
def own(tmp_path):
    with own_locustfiles(tmp_path) as own:
        yield own


PLAIN = """
class MyUser(tfsload.GrpcUser):
    pass
"""

# Writing a locustfile

TASKS_WITH_WEIGHTS = """
def often(user):
    say("often")
    user.predict()

def seldom(user):
    say("seldom")
    user.predict()

class MyUser(tfsload.GrpcUser):
    predict_in_turn = None
    tasks = {often: 9, seldom: 1}
"""
ENDS_THE_RUN = """
class MyUser(tfsload.GrpcUser):
    n = 0

    @task
    def count(self):
        MyUser.n += 1
        if MyUser.n == 30:
            self.environment.runner.quit()
            say("asked")
"""
WITH_A_MIXIN = """
class LogsIn:
    def on_start(self):
        self.token = "secret"
        say("logged in")

class MyUser(LogsIn, tfsload.GrpcUser):
    def on_stop(self):
        say("logged out", self.token)
"""


def test_tasks_may_have_weights(own):
    seen = own.run(TASKS_WITH_WEIGHTS, "--num-tests", "200")

    assert seen.n_served == 200
    assert seen.said.total() == 201  # one more is to come when the images are through
    assert 5 < seen.said["seldom"] < 50


@pytest.mark.parametrize("n_users", [1, 2, 5])
def test_a_task_may_end_the_run(own, n_users):
    seen = own.run(ENDS_THE_RUN, "-u", str(n_users), "-r", "100")

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.said == {"asked": 1}
    assert 0 < seen.n_served < 100
    assert "Inference error rate" in seen.ended.stdout


def test_a_mixin_that_knows_nothing_of_the_suite_starts_its_users(own):
    seen = own.run(WITH_A_MIXIN, "-u", "2", "-r", "100", "--num-tests", "50")

    assert seen.said == {"logged in": 2, "logged out secret": 2}
    assert seen.n_served == 50


SINGLE = """
from locust.exception import StopUser

class MyUser(tfsload.GrpcUser):
    host = "SERVER"
    predict_in_turn = None

    @task
    def once(self):
        self.predict()
        say("predicted")
        self.n = getattr(self, "n", 0) + 1
        if self.n == 3:
            raise StopUser

if __name__ == "__main__":
    run_single_user(MyUser)
"""


def run_program(own, source, limit_s=LIMIT_S):
    """Run a program that embeds Locust to its end, and return what it has printed."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "SAID": str(own.said)}
    given = [sys.executable, str(own.write(source, "program.py"))]
    return subprocess.run(
        given, cwd=own.directory, env=environment, capture_output=True, text=True, timeout=limit_s, check=False
    )


def test_a_single_user_may_be_debugged(own):
    done = run_program(own, SINGLE)

    assert done.stdout.count("Predict") == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert own.said.read_text() == "predicted\n" * 3


# Load shapes

STAGES = """
class Stages(LoadTestShape):
    abstract = True

    def tick(self):
        for stage in self.stages:
            if self.get_run_time() < stage["duration"]:
                return stage["users"], stage["spawn_rate"]
        return None

class MyStages(Stages):
    stages = [{"duration": 1, "users": 2, "spawn_rate": 100}, {"duration": 2, "users": 4, "spawn_rate": 100}]
"""


def test_a_shape_may_be_derived_from_an_abstract_one(own):
    seen = own.run(PLAIN + STAGES)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.spawned == [{"MyUser": 2}, {"MyUser": 4}]
    assert seen.most_in_flight == 4


# Other systems

OTHER_CLIENT = """
class Timed:
    def __init__(self, environment):
        self._environment = environment

    def ask(self):
        with self._environment.events.request.measure("own", "ask") as meta:
            gevent.sleep(0.01)
            meta["response"] = None

class MyUser(tfsload.GrpcUser):
    def __init__(self, environment):
        super().__init__(environment)
        self.client = Timed(environment)

    @task
    def ask(self):
        self.client.ask()
        say("asked")
"""


def test_a_client_of_ones_own_reports_beside_predictions(own):
    seen = own.run(OTHER_CLIENT, "--num-tests", "60")
    rows = [line.split() for line in seen.ended.stderr.splitlines() if line.startswith("own ")]

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.n_served == 60
    assert 0 <= int(rows[0][2]) - seen.said["asked"] <= 1  # the last may be stopped before it says so


# As a library

LIBRARY = """
import urllib.request
from locust.env import Environment
from locust.log import setup_logging
from locust.stats import stats_history, stats_printer

setup_logging("INFO")

class MyUser(tfsload.GrpcUser):
    host = "SERVER"

environment = Environment(user_classes=[MyUser], events=events)
runner = environment.create_local_runner()
web_ui = environment.create_web_ui("127.0.0.1", PORT)
environment.events.init.fire(environment=environment, runner=runner, web_ui=web_ui)
gevent.spawn(stats_printer(environment.stats))
gevent.spawn(stats_history, environment.runner)
runner.start(2, spawn_rate=10)
gevent.spawn_later(1.5, runner.quit)
page = urllib.request.urlopen("http://127.0.0.1:PORT/").status
runner.greenlet.join()
web_ui.stop()
result = tfsload.result(environment)
print(page, result.judged.word, result.totals.requests)
"""


def test_the_librarys_own_example_runs_and_has_its_result(own):
    done = run_program(own, LIBRARY.replace("PORT", str(free_port())))
    page, word, n_requests = done.stdout.split()[-3:]

    assert (page, word, done.returncode) == ("200", "PASS", 0), done.stderr
    assert 0 <= len(own.server.end()) - int(n_requests) <= 2


# Event hooks

CHECKER = """
from locust import runners

class MyUser(tfsload.GrpcUser):
    pass

def checker(environment):
    while environment.runner.state not in ("stopping", "stopped", "cleanup"):
        gevent.sleep(0.05)
        if environment.runner.stats.total.num_requests > 50:
            say("enough")
            environment.runner.quit()
            return

@events.init.add_listener
def on_init(environment, **_):
    if not isinstance(environment.runner, runners.WorkerRunner):
        gevent.spawn(checker, environment)
"""
OWN_EXIT_CODE = """
class MyUser(tfsload.GrpcUser):
    pass

@events.quitting.add_listener
def judge(environment, **_):
    stats = environment.stats.total
    environment.process_exit_code = 7 if stats.num_requests == 40 and stats.fail_ratio == 0 else 8
"""
CONTEXT = """
import time

class MyUser(tfsload.GrpcUser):
    pass

@events.request.add_listener
def on_request(request_type, name, response_time, response_length, response, context, exception, start_time, url, **_):
    is_now = abs(time.time() - start_time) < 60
    say(type(context).__name__, response_length > 0, exception, url, is_now, len(response.predicted))
"""


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked")])
def test_a_greenlet_beside_it_may_end_the_run(own, n_workers):
    seen = own.run(CHECKER, "-u", "2", "-r", "100", n_workers=n_workers)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.said == {"enough": 1}
    assert seen.n_served > 50


def test_an_exit_code_by_locusts_statistics_stays(own):
    seen = own.run(OWN_EXIT_CODE, "--num-tests", "40")

    assert seen.ended.exit_code == 7


def test_a_request_is_told_with_all_that_locust_names(own):
    seen = own.run(CONTEXT, "--num-tests", "30")

    assert seen.said == {f"dict True None grpc://{own.address} True 1": 30}


# Distributed

MESSAGES = """
from locust import runners

class MyUser(tfsload.GrpcUser):
    pass

def on_names(environment, msg, **_):
    say("worker has", *msg.data)
    environment.runner.send_message("thanks", len(msg.data))

def on_thanks(environment, msg, **_):
    say("master is thanked for", msg.data)

def on_wanted(environment, msg, **_):
    environment.runner.send_message("names", ["a", "b"], msg.node_id)

@events.init.add_listener
def on_init(environment, **_):
    if isinstance(environment.runner, runners.MasterRunner):
        environment.runner.register_message("thanks", on_thanks)
        environment.runner.register_message("wanted", on_wanted)

@events.test_start.add_listener
def on_start(environment, **_):
    if not isinstance(environment.runner, runners.MasterRunner):  # what comes before who registers it is lost
        environment.runner.register_message("names", on_names)
        environment.runner.send_message("wanted")
"""


def test_messages_of_ones_own_go_between_master_and_workers(own):
    seen = own.run(MESSAGES, "--num-tests", "100", "-u", "2", "-r", "100", n_workers=2)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.said == {"worker has a b": 2, "master is thanked for 2": 2}
    assert seen.n_served == 100


# Configuration and web UI

ARGUMENTS = """
class MyUser(tfsload.GrpcUser):
    pass

@events.init_command_line_parser.add_listener
def add(parser):
    parser.add_argument("--stand", choices=["test", "live"], default="test")
    parser.add_argument("--password", default="", is_secret=True)
    parser.add_argument("--unseen", default="here", include_in_web_ui=False)

@events.test_start.add_listener
def on_start(environment, **_):
    options = environment.parsed_options
    say(options.stand, options.password, options.unseen)
"""


def test_arguments_with_choices_and_secrets_come_from_the_form(own):
    path = own.write(ARGUMENTS)
    arguments = ("--host", own.address, "--password", "of-the-command-line")
    with web_ui_of(own.directory / "run", *arguments, locustfile=path, SAID=str(own.said)) as ui:
        assert ui.start(stand="live", password="of-the-form", num_tests="20")["success"]
        wait_until(lambda: ui.n_summaries() == 1, "the summary")
        ui.process.signal(signal.SIGTERM)
        seen = own.seen(ui.process.wait())

    assert seen.said == {"live of-the-form here": 1}
    assert seen.n_served == 20


def test_a_web_ui_below_a_path_starts_runs(own):
    path = own.write(PLAIN)
    arguments = ("--host", own.address, "--web-base-path", "/load")
    with web_ui_of(own.directory / "run", *arguments, locustfile=path, up_path="/load/") as ui:
        reply = ui.ask("POST", "/load/swarm", "user_count=2&spawn_rate=2&num_tests=30", Origin=ui.url)
        wait_until(lambda: ui.n_summaries() == 1, "the summary")
        ui.process.signal(signal.SIGTERM)
        seen = own.seen(ui.process.wait())

    assert reply.status == 200
    assert seen.n_served == 30
