"""When requests are due in open load: seeded schedules of arrivals. Pure: no clock.

All workers draw one and the same schedule, and each keeps every n-th arrival of it: together they send
exactly what one worker alone would send. A worker that draws what others send pays about 15 ns for it.

Nothing drifts, since offsets are added up in whole nanoseconds: a Poisson gap is rounded once, when it is
drawn, and sums of integers are exact, however they are cut into blocks. Rounding makes the mean gap m (in
ns) shorter by 1 / (24 m²) of itself: 2e-11 at 20,000 requests a second, 4e-8 at the highest rate allowed.
"""

from collections.abc import Iterator
from fractions import Fraction
from importlib import import_module

import numpy as np

ARRIVALS = ("poisson", "constant")
# Below, a schedule's offsets would leave 64 bits too soon; above, it is a slip of the finger: a worker sends some tens
# of thousands a second.
LOWEST_RATE_RPS = 0.001
HIGHEST_RATE_RPS = 1_000_000

# For so long beyond the deadline, at most, requests of a level are waited for before the next one begins.
SETTLES_AFTER_DEADLINE_S = 1.0
NS_PER_S = 1_000_000_000
# Arrivals drawn at a time: few enough that the pacer is held up for some 50 µs only. Offsets do not depend on it.
BLOCK_SIZE = 1024


class Schedule:
    """One worker's share of an endless schedule of arrivals, in the order in which they are due.

    The same arguments give the same offsets on every machine (with the pinned numpy, whose generators may
    change from version to version), however they are taken.

    Attributes:
        next_ns: when the next arrival not yet taken is due, in nanoseconds from the level's start. A plain
            attribute, since a pacer reads it all the time; only this class sets it.
    """

    def __init__(
        self, rate_rps: float | Fraction, arrivals: str, seed: int, level: int, worker: int = 0, n_workers: int = 1
    ) -> None:
        """Start at the level's first arrival.

        Args:
            rate_rps: arrivals a second over all workers, LOWEST_RATE_RPS to HIGHEST_RATE_RPS.
            arrivals: "poisson" (independent arrivals: exponential gaps, the first one before the first
                arrival) or "constant" (evenly spaced, the first one at 0).
            seed: the run's seed, from 0.
            level: the level's number, from 0. Each level has a stream of its own.
            worker: which share: the arrivals i with i % n_workers == worker.
            n_workers: how many workers share the schedule.

        Raises:
            ValueError: any of these cannot be; names all that is wrong.
        """
        _check(rate_rps, arrivals, seed, level, worker, n_workers)
        # Through its decimal form 0.1 is a tenth, as it was asked for, and not the double next to it.
        rate = Fraction(str(rate_rps))
        if arrivals == "poisson":
            blocks = _poisson_blocks(rate, _random(seed, level), worker, n_workers)
        else:
            blocks = _constant_blocks(rate, worker, n_workers)
        # With more workers than arrivals in a block, a share may be empty.
        self._blocks = filter(None, blocks)
        self._block: list[int] = []
        self._index = 0
        self._move_to(0)

    def pop(self) -> int:
        """Take the next arrival; return when it is due."""
        taken = self.next_ns
        self._move_to(self._index + 1)
        return taken

    def _move_to(self, index: int) -> None:
        if index == len(self._block):
            self._block = next(self._blocks)
            index = 0
        self._index = index
        self.next_ns = self._block[index]


def constant_offsets_ns(rate_rps: Fraction, numbers: range) -> list[int]:
    """Return when these arrivals of a constant schedule are due: i / rate, rounded to the nearest nanosecond."""
    gap_ns = NS_PER_S / rate_rps
    # round(x) is floor(x + 1/2), all over one denominator: integers only.
    denominator = 2 * gap_ns.denominator
    step, half = 2 * gap_ns.numerator, gap_ns.denominator
    return [(number * step + half) // denominator for number in numbers]


def rate_fault(rate_rps: float | Fraction) -> str | None:
    """Return what is wrong with a rate; None if a schedule can have it."""
    if LOWEST_RATE_RPS <= rate_rps <= HIGHEST_RATE_RPS:  # False for NaN, too
        return None
    return f"expected a rate from {LOWEST_RATE_RPS} to {HIGHEST_RATE_RPS:,} requests/s, got {rate_rps}"


def _check(rate_rps: float | Fraction, arrivals: str, seed: int, level: int, worker: int, n_workers: int) -> None:
    faults = [rate_fault(rate_rps)]
    if arrivals not in ARRIVALS:
        faults.append(f"expected arrivals to be one of {', '.join(ARRIVALS)}, got {arrivals!r}")
    if seed < 0 or level < 0:
        faults.append(f"expected a seed and a level from 0, got {seed} and {level}")
    if not 0 <= worker < n_workers:
        faults.append(f"expected a worker from 0 to below the number of workers, got {worker} of {n_workers}")
    if any(faults):
        raise ValueError("; ".join(filter(None, faults)))


def get_ready() -> None:
    """Import what draws gaps, which takes tens of milliseconds: before a level, whose first arrivals would be late.

    Not with this module: numpy's generators take two and a half megabytes of a process, and only open load draws gaps.
    """
    import_module("numpy.random")


# Annotated in quotes: numpy imports its generators as soon as somebody names them.
def _random(seed: int, level: int) -> "np.random.Generator":
    # A spawn key, and not [seed, level], which is how the order of images is seeded (with the worker's index).
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(level,))))


def _poisson_blocks(rate: Fraction, random: "np.random.Generator", worker: int, n_workers: int) -> Iterator[list[int]]:
    mean_gap_ns = float(NS_PER_S / rate)
    n_drawn = 0
    offset_ns = 0
    while True:
        # Ziggurat: multiplications and comparisons, the same everywhere (a logarithm in 1 of 2,000 draws only).
        gaps_ns = np.rint(random.standard_exponential(BLOCK_SIZE, method="zig") * mean_gap_ns)
        offsets_ns = offset_ns + np.cumsum(gaps_ns.astype(np.int64))
        offset_ns = int(offsets_ns[-1])
        yield offsets_ns[(worker - n_drawn) % n_workers :: n_workers].tolist()
        n_drawn += len(offsets_ns)


def _constant_blocks(rate: Fraction, worker: int, n_workers: int) -> Iterator[list[int]]:
    first = worker
    while True:
        numbers = range(first, first + BLOCK_SIZE * n_workers, n_workers)
        yield constant_offsets_ns(rate, numbers)
        first = numbers.stop
