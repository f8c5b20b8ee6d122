"""Tables on the terminal: the one place where they are written. Pure.

A table fits a width: what it can do without is left out, column by column, until it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

# Between two columns. No cell holds two spaces, so that a table can be read by machines, too.
GAP = "  "


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: what it holds, with the unit.
        cells: one a row.
        is_text: whether it holds words, which stand to the left; figures stand to the right.
        leaves: which columns leave first where not all fit: those with the least number, together; None: it never does.
        least: characters that it has at least, for a table of which rows are to come.
    """

    heading: str
    cells: Sequence[str]
    is_text: bool = False
    leaves: int | None = None
    least: int = field(default=0, kw_only=True)

    @property
    def width(self) -> int:
        """Characters that its widest cell has."""
        return max(self.least, len(self.heading), *map(len, self.cells), 0)

    def aligned(self) -> list[str]:
        """Return its heading and cells, all equally long."""
        width = self.width
        return [cell.ljust(width) if self.is_text else cell.rjust(width) for cell in (self.heading, *self.cells)]


@dataclass(frozen=True)
class Table:
    """A table that fits.

    Attributes:
        heading: its first line.
        rows: the others.
        left_out: headings of columns for which there was no room, in the order of the columns.
    """

    heading: str
    rows: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it."""
        return (self.heading, *self.rows)


def fitted(columns: Sequence[Column], width: int) -> Table:
    """Return a table that is no wider than `width` characters.

    Columns that may leave do so in their order. What is still too wide then, as one name in a window of a few
    characters, is cut.
    """
    shown = list(columns)
    for number in sorted({one.leaves for one in columns if one.leaves is not None}):
        if _width(shown) <= width:
            break
        shown = [one for one in shown if one.leaves != number]
    lines = zip(*(column.aligned() for column in shown), strict=True)
    heading, *rows = (_cut(GAP.join(cells).rstrip(), width) for cells in lines)
    return Table(heading, tuple(rows), tuple(column.heading for column in columns if column not in shown))


class GrowingTable:
    """A table of which rows are to come: the first one decides which columns there are, and how wide they are."""

    def __init__(self, width: int) -> None:
        """Begin before the first row of a table that is no wider than `width` characters."""
        self._width = width
        self._columns: list[Column] = []

    def add(self, columns: Sequence[Column]) -> list[str]:
        """Return the line of a row, given as columns of one cell; before the first one the heading."""
        lines = []
        if not self._columns:
            table = fitted(columns, self._width)
            self._columns = [column for column in columns if column.heading not in table.left_out]
            lines.append(table.heading)
        cells = {column.heading: column.cells[0] for column in columns}
        row = [replace(one, cells=(cells.get(one.heading, ""),), least=one.width) for one in self._columns]
        return [*lines, _cut(GAP.join(one.aligned()[1] for one in row).rstrip(), self._width)]


def _width(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + len(GAP) * (len(columns) - 1)


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: max(width - 1, 0)] + "…"[:width]
