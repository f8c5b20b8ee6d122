"""Whether a level had settled: three successive windows that agree within 10 %. Pure.

The rule is perf_analyzer's, with room for chance: a difference that the number of requests explains is none.
"""

import math
from collections.abc import Sequence

N_WINDOWS = 3
TOLERANCE = 0.10
# So many standard errors a window may be off by chance.
_CHANCE = 3.0


def unsteady(answers: Sequence[int], latency_sums_ns: Sequence[int], latency_sd_ns: float) -> str:
    """Return in what three windows disagree; an empty text: in nothing, the level is stable.

    Args:
        answers: by slice of the level; a whole number of slices makes a window.
        latency_sums_ns: the latencies' sums, by slice.
        latency_sd_ns: standard deviation of a latency.
    """
    counts = _windows(answers)
    if not all(counts):
        return "a third of the time passed without an answer"
    mean = sum(counts) / N_WINDOWS
    # Independent arrivals: a count varies by its own root.
    if any(abs(count - mean) > max(TOLERANCE * mean, _CHANCE * math.sqrt(mean)) for count in counts):
        return "throughput went " + _course([count / mean for count in counts])
    sums = _windows(latency_sums_ns)
    latencies = [total / count for total, count in zip(sums, counts, strict=True)]
    overall = sum(sums) / sum(counts)
    if any(
        abs(latency - overall) > max(TOLERANCE * overall, _CHANCE * latency_sd_ns / math.sqrt(count))
        for latency, count in zip(latencies, counts, strict=True)
    ):
        return "mean latency went " + _course([latency / overall for latency in latencies])
    return ""


def _windows(slices: Sequence[int]) -> list[int]:
    size = len(slices) // N_WINDOWS
    return [sum(slices[start : start + size]) for start in range(0, size * N_WINDOWS, size)]


def _course(shares: Sequence[float]) -> str:
    return " → ".join(f"{100 * share:.0f} %" for share in shares) + " of its mean"
