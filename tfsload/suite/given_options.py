"""The options of an environment that a program of one's own makes, where no command line gave it any."""

import argparse
import difflib
import os
from collections.abc import Mapping
from typing import Any

import locust.argument_parser
from locust.env import Environment

from tfsload.settings.option import Option
from tfsload.settings.options import OPTIONS
from tfsload.suite import run_warnings
from tfsload.suite.arguments import unknown_variables

# What of Locust's options would have its own program lead a run.
_LOCUSTS_PROGRAM = {"headless": False, "autostart": False, "processes": None, "worker": False, "master": False}
_OPTIONS = {option.dest: option for option in OPTIONS}


def give_options(environment: Environment, given: Mapping[str, Any]) -> None:
    """Give an environment the suite's options, and Locust's where it has none.

    Args:
        environment: Locust's.
        given: the suite's, by name (`num_tests`), as text or as what it stands for; the others keep what they are,
            else have what their environment variables say, else their defaults.

    Raises:
        ValueError: there is no such option, or a value cannot be written as one.
    """
    if faults := [_unknown(name) for name in given if name not in _OPTIONS]:
        raise ValueError("; ".join(faults))
    texts = {name: _text(_OPTIONS[name], value) for name, value in given.items()}
    if environment.parsed_options is None:
        environment.parsed_options = argparse.Namespace(**locust.argument_parser.default_args_dict())
        vars(environment.parsed_options).update(_LOCUSTS_PROGRAM)
    options = vars(environment.parsed_options)
    for name, option in _OPTIONS.items():
        options.setdefault(name, os.environ.get(option.env_var, option.default))
    options.update(texts)


def refuse_mistyped_variables(environment: Environment) -> None:
    """Have no environment variable look like an option's, and be none; warn of others that name nothing.

    Raises:
        ValueError: one does.
    """
    options = vars(environment.parsed_options or argparse.Namespace())
    found = unknown_variables(locust.argument_parser.get_parser(), options)
    if found.mistyped:
        raise ValueError("; ".join(found.mistyped))
    run_warnings.warn(found.others)


def take_the_lead(environment: Environment) -> None:
    """Have no option say that Locust's own program leads the runs of an environment."""
    vars(environment.parsed_options).update(_LOCUSTS_PROGRAM)


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, _OPTIONS, n=1)
    return f"there is no option {name!r}" + (f": did you mean {close[0]!r}?" if close else "")


def _text(option: Option, value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case None:
            return ""
        case Mapping():
            return _joined(option, ";", [f"{key}={one}" for key, one in value.items()])
        case list() | tuple():
            separator = ";" if option.is_repeatable else ":" if option.dest == "find_max_rate" else ","
            return _joined(option, separator, [str(one) for one in value])
    return str(value)


def _joined(option: Option, separator: str, texts: list[str]) -> str:
    if faulty := [text for text in texts if separator in text]:
        shown = "a value" if option.is_secret else repr(faulty[0])
        raise ValueError(f"{option.dest}: {shown} holds {separator!r}, which separates one from another")
    return separator.join(texts)
