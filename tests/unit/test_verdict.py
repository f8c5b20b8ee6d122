"""What decides a run's exit code, and what the last lines say of it: from records to words."""

import dataclasses

import pytest

from tests.support.level_rows import closed_row, open_row, samples
from tests.support.summaries import failing, found, judge, parsed, passing, record_of, render, summarise, summary_of
from tfsload.analysis import exit_codes
from tfsload.analysis.figures import percent
from tfsload.analysis.judged import in_short
from tfsload.records.mismatch import Mismatch
from tfsload.records.record import Record
from tfsload.report import terminal


def last_lines(summary, verdict):
    """Return what is printed below the tables, a line each."""
    return render(summary, verdict, "m", "h:1").split("\n\n")[-1].splitlines()


# Requests without an answer, and thresholds that say how many may be

RIGHT = [(1, 1)] * 999
ONE_FAILED = record_of(RIGHT, ["UNAVAILABLE"])
ALL_FAILED = record_of([], ["UNAVAILABLE"] * 20)


@pytest.mark.parametrize(
    ("record", "limits", "code", "reason"),
    [
        pytest.param(ONE_FAILED, "failed_rate < 1%", exit_codes.PASS, None, id="within-failed-rate"),
        pytest.param(ONE_FAILED, "error_rate < 1%", exit_codes.PASS, None, id="within-error-rate"),
        pytest.param(ONE_FAILED, "failed_rate <= 0.1%", exit_codes.PASS, None, id="just-within"),
        pytest.param(ONE_FAILED, "failed_rate < 0.1%", exit_codes.THRESHOLD, "crossed: 0.10%", id="just-crossed"),
        pytest.param(ONE_FAILED, "error_rate < 0.05%", exit_codes.THRESHOLD, "error_rate", id="error-rate-crossed"),
        pytest.param(ONE_FAILED, "failed_rate > 0.01%", exit_codes.PASS, None, id="failures-that-are-wanted"),
        pytest.param(
            ONE_FAILED, "failed_rate < 1%; error_rate < 0.05%", exit_codes.THRESHOLD, "error_rate", id="both-named"
        ),
        pytest.param(
            ONE_FAILED, "failed_rate < 1%; rate > 9", exit_codes.THRESHOLD, "rate > 9", id="another-is-crossed"
        ),
        pytest.param(ONE_FAILED, "wrong_rate < 1%", exit_codes.FAILED, "1 of 1,000", id="wrong-rate-is-no-judge"),
        pytest.param(ONE_FAILED, "rate > 0.1", exit_codes.FAILED, "1 of 1,000", id="nor-is-a-rate"),
        pytest.param(ONE_FAILED, "", exit_codes.FAILED, "1 of 1,000", id="no-threshold"),
        pytest.param(
            ALL_FAILED, "failed_rate < 1%", exit_codes.THRESHOLD, "crossed: 100%", id="no-answer-at-all-crosses"
        ),
        pytest.param(
            ALL_FAILED, "failed_rate > 50%", exit_codes.FAILED, "20 of 20", id="no-answer-at-all-is-never-a-pass"
        ),
        pytest.param(Record(), "failed_rate < 1%", exit_codes.INVALID, "no request was made", id="no-request-at-all"),
    ],
)
def test_a_threshold_on_failures_judges_them(record, limits, code, reason):
    summary = summarise(record, thresholds=parsed(limits))
    verdict = judge(summary)

    assert verdict.exit_code == code
    assert bool(verdict.sentences) is (code != exit_codes.PASS)
    assert reason is None or reason in verdict.sentences[0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        pytest.param({"user_errors": 1}, "1 exception in user code; see", id="exceptions-of-users"),
        pytest.param({"is_broken": True}, "an exception escaped", id="exceptions-elsewhere"),
    ],
)
def test_a_threshold_on_failures_does_not_excuse_exceptions(more, words):
    verdict = judge(summarise(ONE_FAILED, thresholds=parsed("failed_rate < 1%")), **more)

    assert verdict.exit_code == exit_codes.FAILED
    assert verdict.sentences[0].startswith(words)


@pytest.mark.parametrize(
    ("failed", "limits", "code"),
    [
        pytest.param({2: 1}, "failed_rate < 1%", exit_codes.PASS, id="within-at-each-level"),
        pytest.param({2: 100}, "failed_rate < 1%", exit_codes.THRESHOLD, id="crossed-at-one-level"),
        pytest.param({1: 1200, 2: 1200}, "failed_rate < 1%", exit_codes.THRESHOLD, id="the-untold-comes-after"),
        pytest.param({1: 1200, 2: 1200}, "failed_rate > 1%", exit_codes.FAILED, id="no-answer-at-all"),
        pytest.param({2: 1}, "p50 < 1s", exit_codes.FAILED, id="another-threshold"),
        pytest.param({2: 1}, "failed_rate[users=2] < 1%", exit_codes.PASS, id="that-level-alone"),
        pytest.param({2: 1}, "failed_rate[users=1] < 1%", exit_codes.FAILED, id="another-level-alone"),
        pytest.param({1: 1, 2: 1}, "failed_rate[users=1] < 1%", exit_codes.FAILED, id="one-of-two-levels"),
        pytest.param(
            {1: 1, 2: 1}, "failed_rate[users=1] < 1%; error_rate[users=2] < 1%", exit_codes.PASS, id="either-level"
        ),
    ],
)
def test_failures_are_judged_level_by_level(failed, limits, code):
    def row(users):
        n_failed = failed.get(users, 0)
        made = [dataclasses.replace(one, is_failed=number < n_failed) for number, one in enumerate(samples(n=1200))]
        return closed_row(made, users=users)

    verdict = judge(summary_of([row(1), row(2)], thresholds=parsed(limits)))

    assert verdict.exit_code == code, verdict


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        pytest.param("failed_rate < 1%", exit_codes.PASS, id="allowed"),
        pytest.param("failed_rate < 0.01%", exit_codes.THRESHOLD, id="crossed"),
        pytest.param("", exit_codes.FAILED, id="failed"),
    ],
)
def test_what_to_do_about_failures_is_said_whatever_judges_them(limits, code):
    summary = summarise(record_of(RIGHT, ["RESOURCE_EXHAUSTED"]), thresholds=parsed(limits))
    verdict = judge(summary)

    assert verdict.exit_code == code
    assert any("--grpc_max_threads" in line for line in last_lines(summary, verdict))


# A run that was to last for a time

ANSWERED = record_of([(1, 1)])


def cut_off(n_requests):
    record = record_of([(1, 1)])
    record.cut_off = n_requests
    return record


@pytest.mark.parametrize(
    ("more", "code", "reasons"),
    [
        pytest.param({"ran_s": 1.13, "run_time_s": 20}, exit_codes.INVALID, ["stopped after 1.1 s of 20;"], id="early"),
        pytest.param(
            {"ran_s": 3599.96, "run_time_s": 3600}, exit_codes.INVALID, ["stopped after 3,600.0 s of 3,600;"], id="late"
        ),
        pytest.param(
            {"ran_s": 3.1, "run_time_s": 20, "gave_up_after_s": 2}, exit_codes.FAILED, ["given up"], id="given-up"
        ),
        pytest.param({"ran_s": 20.0, "run_time_s": 20}, exit_codes.PASS, [], id="to-its-end"),
        pytest.param({"ran_s": 25.2, "run_time_s": 20}, exit_codes.PASS, [], id="longer"),
        pytest.param({"ran_s": 1.1}, exit_codes.PASS, [], id="without-an-end"),
        pytest.param(
            {"ran_s": 1.1, "run_time_s": 20, "n_images_asked": 1}, exit_codes.PASS, [], id="each-image-was-fired"
        ),
        pytest.param(
            {"ran_s": 1.1, "run_time_s": 20, "n_images_asked": 2},
            exit_codes.INVALID,
            ["only 1 of 2 images"],
            id="images-left",
        ),
        pytest.param(
            {"ran_s": 1.1, "run_time_s": 20, "lost_workers": ("w1",), "n_workers": 2},
            exit_codes.INVALID,
            ["1 of 2 workers was lost", "stopped after 1.1 s of 20"],
            id="early-and-a-worker-lost",
        ),
        pytest.param(
            {"ran_s": 1.1, "run_time_s": 20, "thresholds": parsed("max < 1ms")},
            exit_codes.INVALID,
            ["stopped after 1.1 s of 20", "max < 1 ms was crossed"],
            id="comes-before-a-crossed-threshold",
        ),
    ],
)
def test_a_run_that_was_to_last_longer_is_invalid(more, code, reasons):
    verdict = judge(summarise(ANSWERED, **more))

    assert verdict.exit_code == code
    assert len(verdict.sentences) == len(reasons)
    for told, reason in zip(verdict.sentences, reasons, strict=True):
        assert told.startswith(reason)


def test_a_run_stopped_before_its_first_request_says_just_that():
    (reason,) = judge(summarise(Record(), ran_s=0.2, run_time_s=20)).sentences

    assert reason.startswith("stopped after 0.2 s of 20")


# What a pass rests on, and what else the last lines say

UNSET = "no threshold was set; PASS means a valid run in which "


@pytest.mark.parametrize(
    ("record", "more", "lines"),
    [
        pytest.param(ANSWERED, {}, [f"{UNSET}every request was answered"], id="no-threshold"),
        pytest.param(
            ANSWERED,
            {"thresholds": parsed("max < 1s")},
            ["every request was answered"],
            id="one-threshold",
        ),
        pytest.param(
            ANSWERED,
            {"n_images_asked": 1},
            [f"{UNSET}every request was answered; every image was fired"],
            id="a-number-of-images",
        ),
        pytest.param(
            ONE_FAILED,
            {"thresholds": parsed("failed_rate < 1%")},
            [
                "1 of 1,000 requests had no answer, as judged by failed_rate < 1%",
                "  note: UNAVAILABLE: the server was not reached, or went away",
                "  cure: see whether it still runs, and its log",
            ],
            id="not-every-request-was-answered",
        ),
        pytest.param(
            record_of(RIGHT, ["DEADLINE_EXCEEDED"]),
            {"thresholds": parsed("failed_rate < 1%")},
            [
                "1 of 1,000 requests had no answer, as judged by failed_rate < 1%",
                "  note: DEADLINE_EXCEEDED: the server took longer to answer than --deadline allows",
                "  cure: see whether it still runs, and its log; send less at once, or allow it more time",
            ],
            id="one-was-answered-too-late",
        ),
        pytest.param(
            cut_off(3),
            {},
            [f"{UNSET}every request was answered (3 more were in flight when it stopped: not counted)"],
            id="in-flight-at-the-end",
        ),
        pytest.param(
            ANSWERED,
            {"uncounted": ONE_FAILED},
            [f"{UNSET}every request that counts was answered (1 of warm-ups and between levels was not)"],
            id="failed-uncounted",
        ),
    ],
)
def test_a_pass_says_what_was_judged(record, more, lines):
    summary = summarise(record, **more)

    assert last_lines(summary, judge(summary)) == [
        f"PASS (exit code 0): {lines[0]}",
        *lines[1:],
        error_rate_of(summary),
    ]


@pytest.mark.parametrize(
    ("record", "more", "said"),
    [
        pytest.param(ANSWERED, {}, "no threshold set: valid, all answered", id="no-threshold"),
        pytest.param(ANSWERED, {"uncounted": ONE_FAILED}, "no threshold set: valid", id="failed-uncounted"),
        pytest.param(ANSWERED, {"thresholds": parsed("max < 1s")}, "", id="a-threshold"),
        pytest.param(ANSWERED, {"search": found()}, "", id="a-search"),
        pytest.param(ONE_FAILED, {}, "", id="no-pass"),
    ],
)
def test_where_there_is_little_room_a_pass_without_thresholds_says_so_too(record, more, said):
    summary = summarise(record, **more)

    assert in_short(dataclasses.replace(summary, verdict=judge(summary))) == said


def error_rate_of(summary):
    return f"Inference error rate: {percent(summary.totals.error_rate)}"


def threshold_lines(summary):
    """Return what is printed of thresholds, a line each."""
    return [line for line in render(summary, judge(summary)).splitlines() if line[:2] in ("✓ ", "↑ ", "? ")]


def test_of_several_levels_a_threshold_is_shown_where_it_is_nearest_to_be_crossed():
    rows = [closed_row(), closed_row(samples(latency_ns=4_000_000), users=2), closed_row(users=4)]
    summary = summary_of(rows, thresholds=parsed("p50 < 8ms; error_rate < 1%"))

    assert threshold_lines(summary) == [
        "✓ p50 < 8 ms       up to 4.00 ms  50% below   at 2 users",
        "✓ error_rate < 1%  0%             100% below  at 1 user",
    ]


def test_a_pass_does_not_hide_what_was_dropped():
    rows = [open_row(samples(n=900), n_dropped=300, rate_rps=120.0, is_probe=False)]
    summary = summary_of(rows, thresholds=parsed("dropped_rate < 30%"))

    assert last_lines(summary, judge(summary))[0].endswith(
        ": every request was answered; 300 of 1,200 arrivals were dropped"
    )


@pytest.mark.parametrize(
    ("record", "more", "code"),
    [
        pytest.param(ANSWERED, {}, exit_codes.PASS, id="pass"),
        pytest.param(ANSWERED, {"n_images_asked": 2}, exit_codes.INVALID, id="invalid"),
        pytest.param(ANSWERED, {"limits": "p99 < 1s"}, exit_codes.INVALID, id="another-is-not-known"),
        pytest.param(ANSWERED, {"limits": "error_rate > 1%"}, exit_codes.THRESHOLD, id="another-is-crossed"),
        pytest.param(
            ANSWERED, {"n_images_asked": 2, "limits": "max < 2ns"}, exit_codes.INVALID, id="invalid-and-crossed"
        ),
        pytest.param(ONE_FAILED, {}, exit_codes.FAILED, id="failed"),
    ],
)
def test_each_summary_says_which_thresholds_hold(record, more, code):
    more = dict(more)
    limits = parsed("rate > 0.1; " + more.pop("limits", ""))
    summary = summarise(record, thresholds=limits, **more)
    verdict = judge(summary)
    lines = last_lines(summary, verdict)

    assert verdict.exit_code == code
    assert [line.split("  ")[0] for line in threshold_lines(summary) if line[0] == "✓"] == ["✓ rate > 0.1/s"]
    assert lines[-1].startswith("Inference error rate: ")


def test_a_threshold_that_holds_at_one_level_alone_is_not_said_to_hold():
    rows = [closed_row(), closed_row(samples(latency_ns=9_000_000), users=2)]
    summary = summary_of(rows, thresholds=parsed("p50 < 5ms"), n_levels_left=1)
    verdict = judge(summary)

    assert verdict.exit_code == exit_codes.INVALID
    assert threshold_lines(summary) == ["↑ p50 < 5 ms  up to 9.00 ms  80% above  at 2 users"]


# Answers that are others under load than without

SWAPPED = Mismatch(17, 3, 4, 3, 0.8, 0.0125)


def compared(n, n_mismatched):
    record = record_of([(1, 1)] * n)
    record.compared, record.mismatched = n, n_mismatched
    record.mismatch = SWAPPED if n_mismatched else None
    return record


@pytest.mark.parametrize(
    ("example", "by"),
    [
        pytest.param(SWAPPED, " by more than 0.0001", id="scores"),
        pytest.param(Mismatch(17, 3, 4, -2, 3.0, 4.0), "", id="classes-alone"),
        pytest.param(Mismatch(17, -1, -1, 0, 0.5, 0.25), " by more than 0.0001", id="a-number"),
        pytest.param(Mismatch(17, -1, -1, 0, 100.0, 101.0, "", True), "", id="a-whole-number"),
        pytest.param(Mismatch(17, -1, -1, -1, 3.0, 4.0), "", id="more-numbers"),
        pytest.param(Mismatch(17, -1, -1, -3, 3.0, 4.0, "", True), "", id="a-text"),
        pytest.param(Mismatch(17, -1, -1, -4, 3.0, 3.0), "", id="other-outputs"),
    ],
)
def test_answers_that_no_tolerance_applies_to_are_not_said_to_differ_by_more_than_one(example, by):
    record = compared(1029, 1)
    record.mismatch = example
    summary = summarise(record, n_verified=9, tolerance="0.0001")

    assert f"1 answer differs from the one without load{by} (for example image 17: " in judge(summary).sentences[0]


@pytest.mark.parametrize(
    ("record", "more", "code", "reason"),
    [
        pytest.param(compared(1029, 0), {}, exit_codes.PASS, None, id="none"),
        pytest.param(
            compared(1029, 1029),
            {},
            exit_codes.FAILED,
            "1,029 answers differ from those without load by more than 0.0001 (for example image 17: class 3 without "
            "load, class 4 under it; the score of class 3 was 0.8 and became 0.0125); see whether",
            id="all",
        ),
        pytest.param(compared(1029, 1), {}, exit_codes.FAILED, "1 answer differs", id="one-is-a-fact"),
        pytest.param(
            compared(1000, 1), {"thresholds": "mismatched_rate < 1%"}, exit_codes.PASS, None, id="within-a-threshold"
        ),
        pytest.param(
            compared(1000, 10),
            {"thresholds": "mismatched_rate < 1%"},
            exit_codes.THRESHOLD,
            "mismatched_rate < 1% was crossed: 1.00%",
            id="a-threshold-is-crossed",
        ),
        pytest.param(
            compared(1000, 1), {"thresholds": "wrong_rate < 1%"}, exit_codes.FAILED, "1 answer", id="another-threshold"
        ),
        pytest.param(
            compared(1000, 0),
            {"uncounted": compared(50, 2)},
            exit_codes.FAILED,
            "2 answers differ from those without load by more than 0.0001, all of them in warm-ups or between levels (",
            id="in-warm-ups-alone",
        ),
        pytest.param(
            record_of([(1, 1)]),
            {},
            exit_codes.INVALID,
            "nothing was compared: none of the first 9 images",
            id="nothing",
        ),
        pytest.param(
            record_of([], ["UNAVAILABLE"]), {}, exit_codes.FAILED, "1 of 1 request had no answer", id="failed"
        ),
        pytest.param(
            record_of([], ["UNAVAILABLE", "UNJUDGED"]),
            {},
            exit_codes.FAILED,
            "2 of 2 requests had no usable answer",
            id="one-that-was-answered-and-not-judged",
        ),
        pytest.param(
            compared(1000, 1),
            {"n_images_asked": 2000},
            exit_codes.FAILED,
            "1 answer differs",
            id="comes-before-what-is-missing",
        ),
    ],
)
def test_mismatches_fail_a_run_unless_a_threshold_judges_them(record, more, code, reason):
    more = {**more, "thresholds": parsed(more.get("thresholds", ""))}
    summary = summarise(record, n_verified=9, tolerance="0.0001", **more)
    verdict = judge(summary)

    assert verdict.exit_code == code
    assert bool(verdict.sentences) is (code != exit_codes.PASS)
    assert reason is None or verdict.sentences[0].startswith(reason)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        pytest.param("p99 < 5ms", exit_codes.FAILED, id="unjudged"),
        pytest.param("p99 < 5ms; mismatched_rate < 1%", exit_codes.PASS, id="judged-by-each-probe"),
    ],
)
def test_mismatches_fail_a_search_unless_it_goes_by_them(limits, code):
    rows = [passing(), failing(), passing()]
    rows[0].record.compared, rows[0].record.mismatched, rows[0].record.mismatch = 1000, 1, SWAPPED
    summary = summary_of(rows, search=found(), thresholds=parsed(limits), n_verified=9, tolerance="0.0001")

    assert judge(summary).exit_code == code


def test_an_example_of_a_mismatch_is_shown_where_a_threshold_judges_it_too():
    summary = summarise(compared(1000, 1), n_verified=1000, thresholds=parsed("mismatched_rate < 1%"))
    text = render(summary, judge(summary), "m", "h:1")

    assert "  such as    image 17: class 3 without load, class 4 under it; the score of class 3 was 0.8" in text
    assert (
        ": every request was answered; 1,000 answers compared with those without load: 1 mismatched, as judged" in text
    )


# The lines of the verdict


def test_a_cure_of_several_reasons_is_said_once_below_the_last():
    rows = [closed_row(), closed_row(busy_share=1.0, users=2), closed_row(busy_share=1.0, users=4)]
    summary = summary_of(rows, n_levels_left=1)

    assert last_lines(summary, judge(summary)) == [
        "INVALID (exit code 4): 2 users: the load generator was the bottleneck: it kept a CPU busy 100% of the time "
        "(limit 90%)",
        "  also: 4 users: the load generator was the bottleneck: it kept a CPU busy 100% of the time (limit 90%)",
        "  cure: use --processes or more workers, and take work out of listeners",
        "  also: the run was stopped with 1 level to go",
        "  cure: let it end by itself",
        "Inference error rate: 0%",
    ]


@pytest.mark.parametrize(
    ("remark", "head"),
    [
        pytest.param("", "FAILED (exit code 1): 1 of 1,000 requests had no answer", id="its-own"),
        pytest.param(
            "exit code 5, by --exit-code-on-error 5",
            "FAILED (exit code 5, by --exit-code-on-error 5): 1 of 1,000 requests had no answer",
            id="another",
        ),
    ],
)
def test_the_verdict_names_the_exit_code(remark, head):
    summary = summarise(ONE_FAILED)

    assert render(summary, judge(summary), remark=remark).splitlines()[-4].startswith(head)


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        pytest.param("out/report.html", "out/report.html", id="plain"),
        pytest.param("x\ny/report.html", "$'x\\ny/report.html'", id="on-two-lines"),
    ],
)
def test_the_report_is_told_of_in_a_line_before_the_last(page, shown):
    summary = dataclasses.replace(summarise(ANSWERED), verdict=judge(summarise(ANSWERED)))

    assert terminal.render(summary, page=page).splitlines()[-2:] == [
        f"Report: {shown}",
        "Inference error rate: 0%",
    ]


def test_a_note_on_what_was_measured_too_shortly_can_be_understood_alone():
    (note,) = judge(dataclasses.replace(summarise(ANSWERED), judged_whole=("1 user",))).notes

    assert str(note) == (
        "less than 4 s were measured at 1 user, too little to tell whether one short stall decides a percentile or a "
        "mean: limits on these were held against all that was measured, a stall included"
    )
