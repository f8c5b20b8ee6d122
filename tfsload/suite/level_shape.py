"""Locust's load shape for a plan of levels: it asks for each level's users and has the level measured."""

from collections.abc import Callable

from locust import LoadTestShape

from tfsload.analysis.limit import Finding
from tfsload.load.length import Length
from tfsload.load.plan import FixedPlan, SearchPlan
from tfsload.records.level import Level

# All users of a level at once: the warm-up is there for what that stirs up.
_LEAST_SPAWN_RATE = 100


class LevelShape(LoadTestShape):
    """Goes through a plan, one level after the other, and ends the run after the last."""

    # Made by hand: a locustfile that imports it does not have it as its own shape.
    abstract = True
    # Else the web UI's page, where it is loaded while levels run, disables users and ramp-up, and sends 0 for them.
    use_common_options = True

    def __init__(
        self,
        plan: FixedPlan | SearchPlan,
        measure: Callable[[Level], Finding | None],
        user_classes: list[type] | None = None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """Begin before the first level.

        Args:
            plan: says which level is next.
            measure: measures a level whose users were asked for; takes as long as the level.
            user_classes: those that a level is made of; None: all.
            is_over: whether the run is to end after a level, though others would follow.
        """
        super().__init__()  # type: ignore[no-untyped-call]  # Locust's own
        self._plan = plan
        self._measure = measure
        self._user_classes = user_classes
        self._is_over = is_over
        self._level: Level | None = None

    @property
    def length(self) -> Length:
        """How long all levels take."""
        return self._plan.length

    def tick(self) -> tuple[int, float] | tuple[int, float, list[type]] | None:
        """Measure the level whose users the last tick asked for; return the next one's users, rate and classes."""
        if self._level is not None:
            self._plan.tell(self._measure(self._level))
        self._level = None if self._is_over() else self._plan.next()
        if self._level is None:
            return None
        asked = self._level.users, float(max(self._level.users, _LEAST_SPAWN_RATE))
        return asked if self._user_classes is None else (*asked, self._user_classes)
