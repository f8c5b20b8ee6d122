"""The page on one's own locustfiles: each snippet is saved and run as it stands there, and prints what it shows."""

import os
import subprocess
import sys

import pytest

from tests.support.pages import Command, sections
from tests.support.runs import LIMIT_S, PROJECT
from tests.support.website import website as website

PAGE = (PROJECT / "docs" / "in-your-locustfile.md").read_text()
SECTIONS = {section.title: section for section in sections(PAGE)}


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_it_prints_what_it_shows(section, tmp_path, website):
    for name, text in section.files.items():
        (tmp_path / name).write_text(text)
    own = os.path.dirname(sys.executable)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "TFSLOAD_"))},
        "PYTHONPATH": str(PROJECT),
        "PATH": f"{own}{os.pathsep}{os.environ['PATH']}",
        "SHOP": f"{website.address}/good",
    }
    assert section.commands
    for command in section.commands:
        done = subprocess.run(
            ["bash", "-c", f"exec 2>&1; {command.line}"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        command.assert_is_printed(done.stdout)


@pytest.mark.parametrize(
    ("shown", "printed", "holds"),
    [
        pytest.param("a\nb\n", "a\nb\n", True, id="the-same"),
        pytest.param("a\nb\n", "a\nc\n", False, id="another-line"),
        pytest.param("a\n", "a\nb\n", False, id="more"),
        pytest.param("a\n…\nc\n", "a\nb\nb\nc\n", True, id="left-out"),
        pytest.param("…\nc\n", "c\n", True, id="nothing-left-out"),
        pytest.param("a… c\n", "a 17 c\n", True, id="within-a-line"),
        pytest.param("…\nb\n…\na\n", "a\nb\n", False, id="another-order"),
    ],
)
def test_what_is_shown_is_held_against_what_is_printed(shown, printed, holds):
    command = Command("", shown)
    if holds:
        command.assert_is_printed(printed)
    else:
        with pytest.raises(AssertionError):
            command.assert_is_printed(printed)


def test_every_part_but_the_table_shows_something_to_run():
    titles = [line.removeprefix("## ") for line in PAGE.splitlines() if line.startswith("## ")]

    assert titles == [*SECTIONS, "What of Locust's works how"]
