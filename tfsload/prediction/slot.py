"""Which run the users of an environment fire for: one slot for each, since a master and workers may share a process."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from locust.env import Environment

from tfsload.prediction.process_run import Run

Join = Callable[[], Run | None]

_slots: WeakKeyDictionary[Environment, Join] = WeakKeyDictionary()


def fill(environment: Environment, join: Join) -> None:
    """Have the users of an environment join runs from now on.

    Args:
        environment: Locust's.
        join: returns the run under way; None where this process takes no part in it.
    """
    _slots[environment] = join


def join_of(environment: Environment) -> Join | None:
    """Return what the users of an environment join a run by; None: there is no suite there (yet)."""
    return _slots.get(environment)
