"""What a level is called in a sentence that other levels of its name stand beside. Pure."""

from collections.abc import Sequence

from tfsload.analysis.level_result import LevelResult

_TIMES = ("first", "second", "third", "fourth", "fifth")


def told_name(levels: Sequence[LevelResult], level: LevelResult) -> str:
    """Return a level's name, and which of several it is where others of the run have the same one.

    Args:
        levels: of the run, in the order in which they were run.
        level: one of them.
    """
    numbers = [one.number for one in levels if one.name == level.name]
    if len(numbers) < 2 or level.number not in numbers:
        return level.name
    place = numbers.index(level.number)
    which = f"{_TIMES[place]} time" if place < len(_TIMES) else f"time {place + 1}"
    return f"{level.name} ({which})"
