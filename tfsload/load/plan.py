"""The levels of a run, one after the other: fixed ones, or those that a search asks for. Pure."""

import math
from collections.abc import Callable, Iterable
from typing import Protocol

from tfsload.analysis.limit import Finding
from tfsload.analysis.percentiles import LEAST_PERCENTILE, samples_needed
from tfsload.analysis.thresholds import Threshold
from tfsload.load.arrivals import SETTLES_AFTER_DEADLINE_S
from tfsload.load.asked import LoadAsked
from tfsload.load.length import BETWEEN_S, ROUND_TRIP_LIMIT_S, STEP_S, Length, left_s, run_s
from tfsload.load.search import RateSearch
from tfsload.records.level import Level

# In open load users are only the cap in flight; without `-u` so many that a deadline's worth of arrivals fits.
MOST_USERS_BY_DEFAULT = 1000
# A probe of the limit search is this part of a level, unless its thresholds need more samples.
PROBE_SHARE = 0.5


class Plan(Protocol):
    """Which level is next."""

    def next(self) -> Level | None:
        """Return the next level; None: that was all."""

    def tell(self, finding: Finding | None) -> None:
        """Take what the level that was returned last has found; None: it was no probe."""

    @property
    def n_left(self) -> int:
        """Levels without a finding, about."""

    @property
    def n_levels(self) -> int:
        """Levels in all, those with a finding too; of a search about, as far as it is known now."""

    @property
    def length(self) -> Length:
        """How long all of it takes; of a search, as far as it is known now."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of levels, none of which is longer than the longest of these."""


class FixedPlan:
    """Levels that are known beforehand."""

    def __init__(self, levels: list[Level], may_add_s: float = 0.0) -> None:
        """Begin before the first level.

        Args:
            levels: in order.
            may_add_s: how much longer all of it may take where the server is slow.
        """
        self._levels = list(levels)
        self._may_add_s = may_add_s
        self._n_told = 0

    def next(self) -> Level | None:
        """Return the next level; None after the last."""
        return self._levels[self._n_told] if self.n_left else None

    def tell(self, finding: Finding | None) -> None:  # noqa: ARG002  (a search would learn from it)
        """Go on, whatever was found."""
        self._n_told += 1

    @property
    def n_left(self) -> int:
        """Levels without a finding."""
        return len(self._levels) - self._n_told

    @property
    def n_levels(self) -> int:
        """Levels in all."""
        return len(self._levels)

    @property
    def length(self) -> Length:
        """How long all of them take."""
        seconds = run_s([*map(_seconds, self._levels)])
        return Length(len(self._levels), seconds, most_s=seconds + self._may_add_s)

    def after_s(self, level: Level) -> float:
        """Return how long it takes from the end of a level to the run's; 0 after the last."""
        left = [_seconds(one) for one in self._levels if one.number >= level.number]
        return left_s(left) - left[0] if left[1:] else 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Those of its levels."""
        return tuple(level.name for level in self._levels)


class SearchPlan:
    """Levels that a limit search asks for.

    Attributes:
        search: what is known so far.
    """

    def __init__(self, search: RateSearch, level: Callable[[int, float, bool], Level], settle_s: float = 0.0) -> None:
        """Search.

        Args:
            search: at its start.
            level: makes a level of its number, rate, and whether it has its full length.
            settle_s: how long a level may take at most, after its end, until nothing of it is in flight.
        """
        self.search = search
        self._level = level
        self._settle_s = settle_s
        self._n_told = 0

    def next(self) -> Level | None:
        """Return the search's next probe as a level; None when it has ended."""
        probe = self.search.next()
        if probe is None:
            return None
        return self._level(self._n_told + 1, probe.rate_rps, probe.is_full)

    def tell(self, finding: Finding | None) -> None:
        """Tell the search."""
        assert finding is not None  # each of its levels is a probe
        self._n_told += 1
        self.search.tell(finding.holds, finding.binding, finding.achieved_rps, finding.is_undecided)

    @property
    def n_left(self) -> int:
        """Probes without a finding, about."""
        return self.search.expected_probes_left

    @property
    def n_levels(self) -> int:
        """Probes in all, about."""
        return self._n_told + self.n_left

    @property
    def length(self) -> Length:
        """How long the probes take that are left: about, with a likely limit, and at most, each held once more."""
        expected = self.search.expected_probes()
        likely_s = run_s([_seconds(self._level(1, probe.rate_rps, probe.is_full)) for probe in expected])
        longest_s = max(_seconds(self._level(1, self.search.low_rps, True)) + self._settle_s, STEP_S) + BETWEEN_S
        n_most = self.search.most_probes_left
        return Length(len(expected), likely_s, n_most, STEP_S + 2 * n_most * longest_s)

    @property
    def names(self) -> tuple[str, ...]:
        """Those of levels at the search's ends; what lies between is rounded to three digits."""
        result = self.search.result
        return tuple(self._level(1, rate_rps, False).name for rate_rps in (result.low_rps, result.high_rps))


def _seconds(level: Level) -> float:
    return level.warm_up_s + level.duration_s


def make_plan(
    asked: LoadAsked, thresholds: tuple[Threshold, ...], deadline_s: float, n_users: int | None
) -> FixedPlan | SearchPlan | None:
    """Return the plan for the levels that were asked for; None: a run without levels.

    Args:
        asked: the levels.
        thresholds: what they must hold.
        deadline_s: seconds from sending a request to giving it up.
        n_users: Locust's `-u`; None: not given. In open load it is the cap in flight.
    """
    warm_up_s, duration_s = asked.warm_up_s, asked.level_duration_s

    def open_level(number: int, rate_rps: float, seconds: float, is_probe: bool) -> Level:
        users = n_users or users_for(rate_rps, deadline_s)
        return Level(number, users, rate_rps, warm_up_s, seconds, is_probe)

    def probe(number: int, rate_rps: float, is_full: bool) -> Level:
        seconds = duration_s if is_full else probe_s(asked, thresholds, rate_rps)
        return open_level(number, rate_rps, seconds, True)

    settle_s = deadline_s + SETTLES_AFTER_DEADLINE_S
    if asked.sweep:
        levels = [Level(i, users, None, warm_up_s, duration_s) for i, users in enumerate(asked.sweep, 1)]
        return FixedPlan(levels, ROUND_TRIP_LIMIT_S - STEP_S if 1 in asked.sweep else 0.0)
    if asked.rates:
        levels = [open_level(i, rate, duration_s, False) for i, rate in enumerate(asked.rates, 1)]
        return FixedPlan(levels, settle_s * len(levels))
    if asked.find_max_rate:
        return SearchPlan(RateSearch(*asked.find_max_rate), probe, settle_s)
    return None


def users_for(rate_rps: float, deadline_s: float) -> int:
    """Return the cap in flight for a rate: by Little's law all arrivals of one deadline, within reason."""
    return min(max(round(rate_rps * deadline_s), 1), MOST_USERS_BY_DEFAULT)


def probe_s(asked: LoadAsked, thresholds: Iterable[Threshold], rate_rps: float) -> float:
    """Return how long a probe lasts: a part of a level, but as many samples as the thresholds want."""
    wanted_s = seconds_wanted(thresholds, rate_rps)
    return min(max(PROBE_SHARE * asked.level_duration_s, wanted_s), asked.level_duration_s)


def samples_wanted(thresholds: Iterable[Threshold]) -> int:
    """Return how many samples a probe wants: for the percentiles among the thresholds, and to say anything at all."""
    percentiles = {threshold.percentile for threshold in thresholds} - {None}
    return max(map(samples_needed, percentiles | {LEAST_PERCENTILE}))


def seconds_wanted(thresholds: Iterable[Threshold], rate_rps: float) -> float:
    """Return how long arrivals of a rate take to be as many as are wanted.

    By chance there are fewer of them than on average: three standard deviations are room enough.
    """
    return _with_room(samples_wanted(thresholds)) / rate_rps


def _with_room(wanted: int) -> float:
    return wanted + 3 * math.sqrt(wanted)


def faults(asked: LoadAsked, thresholds: tuple[Threshold, ...]) -> list[str]:
    """Return what is wrong with a plan that would be made of this."""
    if not asked.find_max_rate:
        return []
    low_rps, seconds = asked.find_max_rate[0], asked.level_duration_s
    wanted, wanted_s = samples_wanted(thresholds), seconds_wanted(thresholds, low_rps)
    if seconds >= wanted_s:
        return []
    room = f"{math.ceil(_with_room(wanted)):,} on average, since by chance there are fewer"
    return [
        f"--find-max-rate {low_rps:g} with --level-duration {seconds:g}: this gives about {low_rps * seconds:,.0f} "
        f"samples, and {wanted:,} are wanted ({room}): expected --level-duration "
        f"{math.ceil(wanted_s)} or more, or a LOW of {math.ceil(low_rps * wanted_s / seconds)} or higher"
    ]
