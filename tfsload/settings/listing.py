"""The list of every option for a terminal, by group: `locust --help` ends before it reads a locustfile."""

import argparse
from typing import Any

from tfsload.settings.option import Option
from tfsload.settings.options import GROUPS, OPTIONS

_HELP_COLUMN = 26
# Signs after which no line ends, in place of a blank and a hyphen, until all lines are made.
_NO_BREAK_BLANK, _NO_BREAK_HYPHEN = "\u00a0", "\u2011"


def listing(width: int) -> str:
    """Return the options by group, each with its default and its environment variable.

    width: columns of the terminal; no line is longer.
    """
    parser = argparse.ArgumentParser(
        usage=argparse.SUPPRESS,
        add_help=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=_HELP_COLUMN, width=width),
    )
    for name in GROUPS:
        group = parser.add_argument_group(name)
        for option in OPTIONS:
            if option.group == name:
                value: dict[str, Any] = {"action": "store_true"} if option.is_switch else {"metavar": "VALUE"}
                group.add_argument(option.flag, help=_help(option), **value)
    return parser.format_help().strip("\n").replace(_NO_BREAK_BLANK, " ").replace(_NO_BREAK_HYPHEN, "-")


def _help(option: Option) -> str:
    default = f"default:{_NO_BREAK_BLANK}{option.default}; " if option.default else ""
    return f"{option.help} [{default}{option.env_var}]".replace("-", _NO_BREAK_HYPHEN).replace("%", "%%")
