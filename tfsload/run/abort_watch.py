"""Ends a run by a threshold with `abort`, where it has been crossed for its grace.

While a level is measured nothing is put together: what its counters tell is looked at as they come, the rest when it
has ended. A run without levels is looked at every three seconds, as the reports of its workers come.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import gevent

from tfsload.analysis import summing_up
from tfsload.analysis.abort import Aborted, Patience
from tfsload.analysis.beyond_chance import beyond_chance
from tfsload.analysis.held import hold_all, hold_counters
from tfsload.analysis.held_words import value_words, words_of
from tfsload.analysis.level_names import told_by_number
from tfsload.analysis.levels import level_row
from tfsload.analysis.metrics import is_told_by_counters
from tfsload.analysis.threshold_words import told_words
from tfsload.analysis.thresholds import Threshold
from tfsload.records.level import Level, LevelRun
from tfsload.records.record import Record
from tfsload.records.window import WHOLE_RUN
from tfsload.run.conductor import Conductor
from tfsload.run.coordinator import Coordinator

logger = logging.getLogger(__name__)

LOOK_INTERVAL_S = 0.5
# A run without levels.
RUN_INTERVAL_S = 3.0
# Of a level that has been measured for less, the first few answers would decide.
LEAST_MEASURED_S = 1.0


class AbortWatch:
    """Watches one run."""

    def __init__(
        self,
        thresholds: Sequence[Threshold],
        coordinator: Coordinator,
        conductor: Conductor | None,
        on_over: Callable[[], None],
        clock_s: Callable[[], float] = time.monotonic,
        n_images: int | None = None,
        n_in_turn: int | None = None,
    ) -> None:
        """Watch from now on, where a threshold may end the run.

        Args:
            thresholds: of the run.
            coordinator: takes in what was measured, and is told of the end.
            conductor: knows the level under way; None: the run has no levels.
            on_over: ends the run.
            clock_s: the time.
            n_images: with `--num-tests`: images that are fired, in the order of the file; None: all of them over and
                over, in an order of chance.
            n_in_turn: how many these are, of each kind of requests; None: it is not known.
        """
        self._thresholds = tuple(one for one in thresholds if one.aborts)
        self._coordinator = coordinator
        self._conductor = conductor
        self._on_over = on_over
        self._clock_s = clock_s
        self._n_images, self._n_in_turn = n_images, n_in_turn
        self._patience = Patience()
        self._seen = (0, 0.0)  # the level that was looked at last, and for how long it had been measured
        self._greenlet = gevent.spawn(self._watch) if self._thresholds else None

    def stop(self) -> None:
        """Watch no more."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    @property
    def has_ended_run(self) -> bool:
        """Whether a threshold has ended the run."""
        return self._coordinator.results.aborted is not None

    def _watch(self) -> None:
        interval_s = RUN_INTERVAL_S if self._conductor is None else LOOK_INTERVAL_S
        while not self.has_ended_run:
            gevent.sleep(interval_s)
            if self._coordinator.is_ending or not self._coordinator.is_open:
                return
            if self._look():
                gevent.spawn(self._on_over)

    def _look(self) -> bool:
        """Look now; return whether the run is to be ended."""
        conductor, now_s = self._conductor, self._clock_s()
        if conductor is None:
            self._coordinator.refresh()
            record = self._coordinator.results.records.get(WHOLE_RUN.level, Record())
            rate_rps = self._coordinator.results.rate_rps(self._coordinator.running_users)
            held = summing_up.hold_run_so_far(self._thresholds, record, rate_rps)
            found = [beyond_chance(one, record, self._n_images, self._n_in_turn) for one in held]
            return self._take(self._patience.look(found, now_s))
        level, counts = conductor.level, conductor.counted
        if level is None or counts is None or counts.n_processes < conductor.n_measuring:
            return False
        if counts.measured_s < LEAST_MEASURED_S or self._seen >= (level.number, counts.measured_s):
            return False  # the one that has told of the shortest time has told nothing new
        self._seen = level.number, counts.measured_s
        found = [
            beyond_chance(hold_counters(one, level.name, counts), counts, n_images=self._n_in_turn)
            for one in self._about(level)
            if is_told_by_counters(one)
        ]
        return self._take(self._patience.look(found, now_s), level=level)

    def _about(self, level: Level) -> list[Threshold]:
        """Return the thresholds that are about a level that is measured; the others' grace ends with that."""
        about = [one for one in self._thresholds if one.is_about(level.users, level.rate_rps)]
        self._patience.forget_others(about)
        return about

    def level_ended(self, run: LevelRun, is_last: bool) -> None:
        """Look at a level that has ended; one that follows is not begun where a threshold ends the run.

        Args:
            run: how it was run.
            is_last: whether none follows, so that nothing is left to end.
        """
        if not self._thresholds or is_last or self.has_ended_run:
            return
        row = level_row(run, self._coordinator.results.records.get(run.level.number, Record()))
        found = hold_all(self._about(run.level), [row])
        aborted = self._patience.look(found, self._clock_s(), run.level.duration_s, is_final=True)
        self._take(aborted, "at its end", run.level)

    def _take(self, aborted: Aborted | None, when: str = "", level: Level | None = None) -> bool:
        if aborted is None:
            return False
        if level is not None:
            names = {one.level.number: one.level.name for one in self._coordinator.results.levels}
            told = told_by_number(names | {level.number: level.name}, level.number)
            aborted = replace(aborted, held=replace(aborted.held, told_where=told))
        self._coordinator.results.aborted = aborted
        words = words_of(aborted.held)
        at = f" at {words.where}" if words.where else ""
        logger.error(
            "%s was crossed%s %s (%s): the run ends",
            told_words(aborted.held.threshold),
            at,
            when or f"for {aborted.crossed_s:.0f} s",
            value_words(aborted.held.threshold, aborted.held.value),
        )
        return True
