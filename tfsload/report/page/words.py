"""Sentences of a page, in pieces: what is code or stressed in them is told apart, and nothing is markup. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfsload.transport.words import lines

# An option as it is typed, or what stands between backticks.
_CODE = re.compile(r"`([^`]+)`|(?<![\w-])(--[a-z][a-z0-9_-]*)")


@dataclass(frozen=True)
class Piece:
    """A part of a sentence.

    Attributes:
        text: as it is to be read.
        kind: "code", "strong", or empty.
    """

    text: str
    kind: str = ""


Sentence = tuple[Piece, ...]


def sentence(text: str) -> Sentence:
    """Return a sentence in which options, and what stands between backticks, are code.

    >>> [(piece.text, piece.kind) for piece in sentence("use a longer --warm-up")]
    [('use a longer ', ''), ('--warm-up', 'code')]
    """
    pieces: list[Piece] = []
    at = 0
    for match in _CODE.finditer(text):
        pieces += [Piece(text[at : match.start()]), Piece(match[1] or match[2], "code")]
        at = match.end()
    pieces.append(Piece(text[at:]))
    return tuple(piece for piece in pieces if piece.text)


def strong(text: str) -> Sentence:
    """Return a part that is stressed, as it stands."""
    return (Piece(text, "strong"),)


def capital(text: str) -> str:
    """Return a text whose first letter is a capital one, unless it begins with a name that has none.

    >>> capital("no thresholds"), capital("p99 < 5ms holds")
    ('No thresholds', 'p99 < 5ms holds')
    """
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text


def stopped(text: str) -> str:
    """Return a text with a full stop at its end, where it has no other mark.

    >>> stopped("run again"), stopped("why?")
    ('run again.', 'why?')
    """
    return text if text.endswith((".", "!", "?", "…")) or not text else f"{text}."


def clean(value: Any) -> Any:
    r"""Return a value of a page, and all texts in it, without what steers a terminal or turns the reading direction.

    >>> clean({"note": "a\x1b[31mb"})
    {'note': 'a?[31mb'}
    """
    if hasattr(value, "__html__"):  # markup of the templates, which question marks leave as safe as it is
        return type(value)(lines(value))
    if isinstance(value, str):
        return lines(value)
    if isinstance(value, Mapping):
        return {clean(name): clean(one) for name, one in value.items()}
    return [*map(clean, value)] if isinstance(value, list | tuple) else value
