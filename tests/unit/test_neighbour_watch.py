"""When what other programs take is looked at, and when it cannot be told."""

import os
import socket

import psutil
import pytest

from tfsload.records.level import Level
from tfsload.records.neighbours import CpuClock, MachineReading, Neighbour, ProcessTime
from tfsload.run import neighbour_watch
from tfsload.run.neighbour_watch import LEAST_S, NeighbourWatch, listeners
from tfsload.transport.address import parse_address

OWN, SERVER, WORKER, OTHER = os.getpid(), 2**22 + 2, 2**22 + 3, 2**22 + 4
HERE, ANOTHER_CONTAINER, ELSEWHERE = "boot ns1", "boot ns2", "other ns1"
LEVEL = Level(1, 4, None, 2.0, 10.0)


class Machine:
    """Two CPUs that are always busy, of which each process has half of one; counts its readings."""

    def __init__(self, name="other"):
        self.now_s = 100.0
        self.read_at_s = []
        self._name = name

    def read(self):
        self.read_at_s.append(self.now_s)
        names = {OWN: "run", SERVER: "server", WORKER: "worker", OTHER: self._name}
        each = {pid: ProcessTime(1, name, 1, self.now_s / 2) for pid, name in names.items()}
        return MachineReading(self.now_s, dict.fromkeys((0, 1), CpuClock(self.now_s, 0.0)), each)

    def watch(self, server_pids=frozenset({SERVER}), place=HERE):
        return NeighbourWatch(server_pids, self.read, lambda: place, lambda _: ())


def report(place=HERE, pid=OWN):
    return {"place": place, "pid": pid}


def hold(machine, watch, reports, level=LEVEL):
    """Have a level watched, looking every tenth of a second."""
    watch.level_begins(level, machine.now_s)
    for _ in range(round(10 * (level.warm_up_s + level.duration_s))):
        machine.now_s += 0.1
        watch.look(machine.now_s)
    return watch.level_ended(reports, machine.now_s)


@pytest.mark.parametrize(
    ("server_pids", "reports", "taken"),
    [
        pytest.param({SERVER}, [report()], 1.0, id="one-process-and-its-server"),
        pytest.param((), [report()], 1.5, id="an-embedded-server-is-a-child"),
        pytest.param({SERVER}, [report(), report(pid=WORKER)], 0.5, id="a-worker-that-was-started-here"),
        pytest.param({SERVER}, [report(), report(ELSEWHERE, WORKER)], 1.0, id="a-worker-elsewhere"),
        pytest.param({SERVER}, [report(), report("", WORKER)], 1.0, id="a-worker-on-another-system"),
        pytest.param((), [report(ELSEWHERE, WORKER)], 1.5, id="all-workers-elsewhere-and-an-embedded-server"),
        pytest.param({SERVER}, [report(), report(ANOTHER_CONTAINER, 7)], None, id="a-worker-in-another-container"),
        pytest.param({SERVER}, [report(ELSEWHERE)], None, id="a-loopback-that-is-another-machines"),
        pytest.param(None, [report()], None, id="a-server-that-is-not-seen"),
        pytest.param({2**22 + 9}, [report()], None, id="a-server-that-has-ended"),
    ],
)
def test_what_is_claimed(server_pids, reports, taken):
    machine = Machine()
    found = hold(machine, machine.watch(server_pids), reports)

    assert (found and found.taken_cpus) == (taken and pytest.approx(taken))


def test_a_machine_is_read_as_a_window_begins_and_ends():
    machine = Machine()
    watch = machine.watch()
    hold(machine, watch, [report()])
    hold(machine, watch, [report()])

    assert machine.read_at_s == pytest.approx([101.9, 112.0, 113.9, 124.0], abs=0.11)


def test_without_a_warm_up_it_is_read_before_users_are_told():
    machine = Machine()
    machine.watch().level_begins(Level(1, 4, None, 0.0, 10.0), machine.now_s)

    assert machine.read_at_s == [100.0]


@pytest.mark.parametrize(
    ("level", "more"),
    [
        pytest.param(Level(1, 4, None, 2.0, LEAST_S - 0.1), {}, id="a-short-level"),
        pytest.param(LEVEL, {"server_pids": None}, id="a-server-that-is-not-seen"),
        pytest.param(LEVEL, {"place": ""}, id="a-system-that-does-not-tell"),
    ],
)
def test_where_nothing_can_be_claimed_nothing_is_read(level, more):
    machine = Machine()

    assert hold(machine, machine.watch(**more), [report()], level) is None
    assert machine.read_at_s == []


def test_a_level_that_was_broken_off_tells_nothing():
    machine = Machine()
    watch = machine.watch()
    watch.level_begins(LEVEL, machine.now_s)
    machine.now_s += 5
    watch.look(machine.now_s)

    assert watch.level_ended([report()], machine.now_s) is None


def test_a_name_steers_no_terminal():
    machine = Machine("\x1b[2J" + "x" * 50)
    found = hold(machine, machine.watch(), [report()])

    assert Neighbour("?[2J" + "x" * 35 + "…", OTHER, pytest.approx(0.5)) in found.greatest


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux is looked at")
def test_who_listens_is_found(listening):
    assert listeners(parse_address(f"127.0.0.1:{listening}")) == {OWN}
    assert listeners(parse_address(f"localhost:{listening}")) == {OWN}


@pytest.mark.parametrize("address", ["127.0.0.1:1", "192.0.2.1:{port}", "models:{port}", "unix:/tmp/{port}"])
def test_who_listens_elsewhere_or_not_at_all_is_not_known(listening, address):
    assert listeners(parse_address(address.format(port=listening))) is None


def test_who_only_hands_on_is_not_the_server(listening, monkeypatch):
    monkeypatch.setattr(neighbour_watch, "FORWARDERS", {psutil.Process().name()})

    assert listeners(parse_address(f"127.0.0.1:{listening}")) is None


def test_where_processes_may_not_be_seen_the_server_is_not_known(listening, monkeypatch):
    def refuse(_kind):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuse)

    assert listeners(parse_address(f"127.0.0.1:{listening}")) is None


def test_an_embedded_server_is_not_looked_for(monkeypatch):
    monkeypatch.setattr(neighbour_watch, "listeners", lambda _: pytest.fail("it is among the children"))

    NeighbourWatch.of(parse_address("127.0.0.1:8500"), is_embedded=True)
