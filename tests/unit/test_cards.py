"""The three figures that matter: each is marked by what was crossed of its own, and says what does not stand."""

import dataclasses
import functools
import math

import pytest

from tests.support.golden import result_of
from tests.support.page_runs import PAGE_RUNS, closed_sweep, page_run
from tests.support.past_runs import MS, SECOND, PastRun
from tfsload.analysis import exit_codes, thresholds
from tfsload.analysis.held import Held, margin_of
from tfsload.analysis.limit import Ending
from tfsload.analysis.scaling import assess_sweep
from tfsload.analysis.validity import WORKERS_STAY
from tfsload.analysis.verdict import Rule, Verdict
from tfsload.report import states
from tfsload.report.markdown import write
from tfsload.report.page.cards import cards
from tfsload.report.page.first_screen import first_screen
from tfsload.report.page.level_tables import levels_table


@functools.cache
def small_sweep():
    return closed_sweep((1,), (2,))


def crossed(text, value, where=""):
    (threshold,) = thresholds.parse(text)
    assert threshold.holds(value) is False
    return Held(threshold, where, value, False, margin_of(threshold, value))


def with_crossed(result, *held):
    return dataclasses.replace(result, thresholds=held, verdict=Verdict(3))


# Which card: 0 how fast, 1 how soon, 2 how often wrong; what it says, and the figure that crossed, if it is marked.
BY_LEVEL = {
    "its-own": (
        crossed("error_rate < 1%", 0.021, "2 users"),
        2,
        "error_rate < 1%: 110% above the bound",
        ("2.10", "% at 2 users"),
    ),
    "of-a-class": (crossed("recall[5] > 99%", 0.5, "2 users"), 2, "recall[5] was crossed", None),
    "failed-alone": (crossed("failed_rate < 1%", 0.5, "2 users"), 2, "failed_rate was crossed", None),
    "another-percentile": (crossed("p50 < 8ms", 9e6, "2 users"), 1, "p50 was crossed", None),
    "p99": (crossed("p99 < 8ms", 9e6, "2 users"), 1, "p99 < 8 ms: 12% above the bound", ("9.00", "ms at 2 users")),
    "from-below": (
        crossed("p99 > 1s", 14.6e6, "2 users"),
        1,
        "p99 > 1 s: 99% below the bound",
        ("0.0146", "s at 2 users"),
    ),
    "endless": (crossed("p99 < 8ms", math.inf, "2 users"), 1, "p99 < 8 ms: above the bound", ("∞", "at 2 users")),
    "lag": (crossed("lag_p99 < 1ms", 9e6, "2 users"), 1, "lag_p99 was crossed", None),
    "rate": (
        crossed("rate > 1000", 20.0, "1 user"),
        0,
        "rate > 1,000/s: 98% below the bound",
        ("20.0", "requests/s at 1 user"),
    ),
    "right-rate": (crossed("right_rate[9ms] > 1000", 20.0, "1 user"), 0, "right_rate[9ms] was crossed", None),
    "parallelism": (crossed("parallelism > 4", 2.0), 0, "parallelism was crossed", None),
    "dropped": (crossed("dropped_rate < 1%", 0.5, "1 user"), 0, "dropped_rate was crossed", None),
}


@pytest.mark.parametrize(("held", "which", "said", "figure"), BY_LEVEL.values(), ids=BY_LEVEL)
def test_a_threshold_is_told_where_it_belongs_and_marks_its_own_figure_only(held, which, said, figure):
    found = cards(with_crossed(small_sweep(), held))

    assert said in found[which].below.split(" · ")
    assert [card.state for card in found] == ["crossed" if figure and n == which else "" for n in range(3)]
    assert [(card.crossing, card.crossing_unit) for card in found] == [
        figure if figure and n == which else ("", "") for n in range(3)
    ]
    assert not [
        card for n, card in enumerate(found) if n != which and ("bound" in card.below or "crossed" in card.below)
    ]


@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_whatever_was_crossed_stands_on_one_card(kind):
    result = page_run(kind)
    told = [card.below for card in cards(result)]
    by_metric = {held.threshold.metric for held in result.thresholds if held.holds is False}

    n_own = sum(card.state == "crossed" for card in cards(result))
    assert n_own == sum("bound" in below for below in told) if result.judged.exit_code != 1 else True
    assert bool(by_metric) == any("bound" in below or "crossed" in below for below in told) or not told


def test_of_many_that_were_crossed_some_are_named():
    held = [crossed(f"recall[{label}] > 99%", 0.5, "1 user") for label in range(6)]

    assert (
        "recall[0], recall[1], recall[2] and 3 more were crossed" in cards(with_crossed(small_sweep(), *held))[2].below
    )


def test_a_percentile_that_a_threshold_limits_is_the_one_that_it_was_held_against():
    _, _, soon = cards(page_run("unanswered"))

    assert (soon.value, soon.unit, soon.state) == ("∞", "", "crossed")
    assert soon.below.startswith(
        "of all requests, 14.30% of them without an answer · of those answered: as counted p99 "
    )
    assert soon.below.endswith("above the bound · p90, mean and max were crossed")


def test_an_error_rate_that_was_crossed_says_by_how_much():
    errors, _, _ = cards(page_run("unanswered"))

    assert "× the bound · wrong_rate, failed_rate and recall[5] were crossed" in errors.below


SEARCHES = {
    "none-holds": ({"ending": Ending.NONE_HOLDS, "rate_rps": None}, None, "no rate was found that holds"),
    "stopped": ({"ending": Ending.STOPPED, "rate_rps": None}, None, "no rate was found that holds"),
    # A short probe at that rate went before; it has answered more a second.
    "found": ({}, 3, ""),
}


@pytest.mark.parametrize(("changes", "number", "why"), SEARCHES.values(), ids=SEARCHES)
def test_the_best_of_a_search_is_the_last_level_at_the_rate_that_holds(changes, number, why):
    result = page_run("search")
    faster = [dataclasses.replace(one, achieved_rps=one.achieved_rps + (one.number == 1)) for one in result.levels]
    search = dataclasses.replace(result.search, **changes)
    result = dataclasses.replace(result, levels=tuple(faster), search=search)
    best = states.best_level(result)

    assert (best.number if best else None) == number
    if why:
        assert states.why_none_is_best(result) == why
        assert [card.below.split(" · ")[0] for card in cards(result)[:2]] == [why, why]


def test_the_short_probe_does_not_stand_in_for_a_full_level_in_doubt():
    result = page_run("search")
    doubted = dataclasses.replace(result, verdict=Verdict(4, doubted_levels=(3,)))

    assert states.best_level(doubted) is None
    assert states.why_none_is_best(doubted) == "the level at 200 requests/s supports no verdict"


def test_a_level_with_dropped_arrivals_is_not_the_best():
    fast, soon, _ = cards(page_run("rate"))

    assert (fast.value, fast.below) == (
        "100",
        "at 100 requests/s · 1,000 requests · dropped_rate was crossed",
    )
    assert soon.below == "p50 up to 4.11 ms · p99 < 50 ms: above the bound"
    assert (soon.crossing, soon.crossing_unit) == ("∞", "at 400 requests/s")


WHY_NONE = {
    "no level supports a verdict": lambda: closed_sweep((1, 0, 0.8), (2, 0, 0.8)),
    "requests had no answer at every level": lambda: closed_sweep((1, 0.1), (2, 0.1)),
    "no request was answered": lambda: closed_sweep((1, 1.0), (2, 1.0)),
    "no request had a usable answer": lambda: _failed_by(closed_sweep((1, 1.0), (2, 1.0)), "UNJUDGED"),
}


@pytest.mark.parametrize(("why", "make"), WHY_NONE.items())
def test_why_no_level_is_best(why, make):
    result = make()

    # Where failures and doubts lie at the same level, either would do: what the figures lack comes first.
    assert states.best_level(result) is None
    assert states.why_none_is_best(dataclasses.replace(result, verdict=_without_failing_doubts(result))) == why


def _failed_by(result, code):
    return dataclasses.replace(result, totals=dataclasses.replace(result.totals, failed={code: 9}))


def _without_failing_doubts(result):
    failing = {level.number for level in result.levels if level.failed_requests}
    kept = tuple(number for number in result.judged.doubted_levels if number not in failing)
    return dataclasses.replace(result.judged, doubted_levels=kept)


STANDING = {
    "unstable": (lambda: page_run("unsettled"), "it stands all the same: answers are counted, not timed", ""),
    "a-worker-lost": (lambda: page_run("invalid"), "without what was lost with workers", ""),
    "two-models": (
        lambda: dataclasses.replace(
            page_run("unsettled"),
            thresholds=(),
            server=dataclasses.replace(page_run("unsettled").server, changed="version 1 before, 2 after"),
        ),
        "of more than one model, perhaps",
        "invalid",
    ),
}


@pytest.mark.parametrize(("make", "said", "state"), STANDING.values(), ids=STANDING)
def test_a_run_without_a_verdict_says_whether_its_error_rate_stands(make, said, state):
    errors = cards(make())[2]

    assert errors.below.endswith(said)
    assert errors.state == state


def doubted_as_a_whole():
    """Return a sweep that supports no verdict for what is of no level."""
    result = page_run("sweep")
    rule = Rule(WORKERS_STAY, exit_codes.INVALID, ("1 request that workers reported did not arrive",))
    verdict = dataclasses.replace(result.judged, exit_code=exit_codes.INVALID, rules=(*result.judged.rules, rule))
    return dataclasses.replace(result, verdict=verdict)


def cut_off():
    """Return a run without levels that supports no verdict."""
    past = PastRun({})
    for image in range(40):
        past.fire(image, SECOND + image * MS, 2 * MS)
    past.results.n_unaccounted = 3
    return result_of(past.end())


@pytest.mark.parametrize(
    ("make", "state", "says_sound"),
    [
        pytest.param(cut_off, "invalid", False, id="of-a-run-as-a-whole"),
        pytest.param(lambda: page_run("unsettled"), "", True, id="of-a-level-not-in-doubt"),
        pytest.param(doubted_as_a_whole, "invalid", False, id="of-levels-of-a-doubted-run"),
        pytest.param(lambda: page_run("demo"), "", False, id="of-a-pass"),
    ],
)
def test_speed_in_a_run_without_a_verdict_says_what_it_is_worth(make, state, says_sound):
    result = make()
    fast, soon = (card for card in cards(result) if card.kind in ("How fast", "How soon"))

    assert (result.judged.exit_code == exit_codes.INVALID) is (state == "invalid" or says_sound)
    assert fast.state == state
    assert soon.state in (state, "crossed")
    assert ("this level is not in doubt" in fast.below) is says_sound


@pytest.mark.parametrize(
    ("rates_rps", "best_users"),
    [
        pytest.param((100, 195, 290, 400), 8, id="still-growing"),
        pytest.param((100, 195, 200, 214), 2, id="less-than-a-tenth-is-gained"),
        pytest.param((100, 195, 215, 190), 4, id="more-than-that-is"),
        pytest.param((100, 99, 104, 101), 1, id="never-growing"),
    ],
)
def test_the_best_level_of_a_sweep_is_where_throughput_stops_growing(rates_rps, best_users):
    result = page_run("sweep")
    levels = [dataclasses.replace(one, achieved_rps=rate) for one, rate in zip(result.levels, rates_rps, strict=True)]

    assert states.best_level(dataclasses.replace(result, levels=tuple(levels))).users == best_users


def of_users(result, *rates_rps):
    """Return a sweep whose levels had so many users, and so high a throughput."""
    levels = [
        dataclasses.replace(result.levels[0], number=number, name=f"{users} users", users=users, achieved_rps=rps)
        for number, (users, rps) in enumerate(rates_rps, 1)
    ]
    return dataclasses.replace(result, levels=tuple(levels), scaling=assess_sweep(levels))


NO_FASTER = "no faster"
ADD = "more users add less than 10%"


@pytest.mark.parametrize(
    ("rates_rps", "said"),
    [
        pytest.param([(1, 100), (2, 190)], "", id="the-best-alone"),
        pytest.param([(1, 100), (2, 190), (4, 189)], f"{NO_FASTER} at 4 users", id="one-more"),
        pytest.param([(1, 100), (2, 96)], f"{NO_FASTER} at 2 users", id="a-lone-user"),
        pytest.param([(1, 170), (2, 195), (4, 192)], f"{NO_FASTER} at 4 users", id="more-users-alone"),
        pytest.param(
            [(1, 9), (2, 195), (4, 190), (8, 192), (16, 191)], f"{NO_FASTER} at 4, 8 and 16 users", id="three-more"
        ),
        pytest.param(
            [(1, 9), (2, 195), (4, 190), (8, 192), (16, 191), (32, 190)],
            f"{NO_FASTER} at 4 more levels, 4 to 32 users",
            id="many-more",
        ),
    ],
)
def test_levels_that_come_near_to_the_best_are_named(rates_rps, said):
    told = cards(of_users(page_run("sweep"), *rates_rps))[0].below.split(" · ")

    assert [part for part in told if part.startswith(NO_FASTER)] == ([said] if said else [])


@pytest.mark.parametrize(
    ("rates_rps", "title", "below"),
    [
        pytest.param(
            [(1, 226), (4, 879), (8, 899)],
            "How fast: at least",
            f"at 4 users; {ADD} (899 at 8 users)",
            id="a-little-more-with-more-users",
        ),
        pytest.param(
            [(1, 800), (4, 879), (8, 870)],
            "How fast: at least",
            f"at 1 users; {ADD} (879 at 4 users)",
            id="a-lone-user",
        ),
        pytest.param([(1, 226), (4, 899), (8, 879)], "How fast: best level", "at 4 users", id="the-highest-of-all"),
        pytest.param([(1, 226), (4, 800), (8, 899)], "How fast: best level", "at 8 users", id="a-tenth-more"),
    ],
)
def test_a_best_load_that_is_not_the_fastest_says_what_more_users_add(rates_rps, title, below):
    result = of_users(page_run("sweep"), *rates_rps)
    fast = cards(result)[0]

    assert (fast.title, fast.below.split(" · ")[0]) == (title, below)
    notes = levels_table(result).notes
    assert any(note.startswith("best: the fewest users") for note in notes) is (ADD in below)


@pytest.mark.parametrize(
    ("rates_rps", "best", "below"),
    [
        pytest.param(
            [(1, 114), (2, 160), (4, 161), (8, 160), (1, 160)],
            (2, 160),
            "",
            id="the-lone-user-differs",
        ),
        pytest.param([(1, 100), (2, 190), (4, 96), (4, 112), (2, 191)], (2, 191), "", id="the-better-of-two"),
    ],
)
def test_levels_of_one_number_of_users_are_taken_together_as_in_the_sentence(rates_rps, best, below):
    result = of_users(page_run("sweep"), *rates_rps)
    level = states.best_level(result)
    told = cards(result)[0].below.split(" · ")

    assert (level.users, level.achieved_rps) == best
    assert level.users == (result.scaling.stops_growing_at or level.users)
    assert [part for part in told if part.startswith(NO_FASTER)] == ([below] if below else [])


# What a speed-up has in it that parallelism has not.
WAY = " as the client sees it, network included"


def with_images(result, n_images):
    """Return a result whose every request held so many images."""
    many = tuple(dataclasses.replace(one, predictions=n_images * one.requests) for one in result.levels)
    return dataclasses.replace(result, levels=many)


@pytest.mark.parametrize(
    ("kind", "below"),
    [
        pytest.param(
            "sweep", f"at 2 users; {ADD} (482 at 8 users) · 30,323 images/s · 1.95× one user{WAY}", id="sweep"
        ),
        pytest.param("rate", "at 100 requests/s · 6,400 images/s · 1,000 requests", id="rates"),
        pytest.param("search", "200 requests/s offered · 12,794 images/s · 2,000 requests", id="search"),
    ],
)
def test_where_a_request_holds_several_images_it_is_said_how_many_a_second(kind, below):
    fast = cards(with_images(page_run(kind), 64))[0]

    assert (fast.unit, fast.below[: len(below)]) == ("requests/s", below)
    assert "images/s" not in cards(page_run(kind))[0].below


def test_images_without_an_answer_are_not_counted_as_images_a_second():
    level = dataclasses.replace(small_sweep().levels[0], requests=20, predictions=40, failed_requests=10)
    level = dataclasses.replace(level, failed={"UNAVAILABLE": 20}, achieved_rps=5.0)

    assert level.images_per_s == 10.0
    assert dataclasses.replace(level, failed_requests=20).images_per_s is None


def test_levels_out_of_order_are_told_from_the_least_load_to_the_most():
    levels = [dataclasses.replace(small_sweep().levels[0], number=n, users=n) for n in (4, 8, 1, 2, 32, 16, 1)]

    assert (
        "sweep of 1 to 32 in 7 levels of users · 10 s each"
        in first_screen(dataclasses.replace(small_sweep(), levels=tuple(levels))).context
    )


OWN = {
    "one": (("p99 < 8ms",), ("2 users",), ""),
    "two-thresholds": (
        ("p99 < 8ms", "p99 < 7ms"),
        ("2 users",),
        "2 thresholds on it were crossed: p99 < 8 ms and p99 < 7 ms",
    ),
    "many-thresholds": (
        ("p99 < 8ms", "p99 < 7ms", "p99 < 6ms", "p99 < 5ms", "p99 < 4ms"),
        ("1 user",),
        "5 thresholds on it were crossed: p99 < 8 ms, p99 < 7 ms, p99 < 6 ms and 2 more",
    ),
    "two-levels": (("p99 < 8ms",), ("1 user", "2 users"), "crossed at 2 levels: 1 user and 2 users"),
    "a-level-twice": (("p99 < 8ms",), ("2 users", "2 users"), "crossed at 2 levels: 2 users (2×)"),
    "many-levels": (
        ("p99 < 8ms",),
        ("1 user", "2 users", "3 users", "4 users", "5 users"),
        "crossed at 5 levels: 1 user, 2 users, 3 users and 2 more",
    ),
}


@pytest.mark.parametrize(("texts", "where", "said"), OWN.values(), ids=OWN)
def test_a_card_says_how_many_were_crossed_on_its_figure_and_which(texts, where, said):
    held = [crossed(text, 9e6, place) for text in texts for place in where]
    below = cards(with_crossed(small_sweep(), *held))[1].below.split(" · ")

    assert [one for one in below if "crossed" in one] == ([said] if said else [])


def a_run_as_a_whole(threshold=None, value=None):
    whole = dataclasses.replace(page_run("demo"), thresholds=())
    if threshold is None:
        return whole
    (one,) = thresholds.parse(threshold)
    return dataclasses.replace(whole, thresholds=(Held(one, "", value, True, margin_of(one, value)),))


@pytest.mark.parametrize(
    ("result", "title", "bound"),
    [
        pytest.param(page_run("sweep"), "How soon: p99 at 2 users, up to", "up to ", id="of-a-level"),
        pytest.param(a_run_as_a_whole(), "How soon: p99, as counted", "", id="of-a-run"),
        pytest.param(a_run_as_a_whole("p99 < 50ms", 8.93e6), "How soon: p99, up to", "up to ", id="held-against"),
        pytest.param(a_run_as_a_whole("p99 > 1ms", 4.5e6), "How soon: p99, as counted", "", id="a-lower-limit"),
        pytest.param(a_run_as_a_whole("p99 < 50ms", math.inf), "How soon: p99", "", id="without-a-value"),
    ],
)
def test_a_percentile_says_whether_it_was_counted_or_is_the_most_that_it_may_be(result, title, bound):
    (soon,) = (card for card in cards(result) if card.kind == "How soon")

    assert (soon.title, soon.bound) == (title, bound)
    assert ("as counted p99 " in soon.below) is ("p99 <" in str([one.threshold.text for one in result.thresholds]))


def test_a_summary_says_what_its_percentiles_are_and_which_carry_no_limit():
    result = a_run_as_a_whole()
    totals, note = result.totals, "Percentiles as counted; a limit on one is held against the highest value it may have"

    assert f"{note} (up to); it wants more answers than these {totals.latency.count:,} for p99.9 (6,636)." in write(
        result
    )
    assert note not in write(page_run("sweep"))
