"""The pages of a session's runs in a real browser: what is seen first, and what stays in sight."""

import contextlib
import dataclasses
import itertools

import pytest
from selenium.webdriver.common.by import By

from tests.support.browser import CHROMIUM, DRIVER, wait_for
from tests.support.page_runs import page_run
from tests.support.run_pages import client_of, draw_page, in_one_file
from tfsload.report.standing import Begun, LevelPlace, Standing
from tfsload.webui.run_view import RunView
from tfsload.webui.session_runs import SessionRuns

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and its driver")

WIDTHS_PX = pytest.mark.parametrize("width_px", [1280, 400, 320])
# Where something lies in the window, and whether nothing lies over its middle.
PLACE = """
const box = arguments[0].getBoundingClientRect();
const seen = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
return [box.top, box.bottom, innerHeight, arguments[0].contains(seen)];
"""
# Of each row of a table, from where to where the words in its cells go.
EXTENTS = """
return [...document.querySelectorAll("table.runs tr")].map(row => [...row.cells].map(cell => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    const boxes = [...range.getClientRects()].filter(box => box.width);
    return [Math.min(...boxes.map(box => box.left)), Math.max(...boxes.map(box => box.right))];
}));
"""
SIDEWAYS = "const box = document.querySelector('.scroll'); return box.scrollWidth - box.clientWidth;"
SWEEP = "sweep of 1, 2, 4, 8, 16, 32 users · 10 s each · 64 images a request"


@contextlib.contextmanager
def session(*kinds):
    """Have runs that have ended, one a kind."""
    runs = SessionRuns(draw_page)
    for kind in kinds:
        runs.begin({"sweep": "1,2"})
        runs.conclude(page_run(kind))
        runs.make_files()
    try:
        yield runs
    finally:
        runs.close()


def live_html():
    """Return the page of a run under way, some levels of which have ended."""
    result = page_run("sweep")
    place = LevelPlace(4, 4, False, "8 users")
    view = RunView(lambda: Standing(5.0, 12.0, 2.0, None, place, levels_done=3, has_levels=True))
    view.begin(Begun("mnist, version 1", "127.0.0.1:8500 · gRPC", SWEEP, tuple(one.name for one in result.levels)))
    view.renew(dataclasses.replace(result, levels=result.levels[:3]))
    with session() as runs:
        runs.begin({})
        return in_one_file(client_of(runs, view), "/tfsload/runs/1")


@WIDTHS_PX
def test_a_run_that_has_ended_shows_its_verdict_before_its_files(page, width_px):
    with session("thresholds") as runs:
        page.show(in_one_file(client_of(runs), "/tfsload/runs/1"), width_px)
    verdict, files = (page.driver.find_element(By.CSS_SELECTOR, one) for one in ("#verdict", ".files"))

    assert verdict.text.startswith("THRESHOLD CROSSED")
    assert verdict.location["y"] < 330
    assert files.location["y"] > verdict.location["y"]
    assert page.too_wide == []
    assert page.accessibility_faults == []


@WIDTHS_PX
def test_stop_stays_in_sight_however_far_the_page_is_scrolled(page, width_px):
    page.show(live_html(), width_px)
    button = page.driver.find_element(By.CSS_SELECTOR, "button.danger")
    bar = page.driver.find_element(By.CSS_SELECTOR, ".stays")
    end = page.driver.execute_script("return document.getElementById('live').getBoundingClientRect().bottom")
    seen = []
    for y in (0, 400, end // 2, end - 700):
        page.driver.execute_script("scrollTo(0, arguments[0])", y)
        seen.append(page.driver.execute_script(PLACE, button))

    assert end > 2000
    assert [one for one in seen if not (0 <= one[0] < one[1] <= one[2] and one[3])] == []
    assert bar.size["height"] < 90  # most of a phone is left for what is read
    assert page.too_wide == []
    assert page.accessibility_faults == []


def test_what_a_link_leads_to_is_not_below_what_stays(page):
    page.show(live_html(), 400)
    page.driver.execute_script("location.hash = '#answers'")
    heading = page.driver.find_element(By.ID, "answers")

    assert page.driver.execute_script(PLACE, heading)[3]


def test_the_list_of_runs_has_room_between_its_columns_and_shows_all_of_them(page):
    kinds = ("thresholds", "sweep", "many", "endless", "search", "refused")
    with session(*kinds) as runs:
        runs.last.came_to = dataclasses.replace(runs.last.came_to, load=SWEEP)
        page.show(in_one_file(client_of(runs), "/tfsload/runs/"), 1280)
    rows = page.driver.execute_script(EXTENTS)
    gaps = [right[0] - left[1] for row in rows for left, right in itertools.pairwise(row) if None not in left + right]

    assert len(rows) == 1 + len(kinds)
    assert min(gaps) >= 20
    assert page.driver.execute_script(SIDEWAYS) == 0
    assert page.accessibility_faults == []


# Of each run in the list how high its row is, and whether all its cells are seen beside or below one another.
ROWS = """
return [...document.querySelectorAll("table.runs tbody tr")].map(row => {
    const boxes = [...row.cells].filter(cell => cell.innerText.trim()).map(cell => cell.getBoundingClientRect());
    const meets = boxes.some((one, index) => boxes.slice(index + 1).some(other => one.left < other.right - 0.5
        && other.left < one.right - 0.5 && one.top < other.bottom - 0.5 && other.top < one.bottom - 0.5));
    const isSeen = boxes.every(box => box.width && box.left >= 0 && box.right <= innerWidth);
    return [row.getBoundingClientRect().height, isSeen && !meets];
});
"""


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width_px", [400, 320])
def test_on_a_phone_each_run_of_the_list_is_some_lines_and_nothing_is_scrolled_to(page, width_px, is_dark):
    with session("thresholds", "sweep", "endless", "search", "refused") as runs:
        runs.last.fields = {"note": "commit=1a2b3c4", "threshold": "p99 < 50ms", "connections": "4"}
        runs.begin({"connections": "1", "dataset": "x" * 300, "note": "why=" + "w" * 300})
        page.show(in_one_file(client_of(runs), "/tfsload/runs/"), width_px, is_dark)
    rows = page.driver.execute_script(ROWS)

    assert len(rows) == 6
    assert [seen for _, seen in rows] == [True] * 6
    assert max(height for height, _ in rows) < 230
    assert page.driver.execute_script(SIDEWAYS) == 0
    assert page.too_wide == []
    assert page.accessibility_faults == []


@WIDTHS_PX
def test_what_is_not_there_is_a_page_with_ways_back(page, width_px):
    with session("demo") as runs:
        page.show(in_one_file(client_of(runs), "/tfsload/runs/999"), width_px)

    assert "There is no run 999" in page.driver.find_element(By.TAG_NAME, "main").text
    assert [one.text for one in page.driver.find_elements(By.CSS_SELECTOR, "main a")] == [
        "Runs of this session",
        "Start a run",
    ]
    assert page.too_wide == []
    assert page.accessibility_faults == []


# Of each table that is not folded whether it goes on beyond its card, whether it says so, and whether keys reach it.
HINTS = """
return [...document.querySelectorAll(".scroll")].filter(box => box.checkVisibility()).map(box => {
    const hint = getComputedStyle(box, "::before");
    return [box.scrollWidth > box.clientWidth, hint.visibility === "visible", box.tabIndex];
});
"""
SCROLL = "document.querySelectorAll('.scroll').forEach(box => { box.scrollLeft = arguments[0] ? box.scrollWidth : 0; })"


@pytest.mark.parametrize(
    ("path", "width_px"), [("/tfsload/runs/", 400), ("/tfsload/runs/", 1280), ("/tfsload/runs/2", 400)]
)
def test_a_table_that_goes_on_beyond_its_card_says_so_until_its_end(page, path, width_px):
    with session("thresholds", "sweep") as runs:
        page.show(in_one_file(client_of(runs), path), width_px)
    wait_for(  # what hangs on how far something is scrolled is known a picture later
        page.driver,
        lambda: all(goes_on == told for goes_on, told, _ in page.driver.execute_script(HINTS)),
        "a hint at each table that goes on, and at no other",
    )
    hints = page.driver.execute_script(HINTS)
    page.driver.execute_script(SCROLL, True)
    wait_for(
        page.driver, lambda: not any(told for _, told, _ in page.driver.execute_script(HINTS)), "no hint at the end"
    )

    assert hints
    assert {index for *_, index in hints} == {0}
    assert any(goes_on for goes_on, *_ in hints) is path.endswith("/2")  # on a phone the list is no table
    assert page.accessibility_faults == []
