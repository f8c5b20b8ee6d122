"""How much more each level of a sweep does than one user alone. Pure."""

from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.analysis.sweep import ScaledLevel
from tfsload.report.counted_levels import levels_of

# Below a table in which no level with 1 user need have 1.00×.
OF_A_MEAN = "Speed-ups are against the mean of the levels with 1 user."


def speed_ups(result: RunResult) -> dict[int, float]:
    """Return throughput against that of one user, by level's number.

    Where one user was held again, that is the mean of all that count, as in the sentence below the table, and each of
    them has its own share of it; so has each of other users. One that does not count has none beside those that do.
    """
    scaled_levels = result.scaling.levels if result.scaling is not None else ()
    return {
        level.number: scaled.speed_up * _share_of_mean(level, scaled)
        for scaled in scaled_levels
        if scaled.speed_up is not None
        for level in levels_of(result, scaled)
    }


def _share_of_mean(level: LevelResult, scaled: ScaledLevel) -> float:
    """Return a level's throughput by that of all of them with as many users; exactly 1 where it is the only one."""
    return level.achieved_rps / scaled.throughput_rps if scaled.n_runs > 1 and scaled.throughput_rps else 1.0


def are_of_a_mean(result: RunResult) -> bool:
    """Whether they are against the mean of several levels with one user."""
    scaled_levels = result.scaling.levels if result.scaling is not None else ()
    return any(scaled.users == 1 and scaled.n_runs > 1 for scaled in scaled_levels)
