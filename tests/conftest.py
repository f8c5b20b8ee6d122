"""Fixtures that several test files share."""

import os

# gevent's subprocess forks; gRPC's fork handlers would at times abort the child of a process that has used a channel.
# Nothing forked here uses gRPC before it becomes another program.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

import locust  # noqa: F401, I001  (must come first: it monkey-patches the standard library for gevent)

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.support.clusters import Cluster
from tfsload.target.launcher import EmbeddedServer
from tfsload.records.confusion import ConfusionMatrix

# Under nohup SIGHUP is ignored, also by all that is started here; what runs do about it is to be seen all the same.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

PROJECT = Path(__file__).parent.parent
MODEL = PROJECT / "models" / "mnist"


class ScriptedServer:
    """A process of `scripted_server.py`, or of another; its port is there when this object is."""

    def __init__(self, *arguments: str, script: str = "scripted_server.py") -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROJECT / "tests" / "support" / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.port = int(self.process.stdout.readline())

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)


@pytest.fixture(scope="session")
def scripted_server():
    """A gRPC server that answers as its callers ask."""
    server = ScriptedServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def model_server():
    """The embedded server with the shipped model."""
    server = EmbeddedServer.start("mnist", MODEL)
    yield server
    server.stop()


@pytest.fixture
def cluster(tmp_path):
    """Return a function that starts a master, whose workers the test starts; none outlives the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **environment: Cluster(tmp_path, stack, *arguments, **environment)


@dataclass(frozen=True)
class Reference:
    """What TensorFlow itself answers to a data set.

    Attributes:
        scores: float32 (n, classes).
        labels: uint8 (n,).
    """

    scores: np.ndarray
    labels: np.ndarray

    def confusion(self, n_images: int) -> ConfusionMatrix:
        """Return the confusion matrix over the first images."""
        matrix = ConfusionMatrix()
        predicted = self.scores[:n_images].argmax(axis=1).tolist()
        matrix.add_all(self.labels[:n_images].tolist(), predicted)
        return matrix

    def error_rate(self, n_images: int) -> float:
        """Return the share of the first images that is answered wrongly."""
        return self.confusion(n_images).wrong / n_images


@pytest.fixture(scope="session")
def reference(tmp_path_factory) -> Callable[[str], Reference]:
    """Return a function from a data set's name to TensorFlow's own answers, computed in another process."""
    known: dict[str, Reference] = {}

    def compute(dataset: str) -> Reference:
        if dataset not in known:
            output = tmp_path_factory.mktemp("reference") / "scores.npz"
            script = [sys.executable, str(PROJECT / "tests" / "support" / "reference_scores.py")]
            subprocess.run([*script, str(MODEL / "1"), dataset, str(output)], check=True, timeout=120)
            with np.load(output) as arrays:
                known[dataset] = Reference(arrays["scores"], arrays["labels"])
        return known[dataset]

    return compute
