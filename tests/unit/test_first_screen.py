"""What a reader sees first: state and sentence, the answer, and three figures, of each kind of run."""

import dataclasses

import pytest

from tests.support.page_runs import page_run
from tfsload.analysis.result import ProcessExit
from tfsload.analysis.threshold_words import told_words
from tfsload.report.load import load
from tfsload.report.page.cards import Card
from tfsload.report.page.checks import doubts
from tfsload.report.page.first_screen import first_screen


def text(sentence):
    return "".join(piece.text for piece in sentence)


LEADS = {
    "demo": "No threshold was set; PASS means a valid run in which every request was answered; every image was fired.",
    "thresholds": "error_rate < 1% was crossed: 2.10%, 110% above the bound.",
    "endless": "3 thresholds were crossed: p99 < 20 ms, failed_rate < 1%, p90 < 1 s.",
    "unsettled": "The run supports no verdict: 4 users (second time): unstable: throughput went 121% → 97% → 82% of "
    "its mean (limit 12% off), third by third.",
    "failed": "12 of 900 requests had no answer (images by code: RESOURCE_EXHAUSTED 3, UNAVAILABLE 9).",
    "all-failed": "200 of 200 requests had no answer (images by code: UNAVAILABLE 200).",
    "spotless": "error_rate < 1% holds: at worst 0% at 1 user, 100% below the bound.",
    "refused": "The run was not begun: --num-tests 'x': expected a whole number, got 'x'.",
    "unmeasured": "The run supports no verdict: no request was made.",
}


@pytest.mark.parametrize(("kind", "lead"), LEADS.items())
def test_the_sentence_below_the_state(kind, lead):
    assert text(first_screen(page_run(kind)).verdict.lead) == lead


def test_a_cure_stands_by_itself_and_what_was_crossed_besides_follows():
    lines = [text(line) for line in first_screen(page_run("unsettled")).verdict.lines]

    most = "was crossed at 2 of 6 levels, most at 4 users (second time):"
    assert lines == [
        "Cure: use a longer --warm-up.",
        f"Besides, p99 < 12 ms {most} up to 37.3 ms, 210% above the bound.",
        f"Besides, p50 < 11 ms {most} up to 21.6 ms, 97% above the bound.",
    ]


def test_thresholds_that_hold_are_told_beside_one_that_does_not():
    lines = [text(line) for line in first_screen(page_run("thresholds")).verdict.lines]

    assert lines[0] == "The other 2 hold: p99 < 50 ms, rate > 100/s."


def test_options_in_a_sentence_are_code():
    pieces = first_screen(page_run("unsettled")).verdict.lines[0]

    assert [piece.text for piece in pieces if piece.kind == "code"] == ["--warm-up"]


ANSWERS = {
    "sweep": (
        "Does the server run in parallel?",
        "Yes: about 1.81 requests run in parallel in the server (1.59 to 2.04, 95%).",
    ),
    "search": (
        "How much does it hold?",
        "The highest rate that holds: 200 requests/s (the next one tried, 283, crossed p99 < 50 ms).",
    ),
}


@pytest.mark.parametrize(("kind", "question", "answer"), [(kind, *words) for kind, words in ANSWERS.items()])
def test_the_answer(kind, question, answer):
    found = first_screen(page_run(kind)).answer

    assert (found.question, text(found.answer)) == (question, answer)


@pytest.mark.parametrize("kind", ["demo", "rate", "thresholds", "refused"])
def test_nothing_is_said_of_parallel_work_where_nothing_was_tried(kind):
    assert first_screen(page_run(kind)).answer is None


CARDS = {
    "sweep": [
        (
            "How fast: at least",
            "474",
            "requests/s",
            "at 2 users; more users add less than 10% (482 at 8 users) · "
            "1.95× one user as the client sees it, network included; in the server alone about 1.81 requests at once",
            "",
        ),
        ("How soon: p99 at 2 users, up to", "6.02", "ms", "p50 up to 4.20 ms · worst up to 23.6 ms at 8 users", ""),
        ("How often wrong: error rate", "2.11", "%", "354 wrong · 0 failed · of 16,783 predictions", ""),
    ],
    "endless": [
        (
            "How fast: at least",
            "330",
            "requests/s",
            "at 1 user; more users add less than 10% (334 at 2 users)",
            "",
        ),
        (
            "How soon: p99 at 1 user, up to",
            "4.30",
            "ms",
            "p50 up to 3.00 ms · p99 < 20 ms: above the bound · "
            "crossed at 3 levels: 4 users, 8 users and 16 users · p90 was crossed",
            "crossed",
            "∞",
            "at 4 users",
        ),
        (
            "How often wrong: error rate",
            "26.07",
            "%",
            "265 wrong · 4,069 failed · of 16,627 predictions · failed_rate was crossed",
            "",
        ),
    ],
    "all-failed": [
        ("How often wrong: error rate", "100", "%", "0 wrong · 200 failed · of 200 predictions", "failed"),
        ("How fast: throughput", "0", "requests/s", "200 requests in 0.2 s", ""),
        ("How soon: p99", "–", "", "no request was answered", ""),
    ],
    "search": [
        ("How fast: highest rate that holds", "200", "requests/s", "200 requests/s offered · 2,000 requests", ""),
        (
            "How soon: p99 at 200 requests/s (second time), up to",
            "7.39",
            "ms",
            "p50 up to 5.06 ms · worst up to 104 ms at 283 requests/s",
            "",
        ),
        ("How often wrong: error rate", "2.12", "%", "93 wrong · 0 failed · of 4,393 predictions", ""),
    ],
    "refused": [],
    "unmeasured": [],
}


@pytest.mark.parametrize(("kind", "cards"), CARDS.items())
def test_the_figures_that_matter(kind, cards):
    assert list(first_screen(page_run(kind)).cards) == [Card(*card) for card in cards]


def test_where_no_level_supports_a_verdict_there_is_no_best():
    result = page_run("unsettled")
    doubted = dataclasses.replace(result.judged, doubted_levels=tuple(level.number for level in result.levels))
    fast, soon, _ = first_screen(dataclasses.replace(result, verdict=doubted)).cards

    assert (fast.value, soon.value) == ("–", "–")
    assert fast.below == "no level supports a verdict"
    assert soon.below == (
        "no level supports a verdict · p99: lowest up to 7.16 ms at 2 users (first time), highest up to 37.3 ms at 4 "
        "users (second time) · p99 < 12 ms: 210% above the bound · crossed at 2 levels: 4 users (2×) · p50 was crossed"
    )


LOADS = {
    "sweep": "sweep of 1, 2, 4, 8 users · 10 s each",
    "one": "sweep of 4 users · 10 s each",
    "many": "sweep of 1 to 64 in 20 levels of users · 10 s each",
    "slow-rates": "rates of 0.5, 1.5, 40 requests/s · 10 s each",
    "search": "search from 100 to 400 requests/s",
    "demo": "1,000 images, each once · 10 users",
    "thresholds": "10 users",
}


@pytest.mark.parametrize(("kind", "load"), LOADS.items())
def test_what_load_there_was(kind, load):
    assert load in first_screen(page_run(kind)).context


@pytest.mark.parametrize(
    ("ended", "remark"),
    [
        (None, "exit code 1"),
        (ProcessExit(1), "exit code 1"),
        (ProcessExit(0, "exit code 0, by --exit-code-on-error 0", True), "exit code 0, by --exit-code-on-error 0"),
    ],
)
def test_what_the_process_ended_with_is_told(ended, remark):
    result = dataclasses.replace(page_run("failed"), process_exit=ended)

    assert first_screen(result).verdict.remark == remark


def test_a_pass_needs_no_exit_code():
    assert first_screen(page_run("demo")).verdict.remark == ""


def test_reasons_that_are_not_told_first_are_told_below():
    for kind in ("invalid", "failed", "unsettled", "endless", "slow-rates"):
        result = page_run(kind)
        told = " ".join(text(doubt.what) for doubt in doubts(result))
        for reason in result.judged.sentences:
            is_of_a_threshold = any(reason.startswith(told_words(held.threshold)) for held in result.thresholds)
            assert is_of_a_threshold or reason in told or reason.partition(": ")[2] in told


def test_a_run_that_was_ended_before_all_levels_is_named_by_what_was_asked_for():
    whole = page_run("sweep")
    ended = dataclasses.replace(
        whole,
        levels=whole.levels[:1],
        course=dataclasses.replace(whole.course, n_levels_left=3),
        asked=dataclasses.replace(whole.asked, options={**whole.asked.options, "sweep": "1, 2,4,8"}),
    )

    assert load(ended).startswith("sweep of 1, 2, 4, 8 users")
    assert load(ended).endswith(" · 1 of 4 levels measured")


@pytest.mark.parametrize(
    ("asked", "n_measured", "told"),
    [
        pytest.param("1", 1, "sweep of 1 user", id="one-user"),
        pytest.param("1,2,4,8,16,32,64,128", 3, "sweep of 1 to 128 in 8 levels of users", id="stopped"),
        pytest.param("1,2", 1, "sweep of 1, 2 users", id="stopped-after-the-first-of-few"),
    ],
)
def test_levels_are_named_from_the_least_to_the_most_that_was_asked_for(asked, n_measured, told):
    whole = page_run("sweep")
    result = dataclasses.replace(
        whole,
        levels=whole.levels[:n_measured],
        course=dataclasses.replace(whole.course, n_levels_left=len(asked.split(",")) - n_measured),
        asked=dataclasses.replace(whole.asked, options={**whole.asked.options, "sweep": asked}),
    )

    assert load(result).partition(" · ")[0] == told
