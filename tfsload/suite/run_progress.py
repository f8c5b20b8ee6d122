"""How far the run under way is, shown again and again while it goes on."""

import time

import gevent

from tfsload.load.plan import Plan
from tfsload.records.level import Level
from tfsload.report.progress import Progress, level_line, progress_line, warm_up_line
from tfsload.run.conductor import Conductor
from tfsload.run.coordinator import Coordinator


class RunProgress:
    """Shows a run's progress until it is stopped."""

    def __init__(
        self,
        progress: Progress,
        coordinator: Coordinator,
        conductor: Conductor,
        plan: Plan | None = None,
        n_images_asked: int | None = None,
    ) -> None:
        """Begin to show.

        Args:
            progress: where lines go.
            coordinator: knows what was measured.
            conductor: knows the level under way.
            plan: of a run with levels; else None.
            n_images_asked: images to fire in all; None: no limit.
        """
        self._progress = progress
        self._coordinator = coordinator
        self._conductor = conductor
        self._plan = plan
        self._n_images_asked = n_images_asked
        self._warmed_up_s = 0.0  # since the run began
        self._greenlet = gevent.spawn(self._show)

    def stop(self) -> None:
        """Show no more, and leave nothing on the line."""
        self._greenlet.kill()
        self._progress.clear()

    def _show(self) -> None:
        while True:
            gevent.sleep(self._progress.interval_s)
            level = self._conductor.level
            self._progress.show(
                self._line() if level is None or self._plan is None else self._level_line(level, self._plan)
            )

    def _line(self) -> str:
        self._coordinator.refresh()
        results, elapsed_s = self._coordinator.results, self._coordinator.elapsed_s
        if results.n_warm_up_left:
            self._warmed_up_s = elapsed_s
            return warm_up_line(results.n_warm_up_left)
        tally = results.tally
        counted_s = elapsed_s - self._warmed_up_s
        return progress_line(counted_s, tally.predictions, tally.errors, tally.requests, self._n_images_asked)

    def _level_line(self, level: Level, plan: Plan) -> str:
        begun_s = self._conductor.begun_s
        elapsed_s = None if begun_s is None else time.monotonic() - begun_s
        seconds = level.warm_up_s + level.duration_s
        return level_line(
            level.number, of_how_many(level, plan.n_left - 1), level.name, elapsed_s, seconds, level.warm_up_s
        )


def of_how_many(level: Level, n_left: int) -> str:
    """Return how many levels a run has, in words: a search's number is not known before it ends."""
    n_levels = level.number + n_left
    return f"about {n_levels}" if level.is_probe else f"{n_levels}"
