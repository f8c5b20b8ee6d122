"""What a run was held to beside its thresholds: every reason is one of a rule, and rules that hold are named, too."""

import dataclasses

import pytest

from tests.support.page_runs import page_run
from tests.support.past_runs import PAST_RUNS
from tests.support.summaries import judge, passing, record_of, summarise, summary_of
from tfsload.analysis import exit_codes, validity
from tfsload.analysis.others import OtherFailures, Others
from tfsload.analysis.verdict import REPORTS_WRITTEN, Verdict


def broken(verdict):
    return {rule.name: rule.reasons for rule in verdict.rules if not rule.holds}


@pytest.mark.parametrize("kind", PAST_RUNS)
def test_each_reason_of_a_rule_is_one_of_the_verdict(kind):
    verdict = page_run(kind).judged
    told = [reason for reasons in broken(verdict).values() for reason in reasons]

    assert len({rule.name for rule in verdict.rules}) == len(verdict.rules)
    assert sorted(told) == sorted(set(told))
    assert set(told) <= set(verdict.sentences)
    if verdict.exit_code in (exit_codes.PASS, exit_codes.THRESHOLD):
        assert {rule.exit_code for rule in verdict.rules if not rule.holds} <= {exit_codes.THRESHOLD}
    if verdict.exit_code == exit_codes.FAILED:
        assert any(rule.exit_code == exit_codes.FAILED for rule in verdict.rules if not rule.holds)


WRONG = record_of([(1, 1), (2, 2)])


@pytest.mark.parametrize(
    ("result", "rule", "code"),
    [
        pytest.param(
            summarise(record_of([(1, 1)], ["UNAVAILABLE"])), validity.ANSWERED, exit_codes.FAILED, id="unanswered"
        ),
        pytest.param(summarise(WRONG, gave_up_after_s=30.0), validity.GOES_ON, exit_codes.FAILED, id="given-up"),
        pytest.param(
            summarise(WRONG, others=Others(("Other",), (OtherFailures("GET /", 1, 2, "404"),))),
            validity.OTHERS_SUCCEED,
            exit_codes.FAILED,
            id="others-fail",
        ),
        pytest.param(summarise(WRONG, user_errors=2), validity.USERS_RAISE_NOTHING, exit_codes.FAILED, id="raises"),
        pytest.param(
            summarise(WRONG, is_broken=True), validity.LISTENERS_RAISE_NOTHING, exit_codes.FAILED, id="a-listener"
        ),
        pytest.param(
            summarise(WRONG, n_workers=2, lost_workers=("w",)), validity.WORKERS_STAY, exit_codes.INVALID, id="lost"
        ),
        pytest.param(
            summarise(WRONG, unfit_workers={"w": "no data"}), validity.WORKERS_STAY, exit_codes.INVALID, id="unfit"
        ),
        pytest.param(summarise(record_of([])), validity.MEASURED, exit_codes.INVALID, id="nothing"),
        pytest.param(
            summarise(WRONG, n_images_asked=5), validity.ENDS_BY_ITSELF, exit_codes.INVALID, id="not-all-images"
        ),
        pytest.param(
            summarise(WRONG, ran_s=1.0, run_time_s=9.0), validity.ENDS_BY_ITSELF, exit_codes.INVALID, id="stopped"
        ),
        pytest.param(summarise(WRONG, changed="version 2"), validity.ONE_MODEL, exit_codes.INVALID, id="other-model"),
        pytest.param(
            summary_of([passing(), passing(n_dropped=3)]),
            "level 2 (120 requests/s) supports a verdict",
            exit_codes.INVALID,
            id="a-level",
        ),
    ],
)
def test_what_breaks_a_rule(result, rule, code):
    verdict = judge(result, user_errors=result.course.user_errors, is_broken=result.course.is_broken)

    assert verdict.exit_code == code
    assert list(broken(verdict)) == [rule]
    assert set(broken(verdict)[rule]) <= set(verdict.sentences)
    assert next(one for one in verdict.rules if one.name == rule).exit_code == code


def test_of_what_was_not_asked_for_nothing_is_said():
    plain = {rule.name for rule in judge(summarise(WRONG)).rules}
    verified = {rule.name for rule in judge(dataclasses.replace(summarise(WRONG, n_verified=2))).rules}

    assert validity.SAME_ANSWERS not in plain
    assert verified - plain == {validity.SAME_ANSWERS}
    assert validity.FINDS_A_RATE not in plain


def test_a_report_that_could_not_be_written_breaks_a_rule_of_its_own():
    verdict = Verdict(exit_codes.PASS).failed_by(("--csv x: it is full",))

    assert broken(verdict) == {REPORTS_WRITTEN: ("--csv x: it is full",)}
