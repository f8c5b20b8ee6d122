"""Which sweep would tell more than the one that was run: with more users, or levels held several times. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfsload.analysis.sweep import Sweep

# Where nothing is known of the server. It ends with the lone user with whom it begins, against whom all is held: where
# the two differ, the machine did not hold still.
SUGGESTED = (1, 2, 4, 8, 1)
# A sweep that goes further goes at least to so many users.
_LEAST_HIGHEST = 8
# More levels than these are not listed in a sentence.
_MOST_LISTED = 16


@dataclass(frozen=True)
class NextSweep:
    """What to run to be told more, as it differs from what was run; all else stays as it was.

    Attributes:
        users: in flight, level by level; empty: as they were.
        is_heavier: whether with more images a request.
        is_longer: whether with levels that are held longer.
    """

    users: tuple[int, ...] = ()
    is_heavier: bool = False
    is_longer: bool = False


def further(sweep: Sweep) -> NextSweep:
    """Return a sweep over more users than this one, which has one at least."""
    users = _users(sweep)
    highest = users[-1]
    while users[-1] < _LEAST_HIGHEST or users[-1] == highest:
        users.append(2 * users[-1])
    return NextSweep(_closed(users))


def more_often(sweep: Sweep) -> NextSweep:
    """Return a sweep that holds each level of this one once more."""
    held = [level.n_runs + level.n_left_out for level in sweep.levels if level.users > 1]
    return NextSweep(_closed(_users(sweep) * (min(held, default=1) + 1)))


def with_a_lone_user(sweep: Sweep) -> NextSweep:
    """Return a sweep that begins and ends with the lone user that this one lacks."""
    users = _users(sweep)
    return NextSweep(_closed([1, *users]) if users else SUGGESTED)


def as_option(users: Sequence[int]) -> str:
    """Return a sweep as it is typed.

    >>> as_option(SUGGESTED)
    '--sweep 1,2,4,8,1'
    """
    return f"--sweep {as_text(users)}"


def as_text(users: Sequence[int]) -> str:
    """Return a sweep as the option's text has it.

    >>> as_text(SUGGESTED)
    '1,2,4,8,1'
    """
    return ",".join(map(str, users))


def in_brackets(users: Sequence[int]) -> str:
    """Return a sweep to be set behind what is advised, as code; empty: it is too long for a sentence.

    >>> in_brackets((1, 2, 1)), in_brackets(range(1, 99))
    (' (`--sweep 1,2,1`)', '')
    """
    return f" (`{as_option(users)}`)" if len(users) <= _MOST_LISTED else ""


def _users(sweep: Sweep) -> list[int]:
    return [level.users for level in sweep.levels]


def _closed(users: list[int]) -> tuple[int, ...]:
    return (*users, 1)
