"""What went on over time, level by level, as charts tell it: no more slots than can be seen apart. Pure."""

import itertools
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.analysis.series import Second
from tfsload.report import units
from tfsload.report.states import is_doubted

# Of less there is no course of things to be seen.
_LEAST_SECONDS = 4


@dataclass(frozen=True)
class Slot:
    """What went on in a second, or in several that are told together.

    Attributes:
        at_s, lasts_s: since the load began, and for how long.
        rate_rps: answers a second.
        p50_ms, p99_ms: latency of those; of several seconds the middle of their medians, and the highest p99; None
            without an answer.
        wrong, failed, mismatched: images.
    """

    at_s: float
    lasts_s: float
    rate_rps: float
    p50_ms: float | None
    p99_ms: float | None
    wrong: int
    failed: int
    mismatched: int


@dataclass(frozen=True)
class Stretch:
    """A level, or a whole run without levels.

    Attributes:
        name: in few letters; empty: a whole run.
        warm_up_s: when its warm-up began; None: it has none.
        begin_s, end_s: when what counts began and ended.
        slots: in order.
        is_doubted: whether its figures support no verdict.
    """

    name: str
    warm_up_s: float | None
    begin_s: float
    end_s: float
    slots: tuple[Slot, ...]
    is_doubted: bool = False


def timeline(result: RunResult) -> tuple[Stretch, ...]:
    """Return what went on; empty: nothing was told by the second, or not when levels began."""
    if not result.levels:
        if len(result.seconds) < _LEAST_SECONDS:
            return ()
        slots = tuple(_slot(one, 0.0) for one in result.seconds)
        return (Stretch("", None, 0.0, slots[-1].at_s + slots[-1].lasts_s, slots),)
    if any(level.begun_s is None for level in result.levels) or not any(level.seconds for level in result.levels):
        return ()
    first_s = min(level.begun_s or 0.0 for level in result.levels)
    return tuple(
        _stretch(level, (level.begun_s or 0.0) - first_s, is_doubted(result, level)) for level in result.levels
    )


def _stretch(level: LevelResult, warm_up_s: float, is_doubted: bool) -> Stretch:
    begin_s = warm_up_s + level.warm_up_s
    slots = tuple(_slot(one, begin_s) for one in level.seconds)
    return Stretch(short_name(level), warm_up_s, begin_s, begin_s + level.duration_s, slots, is_doubted)


def short_name(level: LevelResult) -> str:
    """Return a level's name in few letters."""
    return level.name if level.rate_rps is None else f"{units.count(level.rate_rps)}/s"


def _slot(second: Second, begin_s: float) -> Slot:
    return Slot(
        at_s=begin_s + second.at_s,
        lasts_s=second.lasts_s,
        rate_rps=second.rate_rps,
        p50_ms=None if second.p50_ns is None else second.p50_ns / 1e6,
        p99_ms=None if second.p99_ns is None else second.p99_ns / 1e6,
        wrong=second.wrong,
        failed=second.failed,
        mismatched=second.mismatched,
    )


def thinned(stretches: Sequence[Stretch], most: int) -> tuple[tuple[Stretch, ...], int]:
    """Return the same in no more slots than that, or hardly, and how many seconds of the run's are told together."""
    n_slots = sum(len(stretch.slots) for stretch in stretches)
    together = max(-(-n_slots // most), 1)
    if together == 1:
        return tuple(stretches), 1
    return tuple(replace(one, slots=tuple(_together(one.slots, together))) for one in stretches), together


def _together(slots: Sequence[Slot], n: int) -> Iterable[Slot]:
    for start in range(0, len(slots), n):
        group = slots[start : start + n]
        lasts_s = sum(one.lasts_s for one in group)
        yield Slot(
            at_s=group[0].at_s,
            lasts_s=lasts_s,
            rate_rps=sum(one.rate_rps * one.lasts_s for one in group) / lasts_s if lasts_s else 0.0,
            p50_ms=_of_some([one.p50_ms for one in group], statistics.median),
            p99_ms=_of_some([one.p99_ms for one in group], max),
            wrong=sum(one.wrong for one in group),
            failed=sum(one.failed for one in group),
            mismatched=sum(one.mismatched for one in group),
        )


def _of_some(values: Sequence[float | None], figure: Callable[[list[float]], float]) -> float | None:
    known = [value for value in values if value is not None]
    return figure(known) if known else None


def all_slots(stretches: Iterable[Stretch]) -> list[Slot]:
    """Return the slots of all levels, in order."""
    return [*itertools.chain.from_iterable(stretch.slots for stretch in stretches)]
