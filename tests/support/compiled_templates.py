"""Templates that are compiled once for a process of tests: each web UI that a test makes would compile them anew."""

import functools
from collections.abc import Callable
from types import CodeType
from typing import Any

import jinja2

_COMPILE = jinja2.Environment.compile


class _Kept:
    """An environment as a key: those that compile alike are equal.

    Attributes:
        environment: the first of them, which compiles.
    """

    def __init__(self, environment: jinja2.Environment) -> None:
        self.environment = environment
        switches = (environment.autoescape, environment.trim_blocks, environment.lstrip_blocks)
        names = (*sorted(environment.filters), *sorted(environment.tests), *environment.extensions)
        self._key = (environment.undefined, environment.finalize, environment.block_start_string, switches, names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@functools.cache
def _compiled(kept: _Kept, source: str, given: tuple[Any, ...], named: tuple[tuple[str, Any], ...]) -> CodeType:
    return _COMPILE(kept.environment, source, *given, **dict(named))


def keep(patch: Callable[[type, str, Any], None]) -> None:
    """Have each template compiled once; a parsed one, which is no text, is left to be compiled as always.

    Args:
        patch: sets an attribute of a class for as long as this is to hold.
    """

    @functools.wraps(_COMPILE)
    def compile_once(environment: jinja2.Environment, source: Any, *given: Any, **named: Any) -> Any:
        if not isinstance(source, str):
            return _COMPILE(environment, source, *given, **named)
        return _compiled(_Kept(environment), source, given, tuple(sorted(named.items())))

    patch(jinja2.Environment, "compile", compile_once)
