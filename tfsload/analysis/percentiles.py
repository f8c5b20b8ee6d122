"""Percentiles that a sample can carry, and how many samples they need.

The 99th percentile of a thousand latencies is itself a matter of luck. A percentile's upper end is one of the
measured latencies, so chosen that the percentile of the level that was measured lies at or below it in 99 of 100
cases, whatever the distribution, if requests were independent; where there are too few samples there is none.

Requests are not independent: a queue makes neighbours alike, and a stall delays many at once. And what lies
between one run and the next is in no single run: the next equal run's p99 lies above this one in up to 41 of 100.

The rule is that of MLPerf LoadGen's early stopping (loadgen/early_stopping.cc in github.com/mlcommons/inference):
of n samples, the number above the true percentile p is Binomial(n, 1 - p/100). Let t be the largest number with
P(that number <= t) <= 1 - confidence; the t-th highest sample is the upper end. The bound alone would allow the one
below it too: LoadGen is more careful by one rank.
"""

import math
from bisect import bisect_left, bisect_right
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate

from tfsload.analysis.binomial import weights
from tfsload.records.histogram import Histogram

CONFIDENCE = 0.99
# A sample that says anything at all carries this percentile.
LEAST_PERCENTILE = 90
# What some 10,000 roundings can come to; a tail that exceeds its limit by less is taken to be equal to it.
_ROUNDING = 1e-10


@lru_cache(maxsize=4096)
def rank_from_top(n: int, percentile: float, confidence: float = CONFIDENCE) -> int | None:
    """Return which of n samples is a percentile's upper end: 1 is the highest; None if n is too small.

    Args:
        n: samples, at least 0.
        percentile: above 0 and below 100. No sample bounds what the 100th would be, and the 0th needs none.
        confidence: above 0 and below 1.

    Raises:
        ValueError: for an argument outside its range.
    """
    _check(percentile, confidence)
    if n < 0:
        raise ValueError(f"{n!r} samples: expected at least 0")
    first, weights = _binomial_weights(n, percentile)
    tails = list(accumulate(weights))  # P(at most first), P(at most first + 1) …
    limit = float(1 - Decimal(str(confidence))) * tails[-1]
    rank = first - 1 + bisect_right(tails, limit * (1 + _ROUNDING))
    return rank if rank >= 1 else None


@lru_cache(maxsize=256)
def samples_needed(percentile: float, confidence: float = CONFIDENCE) -> int:
    """Return the smallest number of samples that carries a percentile (its upper end is their maximum).

    Raises:
        ValueError: as `rank_from_top`.
    """
    _check(percentile, confidence)

    def suffices(n: int) -> bool:
        return rank_from_top(n, percentile, confidence) is not None

    enough = 1
    while not suffices(enough):
        enough *= 2
    return bisect_left(range(enough), True, key=suffices)


def upper_end_ns(histogram: Histogram, percentile: float, n_endless: int = 0) -> float | None:
    """Return a percentile's upper end in nanoseconds, within the histogram's 0.1 %; None with too few samples.

    Args:
        histogram: the samples.
        percentile: above 0 and below 100.
        n_endless: samples beside them that are longer than any: infinity is the answer where the rank is among these.

    Raises:
        ValueError: if the percentile is not above 0 and below 100.
    """
    rank = rank_from_top(histogram.count + n_endless, percentile)
    if rank is None:
        return None
    return math.inf if rank <= n_endless else histogram.nth_highest_ns(rank - n_endless)


def _check(percentile: float, confidence: float) -> None:
    # Written so that NaN fails too.
    if not 0 < percentile < 100:
        raise ValueError(f"percentile {percentile!r}: expected a number above 0 and below 100")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence!r}: expected a number above 0 and below 1, such as {CONFIDENCE}")


def _binomial_weights(n: int, percentile: float) -> tuple[int, list[float]]:
    """Return P(Binomial(n, 1 - percentile/100) = k) for k, k + 1 … up to a common factor, and the first k."""
    # By way of decimals: in floats 1 - 0.999 is not 0.001.
    below = float(Decimal(str(percentile)) / 100)
    above = float(1 - Decimal(str(percentile)) / 100)
    return weights(n, above, below)
