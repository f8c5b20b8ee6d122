"""The page on encode and is_right: each snippet is saved and run as it stands, and counts what the formula says."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from tests.support.formula_server import sums
from tests.support.pages import sections
from tests.support.runs import LIMIT_S, PROJECT
from tests.support.server_processes import ScriptedServer
from tfsload.datasets.dataset import load

PAGE = (PROJECT / "docs" / "own-task.md").read_text()
SECTIONS = {section.title: section for section in sections(PAGE)}
DATA = load("mnist5k")
LABELS = DATA.labels.astype(np.int64)


@pytest.fixture(scope="module")
def server():
    server = ScriptedServer(module="formula_server")
    yield server
    server.stop()


def n_wrong(title):
    """How many answers are wrong, reckoned from the images themselves."""
    if title == "Your own preprocessing":
        return int((sums((255 - DATA.images) / 255) % 10 != LABELS).sum())
    if title == "Your own task":
        return int((np.abs(sums(DATA.images / 255) % 100 / 10 - LABELS) > 0.5).sum())
    if title == "A model of two inputs":
        return int(((DATA.images / 255 > 0.5).sum(axis=(1, 2)) % 10 != LABELS).sum())
    return 0


@pytest.mark.parametrize(
    ("title", "more"),
    [
        *(pytest.param(title, "", id=title.replace(" ", "-")) for title in SECTIONS),
        pytest.param("Your own preprocessing", " --processes 2 --verify 20", id="preprocessing-with-workers"),
        pytest.param("Your own task", " --images-per-request 7 --transport grpcio", id="task-of-several-a-request"),
        pytest.param("A model of two inputs", " --images-per-request 7 --verify 20", id="two-inputs-of-several"),
        pytest.param("A model that takes no image", " --processes 2 --verify 20", id="no-image-with-workers"),
    ],
)
def test_it_prints_what_it_shows_and_counts_what_is_right(title, more, tmp_path, server):
    section = SECTIONS[title]
    for name, text in section.files.items():
        (tmp_path / name).write_text(text)
    if "prices.py" in section.files:  # whose file is written when it is read
        subprocess.run([sys.executable, "prices.py"], cwd=tmp_path, env=environment(), check=True, timeout=LIMIT_S)
    (command,) = section.commands
    line = command.line.replace("serving.example:8500", server.address) + more + " --report report"
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1; {line}"], cwd=tmp_path, env=environment(), capture_output=True, text=True,
        timeout=LIMIT_S,
    )  # fmt: skip

    result = json.loads((tmp_path / "report" / "result.json").read_text())
    n = result["totals"]["predictions"]
    assert n == (200 if "prices.py" in section.files else 1000), done.stdout
    assert (result["totals"]["wrong"], result["totals"]["failed"]) == (n_wrong(title), {}), done.stdout
    n_compared = 0 if "--verify" not in more else 21 if "7" in more else 20  # of whole requests
    assert (result["totals"]["compared"], result["totals"]["mismatched"]) == (n_compared, 0)
    is_judged = bool(result["images"]["judged_by"])
    assert is_judged == ("is_right" in "".join(section.files.values()))
    assert bool(result["classes"]) == bool(result["confusion"]) == (not is_judged)
    assert result["images"]["misread"] == [] or not is_judged
    if not more:
        command.assert_is_printed(done.stdout)


def test_the_example_of_the_readme_counts_what_is_right(tmp_path, server):
    readme = (PROJECT / "README.md").read_text()
    (snippet,) = [one for one in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "def encode" in one]
    (tmp_path / "mine.py").write_text(snippet)
    options = f"--headless --num-tests 200 --host {server.address} --model-name both --report report"
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1; locust -f mine.py {options}"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip

    result = json.loads((tmp_path / "report" / "result.json").read_text())
    ink, labels = (DATA.images[:200] > 127).sum(axis=(1, 2)), LABELS[:200]
    assert result["totals"]["wrong"] == int(((labels != 1) & (ink <= 50)).sum()), done.stdout
    assert (result["totals"]["predictions"], result["totals"]["failed"]) == (200, {})


def environment():
    own = os.path.dirname(sys.executable)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "TFSLOAD_"))},
        "PYTHONPATH": str(PROJECT),
        "PATH": f"{own}{os.pathsep}{os.environ['PATH']}",
    }


def test_every_example_is_run():
    assert list(SECTIONS) == [
        "Your own preprocessing",
        "Your own task",
        "A model of two inputs",
        "A model that takes no image",
    ]
    assert all(len(section.commands) == 1 for section in SECTIONS.values())
