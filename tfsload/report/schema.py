"""The JSON Schema of `result.json`, made from the result's own classes: their fields, their types, their docstrings."""

import dataclasses
import enum
import inspect
import re
import types
import typing
from collections.abc import Mapping
from typing import Any

from tfsload.analysis.result import SCHEMA, RunResult

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What JSON has no number for is written as a text (`tfsload.analysis.plain`).
_NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["inf", "-inf", "nan"]}]}
_PLAIN: Mapping[Any, dict[str, Any]] = {
    int: {"type": "integer"},
    float: _NUMBER,
    str: {"type": "string"},
    bool: {"type": "boolean"},
}
# The lines of one attribute within a docstring's section: `name, other: what they are`, and lines further in.
_ATTRIBUTE = re.compile(r"^([a-z_0-9]+(?:, [a-z_0-9]+)*): *(.*(?:\n +.*)*)", re.MULTILINE)


def schema() -> dict[str, Any]:
    """Return the schema; whoever reads a result by it takes fields that are not in it for those of a later version."""
    definitions: dict[str, Any] = {}
    _define(RunResult, definitions)
    return {
        "$schema": _DIALECT,
        "title": f"tfsload's result of a run, schema {SCHEMA}",
        "$ref": "#/$defs/RunResult",
        "$defs": dict(sorted(definitions.items())),
    }


def _define(kind: Any, definitions: dict[str, Any]) -> None:
    """Add a dataclass, and those that its fields hold."""
    if kind.__name__ in definitions:
        return
    definition: dict[str, Any] = {"type": "object"}
    definitions[kind.__name__] = definition  # at once: it may hold others of its own kind
    summary, described = _documented(kind)
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    definition["description"] = summary
    definition["properties"] = {
        field.name: _with_description(_of(hints[field.name], definitions), described.get(field.name, ""))
        for field in fields
    }
    if kind is RunResult:
        definition["properties"]["schema"]["const"] = SCHEMA
    if required := [field.name for field in fields if not _has_default(field)]:
        definition["required"] = required


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _with_description(one: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, **one} if description else one


def _of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type, as `tfsload.analysis.plain` writes it."""
    if dataclasses.is_dataclass(kind):
        _define(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}  # type: ignore[union-attr]  # it is a class
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of(one, definitions) for one in arguments]}
    if kind is types.NoneType:
        return {"type": "null"}
    if origin is tuple:
        return _of_tuple(arguments, definitions)
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _of(arguments[1], definitions)}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [one.value for one in kind]}
    return dict(_PLAIN[kind])


def _of_tuple(arguments: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    if arguments[1:] == (Ellipsis,):
        return {"type": "array", "items": _of(arguments[0], definitions)}
    items = [_of(one, definitions) for one in arguments]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _documented(kind: Any) -> tuple[str, dict[str, str]]:
    """Return a class's summary, and what its docstring says of each attribute."""
    text = inspect.getdoc(kind) or ""
    summary, _, attributes = text.partition("Attributes:\n")
    described = {}
    for names, words in _ATTRIBUTE.findall(inspect.cleandoc(attributes)):
        for name in names.split(", "):
            described[name] = " ".join(words.split())
    return " ".join(summary.split()), described
