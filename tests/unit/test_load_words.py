"""What kind of run it was: what was asked for, however far it came, on the page, the terminal and in `summary.md`."""

import pytest

from tests.support.golden import result_of
from tests.support.past_runs import MS, SECOND, PastRun
from tests.support.standing_server import ran
from tfsload.analysis.limit import Ending, SearchResult
from tfsload.records.level import Level
from tfsload.report import markdown, terminal
from tfsload.report.load import load
from tfsload.report.page.first_screen import first_screen
from tfsload.report.page.page import render
from tfsload.report.sweep_answer import sweep_answer

# How far a run came: to its end, into its first part, or not so far.
DONE, IN_THE_FIRST, BEFORE = "done", "stopped in the first part", "stopped before it"


def sweep(how):
    past = PastRun({"sweep": "1,2,4"})
    if how == DONE:
        for number, users in enumerate((1, 2, 4), 1):
            past.close_level(number, users, 8.0)
        return past
    past.results.n_levels_left = 3
    if how == IN_THE_FIRST:
        begin_ns = past.hold(Level(1, 1, None, 2.0, 10.0))
        for n in range(800):
            past.fire(n, begin_ns + n * 5 * MS, past.jitter(5 * MS))
        past.runs.clear()
    return past


def rates(how):
    past = PastRun({"rate": "100,200"})
    past.results.n_levels_left = 0 if how == DONE else 2
    if how != BEFORE:
        past.open_level(1, 100.0, 4.0)
    if how == IN_THE_FIRST:
        past.runs.clear()
    if how == DONE:
        past.open_level(2, 200.0, 4.0)
    return past


def search(how):
    past = PastRun({"find_max_rate": "100:400", "threshold": "p99 < 50ms"})
    ending = Ending.ALL_HOLD if how == DONE else Ending.STOPPED
    held = 400.0 if how == DONE else None
    n_probes = int(how == DONE)
    past.search = SearchResult(ending, held, held, None, (), n_probes, low_rps=100, high_rps=400, max_probes=12)
    if how != BEFORE:
        past.open_level(1, 400.0, 4.0, is_probe=True)
    if how == IN_THE_FIRST:
        past.runs.clear()
    return past


def each_once(how):
    past = PastRun({"num_tests": "1000"})
    n = {DONE: 1000, IN_THE_FIRST: 80, BEFORE: 0}[how]
    for image in range(n):
        past.fire(image, SECOND + image * MS, past.jitter(3 * MS))
    past.results.n_requests, past.results.n_done = 1000, n
    return past


def plain(how):
    past = PastRun({}, run_time=ran(60.0 if how == DONE else 1.25, 60.0))
    for n in range(0 if how == BEFORE else 80):
        past.fire(n, SECOND + n * MS, past.jitter(3 * MS))
    return past


KINDS = {
    "sweep": (sweep, "sweep of 1, 2, 4 users · 10 s each"),
    "rates": (rates, "rates of 100, 200 requests/s · 10 s each"),
    "search": (search, "search from 100 to 400 requests/s"),
    "each-once": (each_once, "1,000 images, each once · 10 users"),
    "plain": (plain, "10 users"),
}
HAVE_LEVELS = ("sweep", "rates", "search")


@pytest.mark.parametrize("how", [DONE, IN_THE_FIRST, BEFORE])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_called_what_it_was_asked_to_be(kind, how):
    make, told = KINDS[kind]
    result = result_of(make(how).end())
    shown, page = first_screen(result), render(result)
    text = terminal.render(result)

    assert load(result).startswith(told)
    assert load(result) in shown.context
    assert load(result) in page
    assert markdown.text(load(result)) in markdown.write(result)
    # Where the table of levels has not all of it, the terminal says so in a line.
    assert (f"load         {told}" in text) is (kind in HAVE_LEVELS and how != DONE)
    assert ("Does the server run in parallel?" in page) is (kind == "sweep")


@pytest.mark.parametrize("how", [IN_THE_FIRST, BEFORE])
def test_a_sweep_that_was_stopped_in_its_first_level_says_that_it_cannot_tell(how):
    result = result_of(sweep(how).end())

    assert sweep_answer(result) == "Cannot tell: the sweep was not run to its end."
    assert sweep_answer(result) in terminal.render(result)


def test_a_figure_that_supports_no_verdict_is_marked_so_in_words_and_by_its_looks():
    page = render(result_of(sweep(IN_THE_FIRST).end()))

    assert page.count('<strong title="This run supports no verdict on it">?</strong>') == 2
    assert ".cards .is-invalid .figure strong { color: var(--invalid); font-weight: 400; }" in page
