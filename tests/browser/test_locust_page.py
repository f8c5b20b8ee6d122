"""Locust's own page in a real browser: the bar above it, and the suite's tabs in it."""

import json

import pytest
from selenium.webdriver.common.by import By

from tests.support import browser
from tests.support.hostile import MARKUP
from tests.support.locust_tables import ACCURACY, LEVELS, class_figures, level_figures, state_of
from tests.support.web_ui import LEVEL, UNSET, web_ui_of

pytestmark = pytest.mark.skipif(
    not (browser.CHROMIUM and browser.DRIVER), reason="needs chromium and chromium-driver (Debian's packages)"
)


@pytest.fixture(scope="module")
def driver():
    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def served(tmp_path_factory, model_server):
    with web_ui_of(tmp_path_factory.mktemp("page"), "--host", model_server.address) as ui:
        yield ui


@pytest.fixture
def page(driver, served):
    """Locust's page; a run that a test leaves behind goes on in no other."""
    yield Page(driver, served.url)
    if json.loads(served.get("/tfsload/bar.json"))["link"].startswith("Watch"):
        served.stop()
        served.wait_for_end()


class Page(browser.LocustPage):
    """Locust's page with what the suite has put there."""

    def part(self, name):
        """Return what a part of the bar says; empty: it is not to be seen."""
        return self.driver.find_element(By.CSS_SELECTOR, f'#tfsload-bar [data-part="{name}"]').text

    def await_state(self, *states):
        self.wait(lambda: self.part("state") in states, f"the bar to say one of {states}")
        return self.part("state")

    def await_end(self):
        self.wait(lambda: self.part("link").startswith("Report of run"), "the bar to lead to the report")

    def table(self):
        """Return the rows of the tab that is open, by heading."""
        headings, *rows = [
            [cell.text.replace("\u00a0", " ") for cell in row.find_elements(By.CSS_SELECTOR, "th, td")]
            for row in self.driver.find_elements(By.CSS_SELECTOR, "#root table tr")
        ]
        return [dict(zip(headings, row, strict=True)) for row in rows]


def figures(rows, *headings):
    return [[row[heading].partition(" (")[0] for heading in headings] for row in rows]


@pytest.mark.timing
def test_a_sweep_is_told_by_the_bar_and_the_tabs_and_a_reload_keeps_it(page, served):
    page.load()
    assert page.part("state") == "Nothing under way"
    page.start(sweep="1,2", levelDuration="1", warmUp="0.2")
    page.await_state("Running")
    assert page.part("note").startswith("Locust's own totals below include warm-ups")
    page.press("Levels")
    page.wait(lambda: any(row["state"] == "under way" for row in page.table()), "a level under way")
    page.await_end()
    page.wait(lambda: page.status == "STOPPED", "the end of the run")
    written = json.loads(served.get("/tfsload/runs/1/files/result.json"))
    levels = page.table()
    page.press("Accuracy")
    classes = page.wait(page.table, "the table of classes")

    assert page.part("state") == levels[0]["state"] == state_of(written)
    headings = ("level", "requests/s", "p50 ms", "p90 ms", "p99 ms", "error rate", "wrong", "failed")
    assert figures(levels[1:], *headings) == level_figures(written)
    headings = ("class", "images", "right", "wrong", "recall (of a class)", "precision (of a class)")
    assert figures(classes[1:], *headings) == class_figures(written)
    for tab, before in ((LEVELS, levels), (ACCURACY, classes)):
        page.load(f"&tab={tab}")
        assert page.part("state") == state_of(written)
        assert page.wait(lambda: len(page.table()) > 1 and page.table(), "the table") == before


# Of the table that is open the highest row, how far it can be scrolled, and whether it says so.
TABLE = """
const box = document.querySelector("#root table").parentElement;
return [Math.max(...[...box.querySelectorAll("tr")].map(row => row.getBoundingClientRect().height)),
    box.scrollWidth - box.clientWidth, getComputedStyle(box, "::before").visibility === "visible"];
"""


@pytest.mark.timing
@pytest.mark.parametrize(("width", "highest"), [pytest.param(400, 130, id="phone"), pytest.param(1280, 150, id="wide")])
def test_rows_of_the_tabs_stay_low_and_what_lies_beyond_is_told(driver, page, served, width, highest):
    assert served.start(**{**UNSET, "sweep": "1,2", "level_duration": "1", "threshold": "p99 < 0.01ms"})["success"]
    served.wait_for_end()
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    page.load(f"&tab={LEVELS}")
    page.wait(lambda: "p99 < 0.01 ms" in page.text.replace("\u00a0", " "), "the levels")
    height, beyond, is_told = driver.execute_script(TABLE)
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    assert height < highest
    assert (beyond > 0) is is_told is (width == 400)


def test_a_refused_edit_closes_its_dialog_and_is_told_in_the_bar(page, served):
    assert served.start(**{**UNSET, "sweep": "2", "level_duration": "30"})["success"]
    page.load()
    page.wait(lambda: page.status == "RUNNING", "the run")
    page.press("Edit")
    page.fill(userCount="9")
    page.press("Update")

    refusal = page.wait(lambda: page.part("refused"), "the refusal")
    assert refusal == "Not changed: a run is under way, and its levels say how many users there are"
    assert page.driver.find_elements(By.CSS_SELECTOR, "[role=presentation]") == []
    assert page.part("state") == "Running"
    page.press("Logs")
    page.wait(lambda: refusal in page.log, "the refusal in the log")


@pytest.mark.parametrize("width_px", [400, 1280])
def test_a_long_refusal_leaves_locusts_page_in_reach(driver, page, served, width_px):
    wrong = {"sweep": "0", "deadline": "x" * 60, "seed": "y" * 60, "threshold": "z" * 90, "verify": "-" * 60}
    served.start(**{**UNSET, **wrong})
    metrics = {"width": width_px, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.load()
        page.wait(lambda: page.part("refused"), "the refusal")
        height_px, said = driver.execute_script(
            "const bar = document.getElementById('tfsload-bar');"
            "const said = bar.querySelector('[data-part=refusal]');"
            "return [bar.offsetHeight, [said.scrollHeight > said.clientHeight, said.tabIndex, said.innerText]]"
        )
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        served.start(**{**UNSET, "num_tests": "5"})
        served.wait_for_end()

    assert height_px < 350
    assert (said[0], said[1]) == ((True, 0) if width_px == 400 else (False, -1))
    assert "--verify" in said[2]  # to be scrolled to, and whole


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        pytest.param("modelName", "Not started: the server at", id="model-name"),
        pytest.param("threshold", "Not started: --threshold", id="threshold"),
    ],
)
def test_hostile_text_in_a_refusal_stays_text(page, name, begins):
    page.load()
    page.start(**{"sweep": "", "numTests": "10", name: MARKUP})
    page.wait(lambda: page.part("refused").startswith(begins), "the refusal")
    refusal = page.part("refused")
    page.load()

    assert MARKUP in refusal
    assert page.part("refused") == refusal
    assert page.driver.find_elements(By.CSS_SELECTOR, "#tfsload-bar img") == []


def test_below_a_base_path_the_bar_is_kept_up_to_date_by_its_script(driver, tmp_path, model_server):
    arguments = ("--host", model_server.address, "--web-base-path", "/load")
    with web_ui_of(tmp_path, *arguments, up_path="/load/") as ui:
        page = Page(driver, f"{ui.url}/load")
        page.load()
        before = page.part("state")
        form = b"user_count=2&spawn_rate=2&num_tests=50"
        reply = ui.ask("POST", "/load/swarm", form.decode())
        page.await_end()
        link = driver.find_element(By.CSS_SELECTOR, '#tfsload-bar [data-part="link"]').get_attribute("href")
        noted = [one["message"] for one in driver.get_log("browser") if one["level"] == "SEVERE"]

    assert before == "Nothing under way"
    assert json.loads(reply.body)["success"]
    assert link == f"{ui.url}/load/tfsload/runs/1"
    assert noted == []


def test_with_the_class_picker_locusts_form_starts_a_sweep(driver, tmp_path, model_server):
    locustfile = tmp_path / "of_one_protocol.py"  # its form picks all classes by itself
    locustfile.write_text("from tests.support.locustfiles.observed import GrpcPredictionUser\n")
    with web_ui_of(tmp_path / "run", "--host", model_server.address, "--class-picker", locustfile=locustfile) as ui:
        page = Page(driver, ui.url)
        page.load()
        page.start(sweep="1,2", levelDuration=LEVEL["level_duration"], warmUp=LEVEL["warm_up"])
        page.await_end()
        page.load(f"&tab={LEVELS}")
        levels = page.wait(lambda: len(page.table()) > 1 and page.table(), "the table of levels")

    assert [name for (name,) in figures(levels, "level")] == ["all levels together", "1 user", "2 users"]
