"""Which run the users of an environment fire for: one slot for each, since a master and workers may share a process."""

from collections.abc import Callable

from locust.env import Environment

from tfsload.prediction.process_run import Run

Join = Callable[[], Run | None]

# An attribute of the environment's, beside what is Locust's: a table of ours would keep each environment for good.
_SLOT = "tfsload_slot"


def fill(environment: Environment, join: Join) -> None:
    """Have the users of an environment join runs from now on.

    Args:
        environment: Locust's.
        join: returns the run under way; None where this process takes no part in it.
    """
    vars(environment)[_SLOT] = join


def join_of(environment: Environment) -> Join | None:
    """Return what the users of an environment join a run by; None: there is no suite there (yet)."""
    join: Join | None = vars(environment).get(_SLOT)
    return join
