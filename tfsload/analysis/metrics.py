"""The figures that thresholds are about. Pure."""

import math

from tfsload.analysis.class_rows import class_row
from tfsload.analysis.edges import edge_ns
from tfsload.analysis.percentiles import upper_end_ns
from tfsload.analysis.threshold_kinds import RIGHT_RATE
from tfsload.analysis.thresholds import Threshold
from tfsload.records.histogram import Histogram
from tfsload.records.level_counts import LevelCounts
from tfsload.records.record import Record


def figure_of(
    threshold: Threshold, record: Record, rate_rps: float | None, measured_s: float | None = None
) -> float | None:
    """Return the figure that a threshold is about: ns, a share or something a second; None where there is none.

    An upper limit on a percentile is held against its upper end, a lower limit against the observed one. Requests
    that never had an answer, and arrivals that were dropped, count as infinitely long. Requests that were cut off count
    where they had waited beyond the limit by then, and for as long: what the others would have come to is not known.

    Args:
        threshold: what was asked for; one of a sweep as a whole has no figure here.
        record: of a level, or of a run without levels.
        rate_rps: answered requests a second; None: not known.
        measured_s: for how long it was measured; None, or 0: not known.
    """
    metric = threshold.metric
    if metric == "rate":
        return rate_rps
    if threshold.within_ns is not None:
        return record.right.get(threshold.within_ns, 0) / measured_s if measured_s else None
    if threshold.percentile is not None:
        histogram = record.lag if threshold.is_lag else latencies_of(threshold, record)
        if threshold.is_upper:
            return upper_end_ns(histogram, threshold.percentile, 0 if threshold.is_lag else n_endless(record))
        return histogram.percentile_ns(threshold.percentile) if histogram.count else None
    if metric in ("mean", "max"):
        figure_ns = _mean_ns(threshold, record) if metric == "mean" else _max_ns(threshold, record)
        # Where nothing was answered no lower limit is kept.
        is_endless = n_endless(record) and (figure_ns is not None or threshold.is_upper)
        return math.inf if is_endless else figure_ns
    if threshold.label is not None:
        row = class_row(record.confusion, threshold.label)
        return row.recall if metric == "recall" else row.precision
    return _share(metric, record, record.wrong, sum(record.failed.values()))


def _mean_ns(threshold: Threshold, record: Record) -> float | None:
    """Return the exact mean of all latencies that a threshold is about; None without any."""
    latency = latencies_of(threshold, record)
    if latency is not record.latency and threshold.text in record.half_seconds:
        # A histogram tells exact sums of all that it holds, and not of a part.
        together = record.half_seconds.total(threshold.text)
        return together.amount / together.n
    return latency.mean_ns if latency.count else None


def _max_ns(threshold: Threshold, record: Record) -> float | None:
    """Return the exact maximum of all latencies that a threshold is about; None without any."""
    latency = latencies_of(threshold, record)
    return latency.max_ns if latency.count else None


def latencies_of(threshold: Threshold, record: Record) -> Histogram:
    """Return the latencies that a threshold is about: those of answers, and of what was cut off beyond its limit.

    Of the latter those beyond the limit are told from others within a bucket; their maximum is exact.
    """
    if record.waited is None or record.waited.max_ns < threshold.limit:
        return record.latency
    together = record.waited.beginning_at(edge_ns(threshold))
    together.merge(record.latency)
    return together


def figure_so_far(threshold: Threshold, counts: LevelCounts) -> float | None:
    """Return the figure that a threshold is about, of a level that is still measured; None where counters tell none."""
    if threshold.metric == "rate":
        return counts.rate_rps
    if threshold.within_ns is not None:
        return counts.right_per_s.get(threshold.within_ns, 0.0)
    if not is_told_by_counters(threshold):
        return None
    return _share(threshold.metric, counts, counts.wrong, counts.failed)


def is_told_by_counters(threshold: Threshold) -> bool:
    """Whether a threshold is about what is counted, so that it can be looked at while a level is measured."""
    return threshold.metric in _COUNTED


_COUNTED = ("rate", RIGHT_RATE, "error_rate", "wrong_rate", "failed_rate", "mismatched_rate", "dropped_rate")


def images_of(threshold: Threshold, counted: Record | LevelCounts) -> tuple[int, int] | None:
    """Return how many images a threshold on accuracy counts, and of how many; None: it is on something else."""
    if threshold.label is not None:
        if not isinstance(counted, Record):
            return None
        confusion, label = counted.confusion, threshold.label
        right = confusion.count(label, label)
        if threshold.metric == "recall":
            return right, sum(confusion.count(label, predicted) for predicted in confusion.classes)
        return right, sum(confusion.count(other, label) for other in confusion.classes)
    if threshold.metric not in ("error_rate", "wrong_rate"):
        return None
    failed = sum(counted.failed.values()) if isinstance(counted, Record) else counted.failed
    return counted.wrong + (failed if threshold.metric == "error_rate" else 0), counted.predictions


def _share(metric: str, counted: Record | LevelCounts, wrong: int, failed: int) -> float | None:
    """Return a share of arrivals, of compared answers or of predictions; None without any of these."""
    if metric == "dropped_rate":
        part, whole = counted.dropped, counted.offered
    elif metric == "mismatched_rate":
        part, whole = counted.mismatched, counted.compared
    else:
        parts = {"wrong_rate": wrong, "failed_rate": failed, "error_rate": wrong + failed}
        if metric not in parts:
            return None
        part, whole = parts[metric], counted.predictions
    return part / whole if whole else None


def n_endless(record: Record) -> int:
    """Return the requests and arrivals that never had an answer: whatever a limit, they are beyond it."""
    return record.dropped + record.failed_requests
