"""How the program was called that a run is of, so that the command that repeats it can be typed in the same place."""

import functools
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# By this `tfsload run` tells Locust, which it becomes, how it was called itself: its process's number, which it keeps
# and what it starts does not have, then the words, a line each. No option's begins so.
_VARIABLE = "_TFSLOAD_RUN_CALLED_AS"
_MODULE = "-m"


def words_of(name: str, script: str, original: Sequence[str]) -> tuple[str, ...]:
    """Return how a program was called, without its arguments; none: as its name alone, or not by it.

    Args:
        name: of the program, and of its module.
        script: `sys.argv[0]`.
        original: `sys.orig_argv`.
    """
    if _MODULE in original[:-1] and original[original.index(_MODULE) + 1] == name:
        return (original[0], _MODULE, name)
    if Path(script).name != name or not Path(script).exists():
        return ()
    found = shutil.which(name)
    return () if found and os.path.samefile(found, script) else (script,)


def tell_locust(environment: "os._Environ[str]") -> None:
    """Leave word of how `tfsload run` was called, for the program that this process becomes."""
    words = words_of("tfsload", sys.argv[0], sys.orig_argv)
    environment[_VARIABLE] = "\n".join([str(os.getpid()), *(words or ("tfsload",)), "run"])


def program(has_own_locustfile: bool, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return how the program of this process was called, without its arguments; empty: by its name alone, or not known.

    Args:
        has_own_locustfile: whether a locustfile was named.
        environment: of this process, which may be one that a locustfile of `tfsload run` has started.
    """
    number, *words = environment.get(_VARIABLE, "").split("\n")
    if number == str(os.getpid()):
        return tuple(words)
    return _of_locust(sys.argv[0], tuple(sys.orig_argv)) if has_own_locustfile else ()


@functools.cache
def _of_locust(script: str, original: tuple[str, ...]) -> tuple[str, ...]:
    # Each check of a run asks, and it is looked for on the disk: a process is called once.
    return words_of("locust", script, original)
