"""Readings of a machine, as Linux tells them."""

import os

import pytest

from tfsload.records.neighbours import CpuClock, ProcessTime
from tfsload.run import machine_reading
from tfsload.run.machine_reading import read_machine

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
STAT = """cpu  9 9 9 9 9 9 9 9 0 0
cpu0 {} {} {} {} {} 7777 8888 {} 0 0
cpu1 0 0 0 {}
intr 12345 6
"""


def proc(tmp_path, stat, **processes):
    (tmp_path / "stat").write_text(stat)
    for pid, line in processes.items():
        (tmp_path / pid.removeprefix("p")).mkdir()
        (tmp_path / pid.removeprefix("p") / "stat").write_text(line)
    (tmp_path / "self").mkdir()
    return tmp_path


def line(name, parent=1, times=(0, 0, 0, 0), begun=99):
    return f"5 ({name}) S {parent} 5 5 0 -1 4194304 1 2 3 4 {' '.join(map(str, times))} 20 0 1 0 {begun} 7"


def test_a_reading_has_all_cpus_and_processes(tmp_path):
    stat = STAT.format(1 * TICKS, 2 * TICKS, 3 * TICKS, 10 * TICKS, 20 * TICKS, 5 * TICKS, TICKS)
    made = proc(tmp_path, stat, p5=line("a) S 9 (b", times=(TICKS, 2 * TICKS, 4 * TICKS, 8 * TICKS)), p6="gone", p7="")
    read = read_machine(made)

    assert read.cpus == {0: CpuClock(6.0, 30.0, 5.0), 1: CpuClock(0.0, 1.0, 0.0)}  # no interrupts
    assert read.processes == {5: ProcessTime(1, "a) S 9 (b", 99, 3.0, 12.0)}


@pytest.mark.parametrize("stat", ["", "intr 1 2\n", "cpu0 1 x 3 4 5 6 7 8\n", "cpux 1 2 3 4\n"])
def test_what_does_not_tell_is_no_reading(tmp_path, stat):
    assert read_machine(proc(tmp_path, stat)) is None


def test_where_there_is_no_such_folder_there_is_no_reading(tmp_path):
    assert read_machine(tmp_path / "none") is None


def test_where_a_reading_would_take_long_there_is_none(tmp_path, monkeypatch):
    made = proc(tmp_path, "cpu0 1 2 3 4 5 6 7 8\n", p5=line("a"), p6=line("b"))
    assert read_machine(made) is not None
    monkeypatch.setattr(machine_reading, "MOST_PROCESSES", 1)

    assert read_machine(made) is None


def test_whoever_has_ended_may_run_nowhere():
    assert machine_reading.cpus_of(2**22 + 1) == set()
