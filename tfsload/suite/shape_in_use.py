"""Which load shape Locust goes by: the locustfile's own, or the suite's while levels are under way."""

import logging
from collections.abc import Mapping
from typing import Any

from locust.env import Environment

from tfsload.settings.given import levels_asked_for
from tfsload.suite.level_shape import LevelShape

_locusts_logger = logging.getLogger("locust.runners")


def _is_not_about_the_spawn_rate(record: logging.LogRecord) -> bool:
    # Locust warns of a rate that it takes for the user's choice.
    return "spawn rate is very high" not in str(record.msg)


class ShapeInUse:
    """Remembers the locustfile's own `LoadTestShape`, since levels take its place in Locust's environment.

    Only this class sets `environment.shape_class`.
    """

    def __init__(self, environment: Environment) -> None:
        """Remember what Locust has found in the locustfile (on `init`, before anything else is put there).

        Args:
            environment: Locust's, with its runner.
        """
        self._environment = environment
        self._own = self._before = environment.shape_class
        self._levels: LevelShape | None = None

    def faults(self, options: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with asking for levels beside the locustfile's own shape, a sentence each."""
        levels = levels_asked_for(options)
        if self._own is None or not levels:
            return []
        return [
            f"{' and '.join(levels)}: the locustfile has a load shape of its own, {type(self._own).__name__}, and each "
            "says how many users there are: leave one out"
        ]

    def use_levels(self, shape: LevelShape) -> None:
        """Have the next run go through levels."""
        shape.runner = self._environment.runner
        _locusts_logger.addFilter(_is_not_about_the_spawn_rate)
        self._levels = self._environment.shape_class = shape

    @property
    def are_levels(self) -> bool:
        """Whether Locust goes by levels, and not by a shape of the locustfile's or none."""
        return isinstance(self._environment.shape_class, LevelShape)

    @property
    def how_long(self) -> str:
        """How many levels the next run goes through, and how long they take; empty: through none."""
        return self._levels.length.words if self._levels is not None else ""

    def keep_levels(self) -> None:
        """Put levels back that Locust's class picker has replaced, if the next run goes through some."""
        if self._levels is not None:
            self._environment.shape_class = self._levels

    def pick(self, shape: Any) -> None:
        """Take for the locustfile's own what the class picker names (None: no shape), until `put_back`."""
        self._before, self._own = self._own, shape

    def put_back(self) -> None:
        """Have the locustfile's own be what it was before the last pick: its run does not start."""
        self._own = self._before
        self.use_own()

    def use_own(self) -> None:
        """Have the next run go as the locustfile has it: by its own shape, or by Locust's numbers of users."""
        self._levels = None
        self._environment.shape_class = self._own
        _locusts_logger.removeFilter(_is_not_about_the_spawn_rate)
