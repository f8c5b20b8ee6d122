"""`make test` leaves no test file out."""

import re
import subprocess
from pathlib import Path

from tests.support.runs import PROJECT


def test_its_parts_are_all_the_test_files():
    shown = subprocess.run(
        ["make", "--dry-run", "test"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    globs = re.findall(r"tests/\*/test_\S*\.py", shown)
    named = [path for glob in globs for path in PROJECT.glob(glob)]

    assert len(globs) == 3
    assert sorted(named) == sorted(files_with_tests())


def files_with_tests() -> list[Path]:
    """Return the files that pytest looks for tests in."""
    return [path for name in ("test_*.py", "*_test.py") for path in (PROJECT / "tests").rglob(name)]
