"""What a level is called in a sentence that other levels of its name stand beside. Pure."""

from collections.abc import Mapping, Sequence

from tfsload.analysis.level_result import LevelResult

_TIMES = ("first", "second", "third", "fourth", "fifth")


def told_name(levels: Sequence[LevelResult], level: LevelResult) -> str:
    """Return a level's name, and which of several it is where others of the run have the same one.

    Args:
        levels: of the run, in the order in which they were run.
        level: one of them.
    """
    return told_by_number({one.number: one.name for one in levels}, level.number) or level.name


def told_by_number(names: Mapping[int, str], number: int) -> str:
    """Return the same of the level of a number, by the names of all; empty: it is none of them.

    >>> [told_by_number({1: "1 user", 2: "2 users", 5: "1 user"}, number) for number in (1, 2, 5, 7)]
    ['1 user (first time)', '2 users', '1 user (second time)', '']
    """
    name = names.get(number, "")
    numbers = sorted(one for one, other in names.items() if other == name)
    if len(numbers) < 2:
        return name
    place = numbers.index(number)
    which = f"{_TIMES[place]} time" if place < len(_TIMES) else f"time {place + 1}"
    return f"{name} ({which})"
