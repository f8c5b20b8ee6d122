"""The answer of a sweep in words, with its reasons; what it says of growth stands in the table of speed-ups."""

import math
from dataclasses import dataclass
from typing import Literal

from tfsload.analysis.answer_kinds import (
    hardly_grows,
    is_overcorrected,
    may_change_with_more_users,
    possible,
    room_to_grow,
)
from tfsload.analysis.figures import at_once, difference, fold, latency, rate, share, users
from tfsload.analysis.next_sweep import SUGGESTED, NextSweep, SweepAsked, in_brackets, with_a_lone_user
from tfsload.analysis.parallelism import Parallelism
from tfsload.analysis.sweep import Growth, ScaledLevel, Sweep, exceeds
from tfsload.analysis.would_tell import NONE, Cure, cure_of, measured_well, with_heavier

# More levels than this are counted, not named.
_MOST_NAMED = 6

# What a sweep may say, by the answers that its interval reaches over.
_HEADS = {
    ("no",): "No: requests are served one at a time, about {value} at once",
    ("no", "hardly"): "No or hardly: about {value} requests are served at once",
    ("hardly",): "Hardly: parts of requests run in parallel{where}, about {value} at once",
    ("hardly", "yes"): "Hardly or yes: about {value} requests are served at once",
    ("yes",): "Yes: {least}about {value} requests run in parallel{where}",
    ("no", "hardly", "yes"): "Cannot tell: about {value} requests seem to be served at once",
}
# With requests that hardly ask anything of the server, or a server that gets slower under load.
_OVERCORRECTED = (
    "Cannot tell: about {at_most} requests at once with their way to the server and back, but only {value} without it; "
    "so few keep no server busy: their way may be shorter than that of a call that asks the model for nothing, or the "
    "server slower under load"
)


Kind = Literal["yes", "no", "cannot tell"]


@dataclass(frozen=True)
class ScalingAnswer:
    """Whether the server runs requests in parallel.

    Attributes:
        kind: "yes"; "no", which hardly is, too; or "cannot tell", where it may be yes or not.
        sentence: the answer in words, with its reasons, and with what would tell where it names more than one.
        next: what would tell, where that is another sweep; None: nothing has to, or no option of a run does it.
    """

    kind: Kind
    sentence: str
    next: NextSweep | None = None


@dataclass(frozen=True)
class Lack:
    """What a sweep has not got that any answer needs.

    Attributes:
        what: is missing.
        cure: what to do; empty: nothing can be said, or what is missing says it.
        next: the sweep that has it; None: there is none but for its options.
    """

    what: str
    cure: str = ""
    next: NextSweep | None = None

    def __str__(self) -> str:
        return "; ".join(filter(None, (self.what, self.cure)))


def scaling_answer(
    sweep: Sweep,
    interval: Parallelism | None,
    round_trip_ns: float | None,
    is_whole: bool = True,
    asked: SweepAsked | None = None,
) -> ScalingAnswer:
    """Say whether requests run in parallel.

    Args:
        sweep: with all its levels.
        interval: its parallelism; None without a lone user, or with nothing else.
        round_trip_ns: of a call that asks the model for nothing; None: not measured.
        is_whole: whether these are all levels that were asked for.
        asked: what else it was asked for; None: it is not known.
    """
    growth = sweep.growth
    if is_hidden(sweep, interval):
        return ScalingAnswer("cannot tell", _of_noise(sweep))
    if growth is None or interval is None:
        lack = lack_of(sweep, is_whole, asked)
        sentence = f"Cannot tell: {lack}.{_growth_all_the_same(sweep)}"
        return ScalingAnswer("cannot tell", sentence, lack.next if lack is not None else None)
    kind: Kind
    if is_overcorrected(interval):
        kind, cure = "cannot tell", with_heavier(asked)
        ending = [f"To tell: {cure.words}"]
        head = _OVERCORRECTED.format(at_most=at_once(interval.at_most), value=at_once(interval.value))
    else:
        answers = possible(growth, interval)
        least = "at least " if _may_be_more(sweep) else ""
        where = "" if round_trip_ns is None else " in the server"  # else their way is in the figure, too
        head = _HEADS[answers].format(value=at_once(interval.value), least=least, where=where)
        head += f" ({at_once(interval.low)} to {at_once(interval.high)}){_outlook(growth, interval)}"
        head += (
            "; that is less than one, so each takes longer under load than alone"
            if round(interval.high, 2) < 1  # as it is told
            else ""
        )
        kind = "yes" if answers == ("yes",) else "cannot tell" if "yes" in answers else "no"
        cure = cure_of(growth, interval, is_whole, asked) if len(answers) > 1 else NONE
        ending = _ending(answers, cure, growth, interval, is_whole) if len(answers) > 1 else []
    reasons = [
        _rests_on(sweep),
        _reason(growth.alone_ns, round_trip_ns),
        _growth(growth, interval, round_trip_ns is not None),
    ]
    parts = [head, *filter(None, reasons), *ending]
    return ScalingAnswer(kind, " ".join(f"{part}." for part in parts), cure.next)


def is_hidden(sweep: Sweep, interval: Parallelism | None) -> bool:
    """Whether others took the CPU in a level, so that no more may be said than that requests run in parallel.

    >>> is_hidden(Sweep(()), None)
    False
    """
    growth = sweep.growth
    if not sweep.noisy or growth is None or interval is None:
        return bool(sweep.noisy)
    return possible(growth, interval) != ("yes",)


def _of_noise(sweep: Sweep) -> str:
    """Say that nothing is known, as others took the CPU, and what to do about it."""
    found = f"Cannot tell: others took the CPU {_where(sweep)}, which hides what a server does in parallel"
    return f"{found}. To tell: {sweep.noisy[0].noise_cure}."


def _where(sweep: Sweep) -> str:
    """Say in which levels others took the CPU."""
    *others, last = [f"{level.users:,}" for level in sweep.noisy]
    if len(others) >= _MOST_NAMED:
        return f"in {len(sweep.noisy):,} of {len(sweep.levels):,} levels"
    return f"at {', '.join(others)} and {last} users" if others else f"at {users(sweep.noisy[0].users)}"


def times_one_user(speed_up: float, has_way: bool) -> str:
    """Return a speed-up, which is measured from outside, as another figure than the parallelism of the server.

    >>> times_one_user(2.384, has_way=True), times_one_user(2.384, has_way=False)
    ('2.38× one user as the client sees it, network included', '2.38× one user')

    Args:
        speed_up: the throughput of a level ÷ that of one user.
        has_way: whether the network's round trip is known, which is not in the parallelism.
    """
    return f"{fold(speed_up)} one user{' as the client sees it, network included' if has_way else ''}"


def _rests_on(sweep: Sweep) -> str:
    """Say which levels carry the answer, where there are others: who reads of those asks what it is worth."""
    left_out = [users(level.users) for level in sweep.trusted if level.n_left_out]
    again = f"of {', '.join(left_out)} it leaves out what cannot be trusted" if left_out else ""
    if len(sweep.trusted) == len(sweep.levels):
        return f"{again[0].upper()}{again[1:]}, and takes what was measured again" if again else ""
    if len(sweep.trusted) > _MOST_NAMED:
        rests = f"This rests on the {len(sweep.trusted):,} levels that can be trusted"
    else:
        *others, last = [f"{level.users:,}" for level in sweep.trusted]
        rests = f"This rests on the levels with {', '.join(others)} and {last} users, which can be trusted"
    return f"{rests}; {again}" if again else rests


def _outlook(growth: Growth, interval: Parallelism) -> str:
    """Say what more users may bring, where that is why more than one answer is possible."""
    if growth.sweep.higher_left_out or not may_change_with_more_users(growth, interval):
        return ""
    room = room_to_grow(growth)
    return f", and up to {at_once(interval.high * room)} with more users" if room < math.inf else ", so far"


def _ending(answers: tuple[str, ...], cure: Cure, growth: Growth, interval: Parallelism, is_whole: bool) -> list[str]:
    """Say what would tell one answer from another, and what the answer is where nothing does: two are one, too."""
    which = f" {answers[0]} from {answers[1]}" if len(answers) == 2 else ""
    said = [f"To tell{which}: {cure.words}"] if cure.words else []
    if may_change_with_more_users(growth, interval) or not is_whole:
        return said
    least_or_most = _least_or_most(answers, growth, interval) if which else ""
    if not cure.words:
        answer = f": the answer is {least_or_most}" if which else ""
        return [f"Measuring each level once more would tell little{answer}"]
    return [*said, *([f"If it stays open, the answer is {least_or_most}"] if which else [])]


def _least_or_most(answers: tuple[str, ...], growth: Growth, interval: Parallelism) -> str:
    """Return the end of the interval that one can go by."""
    if "yes" in answers:
        return f"at least {at_once(interval.low)} at once"
    most, reach = at_once(interval.high), at_once(interval.high * room_to_grow(growth))
    return f"at most {most} at once{'' if reach == most else f' ({reach} with more users)'}"


def _may_be_more(sweep: Sweep) -> bool:
    return sweep.stops_growing_at is None or sweep.higher_left_out is not None


def _reason(alone_ns: float, round_trip_ns: float | None) -> str:
    """Say what of a lone request's time is spent where: on their way there is room for any number of requests."""
    alone = latency(alone_ns)
    if round_trip_ns is None:
        return f"A lone request takes {alone}; how much of it is its way to the server and back was not measured"
    overhead = latency(round_trip_ns)
    if round_trip_ns >= alone_ns:
        return f"A lone request takes {alone}, no longer than a call that asks the model for nothing ({overhead})"
    return (
        f"Of a lone request's {alone}, the server takes {difference(alone_ns, round_trip_ns)}; the other {overhead} "
        f"({share(round_trip_ns, alone_ns)}) are its way there and back, where any number are under way at once"
    )


def _growth(growth: Growth, interval: Parallelism, has_way: bool) -> str:
    """Say how far throughput grew, and whether it fell, in the figures of the table."""
    sweep, knee, highest, last = growth.sweep, growth.knee, growth.highest, growth.last
    if sweep.noisy:
        return f"Others took the CPU {_where(sweep)}: without them it may be more"
    more = sweep.higher_left_out
    beyond = f"; it was higher at {users(more.users)}, which cannot be trusted{_why(more)}" if more else ""
    if not exceeds(highest, growth.alone):
        by = times_one_user(growth.speed_up(highest), has_way)
        grown = f"Throughput does not grow with users (at most {by}): they only wait longer"
    elif hardly_grows(growth, interval):
        by = times_one_user(growth.speed_up(highest), has_way)
        grown = f"Throughput hardly grows with users (at most {by}; at {users(highest.users)}): they mostly wait longer"
    elif knee is last:
        which = "tried" if last is sweep.levels[-1] else "measured well enough to be trusted"
        by = times_one_user(growth.speed_up(last), has_way)
        grown = f"Throughput was still growing at {users(last.users)} ({by}), the most that were {which}"
    else:
        top = "" if highest is knee else f"; {fold(growth.speed_up(highest))} at {users(highest.users)}"
        by = times_one_user(growth.speed_up(knee), has_way)
        grown = f"Throughput stops growing at {users(knee.users)} ({by}{top}), then requests queue"
    if sweep.falls_beyond:
        grown += (
            f", and it falls beyond {users(sweep.falls_beyond)} ({fold(growth.speed_up(last))} at {users(last.users)})"
        )
    return grown + beyond


def lack_of(sweep: Sweep, is_whole: bool = True, asked: SweepAsked | None = None) -> Lack | None:
    """Return what the sweep has not got that any answer needs; None if it has all.

    Args:
        sweep: with all its levels.
        is_whole: whether these are all levels that were asked for; else what is missing may be among the others.
        asked: what else it was asked for; None: it is not known.
    """
    has_lone_user = bool(sweep.levels) and sweep.levels[0].users == 1
    if not is_whole and (not has_lone_user or len(sweep.levels) < 2):
        return Lack("the sweep was not run to its end")
    if not has_lone_user:
        more = with_a_lone_user(sweep)
        what = "no level has 1 user, to compare the others with"
        return Lack(what, f"begin the sweep with 1{in_brackets(more.users)}", next=more)
    if len(sweep.levels) < 2:
        cure = f"sweep over several numbers of users{in_brackets(SUGGESTED)}"
        return Lack("only one level was measured", cure, next=NextSweep(SUGGESTED))
    first, second = sweep.levels[:2]
    if not first.is_trusted:
        what = f"the level with 1 user cannot be trusted{_why(first)}"
        return Lack(what, next=measured_well(first, asked))
    if sweep.alone is None:
        return Lack("no request was answered at 1 user", "see why they failed")
    if len(sweep.trusted) < 2:
        what = f"no level with more than 1 user can be trusted; the one with {users(second.users)}{_why(second)}"
        return Lack(what, next=measured_well(second, asked))
    return None


def _growth_all_the_same(sweep: Sweep) -> str:
    """Say where throughput stops growing, which levels tell that have no lone user to be held against."""
    trusted, knee = sweep.trusted, sweep.knee
    if len(trusted) < 2 or knee is None or not knee.throughput_rps:
        return ""
    which = "" if len(trusted) == len(sweep.levels) else "Among the levels that can be trusted, "
    how_fast = f"{users(knee.users)} ({rate(knee.throughput_rps)} requests/s)"
    if knee is trusted[-1]:
        grown = f"{which}throughput grows up to {how_fast}, the most of them"
    else:
        grown = f"{which}throughput does not grow beyond {how_fast}"
    return f" {grown[0].upper()}{grown[1:]}."


def _why(level: ScaledLevel) -> str:
    """Return why a level cannot be trusted: not each verdict has its doubts among the reasons, nor has them first."""
    return f": {level.left_out}" if level.left_out else ""
