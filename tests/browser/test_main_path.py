"""From the form to the files and back, as a person goes: alone, with processes of its own, below a base path."""

import contextlib
import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.support import browser
from tests.support.runs import free_port, locust, wait_until
from tests.support.web_ui import web_ui_of

pytestmark = [
    pytest.mark.skipif(
        not (browser.CHROMIUM and browser.DRIVER), reason="needs chromium and chromium-driver (Debian's packages)"
    ),
    pytest.mark.timing,
]


@pytest.fixture(scope="module")
def driver():
    with browser.chromium() as started:
        yield started


def fill(page, **fields):
    for name, text in fields.items():
        field = page.wait(lambda name=name: page.driver.find_element(By.NAME, name), f"a field {name!r}")
        field.clear()
        field.send_keys(text)


def wait_for_the_report(page, n_runs_before):
    """Wait for the report of the next run; return its address."""
    address = f"/tfsload/runs/{n_runs_before + 1}"
    page.wait(
        lambda: page.driver.current_url.endswith(address) and page.driver.find_elements(By.ID, "repeat"),
        "the run, and then its report",
    )
    return page.driver.current_url


def downloads(page, ui):
    """Return what the files hold that the page leads to, by name."""
    links = page.driver.find_elements(By.CSS_SELECTOR, ".files a")
    return {link.text: ui.get(link.get_attribute("href").removeprefix(ui.url)) for link in links}


@contextlib.contextmanager
def master_with_workers(directory, *arguments, **options):
    """Start a web UI's master, and two workers."""
    port = str(free_port())
    of_master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    of_worker = ("--worker", "--master-host", "127.0.0.1", "--master-port", port)
    with contextlib.ExitStack() as stack:
        ui = stack.enter_context(web_ui_of(directory / "master", *of_master, *arguments, **options))
        for number in range(2):
            stack.enter_context(locust(directory / f"worker{number}", *of_worker))
        wait_until(lambda: json.loads(ui.get("/worker-count"))["worker_count"] == 2, "both workers")
        yield ui


@pytest.mark.parametrize(
    ("started", "arguments", "base"),
    [
        pytest.param(web_ui_of, (), "", id="one-process"),
        pytest.param(web_ui_of, ("--processes", "2"), "", id="two-processes"),
        pytest.param(web_ui_of, ("--web-base-path", "/below"), "/below", id="base-path"),
        pytest.param(master_with_workers, (), "", id="master-and-workers"),
    ],
)
def test_form_run_report_files_again_and_list(driver, tmp_path, model_server, started, arguments, base):
    with started(
        tmp_path, "--host", model_server.address, *arguments, up_path=f"{base}/?locust=1", is_drawn=True
    ) as ui:
        page = browser.Page(driver, ui.url + base)
        page.open("/")
        fill(page, sweep="1,2", level_duration="2", warm_up="0.5", threshold="error_rate < 50%")
        page.press("Start")
        page.wait(lambda: driver.find_elements(By.ID, "live"), "the page of the run")
        first = wait_for_the_report(page, 0)
        files = downloads(page, ui)
        result = json.loads(files["result.json"])
        driver.refresh()
        after_reload = driver.find_element(By.ID, "verdict").text
        page.press("Run again")
        second = wait_for_the_report(page, 1)
        again = json.loads(downloads(page, ui)["result.json"])
        driver.back()
        page.open("/tfsload/runs/")
        listed = [one.get_attribute("href") for one in driver.find_elements(By.CSS_SELECTOR, "tbody th a")]
        page.open("/tfsload/runs/2")
        page.press("Change and run again")
        changed = page.wait(lambda: driver.find_element(By.NAME, "sweep"), "the form").get_attribute("value")

        assert [level["users"] for level in result["levels"]] == [1, 2]
        assert "report.html" in files
        assert files["levels.csv"].count("\n") == 3
        assert after_reload.split()[0] in ("PASS", "INVALID")
        asked = {name: result["asked"]["options"][name] for name in ("sweep", "level_duration", "warm_up", "threshold")}
        assert asked.items() <= again["asked"]["options"].items()
        assert listed == [second, first]
        assert changed == "1,2"
        assert page.complaints == []


def test_the_keyboard_alone_gets_from_the_form_to_the_files(driver, tmp_path, model_server):
    with web_ui_of(tmp_path, "--host", model_server.address, up_path="/?locust=1", is_drawn=True) as ui:
        page = browser.Page(driver, ui.url)
        page.open("/")
        fill(page, sweep="1", level_duration="1", warm_up="0.2")
        press_from_the_top(page, lambda one: one.text.strip() == "Start", Keys.ENTER)
        wait_for_the_report(page, 0)
        reached = press_from_the_top(page, lambda one: one.text.strip() == "result.json", "")

    assert reached.get_attribute("href").endswith("/files/result.json")


def press_from_the_top(page, is_it, key, n_most=80):
    """Go from field to field until one is found, and press a key there; return it."""
    page.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.HOME)
    page.driver.execute_script("document.activeElement.blur()")
    for _ in range(n_most):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        found = page.driver.switch_to.active_element
        if is_it(found):
            if key:
                found.send_keys(key)
            return found
    raise AssertionError(f"not within reach of {n_most} tabs")
