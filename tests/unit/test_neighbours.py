"""What other programs took of a machine's CPUs beside a run, by two readings of it."""

import subprocess
import sys

import pytest

from tfsload.records.neighbours import (
    STEAL,
    CpuClock,
    MachineReading,
    Neighbour,
    Neighbours,
    ProcessTime,
    neighbours_between,
)
from tfsload.run import machine_reading

RUN, WORKER, SERVER, OTHER, THIRD = 10, 11, 20, 30, 31
PASSED_S = 10.0


def reading(clock_s, busy_s, idle_s, processes, steal_s=0.0, n_cpus=2):
    """Return a reading of equally busy CPUs; of a process: its parent, its seconds and its ended children's."""
    each = CpuClock(busy_s / n_cpus, idle_s / n_cpus, steal_s / n_cpus)
    told = {pid: ProcessTime(parent, f"p{pid}", begun, *s) for pid, (parent, begun, *s) in processes.items()}
    return MachineReading(clock_s, dict.fromkeys(range(n_cpus), each), told)


def between(begin, end, roots=(RUN,), busy_s=20.0, idle_s=0.0, cpus_of=lambda _: {0, 1}, **more):
    first, last = reading(100.0, 0.0, 0.0, begin), reading(100.0 + PASSED_S, busy_s, idle_s, end, **more)
    return neighbours_between(first, last, roots, cpus_of)


def before(*pids):
    return dict.fromkeys(pids, (1, 1, 0.0))


@pytest.mark.parametrize(
    ("begin", "end", "roots", "taken"),
    [
        pytest.param(before(RUN), {RUN: (1, 1, 20.0)}, (RUN,), 0.0, id="all-is-its-own"),
        pytest.param(before(RUN), {RUN: (1, 1, 15.0)}, (RUN,), 0.5, id="a-part"),
        pytest.param(before(RUN), {RUN: (1, 1, 25.0)}, (RUN,), 0.0, id="no-less-than-nothing"),
        pytest.param(before(RUN), {RUN: (1, 1, 8.0), WORKER: (RUN, 2, 7.0)}, (RUN,), 0.5, id="a-child-that-began"),
        pytest.param(
            {RUN: (1, 1, 0.0), WORKER: (RUN, 1, 100.0)}, {RUN: (1, 1, 8.0, 107.0)}, (RUN,), 0.5, id="a-child-that-ended"
        ),
        pytest.param(
            {RUN: (1, 1, 0.0), WORKER: (RUN, 1, 0.0), THIRD: (WORKER, 1, 0.0)},
            {RUN: (1, 1, 8.0), THIRD: (1, 1, 7.0)},
            (RUN,),
            0.5,
            id="a-grandchild-whose-parent-ended",
        ),
        pytest.param(
            before(RUN, SERVER), {RUN: (1, 1, 8.0), SERVER: (1, 1, 7.0)}, (RUN, SERVER), 0.5, id="a-server-of-its-own"
        ),
        pytest.param(
            {RUN: (1, 1, 0.0), OTHER: (RUN, 1, 50.0)},
            {RUN: (1, 1, 8.0, 57.0), OTHER: (1, 9, 5.0)},
            (RUN,),
            0.5,
            id="a-pid-that-another-has-by-now",
        ),
        pytest.param(
            {RUN: (1, 1, 0.0), WORKER: (RUN, 1, 100.0)}, {RUN: (1, 1, 15.0)}, (RUN,), 0.5, id="that-nobody-waited-for"
        ),
    ],
)
def test_what_is_no_process_of_the_run_is_another_program(begin, end, roots, taken):
    found = between(begin, end, roots)

    assert found.taken_cpus == pytest.approx(taken)
    assert (found.n_cpus, found.idle_cpus) == (2, 0.0)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        pytest.param(before(RUN, SERVER), {RUN: (1, 1, 8.0)}, id="ended"),
        pytest.param(before(RUN), {RUN: (1, 1, 8.0), SERVER: (1, 3, 8.0)}, id="began"),
        pytest.param(before(RUN, SERVER), {RUN: (1, 1, 8.0), SERVER: (1, 3, 8.0)}, id="another-of-its-number"),
    ],
)
def test_where_a_process_of_the_run_did_not_live_all_along_nothing_is_known(begin, end):
    assert between(begin, end, (RUN, SERVER)) is None


def test_without_time_between_them_two_readings_tell_nothing():
    one = reading(100.0, 1.0, 1.0, before(RUN))

    assert neighbours_between(one, one, (RUN,), lambda _: ()) is None


def test_interrupts_are_nobodys():
    """Of 20 s of two CPUs 6 went to neither programs nor idleness: what came over loopback was handled there."""
    assert between(before(RUN), {RUN: (1, 1, 14.0)}, busy_s=14.0) == Neighbours(2, 0.0, 0.0)


def test_what_a_hypervisor_took_others_took():
    found = between(before(RUN), {RUN: (1, 1, 14.0)}, busy_s=14.0, steal_s=6.0)

    assert found == Neighbours(2, 0.6, 0.0, (Neighbour(STEAL, 0, 0.6),))


def test_the_programs_that_took_most_are_named():
    ended = {33: (OTHER, 1, 2.0), 34: (33, 1, 40.0)}
    begin = {**before(RUN), OTHER: (1, 1, 5.0), THIRD: (1, 1, 5.0), 32: (1, 1, 0.0), **ended}
    end = {RUN: (1, 1, 12.0), OTHER: (1, 1, 5.0, 45.0), THIRD: (1, 1, 9.0), 32: (1, 1, 0.4)}
    found = between(begin, end)

    assert found.greatest == (Neighbour("p31", THIRD, 0.4), Neighbour("p30", OTHER, 0.3))


def test_only_those_cpus_count_that_the_run_may_use():
    """Whoever has CPUs of its own is not in the way of those on others."""
    first = MachineReading(0.0, {0: CpuClock(0.0, 0.0), 1: CpuClock(0.0, 0.0)}, {RUN: ProcessTime(1, "run", 1, 0.0)})
    last = MachineReading(
        10.0,
        {0: CpuClock(6.0, 4.0), 1: CpuClock(10.0, 0.0)},
        {RUN: ProcessTime(1, "run", 1, 6.0), OTHER: ProcessTime(1, "other", 1, 10.0)},
    )
    on = {RUN: {0}, OTHER: {1}}

    assert neighbours_between(first, last, (RUN,), on.__getitem__) == Neighbours(1, 0.0, 0.4)


_BURN = """
import sys, time
while time.process_time() < 0.5:
    pass
print("burnt", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(machine_reading.read_machine() is None, reason="this system does not tell what its CPUs did")
def test_a_program_that_runs_beside_is_seen_in_readings_of_this_machine():
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as run,
        subprocess.Popen([sys.executable, "-c", _BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other,
    ):
        try:
            begin = machine_reading.read_machine()
            assert other.stdout.readline() == b"burnt\n"
            end = machine_reading.read_machine()
            beside, within = (
                neighbours_between(begin, end, roots, machine_reading.cpus_of) for roots in ((run.pid,), (other.pid,))
            )
        finally:
            for one in (run, other):
                one.stdin.close()
                one.kill()

    passed_s = end.clock_s - begin.clock_s
    assert (beside.taken_cpus - within.taken_cpus) * passed_s > 0.2
    assert end.processes[other.pid].cpu_s > 0.4
