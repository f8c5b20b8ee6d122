"""From records to figures, verdict and words."""

import dataclasses
import math
from collections import Counter

import pytest

from tests.support.level_rows import MS, closed_row, growing, open_row, samples
from tests.support.summaries import (
    failing,
    found,
    judge,
    parsed,
    passing,
    record_of,
    render,
    summarise,
    summary_of,
)
from tfsload.analysis import exit_codes
from tfsload.analysis.figures import latency, percent
from tfsload.analysis.held import hold
from tfsload.analysis.limit import Ending
from tfsload.analysis.totals import Uncounted
from tfsload.records.recorder import Record


def test_the_figures_of_a_run():
    summary = summarise(record_of([(0, 0), (0, 1), (1, 1), (1, 1)], ["UNAVAILABLE"]), n_images_asked=5)

    assert (
        summary.totals.requests,
        summary.totals.failed_requests,
        summary.totals.predictions,
        summary.totals.wrong,
    ) == (5, 1, 5, 1)
    assert summary.totals.failed == {"UNAVAILABLE": 1}
    assert summary.totals.error_rate == pytest.approx(2 / 5)
    assert summary.totals.duration_s == pytest.approx(4.002)
    assert summary.totals.requests_per_s == pytest.approx(4 / 4.002)  # what was refused is no throughput
    assert summary.is_complete
    assert [(row.label, row.images, row.right, row.wrong, row.taken_for) for row in summary.classes] == [
        (0, 2, 1, 1, (1, 1)),
        (1, 2, 2, 0, None),
    ]
    assert summary.classes[1].precision == pytest.approx(2 / 3)


def test_nothing_measured_gives_no_figures():
    summary = summarise(Record())

    assert (summary.totals.error_rate, summary.totals.requests_per_s, summary.totals.latency_ns) == (None, None, {})
    assert "Inference error rate: –" in render(summary, judge(summary), "mnist", "here:1")


@pytest.mark.parametrize(
    ("record", "more", "code", "reason"),
    [
        pytest.param(record_of([(1, 1)]), {}, exit_codes.PASS, None, id="all-right"),
        pytest.param(record_of([(1, 2)]), {}, exit_codes.PASS, None, id="wrong-answers-alone-pass"),
        pytest.param(record_of([(1, 1)], ["UNAVAILABLE"]), {}, exit_codes.FAILED, "UNAVAILABLE 1", id="failed"),
        pytest.param(record_of([]), {}, exit_codes.INVALID, "no request was made", id="nothing-fired"),
        pytest.param(
            record_of([(1, 1)]), {"n_images_asked": 2}, exit_codes.INVALID, "only 1 of 2 images", id="stopped-early"
        ),
        pytest.param(
            record_of([(1, 1)]),
            {"lost_workers": ("w1",), "n_workers": 3},
            exit_codes.INVALID,
            "1 of 3 workers was lost",
            id="lost-worker",
        ),
        pytest.param(
            record_of([(1, 1)]),
            {"n_images_asked": 1, "lost_workers": ("w1",)},
            exit_codes.PASS,
            None,
            id="lost-but-covered",
        ),
        pytest.param(
            record_of([(1, 1)]),
            {"unfit_workers": {"w2": "no such directory"}},
            exit_codes.INVALID,
            "worker w2 could not take part: no such directory",
            id="unfit-worker",
        ),
        pytest.param(
            record_of([(1, 1)]), {"n_unaccounted": 7}, exit_codes.INVALID, "7 requests that workers", id="lost-reports"
        ),
        pytest.param(
            record_of([(1, 1)], ["UNAVAILABLE"]),
            {"n_images_asked": 5},
            exit_codes.FAILED,
            "only 2 of 5",
            id="failed-and-incomplete-is-failed",
        ),
    ],
)
def test_verdicts(record, more, code, reason):
    verdict = judge(summarise(record, **more))

    assert verdict.exit_code == code
    assert bool(verdict.sentences) is (code != exit_codes.PASS)
    assert reason is None or any(reason in text for text in verdict.sentences)


def test_a_server_that_rejects_for_want_of_threads_is_explained():
    verdict = judge(summarise(record_of([(1, 1)], ["RESOURCE_EXHAUSTED"])))

    assert any("--grpc_max_threads" in reason for reason in verdict.sentences)


def test_exceptions_in_user_code_fail_the_run():
    verdict = judge(summarise(record_of([(1, 1)])), user_errors=2)

    assert verdict.exit_code == exit_codes.FAILED
    assert "2 exceptions" in verdict.sentences[0]


def test_an_exception_that_escaped_fails_the_run():
    assert judge(summarise(record_of([(1, 1)])), is_broken=True).exit_code == exit_codes.FAILED


@pytest.mark.parametrize(
    ("n_images_asked", "n_discarded", "line"),
    [
        pytest.param(2, 0, "2 of 2 images, each exactly once", id="complete"),
        pytest.param(5, 0, "2 of 5 images", id="incomplete"),
        pytest.param(2, 3, "each exactly once (3 requests of workers that left are not counted)", id="made-again"),
    ],
)
def test_coverage_says_no_more_than_is_true(n_images_asked, n_discarded, line):
    summary = summarise(record_of([(1, 1), (2, 2)]), n_images_asked=n_images_asked, n_discarded=n_discarded)
    text = render(summary, judge(summary), "m", "h:1")

    assert line in text
    assert ("exactly once" in text) is (n_images_asked == 2)


def test_the_terminal_summary_ends_with_the_error_rate():
    record = record_of([(0, 0)] * 97 + [(3, 5), (3, 3)], ["DEADLINE_EXCEEDED"])
    summary = summarise(record, n_images_asked=100, n_workers=2)
    text = render(summary, judge(summary), "mnist, version 1,", "127.0.0.1:8500")

    lines = text.strip().splitlines()
    assert lines[-1] == "Inference error rate: 2.00%"
    assert "Model mnist, version 1, at 127.0.0.1:8500" in lines
    assert any(line.startswith("  wrong") and "1.00% (1)" in line for line in lines)
    assert any(line.startswith("  failed") and "DEADLINE_EXCEEDED 1" in line for line in lines)
    assert any(line.split() == ["3", "2", "1", "1", "50.00%", "100%", "5", "(1×)"] for line in lines)
    assert any("100 of 100 images, each exactly once" in line for line in lines)


def test_requests_cut_off_by_the_end_are_said():
    record = record_of([(1, 1)])
    record.cut_off = 3
    summary = summarise(record)

    assert "3 more were in flight" in render(summary, judge(summary), "m", "h:1")


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        pytest.param(0, "0 ms", id="none"),
        pytest.param(4_234, "0.00423 ms", id="some-microseconds"),
        pytest.param(95_400, "0.0954 ms", id="below-a-tenth"),
        pytest.param(310_000, "0.310 ms", id="below-a-millisecond"),
        pytest.param(1_234_000, "1.23 ms", id="below-ten"),
        pytest.param(9_996_000, "10.0 ms", id="rounded-up-to-ten"),
        pytest.param(12_345_000, "12.3 ms", id="below-a-hundred"),
        pytest.param(999_600_000, "1,000 ms", id="rounded-up-to-a-second"),
        pytest.param(12_345_000_000, "12,345 ms", id="seconds"),
        pytest.param(math.inf, "∞ ms", id="endless"),
    ],
)
def test_latencies(nanoseconds, text):
    assert latency(nanoseconds) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        pytest.param(0.021, "2.10%", id="two-decimals-always"),
        pytest.param(0.0, "0%", id="zero"),
        pytest.param(1.0, "100%", id="all"),
        pytest.param(0.12345, "12.35%", id="rounded"),
        pytest.param(0.00004, "0.004%", id="next-to-none"),
        pytest.param(1e-9, "0.0000001%", id="one-of-a-thousand-million"),
        pytest.param(0.99996, "99.996%", id="nearly-all"),
        pytest.param(0.00006, "0.01%", id="rounded-up-from-next-to-none"),
        pytest.param(None, "–", id="none"),
    ],
)
def test_percentages(fraction, text):
    assert percent(fraction) == text


# Thresholds, levels and searches in the verdict


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        pytest.param("error_rate < 50%; max < 1s", exit_codes.PASS, None, id="all-hold"),
        pytest.param("", exit_codes.PASS, None, id="none"),
        pytest.param("max < 1ms", exit_codes.THRESHOLD, "max < 1 ms was crossed: 2.00 ms", id="a-latency"),
        pytest.param("wrong_rate <= 10%", exit_codes.THRESHOLD, "wrong_rate <= 10% was crossed: 25.00%", id="a-share"),
        pytest.param("rate > 100", exit_codes.THRESHOLD, "rate > 100/s was crossed: 1.33/s", id="a-rate"),
        pytest.param(
            "p99 < 1s",
            exit_codes.INVALID,
            "p99 < 1 s cannot be judged: 4 samples do not carry it, 662 would; let it last about 166 times as long",
            id="not-known",
        ),
        pytest.param("p99 < 1s; max < 1ms", exit_codes.INVALID, "max < 1 ms was crossed", id="not-known-and-crossed"),
    ],
)
def test_thresholds_of_a_run_without_levels(text, code, reason):
    verdict = judge(summarise(record_of([(1, 1), (1, 1), (2, 2), (2, 3)]), thresholds=parsed(text)))

    assert verdict.exit_code == code
    assert bool(verdict.sentences) is (code != exit_codes.PASS)
    assert reason is None or any(reason in text for text in verdict.sentences)


@pytest.mark.parametrize(
    ("rows", "more", "code", "reasons"),
    [
        pytest.param([closed_row()], {"thresholds": "p99 < 50ms"}, exit_codes.PASS, [], id="all-hold"),
        pytest.param(
            [closed_row(), closed_row(samples(latency_ns=9 * MS), users=2)],
            {"thresholds": "p50 < 5ms"},
            exit_codes.THRESHOLD,
            ["p50 < 5 ms was crossed at 2 users: up to 9.0"],
            id="crossed-at-one-level",
        ),
        pytest.param(
            [closed_row(samples(n=500))],
            {"thresholds": "p99 < 50ms"},
            exit_codes.INVALID,
            ["p99 < 50 ms at 1 user cannot be judged: 500 samples do not carry it, 662 would"],
            id="not-known-at-one-level",
        ),
        pytest.param(
            [closed_row(busy_share=1.0)],
            {"thresholds": "p99 < 500us"},
            exit_codes.INVALID,
            ["1 user: the load generator was the bottleneck", "p99 < 500 µs was crossed at 1 user"],
            id="doubts-come-before-a-crossed-threshold",
        ),
        pytest.param(
            [closed_row([*samples(), *samples(n=10, is_failed=True)])],
            {"thresholds": "p99 < 500us"},
            exit_codes.FAILED,
            [
                "10 of 1,210 requests had no answer (images by code: DEADLINE_EXCEEDED 10)",
                "DEADLINE_EXCEEDED: the server took longer to answer than --deadline allows; see whether it still runs",
                "p99 < 500 µs was crossed at 1 user: too many requests had no answer, or were dropped",
            ],
            id="failures-come-before-all",
        ),
        pytest.param(
            [closed_row()],
            {"n_levels_left": 2},
            exit_codes.INVALID,
            ["the run was stopped with 2 levels to go; let it end by itself"],
            id="stopped-early",
        ),
        pytest.param(
            [closed_row()],
            {"changed": "version 1 answered before, 2 after"},
            exit_codes.INVALID,
            ["the server's model changed during the run: version 1 answered before, 2 after"],
            id="a-model-that-changed",
        ),
        pytest.param(
            [closed_row(n_workers=2, missing_workers=("w1",))],
            {"lost_workers": ("w1",), "n_workers": 2},
            exit_codes.INVALID,
            ["1 of 2 workers was lost", "1 user: 1 of 2 workers did not report it"],
            id="a-lost-worker",
        ),
        pytest.param(
            [open_row(samples(n_mismatched=0), rate_rps=120.0)],
            {"thresholds": "dropped_rate < 1%; lag_p99 < 1ms; mismatched_rate <= 0.1%"},
            exit_codes.PASS,
            [],
            id="open-load-holds",
        ),
        pytest.param(
            [open_row(rate_rps=240.0, n_dropped=1200)],
            {"thresholds": "p99 < 50ms"},
            exit_codes.THRESHOLD,
            ["p99 < 50 ms was crossed at 240 requests/s: too many requests had no answer, or were dropped"],
            id="what-was-dropped-was-not-fast",
        ),
        pytest.param(
            [open_row(samples(), rate_rps=120.0)],
            {"thresholds": "mismatched_rate < 1%"},
            exit_codes.INVALID,
            ["mismatched_rate < 1% at 120 requests/s cannot be judged: nothing was measured that it is about"],
            id="nothing-was-compared",
        ),
        pytest.param(
            [open_row(rate_rps=120.0, n_dropped=300)],
            {"thresholds": "dropped_rate < 1%"},
            exit_codes.THRESHOLD,
            ["dropped_rate < 1% was crossed at 120 requests/s: 20.00%"],
            id="drops-cross",
        ),
    ],
)
def test_verdicts_of_levels(rows, more, code, reasons):
    summary = summary_of(rows, **{**more, "thresholds": parsed(more.get("thresholds", ""))})
    verdict = judge(summary)

    assert verdict.exit_code == code
    assert_doubts_have_a_reason(summary, verdict)
    assert len(verdict.sentences) == len(reasons)
    for told, reason in zip(verdict.sentences, reasons, strict=True):
        assert told.startswith(reason)


def assert_doubts_have_a_reason(summary, verdict):
    """A level is marked where a reason names it as one that supports no verdict, and only there."""
    doubts = [reason for reason in verdict.sentences if "no request had an answer" not in reason]  # that is a failure
    numbers = {row.name: row.number for row in summary.levels}  # of a rate that was held twice: the last one

    named = {numbers[name] for name in numbers for doubt in doubts if doubt.startswith(f"{name}: ")}
    assert set(verdict.doubted_levels) == named


def test_a_run_with_levels_is_told_by_its_levels():
    summary = summary_of([closed_row(), closed_row(samples(latency_ns=8 * MS), users=2)], thresholds=parsed("max < 1s"))

    assert [(held.where, held.holds) for held in summary.thresholds] == [("1 user", True), ("2 users", True)]
    assert summary.scaling.answer.kind == "no"
    assert (summary.search, summary.totals.requests) == (None, 2400)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        pytest.param([], None, id="no-levels"),
        pytest.param([open_row()], None, id="open-load"),
        pytest.param([closed_row()], "cannot tell", id="one-level"),
        pytest.param([closed_row(busy_share=1.0), closed_row(users=2)], "cannot tell", id="a-level-in-doubt"),
        pytest.param([closed_row(samples(is_failed=True))], "cannot tell", id="no-answer-at-all"),
        pytest.param([closed_row(), closed_row(users=2), closed_row(users=4)], "no", id="a-sweep"),
    ],
)
def test_whether_a_server_works_in_parallel_is_asked_of_a_sweep(rows, kind):
    scaling = summary_of(rows).scaling

    assert (scaling and scaling.answer.kind) == kind


def gone():
    """A probe that met no server."""
    row = open_row(samples(n=200, is_failed=True), rate_rps=125.0)
    row.record.failed = Counter(UNAVAILABLE=200)
    return row


@pytest.mark.parametrize(
    ("rows", "search", "more", "code", "reasons"),
    [
        pytest.param([passing(), failing(), passing()], found(), {}, exit_codes.PASS, [], id="found"),
        pytest.param(
            [failing()],
            found(Ending.NONE_HOLDS, None, 125.0, None),
            {},
            exit_codes.THRESHOLD,
            ["Even 60 requests/s, the lowest rate asked for, crossed p99 < 5 ms; lower LOW"],
            id="none-holds",
        ),
        pytest.param([passing()], found(Ending.ALL_HOLD, 120.0, None), {}, exit_codes.PASS, [], id="all-hold"),
        pytest.param(
            [passing(), failing()],
            found(Ending.STOPPED, None),
            {"n_levels_left": 4},
            exit_codes.INVALID,
            ["Stopped after 3 of at most 12 probes", "the run was stopped with 4 levels to go"],
            id="stopped-early",
        ),
        pytest.param(
            [passing(busy_share=1.0), failing()],
            found(),
            {},
            exit_codes.INVALID,
            ["120 requests/s: the load generator was the bottleneck"],
            id="a-doubt-about-the-rate-that-holds",
        ),
        pytest.param(
            [open_row(growing(samples()), rate_rps=120.0), failing()],
            found(),
            {},
            exit_codes.INVALID,
            ["120 requests/s: unstable: mean latency went"],
            id="a-rate-that-holds-and-is-not-stable",
        ),
        pytest.param(
            [passing(), failing(busy_share=1.0)],
            found(),
            {},
            exit_codes.INVALID,
            ["125 requests/s: the load generator was the bottleneck"],
            id="the-generator-was-what-failed",
        ),
        pytest.param(
            [passing(), failing(), open_row(rate_rps=400.0, busy_share=1.0)],
            found(),
            {},
            exit_codes.PASS,
            [],
            id="a-doubt-about-a-rate-that-is-of-no-matter",
        ),
        pytest.param(
            [passing()],
            found(),
            {"lost_workers": ("w1",), "n_workers": 2},
            exit_codes.INVALID,
            ["1 of 2 workers was lost"],
            id="a-lost-worker",
        ),
        pytest.param(
            [passing(), gone()],
            found(),
            {},
            exit_codes.FAILED,
            ["125 requests/s: no request had an answer (images by code: UNAVAILABLE 200)"],
            id="a-server-that-is-gone-is-no-limit",
        ),
    ],
)
def test_verdicts_of_searches(rows, search, more, code, reasons):
    summary = summary_of(rows, search=search, thresholds=parsed("p99 < 5ms"), **more)
    verdict = judge(summary)

    assert verdict.exit_code == code
    assert_doubts_have_a_reason(summary, verdict)
    assert len(verdict.sentences) == len(reasons)
    for told, reason in zip(verdict.sentences, reasons, strict=True):
        assert told.startswith(reason)


def test_a_search_says_what_it_found_and_judges_no_threshold_by_its_probes():
    summary = summary_of([passing(), failing()], search=found(), thresholds=parsed("p99 < 5ms"))
    text = render(summary, judge(summary), "m", "h:1")

    assert summary.thresholds == ()
    assert summary.totals.failed_requests == 200
    assert "The highest rate that holds: 120 requests/s (the next one tried, 125, crossed p99 < 5 ms)." in text
    assert "PASS" in text


def test_exceptions_fail_a_search_all_the_same():
    assert judge(summary_of([passing()], search=found()), user_errors=1).exit_code == exit_codes.FAILED


def test_doubts_about_a_short_probe_are_settled_by_its_confirmation():
    short = open_row(samples(n=60), rate_rps=120.0)
    assert short.sample_doubts
    rows = [short, failing(), passing()]

    assert judge(summary_of(rows, search=found())).exit_code == exit_codes.PASS


def test_a_search_without_a_result_is_no_pass():
    search = found(Ending.OUT_OF_PROBES, None, 125.0, 100.0)

    assert judge(summary_of([passing(), failing()], search=search)).exit_code == exit_codes.INVALID


def test_a_lag_that_is_not_known_is_told_by_its_own_samples():
    row = open_row([*samples(n=100), *samples(n=60, is_failed=True)])
    (lag,) = parsed("lag_p99 < 1ms")

    assert hold(lag, "", row.record, None, 10.0).why_unknown.startswith("160 samples")


@pytest.mark.parametrize(
    ("n_verified", "mismatched", "line"),
    [
        pytest.param(0, 0, "", id="nothing-compared"),
        pytest.param(
            1000,
            0,
            "  mismatched 0% (0) of 600 answers to the first 1,000 images, which were compared",
            id="all-equal",
        ),
        pytest.param(1000, 3, "  mismatched 0.50% (3) of 600 answers", id="some-differ"),
    ],
)
def test_what_was_compared_is_told(n_verified, mismatched, line):
    compared = [dataclasses.replace(one, n_mismatched=int(n < mismatched)) for n, one in enumerate(samples(n=600))]
    made = [*samples(n=600), *(compared if n_verified else [])]
    summary = summary_of([closed_row(made)], n_verified=n_verified)
    text = render(summary, judge(summary), "m", "h:1")

    assert summary.totals.mismatched == mismatched
    assert line in text
    assert ("mismatched" in text) is bool(n_verified)


def test_requests_that_all_fail_outside_the_levels_fail_the_run():
    verdict = judge(dataclasses.replace(summarise(Record()), uncounted=Uncounted(failed_requests=219)))

    assert verdict.exit_code == exit_codes.FAILED
    assert "219 requests had no answer" in verdict.sentences[0]
