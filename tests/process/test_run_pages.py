"""The web UI's pages of runs, over HTTP: under way, ended with all files, and the list of them."""

import html
import json
import re
import time
import urllib.parse

import pytest

from tests.support.runs import wait_until
from tests.support.web_ui import LEVEL, UNSET, WITH_LOGIN, web_ui_of
from tfsload.report import json_file, markdown

FILES = {"report.html", "result.json", "summary.md", "junit.xml", "levels.csv", "series.csv", "images.csv"}
# Of a level that has ended, as far as requests lie across its end.
MAY_CHANGE = {"straddling", "mean_in_flight", "seconds", "sample_doubts"}


@pytest.fixture
def web_ui(tmp_path, model_server, request):
    with web_ui_of(tmp_path, "--host", model_server.address, *getattr(request, "param", ()), is_drawn=True) as ui:
        yield ui


def told(ui, number=1):
    return json.loads(ui.get(f"/tfsload/runs/{number}/live.json"))


def wait_for_files(ui, number=1):
    """Wait for a run's end and all its files."""
    wait_until(lambda: told(ui, number).get("is_settled"), "all files of the run")


@pytest.mark.parametrize(
    "web_ui",
    [pytest.param((), id="one-process"), pytest.param(("--processes", "2"), id="two-processes")],
    indirect=True,
)
def test_a_sweep_is_told_level_by_level_and_ends_as_its_report(web_ui):
    assert web_ui.start(**{**LEVEL, "level_duration": "2"}, sweep="1,2,3")["success"]
    wait_until(lambda: web_ui.ask("GET", "/tfsload/runs/1").status == 200, "the run")
    seen, levels = [], {}
    deadline_s = time.monotonic() + 60
    while (now := told(web_ui))["state"] == "running" and time.monotonic() < deadline_s:
        seen.append(now)
        sequence = now["levels_sequence"]
        if sequence and sequence not in levels:
            reply = web_ui.ask("GET", "/tfsload/runs/1/levels.json")
            if reply.status == 200:
                told_levels = json.loads(reply.body)
                levels[told_levels["sequence"]] = told_levels
        time.sleep(0.2)
    wait_for_files(web_ui)
    result = json.loads(web_ui.get("/tfsload/runs/1/files/result.json"))

    sequences = [one["sequence"] for one in seen]
    assert sequences == sorted(sequences)
    places = [one["standing"]["place"] for one in seen if one["standing"] and one["standing"]["place"]]
    assert [*dict.fromkeys(place["name"] for place in places)] == ["1 user", "2 users", "3 users"]
    assert {place["n_levels"] for place in places} == {3}
    assert {len(one["result"]["levels"]) for one in levels.values()} & {1, 2}
    assert {str(one["result"]["scaling"]["answer"]) for one in levels.values()} == {"None"}
    assert result["scaling"]["answer"]["kind"]
    # What a level came to is told once, and stays; a request that lies across its end may still come in, and what such
    # requests may hide is a doubt.
    for one in levels.values():
        for early, late in zip(one["result"]["levels"], result["levels"], strict=False):
            assert {name for name in late if early[name] != late[name]} <= MAY_CHANGE


def test_a_run_that_has_ended_has_its_page_all_files_and_a_way_back(web_ui):
    assert web_ui.start(**UNSET | {"num_tests": "200"}, threshold="p50 < 1us")["success"]
    wait_for_files(web_ui)
    page = web_ui.ask("GET", "/tfsload/runs/1")
    files = {name: web_ui.ask("GET", f"/tfsload/runs/1/files/{name}") for name in FILES}
    result = json_file.parse(files["result.json"].body.encode())
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.body))

    assert "THRESHOLD CROSSED" in page.body
    assert [name for name in FILES if f"/tfsload/runs/1/files/{name}" not in page.body] == []
    assert {reply.status for reply in files.values()} == {200}
    assert files["summary.md"].body == markdown.write(result)
    assert all("attachment" in reply.headers["content-disposition"] for reply in files.values())
    assert (again["num_tests"], html.unescape(again["threshold"])) == ("200", "p50 < 1us")
    assert "/tfsload/?run=1" in page.body


def test_the_report_keeps_its_own_policy_and_lets_only_the_bar_in(web_ui):
    assert web_ui.start(**UNSET | {"num_tests": "50"})["success"]
    wait_for_files(web_ui)
    page = web_ui.ask("GET", "/tfsload/runs/1")
    policy = dict(
        part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";") if part.strip()
    )

    assert "Content-Security-Policy" not in page.body  # one in the page would shut the bar out
    assert "no-referrer" not in page.body  # what it posts would be taken for another site's
    assert policy["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/=]+'", policy["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/=]+' 'self'", policy["style-src"])
    assert (policy["form-action"], policy["frame-ancestors"]) == ("'self'", "'self'")


def test_the_list_holds_each_run_with_what_it_came_to(web_ui):
    empty = web_ui.get("/tfsload/runs/")
    for n_images in (100, 200):
        assert web_ui.start(**UNSET | {"num_tests": str(n_images)})["success"]
        web_ui.wait_for_end()
    wait_for_files(web_ui, 2)
    page = web_ui.get("/tfsload/runs/")

    assert "There is none yet" in empty
    assert re.findall(r"/tfsload/runs/(\d)\">\1<", page) == ["2", "1"]
    of = r"<td [^>]*><strong>\S+</strong>"
    figures = (rf"{of} requests/s</td>", rf"{of} ?(?:ms)?</td>", rf"{of}%</td>")
    assert len(re.findall(r"\s*".join(figures), page)) == 2
    assert page.count("images, each once") == 2
    assert page.count("PASS") == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/tfsload/runs/7", 404, id="no-such-run"),
        pytest.param("/tfsload/runs/7/live.json", 404, id="told-of-none"),
        pytest.param("/tfsload/runs/1/files/secrets.txt", 404, id="no-such-file"),
        pytest.param("/tfsload/runs/1/files/..%2f..%2fetc%2fpasswd", 404, id="a-way-out"),
        pytest.param("/tfsload/runs/-1", 404, id="below-1"),
        pytest.param("/tfsload/runs/1/levels.json", 204, id="no-levels"),
        pytest.param("/tfsload/runs/live", 302, id="the-last-run"),
    ],
)
def test_what_is_not_there_is_said_to_be_so(web_ui, path, status):
    assert web_ui.start(**UNSET | {"num_tests": "20"})["success"]
    wait_for_files(web_ui)

    assert web_ui.ask("GET", path).status == status


def test_stop_and_reset_work_from_the_runs_page(web_ui):
    assert web_ui.start(**UNSET)["success"]
    wait_until(lambda: told(web_ui)["standing"]["counted"]["requests"] > 50, "requests")
    page = web_ui.get("/tfsload/runs/1")
    before = told(web_ui)["standing"]["counted"]["requests"]
    reset = web_ui.ask("POST", "/tfsload/runs/reset", "run=1")
    wait_until(lambda: told(web_ui)["standing"]["counted"]["requests"] > before + 50, "requests after that")
    stopped = web_ui.ask("POST", "/tfsload/runs/stop", "run=1")
    wait_for_files(web_ui)
    n_requests = json.loads(web_ui.get("/tfsload/runs/1/files/result.json"))["totals"]["requests"]
    wait_until(lambda: 0 < web_ui.counts()[0] <= n_requests - before, "Locust to have forgotten what was before")

    assert page.count('<input type="hidden" name="run" value="1">') == 2
    assert (reset.status, stopped.status) == (303, 303)
    assert stopped.headers["location"] == "/tfsload/runs/live"


@pytest.mark.parametrize(
    ("run", "location"),
    [
        pytest.param("1", "/tfsload/runs/1", id="the-last-one"),
        pytest.param("3", "/tfsload/runs/live", id="the-next-one"),
        pytest.param("77", "/tfsload/runs/live", id="none"),
        pytest.param("²", "/tfsload/runs/live", id="no-number"),
    ],
)
def test_a_page_of_a_run_that_is_over_stops_no_other(web_ui, run, location):
    assert web_ui.start(**UNSET | {"num_tests": "20"})["success"]
    wait_for_files(web_ui)
    assert web_ui.start(**UNSET)["success"]
    wait_until(lambda: told(web_ui, 2)["standing"]["counted"]["requests"], "requests of the second run")
    body = urllib.parse.urlencode({"run": run})
    replies = [web_ui.ask("POST", f"/tfsload/runs/{what}", body) for what in ("stop", "reset")]

    assert [(reply.status, reply.headers["location"]) for reply in replies] == [(303, location)] * 2
    assert told(web_ui, 2)["state"] == "running"
    assert not told(web_ui, 2)["standing"]["is_ending"]


@pytest.mark.parametrize("path", ["/tfsload/runs/stop", "/tfsload/runs/reset"])
def test_another_sites_page_cannot_stop_or_reset(web_ui, path):
    assert web_ui.ask("POST", path, Origin="http://evil.example").status == 403


HOSTILE = "</script><script>alert(1)</script>\"'`&{{7*7}}"


def test_hostile_texts_are_texts(web_ui):
    assert web_ui.start(**UNSET | {"num_tests": "50", "note": f"why={HOSTILE}"})["success"]
    wait_for_files(web_ui)
    pages = [web_ui.get(path) for path in ("/tfsload/runs/1", "/tfsload/runs/")]
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', pages[0]))

    assert all("<script>alert" not in page for page in pages)
    assert html.unescape(again["note"]) == f"why={HOSTILE}"


@pytest.mark.parametrize("is_named", [pytest.param(False, id="form-as-it-stands"), pytest.param(True, id="named")])
def test_a_run_to_the_embedded_server_says_so_under_way_and_in_its_report(tmp_path, model_server, is_named):
    with web_ui_of(tmp_path, is_drawn=True) as ui:
        shown = html.unescape(re.search(r'name="host"[^>]* value="([^"]*)"', ui.get("/tfsload/"))[1])
        assert ui.start(**UNSET, host=model_server.address if is_named else shown)["success"]
        wait_until(lambda: told(ui)["standing"]["counted"]["requests"], "requests")
        live = ui.get("/tfsload/runs/1")
        ui.stop()
        wait_for_files(ui)
        report = ui.get("/tfsload/runs/1")

    assert ["embedded server · gRPC" in page for page in (live, report)] == [not is_named] * 2


def test_a_report_that_is_asked_for_is_the_runs_own(tmp_path, model_server):
    report = tmp_path / "report"
    with web_ui_of(tmp_path, "--host", model_server.address, "--report", str(report), is_drawn=True) as ui:
        assert ui.start(**UNSET | {"num_tests": "50"})["success"]
        wait_for_files(ui)
        served = ui.get("/tfsload/runs/1/files/result.json")

    assert served == (report / "result.json").read_text()


def test_below_a_base_path_all_links_lie_below_it(tmp_path, model_server):
    arguments = ("--host", model_server.address, "--web-base-path", "/below")
    with web_ui_of(tmp_path, *arguments, up_path="/below/", is_drawn=True) as ui:
        body = urllib.parse.urlencode({**UNSET, "user_count": 1, "spawn_rate": 1, "num_tests": "50"})
        assert json.loads(ui.ask("POST", "/below/swarm", body).body)["success"]
        wait_until(
            lambda: json.loads(ui.get("/below/tfsload/runs/1/live.json")).get("is_settled"), "all files of the run"
        )
        pages = [ui.get(f"/below/tfsload/{path}") for path in ("runs/", "runs/1")]

    links = [link for page in pages for link in re.findall(r'(?:href|action|src)="(/[^"]*)"', page)]
    assert links
    assert [link for link in links if not link.startswith("/below/")] == []


def test_nothing_is_shown_to_who_has_not_logged_in(tmp_path, model_server):
    arguments = ("--web-login", "--host", model_server.address)
    with web_ui_of(tmp_path, *arguments, locustfile=WITH_LOGIN, up_path="/login", is_drawn=True) as ui:
        paths = ("runs/", "page.css", "static/site.css", "runs/1/files/result.json")
        pages = [ui.ask("GET", f"/tfsload/{path}") for path in paths]
        scripts = [ui.ask("GET", f"/tfsload/{path}") for path in ("runs/1/live.json", "runs/1/levels.json", "bar.json")]
        stopped = ui.ask("POST", "/tfsload/runs/stop")

    assert {page.status for page in pages} == {302}
    assert all("/login" in page.headers["location"] for page in pages)
    assert [(one.status, json.loads(one.body)) for one in scripts] == [(401, {"error": "log in first"})] * 3
    assert (stopped.status, "/login" in stopped.headers["location"]) == (302, True)
