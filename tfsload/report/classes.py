"""How each class was answered, as a table on the terminal."""

from collections.abc import Sequence

from tfsload.analysis.class_rows import ClassRow
from tfsload.analysis.figures import count, percent
from tfsload.report.tables import Column, Table, fitted


def table(rows: Sequence[ClassRow], width: int) -> Table:
    """Return the classes, one a row, in a table of at most so many characters a line."""
    return fitted(
        [
            Column("class", [str(row.label) for row in rows]),
            Column("images", [count(row.images) for row in rows]),
            Column("right", [count(row.right) for row in rows], leaves=0),
            Column("wrong", [count(row.wrong) for row in rows], leaves=2),
            Column("recall", [percent(row.recall) for row in rows]),
            Column("precision", [percent(row.precision) for row in rows], leaves=1),
            Column("most taken for", [_taken_for(row) for row in rows], is_text=True, leaves=3),
        ],
        width,
    )


def _taken_for(row: ClassRow) -> str:
    return f"{row.taken_for[0]} ({count(row.taken_for[1])}×)" if row.taken_for else ""
