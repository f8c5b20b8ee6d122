"""The files that Locust's own options name and that are read before a run: its configuration, and others.

Locust opens each by its name and reads it to its end: of a pipe, that is to wait for who writes. It does so more than
once, also for each page that it shows, and finds a pipe empty the second time: a gate in it would be off unnoticed.
"""

import argparse
import functools
import io
import os
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

from tfsload.transport import regular_file
from tfsload.transport.regular_file import NoRegularFileError
from tfsload.transport.words import quoted

# Locust looks for them without being told.
_READ_UNASKED = ("~/.locust.conf", "locust.conf", "pyproject.toml")
_OPTION = "--config"
_EXPECTED = "expected a file of settings, which is read more than once"
_MOST_BYTES = 16 * 2**20
# Locust's options, by the name of their value, that name a file which is read; what is no name of one is let be.
_READ = ("config_users", "tls_cert", "tls_key")


def listen(parser: Any) -> None:
    """Have a parser read regular files alone, whatever its options name (on `init_command_line_parser`)."""
    parser._config_file_open_func = _open
    for action in parser._actions:
        if action.dest in _READ:
            action.type = functools.partial(_regular, action.type or str)


def _open(path: str, mode: str = "r") -> IO[str]:
    if mode != "r":
        return open(path, mode)
    # What its bytes mean is left to Python, as with Locust.
    file = io.TextIOWrapper(io.BytesIO(regular_file.read(path, _MOST_BYTES)))
    stream = io.StringIO(file.read())
    stream.name = path  # by which the parser tells TOML
    return stream


def _regular(read: Callable[[str], Any], text: str) -> Any:
    """Read an option's text as Locust does, where it does not lead to what is no regular file."""
    try:
        if os.path.exists(text):
            os.close(regular_file.opener(text))
    except NoRegularFileError as error:
        raise argparse.ArgumentTypeError(f"{quoted(text)}: {error.strerror}") from None
    except OSError:
        pass  # who reads it says so
    return read(text)


def faults(arguments: Sequence[str]) -> list[str]:
    """Return which configuration files Locust cannot read, before it tries and waits for ever.

    Args:
        arguments: of Locust's command line.
    """
    found = []
    for name, path in _named(arguments):
        try:
            if os.path.exists(path):  # what is missing, Locust says itself
                regular_file.read(path, _MOST_BYTES)
        except OSError as error:
            found.append(f"{name}: it cannot be read ({error.strerror}): {_EXPECTED}")
    return found


def _named(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    for path in _READ_UNASKED:
        yield quoted(path), os.path.expanduser(path)
    for given, following in zip(arguments, [*arguments, ""][1:], strict=True):
        name, is_whole, value = given.partition("=")
        if name == _OPTION:
            path = value if is_whole else following
            yield f"{_OPTION} {quoted(path)}", path
