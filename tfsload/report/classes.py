"""How each class was answered, as a table on the terminal."""

from collections.abc import Callable, Sequence

from tfsload.analysis.class_rows import ClassRow
from tfsload.analysis.figures import count, percent
from tfsload.report.tables import Column, Table, fitted
from tfsload.transport.words import cut

_LONGEST_NAME = 24


def table(rows: Sequence[ClassRow], width: int, name_of: Callable[[int], str] = str) -> Table:
    """Return the classes, one a row, in a table of at most so many characters a line.

    Args:
        rows: the classes'.
        width: of the table.
        name_of: what a class is called.
    """
    return fitted(
        [
            Column("class", [cut(name_of(row.label), _LONGEST_NAME) for row in rows], is_text=name_of is not str),
            Column("images", [count(row.images) for row in rows]),
            Column("right", [count(row.right) for row in rows], leaves=0),
            Column("wrong", [count(row.wrong) for row in rows], leaves=2),
            Column("recall", [percent(row.recall) for row in rows]),
            Column("precision", [percent(row.precision) for row in rows], leaves=1),
            Column("most taken for", [_taken_for(row, name_of) for row in rows], is_text=True, leaves=3),
        ],
        width,
    )


def _taken_for(row: ClassRow, name_of: Callable[[int], str]) -> str:
    return f"{cut(name_of(row.taken_for[0]), _LONGEST_NAME)} ({count(row.taken_for[1])}×)" if row.taken_for else ""
