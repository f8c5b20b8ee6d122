"""Pages of runs whose files are not all there: they say so. And what *Stop* on a page stops."""

import dataclasses
import re

import pytest
from flask import abort

from tests.support.html import by_class, parsed, text_of
from tests.support.page_runs import page_run
from tests.support.run_pages import client_of, draw_page
from tfsload.analysis.figures import rate
from tfsload.report.page.cards import cards
from tfsload.report.standing import Standing
from tfsload.report.states import best_level
from tfsload.webui.run_view import RunView
from tfsload.webui.session_runs import CameTo, SessionRuns

PAGE = (
    '<html><meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
    '<header class="context">The report</header>PASS<!-- Here ends what is seen first. -->The proof</html>'
)


WAYS_BACK = ["/tfsload/runs/", "/tfsload/"]


def make_page(directory):
    (directory / "report.html").write_text(PAGE)
    return ""


@pytest.fixture
def runs():
    made = SessionRuns(make_page)
    made.begin({})
    made.conclude(page_run("demo"))
    yield made
    made.close()


@pytest.fixture
def client(runs):
    return client_of(runs)


def test_a_run_with_all_files_is_its_report(client, runs):
    runs.make_files()
    page = client.get("/tfsload/runs/1").text
    in_order = ["Start a run", "The report", "PASS", "Run again", "result.json", "The proof"]

    assert sorted(in_order, key=page.index) == in_order


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("kind", "is_offered"),
    [
        pytest.param("repeated", True, id="what-would-tell-is-known"),
        pytest.param("sweep", False, id="it-is-told"),
        pytest.param("demo", False, id="no-sweep"),
    ],
)
def test_the_way_to_what_would_tell_stands_at_the_answer(kind, is_offered):
    made = SessionRuns(draw_page)
    made.begin({"sweep": "1,2,1,2"})
    made.conclude(page_run(kind))
    made.make_files()
    page = client_of(made).get("/tfsload/runs/1").text
    made.close()

    assert page.count("/tfsload/?run=1&amp;more=1") == is_offered  # once
    if is_offered:
        in_order = ["To tell no from hardly", "--sweep</span> 1,2,4,8,1", "/tfsload/?run=1&amp;more=1", "How fast"]
        assert sorted(in_order, key=page.index) == in_order
    assert "what is to be run next" not in page


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["repeated", "invalid", "thresholds", "demo", "stopped"])
def test_what_is_seen_first_of_a_run_stays_as_its_report_comes(kind):
    made = SessionRuns(draw_page)
    made.begin({"sweep": "1,2,1,2"})
    made.conclude(page_run(kind))
    client = client_of(made)
    before = client.get("/tfsload/runs/1").text
    made.make_files()
    after = client.get("/tfsload/runs/1").text
    made.close()

    assert "Its report is being drawn" in before
    assert seen_first(before) == seen_first(after)
    assert re.search("<title>[^<]*", before)[0] == re.search("<title>[^<]*", after)[0]
    assert re.findall(r"Open the form with[^<]*", before) == re.findall(r"Open the form with[^<]*", after)


def seen_first(page):
    """Return what a page shows down to its files."""
    return text_of(parsed(page[page.index('<nav class="bar"') : page.index('<p class="files">')], is_strict=False))


def test_what_is_called_a_report_in_the_list_opens_and_what_is_a_file_comes_as_one(client, runs):
    runs.make_files()
    (links,) = by_class(parsed(client.get("/tfsload/runs/").text), "of-files")
    found = {text_of(one): one.get("href") for one in links.iter("a")}
    replies = {name: client.get(path).headers.get("content-disposition", "") for name, path in found.items()}

    assert replies["report"] == ""
    assert replies["JSON"].startswith("attachment")


@pytest.mark.parametrize(("kind", "is_said"), [("demo", True), ("sweep", True), ("thresholds", False), ("rate", False)])
def test_the_list_says_what_a_pass_without_thresholds_means(kind, is_said):
    made = SessionRuns(make_page)
    made.begin({})
    made.conclude(page_run(kind))
    listed = client_of(made).get("/tfsload/runs/").text
    made.close()

    assert ("no threshold set: valid, all answered" in listed) is is_said


def listed(*kinds, edit=lambda one: one):
    """Return the rows of the list of runs of these kinds, each what its cells hold, the newest first."""
    made = SessionRuns(make_page)
    for kind in kinds:
        made.begin({})
        made.conclude(page_run(kind))
        made.last.came_to = edit(made.last.came_to)
    page = parsed(client_of(made).get("/tfsload/runs/").text)
    made.close()
    return [list(row.iter("td")) for row in page.iter("tr")][1:]


@pytest.mark.parametrize("has_several", [True, False])
def test_images_a_second_stand_in_the_list_where_requests_of_one_of_its_runs_held_several(has_several):
    def edit(came_to):
        return dataclasses.replace(came_to, images_rate="7,552", has_several_images=has_several)

    rows = listed("sweep", "demo", edit=edit)

    assert ["7,552 images/s" in text_of(row[1]) for row in rows] == [has_several] * 2


def test_what_a_list_says_of_images_a_second_is_what_the_run_came_to():
    sweep, demo = page_run("sweep"), page_run("demo")

    assert CameTo.of(sweep).images_rate == rate(best_level(sweep).images_per_s)
    assert CameTo.of(demo).images_rate == rate(demo.totals.images_per_s)
    assert CameTo.of(page_run("refused")).images_rate == ""


@pytest.mark.parametrize(
    ("kind", "stands_out"),
    [
        pytest.param("sweep", [True, True, True], id="a-pass"),
        pytest.param("thresholds", [True, True, True], id="thresholds-crossed"),
        pytest.param("invalid", [False, False, True], id="one-that-supports-no-verdict"),
        pytest.param("unsettled", [True, True, True], id="sound-levels-of-one-that-supports-none"),
        pytest.param("stopped", [False, False, False], id="nothing-measured"),
    ],
)
def test_no_speed_stands_out_that_supports_no_verdict(kind, stands_out):
    (row,) = listed(kind)

    assert [bool(list(cell.iter("strong"))) for cell in row[1:4]] == stands_out
    # As on its own page, which has all figures bold but those that it marks.
    on_page = [card.state != "invalid" for card in cards(page_run(kind))]
    assert stands_out == (on_page or [False] * 3)


@pytest.mark.parametrize(("state", "is_marked"), [("invalid", True), ("", False), ("crossed", False)])
def test_a_figure_in_doubt_is_marked_in_the_list(state, is_marked):
    def edit(came_to):
        return dataclasses.replace(came_to, cards=tuple(dataclasses.replace(one, state=state) for one in came_to.cards))

    (row,) = listed("sweep", edit=edit)

    assert ["?" in text_of(cell) for cell in row[1:4]] == [is_marked] * 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"sweep": "1,2,4,8,1"}, "Open the form with --sweep 1,2,4,8,1", id="one"),
        pytest.param(
            {"level_duration": "20", "warm_up": "12"}, "Open the form with --level-duration 20 --warm-up 12", id="two"
        ),
        pytest.param({}, "", id="none"),
    ],
)
def test_what_would_tell_more_is_among_what_can_be_done_with_a_run(client, runs, changes, said):
    runs.last.came_to = dataclasses.replace(runs.last.came_to, next_changes=changes)
    page = parsed(client.get("/tfsload/runs/1").text)
    buttons = [one for one in page.iter("a") if "more=1" in (one.get("href") or "")]

    assert len(buttons) == bool(changes)
    assert said in " ".join(map(text_of, buttons))


@pytest.mark.parametrize("gone", ["report.html", "all"])
def test_a_run_whose_report_has_been_removed_says_so_again_and_again(client, runs, gone):
    runs.make_files()
    for one in list(runs.last.directory.iterdir()):
        if gone in ("all", one.name):
            one.unlink()
    replies = [client.get("/tfsload/runs/1") for _ in range(2)]
    told = client.get("/tfsload/runs/1/live.json").get_json()

    assert [reply.status_code for reply in replies] == [200, 200]
    assert all("something has removed them from" in reply.text for reply in replies)
    assert all("Run again makes others" in reply.text for reply in replies)
    assert all("PASS" in reply.text for reply in replies)
    assert told["is_settled"]
    assert client.get("/tfsload/runs/1/files/report.html").status_code == 404
    assert client.get("/tfsload/runs/").status_code == 200


def test_what_is_being_made_is_not_offered(client, runs):
    (runs.last.directory / "levels.csv.part").write_text("lev")
    page = client.get("/tfsload/runs/1").text

    assert "files/result.json" in page
    assert "levels.csv" not in page
    assert client.get("/tfsload/runs/1/files/levels.csv.part").status_code == 404


def test_a_page_that_waits_for_a_report_stops_once_that_is_given_up(client, runs):
    waits = 'http-equiv="refresh"' in client.get("/tfsload/runs/1").text
    runs.last.fault = "there was no time for it"
    page = client.get("/tfsload/runs/1").text

    assert waits
    assert 'http-equiv="refresh"' not in page
    assert "there was no time for it" in page


class Session:
    """Runs of a session whose pages somebody has open, and what that one asks Locust for."""

    def __init__(self, runs):
        self.runs, self.is_starting, self.asked = runs, False, []
        self.client = client_of(runs, None, lambda: self.is_starting, self.asked.append)

    def begin(self):
        self.is_starting = False
        self.runs.begin({})


def stop_of(page):
    """Return the number that a page's Stop sends."""
    return re.search(r'action="/tfsload/runs/stop"><input type="hidden" name="run" value="([^"]*)">', page.text)[1]


@pytest.mark.parametrize("has_begun", [False, True], ids=["about-to-begin", "begun-meanwhile"])
def test_stop_on_the_page_of_a_run_that_is_about_to_begin_stops_that_run(runs, has_begun):
    session = Session(runs)
    session.is_starting = True
    number = stop_of(session.client.get("/tfsload/runs/live"))
    if has_begun:
        session.begin()
    session.client.post("/tfsload/runs/stop", data={"run": number})

    assert (number, session.asked) == ("2", ["stop"])


def test_stop_on_the_page_of_a_run_of_which_nothing_is_known_yet_stops_it(runs):
    session = Session(runs)
    session.begin()
    page = session.client.get("/tfsload/runs/2")
    session.client.post("/tfsload/runs/stop", data={"run": stop_of(page)})

    assert "about to begin" in page.text
    assert session.asked == ["stop"]


def test_stop_on_the_page_of_a_run_that_was_about_to_begin_stops_no_later_one(runs):
    session = Session(runs)
    session.is_starting = True
    number = stop_of(session.client.get("/tfsload/runs/live"))
    session.begin()
    runs.conclude(page_run("demo"))
    session.begin()
    reply = session.client.post("/tfsload/runs/stop", data={"run": number})

    assert session.asked == []
    assert reply.headers["location"] == "/tfsload/runs/2"


def waits(session, path="/tfsload/runs/live"):
    """Whether the page that is there now says that it waits, without a word of it being fetched."""
    reply = session.client.head(path, follow_redirects=True)
    assert (reply.status_code, reply.data) == (200, b"")
    return "Tfsload-Waits" in reply.headers


def test_a_page_says_by_a_header_that_it_waits_whatever_words_are_in_it(runs):
    session = Session(runs)
    ended_without_its_files = waits(session)
    runs.make_files()
    ended = waits(session)
    session.is_starting = True
    about_to_begin = waits(session)
    session.begin()
    begun = waits(session)

    assert [ended_without_its_files, ended, about_to_begin, begun] == [True, False, True, True]


def test_a_run_under_way_waits_for_no_other_page(runs):
    view = RunView(lambda: Standing(1.0))
    runs.begin({"note": "x=Tfsload-Waits"})
    client = client_of(runs, view)

    assert "Tfsload-Waits" not in client.head("/tfsload/runs/2").headers


@pytest.mark.parametrize(
    ("path", "told"),
    [
        pytest.param("/tfsload/runs/1999", "There is no run 1,999 in this session", id="a-run"),
        pytest.param("/tfsload/runs/1999/live.json", "There is no run 1,999", id="what-is-told-of-a-run"),
        pytest.param("/tfsload/runs/1/files/nope", "Run 1 has no such file", id="a-file"),
        pytest.param("/tfsload/runs/x", "There is nothing at this address", id="no-number"),
        pytest.param("/tfsload/nope/<script>", "There is nothing at this address", id="anything"),
        pytest.param("/tfsload/runs/stop", "There is nothing at this address", id="what-is-only-posted-to"),
        pytest.param("/tfsload/static/nope.css", "There is nothing at this address", id="no-style"),
    ],
)
def test_what_is_not_there_says_so_with_ways_back(client, path, told):
    reply = client.get(path)
    page = parsed(reply.text)
    links = [one.get("href") for one in by_class(page, "actions")[0].iter("a")]

    assert reply.status_code == 404
    assert told in text_of(page)
    assert links == WAYS_BACK
    assert "<script>" not in reply.text


PEOPLE = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.mark.parametrize(
    ("path", "accept", "is_told"),
    [
        pytest.param("/led/nope", PEOPLE, True, id="a-person"),
        pytest.param("/led/nope/deeper.json", PEOPLE, True, id="deeper"),
        pytest.param("/led/nope", "*/*", False, id="a-program"),
        pytest.param("/led/nope", "application/json", False, id="a-program-that-wants-json"),
        pytest.param("/elsewhere", PEOPLE, False, id="outside-the-base-path"),
        pytest.param("/led/theirs", PEOPLE, False, id="a-route-of-somebody-elses"),
        pytest.param("/led/aborted", PEOPLE, False, id="one-that-aborts"),
    ],
)
def test_an_address_that_nobody_has_leads_back_and_what_others_answer_is_theirs(runs, path, accept, is_told):
    client = client_of(
        runs, base_path="/led", others={"/led/theirs": lambda: ("theirs", 404), "/led/aborted": lambda: abort(404)}
    )
    reply = client.get(path, headers={"Accept": accept})

    assert reply.status_code == 404
    assert ("Runs of this session" in reply.text) is is_told
    assert ("default-src 'none'" in reply.headers.get("Content-Security-Policy", "")) is is_told
    if is_told:
        page = parsed(reply.text)
        links = [one.get("href") for one in by_class(page, "actions")[0].iter("a")]
        assert "There is nothing at this address" in text_of(page)
        assert links == [f"/led{one}" for one in WAYS_BACK]


def test_a_locustfiles_own_words_for_what_is_not_there_stay(runs):
    client = client_of(runs)
    client.application.register_error_handler(404, lambda _: ("not here", 404))

    assert client.get("/nope", headers={"Accept": PEOPLE}).text == "not here"


def test_a_run_that_has_come_to_something_is_told_in_one_step(runs, client):
    """Before its report is there, its page has nothing of a run under way, however often it is loaded."""
    pages = [client.get("/tfsload/runs/1").text for _ in range(2)]
    told = client.get("/tfsload/runs/1/live.json").json

    assert told["state"] == "ended"
    for page in pages:
        assert "Its report is being drawn" in page
        assert not [words for words in ("Running", "Ending", "Stop the run", "under way", "live.js") if words in page]
    assert runs.last.came_to is not None
