"""What a load generator that stood still leaves of a run: its figures are then its own. Pure."""

from collections.abc import Sequence

from tfsload.analysis.doubts import HELD_UP_CURE, HELD_UP_SHARE, HELD_UP_WORDS
from tfsload.analysis.figures import requests, share, span
from tfsload.analysis.result import RunResult
from tfsload.analysis.validity import GENERATOR_RUNS, Breach
from tfsload.analysis.verdict import Reason
from tfsload.analysis.workers import HeldUp, Workers

_DEADLINE = "DEADLINE_EXCEEDED"
# A request may have waited a little when its process was held up.
_OF_DEADLINE = 0.8
# For so long a process reads what has come meanwhile, before it gives requests up.
_READ_S = 1.0
_ROUNDED = 1e-6


def breaches(result: RunResult) -> tuple[Breach, ...]:
    """Return that a run without levels is of a load generator that stood still: one reason at most."""
    if not _is_much(result):
        return ()
    n_failed = result.totals.failed_requests
    failed = f", and {requests(n_failed)} had no answer by then" if explains_failures(result) else ""
    return (Breach(GENERATOR_RUNS, f"{_words(result)}{failed}", HELD_UP_CURE),)


def notes(result: RunResult) -> tuple[Reason, ...]:
    """Return that it stood still for so short that the verdict holds."""
    if result.levels or not result.workers.held_up or _is_much(result):
        return ()
    return (Reason(_words(result), HELD_UP_CURE),)


def explains_failures(result: RunResult) -> bool:
    """Whether all requests without an answer may have been in flight while it stood still, beyond their deadline."""
    totals, deadline_s = result.totals, result.course.deadline_s
    if not totals.failed_requests or set(totals.failed) != {_DEADLINE} or deadline_s is None or result.levels:
        return False
    long = [one for one in result.workers.held_up if one.lasted_s >= _OF_DEADLINE * deadline_s]
    # Each process runs an equal share of the users, and none has more than one request in flight.
    n_users = -(-max(result.users.n, result.users.n_users_asked) // max(result.workers.n, 1))
    return totals.failed_requests <= n_users * len(long) and _lie_within(result, long, n_users, deadline_s)


def _lie_within(result: RunResult, held_up: Sequence[HeldUp], n_users: int, deadline_s: float) -> bool:
    """Whether each second's failures are of requests in flight while it was held up: one of each user at most."""
    per_request = max(sum(result.totals.failed.values()) / result.totals.failed_requests, 1)
    left = {one: float(n_users) for one in sorted(held_up, key=lambda one: one.at_s + one.lasted_s)}
    for second in result.seconds:
        n_failed = second.failed / per_request
        for one in left:
            # What was sent as it began was given up a deadline later, or as it went on again, once all was read.
            until_s = max(one.at_s + deadline_s, one.at_s + one.lasted_s) + _READ_S
            if one.at_s < second.at_s + second.lasts_s and second.at_s < until_s:
                n_explained = min(n_failed, left[one])
                left[one] -= n_explained
                n_failed -= n_explained
        if n_failed > _ROUNDED:
            return False
    return True


def overlap_s(workers: Workers, from_s: float, lasts_s: float) -> float:
    """Return for how long of a time each process stood still: that of the one that did shortest.

    While one goes on, a server that answers answers it.
    """
    found: dict[str, float] = {}
    for one in workers.held_up:
        seconds = min(one.at_s + one.lasted_s, from_s + lasts_s) - max(one.at_s, from_s)
        found[one.worker] = found.get(one.worker, 0.0) + max(seconds, 0.0)
    return min(found.values(), default=0.0) if len(found) >= workers.n else 0.0


def _is_much(result: RunResult) -> bool:
    """Whether it stood still for longer than a request may take, or for long enough to change how fast all went."""
    held_up, deadline_s = result.workers.held_up, result.course.deadline_s
    if result.levels or not held_up:
        return False
    if deadline_s is not None and max(one.lasted_s for one in held_up) >= _OF_DEADLINE * deadline_s:
        return True
    # Where no limit is set on that, what the answers came to stands.
    return result.has_limits_on_speed and _total_s(held_up) > HELD_UP_SHARE * result.totals.duration_s


def _total_s(held_up: Sequence[HeldUp]) -> float:
    """Return for how long that process stood still that did longest."""
    return max(
        sum(one.lasted_s for one in held_up if one.worker == worker) for worker in {one.worker for one in held_up}
    )


def _words(result: RunResult) -> str:
    held_up, n = result.workers.held_up, result.workers.n
    n_held_up = len({one.worker for one in held_up})
    who = "the load generator" if n_held_up >= n else f"{n_held_up:,} of {n:,} processes of the load generator"
    total_s, duration_s = _total_s(held_up), result.totals.duration_s
    part = f" ({share(total_s, duration_s)} of the run)" if duration_s > total_s else ""
    first_s = max(min(one.at_s for one in held_up), 0.0)
    return f"{who} stood still for {span(total_s)}{part}, from {first_s:.0f} s on: {HELD_UP_WORDS}"
