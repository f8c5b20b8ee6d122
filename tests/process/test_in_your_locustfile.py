"""What people bring along in their locustfiles and command lines works beside the suite, or is refused in a line.

What happened is read from the server's own log and from what the locustfile has said, not from the suite's word.
"""

import json
import signal

import pytest

from tests.support.own_locustfiles import HEAD, own_locustfiles
from tests.support.runs import free_port, locust, run_headless, wait_until
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes


@pytest.fixture
def own(tmp_path):
    with own_locustfiles(tmp_path) as own:
        yield own


ALONE_AND_FORKED = pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked")])
PLAIN = """
class MyUser(tfsload.GrpcUser):
    pass
"""
TWO = """
class A(tfsload.GrpcUser):
    weight = 3
    request_name = "A"

class B(tfsload.GrpcUser):
    request_name = "B"
"""
TWO_EQUAL = TWO.replace("    weight = 3\n", "")
LEVELS = ("--sweep", "1,2", "--level-duration", "0.6", "--warm-up", "0")

# Who runs


@pytest.mark.parametrize(
    ("source", "arguments", "spawned"),
    [
        pytest.param(TWO, ("-u", "8"), {"A": 6, "B": 2}, id="weight"),
        pytest.param(TWO, ("-u", "4", "--equal-weights"), {"A": 2, "B": 2}, id="equal-weights"),
        pytest.param(
            TWO_EQUAL.replace("class A(tfsload.GrpcUser):", "class A(tfsload.GrpcUser):\n    fixed_count = 1"),
            ("-u", "4"),
            {"A": 1, "B": 3},
            id="fixed-count",
        ),
        pytest.param(
            TWO_EQUAL,
            ("-u", "8", "--config-users", '{"user_class_name": "A", "weight": 3}'),
            {"A": 6, "B": 2},
            id="config-users-weight",
        ),
        pytest.param(
            TWO_EQUAL,
            ("-u", "4", "--config-users", '{"user_class_name": "A", "fixed_count": 1}'),
            {"A": 1, "B": 3},
            id="config-users-fixed-count",
        ),
        pytest.param(TWO, ("-u", "3", "B"), {"B": 3}, id="named-on-the-command-line"),
        pytest.param(
            f"{PLAIN}\nclass Below(MyUser):\n    pass\n\nMyUser.abstract = True\n",
            ("-u", "3"),
            {"Below": 3},
            id="a-subclass-of-a-subclass",
        ),
        pytest.param("from users import GrpcPredictionUser\n", ("-u", "2"), {"GrpcPredictionUser": 2}, id="imported"),
    ],
)
def test_the_users_that_are_asked_for_are_those_that_fire(own, source, arguments, spawned):
    seen = own.run(source, "-r", "100", "-t", "2s", *arguments)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.spawned == [spawned]
    assert seen.most_in_flight == sum(spawned.values())


# Locust says so once all workers have: on a busy machine that takes its time.
@pytest.mark.timing
def test_users_of_several_classes_are_told_apart_on_workers_too(own):
    seen = own.run(TWO, "-u", "8", "-r", "100", "-t", "3s", n_workers=2)

    assert seen.spawned[-1] == {"A": 6, "B": 2}
    assert seen.most_in_flight == 8
    assert {"A", "B"} <= {row.split()[1] for row in seen.ended.stderr.splitlines() if row.startswith("grpc")}


@pytest.mark.parametrize(
    ("files", "named", "spawned"),
    [
        pytest.param(("a.py", "b.py"), "a.py,b.py", {"A": 2, "B": 2}, id="several-files"),
        pytest.param(("d/a.py", "d/b.py"), "d", {"A": 2, "B": 2}, id="a-directory"),
    ],
)
def test_locustfiles_may_be_several(own, files, named, spawned):
    for name, letter in zip(files, "AB", strict=True):
        own.write(f"class {letter}(tfsload.GrpcUser):\n    pass\n", name)
    directory = own.directory
    where = ",".join(str(directory / one) for one in named.split(","))
    arguments = ("--host", own.address, "-u", "4", "-r", "100", "-t", "3s")
    seen = own.seen(run_headless(directory / "run", *arguments, locustfile=where, cwd=directory))

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stderr
    assert seen.spawned == [spawned]
    assert seen.most_in_flight == 4


SHAPE = """
class Shape(LoadTestShape):
    use_common_options = True

    def tick(self):
        if self.get_run_time() > 2:
            return None
        return self.runner.environment.parsed_options.num_users, 100
"""
SHAPE_OF_CLASSES = """
class Shape(LoadTestShape):
    def tick(self):
        return (2, 100, [A]) if self.get_run_time() < 2.5 else (5, 100, [B]) if self.get_run_time() < 7 else None
"""


@ALONE_AND_FORKED
def test_a_shape_may_go_by_locusts_own_options(own, n_workers):
    seen = own.run(PLAIN + SHAPE, "-u", "3", "-r", "100", n_workers=n_workers)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.most_in_flight == 3


@pytest.mark.timing
@ALONE_AND_FORKED
def test_a_shape_may_name_classes(own, n_workers):
    seen = own.run(TWO + SHAPE_OF_CLASSES, n_workers=n_workers)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert [{name: n for name, n in one.items() if n} for one in seen.spawned][:2] == [{"A": 2}, {"A": 2, "B": 3}]
    assert seen.most_in_flight == 5


# What they do

TAGGED = """
class MyUser(tfsload.GrpcUser):
    @tag("slow")
    @task
    def slow(self):
        say("slow")
        self.predict()

    @tag("fast")
    @task
    def fast(self):
        say("fast")
        self.predict()
"""
NESTED = """
class Tasks(TaskSet):
    @task
    def one(self):
        say("one")
        self.user.predict()

    @task
    class Inner(TaskSet):
        @task
        def two(self):
            say("two")
            self.user.predict()
            self.interrupt()

class MyUser(tfsload.GrpcUser):
    predict_in_turn = None
    tasks = [Tasks]
"""
SEQUENCE = """
class Tasks(SequentialTaskSet):
    @task
    def one(self):
        say("one")
        self.user.predict()

    @task
    def two(self):
        say("two")
        self.user.predict()

class MyUser(tfsload.GrpcUser):
    predict_in_turn = None
    tasks = [Tasks]
"""
OWN_TURN = """
class MyUser(tfsload.GrpcUser):
    def predict_in_turn(self):
        say("mine")
        self.predict()
"""
OWN_TURN_AS_TASK = OWN_TURN.replace("    def", "    @task\n    def")
BESIDE = """
class MyUser(tfsload.GrpcUser):
    @task
    def look(self):
        say("look")
        gevent.sleep(0.01)
"""
OWN_PREDICT = """
class MyUser(tfsload.GrpcUser):
    def predict(self):
        say("before")
        super().predict()
"""


@pytest.mark.parametrize(
    ("source", "arguments", "words", "is_all"),
    [
        pytest.param(TAGGED, ("--tags", "slow"), {"slow"}, True, id="tags"),
        pytest.param(TAGGED, ("--tags", "slow", "fast"), {"slow", "fast"}, True, id="two-tags"),
        pytest.param(TAGGED, ("--tags", "predict"), set(), False, id="the-suites-own-tag"),
        pytest.param(TAGGED, ("--exclude-tags", "slow"), {"fast"}, False, id="exclude-tags"),
        pytest.param(TAGGED, ("--exclude-tags", "predict"), {"slow", "fast"}, True, id="the-suites-own-tag-excluded"),
        pytest.param(NESTED, (), {"one", "two"}, True, id="nested-sets-of-tasks"),
        pytest.param(SEQUENCE, (), {"one", "two"}, True, id="a-sequence"),
        pytest.param(OWN_TURN, (), {"mine"}, True, id="a-turn-of-its-own"),
        pytest.param(OWN_TURN_AS_TASK, (), {"mine"}, True, id="a-task-of-its-own-as-turn"),
        pytest.param(OWN_PREDICT, (), {"before"}, True, id="a-prediction-of-its-own"),
        pytest.param(BESIDE, (), {"look"}, False, id="a-task-beside-predictions"),
        pytest.param(
            TAGGED,
            ("--config-users", '{"user_class_name": "MyUser", "tasks": ["fast"]}'),
            {"fast"},
            True,
            id="config-users-tasks",
        ),
    ],
)
def test_tasks_have_their_turns(own, source, arguments, words, is_all):
    seen = own.run(source, "--num-tests", "120", "-u", "2", "-r", "100", *arguments)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.n_served == 120
    assert set(seen.said) == words
    # A user that has no image left has said so before it waits for one.
    assert not is_all or 120 <= seen.said.total() <= 122


def test_a_sequence_goes_in_its_order(own):
    seen = own.run(SEQUENCE, "--num-tests", "40")

    assert seen.n_served == 40
    assert own.said.read_text().split()[:40] == ["one", "two"] * 20


@ALONE_AND_FORKED
def test_levels_are_made_of_predictions_whatever_tasks_and_wait_times_there_are(own, n_workers):
    source = NESTED.replace("    tasks", "    wait_time = constant(5)\n    tasks")
    seen = own.run(source, *LEVELS, n_workers=n_workers)

    assert "not run      MyUser.Tasks: levels are made of the suite's predictions alone" in seen.ended.stdout
    assert "wait_time of MyUser: no effect" in seen.ended.stderr
    assert seen.said.total() == 0
    assert seen.most_in_flight == 2
    assert seen.n_served > 20


HOOKS = """
class MyUser(tfsload.GrpcUser):
    def on_start(self):
        say("start")

    def on_stop(self):
        say("stop")
"""


@ALONE_AND_FORKED
def test_users_start_and_stop_in_their_own_way(own, n_workers):
    seen = own.run(HOOKS, "-u", "4", "-r", "100", "-t", "3s", n_workers=n_workers)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.said == {"start": 4, "stop": 4}
    assert seen.most_in_flight == 4


@pytest.mark.parametrize(
    ("wait_time", "least_s"),
    [
        pytest.param("constant(0.1)", 0.11, id="constant"),
        pytest.param("between(0.05, 0.1)", 0.06, id="between"),
        pytest.param("constant_pacing(0.1)", 0.1, id="pacing"),
        pytest.param("constant_throughput(10)", 0.1, id="throughput"),
        pytest.param("lambda self: 0.1", 0.11, id="of-ones-own"),
    ],
)
def test_users_wait_as_their_class_says(own, wait_time, least_s):
    seen = own.run(f"class MyUser(tfsload.GrpcUser):\n    wait_time = {wait_time}\n", "--num-tests", "12")
    arrivals_s = [one.arrival_ns / 1e9 for one in seen.served]

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert len(arrivals_s) == 12
    # With room, since one that is late shortens the wait that comes after; without any a request takes a tenth of it.
    assert (arrivals_s[-1] - arrivals_s[0]) / 11 >= least_s * 0.8


PATIENT = """
class MyUser(tfsload.GrpcUser):
    @task
    def mine(self):
        say("begins")
        self.predict()
        gevent.sleep(1.5)
        say("ends")
"""


@pytest.mark.parametrize(("stop_timeout", "n_ends"), [("5", 2), ("0", 0)], ids=["waits", "does-not"])
def test_a_stop_timeout_lets_tasks_end(own, stop_timeout, n_ends):
    source = PATIENT.replace("(tfsload.GrpcUser):", "(tfsload.GrpcUser):\n    predict_in_turn = None\n")
    seen = own.run(source, "-u", "2", "-r", "100", "-t", "1s", "--stop-timeout", stop_timeout)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.said["ends"] == n_ends
    assert seen.said["begins"] == seen.n_served == 2


@pytest.mark.parametrize(
    ("source", "arguments", "line"),
    [
        pytest.param(PLAIN, ("--tags", "x"), "--tags x: MyUser is left without a task", id="tags-that-leave-nothing"),
        pytest.param(
            TAGGED, ("--tags", "slow", *LEVELS[:2]), "--tags slow and --sweep: levels are", id="tags-of-levels"
        ),
        pytest.param(PLAIN + SHAPE, LEVELS[:2], "a load shape of its own, Shape", id="a-shape-and-levels"),
        pytest.param(PLAIN, ("-u", "0"), "-u 0: expected from 1", id="no-users"),
        pytest.param(
            PLAIN.replace("pass", "fixed_count = 2"),
            LEVELS[:2],
            "fixed_count of MyUser says",
            id="fixed-count-and-levels",
        ),
        pytest.param(
            TWO.replace('"A"', '"A"\n    host = "127.0.0.1:1"').replace('"B"', '"B"\n    host = "127.0.0.1:2"'),
            (),
            "user classes name different hosts",
            id="two-hosts",
        ),
    ],
)
def test_what_excludes_one_another_is_refused_in_a_line(own, source, arguments, line):
    path = own.write(source)
    host = () if "host" in source else ("--host", own.address)
    seen = own.seen(run_headless(own.directory / "run", *host, *arguments, locustfile=path, SAID=str(own.said)))

    assert seen.ended.exit_code == exit_codes.BAD_USAGE, seen.ended.stdout
    (told,) = [one for one in seen.ended.stderr.splitlines() if line in one]
    assert told.startswith("  - ")
    assert "Traceback" not in seen.ended.stderr
    assert seen.n_served == 0


def test_a_run_time_beside_levels_is_named(own):
    seen = own.run(PLAIN, "-t", "1s", *LEVELS)

    assert "-t: no effect, since levels say" in seen.ended.stderr
    assert "2 users" in seen.ended.stdout


# Listeners

LISTENERS = """
class MyUser(tfsload.GrpcUser):
    pass

def who(environment):
    return type(environment.runner).__name__

@events.request.add_listener
def on_request(request_type, name, response_time, response_length, exception, context, **_):
    say("request", request_type, name, exception)

@events.prediction.add_listener
def on_prediction(**_):
    say("prediction")

@events.test_start.add_listener
def on_start(environment, **_):
    say("start", who(environment), environment.parsed_options.my_word)

@events.test_stop.add_listener
def on_stop(environment, **_):
    say("stop", who(environment))

@events.run.add_listener
def on_run(result, **_):
    say("run", result.totals.requests)

@events.quitting.add_listener
def on_quitting(environment, **_):
    say("quitting", who(environment), tfsload.result(environment) is not None)

@events.init_command_line_parser.add_listener
def on_parser(parser):
    parser.add_argument("--my-word", default="none", env_var="MY_WORD")
"""


def test_listeners_and_arguments_of_ones_own_have_their_say(own):
    seen = own.run(LISTENERS, "--num-tests", "50", "-u", "2", "-r", "100", "--my-word", "hello")

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stderr
    assert seen.n_served == 50
    assert seen.said == {
        "request grpc Predict None": 50,
        "prediction": 50,
        "start LocalRunner hello": 1,
        "stop LocalRunner": 1,
        "run 50": 1,
        "quitting LocalRunner True": 1,
    }


def test_listeners_hear_of_it_where_it_happens_with_workers(own):
    seen = own.run(LISTENERS, "--num-tests", "50", "-u", "2", "-r", "100", "--my-word", "hello", n_workers=2)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stderr
    assert seen.said == {
        "request grpc Predict None": 50,
        "prediction": 50,
        "start MasterRunner hello": 1,
        "start WorkerRunner hello": 2,
        "stop MasterRunner": 1,
        "stop WorkerRunner": 2,
        "run 50": 1,
        "quitting MasterRunner True": 1,
        "quitting WorkerRunner False": 2,
    }


# What Locust writes


@ALONE_AND_FORKED
def test_json_is_all_that_stdout_holds(own, n_workers):
    seen = own.run(PLAIN, "--json", "--num-tests", "50", "-u", "2", "-r", "100", n_workers=n_workers)
    (row,) = json.loads(seen.ended.stdout)

    assert (row["name"], row["num_requests"], seen.n_served) == ("Predict", 50, 50)
    assert "Inference error rate" in seen.ended.stderr


@ALONE_AND_FORKED
def test_a_file_of_json_holds_all_processes(own, n_workers):
    path = own.directory / "stats"
    seen = own.run(PLAIN, "--json-file", str(path), "--num-tests", "50", "-u", "2", "-r", "100", n_workers=n_workers)
    (row,) = json.loads(path.with_suffix(".json").read_text())

    assert (row["num_requests"], seen.n_served) == (50, 50)


@pytest.mark.parametrize("flag", ["--skip-log", "--skip-log-setup"])
def test_the_summary_is_printed_whatever_is_logged(own, flag):
    seen = own.run(PLAIN, flag, "--num-tests", "50")

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stderr
    assert "50 of 50 images, each exactly once" in seen.ended.stdout
    assert seen.n_served == 50


@pytest.mark.parametrize("n_workers", [0, 2])
def test_statistics_that_are_reset_change_no_count(own, n_workers):
    seen = own.run(PLAIN, "--reset-stats", "--num-tests", "150", "-u", "4", "-r", "4", n_workers=n_workers)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert "150 of 150 images, each exactly once" in seen.ended.stdout
    assert seen.n_served == 150


# Where options stand

IN_TOML = 'headless = true\nhost = "SERVER"\nnum-tests = 30\nonly-summary = true\nusers = 3\nspawn-rate = 100\n'
IN_CONF = IN_TOML.replace('"', "")


@pytest.mark.parametrize(
    ("name", "text", "arguments", "environment", "n_images"),
    [
        pytest.param("locust.conf", IN_CONF, (), {}, 30, id="locust-conf"),
        pytest.param("pyproject.toml", "[tool.locust]\n" + IN_TOML, (), {}, 30, id="pyproject"),
        pytest.param("locust.conf", IN_CONF, ("--num-tests", "20"), {}, 20, id="the-command-line-first"),
        pytest.param("locust.conf", IN_CONF, (), {"TFSLOAD_NUM_TESTS": "25"}, 25, id="then-the-environment"),
        pytest.param("my.conf", IN_CONF, ("--config", "my.conf"), {}, 30, id="a-file-that-is-named"),
    ],
)
def test_options_may_stand_in_files_and_variables(own, name, text, arguments, environment, n_images):
    own.write(text, name)
    path = own.write(PLAIN)
    seen = own.seen(run_headless(own.directory / "run", *arguments, locustfile=path, cwd=own.directory, **environment))

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stderr
    assert seen.n_served == n_images
    assert seen.spawned == [{"MyUser": 3}]


@pytest.mark.parametrize("name", ["locust.conf", "pyproject.toml"])
def test_an_option_that_may_be_repeated_may_be_a_list_in_a_file(own, name):
    text = IN_TOML + 'threshold = ["p50 < 1s", "error_rate < 100%"]\n'
    own.write("[tool.locust]\n" + text if name.endswith("toml") else text.replace('"', ""), name)
    path = own.write(PLAIN)
    seen = own.seen(run_headless(own.directory / "run", locustfile=path, cwd=own.directory))

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stderr
    assert "\n✓ p50 < 1 s  " in seen.ended.stdout
    assert "\n✓ error_rate < 100%  " in seen.ended.stdout


# In the web UI

ROUTES = (
    LISTENERS
    + """
@events.init.add_listener
def on_init(environment, web_ui, **_):
    if web_ui:
        @web_ui.app.route("/mine")
        def mine():
            say("looked")
            return "my page"

        @web_ui.app.route("/change", methods=["POST"])
        def change():
            say("changed")
            return "done"
"""
)


def test_routes_and_arguments_of_ones_own_work_in_the_web_ui(own):
    path = own.write(ROUTES)
    with web_ui_of(own.directory / "run", "--host", own.address, locustfile=path, SAID=str(own.said)) as ui:
        assert ui.get("/mine") == "my page"
        assert ui.ask("POST", "/change", Origin=ui.url).body == "done"
        assert ui.ask("POST", "/change", Origin="http://elsewhere.example").status == 403
        assert ui.start(my_word="hello", num_tests="40")["success"]
        wait_until(lambda: ui.n_summaries() == 1, "the summary")
        ui.wait_for_end()
        assert ui.start(my_word="again", num_tests="30")["success"]
        wait_until(lambda: ui.n_summaries() == 2, "the second summary")
        ui.process.signal(signal.SIGTERM)
        seen = own.seen(ui.process.wait())

    assert seen.said["looked"] == seen.said["changed"] == 1
    assert [seen.said[f"start LocalRunner {word}"] for word in ("hello", "again", "none")] == [1, 1, 0]
    assert seen.n_served == 70


@pytest.mark.parametrize(
    ("arguments", "n_served"),
    [
        pytest.param(("--num-tests", "40"), 40, id="images"),
        pytest.param(("-t", "1s"), None, id="a-run-time"),
        pytest.param(LEVELS, None, id="levels"),
    ],
)
def test_a_web_ui_that_starts_and_quits_by_itself(own, arguments, n_served):
    path = own.write(PLAIN)
    web = ("--autostart", "--autoquit", "0", "--web-host", "127.0.0.1", "--web-port", str(free_port()))
    with locust(own.directory / "run", *web, "--host", own.address, *arguments, locustfile=path) as process:
        seen = own.seen(process.wait())

    assert "Inference error rate" in seen.ended.stderr
    assert seen.n_served > 20
    assert n_served in (None, seen.n_served)


# Others beside it

FAST_HTTP = """
class Website(FastHttpUser):
    host = "http://127.0.0.1:1"
    wait_time = constant(0.05)

    @task
    def load(self):
        with self.client.get("/x", catch_response=True) as response:
            say("visit")
            response.success()
"""


@ALONE_AND_FORKED
def test_a_fast_http_user_runs_beside_predictions(own, n_workers):
    seen = own.run(PLAIN + FAST_HTTP, "-u", "4", "-r", "100", "-t", "3s", n_workers=n_workers)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.spawned[-1] == {"MyUser": 2, "Website": 2}
    assert seen.most_in_flight == 2
    assert seen.said["visit"] > 4


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(PLAIN, id="predictions"),
        pytest.param(BESIDE.replace("gevent.sleep(0.01)", "self.predict()"), id="tasks-of-its-own"),
    ],
)
def test_iterations_of_locust_plugins_are_predictions(own, source):
    seen = own.run("import locust_plugins\n" + source, "--iterations", "30")  # with two users it may miss its end

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout
    assert seen.n_served == 30


def test_wait_times_of_locust_plugins_hold(own):
    seen = own.run("import locust_plugins\n" + PLAIN, "--ips", "20", "-u", "4", "-r", "100", "--num-tests", "20")
    arrivals_s = [one.arrival_ns / 1e9 for one in seen.served]

    assert seen.n_served == 20
    assert arrivals_s[-1] - arrivals_s[0] > 0.5  # of 0.8: all four begin at once


def test_the_beginning_of_these_locustfiles_is_no_suite_of_its_own():
    assert "GrpcUser" not in HEAD
