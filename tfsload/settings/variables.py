"""Environment variables that look like the suite's, and set nothing. Pure."""

import difflib
from collections.abc import Iterable, Mapping

from tfsload.settings.options import OPTIONS

_PREFIX = "TFSLOAD_"
# Where downloaded images are kept (`tfsload.datasets.download`): the only variable that is no option.
_CACHE_DIR = "TFSLOAD_CACHE_DIR"
# What the suite's own tests tell one another.
_OF_TESTS = "TFSLOAD_TEST_"


def faults(environment: Mapping[str, str], own: Iterable[str] = ()) -> list[str]:
    """Return which variables are ignored though they look like an option's, a sentence each.

    Args:
        environment: the variables, by name; one that is empty is meant to be none.
        own: those of a locustfile's own options.
    """
    known = {option.env_var: option.flag for option in OPTIONS} | {_CACHE_DIR: "", **dict.fromkeys(own, "")}
    ignored = [name for name in environment if name.startswith(_PREFIX) and environment[name] and name not in known]
    return [_fault(name, known) for name in sorted(ignored) if not name.startswith(_OF_TESTS)]


def _fault(name: str, known: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(name.removeprefix(_PREFIX), [one.removeprefix(_PREFIX) for one in known], n=1)
    cure = f"did you mean {_PREFIX}{close[0]}?" if close else "unset it, or see tfsload run --help"
    return f"{name} in the environment: no option has this name; {cure}"
