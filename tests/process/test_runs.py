"""Whole runs: real processes, the real embedded server, and TensorFlow's own answers to compare with."""

import gzip
import json
import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from tests.support.protocols import BOTH, FOR_BOTH, address_of, named, sending
from tests.support.reference import assert_equals_reference
from tests.support.runs import PROJECT, LocustProcess, free_port, is_listening, locust, run_headless, wait_until
from tfsload.analysis import exit_codes
from tfsload.target.launcher import EmbeddedServer
from tfsload.transport.spoken import GRPC, REST

# With three users 1,000 images take three seconds: time enough to do something in the middle.
UNHURRIED = {"TFSLOAD_TEST_WAIT_S": "0.01"}
# A directory with the canonical 10,000-image test set, as IDX files.
MNIST_TEST_SET = os.environ.get("TFSLOAD_TEST_MNIST", "")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="one-process"),
        pytest.param(["--processes", "2"], id="two-processes"),
        pytest.param(["--images-per-request", "7"], id="seven-images-a-request"),
        pytest.param(["-r", "1"], id="slow-ramp"),
        pytest.param(["--seed", "5", "--signature-name", "serving_default"], id="serving-default"),
    ],
)
@pytest.mark.parametrize("spoken", BOTH)
def test_each_image_is_scored_once_and_as_tensorflow_does(tmp_path, model_server, reference, arguments, spoken):
    assert_scored_once(tmp_path, reference, *sending(spoken, model_server), *arguments)


@pytest.mark.parametrize("arguments", [[], ["--images-per-request", "7"]], ids=["one-image", "seven-images"])
def test_rest_s_columns_are_scored_as_its_rows(tmp_path, model_server, reference, arguments):
    assert_scored_once(tmp_path, reference, *sending(REST, model_server), "--rest-format", "column", *arguments)


def assert_scored_once(tmp_path, reference, *arguments):
    n_images = 1000

    ended = run_headless(tmp_path, *arguments, "-u", "4", "-r", "4", "--num-tests", str(n_images))

    assert_equals_reference(ended, reference("mnist5k"), n_images)
    rate = 100 * reference("mnist5k").error_rate(n_images)
    assert ended.stdout.splitlines()[-1] == f"Inference error rate: {rate:.2f}%"


@pytest.mark.parametrize("spoken", BOTH)
def test_the_embedded_server_is_the_default_target_and_does_not_outlive_the_run(tmp_path, reference, spoken):
    ended = run_headless(tmp_path, *named(spoken), "-u", "2", "-r", "2", "--num-tests", "100")

    assert_equals_reference(ended, reference("mnist5k"), 100)
    port = ended.stdout.split(" at 127.0.0.1:")[1].split()[0]
    assert not is_listening(f"127.0.0.1:{port}")


@pytest.mark.skipif(not MNIST_TEST_SET, reason="TFSLOAD_TEST_MNIST does not name a directory with MNIST's test set")
def test_the_whole_mnist_test_set(tmp_path, model_server, reference):
    ended = run_headless(
        tmp_path, "--host", model_server.address, "-u", "4", "-r", "4",
        "--dataset", MNIST_TEST_SET, "--num-tests", "10000", "--images-per-request", "8",
    )  # fmt: skip

    assert ended.outcome["predictions"] == 10_000
    assert ended.outcome["error_rate"] <= 0.025
    # One of 10,000 may tip over: a batch of 8 is not summed in the order of a batch of 500.
    assert abs(ended.outcome["wrong"] - reference(MNIST_TEST_SET).confusion(10_000).wrong) <= 1


@pytest.fixture
def full_cluster(cluster):
    """Return a function that starts a master, and as many workers as it waits for."""

    def start(n_workers, *arguments, **options):
        run = cluster("--expect-workers", str(n_workers), *arguments, **options)
        for _ in range(n_workers):
            run.join()
        return run

    return start


@pytest.mark.parametrize("spoken", BOTH)
def test_a_master_and_three_workers(full_cluster, model_server, reference, spoken):
    n_images = 1000
    arguments = (*sending(spoken, model_server), "-u", "6", "-r", "6", "--num-tests", str(n_images))
    run = full_cluster(3, *arguments)
    ended = run.master.wait()
    worker_codes = [worker.wait().exit_code for worker in run.workers]

    assert_equals_reference(ended, reference("mnist5k"), n_images)
    assert ended.outcome["n_workers"] == 3
    assert ended.outcome["lost_workers"] == []
    assert worker_codes == [0, 0, 0]


@pytest.mark.parametrize(
    ("number", "is_lost"),
    [
        pytest.param(signal.SIGKILL, True, id="killed"),
        pytest.param(signal.SIGTERM, False, id="told-to-leave"),
    ],
)
@pytest.mark.parametrize("spoken", BOTH)
def test_a_worker_that_goes_away_halfway_costs_no_image(full_cluster, model_server, reference, spoken, number, is_lost):
    n_images = 1000
    arguments = (*sending(spoken, model_server), "-u", "3", "-r", "3", "--num-tests", str(n_images))
    run = full_cluster(3, *arguments, **UNHURRIED)
    wait_until(lambda: run.master.n_done() > n_images // 4, "a quarter of the images")
    run.workers[1].signal(number)
    assert run.master.n_done() < n_images
    ended = run.master.wait()

    assert_equals_reference(ended, reference("mnist5k"), n_images)
    assert bool(ended.outcome["lost_workers"]) is is_lost
    assert ("1 lost" in ended.stdout) is is_lost


def test_a_lost_worker_makes_a_run_without_end_invalid(full_cluster, model_server):
    arguments = ("--host", model_server.address, "-u", "2", "-r", "2", "-t", "7s")
    run = full_cluster(2, *arguments)
    wait_until(run.master.has_spawned, "users")
    run.workers[0].signal(signal.SIGKILL)
    ended = run.master.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert "1 of 2 workers was lost" in ended.stdout


def test_a_master_whose_last_worker_is_killed_ends(full_cluster, model_server):
    arguments = ("--host", model_server.address, "-u", "1", "--num-tests", "1000", "--images-per-request", "1")
    run = full_cluster(1, *arguments)
    wait_until(lambda: run.master.n_done() > 10, "ten images")
    run.workers[0].signal(signal.SIGKILL)
    ended = run.master.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert f"only {ended.outcome['predictions']} of 1,000 images" in ended.stdout


def test_a_signal_while_the_results_come_in_loses_none_of_them(full_cluster, model_server):
    arguments = ("--host", model_server.address, "-u", "2", "-r", "2", "-t", "3s")
    run = full_cluster(2, *arguments)
    wait_until(run.master.has_spawned, "users")
    run.workers[0].signal(signal.SIGSTOP)  # keeps the master waiting for it
    wait_until(lambda: "run-time limit reached" in run.master.log(), "the end")
    run.master.signal(signal.SIGTERM)
    ended = run.master.wait()
    run.workers[0].signal(signal.SIGCONT)

    assert ended.exit_code == exit_codes.INVALID
    assert ended.outcome["predictions"] > 0
    assert "workers was lost" in ended.stdout


@pytest.fixture
def only_here(tmp_path):
    """A data set that is there for who runs in the directory above it, as `only-here`, and for nobody else."""
    path = tmp_path / "here" / "only-here"
    path.parent.mkdir()
    path.symlink_to(PROJECT / "data" / "mnist5k")
    return path


def test_a_master_whose_workers_are_all_unfit_ends(full_cluster, model_server, only_here):
    arguments = ("--host", model_server.address, "-u", "2", "--num-tests", "100", "--dataset", "only-here")
    run = full_cluster(1, *arguments, cwd=only_here.parent)
    ended, worker = run.master.wait(), run.workers[0].wait()

    assert ended.exit_code == exit_codes.INVALID
    assert "could not take part" in ended.stdout
    assert "Traceback" not in worker.stderr


def test_json_is_all_there_is_on_standard_output_where_it_is_asked_for(tmp_path, model_server):
    ended = run_headless(tmp_path, "--host", model_server.address, "--num-tests", "20", "--json")

    assert json.loads(ended.stdout)[0]["num_requests"] == 20
    assert "Inference error rate:" in ended.stderr


def test_users_that_were_never_started_are_said(tmp_path, model_server):
    ended = run_headless(tmp_path, "--host", model_server.address, "-u", "50", "-r", "1", "--num-tests", "20")

    assert "of 50: the run ended before all were started" in ended.stdout


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["alone", "workers"])
def test_users_that_fire_each_image_once_start_at_once(tmp_path, model_server, processes):
    arguments = ("--host", model_server.address, "-u", "8", "--num-tests", "1000", "--report", str(tmp_path / "report"))
    ended = run_headless(tmp_path, *arguments, *processes)

    users = json.loads((tmp_path / "report" / "result.json").read_text())["users"]
    assert (users["n"], users["n_users_asked"]) == (8, 8), ended.stdout
    assert "before all were started" not in ended.stdout


OWN_TASKS = """
import logging
import gevent
import locustfile

class OwnTasks(locustfile.GrpcPredictionUser):
    def once(self):
        self.predict()

    def look(self):
        logging.warning("looked around")
        gevent.sleep(0.05)

OwnTasks.tasks = [OwnTasks.once, OwnTasks.look]
"""


@pytest.mark.parametrize("has_own_tasks", [False, True], ids=["the-suites-task", "own-tasks"])
def test_a_worker_without_the_data_is_named(cluster, tmp_path, model_server, only_here, has_own_tasks):
    own = {}
    if has_own_tasks:
        own["locustfile"] = tmp_path / "own.py"
        own["locustfile"].write_text("from tests.support.locustfiles import observed" + OWN_TASKS)
    load = ("--host", model_server.address, "-u", "2", "-r", "2", "-t", "3s", "--dataset", "only-here")
    run = cluster("--expect-workers", "2", *load, cwd=only_here.parent, **own)
    fit, unfit = run.join(cwd=only_here.parent), run.join()
    ended = run.master.wait()

    assert ("looked around" in fit.log()) == has_own_tasks
    assert "looked around" not in unfit.log()
    assert "Traceback" not in unfit.log()
    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert ended.outcome["predictions"] > 0
    assert len(re.findall(r"worker \S+ could not take part", ended.stdout)) == 1
    assert "only-here" in ended.stdout


def test_a_worker_with_other_data_does_not_take_part(cluster, tmp_path, model_server):
    for place in ("here", "there"):
        directory = tmp_path / place / "images"
        directory.mkdir(parents=True)
        for name in ("test-images-idx3-ubyte.gz", "test-labels-idx1-ubyte.gz"):
            (directory / name).write_bytes((PROJECT / "data" / "mnist5k" / name).read_bytes())
    labels = gzip.decompress((directory / "test-labels-idx1-ubyte.gz").read_bytes())
    (directory / "test-labels-idx1-ubyte.gz").unlink()
    (directory / "test-labels-idx1-ubyte").write_bytes(labels[:8] + bytes((label + 1) % 10 for label in labels[8:]))
    load = ("--host", model_server.address, "-u", "1", "--num-tests", "100", "--dataset", "images")
    run = cluster(*load, cwd=tmp_path / "here")
    run.join(cwd=tmp_path / "there")
    ended = run.master.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert "are not those of the master" in ended.stdout
    assert ended.outcome["predictions"] == 0


def test_ctrl_c_to_all_processes_at_once_loses_nothing(tmp_path, model_server):
    arguments = ("--headless", "--only-summary", "--host", model_server.address, "-u", "2", "-r", "2")
    with locust(tmp_path, *arguments, "--processes", "2") as process:
        wait_until(process.n_done, "answers")
        for child in psutil.Process(process.pid).children():
            child.send_signal(signal.SIGINT)
        process.signal(signal.SIGINT)
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert ended.outcome["lost_workers"] == []
    assert ended.outcome["predictions"] > 0


def test_a_second_run_that_gets_no_port_adds_nothing_to_the_first(tmp_path, model_server):
    port = str(free_port())
    arguments = ("--headless", "--only-summary", "--host", model_server.address, "-u", "2", "-r", "2")
    ports = ("--master-bind-port", port, "--master-port", port, "--processes", "2")
    with locust(tmp_path / "first", *arguments, *ports) as first:
        wait_until(first.has_spawned, "users")
        with locust(tmp_path / "second", *arguments, "-t", "1s", *ports) as second:
            assert second.wait().exit_code == exit_codes.FAILED
        first.signal(signal.SIGINT)
        ended = first.wait()

    # Its workers may come to the first run's master and leave at once; what that took from its load is said.
    assert ended.exit_code in (exit_codes.PASS, exit_codes.INVALID), ended.stdout
    assert (ended.exit_code == exit_codes.PASS) is ("users asked for ran on average" not in ended.stdout)
    assert ended.outcome["n_workers"] == 2


@pytest.mark.parametrize(
    ("processes", "number"),
    [
        pytest.param([], signal.SIGINT, id="ctrl-c"),
        pytest.param([], signal.SIGTERM, id="sigterm"),
        pytest.param(["--processes", "2"], signal.SIGINT, id="ctrl-c-two-processes"),
        pytest.param(["--processes", "2"], signal.SIGTERM, id="sigterm-two-processes"),
    ],
)
def test_a_run_that_is_stopped_halfway_says_so(tmp_path, model_server, processes, number):
    arguments = ("--host", model_server.address, "-u", "2", "-r", "2", "--num-tests", "1000", *processes)
    with locust(tmp_path, "--headless", "--only-summary", *arguments, **UNHURRIED) as process:
        wait_until(lambda: process.n_done() > 100, "a hundred images")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert 100 < ended.outcome["predictions"] < 1000
    assert f"only {ended.outcome['predictions']} of 1,000 images were fired" in ended.stdout


@pytest.mark.parametrize(
    ("processes", "number"),
    [
        pytest.param([], signal.SIGTERM, id="sigterm"),
        pytest.param(["--processes", "2"], signal.SIGTERM, id="sigterm-two-processes"),
        pytest.param(["--processes", "2"], signal.SIGINT, id="ctrl-c-two-processes"),
    ],
)
def test_a_sweep_that_is_stopped_halfway_says_so(tmp_path, model_server, processes, number):
    levels = ("--sweep", "2,4", "--level-duration", "60", "--warm-up", "0")
    with locust(tmp_path, "--headless", "--host", model_server.address, *levels, *processes) as process:
        wait_until(process.has_spawned, "users")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert "the run was stopped with 2 levels to go" in ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, id="ctrl-c"), pytest.param(signal.SIGTERM, id="term")])
def test_a_master_that_is_stopped_while_it_waits_for_workers_says_so(tmp_path, model_server, number):
    arguments = ("--host", model_server.address, "--master", "--expect-workers", "2", "--loglevel", "DEBUG")
    port = str(free_port())
    with locust(tmp_path, "--headless", *arguments, "--master-bind-port", port, "-t", "9s") as process:
        wait_until(lambda: "Waiting for workers" in process.log(), "a master that waits")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert "interrupted before the run began" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("spoken", BOTH)
def test_a_timed_run_passes_and_counts_what_it_cut_off(tmp_path, model_server, spoken):
    ended = run_headless(tmp_path, *sending(spoken, model_server), "-u", "4", "-r", "4", "-t", "2s")

    assert ended.exit_code == exit_codes.PASS
    outcome = ended.outcome
    assert outcome["predictions"] == outcome["requests"] > 0
    assert sum(count for _, _, count in outcome["confusion"]) == outcome["predictions"]
    assert 0 <= outcome["cut_off"] <= 4


def run_against_a_server_that_is_stopped(tmp_path, spoken, *arguments):
    """Run headless; once all users are there, the server stands still and answers no more."""
    server = EmbeddedServer.start("mnist", PROJECT / "models" / "mnist", FOR_BOTH)
    try:
        with locust(tmp_path, "--headless", "--only-summary", *sending(spoken, server), *arguments) as process:
            wait_until(process.has_spawned, "users")
            os.kill(server.pid, signal.SIGSTOP)
            ended = process.wait()
            os.kill(server.pid, signal.SIGKILL)
    finally:
        server.stop()
    return ended


@pytest.mark.parametrize("spoken", BOTH)
def test_requests_in_flight_at_the_end_are_counted_apart(tmp_path, spoken):
    ended = run_against_a_server_that_is_stopped(tmp_path, spoken, "-u", "4", "-r", "4", "-t", "3s", "--deadline", "60")

    assert ended.outcome["cut_off"] == 4
    assert "4 more were in flight" in ended.stdout


@pytest.mark.parametrize("spoken", BOTH)
def test_a_server_killed_in_the_middle_fails_requests_and_not_the_run(tmp_path, spoken):
    server = EmbeddedServer.start("mnist", PROJECT / "models" / "mnist", FOR_BOTH)
    longest = tmp_path / "longest"
    longest.mkdir()
    arguments = (*sending(spoken, server), "-u", "4", "-r", "4", "-t", "6s", "--deadline", "1")
    try:
        with locust(tmp_path, "--headless", "--only-summary", *arguments, TFSLOAD_TEST_WORKERS=str(longest)) as process:
            wait_until(process.has_spawned, "users")
            os.kill(server.pid, signal.SIGKILL)
            ended = process.wait()
    finally:
        server.stop()

    assert ended.exit_code == exit_codes.FAILED
    assert ended.outcome["failed"]
    assert set(ended.outcome["failed"]) <= {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
    assert sum(ended.outcome["failed"].values()) + ended.outcome["latency_count"] == ended.outcome["requests"]
    assert "requests had no answer" in ended.stdout
    assert int(next(longest.iterdir()).read_text()) > 0


@pytest.mark.parametrize(
    ("spoken", "more", "flag"),
    [
        pytest.param(GRPC, ("--transport", "native"), "--port", id="native"),
        pytest.param(GRPC, ("--transport", "grpcio"), "--port", id="grpcio"),
        pytest.param(REST, (), "--rest_api_port", id="rest"),
    ],
)
def test_a_run_recovers_by_itself_when_its_server_is_back(tmp_path, spoken, more, flag):
    def start(port):
        return EmbeddedServer.start("mnist", PROJECT / "models" / "mnist", [f"{flag}={port}"])

    port = free_port()
    servers = [start(port)]
    arguments = (*sending(spoken, servers[0]), "-u", "4", "-r", "4", *more, "--deadline", "2")
    try:
        with locust(tmp_path, "--headless", "--only-summary", *arguments) as process:
            wait_until(lambda: process.n_done() > 100, "answers")
            os.kill(servers[0].pid, signal.SIGKILL)
            assert servers[0].ends_within(30)
            servers.append(start(port))
            n_before = process.n_done()
            wait_until(lambda: process.n_done() > n_before + 100, "answers from the server that is back")
            process.signal(signal.SIGINT)
            ended = process.wait()
    finally:
        for server in servers:
            server.stop()

    outcome = ended.outcome
    assert ended.exit_code == exit_codes.FAILED
    assert outcome["failed"]["UNAVAILABLE"] >= 1
    assert sum(outcome["failed"].values()) + outcome["latency_count"] == outcome["requests"]
    assert outcome["latency_count"] > n_before + 100
    assert outcome["wrong"] / outcome["latency_count"] < 0.5  # the answers are the model's own again


@pytest.mark.parametrize("spoken", BOTH)
def test_a_server_that_stands_still_costs_each_request_its_deadline(tmp_path, spoken):
    ended = run_against_a_server_that_is_stopped(
        tmp_path, spoken, "-u", "2", "-r", "2", "-t", "5s", "--deadline", "0.5"
    )

    assert ended.exit_code == exit_codes.FAILED
    assert ended.outcome["failed"]["DEADLINE_EXCEEDED"] >= 2


@pytest.mark.parametrize("spoken", BOTH)
def test_a_listener_of_ones_own_hears_each_prediction(tmp_path, model_server, spoken):
    heard = tmp_path / "heard"
    locustfile = tmp_path / "own_locustfile.py"
    locustfile.write_text(
        "from locust import events\n"
        f"from locustfile import {spoken.user_class}\n"
        "heard = []\n"
        "@events.prediction.add_listener\n"
        "def on_prediction(image_index, label, predicted, scores, latency_ns, failure, **_):\n"
        "    heard.append((image_index, label, predicted, len(scores), latency_ns > 0, failure))\n"
        "@events.quit.add_listener\n"
        "def on_quit(**_):\n"
        f"    open({str(heard)!r}, 'w').write(repr(sorted(heard)))\n"
    )

    host = ("--host", address_of(model_server, spoken))
    ended = run_headless(tmp_path, *host, "-u", "2", "--num-tests", "30", locustfile=locustfile)

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    predictions = eval(heard.read_text())
    assert [row[0] for row in predictions] == list(range(30))
    assert all(row[3:] == (10, True, None) for row in predictions)


@pytest.mark.parametrize("spoken", BOTH)
def test_a_process_stays_small(tmp_path, model_server, spoken):
    arguments = (*sending(spoken, model_server), "-u", "8", "-r", "8", "--num-tests", "1000")
    with locust(tmp_path, "--headless", "--only-summary", *arguments, is_forked=False, **UNHURRIED) as process:
        wait_until(lambda: process.n_done() > 700, "most of its work")
        memory_mb = peak_memory_mb(process)

    assert memory_mb < 110


def peak_memory_mb(process: LocustProcess) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
