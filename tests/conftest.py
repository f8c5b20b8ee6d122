"""Fixtures that several test files share."""

import os

# gevent's subprocess forks; gRPC's fork handlers would at times abort the child of a process that has used a channel.
# Nothing forked here uses gRPC before it becomes another program.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

import locust  # noqa: F401, I001  (must come first: it monkey-patches the standard library for gevent)

import contextlib
import gc
import signal
import subprocess
import sys
from collections.abc import Callable

import hypothesis
import numpy as np
import pytest

from tests.support.clusters import Cluster
from tests.support.reference import Reference
from tests.support.rows import chosen
from tests.support.runs import PROJECT
from tests.support.server_processes import MODEL, ScriptedServer
from tests.support.web_ui import web_ui_of
from tfsload.target.launcher import EmbeddedServer

# Under nohup SIGHUP is ignored, also by all that is started here; what runs do about it is to be seen all the same.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# `make check` and `make test` look at a few examples of each property, `make test-all` at all, `make properties` at
# twenty times as many.
# How long one takes is no finding: the machine may be busy.
hypothesis.settings.register_profile("whole", deadline=None)
hypothesis.settings.register_profile("quick", max_examples=15, deadline=None)
hypothesis.settings.register_profile("deep", max_examples=2000, deadline=None)
hypothesis.settings.load_profile("whole")


def pytest_addoption(parser):
    parser.addoption("--rows", type=int, default=0, help="of each table whose rows take long, run so many (0: all)")


# After what markers and names leave of them.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if n_rows := config.getoption("--rows"):
        items[:], left = chosen(items, n_rows)
        config.hook.pytest_deselected(items=left)


def pytest_collection_finish():
    # Of what was imported and collected nothing is given up any more: not to be looked through again and again.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def scripted_server():
    """A gRPC server that answers as its callers ask."""
    server = ScriptedServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def model_server():
    """The embedded server with the shipped model, for both protocols."""
    server = EmbeddedServer.start("mnist", MODEL, ["--rest_api_free_port"])
    yield server
    server.stop()


@pytest.fixture
def cluster(tmp_path):
    """Return a function that starts a master, whose workers the test starts; none outlives the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **options: Cluster(tmp_path, stack, *arguments, **options)


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


@pytest.fixture(scope="module")
def shared_ui(tmp_path_factory, model_server):
    """A web UI that the tests of a file share."""
    with web_ui_of(tmp_path_factory.mktemp("ui"), "--host", model_server.address) as started:
        yield started


@pytest.fixture
def ui(shared_ui):
    """The same web UI; a run that a test leaves behind goes on in no other."""
    yield shared_ui
    if shared_ui.stats()["state"] not in ("ready", "stopped"):
        shared_ui.stop()
        shared_ui.wait_for_end()
