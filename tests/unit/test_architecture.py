"""The rooms of the house and the directions between them, as DESIGN's table and pyproject.toml have them."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runs import PROJECT

ROOMS = {
    *("transport", "datasets", "records", "analysis", "load", "settings", "report", "target", "prediction", "run"),
    *("webui", "suite", "modelserver"),
}
MOST_LINES, MOST_LINES_A_FUNCTION = 350, 50
# A file or a function that is longer says why, in a comment that begins so.
LONG_BECAUSE = re.compile(r"^\s*# Long because ", re.MULTILINE)


def sources():
    return [path for root in ("tfsload", "users") for path in sorted((PROJECT / root).rglob("*.py"))]


def test_the_house_has_these_rooms_and_nothing_loose():
    found = {path.name for path in (PROJECT / "tfsload").iterdir() if path.name != "__pycache__"}

    assert found == ROOMS | {"__init__.py", "__main__.py", "py.typed"}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_rooms_own_init_imports_nothing(room):
    tree = ast.parse((PROJECT / "tfsload" / room / "__init__.py").read_text())

    assert [type(node).__name__ for node in tree.body] == ["Expr"]  # its docstring


def lint_imports(directory: Path) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    environment = {"PATH": "", "COLUMNS": "200"}
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, env=environment, timeout=120)


def test_dependencies_point_down():
    linted = lint_imports(PROJECT)

    assert linted.returncode == 0, linted.stdout


# Each breaks a contract that no other one breaks, so that the linter looks at all of them in one go.
PLANTED = {
    "up": ("records.record", "tfsload.analysis.levels", "records imports"),
    "past-a-room": ("report.terminal", "tfsload.records.record", "report imports"),
    "beside-the-let-through": ("analysis.usl", "tfsload.transport.tls", "analysis imports"),
    "web-ui-to-suite": ("webui.door", "tfsload.suite.lifecycle", "webui imports"),
    "locust-in-load": ("load.plan", "locust", "Locust stays"),
    "flask-in-settings": ("settings.rules", "flask", "flask stays"),
    "tensorflow-in-run": ("run.checks", "tensorflow", "TensorFlow stays"),
    "grpc-in-analysis": ("analysis.usl", "grpc", "gRPC and HTTP/2 stay"),
    "http-in-settings": ("settings.rules", "httptools", "HTTP/1.1 and its JSON stay"),
    "http-server-in-the-target": ("target.launcher", "uvicorn", "The HTTP server stays"),
    "charts-in-the-suite": ("suite.outcome", "vl_convert", "vl-convert stays"),
}


@pytest.fixture(scope="module")
def linted_with_planted(tmp_path_factory):
    house = tmp_path_factory.mktemp("house")
    for name in ("tfsload", "users"):
        shutil.copytree(PROJECT / name, house / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", house)
    for importer, imported, _ in PLANTED.values():
        with (house / "tfsload" / f"{importer.replace('.', '/')}.py").open("a") as file:
            file.write(f"\nimport {imported}  # planted\n")
    return lint_imports(house)


@pytest.mark.parametrize(("importer", "imported", "broken"), PLANTED.values(), ids=PLANTED)
def test_an_arrow_that_is_planted_is_seen(linted_with_planted, importer, imported, broken):
    stdout = linted_with_planted.stdout

    assert linted_with_planted.returncode == 1, linted_with_planted.stderr
    assert re.search(rf"^{re.escape(broken)}.* BROKEN", stdout, re.MULTILINE), stdout
    # What is told of this contract: its heading, what is not allowed, and the arrow, which is the only one.
    told = re.search(rf"^{re.escape(broken)}[^\n]*\n-+\n(.*?)(?=\n\n\n|\Z)", stdout, re.MULTILINE | re.DOTALL)[1]
    assert re.findall(r"^- +(\S+) -> (\S+) \(l\.\d+\)$", told, re.MULTILINE) == [(f"tfsload.{importer}", imported)]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_files_and_functions_are_short_or_say_why(path):
    text = path.read_text()
    lines = text.splitlines()
    functions = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > MOST_LINES_A_FUNCTION
        and not LONG_BECAUSE.search("\n".join(lines[max(node.lineno - 2, 0) : node.end_lineno]))
    ]

    assert functions == []
    assert len(lines) <= MOST_LINES or LONG_BECAUSE.search(text)


def run_code(code: str) -> str:
    # Coverage would import gevent in it, to follow its greenlets.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "name", ["tfsload", "tfsload.__main__", "tfsload.report.terminal", "tfsload.modelserver.__main__"]
)
def test_what_needs_no_locust_imports_neither_it_nor_gevent(name):
    """A model server whose process gevent has patched starts, and answers nobody."""
    assert run_code(f"import sys, {name}; print({{'locust', 'gevent'}} & set(sys.modules))") == "set()"


def test_a_load_generator_has_no_tensorflow_in_it():
    loaded = "[name for name in sys.modules if name.startswith('tensorflow.python')]"

    assert run_code(f"import sys, locustfile; print({loaded})") == "[]"


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["locustfile", "tfsload.report.page.page", "tfsload.report.charts.draw"])
def test_what_draws_charts_is_in_no_process_that_draws_none(name):
    """It is large, and holds up whatever else goes on."""
    assert run_code(f"import sys, {name}; print('vl_convert' in sys.modules)") == "False"


def test_what_draws_charts_has_one_door():
    users = [path for path in sources() if "import vl_convert" in path.read_text()]

    assert users == [PROJECT / "tfsload" / "report" / "charts" / "draw.py"]


def test_the_protos_have_one_door():
    users = [path for path in sources() if "tensorflow_serving" in path.read_text() and "modelserver" not in str(path)]

    # It imports them by name, without TensorFlow's own __init__.
    assert users == [PROJECT / "tfsload" / "transport" / "protos.py"]


def test_what_is_imported_is_declared():
    """What another package happens to bring is gone when that package no longer needs it."""
    declared = {
        re.split(r"[=<>!;\[ ]", line)[0].lower().replace("_", "-")
        for line in (PROJECT / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    packages = importlib.metadata.packages_distributions()
    imported = {
        name.split(".")[0]
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    outside = imported - set(sys.stdlib_module_names) - {"tfsload", "users"}

    undeclared = {
        name for name in outside if not {one.lower().replace("_", "-") for one in packages.get(name, [name])} & declared
    }
    assert undeclared == set()
