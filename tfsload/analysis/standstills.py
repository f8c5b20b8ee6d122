"""When the server answered nobody for longer than a request may wait, though requests were sent. Pure."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tfsload.analysis import hold_ups
from tfsload.analysis.level_names import told_name
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.analysis.series import Second
from tfsload.analysis.validity import GOES_ON, MEASURED, Breach
from tfsload.analysis.verdict import Reason

# So improbable it has to be that its requests only fail as others of the run do.
_LUCK = 1e-3
# The latency of a second in so many of a run is what an answer may take in it: one second after a standstill tells of
# that alone.
_USUAL = 0.95
# Under a longer --deadline a server that hangs at the end makes no failure: so long a silence is looked at.
_SILENCE_S = 5.0
# What is told second by second may lie a little beside what is known exactly.
_SECOND_S = 1.0

_CURE = "see whether the server still runs, and its log"


@dataclass(frozen=True)
class Standstill:
    """A time in which requests waited, or failed, and none was answered.

    Attributes:
        at_s: when it began, or a little before, in seconds from the begin of what was counted.
        lasted_s: for how long, or a little longer, but for the time in which no request was there.
        is_to_the_end: whether no answer came any more.
    """

    at_s: float
    lasted_s: float
    is_to_the_end: bool

    @property
    def long(self) -> str:
        """For how long, in words that promise no more than is known."""
        return f"{math.floor(10 * self.lasted_s) / 10:g} s or more"


def standstills(seconds: Sequence[Second], deadline_s: float, is_cut_out: bool = False) -> tuple[Standstill, ...]:
    """Return the times in which nothing was answered for longer than a request may wait, and the next one takes.

    One request that gets no answer, with nobody beside it, is none; nor is what may be luck where many get none.
    Without any answer nothing came to a stand: that is told otherwise.

    Args:
        seconds: of what was counted, in order.
        deadline_s: how long a request may wait.
        is_cut_out: whether they begin in the middle, as a level does: answers to requests that were sent before are not
            among them.
    """
    groups = [(key, list(rows)) for key, rows in itertools.groupby(seconds, key=_has_answers)]
    usual_s = sorted((row.p99_ns or 0) / 1e9 for row in seconds if row.rate_rps > 0)
    if not usual_s:
        return ()
    found = []
    for number, (has_answers, rows) in enumerate(groups):
        if has_answers:
            continue
        # The answer after a request that was lost takes its time, too. And of the first and the last row, seconds or
        # two, four … of them, a part may be without a request.
        slack_s = usual_s[int(_USUAL * (len(usual_s) - 1))] + max(1.0, *(row.lasts_s for row in rows))
        if is_cut_out and not number:
            slack_s += deadline_s
        lasted_s = math.fsum(map(_waited_s, rows))  # the same with each Python
        n_each = 1 + math.floor((lasted_s - slack_s) / deadline_s)
        if lasted_s > deadline_s + slack_s and not _may_be_luck(seconds, rows, n_each):
            found.append(Standstill(rows[0].at_s, lasted_s, number == len(groups) - 1))
    return tuple(found)


def _has_answers(second: Second) -> bool:
    """Whether the server answered in a second, be it what a user class could not judge."""
    return second.rate_rps > 0 or second.unjudged > 0


def _waited_s(second: Second) -> float:
    """Return for how much of a second a request waited or failed: users may wait between two of them."""
    return second.lasts_s * (1.0 if second.failed else min(second.in_flight, 1.0))


def _may_be_luck(seconds: Sequence[Second], rows: Sequence[Second], n_each: int) -> bool:
    """Whether as many requests may well go without an answer one after the other, as many as do elsewhere.

    They are those that failed, or `n_each` of each that was in flight all the time. Of n requests elsewhere of which k
    failed, the next one is taken to fail with (k + 1) ÷ (n + 1): a few tell little.
    """
    n_answers = sum(row.rate_rps * row.lasts_s for row in seconds)
    images_each = sum(row.predictions - row.failed for row in seconds) / n_answers
    n_answers += sum(row.unjudged for row in seconds) / images_each
    n_failed, n_here = (sum(row.failed - row.unjudged for row in those) / images_each for those in (seconds, rows))
    n_elsewhere = n_failed - n_here
    n_in_flight = sum(row.in_flight * row.lasts_s for row in rows) / sum(map(_waited_s, rows))
    share = (n_elsewhere + 1) / (n_answers + n_elsewhere + 1)
    return math.pow(share, max(n_here, n_each * n_in_flight)) > _LUCK


def breaches(result: RunResult) -> tuple[Breach, ...]:
    """Return that the server answered nobody at the end of a run that came to its end: one reason at most."""
    last = result.levels[-1] if result.levels else None
    if not _came_to_its_end(result) or result.search is not None:
        return ()
    found = [one for one in (_of_run(result) if last is None else _of_level(result, last)) if one.is_to_the_end]
    where = "the end" if last is None else f"the end of the last level ({last.name})"
    return tuple(Breach(GOES_ON, _at_the_end(one, where), _CURE) for one in found)


def notes(result: RunResult) -> tuple[Reason, ...]:
    """Return when a run without levels was not answered, where that does not fail it."""
    is_told = bool(breaches(result)) or result.course.gave_up_after_s is not None
    return tuple(
        Reason(
            _at_the_end(one, "the end")
            if one.is_to_the_end
            else f"nothing was answered for {one.long} from {one.at_s:.0f} s on, though requests were sent",
            _CURE,
        )
        for one in _of_run(result)
        if not (one.is_to_the_end and is_told)
    )


def silent_ends(result: RunResult) -> tuple[Breach, ...]:
    """Return that a run without levels ended in the middle of a silence, of which nobody knows how it would have ended.

    Its requests may wait for longer, as the --deadline says: that the server has failed is not known either.
    """
    course, cut_off = result.course, result.totals.cut_off
    ends_otherwise = course.gave_up_after_s is not None or course.stalled or result.aborted is not None
    if result.levels or result.search is not None or not cut_off or ends_otherwise or course.deadline_s is None:
        return ()
    if any(one.is_to_the_end for one in _of_run(result)):
        return ()  # that is told
    found = _of_server(result, standstills(result.seconds, min(course.deadline_s, _SILENCE_S)))
    waited = "1 request that waited was" if cut_off == 1 else f"{cut_off:,} requests that waited were"
    cure = "let it last longer than the --deadline, or pass a shorter one"
    return tuple(
        Breach(
            MEASURED,
            f"the last answer came {one.long} before the end, and {waited} stopped: what they would have come to is "
            "not known",
            f"{_CURE}; {cure}",
        )
        for one in found
        if one.is_to_the_end
    )


def reasons_of_level(result: RunResult, level: LevelResult) -> tuple[Reason, ...]:
    """Return why a level supports no verdict: a part of it is of a server that answered nobody."""
    if result.search is not None:
        return ()  # it asks for too much, on purpose
    is_told = level is result.levels[-1] and bool(breaches(result))
    name = told_name(result.levels, level)
    return tuple(
        Reason(f"{name}: nothing was answered for {one.long} from {one.at_s:.0f} s of it on", _CURE)
        for one in _of_level(result, level)
        if not (one.is_to_the_end and is_told)
    )


def _at_the_end(one: Standstill, where: str) -> str:
    return f"the last answer came {one.long} before {where}: requests were sent, and none was answered"


def _of_run(result: RunResult) -> tuple[Standstill, ...]:
    deadline_s = result.course.deadline_s
    return () if deadline_s is None else _of_server(result, standstills(result.seconds, deadline_s))


def _of_server(result: RunResult, found: tuple[Standstill, ...], from_s: float = 0.0) -> tuple[Standstill, ...]:
    """Return those that are no standstill of the load generator's: what it did not read, it could not count.

    Args:
        result: of the run.
        found: standstills, by the seconds since something began.
        from_s: when that was, in seconds since the run did.
    """
    return tuple(
        one
        for one in found
        if 2 * hold_ups.overlap_s(result.workers, from_s + one.at_s, one.lasted_s + 2 * _SECOND_S) <= one.lasted_s
    )


def _of_level(result: RunResult, level: LevelResult) -> tuple[Standstill, ...]:
    deadline_s = result.course.deadline_s
    if deadline_s is None:
        return ()
    found = standstills(level.seconds, deadline_s, is_cut_out=True)
    return found if level.begun_s is None else _of_server(result, found, level.begun_s + level.warm_up_s)


def _came_to_its_end(result: RunResult) -> bool:
    """Whether a run had an end of its own and came to it, with all that its workers have seen."""
    course = result.course
    if not course.ended_unix_s or course.gave_up_after_s is not None or course.stalled or result.aborted is not None:
        return False
    if result.workers.lost or result.is_stopped_early or course.n_levels_left:
        return False
    if course.run_time_s is not None and course.ran_s is not None:
        return course.ran_s >= course.run_time_s
    return bool(result.levels) or (course.n_images_asked is not None and result.is_complete)
