"""Levels on the terminal: the table, its notes, and the line that says how far a level is."""

import re

import pytest

from tests.support import summaries as report
from tests.support.level_rows import MS, SECOND, closed_row, growing, metric_of, open_row, run_of, samples
from tests.support.summaries import judge, render, summarise
from tfsload.analysis import thresholds
from tfsload.analysis.levels import level_row
from tfsload.records.recorder import Record


def cells(rows):
    """Return the table as dicts: heading → cell; no cell holds two spaces."""
    heading, *lines = [[cell.strip() for cell in split(line)] for line in report.table(rows)]
    return [dict(zip(heading, line, strict=True)) for line in lines]


def split(line):
    return [cell for cell in line.strip().split("  ") if cell.strip()]


PERCENTILES = ["p50 ms", "p90 ms", "p95 ms", "p99 ms", "p99.9 ms"]
CLOSED_HEADING = ["level", "req/s", "in flight", *PERCENTILES, "max ms"]
LAST_HEADING = ["errors", "wrong", "failed", "straddling", "stable"]


def test_a_closed_level():
    made = [*samples(n=24_000, latency_ns=750_000), *samples(n=2, is_wrong=True), *samples(n=4, is_failed=True)]
    (row,) = cells([closed_row(made, users=2)])

    assert list(row) == CLOSED_HEADING + LAST_HEADING
    assert row == {
        "level": "2 users",
        "req/s": "2,400",
        "in flight": "1.80",
        **dict.fromkeys(PERCENTILES, "0.750"),
        "max ms": "1.00",
        "errors": "0.02%",
        "wrong": "2",
        "failed": "4",
        "straddling": "1",
        "stable": "yes",
    }


def test_an_open_level_has_its_lag_and_its_drops():
    (row,) = cells([open_row(samples(latency_ns=5 * MS, lag_ns=250_000), n_dropped=1234, rate_rps=1500.5)])

    assert list(row) == [*CLOSED_HEADING, "lag p99 ms", "offered", "dropped", *LAST_HEADING]
    assert int(row["offered"].replace(",", "")) >= 1234
    told = [row[name] for name in ("level", "lag p99 ms", "dropped", "max ms")]
    assert told == ["1,500.5/s", "0.250", "1,234", "5.00"]


def test_mismatches_have_a_column_where_there_are_any():
    other = closed_row()
    with_mismatches = closed_row(samples(n_mismatched=1))

    assert [row["mismatched"] for row in cells([other, with_mismatches])] == ["0", "1,200"]
    assert "mismatched" not in cells([other])[0]


def test_what_is_not_known_is_a_dash():
    few, none = closed_row(samples(n=100)), level_row(run_of(users=3), Record())
    first, second = cells([few, none])

    assert [first[name] for name in PERCENTILES] == ["1.00", "1.00", "–", "–", "–"]
    assert first["max ms"] == "1.00"
    assert second == {
        **dict.fromkeys(CLOSED_HEADING[3:], "–"),
        "level": "3 users ?",
        "req/s": "0",
        "in flight": "0.00",
        "errors": "–",
        "wrong": "0",
        "failed": "0",
        "straddling": "0",
        "stable": "NO",
    }


def test_an_open_level_without_a_request_has_no_lag():
    (row,) = cells([level_row(run_of(rate_rps=5.0), Record())])

    assert (row["lag p99 ms"], row["dropped"]) == ("–", "0")


def test_figures_stand_to_the_right_and_words_to_the_left():
    heading, *lines = report.table([closed_row(), closed_row(samples(n=24_000), users=1000)])

    assert heading.startswith("level        req/s  ")
    assert lines[0].startswith("1 user         120  ")
    assert lines[1].startswith("1,000 users  2,400  ")
    assert {line.index("  yes") for line in lines} == {heading.index("  stable")}


def test_a_lag_that_too_few_samples_carry_is_a_dash():
    few, enough = cells([open_row(samples(n=661, lag_ns=MS)), open_row(samples(n=662, lag_ns=MS))])

    assert (few["lag p99 ms"], enough["lag p99 ms"]) == ("–", "1.00")


def test_a_searchs_table_says_which_rates_hold():
    heading, first, second = report.table([open_row(), open_row()], [True, False])

    assert heading.endswith("  stable  holds")
    assert (first.split()[-1], second.split()[-1]) == ("yes", "no")


def test_levels_stay_in_the_order_in_which_they_were_run():
    rows = cells([closed_row(users=users) for users in (4, 1, 2)])

    assert [row["level"] for row in rows] == ["4 users", "1 user", "2 users"]


def test_an_unstable_level_says_so():
    assert cells([closed_row(growing(samples()))])[0]["stable"] == "NO"


def test_the_note_says_what_the_percentiles_are():
    (note,) = report.notes([closed_row(samples(n=7000))])

    assert (
        note == "Each percentile is the highest value it may have in a level (99%, if its requests were independent)."
    )


def test_dashes_are_explained_where_there_are_any():
    notes = report.notes([closed_row(samples(n=7000)), closed_row()])

    assert notes[1:] == ["–: too few samples carry it (p99.9 wants 6,636)."]


def test_the_numbers_in_the_note_are_those_of_the_rule():
    from tfsload.analysis.percentiles import samples_needed

    note = report.notes([closed_row(samples(n=64))])[1]

    assert f"p99 wants {samples_needed(99):,}" in note
    assert f"p99.9 wants {samples_needed(99.9):,}" in note


# The whole text


def text_of(rows, **more):
    record = Record()
    for row in rows:
        record.merge(row.record)
    summary = summarise(record, levels=rows, **more)
    return render(summary, judge(summary), "mnist, version 1,", "127.0.0.1:8500")


def sweep(*throughputs_rps):
    """Return a sweep over 1, 2, 4 … users with these throughputs, each user always waiting for its answer."""
    rows = []
    for number, rate_rps in enumerate(throughputs_rps):
        users = 2**number
        latency_ns = int(users / rate_rps * SECOND)
        rows.append(closed_row(samples(n=10 * rate_rps, latency_ns=latency_ns), users=users))
    return rows


def test_a_sweep_is_shown_with_its_answer():
    text = text_of(sweep(200, 390, 700, 705))
    lines = text.splitlines()

    assert any(line.split()[:2] == ["8", "users"] for line in lines)
    assert [speed_up for line in lines for speed_up in re.findall(r"^\d users? .*?([\d.]+)×", line)] == [
        *("1.00", "1.95", "3.50", "3.52")
    ]
    assert "\nparallelism  3.5" in text
    assert any(line.startswith("Yes: about 3.51 requests run in parallel (3.") for line in lines)
    assert text.endswith("Inference error rate: 0%")


def test_a_serial_server_is_told_as_that():
    assert "No: requests are served one at a time" in text_of(sweep(200, 204, 203))


def test_open_levels_say_nothing_of_users():
    text = text_of([open_row(rate_rps=120.0)])

    assert "\n120/s " in text
    assert "speed-up" not in text


@pytest.mark.parametrize(
    ("n", "n_failed", "line"),
    [
        pytest.param(0, 0, "", id="none"),
        pytest.param(1234, 0, "not counted  1,234 requests of warm-ups and between levels\n", id="answered"),
        pytest.param(1, 0, "not counted  1 request of warm-ups and between levels\n", id="one"),
        pytest.param(
            9, 2, "not counted  9 requests of warm-ups and between levels, 2 without an answer\n", id="some-failed"
        ),
    ],
)
def test_requests_outside_all_levels_are_told(n, n_failed, line):
    uncounted = Record()
    uncounted.requests, uncounted.failed_requests = n, n_failed
    text = text_of([closed_row()], uncounted=uncounted)

    assert line in text
    assert ("not counted" in text) is bool(n)


def test_requests_across_the_edges_of_levels_are_told():
    uncounted = Record()
    uncounted.requests = 9
    rows = [closed_row([*samples(), *samples(n=1, latency_ns=11 * SECOND)], users=users) for users in (1, 2)]

    assert [row.record.straddling for row in rows] == [1, 1]
    assert "\nnot counted  9 requests of warm-ups and between levels; 2 lie across a level's edge\n" in text_of(
        rows, uncounted=uncounted
    )


def test_thresholds_that_hold_and_those_that_do_not():
    rows = [closed_row(), closed_row(samples(latency_ns=9 * MS), users=2)]
    text = text_of(rows, thresholds=thresholds.parse("p50 < 5ms; p99 < 50ms"))

    assert "\n↑ p50 < 5 ms   up to 9.00 ms  80% above  at 2 users\n" in text
    assert "\n✓ p99 < 50 ms  up to 9.00 ms  82% below  at 2 users\n" in text
    assert "\nTHRESHOLD CROSSED (exit code 3): p50 < 5 ms was crossed at 2 users: up to 9.00 ms\n" in text


def test_doubts_are_told_with_their_level():
    text = text_of([closed_row(), closed_row(busy_share=1.0, users=2)])

    assert "\nINVALID (exit code 4): 2 users: the load generator was the bottleneck: it kept" in text
    assert "\n  cure: use --processes or more workers, and take work out of listeners\n" in text


def test_a_level_that_cannot_be_trusted_is_marked():
    text = text_of([closed_row(), closed_row(busy_share=1.0, users=2)])
    marked = [line for line in text.splitlines() if "2 users ?" in line]

    assert len(marked) == 1
    assert "1.00×" in marked[0]
    assert "?: such a level supports no verdict; the reason stands below." in text
    assert " ?" not in text_of([closed_row(), closed_row(users=2)])


def test_what_was_dropped_is_told_and_no_pass():
    text = text_of([open_row(samples(n=900), n_dropped=300, rate_rps=120.0, users=4, is_probe=False)])

    assert "arrivals     1,200 offered, 300 dropped (25.00%)" in text
    assert (
        "\nINVALID (exit code 4): 120 requests/s: 300 of 1,200 arrivals were dropped, since all 4 users were busy\n"
        "  cure: ask for less"
    ) in text


@pytest.mark.parametrize(
    ("threshold", "word"),
    [
        pytest.param("dropped_rate < 30%", "PASS", id="so-many-may-be"),
        pytest.param("dropped_rate < 20%", "CROSSED", id="so-many-may-not-be"),
        pytest.param("p50 < 1s", "PASS", id="a-latency-that-they-do-not-change"),
        pytest.param("p99 < 1s", "CROSSED", id="a-latency-that-they-do"),
        pytest.param("rate > 1", "INVALID", id="what-sees-no-drops"),
        pytest.param("p50 > 1ns", "INVALID", id="a-lower-limit"),
        pytest.param("lag_p99 < 1s", "INVALID", id="lag"),
    ],
)
def test_a_threshold_judges_what_was_dropped(threshold, word):
    row = open_row(samples(n=900), n_dropped=300, rate_rps=120.0, is_probe=False)
    text = text_of([row], thresholds=thresholds.parse(threshold))

    assert re.search(rf"^(THRESHOLD )?{word} \(", text, re.MULTILINE)
    assert ("120/s ? " in text) is (word == "INVALID")


def test_all_arrivals_sent_are_told_too():
    assert "arrivals     1,200 offered, none dropped" in text_of([open_row(rate_rps=120.0, is_probe=False)])


def test_the_overall_rate_is_over_what_was_counted():
    first, second = closed_row(), closed_row()
    second.record.shift(14 * SECOND)  # the ramp and a warm-up come between
    text = text_of([first, second])

    assert "requests     2,400 in 20.00 s" in text
    assert "rate         120 requests/s" in text


def test_a_run_that_was_stopped_in_a_level_has_no_rate():
    text = text_of([closed_row()], n_levels_left=2)

    assert "rate         –\n" in text


def test_what_levels_have_in_common_is_called_that():
    assert "All levels together, as counted:\nrequests " in text_of([closed_row(), closed_row(users=2)])
    assert "All levels together" not in text_of([closed_row()])


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        pytest.param(
            {}, "no request was made\n  cure: let the run last longer, or start more users", id="nothing-at-all"
        ),
        pytest.param(
            {"uncounted": 5}, "no request lies within a level as a whole\n  cure: use a longer", id="none-counted"
        ),
        pytest.param({"uncounted": 5, "n_levels_left": 3}, "the run was stopped with 3 levels to go", id="stopped"),
        pytest.param({"lost_workers": ("a",)}, "1 of 1 workers was lost", id="lost-with-its-worker"),
    ],
)
def test_a_run_without_a_request_says_why(more, reason):
    uncounted = Record()
    uncounted.requests = more.get("uncounted", 0)
    text = text_of([], **{**more, "uncounted": uncounted})

    assert f"INVALID (exit code 4): {reason}" in text
    assert "no request was made" not in text or not more


def test_levels_without_an_answer_are_levels_all_the_same():
    rows = [closed_row(), *(closed_row(samples(n=100, is_failed=True), users=users) for users in (2, 4))]

    assert "no level with more than 1 user can be trusted; the one with 2 users: 100 requests had no answer" in text_of(
        rows
    )


def test_nothing_is_compared_with_a_lone_user_that_cannot_be_trusted():
    text = text_of([closed_row(busy_share=1.0), closed_row(users=2), closed_row(users=4)])

    assert "speed-up" not in text
    assert "\nCannot tell: the level with 1 user cannot be trusted: the load generator was the bottleneck" in text
    assert text.count("the load generator was the bottleneck") == 2  # once with its cure


def test_requests_that_were_cut_off_are_told():
    uncounted = Record()
    uncounted.cut_off = 7777

    assert "7,777" in text_of([closed_row()], uncounted=uncounted)


def test_the_table_has_the_percentiles_that_are_judged():
    row = open_row(rate_rps=240.0, n_dropped=1200)
    (threshold,) = thresholds.parse("p99 < 50ms")

    assert not threshold.holds(metric_of(row, threshold))
    assert row.upper_end_ns[99] == metric_of(row, threshold)
