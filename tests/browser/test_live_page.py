"""The page of a run that goes on, in a real browser: what it shows is what the server tells, and then the report."""

import json
import re

import pytest
from selenium.webdriver.common.by import By

from tests.support import browser
from tests.support.axe import accessibility_faults
from tests.support.web_ui import UNSET, web_ui_of

pytestmark = [
    pytest.mark.skipif(
        not (browser.CHROMIUM and browser.DRIVER), reason="needs chromium and chromium-driver (Debian's packages)"
    ),
    pytest.mark.timing,
]
# Keeps what the page was told, by its number.
RECORD = """
window.toldBySequence = {};
const fetched = window.fetch;
window.fetch = async (...given) => {
  const reply = await fetched(...given);
  reply.clone().json().then(told => { if (told.words) { window.toldBySequence[told.sequence] = told; } }, () => {});
  return reply;
};
"""
SHOWN = """
const live = document.getElementById("live");
if (!live || !live.dataset.sequence) { return null; }
const of = id => document.getElementById(id).textContent;
return {
  told: window.toldBySequence[live.dataset.sequence],
  words: {state: of("state"), left: of("left"), who: of("who"), trouble: of("trouble"), title: document.title},
  cards: [0, 1, 2].map(card => ["title", "value", "unit", "below"].map(
    part => live.querySelector(`[data-card="${card}"][data-part="${part}"]`).textContent)),
  steps: [...live.querySelectorAll(".steps li")].map(one => [one.className, one.textContent.trim()]),
  levelsSequence: Number(live.dataset.levelsSequence ?? 0),
  rows: [...live.querySelectorAll("#levels-so-far table")].slice(0, 1).flatMap(
    table => [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent.trim()))),
  charts: [...live.querySelectorAll("[data-chart]")].map(
    one => [one.dataset.chart, one.querySelectorAll("svg").length]),
  sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
};
"""


# Keeps each picture that the page gives of the run, also of pages that are loaded in its place.
KEEP_PICTURES = """
const kept = () => JSON.parse(sessionStorage.getItem("pictures") ?? "[]");
const keep = () => {
  const state = document.getElementById("state");
  const table = document.querySelector("#levels-so-far table");
  const picture = JSON.stringify({
    title: document.title,
    state: state?.textContent ?? null,
    canStop: document.querySelector("button.danger") !== null,
    verdict: document.querySelector("h2.state")?.textContent.trim() ?? null,
    steps: [...document.querySelectorAll(".steps li")].filter(one => one.className === "is-done").length,
    measured: table ? [...table.tBodies[0].rows].filter(row => !/under way|to come/.test(row.textContent)).length : 0,
  });
  const all = kept();
  if (document.body && document.readyState !== "loading" && all.at(-1) !== picture) {
    sessionStorage.setItem("pictures", JSON.stringify([...all, picture]));
  }
  requestAnimationFrame(keep);
};
keep();
"""


# Charts of which nothing is seen.
UNDRAWN = """
return [...document.querySelectorAll(".chart")].filter(
  chart => ![...chart.querySelectorAll("svg[role=img]")].some(svg => svg.getBoundingClientRect().height > 50)
).map(chart => chart.id);
"""


@pytest.fixture(scope="module")
def driver():
    with browser.chromium() as started:
        started.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": RECORD})
        yield started


@pytest.fixture(scope="module")
def served(tmp_path_factory, model_server):
    with web_ui_of(tmp_path_factory.mktemp("live"), "--host", model_server.address, is_drawn=True) as ui:
        yield ui


@pytest.fixture
def page(driver, served):
    return browser.Page(driver, served.url)


def begin(ui, page, **fields):
    """Start a run, and go to its page."""
    assert ui.start(**{**UNSET, **fields})["success"]
    page.open("/tfsload/runs/live")
    page.wait(lambda: page.driver.find_elements(By.ID, "live"), "the page of the run")


def shown(page):
    return page.driver.execute_script(SHOWN)


def wait_for_the_report(page):
    return page.wait(lambda: page.driver.find_elements(By.ID, "repeat"), "the report")


def wait_for_a_level(page):
    """Wait until the page shows what the first level came to."""
    return page.wait(lambda: (seen := shown(page)) and seen["levelsSequence"] and seen, "what the first level came to")


def is_measuring(seen):
    return seen and "measuring" in seen["words"]["left"]


def assert_as_told(seen):
    """Hold what the page shows against what the server told under the same number."""
    words = seen["told"]["words"]
    assert seen["words"] == {name: words[name] for name in seen["words"]}
    assert seen["cards"] == [[card[part] for part in ("title", "value", "unit", "below")] for card in words["cards"]]


def test_a_sweep_is_watched_level_by_level_until_its_report_comes_by_itself(driver, served, page):
    begin(served, page, sweep="1,2,3", level_duration="4", warm_up="0.5")
    first = page.wait(
        lambda: (seen := shown(page)) and "measuring" in seen["words"]["left"] and seen, "the first level"
    )
    assert_as_told(first)
    second = page.wait(
        lambda: (seen := shown(page)) and seen["levelsSequence"] and seen, "what the first level came to"
    )
    assert_as_told(second)
    driver.refresh()
    reloaded = wait_for_a_level(page)
    assert_as_told(reloaded)
    run_page = driver.current_url
    wait_for_the_report(page)
    result = json.loads(served.get(run_page.removeprefix(served.url) + "/files/result.json"))
    rows = [one.text.split() for one in driver.find_elements(By.CSS_SELECTOR, "#levels + .card tbody tr")]

    assert first["rows"] == []
    assert [name for _, name in first["steps"]] == ["1 user", "2 users", "3 users"]
    assert second["steps"][0][0] == "is-done"
    assert [row[:2] for row in second["rows"]][1:] == [["2 users", "under way"], ["3 users", "to come"]]
    assert second["charts"]
    assert {n_drawings for _, n_drawings in second["charts"]} == {1}
    assert reloaded["rows"][0] == second["rows"][0]
    assert driver.current_url == run_page
    assert [row[0] for row in rows] == [str(level["users"]) for level in result["levels"]]
    shown_rps = next(text for text in second["rows"][0][2:])
    assert float(shown_rps.replace(",", "")) == pytest.approx(result["levels"][0]["achieved_rps"], rel=0.005)
    assert page.complaints == []


def test_no_part_of_the_page_says_that_a_level_or_the_run_is_over_while_another_does_not(driver, served, page):
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": KEEP_PICTURES})
    begin(served, page, sweep="1,2", level_duration="2", warm_up="0.2")
    driver.execute_script("sessionStorage.setItem('pictures', '[]')")
    wait_for_the_report(page)
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    kept = [json.loads(one) for one in json.loads(driver.execute_script("return sessionStorage.getItem('pictures')"))]
    live = [one for one in kept if one["state"] is not None]
    ended = kept[len(live) :]

    assert {one["steps"] for one in live} >= {0, 1}
    assert all(one["steps"] == one["measured"] for one in live)
    assert all(one["title"] == f"{one['state']} · tfsload" for one in live)
    assert all(re.match("Running|Ending", one["state"]) and one["canStop"] for one in live)
    assert {one["verdict"] for one in live} == {None}
    assert ended, kept
    assert all(one["state"] is None and not one["canStop"] for one in ended)
    assert all(one["verdict"].startswith(one["title"].partition(" · ")[0][2:]) for one in ended)
    assert kept == live + ended


def test_stop_ends_the_run_and_leads_to_its_report(driver, served, page):
    begin(served, page)
    page.wait(lambda: (seen := shown(page)) and seen["cards"][0][1] != "–" and seen, "something counted")
    page.press("Stop the run")
    wait_for_the_report(page)

    assert "images" in driver.page_source
    assert re.match(r"[✓?✗↑] ", driver.title)
    assert page.complaints == []


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        pytest.param(1280, "dark", id="dark"),
        pytest.param(400, "light", id="phone"),
        pytest.param(320, "light", id="narrowest"),
    ],
)
def test_nothing_stands_in_anybodys_way(driver, served, page, width, scheme):
    begin(served, page, sweep="1,2", level_duration="6", warm_up="0.2")
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    seen = wait_for_a_level(page)
    under_way = accessibility_faults(driver)
    wait_for_the_report(page)
    sideways = driver.execute_script("return document.documentElement.scrollWidth - innerWidth")
    ended = accessibility_faults(driver)
    undrawn = driver.execute_script(UNDRAWN)
    page.open("/tfsload/runs/")
    listed = accessibility_faults(driver)
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    assert [*under_way, *ended, *listed] == []
    assert undrawn == []
    assert (seen["sideways"], max(sideways, 0)) == (0, 0)
