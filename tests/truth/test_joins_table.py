"""What becomes of a run when its workers come and go, or users are edited: each case, at each time, of each kind.

Locust's own master and workers, and the whole suite, run in this process over a network, clocks and a server that are
made up (`virtual_cluster.py`): what takes minutes takes a tenth of a second, and the same each time.
"""

import gevent
import pytest

from tests.support.joins_table import (
    CELLS,
    EXACT,
    TABLE,
    Alone,
    Outcome,
    assert_is_named,
)
from tests.support.virtual_cluster import Master, Worker, take_the_place_of_the_world
from tfsload.analysis import exit_codes
from tfsload.run.participant import MASTER_LIMIT_S

N_IMAGES = 200
# A run that has not ended so long after the event stands still.
LIMIT_S = 150
AWAY_S = 6  # longer than Locust's 4.5 s, after which a worker counts as lost

LEVELS = {"level_duration": "6", "warm_up": "2"}
OPTIONS = {
    "num-tests": {"num_tests": str(N_IMAGES), "num_users": 4, "spawn_rate": 2},
    "run-time": {"run_time": 14, "num_users": 4, "spawn_rate": 2},
    "sweep": {"sweep": "4,8", **LEVELS},
    "rate": {"rate": "20,40", **LEVELS},
    "search": {"find_max_rate": "20:40", "threshold": "p50 < 1s", **LEVELS},
}
HAS_LEVELS = {"sweep", "rate", "search"}


class Cluster:
    """A master with two workers, and what may happen to it."""

    def __init__(self, monkeypatch, kind, options=None):
        self.clock, self.network = take_the_place_of_the_world(monkeypatch)
        self.kind = kind
        self.master = Master(**(options or OPTIONS[kind]))
        self.workers = [Worker(self.network, name) for name in ("a", "b")]
        assert self.clock.run(lambda: all(worker.has_begun for worker in self.workers), 10)

    @property
    def coordinator(self):
        return self.master.suite.coordinator

    @property
    def conductor(self):
        return self.master.suite.leader.conductor

    # When

    def reach(self, when):
        """Let time pass until then."""
        if when == "before-start":
            return
        self.master.start()
        assert self.clock.run(getattr(self, f"_is_{when.replace('-', '_')}"), 100), f"{when} never came"

    def _is_ramp(self):
        return self.master.runner.state == "spawning" and self.master.runner.user_count > 0

    def _is_warm_up(self):
        return self._is_in_level(1, until_s=2)

    def _is_level(self):
        if self.kind not in HAS_LEVELS:
            return self.coordinator.has_begun and self.coordinator.elapsed_s > 4
        return self._is_in_level(3, until_s=8)

    def _is_in_level(self, from_s, until_s):
        """Whether so much of the level is over that the run's result rests on."""
        level, begun_s = self.conductor.level, self.conductor.begun_s
        number = 4 if self.kind == "search" else 1
        if level is None or begun_s is None or level.number != number:
            return False
        return from_s <= self.clock.now_s - begun_s < until_s

    def _is_between_levels(self):
        results = self.coordinator.results
        return (
            results is not None
            and len(results.levels) == 1
            and (self.conductor.level is None or self.conductor.begun_s is None)
        )

    def _is_drain(self):
        return self.coordinator.is_ending

    # What

    def bring_about(self, what):
        return getattr(self, f"_{what.replace('-', '_')}")()

    def _joins(self):
        self.workers.append(Worker(self.network, "c"))

    def _leaves_in_peace(self):
        gevent.spawn(self.workers[1].shut_down)

    def _is_killed(self):
        self.workers[1].kill()

    def _comes_back(self):
        worker = self.workers[1].id
        self.network.cut.add(worker)
        gevent.spawn_later(AWAY_S, self.network.join, worker)

    def _master_killed(self):
        self.network.is_master_dead = True
        self.master.kill()

    def _users_edited(self):
        runner, options = self.master.runner, self.master.options
        if runner.state == "ready":
            options.num_users = 6
        else:
            gevent.spawn(runner.start, runner.target_user_count + 2, 100)

    # And then

    def end(self):
        """Start the run, if it was not; let it come to its end."""
        if not self.coordinator.has_begun and not self.master.greenlets:
            self.clock.pass_s(0.5)
            self.master.start()
        return self.clock.run(lambda: self.master.is_over, LIMIT_S)

    def close(self):
        for process in (*self.workers, self.master):
            process.kill()
        self.clock.settle()


@pytest.fixture
def cluster(monkeypatch):
    clusters = []

    def make(kind, options=None):
        clusters.append(Cluster(monkeypatch, kind, options))
        return clusters[-1]

    yield make
    for one in clusters:
        one.close()


def test_each_cell_is_held_or_makes_no_sense():
    for what, when, kind in CELLS:
        assert isinstance(TABLE[what][when][kind], Alone if what == "master-killed" else Outcome)


@pytest.mark.parametrize(
    ("what", "when", "kind"), [pytest.param(*cell, id="/".join(cell)) for cell in CELLS if cell[0] != "master-killed"]
)
def test_what_becomes_of_a_run(cluster, what, when, kind):
    promised = TABLE[what][when][kind]
    run = cluster(kind)
    run.reach(when)
    run.bring_about(what)

    assert run.end(), "it stands still"
    verdict, result = run.master.suite.outcome.verdict, run.master.suite.outcome.result
    assert (verdict.exit_code, run.master.environment.process_exit_code) == (promised.exit_code,) * 2, verdict
    assert_is_named(promised, "\n".join(verdict.sentences))
    assert bool(verdict.sentences) == bool(promised.reason)
    assert_is_counted_once(run, promised)
    if kind == "num-tests":
        assert (result.totals.predictions, result.is_complete) == (N_IMAGES, True)


def assert_is_counted_once(run, promised):
    """Hold what was counted against what the server has answered."""
    results = run.coordinator.results
    n_counted = results.overall.requests + results.uncounted.requests + results.n_discarded
    n_answered = sum(worker.environment.n_answered for worker in run.workers)
    assert n_counted <= n_answered if promised.loses else n_counted == n_answered
    assert bool(results.lost_workers) == promised.loses
    assert results.n_unaccounted == 0
    assert not results.is_broken


def test_a_worker_that_comes_back_before_the_end_costs_nothing(cluster):
    """Its requests went to others while it was away: what it had made counts once, and it is no loss."""
    n_images = 3 * N_IMAGES
    run = cluster("num-tests", {**OPTIONS["num-tests"], "num_tests": str(n_images)})
    run.reach("level")
    run.bring_about("comes-back")
    was_lost = run.clock.run(lambda: run.coordinator.results.lost_workers, LIMIT_S)

    assert run.end(), "it stands still"
    assert was_lost
    assert run.master.suite.outcome.verdict.exit_code == exit_codes.PASS
    assert run.master.suite.outcome.result.totals.predictions == n_images
    assert run.coordinator.results.n_discarded > 0
    assert_is_counted_once(run, EXACT)


@pytest.mark.parametrize(
    ("when", "kind"), [pytest.param(*cell[1:], id="/".join(cell)) for cell in CELLS if cell[0] == "master-killed"]
)
def test_what_becomes_of_workers_whose_master_is_killed(cluster, caplog, when, kind):
    promised = TABLE["master-killed"][when][kind]
    run = cluster(kind)
    run.reach(when)
    had_load = any(worker.n_users for worker in run.workers)
    run.bring_about("master-killed")
    run.clock.pass_s(MASTER_LIMIT_S + 3)
    n_answered = [worker.environment.n_answered for worker in run.workers]
    run.clock.pass_s(30)

    said = [record.getMessage() for record in caplog.records if "of the master" in record.getMessage()]
    assert said == [promised.says] * 2 * bool(promised.says)
    assert had_load or when in ("before-start", "drain")
    assert [worker.n_users for worker in run.workers] == [0, 0]
    assert [worker.environment.n_answered for worker in run.workers] == n_answered
