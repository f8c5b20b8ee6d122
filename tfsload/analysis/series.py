"""A run second by second. Pure."""

import itertools
from collections import Counter
from dataclasses import dataclass

from tfsload.records.seconds import (
    DROPPED,
    FAILED,
    IMAGES,
    IN_FLIGHT_NS,
    MISMATCHED,
    MOST_ROWS,
    UNJUDGED,
    WRONG,
    Seconds,
    middle_ns,
)


@dataclass(frozen=True)
class Second:
    """What went on in a second, or in several that are told together.

    Attributes:
        at_s: when it begins, in seconds from the begin of the series.
        lasts_s: for how long: 1, or from a half to one and a half where a level or run begins or ends in it; of what is
            long, 2, 4 … Of what is shorter than half of that as a whole, all of it.
        rate_rps: answers a second.
        p50_ns, p99_ns: latency of those, within 5 %, whatever their number; None without any.
        in_flight: requests in flight, on average.
        predictions: images in requests that ended, answered or not.
        wrong, failed, mismatched: images of them, as of `tfsload.analysis.totals.Totals`; without labels none is
            wrong.
        dropped: arrivals for which no user was free.
        unjudged: of those that failed, images that were answered, which a user class's own `is_right` could not judge.
    """

    at_s: float
    lasts_s: float
    rate_rps: float
    p50_ns: int | None
    p99_ns: int | None
    in_flight: float
    predictions: int
    wrong: int
    failed: int
    mismatched: int
    dropped: int
    unjudged: int = 0


def series(seconds: Seconds, begin_ns: int, end_ns: int) -> tuple[Second, ...]:
    """Return a row for each second of a span, also for those in which nothing ended.

    What is less than half a second at either end is told with its neighbour: one answer in a millisecond is no rate.
    An answer at the very end of a span is in its last row, also where that is where a second begins.

    Args:
        seconds: what was counted.
        begin_ns, end_ns: the span, from where the counts begin; as floats of seconds since 1970 it would begin up to
            120 ns beside itself, and so maybe in another second. Empty where nothing was counted.
    """
    if not seconds.counts or end_ns <= begin_ns:
        return ()
    while end_ns - begin_ns > MOST_ROWS * seconds.width_ns:
        seconds = seconds.widened()
    width_ns = seconds.width_ns
    first, behind, last = begin_ns // width_ns, -(-end_ns // width_ns), end_ns // width_ns
    borders = list(range(first + 1, behind))
    if borders and 2 * (borders[0] * width_ns - begin_ns) < width_ns:
        del borders[0]
    if borders and 2 * (end_ns - borders[-1] * width_ns) < width_ns:
        del borders[-1]
    rows = []
    for start, stop in itertools.pairwise([first, *borders, behind]):
        from_ns, to_ns = max(begin_ns, start * width_ns), min(end_ns, stop * width_ns)
        numbers = range(start, max(stop, last + 1) if stop == behind else stop)
        rows.append(_second(seconds, numbers, (from_ns - begin_ns) / 1e9, (to_ns - from_ns) / 1e9))
    return tuple(rows)


def _second(seconds: Seconds, numbers: range, at_s: float, lasts_s: float) -> Second:
    """Return what was counted in a second, or in those that are told together."""
    found = [number for number in numbers if number in seconds.counts]
    if not found:
        return Second(at_s, lasts_s, 0.0, None, None, 0.0, 0, 0, 0, 0, 0)
    counts = [sum(of_each) for of_each in zip(*(seconds.counts[number] for number in found), strict=True)]
    together: Counter[int] = Counter()
    for number in found:
        together.update(seconds.latencies[number])
    latencies = sorted(together.items())
    return Second(
        at_s=at_s,
        lasts_s=lasts_s,
        rate_rps=sum(count for _, count in latencies) / lasts_s,
        p50_ns=_percentile_ns(latencies, 50),
        p99_ns=_percentile_ns(latencies, 99),
        in_flight=counts[IN_FLIGHT_NS] / 1e9 / lasts_s,
        predictions=counts[IMAGES],
        wrong=counts[WRONG],
        failed=counts[FAILED],
        mismatched=counts[MISMATCHED],
        dropped=counts[DROPPED],
        unjudged=counts[UNJUDGED],
    )


def _percentile_ns(latencies: list[tuple[int, int]], percentile: float) -> int | None:
    """Return a percentile of counts by bucket, its rank as of `Histogram.percentile_ns`."""
    total = sum(count for _, count in latencies)
    left = max(int(percentile / 100 * total + 0.5), 1)
    for bucket, count in latencies:
        left -= count
        if left <= 0:
            return middle_ns(bucket)
    return None
