"""What is counted by half-second, so that thresholds can be judged: the edge of each one's limit. Pure."""

from collections.abc import Iterable

from tfsload.analysis.thresholds import OPERATORS, Threshold
from tfsload.records.half_seconds import Limit
from tfsload.records.histogram import bucket_around


def rests_on_many(threshold: Threshold) -> bool:
    """Whether a threshold is about what many requests have in common, so that one stall must not decide it.

    Percentiles and the mean are. The maximum is about one request, whenever it was; shares and rates count requests.
    """
    return threshold.percentile is not None or threshold.metric == "mean"


def limits_of(thresholds: Iterable[Threshold]) -> tuple[Limit, ...]:
    """Return what is counted for thresholds, each once."""
    return tuple({one.text: _limit(one) for one in thresholds if rests_on_many(one)}.values())


def within_ns_of(thresholds: Iterable[Threshold]) -> tuple[int, ...]:
    """Return the latencies within which right answers are counted for thresholds, each once."""
    return tuple(dict.fromkeys(one.within_ns for one in thresholds if one.within_ns is not None))


def _limit(threshold: Threshold) -> Limit:
    """Return what is counted for a threshold that `rests_on_many`.

    A figure is told as its bucket's upper end (`Histogram.percentile_ns`), so all of a bucket is on one side.
    """
    if threshold.percentile is None:
        return Limit(threshold.text, False, None, threshold.limit)
    return Limit(threshold.text, threshold.is_lag, edge_ns(threshold))


def edge_ns(threshold: Threshold) -> int:
    """Return from where on a latency, or a lag, counts as above the limit of a threshold on one."""
    low_ns, high_ns = bucket_around(int(threshold.limit))
    is_above = OPERATORS[threshold.operator](high_ns, threshold.limit) != threshold.is_upper
    return low_ns if is_above else high_ns + 1
