"""The answer of a sweep against simulated servers whose truth is known, in equal runs that differ by 5 %."""

from collections import Counter

import numpy as np
import pytest

from tests.support.queueing import Queue
from tfsload.analysis.scaling import assess

# A short way takes a twentieth of a lone request's time, or a fifth; a long one half of it, or two thirds.
NEAR, BESIDE, SLOW, SLOWER = 0.1, 0.5, 2.0, 4.0
SWEEP = (1, 2, 4, 8, 16)
LEVEL_MS = 600


def assessed(queue, n_runs, seed=7, sweep=SWEEP):
    random = np.random.default_rng(seed)
    return [
        assess(queue.sweep(random, sweep, LEVEL_MS), queue.round_trip_ns(random)) for _ in range(n_runs)
    ]  # fmt: skip


def kinds_of(runs):
    return Counter(run.answer.kind for run in runs)


def assert_runs_agree(runs, workers, way_ms):
    """Hold runs of one truth against one another, and against the truth."""
    n_runs, kinds = len(runs), kinds_of(runs)
    parallelism = [run.interval.value for run in runs]
    held = sum(run.interval.low <= workers <= run.interval.high for run in runs)

    assert min(kinds["yes"], kinds["no"]) <= 0.05 * n_runs, kinds
    assert kinds["yes" if workers == 1 else "no"] <= 0.05 * n_runs, kinds
    # Of 40 runs with an interval of 95 %, fewer than 34 hold the truth in 0.3 % of cases.
    assert held >= 0.85 * n_runs
    # Its own standard error, of 40 runs that spread by 7 %, is 1.1 %; where the way is long, their spread is wider.
    assert np.mean(parallelism) == pytest.approx(workers, rel=0.05 if way_ms <= BESIDE else 0.15)


@pytest.mark.parametrize("workers", [1, 2, 4, 8])
@pytest.mark.parametrize("way_ms", [NEAR, BESIDE], ids=["near", "beside"])
def test_equal_runs_agree_and_are_right(workers, way_ms):
    runs = assessed(Queue(workers, way_ms=way_ms), 40)

    assert_runs_agree(runs, workers, way_ms)
    # They agree because they tell, not because they say nothing.
    assert kinds_of(runs)["no" if workers == 1 else "yes"] >= 32


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("way_ms", [SLOW, SLOWER], ids=["slow-way", "slower-way"])
def test_equal_runs_behind_a_slow_way_do_not_contradict_one_another(workers, way_ms):
    runs = assessed(Queue(workers, way_ms=way_ms), 40)

    assert_runs_agree(runs, workers, way_ms)
    # What is far from the border between yes and no is told in spite of a way that takes half of the time.
    if way_ms == SLOW and workers != 2:
        assert kinds_of(runs)["no" if workers == 1 else "yes"] >= 10


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2, 4, 8])
@pytest.mark.parametrize("way_ms", [NEAR, BESIDE, SLOW, SLOWER], ids=["near", "beside", "slow-way", "slower-way"])
def test_two_hundred_equal_runs_do_not_contradict_one_another(workers, way_ms):
    # Of 16 users who spend two thirds of their time on the way, five are in the server: eight workers want more.
    sweep = (*SWEEP, 32) if workers * way_ms == 8 * SLOWER else SWEEP
    runs = assessed(Queue(workers, way_ms=way_ms), 200, sweep=sweep)

    assert_runs_agree(runs, workers, way_ms)


@pytest.mark.parametrize("users", [SWEEP, (1, 8)], ids=["many-levels", "two-levels"])
def test_the_simulation_keeps_to_littles_law_and_to_its_workers(users):
    queue = Queue(2, spread=0.0)
    levels = queue.sweep(np.random.default_rng(1), users, 4000)

    for level in levels:
        assert level.throughput_rps * level.mean_latency_ns / 1e9 == pytest.approx(level.users, rel=0.02)
        assert level.throughput_rps == pytest.approx(min(level.users / 2.1, 2 / 2) * 1e3, rel=0.05)
