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
        "tfsload.target",
        "tfsload.settings",
        "tfsload.exit_codes",
        "tfsload.streams",
        "tfsload.output_paths",
        "tfsload.beginning",
        "tfsload.failure",
        "tfsload.servable",
        "tfsload.tolerance",
        "tfsload.refusal",
        "tfsload.origins",
        "tfsload.words",
        "tfsload.log_guard",
        "tfsload.analysis.thresholds",
        "tfsload.load.arrivals",
        "tfsload.load.search",
        "tfsload.load.window",
        "tfsload.load",
    },
    {
        "tfsload.scoring",
        "tfsload.mismatch",
        "tfsload.histogram",
        "tfsload.half_seconds",
        "tfsload.record",
        "tfsload.recorder",
        "tfsload.coverage",
        "tfsload.request_book",
        "tfsload.references",
        "tfsload.load.plan",
        "tfsload.analysis",
    },
    {"data", "tfsload.protos", "tfsload.codec", "tfsload.channel", "tfsload.modelserver", "tfsload.training"},
    {
        "tfsload.events",
        "tfsload.supply",
        "tfsload.run",
        "tfsload.load.alarm",
        "tfsload.load.pacer",
        "tfsload.load.shape",
        "tfsload.load.shape_in_use",
        "tfsload.distributed",
        "tfsload.processes",
        "tfsload.run_time",
        "tfsload.preflight",
        "tfsload.verification",
        "tfsload.round_trip",
        "tfsload.user_hosts",
        "tfsload.load.cpu_time",
        "users",
    },
    {
        "tfsload.embedded",
        "tfsload.checks",
        "tfsload.other_users",
        "tfsload.before_reset",
        "tfsload.process_exit",
        "tfsload.run_warnings",
        "tfsload.report",
        "tfsload.webui",
        "tfsload.interrupt",
        "tfsload.locust_files",
        "tfsload.locust_wraps",
    },
    {"tfsload.outcome", "tfsload.run_progress", "tfsload.ending", "tfsload.lifecycle"},
    {"locustfile"},
)
# Pure: plain data in, plain data out; nothing here waits, sends or knows of Locust.
PURE = LAYERS[0] | LAYERS[1] | {"tfsload.codec"}
IMPURE_PACKAGES = {"gevent", "grpc", "locust", "socket", "subprocess", "threading", "flask"}
# TensorFlow lives in processes of its own.
TENSORFLOW_ROOMS = {"tfsload.modelserver", "tfsload.training"}


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

    assert users == []  # tfsload.protos itself imports them by name, without TensorFlow's own __init__


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
