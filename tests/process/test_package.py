"""What `pip install .` brings, and that it runs where nothing of the project lies around it."""

import os
import signal
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import tfsload
from tests.support.runs import LIMIT_S, PROJECT, free_port, wait_until

MY_LOCUSTFILE = """\
import tfsload

class MyUser(tfsload.GrpcUser):
    pass
"""
# What this machine sets for Locust or the suite is not to reach the runs, nor is the project's directory.
_NOT_PASSED_ON = ("LOCUST_", "TFSLOAD_", "GRPC_", "PYTHON")


@dataclass(frozen=True)
class Installed:
    """An environment in which pip has installed the package."""

    directory: Path
    site_packages: Path

    def start(self, cwd: Path, program: str, *arguments: str) -> subprocess.Popen:
        """Start one of its programs; its outputs are pipes."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
        return subprocess.Popen(
            [self.directory / "bin" / program, *arguments],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, cwd: Path, program: str, *arguments: str) -> subprocess.CompletedProcess:
        """Run one of its programs to its end."""
        process = self.start(cwd, program, *arguments)
        try:
            stdout, stderr = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built with what is installed here: nothing is downloaded."""
    directory = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(directory), ".")
    (path,) = directory.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    """An empty environment with the wheel in it.

    What the wheel requires is not installed again, 2 GB with TensorFlow: a .pth lends it this environment's packages.
    Locust's own program is made for it alone.
    """
    directory = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True, timeout=120)
    pip("--python", str(directory), "install", "--quiet", "--no-deps", str(wheel))
    variables = {"base": str(directory), "platbase": str(directory)}
    site_packages = Path(sysconfig.get_path("purelib", "venv", variables))
    (site_packages / "lent.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    locust = directory / "bin" / "locust"
    locust.write_text(f"#!{directory}/bin/python\nimport sys\nfrom locust.main import main\nsys.exit(main())\n")
    locust.chmod(0o755)
    return Installed(directory, site_packages)


def test_a_wheel_has_one_top_level_name_and_what_a_run_needs(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names} == {"tfsload", "tfsload-0.1.0.dist-info"}
    shipped = {name.removeprefix("tfsload/shipped/") for name in names if name.startswith("tfsload/shipped/")}
    assert shipped == {
        "locustfile.py",
        *(f"users/{path.name}" for path in (PROJECT / "users").glob("*.py")),
        "models/mnist/1/saved_model.pb",
        *(f"data/mnist5k/{name}" for name in ("README.md", "test-images-idx3-ubyte.gz", "test-labels-idx1-ubyte.gz")),
    }
    assert "tfsload/py.typed" in names
    assert "tfsload-0.1.0.dist-info/licenses/LICENSE" in names


def test_it_requires_what_requirements_txt_names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA")]
    pinned = {
        line for line in (PROJECT / "requirements.txt").read_text().splitlines() if "==" in line and line[0] != "#"
    }

    assert pinned <= set(metadata.replace("Requires-Dist: ", "").splitlines())


@pytest.mark.parametrize("target", ["embedded", "named"])
def test_four_lines_run_in_an_empty_directory(target, installed, tmp_path, request):
    (tmp_path / "mine.py").write_text(MY_LOCUSTFILE)
    host = ["--host", request.getfixturevalue("model_server").address] if target == "named" else []

    ended = installed.run(
        tmp_path, "locust", "-f", "mine.py", "--headless", "--only-summary", "--num-tests", "100", *host
    )

    assert ended.returncode == 0, ended.stderr
    assert "100 of 100 images, each exactly once" in ended.stdout
    assert ("starting the embedded model server" in ended.stderr) == (target == "embedded")


def test_nothing_runs_that_was_not_asked_for(installed, tmp_path):
    (tmp_path / "mine.py").write_text("from tfsload import GrpcUser, PredictionUser\n")

    ended = installed.run(tmp_path, "locust", "-f", "mine.py", "--headless", "--only-summary", "--num-tests", "100")

    assert ended.returncode == 1
    assert "No User class found" in ended.stderr


@pytest.mark.parametrize(
    "program", [pytest.param(("tfsload",), id="script"), pytest.param(("python", "-m", "tfsload"), id="module")]
)
def test_its_programs_say_their_version(program, installed, tmp_path):
    ended = installed.run(tmp_path, *program, "--version")

    assert (ended.returncode, ended.stdout) == (0, f"tfsload {tfsload.__version__}\n"), ended.stderr


def test_the_suites_own_users_run_in_a_directory_with_names_of_its_own(installed, tmp_path):
    for name in ("users", "locustfile", "locust", "random"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the directory was imported')")

    ended = installed.run(tmp_path, "tfsload", "run", "--headless", "--only-summary", "--num-tests", "100")

    assert ended.returncode == 0, ended.stderr
    assert "100 of 100 images, each exactly once" in ended.stdout


def test_without_headless_run_opens_the_web_ui(installed, tmp_path, model_server):
    port = free_port()
    process = installed.start(tmp_path, "tfsload", "run", "--web-port", str(port), "--host", model_server.address)
    try:
        page = wait_until(lambda: process.poll() is not None or page_of(port), "the web UI's page")
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()

    assert "Start a run" in str(page), log
    assert process.returncode == 0, log


def page_of(port: int) -> str:
    """Return the page of the web UI; empty while there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=LIMIT_S) as reply:
            return reply.read().decode()
    except OSError:
        return ""
