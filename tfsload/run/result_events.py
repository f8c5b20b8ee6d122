"""Tells listeners of `events.level` and `events.run` what a level and a run came to, in the process that leads runs.

What they are given is listed in `tfsload.prediction.events`, where the hooks are made. They are the open door by which
results leave the suite: whatever a listener does with them is its own affair, and a run goes on and ends as it would.
"""

import logging
from typing import Any

from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult

logger = logging.getLogger(__name__)


def tell_level(events: Any, level: LevelResult) -> None:
    """Fire `events.level` for a level that has ended."""
    predictions, compared, offered = level.predictions, level.compared, level.offered
    _fire(
        events,
        "level",
        level=level.number,
        name=level.name,
        users=level.users,
        rate_rps=level.rate_rps,
        achieved_rps=level.achieved_rps,
        latency_ns=dict(level.upper_end_ns),
        error_rate=level.error_rate,
        wrong_rate=None if level.wrong is None or not predictions else level.wrong / predictions,
        failed_rate=level.n_failed / predictions if predictions else None,
        failed=dict(level.failed),
        mismatched_rate=level.mismatched / compared if compared else None,
        dropped_rate=level.dropped / offered if offered else None,
        doubts=tuple(map(str, level.doubts)),
        row=level,
    )


def tell_run(events: Any, result: RunResult) -> None:
    """Fire `events.run` for a run that has ended."""
    _fire(events, "run", result=result)


def _fire(events: Any, event: str, /, **given: Any) -> None:
    """Call each listener. Locust's own way to fire would take one that raises for a run that is broken."""
    hook = getattr(events, event, None)
    for listener in list(hook._handlers) if hook is not None else ():
        try:
            listener(**given)
        except (Exception, SystemExit) as error:
            logger.warning("A listener of events.%s failed, and the run goes on: %r", event, error, exc_info=error)
