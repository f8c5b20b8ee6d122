"""The command that repeats a run, as a shell reads it. Pure."""

import math
import shlex
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from tfsload.analysis.result import RunResult

# Locust's own options, as they are typed; the suite's are named as they are.
_OF_LOCUST = {
    "num_users": "-u",
    "spawn_rate": "-r",
    "run_time": "-t",
    "stop_timeout": "--stop-timeout",
    "processes": "--processes",
    "expect_workers": "--expect-workers",
    "tags": "--tags",
    "exclude_tags": "--exclude-tags",
    "exit_code_on_error": "--exit-code-on-error",
}
_RUN_TIME = "run_time"
_LISTS = ("tags", "exclude_tags")
# What is kept of a run, and where: with it, whoever takes the command from a report would replace that report.
_OF_REPORT = ("report", "hgrm")
# Without a flag.
_CLASSES = "user_classes"
_AS_IT_WAS: Mapping[str, str] = MappingProxyType({})


def command(result: RunResult, changes: Mapping[str, str] = _AS_IT_WAS) -> str:
    """Return the command that makes a run again: what was asked for, and nothing that is so by itself.

    It keeps no report: that needs a directory of its own. What is secret in it is masked, and has to be put in.

    Args:
        result: of the run.
        changes: options that are to be others, as texts by name.
    """
    return shlex.join(_words(result, changes))


def _words(result: RunResult, changes: Mapping[str, str]) -> Iterator[str]:
    asked, options = result.asked, {**result.asked.options, **changes}
    yield from asked.program or (("locust",) if asked.locustfile else ("tfsload", "run"))
    yield from ("-f", asked.locustfile) if asked.locustfile else ()
    # Before the options: of some that take several words it would be one more.
    yield from asked.options.get(_CLASSES, "").split()
    yield "--headless"
    if asked.host:
        yield from _option("--host", asked.host)
    for name in dict.fromkeys((*asked.changed, *changes)):
        if name in (_CLASSES, *_OF_REPORT):
            continue
        flag = _OF_LOCUST.get(name, f"--{name.replace('_', '-')}")
        text = options.get(name, "")
        if name == _RUN_TIME:
            text = _in_whole_seconds(text)
        if name in _LISTS:
            yield from (flag, *text.split())
        else:
            yield from _option(flag, text)


def _in_whole_seconds(text: str) -> str:
    """Return a run time as Locust reads it; one that is written with its unit, or a name, stays as it is."""
    try:
        return str(math.ceil(float(text)))
    except (ValueError, OverflowError):
        return text


def _option(flag: str, text: str) -> tuple[str, ...]:
    """Return an option and its value; joined, where the value would be taken for an option itself."""
    return (f"{flag}={text}",) if text.startswith("-") else (flag, text)
