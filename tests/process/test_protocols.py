"""One run, one protocol: what a bare run sends, what is named, what is refused; levels, gates and reports over REST."""

import json
import re

import pytest

from tests.support.protocols import BOTH, address_of, named, sending
from tests.support.runs import PROJECT, free_port, locust, run_headless
from tests.support.start_page import press, press_again, send, show
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes
from tfsload.transport.spoken import GRPC, REST

FEW = ("-u", "2", "-r", "2", "--num-tests", "40")
LEVELS = ("--level-duration", "1", "--warm-up", "0.2")
OWN = """
import tfsload
from users import GrpcPredictionUser, RestPredictionUser

class Mine(tfsload.RestUser):
    pass

class Derived(RestPredictionUser):
    pass
"""
REST_ALONE = "from users import RestPredictionUser\n"


def spawned(ended):
    """Return the user classes that were spawned, by the log; a worker's has those that have no users, too."""
    return set(re.findall(r'"(\w+)": [1-9]', ended.stderr))


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["alone", "two-processes"])
@pytest.mark.parametrize("spoken", BOTH)
def test_what_is_sent_is_what_is_named(tmp_path, model_server, processes, spoken):
    ended = run_headless(tmp_path, *sending(spoken, model_server), *FEW, *processes)

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert spawned(ended) == {spoken.user_class}
    assert ended.outcome["predictions"] == 40


@pytest.mark.parametrize("of_worker", [(), ("RestPredictionUser",)], ids=["a-bare-worker", "a-worker-for-rest"])
def test_workers_send_what_their_master_was_told(cluster, model_server, of_worker):
    run = cluster("RestPredictionUser", "--host", model_server.rest_address, "--expect-workers", "1", *FEW)
    run.join(*of_worker)
    ended = run.master.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert ended.outcome["predictions"] == 40
    assert " over REST" in ended.stdout


def test_the_suites_own_program_sends_rest_where_it_is_named(tmp_path, model_server):
    arguments = ("RestPredictionUser", "--host", model_server.rest_address, *FEW)
    ended = run_headless(tmp_path, *arguments, locustfile=PROJECT / "locustfile.py")

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert "PASS" in ended.stdout


@pytest.mark.parametrize(
    ("text", "arguments", "classes"),
    [
        pytest.param(REST_ALONE, (), {"RestPredictionUser"}, id="rest-alone"),
        pytest.param(OWN, ("Mine", "Derived"), {"Mine", "Derived"}, id="two-of-rest"),
    ],
)
def test_a_locustfile_of_ones_own_sends_rest(tmp_path, model_server, text, arguments, classes):
    locustfile = tmp_path / "own.py"
    locustfile.write_text(text)
    host = ("--host", f"http://{model_server.rest_address}")
    ended = run_headless(tmp_path / "run", *arguments, *host, *FEW, locustfile=locustfile)

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert spawned(ended) == classes


@pytest.mark.parametrize(
    ("text", "arguments", "names"),
    [
        pytest.param(
            None, ("GrpcPredictionUser", "RestPredictionUser"), ["GrpcPredictionUser (gRPC)"], id="both-named"
        ),
        pytest.param(None, ("--class-picker",), ["RestPredictionUser (REST)"], id="a-class-picker-and-nobody-to-pick"),
        pytest.param(OWN, (), ["GrpcPredictionUser (gRPC)", "Derived and Mine (REST)"], id="a-locustfile-with-both"),
    ],
)
@pytest.mark.parametrize("is_headless", [True, False], ids=["headless", "web-ui"])
def test_both_at_once_are_refused(tmp_path, text, arguments, names, is_headless):
    more = {}
    if text:
        more["locustfile"] = tmp_path / "own.py"
        more["locustfile"].write_text(text)
    if not is_headless and "--class-picker" in arguments:
        pytest.skip("there a page picks")
    how = ("--headless", "-t", "1s") if is_headless else ("--web-port", str(free_port()))
    with locust(tmp_path / "run", *arguments, *how, **more) as process:
        ended = process.wait()

    assert ended.exit_code == exit_codes.BAD_USAGE, ended.stderr
    assert "user classes of several protocols" in ended.stderr
    assert "compare the protocols by two runs" in ended.stderr
    for name in names:
        assert name in ended.stderr


@pytest.mark.parametrize(
    ("spoken", "host", "message"),
    [
        pytest.param(
            REST, "{grpc}", "speaks no REST (the server speaks HTTP/2 alone, as gRPC does", id="rest-to-the-grpc-port"
        ),
        pytest.param(REST, "{grpc}", "pass the REST port with --host (gRPC's is 8500", id="rest-with-its-cure"),
        pytest.param(GRPC, "{rest}", "is this the REST port? pass the gRPC port with --host", id="grpc-to-rest-s-port"),
        pytest.param(REST, "127.0.0.1:9", "no model server answers at 127.0.0.1:9", id="nobody"),
        pytest.param(REST, "grpc://a:8500", "for example a:8501; GrpcPredictionUser sends gRPC", id="a-grpc-address"),
        pytest.param(REST, "http://a:1/v1/models", "has a path, and requests have their own", id="a-path"),
        pytest.param(REST, "https://{rest}", "does not speak TLS", id="tls-where-there-is-none"),
    ],
)  # fmt: skip
def test_the_wrong_place_is_told(tmp_path, model_server, spoken, host, message):
    where = host.format(grpc=model_server.address, rest=model_server.rest_address)
    ended = run_headless(tmp_path, *named(spoken), "--host", where, *FEW)

    assert ended.exit_code in (exit_codes.BAD_USAGE, exit_codes.FAILED)
    assert message.lower() in ended.stderr.lower()
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["alone", "two-processes"])
@pytest.mark.parametrize(
    "load",
    [
        pytest.param(("--sweep", "1,2", *LEVELS), id="sweep"),
        pytest.param(("--rate", "40,80", *LEVELS), id="rate"),
        pytest.param(("-u", "2", "-r", "2", "--num-tests", "100", "--verify", "100"), id="verify"),
    ],
)
def test_levels_and_checks_go_over_rest(tmp_path, model_server, load, processes):
    report = tmp_path / "report"
    limits = ("--threshold", "failed_rate < 1%; error_rate < 5%", "--report", str(report))
    ended = run_headless(tmp_path / "run", *sending(REST, model_server), *load, *processes, *limits)

    result = json.loads((report / "result.json").read_text())
    assert ended.exit_code in (exit_codes.PASS, exit_codes.INVALID), ended.stderr  # a busy machine is no steady one
    assert (result["server"]["protocol"], result["server"]["names_model"]) == ("rest", False)
    assert {"httptools", "orjson"} <= set(result["made_by"]["libraries"])
    assert not {"grpcio", "hpack"} & set(result["made_by"]["libraries"])
    assert result["totals"]["failed"] == {}
    assert result["totals"]["mismatched"] == 0
    assert len(result["levels"]) == (2 if "--level-duration" in load else 0)
    rules = [one["name"] for one in result["verdict"]["rules"]]
    assert "one model answers, as the server says before, between levels and after" in rules
    assert "one model gives all answers" not in rules
    assert "embedded" not in (report / "report.html").read_text().split("</h1>")[0]


@pytest.mark.parametrize("spoken", BOTH)
def test_a_crossed_threshold_is_told(tmp_path, model_server, spoken):
    ended = run_headless(tmp_path, *sending(spoken, model_server), *FEW, "--threshold", "p50 < 1us")

    assert ended.exit_code == exit_codes.THRESHOLD, ended.stderr
    assert "was crossed" in ended.stdout


def test_a_command_line_in_a_file_may_hold_the_format(tmp_path, model_server):
    config = tmp_path / "locust.conf"
    config.write_text("rest-format = column\n")
    arguments = (*sending(REST, model_server), "--config", str(config))
    report = tmp_path / "report"
    ended = run_headless(tmp_path / "run", *arguments, *FEW, "--report", str(report))

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert json.loads((report / "result.json").read_text())["asked"]["options"]["rest_format"] == "column"


PLAIN = {"load": "images", "num_tests": "40", "user_count": "2", "spawn_rate": "2"}


@pytest.fixture
def page(tmp_path):
    """A bare web UI, whose runs go to the embedded server."""
    with web_ui_of(tmp_path) as ui:
        yield ui


def result_of(ui, number):
    return json.loads(ui.get(f"/tfsload/runs/{number}/files/result.json"))


def test_a_page_lets_choose_and_keeps_what_was_chosen(page):
    assert show(page).values["protocol"] == "gRPC"

    assert send(page, "start", **PLAIN, protocol="REST").status == 303
    page.wait_for_end()
    again = show(page, "?run=1")
    assert again.values["protocol"] == "REST"
    assert press_again(page, 1).status == 303
    page.wait_for_end()
    # Locust's own page shows, and sends, the address of REST's port, which nobody has typed: it is of the same server.
    shown = result_of(page, 1)["server"]["address"]
    assert send(page, "start", **PLAIN, protocol="gRPC", host=shown).status == 303
    page.wait_for_end()

    servers = [result_of(page, number)["server"] for number in (1, 2, 3)]
    assert [one["protocol"] for one in servers] == ["rest", "rest", "grpc"]
    assert all(one["is_embedded"] for one in servers)
    assert servers[0]["address"] == servers[1]["address"] == shown != servers[2]["address"]
    pages = [page.get(f"/tfsload/runs/{number}") for number in (1, 3)]
    assert ["RestPredictionUser" in one for one in pages] == [True, False]
    assert "embedded server · REST" in pages[0]


def test_a_page_says_what_is_no_protocol(page):
    refused = press(page, "check", **PLAIN, protocol="FTP")

    assert "expected gRPC or REST" in refused.faults["protocol"]


def test_where_a_class_was_named_there_is_nothing_to_choose(tmp_path, model_server):
    with web_ui_of(tmp_path, *sending(REST, model_server)) as ui:
        assert "protocol" not in show(ui).values
        refused = ui.start(protocol="gRPC", num_tests="40")
        assert "is a field of the form only where" in refused["message"]
        assert send(ui, "start", **PLAIN, host=address_of(model_server, REST)).status == 303
        ui.wait_for_end()
        assert result_of(ui, 1)["server"]["protocol"] == "rest"


def test_a_class_picker_s_choice_of_both_is_refused(tmp_path, model_server):
    with web_ui_of(tmp_path, "--class-picker", "--host", model_server.rest_address) as ui:
        both = ui.start(user_classes="GrpcPredictionUser", num_tests="40", host=model_server.address)
        assert both["success"], both
        ui.wait_for_end()
        picked = press(ui, "check", **PLAIN, host=model_server.rest_address)  # none ticked: all of them
        assert "user classes of several protocols" in picked.alert
        assert (
            send(ui, "start", **PLAIN, user_classes="RestPredictionUser", host=model_server.rest_address).status == 303
        )
        ui.wait_for_end()
        assert result_of(ui, 2)["server"]["protocol"] == "rest"
