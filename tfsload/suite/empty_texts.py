"""Options that are given, and empty: of `--host "$SERVING"` where nobody has set SERVING, another server is measured.

On the command line each is refused, since whoever writes one there means to say something. A variable or a key of a
configuration file that is empty is none, as elsewhere; but not the server, which is told to be another one so.
"""

import functools
import sys
from collections.abc import Callable, Collection, Sequence
from typing import Any

from locust.argument_parser import get_empty_argument_parser, setup_parser_arguments

from tfsload.settings.options import OPTIONS

_CURE = "given, and empty, as where a variable is not set; give it a value, or leave it out"
_HOST_CURE = "to be tested with the embedded server, leave it out"
_HOST_VARIABLE = "LOCUST_HOST"


def listen(parser: Any) -> None:
    """Have a parser refuse what is given without a text (on `init_command_line_parser`)."""
    parse: Callable[..., Any] = parser.parse_args

    @functools.wraps(parse)
    def refuse_or_parse(args: Any = None, *more: Any, **named: Any) -> Any:
        given = sys.argv[1:] if args is None else args
        if faults := [
            f"{flag}: {_CURE}" for flag in given_empty(parser, given.split() if isinstance(given, str) else given)
        ]:
            parser.error("\n".join(faults))
        options = parse(args, *more, **named)
        if options.host is not None and not options.host.strip():
            where = _HOST_VARIABLE if _HOST_VARIABLE in _variables(parser) else "host, in a configuration file"
            parser.error(f"{where}: {_CURE}; {_HOST_CURE}")
        return options

    parser.parse_args = refuse_or_parse


def _variables(parser: Any) -> Collection[str]:
    return parser.get_source_to_settings_dict().get("environment_variables") or ()


def given_empty(parser: Any, arguments: Sequence[str]) -> list[str]:
    """Return the options on a command line that are given an empty text, or blanks; a locustfile's own may be.

    Args:
        parser: knows all options.
        arguments: of the command line.
    """
    found: list[str] = []
    for given, following in zip(arguments, [*arguments, "-"][1:], strict=True):
        if given == "--":
            break
        name, is_whole, value = given.partition("=")
        flag = _flag_of(parser, name)
        action = parser._option_string_actions.get(flag)
        if action is None or action.dest not in _known() or action.nargs == 0:
            continue
        if not (value if is_whole else following).strip():
            found.append(flag)
    return list(dict.fromkeys(found))


def _flag_of(parser: Any, name: str) -> str:
    """Return the flag that is meant by a word, which may be the beginning of one; empty: none is."""
    flags = parser._option_string_actions
    if name in flags or not name.startswith("--"):
        return name
    found = [flag for flag in flags if flag.startswith(name)]
    return found[0] if len(found) == 1 else ""


@functools.cache
def _known() -> frozenset[str]:
    """Return the names of the values of Locust's options, and of the suite's."""
    locusts = get_empty_argument_parser(default_config_files=[])
    setup_parser_arguments(locusts)
    return frozenset({action.dest for action in locusts._actions} | {option.dest for option in OPTIONS})
