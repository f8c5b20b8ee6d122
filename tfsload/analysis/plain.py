"""Frozen dataclasses of plain values, as JSON can hold them, and back, exactly. Pure.

A dataclass becomes an object, a tuple a list, an enumeration its value. What JSON has no word for is a text: infinities
and what is no number, and the keys of a mapping. What is read is told by the fields' types.
"""

import dataclasses
import enum
import functools
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

# Most of what a result holds is of these, which are what they are.
_PLAIN = {int, str, bool, types.NoneType}


def to_plain(value: Any) -> Any:
    """Return what JSON can hold of a value: a dataclass, a mapping, a tuple, an enumeration, or a plain value."""
    if type(value) in _PLAIN:
        return value
    if dataclasses.is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(one) for one in value]
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def from_plain(kind: Any, plain: Any) -> Any:
    """Read what `to_plain` wrote of a value of this type.

    Raises:
        ValueError: it cannot be one of this type; the message says where.
    """
    try:
        return _reader(kind)(plain)
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"it cannot be read: {error}") from None


@functools.cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return what reads values of a type."""
    if dataclasses.is_dataclass(kind):
        return functools.partial(_read_dataclass, kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _read_number if set(arguments) == {int, float} else _optional(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin is Mapping:
        key, one = map(_reader, arguments)
        return lambda plain: {key(name): one(value) for name, value in plain.items()}
    if isinstance(kind, type) and (issubclass(kind, enum.Enum) or kind in (float, str)):
        return kind
    if kind is int:
        return _read_integer
    if kind is bool:
        return functools.partial(_read_one_of, (True, False))
    if origin is typing.Literal:
        return functools.partial(_read_one_of, arguments)
    return lambda plain: plain


def _read_integer(plain: Any) -> int:
    if isinstance(plain, float):
        raise TypeError(f"{plain!r} is no whole number")
    return int(plain)


def _read_number(plain: Any) -> float:
    return plain if type(plain) is int else float(plain)


def _read_one_of(choices: tuple[Any, ...], plain: Any) -> Any:
    for choice in choices:
        if type(choice) is type(plain) and choice == plain:
            return choice
    raise TypeError(f"{plain!r} is none of {', '.join(map(repr, choices))}")


def _read_dataclass(kind: Any, plain: Mapping[str, Any]) -> Any:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if further := set(plain) - set(fields):
        raise ValueError(f"{kind.__name__} has no {' and no '.join(sorted(further))}")
    missing = [name for name, field in fields.items() if name not in plain and not _has_default(field)]
    if missing:
        raise ValueError(f"{kind.__name__} lacks {' and '.join(missing)}")
    hints = _hints(kind)
    return kind(**{name: _reader(hints[name])(value) for name, value in plain.items()})


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _optional(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    (kind,) = (argument for argument in arguments if argument is not types.NoneType)
    read = _reader(kind)
    return lambda plain: None if plain is None else read(plain)


def _tuple(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    if arguments[1:] == (Ellipsis,):
        read = _reader(arguments[0])
        return lambda plain: tuple(map(read, plain))
    readers = tuple(map(_reader, arguments))
    return lambda plain: tuple(read(one) for read, one in zip(readers, plain, strict=True))
