"""What a program of one's own says of a run's load: how many users, how fast they come, and for how long."""

import math
from dataclasses import dataclass
from numbers import Integral, Real

from tfsload.analysis.option_limits import MAX_USERS
from tfsload.transport.words import quoted


@dataclass(frozen=True)
class LoadArguments:
    """The arguments of `run_to_end`, as they can be gone by.

    Attributes:
        users: how many; None: it was not said, or cannot be gone by.
        spawn_rate: users started a second; None as of `users`.
        run_time_s: for how long; None as of `users`.
        is_time_given: whether something was said of how long.
        faults: what is wrong with them, a sentence each.
    """

    users: int | None
    spawn_rate: float | None
    run_time_s: float | None
    is_time_given: bool
    faults: tuple[str, ...]

    @classmethod
    def read(cls, users: object, spawn_rate: object, run_time_s: object) -> "LoadArguments":
        """Read what was given; None: nothing was."""
        n_users, rate, lasts_s = _users(users), _above_zero(spawn_rate), _above_zero(run_time_s)
        told = [
            ("users", users, n_users, f"an int from 1 to {MAX_USERS:,}"),
            ("spawn_rate", spawn_rate, rate, "users started a second, a finite number above 0"),
            ("run_time_s", run_time_s, lasts_s, "seconds, a finite number above 0"),
        ]
        faults = [
            f"{name}={_shown(given)}: expected {expected}, or None"
            for name, given, read, expected in told
            if given is not None and read is None
        ]
        return cls(n_users, rate, lasts_s, run_time_s is not None, tuple(faults))


def _users(given: object) -> int | None:
    """Return a number of users; None: it is none. One of NumPy's is one, True is not."""
    if not isinstance(given, Integral) or isinstance(given, bool):
        return None
    n_users = int(given)
    return n_users if 1 <= n_users <= MAX_USERS else None


def _above_zero(given: object) -> float | None:
    """Return a number above 0 that has an end, an int as it is; None: it is none."""
    if not isinstance(given, Real) or isinstance(given, bool):
        return None
    try:
        number = float(given)
    except OverflowError:
        return None
    if not 0 < number < math.inf:  # nor is what is no number
        return None
    return int(given) if isinstance(given, Integral) else number


def _shown(given: object) -> str:
    return quoted(given) if isinstance(given, str) else quoted(repr(given))[1:-1]
