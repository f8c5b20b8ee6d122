"""The figures of a run, computed once; reports only print them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfsload.analysis import scaling
from tfsload.analysis.attendance import Attendance
from tfsload.analysis.class_rows import ClassRow, class_rows
from tfsload.analysis.gate import is_judged_whole, rule
from tfsload.analysis.levels import PERCENTILES, LevelRow, probe
from tfsload.analysis.limit import SearchResult
from tfsload.analysis.others import NO_OTHERS, Others
from tfsload.analysis.percentiles import samples_needed
from tfsload.analysis.scaling import Scaling
from tfsload.analysis.suspicion import suspicions
from tfsload.analysis.thresholds import Threshold
from tfsload.records.confusion import ConfusionMatrix
from tfsload.records.mismatch import Mismatch, least
from tfsload.records.record import Record
from tfsload.transport.servable import UNTOLD, Servable, fault


@dataclass(frozen=True)
class Held:
    """A threshold and what it was held against.

    Attributes:
        threshold: what was asked for.
        where: the level's name; empty: the whole run.
        value: the figure; None: there is none.
        why_unknown: why it is not known whether it holds, and what to do; empty: it is.
    """

    threshold: Threshold
    where: str
    value: float | None
    why_unknown: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether it holds; None: not known."""
        return None if self.why_unknown else self.threshold.holds(self.value)


def hold(threshold: Threshold, where: str, record: Record, rate_rps: float | None, measured_s: float) -> Held:
    """Hold a threshold against what was measured of a level, or of a run without levels (`where` is empty)."""
    ruling = rule(threshold, record, rate_rps, measured_s)
    why_unknown = ""
    if ruling.value is None:
        why_unknown = _why_unknown(threshold, record)
    elif ruling.stall:
        why_unknown = f"{ruling.stall}: {'hold the level longer' if where else 'let the run last longer'}"
    return Held(threshold, where, ruling.value, why_unknown)


def _why_unknown(threshold: Threshold, record: Record) -> str:
    if threshold.percentile is None:
        return "nothing was measured that it is about"
    histogram = record.lag if threshold.metric.startswith("lag_") else record.latency
    needed, n = samples_needed(threshold.percentile), histogram.count
    longer = f"let it last about {math.ceil(needed / n)} times as long" if n else "let it last longer"
    return f"{n:,} samples do not carry it, {needed:,} would: {longer}"


def assess_sweep(rows: Sequence[LevelRow]) -> Scaling:
    """Return whether the server works in parallel, by the levels of a closed sweep."""
    alone = [row.round_trip_ns for row in rows if row.level.users == 1 and row.round_trip_ns is not None]
    return scaling.assess(
        [
            scaling.LevelPoint(
                users=row.level.users,
                throughput_rps=row.achieved_rps,
                mean_latency_ns=row.record.latency.mean_ns,
                window_rates_rps=row.window_rates_rps,
                doubt=row.doubts[0] if row.doubts else "",
                n_failed=row.record.failed_requests,
            )
            for row in rows
        ],
        round_trip_ns=alone[0] if alone else None,
    )


@dataclass(frozen=True)
class Summary:
    """What a run came to.

    Attributes:
        requests: requests that ended, answered or not.
        failed_requests: those without an answer.
        predictions: images in them.
        wrong: images whose answer is not the label.
        failed: images without an answer, by status code.
        cut_off: requests in flight when the load was stopped; in no other figure.
        duration_s: from the first request sent to the last one ended; of levels, theirs added up, if none was stopped.
        requests_per_s, images_per_s: those with an answer over that span: what was refused is no throughput. None
            without a span, and where levels were stopped.
        latency_ns: of answered requests, by percentile; empty without any.
        latency_max_ns: of the same requests; 0 without any.
        classes: one row a class.
        confusion: of the answered images.
        n_asked: with `--num-tests`: images to fire; else None.
        n_workers: most worker processes at once.
        lost_workers, unfit_workers: workers whose results are missing, and why.
        attendance: users that ran, over the whole run, against those that were asked for; None: not known.
        stalled: why the run was ended although requests were left; empty: it was not.
        gave_up_after_s: seconds without an answer after which the run was given up; None: it was not.
        n_unaccounted: requests that workers reported and that did not arrive.
        n_users, n_users_asked: users when the run began to end, and those that were asked for.
        n_discarded: requests of workers that left in the middle of a lease; in no other figure.
        compared, mismatched: answered images whose scores were compared with those recorded without load, and those
            of them that differ.
        n_uncounted_mismatched: those that differ outside all levels; in no other figure.
        mismatch: an example of those that differ, wherever they are.
        n_verified: images whose answers were recorded without load; 0: nothing was to be compared.
        tolerance: how far a score may be off, as it was given.
        wrong_model: what speaks against one model having given all answers, warm-ups included; empty: nothing.
        warnings: why the model looks broken, whatever the verdict; empty: it does not.
        judged_metrics: what thresholds are about, those of a search too.
        offered, dropped: of open load: arrivals in levels, and those of them for which no user was free.
        levels: a row each; empty: a run without levels.
        n_levels_left: levels that were planned and not measured.
        n_uncounted, n_uncounted_failed, n_uncounted_cut_off: requests outside all levels, those of them without an
            answer, and those in flight when users were stopped; in no other figure.
        scaling: of a closed sweep: whether the server works in parallel.
        search: of a limit search: what it found.
        probes_hold: of a limit search: whether the rate holds, by level; None: one stall decides it.
        judged_whole: where thresholds were judged with all half-seconds alone, since so little was measured: levels'
            names, or one that is empty for a run without levels.
        is_lowest_unknown: whether the search's last level crossed nothing, and only failed to tell that all holds.
        thresholds: each with what it was held against.
        changed: what the server says otherwise after the run than before; empty: nothing.
        others: what ran beside predictions; in a run of levels: what was not run.
        ran_s, run_time_s: of a run that was to last for a time: for how long it ran, and was to; else None.
    """

    requests: int
    failed_requests: int
    predictions: int
    wrong: int
    failed: Mapping[str, int]
    cut_off: int
    duration_s: float
    requests_per_s: float | None
    images_per_s: float | None
    latency_ns: Mapping[float, int]
    latency_max_ns: int
    classes: tuple[ClassRow, ...]
    confusion: ConfusionMatrix
    n_asked: int | None
    n_workers: int
    lost_workers: tuple[str, ...]
    unfit_workers: Mapping[str, str]
    n_unaccounted: int
    n_discarded: int
    n_users: int
    n_users_asked: int
    compared: int = 0
    mismatched: int = 0
    n_uncounted_mismatched: int = 0
    mismatch: Mismatch | None = None
    n_verified: int = 0
    tolerance: str = ""
    wrong_model: str = ""
    warnings: tuple[str, ...] = ()
    judged_metrics: frozenset[str] = frozenset()
    offered: int = 0
    dropped: int = 0
    levels: tuple[LevelRow, ...] = ()
    n_levels_left: int = 0
    n_uncounted: int = 0
    n_uncounted_failed: int = 0
    n_uncounted_cut_off: int = 0
    scaling: Scaling | None = None
    search: SearchResult | None = None
    probes_hold: tuple[bool | None, ...] = ()
    judged_whole: tuple[str, ...] = ()
    is_lowest_unknown: bool = False
    thresholds: tuple[Held, ...] = ()
    changed: str = ""
    others: Others = NO_OTHERS
    ran_s: float | None = None
    run_time_s: float | None = None
    stalled: str = ""
    gave_up_after_s: float | None = None
    attendance: Attendance | None = None

    @property
    def n_failed(self) -> int:
        """Images without an answer."""
        return sum(self.failed.values())

    @property
    def error_rate(self) -> float | None:
        """(wrong + failed) ÷ predictions, as TF Serving's mnist_client.py has it; None without predictions."""
        return (self.wrong + self.n_failed) / self.predictions if self.predictions else None

    @property
    def is_complete(self) -> bool:
        """Whether every image that was asked for was fired; True where there was no limit."""
        return self.n_asked is None or self.predictions == self.n_asked

    @property
    def is_stopped_early(self) -> bool:
        """Whether it was to last for a time, and was stopped before; never where a number of images was its end."""
        if self.gave_up_after_s is not None:
            return False  # it ended itself, and says so
        if self.run_time_s is None or self.ran_s is None:
            return False
        return self.n_asked is None and self.ran_s < self.run_time_s


# Long because each figure of a run goes through it, named.
def summarise(
    record: Record,
    *,
    n_asked: int | None = None,
    n_workers: int = 1,
    lost_workers: tuple[str, ...] = (),
    unfit_workers: Mapping[str, str] | None = None,
    n_unaccounted: int = 0,
    n_discarded: int = 0,
    n_users: int = 0,
    n_users_asked: int = 0,
    n_verified: int = 0,
    tolerance: str = "",
    expected: Servable = UNTOLD,
    n_images: int | None = None,
    levels: Sequence[LevelRow] = (),
    n_levels_left: int = 0,
    uncounted: Record | None = None,
    search: SearchResult | None = None,
    thresholds: Sequence[Threshold] = (),
    changed: str = "",
    others: Others = NO_OTHERS,
    ran_s: float | None = None,
    run_time_s: float | None = None,
    stalled: str = "",
    gave_up_after_s: float | None = None,
    attendance: Attendance | None = None,
) -> Summary:
    """Compute the figures of what was measured.

    Args:
        record: all that counts.
        expected: the model that was to answer.
        n_images: images that are fired, over and over; None: as many as there are answers.

    The others are as `Summary` and `Record` have them.
    """
    uncounted = uncounted or Record()
    is_sweep = bool(levels) and all(row.level.rate_rps is None for row in levels)
    duration_s = _duration_s(record, () if n_levels_left else levels)
    # Of a level that was stopped it is not known for how long it was measured.
    is_timed = duration_s > 0 and not (levels and n_levels_left)
    # A search has held them against each probe, and a crossed one is a finding.
    held = [] if search is not None else _held(thresholds, record, levels, duration_s)
    probes = [probe(row, tuple(thresholds)) for row in levels] if search is not None else []
    latency = record.latency
    return Summary(
        requests=record.requests,
        failed_requests=record.failed_requests,
        predictions=record.predictions,
        wrong=record.wrong,
        failed=dict(sorted(record.failed.items())),
        cut_off=record.cut_off,
        duration_s=duration_s,
        requests_per_s=(record.requests - record.failed_requests) / duration_s if is_timed else None,
        images_per_s=(record.predictions - sum(record.failed.values())) / duration_s if is_timed else None,
        latency_ns={p: latency.percentile_ns(p) for p in PERCENTILES} if latency.count else {},
        latency_max_ns=latency.max_ns,
        classes=class_rows(record.confusion),
        confusion=record.confusion,
        n_asked=n_asked,
        n_workers=n_workers,
        lost_workers=lost_workers,
        unfit_workers=dict(unfit_workers or {}),
        n_unaccounted=n_unaccounted,
        n_discarded=n_discarded,
        n_users=n_users,
        n_users_asked=n_users_asked,
        compared=record.compared,
        mismatched=record.mismatched,
        n_uncounted_mismatched=uncounted.mismatched,
        mismatch=least(record.mismatch, uncounted.mismatch),
        n_verified=n_verified,
        tolerance=tolerance,
        wrong_model=fault(record.servables + uncounted.servables, expected),
        warnings=suspicions(record.confusion, record.confusion.total if n_images is None else n_images),
        judged_metrics=frozenset(one.metric for one in thresholds),
        offered=record.offered,
        dropped=record.dropped,
        levels=tuple(levels),
        n_levels_left=n_levels_left,
        n_uncounted=uncounted.requests,
        n_uncounted_failed=uncounted.failed_requests,
        n_uncounted_cut_off=uncounted.cut_off,
        scaling=assess_sweep(levels) if is_sweep else None,
        search=search,
        probes_hold=tuple(None if found.is_undecided else found.holds for found in probes),
        is_lowest_unknown=bool(probes) and probes[-1].is_unknown,
        judged_whole=_judged_whole(thresholds, levels, duration_s),
        thresholds=tuple(held),
        changed=changed,
        others=others,
        ran_s=ran_s,
        run_time_s=run_time_s,
        stalled=stalled,
        gave_up_after_s=gave_up_after_s,
        attendance=attendance,
    )


def _duration_s(record: Record, levels: Sequence[LevelRow]) -> float:
    """Return how long was measured: all levels, if there are any; the time between them does not count."""
    if levels:
        return sum(row.level.duration_s for row in levels)
    return (record.last_done_unix_ns - record.first_sent_unix_ns) / 1e9


def _held(thresholds: Sequence[Threshold], record: Record, levels: Sequence[LevelRow], duration_s: float) -> list[Held]:
    """Hold each threshold against each level, or the whole run."""
    if levels:
        return [
            hold(one, row.level.name, row.record, row.achieved_rps, row.level.duration_s)
            for row in levels
            for one in thresholds
        ]
    rate_rps = (record.requests - record.failed_requests) / duration_s if duration_s > 0 else None
    return [hold(one, "", record, rate_rps, duration_s) for one in thresholds]


def _judged_whole(thresholds: Sequence[Threshold], levels: Sequence[LevelRow], duration_s: float) -> tuple[str, ...]:
    measured_s = [(row.level.name, row.level.duration_s) for row in levels if row.record.requests]
    if not levels and duration_s:
        measured_s = [("", duration_s)]
    return tuple(dict.fromkeys(name for name, seconds in measured_s if is_judged_whole(thresholds, seconds)))
