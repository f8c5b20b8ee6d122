"""The wraps of Locust's own functions: what they are for, and that Locust still is what they were made for."""

import argparse
import ast
import csv
import errno
import functools
import inspect
import json
import linecache
import logging
import time
from pathlib import Path
from types import SimpleNamespace

import gevent
import gevent.event
import gevent.queue
import locust.argument_parser
import locust.main
import locust.runners
import locust.stats
import pytest
from locust.env import Environment
from locust.exception import RPCError

from tests.support.runs import forked, run_headless, wait_for
from tfsload.analysis import exit_codes
from tfsload.suite import locust_files, locust_wraps

locust_wraps.install()


@pytest.fixture(autouse=True)
def faults(monkeypatch):
    """What could not be written is this process's fault for good: here, for a test."""
    monkeypatch.setattr(locust_files, "_faults", [])


CSV_FILES = ("_stats.csv", "_stats_history.csv", "_failures.csv", "_exceptions.csv")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def counts(prefix: Path) -> dict[str, int]:
    """Return what each of Locust's CSV files says of how many requests there were."""
    aggregated = [row for row in rows(Path(f"{prefix}_stats.csv")) if row["Name"] == "Aggregated"]
    history = [row for row in rows(Path(f"{prefix}_stats_history.csv")) if row["Name"] == "Aggregated"]
    return {
        "requests": int(aggregated[0]["Request Count"]),
        "history": int(history[-1]["Total Request Count"]),
        "failures": int(aggregated[0]["Failure Count"]),
        "failures in history": int(history[-1]["Total Failure Count"]),
        "failures by kind": sum(int(row["Occurrences"]) for row in rows(Path(f"{prefix}_failures.csv"))),
        "exceptions": sum(int(row["Count"]) for row in rows(Path(f"{prefix}_exceptions.csv"))),
    }


@pytest.mark.parametrize(
    ("arguments", "n_workers", "n_requests"),
    [
        pytest.param(["--num-tests", "1000"], 0, 1000, id="num-tests"),
        pytest.param(["--num-tests", "500"], 2, 500, id="num-tests-on-workers"),
        pytest.param(["--num-tests", "1000", "--images-per-request", "4"], 0, 250, id="batches"),
        pytest.param(["--num-tests", "500", "--csv-full-history"], 0, 500, id="full-history"),
    ],
)
def test_csv_files_hold_the_whole_run(tmp_path, model_server, arguments, n_workers, n_requests):
    prefix = tmp_path / "c"
    arguments = ("--host", model_server.address, "-u", "8", "-r", "8", "--csv", str(prefix), *arguments)

    ended = run_headless(tmp_path, *arguments, *forked(n_workers))

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    found = counts(prefix)
    assert (found["requests"], found["history"]) == (n_requests, n_requests)
    assert found["failures"] == found["failures by kind"] == 0


def test_csv_json_and_tables_say_the_same(tmp_path, model_server):
    prefix, report = tmp_path / "c", tmp_path / "report"
    files = ("--csv", str(prefix), "--json", "--json-file", str(report))

    ended = run_headless(tmp_path, "--host", model_server.address, "--num-tests", "200", *files)

    assert json.loads(ended.stdout)[0]["num_requests"] == 200
    assert json.loads(Path(f"{report}.json").read_text())[0]["num_requests"] == 200
    assert counts(prefix)["requests"] == 200


def test_the_tables_beside_json_hold_figures(tmp_path, model_server):
    ended = run_headless(tmp_path, "--host", model_server.address, "--num-tests", "200", "--json")

    totals = [line.split() for line in ended.stderr.splitlines() if line.lstrip().startswith("Aggregated")]
    assert len(totals) == 2  # requests, and their percentiles
    assert all("200" in total for total in totals)


def test_locust_empties_statistics_in_mid_run_and_tells_nobody():
    """Once Locust tells of `--reset-stats`, the wrap is needless."""
    environment = Environment(reset_stats=True)
    runner = environment.create_local_runner()
    told, seen = [], []
    environment.events.reset_stats.add_listener(lambda **_: told.append("reset_stats"))
    locust_wraps.wrap_reset(environment.stats, lambda: seen.append(environment.stats.total.num_requests))
    environment.stats.log_request("GET", "/", 5, 10)
    environment.events.spawning_complete.fire(user_count=1)
    environment.stats.log_request("GET", "/", 5, 10)
    environment.stats.clear_all()
    runner.quit()

    assert told == []
    assert seen == [1, 1]
    assert environment.stats.total.num_requests == 0


def environment_with_statistics() -> Environment:
    """Return one whose users sent 3 requests, of which one failed, and raised the same exception twice."""
    environment = Environment()
    exceptions = {1: {"count": 2, "msg": "oh", "traceback": "there", "nodes": {"local"}}}
    environment.runner = SimpleNamespace(user_count=3, exceptions=exceptions)
    for _ in range(3):
        environment.stats.log_request("grpc", "Predict", 5, 10)
    environment.stats.log_error("grpc", "Predict", "UNAVAILABLE")
    return environment


def writer_to(prefix: Path, environment: Environment | None = None, **options):
    environment = environment or environment_with_statistics()
    return locust.stats.StatsCSVFileWriter(environment, [0.5, 0.99], str(prefix), **options)


ALL = {"requests": 3, "history": 3, "failures": 1, "failures in history": 1, "failures by kind": 1, "exceptions": 2}


@pytest.mark.parametrize("times", [pytest.param(1, id="closed"), pytest.param(3, id="completed-twice-before")])
@pytest.mark.parametrize("is_written", [pytest.param(True, id="written"), pytest.param(False, id="never-written")])
@pytest.mark.parametrize("is_full", [pytest.param(True, id="full-history"), pytest.param(False, id="total")])
def test_all_four_files_are_complete_once_closed(tmp_path, times, is_written, is_full):
    writer = writer_to(tmp_path / "c", full_history=is_full)
    if is_written:
        writing = gevent.spawn(writer.stats_writer)
        gevent.sleep(0)
        writing.kill()
    for _ in range(times - 1):
        writer.complete()
    writer.close_files()

    assert counts(tmp_path / "c") == ALL
    entries = [row["Name"] for row in rows(Path(f"{tmp_path / 'c'}_stats_history.csv"))]
    assert entries == (["Predict", "Aggregated"] if is_full else ["Aggregated"]) * (1 + is_written)
    assert writer.fault == ""


def test_shorter_rows_leave_nothing_of_longer_ones(tmp_path):
    environment = environment_with_statistics()
    writer = writer_to(tmp_path / "c", environment)
    writer.complete()
    environment.stats.clear_all()
    environment.runner.exceptions.clear()
    writer.close_files()

    assert [row["Name"] for row in rows(Path(f"{tmp_path / 'c'}_stats.csv"))] == ["Aggregated"]
    assert rows(Path(f"{tmp_path / 'c'}_failures.csv")) == rows(Path(f"{tmp_path / 'c'}_exceptions.csv")) == []


@pytest.mark.parametrize("which", [pytest.param(name, id=name) for name in CSV_FILES])
def test_a_full_disk_is_told_and_raises_nothing(tmp_path, caplog, which):
    Path(f"{tmp_path / 'c'}{which}").symlink_to("/dev/full")
    writer = writer_to(tmp_path / "c")
    writer.complete()
    writer.close_files()

    assert writer.fault.startswith(f"--csv {tmp_path / 'c'}: the files could not be written: ")
    assert caplog.text.count("could not be written") == 1


def test_a_full_disk_in_the_middle_ends_the_writing_alone(tmp_path, monkeypatch, caplog):
    writer = writer_to(tmp_path / "c")
    monkeypatch.setattr(writer, "requests_flush", lambda: no_space())
    writing = gevent.spawn(writer.stats_writer)
    writing.join(10)

    assert writing.successful()
    assert "No space left" in caplog.text


def no_space():
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_name_that_the_locale_cannot_write_is_written_otherwise(tmp_path):
    environment = environment_with_statistics()
    environment.stats.log_request("grpc", "Größe", 5, 10)
    writer = writer_to(tmp_path / "c", environment)
    for file in writer._files:
        file.reconfigure(encoding="ascii", errors=file.errors)
    writer.close_files()

    assert "Gr\\xf6\\xdfe" in Path(f"{tmp_path / 'c'}_stats.csv").read_text()


def test_the_writer_ends_in_silence_when_its_files_are_closed(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    writer = writer_to(tmp_path / "c")
    writing = gevent.spawn(writer.stats_writer)
    gevent.sleep(0)
    writer.close_files()
    writing.join(10)

    assert writing.successful()
    assert caplog.text == ""


def test_json_leaves_the_statistics_as_they_are(tmp_path, capsys):
    stats = environment_with_statistics().stats
    locust.stats.print_stats_json(stats)
    locust.stats.save_stats_json(stats, str(tmp_path / "report"))

    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "report.json").read_text())
    assert printed[0]["num_requests"] == stats.total.num_requests == 3


def test_json_is_what_locust_itself_prints(capsys):
    stats = environment_with_statistics().stats
    stats.get("grpc", "never sent")  # left out
    locust.stats.print_stats_json(stats)

    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(stats.serialize_stats()))


def test_a_worker_that_cannot_send_its_statistics_goes_on(caplog):
    class Worker(locust.runners.WorkerRunner):
        greenlet = None

        def __init__(self):
            pass

        def _send_stats(self):
            raise RPCError("gone")

    locust_wraps.send_statistics(Worker())

    assert "Statistics could not be sent to the master: gone" in caplog.text


def test_the_clock_of_locusts_runners_cannot_be_set(monkeypatch):
    before = locust.runners.time.time()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)

    assert 0 <= locust.runners.time.time() - before < 600


def test_the_timer_of_the_command_lines_run_is_taken_back_and_no_other():
    fired = []

    def stop_and_optionally_quit():
        fired.append("run time")

    timer = locust.main.gevent.spawn_later(0, stop_and_optionally_quit)
    other = locust.main.gevent.spawn_later(0, lambda: fired.append("other"))
    locust_wraps.forget_command_lines_run_time()
    locust_wraps.forget_command_lines_run_time()  # there is none by then
    gevent.joinall([timer, other], timeout=10)

    assert fired == ["other"]


def test_the_timer_that_ends_a_run_is_let_go_on():
    has_begun, goes_on, fired = gevent.event.Event(), gevent.event.Event(), []

    def stop_and_optionally_quit():  # and waits out --autoquit
        has_begun.set()
        goes_on.wait(10)
        fired.append("quit")

    timer = locust.main.gevent.spawn_later(0, stop_and_optionally_quit)
    assert has_begun.wait(10)
    locust_wraps.forget_command_lines_run_time()
    goes_on.set()
    timer.join(10)

    assert fired == ["quit"]


class Started:
    """A runner, as far as Locust's program starts it, and who is told of a start."""

    def __init__(self):
        self.n_told = 0
        self.environment = SimpleNamespace(tfsload=SimpleNamespace(leader=SimpleNamespace(coming=self)))

    def know_start(self):
        self.n_told += 1

    def start(self, *_):
        """Stand for the runner's."""


def test_the_start_of_the_command_lines_run_is_remembered_and_no_other(monkeypatch):
    monkeypatch.setattr(locust_wraps._main_gevent, "start", None)
    runner = Started()
    other = locust.main.gevent.spawn(lambda: None)
    before = runner.n_told
    greenlet = locust.main.gevent.spawn(runner.start, 1, 1)
    gevent.joinall([other, greenlet], timeout=10)

    assert (before, runner.n_told) == (0, 1)
    assert locust_wraps._main_gevent.start is greenlet


def test_only_the_sleep_before_locust_quits_is_another(monkeypatch):
    slept = []
    monkeypatch.setattr(locust_wraps._main_time, "before_quit", lambda seconds: slept.append(("autoquit", seconds)))
    monkeypatch.setattr(time, "sleep", lambda seconds: slept.append(("locust", seconds)))

    def stop_and_optionally_quit():
        locust.main.time.sleep(5)

    stop_and_optionally_quit()
    locust.main.time.sleep(1)

    assert slept == [("autoquit", 5), ("locust", 1)]
    assert locust.main.time.monotonic is time.monotonic


# What the wraps were made for; where a new Locust does otherwise, they are to be looked at again.
def source(function) -> str:
    return inspect.getsource(function)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param("stats.StatsCSVFileWriter(", id="makes-the-csv-writer"),
        pytest.param("stats_csv_writer.close_files()", id="closes-it-at-the-end"),
        pytest.param("gevent.spawn(stats_csv_writer.stats_writer)", id="lets-it-write"),
        pytest.param("stats.print_stats_json(runner.stats)", id="prints-json"),
        pytest.param("stats.save_stats_json(runner.stats, options.json_file)", id="saves-json"),
        pytest.param("html_report = get_html_report(environment, ", id="makes-the-html-report"),
        pytest.param("setup_logging(options.loglevel, options.logfile)", id="opens-the-log-file"),
        pytest.param("gevent.spawn(runner.start, options.num_users, ", id="starts-users"),
        pytest.param("time.sleep(options.autoquit)\n                logger.info(", id="sleeps-before-it-quits"),
        pytest.param(
            f"gevent.spawn_later(options.run_time, {locust_wraps._Gevent.TIMER}).link_exception(",
            id="forgets-its-timer",
        ),
    ],
)
def test_locust_calls_what_is_wrapped_where_it_finds_it(call):
    assert call in source(locust.main.main)


@pytest.mark.parametrize("option", ["--csv", "--html", "--json-file", "--logfile"])
def test_locust_itself_tries_no_place_before_the_load(option):
    parser = locust.argument_parser.get_empty_argument_parser()
    locust.argument_parser.setup_parser_arguments(parser)
    before = parser._option_string_actions[option].type

    locust_files.check_paths(parser)

    assert before in (None, str)
    with pytest.raises(argparse.ArgumentTypeError, match="cannot be written"):
        parser._option_string_actions[option].type("/dev/null/below")


def test_locusts_writer_has_what_the_wrap_uses():
    own = locust_files.CompleteCsvWriter.__mro__[1]

    assert list(inspect.signature(own.close_files).parameters) == ["self"]
    assert list(inspect.signature(own.stats_writer).parameters) == ["self"]
    assert list(inspect.signature(own._stats_history_data_rows).parameters) == ["self", "csv_writer", "now"]
    opened = [line for line in source(own.__init__).splitlines() if "open(" in line]
    assert len(opened) == len(CSV_FILES)


def test_locusts_runners_ask_their_clock_for_nothing_but_seconds_since_1970():
    tree = ast.parse(source(locust.runners))
    asked = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "time"
    }

    assert asked == {"time"}
    assert locust.runners.time.sleep is time.sleep  # and whatever a locustfile may ask of it


def test_a_worker_is_told_of_where_locust_connects():
    connect = locust.runners.WorkerRunner.connect_to_master.__wrapped__.__code__

    # In the constructor, before anybody is told of the runner; and again and again until it is connected.
    assert "connect_to_master" in locust.runners.WorkerRunner.__init__.__code__.co_names
    assert {"connect_to_master", "retry", "connection_event"} <= set(connect.co_names)


def test_a_master_leaves_heartbeats_of_workers_that_it_does_not_know_at_that(caplog):
    """Once Locust takes such workers in, or tells of them aloud, the wrap is needless."""
    handle = locust.runners.MasterRunner.handle_message.__wrapped__
    sent, told = [], []
    events = SimpleNamespace(heartbeat_of_unknown_worker=SimpleNamespace(fire=lambda **of: told.append(of)))
    master = SimpleNamespace(
        clients={},
        environment=SimpleNamespace(events=events),
        server=SimpleNamespace(send_to_client=sent.append),
        check_stopped=lambda: None,
    )
    message = SimpleNamespace(type="heartbeat", node_id="old", data={"state": "running", "current_cpu_usage": 1})
    handle(master, "old", message)
    locust.runners.MasterRunner.handle_message(master, "old", message)

    assert (master.clients, sent, caplog.text) == ({}, [], "")
    assert told == [{"client_id": "old"}]


@pytest.mark.parametrize("runner_class", [locust.runners.MasterRunner, locust.runners.LocalRunner])
def test_no_users_are_started_while_a_run_ends_or_another_is_about_to_begin(runner_class, caplog):
    """Once Locust itself refuses, or tells of a start before it clears its statistics, the wrap is needless."""
    stages, pending = SimpleNamespace(is_ending=True), ["another run is being started"]
    leader = SimpleNamespace(stages=stages, coming=SimpleNamespace(why_not=lambda _: "".join(pending)))
    runner = SimpleNamespace(environment=SimpleNamespace(tfsload=SimpleNamespace(leader=leader)))
    assert runner_class.start(runner, 3, 100) is None  # the key "w"
    assert "the run is being stopped" in caplog.text

    stages.is_ending = False
    assert runner_class.start(runner, 3, 100) is None
    assert "No users are started: another run is being started" in caplog.text

    pending.clear()
    with pytest.raises(AttributeError):  # on its way to what Locust does
        runner_class.start(runner, 3, 100)
    code = runner_class.start.__wrapped__.__code__
    names = code.co_names if runner_class is locust.runners.MasterRunner else runner_class._start.__code__.co_names
    assert names.index("clear_all") < names.index("test_start")


@pytest.mark.parametrize("is_ours", [False, True], ids=["locusts-own", "ours"])
def test_a_task_ends_the_run_from_two_users_on(is_ours):
    """Once Locust's own comes to its end, the wrap is needless."""
    stop = locust.runners.LocalRunner.stop
    stop = stop if is_ours else stop.__wrapped__

    class Ending(locust.User):
        n_turns = 0

        @locust.task
        def end(self):
            gevent.sleep(0.01)
            Ending.n_turns += 1
            if Ending.n_turns == 6:
                stop(self.environment.runner)

    environment = Environment(user_classes=[Ending])
    runner = environment.create_local_runner()
    runner.start(2, spawn_rate=100)
    if is_ours:
        wait_for(lambda: runner.state == locust.runners.STATE_STOPPED)
    else:
        wait_for(lambda: runner.state == locust.runners.STATE_CLEANUP)
        gevent.sleep(0.3)
        assert runner.state == locust.runners.STATE_CLEANUP  # and there it stays
    runner.greenlet.kill(block=False)


class Overtaken(locust.runners.WorkerRunner):
    """A worker without a master, which is told to stop in the breath in which it is told to start."""

    def __init__(self, environment):
        locust.runners.DistributedRunner.__init__(self, environment)
        self.client_id, self.last_received_spawn_timestamp = "worker", 0.0
        self.worker_state = locust.runners.STATE_INIT
        self.said, self.told = [], gevent.queue.Queue()
        self.client = SimpleNamespace(send=lambda message: self.said.append(message.type), recv=self.told.get)
        self.greenlet.spawn(self.worker)

    def tell(self, *kinds):
        for number, kind in enumerate(kinds):
            data = {"timestamp": time.time() + number, "host": None, "stop_timeout": 0, "parsed_options": {}}
            self.told.put(
                SimpleNamespace(type=kind, data={**data, "user_classes_count": {"Waiting": 2}}, node_id="worker")
            )


@pytest.mark.parametrize("is_ours", [False, True], ids=["locusts-own", "ours"])
def test_a_stop_that_overtakes_its_start_stops_it(monkeypatch, is_ours):
    """Once Locust's own worker has no user left after it, the wrap is needless."""
    if not is_ours:
        monkeypatch.setattr(Overtaken, "stop", inspect.unwrap(locust.runners.WorkerRunner.stop), raising=False)
    heard = []

    class Waiting(locust.User):
        @locust.task
        def wait(self):
            gevent.sleep(0.01)

    environment = Environment(user_classes=[Waiting])
    environment.events.test_start.add_listener(lambda **_: heard.append("start"))
    environment.events.test_stop.add_listener(lambda **_: heard.append("stop"))
    runner = Overtaken(environment)
    runner.tell("spawn")
    wait_for(lambda: runner.user_count == 2)
    runner.tell("stop")
    wait_for(lambda: runner.said[-1:] == ["client_ready"])
    runner.tell("spawn", "stop")
    wait_for(lambda: runner.said.count("client_ready") == 2)
    wait_for(lambda: runner.spawning_greenlet.ready())

    if is_ours:
        assert (runner.user_count, runner.said[-1]) == (0, "client_ready")
        assert heard == ["start", "stop"] * 2
        assert (runner.state, runner.worker_state) == (locust.runners.STATE_STOPPED, locust.runners.STATE_INIT)
    else:
        assert (runner.user_count, runner.said[-2:]) == (2, ["spawning_complete", "client_ready"])
    runner.greenlet.kill(block=False)
    runner.user_greenlets.kill(block=False)


@pytest.mark.parametrize("runner_class", [locust.runners.MasterRunner, locust.runners.LocalRunner])
def test_a_runner_quits_once_the_run_has_ended(runner_class):
    """Once Locust itself waits for who stops a run already, the wrap is needless."""
    done = []
    leader = SimpleNamespace(wait_while_ending=lambda: done.append("waited"))
    runner = SimpleNamespace(
        environment=SimpleNamespace(tfsload=SimpleNamespace(leader=leader)),
        stop=lambda **_: done.append("stopped"),
        clients=SimpleNamespace(all=[]),
        greenlet=SimpleNamespace(kill=lambda **_: done.append("killed")),
        user_greenlets=(),
    )
    runner_class.quit(runner)

    assert done == ["waited", "stopped", "killed"]
    # A stop beside the first one returns at once, and whoever waits for the shape quits when it is gone.
    assert "STATE_STOPPING]" in source(locust.runners.MasterRunner.stop).splitlines()[1]
    assert "shape_greenlet.join()" in source(locust.main.main)
    assert 'stop_and_optionally_quit(reason="Shape test completed")' in source(locust.main.main)


def test_a_method_that_a_plugin_has_wrapped_is_wrapped_all_the_same():
    class Owner:
        def method(self):
            return ["locust's"]

    def wrapping(word):
        def wrap(method):
            @functools.wraps(method)
            def wrapped(self):
                return [word, *method(self)]

            return wrapped

        return wrap

    Owner.method = wrapping("a plugin's")(Owner.method)
    locust_wraps._wrap_once(Owner, "method", wrapping("ours"))
    Owner.method = wrapping("a later plugin's")(Owner.method)
    locust_wraps._wrap_once(Owner, "method", wrapping("ours"))

    assert Owner().method() == ["a later plugin's", "ours", "a plugin's", "locust's"]


def test_locust_looks_up_sources_to_log_who_stops_a_run():
    """Once Locust asks for the caller alone, the wrap is needless."""
    assert "inspect.getframeinfo(inspect.stack()[1][0])" in inspect.getsource(locust.runners.Runner.stop)


def test_who_stops_a_run_is_logged_without_a_look_at_sources(caplog, monkeypatch):
    looked_up = []
    monkeypatch.setattr(inspect, "getmodule", lambda *given: looked_up.append(given))
    monkeypatch.setattr(linecache, "getlines", lambda *given: looked_up.append(given) or [])
    runner = Environment().create_local_runner()
    runner.state = locust.runners.STATE_RUNNING

    with caplog.at_level(logging.DEBUG, "locust.runners"):
        locust.runners.Runner.stop(runner)

    (line,) = [one for one in caplog.messages if one.startswith("Stopping all users")]
    assert line.startswith(f"Stopping all users (called from {__file__}:")
    assert looked_up == []
