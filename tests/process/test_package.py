"""What `pip install .` brings, and that it runs where nothing of the project lies around it."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.runs import LIMIT_S, PROJECT

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

    def run(self, cwd: Path, program: str, *arguments: str) -> subprocess.CompletedProcess:
        """Run one of its programs to its end."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
        return subprocess.run(
            [self.directory / "bin" / program, *arguments],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )


def pip(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], cwd=PROJECT, capture_output=True, text=True)
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
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
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
