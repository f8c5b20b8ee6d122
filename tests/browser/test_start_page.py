"""The start page in a real browser: what is seen of it, by the keyboard alone, without scripts, and by whom."""

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.support.browser import CHROMIUM, DRIVER, LIMIT_S, chromium
from tests.support.report_page import ReportPage
from tests.support.start_page import SHORT_SWEEP, send
from tfsload.webui.load_kinds import FIELDS, KINDS

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and its driver")

LOOKS = {
    "wide": {"width": 1280},
    "phone": {"width": 400},
    "narrow": {"width": 320},
    "dark": {"width": 1280, "is_dark": True},
}


@pytest.fixture(scope="module")
def driver():
    with chromium() as started:
        yield started


@pytest.fixture
def page(driver, ui, tmp_path):
    look(driver)
    driver.get(ui.url + "/tfsload/")
    return ReportPage(driver, tmp_path)


def look(driver, width=1280, is_dark=False):
    """Look through a window of that width."""
    features = [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get_log("browser")  # of the page before


def field(driver, name):
    return driver.find_element(By.ID, f"f-{name}")


def fill(driver, **fields):
    for name, text in fields.items():
        field(driver, name).clear()
        field(driver, name).send_keys(text)


def press(driver, button):
    """Press a button, and wait for the next page."""
    found = driver.find_element(By.CSS_SELECTOR, f"button[value={button}]")
    found.click()
    WebDriverWait(driver, LIMIT_S).until(lambda _: _is_gone(found))


def _is_gone(element):
    try:
        element.is_enabled()
    except Exception:  # whatever a driver says of what is no more
        return True
    return False


def unfold(driver):
    for one in driver.find_elements(By.CSS_SELECTOR, "details:not([open]) > summary"):
        one.send_keys(Keys.ENTER)


def focused(driver):
    return driver.switch_to.active_element


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
@pytest.mark.usefixtures("page")
def test_a_kind_of_load_shows_its_own_fields_only(driver, kind):
    driver.find_element(By.ID, f"load-{kind.key}").click()
    seen = [name for name in FIELDS if field(driver, name).is_displayed()]
    sentences = [one.text for one in driver.find_elements(By.CSS_SELECTOR, ".says") if one.is_displayed()]
    label = driver.find_element(By.CSS_SELECTOR, "label[for=f-user_count]")

    assert sorted(seen) == sorted(kind.fields)
    assert sentences == [kind.says]
    assert field(driver, kind.fields[0]).get_attribute("value")
    if "user_count" in seen:
        assert label.text == ("Most in flight" if kind.key in ("rates", "search") else "Users")
        assert field(driver, "user_count").accessible_name == label.text


@pytest.mark.timing
def test_a_person_starts_a_sweep_at_once_and_by_the_keyboard_alone(driver, ui):
    look(driver)
    n_before = ui.n_summaries()
    driver.get(ui.url + "/tfsload/")
    keys = ActionChains(driver)
    for _ in range(12):
        keys.send_keys(Keys.TAB).perform()
        if focused(driver).get_attribute("id") == "f-sweep":
            break
    for text in ("1,2", "1", "0.2"):
        keys.send_keys(text).perform()  # what a field holds is selected as the keyboard comes to it
        keys.send_keys(Keys.TAB).perform()
    field(driver, "warm_up").send_keys(Keys.ENTER)
    WebDriverWait(driver, LIMIT_S).until(lambda _: "/tfsload/runs/" in driver.current_url)
    ui.wait_for_end()

    assert ui.n_summaries() == n_before + 1
    summary = ui.summaries().split("Model mnist")[-1]
    assert "2 users" in summary
    assert "4 users" not in summary


@pytest.mark.timing
@pytest.mark.usefixtures("page")
def test_the_arrow_keys_choose_another_load(driver):
    driver.find_element(By.ID, "load-sweep").send_keys(Keys.ARROW_RIGHT)

    assert driver.find_element(By.ID, "load-rates").is_selected()
    assert field(driver, "rate").is_displayed()
    assert not field(driver, "sweep").is_displayed()


def test_what_would_tell_more_is_one_press_away_and_starts_nothing(driver, page, ui):
    send(ui, **{**SHORT_SWEEP, "sweep": "1"})
    ui.wait_for_end()
    n_summaries = ui.n_summaries()
    driver.get(ui.url + "/tfsload/runs/live")
    link = (By.LINK_TEXT, "Open the form with this change")
    WebDriverWait(driver, LIMIT_S).until(lambda _: driver.find_elements(By.ID, "repeat"))  # the report is drawn
    driver.find_element(*link).click()
    WebDriverWait(driver, LIMIT_S).until(lambda _: driver.find_elements(By.ID, "f-sweep"))

    assert field(driver, "sweep").get_attribute("value") == "1,2,4,8,1"
    assert field(driver, "sweep").accessible_name == "Users in flight"
    assert driver.find_element(By.ID, "f-sweep-was").text == "Changed; it was 1"
    assert "Users in flight: 1 → 1,2,4,8,1" in driver.find_element(By.ID, "changed-from").text
    for window in LOOKS.values():
        look(driver, **window)
        assert page.too_wide == []
        assert page.accessibility_faults == []
    assert ui.n_summaries() == n_summaries
    assert page.complaints == []


def test_start_is_seen_wherever_the_page_is_scrolled_to(driver, page):
    for width in (1280, 400):
        look(driver, width)
        for where in ("0", "document.body.scrollHeight / 2", "document.body.scrollHeight"):
            driver.execute_script(f"window.scrollTo({{top: {where}, behavior: 'instant'}})")
            box = driver.execute_script(
                "return document.querySelector('button[value=start]').getBoundingClientRect().toJSON()"
            )
            assert box["top"] >= 0
            assert box["bottom"] <= 900
    assert page.complaints == []


def test_what_was_typed_for_another_load_is_not_run(driver, page, ui):  # noqa: ARG001
    fill(driver, sweep="1,2,x")
    driver.find_element(By.ID, "load-images").click()
    fill(driver, num_tests="20")
    press(driver, "start")
    WebDriverWait(driver, LIMIT_S).until(lambda _: "/tfsload/runs/" in driver.current_url)
    ui.wait_for_end()

    assert "20 of 20 images" in ui.summaries().split("Model mnist")[-1]


def test_a_refusal_is_met_first_and_leads_to_each_field(driver, page):
    unfold(driver)
    fill(driver, deadline="never", sweep="x")
    Select(field(driver, "transport")).select_by_visible_text("grpcio")
    press(driver, "start")
    alert = driver.find_element(By.CSS_SELECTOR, "[role=alert]")
    met = focused(driver) == alert
    driver.find_element(By.CSS_SELECTOR, ".go").find_element(By.LINK_TEXT, "why").click()
    alert.find_element(By.LINK_TEXT, "Deadline, seconds").click()

    assert driver.title.startswith("Cannot start")
    assert met
    assert "Users in flight" in alert.text
    assert driver.execute_script("return document.querySelector(':target').id") == "f-deadline"
    assert field(driver, "deadline").is_displayed()
    assert field(driver, "deadline").get_attribute("value") == "never"
    assert "never" in driver.find_element(By.ID, "f-deadline-fault").text
    assert field(driver, "transport").get_attribute("value") == "grpcio"
    assert not [one for one in page.complaints if "422" not in one]


@pytest.mark.usefixtures("page")
def test_a_check_is_answered_beside_the_buttons(driver):
    press(driver, "check")
    said = driver.find_element(By.CSS_SELECTOR, ".go [role=status]")

    assert said.is_displayed()
    assert "5 levels · about 1 min" in said.text


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda driver: field(driver, "sweep").send_keys("0"), id="a-text"),
        pytest.param(lambda driver: field(driver, "threshold").send_keys("p99 < 1s"), id="lines"),
        pytest.param(lambda driver: driver.find_element(By.ID, "load-rates").click(), id="the-load"),
        pytest.param(lambda driver: field(driver, "hgrm").click(), id="a-box"),
        pytest.param(lambda driver: Select(field(driver, "transport")).select_by_index(1), id="a-drop-down"),
    ],
)
def test_what_check_found_is_of_what_was_checked(driver, page, edit):
    press(driver, "check")
    said, before = driver.find_element(By.CLASS_NAME, "go"), driver.title
    is_said = "It can start" in said.text
    unfold(driver)
    edit(driver)
    edited = said.text, driver.title
    driver.execute_script("document.querySelector('form.start').reset()")
    field(driver, "sweep").send_keys("1", Keys.BACK_SPACE)

    assert is_said
    assert before.startswith("Can start")
    assert "Changed since it was checked" in edited[0]
    assert "can start" not in edited[0].lower()
    assert "tell better" not in edited[0]
    assert edited[1].startswith("Start a run")
    assert "It can start" in said.text  # as it was checked, again
    assert page.complaints == []


@pytest.mark.timing
def test_a_page_that_the_browser_has_kept_says_that_a_run_is_under_way(driver, ui):
    look(driver)
    driver.get(ui.url + "/tfsload/")
    driver.find_element(By.ID, "load-plain").click()
    fill(driver, run_time="8s")
    press(driver, "check")
    checked = driver.find_element(By.CLASS_NAME, "go").text
    press(driver, "start")
    WebDriverWait(driver, LIMIT_S).until(lambda _: "/tfsload/runs/" in driver.current_url)
    driver.back()
    notice = WebDriverWait(driver, LIMIT_S).until(lambda _: driver.find_element(By.ID, "under-way"))
    WebDriverWait(driver, 5).until(lambda _: notice.is_displayed())
    go = driver.find_element(By.CLASS_NAME, "go")
    WebDriverWait(driver, 5).until(lambda _: "Not while a run is under way" in go.text)
    meanwhile = [one.is_enabled() for one in driver.find_elements(By.CSS_SELECTOR, ".go button")]
    said = go.text, driver.title
    ui.wait_for_end()
    WebDriverWait(driver, LIMIT_S).until(lambda _: not notice.is_displayed())

    assert meanwhile == [False, False]
    assert "It can start" in checked
    assert "can start" not in said[0].lower()
    assert said[1].startswith("Start a run")
    assert all(one.is_enabled() for one in driver.find_elements(By.CSS_SELECTOR, ".go button"))


@pytest.mark.parametrize("name", LOOKS)
def test_what_check_advises_is_seen_on_any_screen_and_leaves_room_for_the_fields(driver, page, name):
    look(driver, **LOOKS[name])
    before = driver.find_element(By.CSS_SELECTOR, ".go .hint")
    is_offered = before.is_displayed()
    press(driver, "check")
    advice = driver.find_element(By.CSS_SELECTOR, ".go .hint")
    driver.execute_script("arguments[0].scrollIntoView({block: 'nearest', behavior: 'instant'})", advice)
    box = driver.execute_script("return arguments[0].getBoundingClientRect().toJSON()", advice)

    assert is_offered
    assert "tell better whether the server runs in parallel" in advice.text
    assert 0 <= box["top"] < box["bottom"] <= 900
    assert driver.find_element(By.CSS_SELECTOR, ".go").size["height"] < 450
    assert page.too_wide == []
    assert page.accessibility_faults == []


@pytest.mark.parametrize("name", LOOKS)
def test_a_fault_of_two_fields_is_told_once_and_the_other_leads_there(driver, page, name):
    fill(driver, model_version="1", model_label="stable")
    press(driver, "start")
    look(driver, **LOOKS[name])
    told = [driver.find_element(By.ID, f"f-{one}-fault").text for one in ("model_version", "model_label")]
    link = driver.find_element(By.CSS_SELECTOR, "#f-model_label-fault a")
    link.send_keys(Keys.ENTER)

    assert [one.strip() for one in told] == [
        "--model-version and --model-label exclude each other: leave one out",
        "Concerned, too: see Version",
    ]
    assert driver.execute_script("return document.querySelector(':target').id") == "f-model_version"
    assert field(driver, "model_label").get_attribute("aria-invalid") == "true"
    assert page.too_wide == []
    assert page.accessibility_faults == []


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("kind", ["sweep", "rates", "plain"])
@pytest.mark.parametrize("is_refused", [False, True], ids=["new", "refused"])
def test_it_fits_and_axe_finds_nothing(driver, page, name, kind, is_refused):
    driver.find_element(By.ID, f"load-{kind}").click()
    unfold(driver)
    if is_refused:
        fill(driver, deadline="x" * 300, threshold="p99 < " + "9" * 300, host="n" * 400)
        press(driver, "start")
        unfold(driver)
    look(driver, **LOOKS[name])

    # A field scrolls what is longer than it.
    assert [one for one in page.too_wide if not one.startswith(("<input", "<textarea"))] == []
    assert page.accessibility_faults == []


def test_all_of_it_works_where_scripts_are_off(driver, ui):
    look(driver)
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(ui.url + "/tfsload/")
        driver.find_element(By.ID, "load-rates").click()
        field(driver, "rate").send_keys(",x")
        driver.find_element(By.CSS_SELECTOR, "button[value=check]").click()
        WebDriverWait(driver, LIMIT_S).until(lambda _: driver.title.startswith("Cannot start"))
        fault = driver.find_element(By.ID, "f-rate-fault")
        assert "100,200,400,x" in fault.text
        assert not field(driver, "sweep").is_displayed()
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_without_scripts_what_check_found_says_that_it_is_of_what_was_checked(driver, ui):
    look(driver)
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(ui.url + "/tfsload/")
        unscripted = driver.find_element(By.CLASS_NAME, "go").text
        press(driver, "check")
        field(driver, "sweep").send_keys("0")
        said, title = driver.find_element(By.CLASS_NAME, "go").text, driver.title
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    assert "as it was checked" not in unscripted
    assert title.startswith("Can start as checked")
    assert "It can start as checked: 5 levels" in said
    assert "of the form as it was checked: what you change now is not in it" in said
