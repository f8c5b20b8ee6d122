"""How much more each level of a sweep does than one user alone. Pure."""

from tfsload.analysis.result import RunResult


def speed_ups(result: RunResult) -> dict[int, float]:
    """Return throughput against that of one user, by level's number.

    Of a level that was held again it is the mean of all that count, as in the sentence below the table; one that does
    not count has none beside them.
    """
    by_users = {level.users: level for level in result.scaling.levels} if result.scaling is not None else {}
    found = {}
    for row in result.levels:
        level = by_users.get(row.users)
        counts = level is not None and (not level.is_trusted or not (row.doubts or row.failed_requests))
        if level is not None and level.speed_up is not None and counts:
            found[row.number] = level.speed_up
    return found
