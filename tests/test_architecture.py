"""The directions of dependencies, read from the imports."""

import ast
import functools
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import PROJECT

# From the bottom up: a room imports its own layer and those below, never above.
LAYERS = (
    {
        "tfsload.transport.address",
        "tfsload.settings.settings",
        "tfsload.analysis.exit_codes",
        "tfsload.suite.streams",
        "tfsload.suite.output_paths",
        "tfsload.suite.beginning",
        "tfsload.transport.failure",
        "tfsload.transport.servable",
        "tfsload.analysis.tolerance",
        "tfsload.settings.refusal",
        "tfsload.settings.origins",
        "tfsload.transport.words",
        "tfsload.suite.log_guard",
        "tfsload.analysis.thresholds",
        "tfsload.load.arrivals",
        "tfsload.load.search",
        "tfsload.records.window",
        "tfsload.load",
    },
    {
        "tfsload.transport.answer",
        "tfsload.records.mismatch",
        "tfsload.records.histogram",
        "tfsload.records.half_seconds",
        "tfsload.records.record",
        "tfsload.records.recorder",
        "tfsload.load.leases",
        "tfsload.load.request_book",
        "tfsload.target.references",
        "tfsload.load.plan",
        "tfsload.analysis",
    },
    {
        "data",
        "tfsload.transport.protos",
        "tfsload.transport.grpc.codec",
        "tfsload.channel",
        "tfsload.modelserver",
        "models.training",
    },
    {
        "tfsload.prediction.events",
        "tfsload.load.supply",
        "tfsload.prediction.process_run",
        "tfsload.load.alarm",
        "tfsload.load.pacer",
        "tfsload.suite.level_shape",
        "tfsload.suite.shape_in_use",
        "tfsload.distributed",
        "tfsload.run.processes",
        "tfsload.suite.run_time",
        "tfsload.target.preflight",
        "tfsload.target.verification",
        "tfsload.target.round_trip",
        "tfsload.run.user_hosts",
        "tfsload.load.cpu_time",
        "users",
    },
    {
        "tfsload.target.embedded",
        "tfsload.run.checks",
        "tfsload.suite.other_users",
        "tfsload.suite.before_reset",
        "tfsload.suite.process_exit",
        "tfsload.suite.run_warnings",
        "tfsload.report",
        "tfsload.webui",
        "tfsload.suite.interrupt",
        "tfsload.suite.locust_files",
        "tfsload.suite.locust_wraps",
    },
    {"tfsload.suite.outcome", "tfsload.suite.run_progress", "tfsload.suite.ending", "tfsload.suite.lifecycle"},
    {"locustfile"},
)
# Pure: plain data in, plain data out; nothing here waits, sends or knows of Locust.
PURE = LAYERS[0] | LAYERS[1] | {"tfsload.transport.grpc.codec"}
IMPURE_PACKAGES = {"gevent", "grpc", "locust", "socket", "subprocess", "threading", "flask"}
# TensorFlow lives in processes of its own.
TENSORFLOW_ROOMS = {"tfsload.modelserver", "models.training"}


def modules():
    """Return the project's modules by dotted name."""
    roots = ("tfsload", "users", "data")
    files = [PROJECT / "locustfile.py", *(path for root in roots for path in (PROJECT / root).rglob("*.py"))]
    return {dotted(path): path for path in files}


def dotted(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def imports(path: Path) -> set[str]:
    """Return what a module imports, anywhere in it: dotted names, with what is taken from a package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def room_of(name: str) -> str | None:
    """Return the room that a dotted name lies in; None outside the project."""
    rooms = {room for layer in LAYERS for room in layer}
    return max((room for room in rooms if name == room or name.startswith(room + ".")), key=len, default=None)


def layer_of(room: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if room in layer)


MODULES = modules()


def test_every_module_has_its_room():
    assert [name for name in MODULES if name != "tfsload" and room_of(name) is None] == []


@pytest.mark.parametrize("name", sorted(MODULES))
def test_dependencies_point_down(name):
    room = room_of(name)
    upward = [
        imported
        for imported in imports(MODULES[name])
        if room and (other := room_of(imported)) and layer_of(other) > layer_of(room)
    ]

    assert upward == []


def test_no_imports_go_in_a_circle():
    graph = {name: {other for other in MODULES if uses(path, other)} - {name} for name, path in MODULES.items()}

    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(MODULES)


def uses(path: Path, module: str) -> bool:
    return any(name == module or name.rpartition(".")[0] == module for name in imports(path))


@pytest.mark.parametrize("name", sorted(name for name in MODULES if room_of(name) in PURE))
def test_pure_modules_stay_pure(name):
    packages = {imported.split(".")[0] for imported in imports(MODULES[name])}

    assert packages & IMPURE_PACKAGES == set()


@pytest.mark.parametrize("name", sorted(name for name in MODULES if room_of(name) not in TENSORFLOW_ROOMS))
def test_tensorflow_stays_in_its_processes(name):
    assert not any(imported.split(".")[0] == "tensorflow" for imported in imports(MODULES[name]))


def test_the_protos_have_one_door():
    users = [
        name
        for name, path in MODULES.items()
        if room_of(name) not in TENSORFLOW_ROOMS and "tensorflow_serving" in str(imports(path))
    ]

    assert users == []  # tfsload.transport.protos itself imports them by name, without TensorFlow's own __init__


def test_a_load_generator_has_no_tensorflow_in_it():
    code = "import sys, locustfile; print([name for name in sys.modules if name.startswith('tensorflow.python')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_data_sets_know_nothing_of_load():
    assert [name for name in MODULES if room_of(name) == "data" and "tfsload" in str(imports(MODULES[name]))] == []


def test_the_load_generator_takes_only_the_launcher_from_the_model_server():
    outside = {name: path for name, path in MODULES.items() if room_of(name) not in TENSORFLOW_ROOMS}
    taken = {
        imported.removeprefix("tfsload.modelserver.").split(".")[0]
        for path in outside.values()
        for imported in imports(path)
        if imported.startswith("tfsload.modelserver")
    }

    assert taken == {"process"}


def test_a_report_computes_nothing():
    # It may know what it prints, and nothing of how that was measured.
    known = {
        room_of(imported)
        for name, path in MODULES.items()
        if room_of(name) == "tfsload.report"
        for imported in imports(path)
        if room_of(imported)
    }

    assert known <= {"tfsload.report", "tfsload.analysis", "tfsload.load.plan"}
