"""How much more each level of a sweep does than one user alone. Pure."""

from tfsload.analysis.result import RunResult
from tfsload.report.counted_levels import levels_of


def speed_ups(result: RunResult) -> dict[int, float]:
    """Return throughput against that of one user, by level's number.

    Of a level that was held again it is the mean of all that count, as in the sentence below the table; one that does
    not count has none beside them.
    """
    scaled_levels = result.scaling.levels if result.scaling is not None else ()
    return {
        level.number: scaled.speed_up
        for scaled in scaled_levels
        if scaled.speed_up is not None
        for level in levels_of(result, scaled)
    }
