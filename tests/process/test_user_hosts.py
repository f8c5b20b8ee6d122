"""Where a run goes: `--host`, else the `host` of its user classes, which stays what it was."""

import json
from types import SimpleNamespace

import pytest
from locust import User
from locust.env import Environment

from tests.support.runs import forked, run_headless, wait_until
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes
from tfsload.prediction.grpc_user import GrpcUser
from tfsload.run.user_hosts import HostAsked, UserHosts, host_asked


def suites(name, **attributes):
    return type(name, (GrpcUser,), {"abstract": False, **attributes})


class Silent(GrpcUser):
    abstract = False


class Named(GrpcUser):
    abstract = False
    host = "serving:8500"


class Heir(Named):
    pass


class Other(User):
    host = "http://elsewhere"


@pytest.mark.parametrize(
    ("given", "classes", "text", "named_by"),
    [
        pytest.param(None, [Silent], None, "--host", id="nobody-names-any"),
        pytest.param("a:1", [Named], "a:1", "--host", id="the-command-line-beats-the-class"),
        pytest.param(None, [Named], "serving:8500", "host of Named", id="the-class"),
        pytest.param("", [Named], "serving:8500", "host of Named", id="an-empty-form"),
        pytest.param(None, [Heir], "serving:8500", "host of Heir", id="a-class-above-it"),
        pytest.param(None, [Silent, Named], "serving:8500", "host of Named", id="who-names-none-goes-along"),
        pytest.param(None, [Silent, Other], None, "--host", id="other-users-hosts-are-theirs"),
        pytest.param(None, [suites("Empty", host=""), suites("No", host=None)], None, "--host", id="empty-is-none"),
        pytest.param("a:1", [Named, suites("B", host="b:1")], "a:1", "--host", id="the-command-line-settles-it"),
        pytest.param(
            None, [Named, suites("G", host="grpc://Serving:8500/")], "serving:8500", "host of Named", id="one"
        ),
    ],
)
def test_where_a_run_goes(given, classes, text, named_by):
    assert host_asked(given, classes) == HostAsked(text, named_by)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("serving:8501", id="port"),
        pytest.param("elsewhere:8500", id="name"),
        pytest.param("http://serving:8500", id="not-an-address"),
        pytest.param("unix:/run/serving.sock", id="socket"),
    ],
)
def test_different_hosts_are_a_fault_that_names_each(other):
    asked = host_asked(None, [Named, Silent, suites("B", host=other)])

    assert len(asked.faults) == 1
    assert f"Named 'serving:8500' and B '{other}'" in asked.faults[0]


def environment_of(*classes, host=None):
    return Environment(user_classes=list(classes), parsed_options=SimpleNamespace(), host=host)


def start_as_locust_does(environment):
    """Write what Locust writes into the classes at each start."""
    if environment.host:
        for user_class in environment.user_classes:
            user_class.host = environment.host


@pytest.mark.parametrize("is_master", [pytest.param(False, id="alone"), pytest.param(True, id="master")])
def test_a_run_leaves_each_class_as_it_was(is_master):
    own, heir, silent = suites("Own", host="a:1"), type("OwnHeir", (Named,), {}), suites("Quiet")
    environment = environment_of(own, heir, silent)
    hosts = UserHosts(environment)
    for given in ("b:2", "c:3"):
        environment.host = given
        hosts.ask(given, environment.user_classes)
        if is_master:
            start_as_locust_does(environment)  # which tells of the start only then
        hosts.begin(given, is_leader=True)
        start_as_locust_does(environment)
        during = {one.host for one in environment.user_classes}
        hosts.end()

        assert during == {given}
        assert (own.host, heir.host, silent.host) == ("a:1", "serving:8500", None)
        assert "host" not in vars(heir)


def test_a_host_that_somebody_else_writes_in_the_run_stays():
    own = suites("Own", host="a:1")
    environment = environment_of(own)
    hosts = UserHosts(environment)
    hosts.ask(None, [own])
    hosts.begin("a:1", is_leader=True)
    own.host = "written-by:1"
    hosts.end()

    assert own.host == "written-by:1"


def test_the_address_that_is_only_shown_does_not_bind_the_next_run():
    silent = suites("Quiet")
    environment = environment_of(silent)
    hosts = UserHosts(environment)
    hosts.show("127.0.0.1:5")
    assert environment.host == "127.0.0.1:5"

    silent.host = "named-since:1"
    assert hosts.ask(environment.host, [silent]).text == "named-since:1"


def test_other_users_do_not_get_an_address_that_nobody_gave():
    silent, other = suites("Quiet"), type("Http", (User,), {"host": "http://elsewhere"})
    environment = environment_of(silent, other, host=None)
    hosts = UserHosts(environment)
    hosts.show("127.0.0.1:5")
    hosts.ask(environment.host, environment.user_classes)
    hosts.begin("127.0.0.1:5", is_leader=True)
    start_as_locust_does(environment)

    assert (silent.host, other.host) == ("127.0.0.1:5", "http://elsewhere")
    assert environment.host is None


# Writes each class's host, as it stands when Locust quits, to the file `hosts`.
LOCUSTFILE = """
import json
from pathlib import Path
import gevent
from locust import User, events, task
from tests.support.locustfiles.observed import GrpcPredictionUser
from users import PredictionUser

{classes}

found = {{}}

@events.test_stop.add_listener
def on_test_stop(environment, **_):
    found["environment"] = environment

@events.quit.add_listener
def on_quit(**_):
    hosts = {{one.__name__: one.host for one in found["environment"].user_classes}} if found else {{}}
    Path({directory!r}, "hosts").write_text(json.dumps(hosts))
"""
MINE = """
class Mine(GrpcPredictionUser):
    host = {host!r}
del GrpcPredictionUser
"""
NOBODY = "127.0.0.1:9"


def locustfile_of(tmp_path, classes):
    path = tmp_path / "own.py"
    path.write_text(LOCUSTFILE.format(classes=classes, directory=str(tmp_path)))
    return path


def hosts_after(tmp_path):
    return json.loads((tmp_path / "hosts").read_text())


@pytest.mark.parametrize(
    "classes",
    [
        pytest.param(MINE.format(host=NOBODY), id="the-class"),
        pytest.param(f'GrpcPredictionUser.host = "{NOBODY}"', id="the-suites-own-class"),
        pytest.param(
            f'class Base(GrpcPredictionUser):\n    abstract = True\n    host = "{NOBODY}"\n'
            "class Mine(Base):\n    pass\n",
            id="an-abstract-class-above-it",
        ),
    ],
)
def test_nobody_at_the_classs_host_is_no_server(tmp_path, classes):
    ended = run_headless(tmp_path, "-t", "2s", locustfile=locustfile_of(tmp_path, classes))

    assert ended.exit_code == exit_codes.FAILED
    assert f"no model server answers at {NOBODY}" in ended.stderr
    assert "embedded" not in ended.stderr


@pytest.mark.parametrize(
    "n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked", marks=pytest.mark.long)]
)
def test_the_classs_host_is_measured(tmp_path, model_server, n_workers):
    classes = MINE.format(host="grpc://" + model_server.address)
    arguments = ("--num-tests", "50", "-u", "2", *forked(n_workers))
    ended = run_headless(tmp_path, *arguments, locustfile=locustfile_of(tmp_path, classes))

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert f"at {model_server.address}" in ended.stdout
    assert ended.outcome["predictions"] == 50
    assert hosts_after(tmp_path) == {"Mine": "grpc://" + model_server.address}


def test_locusts_config_of_a_user_class_names_the_host_too(tmp_path, model_server):
    config = json.dumps({"user_class_name": "GrpcPredictionUser", "host": model_server.address})
    arguments = ("--num-tests", "20", "--config-users", config)
    ended = run_headless(tmp_path, *arguments, locustfile=locustfile_of(tmp_path, ""))

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert f"at {model_server.address}" in ended.stdout


@pytest.mark.parametrize("given", ["command line", "environment", pytest.param("file", marks=pytest.mark.long)])
def test_what_is_given_beats_the_class(tmp_path, model_server, given):
    (tmp_path / "own.conf").write_text(f"host = {model_server.address}\n")
    arguments = {"command line": ("--host", model_server.address), "file": ("--config", str(tmp_path / "own.conf"))}
    variables = {"LOCUST_HOST": model_server.address} if given == "environment" else {}
    locustfile = locustfile_of(tmp_path, MINE.format(host=NOBODY))
    ended = run_headless(tmp_path, "--num-tests", "20", *arguments.get(given, ()), locustfile=locustfile, **variables)

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert hosts_after(tmp_path) == {"Mine": NOBODY}


@pytest.mark.parametrize(
    ("host", "message"),
    [
        pytest.param("other:8500", "user classes name different hosts: ", id="different"),
        pytest.param("http://other:8501", "host of Mine 'http://other:8501' is an HTTP address", id="http"),
    ],
)
def test_hosts_that_cannot_be_are_refused_with_all_other_faults(tmp_path, host, message):
    classes = f'class Mine(GrpcPredictionUser):\n    host = "{host}"\n'
    if message.endswith(": "):
        classes += 'GrpcPredictionUser.host = "serving:8500"\n'
    ended = run_headless(tmp_path, "--deadline", "x", locustfile=locustfile_of(tmp_path, classes))

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert message in ended.stderr
    assert "--deadline 'x'" in ended.stderr


OTHER = """
seen = Path({directory!r}, "seen")

class Elsewhere(User):
    host = "http://elsewhere.example"
    fixed_count = 1

    @task
    def look(self):
        seen.write_text(str(self.host))
        gevent.sleep(0.05)
"""


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked")])
def test_other_users_in_the_run_keep_their_host(tmp_path, n_workers):
    classes = OTHER.format(directory=str(tmp_path))
    arguments = ("-u", "2", "-r", "2", "-t", "2s", *forked(n_workers))
    ended = run_headless(tmp_path, *arguments, locustfile=locustfile_of(tmp_path, classes))

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert ended.outcome["predictions"] > 0
    assert (tmp_path / "seen").read_text() == "http://elsewhere.example"
    assert hosts_after(tmp_path) == {"GrpcPredictionUser": None, "Elsewhere": "http://elsewhere.example"}


def test_runs_from_the_web_ui_leave_each_other_no_host(tmp_path, model_server):
    with web_ui_of(tmp_path, locustfile=locustfile_of(tmp_path, MINE.format(host=NOBODY))) as ui:
        for n_runs in (1, 2):
            assert ui.start(host=model_server.address, num_tests=20)["success"]
            wait_until(lambda n_runs=n_runs: ui.n_summaries() == n_runs, "the summary")
            ui.wait_for_end()
            refused = ui.start(host="", num_tests=20)
            assert not refused["success"]
            assert f"no model server answers at {NOBODY}" in refused["message"]


def test_the_host_of_a_run_under_way_is_not_changed(tmp_path, model_server):
    with web_ui_of(tmp_path, "--host", model_server.address) as ui:
        assert ui.start()["success"]
        wait_until(lambda: ui.stats()["state"] == "running", "the run")
        answer = ui.start(host="127.0.0.1:9", user_count=5)
        ui.stop()
        ui.wait_for_end()

    assert not answer["success"]
    assert "host: a run is under way" in answer["message"]


def test_the_class_picker_picks_the_host_too(tmp_path, model_server):
    classes = (
        f'class Here(GrpcPredictionUser):\n    host = "{model_server.address}"\n'
        f'class There(GrpcPredictionUser):\n    host = "{NOBODY}"\ndel GrpcPredictionUser\n'
    )
    with web_ui_of(tmp_path, "--class-picker", locustfile=locustfile_of(tmp_path, classes)) as ui:
        both = ui.start(host="", num_tests=20)
        there = ui.start(host="", num_tests=20, user_classes="There")
        here = ui.start(host="", num_tests=20, user_classes="Here")
        wait_until(ui.n_summaries, "the summary")
        ui.wait_for_end()

    assert "user classes name different hosts" in both["message"]
    assert f"no model server answers at {NOBODY}" in there["message"]
    assert here["success"]
