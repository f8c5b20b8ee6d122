"""Whole runs: real processes, the real embedded server, and TensorFlow's own answers to compare with."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from tests.runs import PROJECT, LocustProcess, free_port, locust, run_headless, wait_until
from tfsload import exit_codes
from tfsload.modelserver.process import EmbeddedServer

# A directory with the canonical 10,000-image test set, as IDX files.
MNIST_TEST_SET = os.environ.get("TFSLOAD_TEST_MNIST", "")


def assert_equals_reference(ended, reference, n_images):
    """Hold a run against TensorFlow's own answers over the same images."""
    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert ended.outcome["predictions"] == n_images
    assert ended.outcome["confusion"] == reference.confusion(n_images).to_plain()
    assert ended.outcome["error_rate"] == reference.error_rate(n_images)
    assert ended.outcome["latency_count"] == ended.outcome["requests"]


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
def test_each_image_is_scored_once_and_as_tensorflow_does(tmp_path, model_server, reference, arguments):
    n_images = 1000

    ended = run_headless(
        tmp_path, "--host", model_server.address, "-u", "4", "-r", "4", "--num-tests", str(n_images), *arguments
    )

    assert_equals_reference(ended, reference("mnist5k"), n_images)
    rate = 100 * reference("mnist5k").error_rate(n_images)
    assert ended.stdout.splitlines()[-1] == f"Inference error rate: {rate:g}%"


def test_the_embedded_server_is_the_default_target_and_does_not_outlive_the_run(tmp_path, reference):
    ended = run_headless(tmp_path, "-u", "2", "-r", "2", "--num-tests", "100")

    assert_equals_reference(ended, reference("mnist5k"), 100)
    port = ended.stdout.split(" at 127.0.0.1:")[1].split()[0]
    assert not is_listening(int(port))


def is_listening(port):
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


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


@contextlib.contextmanager
def master_and_workers(tmp_path: Path, n_workers: int, *arguments: str):
    """Start a headless master and its workers as processes of their own."""
    port = str(free_port())
    master_options = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    waits = ("--headless", "--only-summary", "--expect-workers", str(n_workers))
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(locust(tmp_path / "master", *master_options, *waits, *arguments))
        workers = [
            stack.enter_context(
                locust(tmp_path / f"worker{number}", "--worker", "--master-host", "127.0.0.1", "--master-port", port)
            )
            for number in range(n_workers)
        ]
        yield master, workers


def test_a_master_and_three_workers(tmp_path, model_server, reference):
    n_images = 1000
    arguments = ("--host", model_server.address, "-u", "6", "-r", "6", "--num-tests", str(n_images))
    with master_and_workers(tmp_path, 3, *arguments) as (master, workers):
        ended = master.wait()
        worker_codes = [worker.wait().exit_code for worker in workers]

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
def test_a_worker_that_goes_away_halfway_costs_no_image(tmp_path, model_server, reference, number, is_lost):
    n_images = 1000
    arguments = ("--host", model_server.address, "-u", "3", "-r", "3", "--num-tests", str(n_images))
    with master_and_workers(tmp_path, 3, *arguments) as (master, workers):
        wait_until(lambda: master.n_done() > n_images // 4, "a quarter of the images")
        workers[1].signal(number)
        assert master.n_done() < n_images
        ended = master.wait()

    assert_equals_reference(ended, reference("mnist5k"), n_images)
    assert bool(ended.outcome["lost_workers"]) is is_lost
    assert ("1 lost" in ended.stdout) is is_lost


def test_a_lost_worker_makes_a_run_without_end_invalid(tmp_path, model_server):
    arguments = ("--host", model_server.address, "-u", "2", "-r", "2", "-t", "9s")
    with master_and_workers(tmp_path, 2, *arguments) as (master, workers):
        wait_until(lambda: "All users spawned" in master.log(), "users")
        workers[0].signal(signal.SIGKILL)
        ended = master.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert "1 of 2 workers were lost" in ended.stdout


def test_a_worker_without_the_data_is_named(tmp_path, model_server):
    elsewhere = tmp_path / "only-here"
    elsewhere.symlink_to(PROJECT / "data" / "mnist5k")
    arguments = ("--host", model_server.address, "-u", "2", "-r", "2", "-t", "3s", "--dataset", str(elsewhere))
    with master_and_workers(tmp_path, 2, *arguments) as (master, workers):
        wait_until(lambda: "Sending spawn jobs" in master.log() or "reported as ready" in master.log(), "workers")
        elsewhere.unlink()
        ended = master.wait()
        for worker in workers:
            worker.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert "could not take part" in ended.stdout
    assert "only-here" in ended.stdout


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
    with locust(tmp_path, "--headless", "--only-summary", *arguments) as process:
        wait_until(lambda: process.n_done() > 100, "a hundred images")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert 100 < ended.outcome["predictions"] < 1000
    assert f"only {ended.outcome['predictions']} of 1,000 images were fired" in ended.stdout


def test_a_timed_run_passes_and_counts_what_it_cut_off(tmp_path, model_server):
    ended = run_headless(tmp_path, "--host", model_server.address, "-u", "4", "-r", "4", "-t", "2s")

    assert ended.exit_code == exit_codes.PASS
    outcome = ended.outcome
    assert outcome["predictions"] == outcome["requests"] > 0
    assert sum(count for _, _, count in outcome["confusion"]) == outcome["predictions"]
    assert 0 <= outcome["cut_off"] <= 4


def test_a_server_killed_in_the_middle_fails_requests_and_not_the_run(tmp_path):
    server = EmbeddedServer.start("mnist", PROJECT / "models" / "mnist")
    longest = tmp_path / "longest"
    longest.mkdir()
    arguments = ("--host", server.address, "-u", "4", "-r", "4", "-t", "6s", "--deadline", "1")
    try:
        with locust(tmp_path, "--headless", "--only-summary", *arguments, TFSLOAD_TEST_WORKERS=str(longest)) as process:
            wait_until(lambda: "All users spawned" in process.log(), "users")
            os.kill(server.pid, signal.SIGKILL)
            ended = process.wait()
    finally:
        server.stop()

    assert ended.exit_code == exit_codes.FAILED
    assert ended.outcome["failed"]
    assert set(ended.outcome["failed"]) <= {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
    assert sum(ended.outcome["failed"].values()) + ended.outcome["latency_count"] == ended.outcome["requests"]
    assert "requests had no answer" in ended.stdout
    # The deadline of 1 s, with as much again for a busy machine.
    assert 0 < int(next(longest.iterdir()).read_text()) < 2e9


def test_a_server_that_stands_still_costs_each_request_its_deadline(tmp_path):
    server = EmbeddedServer.start("mnist", PROJECT / "models" / "mnist")
    arguments = ("--host", server.address, "-u", "2", "-r", "2", "-t", "5s", "--deadline", "0.5")
    try:
        with locust(tmp_path, "--headless", "--only-summary", *arguments) as process:
            wait_until(lambda: "All users spawned" in process.log(), "users")
            os.kill(server.pid, signal.SIGSTOP)
            ended = process.wait()
            os.kill(server.pid, signal.SIGCONT)
    finally:
        server.stop()

    assert ended.exit_code == exit_codes.FAILED
    assert ended.outcome["failed"]["DEADLINE_EXCEEDED"] >= 2


def test_a_listener_of_ones_own_hears_each_prediction(tmp_path, model_server):
    heard = tmp_path / "heard"
    locustfile = tmp_path / "own_locustfile.py"
    locustfile.write_text(
        "from locust import events\n"
        "from locustfile import GrpcPredictionUser\n"
        "heard = []\n"
        "@events.prediction.add_listener\n"
        "def on_prediction(image_index, label, predicted, scores, latency_ns, failure, **_):\n"
        "    heard.append((image_index, label, predicted, len(scores), latency_ns > 0, failure))\n"
        "@events.quit.add_listener\n"
        "def on_quit(**_):\n"
        f"    open({str(heard)!r}, 'w').write(repr(sorted(heard)))\n"
    )

    ended = run_headless(
        tmp_path, "--host", model_server.address, "-u", "2", "--num-tests", "30", locustfile=locustfile
    )

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    predictions = eval(heard.read_text())
    assert [row[0] for row in predictions] == list(range(30))
    assert all(row[3:] == (10, True, None) for row in predictions)


def test_a_process_stays_small(tmp_path, model_server):
    arguments = ("--host", model_server.address, "-u", "8", "-r", "8", "-t", "60s")
    with locust(tmp_path, "--headless", "--only-summary", *arguments) as process:
        wait_until(lambda: "All users spawned" in process.log(), "users")
        wait_until(lambda: peak_memory_mb(process) > 0, "its memory")
        memory_mb = peak_memory_mb(process)

    assert memory_mb < 150


def peak_memory_mb(process: LocustProcess) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
