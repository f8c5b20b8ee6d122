"""The figures that tables show and targets are about."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.measurement import Measurement


@dataclass(frozen=True)
class Figure:
    """One figure of a measurement.

    Attributes:
        name: a column's heading.
        of: takes it from a measurement; None there means that it was not measured.
        form: how its number is written, such as `,.0f`.
        unit: follows the number.
    """

    name: str
    of: Callable[[Measurement], float | None]
    form: str
    unit: str = ""


RATE = Figure("requests/s", lambda run: run.rate_rps, ",.0f")
CPU = Figure("CPU a request", lambda run: run.cpu_us, ".1f", " µs")
MEMORY = Figure("peak memory", lambda run: run.memory_mb, ".1f", " MB")
P50 = Figure("median latency", lambda run: run.p50_us, ",.0f", " µs")
LAG = Figure("lag p99", lambda run: run.lag_us, ",.0f", " µs")
REPORTED = Figure("reported", lambda run: run.n_reported, ",.0f")
SERVED = Figure("served", lambda run: run.n_served, ",.0f")
MISSING = Figure("served − reported", lambda run: run.n_missing, ",.0f", " requests")
