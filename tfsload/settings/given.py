"""Which of the options that belong together were given, by their texts. Pure."""

from collections.abc import Mapping
from typing import Any

from tfsload.settings.options import OPTIONS

_ASK_FOR_LEVELS = ("--sweep", "--rate", "--find-max-rate")
_OF_OPEN_LOAD = ("--arrivals", "--pacing")
_OF_LEVELS = ("--level-duration", "--warm-up", *_OF_OPEN_LOAD)


def levels_asked_for(values: Mapping[str, Any]) -> list[str]:
    """Return the flags that ask for a run of levels and were given, by their texts."""
    return _given(values, _ASK_FOR_LEVELS)


def options_of_levels(values: Mapping[str, Any]) -> list[str]:
    """Return the flags that say something of levels and were given, by their texts."""
    return _given(values, _OF_LEVELS)


def options_of_open_load(values: Mapping[str, Any]) -> list[str]:
    """Return the flags that say something of open load alone and were given, by their texts."""
    return _given(values, _OF_OPEN_LOAD)


def _given(values: Mapping[str, Any], flags: tuple[str, ...]) -> list[str]:
    """Return those of these flags that hold something else than where nobody says anything, in their order."""
    options = [one for one in OPTIONS if one.flag in flags]
    return [one.flag for one in options if str(values.get(one.dest, one.default)).strip() != one.default]
