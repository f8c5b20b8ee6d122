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
# Locust's own options are set so, and so somebody may think to set the suite's.
_OF_LOCUST = "LOCUST_"
# What Kubernetes and Docker tell a container of each service beside it, such as one that is called tfsload-master.
_OF_SERVICES = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$")
# They tell of a service's port by an address, such as tcp://10.0.0.1:8500.
_PORT_OF_A_SERVICE, _ADDRESS = "_PORT", re.compile(r"(tcp|udp|sctp)://")
# So like an option's a name has to be to be taken for a mistyped one, of 1: whoever names an image calls it
# TFSLOAD_VERSION, which is 0.7 like TFSLOAD_MODEL_VERSION.
_ALIKE = 0.8
_OF_OPTIONS = frozenset(option.env_var for option in OPTIONS)
_BY_LETTERS = {name.replace("_", ""): name for name in _OF_OPTIONS}


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
    given = {name: text for name, text in sorted(environment.items()) if text and name not in known}
    ours = [name for name, text in given.items() if not _is_of_a_service(name, text) and _is_the_suites(name)]
    nearest = {name: _written_otherwise(name) or _nearest(name, known) for name in ours}
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
        )
        + tuple(
            f"{name} in the environment: no effect on the suite, whose option is set by {option}"
            for name in given
            if (option := _PREFIX + name.removeprefix(_OF_LOCUST)) in _OF_OPTIONS and name.startswith(_OF_LOCUST)
        ),
    )


def _is_the_suites(name: str) -> bool:
    if _written_otherwise(name):
        return True
    return name.startswith(_PREFIX) and not name.startswith(_OF_TESTS)


def _is_of_a_service(name: str, text: str) -> bool:
    return bool(_OF_SERVICES.search(name) or (name.endswith(_PORT_OF_A_SERVICE) and _ADDRESS.match(text)))


def _written_otherwise(name: str) -> str:
    """Return the option's variable that a name is but for its case, its dashes or what it begins with; empty: none."""
    upper = name.upper().replace("-", "_")
    if meant := _BY_LETTERS.get(upper.replace("_", "")):
        return meant
    of_tests = _PREFIX + upper.removeprefix(_OF_TESTS)
    if upper.startswith(_OF_TESTS) and of_tests in _OF_OPTIONS:
        return of_tests
    first, _, rest = upper.partition("_")
    is_alike = difflib.SequenceMatcher(None, f"{first}_", _PREFIX).ratio() >= _ALIKE
    return f"{_PREFIX}{rest}" if is_alike and f"{_PREFIX}{rest}" in _OF_OPTIONS else ""


def _nearest(name: str, known: Iterable[str]) -> str:
    parts = [one.removeprefix(_PREFIX) for one in known if one.startswith(_PREFIX)]
    close = difflib.get_close_matches(name.removeprefix(_PREFIX), parts, n=1, cutoff=_ALIKE)
    return f"{_PREFIX}{close[0]}" if close else ""
