"""How far the run under way is, shown again and again while it goes on, and each level as it ends."""

from collections.abc import Callable, Sequence

import gevent

from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.scaling import speed_up_of_last
from tfsload.report import levels, live_line
from tfsload.report.progress import Progress
from tfsload.report.standing import Standing
from tfsload.report.tables import GrowingTable
from tfsload.suite import streams


class RunProgress:
    """Shows a run's progress until it is stopped."""

    def __init__(self, progress: Progress, standing: Callable[[], Standing], level_names: Sequence[str] = ()) -> None:
        """Begin to show.

        Args:
            progress: where lines go.
            standing: returns where the run stands.
            level_names: of its levels, none of which is longer than the longest of these.
        """
        self._progress = progress
        self._standing = standing
        self._level_names = tuple(level_names)
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
        row = levels.row_to_come(level, self._level_names, speed_up_of_last(self._ended), holds)
        self._progress.put_above(self._table.add(row))

    def _show(self) -> None:
        while True:
            gevent.sleep(self._progress.interval_s)
            line = live_line.of(self._standing(), self._progress.width)
            if line and not streams.is_line_open():
                self._progress.show(line)
