"""What the summary says of users that were not there at a run's end."""

import dataclasses

import pytest

from tests.support.golden import result_of
from tests.support.past_runs import MS, SECOND, PastRun
from tfsload.analysis.attendance import Attended
from tfsload.analysis.result import Users
from tfsload.analysis.workers import Workers
from tfsload.report import terminal
from tfsload.report.page.cards import cards


def run_of(n_requests, users, workers=None):
    past = PastRun({})
    for image in range(n_requests):
        past.fire(image, SECOND + image * MS, 2 * MS)
    result = result_of(past.end())
    return dataclasses.replace(result, users=users, **({"workers": workers} if workers else {}))


@pytest.mark.parametrize(
    ("result", "told"),
    [
        pytest.param(run_of(20, Users(4, 4, None)), None, id="all-are-there"),
        pytest.param(
            run_of(20, Users(4, 10, None)),
            "4 of 10: the run ended before all were started (-r: more a second)",
            id="some",
        ),
        pytest.param(
            run_of(0, Users(0, 10, None)),
            "0 of 10: the run ended before all were started (-r: more a second)",
            id="none",
        ),
        pytest.param(run_of(20, Users(0, 1, None)), "0 of 1: they ended by themselves before the run did", id="gone"),
        pytest.param(
            run_of(20, Users(1, 2, None), Workers(2, ("w2",))),
            "1 of 2: others were with workers that are lost",
            id="lost",
        ),
        pytest.param(
            run_of(20, Users(1, 2, None), Workers(2, unfit={"w2": "it has other data"})),
            "1 of 2: others were with workers that could not take part",
            id="unfit",
        ),
        pytest.param(
            run_of(20, Users(4, 10, Attended(0.0, 0.0, 0.0))),
            "4 of 10: the run ended before all were started (-r: more a second)",
            id="the-ramp-had-not-ended",
        ),
        pytest.param(
            run_of(20, Users(7, 10, Attended(100.0, 74.0, 10.0))),
            "7 of 10: others ended by themselves, or the run ended before they were started (-r: more a second)",
            id="after-a-ramp-or-in-the-next-one",
        ),
    ],
)
def test_the_users_row_says_why_some_are_missing(result, told):
    rows = [line.removeprefix("users").strip() for line in terminal.render(result).splitlines() if line[:5] == "users"]

    assert rows == ([told] if told else [])


@pytest.mark.parametrize(
    ("users", "said"),
    [
        pytest.param(Users(4, 4, None), "", id="all-are-there"),
        pytest.param(
            Users(1, 4, None), " · 1 of 4 users: the run ended before all were started (-r: more a second)", id="late"
        ),
        pytest.param(Users(0, 2, None), " · 0 of 2 users: they ended by themselves before the run did", id="gone"),
    ],
)
def test_the_card_of_the_throughput_says_that_it_is_of_fewer_users(users, said):
    result = run_of(20, users)
    (card,) = (one for one in cards(result) if one.title == "How fast: throughput")

    assert card.below == f"20 requests in 0 s{said}"
