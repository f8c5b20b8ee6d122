"""Which sweep would tell more than the one that was run, and than which no further one would. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tfsload.analysis.option_limits import MAX_IMAGES_PER_REQUEST, MAX_LEVEL_S, MAX_USERS
from tfsload.analysis.sweep import Sweep

# Where nothing is known of the server. It ends with the lone user with whom it begins, against whom all is held: where
# the two differ, the machine did not hold still.
SUGGESTED = (1, 2, 4, 8, 1)
# A sweep that goes further goes at least to so many users.
_LEAST_HIGHEST = 8
# More levels than these are not listed in a sentence.
_MOST_LISTED = 16
# Equal levels differ by as much as they do: the mean of four has half the error of one, and that of ten a third.
_MOST_TIMES = 4
# Requests of so many images are heavy for a model as small as the one that is shipped.
HEAVY = 64
_TIMES = 2
# What scatters in levels of a minute does so in longer ones.
_LONG_ENOUGH_S = 60.0
# What begins anew, as a server's threads and a connection do, takes so long, however short levels are: the default.
_LEAST_WARM_UP_S = 2.0


@dataclass(frozen=True)
class SweepAsked:
    """What a sweep was asked for beside its users, as far as a further one may have it otherwise.

    Attributes:
        images_per_request: images in a request.
        n_images: that are fired, over and over: no request holds more.
        level_duration_s: seconds of each level that count.
        deadline_s: seconds after which a request without an answer fails.
        warm_up_s: seconds of load before each level that do not count.
    """

    images_per_request: int
    n_images: int
    level_duration_s: float
    deadline_s: float
    warm_up_s: float


@dataclass(frozen=True)
class NextSweep:
    """What to run to be told more, as it differs from what was run; all else stays as it was.

    Attributes:
        users: in flight, level by level; empty: as they were.
        is_heavier: whether with more images a request.
        is_longer: whether with levels that are held longer.
        is_warmer: whether with a longer warm-up.
        images_per_request: of one that is heavier: how many; None: as they were, or it is not known how many they were.
        level_duration_s: of one that is longer: how long, longer than the deadline; None likewise.
        warm_up_s: of one that is warmer: how long its warm-up is; None likewise.
    """

    users: tuple[int, ...] = ()
    is_heavier: bool = False
    is_longer: bool = False
    is_warmer: bool = False
    images_per_request: int | None = None
    level_duration_s: float | None = None
    warm_up_s: float | None = None


def further(sweep: Sweep) -> NextSweep | None:
    """Return a sweep over more users than this one, which has one at least; None: no sweep takes more."""
    users = _users(sweep)
    highest = users[-1]
    if highest >= MAX_USERS:
        return None
    while users[-1] < _LEAST_HIGHEST or users[-1] == highest:
        users.append(min(2 * users[-1], MAX_USERS))
    return NextSweep(_closed(users))


def more_often(sweep: Sweep) -> NextSweep | None:
    """Return a sweep that holds each level of this one once more; None: once more would tell little."""
    held = [level.n_runs + level.n_left_out for level in sweep.levels if level.users > 1]
    times = min(held, default=1)
    return NextSweep(_closed(_users(sweep) * (times + 1))) if times < _MOST_TIMES else None


def with_a_lone_user(sweep: Sweep) -> NextSweep:
    """Return a sweep that begins and ends with the lone user that this one lacks."""
    users = _users(sweep)
    return NextSweep(_closed([1, *users]) if users else SUGGESTED)


def heavier(asked: SweepAsked | None) -> NextSweep | None:
    """Return a sweep with more images a request; None: there are no more, or no request takes them.

    Args:
        asked: what this one was asked for; None: it is not known.
    """
    if asked is None:
        return NextSweep(is_heavier=True)
    more = min(max(HEAVY, _TIMES * asked.images_per_request), asked.n_images, MAX_IMAGES_PER_REQUEST)
    return NextSweep(is_heavier=True, images_per_request=more) if more > asked.images_per_request else None


def longer(asked: SweepAsked | None) -> NextSweep | None:
    """Return a sweep with levels that are twice as long, and longer than the deadline; None: none may be longer.

    Args:
        asked: what this one was asked for; None: it is not known.
    """
    if asked is None:
        return NextSweep(is_longer=True)
    seconds = asked.level_duration_s
    more_s = min(seconds + max(seconds, asked.deadline_s), MAX_LEVEL_S)
    return NextSweep(is_longer=True, level_duration_s=more_s) if more_s > seconds else None


def warmer(asked: SweepAsked | None) -> NextSweep | None:
    """Return a sweep that begins to measure where this one's levels ended or later; None: no warm-up may be longer.

    Args:
        asked: what this one was asked for; None: it is not known.
    """
    if asked is None:
        return NextSweep(is_warmer=True)
    more_s = min(max(asked.warm_up_s + asked.level_duration_s, _LEAST_WARM_UP_S), MAX_LEVEL_S)
    return NextSweep(is_warmer=True, warm_up_s=more_s) if more_s > asked.warm_up_s else None


def both(one: NextSweep | None, other: NextSweep | None) -> NextSweep | None:
    """Return a sweep that differs in what either does; None: neither is one."""
    if one is None or other is None:
        return one or other
    changed = {name: value for name, value in vars(other).items() if value not in ((), False, None)}
    return replace(one, **changed)


def less_scattered(asked: SweepAsked | None) -> NextSweep | None:
    """Return a sweep with longer levels, whose throughput scatters less; None: they are long enough for that.

    Args:
        asked: what this one was asked for; None: it is not known.
    """
    return longer(asked) if asked is None or asked.level_duration_s < _LONG_ENOUGH_S else None


def as_options(wanted: NextSweep) -> dict[str, str]:
    """Return what is to be another option, and is known, as texts by name.

    >>> as_options(NextSweep((1, 2, 1))), as_options(NextSweep(is_longer=True, level_duration_s=7.0))
    ({'sweep': '1,2,1'}, {'level_duration': '7'})
    """
    texts = {
        "sweep": as_text(wanted.users),
        "images_per_request": "" if wanted.images_per_request is None else str(wanted.images_per_request),
        "level_duration": "" if wanted.level_duration_s is None else f"{wanted.level_duration_s:.12g}",
        "warm_up": "" if wanted.warm_up_s is None else f"{wanted.warm_up_s:.12g}",
    }
    return {name: text for name, text in texts.items() if text}


def as_flags(wanted: NextSweep) -> str:
    """Return what is to be another option, and is known, as it is typed.

    >>> as_flags(NextSweep(is_heavier=True, images_per_request=64)), as_flags(NextSweep(is_heavier=True))
    ('--images-per-request 64', '')
    """
    return " ".join(f"--{name.replace('_', '-')} {text}" for name, text in as_options(wanted).items())


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
