"""The intervals of the levels' throughput: of a sweep those that its answer rests on. Pure."""

from dataclasses import dataclass

from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.analysis.sweep import ScaledLevel
from tfsload.report.charts.load_axis import by_load
from tfsload.report.counted_levels import levels_of
from tfsload.report.level_load import load_of
from tfsload.report.states import of_level


@dataclass(frozen=True)
class Bar:
    """A 95 % interval.

    Attributes:
        load: users, or arrivals a second.
        rps: the throughput that it is about, of several levels with as many users their mean.
        low_rps, high_rps: its ends.
        state: "pass", "invalid" or "failed", as of the levels.
        numbers: the levels' that it is of.
    """

    load: float
    rps: float
    low_rps: float
    high_rps: float
    state: str
    numbers: tuple[int, ...]


def bars_of(result: RunResult) -> tuple[Bar, ...]:
    """Return a bar for each number of users, with the scatter between equal levels; of open load, for each level.

    A level of a sweep that does not count beside others with as many users has none.
    """
    if result.scaling is None:
        return tuple(_by_itself(result, level) for level in by_load(result.levels))
    return tuple(_of_users(result, scaled) for scaled in result.scaling.levels)


def _by_itself(result: RunResult, level: LevelResult) -> Bar:
    rps = level.achieved_rps
    low = rps if level.achieved_low_rps is None else level.achieved_low_rps
    high = rps if level.achieved_high_rps is None else level.achieved_high_rps
    return Bar(load_of(level), rps, low, high, of_level(result, level).key, (level.number,))


def _of_users(result: RunResult, scaled: ScaledLevel) -> Bar:
    levels = levels_of(result, scaled)
    states = [of_level(result, level).key for level in levels]
    state = "pass" if "pass" in states else next(iter(states), "invalid")
    numbers = tuple(level.number for level in levels)
    return Bar(float(scaled.users), scaled.throughput_rps, *scaled.interval_rps, state, numbers)
