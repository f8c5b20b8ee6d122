"""The launcher: a server that starts, stops, says why it could not, and never outlives its parent."""

import contextlib
import os
import signal
import sys
from pathlib import Path

import grpc
import psutil
import pytest

from tests.support.modelserver_fixtures import DEADLINE_S, MODEL, Script, images, request, run
from tests.support.modelserver_fixtures import model_base_path as model_base_path
from tests.support.runs import is_listening, wait_until
from tests.support.server_processes import MODEL as SHIPPED_MODEL
from tfsload.target.launcher import EmbeddedServer, ServerStartError
from tfsload.transport.protos import prediction_service_pb2_grpc

# Python runs it in each process that starts: on SIGUSR1 the server tells how many objects a full collection looks at.
_TELL_OBJECTS = """
import gc, os, signal

def tell(*_):
    with open(os.environ["TFSLOAD_TEST_OBJECTS"] + ".part", "w") as file:
        file.write(f"{len(gc.get_objects())} {gc.get_freeze_count()}")
    os.rename(file.name, os.environ["TFSLOAD_TEST_OBJECTS"])

signal.signal(signal.SIGUSR1, tell)
"""


def is_running(pid: int) -> bool:
    """Whether the process is there and not just uncollected."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_start_and_stop(model_base_path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sent, kill = [], os.kill
    monkeypatch.setattr(os, "kill", lambda pid, number: (sent.append((pid, number)), kill(pid, number)))
    with EmbeddedServer.start(MODEL, os.path.relpath(model_base_path)) as server:
        assert is_listening(server.address)
        assert server.address.startswith("127.0.0.1:")
        assert not server.has_ended
    assert sent == [(server.pid, signal.SIGTERM)]  # and no SIGKILL after it
    assert not is_listening(server.address)
    assert not is_running(server.pid)
    assert server.has_ended
    server.stop()


@pytest.mark.parametrize(
    ("flags", "want"),
    [
        pytest.param(["--prot=1"], "ended with 2: error: unknown flag --prot: did you mean --port?", id="usage"),
        pytest.param(["--enable_batching"], "ended with 2: error: --enable_batching=true: tensor", id="unimplemented"),
        pytest.param(["--model_base_path="], "ended with 2: error: --model_base_path is missing", id="no-path"),
    ],
)
def test_bad_flags(tmp_path, flags, want):
    with pytest.raises(ServerStartError) as caught:
        EmbeddedServer.start(MODEL, tmp_path, flags)
    assert want in str(caught.value)


def _empty(path: Path) -> None:
    (path / "1").mkdir()


def _garbage(path: Path) -> None:
    (path / "1").mkdir()
    (path / "1" / "saved_model.pb").write_bytes(b"no model")


def _above(path: Path) -> None:
    (path / "saved_model.pb").write_bytes(b"")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("prepare", "want"),
    [
        pytest.param(_empty, "1 holds no SavedModel that can be served: ", id="empty-version"),
        pytest.param(_garbage, "1 holds no SavedModel that can be served: ", id="not-a-model"),
        pytest.param(_above, "it is a SavedModel itself; give the directory above it", id="one-too-deep"),
    ],
)
def test_bad_model(tmp_path, prepare, want):
    prepare(tmp_path)
    with pytest.raises(ServerStartError, match="ended with 1: error: ") as caught:
        EmbeddedServer.start(MODEL, tmp_path)
    assert want in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_deadline(model_base_path):
    with pytest.raises(ServerStartError, match=r"was not ready after 0\.1 s: it said nothing"):
        EmbeddedServer.start(MODEL, model_base_path, deadline_s=0.1)


@pytest.mark.heavy
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_server_with_0(model_base_path, number):
    command = [sys.executable, "-m", "tfsload.modelserver", "--port=0", f"--model_base_path={model_base_path}"]
    script = Script(command)
    try:
        wait_until(lambda: "\n" in script.said()[0] or script.has_ended(), "the server is ready")
        assert script.said()[0].startswith("Serving model default, version 3: gRPC at 127.0.0.1:"), script.said()
        os.kill(script.pid, number)
        wait_until(script.has_ended, "the server ends")
        assert (script.code, script.said()[0].count("\n")) == (0, 1)
    finally:
        script.kill()


_PARENT = """
import signal, sys, time
if sys.argv[4:]:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup has it
from tfsload.target.launcher import EmbeddedServer
server = EmbeddedServer.start(sys.argv[1], sys.argv[2])
print(server.pid, server.address, flush=True)
time.sleep(float(sys.argv[3]))
"""


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("patience_s", "kill"), [pytest.param(60, True, id="killed"), pytest.param(0, False, id="just-ends")]
)
def test_server_does_not_outlive_its_parent(model_base_path, patience_s, kill):
    parent = Script([sys.executable, "-c", _PARENT, MODEL, str(model_base_path), str(patience_s)])
    try:
        wait_until(lambda: "\n" in parent.said()[0] or parent.has_ended(), "the parent has a server")
        pid, address = parent.said()[0].split()
        assert not kill or is_listening(address)
        if kill:
            os.kill(parent.pid, signal.SIGKILL)
        wait_until(parent.has_ended, "the parent ends")
    finally:
        parent.kill()
    wait_until(lambda: not is_running(int(pid)), "the server ends after its parent")
    assert not is_listening(address)


@pytest.mark.parametrize("more", [pytest.param([], id="hung-up"), pytest.param(["nohup"], id="without-hangup")])
def test_a_server_that_is_stopped_does_not_outlive_its_parent_that_is_killed(model_base_path, more):
    parent = Script([sys.executable, "-c", _PARENT, MODEL, str(model_base_path), "60", *more])
    try:
        wait_until(lambda: "\n" in parent.said()[0] or parent.has_ended(), "the parent has a server")
        pid = int(parent.said()[0].split()[0])
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, "the server is stopped")
        os.kill(parent.pid, signal.SIGKILL)
        wait_until(parent.has_ended, "the parent ends")
    finally:
        parent.kill()
    try:
        wait_until(lambda: not is_running(pid), "the server ends after its parent")
        assert parent.code == -signal.SIGKILL
        assert not is_running(pid)
    finally:
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)


def test_a_fork_cannot_stop_the_server(model_base_path):
    script = _PARENT + (
        "import os\n"
        "if os.fork() == 0:\n    server.stop()\n    os._exit(0)\n"
        "os.wait()\n"
        "import socket\n"
        "print(socket.socket().connect_ex(('127.0.0.1', int(server.address.split(':')[1]))))\n"
    )
    command = [sys.executable, "-c", script, MODEL, str(model_base_path), "0"]
    code, out, err = run(command)
    assert (code, out.splitlines()[1:]) == (0, ["0"]), err


def test_a_full_collection_does_not_look_at_what_was_loaded(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(_TELL_OBJECTS)
    told = tmp_path / "objects"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TFSLOAD_TEST_OBJECTS", str(told))
    with EmbeddedServer.start("mnist", SHIPPED_MODEL) as server:
        with contextlib.closing(grpc.insecure_channel(server.address)) as channel:
            predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
            for _ in range(500):
                predict(request(images=images()), timeout=DEADLINE_S)
        os.kill(server.pid, signal.SIGUSR1)
        wait_until(told.exists, "the server tells how many objects there are")
    n_looked_at, n_spared = map(int, told.read_text().split())

    # TensorFlow alone is some 500,000. A full collection comes when there are a quarter as many new ones.
    assert n_spared > 200_000
    assert n_looked_at < n_spared / 10
