"""The part of the process that leads a run which has every participant measure the same level at a time."""

import logging
import time
from collections.abc import Callable
from statistics import fmean
from typing import Any

import gevent
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_RUNNING, Runner

from tfsload.records.cpu import CpuShares
from tfsload.records.level import Disturbance, Level, LevelRun
from tfsload.records.level_counts import LevelCounts
from tfsload.records.neighbours import Neighbours
from tfsload.run import messages
from tfsload.run.coordinator import Coordinator
from tfsload.run.neighbour_watch import NeighbourWatch

logger = logging.getLogger(__name__)

_POLL_S = 0.02
# For so long the number of users may stand still, though it is not yet the level's: Locust has started all by now, and
# workers report every three seconds. Where a worker was lost, nobody starts its users again.
USERS_LIMIT_S = 10
USERS_LIMIT_AFTER_LOSS_S = 4
# How long participants may take to report, beyond the level's own time.
REPORT_LIMIT_S = 15


class Conductor:
    """Measures levels, one after another.

    Attributes:
        level: the level under way; None between levels.
        begun_s: since when it is measured, on `time.monotonic`'s clock; None while its users are awaited.
        watch: sees what other programs take of the CPUs meanwhile; None: nobody does.
    """

    def __init__(self, runner: Runner, coordinator: Coordinator, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Measure nothing yet.

        Args:
            runner: Locust's.
            coordinator: knows the workers, and takes in what they report.
            clock_s: the time.
        """
        self._clock_s = clock_s
        self._runner = runner
        self._coordinator = coordinator
        self.level: Level | None = None
        self._reports: dict[str, dict[str, Any]] = {}  # of the level under way, by worker
        self._newcomers: set[str] = set()  # to the same level
        self._change: Disturbance | None = None  # of the number of users, in the same level
        self.begun_s: float | None = None
        self.watch: NeighbourWatch | None = None
        self._workers: frozenset[str] = frozenset()  # that measure the level under way
        self._begun_in_run_s: float | None = None
        runner.register_message(messages.LEVEL_DONE, self._on_level_done)

    @property
    def counted(self) -> LevelCounts | None:
        """What has been counted of the level under way, by those that have told something of it; None: nothing is.

        It is whole where `n_processes` is `n_measuring`. The numbers are a second old at most.
        """
        level, told = self.level, self._coordinator.counted
        if level is None:
            return None
        counts = [told[worker] for worker in sorted(self._measuring & set(told))]
        return LevelCounts.together(one for one in counts if one.level == level.number)

    @property
    def n_measuring(self) -> int:
        """How many processes measure the level under way, and are heard of."""
        return len(self._measuring)

    @property
    def _measuring(self) -> frozenset[str]:
        return self._workers & self._coordinator.live_workers()

    def measure(self, level: Level, deadline_s: float) -> LevelRun:
        """Have a level measured; return when all have told its end, are lost, or take too long.

        Args:
            level: its users have been asked for.
            deadline_s: how long a request may take, and with it the end of a level.
        """
        self.level, self.begun_s = level, None
        self._coordinator.probe = level.number if level.is_probe else None
        try:
            return self._measure(level, deadline_s)
        finally:
            self.level = self._coordinator.probe = None
            self._workers = frozenset()
            self._coordinator.counted.clear()

    def _measure(self, level: Level, deadline_s: float) -> LevelRun:
        self._await_users(level.users)
        workers = sorted(self._coordinator.running_users)
        self._reports, self._workers = {}, frozenset(workers)
        if self.watch is not None:
            self.watch.level_begins(level, self._clock_s())
        for share, worker in enumerate(workers):
            self._coordinator.tell(messages.LEVEL, self._message(level, share, len(workers)), worker)
        self.begun_s, self._begun_in_run_s = self._clock_s(), self._coordinator.elapsed_s
        self._await_reports(level, set(workers), level.warm_up_s + level.duration_s + deadline_s + REPORT_LIMIT_S)
        return self._level_run(level, workers)

    def _level_run(self, level: Level, workers: list[str]) -> LevelRun:
        reports = self._reports.values()
        with_users = [report["round_trip_ns"] for report in reports if report["n_users"]]
        round_trips_ns = [round_trip_ns for round_trip_ns in with_users if round_trip_ns is not None]
        return LevelRun(
            level=level,
            n_workers=len(workers),
            missing_workers=tuple(worker for worker in workers if worker not in self._reports),
            n_users=sum(report["n_users"] for report in reports),
            cpu=tuple(CpuShares(**report["cpu"]) for report in reports),
            round_trip_ns=int(fmean(round_trips_ns)) if round_trips_ns else None,
            disturbance=self._disturbance(set(workers)),
            begun_s=self._begun_in_run_s,
            neighbours=self._neighbours(set(workers)),
        )

    def _neighbours(self, workers: set[str]) -> Neighbours | None:
        """Return what others took meanwhile; None: not known, as where a worker did not say which process it is."""
        if self.watch is None or not workers <= set(self._reports):
            return None
        return self.watch.level_ended(self._reports.values(), self._clock_s())

    def _message(self, level: Level, share: int, n_shares: int) -> dict[str, Any]:
        return {
            "run": self._coordinator.number,
            "level": level.number,
            "rate_rps": level.rate_rps,
            "warm_up_s": level.warm_up_s,
            "duration_s": level.duration_s,
            "share": share,
            "n_shares": n_shares,
        }

    def _await_users(self, n_users: int) -> None:
        n_running, since_s = self._runner.user_count, self._clock_s()
        while n_running != n_users:
            results = self._coordinator.results
            # Users of a worker that is unfit end at once, and no others are started for them.
            if results.unfit_workers and self._runner.state == STATE_RUNNING:
                return
            limit_s = USERS_LIMIT_AFTER_LOSS_S if results.lost_workers else USERS_LIMIT_S
            if self._clock_s() - since_s > limit_s:
                logger.error("%d of %d users run, and no more come", n_running, n_users)
                return
            gevent.sleep(_POLL_S)
            if self._runner.user_count != n_running:
                n_running, since_s = self._runner.user_count, self._clock_s()

    def _await_reports(self, level: Level, workers: set[str], seconds: float) -> None:
        limit_s = self._clock_s() + seconds
        n_users, n_users_asked = self._runner.user_count, self._runner.target_user_count
        self._newcomers, self._change = set(), None
        while waiting := (workers - set(self._reports)) & self._coordinator.live_workers():
            if self._clock_s() > limit_s:
                logger.error("Level %d: no report of %s in time", level.number, ", ".join(sorted(waiting)))
                return
            self._newcomers |= self._coordinator.running_users - workers
            # Users of a worker that is not heard of are missed, and may be back with it.
            if self._change is None and workers <= self._coordinator.live_workers():
                self._change = self._change_of_users(n_users, n_users_asked)
            gevent.sleep(_POLL_S)
            if self.watch is not None:
                self.watch.look(self._clock_s())

    def _change_of_users(self, n_before: int, n_users_asked: int) -> Disturbance | None:
        n_now = self._runner.user_count
        if n_now == n_before:
            return None
        went = f"the number of users went from {n_before:,} to {n_now:,}"
        is_edited = self._runner.target_user_count != n_users_asked
        if is_edited:
            return Disturbance(went, "run again, and edit none")
        return Disturbance(f"{went} by itself", "see the log")

    def _disturbance(self, workers: set[str]) -> Disturbance | None:
        """Return what has changed among those who measured a level; None: nothing has."""
        if self._newcomers:
            joined = f"worker {', '.join(sorted(self._newcomers))} joined and took over users"
            return Disturbance(joined, "run again")
        # A worker that leaves takes its users with it before it is gone: it does not report the level, and is named.
        return self._change if workers <= set(self._reports) else None

    def _on_level_done(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        if not self._coordinator.is_of_this_run(msg):
            return
        self._coordinator.take_report(msg.node_id, msg.data)
        if self.level is not None and msg.data["level"] == self.level.number:
            self._reports[msg.node_id] = msg.data
