"""What the page of a run that goes on says of it."""

import dataclasses
import json
import re

import pytest

from tests.support.page_runs import closed_sweep, hold_closed, page_run
from tests.support.past_runs import PastRun
from tfsload.analysis.result import RunResult
from tfsload.analysis.verdict import Verdict
from tfsload.report.page.page import unfinished
from tfsload.report.standing import Counters, LevelPlace, Standing
from tfsload.suite.outcome import so_far
from tfsload.webui.live_words import live_words, so_far_words

SECOND = LevelPlace(2, 4, False, "2 users")
PROBE = LevelPlace(3, 9, True, "150 requests/s")
SOME = Counters(requests=200, predictions=400, wrong=3, failed=1, rate_rps=1234.5)


@pytest.mark.parametrize(
    ("standing", "state", "left", "share"),
    [
        pytest.param(
            Standing(None, place=SECOND, has_levels=True),
            "Running: level 2 of 4, 2 users",
            "waiting for its users",
            None,
            id="users-awaited",
        ),
        pytest.param(
            Standing(1.0, 12.0, 2.0, place=SECOND, has_levels=True),
            "Running: level 2 of 4, 2 users",
            "warming up · 11 s left",
            1 / 12,
            id="warm-up",
        ),
        pytest.param(
            Standing(9.0, 12.0, 2.0, place=SECOND, has_levels=True),
            "Running: level 2 of 4, 2 users",
            "measuring · 3 s left",
            0.75,
            id="measuring",
        ),
        pytest.param(
            Standing(9.0, 12.0, 2.0, 24.0, SECOND, has_levels=True),
            "Running: level 2 of 4, 2 users",
            "measuring · 3 s left of this level, about 27 s left in all",
            0.75,
            id="more-to-come",
        ),
        pytest.param(
            Standing(15.0, 12.0, 2.0, place=SECOND, has_levels=True),
            "Running: level 2 of 4, 2 users",
            "measuring · 0 s left",
            1.0,
            id="longer-than-its-time",
        ),
        pytest.param(
            Standing(3.0, 6.0, 2.0, place=PROBE, has_levels=True),
            "Running: level 3 of about 9, 150 requests/s",
            "measuring · 3 s left",
            0.5,
            id="search",
        ),
        pytest.param(
            Standing(None, has_levels=True), "Running: its users are being started", "", None, id="before-all"
        ),
        pytest.param(
            Standing(None, has_levels=True, levels_done=1), "Running: between two levels", "", None, id="between"
        ),
        pytest.param(
            Standing(None, has_levels=True, levels_done=3, is_ending=True),
            "Ending: the last answers are being taken in",
            "",
            None,
            id="after-the-last-level",
        ),
        pytest.param(
            Standing(20.0, images_asked=1000, counted=Counters(predictions=250)),
            "Running: 1,000 images, each once",
            "250 of 1,000 images",
            0.25,
            id="images",
        ),
        pytest.param(
            Standing(2.0, images_asked=1000, warm_up_requests_left=30),
            "Running: warming up",
            "30 requests to go before anything counts",
            0.0,
            id="requests-of-warm-up",
        ),
        pytest.param(Standing(65.4, users_asked=8), "Running: 8 users", "1 min 5 s so far", None, id="endless"),
        pytest.param(Standing(15.0, 60.0, users_asked=1), "Running: 1 user", "45 s left", 0.25, id="run-time"),
        pytest.param(
            Standing(15.0, 60.0, is_ending=True), "Ending: the last answers are being taken in", "", 0.25, id="ending"
        ),
    ],
)
def test_how_far_a_run_is(standing, state, left, share):
    words = live_words(standing)

    assert (words.state, words.left) == (state, left)
    assert words.title == f"{state} · tfsload"
    assert words.has_share is (share is not None)
    assert words.share == pytest.approx(share or 0.0)


@pytest.mark.parametrize(
    ("standing", "who", "trouble"),
    [
        pytest.param(Standing(1.0, users=4, users_asked=4), "", "", id="alone"),
        pytest.param(Standing(1.0, users=4, users_asked=4, is_open_load=True), "4 users", "", id="most-in-flight"),
        pytest.param(Standing(1.0, users=1, users_asked=4), "1 of 4 users", "", id="not-all-started"),
        pytest.param(Standing(1.0, users=4, users_asked=4, workers=1), "4 users on 1 worker", "", id="a-worker"),
        pytest.param(
            Standing(1.0, users=4, users_asked=8, workers=2, lost_workers=("vm_1",)),
            "4 of 8 users on 2 workers",
            "1 worker was lost: vm_1",
            id="lost",
        ),
        pytest.param(
            Standing(1.0, users=2, users_asked=2, workers=1, lost_workers=("a", "b")),
            "2 users on 1 worker",
            "2 workers were lost: a, b",
            id="two-lost",
        ),
    ],
)
def test_who_takes_part(standing, who, trouble):
    words = live_words(standing)

    assert (words.who, words.trouble) == (who, trouble)


@pytest.mark.parametrize(
    ("standing", "cards"),
    [
        pytest.param(
            Standing(9.0, 12.0, 2.0, place=SECOND, counted=SOME, users=2, has_levels=True),
            [
                ("Rate of this level", "1,234", "requests/s", "200 requests so far · 2,469 images/s"),
                ("Error rate of this level", "1.00%", "", "3 wrong · 1 failed · of 400 images"),
                ("In flight, at most", "2", "", "each user has one request at a time"),
            ],
            id="closed",
        ),
        pytest.param(
            Standing(
                9.0,
                12.0,
                2.0,
                place=PROBE,
                counted=Counters(10, 10, 0, 0, mismatched=2, offered=40, dropped=30, rate_rps=None),
                users=1,
                has_levels=True,
                is_open_load=True,
            ),
            [
                ("Rate of this level", "–", "requests/s", "10 requests so far"),
                ("Error rate of this level", "0%", "", "0 wrong · 0 failed · 2 mismatched · of 10 images"),
                ("Dropped arrivals", "30", "", "of 40 that were due · 1 user at most in flight"),
            ],
            id="open",
        ),
        pytest.param(
            Standing(9.0, counted=Counters(requests=20, predictions=1280), users=2),
            [
                ("Rate of this run", "–", "requests/s", "20 requests so far"),
                ("Error rate of this run", "0%", "", "0 wrong · 0 failed · of 1,280 images"),
                ("In flight, at most", "2", "", "each user has one request at a time"),
            ],
            id="no-rate-yet",
        ),
        pytest.param(
            Standing(0.0, users=2),
            [
                ("Rate of this run", "–", "", "nothing yet"),
                ("Error rate of this run", "–", "", "nothing yet"),
                ("In flight", "–", "", "nothing yet"),
            ],
            id="nothing-yet",
        ),
        pytest.param(
            Standing(None, has_levels=True, levels_done=3, users=2),
            [
                ("Rate of this level", "–", "", "no level is under way"),
                ("Error rate of this level", "–", "", "no level is under way"),
                ("In flight", "–", "", "no level is under way"),
            ],
            id="no-level-under-way",
        ),
    ],
)
def test_what_is_counted_is_said_as_reports_say_it(standing, cards):
    assert [(one.title, one.value, one.unit, one.below) for one in live_words(standing).cards] == cards


SO_FAR = {
    "sweep": "4 levels done, all stable",
    "thresholds": "crossed: ",
    "invalid": "2 levels done, in doubt: 4 users: 1 of 2 workers did not report it",
    "unsettled": "6 levels done, in doubt: 4 users (second time): unstable: throughput went 121% → 97% → 82% of its "
    "mean (limit 12% off) · crossed: ",
    "endless": "5 levels done, in doubt: 4 users and 2 more levels, of these the most at 16 users: 100% failed "
    "· crossed: ",
}


@pytest.mark.parametrize(("kind", "text"), SO_FAR.items())
def test_what_levels_have_come_to(kind, text):
    assert text in so_far_words(page_run(kind))


def after_two_levels(threshold):
    """Return what a sweep of a server that serves one request at a time has come to after 2 of 4 levels."""
    past = PastRun({"sweep": "1,2,4,8", "threshold": threshold})
    for number, users in enumerate((1, 2), 1):
        hold_closed(past, number, users, 4.0 * users)
    past.end()
    return so_far(past.results, past.checked, None)


UNDER_WAY = {
    "parallelism > 3": [("parallelism > 3", None)],
    "p99[users=8] < 1s": [],
    "p99[users=8] < 1s; p99[users=2] < 1s": [("p99[users=2] < 1s", True)],
    "p99 < 1s; parallelism > 3": [("p99 < 1s", True), ("p99 < 1s", True), ("parallelism > 3", None)],
    "p99 < 1ms; parallelism > 3": [("p99 < 1ms", False), ("p99 < 1ms", False), ("parallelism > 3", None)],
}


@pytest.mark.parametrize(("threshold", "held"), UNDER_WAY.items(), ids=UNDER_WAY)
def test_while_a_sweep_goes_on_nothing_is_held_against_what_is_to_come(threshold, held):
    result = after_two_levels(threshold)
    words, page = so_far_words(result), unfinished(result, ("4 users", "8 users"), (4.0, 8.0)).html

    assert [(one.threshold.text, one.holds) for one in result.thresholds] == held
    assert ("crossed" in words) is any(holds is False for _, holds in held)
    assert ("thresholds hold so far" in words) is (
        any(holds for _, holds in held) and not any(holds is False for _, holds in held)
    )
    assert "sweep further" not in page
    assert "not run to its end" not in page


def test_while_a_sweep_goes_on_nothing_answers_whether_the_server_runs_in_parallel():
    result = after_two_levels("")
    told = json.dumps(result.to_plain())

    assert result.scaling.answer is None
    assert [round(level.speed_up, 1) for level in result.scaling.levels] == [1.0, 1.0]  # what has ended stays
    assert "Cannot tell" not in told
    assert "not run to its end" not in told
    assert RunResult.from_plain(json.loads(told)) == result


def test_of_two_levels_that_drifted_both_are_named():
    told = so_far_words(closed_sweep((1, 0, 0.8), (2, 0, 0.8)))

    assert re.fullmatch(
        r"2 levels done, in doubt: 1 user: unstable: throughput went [^,]* \(limit 12% off\)\. "
        r"Likewise, with figures of their own: 2 users",
        told,
    )


def test_a_level_whose_arrivals_were_dropped_says_so():
    result = page_run("rate")
    doubted = dataclasses.replace(result, thresholds=(), verdict=Verdict(4, doubted_levels=(2,)))

    assert so_far_words(doubted) == "2 levels done, in doubt: 400 requests/s: 160 of 4,000 arrivals were dropped"
