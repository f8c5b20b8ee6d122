"""What this process has had of the CPU, and what it has waited for it."""

import subprocess
import sys

import pytest

from tfsload.records import cpu
from tfsload.records.cpu import CpuShares, CpuTime


@pytest.mark.parametrize(
    ("later", "shares"),
    [
        pytest.param(CpuTime(1_000, 250, 500, 5), CpuShares(0.25, 0.5, 100), id="both"),
        pytest.param(CpuTime(1_000, 1_500, 0, 9), CpuShares(1.5, 0, 0), id="no-waiting"),
        pytest.param(CpuTime(0, 0, 0, 0), CpuShares(0, 0, 0), id="no-time-at-all"),
    ],
)
def test_shares_are_of_the_time_that_has_passed(later, shares):
    assert later.since(CpuTime(0, 0, 0, 0)) == shares


@pytest.mark.parametrize("content", [None, "", "1 x 3", "12"], ids=["missing", "empty", "damaged", "short"])
def test_where_waiting_is_not_known_it_is_none(tmp_path, monkeypatch, content):
    stat = tmp_path / "schedstat"
    if content is not None:
        stat.write_text(content)
    monkeypatch.setattr(cpu, "_SCHEDSTAT", stat)

    assert (CpuTime.now().waited_ns, CpuTime.now().n_slices) == (0, 0)


# Three processes on one CPU: each waits for two thirds of the time.
_CROWD = """
import os, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
others = []
for _ in range(2):
    other = os.fork()
    if not other:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            pass
        os._exit(0)
    others.append(other)
from tfsload.records import cpu
from tfsload.records.cpu import CpuTime
begin = CpuTime.now()
while time.process_time_ns() < begin.cpu_ns + 300_000_000:
    pass
shares = CpuTime.now().since(begin)
print(shares.busy, shares.waited, shares.mean_wait_ns)
for other in others:
    os.kill(other, 9)
"""


@pytest.mark.timing
@pytest.mark.skipif(not cpu._SCHEDSTAT.exists(), reason="this kernel keeps no schedstat")
def test_waiting_for_a_cpu_that_others_have_is_seen():
    ended = subprocess.run([sys.executable, "-c", _CROWD], capture_output=True, text=True, timeout=60, check=True)
    busy, waited, mean_wait_ns = map(float, ended.stdout.split())

    assert waited > 0.3
    assert mean_wait_ns > 100_000  # others have the CPU for milliseconds
    assert 0 < busy < 0.7
