"""What would tell more than a sweep did, in words and as the sweep that would. Pure."""

from dataclasses import dataclass

from tfsload.analysis.answer_kinds import SERIAL_UP_TO, may_change_with_more_users
from tfsload.analysis.figures import users
from tfsload.analysis.next_sweep import (
    NextSweep,
    SweepAsked,
    as_flags,
    both,
    further,
    heavier,
    in_brackets,
    less_scattered,
    longer,
    more_often,
    warmer,
)
from tfsload.analysis.parallelism import Parallelism
from tfsload.analysis.sweep import SPREAD, Growth, ScaledLevel

_ON_A_QUIET_MACHINE = "on a machine with nothing else to do"


@dataclass(frozen=True)
class Cure:
    """What would tell.

    Attributes:
        words: it in words; empty: nothing has to, or does.
        next: the sweep that would; None: what is to be done is no option of one.
    """

    words: str = ""
    next: NextSweep | None = None


NONE = Cure()
_TO_ITS_END = Cure("let the sweep run to its end")


def with_heavier(asked: SweepAsked | None) -> Cure:
    """Return what makes the way to the server a smaller part of a request.

    Args:
        asked: what the sweep was asked for; None: it is not known.
    """
    more, nearer = heavier(asked), "measure nearer to the server"
    if more is None:
        return Cure(nearer)
    how = f"`{as_flags(more)}`" if more.images_per_request else "more `--images-per-request`"
    return Cure(f"send heavier requests ({how}), or {nearer}", more)


def measured_well(level: ScaledLevel, asked: SweepAsked | None) -> NextSweep | None:
    """Return what makes a level one that can be trusted, where its doubts say that longer levels or warm-ups may."""
    return both(longer(asked) if level.wants_longer else None, warmer(asked) if level.wants_warmer else None)


def cure_of(growth: Growth, interval: Parallelism, is_whole: bool, asked: SweepAsked | None) -> Cure:
    """Return what would tell, where a sweep allows several answers.

    Args:
        growth: of the sweep.
        interval: its parallelism.
        is_whole: whether these are all levels that were asked for.
        asked: what else it was asked for; None: it is not known.
    """
    sweep = growth.sweep
    if sweep.higher_left_out:
        return _measured_well(sweep.higher_left_out, asked)
    if may_change_with_more_users(growth, interval):
        beyond = [level for level in sweep.levels if level.users > growth.last.users]
        if beyond:
            return _measured_well(beyond[0], asked)
        return _with_more_users(further(sweep)) if is_whole else _TO_ITS_END
    if interval.by_overhead >= interval.by_scatter or interval.high <= SERIAL_UP_TO:
        return with_heavier(asked)
    if growth.alone.n_runs > 1 and growth.alone.noise > SPREAD:
        return Cure(f"measure {_ON_A_QUIET_MACHINE}, since throughput at 1 user differed from time to time")
    if max(growth.alone.noise, *(level.noise for level in sweep.plateau)) > SPREAD:
        return _with_longer_levels(asked)
    if not is_whole:
        return _TO_ITS_END
    return _with_more_levels(more_often(sweep))


def _with_more_users(more: NextSweep | None) -> Cure:
    return Cure(f"sweep further{in_brackets(more.users)}", more) if more is not None else NONE


def _with_more_levels(more: NextSweep | None) -> Cure:
    if more is None:
        return NONE
    return Cure(f"measure each level several times{in_brackets(more.users)}, {_ON_A_QUIET_MACHINE}", more)


def _with_longer_levels(asked: SweepAsked | None) -> Cure:
    more = less_scattered(asked)
    how = "" if more is None else f" longer (`{as_flags(more) or '--level-duration'}`),"
    return Cure(f"measure{how} {_ON_A_QUIET_MACHINE}, since throughput scatters too much", more)


def _measured_well(level: ScaledLevel, asked: SweepAsked | None) -> Cure:
    more = measured_well(level, asked)
    how = f" (`{flags}`)" if more is not None and (flags := as_flags(more)) else ""
    return Cure(f"{users(level.users)}, measured so that it can be trusted{how}", more)
