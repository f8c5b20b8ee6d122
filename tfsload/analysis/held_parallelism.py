"""A threshold on how many requests a server works on at once, held against a sweep. Pure."""

from tfsload.analysis.figures import at_once
from tfsload.analysis.held import Held, margin_of
from tfsload.analysis.next_sweep import in_brackets, more_often
from tfsload.analysis.parallelism import Parallelism
from tfsload.analysis.scaling import Scaling
from tfsload.analysis.scaling_answer import lack_of
from tfsload.analysis.sweep import Sweep
from tfsload.analysis.thresholds import Threshold

_CUT_SHORT = "the sweep was not run to its end"
_HEAVIER = "send heavier requests (more --images-per-request), or measure nearer to the server"


def hold_parallelism(threshold: Threshold, scaling: Scaling | None) -> Held:
    """Hold a threshold on parallelism against a sweep: it holds, or is crossed, where both ends of the interval say so.

    Args:
        threshold: what was asked for.
        scaling: of the whole sweep; None: it was not run to its end.
    """
    if scaling is None:
        return Held(threshold, "", None, None, None, _CUT_SHORT, cure="let it end by itself")
    found = scaling.interval
    if found is None:
        lack = lack_of(Sweep(scaling.levels))
        assert lack is not None  # or there were an interval
        return Held(threshold, "", None, None, None, lack.what, cure=lack.cure)
    at_ends = {threshold.holds(found.low), threshold.holds(found.high)}
    holds = at_ends.pop() if len(at_ends) == 1 else None
    margin = margin_of(threshold, found.value)
    why_unknown, cure = ("", "") if holds is not None else (_open(found), _cure(found, Sweep(scaling.levels)))
    return Held(threshold, "", found.value, holds, margin, why_unknown, found.low, found.high, cure)


def not_held_yet(threshold: Threshold) -> Held:
    """Return what is known of a threshold on parallelism while the sweep goes on: nothing."""
    return Held(threshold, "", None, None, None, "the sweep has not ended yet")


def _open(found: Parallelism) -> str:
    return f"it lies between {at_once(found.low)} and {at_once(found.high)} (95%), and so does the limit"


def _cure(found: Parallelism, sweep: Sweep) -> str:
    if found.by_overhead >= found.by_scatter:
        return _HEAVIER
    more = more_often(sweep)
    several = "" if more is None else f", or each several times{in_brackets(more.users)}"
    return f"hold the levels longer (--level-duration){several}"
