"""How many requests a server works on at a time, with an interval.

By Little's law (J. D. C. Little, Operations Research 9(3), 1961) the best throughput × the time that the server takes
for a lone request, which is a lone user's latency less its way to the server and back: X · (R(1) - Z).
"""

import math
from dataclasses import dataclass

from tfsload.analysis.sweep import Sweep, error_of
from tfsload.analysis.usl import Z_95

# Overhead, what a request spends outside the server, may be so many times as long as the round trip that was measured.
# A prediction's message is longer than that of a call that asks for nothing, and goes through more threads; but the
# pauses between those calls let processors sleep more than a lone user does. Equal runs measured 0.37 to 0.65 ms for an
# overhead of 0.57 ms (64 images a request, the embedded server).
LEAST_OF_ROUND_TRIP, MOST_OF_ROUND_TRIP = 0.7, 1.5
# What a lone request may spend outside the server, on one machine or in one data centre, where it is not known.
OVERHEAD_NS = 300_000


@dataclass(frozen=True)
class Parallelism:
    """Requests served at a time at the best throughput, if service takes as long as for a lone user.

    Attributes:
        value: the estimate; without a round trip, all of a lone request's latency counts as service.
        low, high: its 95 % interval; 0 <= low <= value <= high. All that overhead may explain is in it, but
            not what more users would bring.
        at_most: what it would be if no request spent any time on its way.
        by_scatter, by_overhead: how wide the interval is by what equal runs differ, and by what the
            overhead is not known, each alone: 1 - low/high, from 0 to 1.
    """

    value: float
    low: float
    high: float
    at_most: float
    by_scatter: float
    by_overhead: float


def parallelism(sweep: Sweep, round_trip_ns: float | None) -> Parallelism | None:
    """Return the parallelism of a sweep; None without a lone user, or with nothing else.

    The interval joins the errors of the throughput and of the service time, and within that those of the latency and
    of the overhead, as distances of their ends (MOVER: G. Y. Zou and A. Donner, Statistics in Medicine 27(10), 2008):
    the overhead is as likely to be much longer than the round trip as somewhat shorter.

    Args:
        sweep: with all its levels.
        round_trip_ns: of a call that asks the model for nothing; None: not measured, from 0 to 0.3 ms.
    """
    growth = sweep.growth
    if growth is None:
        return None
    alone_ns, best_rps = growth.alone_ns, growth.best_rps
    overhead_ns = min(round_trip_ns or 0.0, alone_ns)
    least_ns, most_ns = _overhead_ends_ns(round_trip_ns, alone_ns)
    latency_error = Z_95 * growth.alone.error * alone_ns
    rate_error = Z_95 * error_of(sweep.plateau)

    def ends(latency_error_ns: float, rate_error: float, shorter_ns: float, longer_ns: float) -> tuple[float, float]:
        service_ns = alone_ns - overhead_ns
        low_ns = max(0.0, service_ns - math.hypot(latency_error_ns, longer_ns))
        high_ns = service_ns + math.hypot(latency_error_ns, shorter_ns)
        low = best_rps * low_ns * math.exp(-rate_error) / 1e9
        return low, best_rps * high_ns * math.exp(rate_error) / 1e9

    value = best_rps * (alone_ns - overhead_ns) / 1e9
    at_most = best_rps * alone_ns / 1e9
    shorter_ns, longer_ns = overhead_ns - min(least_ns, overhead_ns), most_ns - overhead_ns
    by_all = _joined(value, ends(latency_error, 0, shorter_ns, longer_ns), ends(0, rate_error, 0, 0))
    greatest = at_most * math.exp(math.hypot(rate_error, latency_error / alone_ns))
    scatter = _joined(value, ends(latency_error, 0, 0, 0), ends(0, rate_error, 0, 0))
    return Parallelism(
        value=value,
        low=min(value, by_all[0]),
        high=max(value, min(by_all[1], greatest)),
        at_most=at_most,
        by_scatter=_width(scatter),
        by_overhead=_width(ends(0, 0, shorter_ns, longer_ns)),
    )


def _overhead_ends_ns(round_trip_ns: float | None, alone_ns: float) -> tuple[float, float]:
    if round_trip_ns is None:
        return 0.0, float(OVERHEAD_NS)
    # An overhead of all of the time, and more, was not measured.
    least_ns = LEAST_OF_ROUND_TRIP * round_trip_ns if round_trip_ns < alone_ns else 0.0
    return least_ns, MOST_OF_ROUND_TRIP * round_trip_ns


def _joined(value: float, *parts: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of a product's interval from those that each of its factors alone would give it."""
    if value <= 0:
        return 0.0, max(high for _, high in parts)
    down = math.hypot(*(math.log(value / low) if low > 0 else math.inf for low, _ in parts))
    up = math.hypot(*(math.log(max(high, value) / value) for _, high in parts))
    return value * math.exp(-down), value * math.exp(up)


def _width(ends: tuple[float, float]) -> float:
    return 1 - ends[0] / ends[1] if ends[1] > 0 else 1.0
