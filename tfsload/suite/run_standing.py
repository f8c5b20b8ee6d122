"""Where the run under way stands, as its leader knows it."""

import time
from dataclasses import replace

from locust.runners import MasterRunner, Runner

from tfsload.records.level import Level
from tfsload.report.standing import NOTHING_COUNTED, Counters, Standing
from tfsload.run.conductor import Conductor
from tfsload.run.coordinator import Coordinator
from tfsload.suite.led_run import LedRun


def standing_of(run: LedRun, runner: Runner, coordinator: Coordinator, conductor: Conductor) -> Standing:
    """Return it; asking takes in what this process has recorded, and puts nothing together."""
    coordinator.refresh()
    results, level = coordinator.results, conductor.level
    shared = Standing(
        elapsed_s=None,
        users=runner.user_count,
        users_asked=max(runner.target_user_count, 0),
        workers=len(coordinator.running_users) if isinstance(runner, MasterRunner) else 0,
        lost_workers=tuple(sorted(results.lost_workers)),
        images_asked=run.checked.settings.data.num_tests or None,
        warm_up_requests_left=results.n_warm_up_left,
        levels_done=len(results.levels),
        has_levels=run.plan is not None,
        is_ending=coordinator.is_ending,
    )
    if run.plan is None:
        limit_s = run.run_time.limit_s if run.run_time is not None else None
        counted = _counted_of_all(coordinator)
        return replace(shared, elapsed_s=coordinator.elapsed_s, lasts_s=limit_s, counted=counted)
    if level is None:
        return shared
    return replace(
        shared,
        elapsed_s=None if conductor.begun_s is None else time.monotonic() - conductor.begun_s,
        lasts_s=level.warm_up_s + level.duration_s,
        warm_up_s=level.warm_up_s,
        place=run.place_of(level),
        counted=_counted_of_level(level, conductor),
    )


def _counted_of_level(level: Level, conductor: Conductor) -> Counters:
    told = conductor.counted
    if told is None or told.level != level.number:
        return NOTHING_COUNTED
    # Some of its processes answer only a part of the rate.
    is_whole = told.n_processes >= conductor.n_measuring
    return Counters(
        requests=told.requests,
        predictions=told.predictions,
        wrong=told.wrong,
        failed=told.failed,
        mismatched=told.mismatched,
        dropped=told.dropped,
        rate_rps=told.rate_rps if is_whole else None,
    )


def _counted_of_all(coordinator: Coordinator) -> Counters:
    results = coordinator.results
    tally = results.tally
    return Counters(
        requests=tally.requests,
        predictions=tally.predictions,
        wrong=tally.wrong,
        failed=tally.failed,
        mismatched=tally.mismatched,
        dropped=tally.dropped,
        rate_rps=results.rate_rps(coordinator.running_users),
    )
