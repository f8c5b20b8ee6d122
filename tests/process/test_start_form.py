"""Starts from the web form, one after another: what was refused leaves nothing behind."""

import json
import re
import time
import urllib.parse

import pytest

from tests.support.odd_files import pipe
from tests.support.runs import LIMIT_S, free_port, locust, wait_until
from tests.support.web_ui import LEVEL, UNSET, web_ui_of
from tfsload.report import json_file
from tfsload.report.command import command

OWN_SHAPE = """
from locust import LoadTestShape

from locustfile import GrpcPredictionUser


class Second(GrpcPredictionUser):
    pass


class Steps(LoadTestShape):
    def tick(self):
        return (3, 100) if self.get_run_time() < 2 else None
"""


WAITING_LISTENER = """
import pathlib

import gevent
from locust import events

from locustfile import GrpcPredictionUser


@events.test_start.add_listener
def wait_for_leave(environment, **_):
    while not pathlib.Path({place!r}).exists():
        gevent.sleep(0.05)
"""


@pytest.fixture(scope="module")
def picker(tmp_path_factory, model_server):
    """A web UI with Locust's class picker, and a load shape of the user's own."""
    directory = tmp_path_factory.mktemp("picker")
    locustfile = directory / "shaped.py"
    locustfile.write_text(OWN_SHAPE)
    with web_ui_of(directory, "--host", model_server.address, "--class-picker", locustfile=locustfile) as started:
        yield started


def run(ui, **form):
    """Start a run from the form, wait for its end, and return its summary."""
    before = ui.n_summaries()
    answer = ui.start(**{**UNSET, **form})
    assert answer["success"], answer
    wait_until(lambda: ui.n_summaries() > before, "the summary")
    ui.wait_for_end()
    return ui.summaries().split("Model mnist")[-1]


def page(ui):
    """Return what a page is told when it is loaded."""
    return json.loads(re.search(r"window\.templateArgs\s*=\s*(\{.*\})", ui.get("/?locust=1"))[1])


def last_result(ui):
    """Return the result of the last run, once its files are there."""
    run = ui.ask("GET", "/tfsload/runs/live").headers["location"]
    wait_until(lambda: json.loads(ui.get(f"{run}/live.json")).get("is_settled"), "all files of the run")
    return json_file.parse(ui.get(f"{run}/files/result.json").encode())


REFUSED_BY_LOCUST = [
    pytest.param({"spawn_rate": "0"}, id="ramp-up-of-0"),
    pytest.param({"spawn_rate": "x"}, id="ramp-up-that-is-no-number"),
    pytest.param({"spawn_rate": "nan"}, id="ramp-up-of-nan"),
    pytest.param({"run_time": "abc"}, id="run-time"),
    pytest.param({"user_count": "-1"}, id="users"),
]


@pytest.mark.parametrize("form", REFUSED_BY_LOCUST)
def test_the_corrected_form_is_taken_at_once(ui, form):
    fields = {"user_count": "1", "spawn_rate": "1", **UNSET, "num_tests": "30", "deadline": "4", **form}
    reply = ui.ask("POST", "/swarm", urllib.parse.urlencode(fields))
    summary = run(ui, num_tests="20")

    assert reply.status != 200 or not json.loads(reply.body)["success"]
    assert "20 of 20 images, each exactly once" in summary


def test_a_pipe_that_the_form_names_holds_nobody_up(ui, tmp_path):
    pipe(tmp_path / "odd.pem")
    refused = ui.start(**{**UNSET, "tls": "true", "tls_ca_file": str(tmp_path / "odd.pem"), "num_tests": "20"})
    summary = run(ui, num_tests="20")

    assert "it is no regular file" in json.dumps(refused)
    assert "20 of 20 images" in summary


def test_nobody_says_from_outside_where_files_are_written(ui, tmp_path):
    place = tmp_path / "elsewhere"
    sent = {"html_file": str(place), "json_file": str(place), "headless": "true", "num_users": "9"}
    refused = ui.start(**UNSET, **sent)
    summary = run(ui, num_tests="20")

    assert not refused["success"]
    assert [fault.partition(" is not a field of the form")[0] for fault in refused["faults"]] == [
        f"'{name}'" for name in sent
    ]
    assert "20 of 20 images" in summary


def test_a_refused_levels_form_leaves_no_levels_behind(ui):
    refused = ui.start(**{**UNSET, **LEVEL, "sweep": "1,2", "run_time": "abc"})
    shown = page(ui)["state"]
    summary = run(ui, num_tests="20")

    assert not refused["success"]
    assert shown in ("ready", "stopped")
    assert "20 of 20 images" in summary


def test_what_was_refused_is_not_remembered_for_a_field_that_is_not_sent(ui):
    run(ui, num_tests="20")
    refused = ui.start(num_tests="40", deadline="3", host="localhost:1", spawn_rate="0")
    kept = ui.start()  # nothing but users and ramp up

    assert not refused["success"]
    assert kept["success"]
    assert "localhost:1" not in kept["host"]
    ui.wait_for_end()
    assert "20 of 20 images" in ui.summaries().split("Model mnist")[-1]


@pytest.mark.timing
@pytest.mark.parametrize(
    "edit",
    [
        pytest.param({"spawn_rate": "0"}, id="no-ramp-up"),
        pytest.param({"run_time": "abc"}, id="no-run-time"),
        pytest.param({"user_count": "x"}, id="no-number"),
        pytest.param({"user_count": ""}, id="nothing"),
        pytest.param({"user_count": "0"}, id="no-user"),
        pytest.param({"user_count": "-1"}, id="less-than-no-user"),
        pytest.param({"user_count": "1" + "0" * 9}, id="too-many-users"),
    ],
)
def test_a_refused_edit_leaves_a_run_its_end(ui, edit):
    assert ui.start(**{**UNSET, "run_time": "2s"})["success"]
    wait_until(lambda: ui.stats()["state"] == "running", "the run")
    refused = ui.start(**{**UNSET, **edit})
    ui.wait_for_end()

    assert not refused["success"]
    assert "stopped after" not in ui.summaries().split("Model mnist")[-1]


@pytest.mark.timing
@pytest.mark.parametrize(
    "edit", [pytest.param({}, id="as-the-page"), pytest.param({"run_time": "0m3s"}, id="said-again")]
)
def test_an_edit_leaves_a_run_its_end(ui, edit):
    before = ui.n_summaries()
    assert ui.start(**{**UNSET, "run_time": "3s"})["success"]
    wait_until(lambda: ui.stats()["state"] == "running", "the run")
    edits = [ui.start(user_count=n_users, **edit)["success"] for n_users in (8, 2)]
    wait_until(lambda: ui.n_summaries() > before, "the summary", limit_s=20)
    ui.wait_for_end()

    assert edits == [True, True]
    assert "stopped after" not in ui.summaries().split("Model mnist")[-1]


@pytest.mark.parametrize(
    ("run_time", "edit"),
    [
        pytest.param("60s", "2m", id="longer"),
        pytest.param("60s", "3", id="shorter"),
        pytest.param("", "60", id="one-for-a-run-without"),
        pytest.param("60s", "9" * 20 + "h", id="more-than-can-be-counted"),
    ],
)
def test_an_edit_of_the_run_time_is_refused(ui, run_time, edit):
    before = ui.n_summaries()
    assert ui.start(**{**UNSET, "run_time": run_time})["success"]
    wait_until(lambda: ui.stats()["state"] == "running", "the run")
    refused = ui.start(user_count=7, run_time=edit)
    ui.stop()
    wait_until(lambda: ui.n_summaries() > before, "the summary")
    ui.wait_for_end()

    assert not refused["success"]
    assert "run time" in refused["message"]
    assert "Ramping to 4 users" in ui.process.log()
    assert "Ramping to 7 users" not in ui.process.log()
    assert ("stopped after" in ui.summaries().split("Model mnist")[-1]) == bool(run_time)


@pytest.mark.timing
def test_an_edit_of_a_run_of_the_command_line_leaves_it_its_end(tmp_path, model_server):
    arguments = ("--autostart", "-u", "2", "-t", "4s", "--host", model_server.address)
    with web_ui_of(tmp_path, *arguments) as ui:
        wait_until(lambda: ui.stats()["state"] == "running", "the run")
        edits = [ui.start(user_count=n_users, run_time=run_time) for n_users, run_time in ((4, "4s"), (3, "9s"))]
        wait_until(ui.n_summaries, "the summary", limit_s=20)

    assert [edit["success"] for edit in edits] == [True, False]
    assert "stopped after" not in ui.summaries()


def test_a_start_that_a_locustfiles_listener_holds_up_is_known_and_can_be_stopped(tmp_path, model_server):
    leave, locustfile = tmp_path / "leave", tmp_path / "waits.py"
    locustfile.write_text(WAITING_LISTENER.format(place=str(leave)))
    leave.touch()
    with web_ui_of(tmp_path / "ui", "--host", model_server.address, locustfile=locustfile) as ui:
        run(ui, num_tests="20")
        leave.unlink()
        taken = ui.start(**{**UNSET, "num_tests": "30"})
        live, state = ui.ask("GET", "/tfsload/runs/live"), ui.stats()["state"]
        second = ui.start(**{**UNSET, "num_tests": "40"})
        ui.stop()
        wait_until(lambda: ui.ask("GET", "/tfsload/runs/live").status == 302, "nothing to be starting")
        leave.touch()
        summary = run(ui, num_tests="50")
        n_summaries = ui.n_summaries()

    assert (taken["success"], live.status, state) == (True, 200, "spawning")
    assert "another run is being started" in second["message"]
    assert "50 of 50 images" in summary
    assert n_summaries == 2


def test_the_form_is_alive_while_levels_run_and_after_them(ui):
    before = ui.n_summaries()
    assert ui.start(**{**UNSET, **LEVEL, "sweep": "1,2"})["success"]
    during = page(ui)
    wait_until(lambda: ui.n_summaries() > before, "the summary")
    ui.wait_for_end()
    after = page(ui)

    assert [told["hide_common_options"] for told in (during, after)] == [False, None]
    assert during["state"] in ("spawning", "running")


@pytest.mark.timing
@pytest.mark.parametrize(
    "form", [pytest.param({"sweep": "1,2", **LEVEL}, id="levels"), pytest.param({"num_tests": "100"}, id="plain")]
)
@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["one-process", "two-processes"])
def test_whoever_asks_hears_of_a_run_from_its_start_to_its_summary(tmp_path, model_server, form, processes):
    with web_ui_of(tmp_path, "--host", model_server.address, *processes) as ui:
        wait_until(lambda: len(ui.stats().get("workers", [1, 2])) == 2, "two workers")
        for _ in range(2):
            before = ui.n_summaries()
            assert ui.start(**{**UNSET, **form})["success"]
            states = [page(ui)["state"]]
            limit_s = time.monotonic() + LIMIT_S
            while states[-1] != "stopped":
                assert time.monotonic() < limit_s, states[-1]
                states.append(ui.stats()["state"])
                has_summary = ui.n_summaries() > before
                if has_summary and states[-1] == "running":
                    assert any("Inference error rate" in line for line in ui.log())

            assert set(states) <= {"spawning", "running", "stopped"}
            assert states[0] != "stopped"
            assert has_summary


def test_each_line_of_the_summary_is_a_line_of_the_log_tab(ui):
    summary = run(ui, num_tests="100")
    shown = [line.replace("\u00a0", " ").partition("/tfsload: ")[2] for line in ui.log()]

    lines = [line for line in summary.splitlines()[1:] if line.strip()]
    assert len(lines) > 15
    assert shown[-1] == lines[-1]
    assert [line for line in lines if line not in shown] == []


def test_the_class_picker_keeps_levels(picker):
    summary = run(picker, sweep="1,2", **LEVEL, user_classes="GrpcPredictionUser", shape_class="Default")

    assert [line for line in summary.splitlines() if re.match(r" *[12] users? ", line)]


def test_the_class_pickers_own_shape_runs_after_levels_and_not_with_them(picker):
    refused = picker.start(**{**UNSET, **LEVEL, "sweep": "1,2"}, shape_class="Steps")
    run(picker, shape_class="Steps")
    own = picker.process.log()
    run(picker, shape_class="Default", num_tests="20")
    plain = picker.process.log().removeprefix(own)

    assert not refused["success"]
    assert "Steps" in refused["message"]
    assert "updating to 3 users" in own
    assert "Shape" not in plain


def test_a_run_is_repeated_as_it_was_asked_for_whatever_was_asked_for_before(picker):
    run(picker, user_count="3", spawn_rate="5", run_time="1s", user_classes="Second", shape_class="Default")
    first = command(last_result(picker)).split(" --headless --host ")
    run(picker, user_count="2", spawn_rate="9", num_tests="20", shape_class="Default")
    second = command(last_result(picker)).split(" --headless --host ")

    assert (first[0].split()[-1], second[0].split()[-1][-3:]) == ("Second", ".py")
    assert (first[1].partition(" -u ")[2], second[1].partition(" -u ")[2]) == ("3 -r 5.0 -t 1", "2 -r 9.0")


def test_a_shape_that_the_class_picker_does_not_have_is_refused(picker):
    answer = picker.start(**UNSET, shape_class="Stairs")

    assert not answer["success"]
    assert "load shape 'Stairs': expected one of Default, Steps" in answer["message"]


def test_a_start_without_workers_is_refused_until_there_is_one(tmp_path, model_server):
    port = str(free_port())
    master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    with web_ui_of(tmp_path / "master", *master, "--host", model_server.address) as ui:
        refused = ui.start(**{**UNSET, "sweep": "1,2", **LEVEL})
        with locust(tmp_path / "worker", "--worker", "--master-port", port):
            wait_until(lambda: len(ui.stats()["workers"]) == 1, "a worker")
            summary = run(ui, num_tests="20")

    assert "no worker is connected" in refused["message"]
    assert "20 of 20 images, each exactly once" in summary
