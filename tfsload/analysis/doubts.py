"""Why a level supports no verdict, by the load generator's fault or by the sample's. Pure."""

from dataclasses import dataclass

from tfsload.analysis.figures import latency, latency_against, requests, share, span
from tfsload.analysis.percentiles import LEAST_PERCENTILE, samples_needed
from tfsload.analysis.taken_by_others import NOISE_CURE, OWN_CPU_CURE, TAKEN_SHARE, TakenByOthers
from tfsload.records.cpu import CpuShares
from tfsload.records.level import LevelRun
from tfsload.records.record import Record

# The generator's share of a CPU from which on it may be what is measured.
BUSY_SHARE = 0.9
# Kept off its CPU for this share of the time, and each time for this share of the median latency, the generator's
# waiting is a good part of what looks like latency.
WAITED_SHARE = 0.05
WAIT_SHARE_OF_LATENCY = 0.1
# A request may leave so late without being called late.
LATE_NS = 1_000_000
LATE_SHARE_OF_LATENCY = 0.1
LITTLES_TOLERANCE = 0.05
# A generator that stood still for more of the time than that has measured itself.
HELD_UP_SHARE = 0.05
HELD_UP_WORDS = "nothing was sent or read meanwhile"
HELD_UP_CURE = "see what held it up, such as a debugger, or a listener or task that computes for seconds, and run again"


@dataclass(frozen=True)
class Doubt:
    """Why a level supports no verdict.

    >>> print(Doubt("only 2 of 5 users ran", "see the log"))
    only 2 of 5 users ran; see the log

    Attributes:
        what: what was found.
        cure: what to do, so that the next run is without it.
        wants_longer: whether levels that are held longer are, or may be, that cure.
        wants_warmer: whether a longer warm-up before them is, or may be.
        is_noise: whether others took CPU that the load generator or the server needed: it hides what a server can.
    """

    what: str
    cure: str
    wants_longer: bool = False
    wants_warmer: bool = False
    is_noise: bool = False

    def __str__(self) -> str:
        return f"{self.what}; {self.cure}"


def in_short(what: str) -> str:
    """Return what was found with its limit, without what only explains it.

    >>> in_short("kept off its CPU for 20% of the time (limit 5%), 0.510 ms each, which looks like latency")
    'kept off its CPU for 20% of the time (limit 5%)'
    """
    return what.partition(", ")[0]


def unstable(drift: str) -> str:
    """Return what is told of a level that had not settled."""
    return f"unstable: {drift}"


def doubts_of_generator(run: LevelRun, record: Record) -> tuple[Doubt, ...]:
    """Return what of the load generator is in the way: the figures may be its own."""
    if held_up := _of_hold_ups(run):
        return (held_up,)  # it is busy, late and unstable for that
    # Whoever is kept off the CPU waits, and sends late, too: that is one cause with one cure.
    busy = _of_being_busy(run)
    noise = _of_others(run) or (_of_waiting(run, record) if busy is None else None)
    lag = _of_lag(record) if noise is None or busy is not None else None
    doubts = [noise, _of_workers(run), _of_users(run), busy, lag]
    return tuple(doubt for doubt in doubts if doubt is not None)


def was_held_up(run: LevelRun) -> bool:
    """Whether the load generator stood still for a good part of a level, so that the sample is its own."""
    return run.held_up_s > HELD_UP_SHARE * run.level.duration_s


def _of_hold_ups(run: LevelRun) -> Doubt | None:
    if not was_held_up(run):
        return None
    return Doubt(f"the load generator stood still for {span(run.held_up_s)} of it: {HELD_UP_WORDS}", HELD_UP_CURE)


def doubts_of_sample(
    record: Record, achieved_rps: float, mean_in_flight: float, drift: str, settles_late: bool, noise_cure: str = ""
) -> tuple[Doubt, ...]:
    """Return what the sample is not fit for.

    Args:
        record: of the level.
        achieved_rps: answers a second over its window.
        mean_in_flight: requests in flight, on average over the window.
        drift: in what the level had not settled; empty: it is stable.
        settles_late: whether a level that is not looks like one that was measured too early.
        noise_cure: what to do about programs that took the CPU, so that a level may be unstable by their doing; empty:
            none did.
    """
    if too_few := _of_number(record):
        return (too_few,)
    doubts = _of_late_failures(record)
    if drift and noise_cure:
        doubts.append(Doubt(unstable(drift), noise_cure))
    elif drift:
        longer = "--warm-up" if settles_late else "--level-duration"
        less = (
            ", or less load than makes a queue grow" if record.offered else ""
        )  # a sweep's users make none that grows
        cure = f"use a longer {longer}{less}"
        doubts.append(Doubt(unstable(drift), cure, wants_longer=not settles_late, wants_warmer=settles_late))
    # A request that is due and has not left is not in flight.
    little = achieved_rps * (record.latency.mean_ns - record.lag.mean_ns) / 1e9
    off = abs(little - mean_in_flight)
    if off > LITTLES_TOLERANCE * mean_in_flight and not record.failed_requests:
        found = (
            f"Little's law does not hold: rate × latency is {share(off, mean_in_flight, decimals=1)} off the requests "
            f"in flight (limit {share(LITTLES_TOLERANCE)}), {little:.2f} against {mean_in_flight:.2f}; "
            f"{record.straddling:,} requests lie across the window's edges"
        )
        doubts.append(Doubt(found, "use a longer --level-duration", wants_longer=True))
    return tuple(doubts)


def _of_late_failures(record: Record) -> list[Doubt]:
    """Doubt a level whose figures tell of no failure, since what failed in it took until after its end."""
    if not record.failed_later or record.failed_requests:
        return []
    n, figure = requests(record.failed_later), "it is" if record.failed_later == 1 else "they are"
    found = f"{n} that left in it had no answer, which was known after its end: {figure} in none of its figures"
    return [Doubt(found, "use a --level-duration longer than the --deadline", wants_longer=True)]


def _of_workers(run: LevelRun) -> Doubt | None:
    if not run.missing_workers:
        return None
    return Doubt(f"{len(run.missing_workers)} of {run.n_workers} workers did not report it", "run again")


def _of_users(run: LevelRun) -> Doubt | None:
    if run.disturbance:
        return Doubt(f"while it was measured {run.disturbance.what}", run.disturbance.cure)
    if run.n_users < run.level.users:
        return Doubt(f"only {run.n_users:,} of {run.level.users:,} users ran", "see the log")
    return None


def _of_others(run: LevelRun) -> Doubt | None:
    taken = TakenByOthers.of(run.neighbours)
    return Doubt(taken.words, NOISE_CURE, is_noise=True) if taken is not None and taken.is_in_the_way else None


def _of_being_busy(run: LevelRun) -> Doubt | None:
    if run.busy_share < BUSY_SHARE:
        return None
    return Doubt(
        f"the load generator was the bottleneck: it kept a CPU busy {share(run.busy_share)} of the time "
        f"(limit {share(BUSY_SHARE)})",
        "use --processes or more workers, and take work out of listeners",
    )


def _of_waiting(run: LevelRun, record: Record) -> Doubt | None:
    starved = [one for one in run.cpu if _is_starved(one, record)]
    if not starved:
        return None
    worst = max(starved, key=lambda one: one.waited)
    if _waits_show(worst, record):
        limit, each = share(WAITED_SHARE), f" (limit {latency(_showing_ns(record))})"
    else:
        limit, each = f"{share(BUSY_SHARE)} with the {share(worst.busy)} in which it ran", ""
    taken = TakenByOthers.of(run.neighbours)
    is_own = taken is not None and taken.taken_share < TAKEN_SHARE
    return Doubt(
        f"{'the server' if is_own else 'other programs'} kept the load generator off its CPU for {share(worst.waited)} "
        f"of the time (limit {limit}), {latency(worst.mean_wait_ns)} whenever it was to run{each}, which looks like "
        "latency",
        OWN_CPU_CURE if is_own else NOISE_CURE,
        is_noise=True,
    )


def _is_starved(cpu: CpuShares, record: Record) -> bool:
    """Whether a process got less of a CPU than it needed, so that it shows in what it measured."""
    return cpu.busy + cpu.waited >= BUSY_SHARE or _waits_show(cpu, record)


def _waits_show(cpu: CpuShares, record: Record) -> bool:
    return cpu.waited >= WAITED_SHARE and cpu.mean_wait_ns >= _showing_ns(record)


def _showing_ns(record: Record) -> float:
    """Return how long a wait is that shows in latencies."""
    return WAIT_SHARE_OF_LATENCY * (record.latency.percentile_ns(50) if record.latency.count else 0)


def _of_lag(record: Record) -> Doubt | None:
    lag = record.lag
    if not lag.count:
        return None
    late_ns = lag.percentile_ns(99)
    limit_ns = max(LATE_NS, LATE_SHARE_OF_LATENCY * record.latency.percentile_ns(50))
    if late_ns <= limit_ns:
        return None
    late = latency_against(late_ns, limit_ns)
    return Doubt(
        f"the load generator sent late: 1 request in {min(lag.count, 100)} left {late} late or more "
        f"(limit {latency(limit_ns)})",
        "use --processes or more workers on idle CPUs",
    )


def _is_waiting_for_others(record: Record) -> bool:
    """Whether most of the time in flight was that of requests which a level saw a part of: a server that hangs."""
    return record.straddling > 0 and 2 * (record.latency.sum_ns - record.lag.sum_ns) < record.in_flight_ns


def _of_number(record: Record) -> Doubt | None:
    answered, needed = record.latency.count, samples_needed(LEAST_PERCENTILE)
    if answered >= needed:
        return None
    found = f"too few samples: {answered:,} answered requests (p{LEAST_PERCENTILE} wants {needed})"
    if record.failed_requests:
        return Doubt(found, "see why others failed")
    if _is_waiting_for_others(record):
        n_others = requests(record.straddling)
        found += f", while most of the time went to {n_others} that did not begin and end in it"
        cure = "see whether the server still runs, and its log; where requests take that long, use a longer"
        return Doubt(found, f"{cure} --level-duration", wants_longer=True)
    return Doubt(found, "use a longer --level-duration", wants_longer=True)
