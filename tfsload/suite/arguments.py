"""The suite's options as Locust's arguments: also keys of a file, environment variables and fields of the web form."""

import argparse
import functools
from collections.abc import Callable
from typing import Any

from tfsload.settings.options import OPTIONS


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
