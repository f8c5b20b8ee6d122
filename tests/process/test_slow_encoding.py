"""A worker that makes images for long when the run is stopped, as a user calls it: it would go on for minutes."""

import signal

import pytest

from tests.support.runs import wait_until
from tests.support.server_processes import ScriptedServer
from tfsload.analysis import exit_codes

SLOW = """
import os
import time
from pathlib import Path

import tfsload


class Slow(tfsload.GrpcUser):
    def encode(self, image):
        said = Path(os.environ["SAID"])
        if os.environ["SLOW_S"] != "0":
            with said.open("a") as file:
                print("made", file=file)
            time.sleep(float(os.environ["SLOW_S"]))
        return 255 - image
"""


@pytest.fixture(scope="module")
def server():
    server = ScriptedServer(module="formula_server")
    yield server
    server.stop()


@pytest.fixture
def encoding(cluster, tmp_path, server):
    """A master and its worker, which has just begun to make images: its process, and where it says so."""
    path, said = tmp_path / "own.py", tmp_path / "said"
    path.write_text(SLOW)

    def start(*arguments):
        given = ("--host", server.address, "--model-name", "digits", "--expect-workers", "1", *arguments)
        environment = {"SAID": str(said)}
        processes = cluster(
            *given, locustfile=path, of_master=environment | {"SLOW_S": "0"}, **environment, SLOW_S="0.5"
        )
        worker = processes.join()
        wait_until(said.exists, "the first image")
        return processes.master, worker, lambda: len(said.read_text().splitlines())

    return start


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(("-u", "2", "-t", "300"), id="plain"),
        pytest.param(("-u", "2", "--num-tests", "1000"), id="images"),
        pytest.param(("--sweep", "1,2"), id="levels"),
    ],
)
def test_it_ends_with_a_run_that_is_interrupted(encoding, load):
    master, worker, n_made = encoding(*load)
    master.signal(signal.SIGINT)
    ended, of_worker = master.wait(), worker.wait()

    assert ended.exit_code == exit_codes.INVALID, ended.stdout + ended.stderr
    assert n_made() < 500
    assert "stopped while this worker got ready" in of_worker.stderr
    assert "Traceback" not in of_worker.stderr


def test_it_ends_when_it_is_interrupted_itself(encoding):
    master, worker, n_made = encoding("-u", "2", "-t", "300")
    worker.signal(signal.SIGINT)
    of_worker = worker.wait()
    master.signal(signal.SIGINT)

    assert n_made() < 500
    assert "Traceback" not in of_worker.stderr
    assert master.wait().exit_code == exit_codes.INVALID


def test_others_that_do_all_meanwhile_leave_nothing_to_be_missed(cluster, tmp_path, server):
    path = tmp_path / "own.py"
    path.write_text(SLOW)
    given = ("--host", server.address, "--model-name", "digits", "--expect-workers", "2", "-u", "2", "-r", "2")
    quick = {"SAID": str(tmp_path / "said"), "SLOW_S": "0"}
    processes = cluster(*given, "--num-tests", "40", locustfile=path, of_master=quick, **quick)
    processes.join()
    late = processes.join(SLOW_S="1")
    ended, of_late = processes.master.wait(), late.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert "40 of 40 images, each exactly once" in ended.stdout
    assert "This worker took no part in the run: stopped while this worker got ready" in of_late.stderr
