"""A few rows of each long table of tests, for a run that is to be short."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

# Their rows start processes, servers and browsers; those of other tests are over before they could be counted, but for
# those marked `heavy`.
_SLOW = ("browser", "process", "truth")
_TESTS = Path(__file__).parents[1]


def spread(n: int, of: int) -> list[int]:
    """Return `n` of the numbers 0 to `of` - 1: the first and the last and what lies evenly between them; all, if fewer.

    >>> spread(3, 8)
    [0, 4, 7]
    """
    if n >= of:
        return list(range(of))
    return [0] if n == 1 else [round(index * (of - 1) / (n - 1)) for index in range(n)]


def chosen(items: Sequence[pytest.Item], n_rows: int) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the tests that are run where no slow one is to have more than `n_rows` rows, and those that are not."""
    tables: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        tables[item.nodeid.partition("[")[0]].append(item)
    shown = {rows[number] for rows in tables.values() for number in spread(_n_shown(rows, n_rows), len(rows))}
    return [item for item in items if item in shown], [item for item in items if item not in shown]


def _n_shown(rows: list[pytest.Item], n_rows: int) -> int:
    is_slow = rows[0].path.relative_to(_TESTS).parts[0] in _SLOW or rows[0].get_closest_marker("heavy") is not None
    return n_rows if is_slow else len(rows)
