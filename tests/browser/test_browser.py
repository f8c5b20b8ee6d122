"""The web UI in a real browser: one kind of run after another, and pages of others."""

import http.server
import json
import threading

import pytest

from tests.support import browser
from tests.support.runs import PROJECT
from tests.support.web_ui import UNSET, web_ui_of

pytestmark = pytest.mark.skipif(
    not (browser.CHROMIUM and browser.DRIVER), reason="needs chromium and chromium-driver (Debian's packages)"
)
ROUTED = PROJECT / "tests" / "support" / "locustfiles" / "routed.py"
LEVEL = {"levelDuration": "1", "warmUp": "0.2"}
SUMMARY = "Inference error rate:"


@pytest.fixture(scope="module")
def driver():
    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def served(tmp_path_factory, model_server):
    """A web UI and its routes."""
    directory = tmp_path_factory.mktemp("browser")
    found = directory / "routes.json"
    arguments = ("--host", model_server.address, "--metadata", "authorization=open-sesame")
    with web_ui_of(directory, *arguments, locustfile=ROUTED, TFSLOAD_TEST_ROUTES=str(found)) as ui:
        yield ui, ui.routes(found)


def run_to_its_summary(page, n_before):
    """Watch a run in the log tab until it has stopped, without loading the page again; return its summary."""
    page.wait(lambda: page.status in ("SPAWNING", "RUNNING"), "the run")
    page.press("Logs")
    page.wait(lambda: page.status == "STOPPED", "the end of the run")
    assert page.log.count(SUMMARY) == n_before + 1, page.log
    return page.log.split("Model mnist")[-1]


@pytest.mark.timing
def test_one_kind_of_run_after_another_is_started_and_read(driver, served):
    page = browser.LocustPage(driver, served[0].url)
    page.load()
    page.start(sweep="1,2", **LEVEL)
    swept = run_to_its_summary(page, 0)
    page.load()
    page.start(userCount="3", spawnRate="3", sweep="", numTests="200")
    plain = run_to_its_summary(page, 1)
    page.load()
    page.start(userCount="20", rate="100", **LEVEL)
    open_load = run_to_its_summary(page, 2)
    page.open_form()
    page.start(userCount="2", spawnRate="0", rate="", numTests="100")
    refusal = page.wait(lambda: page.alert, "the refusal")
    page.fill(spawnRate="2")
    page.press("START")
    corrected = run_to_its_summary(page, 3)

    lines = [line.split("/tfsload: ")[-1].strip() for line in swept.splitlines()]
    assert any(line.startswith("1 user ") for line in lines)
    assert any(line.startswith("2 users ") for line in lines)
    assert "200 of 200 images, each exactly once" in plain
    assert "Ramping to 3 users" in page.log
    assert "100/s " in open_load
    assert "spawn_rate" in refusal
    assert "100 of 100 images, each exactly once" in corrected


@pytest.mark.timing
def test_a_page_that_is_loaded_while_a_run_begins_shows_the_run_and_then_its_end(driver, served):
    ui, page = served[0], browser.LocustPage(driver, served[0].url)
    before = "\n".join(ui.log())
    ui.stats()  # Locust remembers what it answers: that it has stopped
    assert ui.start(**{**UNSET, "sweep": "1,2"}, level_duration="1", warm_up="0.2")["success"]
    page.load("&tab=logViewer")
    seen = [page.status]
    page.wait(lambda: page.log.count("Level 2 of") > before.count("Level 2 of"), "the second level")
    seen.append(page.status)
    page.wait(lambda: page.status == "STOPPED", "the end of the run")

    assert set(seen) <= {"SPAWNING", "RUNNING"}
    assert page.log.count(SUMMARY) == before.count(SUMMARY) + 1
    page.load()
    page.open_form()
    assert [page.field(name).is_enabled() for name in ("userCount", "spawnRate")] == [True, True]


@pytest.mark.timing
def test_a_page_that_is_open_when_a_run_is_stopped_comes_to_its_summary(driver, served):
    ui, page = served[0], browser.LocustPage(driver, served[0].url)
    assert ui.start(**UNSET)["success"]
    page.load("&tab=logViewer")
    before = page.log.count(SUMMARY)
    page.wait(lambda: page.status == "RUNNING", "the run")
    page.press("Stop")
    page.wait(lambda: page.status == "STOPPED", "the end of the run")

    assert page.log.count(SUMMARY) == before + 1


class _Pages(http.server.BaseHTTPRequestHandler):
    """Another site: an empty page whose scripts the test brings along."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>other</title><body></body>")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def other_site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


# What a page can do: a fetch that wants to read, one that does not mind, and a form.
FETCH = """
const [url, method, body, mode, policy, done] = arguments;
const options = {method, mode, referrerPolicy: policy};
if (method !== 'GET') {
  options.body = body;
  options.headers = {'Content-Type': 'application/x-www-form-urlencoded'};
}
fetch(url, options).then(async reply => done([reply.status, await reply.text()]), () => done(null));
"""
POST_A_FORM = """
const [url, body] = arguments;
const form = document.createElement('form');
form.method = 'POST';
form.action = url;
for (const [name, value] of new URLSearchParams(body)) {
  const field = document.createElement('input');
  field.name = name;
  field.value = value;
  form.append(field);
}
document.body.append(form);
form.submit();
"""
FORM = "user_count=1&spawn_rate=1&num_tests=1"


def changing(routes):
    """Return what changes something: methods with their paths."""
    return [(method, path) for path in routes for method in routes[path] - {"GET", "HEAD", "OPTIONS"}]


def state_of(ui):
    log = ui.process.log()
    return json.loads(ui.get("/stats/requests"))["state"], log.count("Ramping"), log.count(SUMMARY)


@pytest.mark.parametrize("policy", ["strict-origin-when-cross-origin", "no-referrer"])
@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_another_sites_page_changes_nothing_and_reads_nothing(driver, served, other_site, mode, policy):
    ui, routes = served
    before = state_of(ui)
    driver.get(other_site)
    calls = [call for call in changing(routes) if mode == "cors" or call[0] == "POST"]
    told = [driver.execute_async_script(FETCH, ui.url + path, method, FORM, mode, policy) for method, path in calls]
    read = [
        driver.execute_async_script(FETCH, ui.url + path, "GET", "", mode, policy)
        for path in routes
        if "GET" in routes[path] and "<" not in path
    ]

    assert ("POST", "/swarm") in calls
    # What cannot be read is no answer, or an opaque one of status 0.
    assert [answer for answer in told + read if answer not in (None, [0, ""])] == []
    assert state_of(ui) == before


def test_another_sites_form_is_answered_with_the_cure(driver, served, other_site):
    ui, routes = served
    before = state_of(ui)
    told = []
    for method, path in changing(routes):
        if method == "POST":
            driver.get(other_site)
            driver.execute_script(POST_A_FORM, ui.url + path, FORM)
            page = browser.LocustPage(driver, ui.url)
            told.append(page.wait(lambda: "refused" in driver.page_source and driver.page_source, "the answer"))

    assert len(told) >= 4
    assert all(f"--web-origin {other_site}" in answer for answer in told)
    assert state_of(ui) == before


def test_a_rebound_name_gets_nothing(driver, served):
    ui, routes = served
    before = state_of(ui)
    driver.get(f"http://{browser.REBOUND}:{ui.port}/")
    seen = driver.page_source
    told = [
        driver.execute_async_script(FETCH, path, method, FORM, "cors", "strict-origin-when-cross-origin")
        for method, path in [*changing(routes), *(("GET", path) for path in routes if "<" not in path)]
    ]

    assert "is not known as" in seen
    assert "templateArgs" not in seen
    assert {answer[0] for answer in told} == {403}
    assert all("--web-origin" in answer[1] for answer in told)
    assert state_of(ui) == before
