"""The figures that thresholds are about. Pure."""

import math

from tfsload.analysis.percentiles import upper_end_ns
from tfsload.analysis.thresholds import Threshold
from tfsload.records.record import Record


def figure_of(threshold: Threshold, record: Record, rate_rps: float | None) -> float | None:
    """Return the figure that a threshold is about: ns, a share or requests a second; None where there is none.

    An upper limit on a percentile is held against its upper end, a lower limit against the observed one. Requests
    that never had an answer, and arrivals that were dropped, count as infinitely long.
    """
    metric = threshold.metric
    if metric == "rate":
        return rate_rps
    if threshold.percentile is not None:
        histogram = record.lag if threshold.is_lag else record.latency
        if threshold.is_upper:
            return upper_end_ns(histogram, threshold.percentile, 0 if histogram is record.lag else n_endless(record))
        return histogram.percentile_ns(threshold.percentile) if histogram.count else None
    if metric in ("mean", "max"):
        latency = record.latency
        if not latency.count:
            return None
        if n_endless(record):
            return math.inf
        return latency.mean_ns if metric == "mean" else latency.max_ns
    if metric == "dropped_rate":
        return record.dropped / record.offered if record.offered else None
    if metric == "mismatched_rate":
        return record.mismatched / record.compared if record.compared else None
    counts = {
        "wrong_rate": record.wrong,
        "failed_rate": sum(record.failed.values()),
        "error_rate": record.wrong + sum(record.failed.values()),
    }
    return counts[metric] / record.predictions if record.predictions else None


def n_endless(record: Record) -> int:
    """Return the requests and arrivals that never had an answer: whatever a limit, they are beyond it."""
    return record.dropped + record.failed_requests
