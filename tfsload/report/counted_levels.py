"""Which levels of a run one number of users of its sweep is made of. Pure."""

from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.analysis.sweep import ScaledLevel


def levels_of(result: RunResult, scaled: ScaledLevel) -> list[LevelResult]:
    """Return the levels that count; all with as many users, in a result of before it was noted which do."""
    if not scaled.numbers:
        return [level for level in result.levels if level.users == scaled.users]
    return [level for level in result.levels if level.number in scaled.numbers]
