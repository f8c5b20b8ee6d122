"""A run beside which another program takes the CPU."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.runs import PROJECT, locust
from tfsload.analysis import exit_codes

_BURN = "while True: pass"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not tell who took the CPU")
def test_a_program_that_takes_the_cpu_is_told_and_no_answer_given(tmp_path):
    """Both are tied to one CPU, of which nothing is idle then, and each has a good share."""
    cpu = min(os.sched_getaffinity(0))
    levels = ("--sweep", "1,2", "--level-duration", "3", "--warm-up", "0.5", "--report", str(tmp_path / "report"))
    with (
        subprocess.Popen([sys.executable, "-c", _BURN]) as burning,
        locust(tmp_path / "run", "--headless", *levels, locustfile=PROJECT / "locustfile.py") as process,
    ):
        try:
            for pid in (burning.pid, process.pid):
                os.sched_setaffinity(pid, {cpu})
            ended = process.wait()
        finally:
            burning.kill()
    result = json.loads((tmp_path / "report" / "result.json").read_text())

    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert [level["others"]["n_cpus"] for level in result["levels"]] == [1, 1]
    assert all(level["others"]["taken_cpus"] > 0.1 for level in result["levels"])
    assert "other programs took" in ended.stdout
    assert "Cannot tell: others took the CPU at 1 and 2 users" in " ".join(ended.stdout.split())
