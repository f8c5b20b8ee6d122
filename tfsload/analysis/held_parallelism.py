"""A threshold on how many requests a server works on at once, held against a sweep. Pure."""

import math

from tfsload.analysis.answer_kinds import hardly_grows, room_to_grow
from tfsload.analysis.figures import at_once, users
from tfsload.analysis.held import Held, margin_of
from tfsload.analysis.next_sweep import in_brackets, more_often
from tfsload.analysis.option_limits import MAX_USERS
from tfsload.analysis.parallelism import Parallelism
from tfsload.analysis.scaling import Scaling
from tfsload.analysis.scaling_answer import lack_of
from tfsload.analysis.sweep import Sweep
from tfsload.analysis.thresholds import Threshold

_CUT_SHORT = "the sweep was not run to its end"
# Noise hides parallelism and makes none: what is found is the least that it may be.
HIDDEN = "others took the CPU, which hides what a server does in parallel"
_HEAVIER = "send heavier requests (more --images-per-request), or measure nearer to the server"


def hold_parallelism(threshold: Threshold, scaling: Scaling | None) -> Held:
    """Hold a threshold on parallelism against a sweep: it holds, or is crossed, where both ends of the interval say so.

    Args:
        threshold: what was asked for.
        scaling: of the whole sweep; None: it was not run to its end.
    """
    if scaling is None:
        return Held(threshold, "", None, None, None, _CUT_SHORT, cure="let it end by itself")
    found, noisy = scaling.interval, Sweep(scaling.levels).noisy
    if noisy and (found is None or _holds(threshold, found.low, math.inf) is None):
        return Held(threshold, "", None, None, None, HIDDEN, cure=noisy[0].noise_cure)
    if found is None:
        lack = lack_of(Sweep(scaling.levels))
        assert lack is not None  # or there were an interval
        return Held(threshold, "", None, None, None, lack.what, cure=lack.cure)
    holds = _holds(threshold, found.low, found.high)
    margin = margin_of(threshold, found.value)
    why_unknown, cure = ("", "") if holds is not None else (_open(found), _cure(found, Sweep(scaling.levels)))
    return Held(threshold, "", found.value, holds, margin, why_unknown, found.low, found.high, cure)


def _holds(threshold: Threshold, low: float, high: float) -> bool | None:
    """Return whether it holds at both ends of an interval; None: at one of them."""
    at_ends = {threshold.holds(low), threshold.holds(high)}
    return at_ends.pop() if len(at_ends) == 1 else None


def not_held_yet(threshold: Threshold) -> Held:
    """Return what is known of a threshold on parallelism while the sweep goes on: nothing."""
    return Held(threshold, "", None, None, None, "the sweep has not ended yet")


def sweep_further(held: Held, scaling: Scaling | None) -> str:
    """Return what might yet hold a threshold on parallelism that a sweep has crossed; empty: nothing.

    Args:
        held: any threshold that was crossed.
        scaling: of the sweep; None: the run was none.
    """
    if scaling is None or not held.threshold.is_of_sweep or held.threshold.is_upper or scaling.stops_growing_at:
        return ""
    growth, interval = Sweep(scaling.levels).growth, scaling.interval
    if growth is None or interval is None or hardly_grows(growth, interval) or growth.last.users >= MAX_USERS:
        return ""
    if not held.threshold.holds(interval.high * room_to_grow(growth)):
        return ""
    return f"throughput was still growing at {users(growth.last.users)}: sweep further, it may come to more"


def _open(found: Parallelism) -> str:
    return f"it lies between {at_once(found.low)} and {at_once(found.high)} (95%), and so does the limit"


def wants_heavier(found: Parallelism) -> bool:
    """Whether heavier requests would tell more of it than more measurements: its cure says so."""
    return found.by_overhead >= found.by_scatter


def _cure(found: Parallelism, sweep: Sweep) -> str:
    if wants_heavier(found):
        return _HEAVIER
    more = more_often(sweep)
    several = "" if more is None else f", or each several times{in_brackets(more.users)}"
    return f"hold the levels longer (--level-duration){several}"
