"""What `docs/coming-from.md` says of this side is there: its commands are taken, its options exist."""

import re
import shlex

import pytest
from locust.argument_parser import default_args_dict, get_empty_argument_parser, setup_parser_arguments

from tests.support.runs import PROJECT
from tfsload.analysis import thresholds
from tfsload.settings.options import OPTIONS
from tfsload.settings.settings import Settings
from tfsload.suite import arguments

DOCUMENT = (PROJECT / "docs" / "coming-from.md").read_text()
COMMANDS = re.findall(r"^    tfsload run (.*)$", DOCUMENT, re.MULTILINE)
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL))
# The right-hand cell of each row but the heading's two.
HERE = [
    line.strip("| ").split(" | ")[-1]
    for text in SECTIONS.values()
    for line in [one for one in text.splitlines() if one.startswith("|")][2:]
]


def parser():
    made = get_empty_argument_parser(add_help=False, default_config_files=[])
    setup_parser_arguments(made)
    arguments.add_arguments(made)
    return made


def test_each_tool_has_a_command_and_a_table():
    assert [name.strip("`").split("'s `")[-1] for name in SECTIONS] == [
        "mnist_client.py",
        "Locust",
        "k6",
        "ghz",
        "perf_analyzer",
        "AIPerf",
    ]
    assert len(COMMANDS) == len(SECTIONS)
    assert all(text.count("\n| ") > 5 for text in SECTIONS.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_one_that_can_be_run(command):
    options = vars(parser().parse_args(shlex.split(command)))

    assert options["headless"]
    Settings.parse(options, options["host"])  # raises SettingsError with what is wrong


def test_each_option_that_is_named_on_this_side_exists():
    known = {option.flag for option in OPTIONS} | {f"--{name.replace('_', '-')}" for name in default_args_dict()}
    known |= {flag for action in parser()._actions for flag in action.option_strings}

    named = {flag for cell in HERE for flag in re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", cell)}
    assert len(named) >= 30
    assert named - known == set()


def test_each_threshold_that_is_named_can_be_read():
    named = re.findall(r'--threshold "([^"]*)"', DOCUMENT)
    named += [text for cell in HERE for text in re.findall(r"`([a-z_]\w*(?:\[[^\]]*\])? [<>] [^`]*)`", cell)]

    assert len(named) >= 8
    assert all(thresholds.parse(text) for text in named)
