"""The suite's options as Locust's arguments: also keys of a file, environment variables and fields of the web form."""

import argparse
import difflib
import functools
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from tfsload.run import called_as
from tfsload.settings import variables
from tfsload.settings.options import OPTIONS, OWN_PREFIX
from tfsload.settings.variables import Unknown
from tfsload.suite import beginning
from tfsload.transport.words import cut, quoted

# What argparse says of an option behind which stands none, or another option, or what it takes for one.
_WITHOUT_VALUE = re.compile(r"(--[\w-]+): expected one argument$")
_LIKE_A_NUMBER = re.compile(r"-\.?[0-9].*", re.DOTALL)
_MISTYPED_VARIABLES = f"{OWN_PREFIX}mistyped_variables"
_OTHER_VARIABLES = f"{OWN_PREFIX}other_variables"
_LISTED_BY = "The suite's options are listed by tfsload run --help (in a clone: .venv/bin/python -m tfsload run --help)"


# What the first parse of this process has found; None: there was none.
_unknown: Unknown | None = None


class _Joined(argparse._AppendAction):
    """Joins the texts of an option that is given several times, or as a list in a configuration file.

    The parser of that file takes lists for actions that append, and knows those by their class.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002  (argparse's names)
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        given = getattr(namespace, self.dest)
        setattr(namespace, self.dest, f"{given};{values}" if given else values)


def after_parsing(parser: Any, then: Callable[[argparse.Namespace], None]) -> None:
    """Call `then` with what a parser has read, before Locust goes by it: it tells nobody so early."""
    parse: Callable[..., argparse.Namespace] = parser.parse_args

    @functools.wraps(parse)
    def parse_and_tell(*given: Any, **more: Any) -> argparse.Namespace:
        options = parse(*given, **more)
        then(options)
        return options

    parser.parse_args = parse_and_tell


def add_arguments(parser: Any) -> None:
    """Give every option to Locust's argument parser (a listener of `init_command_line_parser`)."""
    # The web UI lets whoever reaches it aim load at any address: by default that is this machine alone.
    parser.set_defaults(web_host="127.0.0.1")
    # argparse takes -1 for a value, and -1..1 for an option; a parser that has one such as -1 still asks for `=`.
    parser._negative_number_matcher = _LIKE_A_NUMBER
    for option in OPTIONS:
        special: dict[str, Any] = {}
        if option.is_switch:
            special = {"nargs": "?", "const": "true"}
        elif option.is_repeatable:
            special = {"action": _Joined}
        # Not in a group: Locust's web form shows only what the parser itself holds.
        parser.add_argument(
            option.flag,
            default=option.default,
            help=option.help.replace("%", "%%"),  # argparse formats it; from Python 3.14 on, as it is added
            env_var=option.env_var,
            metavar="VALUE",
            is_secret=option.is_secret,
            include_in_web_ui=option.is_in_form,
            **special,
        )


def refuse_unknown_names(parser: Any) -> None:
    """Have a parser refuse what names no option, and say where they are listed (on `init_command_line_parser`)."""
    if beginning.is_locusts_program():
        parser.prog = called_as.name()
    after_parsing(parser, functools.partial(_look_at_names, parser))
    refuse: Callable[[str], Any] = parser.error

    def refuse_with_hint(message: str) -> None:
        if match := _WITHOUT_VALUE.search(message):
            message += f"; one that begins with '-' is joined to it: {match[1]}=-…"
        refuse(f"{message}\n{_LISTED_BY}" if "unrecognized arguments" in message else message)

    parser.error = refuse_with_hint


def unknown_variables(parser: Any, options: Mapping[str, Any]) -> Unknown:
    """Return which environment variables of this process name no option; of a worker none: its master has the options.

    Args:
        parser: Locust's, which knows a locustfile's own options.
        options: Locust's, by name.
    """
    if options.get("worker"):
        return Unknown()
    own = [action.env_var for action in parser._actions if getattr(action, "env_var", None)]
    return variables.unknown(os.environ, own)


def mistyped_variables(options: Mapping[str, Any]) -> list[str]:
    """Return which environment variables a parser found that nearly name an option, a sentence each.

    Args:
        options: Locust's, by name.
    """
    return list(options.get(_MISTYPED_VARIABLES) or ())


def other_variables(options: Mapping[str, Any]) -> list[str]:
    """Return which environment variables a parser found that name nothing, a sentence each; a worker's master says it.

    Args:
        options: Locust's, by name.
    """
    return [] if options.get("worker") else list(options.get(_OTHER_VARIABLES) or ())


def _look_at_names(parser: Any, options: argparse.Namespace) -> None:
    # argparse takes for no option what holds a blank, as a configuration file's `treshold = p99 < 50ms` does.
    if names := [name for name in options.user_classes or () if name.startswith("--")]:
        parser.error("\n".join(_no_option(parser, name.partition("=")[0]) for name in names) + f"\n{_LISTED_BY}")
    # Locust parses anew for each page that it shows: what has come to the environment since is no fault of a page.
    global _unknown
    is_first, _unknown = _unknown is None, _unknown or unknown_variables(parser, vars(options))
    is_for_web_ui = beginning.is_locusts_program() and not (options.headless or options.autostart)
    if is_first and is_for_web_ui and _unknown.mistyped:
        parser.error("\n".join(_unknown.mistyped))  # a form would show its other faults, and not these
    setattr(options, _MISTYPED_VARIABLES, list(_unknown.mistyped))  # as they are sent to workers
    setattr(options, _OTHER_VARIABLES, list(_unknown.others))


def _no_option(parser: Any, name: str) -> str:
    flags = [flag for action in parser._actions for flag in action.option_strings]
    close = difflib.get_close_matches(name, flags, n=1)
    shown = quoted(cut(name.removeprefix("--"), 40))
    told = f"there is no option {shown}, on the command line or as a key of a configuration file"
    return f"{told}: did you mean {quoted(close[0].removeprefix('--'))}?" if close else told
