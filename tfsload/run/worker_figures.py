"""What came of the processes of a run, as its result keeps it: who was lost, and when one stood still. Pure."""

import math

from tfsload.analysis.workers import HeldUp, Workers
from tfsload.records.quiet_times import LEAST_NS
from tfsload.records.record import Record
from tfsload.run.results import Results

# Seconds since 1970 are that exact.
_ROUNDED_S = 1e-6


def workers_of(results: Results, overall: Record, duration_s: float) -> Workers:
    """Return what came of the processes that were to run users.

    Args:
        results: of the run.
        overall: all that was counted.
        duration_s: for how long it was.
    """
    return Workers(
        n=results.n_workers,
        lost=tuple(sorted(results.lost_workers)),
        unfit=dict(results.unfit_workers),
        n_unaccounted=results.n_unaccounted,
        n_discarded=results.n_discarded,
        n_left=results.n_workers_left,
        held_up=_held_up(results, overall, duration_s),
        judging_s=overall.judging_ns / 1e9,
    )


def _held_up(results: Results, overall: Record, duration_s: float) -> tuple[HeldUp, ...]:
    """Return when processes stood still, as far as something was measured then: users that get ready may take long."""
    counted_s = overall.first_sent_unix_ns / 1e9
    # Each level knows when it began in the run, by the leader's clock; what it has counted is by its workers' own.
    first_s = (results.begun_unix_s or counted_s) if results.levels else (counted_s or results.begun_unix_s)
    # Of levels the time between them is no part of the duration, and of none that was answered there is no duration.
    is_whole = counted_s and duration_s and not results.levels
    end_s = duration_s if is_whole else (results.ended_unix_s or math.inf) - first_s
    found = []
    for worker, spans in results.held_up.items():
        for from_unix_ns, lasted_ns in spans:
            from_s = from_unix_ns / 1e9 - first_s
            at_s, until_s = max(from_s, 0.0), min(from_s + lasted_ns / 1e9, end_s)
            if until_s - at_s >= LEAST_NS / 1e9 - _ROUNDED_S:
                found.append(HeldUp(worker, at_s, until_s - at_s))
    return tuple(sorted(found, key=lambda one: one.at_s))
