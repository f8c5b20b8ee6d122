"""Where the runs that a process leads stand: one stage at a time, and the moves between them."""

from enum import Enum

import gevent.event


class Stage(Enum):
    """One stage of a run, in the process that leads it.

    | stage | what is true | who moves there, and when |
    | --- | --- | --- |
    | IDLE | no run is under way, and none is about to start | the leader, when a run's outcome stands; the start form, where Locust refuses a start; whoever stops one before it has begun |
    | CHECKED | a run was checked and may start | the leader, before any load: the command line's run, or the form's |
    | RUNNING | users fire | Locust's `test_start` |
    | ENDING | users are being stopped, and hand over what is left | Locust's `test_stopping` |
    | CONCLUDING | what has come in is summed up and judged | Locust's `test_stop`, or the process's end where that never came |
    """  # noqa: E501  (a table's row is a line)

    IDLE = "idle"
    CHECKED = "checked"
    RUNNING = "running"
    ENDING = "ending"
    CONCLUDING = "concluding"


_MOVES = {
    Stage.IDLE: {Stage.IDLE, Stage.CHECKED},
    Stage.CHECKED: {Stage.IDLE, Stage.CHECKED, Stage.RUNNING},
    Stage.RUNNING: {Stage.ENDING, Stage.CONCLUDING},
    Stage.ENDING: {Stage.CONCLUDING},
    Stage.CONCLUDING: {Stage.IDLE},
}


class Stages:
    """The stage that runs stand at.

    Attributes:
        now: the stage.
    """

    def __init__(self) -> None:
        """Begin before any run."""
        self.now = Stage.IDLE
        self._is_over = gevent.event.Event()
        self._is_over.set()

    def move(self, to: Stage) -> None:
        """Move on.

        Raises:
            RuntimeError: there is no such move, which is a fault of this suite.
        """
        if to not in _MOVES[self.now]:
            raise RuntimeError(f"a run that is {self.now.value} cannot become {to.value}")
        self.now = to
        if to is Stage.RUNNING:
            self._is_over.clear()
        elif to is Stage.IDLE:
            self._is_over.set()

    @property
    def is_under_way(self) -> bool:
        """Whether a run has begun, and its outcome does not stand yet."""
        return self.now not in (Stage.IDLE, Stage.CHECKED)

    @property
    def is_ending(self) -> bool:
        """Whether a run is on its way from its last prediction to its outcome."""
        return self.now in (Stage.ENDING, Stage.CONCLUDING)

    def wait_until_over(self, limit_s: float) -> bool:
        """Wait for the outcome of a run that is under way; return whether none is."""
        return self._is_over.wait(limit_s)
