"""A short run of the tests has the ends and the middle of each slow table, and all of the others."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.rows import chosen, spread

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Item:
    """What is looked at of a collected test."""

    room: str
    name: str
    markers: tuple[str, ...] = ()

    @property
    def nodeid(self) -> str:
        return f"tests/{self.room}/test_it.py::{self.name}"

    @property
    def path(self) -> Path:
        return TESTS / self.room / "test_it.py"

    def get_closest_marker(self, name):
        return name if name in self.markers else None


@pytest.mark.parametrize(
    ("n", "of", "numbers"),
    [
        pytest.param(1, 5, [0], id="one"),
        pytest.param(2, 5, [0, 4], id="both-ends"),
        pytest.param(3, 9, [0, 4, 8], id="and-the-middle"),
        pytest.param(2, 2, [0, 1], id="as-many"),
        pytest.param(3, 1, [0], id="fewer"),
    ],
)
def test_rows_are_spread_over_a_table(n, of, numbers):
    assert spread(n, of) == numbers


@pytest.mark.parametrize("room", ["browser", "process", "truth"])
def test_of_a_slow_table_some_rows_are_kept_in_their_order(room):
    rows = [Item(room, f"test_a[{row}]") for row in range(4)]
    single = Item(room, "test_b")
    mixed = [rows[0], single, *rows[1:]]  # as fixtures that are shared order them

    assert chosen(mixed, 2) == ([rows[0], single, rows[3]], [rows[1], rows[2]])


def test_of_a_table_that_is_marked_some_rows_are_kept():
    rows = [Item("unit", f"test_a[{row}]", ("heavy",)) for row in range(4)]

    assert chosen(rows, 2) == ([rows[0], rows[3]], [rows[1], rows[2]])


@pytest.mark.parametrize("room", ["unit", "contract"])
def test_of_a_fast_table_all_rows_are_kept(room):
    rows = [Item(room, f"test_a[{row}]") for row in range(4)]

    assert chosen(rows, 2) == (rows, [])
