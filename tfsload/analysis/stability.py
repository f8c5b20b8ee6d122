"""Whether a level had settled: three successive thirds of its window that agree within 10 %. Pure.

The rule is perf_analyzer's, with room for chance: a difference is none that the number of requests explains, or that
neighbouring slices of one third show as well (a queue makes its requests alike: they tell less than their number).
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tfsload.analysis.figures import share

N_THIRDS = 3
TOLERANCE = 0.10
# So many standard errors a third may be off by chance.
_CHANCE = 3.0


def unsteady(answers: Sequence[int], latency_sums_ns: Sequence[int], latency_sd_ns: float) -> str:
    """Return in what the thirds of a window disagree; an empty text: in nothing, the level is stable.

    Args:
        answers: by slice of the level; a whole number of slices makes a third.
        latency_sums_ns: the latencies' sums, by slice.
        latency_sd_ns: standard deviation of a latency.
    """
    counts = [sum(third) for third in _thirds(answers)]
    if not all(counts):
        return "a third of the time passed without an answer"
    mean = sum(counts) / N_THIRDS
    thirds = [_Third(count, mean, _error_of_counts(answers)) for count in counts]
    if any(third.is_off for third in thirds):
        return f"throughput went {_course(thirds)}"
    thirds = _latencies(answers, latency_sums_ns, latency_sd_ns)
    return f"mean latency went {_course(thirds)}" if any(third.is_off for third in thirds) else ""


def settles_late(answers: Sequence[int], latency_sums_ns: Sequence[int], latency_sd_ns: float) -> bool:
    """Whether a window that is not stable looks like one that began too early, which a longer warm-up may cure.

    What is off is its first third, and the other two agree; or it went one way from third to third, and was still on
    its way at the end. Else it went up and down, and only a longer window evens that out.

    Args:
        answers, latency_sums_ns, latency_sd_ns: as for `unsteady`.
    """
    counts = [sum(third) for third in _thirds(answers)]
    if not all(counts):
        return False
    mean = sum(counts) / N_THIRDS
    thirds = [_Third(count, mean, _error_of_counts(answers)) for count in counts]
    if not any(third.is_off for third in thirds):
        thirds = _latencies(answers, latency_sums_ns, latency_sd_ns)
    course = [third.value for third in thirds]
    after = statistics.fmean(course[1:])
    others_agree = not any(replace(third, mean=after).is_off for third in thirds[1:])
    return others_agree or course in (sorted(course), sorted(course, reverse=True))


def latency_grows(answers: Sequence[int], latency_sums_ns: Sequence[int], latency_sd_ns: float) -> bool:
    """Whether latency rises from third to third, as in a queue into which more comes than leaves.

    Args:
        answers, latency_sums_ns, latency_sd_ns: as for `unsteady`.
    """
    if not all(sum(third) for third in _thirds(answers)):
        return False
    thirds = _latencies(answers, latency_sums_ns, latency_sd_ns)
    course = [third.value for third in thirds]
    return any(third.is_off for third in thirds) and course == sorted(course)


@dataclass(frozen=True)
class _Third:
    """A third of a window.

    Attributes:
        value: the figure in it.
        mean: of all thirds.
        standard_error: of the figure, by chance.
    """

    value: float
    mean: float
    standard_error: float

    @property
    def limit(self) -> float:
        """How far it may be off its mean."""
        return max(TOLERANCE * self.mean, _CHANCE * self.standard_error)

    @property
    def off(self) -> float:
        """How far it is off its mean."""
        return abs(self.value - self.mean)

    @property
    def is_off(self) -> bool:
        """Whether it is further off than it may be."""
        return self.off > self.limit


def _latencies(answers: Sequence[int], latency_sums_ns: Sequence[int], latency_sd_ns: float) -> list[_Third]:
    """Return each third's mean latency."""
    counts = [sum(third) for third in _thirds(answers)]
    sums = [sum(third) for third in _thirds(latency_sums_ns)]
    overall = sum(sums) / sum(counts)
    latencies = [total / count for total, count in zip(sums, counts, strict=True)]
    by_slice = [total / count if count else overall for total, count in zip(latency_sums_ns, answers, strict=True)]
    error = _error_by_slices(by_slice)
    return [
        _Third(latency, overall, max(latency_sd_ns / math.sqrt(count), error))
        for latency, count in zip(latencies, counts, strict=True)
    ]


def _thirds(slices: Sequence[float]) -> list[Sequence[float]]:
    size = len(slices) // N_THIRDS
    return [slices[start : start + size] for start in range(0, size * N_THIRDS, size)]


def _error_of_counts(answers: Sequence[int]) -> float:
    """Return the standard error of a third's number of answers."""
    # Independent arrivals: a count varies by its own root.
    return max(math.sqrt(sum(answers) / N_THIRDS), _error_by_slices(answers) * len(answers) / N_THIRDS)


def _error_by_slices(values: Sequence[float]) -> float:
    """Return the standard error of a third's mean by its slices, from how they differ within thirds.

    The median third's: a step within one of them is what is looked for, and no noise.
    """
    thirds = _thirds(values)
    return math.sqrt(statistics.median(map(statistics.variance, thirds)) / len(thirds[0]))


def _course(thirds: Sequence[_Third]) -> str:
    """Return how it went, and the limit of the third that is furthest beyond its own."""
    worst = max(thirds, key=lambda third: third.off - third.limit)
    # Finely enough to see that it is beyond.
    decimals = 0 if round(100 * worst.off / worst.mean) > round(100 * worst.limit / worst.mean) else 1
    went = " → ".join(share(third.value, third.mean, decimals) for third in thirds)
    return f"{went} of its mean (limit {share(worst.limit, worst.mean, decimals)} off), third by third"
