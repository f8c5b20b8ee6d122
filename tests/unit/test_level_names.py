"""What a level is called where another level of the run has its name."""

import dataclasses

import pytest

from tests.support.page_runs import page_run
from tfsload.analysis.judge import judge
from tfsload.analysis.level_names import told_name
from tfsload.report.page.first_screen import first_screen


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
