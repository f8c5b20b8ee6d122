"""Whether a threshold holds, and whether one stall alone decides it. Pure.

A stall of a seventh of a second *is* the p99 of eight seconds at 500 requests/s: the next run may have none, or two.
So a threshold on a percentile, or on the mean, is judged twice: with all half-seconds, and without the one that speaks
most for the verdict. Where the two differ, it is not known.
"""

import math
from dataclasses import dataclass

from tfsload.analysis.edges import rests_on_many
from tfsload.analysis.figures import latency_against
from tfsload.analysis.metrics import figure_of
from tfsload.analysis.percentiles import rank_from_top
from tfsload.analysis.thresholds import Threshold
from tfsload.records.record import Record
from tfsload.records.tenths import TENTH_NS, TENTHS_A_HALF_SECOND, Count

# Of less than eight half-seconds one is too large a part to be left out.
LEAST_S = 4.0


@dataclass(frozen=True)
class Ruling:
    """What a threshold came to.

    Attributes:
        value: the figure, of all half-seconds: ns, a share or requests a second; None: there is none.
        holds: whether it holds the threshold; None: it is not known.
        stall: where one half-second decides it: what was found with it and without it, in words; else empty.
    """

    value: float | None
    holds: bool | None
    stall: str = ""


def rule(threshold: Threshold, record: Record, rate_rps: float | None, measured_s: float) -> Ruling:
    """Judge a threshold.

    An upper limit that all half-seconds together hold is held: to leave out a stall would only favour it. One that is
    crossed has to be without the worst half-second too. Lower limits have to come out the same without the slowest and
    without the fastest.

    Args:
        threshold: what was asked for.
        record: of a level, or of a run without levels.
        rate_rps: answered requests a second; None: not known.
        measured_s: for how long it was measured.
    """
    value = figure_of(threshold, record, rate_rps, measured_s)
    holds = threshold.holds(value)
    if value is None or holds is None or not rests_on_many(threshold):
        return Ruling(value, holds)
    if measured_s < LEAST_S or threshold.text not in record.half_seconds:
        return Ruling(value, holds)  # judged whole
    total = record.half_seconds.total(threshold.text)
    # Where the limit and the slowest request share a bucket of the histogram, the exact maximum has decided.
    if _holds(threshold, total) == holds and not (holds and threshold.is_upper):
        start, suspect = record.half_seconds.greatest(threshold.text, _Excess.of(threshold, holds))
        if _holds(threshold, total.minus(suspect)) is (not holds):
            first = record.half_seconds.first(threshold.text)
            assert first is not None  # or there were no suspect
            from_s = max(start - first - TENTHS_A_HALF_SECOND + 1, 0) * TENTH_NS / 1e9
            return Ruling(value, None, stall=_words(threshold, value, holds, from_s, suspect, total))
    return Ruling(value, holds)


@dataclass(frozen=True)
class _Excess:
    """How much a half-second speaks for a verdict: the one that does most may have decided it.

    Attributes:
        limit: of a mean, in ns; of a percentile the share of requests that may lie above.
        is_mean: whether it is about a mean.
        has_endless: whether requests without an answer lie above the limit.
        sign: 1: what lies above the limit speaks for the verdict; -1: what lies below.
    """

    limit: float
    is_mean: bool
    has_endless: bool
    sign: int

    @classmethod
    def of(cls, threshold: Threshold, holds: bool) -> "_Excess":
        """Return that of a threshold which holds, or does not."""
        sign = 1 if holds or threshold.is_upper else -1
        if threshold.percentile is None:
            return cls(threshold.limit, is_mean=True, has_endless=True, sign=sign)
        return cls(1 - threshold.percentile / 100, is_mean=False, has_endless=threshold.is_upper, sign=sign)

    def __call__(self, count: Count) -> float:
        """Return how much more lies beyond the limit than the limit allows for so many requests."""
        if self.is_mean:
            return self.sign * (math.inf if count.n_endless else count.amount - self.limit * count.n)
        n_endless = count.n_endless if self.has_endless else 0
        return self.sign * (count.amount + n_endless - self.limit * (count.n + n_endless))


def _holds(threshold: Threshold, count: Count) -> bool | None:
    """Return what `figure_of` and the threshold come to by the counts alone; None: there is nothing to judge.

    Where so few requests are left that they carry no percentile, one beyond the limit crosses it: a few half-seconds
    more would have made that one the upper end.
    """
    if threshold.percentile is not None and threshold.is_upper:
        n = count.n + count.n_endless
        return count.amount + count.n_endless < (rank_from_top(n, threshold.percentile) or 1) if n else None
    if not count.n:
        return None
    if threshold.percentile is None:
        return threshold.holds(math.inf if count.n_endless else count.amount / count.n)
    rank = min(max(int(threshold.percentile / 100 * count.n + 0.5), 1), count.n)
    return count.n - count.amount < rank


def _words(threshold: Threshold, value: float, holds: bool, from_s: float, suspect: Count, total: Count) -> str:
    """Return what was found both ways; `from_s` is when the half-second begins, counted from the first answer's."""
    is_slow = threshold.is_upper or holds
    found = "endless" if math.isinf(value) else latency_against(value, threshold.limit)
    share = ""
    if threshold.percentile is not None:
        n, n_all = (count.amount + count.n_endless if is_slow else count.n - count.amount for count in (suspect, total))
        share = f", where {n:,} of the {n_all:,} requests {'beyond' if is_slow else 'within'} the limit lie"
    return (
        f"{threshold.metric} rests on one {'stall' if is_slow else 'half-second'}: "
        f"{'held' if holds else 'crossed'} with all half-seconds ({found}), "
        f"{'crossed' if holds else 'held'} without the one from {from_s:.1f} s on{share}"
    )
