"""Environment variables that look like the suite's, and set nothing. Pure."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tfsload.settings.options import OPTIONS

_PREFIX = "TFSLOAD_"
# Where downloaded images are kept (`tfsload.datasets.download`): the only variable that is no option.
_CACHE_DIR = "TFSLOAD_CACHE_DIR"
# What the suite's own tests tell one another.
_OF_TESTS = "TFSLOAD_TEST_"
# What Kubernetes and Docker tell a container of each service beside it, such as one that is called tfsload-master.
_OF_SERVICES = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$")
# So like an option's a name has to be to be taken for a mistyped one, of 1: whoever names an image calls it
# TFSLOAD_VERSION, which is 0.7 like TFSLOAD_MODEL_VERSION.
_ALIKE = 0.8


@dataclass(frozen=True)
class Unknown:
    """Variables that name no option, a sentence each.

    Attributes:
        mistyped: those that nearly name one: a gate would be off unnoticed.
        others: those that may be anybody's.
    """

    mistyped: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def unknown(environment: Mapping[str, str], own: Iterable[str] = ()) -> Unknown:
    """Return which variables are ignored though they look like an option's.

    Args:
        environment: the variables, by name; one that is empty is meant to be none.
        own: those of a locustfile's own options.
    """
    known = {*(option.env_var for option in OPTIONS), _CACHE_DIR, *own}
    ignored = [name for name in sorted(environment) if environment[name] and name not in known and _is_the_suites(name)]
    nearest = {name: _nearest(name, known) for name in ignored}
    return Unknown(
        tuple(
            f"{name} in the environment: no option has this name; did you mean {near}?"
            for name, near in nearest.items()
            if near
        ),
        tuple(
            f"{name} in the environment: no effect, since no option has this name (tfsload run --help lists them)"
            for name, near in nearest.items()
            if not near
        ),
    )


def _is_the_suites(name: str) -> bool:
    return name.startswith(_PREFIX) and not name.startswith(_OF_TESTS) and not _OF_SERVICES.search(name)


def _nearest(name: str, known: Iterable[str]) -> str:
    parts = [one.removeprefix(_PREFIX) for one in known if one.startswith(_PREFIX)]
    close = difflib.get_close_matches(name.removeprefix(_PREFIX), parts, n=1, cutoff=_ALIKE)
    return f"{_PREFIX}{close[0]}" if close else ""
