"""What a level is called where another level of the run has its name."""

import dataclasses

import pytest

from tests.support.golden import result_of
from tests.support.page_runs import page_run
from tests.support.past_runs import PAST_RUNS
from tfsload.analysis.judge import judge
from tfsload.analysis.level_names import told_name
from tfsload.report import junit, markdown, terminal
from tfsload.report.page import page
from tfsload.report.page.cards import cards
from tfsload.report.page.checks import doubts
from tfsload.report.page.first_screen import first_screen
from tfsload.report.page.level_tables import generator_table


def levels_of(*users):
    (one, *_) = page_run("sweep").levels
    return tuple(
        dataclasses.replace(one, number=number, users=n, name="1 user" if n == 1 else f"{n} users")
        for number, n in enumerate(users, 1)
    )


@pytest.mark.parametrize(
    ("users", "names"),
    [
        pytest.param((1, 2, 4), ["1 user", "2 users", "4 users"], id="each-once"),
        pytest.param((1, 2, 1), ["1 user (first time)", "2 users", "1 user (second time)"], id="a-lone-user-again"),
        pytest.param((2,) * 3, ["2 users (first time)", "2 users (second time)", "2 users (third time)"], id="thrice"),
        pytest.param(
            (1,) * 6,
            [*[f"1 user ({n} time)" for n in ("first", "second", "third", "fourth", "fifth")], "1 user (time 6)"],
            id="more-often",
        ),
    ],
)
def test_levels_of_one_name_are_told_apart(users, names):
    levels = levels_of(*users)

    assert [told_name(levels, level) for level in levels] == names


@pytest.mark.parametrize(("number", "which"), [(1, "first"), (4, "second")])
def test_a_reason_says_which_of_two_levels_it_is_about(number, which):
    whole = page_run("unsettled")
    (doubt,) = whole.levels[-1].sample_doubts
    levels = tuple(
        dataclasses.replace(one, sample_doubts=(doubt,) if one.number == number else ()) for one in whole.levels
    )
    result = dataclasses.replace(whole, levels=levels, thresholds=(), verdict=None)
    result = dataclasses.replace(result, verdict=judge(result))

    assert result.judged.reasons[0].what.startswith(f"1 user ({which} time): unstable: ")
    lead = "".join(piece.text for piece in first_screen(result).verdict.lead)
    assert lead.startswith(f"The run supports no verdict: 1 user ({which} time): unstable: ")


OF_BOTH = ["2 users (first time)", "2 users (second time)"]


@pytest.mark.parametrize(
    ("told", "of_each"),
    [
        pytest.param(markdown.write, [f"| {name} |" for name in OF_BOTH], id="summary-table"),
        pytest.param(markdown.write, [f"was crossed at {name}:" for name in OF_BOTH], id="summary-reasons"),
        pytest.param(junit.write, [f'name="p99 &lt; 4 ms at {name}"' for name in OF_BOTH], id="junit"),
        pytest.param(terminal.render, [f"was crossed at {name}: " for name in OF_BOTH], id="terminal"),
        pytest.param(terminal.render, ["above  at 2 users (second time)"], id="worst-on-the-terminal"),
        pytest.param(page.render, [f">{name}</td>" for name in OF_BOTH], id="page-table"),
    ],
)
def test_a_threshold_says_which_of_two_levels_crossed_it(told, of_each):
    text = told(result_of(PAST_RUNS["repeated"]()))

    assert [one for one in of_each if one not in text] == []


def test_a_doubt_says_which_of_two_levels_it_is_about_and_is_told_once():
    found = [f"{one.of}: {''.join(piece.text for piece in one.what)}" for one in doubts(page_run("unsettled"))]

    assert [one.partition(":")[0] for one in found if "unstable" in one] == ["4 users (second time)"]


def test_a_card_says_which_of_two_levels_a_figure_is_of():
    fast, soon, _ = cards(result_of(PAST_RUNS["repeated"]()))

    assert fast.below.startswith("at 2 users (first time)")
    assert soon.title == "How soon: p99 at 2 users (first time), up to"


def told_of(result):
    return [(one.of, "".join(piece.text for piece in one.what)) for one in doubts(result)]


def test_a_percentile_that_is_not_given_says_of_which_of_two_levels():
    whole = page_run("unsettled")
    levels = tuple(
        dataclasses.replace(one, upper_end_ns={**one.upper_end_ns, 99.0: None} if one.number == 4 else one.upper_end_ns)
        for one in whole.levels
    )

    found = [of for of, what in told_of(dataclasses.replace(whole, levels=levels)) if what.startswith("p99 is not")]

    assert found == ["1 user (second time)"]


def test_a_reason_that_is_no_doubt_stands_at_its_level_too():
    whole = page_run("rate")
    *others, last = whole.levels
    levels = (*others, dataclasses.replace(last, dropped=3))
    result = dataclasses.replace(whole, levels=levels, thresholds=(), verdict=None)
    found = told_of(dataclasses.replace(result, verdict=judge(result)))

    assert [of for of, what in found if "were dropped" in what] == [last.name]
    assert [what for _, what in found if what.startswith(f"{last.name}: ")] == []


def test_what_the_load_generator_was_like_says_in_which_of_two_levels():
    names = [row.cells[0].text for row in generator_table(page_run("unsettled")).rows]

    assert names == [
        f"{name} ({which} time)" for which in ("first", "second") for name in ("1 user", "2 users", "4 users")
    ]
