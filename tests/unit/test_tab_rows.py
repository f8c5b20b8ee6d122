"""The rows of the suite's tabs on Locust's page: the figures of the result, in the words of the report."""

import dataclasses
import json
import math
import re

import pytest

from tests.support.hostile import HOSTILE
from tests.support.page_runs import PAGE_RUNS, page_run
from tfsload.analysis.figures import NONE, count, latency_ms, percent, rate
from tfsload.report import states
from tfsload.report.standing import Counters
from tfsload.webui import tab_rows
from tfsload.webui.tab_rows import ACCURACY, LEVELS, TABS


def plain(text):
    """Return a text as it is read."""
    return text.replace("\u00a0", " ")


def plainly(rows):
    return [{key: plain(text) for key, text in row.items()} for row in rows]


def levels(result):
    return plainly(tab_rows.levels(result))


def rows_of(result):
    state, _ = tab_rows.verdict_words(result)
    return {
        LEVELS: plainly([tab_rows.all_levels(result, state), *tab_rows.levels(result)]),
        ACCURACY: plainly([tab_rows.all_classes(result, state), *tab_rows.classes(result)]),
    }


@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_whatever_the_run_each_row_has_a_text_for_each_column(kind):
    rows = rows_of(page_run(kind))

    for tab in TABS:
        keys = [column.key for column in tab.columns]
        assert all(list(row) == keys for row in rows[tab])
        assert all(isinstance(text, str) and text for row in rows[tab] for text in row.values())
        json.dumps(rows[tab], allow_nan=False)


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: tab.title)
def test_a_columns_key_is_one_that_locusts_page_neither_changes_nor_sorts_by(tab):
    keys = [column.key for column in tab.columns]

    assert [key for key in keys if not (key.isascii() and key.isalpha() and key.islower())] == []
    assert "name" not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("kind", ["sweep", "rate", "endless", "unsettled", "search", "slow-rates"])
def test_a_level_has_the_figures_of_the_result(kind):
    result = page_run(kind)
    rows = levels(result)

    assert len(rows) == len(result.levels)
    for level, row in zip(result.levels, rows, strict=True):
        assert row["level"].startswith(level.name)
        assert row["rate"] == rate(level.achieved_rps)
        assert [row[key] for key in ("median", "ninety", "tail")] == [
            latency_ms(level.upper_end_ns[p]) for p in (50, 90, 99)
        ]
        assert row["errors"] == percent(level.error_rate)
        assert (row["wrong"], row["failed"]) == (count(level.wrong), count(level.n_failed))
        assert row["dropped"] == (NONE if level.rate_rps is None else count(level.dropped))
        assert states.of_level(result, level).word in row["state"]


def test_speed_up_is_told_where_there_is_a_law_and_only_there():
    sweep, rates = ([row["fold"] for row in levels(page_run(kind))] for kind in ("sweep", "rate"))

    assert sweep[0] == "1.00×"
    assert NONE not in sweep
    assert set(rates) == {NONE}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        pytest.param("demo", "✓ PASS", id="passed"),
        pytest.param("sweep", "✓ PASS", id="passed-in-levels"),
        pytest.param("rate", "↑ THRESHOLD CROSSED", id="crossed"),
        pytest.param("invalid", "? INVALID", id="invalid"),
        pytest.param("failed", "✗ FAILED", id="failed"),
    ],
)
def test_the_first_row_of_each_tab_looks_like_the_verdict(kind, state):
    result = page_run(kind)
    rows = rows_of(result)

    assert rows[LEVELS][0]["state"] == state
    if kind != "invalid":
        assert rows[ACCURACY][0]["label"] == f"all: {state}"


@pytest.mark.parametrize(
    ("make", "label"),
    [
        pytest.param(
            lambda: page_run("unsettled"),
            "all: of a run that is INVALID; the error rate stands all the same: answers are counted, not timed",
            id="of-its-speed",
        ),
        pytest.param(
            lambda: page_run("invalid"),
            "all: of a run that is INVALID; without what was lost with workers",
            id="without-some",
        ),
        pytest.param(
            lambda: dataclasses.replace(
                page_run("unsettled"),
                server=dataclasses.replace(page_run("unsettled").server, changed="version 1 before, 2 after"),
            ),
            "all: ? INVALID, of more than one model, perhaps",
            id="of-the-answers",
        ),
    ],
)
def test_a_question_mark_beside_an_error_rate_is_of_the_answers(make, label):
    assert rows_of(make())[ACCURACY][0]["label"] == label


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        pytest.param("sweep", "each percentile is the highest value it may have in a level (99%, if its", id="levels"),
        pytest.param("demo", "percentiles as counted", id="no-levels"),
    ],
)
def test_what_percentiles_are_is_said_once_and_those_of_one_table_are_of_one_kind(kind, said):
    result = page_run(kind)
    whole = rows_of(result)[LEVELS][0]

    assert said in whole["remark"]
    assert ({whole[key] for key in ("median", "ninety", "tail")} == {NONE}) is bool(result.levels)


def test_a_dash_in_place_of_a_percentile_is_explained():
    lacking = [page_run(kind) for kind in ("sweep", "unmeasured")]

    assert ["or too few samples carry it" in rows_of(one)[LEVELS][0]["remark"] for one in lacking] == [False, True]


def test_a_dash_has_a_column_that_says_of_what_its_figures_are():
    """Where a dash stands though all is known, the column's head says of which rows or runs its figures are."""
    for tab, kinds in ((LEVELS, ("sweep", "rate")), (ACCURACY, ("sweep", "long"))):
        dashed = {
            column.title
            for kind in kinds
            for row in rows_of(page_run(kind))[tab]
            for column in tab.columns
            if row[column.key] == NONE and column.key not in ("remark", "median", "ninety", "tail")
        }
        assert [title for title in dashed if not re.search(r"\(.+\)", title)] == []


def test_a_run_without_levels_names_the_thresholds_that_it_crosses():
    crossed, passed = (rows_of(page_run(kind))[LEVELS][0]["remark"] for kind in ("thresholds", "demo"))

    assert crossed.startswith("error_rate < 1% crossed: 2.10%")
    assert passed == "percentiles as counted"


def test_a_run_without_levels_has_one_row_for_all():
    result = page_run("demo")
    (row,) = rows_of(result)[LEVELS]

    assert row["level"] == "all"
    assert row["rate"] == rate(result.totals.requests_per_s)
    assert row["tail"] == latency_ms(result.totals.latency_ns[99])
    assert row["errors"] == percent(result.totals.error_rate)


def test_the_error_rates_parts_are_told_apart():
    result = page_run("failed")
    row = rows_of(result)[ACCURACY][0]

    assert row["errors"] == percent(result.totals.error_rate)
    assert row["wrong"] == count(result.totals.wrong)
    assert row["failed"] == "12: RESOURCE_EXHAUSTED 3, UNAVAILABLE 9"
    assert row["right"] == count(sum(one.right for one in result.classes))


def test_mismatches_are_counted_where_answers_were_compared():
    told = {kind: rows_of(page_run(kind))[ACCURACY][0]["mismatched"] for kind in ("long", "sweep")}

    assert told == {"long": "7", "sweep": NONE}


def test_each_class_has_the_figures_of_the_result():
    result = page_run("sweep")
    rows = plainly(tab_rows.classes(result))

    assert [row["label"] for row in rows] == [str(one.label) for one in result.classes]
    for one, row in zip(result.classes, rows, strict=True):
        assert (row["images"], row["right"], row["wrong"]) == tuple(map(count, (one.images, one.right, one.wrong)))
        assert (row["recall"], row["precision"]) == (percent(one.recall), percent(one.precision))
        taken = f"{one.taken_for[0]} ({one.taken_for[1]:,}×)" if one.taken_for else "none other"
        assert row["taken"] == taken


def test_of_very_many_classes_the_first_are_shown_and_the_others_counted():
    result = page_run("sweep")
    many = tuple(dataclasses.replace(result.classes[0], label=label) for label in range(tab_rows.MOST_CLASSES + 50))
    rows = plainly(tab_rows.classes(dataclasses.replace(result, classes=many)))

    assert len(rows) == tab_rows.MOST_CLASSES + 1
    assert rows[-1]["label"] == "50 more: see the run's report"


def test_a_level_names_the_thresholds_that_it_crosses_by_its_own_figure():
    first, *_ = (row["remark"] for row in levels(page_run("unsettled")))
    twice = [row["remark"] for row in levels(page_run("unsettled")) if row["level"].startswith("4 users")]

    assert "p99" not in first
    assert [remark.partition(" · ")[0] for remark in twice] == [
        "p99 < 12 ms crossed: up to 22.6 ms",
        "p99 < 12 ms crossed: up to 37.3 ms",
    ]


def test_a_level_in_doubt_says_why_in_short():
    doubted = [row for row in levels(page_run("unsettled")) if "unstable" in row["state"]]

    assert [row["state"] for row in doubted] == ["? unstable"]
    assert "unstable: throughput went 121% → 97% → 82% of its mean" in doubted[0]["remark"]
    assert "third by third" not in doubted[0]["remark"]


def test_what_has_no_value_is_told_as_in_the_report():
    endless = page_run("endless")
    ends = [level.upper_end_ns[99] for level in endless.levels]
    tails = [row["tail"] for row in levels(endless)]

    assert [tail for end, tail in zip(ends, tails, strict=True) if end is not None and math.isinf(end)] != []
    assert {tail for end, tail in zip(ends, tails, strict=True) if end is not None and math.isinf(end)} == {"∞"}


def test_what_is_measured_is_marked_and_shows_counters_alone():
    counted = Counters(requests=100, predictions=100, wrong=2, failed=1, offered=120, dropped=20, rate_rps=50.0)
    row = tab_rows.under_way("2 users", counted, is_open_load=False)
    rates = tab_rows.under_way("50 requests/s", counted, is_open_load=True)
    nothing = tab_rows.under_way("2 users", Counters(), is_open_load=False)

    told = {"level": "2 users", "state": "under way", "rate": "50.0", "errors": "3.00%", "wrong": "2", "failed": "1"}
    assert row == LEVELS.row(**told)
    assert (row["dropped"], rates["dropped"]) == (NONE, "20")
    assert nothing == LEVELS.row(level="2 users", state="under way")


def test_what_is_short_and_an_icon_with_its_word_stay_on_one_line():
    texts = ("2 users", "? unstable", "↑ THRESHOLD CROSSED", "all levels together")

    assert [LEVELS.row(state=text)["state"].replace("\u00a0", "_") for text in texts] == [
        "2_users",
        "?_unstable",
        "↑_THRESHOLD CROSSED",
        "all levels together",
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(
            "unstable: throughput went 80.8% → 132.0% → 87.3% of its mean (limit 31.8% off)",
            ["unstable: throughput went 80.8%", "→ 132.0% → 87.3% of its mean", "(limit 31.8% off)"],
            id="a-sentence",
        ),
        pytest.param("x" * 40 + " and a few words more", ["x" * 40, "and a few words more"], id="a-word-too-long"),
        pytest.param(
            "? this is a sentence after an icon", ["? this is a sentence after an", "icon"], id="an-icon-first"
        ),
    ],
)
def test_a_sentence_is_no_column_of_single_words_on_a_phone(text, lines):
    remark = LEVELS.row(remark=text)["remark"]

    assert [line.replace("\u00a0", " ") for line in remark.split(" ")] == lines


def test_what_is_said_of_a_level_is_no_column_of_single_words_either():
    (remark, *_) = [row["remark"] for row in tab_rows.levels(page_run("unsettled")) if "mean" in row["remark"]]

    assert max(len(line) for line in remark.split(" ")) > 25


def test_texts_of_others_stay_text_and_steer_nothing():
    rows = rows_of(page_run("hostile-search"))
    texts = [text for of_tab in rows.values() for row in of_tab for text in row.values()]

    assert any("<script>alert(2)</script>" in text for text in texts)  # Locust's page shows it as text
    assert [text for text in texts if "\u202e" in text or "\u2028" in text] == []
    assert any("\u202e" in one for one in HOSTILE)
