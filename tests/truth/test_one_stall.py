"""One stall decides no run: what runs say, and how they end, on a server that stands still once."""

import re

import pytest

from tests.support.runs import free_port
from tests.support.truth import Case, run_all
from tfsload.analysis import exit_codes

# Thirty users send 500 requests/s. From the n-th on nothing is answered for a second, once, so that thirty answers
# take that long: more than the hundredth of all that a p99 leaves out.
FREEZE = [600, 1.0]
LIMIT = ("--threshold", "p99 < 400ms")
USERS = ("-u", "30", "-r", "30")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs that need little CPU, some at a time, before other programs where the machine allows it."""
    port = str(free_port())
    ports = ("--master-bind-port", port, "--master-port", port)
    level = ("--warm-up", "0.5", "--level-duration", "5")
    directory = tmp_path_factory.mktemp("one-stall")
    served, scattered = {"service_ms": 60, "freeze": FREEZE}, {"service_ms": 300, "scatter": 1}
    first = {
        "one stall": Case(served, (*USERS, "-t", "6s", *LIMIT)),
        "one stall, two workers": Case(served, (*USERS, "-t", "6s", "--processes", "2", *ports, *LIMIT)),
        "short": Case(served, (*USERS, "-t", "3s", *LIMIT)),
    }
    second = {
        "one stall, a level": Case(
            {"service_ms": 2, "freeze": [350, 1.0]}, ("--rate", "150", "--arrivals", "constant", *level, *LIMIT)
        ),
        "spread": Case(scattered, (*USERS, "-t", "7s", "--threshold", "p90 < 400ms")),
        "calm": Case({"service_ms": 60}, (*USERS, "-t", "5s", "--threshold", "p90 < 400ms; p90 > 20ms")),
    }
    return {
        name: run.ended for name, run in (run_all(directory / "1", first) | run_all(directory / "2", second)).items()
    }


@pytest.mark.timing
@pytest.mark.parametrize(
    ("name", "cure"),
    [
        pytest.param("one stall", "let the run last longer", id="a-run-without-levels"),
        pytest.param("one stall, two workers", "let the run last longer", id="two-workers"),
        pytest.param("one stall, a level", "hold the level longer", id="a-level"),
    ],
)
def test_one_stall_is_invalid_and_says_what_was_found_both_ways(runs, name, cure):
    run = runs[name]
    said = (
        r"cannot be judged: p99 rests on one stall: crossed with all half-seconds \([\d,.]+ ms\), held without the one "
        rf"from \d\.\d s on, where \d+ of the \d+ requests beyond the limit lie\n  cure: {cure}\n"
    )

    assert re.search(said, run.stdout), run.stdout
    assert run.exit_code == exit_codes.INVALID
    assert "was crossed" not in run.stdout
    assert re.search(r"^\? p99 < 400 ms  .*  cannot be judged", run.stdout, re.MULTILINE)


@pytest.mark.timing
def test_the_same_tail_all_the_time_is_judged(runs):
    assert runs["spread"].exit_code == exit_codes.THRESHOLD, runs["spread"].stdout
    assert "p90 < 400 ms was crossed: " in runs["spread"].stdout


@pytest.mark.timing
def test_a_short_run_is_judged_whole_and_says_so(runs):
    run = runs["short"]

    assert run.exit_code == exit_codes.THRESHOLD, run.stdout
    assert "p99 < 400 ms was crossed: " in run.stdout
    assert (
        "  note: less than 4 s were measured, too little to tell whether one short stall decides a percentile or a "
        "mean: limits on these were held against all that was measured, a stall included\n"
    ) in run.stdout


@pytest.mark.timing
def test_a_calm_run_holds(runs):
    run = runs["calm"]

    assert run.exit_code == exit_codes.PASS, run.stdout
    assert re.search(r"^✓ p90 < 400 ms  .* below\n✓ p90 > 20 ms   .* above$", run.stdout, re.MULTILINE)
    assert "half-second" not in run.stdout
