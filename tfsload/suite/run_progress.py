"""How far the run under way is, shown again and again while it goes on, and each level as it ends."""

import time

import gevent

from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.scaling import speed_up_of_last
from tfsload.load.plan import Plan
from tfsload.records.level import Level
from tfsload.report import levels, live_line
from tfsload.report.live_line import NOTHING_YET, Counted, LevelPlace
from tfsload.report.progress import Progress
from tfsload.report.tables import GrowingTable
from tfsload.run.conductor import Conductor
from tfsload.run.coordinator import Coordinator
from tfsload.suite import streams
from tfsload.suite.run_time import RunTime


class RunProgress:
    """Shows a run's progress until it is stopped."""

    def __init__(
        self,
        progress: Progress,
        coordinator: Coordinator,
        conductor: Conductor,
        plan: Plan | None = None,
        n_images_asked: int | None = None,
        run_time: RunTime | None = None,
    ) -> None:
        """Begin to show.

        Args:
            progress: where lines go.
            coordinator: knows what was measured.
            conductor: knows the level under way.
            plan: of a run with levels; else None.
            n_images_asked: images to fire in all; None: no limit.
            run_time: how long it is to last; None: not known.
        """
        self._progress = progress
        self._coordinator = coordinator
        self._conductor = conductor
        self._plan = plan
        self._n_images_asked = n_images_asked
        self._run_time = run_time or RunTime()
        self._places: dict[int, LevelPlace] = {}  # as they were when each began: a search has to be rehearsed for it
        self._ended: list[LevelResult] = []
        self._table: GrowingTable | None = None
        streams.lay_over(progress)
        self._greenlet = gevent.spawn(self._show)

    def stop(self) -> None:
        """Show no more, and leave nothing on the line."""
        self._greenlet.kill()
        self._progress.clear()
        streams.lay_over(None)

    def level_ended(self, level: LevelResult) -> None:
        """Show what a level came to, in a row that stays."""
        self._ended.append(level)
        self._table = self._table or GrowingTable(self._progress.width)
        finding = level.finding
        holds = () if finding is None else (None if finding.is_undecided else finding.holds,)
        names = self._plan.names if self._plan is not None else ()
        row = levels.row_to_come(level, names, speed_up_of_last(self._ended), holds)
        self._progress.put_above(self._table.add(row))

    def _show(self) -> None:
        while True:
            gevent.sleep(self._progress.interval_s)
            level, width = self._conductor.level, self._progress.width
            if self._plan is None:
                line = self._line(width)
            elif level is not None:
                line = self._level_line(level, self._plan, width)
            else:
                continue  # between two levels nothing is under way
            if not streams.is_line_open():
                self._progress.show(line)

    def _line(self, width: int) -> str:
        self._coordinator.refresh()
        results, elapsed_s = self._coordinator.results, self._coordinator.elapsed_s
        if results.n_warm_up_left:
            return live_line.of_warm_up(results.n_warm_up_left, width)
        tally = results.tally
        counted = NOTHING_YET
        if tally.requests:
            error_rate = tally.errors / tally.predictions if tally.predictions else None
            counted = Counted(results.rate_rps(self._coordinator.running_users), error_rate)
        if self._n_images_asked is not None:
            return live_line.of_images(tally.predictions, self._n_images_asked, counted, width)
        return live_line.of_time(elapsed_s, self._run_time.limit_s, counted, width)

    def _level_line(self, level: Level, plan: Plan, width: int) -> str:
        begun_s = self._conductor.begun_s
        elapsed_s = None if begun_s is None else time.monotonic() - begun_s
        place = self._places.get(level.number)
        if place is None:
            place = self._places[level.number] = place_of(level, plan)
        told, counted = self._conductor.counted, NOTHING_YET
        if told is not None:
            errors = told.wrong + told.failed
            # Some of its processes answer only a part of the rate.
            is_whole = told.n_processes >= self._conductor.n_measuring
            error_rate = errors / told.predictions if told.predictions else None
            counted = Counted(told.rate_rps if is_whole else None, error_rate)
        seconds = level.warm_up_s + level.duration_s
        return live_line.of_level(place, elapsed_s, seconds, level.warm_up_s, counted, width)


def place_of(level: Level, plan: Plan) -> LevelPlace:
    """Return where a level stands among those of its plan, which are as many as they seem when it begins."""
    return LevelPlace(level.number, plan.n_levels, level.is_probe, level.name)
