"""What a verdict says of a run whose users, or whose workers, were not those that were asked for."""

import dataclasses

import pytest

from tests.support.golden import result_of
from tests.support.past_runs import MS, SECOND, PastRun
from tfsload.analysis import exit_codes, missing_users, validity
from tfsload.analysis.abort import Aborted
from tfsload.analysis.attendance import Attended
from tfsload.analysis.judge import judge
from tfsload.analysis.result import Users
from tfsload.analysis.workers import Workers

NEVER_ALL = Attended(0.0, 0.0, 0.0)


def judged(users, workers=None, **course):
    """Return the verdict on a run of 20 requests, without thresholds, that is as given."""
    past = PastRun({})
    for image in range(20):
        past.fire(image, SECOND + image * MS, 2 * MS)
    result = result_of(past.end())
    more = {"course": dataclasses.replace(result.course, **course), "workers": workers or result.workers}
    return judge(dataclasses.replace(result, users=users, **more))


@pytest.mark.parametrize(
    ("users", "course", "reason"),
    [
        pytest.param(
            Users(4, 500, NEVER_ALL),
            {"ran_s": 4.0, "run_time_s": 4.0},
            "only 4 of 500 users were started before the run's time was over; start more a second (-r), or let the run "
            "last longer (-t)",
            id="in-its-ramp",
        ),
        pytest.param(
            Users(1, 2, None),
            {"ran_s": 4.0, "run_time_s": 4.0},
            "only 1 of 2 users was started before the run's time was over; start more a second (-r), or let the run "
            "last longer (-t)",
            id="nothing-known-of-its-time",
        ),
        pytest.param(Users(4, 4, NEVER_ALL), {"ran_s": 4.0, "run_time_s": 4.0}, None, id="as-its-ramp-ends"),
        pytest.param(Users(4, 500, NEVER_ALL), {}, None, id="without-an-end-of-its-own"),
        pytest.param(
            Users(4, 500, Attended(40.0, 40.0, 10.0)), {"ran_s": 14.0, "run_time_s": 14.0}, None, id="in-a-further-ramp"
        ),
        pytest.param(Users(0, 2, NEVER_ALL), {"ran_s": 4.0, "run_time_s": 4.0}, None, id="they-ended-by-themselves"),
    ],
)
def test_a_run_that_never_had_its_users_supports_no_verdict(users, course, reason):
    verdict = judged(users, **course)
    rule = next(rule for rule in verdict.rules if rule.name == validity.USERS_RUN)

    assert verdict.exit_code == (exit_codes.INVALID if reason else exit_codes.PASS)
    assert list(rule.reasons) == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("workers", "reason", "rule"),
    [
        pytest.param(
            Workers(1, ("w1",), n_left=0),
            "20 of 1,000 images were fired, and the only worker was lost",
            "stay",
            id="the-only-one",
        ),
        pytest.param(
            Workers(2, ("w1", "w2"), n_left=0),
            "20 of 1,000 images were fired, and all 2 workers were lost",
            "stay",
            id="all",
        ),
        pytest.param(
            Workers(1, ("w1", "w2"), n_left=0),
            "20 of 1,000 images were fired, and the last worker was lost",
            "stay",
            id="one-after-the-other",
        ),
        pytest.param(
            Workers(2, ("w1",), n_left=0),
            "20 of 1,000 images were fired, and the last worker was lost",
            "stay",
            id="the-last-of-two-of-whom-one-had-left",
        ),
        pytest.param(
            Workers(2, ("w1",), n_left=1),
            "20 of 1,000 images were fired before the run was stopped",
            "ends",
            id="one-of-two",
        ),
        pytest.param(
            Workers(1, ("w1",), n_left=1),
            "20 of 1,000 images were fired before the run was stopped",
            "ends",
            id="another-has-come-in-its-place",
        ),
        pytest.param(
            Workers(2, ("w1", "w2")),
            "20 of 1,000 images were fired before the run was stopped",
            "ends",
            id="not-known-who-was-left",
        ),
        pytest.param(Workers(1), "20 of 1,000 images were fired before the run was stopped", "ends", id="none"),
    ],
)
def test_images_that_nobody_was_left_to_fire_are_told_with_the_workers(workers, reason, rule):
    verdict = judged(Users(1, 1), workers, n_images_asked=1000)
    broken = {"stay": validity.WORKERS_STAY, "ends": validity.ENDS_BY_ITSELF}[rule]

    assert verdict.exit_code == exit_codes.INVALID
    assert [one.name for one in verdict.rules if not one.holds] == [broken]
    assert reason in str(verdict.reasons[0])


@pytest.mark.parametrize(
    ("workers", "reason"),
    [
        pytest.param(Workers(2, ("w1",)), "1 of 2 workers was lost with what it had not reported", id="one"),
        pytest.param(Workers(2, ("w1", "w2")), "2 of 2 workers were lost with what they had not reported", id="all"),
        pytest.param(
            Workers(1, ("w1", "w2")), "2 workers were lost with what they had not reported", id="one-after-the-other"
        ),
    ],
)
def test_workers_that_were_lost_are_never_more_than_those_that_they_are_counted_among(workers, reason):
    assert str(judged(Users(1, 1), workers).reasons[0]).startswith(reason)


@pytest.mark.parametrize(
    ("workers", "course", "reasons"),
    [
        pytest.param(
            Workers(1, ("w1",), n_left=0),
            {"ran_s": 13.9, "run_time_s": 15.0},
            ["the only worker was lost with what it had not reported, and the run ended after 13.9 s of 15"],
            id="the-only-one-whose-loss-ends-the-run",
        ),
        pytest.param(
            Workers(2, ("w1", "w2"), n_left=0),
            {"ran_s": 13.9, "run_time_s": 15.0},
            ["all 2 workers were lost with what they had not reported, and the run ended after 13.9 s of 15"],
            id="all",
        ),
        pytest.param(
            Workers(1, ("w1",), n_left=0),
            {"ran_s": 15.0, "run_time_s": 15.0},
            ["the only worker was lost with what it had not reported"],
            id="the-only-one-at-the-end",
        ),
        pytest.param(
            Workers(2, ("w1",), n_left=1),
            {"ran_s": 13.9, "run_time_s": 15.0},
            ["1 of 2 workers was lost with what it had not reported", "stopped after 13.9 s of 15"],
            id="one-of-two-and-stopped-by-hand",
        ),
        pytest.param(
            Workers(1), {"ran_s": 13.9, "run_time_s": 15.0}, ["stopped after 13.9 s of 15"], id="stopped-by-hand"
        ),
    ],
)
def test_a_lost_worker_leads_and_what_it_ended_was_stopped_by_nobody(workers, course, reasons):
    verdict = judged(Users(1, 1), workers, **course)

    assert verdict.exit_code == exit_codes.INVALID
    assert [reason.what for reason in verdict.reasons] == reasons


@pytest.mark.parametrize(
    ("users", "threshold", "has_note"),
    [
        pytest.param(Users(1, 8, NEVER_ALL), "p99 < 5s", True, id="a-limit-on-latency"),
        pytest.param(Users(1, 8, NEVER_ALL), "rate > 1", True, id="a-limit-on-the-rate"),
        pytest.param(Users(1, 8, NEVER_ALL), "error_rate < 100%", False, id="a-limit-on-answers"),
        pytest.param(Users(8, 8, NEVER_ALL), "p99 < 5s", False, id="all-started"),
    ],
)
def test_images_that_were_gone_before_all_users_started_are_told_of_where_speed_is_judged(users, threshold, has_note):
    past = PastRun({"num_tests": "1000", "threshold": threshold})
    for image in range(1000):
        past.fire(image, SECOND + image * MS, 2 * MS)
    past.results.n_requests = past.results.n_done = 1000
    verdict = judge(dataclasses.replace(result_of(past.end()), users=users))

    said = [note for note in verdict.notes if "started before the last image was fired" in note.what]
    whole = "only 1 of 8 users was started before the last image was fired: latencies and rates are of that one"
    assert [note.what for note in said] == [whole] * has_note
    assert verdict.exit_code == exit_codes.PASS


@pytest.mark.parametrize(
    ("course", "workers", "is_ended_by_a_threshold", "is_of_the_ramp"),
    [
        pytest.param({}, Workers(), False, True, id="its-time"),
        pytest.param({"run_time_s": None}, Workers(), False, False, id="nothing-as-it-had-none"),
        pytest.param({"stalled": "no user is left"}, Workers(), False, False, id="nobody-could-go-on"),
        pytest.param({"gave_up_after_s": 30.0}, Workers(), False, False, id="no-server-answered"),
        pytest.param({}, Workers(2, lost=("a",)), False, False, id="a-worker-was-lost"),
        pytest.param({}, Workers(2, unfit={"a": "old"}), False, False, id="a-worker-took-no-part"),
        pytest.param({"ran_s": 3.0}, Workers(), False, False, id="somebody"),
        pytest.param({}, Workers(), True, False, id="a-threshold"),
        pytest.param({"n_images_asked": 1000}, Workers(), False, False, id="its-images"),
        pytest.param({"n_levels_left": 1}, Workers(), False, False, id="in-a-level"),
    ],
)
def test_a_run_that_something_else_ended_was_not_too_short_for_its_ramp(
    course, workers, is_ended_by_a_threshold, is_of_the_ramp
):
    past = PastRun({"threshold": "p50 < 1s abort"})
    past.fire(0, SECOND, 2 * MS)
    result = result_of(past.end())
    result = dataclasses.replace(
        result,
        users=Users(4, 500, NEVER_ALL),
        workers=workers,
        aborted=Aborted(result.thresholds[0], 5.0) if is_ended_by_a_threshold else None,
        course=dataclasses.replace(result.course, **{"ran_s": 4.0, "run_time_s": 4.0, **course}),
    )

    assert missing_users.are_of_the_ramp(result) is is_of_the_ramp
    assert bool(missing_users.breaches(result)) is is_of_the_ramp
