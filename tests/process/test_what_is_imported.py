"""What a process that leads or runs a headless run has in its memory: nothing that it does not need.

A module is a tenth of a megabyte, a package with a library in it two. How much a process takes in all is for the
benchmark to say: it differs by machine. That it holds no more modules than it needs is held here, by name.
"""

import json
from pathlib import Path

import pytest

from tests.support.runs import forked, run_headless
from tfsload.analysis import exit_codes

LOCUSTFILE = """
import json, os, sys
from pathlib import Path
from locust import events
from tfsload import GrpcUser
{further}

class User(GrpcUser):
    def on_start(self):
        tell("joined")

def tell(kind):
    Path({directory!r}, f"{{kind}}-{{os.getpid()}}.json").write_text(json.dumps(sorted(sys.modules)))

events.test_stop.add_listener(lambda **_: tell("ended"))
"""
# What only some processes need: the web UI, whoever draws a report, the model server, models and ways of other kinds.
NOT_NEEDED = (
    *("tfsload.webui", "tfsload.modelserver", "tfsload.suite.web_side", "tfsload.transport.rest"),
    *("tfsload.report.charts", "tfsload.report.files", "tfsload.report.page", "tfsload.report.program"),
    *("tfsload.transport.grpc.grpcio", "tfsload.datasets.download"),
    *("ml_dtypes", "numpy.random", "pooch", "tensorflow.python", "vl_convert", "xml.etree"),
    *("tensorflow_serving.apis.prediction_service_pb2_grpc", "tensorflow_serving.apis.model_service_pb2_grpc"),
    *("tensorflow_serving.apis.inference_pb2", "tensorflow.core.example"),
)
# What tells that a process has come so far, and that these names are as Python has them.
NEEDED = ("numpy", "tfsload.prediction.prediction_user", "tfsload.transport.grpc.native")


def within(names: tuple[str, ...], modules: list[str]) -> set[str]:
    """Return the modules that have one of these names, or lie in it."""
    return {one for one in modules if one.startswith(tuple(f"{name}." for name in names)) or one in names}


def imported(directory: Path, address: str, *arguments: str, further: str = "") -> list[dict[str, list[str]]]:
    """Run headless; return the modules of each of its processes: once its users had `joined`, and as it had `ended`."""
    told = directory / "told"
    told.mkdir()
    locustfile = directory / "locustfile.py"
    locustfile.write_text(LOCUSTFILE.format(directory=str(told), further=further))
    run = ("--host", address, "-u", "2", "-r", "2", *arguments)
    ended = run_headless(directory / "run", *run, locustfile=locustfile, is_forked=False)
    assert ended.exit_code in (exit_codes.PASS, exit_codes.INVALID), ended.stderr  # short levels support no verdict
    processes: dict[str, dict[str, list[str]]] = {}
    for file in told.iterdir():
        kind, pid = file.stem.split("-")
        processes.setdefault(pid, {})[kind] = json.loads(file.read_text())
    return list(processes.values())


@pytest.mark.parametrize(
    ("arguments", "n_workers"),
    [
        pytest.param(["--num-tests", "100"], 0, id="alone"),
        pytest.param(["--num-tests", "100"], 1, id="a-master-and-a-worker"),
        pytest.param(["--sweep", "1,2", "--level-duration", "1", "--warm-up", "0"], 0, id="a-sweep"),
    ],
)
def test_a_headless_process_imports_nothing_that_it_does_not_need(tmp_path, model_server, arguments, n_workers):
    processes = imported(tmp_path, model_server.address, *arguments, *forked(n_workers))

    assert len(processes) == 1 + n_workers
    for modules in processes:
        assert within(NEEDED, modules["ended"]) >= set(NEEDED)
        assert within(NOT_NEEDED, modules["ended"]) == set()


@pytest.mark.parametrize("module", ["numpy.random", "tfsload.report.page.page", "tfsload.webui.start_page"])
def test_what_is_imported_without_need_is_seen(tmp_path, model_server, module):
    (modules,) = imported(tmp_path, model_server.address, "--num-tests", "10", further=f"import {module}")

    assert module in within(NOT_NEEDED, modules["ended"])


def test_open_load_has_what_draws_its_arrivals_before_it_begins(tmp_path, model_server):
    arguments = ["--rate", "20", "--level-duration", "1", "--warm-up", "0", "--threshold", "error_rate < 100%"]

    (modules,) = imported(tmp_path, model_server.address, *arguments)

    assert "numpy.random" in modules["joined"]
