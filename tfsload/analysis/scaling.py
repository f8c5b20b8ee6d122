"""Does the server run requests in parallel? What a closed sweep, levels of users in flight, says.

A client sees a request's time on its way (network, client) as service that any number of requests have at once: taken
for service, it makes a serial server look parallel. So a round trip that asks the model for nothing is measured before
the load and taken off; where it is most of a lone request's latency, little is left to tell by. Measure near the
server.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from statistics import fmean, stdev
from typing import Literal

from tfsload.analysis.usl import Usl, fit_usl

# Requests served at once, up to which the answer is No, without the round trip taken off: the client's and the
# network's work on one request overlaps the server's on another, and 0.3 ms of that beside 1.2 ms of service look
# like 1.25.
SERIAL_UP_TO = 1.25
# With it taken off: all that looks parallel is explained by the way; and up to where it may be, as a round trip is not
# measured better than that.
EXPLAINED_UP_TO = 1.02
MAYBE_EXPLAINED_UP_TO = 1.1
# Up to here it is Hardly, a kind of No: a second worker would idle for more than half of the time, which nobody means
# who asks for parallel serving. But parts of requests do run beside one another, and that is said.
HARDLY_UP_TO = 1.5
# Where the round trip is not known: with less service than 1 ms, that overlap alone (0.15 ms of service, 0.1 ms of
# client and network: 1.7) explains what looks like up to 2 at once.
SHORT_SERVICE_NS = 1_000_000
EXPLAINED_BY_OVERLAP = 2.0
# While throughput still grows, fewer users than this do not carry a No: by Amdahl's law, 1.25 times the throughput at
# 2 users may become 1.7 times with more; at 8 users, 1.3 times.
ENOUGH_USERS = 8
# Throughputs differ if by more than this share, and by more than this many standard errors: less is no news.
SAME_THROUGHPUT = 0.05
BEYOND_NOISE = 2.0
# What a lone request may spend outside the server, on one machine or in one data centre, where it is not known.
OVERHEAD_NS = 300_000
# A prediction's message is longer than that of a call that asks for nothing, and goes through more threads: its way may
# take so many times as long.
MOST_OF_ROUND_TRIP = 2.0
# From this efficiency on, users hardly wait for one another.
NO_QUEUE_FROM = 0.9
# Where the way takes a greater share of a lone request's latency, what is left is no measure of the service.
GREATEST_WAY = 0.5

# Where less than this is left, with the way taken off, more was taken off than there is.
OVERCORRECTED_BELOW = 0.8

_HEAVIER = "send heavier requests (`--images-per-request 64`)"
_FURTHER = "sweep further (`--sweep 1,2,4,8,16`)"
_AGAIN = "measure again, longer (`--level-duration`)"


@dataclass(frozen=True)
class LevelPoint:
    """What was measured while a number of users was in flight; a level that was held twice gives two.

    Attributes:
        users: requests in flight at a time, from 1.
        throughput_rps: answers a second over the whole level; 0 without any.
        mean_latency_ns: of those answers; 0 without any.
        window_rates_rps: throughput in equal slices of the level, which tell the noise; empty if not known.
        doubt: why the level supports no verdict, and what to do; empty: it does.

    Raises:
        ValueError: a figure that is negative or not finite, or no user.
    """

    users: int
    throughput_rps: float
    mean_latency_ns: float
    window_rates_rps: tuple[float, ...] = ()
    doubt: str = ""

    def __post_init__(self) -> None:
        if self.users < 1:
            raise ValueError(f"users: expected at least 1, got {self.users}")
        for figure in (self.throughput_rps, self.mean_latency_ns, *self.window_rates_rps):
            if not 0 <= figure < math.inf:
                raise ValueError(f"{self.users} users: expected rates and latencies from 0 up, got {figure}")

    @property
    def is_trusted(self) -> bool:
        """Whether it may carry an answer."""
        return not self.doubt


@dataclass(frozen=True)
class ScaledLevel:
    """One number of users, all its measurements taken together (the trusted ones, if there are any).

    Attributes:
        users: N.
        throughput_rps: X(N), the mean of its measurements.
        mean_latency_ns: the mean of its measurements.
        noise: standard error of the throughput, relative; 0 if there is nothing to tell it by.
        doubt: why it may not carry an answer; empty: it may.
        speed_up: S(N) = X(N)/X(1); None if there is no level with one user that is trusted.
        efficiency: S(N)/N; None likewise.
    """

    users: int
    throughput_rps: float
    mean_latency_ns: float
    noise: float
    doubt: str
    speed_up: float | None = None
    efficiency: float | None = None

    @property
    def is_trusted(self) -> bool:
        """Whether it may carry an answer."""
        return not self.doubt


@dataclass(frozen=True)
class Answer:
    """Whether the server runs requests in parallel.

    Attributes:
        kind: "yes", "no" or "cannot tell".
        sentence: the answer in words, and what to do if there is none.
    """

    kind: Literal["yes", "no", "cannot tell"]
    sentence: str


@dataclass(frozen=True)
class Scaling:
    """What more users in flight did to throughput. All but `levels` rests on trusted levels alone.

    Attributes:
        levels: by users, ascending.
        alone_ns: R(1), the mean latency of a lone user; None without one.
        round_trip_ns: Z, of a call that asks the model for nothing, without load; None: not measured.
        parallelism: requests that are served at once at the highest throughput, max X(N) · (R(1) - Z) by Little's
            law (J. D. C. Little, Operations Research 9(3), 1961), if service takes as long as for a lone user; None
            without one. With Z not measured, all of R(1) counts as service.
        stops_growing_at: the fewest users whose throughput no larger level exceeds; None while it still grows.
        falls_beyond: the most users that still have the highest throughput, if it is less with more; None if not.
        usl: the Universal Scalability Law, fitted; None if the levels do not carry it.
        answer: the answer.
    """

    levels: tuple[ScaledLevel, ...]
    alone_ns: float | None
    round_trip_ns: float | None
    parallelism: float | None
    stops_growing_at: int | None
    falls_beyond: int | None
    usl: Usl | None
    answer: Answer


def assess(points: Sequence[LevelPoint], round_trip_ns: float | None = None) -> Scaling:
    """Say how throughput grows with users, and whether that means that requests are served in parallel.

    Args:
        points: the sweep's levels, in any order; a level may be there several times.
        round_trip_ns: of a call that asks the model for nothing, without load: it is taken off a lone request's
            latency. None: not measured, up to 0.3 ms.
    """
    sweep = _Sweep(_levels(points), round_trip_ns)
    return Scaling(
        levels=sweep.levels,
        alone_ns=sweep.alone.mean_latency_ns if sweep.alone else None,
        round_trip_ns=round_trip_ns,
        parallelism=sweep.parallelism,
        stops_growing_at=sweep.stops_growing_at,
        falls_beyond=sweep.falls_beyond,
        usl=_fit([point for point in points if point.is_trusted], sweep),
        answer=_answer(sweep),
    )


def _levels(points: Sequence[LevelPoint]) -> tuple[ScaledLevel, ...]:
    ordered = sorted(points, key=lambda point: point.users)
    runs = {users: list(group) for users, group in groupby(ordered, key=lambda point: point.users)}
    # What cannot be trusted is nothing to compare with.
    alone_rps = _counted_rps(runs[1]) if 1 in runs and _counted(runs[1])[0].is_trusted else 0.0
    return tuple(_level(users, group, alone_rps) for users, group in runs.items())


def _counted(runs: list[LevelPoint]) -> list[LevelPoint]:
    return [run for run in runs if run.is_trusted] or runs


def _counted_rps(runs: list[LevelPoint]) -> float:
    return fmean(run.throughput_rps for run in _counted(runs))


def _level(users: int, runs: list[LevelPoint], alone_rps: float) -> ScaledLevel:
    counted = _counted(runs)
    throughput_rps = _counted_rps(runs)
    speed_up = throughput_rps / alone_rps if alone_rps > 0 else None
    return ScaledLevel(
        users=users,
        throughput_rps=throughput_rps,
        mean_latency_ns=fmean(run.mean_latency_ns for run in counted),
        noise=_noise(counted),
        doubt=counted[0].doubt,
        speed_up=speed_up,
        efficiency=speed_up / users if speed_up is not None else None,
    )


def _noise(runs: list[LevelPoint]) -> float:
    """Return the relative standard error of the mean of some runs: by their windows, or by how the runs differ."""
    by_windows = math.hypot(*(_standard_error(run.window_rates_rps) for run in runs)) / len(runs)
    return max(by_windows, _standard_error([run.throughput_rps for run in runs]))


def _standard_error(rates_rps: Sequence[float]) -> float:
    """Return the relative standard error of a mean; 0 where there is none."""
    mean = fmean(rates_rps) if len(rates_rps) > 1 else 0.0
    return stdev(rate / mean for rate in rates_rps) / math.sqrt(len(rates_rps)) if mean > 0 else 0.0


def _fit(points: list[LevelPoint], sweep: "_Sweep") -> Usl | None:
    if sweep.alone is None:
        return None
    errors = [_standard_error(point.window_rates_rps) for point in points]
    most_ns = OVERHEAD_NS if sweep.round_trip_ns is None else MOST_OF_ROUND_TRIP * sweep.round_trip_ns
    return fit_usl(
        [point.users for point in points],
        [point.throughput_rps for point in points],
        noise=math.hypot(*errors) / math.sqrt(len(errors)),
        overhead=sweep.way,
        most_overhead=min(1.0, most_ns / sweep.alone.mean_latency_ns),
    )


@dataclass(frozen=True)
class _Sweep:
    """The levels of a sweep, ascending, and what can be read off them."""

    levels: tuple[ScaledLevel, ...]
    round_trip_ns: float | None

    @cached_property
    def way(self) -> float:
        """The share of a lone request's latency that the way to the server takes, 0 to 1; 0 where it is not known."""
        if self.alone is None or self.round_trip_ns is None:
            return 0.0
        return min(1.0, self.round_trip_ns / self.alone.mean_latency_ns)

    @cached_property
    def trusted(self) -> tuple[ScaledLevel, ...]:
        return tuple(level for level in self.levels if level.is_trusted)

    @cached_property
    def alone(self) -> ScaledLevel | None:
        """The level with one user, if it is trusted and had answers."""
        first = self.trusted[0] if self.trusted else None
        return first if first and first.users == 1 and first.throughput_rps > 0 else None

    @cached_property
    def best(self) -> ScaledLevel | None:
        return max(self.trusted, key=lambda level: level.throughput_rps, default=None)

    @cached_property
    def parallelism(self) -> float | None:
        return None if self.at_most is None else self.at_most * (1 - self.way)

    @cached_property
    def at_most(self) -> float | None:
        """What parallelism would be if all of a lone request's latency were service."""
        return self.best.throughput_rps * (self.alone.mean_latency_ns / 1e9) if self.best and self.alone else None

    @cached_property
    def stops_growing_at(self) -> int | None:
        for index, level in enumerate(self.trusted[:-1]):
            if not any(self._grows(level, larger) for larger in self.trusted[index + 1 :]):
                return level.users
        return None

    def _grows(self, level: ScaledLevel, larger: ScaledLevel) -> bool:
        # As many users as there are workers never queue, and keep them all busy but for the way: where more users do
        # queue, and only fill that, it is no growth.
        is_filled = (level.efficiency or 0) >= NO_QUEUE_FROM > (larger.efficiency or 1)
        return _is_less(level, larger, self.way if is_filled else 0.0)

    @cached_property
    def falls_beyond(self) -> int | None:
        holding = [level.users for level in self.trusted if self.best and not _is_less(level, self.best)]
        return holding[-1] if holding and holding[-1] != self.trusted[-1].users else None


def _margin(level: ScaledLevel, other: ScaledLevel) -> float:
    """Return by how much two throughputs may differ by noise alone, relative."""
    return BEYOND_NOISE * math.hypot(level.noise, other.noise)


def _is_less(level: ScaledLevel, other: ScaledLevel, allowed: float = 0.0) -> bool:
    """Whether a level's throughput is less than another's, by more than noise, and by enough to matter.

    `allowed` is a share by which it may be less besides.
    """
    same = max(SAME_THROUGHPUT, _margin(level, other)) + allowed
    return level.throughput_rps < other.throughput_rps * (1 - same)


def _answer(sweep: _Sweep) -> Answer:
    doubt = _lack(sweep) or _doubt(sweep)
    if doubt:
        return Answer("cannot tell", f"Cannot tell: {doubt}.")
    at_once = f"{sweep.parallelism:.1f}" if sweep.parallelism < 10 else f"{sweep.parallelism:.0f}"
    if sweep.at_most <= SERIAL_UP_TO or (sweep.way and sweep.parallelism <= EXPLAINED_UP_TO):
        fall = f", and throughput falls beyond {_users(sweep.falls_beyond)}" if sweep.falls_beyond else ""
        return Answer("no", f"No: requests are served one at a time; more users only wait longer{fall}.")
    if sweep.way and sweep.parallelism <= MAYBE_EXPLAINED_UP_TO:
        overlap = f"up to about {sweep.at_most:.1f} requests overlap, which their way to the server may explain"
        return Answer("no", f"Hardly: {overlap}; {_growth(sweep)}.")
    if sweep.parallelism <= HARDLY_UP_TO:
        return Answer("no", f"Hardly: parts of requests run in parallel, about {at_once} at once; {_growth(sweep)}.")
    least = "" if sweep.stops_growing_at else "at least "
    return Answer("yes", f"Yes: {least}about {at_once} requests run in parallel; {_growth(sweep)}.")


def _growth(sweep: _Sweep) -> str:
    """Say how far throughput grew, and whether it fell."""
    if sweep.stops_growing_at is None:
        most = sweep.trusted[-1].users
        which = "tried" if most == sweep.levels[-1].users else "measured well enough to be trusted"
        return f"throughput was still growing at {_users(most)}, the most that were {which}"
    fall = f", and it falls beyond {_users(sweep.falls_beyond)}" if sweep.falls_beyond else ""
    return f"throughput stops growing at {_users(sweep.stops_growing_at)}, then requests queue{fall}"


def _lack(sweep: _Sweep) -> str | None:
    """Return what the sweep has not got that any answer needs, and what to do; None if it has all."""
    if not sweep.levels or sweep.levels[0].users != 1:
        return "no level has 1 user, to compare the others with; begin the sweep with 1 (`--sweep 1,2,4,8`)"
    if len(sweep.levels) < 2:
        return "only one level was measured; sweep over several numbers of users (`--sweep 1,2,4,8`)"
    if not sweep.levels[0].is_trusted:
        return f"the level with 1 user cannot be trusted: {sweep.levels[0].doubt}"
    if sweep.alone is None:
        return "no request was answered at 1 user; see why they failed"
    if len(sweep.trusted) < 2:
        second = sweep.levels[1]
        return f"no level with more than 1 user can be trusted; the one with {_users(second.users)}: {second.doubt}"
    return None


def _doubt(sweep: _Sweep) -> str | None:
    """Return what speaks against any answer from a sweep that lacks nothing, and what to do; None if nothing does."""
    alone, best, parallelism = sweep.alone, sweep.best, sweep.parallelism
    higher = [level for level in sweep.levels if not level.is_trusted and _is_less(best, level)]
    if sweep.stops_growing_at and higher:
        users = _users(higher[0].users)
        return f"throughput was higher at {users}, but that level cannot be trusted: {higher[0].doubt}"
    if sweep.way > GREATEST_WAY and sweep.at_most > SERIAL_UP_TO:
        return (
            f"of the {alone.mean_latency_ns / 1e6:.2g} ms that a lone request takes, "
            f"{sweep.round_trip_ns / 1e6:.2g} ms are spent on the way to the server and back; "
            f"measure nearer to it, or {_HEAVIER}"
        )
    if sweep.way and sweep.at_most > SERIAL_UP_TO and parallelism < OVERCORRECTED_BELOW:
        return (
            f"about {sweep.at_most:.1f} requests overlap, fewer than their way to the server and back, "
            f"{sweep.round_trip_ns / 1e6:.2g} of {alone.mean_latency_ns / 1e6:.2g} ms, would explain; {_HEAVIER}"
        )
    margin = _margin(alone, best)
    if parallelism * (1 - margin) <= SERIAL_UP_TO and parallelism * (1 + margin) > HARDLY_UP_TO:
        return f"throughput scatters by {margin:.0%}, too much to compare levels by; {_AGAIN}"
    is_short = sweep.round_trip_ns is None and alone.mean_latency_ns < SHORT_SERVICE_NS
    if is_short and parallelism < EXPLAINED_BY_OVERLAP:
        return (
            f"a lone request takes only {alone.mean_latency_ns / 1e6:.2g} ms, so that the client's and the network's "
            f"work beside the server's looks like requests in parallel; {_HEAVIER}"
        )
    if parallelism <= HARDLY_UP_TO and sweep.stops_growing_at is None and sweep.trusted[-1].users < ENOUGH_USERS:
        beyond = [level for level in sweep.levels if level.users > sweep.trusted[-1].users]
        cure = f"the next level cannot be trusted: {beyond[0].doubt}" if beyond else _FURTHER
        return f"throughput was still growing at {_users(sweep.trusted[-1].users)}; {cure}"
    return None


def _users(count: int) -> str:
    return f"{count:,} user{'' if count == 1 else 's'}"
