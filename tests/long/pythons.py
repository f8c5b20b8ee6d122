"""Tries the suite with each Python that it supports and that this machine has: unit tests, and 1,000 images.

    python3 -m tests.long.pythons [VERSION ...]

Supported is what `pyproject.toml` names. A Python is looked for on PATH, among pyenv's and among uv's, and gets an
environment of its own, `.venv-VERSION`. One that is not there is named, and skipped. The exit code is 1 where one
failed, or none was tried.

It is run before there is any environment: it needs nothing but Python itself.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
# What is made of each, in words and as a target of the Makefile.
STEPS = {"the unit tests": "units", "1,000 images": "demo"}
# Whether it runs at all (a shim of pyenv's may not), and can make environments (Debian's may not).
_SAY_VERSION = "import ensurepip, platform; print(platform.python_version())"
_LIMIT_S = 30


@dataclass(frozen=True)
class Python:
    """One that runs: its path, and its whole version."""

    path: Path
    version: str


@dataclass(frozen=True)
class Tried:
    """What came of a Python.

    Attributes:
        version: such as 3.12.
        python: None: this machine has none.
        failed: the first step that failed; empty: none did.
        took_s: how long it took.
    """

    version: str
    python: Python | None
    failed: str = ""
    took_s: float = 0.0

    def line(self) -> str:
        """Say it in a line."""
        if self.python is None:
            return f"Python {self.version}: SKIPPED: there is none on PATH, among pyenv's or uv's"
        what = f"FAILED at {self.failed}" if self.failed else f"passed: {' and '.join(STEPS)}"
        return f"Python {self.version}: {what} ({self.python.version}, {self.took_s:.0f} s; {self.python.path})"


def supported() -> list[str]:
    """Return the versions that `pyproject.toml` names."""
    return re.findall(r"Programming Language :: Python :: (3\.\d+)", (PROJECT / "pyproject.toml").read_text())


def find(version: str, environment: Mapping[str, str]) -> Python | None:
    """Return the first Python of a version that runs and can make environments."""
    for path in _candidates(version, environment):
        with_version = _version_of(path)
        if with_version.startswith(f"{version}."):
            return Python(path, with_version)
    return None


def _candidates(version: str, environment: Mapping[str, str]) -> Iterator[Path]:
    name = f"python{version}"
    for directory in environment.get("PATH", "").split(os.pathsep):
        if directory:
            yield Path(directory) / name
    home = Path(environment.get("HOME", "/nonexistent"))
    pyenv = Path(environment.get("PYENV_ROOT") or home / ".pyenv")
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    uv = Path(environment.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for directory, pattern in ((pyenv / "versions", f"{version}.*"), (uv, f"cpython-{version}.*")):
        yield from sorted((one / "bin" / name for one in directory.glob(pattern)), key=_numbers, reverse=True)


def _numbers(path: Path) -> list[int]:
    """Return what sorts 3.12.10 after 3.12.9."""
    return [int(number) for number in re.findall(r"\d+", path.parts[-3])]


def _version_of(path: Path) -> str:
    """Return a Python's whole version; empty where it does not run."""
    try:
        said = subprocess.run([path, "-c", _SAY_VERSION], capture_output=True, text=True, timeout=_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.stdout.strip()


def make(python: Python, version: str, target: str) -> bool:
    """Make a target of the Makefile with a Python; return whether it came off."""
    command = ["make", "--no-print-directory", f"PYTHON={python.path}", f"VENV=.venv-{version}", target]
    print(f"\n$ {' '.join(command)}", flush=True)
    # Without what a make that runs this hands on: its variables would come before these.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode == 0


def try_all(
    versions: Iterable[str],
    find_one: Callable[[str], Python | None],
    make_one: Callable[[Python, str, str], bool] = make,
) -> list[Tried]:
    """Try versions, one after the other; of each no more steps than the first that fails."""
    tried = []
    for version in versions:
        python, begin_s = find_one(version), time.monotonic()
        steps = STEPS.items() if python else ()
        failed = next((words for words, target in steps if python and not make_one(python, version, target)), "")
        tried.append(Tried(version, python, failed, time.monotonic() - begin_s))
    return tried


def exit_code(tried: Sequence[Tried]) -> int:
    """Return 0 where at least one was tried, and none failed."""
    return int(any(one.failed for one in tried) or not any(one.python for one in tried))


def main() -> int:
    """Try those of the command line, or all; return the exit code."""
    versions = sys.argv[1:] or supported()
    if unknown := [version for version in versions if version not in supported()]:
        print(f"{', '.join(unknown)}: expected some of {', '.join(supported())}", file=sys.stderr)
        return 2
    tried = try_all(versions, lambda version: find(version, os.environ))
    print()
    for one in tried:
        print(one.line())
    return exit_code(tried)


if __name__ == "__main__":
    sys.exit(main())
