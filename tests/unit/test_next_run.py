"""The run that would tell more: which one a sweep's answer names, as options, as a command and on the page."""

import dataclasses
import re
import shlex

import pytest

from tests.support.page_runs import PAGE_RUNS, closed_sweep, page_run
from tfsload.analysis import exit_codes
from tfsload.analysis.doubts import Doubt
from tfsload.analysis.judge import judge
from tfsload.analysis.next_sweep import (
    SUGGESTED,
    NextSweep,
    SweepAsked,
    as_options,
    further,
    heavier,
    less_scattered,
    longer,
    more_often,
    warmer,
    with_a_lone_user,
)
from tfsload.analysis.option_limits import MAX_IMAGES_PER_REQUEST, MAX_LEVEL_S, MAX_USERS
from tfsload.analysis.scaling import assess, assess_sweep
from tfsload.analysis.sweep import LevelPoint, Sweep
from tfsload.report import next_run
from tfsload.report.command import command
from tfsload.report.page.page import render
from tfsload.settings.options import OPTIONS


def sweep_of(*users):
    return Sweep.of([LevelPoint(n, 100.0 * n, 1e7) for n in users])


@pytest.mark.parametrize(
    ("make", "users", "wanted"),
    [
        pytest.param(further, (1, 2, 4, 8), (1, 2, 4, 8, 16, 1), id="further"),
        pytest.param(further, SUGGESTED, (1, 2, 4, 8, 16, 1), id="further-than-the-suggested-one"),
        pytest.param(further, (1, 2), (1, 2, 4, 8, 1), id="further-than-a-short-one"),
        pytest.param(further, (3, 1, 1, 3), (1, 3, 6, 12, 1), id="further-than-one-in-any-order"),
        pytest.param(more_often, (1, 2, 4), (1, 2, 4, 1, 2, 4, 1), id="twice"),
        pytest.param(more_often, (1, 2, 4, 1), (1, 2, 4, 1, 2, 4, 1), id="twice-what-ended-with-a-lone-user"),
        pytest.param(more_often, (1, 2, 1, 2, 1), (1, 2, 1, 2, 1, 2, 1), id="three-times"),
        pytest.param(more_often, (1, 2) * 3, (1, 2) * 4 + (1,), id="four-times"),
        pytest.param(with_a_lone_user, (2, 4), (1, 2, 4, 1), id="with-a-lone-user"),
        pytest.param(with_a_lone_user, (), SUGGESTED, id="of-nothing"),
        pytest.param(further, (1, 65_536), (1, 65_536, MAX_USERS, 1), id="up-to-the-most-users-that-there-may-be"),
    ],
)
def test_which_sweep_would_tell(make, users, wanted):
    assert make(sweep_of(*users)).users == wanted


def test_no_sweep_goes_further_than_the_most_users_that_there_may_be():
    assert further(sweep_of(1, MAX_USERS)) is None


@pytest.mark.parametrize("users", [(1, 2) * 4, (1, 2, 4) * 4 + (2, 1), (1, 2) * 9])
def test_no_level_is_to_be_held_more_than_four_times(users):
    assert more_often(sweep_of(*users)) is None


def asked(**others):
    return dataclasses.replace(SweepAsked(1, 1000, 10.0, 5.0, 2.0), **others)


@pytest.mark.parametrize(
    ("make", "was", "wanted"),
    [
        pytest.param(heavier, {}, 64, id="heavier"),
        pytest.param(heavier, {"images_per_request": 64}, 128, id="heavier-still"),
        pytest.param(heavier, {"images_per_request": 600}, 1000, id="all-images"),
        pytest.param(heavier, {"images_per_request": 1000}, None, id="no-more-images-there-are"),
        pytest.param(heavier, {"images_per_request": 8_000, "n_images": 60_000}, 10_000, id="what-a-request-takes"),
        pytest.param(heavier, {"images_per_request": 10_000, "n_images": 60_000}, None, id="no-request-takes-more"),
        pytest.param(longer, {}, 20.0, id="twice-as-long"),
        pytest.param(longer, {"level_duration_s": 2.0}, 7.0, id="longer-than-the-deadline"),
        pytest.param(longer, {"level_duration_s": 5.0}, 10.0, id="as-long-as-the-deadline"),
        pytest.param(longer, {"level_duration_s": 50_000.0}, MAX_LEVEL_S, id="a-day"),
        pytest.param(longer, {"level_duration_s": float(MAX_LEVEL_S)}, None, id="no-level-is-longer"),
        pytest.param(warmer, {}, 12.0, id="a-warm-up-that-takes-in-the-last-level"),
        pytest.param(warmer, {"warm_up_s": 0.0, "level_duration_s": 0.1}, 2.0, id="a-warm-up-of-very-short-levels"),
        pytest.param(warmer, {"warm_up_s": 0.0, "level_duration_s": 3.5}, 3.5, id="a-warm-up-where-there-was-none"),
        pytest.param(
            warmer, {"warm_up_s": 80_000.0, "level_duration_s": 9_000.0}, MAX_LEVEL_S, id="a-warm-up-of-a-day"
        ),
        pytest.param(warmer, {"warm_up_s": float(MAX_LEVEL_S)}, None, id="no-longer-warm-up"),
        pytest.param(less_scattered, {"level_duration_s": 40.0}, 80.0, id="what-scatters-in-less-than-a-minute"),
        pytest.param(less_scattered, {"level_duration_s": 60.0}, None, id="what-scatters-in-a-minute"),
    ],
)
def test_how_much_more_is_suggested(make, was, wanted):
    found = make(asked(**was))

    assert (found and (found.images_per_request or found.level_duration_s or found.warm_up_s)) == wanted


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("sweep", MAX_USERS),
        ("images_per_request", MAX_IMAGES_PER_REQUEST),
        ("level_duration", MAX_LEVEL_S),
        ("warm_up", MAX_LEVEL_S),
    ],
)
def test_the_most_that_is_suggested_is_the_most_that_the_option_takes(name, most):
    (option,) = [one for one in OPTIONS if one.dest == name]

    option.read(str(most))
    with pytest.raises(ValueError, match=f"{most:,}"):
        option.read(str(most + 1))


SLICES = (1, 2, 9) * 4
LONGER = "unstable: it drifted; use a longer --warm-up or --level-duration"


def points(rates, slices=(), doubts=()):
    of_users = {users: dict(doubts).get(users, "") for users in (1, 2, 4)}
    return [
        LevelPoint(users, rps, users / rps * 1e9, slices, of_users[users], wants_longer=of_users[users] == LONGER)
        for users, rps in zip((1, 2, 4), rates, strict=True)
    ]


@pytest.mark.parametrize(
    ("levels", "way_ms", "wanted", "said"),
    [
        pytest.param(points((100, 200, 400)), 0.3, None, "", id="it-is-told"),
        pytest.param(points((100, 115, 130)), 0.3, NextSweep((1, 2, 4, 8, 1)), "(`--sweep 1,2,4,8,1`)", id="further"),
        pytest.param(
            points((500, 900, 890)),
            1.0,
            NextSweep(is_heavier=True, images_per_request=64),
            "send heavier requests (`--images-per-request 64`), or measure nearer",
            id="heavier",
        ),
        pytest.param(
            points((100, 150, 150), SLICES),
            0.3,
            NextSweep(is_longer=True, level_duration_s=20.0),
            "measure longer (`--level-duration 20`), on a machine",
            id="longer",
        ),
        pytest.param(
            points((100, 130, 131)),
            0.3,
            NextSweep((1, 2, 4, 1, 2, 4, 1)),
            "several times (`--sweep 1,2,4,1,2,4,1`)",
            id="more-often",
        ),
        pytest.param(points((100, 150, 150))[1:], 0.3, NextSweep((1, 2, 4, 1)), "(`--sweep 1,2,4,1`)", id="lone-user"),
        pytest.param(points((100, 1, 1))[:1], 0.3, NextSweep(SUGGESTED), "(`--sweep 1,2,4,8,1`)", id="one-level"),
        pytest.param(
            points((100, 150, 160), doubts={1: LONGER}.items()),
            0.3,
            NextSweep(is_longer=True, level_duration_s=20.0),
            "cannot be trusted: unstable: it drifted",
            id="a-level-that-was-too-short",
        ),
        pytest.param(
            points((100, 150, 160), doubts={1: "the generator was busy; use --processes"}.items()),
            0.3,
            None,
            "cannot be trusted: the generator was busy",
            id="a-level-that-no-option-of-the-sweep-mends",
        ),
        pytest.param(
            points((100, 101, 160), doubts={4: LONGER}.items()),
            0.3,
            NextSweep(is_longer=True, level_duration_s=20.0),
            "4 users, measured so that it can be trusted (`--level-duration 20`)",
            id="a-higher-level-in-doubt",
        ),
    ],
)
def test_an_answer_that_says_what_would_tell_has_it_as_data(levels, way_ms, wanted, said):
    answer = assess(levels, way_ms * 1e6, asked=asked()).answer

    assert answer.next == wanted
    assert said in answer.sentence


@pytest.mark.parametrize(
    ("levels", "way_ms", "was", "said"),
    [
        pytest.param(
            points((500, 900, 890)),
            1.0,
            {"images_per_request": 1000},
            ": measure nearer to the server.",
            id="all-images",
        ),
        pytest.param(
            points((100, 150, 150), SLICES),
            0.3,
            {"level_duration_s": 80.0},
            ": measure on a machine with nothing else to do, since throughput scatters too much.",
            id="long-levels",
        ),
        pytest.param(
            [*points((100, 150, 150)), LevelPoint(1, 130, 1e9 / 130, ())],
            0.3,
            {},
            ": measure on a machine with nothing else to do, since throughput at 1 user differed from time to time.",
            id="a-lone-user-that-differs",
        ),
        pytest.param(
            points((100, 130, 131)) * 4,
            0.3,
            {},
            ". Measuring each level once more would tell little: the answer is at most 1.35 at once.",
            id="four-times",
        ),
    ],
)
def test_nothing_is_advised_once_more_that_the_sweep_already_has(levels, way_ms, was, said):
    answer = assess(levels, way_ms * 1e6, asked=asked(**was)).answer

    assert answer.next is None
    assert said in answer.sentence


BUSY = Doubt("the load generator was the bottleneck", "use --processes")
TOO_SHORT = Doubt("unstable: it went up and down", "let it settle", wants_longer=True)
TOO_EARLY = Doubt("unstable: it grew", "let it settle", wants_warmer=True)
LATE_FAILURES = Doubt("2 requests had no answer", "wait for them", wants_longer=True)


@pytest.mark.parametrize(
    ("generator_doubts", "sample_doubts", "n_failed", "is_longer"),
    [
        pytest.param((), (TOO_SHORT,), 0, True, id="the-only-doubt"),
        pytest.param((BUSY,), (TOO_SHORT,), 0, True, id="the-second-doubt"),
        pytest.param((BUSY,), (), 0, False, id="another-doubt"),
        pytest.param((), (TOO_SHORT,), 3, False, id="failures-that-no-longer-level-mends"),
    ],
)
def test_longer_levels_are_suggested_where_any_doubt_wants_them(generator_doubts, sample_doubts, n_failed, is_longer):
    alone, *others = page_run("sweep").levels
    alone = dataclasses.replace(
        alone, generator_doubts=generator_doubts, sample_doubts=sample_doubts, failed_requests=n_failed
    )
    answer = assess_sweep((alone, *others)).answer

    assert (answer.next is not None and answer.next.is_longer) is is_longer


@pytest.mark.parametrize(
    ("generator_doubts", "sample_doubts", "n_failed", "options"),
    [
        pytest.param((), (TOO_EARLY,), 0, {"warm_up": "12"}, id="too-early"),
        pytest.param((), (TOO_SHORT,), 0, {"level_duration": "20"}, id="up-and-down"),
        pytest.param((), (LATE_FAILURES, TOO_EARLY), 0, {"level_duration": "20", "warm_up": "12"}, id="either"),
        pytest.param((BUSY,), (TOO_EARLY,), 0, {"warm_up": "12"}, id="the-second-doubt"),
        pytest.param((), (TOO_EARLY,), 3, {}, id="failures-that-no-warm-up-mends"),
    ],
)
def test_what_is_advised_for_a_level_goes_by_its_doubts(generator_doubts, sample_doubts, n_failed, options):
    alone, *others = page_run("sweep").levels
    alone = dataclasses.replace(
        alone, generator_doubts=generator_doubts, sample_doubts=sample_doubts, failed_requests=n_failed
    )
    wanted = assess_sweep((alone, *others), asked=asked()).answer.next

    assert (as_options(wanted) if wanted is not None else {}) == options


def test_what_a_run_was_asked_for_comes_to_its_answer():
    assert page_run("unmeasured").asked.options["level_duration"] == "10"
    assert page_run("unmeasured").scaling.answer.next == NextSweep(is_longer=True, level_duration_s=20.0)


def with_next(wanted, n_images=1000, **options):
    result = page_run("sweep")
    asked = dataclasses.replace(result.asked, options={**result.asked.options, **options})
    answer = dataclasses.replace(result.scaling.answer, next=wanted)
    images = dataclasses.replace(result.images, fired=(1,) * n_images)
    return dataclasses.replace(
        result, asked=asked, images=images, scaling=dataclasses.replace(result.scaling, answer=answer)
    )


@pytest.mark.parametrize(
    ("wanted", "options", "changes"),
    [
        pytest.param(None, {}, {}, id="nothing"),
        pytest.param(NextSweep(), {}, {}, id="nothing-else"),
        pytest.param(NextSweep((1, 2, 1)), {"sweep": "1,2"}, {"sweep": "1,2,1"}, id="users"),
        pytest.param(NextSweep((1, 2, 1)), {"sweep": "1,2,1"}, {}, id="the-same-users"),
        pytest.param(
            NextSweep(is_heavier=True, images_per_request=64),
            {"images_per_request": "1"},
            {"images_per_request": "64"},
            id="heavier",
        ),
        pytest.param(
            NextSweep(is_longer=True, level_duration_s=7.5),
            {"level_duration": "2.5"},
            {"level_duration": "7.5"},
            id="longer",
        ),
        pytest.param(NextSweep(is_heavier=True, is_longer=True), {}, {}, id="nobody-knows-how-much"),
    ],
)
def test_it_is_told_as_options_that_are_others(wanted, options, changes):
    result = with_next(wanted, **options)

    assert next_run.changes(result) == changes
    words = shlex.split(command(result, next_run.changes(result)))
    for name, text in changes.items():
        assert words[words.index(f"--{name.replace('_', '-')}") + 1] == text


def unsettled_sweep(doubt, way, per_request="1", n_answered=10_000, **options):
    """Return a sweep that is INVALID by a doubt, whose lone requests spend this share of their time on the way."""
    whole = page_run("sweep")
    alone, *others = [
        dataclasses.replace(one, requests=n_answered + one.failed_requests, generator_doubts=()) for one in whole.levels
    ]
    alone = dataclasses.replace(alone, sample_doubts=(doubt,), round_trip_ns=int(way * alone.latency.mean_ns))
    options = {**whole.asked.options, "images_per_request": per_request, "warm_up": "2", **options}
    asked = dataclasses.replace(whole.asked, options=options)
    result = dataclasses.replace(whole, levels=(alone, *others), asked=asked, thresholds=(), verdict=None)
    return dataclasses.replace(result, verdict=judge(result))


@pytest.mark.parametrize(
    ("result", "images"),
    [
        pytest.param(unsettled_sweep(TOO_EARLY, 0.7), "64", id="single-images-most-of-whose-time-is-the-way"),
        pytest.param(unsettled_sweep(TOO_EARLY, 0.2), None, id="the-server-takes-most-of-it"),
        pytest.param(unsettled_sweep(TOO_EARLY, 0.7, "64"), None, id="large-ones-already"),
        pytest.param(unsettled_sweep(TOO_SHORT, 0.7), "64", id="longer-levels-with-samples-to-spare"),
        pytest.param(unsettled_sweep(TOO_SHORT, 0.7, n_answered=200), None, id="longer-levels-for-want-of-samples"),
        pytest.param(unsettled_sweep(TOO_EARLY, 0.7, sweep="", rate="100"), None, id="no-sweep"),
    ],
)
def test_a_sweep_that_supports_no_verdict_goes_on_with_larger_requests_where_these_would_tell(result, images):
    changes = next_run.changes(result)

    assert result.judged.exit_code == exit_codes.INVALID
    assert changes.get("images_per_request") == images
    assert {"warm_up", "level_duration"} & changes.keys()


def test_of_a_run_that_is_of_before_this_was_known_nothing_is_suggested():
    plain = page_run("repeated").to_plain()
    del plain["scaling"]["answer"]["next"]

    assert next_run.changes(type(page_run("demo")).from_plain(plain)) == {}


@pytest.mark.heavy
@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_a_page_has_the_command_where_there_is_one_and_no_marker_elsewhere(kind):
    result = page_run(kind)
    page = render(result)

    assert page.count("<!-- Here ends what is to be run next. -->") == bool(next_run.changes(result))


def test_no_command_of_a_report_replaces_it():
    result = with_next(NextSweep((1, 2, 4, 1)), sweep="1,2", report="out", hgrm="true")
    changed = (*result.asked.changed, "report", "hgrm")
    page = render(dataclasses.replace(result, asked=dataclasses.replace(result.asked, changed=changed)))
    commands = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page)

    assert len(commands) == 2
    assert not [one for one in commands if "--report" in one or "--hgrm" in one]
    assert page.count("add <code>--report</code> with another directory than this report’s") == 2


def test_the_command_stands_below_the_sentence_that_asks_for_it():
    result = closed_sweep((1, 0.0, 0.0), (2, 0.0, 0.0))
    page = render(dataclasses.replace(with_next(NextSweep((1, 2, 4, 1)), sweep="1,2"), levels=result.levels))

    assert page.index("Does the server run in parallel?") < page.index("</span> 1,2,4,1") < page.index("How fast")
