"""Thresholds, held against what was measured."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tfsload.analysis.edges import rests_on_many
from tfsload.analysis.gate import LEAST_S, rule
from tfsload.analysis.level_names import told_by_number
from tfsload.analysis.levels import LevelRow
from tfsload.analysis.metrics import figure_so_far, latencies_of, n_endless
from tfsload.analysis.percentiles import samples_needed
from tfsload.analysis.thresholds import Threshold
from tfsload.records.level import Level
from tfsload.records.level_counts import LevelCounts
from tfsload.records.record import Record


@dataclass(frozen=True)
class Held:
    """A threshold and what it was held against.

    Attributes:
        threshold: what was asked for, with its limit.
        where: the level's name; empty: the whole run.
        value: the figure, in the limit's unit; None: there is none.
        holds: whether it holds; None: not known.
        margin: how far the figure is from the limit, as a share of the limit: above 0 on the side that holds; None
            without a figure, and where the limit is 0.
        why_unknown: why it is not known whether it holds; empty: it is.
        low, high: of a figure that is judged by its interval, the ends of that; else None.
        cure: what to do, so that it can be told; empty: nothing can be said.
        level: the level's number, since several may have one name; None: the whole run, or a level that was not run.
        told_where: the level's name as it is told, where others have the same one; empty: as `where`.
    """

    threshold: Threshold
    where: str
    value: float | None
    holds: bool | None
    margin: float | None
    why_unknown: str = ""
    low: float | None = None
    high: float | None = None
    cure: str = ""
    level: int | None = None
    told_where: str = field(default="", compare=False)  # known only once others have been run

    @property
    def place(self) -> str:
        """The level as people are told of it, such as `1 user (second time)`; empty: the whole run."""
        return self.told_where or self.where

    @property
    def unknown_and_cure(self) -> str:
        """Why it is not known whether it holds, and what to do, in a sentence; empty: it is."""
        return f"{self.why_unknown}; {self.cure}" if self.cure else self.why_unknown


def hold(threshold: Threshold, where: str, record: Record, rate_rps: float | None, measured_s: float) -> Held:
    """Hold a threshold against what was measured of a level, or of a run without levels (`where` is empty)."""
    ruling = rule(threshold, record, rate_rps, measured_s)
    why_unknown = cure = ""
    if ruling.value is None:
        why_unknown, cure = _why_unknown(threshold, record)
    elif ruling.stall:
        why_unknown, cure = ruling.stall, "hold the level longer" if where else "let the run last longer"
    holds = None if why_unknown else threshold.holds(ruling.value)
    return Held(threshold, where, ruling.value, holds, margin_of(threshold, ruling.value), why_unknown, cure=cure)


def hold_counters(threshold: Threshold, where: str, counts: LevelCounts) -> Held:
    """Hold a threshold against the counters of a level that is still measured."""
    value = figure_so_far(threshold, counts)
    return Held(threshold, where, value, threshold.holds(value), margin_of(threshold, value), level=counts.level)


def hold_all(thresholds: Sequence[Threshold], rows: Sequence[LevelRow]) -> tuple[Held, ...]:
    """Hold each threshold against each level that it is about; of one that names another level nothing is known."""
    held = told_apart(
        replace(hold(one, row.level.name, row.record, row.achieved_rps, row.level.duration_s), level=row.level.number)
        for row in rows
        for one in thresholds
        if one.is_about(row.level.users, row.level.rate_rps)
    )
    found = {one.threshold for one in held}
    return held + tuple(_not_run(one) for one in thresholds if one.names_level and one not in found)


def told_apart(thresholds: Iterable[Held]) -> tuple[Held, ...]:
    """Return thresholds with which of several levels each was held against, where these have one name."""
    thresholds = tuple(thresholds)
    names = {one.level: one.where for one in thresholds if one.level is not None}
    return tuple(
        one if one.level is None else replace(one, told_where=told_by_number(names, one.level)) for one in thresholds
    )


def _not_run(threshold: Threshold) -> Held:
    name = Level(0, threshold.users or 0, threshold.rate_rps, 0.0, 0.0).name
    return Held(threshold, name, None, None, None, "this level was not run to its end", cure="let it end by itself")


def left_open(threshold: Threshold) -> Held:
    """Return what is known of a threshold on each level where none has ended: nothing."""
    why, cure = "no level was run to its end", "let it end by itself"
    return Held(threshold, "", None, None, None, why, cure=cure)


def judged_whole(thresholds: Sequence[Threshold], rows: Sequence[LevelRow], duration_s: float) -> tuple[str, ...]:
    """Return where thresholds were judged with all half-seconds alone, since so little was measured.

    Args:
        thresholds: what was asked for.
        rows: of the levels; none: the whole run is judged, which has no name.
        duration_s: how long was measured.
    """
    about: list[tuple[str, float, Level | None]]
    about = [(row.level.name, row.level.duration_s, row.level) for row in rows if row.record.requests]
    if not rows and duration_s:
        about = [("", duration_s, None)]
    found = (
        name
        for name, measured_s, level in about
        if measured_s < LEAST_S and any(rests_on_many(one) and _is_about(one, level) for one in thresholds)
    )
    return tuple(dict.fromkeys(found))


def _is_about(threshold: Threshold, level: Level | None) -> bool:
    """Whether a threshold is about a level, or about a run without any."""
    return not threshold.names_level if level is None else threshold.is_about(level.users, level.rate_rps)


def margin_of(threshold: Threshold, value: float | None) -> float | None:
    """Return how far a figure is from the limit, as `Held.margin` has it."""
    if value is None or not threshold.limit:
        return None
    distance = (threshold.limit - value) / threshold.limit
    if math.isinf(distance) and math.isfinite(value):
        return None  # the limit is so small that no number tells how far it is
    return distance if threshold.is_upper else -distance


def _n_samples(threshold: Threshold, record: Record) -> int:
    """Return of how many samples a percentile is, as `figure_of` has it."""
    if threshold.is_lag:
        return record.lag.count
    return latencies_of(threshold, record).count + (n_endless(record) if threshold.is_upper else 0)


def _why_unknown(threshold: Threshold, record: Record) -> tuple[str, str]:
    """Return why there is no figure, and what to do."""
    if threshold.percentile is None:
        return "nothing was measured that it is about", ""
    needed, n = samples_needed(threshold.percentile), _n_samples(threshold, record)
    longer = f"let it last about {math.ceil(needed / n)} times as long" if n else "let it last longer"
    samples = "1 sample does" if n == 1 else f"{n:,} samples do"
    return f"{samples} not carry it, {needed:,} would", longer
