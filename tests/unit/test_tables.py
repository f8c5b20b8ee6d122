"""Tables that fit a width, the screen that they are written on, and summaries on screens of every width."""

import dataclasses
import io
import math
import os
import pty
import re
import termios
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tests.support.golden import outcome_of
from tests.support.level_rows import MS, closed_row, open_row, samples
from tests.support.page_runs import page_run
from tests.support.past_runs import PAST_RUNS
from tests.support.summaries import WIDE, summary_of
from tests.support.summaries import judge as judge_of
from tests.support.summaries import render as render_of
from tfsload.analysis import thresholds
from tfsload.analysis.figures import latency_ms, percent
from tfsload.analysis.level_result import level_result
from tfsload.analysis.levels import PERCENTILES
from tfsload.report import levels
from tfsload.report.screen import LOG, Screen
from tfsload.report.speed_ups import speed_ups
from tfsload.report.tables import Column, fitted

FIGURES = Column("figures", ["1", "1,234"])
WORDS = Column("words", ["no", "perhaps"], is_text=True)


def test_figures_stand_to_the_right_and_words_to_the_left():
    assert fitted([WORDS, FIGURES, WORDS], 80).lines == (
        "words    figures  words",
        "no             1  no",
        "perhaps    1,234  perhaps",
    )


@pytest.mark.parametrize(
    ("width", "heading", "left_out"),
    [
        pytest.param(100, "a     bb    ccc   dddd", (), id="room-for-all"),
        pytest.param(22, "a     bb    ccc   dddd", (), id="just-enough"),
        pytest.param(21, "a     ccc   dddd", ("bb",), id="the-first-to-leave"),
        pytest.param(15, "a", ("bb", "ccc", "dddd"), id="two-that-leave-together"),
        pytest.param(4, "a", ("bb", "ccc", "dddd"), id="what-never-leaves"),
        pytest.param(3, "a", ("bb", "ccc", "dddd"), id="less-than-that"),
        pytest.param(0, "", ("bb", "ccc", "dddd"), id="no-room-at-all"),
    ],
)
def test_columns_leave_in_their_order(width, heading, left_out):
    columns = [
        Column("a", ["1234"], is_text=True),
        Column("bb", ["1234"], is_text=True, leaves=1),
        Column("ccc", ["1234"], is_text=True, leaves=2),
        Column("dddd", ["1234"], is_text=True, leaves=2),
    ]
    table = fitted(columns, width)

    assert (table.heading, table.left_out) == (heading, left_out)
    assert all(len(line) <= width for line in table.lines)


def test_what_is_cut_says_so():
    assert fitted([Column("name", ["a-long-name"], is_text=True)], 6).lines == ("name", "a-lon…")


# The levels


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        pytest.param(200, "", id="all"),
        pytest.param(100, "p95 ms, max ms, wrong, straddling", id="100"),
        pytest.param(80, "in flight, p90 ms, p95 ms, max ms, wrong, straddling", id="80"),
        pytest.param(
            60, "in flight, p50 ms, p90 ms, p95 ms, p99.9 ms, max ms, wrong, straddling", id="60"
        ),
        pytest.param(
            40,
            "speed-up, in flight, p50 ms, p90 ms, p95 ms, p99.9 ms, max ms, wrong, failed, straddling",
            id="40",
        ),
    ],
)  # fmt: skip
def test_which_columns_of_a_sweep_are_shown(width, left_out):
    result = page_run("sweep")
    shown = levels.table(result.levels, width, speed_ups=speed_ups(result))

    assert ", ".join(shown.left_out) == left_out
    notes = levels.notes(result.levels, shown)
    assert [note for note in notes if note.startswith("Left out")] == (
        [f"Left out for want of room: {left_out.replace(' ms', '')}."] if left_out else []
    )


def test_a_search_leaves_out_what_looks_does():
    result = page_run("search")
    left_out = [set(levels.table(result.levels, width, result.probes_hold).left_out) for width in (100, 80)]

    assert left_out[0] == {"in flight", "p95 ms", "max ms", "offered", "wrong", "straddling"}
    assert left_out[1] == left_out[0] | {"p90 ms", "p99.9 ms"}


def test_notes_explain_what_is_shown_alone():
    result = page_run("search")
    wide, narrow = (
        levels.notes(result.levels, levels.table(result.levels, width, result.probes_hold)) for width in (100, 80)
    )

    assert "–: too few samples carry it (p99.9 wants 6,636)." in wide
    assert not any(note.startswith("–") for note in narrow)


closed = st.builds(
    lambda users, latency_ns, n, rate, busy: dataclasses.replace(
        closed_row(samples(n=n, latency_ns=latency_ns), users=users, busy_share=busy), achieved_rps=rate
    ),
    st.integers(1, 100_000),
    st.integers(1_000, 5_000 * MS),
    st.integers(1, 700),
    st.floats(0, 1e9, allow_subnormal=False),
    st.sampled_from([0.3, 1.0]),
)
opened = st.builds(
    lambda rate_rps, latency_ns, n, n_dropped, compared: open_row(
        samples(n=n, latency_ns=latency_ns, n_mismatched=compared), n_dropped=n_dropped, rate_rps=rate_rps
    ),
    st.floats(0.1, 1e6),
    st.integers(1_000, 5_000 * MS),
    st.integers(1, 700),
    st.integers(0, 300),
    st.sampled_from([None, 0, 1]),
)
LIMITS = thresholds.parse("p99 < 50ms; p50 > 1us; error_rate < 1%; rate > 100; max <= 1.5s")


@settings(max_examples=scaled(60), deadline=None)
@given(st.one_of(st.lists(closed, min_size=1, max_size=4), st.lists(opened, min_size=1, max_size=4)), st.data())
def test_no_line_is_wider_than_the_screen_and_every_figure_is_the_results(rows, data):
    width = data.draw(st.one_of(st.sampled_from([40, 60, 80, 100, 150]), st.integers(40, 220)), label="width")
    summary = summary_of(rows, thresholds=LIMITS)
    verdict = judge_of(summary)
    text = render_of(summary, verdict, screen=Screen(width, is_terminal=True))

    assert all(len(line) <= width for line in text.splitlines())
    assert text.splitlines()[-1] == f"Inference error rate: {percent(summary.totals.error_rate)}"

    results = [level_result(row) for row in rows]
    heading, *lines = levels.table(results, width).lines
    names = re.split(r"  +", heading)
    if names[0] == "level" and all("…" not in line for line in lines):
        for result, line in zip(results, lines, strict=True):
            shown = dict(zip(names, re.split(r"  +", line), strict=True))
            held = held_by(result)
            assert shown == {name: held[name] for name in names}


def held_by(result):
    """Return all that a row may show, from the level's result alone."""
    digits = {f"p{p:g} ms": latency_ms(result.upper_end_ns[p]) for p in PERCENTILES}
    return {
        "level": result.name.replace(" requests/s", "/s"),
        "req/s": rounded(result.achieved_rps),
        "in flight": f"{result.mean_in_flight:,.2f}",
        **digits,
        "max ms": latency_ms(result.latency.max_ns if result.answered else None),
        "lag p99 ms": latency_ms(result.lag_p99_ns),
        "offered": f"{result.offered:,}",
        "dropped": f"{result.dropped:,}",
        "errors": percent(result.error_rate),
        "wrong": f"{result.wrong:,}",
        "failed": f"{sum(result.failed.values()):,}",
        "mismatched": f"{result.mismatched:,}",
        "straddling": f"{result.straddling:,}",
        "stable": "NO" if result.unsteady else "yes",
    }


def rounded(value):
    """Return a number with three digits, or all before the point; reckoned otherwise than the code does."""
    if not value:
        return "0"
    three_digits = Decimal(f"{value:.2e}")
    return f"{value:,.{max(0, -three_digits.as_tuple().exponent)}f}"


@pytest.mark.heavy
@pytest.mark.parametrize("kind", PAST_RUNS)
@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_summary_fits_its_terminal_and_says_the_same(kind, width):
    outcome = outcome_of(PAST_RUNS[kind]())
    text = outcome.text_ended_with(outcome.exit_code, Screen(width, is_terminal=True))

    assert all(len(line) <= width for line in text.splitlines())
    words = " ".join(text.split())
    for sentence in (reason.what for reason in outcome.verdict.reasons):
        assert " ".join(sentence.split()) in words
    assert text.splitlines()[-1] == outcome.text.splitlines()[-1]


@pytest.mark.heavy
@pytest.mark.parametrize("kind", PAST_RUNS)
def test_a_log_holds_tables_of_100_columns_and_each_sentence_on_a_line(kind):
    outcome = outcome_of(PAST_RUNS[kind]())
    result, lines = outcome.result, outcome.text.splitlines()

    assert all(any(str(reason.what) in line for line in lines) for reason in outcome.verdict.reasons)
    told = (*outcome.verdict.reasons, *outcome.verdict.notes)
    sentences = [part for reason in told for part in (reason.what, reason.cure)]
    sentences += [outcome.verdict.judged, *([result.scaling.answer.sentence] if result.scaling else [])]
    sentences += [result.server.called]
    sentences += [result.verified.example.words] if result.verified.example else []
    long = [line for line in lines if len(line) > 100]
    assert all(any(sentence and sentence in line for sentence in sentences) for line in long)


def test_a_level_that_was_held_again_has_the_speed_up_of_those_that_count():
    rows = [closed_row(), closed_row(samples(n=2000), users=2), closed_row(samples(n=2200), users=2, busy_share=1.0)]
    result = summary_of(rows)

    assert speed_ups(result) == {1: 1.0, 2: pytest.approx(2000 / 1200, rel=0.001)}
    assert [line.split()[3] for line in levels.table(
        result.levels, WIDE, speed_ups=speed_ups(result)
    ).rows] == ["1.00×", "1.67×", "–"]  # fmt: skip


# The screen


def terminal(columns):
    """Return a terminal of so many columns, opened for writing, and its other end."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, columns))
    return os.fdopen(follower, "w"), leader


@pytest.mark.parametrize(
    ("columns", "environment", "screen"),
    [
        pytest.param(80, {}, Screen(80, True, True), id="80"),
        pytest.param(143, {"COLUMNS": "70"}, Screen(143, True, True), id="what-it-says-itself"),
        pytest.param(80, {"NO_COLOR": "1"}, Screen(80, True, False), id="no-colour"),
        pytest.param(80, {"NO_COLOR": ""}, Screen(80, True, True), id="an-empty-no-colour-is-none"),
        pytest.param(80, {"TERM": "dumb"}, Screen(80, True, False), id="a-dumb-one"),
        pytest.param(0, {}, Screen(100, True, True), id="one-that-does-not-say"),
    ],
)
def test_a_terminals_screen(columns, environment, screen):
    stream, leader = terminal(columns)
    try:
        assert Screen.of(stream, environment) == screen
    finally:
        stream.close()
        os.close(leader)


@pytest.mark.parametrize(
    ("environment", "screen"),
    [
        pytest.param({}, LOG, id="a-log"),
        pytest.param({"COLUMNS": "150"}, Screen(150), id="a-wider-log"),
        pytest.param({"COLUMNS": "0"}, LOG, id="none"),
        pytest.param({"COLUMNS": "-5"}, LOG, id="negative"),
        pytest.param({"COLUMNS": "wide"}, LOG, id="no-number"),
        pytest.param({"COLUMNS": "²"}, LOG, id="no-digit"),
        pytest.param({"COLUMNS": "9" * 5000}, LOG, id="no-number-that-python-reads"),
    ],
)
@pytest.mark.parametrize("stream", [io.StringIO(), None, object()], ids=["text", "none", "no-stream"])
def test_a_logs_screen(stream, environment, screen):
    assert Screen.of(stream, environment) == screen


def test_a_stream_that_is_closed_is_no_terminal():
    stream = io.StringIO()
    stream.close()

    assert Screen.of(stream, {}) == LOG


@pytest.mark.parametrize(
    ("text", "painted"),
    [
        pytest.param("PASS (exit code 0): fine", "\x1b[1;32mPASS\x1b[0m (exit code 0): fine", id="pass"),
        pytest.param("a\nINVALID (exit code 4): x", "a\n\x1b[1;35mINVALID\x1b[0m (exit code 4): x", id="invalid"),
        pytest.param("THRESHOLD CROSSED (e", "\x1b[1;33mTHRESHOLD CROSSED\x1b[0m (e", id="crossed"),
        pytest.param("✓ p99 < 1 s", "\x1b[1;32m✓\x1b[0m p99 < 1 s", id="held"),
        pytest.param("FAILEDLY (x) PASS (", "FAILEDLY (x) PASS (", id="nothing-else"),
    ],
)
def test_states_are_painted_where_colours_may_be(text, painted):
    assert Screen(has_colours=True).painted(text) == painted
    assert Screen(has_colours=False).painted(text) == text


def test_nothing_that_others_say_steers_a_terminal():
    outcome = outcome_of(PAST_RUNS["failed"]())
    hostile = dataclasses.replace(outcome.result.server, model_name="m\x1b[2J\x9b31m\x07", address="a\r\x08:1")
    outcome = dataclasses.replace(outcome, result=dataclasses.replace(outcome.result, server=hostile))
    text = outcome.text_ended_with(1, Screen(80, True, True))

    assert set(re.findall(r"\x1b\[[^m]*m|[^\x20-\x7e\n\w–−×✓✗↑…∞→←÷·]", text)) <= {"\x1b[1;31m", "\x1b[0m"}


def test_a_figure_that_is_endless_or_none_stays_so_in_a_table():
    (cell,) = levels.columns([level_result(open_row(samples(n=900), n_dropped=900))])[3].cells

    assert cell == "∞" == latency_ms(math.inf)
