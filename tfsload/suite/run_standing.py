"""Where the run under way stands, and what it was begun to do, as its leader knows it."""

import time
from collections.abc import Iterable
from dataclasses import replace

from locust.runners import MasterRunner, Runner

from tfsload.analysis.figures import count, rate, span, users
from tfsload.load.asked import LoadAsked
from tfsload.records.level import Level
from tfsload.report.standing import NOTHING_COUNTED, Begun, Counters, Standing
from tfsload.run.conductor import Conductor
from tfsload.run.coordinator import Coordinator
from tfsload.suite.led_run import LedRun
from tfsload.transport.words import redacted


def standing_of(run: LedRun, runner: Runner, coordinator: Coordinator, conductor: Conductor) -> Standing:
    """Return it; asking takes in what this process has recorded, and puts nothing together."""
    coordinator.refresh()
    results, level = coordinator.results, conductor.level
    # Locust looks for a next level once a second: until then nothing else tells that there is none.
    is_last_done = run.plan is not None and level is None and bool(results.levels) and run.n_levels_left == 0
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
        is_open_load=run.is_open_load,
        is_ending=coordinator.is_ending or is_last_done,
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
        after_s=run.after_s(level),
        warm_up_s=level.warm_up_s,
        place=run.place_of(level),
        counted=_counted_of_level(level, conductor, results.is_labelled),
    )


def _counted_of_level(level: Level, conductor: Conductor, is_labelled: bool) -> Counters:
    told = conductor.counted
    if told is None or told.level != level.number:
        return NOTHING_COUNTED
    # Some of its processes answer only a part of the rate.
    is_whole = told.n_processes >= conductor.n_measuring
    return Counters(
        requests=told.requests,
        predictions=told.predictions,
        wrong=told.wrong if is_labelled else None,
        failed=told.failed,
        mismatched=told.mismatched,
        offered=told.offered,
        dropped=told.dropped,
        rate_rps=told.rate_rps if is_whole else None,
    )


def _counted_of_all(coordinator: Coordinator) -> Counters:
    results = coordinator.results
    tally = results.tally
    return Counters(
        requests=tally.requests,
        predictions=tally.predictions,
        wrong=tally.wrong if results.is_labelled else None,
        failed=tally.failed,
        mismatched=tally.mismatched,
        dropped=tally.dropped,
        rate_rps=results.rate_rps(coordinator.running_users),
    )


def begun(run: LedRun, n_users: int) -> Begun:
    """Return what a run is begun to do; `n_users`: of one without levels."""
    # Only a web UI asks; words of a report are nothing that other processes are to hold in memory.
    from tfsload.report import load
    from tfsload.report.where import where

    checked = run.checked
    asked, model = checked.settings.load, checked.settings.model
    version = checked.preflight.model_version
    return Begun(
        model=redacted(f"{model.name}, version {version}" if version else model.name),
        where=redacted(where(checked.settings.connection.server.text, checked.transport.protocol, checked.is_embedded)),
        load=load.with_images(
            _load(asked, checked.settings.data.num_tests, n_users), str(model.images_per_request), checked.n_images
        ),
        level_names=run.level_names,
        loads=tuple(map(float, asked.sweep or asked.rates or ())),
        has_warm_up=asked.has_warm_up,
    )


def _load(asked: LoadAsked, num_tests: int, n_users: int) -> str:
    each = f"{span(asked.level_duration_s)} each"
    if asked.sweep:
        of = users(asked.sweep[0]) if len(asked.sweep) == 1 else f"{_listed(asked.sweep)} users"
        return f"sweep of {of} · {each}"
    if asked.rates:
        return f"rates of {_listed(asked.rates)} requests/s · {each}"
    if asked.find_max_rate:
        low_rps, high_rps = asked.find_max_rate
        return f"search from {rate(low_rps)} to {rate(high_rps)} requests/s"
    return f"{count(num_tests)} images, each once" if num_tests else users(n_users)


def _listed(values: Iterable[float]) -> str:
    return ", ".join(f"{value:,.12g}" for value in values)
