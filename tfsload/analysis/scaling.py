"""Does the server run requests in parallel? What a closed sweep, levels of users in flight, says.

A client sees a request's time on its way (network, client) as service that any number of requests have at once: taken
for service, it makes a serial server look parallel. So a round trip that asks the model for nothing is measured before
the load and taken off; the longer it is beside a lone request's latency, the less is left to tell by. Measure near the
server.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tfsload.analysis.doubts import in_short
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.next_sweep import SweepAsked
from tfsload.analysis.parallelism import MOST_OF_ROUND_TRIP, OVERHEAD_NS, Parallelism, parallelism
from tfsload.analysis.scaling_answer import ScalingAnswer, is_hidden, scaling_answer
from tfsload.analysis.sweep import SPREAD, LevelPoint, ScaledLevel, Sweep, standard_error
from tfsload.analysis.usl import Z_95, CurvePoint, Usl, fit_usl

__all__ = ["LevelPoint", "ScaledLevel", "Scaling", "ScalingAnswer", "assess", "assess_sweep"]

# Of the fitted curve no more points are kept: a sweep may go up to 100,000 users.
MOST_POINTS = 200


@dataclass(frozen=True)
class Scaling:
    """What more users in flight did to throughput. All but `levels` rests on trusted levels alone.

    Attributes:
        levels: by users, ascending.
        alone_ns: R(1), the mean latency of a lone user; None without one.
        round_trip_ns: Z, of a call that asks the model for nothing, without load; None: not measured.
        best_rps: the mean throughput of the levels at `best_users`; None without one.
        best_users: the levels that come near to the highest throughput.
        interval: the parallelism, requests served at once at the best throughput, X · (R(1) - Z), with its interval;
            None without a lone user, with nothing else, or where programs that took the CPU hide it.
        stops_growing_at: the fewest users whose throughput no larger level exceeds; None while it still grows.
        falls_beyond: the most users that still have the highest throughput, if it is less with more; None if not.
        usl: the Universal Scalability Law, fitted; None if the levels do not carry it, as where others took the CPU.
        answer: the answer; None while the sweep goes on.
        curve: the law as points, at whole users from 1 to the most that were tried, with a band for what a level there
            would measure: how equal levels differ is in it; empty without one.
    """

    levels: tuple[ScaledLevel, ...]
    alone_ns: float | None
    round_trip_ns: float | None
    best_rps: float | None
    best_users: tuple[int, ...]
    interval: Parallelism | None
    stops_growing_at: int | None
    falls_beyond: int | None
    usl: Usl | None
    answer: ScalingAnswer | None
    curve: tuple[CurvePoint, ...] = ()


def assess(
    points: Sequence[LevelPoint],
    round_trip_ns: float | None = None,
    is_whole: bool = True,
    asked: SweepAsked | None = None,
) -> Scaling:
    """Say how throughput grows with users, and whether that means that requests are served in parallel.

    Args:
        points: the sweep's levels, in any order; a level may be there several times.
        round_trip_ns: of a call that asks the model for nothing, without load: it is taken off a lone request's
            latency. None: not measured, up to 0.3 ms.
        is_whole: whether these are all levels that were asked for.
        asked: what else the sweep was asked for; None: it is not known, nor then what exactly would tell more.
    """
    sweep = Sweep.of(points)
    interval = parallelism(sweep, round_trip_ns)
    if is_hidden(sweep, interval):
        interval = None
    usl = _fit([point for point in points if point.is_trusted], sweep, round_trip_ns)
    return Scaling(
        levels=sweep.levels,
        alone_ns=sweep.alone_ns,
        round_trip_ns=round_trip_ns,
        best_rps=sweep.best_rps,
        best_users=tuple(level.users for level in sweep.plateau),
        interval=interval,
        stops_growing_at=sweep.stops_growing_at,
        falls_beyond=sweep.falls_beyond,
        usl=usl,
        answer=scaling_answer(sweep, interval, round_trip_ns, is_whole, asked),
        curve=tuple(map(_as_measured, usl.curve(_whole_users(sweep.levels[-1].users)))) if usl else (),
    )


def _as_measured(point: CurvePoint) -> CurvePoint:
    """Return the law at a number of users with a band that says no more than a level's own interval does.

    Both errors are joined as distances in the logarithm.
    """
    rps = point.throughput_rps
    down = math.hypot(Z_95 * SPREAD, math.log(rps / point.low_rps)) if rps > 0 and point.low_rps > 0 else math.inf
    up = math.hypot(Z_95 * SPREAD, math.log(point.high_rps / rps)) if rps > 0 else 0.0
    return replace(point, low_rps=rps * math.exp(-down), high_rps=rps * math.exp(up))


def assess_sweep(levels: Sequence[LevelResult], is_whole: bool = True, asked: SweepAsked | None = None) -> Scaling:
    """Return whether the server works in parallel, by the levels of a closed sweep, all of them or those so far."""
    alone = [level.round_trip_ns for level in levels if level.users == 1 and level.round_trip_ns is not None]
    round_trip_ns = alone[0] if alone else None
    return assess([_point(level) for level in levels], round_trip_ns, is_whole, asked)


def speed_up_of_last(levels: Sequence[LevelResult]) -> float | None:
    """Return the last level's speed-up, by those that have been measured so far; None: it is no sweep, or has none.

    Of a level that was held again it is its own, against the mean of those with one user.
    """
    if any(level.rate_rps is not None for level in levels):
        return None
    by_users = {level.users: level for level in Sweep.of([_point(level) for level in levels]).levels}
    last = by_users[levels[-1].users]
    if last.speed_up is None or last.n_runs < 2 or not last.throughput_rps or levels[-1].number not in last.numbers:
        return last.speed_up
    return last.speed_up * levels[-1].achieved_rps / last.throughput_rps


def _point(level: LevelResult) -> LevelPoint:
    return LevelPoint(
        users=level.users,
        throughput_rps=level.achieved_rps,
        mean_latency_ns=level.latency.mean_ns,
        slice_rates_rps=level.slice_rates_rps,
        doubt=in_short(level.doubts[0].what) if level.doubts else "",
        n_failed=level.failed_requests,
        wants_longer=any(doubt.wants_longer for doubt in level.doubts),
        wants_warmer=any(doubt.wants_warmer for doubt in level.doubts),
        number=level.number,
        noise_cure=level.noise_cure,
    )


def _whole_users(most: int) -> tuple[int, ...]:
    """Return numbers of users from 1 to the most, all of them, or as many as are kept."""
    if most <= MOST_POINTS:
        return tuple(range(1, most + 1))
    steps = range(MOST_POINTS)
    return tuple(sorted({round(most ** (step / steps[-1])) for step in steps}))


def _fit(points: list[LevelPoint], sweep: Sweep, round_trip_ns: float | None) -> Usl | None:
    alone_ns = sweep.alone_ns
    if alone_ns is None or sweep.noisy:
        return None
    errors = [standard_error(point.slice_rates_rps) for point in points]
    most_ns = OVERHEAD_NS if round_trip_ns is None else MOST_OF_ROUND_TRIP * round_trip_ns
    return fit_usl(
        [point.users for point in points],
        [point.throughput_rps for point in points],
        noise=math.hypot(*errors) / math.sqrt(len(errors)),
        overhead=min(1.0, (round_trip_ns or 0.0) / alone_ns),
        most_overhead=min(1.0, most_ns / alone_ns),
    )
