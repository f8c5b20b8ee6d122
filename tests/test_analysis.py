"""From records to figures, verdict and words."""

import io

import pytest

from tfsload import exit_codes
from tfsload.analysis.summary import summarise
from tfsload.analysis.verdict import judge
from tfsload.failure import PredictionFailure
from tfsload.recorder import Record
from tfsload.report.progress import Progress, progress_line
from tfsload.report.terminal import render
from tfsload.report.units import duration, percent

SECOND = 10**9


def record_of(answers, failures=(), latency_ns=2_000_000):
    """Return a record of one-image requests, one a second: (label, predicted) pairs, then failures by code."""
    record = Record()
    done = 10**18
    for label, predicted in answers:
        done += SECOND
        record.add([label], [predicted], None, latency_ns, done)
    for code in failures:
        done += SECOND
        record.add([0], None, PredictionFailure(code, "gone"), latency_ns, done)
    return record


def test_the_figures_of_a_run():
    summary = summarise(record_of([(0, 0), (0, 1), (1, 1), (1, 1)], ["UNAVAILABLE"]), n_asked=5)

    assert (summary.requests, summary.failed_requests, summary.predictions, summary.wrong) == (5, 1, 5, 1)
    assert summary.failed == {"UNAVAILABLE": 1}
    assert summary.error_rate == pytest.approx(2 / 5)
    assert summary.duration_s == pytest.approx(4.002)
    assert summary.requests_per_s == pytest.approx(5 / 4.002)
    assert summary.is_complete
    assert [(row.label, row.images, row.right, row.wrong, row.taken_for) for row in summary.classes] == [
        (0, 2, 1, 1, (1, 1)),
        (1, 2, 2, 0, None),
    ]
    assert summary.classes[1].precision == pytest.approx(2 / 3)


def test_nothing_measured_gives_no_figures():
    summary = summarise(Record())

    assert (summary.error_rate, summary.requests_per_s, summary.latency_ns) == (None, None, {})
    assert "Inference error rate: –" in render(summary, judge(summary), "mnist", "here:1")


@pytest.mark.parametrize(
    ("record", "more", "code", "reason"),
    [
        pytest.param(record_of([(1, 1)]), {}, exit_codes.PASS, None, id="all-right"),
        pytest.param(record_of([(1, 2)]), {}, exit_codes.PASS, None, id="wrong-answers-alone-pass"),
        pytest.param(record_of([(1, 1)], ["UNAVAILABLE"]), {}, exit_codes.FAILED, "UNAVAILABLE 1", id="failed"),
        pytest.param(record_of([]), {}, exit_codes.INVALID, "no request was made", id="nothing-fired"),
        pytest.param(record_of([(1, 1)]), {"n_asked": 2}, exit_codes.INVALID, "only 1 of 2 images", id="stopped-early"),
        pytest.param(
            record_of([(1, 1)]),
            {"lost_workers": ("w1",), "n_workers": 3},
            exit_codes.INVALID,
            "1 of 3 workers were lost",
            id="lost-worker",
        ),
        pytest.param(
            record_of([(1, 1)]), {"n_asked": 1, "lost_workers": ("w1",)}, exit_codes.PASS, None, id="lost-but-covered"
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
            {"n_asked": 5},
            exit_codes.FAILED,
            "only 2 of 5",
            id="failed-and-incomplete-is-failed",
        ),
    ],
)
def test_verdicts(record, more, code, reason):
    verdict = judge(summarise(record, **more))

    assert verdict.exit_code == code
    assert bool(verdict.reasons) is (code != exit_codes.PASS)
    assert reason is None or any(reason in text for text in verdict.reasons)


def test_a_server_that_rejects_for_want_of_threads_is_explained():
    verdict = judge(summarise(record_of([(1, 1)], ["RESOURCE_EXHAUSTED"])))

    assert any("--grpc_max_threads" in reason for reason in verdict.reasons)


def test_exceptions_in_user_code_fail_the_run():
    verdict = judge(summarise(record_of([(1, 1)])), user_errors=2)

    assert verdict.exit_code == exit_codes.FAILED
    assert "2 exceptions" in verdict.reasons[0]


def test_an_exception_that_escaped_fails_the_run():
    assert judge(summarise(record_of([(1, 1)])), is_broken=True).exit_code == exit_codes.FAILED


@pytest.mark.parametrize(
    ("n_asked", "n_discarded", "line"),
    [
        pytest.param(2, 0, "2 of 2 images, each exactly once", id="complete"),
        pytest.param(5, 0, "2 of 5 images", id="incomplete"),
        pytest.param(2, 3, "each exactly once (3 requests of workers that left are not counted)", id="made-again"),
    ],
)
def test_coverage_says_no_more_than_is_true(n_asked, n_discarded, line):
    summary = summarise(record_of([(1, 1), (2, 2)]), n_asked=n_asked, n_discarded=n_discarded)
    text = render(summary, judge(summary), "m", "h:1")

    assert line in text
    assert ("exactly once" in text) is (n_asked == 2)


def test_the_terminal_summary_ends_with_the_error_rate():
    record = record_of([(0, 0)] * 97 + [(3, 5), (3, 3)], ["DEADLINE_EXCEEDED"])
    summary = summarise(record, n_asked=100, n_workers=2)
    text = render(summary, judge(summary), "mnist, version 1,", "127.0.0.1:8500")

    lines = text.strip().splitlines()
    assert lines[-1] == "Inference error rate: 2%"
    assert "Model mnist, version 1, at 127.0.0.1:8500" in lines
    assert any(line.startswith("  wrong") and "1% (1)" in line for line in lines)
    assert any(line.startswith("  failed") and "DEADLINE_EXCEEDED 1" in line for line in lines)
    assert any(line.split() == ["3", "2", "1", "1", "50%", "100%", "5", "(1×)"] for line in lines)
    assert any("100 of 100 images, each exactly once" in line for line in lines)


def test_requests_cut_off_by_the_end_are_said():
    record = record_of([(1, 1)])
    record.cut_off = 3
    summary = summarise(record)

    assert "3 more were in flight" in render(summary, judge(summary), "m", "h:1")


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        pytest.param(95_400, "95 µs", id="below-a-millisecond"),
        pytest.param(1_234_000, "1.23 ms", id="below-ten"),
        pytest.param(12_345_000, "12.3 ms", id="below-ten-seconds"),
        pytest.param(12_345_000_000, "12.35 s", id="seconds"),
    ],
)
def test_durations(nanoseconds, text):
    assert duration(nanoseconds) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        pytest.param(0.021, "2.1%", id="one-decimal"),
        pytest.param(0.0, "0%", id="zero"),
        pytest.param(1.0, "100%", id="all"),
        pytest.param(0.12345, "12.35%", id="rounded"),
        pytest.param(None, "–", id="none"),
    ],
)
def test_percentages(fraction, text):
    assert percent(fraction) == text


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_overwrites_itself_on_a_terminal():
    stream = Terminal()
    progress = Progress(stream)
    progress.show("a long line")
    progress.show("short")
    progress.clear()

    assert stream.getvalue() == "\ra long line\rshort      \r     \r"


def test_progress_is_one_line_after_another_elsewhere():
    stream = io.StringIO()
    progress = Progress(stream)
    progress.show("one")
    progress.show("two")
    progress.clear()

    assert stream.getvalue() == "one\ntwo\n"


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        pytest.param(100, "█████░░░░░ 50 of 100 images, 25 requests/s, error rate 4%", id="with-an-end"),
        pytest.param(None, "2 s: 50 images, 25 requests/s, error rate 4%", id="without"),
    ],
)
def test_progress_lines(asked, line):
    assert progress_line(2.0, 50, 2, 50, asked, bar_width=10) == line


def test_progress_before_the_first_answer():
    assert progress_line(0.0, 0, 0, 0, 10, bar_width=2) == "░░ 0 of 10 images, 0 requests/s, error rate –"
