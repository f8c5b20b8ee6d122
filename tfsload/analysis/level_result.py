"""What a level came to, as plain data: a row of the sweep that outlives the run."""

from collections.abc import Mapping
from dataclasses import dataclass

from tfsload.analysis.doubts import Doubt, unstable
from tfsload.analysis.latency import LatencyCounts
from tfsload.analysis.levels import LevelRow
from tfsload.analysis.limit import Finding
from tfsload.analysis.limit_counts import LimitCounts, limit_counts
from tfsload.analysis.series import Second, series
from tfsload.analysis.taken_by_others import TakenByOthers
from tfsload.analysis.totals import error_rate


@dataclass(frozen=True)
class Cpu:
    """What one process of the load generator had of the CPU: `tfsload.records.cpu.CpuShares`, as a result keeps it.

    A result holds no object of another room, so that what was written of it can be read whatever becomes of those.

    Attributes:
        busy: the share of the time that it ran, 0 to about 1.
        waited: the share for which it was ready to run and other programs ran.
        mean_wait_ns: how long it waited whenever it was to run.
    """

    busy: float
    waited: float
    mean_wait_ns: float


@dataclass(frozen=True)
class LevelResult:
    """A level. Rates are over its window, latencies and counts of requests that lie in it as a whole.

    Attributes:
        number: from 1 on, in the order in which levels were run.
        name: what was asked for, in words.
        users: users in flight; in open load the most that may be.
        rate_rps: arrivals a second over all workers; None: closed load.
        warm_up_s, duration_s: seconds that do not count, and that do.
        is_probe: whether a search asked for it, and a failure is a finding.
        requests, failed_requests, predictions, wrong, failed, error_rate, compared, mismatched, offered, sent, dropped:
            as of `tfsload.analysis.totals.Totals`, of the level.
        straddling: requests of which a part only lies in the window; in no count above but `sent`.
        achieved_rps: answers that came in the window, a second.
        slice_rates_rps: the same by slice of the window, all equally long.
        mean_in_flight: requests in flight, on average over the window.
        latency, lag: of answered requests, from when they were due (open load) or sent; from being due to being sent.
        upper_end_ns: latency by percentile, its upper end for independent requests; infinite: so many requests had no
            answer; None: too few samples carry it.
        lag_p99_ns: of open load, the upper end likewise.
        unsteady: in what the level had not settled; empty: it is stable.
        n_users: users that ran.
        n_workers: processes that were to take part.
        missing_workers: those that did not tell its end.
        cpu: of each process that did.
        round_trip_ns: what a call took that asked the model for nothing, before the load; None: not measured.
        generator_doubts, sample_doubts: why it supports no verdict, by the load generator's fault or by the sample's;
            empty: it does.
        finding: of a search's probe: what the search was told of it; else None.
        seconds: the same second by second, from its window's begin.
        limit_counts: for each threshold on a percentile or a mean, when requests lay beyond its limit.
        achieved_low_rps, achieved_high_rps: the 95 % interval of `achieved_rps` by its slices; None without an answer.
            What lies between equal runs is more, and in no single run.
        begun_s: when its warm-up began, in seconds since the run did; None: not known.
        others: what other programs took of the CPUs that it ran on; None: not known.
    """

    number: int
    name: str
    users: int
    rate_rps: float | None
    warm_up_s: float
    duration_s: float
    is_probe: bool
    requests: int
    failed_requests: int
    predictions: int
    wrong: int | None
    failed: Mapping[str, int]
    error_rate: float | None
    compared: int
    mismatched: int
    offered: int
    sent: int
    dropped: int
    straddling: int
    achieved_rps: float
    slice_rates_rps: tuple[float, ...]
    mean_in_flight: float
    latency: LatencyCounts
    lag: LatencyCounts
    upper_end_ns: Mapping[float, float | None]
    lag_p99_ns: float | None
    unsteady: str
    n_users: int
    n_workers: int
    missing_workers: tuple[str, ...]
    cpu: tuple[Cpu, ...]
    round_trip_ns: int | None
    generator_doubts: tuple[Doubt, ...]
    sample_doubts: tuple[Doubt, ...]
    finding: Finding | None = None
    seconds: tuple[Second, ...] = ()
    limit_counts: tuple[LimitCounts, ...] = ()
    achieved_low_rps: float | None = None
    achieved_high_rps: float | None = None
    begun_s: float | None = None
    others: TakenByOthers | None = None

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Why it supports no verdict."""
        return self.generator_doubts + self.sample_doubts

    @property
    def noise_cure(self) -> str:
        """What to do about others that took the CPU that it needed; empty: none did."""
        return next((doubt.cure for doubt in self.doubts if doubt.is_noise), "")

    def is_of_drift(self, doubt: Doubt) -> bool:
        """Whether one of its doubts is that it had not settled."""
        return bool(self.unsteady) and doubt.what == unstable(self.unsteady)

    @property
    def answered(self) -> int:
        """Requests with an answer."""
        return self.requests - self.failed_requests

    @property
    def n_failed(self) -> int:
        """Images without an answer."""
        return sum(self.failed.values())

    @property
    def images_per_s(self) -> float | None:
        """Answered images a second, at as many a request as the answers of its window held; None without an answer."""
        return self.achieved_rps * (self.predictions - self.n_failed) / self.answered if self.answered else None

    @property
    def is_stable(self) -> bool:
        """Whether the three successive thirds of its window agree."""
        return not self.unsteady


# Long because each figure of a level is named.
def level_result(row: LevelRow, finding: Finding | None = None, is_labelled: bool = True) -> LevelResult:
    """Return a level's row as plain data.

    Args:
        row: the level's.
        finding: what a search was told of it; None: nothing.
        is_labelled: whether images have labels, so that answers are right or wrong.
    """
    level, record, run = row.level, row.record, row.run
    low_rps, high_rps = row.rate_interval_rps or (None, None)
    return LevelResult(
        number=level.number,
        name=level.name,
        users=level.users,
        rate_rps=level.rate_rps,
        warm_up_s=level.warm_up_s,
        duration_s=level.duration_s,
        is_probe=level.is_probe,
        requests=record.requests,
        failed_requests=record.failed_requests,
        predictions=record.predictions,
        wrong=record.wrong if is_labelled else None,
        failed=dict(sorted(record.failed.items())),
        error_rate=error_rate(record) if is_labelled else None,
        compared=record.compared,
        mismatched=record.mismatched,
        offered=record.offered,
        sent=record.sent,
        dropped=record.dropped,
        straddling=record.straddling,
        achieved_rps=row.achieved_rps,
        slice_rates_rps=row.slice_rates_rps,
        mean_in_flight=row.mean_in_flight,
        latency=LatencyCounts.of(record.latency),
        lag=LatencyCounts.of(record.lag),
        upper_end_ns=row.upper_end_ns,
        lag_p99_ns=row.lag_p99_ns,
        unsteady=row.unsteady,
        n_users=run.n_users,
        n_workers=run.n_workers,
        missing_workers=run.missing_workers,
        cpu=tuple(Cpu(one.busy, one.waited, one.mean_wait_ns) for one in run.cpu),
        round_trip_ns=run.round_trip_ns,
        generator_doubts=row.generator_doubts,
        sample_doubts=row.sample_doubts,
        finding=finding,
        seconds=series(record.seconds, 0, round(level.duration_s * 1e9)),
        limit_counts=limit_counts(record.half_seconds),
        achieved_low_rps=low_rps,
        achieved_high_rps=high_rps,
        begun_s=run.begun_s,
        others=TakenByOthers.of(run.neighbours),
    )
