"""Some answers judged by a user class's own `is_right`, before any load: whether they can be, and what it costs."""

import dataclasses
import logging
import time
from collections.abc import Callable

from tfsload.prediction.judging import Judging
from tfsload.run.kinds import Kind
from tfsload.target.preflight import Preflight
from tfsload.target.trial import Trial, TrialError, UnjudgedError, try_some
from tfsload.transport.contract import Transport
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.words import shown

logger = logging.getLogger(__name__)

# The cost is the mean of so many times, or of those in so long a time.
_MOST_CALLS, _LONGEST_NS = 1_000, 20_000_000


def judged_trial(kind: Kind, transport: Transport, found: Preflight, n_images: int = 1) -> Trial:
    """Make the first requests of a kind, and judge them as its classes do; raise as `try_some`."""
    is_right = kind.hooks.is_right
    judge_of = Judging(transport, is_right, is_told=False).judge_of if is_right else None
    trial = try_some(transport, kind.encoded.dataset, found.servable, judge_of, n_images)
    return dataclasses.replace(trial, judged_by=is_right.name if is_right else "")


def with_cost_of_judging(found: Preflight, transport: Transport, kind: Kind) -> Preflight:
    """Return what the server said, with what it costs to judge an answer where a class does it in its own way.

    Args:
        found: what the server said.
        transport: to it, with the call that was found; closed afterwards.
        kind: the requests.

    Raises:
        UnjudgedError: the first answer cannot be judged.
    """
    is_right = kind.hooks.is_right
    if is_right is None:
        return found
    try:
        trial = judged_trial(kind, transport, found)
    except UnjudgedError:
        raise
    except TrialError as error:  # the load will tell
        logger.info("%s was not tried before the load: %s", is_right.name, shown(str(error)))
        return found
    judging, n_images = Judging(transport, is_right, is_told=False), len(trial.told)

    def judge() -> None:
        judging.judge_of(0, trial.told)(trial.reply)  # as a reply that is new: to one that is known nothing is done

    try:
        each_ns = cost_ns(judge) / n_images
    except PredictionFailure as failure:  # it has just judged the same
        raise UnjudgedError(failure.message) from None
    spec = dataclasses.replace(found.spec, judged_by=f"{is_right.name} ({each_ns / 1e3:.2g} µs an answer)")
    return dataclasses.replace(found, spec=spec)


def cost_ns(act: Callable[[], None], clock_ns: Callable[[], int] = time.perf_counter_ns) -> float:
    """Return what a call costs, in ns: the mean of some."""
    begun_ns, n_calls, passed_ns = clock_ns(), 0, 0
    while n_calls < _MOST_CALLS and passed_ns < _LONGEST_NS:
        act()
        n_calls += 1
        passed_ns = clock_ns() - begun_ns
    return passed_ns / n_calls
