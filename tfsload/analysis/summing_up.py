"""From the records of a run to the figures of its result. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tfsload.analysis.class_rows import class_rows
from tfsload.analysis.held import Held, hold, hold_all, judged_whole, left_open
from tfsload.analysis.held_parallelism import hold_parallelism, not_held_yet
from tfsload.analysis.level_result import level_result
from tfsload.analysis.levels import LevelRow
from tfsload.analysis.limit import Finding, SearchResult
from tfsload.analysis.limit_counts import limit_counts
from tfsload.analysis.next_sweep import SweepAsked
from tfsload.analysis.result import Course, RunResult
from tfsload.analysis.scaling import Scaling, assess_sweep
from tfsload.analysis.series import Second, series
from tfsload.analysis.suspicion import suspicions
from tfsload.analysis.thresholds import Threshold
from tfsload.analysis.totals import Totals, Uncounted
from tfsload.records.confusion import ConfusionMatrix
from tfsload.records.record import Record
from tfsload.records.tenths import TENTH_NS


@dataclass(frozen=True)
class Measured:
    """What was measured of a run.

    Attributes:
        record: all that counts; of levels, all together.
        uncounted: what lies outside all levels.
        rows: the levels'.
        findings: of a limit search: what it was told of its levels, by number.
        n_images: images that are fired, over and over; None: as many as there are answers.
        asked: what a sweep was asked for beside its users; None: it is not known, or it was no sweep.
        is_labelled: whether the images have labels; where they have none no answer is right or wrong.
        is_judged: whether somebody's own `is_right` says which answers are right, so that there are no classes.
        behind_s: by how much the clock of the records is behind the one that the run's end was read from.
        told_until_unix_ns: until when all processes have told what they did; 0: not known, or the run has ended.
    """

    record: Record
    uncounted: Record = field(default_factory=Record)
    rows: Sequence[LevelRow] = ()
    findings: Mapping[int, Finding] = field(default_factory=dict)
    n_images: int | None = None
    asked: SweepAsked | None = None
    is_labelled: bool = True
    is_judged: bool = False
    behind_s: float = 0.0
    told_until_unix_ns: int = 0

    def ended_s(self, course: Course) -> float:
        """Return when the run ended, in seconds since 1970 by the records' clock; 0: it goes on."""
        return course.ended_unix_s and course.ended_unix_s - self.behind_s


def sum_up(
    measured: Measured,
    course: Course,
    thresholds: Sequence[Threshold] = (),
    search: SearchResult | None = None,
    is_under_way: bool = False,
) -> RunResult:
    """Return a run's result with its figures, and without a verdict and what is known of it otherwise.

    Args:
        measured: what its processes have recorded.
        course: how it went.
        thresholds: what was to hold.
        search: what a limit search found; None: there was none.
        is_under_way: whether the run goes on: what is to come is neither missing, nor known.
    """
    record, rows = measured.record, measured.rows
    judging = [one for one in thresholds if not is_under_way or _is_reached(one, rows)]
    # Of a level that was stopped it is not known for how long it was measured.
    is_whole = not course.n_levels_left
    duration_s = _duration_s(measured, course, rows if is_whole else ())
    is_labelled, findings = measured.is_labelled, measured.findings
    levels = tuple(level_result(row, findings.get(row.level.number), is_labelled) for row in rows)
    has_levels = bool(rows) or not is_whole  # of one that was stopped its seconds begin with its window
    # One that was stopped in its first level is a sweep all the same.
    is_sweep = all(level.rate_rps is None for level in levels) if levels else has_levels and measured.asked is not None
    scaling = assess_sweep(levels, is_whole, measured.asked) if is_sweep else None
    if scaling is not None and is_under_way:
        scaling = replace(scaling, answer=None)  # the levels that are to come may give another
    confusion = record.confusion if is_labelled and not measured.is_judged else ConfusionMatrix()
    return RunResult(
        course=course,
        totals=Totals.of(record, duration_s, is_timed=is_whole or not rows, is_labelled=is_labelled),
        uncounted=Uncounted.of(measured.uncounted),
        classes=class_rows(confusion),
        confusion=tuple((label, predicted, count) for label, predicted, count in confusion.to_plain()),
        seconds=() if has_levels else _seconds(record, measured.ended_s(course)),
        limit_counts=() if has_levels else limit_counts(record.half_seconds, record.first_sent_unix_ns // TENTH_NS),
        levels=levels,
        scaling=scaling,
        search=search,
        # A search has held them against each probe, and a crossed one is a finding.
        thresholds=()
        if search is not None
        else _held(judging, record, rows, None if has_levels else duration_s)
        + _held_by_sweep(judging, scaling if is_whole else None, is_under_way),
        judged_metrics=tuple(dict.fromkeys(one.metric for one in thresholds)),
        judged_whole=judged_whole(thresholds, rows, 0.0 if has_levels else duration_s),
        warnings=suspicions(confusion, confusion.total if measured.n_images is None else measured.n_images),
    )


def _duration_s(measured: Measured, course: Course, rows: Sequence[LevelRow]) -> float:
    """Return how long was measured: all levels, if there are any; the time between them does not count.

    Else it is until users were stopped: where a server hangs before that, its last answer is not the end.
    """
    record = measured.record
    if rows:
        return sum(row.level.duration_s for row in rows)
    if not record.first_sent_unix_ns:
        return 0.0
    is_done = course.n_images_asked is not None and record.predictions >= course.n_images_asked
    if is_done or course.n_levels_left:
        return _answered_s(record)
    end_ns = max(_end_ns(record, measured.ended_s(course)), measured.told_until_unix_ns)
    return (end_ns - record.first_sent_unix_ns) / 1e9


def _answered_s(record: Record) -> float:
    return (record.last_done_unix_ns - record.first_sent_unix_ns) / 1e9


def _end_ns(record: Record, ended_unix_s: float) -> int:
    """Return when the users of a run without levels were stopped: a little after it has begun to end."""
    return max(record.last_done_unix_ns, record.seconds.until_ns, int(ended_unix_s * 1e9))


def _seconds(record: Record, ended_unix_s: float) -> tuple[Second, ...]:
    """Return a run without levels by second, to its end: of a hang before that no request has come back."""
    if not record.seconds.counts:
        return ()
    begin_ns, width_ns = record.first_sent_unix_ns, record.seconds.width_ns
    earliest_ns = min(record.seconds.counts) * width_ns
    if not begin_ns or begin_ns >= earliest_ns + width_ns:
        begin_ns = earliest_ns  # of requests that never came back it is known only in which seconds they were in flight
    return series(record.seconds, begin_ns, _end_ns(record, ended_unix_s))


def _held(
    thresholds: Sequence[Threshold], record: Record, rows: Sequence[LevelRow], duration_s: float | None
) -> tuple[Held, ...]:
    """Hold each threshold against each level that it is about, or the whole run (None for how long: it has levels)."""
    if duration_s is None:
        of_each = () if rows else (one for one in thresholds if not (one.names_level or one.is_of_sweep))
        return tuple(map(left_open, of_each)) + hold_all(thresholds, rows)
    return _hold_run(thresholds, record, duration_s) + hold_all([one for one in thresholds if one.names_level], ())


def hold_run_so_far(thresholds: Sequence[Threshold], record: Record, rate_rps: float | None) -> tuple[Held, ...]:
    """Hold thresholds against what has arrived of a run without levels that goes on.

    Args:
        thresholds: what was asked for.
        record: of all workers, whose reports are of different age: by the time that has passed it would hold too few.
        rate_rps: answers a second by each worker's own clock, together; None: not known, and no threshold on rates is.
    """
    answered = record.requests - record.failed_requests
    # Where nobody was answered, any time comes to the same rate.
    duration_s = answered / rate_rps if rate_rps and answered else _answered_s(record)
    held = _hold_run(thresholds, record, duration_s)
    return held if rate_rps is not None else tuple(map(_without_rate, held))


def _without_rate(held: Held) -> Held:
    """Return what is known of a threshold where no rate is."""
    if held.threshold.unit_kind != "rate":
        return held
    return replace(held, value=None, holds=None, margin=None, why_unknown="not each worker has told its rate")


def _hold_run(thresholds: Sequence[Threshold], record: Record, duration_s: float) -> tuple[Held, ...]:
    rate_rps = (record.requests - record.failed_requests) / duration_s if duration_s > 0 else None
    of_run = [one for one in thresholds if not (one.names_level or one.is_of_sweep)]
    return tuple(hold(one, "", record, rate_rps, duration_s) for one in of_run)


def _held_by_sweep(thresholds: Sequence[Threshold], scaling: Scaling | None, is_under_way: bool) -> tuple[Held, ...]:
    of_sweep = (one for one in thresholds if one.is_of_sweep)
    return tuple(not_held_yet(one) if is_under_way else hold_parallelism(one, scaling) for one in of_sweep)


def _is_reached(threshold: Threshold, rows: Sequence[LevelRow]) -> bool:
    """Whether a threshold is about more than a level that is still to come."""
    return not threshold.names_level or any(threshold.is_about(row.level.users, row.level.rate_rps) for row in rows)
