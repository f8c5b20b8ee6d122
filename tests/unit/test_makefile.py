"""`make test` leaves no test file out, and `make check` none of the unit tests."""

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
        pytest.param("check", "--hypothesis-profile=quick", 2, PROJECT / "tests" / "unit", id="unit-tests"),
    ],
)
def test_its_parts_are_all_the_test_files_each_once(target, option, n_parts, directory):
    shown = subprocess.run(
        ["make", "--dry-run", target], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    parts = [part for line in shown.splitlines() if option in line for part in re.findall(r" (tests/\S+)", line)]
    named = [path for part in parts for path in files_of(part)]

    assert len(parts) == n_parts
    assert sorted(named) == sorted(files_with_tests(directory))


def test_no_test_file_imports_from_another():
    imported = r"^\s*(?:from|import) tests\.(?!support|long)\S*"
    found = {
        path.name: re.findall(imported, path.read_text(), re.MULTILINE) for path in files_with_tests(PROJECT / "tests")
    }

    assert {name: imports for name, imports in found.items() if imports} == {}


def files_of(part: str) -> list[Path]:
    """Return the test files of a part: a directory's, or those that a pattern names."""
    return files_with_tests(PROJECT / part) if (PROJECT / part).is_dir() else list(PROJECT.glob(part))


def files_with_tests(directory: Path) -> list[Path]:
    """Return the files that pytest looks for tests in."""
    return [path for name in ("test_*.py", "*_test.py") for path in directory.rglob(name)]
