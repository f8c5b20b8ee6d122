"""`tfsload COMMAND`: what it says, and what it makes of its arguments."""

import os
import re
import sys

import pytest

import tfsload
from tests.support.runs import PROJECT
from tfsload import __main__ as program
from tfsload.settings.listing import listing
from tfsload.settings.options import GROUPS, OPTIONS

FLAGS_BY_GROUP = {
    "model": "--model-name --model-version --model-label --signature-name --input-name --output-name "
    "--images-per-request --deadline",
    "connection": "--transport --connections --tls --tls-ca-file --tls-cert-file --tls-key-file --metadata --wait",
    "data": "--dataset --num-tests --seed",
    "load": "--sweep --rate --arrivals --find-max-rate --level-duration --warm-up --warm-up-requests --give-up-after",
    "checks": "--threshold --verify --tolerance",
    "report": "--report --hgrm --note --dry-run",
    "web UI": "--web-origin",
}


def test_each_option_is_in_its_group():
    assert {name: [one.flag for one in OPTIONS if one.group == name] for name in GROUPS} == {
        name: flags.split() for name, flags in FLAGS_BY_GROUP.items()
    }


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_the_listing_tells_all_of_each_option_and_is_no_wider_than_asked(columns):
    text = listing(columns)

    assert max(map(len, text.splitlines())) <= columns
    assert re.findall(r"^(\S.*):$", text, re.MULTILINE) == list(GROUPS)
    assert re.findall(r"^  (--\S+)", text, re.MULTILINE) == [option.flag for option in OPTIONS]
    for option in OPTIONS:
        default = f"default: {option.default}; " if option.default else ""
        assert squeezed(f"{option.help} [{default}{option.env_var}]") in squeezed(text)


def test_help_of_run_fits_the_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")

    assert program.main(["run", "--headless", "--help"]) == 0

    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert listing(80) in said


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_help_names_every_command(arguments, capsys):
    assert program.main(arguments) == 0

    said = capsys.readouterr().out
    assert all(re.search(rf"^  {name} +\S", said, re.MULTILINE) for name in program.COMMANDS)


def test_version(capsys):
    assert program.main(["--version"]) == 0
    assert capsys.readouterr().out == f"tfsload {tfsload.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        pytest.param([], "no command given", id="none"),
        pytest.param(["ran"], "'ran' is no command", id="unknown"),
        pytest.param(["--headless"], "'--headless' is no command", id="an-option-of-run"),
        pytest.param(["\x1b[2J"], r"'\x1b[2J' is no command", id="steers-the-terminal"),
    ],
)
def test_an_unknown_command_is_bad_usage_and_the_known_ones_are_named(arguments, fault, capsys):
    assert program.main(arguments) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"tfsload: {fault}: expected one of {', '.join(program.COMMANDS)}; see tfsload --help\n"


def test_run_hands_its_arguments_on_after_the_suites_locustfile(monkeypatch):
    called = []
    monkeypatch.setattr(os, "execv", lambda *arguments: called.append(arguments))

    program.main(["run", "--headless", "-f", "mine.py", "MyUser"])

    ((path, command),) = called
    assert path == sys.executable
    assert command[1:] == [
        *("-P", "-m", "locust", "-f", str(PROJECT / "locustfile.py")),
        *("--headless", "-f", "mine.py", "MyUser"),
    ]
