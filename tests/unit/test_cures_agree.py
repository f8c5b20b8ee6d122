"""What reasons say is to be done, held against the run that is offered: it does that, and nothing else."""

import dataclasses
import re

import pytest

from tests.support.cured_runs import BUSY, CURED, DRIFTS, OUTSIDE, TOO_EARLY, judged, plain, sweep, undecided
from tests.support.page_runs import PAGE_RUNS, closed_sweep, page_run
from tfsload.analysis import exit_codes
from tfsload.analysis.verdict import Reason
from tfsload.report import next_run as following
from tfsload.report.next_run import next_run
from tfsload.report.page.first_screen import first_screen
from tfsload.report.page.page import render

# By what a cure says: options of which one is to be another, where any of them is offered at all.
SAID = {
    r"longer --warm-up": {"warm_up"},
    r"longer --level-duration|--level-duration longer|hold the levels? longer": {"level_duration"},
    r"\blast (about|longer)": {"run_time", "level_duration"},
    r"heavier requests": {"images_per_request"},
    r"pass a higher -u": {"num_users"},
    r"\(-r\)": {"spawn_rate"},
    r"go on with \d": {"find_max_rate"},
    r"--sweep \d": {"sweep"},
}
TIMES = re.compile(r"about (\d+) times as long")


def drifting_and_short():
    """A level that was measured too early, and a percentile that wants three times as long."""
    result = sweep(TOO_EARLY)
    (held,) = undecided(result, "p99.9 < 1s", "1 user", 1, cure="let it last about 3 times as long").thresholds
    return judged(result, thresholds=(held,))


def undecided_parallelism(*levels, limit, **options):
    return judged(closed_sweep(*levels, threshold=f"parallelism > {limit}", **options))


RUNS = {
    **{kind: make for kind, (make, *_) in {**CURED, **OUTSIDE}.items()},
    **{f"page-{kind}": (lambda kind=kind: page_run(kind)) for kind in PAGE_RUNS},
    "too-early-and-too-short": drifting_and_short,
    "busy-and-too-short": lambda: sweep(BUSY, DRIFTS),
    "busy-and-both": lambda: sweep(BUSY, TOO_EARLY, DRIFTS),
    "parallelism-between": lambda: undecided_parallelism((1,), (2,), (4,), limit=0.95),
    "a-percentile-of-a-short-run": lambda: undecided(
        plain(totals={"requests": 300}), "p99 < 1s", cure="let it last about 3 times as long"
    ),
}


def asked_for(reasons):
    """Return the reasons whose cure is another option, each with those of which one will do."""
    found = [(one, [wanted for said, wanted in SAID.items() if re.search(said, one.cure)]) for one in reasons]
    return [(reason, set().union(*wanted)) for reason, wanted in found if wanted]


@pytest.mark.heavy
@pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)
def test_what_is_offered_does_what_the_reasons_say(make):
    result = make()
    result = judged(result) if result.judged.exit_code == exit_codes.INVALID else result
    if result.judged.exit_code != exit_codes.INVALID:
        return
    offered, reasons = next_run(result).changes, result.judged.reasons
    of_answer = following.changes_of_answer(result)
    wanted = asked_for(reasons)

    for reason, options in wanted if offered else ():
        assert options & offered.keys(), reason
        for times in map(float, TIMES.findall(reason.cure)):
            (name,) = options & offered.keys()
            before = float(result.asked.options[name])
            assert float(offered[name]) >= times * before, reason
    uncured = any(not reason.cure for reason in reasons)
    for name in offered.keys() - of_answer.keys():
        assert uncured or any(name in options for _, options in wanted), name


def test_a_longer_warm_up_and_levels_three_times_as_long_are_offered_together():
    assert next_run(drifting_and_short()).changes.items() >= {"warm_up": "12", "level_duration": "30"}.items()


def test_what_no_option_cures_stands_before_the_run_that_cures_the_rest():
    result = sweep(BUSY, DRIFTS)
    page = render(result)

    assert next_run(result).outside == BUSY.cure
    assert next_run(result).changes.items() >= {"level_duration": "20"}.items()
    # The verdict tells two cures: "that cure" would be either.
    assert not first_screen(result).is_outside_told
    assert re.search(r"First: use .+\. Then the next run, as a command \(", page)
    assert "First that cure" not in page
    assert "No other value" not in page


def test_a_cure_that_the_verdict_has_told_is_not_told_again():
    page = render(sweep(BUSY))

    assert "First that cure, then the same command: " in page
    assert page.partition("<!-- Here ends what is seen first. -->")[0].count("use ") == 1


def test_what_cures_a_run_that_was_stopped_is_said_once():
    whole = judged(page_run("sweep"), course={"n_levels_left": 2, "run_time_s": 60.0, "ran_s": 30.0})
    (held,) = undecided(whole, "p99[users=16] < 1s", "16 users", cure="let it end by itself").thresholds
    result = judged(whole, thresholds=(held, dataclasses.replace(held, where="32 users")))
    told = [
        *result.judged.sentences,
        "".join(piece.text for line in first_screen(result).verdict.lines for piece in line),
    ]

    assert len(result.judged.reasons) >= 3
    assert {reason.cure for reason in result.judged.reasons} == {"let it end by itself"}
    assert sum(sentence.count("let it end by itself") for sentence in told[:-1]) == 1
    assert told[-1].count("let it end by itself") == 1


def test_reasons_that_have_a_cure_between_them_say_it_once():
    first, other, last = Reason("a", "x"), Reason("b", "y"), Reason("c", "x")
    verdict = dataclasses.replace(page_run("sweep").judged, reasons=(first, other, last))

    assert verdict.sentences == ("a; x", "b; y", "c")
