"""A level's load, as a number."""

from tfsload.analysis.level_result import LevelResult


def load_of(level: LevelResult) -> float:
    """Return a level's load: arrivals a second, or users."""
    return float(level.users) if level.rate_rps is None else level.rate_rps
