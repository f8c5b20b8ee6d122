"""The figures of one level: a row of the sweep. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tfsload.analysis.doubts import Doubt, doubts_of_generator, doubts_of_sample, was_held_up
from tfsload.analysis.figures import rate
from tfsload.analysis.gate import Ruling, rule
from tfsload.analysis.limit import Finding
from tfsload.analysis.metrics import n_endless
from tfsload.analysis.percentiles import upper_end_ns
from tfsload.analysis.stability import latency_grows, settles_late, unsteady
from tfsload.analysis.sweep import standard_error
from tfsload.analysis.threshold_words import asked_words
from tfsload.analysis.thresholds import Threshold
from tfsload.records.level import Level, LevelRun
from tfsload.records.record import Record
from tfsload.records.window import N_SLICES

PERCENTILES = (50, 90, 95, 99, 99.9)
QUEUE_GROWS = "made a queue grow (latency rose all the time)"
# Where so large a share of the offered rate is missing, and more than chance explains, answers do not keep up.
FALLS_SHORT = 0.05
BEYOND_CHANCE = 3.0
# Student's t for a mean of that many slices: 95 % lie within so many standard errors of it.
T_95 = {12: 2.201}[N_SLICES]


@dataclass(frozen=True)
class LevelRow:
    """What a level came to. Rates are over its window, latencies of requests that lie in it as a whole.

    Attributes:
        run: what was asked for, and how it was run.
        record: what was measured.
        achieved_rps: answers that came in the window, a second.
        mean_in_flight: requests in flight, on average over the window.
        upper_end_ns: latency by percentile, its upper end for independent requests; infinite: so many requests had no
            answer; None: too few samples carry it.
        unsteady: in what the level had not settled; empty: it is stable.
        lag_p99_ns: of open load, the upper end as of latencies; None: too few samples carry it.
        generator_doubts, sample_doubts: why it supports no verdict, by the load generator's fault or by the
            sample's; empty: it does.
    """

    run: LevelRun
    record: Record
    achieved_rps: float
    mean_in_flight: float
    upper_end_ns: Mapping[float, float | None]
    unsteady: str
    lag_p99_ns: float | None
    generator_doubts: tuple[Doubt, ...]
    sample_doubts: tuple[Doubt, ...]

    @property
    def level(self) -> Level:
        """What was asked for."""
        return self.run.level

    @property
    def answered(self) -> int:
        """Requests with an answer."""
        return self.record.requests - self.record.failed_requests

    @property
    def slice_rates_rps(self) -> tuple[float, ...]:
        """Answers a second by slice of the window."""
        slice_s = self.level.duration_s / len(self.record.slice_answers)
        return tuple(count / slice_s for count in self.record.slice_answers)

    @property
    def rate_interval_rps(self) -> tuple[float, float] | None:
        """The 95 % interval of `achieved_rps` by its slices; what lies between equal runs, no level tells.

        Student's t of the slices' mean; None where nothing was answered.
        """
        if not self.achieved_rps:
            return None
        half = T_95 * standard_error(self.slice_rates_rps) * self.achieved_rps
        return max(self.achieved_rps - half, 0.0), self.achieved_rps + half

    def rule(self, threshold: Threshold) -> Ruling:
        """Return whether a threshold holds, and whether one stall decides it."""
        return rule(threshold, self.record, self.achieved_rps, self.level.duration_s)


def level_row(run: LevelRun, record: Record) -> LevelRow:
    """Compute a level's figures."""
    level = run.level
    achieved_rps = sum(record.slice_answers) / level.duration_s
    mean_in_flight = record.in_flight_ns / (level.duration_s * 1e9)
    course = (record.slice_answers, record.slice_latency_ns, record.latency.sd_ns)
    drift = unsteady(*course)
    generator_doubts = doubts_of_generator(run, record)
    noise_cure = next((doubt.cure for doubt in generator_doubts if doubt.is_noise), "")
    return LevelRow(
        run=run,
        record=record,
        achieved_rps=achieved_rps,
        mean_in_flight=mean_in_flight,
        upper_end_ns={p: upper_end_ns(record.latency, p, n_endless(record)) for p in PERCENTILES},
        unsteady=drift,
        lag_p99_ns=upper_end_ns(record.lag, 99),
        generator_doubts=generator_doubts,
        sample_doubts=()
        if was_held_up(run)
        else doubts_of_sample(record, achieved_rps, mean_in_flight, drift, settles_late(*course), noise_cure),
    )


def finding_of(row: LevelRow, thresholds: tuple[Threshold, ...]) -> Finding:
    """Judge a level of a search: do all thresholds hold, and do answers keep up with arrivals?"""
    rulings = {one: row.rule(one) for one in thresholds}
    crossed = _crossed(row, [one for one, ruling in rulings.items() if ruling.holds is False])
    resting = [asked_words(one) for one, ruling in rulings.items() if ruling.stall]
    unknown = [one for one, ruling in rulings.items() if ruling.holds is None and not ruling.stall]
    binding = list(crossed)
    binding += _unknown(row, unknown)
    if resting:
        binding.append(f"left {' and '.join(resting)} undecided, as one stall decides it")
    return Finding(
        not binding,
        tuple(binding),
        row.achieved_rps,
        is_undecided=bool(resting) and not crossed and not unknown,
        is_unknown=bool(resting or unknown) and not crossed,
    )


def _unknown(row: LevelRow, thresholds: Sequence[Threshold]) -> Iterator[str]:
    """Yield why a level did not tell whether thresholds hold."""
    if few := [asked_words(one) for one in thresholds if one.percentile is not None]:
        yield f"gave {row.answered:,} answers, too few to tell whether {' and '.join(few)}"
    if others := [asked_words(one) for one in thresholds if one.percentile is None]:
        are = "it is" if len(others) == 1 else "they are"
        yield f"left {' and '.join(others)} unknown, as nothing was measured that {are} about"


def _crossed(row: LevelRow, thresholds: Sequence[Threshold]) -> tuple[str, ...]:
    """Return what the level did that a rate that holds must not do, in words; `thresholds` are those it crossed."""
    record = row.record
    crossed = [f"crossed {' and '.join(map(asked_words, thresholds))}"] if thresholds else []
    n_answers = sum(record.slice_answers)
    # What is in flight at either end is offered here and answered there, or the other way round.
    by_chance = BEYOND_CHANCE * math.sqrt(2 * row.mean_in_flight)
    if record.offered - n_answers > max(FALLS_SHORT * record.offered, by_chance):
        seconds = row.level.duration_s
        crossed.append(f"answered {rate(n_answers / seconds)} of {rate(record.offered / seconds)} requests/s")
    if latency_grows(record.slice_answers, record.slice_latency_ns, record.latency.sd_ns):
        # A level ends before a queue that grows slowly has reached the limits.
        crossed.append(QUEUE_GROWS)
    return tuple(crossed)
