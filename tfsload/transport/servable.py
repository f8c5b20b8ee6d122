"""Which model answered: its name and version, as a server's messages have them. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from tfsload.transport.words import shown


class Servable(NamedTuple):
    """A model of one version.

    Attributes:
        name: its name; empty: not told.
        version: its version; None: not told.
    """

    name: str
    version: int | None

    @classmethod
    def of(cls, spec: Any) -> "Servable":
        """Return the model that a message's `ModelSpec` names."""
        return cls(spec.name, spec.version.value if spec.HasField("version") else None)

    @property
    def words(self) -> str:
        """Its name and version as a terminal may have them."""
        if self in _WORDS:
            return _WORDS[self]
        version = "no version" if self.version is None else f"version {self.version}"
        return f"{shown(self.name)}, {version}" if self.name else version

    def may_be(self, other: "Servable") -> bool:
        """Whether it may be another one, by what is told of both."""
        is_same_name = self.name == other.name or not (self.name and other.name)
        return is_same_name and (self.version == other.version or None in (self.version, other.version))


UNTOLD = Servable("", None)
# A server that says something else each time is not to fill the memory.
MOST_TOLD_APART = 50
FURTHER = Servable("", -1)
_WORDS = {UNTOLD: "a model that is not named", FURTHER: "further models"}
_MOST_SHOWN = 5


def to_plain(counts: Counter[Servable]) -> list[list[Any]]:
    """Return rows of [name, version, count], in order: what a message can hold."""
    return [[*servable, counts[servable]] for servable in in_order(counts)]


def from_plain(rows: Iterable[Any]) -> Counter[Servable]:
    """Read what `to_plain` wrote."""
    return Counter({Servable(name, version): count for name, version, count in rows})


def in_order(servables: Iterable[Servable]) -> list[Servable]:
    """Return models by name, then version; those without one first."""
    return sorted(servables, key=lambda one: (one.name, -1 if one.version is None else one.version))


def fault(counts: Counter[Servable], expected: Servable) -> str:
    """Return what is wrong with the models that answered: which there were, and how many answers of each.

    Empty where one model gave all answers, the expected one as far as either is told. Nothing is wrong, either, where
    no answer names its model: some servers tell nothing.

    Args:
        counts: answers by model.
        expected: the model that was asked before.
    """
    found = in_order(counts)
    if len(found) > 1:
        each = [f"{counts[servable]:,} by {servable.words}" for servable in found[:_MOST_SHOWN]]
        if len(found) > _MOST_SHOWN:
            n_others = sum(counts[servable] for servable in found[_MOST_SHOWN:])
            each.append(f"{n_others:,} by {len(found) - _MOST_SHOWN} others")
        return f"not all answers are of one model: {', '.join(each)}"
    if found and not found[0].may_be(expected):
        return f"all {counts[found[0]]:,} answers are by {found[0].words}, and {expected.words} was found before"
    return ""
