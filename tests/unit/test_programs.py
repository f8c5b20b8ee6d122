"""`tfsload COMMAND`: what it says, and what it makes of its arguments."""

import os
import re
import signal
import subprocess
import sys

import pytest

import tfsload
from tests.support.runs import PROJECT
from tfsload import __main__ as program
from tfsload.settings.listing import listing
from tfsload.settings.options import GROUPS, OPTIONS
from tfsload.suite.run_report import RunReport

FLAGS_BY_GROUP = {
    "model": "--model-name --model-version --model-label --signature-name --input-name --output-name --input "
    "--pixel-scale --images-per-request --deadline",
    "connection": "--transport --connections --tls --tls-ca-file --tls-cert-file --tls-key-file --rest-format "
    "--metadata --wait",
    "data": "--dataset --num-tests --seed",
    "load": "--sweep --rate --arrivals --pacing --find-max-rate --level-duration --warm-up --warm-up-requests "
    "--give-up-after",
    "checks": "--threshold --verify --tolerance --label-offset",
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


COMMANDS_THAT_PRINT = [
    pytest.param(["--help"], id="help"),
    pytest.param(["--version"], id="version"),
    pytest.param(["run", "--help"], id="help-of-run"),
    pytest.param(["report", "--help"], id="help-of-argparse"),
    pytest.param(["report", "--schema"], id="more-than-is-buffered"),
]


def printed_to(stdout, arguments):
    command = [sys.executable, "-m", "tfsload", *arguments]
    # Unbuffered, what argparse cannot print is lost in it without a word.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ended = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, env=environment)
    return ended.returncode, ended.stderr


@pytest.mark.heavy
@pytest.mark.parametrize("arguments", COMMANDS_THAT_PRINT)
def test_output_that_nobody_reads_any_more_ends_a_command_silently(arguments):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "w") as closed:
        assert printed_to(closed, arguments) == (128 + signal.SIGPIPE, "")


@pytest.mark.heavy
@pytest.mark.parametrize("arguments", COMMANDS_THAT_PRINT)
def test_output_that_cannot_be_written_is_told_in_a_line(arguments):
    with open("/dev/full", "w") as full:
        assert printed_to(full, arguments) == (
            1,
            "tfsload: standard output could not be written: No space left on device\n",
        )


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


@pytest.fixture
def gone(tmp_path, monkeypatch):
    """Be in a directory that somebody has taken away."""
    directory = tmp_path / "gone"
    directory.mkdir()
    monkeypatch.chdir(directory)
    directory.rmdir()


@pytest.mark.usefixtures("gone")
def test_run_in_a_directory_that_is_gone_is_refused(capsys, monkeypatch):
    monkeypatch.setattr(program, "_become_locust", lambda _: pytest.fail("it went on"))

    assert program.main(["run", "--headless"]) == 2
    assert capsys.readouterr().err == (
        "tfsload run: the working directory is not there any more: change to one that is\n"
    )


@pytest.mark.usefixtures("gone")
def test_report_in_a_directory_that_is_gone_is_refused(capsys):
    assert program.main(["report", "x"]) == 2
    assert "tfsload report: 'x': it is not there" in capsys.readouterr().err


@pytest.mark.usefixtures("gone")
@pytest.mark.parametrize(
    ("given", "faults"),
    [
        pytest.param("x", ["--report 'x': it lies in the working directory, which is not there any more"], id="there"),
        pytest.param("", [], id="none"),
    ],
)
def test_a_report_in_a_directory_that_is_gone_meanwhile_is_refused(given, faults):
    assert RunReport().faults({"report": given}) == faults
