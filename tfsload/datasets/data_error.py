"""What is wrong with a data set."""

from collections.abc import Sequence

MOST_NAMED = 5
"""Of many faults, or choices, so many are named; of the others their number."""


class DataError(ValueError):
    """A data set that cannot be used; the message names the file, what was expected and what was found."""


def legible(name: str) -> str:
    r"""Return a file's name as it can be printed, whatever bytes it is made of.

    >>> legible("a.png"), legible("a\n.png"), legible("\udc80.png")
    ('a.png', "'a\\n.png'", "'\\udc80.png'")
    """
    return name if name.isprintable() else ascii(name)


def named(texts: Sequence[str], n: int | None = None, separator: str = ", ") -> str:
    """Return the first few of some texts, and how many more there are.

    Args:
        texts: at least the first few of them.
        n: how many there are in all; None: these.
        separator: between them.

    >>> named(["a.png", "b.png"])
    'a.png, b.png'
    >>> named(["a.png"], n=60_000)
    'a.png and 59,999 more'
    """
    shown = [*map(legible, texts[:MOST_NAMED])]
    n_more = (len(texts) if n is None else n) - len(shown)
    return separator.join(shown) + (f"{';' if separator == '; ' else ''} and {n_more:,} more" if n_more else "")
