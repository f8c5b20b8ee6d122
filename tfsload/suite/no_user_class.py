"""Where a locustfile imports `tfsload` and takes no user class from it, its options are none: it is said why.

Nothing of the suite is imported here before that has to be said.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from tfsload.suite import beginning

# What `lifecycle.install` leaves on events that the suite hangs on.
INSTALLED = "tfsload_is_installed"
_HINT = (
    "tfsload's options are there where the locustfile has a user class of tfsload's, and this one has none: add "
    "`class MyUser(tfsload.GrpcUser): pass`"
)


def listen() -> None:
    """Let Locust's parser say it, where it is Locust's own program that imports this; else do nothing."""
    if beginning.is_locusts_program():
        sys.modules["locust"].events.init_command_line_parser.add_listener(say_why)


def say_why(parser: Any) -> None:
    """Have a parser say why it knows none of the suite's options, if it does not (on `init_command_line_parser`)."""
    if getattr(sys.modules["locust"].events, INSTALLED, False):
        return
    refuse: Callable[[str], Any] = parser.error

    def refuse_with_hint(message: str) -> None:
        _, _, names = message.partition("unrecognized arguments: ")
        is_ours = any(name.partition("=")[0] in _flags() for name in names.split())
        refuse(f"{message}; {_HINT}" if names and is_ours else message)

    parser.error = refuse_with_hint


def _flags() -> set[str]:
    return {option.flag for option in import_module("tfsload.settings.options").OPTIONS}
