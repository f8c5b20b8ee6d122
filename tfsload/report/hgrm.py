"""`latency-LEVEL.hgrm`: latencies by percentile, as HdrHistogram's own tools write them and plotters read them."""

import io
import re
from collections.abc import Iterator

from tfsload.analysis.latency import LatencyCounts
from tfsload.analysis.result import RunResult

_NS_PER_MS = 1_000_000
_PREFIX, _ENDING = "latency-", ".hgrm"
_STANDARD_DEVIATION = re.compile(rb"StdDeviation   = +[0-9.]+|StdDeviation   = +nan")


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
    """Return latencies by percentile, in ms; requests without an answer are not among them."""
    histogram = latency.to_hdr()
    file = io.BytesIO()
    histogram.output_percentile_distribution(file, _NS_PER_MS)
    # The library scales every figure but this one.
    deviation = b"StdDeviation   = %12.3f" % (histogram.get_stddev() / _NS_PER_MS)
    return _STANDARD_DEVIATION.sub(deviation, file.getvalue()).decode()


def _slug(name: str) -> str:
    """Return a level's name as a part of a file's.

    >>> _slug("0.5 requests/s")
    '0.5-requests-s'
    """
    return re.sub(r"[^0-9a-z.]+", "-", name.lower()).strip("-.") or "level"
