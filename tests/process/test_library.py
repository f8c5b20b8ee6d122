"""Runs that a program of one's own leads (this one): Locust as a library, against a server that keeps its own count."""

import argparse
import contextlib
import gc
import os
import re
import signal
import subprocess
import sys
import weakref
from typing import ClassVar

import gevent
import locust
import psutil
import pytest
from locust import LoadTestShape, constant, task
from locust.env import Environment
from locust.event import EventHook
from locust.exception import StopTest

import tfsload
from tests.support.runs import PROJECT, free_port, wait_for, wait_until
from tests.support.truth import truth_server
from tfsload.analysis import exit_codes
from tfsload.report.command import command
from tfsload.suite.given_options import give_options
from tfsload.suite.process_suite import SUITES


class Patient(tfsload.GrpcUser):
    wait_time = constant(0.001)


class Steps(LoadTestShape):
    def __init__(self):
        super().__init__()
        self.n_ticks = 0

    def tick(self):
        self.n_ticks += 1
        return (3, 100) if self.n_ticks < 3 else None


@pytest.fixture
def server(tmp_path):
    with truth_server(tmp_path, service_ms=5) as server:
        yield server


def environment_of(server, *classes, shape=None, **options):
    environment = Environment(user_classes=[*(classes or [Patient])], host=server.address, shape_class=shape)
    tfsload.install(environment, **options)
    return environment


def test_each_image_is_fired_once_and_the_result_is_in_hand(server):
    result = tfsload.run_to_end(environment_of(server, num_tests=200), users=4)

    assert (result.judged.exit_code, result.totals.predictions, result.is_complete) == (exit_codes.PASS, 200, True)
    assert (result.users.n, result.users.n_users_asked) == (4, 4)
    assert len(server.end()) == 200


def test_a_run_ends_when_its_time_is_over_and_was_not_stopped_early(server):
    result = tfsload.run_to_end(environment_of(server), users=2, run_time_s=2)
    served = server.end()

    assert result.judged.exit_code == exit_codes.PASS, result.judged.sentences
    assert 0 <= len(served) - result.totals.requests <= 2  # those in flight when it was stopped
    assert result.course.run_time_s == 2
    assert max(one.in_flight for one in served) <= 2


def test_levels_are_gone_through(server):
    options = {"sweep": [1, 2], "level_duration": 0.6, "warm_up": 0.1, "threshold": ["p50 < 1s", "error_rate < 100%"]}
    result = tfsload.run_to_end(environment_of(server, **options))

    assert [level.name for level in result.levels] == ["1 user", "2 users"]
    assert len(result.thresholds) == 4
    assert result.scaling is not None
    assert max(one.in_flight for one in server.end()) <= 2


def test_a_shape_of_ones_own_says_how_many_users_there_are(server):
    result = tfsload.run_to_end(environment_of(server, shape=Steps()))

    assert result.judged.exit_code == exit_codes.PASS
    assert result.users.n == 3
    assert max(one.in_flight for one in server.end()) <= 3


@pytest.mark.parametrize("fires_init", [False, True])
def test_a_runner_is_started_and_stopped_by_hand(server, fires_init):
    environment = environment_of(server)
    runner = environment.create_local_runner()
    if fires_init:
        environment.events.init.fire(environment=environment, runner=runner, web_ui=None)
    told = []
    environment.events.run.add_listener(lambda result, **_: told.append(result))
    runner.start(2, spawn_rate=100)
    wait_for(lambda: runner.stats.total.num_requests > 20)
    assert tfsload.result(environment) is None
    runner.quit()
    result = tfsload.result(environment)

    assert told == [result]
    assert result.judged.exit_code == exit_codes.PASS
    assert 0 <= len(server.end()) - result.totals.requests <= 2


def test_an_environment_may_run_again_with_other_options(server):
    environment = environment_of(server, num_tests=50)
    first = tfsload.run_to_end(environment)
    tfsload.install(environment, num_tests=30)
    second = tfsload.run_to_end(environment, users=2)

    assert [one.totals.predictions for one in (first, second)] == [50, 30]
    assert [one.users.n for one in (first, second)] == [1, 2]
    assert len(server.end()) == 80


def test_a_result_says_what_its_own_run_was_asked_for(server):
    environment = environment_of(server)
    first = tfsload.run_to_end(environment, users=2, spawn_rate=5, run_time_s=1.0)
    tfsload.install(environment, num_tests=10)
    second = tfsload.run_to_end(environment, users=3)
    tfsload.install(environment, num_tests=0, rate=50, level_duration=0.5, warm_up=0)
    third = tfsload.run_to_end(environment, users=4)

    assert command(first).endswith(" -u 2 -r 5 -t 1")
    assert command(second).endswith(" --num-tests 10 -u 3 -r 3")
    assert command(third).endswith(" -u 4")


def left_over():
    """Return what runs leave of themselves in a process."""
    gc.collect()
    return {
        "host": vars(Patient).get("host"),
        "suites": len(SUITES),
        "children": len(psutil.Process().children()),
        "handler": signal.getsignal(signal.SIGINT),
        "files": len([one for one in psutil.Process().net_connections("tcp") if one.status == "ESTABLISHED"]),
    }


@pytest.mark.parametrize("are_together", [False, True], ids=["one-after-the-other", "side-by-side"])
def test_environments_of_one_process_keep_apart_and_leave_nothing(server, are_together):
    at_first = left_over()
    tfsload.run_to_end(environment_of(server, num_tests=10))  # what is made once a process is made
    wait_for(lambda: all(left_over()[what] <= at_first[what] for what in ("suites", "files")))
    before = left_over()
    runs = [(300, 4), (200, 2)]
    if are_together:
        greenlets = [gevent.spawn(count, server, n_images, n_users) for n_images, n_users in runs]
        gevent.joinall(greenlets, raise_error=True)
        counted = [greenlet.value for greenlet in greenlets]
        del greenlets
    else:
        counted = [count(server, n_images, n_users) for n_images, n_users in runs]
    third = count(server, 100, 3)

    assert counted == runs
    assert third == (100, 3)
    wait_for(lambda: left_over() == before)  # what was killed ends at its next turn
    assert len(server.end()) == 10 + 300 + 200 + 100


def count(server, n_images, n_users):
    result = tfsload.run_to_end(environment_of(server, num_tests=n_images), users=n_users)
    assert result.judged.exit_code == exit_codes.PASS
    return result.totals.predictions, result.users.n


def test_two_runs_side_by_side_go_where_each_is_to_go(server, tmp_path):
    with truth_server(tmp_path / "other", service_ms=5) as other:
        greenlets = [gevent.spawn(count, one, n, 2) for one, n in ((server, 120), (other, 70))]
        gevent.joinall(greenlets, raise_error=True)
        assert (len(server.end()), len(other.end())) == (120, 70)
    assert "host" not in vars(Patient)


def test_an_environment_that_nobody_holds_is_forgotten(server):
    environment = environment_of(server, num_tests=10)
    tfsload.run_to_end(environment)
    seen = weakref.ref(environment.tfsload)
    del environment

    wait_for(lambda: gc.collect() >= 0 and seen() is None)  # what was killed ends at its next turn
    assert seen() is None


def test_where_nobody_names_a_host_the_embedded_server_serves_and_is_gone_at_the_end():
    children = {one.pid for one in psutil.Process().children()}
    environment = Environment(user_classes=[Patient])
    tfsload.install(environment, num_tests=100)
    result = tfsload.run_to_end(environment, users=2)

    assert (result.totals.predictions, result.judged.exit_code) == (100, exit_codes.PASS)
    assert result.totals.error_rate < 0.05  # it is the shipped model that answers
    assert {one.pid for one in psutil.Process().children()} <= children


def test_a_master_and_its_workers_in_one_process_fire_each_image_once(server):
    with contextlib.ExitStack() as stack:
        master = environment_of(server, num_tests=300)
        port = free_port()
        runner = master.create_master_runner("127.0.0.1", port)
        stack.callback(runner.quit)
        for _ in range(2):
            worker = environment_of(server)
            stack.callback(worker.create_worker_runner("127.0.0.1", port).quit)
        wait_for(lambda: len(runner.clients.ready) == 2)
        result = tfsload.run_to_end(master, users=4)
        with pytest.raises(RuntimeError, match="it is a worker's"):
            tfsload.run_to_end(worker)

    assert (result.totals.predictions, result.workers.n) == (300, 2)
    assert result.judged.exit_code == exit_codes.PASS, result.judged.sentences
    assert len(server.end()) == 300


@pytest.mark.parametrize(
    ("options", "load", "said"),
    [
        pytest.param(
            {}, {"users": 50, "spawn_rate": 2, "run_time_s": 0.5}, "spawn_rate=2 starts the last of", id="slow"
        ),
        pytest.param({}, {"users": 50, "run_time_s": 0.5}, "", id="all-at-once"),
        pytest.param(
            {"num_tests": 9, "threshold": "p99 < 9s"}, {}, "num_tests=9 makes 9 requests", id="too-few-images"
        ),
    ],
)
def test_a_run_that_will_support_no_verdict_is_warned_of(server, caplog, options, load, said):
    result = tfsload.run_to_end(environment_of(server, **options), **load)

    assert said in caplog.text
    assert ("the run will support no verdict" in caplog.text) is bool(said)
    assert (result.judged.exit_code == exit_codes.INVALID) is bool(said)


# What cannot run


@pytest.mark.parametrize(
    ("options", "arguments", "said"),
    [
        pytest.param({}, {}, "nothing ends the run", id="no-end"),
        pytest.param({"deadline": "soon"}, {"run_time_s": 1}, "--deadline 'soon'", id="a-bad-value"),
        pytest.param({"num_tests": 10**6}, {}, "each is fired once", id="too-many-images"),
        pytest.param({"sweep": "1,2", "rate": "5"}, {}, "--sweep", id="two-kinds-of-levels"),
        pytest.param({"num_tests": 10}, {"users": 0}, "users=0: expected an int", id="no-users"),
        pytest.param({}, {"run_time_s": float("nan")}, "run_time_s=nan: expected seconds", id="a-time-without-end"),
        pytest.param({"sweep": "1"}, {"run_time_s": "5s"}, "run_time_s='5s': expected seconds", id="a-time-in-words"),
        pytest.param({"num_tests": 10, "dry_run": True}, {}, "dry_run: it belongs to Locust's own", id="a-dry-run"),
    ],
)
def test_what_cannot_run_is_refused_with_all_faults(server, options, arguments, said):
    environment = environment_of(server, **options)
    with pytest.raises(tfsload.RunRefused) as refused:
        tfsload.run_to_end(environment, **arguments)

    assert said in str(refused.value)
    assert refused.value.exit_code == exit_codes.BAD_USAGE
    tfsload.install(environment, deadline=5, num_tests=20, sweep="", rate="", dry_run=False)
    assert tfsload.run_to_end(environment).totals.predictions == 20  # and the next one can
    assert len(server.end()) == 20


def test_a_server_that_is_not_there_is_refused():
    environment = Environment(user_classes=[Patient], host=f"127.0.0.1:{free_port()}")
    tfsload.install(environment, num_tests=10)
    with pytest.raises(tfsload.RunRefused, match="no model server answers") as refused:
        tfsload.run_to_end(environment)

    assert refused.value.exit_code == exit_codes.FAILED


def test_one_run_at_a_time_in_an_environment(server):
    environment = environment_of(server, num_tests=400)
    first = gevent.spawn(tfsload.run_to_end, environment)
    wait_for(lambda: environment.runner is not None and environment.runner.user_count)
    with pytest.raises(RuntimeError, match="one at a time"):
        tfsload.run_to_end(environment)

    assert first.get().totals.predictions == 400


def test_levels_that_users_are_started_into_by_hand_are_refused(server, caplog):
    environment = environment_of(server, sweep="1,2")
    runner = environment.create_local_runner()
    runner.start(3, spawn_rate=100)
    wait_for(lambda: "start the run with tfsload.run_to_end(environment)" in caplog.text)
    runner.quit()

    assert tfsload.result(environment) is None
    assert server.end() == []


def test_an_environment_without_users_of_the_suite_is_refused(server):
    environment = Environment(user_classes=[], host=server.address)
    with pytest.raises(tfsload.RunRefused, match="no user class of the suite's"):
        tfsload.run_to_end(environment, run_time_s=1)


class Broken(LoadTestShape):
    def tick(self):
        raise KeyError("mine")


def test_a_shape_that_breaks_is_no_wait(server):
    with pytest.raises(RuntimeError, match="the run broke off: KeyError"):
        tfsload.run_to_end(environment_of(server, shape=Broken()))


class Mistaken(tfsload.GrpcUser):
    predict_in_turn = None

    @task
    def mistake(self):
        self.predict()
        raise KeyError("mine")


def test_an_exception_in_user_code_is_named_with_its_place(server):
    result = tfsload.run_to_end(environment_of(server, Mistaken, num_tests=20))

    assert result.judged.exit_code == exit_codes.FAILED
    assert re.search(
        r"^\d+ exceptions in user code, such as 'mine' \(test_library\.py, line \d+, in mistake\); see the log",
        result.judged.sentences[0],
    )


def test_ctrl_c_while_it_starts_reaches_the_program(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tfsload.target.embedded.EmbeddedServer.start", interrupt)
    environment = Environment(user_classes=[Patient])
    with pytest.raises(KeyboardInterrupt):
        tfsload.run_to_end(environment, run_time_s=1)


class Asking(tfsload.GrpcUser):
    predict_in_turn = None
    answers: ClassVar[list] = []

    @task
    def ask(self):
        self.answers.append(self.predict())


def test_a_task_is_given_the_answer(server):
    tfsload.run_to_end(environment_of(server, Asking, num_tests=5))

    assert [len(answer.scores[0]) for answer in Asking.answers] == [10] * 5
    assert all(answer.predicted[0] == max(range(10), key=answer.scores[0].__getitem__) for answer in Asking.answers)


def test_a_listener_that_calls_a_start_off_is_no_wait(server):
    environment = environment_of(server, num_tests=10)

    def call_off(**_):
        raise StopTest("not today")

    environment.events.test_start.add_listener(call_off)
    environment.create_local_runner()
    with pytest.raises(RuntimeError, match="before it began"):
        tfsload.run_to_end(environment)


def test_a_beginning_that_breaks_in_its_middle_is_no_wait(server, monkeypatch):
    user_class = type("Another", (Patient,), {})  # which keeps the host that Locust gives it
    monkeypatch.setattr("tfsload.suite.leader.AbortWatch", lambda *_, **__: {}["mine"])
    with gevent.Timeout(30), pytest.raises(RuntimeError, match="before it began; the log says why"):
        tfsload.run_to_end(environment_of(server, user_class, num_tests=10))


@pytest.mark.parametrize("has_host", [True, False])
def test_a_refusal_leaves_nothing(server, tmp_path, has_host):
    environment = Environment(user_classes=[Patient], host=server.address if has_host else None)
    tfsload.install(environment, report=str(tmp_path / "new" / "report"))
    children = len(psutil.Process().children())
    with pytest.raises(tfsload.RunRefused, match="nothing ends the run"):
        tfsload.run_to_end(environment)

    seen = weakref.ref(environment.tfsload)
    del environment
    wait_for(lambda: gc.collect() >= 0 and seen() is None)
    assert len(psutil.Process().children()) == children
    assert not (tmp_path / "new").exists()


def test_all_faults_are_told_at_once(server):
    environment = Environment(user_classes=[], host=server.address)
    tfsload.install(environment, deadline="soon")
    with pytest.raises(tfsload.RunRefused) as refused:
        tfsload.run_to_end(environment, users=1.5, spawn_rate=True)

    said = "\n".join(refused.value.faults)
    told = ("users=1.5: ", "spawn_rate=True: ", "no user class", "nothing ends the run", "--deadline 'soon'")
    assert all(words in said for words in told)


@pytest.mark.parametrize("options", [{"sweep": "1"}, {}], ids=["levels", "a-shape"])
def test_a_time_beside_another_end_is_refused(server, options):
    environment = environment_of(server, shape=None if options else Steps(), **options)
    with pytest.raises(tfsload.RunRefused, match="end by themselves: leave it out"):
        tfsload.run_to_end(environment, run_time_s=60)


def test_a_master_without_workers_is_refused(server):
    environment = environment_of(server, num_tests=10)
    runner = environment.create_master_runner("127.0.0.1", free_port())
    with pytest.raises(tfsload.RunRefused, match="no worker that is ready"):
        tfsload.run_to_end(environment)
    runner.quit()


def test_a_master_whose_run_ends_within_its_ramp_can_run_again(server):
    with contextlib.ExitStack() as stack:
        master = environment_of(server, num_tests=60)
        port = free_port()
        runner = master.create_master_runner("127.0.0.1", port)
        stack.callback(runner.quit)
        worker = environment_of(server)
        stack.callback(worker.create_worker_runner("127.0.0.1", port).quit)
        wait_for(lambda: len(runner.clients.ready) == 1)
        results = [tfsload.run_to_end(master, users=20, spawn_rate=2) for _ in range(2)]

    assert [result.totals.predictions for result in results] == [60, 60]
    assert len(server.end()) == 120


def test_a_run_that_comes_later_goes_where_it_would_go_alone(server):
    """A class bears the host of a run under way; that is not what it names itself."""
    environment = Environment(user_classes=[Patient])
    tfsload.install(environment, num_tests=50)
    first = gevent.spawn(count, server, 600, 2)
    wait_for(lambda: vars(Patient).get("host") == server.address)
    result = tfsload.run_to_end(environment)

    assert result.server.address != server.address
    assert first.get() == (600, 2)
    assert len(server.end()) == 600


def test_environments_may_share_their_events(server):
    environments = [Environment(user_classes=[Patient], host=server.address, events=locust.events) for _ in range(2)]
    told = []
    tell = locust.events.run.add_listener(lambda result, **_: told.append(result.totals.predictions))
    try:
        for environment, n_images in zip(environments, (40, 30), strict=True):
            tfsload.install(environment, num_tests=n_images)
            assert tfsload.run_to_end(environment).totals.predictions == n_images
    finally:
        locust.events.run.remove_listener(tell)

    assert told == [40, 30]
    assert len(server.end()) == 70


def test_all_listeners_of_the_end_have_had_their_turn(server):
    environment = environment_of(server)
    environment.create_local_runner()
    tfsload.run_to_end(environment, run_time_s=0.2)
    done = []

    def write(**_):
        gevent.sleep(0.4)
        done.append("written")

    environment.events.test_stop.add_listener(write)  # after the suite's own
    tfsload.run_to_end(environment, run_time_s=0.2)

    assert done == ["written"]


def test_few_users_of_open_load_are_the_most_in_flight(server):
    options = {"rate": "300", "level_duration": 0.6, "warm_up": 0, "arrivals": "constant"}
    tfsload.run_to_end(environment_of(server, **options), users=1)

    assert max(one.in_flight for one in server.end()) == 1


# Options


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        pytest.param("num_tests", 1000, "1000", id="a-number"),
        pytest.param("tls", True, "true", id="a-switch"),
        pytest.param("sweep", [1, 2, 4], "1,2,4", id="a-list"),
        pytest.param("threshold", ["p99 < 1s", "rate > 1"], "p99 < 1s;rate > 1", id="one-that-may-be-repeated"),
        pytest.param("metadata", {"a": "b", "c": "d"}, "a=b;c=d", id="a-mapping"),
        pytest.param("tolerance", "0.1%", "0.1%", id="a-text"),
        pytest.param("model_label", None, "", id="none"),
        pytest.param("find_max_rate", (100, 2000), "100:2000", id="a-range"),
    ],
)
def test_options_are_given_as_what_they_stand_for(name, value, text):
    environment = Environment(user_classes=[Patient])
    tfsload.install(environment, **{name: value})

    assert getattr(environment.parsed_options, name) == text
    assert environment.parsed_options.dataset == "mnist5k"  # the others have their defaults
    assert not environment.parsed_options.headless


def test_an_option_has_what_its_environment_variable_says(monkeypatch):
    monkeypatch.setenv("TFSLOAD_NUM_TESTS", "7")
    environment = Environment(user_classes=[Patient])
    give_options(environment, {"seed": 3})

    assert (environment.parsed_options.num_tests, environment.parsed_options.seed) == ("7", "3")


def test_a_variable_that_looks_like_an_options_is_refused_before_anything_is_changed(monkeypatch):
    monkeypatch.setenv("TFSLOAD_NUM_TEST", "7")
    environment = Environment(user_classes=[Patient])
    with pytest.raises(ValueError, match=r"TFSLOAD_NUM_TEST .* did you mean TFSLOAD_NUM_TESTS\?"):
        tfsload.install(environment)

    assert environment.parsed_options is None


@pytest.mark.parametrize(
    ("variable", "options", "said"),
    [
        pytest.param("TFSLOAD_SERVICE_HOST", None, [], id="of-kubernetes"),
        pytest.param("TFSLOAD_NUM_TEST", argparse.Namespace(worker=True), [], id="of-a-worker"),
        pytest.param("TFSLOAD_RATES", None, [], id="of-an-own-option"),
        pytest.param("TFSLOAD_ZZZ", None, ["TFSLOAD_ZZZ in the environment: no effect"], id="of-nobody"),
    ],
)
def test_variables_that_no_option_is_near_to_are_let_be(monkeypatch, caplog, variable, options, said):
    def add(parser, **_):
        parser.add_argument("--rates", env_var="TFSLOAD_RATES")

    monkeypatch.setenv(variable, "7")
    monkeypatch.setattr(locust.events, "init_command_line_parser", EventHook())
    locust.events.init_command_line_parser.add_listener(add)
    tfsload.install(Environment(user_classes=[Patient], parsed_options=options))

    assert [one.partition(",")[0] for one in caplog.messages] == said


def test_options_that_do_not_exist_are_named_all_at_once():
    with pytest.raises(ValueError, match=r"'num_test': did you mean 'num_tests'\?; there is no option 'zzz'"):
        tfsload.install(Environment(user_classes=[Patient]), num_test=1, zzz=2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"metadata": {"token": "s3cret;x=y"}}, "metadata: a value holds ';'", id="a-secret"),
        pytest.param({"threshold": ["p99 < 1s; rate > 1"]}, "threshold: 'p99 < 1s; rate > 1' holds ';'", id="a-list"),
    ],
)
def test_what_would_be_taken_for_several_is_refused(options, said):
    environment = Environment(user_classes=[Patient])
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        tfsload.install(environment, **options)

    assert "s3cret" not in str(refused.value)


def test_options_belong_to_an_environment():
    with pytest.raises(ValueError, match="options are an environment's"):
        tfsload.install(Environment(user_classes=[Patient]).events, num_tests=1)


def test_a_result_is_shown_in_a_line(server):
    result = tfsload.run_to_end(environment_of(server, num_tests=20))

    assert repr(result).startswith("<RunResult: PASS, 20 requests, ")
    assert len(repr(result)) < 80


# Ctrl-C

PROGRAM = """
import itertools
import sys
import gevent
from locust.env import Environment
import tfsload

class MyUser(tfsload.GrpcUser):
    pass

environment = Environment(user_classes=[MyUser], host=sys.argv[1])
numbers = itertools.count()
environment.events.request.add_listener(lambda **_: next(numbers) or print("fires", flush=True))
environment.events.test_stop.add_listener(lambda **_: gevent.sleep(0.5))  # while it ends, it is pressed again
try:
    tfsload.run_to_end(environment, users=4, run_time_s=60)
except KeyboardInterrupt:
    print("interrupted", tfsload.result(environment).totals.requests > 0)
"""


@pytest.mark.parametrize("n_presses", [1, 2, 3])
def test_ctrl_c_ends_the_run_and_reaches_the_program_once(server, tmp_path, n_presses):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    arguments, environment = [sys.executable, str(program), server.address], {**os.environ, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(arguments, cwd=tmp_path, env=environment, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"fires\n"
            for _ in range(n_presses):
                process.send_signal(signal.SIGINT)
                gevent.sleep(0.02)
            wait_until(lambda: process.poll() is not None, "the program's end")
            assert process.stdout.read() == b"interrupted True\n"
            assert process.returncode == 0
        finally:
            process.kill()
