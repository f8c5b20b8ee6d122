"""A table of a page, as plain data: what a template draws. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """What stands in a field.

    Attributes:
        text: as it is to be read.
        state: whose icon and colour it has, as of `tfsload.report.states`; empty: none.
        note: what stands beside it, smaller.
    """

    text: str
    state: str = ""
    note: str = ""


@dataclass(frozen=True)
class Heading:
    """What stands above a column.

    Attributes:
        text: with the unit.
        is_text: whether the column holds words, which stand at its left, and not figures.
    """

    text: str
    is_text: bool = False


@dataclass(frozen=True)
class Row:
    """A row; its first field is its heading.

    Attributes:
        cells: one a column.
        state: whose colour all of it has; empty: none.
    """

    cells: tuple[Cell, ...]
    state: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: what it is of, for who does not see it.
        headings: one a column.
        rows: none: there is no table.
        notes: what is to be known of its figures.
    """

    name: str
    headings: tuple[Heading, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def figures(*texts: str) -> tuple[Cell, ...]:
    """Return plain fields."""
    return tuple(Cell(text) for text in texts)
