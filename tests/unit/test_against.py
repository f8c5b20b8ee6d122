"""How two commits' speeds are held against each other, without running any."""

import dataclasses
import math
import sys

import pytest

from benchmarks import clients
from benchmarks.against import CONTESTS, LEAST_PAIRS, Interval, render
from benchmarks.measurement import Measurement, MeasurementError, lag_us_of, measure, p50_us_of, rate_of
from benchmarks.null_server import NullServer
from tests.support.runs import PROJECT

GOLDEN = PROJECT / "tests" / "unit" / "golden"


@pytest.mark.parametrize(
    ("ratios", "falls_short"),
    [
        pytest.param([1.0] * 5, False, id="equal"),
        pytest.param([0.9] * 5, True, id="slower-each-time"),
        pytest.param([0.97] * 5, False, id="at-the-limit"),
        pytest.param([1.1, 0.9, 1.05, 0.92, 0.99], False, id="noise"),
        pytest.param([0.80, 0.92, 0.84, 0.88, 0.86], True, id="slower-with-noise"),
        pytest.param([0.80, 1.10, 0.84, 0.88, 0.86], False, id="slower-but-for-one"),
    ],
)
def test_a_row_falls_short_where_its_whole_interval_does(ratios, falls_short):
    assert Interval.of(ratios).falls_short is falls_short


def test_the_interval_is_students():
    interval = Interval.of([1.0, 1.1, 1.2, 1.3, 1.4])

    # The mean of the logarithms, and 2.776445 (Student's t, 4 degrees of freedom, 97.5 %) standard errors of it.
    assert interval.ratio == pytest.approx(1.191596, abs=1e-6)
    assert math.log(interval.high / interval.ratio) == pytest.approx(0.165116, rel=0.004)
    assert interval.low * interval.high == pytest.approx(interval.ratio**2)


def test_too_few_pairs_are_no_interval():
    with pytest.raises(ValueError, match=f"expected at least {LEAST_PAIRS}"):
        Interval.of([1.0] * (LEAST_PAIRS - 1))


def test_a_slower_row_is_named_and_a_dearer_request_is_slower():
    fast, slow = (Measurement(rate, cpu_us=1e6 / rate, other_cpus=0.0) for rate in (40_000, 30_000))
    closed, _, open_load, _ = CONTESTS

    text = render("abc1234", {closed: [(slow, fast)] * 5, open_load: [(fast, slow)] * 5}).splitlines()

    assert (
        text[2]
        == "| 8 in flight | requests/s | 30,000 | 40,000 | 0.750 (0.750 to 0.750) | **slower**: all of it below 0.97 |"
    )
    assert text[3] == "| 20,000/s, open load | CPU a request | 25.0 µs | 33.3 µs | 1.333 (1.333 to 1.333) | holds |"


OPEN, CLOSED = clients.suite_at_rate("poisson"), clients.suite()
# As commits wrote it before latencies had one unit.
FORMER = """
rate         15,537 requests/s
latency      p50 466 µs  p90 533 µs  p95 569 µs  p99 1.23 ms  max 70.5 ms

    level       requests/s  in flight
20,000 requests/s !  19,988 9.81
"""


@pytest.mark.parametrize(
    ("client", "text", "rate_rps", "p50_us", "lag_us"),
    [
        pytest.param(CLOSED, (GOLDEN / "demo.txt").read_text(), 998, 3170, None, id="closed"),
        pytest.param(OPEN, (GOLDEN / "rate.txt").read_text(), 384, None, 133, id="open"),
        pytest.param(
            OPEN, (GOLDEN / "rate.txt").read_text().replace("400/s   ", "400/s ? "), 384, None, 133, id="in-doubt"
        ),
        pytest.param(CLOSED, FORMER, 15_537, 466, None, id="closed-formerly"),
        pytest.param(CONTESTS[2].client, FORMER, 19_988, None, None, id="open-formerly"),
    ],
)
def test_the_suites_figures_are_found_in_what_it_prints(client, text, rate_rps, p50_us, lag_us):
    assert rate_of(client, text) == rate_rps
    assert p50_us_of(client, text) == p50_us
    assert lag_us_of(client, text) == lag_us


def test_a_figure_that_is_not_told_is_named():
    with pytest.raises(MeasurementError, match="nothing like"):
        rate_of(CLOSED, "rate         – requests/s")


def saying_shares(directory, *shares):
    """Return a client that says it had these shares of a core, one after the other."""
    script = directory / "client.py"
    script.write_text(
        f"""
from pathlib import Path
runs = Path({str(directory / "runs")!r})
number = len(runs.read_text()) if runs.exists() else 0
runs.write_text("x" * (number + 1))
print(f"in process: {{10 + number}}.5 µs of CPU a request at {{{shares!r}[number]}} of a core")
print("rate         15,537 requests/s")
"""
    )
    return dataclasses.replace(clients.suite_in_process(), command=(sys.executable, str(script)))


@pytest.mark.parametrize(
    ("shares", "cpu_us"),
    [
        pytest.param((0.95,), 10.5, id="at-once"),
        pytest.param((0.5, 0.89, 0.9), 12.5, id="the-third-time"),
    ],
)
def test_a_run_that_was_kept_from_its_core_is_made_again(tmp_path, shares, cpu_us):
    client = saying_shares(tmp_path, *shares)

    assert measure(client, 8, NullServer("127.0.0.1:1", 0, None)).cpu_us == cpu_us


def test_a_run_that_is_always_kept_from_its_core_says_so(tmp_path):
    client = saying_shares(tmp_path, *[0.5] * 5)

    with pytest.raises(MeasurementError, match=r"it had 0.50, 0.50, 0.50, 0.50, 0.50 of a core, 0.9 are wanted"):
        measure(client, 8, NullServer("127.0.0.1:1", 0, None))
