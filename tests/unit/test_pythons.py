"""`make pythons`: which Pythons are tried, where they are looked for, and what is said of them."""

import re
import stat
from pathlib import Path

import pytest

from tests.long import pythons
from tests.long.pythons import Python, Tried
from tests.support.runs import PROJECT

FOUND = Python(Path("/opt/python3.12"), "3.12.1")


def plant(path, says, exit_code=0):
    """Put a program where a Python would be."""
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho {says}\nexit {exit_code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("planted", "version"),
    [
        pytest.param({"bin": "3.12.1"}, "3.12.1", id="on-path"),
        pytest.param({}, None, id="nowhere"),
        pytest.param({"bin": "3.13.0"}, None, id="another-one-by-its-name"),
        pytest.param({".pyenv/versions/3.12.9/bin": "3.12.9"}, "3.12.9", id="pyenvs"),
        pytest.param(
            {".pyenv/versions/3.12.9/bin": "3.12.9", ".pyenv/versions/3.12.10/bin": "3.12.10"}, "3.12.10", id="newest"
        ),
        pytest.param({".local/share/uv/python/cpython-3.12.4-linux/bin": "3.12.4"}, "3.12.4", id="uvs"),
        pytest.param({"bin": "3.12.1", ".pyenv/versions/3.12.9/bin": "3.12.9"}, "3.12.1", id="path-comes-first"),
    ],
)
def test_a_python_is_found(tmp_path, planted, version):
    for directory, says in planted.items():
        plant(tmp_path / directory / "python3.12", says)

    found = pythons.find("3.12", {"PATH": f":{tmp_path / 'bin'}", "HOME": str(tmp_path)})

    assert (found and found.version) == version


def test_a_shim_that_has_nothing_behind_it_is_passed_over(tmp_path):
    plant(tmp_path / "bin" / "python3.12", "3.12.1", exit_code=127)
    plant(tmp_path / "root" / "versions" / "3.12.9" / "bin" / "python3.12", "3.12.9")

    found = pythons.find("3.12", {"PATH": str(tmp_path / "bin"), "PYENV_ROOT": str(tmp_path / "root")})

    assert found == Python(tmp_path / "root" / "versions" / "3.12.9" / "bin" / "python3.12", "3.12.9")


@pytest.mark.parametrize(
    ("there", "fails", "lines", "exit_code"),
    [
        pytest.param({"3.12"}, (), ["passed: the unit tests and 1,000 images (3.12.1", "SKIPPED"], 0, id="passed"),
        pytest.param({"3.12"}, ("units",), ["FAILED at the unit tests (3.12.1", "SKIPPED"], 1, id="a-failed-test"),
        pytest.param({"3.12"}, ("demo",), ["FAILED at 1,000 images (3.12.1", "SKIPPED"], 1, id="a-failed-run"),
        pytest.param(set(), (), ["SKIPPED", "SKIPPED"], 1, id="none-is-there"),
    ],
)
def test_a_line_is_said_of_each(there, fails, lines, exit_code):
    made = []

    def make(python, version, target):
        made.append((python, version, target))
        return target not in fails

    tried = pythons.try_all(["3.12", "3.13"], lambda version: FOUND if version in there else None, make)

    assert len(tried) == len(lines)
    for one, version, words in zip(tried, ("3.12", "3.13"), lines, strict=True):
        assert one.line().startswith(f"Python {version}: {words}")
    targets = [target for target in ("units", "demo") if fails != ("units",) or target == "units"]
    assert made == [(FOUND, "3.12", target) for version in there for target in targets]
    assert pythons.exit_code(tried) == exit_code


def test_what_is_skipped_does_not_hide_what_failed():
    tried = [Tried("3.11", FOUND, "1,000 images"), Tried("3.12", FOUND), Tried("3.13", None)]

    assert pythons.exit_code(tried) == 1
    assert pythons.exit_code(tried[1:]) == 0


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "Makefile", "constraints.txt", "docs/pipelines.md", "pyproject.toml"]
)
def test_all_that_name_the_supported_pythons_name_the_same(name):
    minors = [int(version.removeprefix("3.")) for version in pythons.supported()]
    first, last = minors[0], minors[-1]
    text = (PROJECT / name).read_text()
    said = re.findall(r"Python 3\.(\d+) to 3\.(\d+)", text) + re.findall(r'">=3\.(\d+),<3\.(\d+)"', text)
    checked = re.findall(r"\(3, (\d+)\) <= sys\.version_info\[:2\] <= \(3, (\d+)\)", text)

    assert minors == list(range(first, last + 1))
    end = last + 1 if name == "pyproject.toml" else last
    assert {(int(low), int(high)) for low, high in said + checked} == {(first, end)}
    assert len(checked) == (name == "Makefile")
