"""Whether a level had settled: three successive thirds of its window that agree within 10 %. Pure.

The rule is perf_analyzer's, with room for chance: a difference is none that the number of requests explains, or that
neighbouring slices of one third show as well (a queue makes its requests alike: they tell less than their number).
"""

import math
import statistics
from collections.abc import Sequence

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
    # Independent arrivals: a count varies by its own root.
    by_chance = max(math.sqrt(mean), _error_by_slices(answers) * len(answers) / N_THIRDS)
    if any(_differ(count, mean, by_chance) for count in counts):
        return "throughput went " + _course([count / mean for count in counts])
    course = _latency_course(answers, latency_sums_ns, latency_sd_ns)
    return "mean latency went " + _course(course) if course else ""


def latency_grows(answers: Sequence[int], latency_sums_ns: Sequence[int], latency_sd_ns: float) -> bool:
    """Whether latency rises from third to third, as in a queue into which more comes than leaves.

    Args:
        answers, latency_sums_ns, latency_sd_ns: as for `unsteady`.
    """
    if not all(sum(third) for third in _thirds(answers)):
        return False
    course = _latency_course(answers, latency_sums_ns, latency_sd_ns)
    return course is not None and course == sorted(course)


def _latency_course(answers: Sequence[int], latency_sums_ns: Sequence[int], latency_sd_ns: float) -> list[float] | None:
    """Return each third's mean latency as a share of the level's; None where they agree."""
    counts = [sum(third) for third in _thirds(answers)]
    sums = [sum(third) for third in _thirds(latency_sums_ns)]
    overall = sum(sums) / sum(counts)
    latencies = [total / count for total, count in zip(sums, counts, strict=True)]
    by_slice = [total / count if count else overall for total, count in zip(latency_sums_ns, answers, strict=True)]
    error = _error_by_slices(by_slice)
    if not any(
        _differ(latency, overall, max(latency_sd_ns / math.sqrt(count), error))
        for latency, count in zip(latencies, counts, strict=True)
    ):
        return None
    return [latency / overall for latency in latencies]


def _differ(value: float, mean: float, standard_error: float) -> bool:
    return abs(value - mean) > max(TOLERANCE * mean, _CHANCE * standard_error)


def _thirds(slices: Sequence[float]) -> list[Sequence[float]]:
    size = len(slices) // N_THIRDS
    return [slices[start : start + size] for start in range(0, size * N_THIRDS, size)]


def _error_by_slices(values: Sequence[float]) -> float:
    """Return the standard error of a third's mean by its slices, from how they differ within thirds.

    The median third's: a step within one of them is what is looked for, and no noise.
    """
    thirds = _thirds(values)
    return math.sqrt(statistics.median(map(statistics.variance, thirds)) / len(thirds[0]))


def _course(shares: Sequence[float]) -> str:
    return " → ".join(map(share, shares)) + " of its mean, third by third"
