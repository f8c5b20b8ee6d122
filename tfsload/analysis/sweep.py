"""What a closed sweep measured: throughput by users in flight, and how it grew."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from statistics import fmean, stdev

from tfsload.analysis.figures import requests
from tfsload.analysis.usl import Z_95

# A level has reached what the server can do where none has more than this share more: of two throughputs the higher one
# is growth only from there on. The highest of several such levels is so by chance: at 5 % between equal levels, the
# highest of four lies 5 % above their mean.
PLATEAU = 0.10
# A fall is said only beyond this many standard errors besides.
BEYOND_NOISE = 2.0
# The same as a power of the growth in users, of which twice as many bring that share: from 11 to 12 users, or 2 to 3,
# no throughput has room for all of it.
_OF_USERS = math.log2(1 + PLATEAU)
# How much equal levels of equal runs differ (standard deviation, relative), whatever the slices of one level tell: 4 to
# 9 % on a server that computes, beside its load generator on two cores, 1 to 2 % where it only waits. Clock rates,
# neighbours and memory layout stay for a level, and change between levels and runs.
SPREAD = 0.05
# In flight at one user are at most 1 request, by Little's law; a little more is how requests lie across the edges.
LONE_IN_FLIGHT = 1.05


@dataclass(frozen=True)
class LevelPoint:
    """What was measured while a number of users was in flight; a level that was held twice gives two.

    Attributes:
        users: requests in flight at a time, from 1.
        throughput_rps: answers a second over the whole level, without what was refused or failed; 0 without any.
        mean_latency_ns: of those answers; 0 without any.
        slice_rates_rps: throughput in equal slices of the level, which tell the noise; empty if not known.
        doubt: why the level supports no verdict, in short; empty: it does.
        n_failed: requests that had no answer. A server that refuses does not do what it does when it serves.
        wants_longer: whether one of its doubts, not only the one that is told, may be gone with a longer level.
        wants_warmer: likewise, with a longer warm-up.
        number: of the level in its run; 0: it has none.
        noise_cure: what to do about programs that took the CPU meanwhile; empty: none did.

    Raises:
        ValueError: a figure that is negative or not finite, or no user.
    """

    users: int
    throughput_rps: float
    mean_latency_ns: float
    slice_rates_rps: tuple[float, ...] = ()
    doubt: str = ""
    n_failed: int = 0
    wants_longer: bool = False
    wants_warmer: bool = False
    number: int = 0
    noise_cure: str = ""

    def __post_init__(self) -> None:
        if self.users < 1:
            raise ValueError(f"users: expected at least 1, got {self.users}")
        for figure in (self.throughput_rps, self.mean_latency_ns, self.n_failed, *self.slice_rates_rps):
            if not 0 <= figure < math.inf:
                raise ValueError(f"{self.users} users: expected rates, latencies and counts from 0 up, got {figure}")

    @property
    def left_out(self) -> str:
        """Why it carries no answer; empty: it may carry one."""
        if self.n_failed:
            return f"{requests(self.n_failed)} had no answer there; see why, or sweep over fewer users"
        return self.doubt

    @property
    def is_trusted(self) -> bool:
        """Whether it may carry an answer."""
        return not self.left_out


@dataclass(frozen=True)
class ScaledLevel:
    """One number of users, all its measurements taken together (the trusted ones, if there are any).

    Attributes:
        users: N.
        throughput_rps: X(N), the mean of its measurements.
        mean_latency_ns: the mean of its measurements.
        noise: standard error of the throughput, relative; 0 if there is nothing to tell it by.
        n_runs: how many measurements these are.
        n_failed: requests without an answer in them; a level with any is not trusted.
        left_out: why it may not carry an answer; empty: it may.
        speed_up: S(N) = X(N)/X(1); None if there is no level with one user that is trusted.
        efficiency: S(N)/N; None likewise.
        n_left_out: measurements that are not among these, since they cannot be trusted.
        wants_longer: whether it cannot be trusted, and may be so where it is held longer.
        wants_warmer: likewise, after a longer warm-up.
        numbers: of the levels that these measurements are; empty: they have none, or the result is of before this was
            noted.
        noise_cure: what to do about programs that took the CPU in any measurement, these or others; empty: none did.
    """

    users: int
    throughput_rps: float
    mean_latency_ns: float
    noise: float
    n_runs: int
    n_failed: int
    left_out: str
    speed_up: float | None = None
    efficiency: float | None = None
    n_left_out: int = 0
    wants_longer: bool = False
    wants_warmer: bool = False
    numbers: tuple[int, ...] = ()
    noise_cure: str = ""

    @property
    def is_trusted(self) -> bool:
        """Whether it may carry an answer."""
        return not self.left_out

    @property
    def error(self) -> float:
        """Standard error of the throughput, relative, as `error_of` has it."""
        return error_of((self,))

    @property
    def interval_rps(self) -> tuple[float, float]:
        """The 95 % interval of the throughput by that error, as the one of parallelism has it."""
        factor = math.exp(Z_95 * self.error)
        return self.throughput_rps / factor, self.throughput_rps * factor


@dataclass(frozen=True)
class Sweep:
    """The levels of a sweep, and what can be read off them.

    Attributes:
        levels: by users, ascending.
    """

    levels: tuple[ScaledLevel, ...]

    @classmethod
    def of(cls, points: Sequence[LevelPoint]) -> "Sweep":
        """Take measurements together by users, in any order."""
        ordered = sorted(points, key=lambda point: point.users)
        runs = {users: list(group) for users, group in groupby(ordered, key=lambda point: point.users)}
        # What cannot be trusted is nothing to compare with.
        alone_rps = _mean_rps(_counted(runs[1])) if 1 in runs and _counted(runs[1])[0].is_trusted else 0.0
        return cls(tuple(_level(users, group, alone_rps) for users, group in runs.items()))

    @cached_property
    def trusted(self) -> tuple[ScaledLevel, ...]:
        """Those levels that may carry an answer."""
        return tuple(level for level in self.levels if level.is_trusted)

    @cached_property
    def noisy(self) -> tuple[ScaledLevel, ...]:
        """Those levels in which others took the CPU, at least once: that hides parallelism, and makes none."""
        return tuple(level for level in self.levels if level.noise_cure)

    @cached_property
    def alone(self) -> ScaledLevel | None:
        """The level with one user, if it is trusted and had answers."""
        first = self.trusted[0] if self.trusted else None
        is_answered = first and first.users == 1 and first.throughput_rps > 0 and first.mean_latency_ns > 0
        return first if is_answered else None

    @cached_property
    def alone_ns(self) -> float | None:
        """R(1), the mean latency of a lone user; None without one.

        No longer than there is time for: at 100 answers a second, one after the other takes 10 ms.
        """
        if self.alone is None:
            return None
        is_possible = self.alone.throughput_rps * self.alone.mean_latency_ns / 1e9 <= LONE_IN_FLIGHT
        return self.alone.mean_latency_ns if is_possible else 1e9 / self.alone.throughput_rps

    @cached_property
    def highest(self) -> ScaledLevel | None:
        """The trusted level with the highest throughput; the smallest of those; None without one."""
        return max(self.trusted, key=lambda level: level.throughput_rps, default=None)

    @cached_property
    def plateau(self) -> tuple[ScaledLevel, ...]:
        """The trusted levels to whose throughput no other one adds 10 %."""
        highest = self.highest
        return tuple(level for level in self.trusted if highest and not exceeds(highest, level))

    @cached_property
    def best_rps(self) -> float | None:
        """The best throughput: the mean of the plateau's, since the highest is so by chance; None without one."""
        return fmean(level.throughput_rps for level in self.plateau) if self.plateau else None

    @cached_property
    def knee(self) -> ScaledLevel | None:
        """The trusted level with the fewest users that no other one exceeds; None without one.

        It is the last level where the users that it has more brought their share: that far throughput still grew.
        """
        if not self.trusted:
            return None
        first, last = self.plateau[0], self.trusted[-1]
        return last if last is self.highest and _grows_with_users(first, last) else first

    @cached_property
    def stops_growing_at(self) -> int | None:
        """The fewest users whose throughput no larger level exceeds; None while the largest one exceeds all.

        None also where others took the CPU in any level: it may have been they that stopped it.
        """
        is_stopped = self.knee and self.knee is not self.trusted[-1] and not self.noisy
        return self.knee.users if self.knee and is_stopped else None

    @cached_property
    def growth(self) -> "Growth | None":
        """How throughput grew from a lone user on; None without one, or with nothing else to be trusted."""
        if self.alone is None or self.alone_ns is None or len(self.trusted) < 2:
            return None
        highest, knee, best_rps = self.highest, self.knee, self.best_rps
        if highest is None or knee is None or best_rps is None:
            return None  # never: of some trusted levels one is the highest, and one is not exceeded
        return Growth(self, self.alone, self.alone_ns, highest, knee, self.trusted[-1], best_rps)

    @cached_property
    def falls_beyond(self) -> int | None:
        """The most users that still have the highest throughput, if it is less with more; None if not.

        None also where others took the CPU in any level.
        """
        if self.noisy:
            return None
        highest = self.highest
        holding = [level.users for level in self.trusted if highest and not _falls_short(level, highest)]
        return holding[-1] if holding and holding[-1] != self.trusted[-1].users else None

    @cached_property
    def higher_left_out(self) -> ScaledLevel | None:
        """The first level with a higher throughput than all that are trusted, and that is not."""
        return next((one for one in self.levels if not one.is_trusted and exceeds(one, self.highest)), None)


@dataclass(frozen=True)
class Growth:
    """A sweep that tells something of growth: it has a lone user, and another level, both trusted.

    Attributes:
        sweep: the sweep.
        alone: the lone user's level.
        alone_ns: R(1), as `Sweep.alone_ns`.
        highest, knee: as those of the sweep.
        last: the trusted level with the most users.
        best_rps: as `Sweep.best_rps`.
    """

    sweep: Sweep
    alone: ScaledLevel
    alone_ns: float
    highest: ScaledLevel
    knee: ScaledLevel
    last: ScaledLevel
    best_rps: float

    def speed_up(self, level: ScaledLevel) -> float:
        """Return S(N) = X(N)/X(1)."""
        return level.throughput_rps / self.alone.throughput_rps


def error_of(levels: Sequence[ScaledLevel]) -> float:
    """Return the relative standard error of the mean of some levels: their noise, and how equal runs differ."""
    by_noise = math.hypot(*(level.noise for level in levels)) / len(levels)
    by_spread = SPREAD / math.sqrt(sum(level.n_runs for level in levels))
    return math.hypot(by_noise, by_spread)


def exceeds(level: ScaledLevel, other: ScaledLevel | None) -> bool:
    """Whether a level's throughput is higher than another's by enough to matter."""
    return other is None or adds(other.throughput_rps, level.throughput_rps)


def adds(rps: float, more_rps: float) -> bool:
    """Whether a throughput is higher than another by enough to be growth, the one rule for all that is said of it.

    >>> adds(100, 109.9), adds(100, 110)
    (False, True)
    """
    return more_rps > rps and more_rps >= rps * (1 + PLATEAU) * (1 - 1e-12)  # 110 is 10 % more than 100


def _falls_short(level: ScaledLevel, other: ScaledLevel) -> bool:
    """Whether a level's throughput is less than another's by enough to matter, and by more than noise."""
    by_noise = BEYOND_NOISE * math.hypot(level.noise, other.noise)
    return exceeds(other, level) and level.throughput_rps < other.throughput_rps * (1 - by_noise)


def _grows_with_users(level: ScaledLevel, more: ScaledLevel) -> bool:
    """Whether throughput grows from one level to one of more users as fast as by 10 % with twice as many."""
    if more.users <= level.users or level.throughput_rps <= 0:
        return False
    growth = math.log(more.throughput_rps / level.throughput_rps)
    return growth >= _OF_USERS * math.log(more.users / level.users)


def _counted(runs: list[LevelPoint]) -> list[LevelPoint]:
    return [run for run in runs if run.is_trusted] or runs


def _mean_rps(runs: list[LevelPoint]) -> float:
    return fmean(run.throughput_rps for run in runs)


def _level(users: int, runs: list[LevelPoint], alone_rps: float) -> ScaledLevel:
    counted = _counted(runs)
    throughput_rps = _mean_rps(counted)
    speed_up = throughput_rps / alone_rps if alone_rps > 0 else None
    return ScaledLevel(
        users=users,
        throughput_rps=throughput_rps,
        mean_latency_ns=fmean(run.mean_latency_ns for run in counted),
        noise=_noise(counted),
        n_runs=len(counted),
        n_failed=sum(run.n_failed for run in counted),
        left_out=counted[0].left_out,
        speed_up=speed_up,
        efficiency=speed_up / users if speed_up is not None else None,
        n_left_out=len(runs) - len(counted),
        wants_longer=any(run.wants_longer and not run.n_failed for run in counted),
        wants_warmer=any(run.wants_warmer and not run.n_failed for run in counted),
        numbers=tuple(run.number for run in counted if run.number),
        noise_cure=next((run.noise_cure for run in runs if run.noise_cure), ""),
    )


def _noise(runs: list[LevelPoint]) -> float:
    """Return the relative standard error of the mean of some runs: by their slices, or by how the runs differ."""
    by_slices = math.hypot(*(standard_error(run.slice_rates_rps) for run in runs)) / len(runs)
    return max(by_slices, standard_error([run.throughput_rps for run in runs]))


def standard_error(rates_rps: Sequence[float]) -> float:
    """Return the relative standard error of a mean; 0 where there is none."""
    mean = fmean(rates_rps) if len(rates_rps) > 1 else 0.0
    return stdev(rate / mean for rate in rates_rps) / math.sqrt(len(rates_rps)) if mean > 0 else 0.0
