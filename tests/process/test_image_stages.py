"""What each stage of deploy/Dockerfile copies is all that it needs: it runs where nothing else of the project lies."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import dockerfile
from tests.support.runs import LIMIT_S

BUILD, FINAL = 0, 1
# As the installer does it in the build stage, but for the download.
COPY_PROTOS = """
import pathlib, sys
sys.path.insert(0, "deploy")
import install_without_tensorflow as installer
python, source, destination = map(pathlib.Path, sys.argv[1:])
print(len(installer.copy_protos(python, source, destination)))
"""


def run_in(directory: Path, *command: str, **environment: str) -> subprocess.CompletedProcess:
    """Run Python in a directory, as a container's shell would: with nothing of this project in its environment."""
    own = {name: text for name, text in os.environ.items() if not name.startswith(("LOCUST_", "TFSLOAD_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, *command],
        cwd=directory,
        env={**own, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )


@pytest.fixture(scope="module")
def build_stage(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("build")
    dockerfile.copy_stage(BUILD, directory)
    return directory


@pytest.fixture(scope="module")
def protos_alone(build_stage, tmp_path_factory) -> Path:
    """The modules of TensorFlow that the build stage finds to be needed, and no others."""
    directory = tmp_path_factory.mktemp("site")
    tensorflow = importlib.util.find_spec("tensorflow")
    source = Path(tensorflow.origin).parents[1]
    copied = run_in(build_stage, "-c", COPY_PROTOS, sys.executable, str(source), str(directory))
    assert copied.returncode == 0, copied.stderr
    assert int(copied.stdout) >= 4
    return directory


@pytest.fixture(scope="module")
def final_stage(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("app")
    dockerfile.copy_stage(FINAL, directory)
    return directory


def test_the_build_stage_imports_the_protos(build_stage):
    imported = run_in(build_stage, "-c", "import tfsload.transport.protos as protos; print(protos.__file__)")

    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.startswith(str(build_stage))


def test_the_final_stage_has_no_image_that_only_the_training_needs(final_stage):
    assert sorted(path.name for path in (final_stage / "data" / "mnist5k").iterdir()) == [
        "README.md",
        "test-images-idx3-ubyte.gz",
        "test-labels-idx1-ubyte.gz",
    ]


def test_the_final_stage_lists_its_users_and_options(final_stage, protos_alone):
    path = str(protos_alone)
    users = run_in(final_stage, "-m", "locust", "-f", "locustfile.py", "--list", PYTHONPATH=path)
    options = run_in(final_stage, "-m", "tfsload", "run", "--help", PYTHONPATH=path)

    assert users.returncode == options.returncode == 0, users.stderr + options.stderr
    assert "GrpcPredictionUser" in users.stdout
    assert "--num-tests" in options.stdout


def test_the_final_stage_fires_its_images_without_tensorflow(final_stage, protos_alone, model_server):
    arguments = ("--headless", "--only-summary", "--num-tests", "100", "--host", model_server.address)
    ended = run_in(final_stage, "-m", "locust", "-f", "locustfile.py", *arguments, PYTHONPATH=str(protos_alone))

    assert ended.returncode == 0, ended.stderr
    assert "100 of 100 images, each exactly once" in ended.stdout


def test_the_final_stage_says_why_it_has_no_embedded_server(final_stage, protos_alone):
    arguments = ("--headless", "--only-summary", "--num-tests", "100")
    ended = run_in(final_stage, "-m", "locust", "-f", "locustfile.py", *arguments, PYTHONPATH=str(protos_alone))

    assert ended.returncode == 1
    assert "name a server with --host HOST:PORT" in ended.stderr
