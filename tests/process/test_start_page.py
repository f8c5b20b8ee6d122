"""The start page over HTTP: what is sent starts a run, is checked, or comes back with what is wrong where it is."""

import math
import re
import shlex
import struct
import urllib.parse

import pytest

from tests.support.hostile import HOSTILE
from tests.support.runs import PROJECT, wait_until
from tests.support.start_page import PATH, SHORT_SWEEP, StartPage, press, press_again, send, show
from tests.support.web_ui import UNSET, WITH_LOGIN, web_ui_of
from tfsload.settings.options import OPTIONS
from tfsload.webui.fault_places import FLAGS
from tfsload.webui.load_kinds import KINDS

# What cannot be run, for each field: itself, with what it takes to be seen, and who it is that is at fault.
WRONG = {
    "host": {"host": "nowhere"},
    "model_name": {"model_name": ""},
    "model_version": {"model_version": "-1"},
    "model_label": {"model_label": "x", "model_version": "1"},
    "signature_name": {"signature_name": "other"},
    "input_name": {"input_name": "other"},
    "output_name": {"output_name": "other"},
    "input": {"input": "keep_prob=1\ntraining"},
    "pixel_scale": {"pixel_scale": "0..0"},
    "label_offset": {"label_offset": "-1"},
    "images_per_request": {"images_per_request": "0"},
    "deadline": {"deadline": "0"},
    "transport": {"transport": "pigeon"},
    "rest_format": {"rest_format": "table"},
    "protocol": {"protocol": "FTP"},
    "connections": {"connections": "1e3"},
    "tls": {"tls": "perhaps"},
    "tls_ca_file": {"tls_ca_file": "no/such.pem"},
    "tls_cert_file": {"tls_cert_file": "no/such.pem", "tls": "true"},
    "tls_key_file": {"tls_key_file": "no/such.pem", "tls": "true"},
    "wait": {"wait": "long"},
    "dataset": {"dataset": "/no/such/place"},
    "num_tests": {"load": "images", "num_tests": "5000"},
    "seed": {"seed": "-1"},
    "sweep": {"sweep": "1,2,x"},
    "rate": {"load": "rates", "rate": ""},
    "arrivals": {"load": "rates", "rate": "5", "arrivals": "often"},
    "pacing": {"load": "rates", "rate": "5", "pacing": "busy"},
    "find_max_rate": {"load": "search", "find_max_rate": "5:1", "threshold": "p99 < 5ms"},
    "level_duration": {"level_duration": "nan"},
    "warm_up": {"warm_up": "-1"},
    "warm_up_requests": {"load": "images", "num_tests": "5", "warm_up_requests": "x"},
    "give_up_after": {"give_up_after": "never"},
    "threshold": {"threshold": "error_rate < 1%\np99 < 1 apple"},
    "verify": {"verify": "1001"},
    "tolerance": {"tolerance": "much"},
    "hgrm": {"hgrm": "perhaps"},
    "note": {"note": "commit"},
    "user_count": {"load": "plain", "user_count": "many"},
    "spawn_rate": {"load": "plain", "spawn_rate": "0"},
    "run_time": {"load": "plain", "run_time": "soon"},
}
# A switch is a box: what is neither on nor off comes from no page, and is shown as off.
SWITCHES = {"tls", "hgrm"}
# Letters that are lost where somebody tidies up: blanks of all kinds, what has no width, and ends of lines.
LETTERS = (
    "a\u00a0b\u2003c\u3000",
    "a\u200bb\u200d\ufeffc\u00ad",
    " a  b\t",
    "\n\na\n\n b \n",
    "a\rb\r\nc\x85d\x0be",
    "über \U0001f600 数 ? ?",
)
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")  # no well-formed page has them
FOREIGN = "http://evil.example"
OWN_OPTIONS = """
import logging

from locust import LoadTestShape, events

from locustfile import GrpcPredictionUser


class Second(GrpcPredictionUser):
    pass


class Stairs(LoadTestShape):
    def tick(self):
        return (2, 9) if self.get_run_time() < 1 else None


@events.init_command_line_parser.add_listener
def add(parser):
    parser.add_argument("--colour", default="red", choices=["red", "blue"], help="Which one.")
    parser.add_argument("--n_of_shades", dest="n_shades", type=int, default=3)
    parser.add_argument("--is-bright", action="store_true")
    parser.add_argument("--pass-word", default="open-sesame", is_secret=True)
    parser.add_argument("--pin", type=int, default=4711, is_secret=True)
    parser.add_argument("--unseen", default="x", include_in_web_ui=False)


@events.test_start.add_listener
def tell(environment, **_):
    told = environment.parsed_options
    classes = [one.__name__ for one in environment.user_classes]
    logging.warning("TOLD %s %s %s %s %s", told.colour, told.n_shades, told.is_bright, told.pass_word, classes)
    logging.warning("PIN %s", told.pin)
"""


def test_the_table_has_every_option_of_the_form():
    assert set(WRONG) == {option.dest for option in OPTIONS if option.is_in_form} | set(FLAGS) | {"protocol"}


def test_while_nothing_runs_locusts_page_leads_to_it_unless_it_is_asked_for(tmp_path, model_server):
    with web_ui_of(tmp_path, "--host", model_server.address) as ui:
        before, asked_for = ui.ask("GET", "/"), ui.ask("GET", "/?locust=1")
        page = show(ui)
        started = send(ui, **SHORT_SWEEP)
        meanwhile = ui.ask("GET", "/")
        ui.wait_for_end()
        wait_until(lambda: ui.ask("GET", "/").status == 302, "nothing to be under way")
        after, tab = ui.ask("GET", "/"), ui.ask("GET", "/?tab=logViewer")

    assert [(reply.status, reply.headers["location"]) for reply in (before, after)] == [(302, PATH)] * 2
    assert [reply.status for reply in (asked_for, meanwhile, tab)] == [200] * 3
    assert "templateArgs" in asked_for.body
    assert page.title.startswith("Start a run")
    assert (page.values["load"], page.values["sweep"], page.values["host"]) == (
        "sweep",
        "1,2,4,8,1",
        model_server.address,
    )
    assert (started.status, started.headers["location"]) == (303, "/tfsload/runs/live")
    assert "2 users" in ui.summaries()


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_comes_back_at_its_field_as_it_was_typed(ui, name):
    page = press(ui, **{**SHORT_SWEEP, **WRONG[name]})

    assert page.status == 422
    assert page.title.startswith("Cannot start")
    assert name in page.faults, (page.faults, page.alert)
    for field, text in WRONG[name].items():
        assert field in SWITCHES or page.values[field] == text
    assert ui.stats()["state"] in ("ready", "stopped")


def test_all_that_is_wrong_is_told_at_once_and_the_corrected_form_starts(ui):
    wrong = {"load": "plain", "spawn_rate": "x", "run_time": "soon", "deadline": "0", "user_count": "-3", "seed": "y"}
    page = press(ui, **wrong)
    corrected = {"spawn_rate": "5", "run_time": "1s", "deadline": "2", "user_count": "2", "seed": "1"}
    started = send(ui, **{**page.values, **corrected})
    ui.wait_for_end()

    assert set(page.faults) == set(wrong) - {"load"}
    assert page.open_parts == ["Model’s details", "Data"]
    assert started.status == 303


@pytest.mark.parametrize(
    ("action", "fields", "begin"),
    [
        pytest.param("start", {"deadline": "0"}, "Cannot start", id="refused"),
        pytest.param("check", {"seed": "x"}, "", id="a-check-that-is-refused"),
        pytest.param("check", {}, "", id="a-check-that-is-passed"),
    ],
)
def test_what_does_not_start_leaves_no_directory_of_its_report(tmp_path, model_server, action, fields, begin):
    with web_ui_of(tmp_path, "--host", model_server.address, "--report", str(tmp_path / "new" / "report")) as ui:
        page = press(ui, action, **{**SHORT_SWEEP, **fields})
        left = (tmp_path / "new").exists()

    assert page.title.startswith(begin)
    assert bool(page.faults) == bool(fields)
    assert not left


def test_what_belongs_to_no_field_stands_at_the_top(ui):
    page = press(ui, **SHORT_SWEEP, metadata="a=b", tfsload_x="1")

    assert page.faults == {}
    assert "--metadata is not a field of the form" in page.alert
    assert "tfsload_x" in page.alert


def test_a_fault_at_a_field_of_another_load_stands_at_the_top(ui):
    page = press(ui, sweep="1,2", num_tests="5")  # as no page sends it

    assert set(page.faults) == {"sweep"}
    assert page.faults["sweep"].startswith("--sweep and --num-tests exclude each other")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_only_what_is_of_the_chosen_load_is_looked_at(ui, kind):
    typed = {"sweep": "x", "rate": "x", "find_max_rate": "x", "num_tests": "x", "warm_up_requests": "x"}
    good = {"sweep": "1", "rate": "50", "find_max_rate": "100:500", "num_tests": "20", "warm_up_requests": "1"}
    own = {name: text for name, text in good.items() if name in kind.fields}
    page = press(ui, "check", load=kind.key, threshold="p99 < 50s", **{**typed, **own})

    assert page.faults == {}, page.alert
    assert page.status == 200
    assert page.values["load"] == kind.key


@pytest.mark.parametrize(
    ("form", "length"),
    [
        pytest.param({"load": "sweep", "sweep": "1,2,4,8"}, "4 levels · about 49 s", id="sweep"),
        pytest.param(
            {"load": "rates", "rate": "50", "warm_up": "0"},
            "1 level · about 11 s, up to 17 s where the server is slow",
            id="rates",
        ),
        pytest.param({"load": "search", "find_max_rate": "100:900", "threshold": "p99 < 1s"}, "probes", id="search"),
        pytest.param({"load": "images", "num_tests": "30"}, "30 images, each exactly once · 1 user", id="images"),
        pytest.param({"load": "plain", "user_count": "3", "run_time": "1m"}, "3 users · for 1m", id="plain"),
        pytest.param({"load": "plain", "user_count": "3"}, "3 users · until you stop them", id="without-end"),
    ],
)
def test_a_check_says_how_long_it_takes_and_starts_nothing(ui, form, length):
    n_before = ui.n_summaries()
    page = press(ui, "check", **form)

    assert page.status == 200
    assert "It can start" in page.said
    assert length in page.said
    assert ui.stats()["state"] in ("ready", "stopped")
    assert send(ui, load="plain", run_time="1s").status == 303  # nothing is reserved
    ui.wait_for_end()
    assert ui.n_summaries() == n_before + 1
    assert "users  " not in ui.summaries().split("Model mnist")[-1]  # no levels were left behind


@pytest.fixture(scope="module")
def few_images(tmp_path_factory):
    """Return a data set of 20 images."""
    directory = tmp_path_factory.mktemp("few")
    for kind, sides in (("images-idx3", (20, 28, 28)), ("labels-idx1", (20,))):
        header = struct.pack(f">HBB{len(sides)}I", 0, 8, len(sides), *sides)
        (directory / f"test-{kind}-ubyte").write_bytes(header + bytes(math.prod(sides)))
    return str(directory)


@pytest.mark.parametrize(
    ("changed", "has_few", "hint"),
    [
        pytest.param({}, False, "may spend most of its time on the way: 64 or more tell better", id="many-images"),
        pytest.param({}, True, "may spend most of its time on the way: 20 tell better", id="few-images"),
        pytest.param({"images_per_request": "2"}, False, "", id="heavier-requests"),
        pytest.param({"load": "rates", "rate": "50"}, False, "", id="no-sweep"),
    ],
)
def test_a_check_of_a_sweep_of_single_images_advises_as_many_as_there_are(ui, few_images, changed, has_few, hint):
    page = press(ui, "check", **{**SHORT_SWEEP, **changed, **({"dataset": few_images} if has_few else {})})

    assert page.status == 200, page.alert
    assert hint in page.said
    assert ("tell better" in page.said) is bool(hint)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        pytest.param(
            {"load": "plain", "user_count": "500", "spawn_rate": "1", "run_time": "4s"},
            "A ramp-up of 1 starts the last of 500 users after 499 s, and the run ends after 4 s",
            id="a-ramp-that-does-not-end",
        ),
        pytest.param(
            {"load": "images", "num_tests": "9", "threshold": "p99 < 1s"},
            "A run of 9 images makes 9 requests, and p99 < 1 s wants 662",
            id="too-few-images",
        ),
        pytest.param({"load": "plain", "user_count": "500", "spawn_rate": "500", "run_time": "4s"}, "", id="neither"),
    ],
)
def test_a_check_says_why_a_run_that_can_start_will_support_no_verdict(ui, form, why):
    page = press(ui, "check", **form)

    assert "It can start" in page.said
    assert why in page.said
    assert ("the run will support no verdict" in page.said) is bool(why)


def test_a_check_tells_all_that_is_wrong_without_starting(ui):
    page = press(ui, "check", **{**SHORT_SWEEP, "sweep": "0", "deadline": "x", "spawn_rate": "y"})

    assert set(page.faults) == {"sweep", "deadline"}
    assert "deadline" not in page.said
    assert page.title.startswith("Cannot start")


def test_a_program_starts_a_run_as_the_document_says(ui):
    """Each `-d` of its call of curl is a field; that of many images is checked alone."""
    (call,) = re.findall(
        r"^    curl -i http://127.0.0.1:8089(.*)$", (PROJECT / "docs/web-ui.md").read_text(), re.MULTILINE
    )
    path, *words = shlex.split(call)
    assert set(words[::2]) == {"-d", "--data-urlencode"}
    fields = dict(word.split("=", 1) for word in words[1::2])

    assert path == PATH
    assert fields.pop("action") == "start"
    assert send(ui, "check", **fields).status == 200
    assert send(ui, **{**fields, "num_tests": "x"}).status == 422
    assert send(ui, **{**fields, "num_tests": "20"}).status == 303
    ui.wait_for_end()


def test_a_check_tells_a_limit_that_may_be_meant_in_per_cent(ui):
    page = press(ui, "check", load="images", num_tests="20", threshold="error_rate < 0.5")

    assert page.status == 200
    assert page.warnings == ["error_rate < 0.5 means 50%: write 50%, or 0.5% if that is meant"]


@pytest.mark.timing
def test_while_a_run_is_under_way_it_says_so_and_neither_starts_nor_checks(ui):
    assert send(ui, load="plain", user_count="2", spawn_rate="2").status == 303
    ui.wait_until_running()
    page = show(ui)
    pressed = [press(ui, action, load="plain", user_count="9", spawn_rate="9") for action in ("start", "check")]

    assert page.is_under_way
    assert page.disabled == {"start", "check"}
    for refused in pressed:
        assert refused.status == 422
        assert "a run is under way: stop it first" in refused.alert
    assert ui.stats()["user_count"] == 2


def test_a_run_can_be_had_again_as_it_was_or_changed(ui):
    n_before = ui.n_summaries()
    fields = {
        "load": "images",
        "num_tests": "40",
        "user_count": "3",
        "spawn_rate": "9",
        "note": "a=1\u00a0\u200b2\nb=2",
        "deadline": "4",
    }
    assert send(ui, **fields, threshold="p99 < 50s").status == 303
    ui.wait_for_end()
    number = int(ui.ask("GET", "/tfsload/runs/live").headers["location"].rpartition("/")[2])
    changed = show(ui, f"?run={number}")
    again = press_again(ui, number)
    ui.wait_for_end()
    had_again = show(ui, f"?run={number + 1}")

    kept = {name: changed.values[name] for name in fields}
    assert kept == fields
    assert had_again.values == changed.values
    assert changed.values["threshold"] == "p99 < 50s"
    assert f"with what run {number} had" in changed.text
    assert again.status == 303
    assert ui.n_summaries() == n_before + 2
    assert "40 of 40 images" in ui.summaries().split("Model mnist")[-1]


def test_what_would_cure_a_run_is_filled_in_and_starts_nothing(ui):
    fields = {"load": "plain", "user_count": "1", "run_time": "1s", "threshold": "p99.99 < 9s"}
    assert send(ui, **fields).status == 303
    ui.wait_for_end()
    number = int(ui.ask("GET", "/tfsload/runs/live").headers["location"].rpartition("/")[2])
    n_summaries = ui.n_summaries()
    as_it_was, changed = show(ui, f"?run={number}"), show(ui, f"?run={number}&more=1")

    # For so high a percentile a second has too few requests, whatever the machine does.
    assert {name for name, value in changed.values.items() if value != as_it_was.values[name]} == {"run_time"}
    assert f"Changed from run {number}: Run time: 1s → {changed.values['run_time']}." in " ".join(changed.text.split())
    assert "Changed; it was 1s" in changed.text
    assert "Changed" not in as_it_was.text
    assert ui.n_summaries() == n_summaries


@pytest.mark.parametrize("action", ["check", "start"])
def test_a_form_that_comes_back_says_of_which_run_it_is_and_what_it_has_otherwise(ui, action):
    assert send(ui, load="plain", user_count="1", run_time="1s").status == 303
    ui.wait_for_end()
    number = int(ui.ask("GET", "/tfsload/runs/live").headers["location"].rpartition("/")[2])
    typed = {**show(ui, f"?run={number}&more=1").values, "user_count": "3", "tls": "true", "deadline": "x"}
    first = StartPage(send(ui, action, path=f"{PATH}?run={number}&more=1", **typed))
    page = StartPage(send(ui, "check", path=first.path, **{**typed, "load": "rates", "run_time": ""}))

    assert f"with what run {number} had" in first.text
    told = f"Changed from run {number}: Users: 1 → 3 · Deadline, seconds: 5 → x · TLS: off → on."
    assert f"{told} All else is as it was, but for what you edit now." in " ".join(first.text.split())
    assert first.path == f"{PATH}?run={number}&more=1"
    assert f"Changed from run {number}: Load: Plain users → Given rates ·" in " ".join(page.text.split())


@pytest.mark.parametrize("query", ["?more=1", "?run=99999&more=1"])
def test_of_no_run_nothing_is_changed(ui, query):
    assert "Changed" not in show(ui, query).text


def test_a_run_without_an_end_is_had_again_without_one(ui):
    assert send(ui, load="plain", run_time="1s").status == 303
    ui.wait_for_end()
    assert ui.start(**{**UNSET, "num_tests": "20"})["success"]  # from Locust's own form
    ui.wait_for_end()
    number = int(ui.ask("GET", "/tfsload/runs/live").headers["location"].rpartition("/")[2])

    assert [show(ui, f"?run={one}").values["run_time"] for one in (number - 1, number)] == ["1s", ""]


@pytest.mark.parametrize("query", ["?run=0", "?run=99", "?run=x", "?run=-1", "?run=" + "9" * 50, "?run=%C2%B2"])
def test_a_run_that_is_not_there_leaves_the_page_as_it_is_and_is_said_not_to_be(ui, query):
    asked, plain = show(ui, query), show(ui)

    assert asked.values == plain.values
    assert "in this session: it has not begun, or is forgotten" in asked.text
    assert "those that are there are listed in Runs of this session" in asked.text
    assert "in this session: it" not in plain.text


@pytest.mark.parametrize("action", ["start", "check"])
@pytest.mark.parametrize("text", [*HOSTILE[:-2], *LETTERS])
def test_whatever_is_typed_comes_back_as_text(ui, text, action):
    names = sorted(set(WRONG) - SWITCHES)
    reply = send(ui, action, **{**dict.fromkeys(names, text), "load": "sweep"})
    page = StartPage(reply, is_strict=not CONTROLS.search(text))

    assert reply.status == 422
    shown = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")  # which no page can hold
    assert {name: page.values[name] for name in names} == dict.fromkeys(names, shown)
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall("<script[^>]*>", reply.body) == ['<script src="/tfsload/static/start.js" type="module">']
    assert " onerror=alert(1)>" not in reply.body.replace("&#34;", '"').replace(
        "&lt;img src=x onerror=alert(1)&gt;", ""
    )


@pytest.mark.parametrize("action", ["start", "check"])
def test_a_foreign_page_presses_nothing(ui, action):
    body = urllib.parse.urlencode({"action": action, "load": "plain", "host": "127.0.0.1:9"})
    n_before = ui.process.log().count("model server")

    assert ui.ask("POST", PATH, body, Origin=FOREIGN).status == 403
    assert ui.ask("POST", PATH, body, Sec_Fetch_Site="cross-site").status == 403
    assert ui.process.log().count("model server") == n_before


def test_secrets_are_neither_in_the_page_nor_asked_for(tmp_path, model_server):
    arguments = ("--host", model_server.address, "--metadata", "authorization=open-sesame")
    with web_ui_of(tmp_path, *arguments) as ui:
        pages = [ui.get(PATH), send(ui, **{**SHORT_SWEEP, "sweep": "x"}).body]

    assert all("open-sesame" not in page and "metadata" not in page for page in pages)


def test_it_stands_behind_the_login_and_under_the_base_path(tmp_path, model_server):
    arguments = ("--web-login", "--host", model_server.address)
    with web_ui_of(tmp_path, *arguments, locustfile=WITH_LOGIN, up_path="/login") as ui:
        replies = [ui.ask("GET", PATH), send(ui, **SHORT_SWEEP), send(ui, "check", **SHORT_SWEEP)]
        n_summaries = ui.n_summaries()

    assert [reply.status for reply in replies] == [302] * 3
    assert all("/login" in reply.headers["location"] for reply in replies)
    assert n_summaries == 0


def test_under_a_base_path_all_its_ways_are_there(tmp_path, model_server):
    arguments = ("--web-base-path", "/lt", "--host", model_server.address)
    with web_ui_of(tmp_path, *arguments, up_path="/lt/") as ui:
        led = ui.ask("GET", "/lt/").headers["location"]
        page = ui.get(led)
        refused = send(ui, path=led, **{**SHORT_SWEEP, "sweep": "x"})
        checked = send(ui, "check", path=led, **SHORT_SWEEP)
        style = ui.ask("GET", "/lt/tfsload/static/start.css")
        started = send(ui, path=led, load="images", num_tests="5")

    assert led == "/lt/tfsload/"
    assert 'action="/lt/tfsload/"' in page
    assert (refused.status, checked.status, style.status) == (422, 200, 200)
    assert started.headers["location"] == "/lt/tfsload/runs/live"


def test_the_command_line_says_what_a_new_page_holds(tmp_path, model_server):
    arguments = (
        "--rate",
        "70,80",
        "-u",
        "9",
        "--tls-ca-file",
        "x.pem",
        "--threshold",
        "p99 < 5ms",
        "--threshold",
        "rate > 1",
    )
    with web_ui_of(tmp_path, "--host", model_server.address, *arguments) as ui:
        values = show(ui).values

    assert (values["load"], values["rate"], values["user_count"]) == ("rates", "70,80", "9")
    assert values["tls_ca_file"] == "x.pem"
    assert values["threshold"] == "p99 < 5ms\nrate > 1"


def test_a_locustfiles_own_options_and_classes_stand_in_it(tmp_path, model_server):
    locustfile = tmp_path / "mine.py"
    locustfile.write_text(OWN_OPTIONS)
    arguments = ("--class-picker", "--host", model_server.address)
    with web_ui_of(tmp_path, *arguments, locustfile=locustfile) as ui:
        page = show(ui)
        body = ui.get(PATH)
        wrong = press(ui, load="images", num_tests="5", n_shades="x", colour="blue", pin="")
        typed = send(ui, load="images", num_tests="5", pin="12x34")
        stairs = press(ui, "check", load="plain", shape_class="Stairs")
        unseen = press(ui, "check", **SHORT_SWEEP, shape_class="Stairs")
        no_shape = press(ui, "check", load="plain", shape_class="Stares")
        chosen = {
            "user_classes": "Second",
            "colour": "blue",
            "n_shades": "4",
            "is_bright": "true",
            "pass_word": "",
            "pin": "",
        }
        assert send(ui, load="images", num_tests="5", **chosen).status == 303
        ui.wait_for_end()
        first = ui.process.log()
        assert send(ui, load="images", num_tests="5", colour="red", pass_word="other", pin="1234").status == 303
        ui.wait_for_end()
        press_again(ui, 1)
        ui.wait_for_end()
        pins = re.findall(r"PIN (\d+)", ui.process.log())
        told = [line for line in ui.process.log().splitlines() if "TOLD" in line]

    own = {"colour": "red", "n_shades": "3", "pass_word": ""}
    assert {name: page.values[name] for name in own} == own
    assert "is_bright" not in page.values
    assert page.values["load"] == "sweep"
    assert (stairs.status, stairs.values["shape_class"]) == (200, "Stairs")
    assert "as the load shape Stairs says" in stairs.said
    assert (unseen.status, unseen.values["shape_class"]) == (200, "Stairs")
    assert (no_shape.status, no_shape.values["shape_class"]) == (422, "Stares")
    assert set(no_shape.faults) == {"shape_class"}
    assert "Load shape" in no_shape.alert
    assert "unseen" not in page.values
    assert "open-sesame" not in body
    assert set(wrong.faults) == {"n_shades"}
    assert "--n_of_shades" in wrong.text
    assert "--n-shades" not in wrong.text
    assert wrong.open_parts == ["More of this locustfile"]
    assert wrong.values["colour"] == "blue"
    assert set(StartPage(typed).faults) == {"pin"}
    assert "12x34" not in typed.body
    assert pins == ["4711", "1234", "1234"]
    assert "TOLD blue 4 True open-sesame ['Second']" in first
    assert "TOLD red 3 False other ['GrpcPredictionUser', 'Second']" in told[1]
    assert "TOLD blue 4 True other ['Second']" in told[2]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param("", "application/x-www-form-urlencoded", id="nothing"),
        pytest.param('{"action": "start", "load": "sweep", "sweep": "1,2"}', "application/json", id="json"),
        pytest.param("action=start", "application/x-www-form-urlencoded", id="no-load"),
        pytest.param("action=start&load=imagse&num_tests=5", "application/x-www-form-urlencoded", id="no-such-load"),
        pytest.param("action=check&load=&num_tests=5", "application/x-www-form-urlencoded", id="an-empty-load"),
        pytest.param("load=sweep&sweep=1,2", "application/x-www-form-urlencoded", id="no-action"),
        pytest.param("action=stop&load=sweep", "application/x-www-form-urlencoded", id="another-action"),
        pytest.param("--x\r\nContent-Disp", "multipart/form-data; boundary=x", id="broken-off"),
        pytest.param("action=start&load=plain", "multipart/form-data", id="no-boundary"),
    ],
)
def test_what_is_no_form_of_the_page_starts_nothing(ui, body, content_type):
    before = ui.get("/tfsload/runs/")
    reply = ui.ask("POST", PATH, body, Content_Type=content_type)

    assert reply.status == 400
    assert "nothing was started" in reply.body
    assert ui.get("/tfsload/runs/") == before
    assert ui.stats()["state"] in ("ready", "stopped")
