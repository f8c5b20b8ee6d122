"""The table of joins with processes: a dozen of its cells in every run of the tests, the rest in the long ones."""

import contextlib
import json
import os
import pty
import re
import signal

import gevent
import pytest
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer

from tests.support.joins_table import CELLS, TABLE, assert_is_named
from tests.support.runs import PROJECT, free_port, locust, wait_until
from tfsload.analysis import exit_codes
from tfsload.run.participant import MASTER_LIMIT_S

# A cell is an instant of a run, some of a tenth of a second, which the test has to catch.
pytestmark = pytest.mark.timing

JOINED = PROJECT / "tests" / "support" / "locustfiles" / "joined.py"
AWAY_S = 6  # longer than Locust's 4.5 s, after which a worker counts as lost
BEYOND_LIMIT_S = MASTER_LIMIT_S + 3
LONG_AWAY_S = 12  # until after the end of a run of so few images
USERS = ("-u", "4", "-r", "2")
LEVELS = ("--level-duration", "6", "--warm-up", "2")
KINDS = {
    "num-tests": ("--num-tests", "240", *USERS),
    "run-time": ("-t", "14s", *USERS),
    "sweep": ("--sweep", "4,8", *LEVELS),
    "rate": ("--rate", "20,40", *LEVELS),
    "search": ("--find-max-rate", "20:40", "--threshold", "p50 < 1s", *LEVELS),
}
HAS_LEVELS = {"sweep", "rate", "search"}
# With options that make them shorter. Further ones are in test_joins.py.
SHORT_LEVELS = ("--level-duration", "2", "--warm-up", "1")
# A master hears of users once a second or so: the ramp lasts for some of those.
SLOW_RAMP = ("-u", "6", "-r", "1")
IN_EVERY_RUN = {
    ("joins", "ramp", "run-time"): ("-t", "7s", *SLOW_RAMP),
    ("joins", "warm-up", "sweep"): SHORT_LEVELS,
    ("joins", "between-levels", "rate"): SHORT_LEVELS,
    ("leaves-in-peace", "level", "num-tests"): ("--num-tests", "140"),
    ("leaves-in-peace", "level", "sweep"): SHORT_LEVELS,
    ("leaves-in-peace", "drain", "run-time"): ("-t", "3s"),
    ("is-killed", "warm-up", "rate"): SHORT_LEVELS,
    ("is-killed", "before-start", "run-time"): ("-t", "5s"),
    ("comes-back", "ramp", "num-tests"): SLOW_RAMP,
    ("master-killed", "level", "run-time"): (),
    ("users-edited", "level", "run-time"): ("-t", "5s"),
    ("users-edited", "warm-up", "sweep"): SHORT_LEVELS,
}
# What Locust and the suite say to a key that asks for a user more.
ANSWERS_TO_KEY = ("Sending spawn jobs of", "can't spawn more right now", "No users are started")


def reason_for_none(what, when, kind):
    """Return why a cell is not held with processes; empty: it is."""
    if when == "ramp" and kind in HAS_LEVELS:
        return "the users of a level are there within a tenth of a second, which no process can be timed to"
    if (what, when) == ("leaves-in-peace", "between-levels"):
        return "the next level may begin before a worker has taken its leave"
    if (what, when) == ("users-edited", "before-start"):
        return "Locust reads no keys before a run starts"
    return ""


class Link:
    """A worker's way to its master, which may be cut: what is said meanwhile arrives later."""

    def __init__(self, master_port):
        self._master_port = master_port
        self._is_whole = Event()
        self._is_whole.set()
        self._server = StreamServer(("127.0.0.1", 0), self._join)
        self._server.start()

    @property
    def port(self):
        return self._server.server_port

    def _join(self, worker, _address):
        with self._reach_master() as master:
            ways = [gevent.spawn(self._carry, *ends) for ends in ((worker, master), (master, worker))]
            gevent.wait(ways, count=1)
            gevent.killall(ways)

    def _reach_master(self):
        while True:
            with contextlib.suppress(ConnectionRefusedError):  # it has yet to start
                return socket.create_connection(("127.0.0.1", self._master_port))
            gevent.sleep(0.02)

    def _carry(self, here, there):
        with contextlib.suppress(OSError):
            while data := here.recv(65536):
                self._is_whole.wait()
                there.sendall(data)

    def cut_for(self, seconds):
        self._is_whole.clear()
        gevent.spawn_later(seconds, self._is_whole.set)

    def close(self):
        self._server.stop()


class Run:
    """A master and two workers, with a third that is about to connect; and what may happen to them."""

    def __init__(self, directory, stack, server, cell, *options):
        self._directory, self._stack, self._server = directory, stack, server
        self.what, self.when, self.kind = cell
        self._port = free_port()
        self._keys, self._terminal = pty.openpty()
        for end in (self._keys, self._terminal):
            stack.callback(os.close, end)
        self.master = self._master(*KINDS[self.kind], *options)
        names = "abc" if self.what == "joins" else "ab"
        self._links = [Link(self._port) for _ in names]
        for link in self._links:
            stack.callback(link.close)
        for name in "ab":
            self._allow("connects-" + name)
        self.workers = [self._worker(name, link) for name, link in zip(names, self._links, strict=True)]
        wait_until(lambda: self.stage().get("n_ready") == 2, "two workers")

    def _master(self, *options):
        arguments = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(self._port))
        arguments += ("--expect-workers", "1", "--only-summary", "--host", self._server.address)
        if self.what == "users-edited":  # Locust reads no keys while it is headless and has levels
            arguments += ("--autostart", "--autoquit", "0", "--web-host", "127.0.0.1", "--web-port", str(free_port()))
        else:
            arguments += ("--headless",)
        environment = {
            "TFSLOAD_TEST_STARTS": str(self._directory / "starts"),
            "TFSLOAD_TEST_STOPS_S": "1.5" if self.when == "drain" else "0",
        }
        return self._process("master", *arguments, *options, stdin=self._terminal, **environment)

    def _process(self, name, *arguments, **options):
        options["TFSLOAD_TEST_STAGE"] = str(self._directory / f"{name}.stage")
        return self._stack.enter_context(locust(self._directory / name, *arguments, locustfile=JOINED, **options))

    def _worker(self, name, link):
        arguments = ("--worker", "--master-host", "127.0.0.1", "--master-port", str(link.port))
        environment = {
            "TFSLOAD_TEST_IN_FLIGHT_S": "0.1",
            "TFSLOAD_TEST_CONNECTS": str(self._directory / ("connects-" + name)),
        }
        return self._process(name, *arguments, **environment)

    def _allow(self, name):
        (self._directory / name).touch()

    def stage(self, name="master"):
        """Return where a process stands."""
        with contextlib.suppress(FileNotFoundError):
            return json.loads((self._directory / f"{name}.stage").read_text())
        return {}

    def n_users_of_workers(self):
        """Return how many users each of the two workers has; None: it has not said."""
        return [self.stage(name).get("n_users") for name in "ab"]

    # When

    def reach(self):
        """Wait until it is time."""
        if self.when != "before-start":
            self.start()
            is_time = getattr(self, f"_is_{self.when.replace('-', '_')}")
            wait_until(lambda: is_time(self.stage()), self.when)

    def start(self):
        self._allow("starts")

    def _is_ramp(self, stage):
        return stage["state"] == "spawning" and stage["n_users"] > 0

    def _is_warm_up(self, stage):
        return self._is_result(stage) and stage["level_s"] > 0.2

    def _is_level(self, stage):
        if self.kind not in HAS_LEVELS:
            return stage["elapsed_s"] > 3.5 and stage["n_users"] > 0
        return self._is_result(stage) and stage["level_s"] > 2.2

    def _is_result(self, stage):
        """Whether this is the level that the run's result rests on."""
        return stage["level"] == (4 if self.kind == "search" else 1)

    def _is_between_levels(self, stage):
        return stage["n_levels"] == 1 and stage["level"] is None

    def _is_drain(self, stage):
        return stage["is_ending"]

    # What

    def bring_about(self):
        getattr(self, f"_{self.what.replace('-', '_')}")()

    def _joins(self):
        self._allow("connects-c")
        if self.when == "before-start":
            wait_until(lambda: self.stage()["n_ready"] == 3, "the third worker")

    def _leaves_in_peace(self):
        self.workers[1].signal(signal.SIGTERM)
        if self.when == "before-start":
            wait_until(lambda: self.stage()["n_ready"] == 1, "the second worker's leave")

    def _is_killed(self):
        self.workers[1].signal(signal.SIGKILL)

    def _comes_back(self):
        self._links[1].cut_for(LONG_AWAY_S if (self.when, self.kind) == ("level", "num-tests") else AWAY_S)

    def _master_killed(self):
        self.master.signal(signal.SIGKILL)

    def _users_edited(self):
        n_before = len(self.master.log())
        os.write(self._keys, b"w")
        wait_until(lambda: any(one in self.master.log()[n_before:] for one in ANSWERS_TO_KEY), "an answer to the key")


@pytest.fixture
def run(tmp_path, model_server):
    with contextlib.ExitStack() as stack:
        yield lambda cell, *options: Run(tmp_path, stack, model_server, cell, *options)


def cells(is_with_master):
    """Return the cells that are held, those that are not in every run marked."""
    held = [cell for cell in CELLS if not reason_for_none(*cell) and (cell[0] != "master-killed") is is_with_master]
    return [
        pytest.param(cell, id="/".join(cell), marks=() if cell in IN_EVERY_RUN else pytest.mark.long) for cell in held
    ]


def promised(cell):
    what, when, kind = cell
    return TABLE[what][when][kind]


@pytest.mark.parametrize("cell", cells(is_with_master=True))
def test_what_becomes_of_a_run(run, cell):
    under_way = run(cell, *IN_EVERY_RUN.get(cell, ()))
    under_way.reach()
    under_way.bring_about()
    under_way.start()
    ended = under_way.master.wait()

    said = ended.stdout + ended.stderr
    assert_is_named(promised(cell), said)
    # A level of a busy machine may be invalid for other reasons, too.
    codes = {promised(cell).exit_code} | ({exit_codes.INVALID} if under_way.kind in HAS_LEVELS else set())
    assert ended.exit_code == ended.outcome["exit_code"], said
    assert ended.exit_code in codes, said
    assert bool(ended.outcome["lost_workers"]) is promised(cell).loses, said
    assert ended.outcome["requests"] > 0
    if under_way.kind == "num-tests":
        assert re.search(r"(\d+) of \1 images, each exactly once", said), said


@pytest.mark.parametrize("cell", cells(is_with_master=False))
def test_what_becomes_of_workers_whose_master_is_killed(run, cell):
    under_way = run(cell)
    under_way.reach()
    had_load = any(under_way.n_users_of_workers())
    under_way.bring_about()
    for name in "ab":
        wait_until(lambda name=name: under_way.stage(name).get("unheard_s", 0) > BEYOND_LIMIT_S, "the master's limit")
    wait_until(lambda: under_way.n_users_of_workers() == [0, 0], "no users")

    says, logs = promised(cell).says, [worker.log() for worker in under_way.workers]
    assert had_load or under_way.when in ("before-start", "drain")
    assert [log.count(says or "heard of the master") for log in logs] == ([1, 1] if says else [0, 0])
    assert under_way.n_users_of_workers() == [0, 0]
    assert [worker.process.poll() for worker in under_way.workers] == [None, None]
