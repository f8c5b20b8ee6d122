"""Makes a virtual environment for the load generator alone: everything it needs, without TensorFlow's runtime.

    python deploy/install_without_tensorflow.py /opt/venv

`tensorflow_serving.apis` needs a few generated modules of TensorFlow, 0.1 MB out of 1.9 GB. This script
downloads the wheel (some 570 MB), asks Python which of its modules `tfsload.transport.protos` imports, and installs
those alone.
The image's Dockerfile runs it; nothing in it depends on the image.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
REQUIREMENTS = PROJECT / "requirements.txt"
CONSTRAINTS = PROJECT / "constraints.txt"

LEFT_OUT = "tensorflow"
# It requires tensorflow, so it comes without what it requires; that is then protobuf and grpcio.
PROTO_PACKAGE = "tensorflow-serving-api"
PROTO_PACKAGE_NEEDS = ("protobuf", "grpcio")

# Whoever imports TensorFlow here is to read why it fails, and not that `tf` has no attribute so-and-so.
# tfsload.transport.protos goes around this file, as it goes around the real one.
INIT = '''"""Only the proto modules of TensorFlow that tfsload.transport.protos imports."""

raise ImportError(
    "TensorFlow is not installed here, only its proto modules are: the embedded model server cannot run; "
    "name a server with --host HOST:PORT, or install requirements.txt"
)
'''

_LIST_MODULES = """
import sys
import tfsload.transport.protos
for name, module in sys.modules.items():
    if name.startswith("tensorflow.") and module.__file__:
        print(module.__file__)
"""


def main(arguments: list[str]) -> None:
    """Make the virtual environment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="where to make the virtual environment; it must not exist")
    directory = parser.parse_args(arguments).directory.absolute()
    if directory.exists():
        parser.error(f"{directory} exists: expected a new directory")
    # Without pip: this interpreter's installs into it, and the load generator needs none.
    venv.create(directory, symlinks=True)
    python = directory / "bin" / "python"
    pinned = requirements(REQUIREMENTS.read_text())
    with tempfile.TemporaryDirectory() as temporary:
        others = Path(temporary) / "requirements.txt"
        others.write_text("\n".join([*others_than((LEFT_OUT, PROTO_PACKAGE), pinned), *PROTO_PACKAGE_NEEDS]))
        _pip_install(python, "--requirement", str(others))
        _pip_install(python, "--no-deps", pinned[PROTO_PACKAGE])
        wheel = _download(pinned[LEFT_OUT], Path(temporary) / "wheel")
        unpacked = Path(temporary) / "unpacked"
        unpack_protos(wheel, unpacked)
        copied = copy_protos(python, unpacked, _site_packages(python))
    print(f"{directory}: {len(copied)} modules of {pinned[LEFT_OUT]} installed")


def requirements(text: str) -> dict[str, str]:
    """Return the lines of a requirements file by package name; lines for several Pythons are joined by a newline."""
    lines: dict[str, str] = {}
    for line in text.splitlines():
        if name := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line):
            lines[name[0]] = "\n".join(filter(None, [lines.get(name[0]), line]))
    return lines


def others_than(names: Iterable[str], lines: dict[str, str]) -> list[str]:
    """Return the requirements other than `names`.

    Raises:
        SystemExit: one of `names` is not among them, so that this script no longer fits the requirements.
    """
    if missing := sorted(set(names) - set(lines)):
        raise SystemExit(
            f"{REQUIREMENTS.name} does not name {', '.join(missing)}: expected it to, in order to leave it out"
        )
    return [line for name, line in lines.items() if name not in names]


def unpack_protos(wheel: Path, directory: Path) -> None:
    """Unpack the generated proto modules of the TensorFlow wheel, all of them and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory, [n for n in archive.namelist() if re.fullmatch(r"tensorflow/.*_pb2\.py", n)])


def copy_protos(python: Path, source: Path, destination: Path) -> list[Path]:
    """Copy the modules of `source`/tensorflow that `tfsload.transport.protos` imports to `destination`/tensorflow.

    Args:
        python: an interpreter with every package that tfsload.transport.protos needs besides TensorFlow.
        source: a directory with a package `tensorflow`, whose `__init__.py` is not run.
        destination: gets a package `tensorflow` that cannot be imported itself; its submodules can.

    Returns:
        The copied files, relative to `source`.
    """
    path = os.pathsep.join([str(source), str(PROJECT)])
    listed = subprocess.run(
        [python, "-c", _LIST_MODULES],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Packages are left out: those that hold modules here need no __init__.py, and the wheel's have none that matters.
    files = [Path(line).relative_to(source) for line in listed.stdout.splitlines() if line.endswith("_pb2.py")]
    for file in files:
        (destination / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, destination / file)
    (destination / "tensorflow" / "__init__.py").write_text(INIT)
    return files


def _pip_install(python: Path, *arguments: str) -> None:
    # Wheels only: the image has no compiler, and a package that suddenly needs one is to be noticed at once.
    command = ["--python", str(python), "install", "--no-cache-dir", "--only-binary", ":all:"]
    _pip(*command, "--constraint", str(CONSTRAINTS), *arguments)


def _download(requirement: str, directory: Path) -> Path:
    _pip("download", "--no-cache-dir", "--only-binary", ":all:", "--no-deps", "--dest", str(directory), requirement)
    (wheel,) = directory.glob("*.whl")
    return wheel


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True)


def _site_packages(python: Path) -> Path:
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(ask, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


if __name__ == "__main__":
    main(sys.argv[1:])
