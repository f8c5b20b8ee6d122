"""`latency-LEVEL.hgrm`: latencies by percentile, as HdrHistogram's own tools write them and plotters read them."""

import math
import re
from collections.abc import Iterator

from tfsload.analysis.latency import BUCKETS, LatencyCounts
from tfsload.analysis.result import RunResult

NS_PER_MS = 1_000_000
_TICKS = 5
_PREFIX, _ENDING = "latency-", ".hgrm"


def files(result: RunResult) -> Iterator[tuple[str, LatencyCounts]]:
    """Yield the name of a file and what it tells, a level; one for a run without levels; none without latencies."""
    for level in result.levels:
        if level.latency.count:
            yield f"{_PREFIX}{level.number}-{_slug(level.name)}{_ENDING}", level.latency
    if not result.levels and result.totals.latency.count:
        yield f"{_PREFIX}run{_ENDING}", result.totals.latency


def is_name(name: str) -> bool:
    """Whether a file of such a name is one of these."""
    return name.startswith(_PREFIX) and name.endswith(_ENDING)


def write(latency: LatencyCounts) -> str:
    """Return latencies by percentile, in ms; requests without an answer are not among them.

    The same as `HdrHistogram.output_percentile_distribution` of the `hdrhistogram` package writes, which looks at each
    bucket that there may be, and scales every figure but the standard deviation.
    """
    lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", ""]
    for value_ns, percentile, n_until in _percentiles(latency):
        line = f"{value_ns / NS_PER_MS:12.3f} {percentile / 100:2.12f} {n_until:10d}"
        lines.append(line if percentile == 100 else f"{line} {1 / (1 - percentile / 100):14.2f}")
    mean_ns, deviation_ns = _mean_and_deviation(latency)
    largest_ns = latency.ranges[-1][1] if latency.buckets else 0
    n_buckets, n_sub_buckets = BUCKETS
    lines += [
        f"#[Mean    = {mean_ns / NS_PER_MS:12.3f}, StdDeviation   = {deviation_ns / NS_PER_MS:12.3f}]",
        f"#[Max     = {largest_ns / NS_PER_MS:12.3f}, TotalCount     = {latency.count:12.3f}]",
        f"#[Buckets = {n_buckets:12d}, SubBuckets     = {n_sub_buckets:12d}]",
    ]
    return "\n".join(lines) + "\n"


def _percentiles(latency: LatencyCounts) -> Iterator[tuple[int, float, int]]:
    """Yield values in ns, percentiles and how many lie until there: five steps each time the distance to 100 halves."""
    percentile, n_until = 0.0, 0
    for _, greatest_ns, count in latency.ranges:
        n_until += count
        while 100 * n_until / latency.count >= percentile:
            yield greatest_ns, percentile, n_until
            percentile += (100 - percentile) / (2 * _TICKS)
            if n_until == latency.count:
                yield greatest_ns, 100.0, n_until
                return


def _mean_and_deviation(latency: LatencyCounts) -> tuple[float, float]:
    """Return both in ns, of the middles of buckets."""
    if not latency.count:
        return 0.0, 0.0
    middles = [(lowest_ns + ((greatest_ns - lowest_ns + 1) >> 1), n) for lowest_ns, greatest_ns, n in latency.ranges]
    mean_ns = sum(middle_ns * n for middle_ns, n in middles) / latency.count
    variance = sum((middle_ns - mean_ns) ** 2 * n for middle_ns, n in middles) / latency.count
    return mean_ns, math.sqrt(variance)


def _slug(name: str) -> str:
    """Return a level's name as a part of a file's.

    >>> _slug("0.5 requests/s")
    '0.5-requests-s'
    """
    return re.sub(r"[^0-9a-z.]+", "-", name.lower()).strip("-.") or "level"
