"""The tables of levels say what a level was held against, also where it was held."""

import re

import pytest

from tests.support.page_runs import PAGE_RUNS, page_run
from tfsload.analysis import doubts, stability
from tfsload.report.page.answers import classes_table
from tfsload.report.page.checks import all_thresholds_table, thresholds_table
from tfsload.report.page.level_tables import generator_table, levels_table


def percentages(text):
    return [float(number) / 100 for number in re.findall(r"([\d.]+)%", text)]


def test_beside_levels_that_are_stable_stands_what_that_means():
    (note,) = [note for note in levels_table(page_run("sweep")).notes if note.startswith("stable: ")]

    assert percentages(note) == [stability.TOLERANCE]


def test_beside_the_load_generators_figures_stand_their_limits():
    (note,) = generator_table(page_run("sweep")).notes

    assert percentages(note) == [
        doubts.BUSY_SHARE,
        doubts.WAITED_SHARE,
        doubts.WAIT_SHARE_OF_LATENCY,
        doubts.LATE_SHARE_OF_LATENCY,
    ]
    assert f"{doubts.LATE_NS / 1e6:.2f} ms" in note


@pytest.mark.parametrize("kind", ["unsettled", "invalid"])
def test_a_level_in_doubt_says_what_was_measured_and_the_limit(kind):
    result = page_run(kind)
    told = [doubt.what for level in result.levels for doubt in level.doubts if "%" in doubt.what]

    assert told
    assert all(len(percentages(what)) > 1 and "(limit " in what for what in told)


@pytest.mark.parametrize("kind", PAGE_RUNS)
@pytest.mark.parametrize(
    "table",
    [levels_table, generator_table, thresholds_table, all_thresholds_table, classes_table],
    ids=lambda of: of.__name__,
)
def test_each_dash_and_each_word_for_a_doubt_is_explained_below_its_table(kind, table):
    found = table(page_run(kind))
    cells = {cell.text for row in found.rows for cell in row.cells}
    notes = " ".join(found.notes)

    assert ("–" in cells) <= ("–: " in notes)
    for word in ("unstable", "doubted", "crossed", "cannot be judged"):
        assert (word in cells) == any(word in note.partition(":")[0].split(", ") for note in found.notes)


@pytest.mark.parametrize(("kind", "is_told"), [("unsettled", True), ("sweep", False), ("rate", False)])
def test_a_level_without_a_speed_up_says_why(kind, is_told):
    found = levels_table(page_run(kind))

    assert any(note.startswith("– as a speed-up: ") for note in found.notes) is is_told
