"""Documents name what is there: files, rooms, commands and the version."""

import re

import pytest

import tfsload
from tests.support.runs import PROJECT
from tfsload.analysis.next_sweep import SUGGESTED

DOCUMENTS = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in [
        *PROJECT.glob("*.md"),
        *(PROJECT / "docs").rglob("*.md"),
        *(PROJECT / "deploy").glob("*.md"),
        *(PROJECT / "models").glob("*.md"),
        PROJECT / "benchmarks" / "RESULTS.md",
        PROJECT / "data" / "mnist5k" / "README.md",
    ]
)
# A command to type; in a sample with its output below, and in a table of what other tools call it, another may stand.
SWEEP = re.compile(r"^    \S.*--sweep ([\d,]+)", re.MULTILINE)
# Made by whoever follows the text, or another project's.
ELSEWHERE = {
    "summary.md",
    "listener.py",
    "conftest.py",
    "mnist_client.py",
    "repos/python/local/3.11.16-slim-bookworm.md",
    ".github/workflows/load.yml",
    ".gitlab-ci.yml",
}
PATH = re.compile(r"`((?:[\w.-]+/)+|(?:[\w.-]+/)*[\w.-]+\.(?:py|md|txt|yml|toml))`")
# And what a document has its reader save under a name.
SHOWN = re.compile(r"`([\w.]+)`:\n\n```python")
# From where a document may name a file: the project, and, short, the package.
PLACES = (PROJECT, PROJECT / "tfsload")


def text_of(document: str) -> str:
    return (PROJECT / document).read_text()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_it_names_is_there(document):
    places = (*PLACES, (PROJECT / document).parent)
    named = set(PATH.findall(text_of(document))) - ELSEWHERE - set(SHOWN.findall(text_of(document)))

    assert {name for name in named if not any((place / name).exists() for place in places)} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_sweep_that_is_suggested_ends_with_the_lone_user_with_whom_it_begins(document):
    suggested = SWEEP.findall(text_of(document))

    assert [sweep for sweep in suggested if not (sweep.startswith("1,") and sweep.endswith(",1"))] == []


def test_the_form_is_said_to_hold_what_it_holds():
    assert f"({', '.join(map(str, SUGGESTED))} where nothing else is said" in text_of("README.md")


def test_the_reports_that_the_readme_has_written_are_ignored_by_git():
    directories = set(re.findall(r"^    \S.*--report (\w+)", text_of("README.md"), re.MULTILINE))

    assert directories
    assert {f"/{name}/" for name in directories} <= set(text_of(".gitignore").splitlines())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document):
    links = re.findall(r"\]\(([^)#]+)", text_of(document))

    here = (PROJECT / document).parent
    assert [link for link in links if not link.startswith("http") and not (here / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_it_names_is_there(document):
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"(?:^    |`)make ([a-z-]+)", text_of(document), re.MULTILINE)) <= targets


def test_the_architecture_has_each_room_once_and_says_what_it_may_import():
    rows = re.findall(r"^\| `tfsload/(\w+)/` \|.*\| ([^|]+) \|$", text_of("docs/architecture.md"), re.MULTILINE)
    rooms = {path.parent.name for path in (PROJECT / "tfsload").glob("*/__init__.py")}

    assert sorted(name for name, _ in rows) == sorted(rooms)
    for number, (name, may_import) in enumerate(rows):
        named = set(re.findall(r"\w+", may_import)) & rooms
        above = {room for room, _ in rows[:number]}
        assert named <= above, name


def test_each_contract_of_the_rooms_is_told_as_it_is():
    contracts = re.findall(r'^name = "(\w+) imports (.+?) alone"$', text_of("pyproject.toml"), re.MULTILINE)
    rows = dict(re.findall(r"^\| `tfsload/(\w+)/` \|.*\| ([^|]+) \|$", text_of("docs/architecture.md"), re.MULTILINE))

    assert len(contracts) >= 8
    for room, allowed in contracts:
        if "those above but" not in rows[room]:
            assert rows[room] == allowed, room


@pytest.mark.parametrize("decision", sorted(path.name for path in (PROJECT / "docs/decisions").glob("[!R]*.md")))
def test_a_decision_says_why_what_it_costs_and_what_would_change_it(decision):
    text = text_of(f"docs/decisions/{decision}")

    parts = ("Decided:", "Why.", "What it costs.", "What would change it.")
    assert [part for part in parts if f"**{part}" not in text] == []
    assert f"]({decision})" in text_of("docs/decisions/README.md")


def test_the_changes_of_this_version_have_their_heading_below_what_is_not_released():
    headings = re.findall(r"^## (.+)$", text_of("CHANGELOG.md"), re.MULTILINE)

    assert headings[0] == "Unreleased"
    assert re.fullmatch(re.escape(tfsload.__version__) + r" \(\d{4}-\d\d-\d\d\)", headings[1])
