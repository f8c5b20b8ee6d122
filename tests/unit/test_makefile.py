"""`make test` and `make test-all` leave no test file out, and `make check` none of the unit tests."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.runs import PROJECT


@pytest.mark.parametrize(
    ("target", "option", "n_parts", "directory"),
    [
        pytest.param("test", '-m "not timing and not long"', 9, PROJECT / "tests", id="all-tests"),
        pytest.param("test", '-m "timing and not long"', 6, PROJECT / "tests", id="all-that-depend-on-timing"),
        pytest.param("test-all", '-m "not timing and not long"', 9, PROJECT / "tests", id="all-rows"),
        pytest.param("test-all", '-m "timing and not long"', 6, PROJECT / "tests", id="all-rows-that-depend-on-timing"),
        pytest.param("check", "--hypothesis-profile=quick", 4, PROJECT / "tests" / "unit", id="unit-tests"),
    ],
)
def test_its_parts_are_all_the_test_files_each_once(target, option, n_parts, directory):
    parts = [
        part
        for line in commands_of(target).splitlines()
        if option in line
        for part in re.findall(r" (tests/\S+)", line)
    ]
    named = [path for part in parts for path in files_of(part)]

    assert len(parts) == n_parts
    assert sorted(named) == sorted(files_with_tests(directory))


@pytest.mark.parametrize(("target", "n_short"), [("test", 13), ("test-all", 0), ("check", 4), ("coverage", 0)])
def test_only_the_short_ones_leave_rows_out(target, n_short):
    assert commands_of(target).count(" --rows=1 ") == n_short


def test_no_test_file_imports_from_another():
    imported = r"^\s*(?:from|import) tests\.(?!support|long)\S*"
    found = {
        path.name: re.findall(imported, path.read_text(), re.MULTILINE) for path in files_with_tests(PROJECT / "tests")
    }

    assert {name: imports for name, imports in found.items() if imports} == {}


def commands_of(target: str) -> str:
    """Return what a target would run."""
    make = ["make", "--dry-run", target]
    # Without what a make that runs this test hands on, such as how many rows it has.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "ROWS"))}
    return subprocess.run(
        make, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def files_of(part: str) -> list[Path]:
    """Return the test files of a part: a directory's, or those that a pattern names."""
    return files_with_tests(PROJECT / part) if (PROJECT / part).is_dir() else list(PROJECT.glob(part))


def files_with_tests(directory: Path) -> list[Path]:
    """Return the files that pytest looks for tests in."""
    return [path for name in ("test_*.py", "*_test.py") for path in directory.rglob(name)]
