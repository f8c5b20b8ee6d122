"""The verdict in sentences: levels that have the same to say, where failures began, and what was never measured."""

import dataclasses

import pytest

from tests.support.golden import result_of
from tests.support.page_runs import closed_sweep, page_run
from tests.support.past_runs import PastRun
from tfsload.analysis import exit_codes
from tfsload.analysis.judge import judge
from tfsload.analysis.option_limits import MAX_USERS
from tfsload.analysis.verdict import Reason, Verdict
from tfsload.report.page.checks import doubts
from tfsload.report.page.first_screen import first_screen


def lines_of(result):
    """Return the lead and the lines behind it."""
    verdict = first_screen(result).verdict
    return ["".join(piece.text for piece in line) for line in (verdict.lead, *verdict.lines)]


BEGINNINGS = {
    "in-order": ([(1,), (2,), (4, 0.2)], "Requests began to fail at 4 users: 20.27% failed there, none below."),
    "the-other-way": ([(8, 0.2), (1,)], "Requests began to fail at 8 users: 20.80% failed there, none below."),
    "twice": ([(1,), (8, 0.2), (2, 0.1)], "Requests began to fail at 2 users: 11.15% failed there, none below."),
    "at-the-lowest": ([(2, 0.1), (1, 0.1)], ""),
    "at-each-but-a-higher-one": ([(1, 0.1), (2,)], ""),
    "at-one-of-two-alike": (
        [(2,), (1,), (2, 0.1)],
        "Requests began to fail at 2 users: 5.57% failed there, none below.",
    ),
}


@pytest.mark.parametrize(("levels", "said"), BEGINNINGS.values(), ids=BEGINNINGS)
def test_where_requests_began_to_fail_goes_by_load(levels, said):
    found = [line for line in lines_of(closed_sweep(*levels)) if "began to fail" in line]

    assert found == ([said] if said else [])


def judged_for(result, *reasons):
    return dataclasses.replace(result, verdict=Verdict(exit_codes.INVALID, tuple(Reason(*one) for one in reasons)))


UNSTABLE, BUSY = "use a longer --warm-up", "use a machine of its own"
HEAD = "The run supports no verdict: "
GROUPS = {
    "figures-of-their-own": (
        [("1 user: went 120% → 98% → 82%", UNSTABLE), ("2 users: went 84% → 98% → 118%", UNSTABLE)],
        [
            f"{HEAD}1 user: went 120% → 98% → 82%.",
            f"Cure: {UNSTABLE}.",
            "Likewise, with figures of their own: 2 users.",
        ],
    ),
    "equal": (
        [("1 user: it drifted", UNSTABLE), ("2 users: it drifted", UNSTABLE)],
        [f"{HEAD}1 user and 2 users: it drifted.", f"Cure: {UNSTABLE}."],
    ),
    "the-worst-of-all": (
        [
            (f"{users}: off its CPU for {n}% of the time", BUSY)
            for users, n in (("1 user", 4), ("2 users", 26), ("4 users", 9))
        ],
        [f"{HEAD}all 3 levels, of these the most at 2 users: off its CPU for 26% of the time.", f"Cure: {BUSY}."],
    ),
    "the-worst-of-all-beside-its-limit": (
        [
            (f"{users}: off its CPU for {n}% of the time (limit 5%), {n}.0 ms each (limit 1.00 ms)", BUSY)
            for users, n in (("1 user", 7), ("2 users", 26), ("4 users", 9))
        ],
        [
            f"{HEAD}all 3 levels, of these the most at 2 users: off its CPU for 26% of the time (limit 5%), "
            "26.0 ms each (limit 1.00 ms).",
            f"Cure: {BUSY}.",
        ],
    ),
    "another-finding-with-the-same-cure": (
        [("1 user: throughput drifted", UNSTABLE), ("2 users: latency drifted", UNSTABLE)],
        [f"{HEAD}1 user: throughput drifted.", f"Cure: {UNSTABLE}.", "2 users: latency drifted."],
    ),
    "of-the-run-first": (
        [
            ("a worker was lost", "run again"),
            ("1 user: it drifted", UNSTABLE),
            ("2 users: it drifted", UNSTABLE),
            ("4 users: it drifted", UNSTABLE),
        ],
        [f"{HEAD}a worker was lost.", "Cure: run again.", "All 3 levels: it drifted.", f"Cure: {UNSTABLE}."],
    ),
}


@pytest.mark.parametrize(("reasons", "said"), GROUPS.values(), ids=GROUPS)
def test_levels_are_told_together_and_no_figure_of_one_as_that_of_another(reasons, said):
    assert lines_of(judged_for(closed_sweep((1,), (2,), (4,)), *reasons)) == said


def test_an_abort_counts_the_levels_where_a_threshold_was_judged():
    lines = lines_of(page_run("aborted"))

    assert lines[0].startswith(
        "p50 < 3 ms was crossed at all 3 levels where it was measured, most at 4 users: up to 16.0 ms"
    )
    assert "The other one holds where it was measured: p99 < 1 s." in lines


GROWS = "throughput was still growing at 4 users: sweep further, it may come to more"


def test_what_may_yet_hold_a_crossed_threshold_is_said():
    past = PastRun({"sweep": "1,2,4", "threshold": "parallelism > 3.5; p99 < 1s"})
    for number, (users, latency_ms) in enumerate(((1, 8.0), (2, 8.5), (4, 13.0)), 1):
        past.close_level(number, users, latency_ms)
    result = result_of(past.end())
    lines = lines_of(result)

    assert lines[0].startswith("parallelism > 3.5 was crossed: ")
    assert lines[1] == f"Cure: {GROWS}."
    assert any(GROWS in "".join(piece.text for piece in doubt.what) for doubt in doubts(result))


def test_of_a_sweep_over_as_many_users_as_there_may_be_nothing_is_said_that_no_sweep_does():
    past = PastRun({"sweep": "1,2,4", "threshold": "parallelism > 3.5"})
    for number, (users, latency_ms) in enumerate(((1, 8.0), (2, 8.5), (4, 13.0)), 1):
        past.close_level(number, users, latency_ms)
    result = result_of(past.end())
    most = dataclasses.replace(result.scaling.levels[-1], users=MAX_USERS)
    scaling = dataclasses.replace(result.scaling, levels=(*result.scaling.levels[:-1], most))

    cures = [[one.cure for one in judge(run).reasons] for run in (result, dataclasses.replace(result, scaling=scaling))]

    assert cures == [[GROWS], [""]]


def test_so_is_it_beside_a_failure():
    levels = dataclasses.replace(
        closed_sweep((1,), (2,), threshold="p99 < 1ms"),
        verdict=Verdict(exit_codes.FAILED, (Reason("it failed"), Reason("p99 < 1 ms was crossed: 9 ms", "do less"))),
    )

    assert [line.partition(" was crossed")[0] for line in lines_of(levels)] == [
        "It failed.",
        "Besides, p99 < 1 ms",
        "Cure: do less.",
    ]


PASSES = {
    "p99 < 1s; error_rate < 5%": [
        "Both thresholds hold. The tightest: error_rate < 5%, at worst 2.13% at 1 user, 57% below the bound.",
        "The other one: p99 < 1 s.",
    ],
    "p99 < 1s; error_rate < 5%; p50 < 500ms": [
        "All 3 thresholds hold. The tightest: error_rate < 5%, at worst 2.13% at 1 user, 57% below the bound.",
        "The others: p99 < 1 s, p50 < 500 ms.",
    ],
}


@pytest.mark.parametrize(("threshold", "said"), PASSES.items())
def test_a_pass_names_its_thresholds(threshold, said):
    assert lines_of(closed_sweep((1,), (2,), threshold=threshold))[:2] == said


def run_with(exit_code, n_crossed):
    """Return a run with this exit code of which the first so many of its nine thresholds were crossed."""
    result = page_run("unanswered")
    others = () if exit_code == exit_codes.THRESHOLD else (Reason("a worker was lost"),)
    verdict = Verdict(exit_code, others)
    return dataclasses.replace(result, thresholds=result.thresholds[:n_crossed], verdict=verdict)


@pytest.mark.parametrize(
    ("exit_code", "n_crossed", "head", "listed"),
    [
        pytest.param(exit_codes.THRESHOLD, 1, "p99 < 20 ms was crossed", 0, id="one"),
        pytest.param(exit_codes.THRESHOLD, 2, "2 thresholds were crossed: p99 < 20 ms, p90 < 20 ms.", 2, id="two"),
        pytest.param(exit_codes.THRESHOLD, 9, "9 thresholds were crossed: p99 < 20 ms, p90 < 20 ms, ", 9, id="many"),
        pytest.param(exit_codes.INVALID, 2, "Besides, p99 < 20 ms was crossed", 0, id="two-besides"),
        pytest.param(exit_codes.INVALID, 9, "Besides, 9 thresholds were crossed: p99 < 20 ms, ", 9, id="many-besides"),
        pytest.param(
            exit_codes.FAILED, 3, "Besides, 3 thresholds were crossed: p99 < 20 ms, ", 3, id="of-a-failed-run"
        ),
    ],
)
def test_all_that_were_crossed_are_counted_and_named(exit_code, n_crossed, head, listed):
    result = run_with(exit_code, n_crossed)
    lines = lines_of(result)

    assert any(line.startswith(head) for line in lines)
    for held in result.thresholds:
        assert held.threshold.subject in " ".join(lines)
    assert max(line.count(", ") + 1 if "crossed" in line.lower() and ": " in line else 0 for line in lines) >= listed


@pytest.mark.parametrize(
    ("n_reasons", "n_lines", "n_more"),
    [
        pytest.param(2, 3, 0, id="all-of-it"),
        pytest.param(3, 5, 0, id="no-line-stands-for-a-single-one"),
        pytest.param(4, 5, 2, id="a-reason-is-told-with-its-cure"),
    ],
)
def test_no_reason_is_cut_from_its_cure(n_reasons, n_lines, n_more):
    reasons = tuple(Reason(f"what is wrong {'x' * n}", f"do {'y' * n}") for n in range(1, n_reasons + 1))
    result = page_run("demo")
    verdict = dataclasses.replace(result.judged, exit_code=exit_codes.INVALID, reasons=reasons, notes=())
    seen = first_screen(dataclasses.replace(result, verdict=verdict)).verdict
    said = ["".join(piece.text for piece in line) for line in (seen.lead, *seen.lines)]

    assert (len(seen.lines), seen.n_more) == (n_lines, n_more)
    assert ["Cure: " in line for line in said] == [False, True] * (len(said) // 2)
