"""What a process has measured, by level of load and lease."""

import operator
import time
from collections.abc import Sequence
from typing import Any

from tfsload.records import mismatch, together
from tfsload.records.half_seconds import BATCH, HalfSeconds, Limit
from tfsload.records.histogram import Histogram
from tfsload.records.level_counts import LevelCounts
from tfsload.records.mismatch import Mismatch
from tfsload.records.quiet_times import LEAST_NS, QuietTimes
from tfsload.records.record import Record
from tfsload.records.seconds import (
    BITS,
    FAILED,
    IMAGES,
    IN_FLIGHT_NS,
    MISMATCHED,
    SHIFTED_FROM,
    UNJUDGED,
    WRONG,
    Seconds,
)
from tfsload.records.window import BETWEEN_LEVELS, UNCOUNTED, WHOLE_RUN, Window
from tfsload.transport import failure as failures
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.servable import Servable


class Recorder:
    """Keeps a `Record` for each level and lease, and knows which level a request belongs to.

    Attributes:
        unix_offset_ns: what is to be added to `time.perf_counter_ns()` for nanoseconds since 1970.
        window: of the level being measured, or that was measured last.
        waiting: answered requests that are not counted yet: whoever appends one calls `settle` at `together.BATCH`.
            Whatever hands out counts, or changes what requests belong to, does so first.
        quiet_times: times in which no request was sent or ended.
        judging_ns: for how long user classes judged answers by themselves, by the level in whose window they began to:
            whoever judges adds to it, and the next records that are handed over of a level take it along.
    """

    def __init__(
        self,
        unix_offset_ns: int = 0,
        counts_later: bool = False,
        limits: Sequence[Limit] = (),
        within_ns: Sequence[int] = (),
        is_labelled: bool = True,
    ) -> None:
        """Start empty.

        Args:
            unix_offset_ns: add it to `time.perf_counter_ns()` for nanoseconds since 1970.
            counts_later: whether the first requests do not count: they do within the windows of levels only, or after a
                warm-up.
            limits: of thresholds, for which requests are counted by half-second.
            within_ns: limits on latency, each once: images are counted that are answered rightly within them.
            is_labelled: whether images have labels; of others no answer counts as wrong.
        """
        self.unix_offset_ns = unix_offset_ns
        self._records: dict[tuple[int, int | None], Record] = {}
        self._windows: list[Window] = []  # all that were measured, for requests that end late
        self._limits = limits
        self._within_ns = within_ns
        self._is_labelled = is_labelled
        self.waiting: list[together.Answered] = []
        self.quiet_times = QuietTimes()
        self.judging_ns: dict[int, int] = {}
        self._has_thresholds = bool(limits or within_ns)
        # Where seconds and half-seconds begin, and how long they go on, by level; of a whole run nobody knows.
        self._spans_ns = {WHOLE_RUN.level: (-unix_offset_ns, 0)}
        self.window = BETWEEN_LEVELS if counts_later else WHOLE_RUN

    def to_unix_ns(self, clock_ns: int) -> int:
        """Return an instant of `time.perf_counter_ns`'s clock in nanoseconds since 1970."""
        return clock_ns + self.unix_offset_ns

    def now_unix_ns(self) -> int:
        """Return what the clock of these records shows: it goes on evenly, whatever the wall clock is set to."""
        return self.to_unix_ns(time.perf_counter_ns())

    def measure(self, window: Window) -> None:
        """Measure a level in this window from now on."""
        self.settle()
        self.window = window
        self._windows.append(window)
        self._spans_ns[window.level] = (window.begin_ns, window.duration_ns)

    def measure_all(self) -> None:
        """Count all from now on, in a run without levels whose warm-up is over."""
        self.settle()
        self.window = WHOLE_RUN

    def settle(self) -> None:
        """Count what waits: together where that can be done, else one by one."""
        waiting, self.waiting = self.waiting, []
        if waiting and waiting[-1][4] - self.quiet_times.until_ns >= LEAST_NS:
            self.quiet_times.note(waiting)
        elif waiting and waiting[-1][4] > self.quiet_times.until_ns:
            self.quiet_times.until_ns = waiting[-1][4]
        waiting = waiting if self._is_labelled else [(one[1], *one[1:]) for one in waiting]  # as in `record`
        window = self.window
        for lease, columns in together.by_lease(waiting):
            if together.can_count(window, columns):
                record = self._record(window.level, lease)
                if together.count(record, window, columns, self.unix_offset_ns, bool(self._limits), self._within_ns):
                    continue
            requests = zip(*columns, strict=True)
            for labels, predicted, due_ns, sent_ns, done_ns, _, n_mismatched, answered_by, first_image in requests:
                times_ns = due_ns, sent_ns, done_ns
                self.record(labels, predicted, None, *times_ns, lease, n_mismatched, None, answered_by, first_image)

    # Long because the hot path calls nothing that it could do itself.
    def record(
        self,
        labels: Sequence[int],
        predicted: Sequence[int] | None,
        failure: PredictionFailure | None,
        due_ns: int,
        sent_ns: int,
        done_ns: int,
        lease: int | None,
        n_mismatched: int | None = None,
        example: Mismatch | None = None,
        answered_by: Servable | None = None,
        first_image: int | None = None,
    ) -> int:
        """Count one request that ended.

        Args:
            labels, predicted, failure: as of `Record.add`.
            due_ns: when it was due (open load) or sent, on `time.perf_counter_ns`'s clock.
            sent_ns, done_ns: when it left and when it ended.
            lease: the lease that it was given out with, or None.
            n_mismatched: images whose scores differ from those recorded without load; None: not compared.
            example: one of them, if there are any.
            answered_by: the model that answered; None: there was no answer.
            first_image: the position of its first image in the data set; None: images are not told apart.

        Returns:
            The level that it belongs to, `UNCOUNTED` where it is in no level's window as a whole.
        """
        if not self._is_labelled and predicted is not None:
            labels = predicted  # with which no answer is at odds
        quiet_times = self.quiet_times
        if done_ns - quiet_times.until_ns >= LEAST_NS:
            quiet_times.note(self.waiting, sent_ns, done_ns)
        elif done_ns > quiet_times.until_ns:
            quiet_times.until_ns = done_ns
        window = self.window
        if due_ns < window.begin_ns or done_ns >= window.end_ns:
            window = self._window_around(labels, predicted, due_ns, sent_ns, done_ns, lease)
        record = self._records.get((window.level, lease)) or self._record(window.level, lease)
        n_images, latency_ns = len(labels), done_ns - due_ns
        record.add(labels, predicted, failure, latency_ns, done_ns + self.unix_offset_ns)
        if n_mismatched is not None:
            record.compared += n_images
            record.mismatched += n_mismatched
            if example is not None:
                record.mismatch = mismatch.least(record.mismatch, example)
        if answered_by is not None:
            record.servables[answered_by] += 1
        if window is not BETWEEN_LEVELS:
            if self._has_thresholds:
                if self._limits:
                    batch = record.half_seconds.batch
                    batch.append((due_ns, sent_ns, done_ns, failure is None))
                    if len(batch) >= BATCH:
                        record.half_seconds.fill()
                if self._within_ns and predicted is not None:
                    n_right = n_images
                    if predicted != labels:
                        n_right = _n_right(labels, predicted) if n_images > 1 else 0
                    for within_ns in self._within_ns:
                        if latency_ns <= within_ns:
                            record.right[within_ns] = record.right.get(within_ns, 0) + n_right
            seconds = record.seconds
            if not seconds.begin_ns <= done_ns < seconds.end_ns:
                seconds.turn(done_ns)
            counts = seconds.now
            counts[IMAGES] += n_images
            if predicted is None:
                counts[FAILED] += n_images
                if failure is not None and failure.code == failures.UNJUDGED:
                    counts[UNJUDGED] += n_images
                if first_image is not None:
                    unanswered = record.images.unanswered
                    unanswered[first_image] = unanswered.get(first_image, 0) + 1
            else:
                shift = latency_ns.bit_length() - SHIFTED_FROM  # as of `bucket_of`
                bucket = latency_ns if shift <= 0 else (shift << BITS) + (latency_ns >> shift)
                buckets = seconds.now_latencies
                buckets[bucket] = buckets.get(bucket, 0) + 1
                if predicted != labels:  # hardly ever, and then most images are right
                    for place, answer in enumerate(predicted):
                        if answer != labels[place]:
                            counts[WRONG] += 1
                            if first_image is not None:
                                misread, key = record.images.misread, (first_image + place, answer)
                                misread[key] = misread.get(key, 0) + 1
            if first_image is not None:
                fired = record.images.fired
                fired[first_image] = fired.get(first_image, 0) + 1
            if n_mismatched:
                counts[MISMATCHED] += n_mismatched
            if sent_ns >= seconds.begin_ns:
                counts[IN_FLIGHT_NS] += done_ns - sent_ns
            else:
                seconds.spread(sent_ns, done_ns)
        if window.slice_ns:
            record.in_flight_ns += done_ns - sent_ns
            if failure is None:
                record.add_to_slice((done_ns - window.begin_ns) // window.slice_ns, done_ns - due_ns)
            if window.is_open_load:
                record.lag.record(sent_ns - due_ns)
        return window.level

    def _window_around(
        self,
        labels: Sequence[int],
        predicted: Sequence[int] | None,
        due_ns: int,
        sent_ns: int,
        done_ns: int,
        lease: int | None,
    ) -> Window:
        """Return the window that holds a request as a whole; where there is none, book it as straddling others."""
        for window in self._windows:
            if window.begin_ns <= due_ns and done_ns < window.end_ns:
                return window
            if due_ns < window.end_ns and done_ns >= window.begin_ns:
                record = self._straddle(window, sent_ns, done_ns, lease)
                if predicted is None:
                    record.failed_later += window.begin_ns <= due_ns
                elif done_ns < window.end_ns:
                    record.add_to_slice((done_ns - window.begin_ns) // window.slice_ns, done_ns - due_ns)
                    for within_ns in self._within_ns:
                        if done_ns - due_ns <= within_ns:
                            record.right[within_ns] = record.right.get(within_ns, 0) + _n_right(labels, predicted)
        return BETWEEN_LEVELS

    def _straddle(self, window: Window, sent_ns: int, end_ns: int, lease: int | None) -> Record:
        record = self._record(window.level, lease)
        record.straddling += 1
        record.in_flight_ns += window.overlap_ns(sent_ns, end_ns)
        record.seconds.spread(max(sent_ns, window.begin_ns), min(end_ns, window.end_ns))
        return record

    def count_cut_off(self, due_ns: int, sent_ns: int, now_ns: int, lease: int | None, given_up: bool = False) -> None:
        """Count a request that was in flight when its user was stopped, or that user code has given up."""
        for window in self._windows:
            if due_ns < window.end_ns and now_ns >= window.begin_ns:
                self._straddle(window, sent_ns, now_ns, lease)
        is_whole_run = self.window is WHOLE_RUN
        record = self._record(WHOLE_RUN.level if is_whole_run else UNCOUNTED, lease)
        record.cut_off += not given_up
        record.given_up += given_up
        if is_whole_run:
            record.seconds.spread(sent_ns, now_ns)
            record.waited = record.waited or Histogram()
            record.waited.record(now_ns - due_ns)
            record.half_seconds.add_cut_off(due_ns, now_ns)

    def count_offered(self, due_ns: int) -> None:
        """Count an arrival of open load that was due."""
        if (record := self._record_at(due_ns)) is not None:
            record.offered += 1

    def count_sent(self, due_ns: int) -> None:
        """Count an arrival that a user sends."""
        if (record := self._record_at(due_ns)) is not None:
            record.sent += 1

    def count_dropped(self, due_ns: int) -> None:
        """Count an arrival for which no user was free."""
        if (record := self._record_at(due_ns)) is not None:
            record.dropped += 1
            record.half_seconds.add_dropped(due_ns)
            record.seconds.add_dropped(due_ns)

    def _record_at(self, due_ns: int) -> Record | None:
        """Return the record of the level in whose window an arrival falls; None outside all."""
        for window in reversed(self._windows):
            if window.begin_ns <= due_ns < window.end_ns:
                return self._record(window.level, None)
        return None

    def counts_so_far(self, now_ns: int) -> LevelCounts | None:
        """Return what has been counted of the level under way and not been taken; None while none is measured."""
        self.settle()
        window = self.window
        if not (window.slice_ns and window.begin_ns < now_ns < window.end_ns):
            return None
        record = self._records.get((window.level, None)) or Record()
        return LevelCounts.of(window.level, record, (now_ns - window.begin_ns) / 1e9)

    def stamp(self) -> dict[str, int]:
        """Return what goes with all that is handed over: of when it is, and what is not handed over yet.

        Returns:
            `unix_ns`: what the clock of these records shows, and `n_undelivered`: requests that count and were answered
            under leases that were not taken.
        """
        self.settle()
        held = [one for (level, lease), one in self._records.items() if lease is not None and level != UNCOUNTED]
        n_undelivered = sum(record.requests - record.failed_requests for record in held)
        return {"unix_ns": self.now_unix_ns(), "n_undelivered": n_undelivered}

    def take(self, lease: int) -> list[dict[str, Any]]:
        """Hand over all that was recorded under a lease: plain data as `merge_plain` reads it."""
        self.settle()
        return self._take([key for key in self._records if key[1] == lease])

    def take_all(self, is_sent: bool = True) -> list[dict[str, Any]]:
        """Hand over all that was recorded and not yet taken; not sent, but in this process: the records themselves."""
        self.settle()
        return (self._take if is_sent else self._take_records)(list(self._records))

    def take_unleased(self) -> list[dict[str, Any]]:
        """Hand over all that was recorded outside leases."""
        return self._take(self._unleased())

    def take_unleased_records(self) -> list[dict[str, Any]]:
        """Hand over the same to who is in this process: the records themselves, since nothing is written and read."""
        return self._take_records(self._unleased())

    def _unleased(self) -> list[tuple[int, int | None]]:
        self.settle()
        return [key for key in self._records if key[1] is None]

    def _record(self, level: int, lease: int | None) -> Record:
        record = self._records.get((level, lease))
        if record is None:
            if level in self._spans_ns:
                origin_ns, duration_ns = self._spans_ns[level]
                record = Record(HalfSeconds(self._limits, origin_ns), Seconds.lasting(origin_ns, duration_ns))
            else:
                record = Record()
            self._records[level, lease] = record
        return record

    def _take(self, keys: list[tuple[int, int | None]]) -> list[dict[str, Any]]:
        return [{**row, "record": row["record"].to_plain()} for row in self._take_records(keys)]

    def _take_records(self, keys: list[tuple[int, int | None]]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for level, lease in keys:
            record = self._records.pop((level, lease))
            record.judging_ns += self.judging_ns.pop(level, 0)
            rows.append({"level": level, "lease": lease, "record": record})
        return rows


def _n_right(labels: Sequence[int], predicted: Sequence[int]) -> int:
    return sum(map(operator.eq, labels, predicted))


def merge_plain(into: dict[int, Record], rows: list[dict[str, Any]], shift_ns: int = 0) -> None:
    """Merge what recorders handed over into records by level.

    Args:
        into: is added to.
        rows: from `take` and its like, with records or with what can be sent of them.
        shift_ns: what their clock is behind ours.
    """
    for row in rows:
        record = row["record"] if isinstance(row["record"], Record) else Record.from_plain(row["record"])
        record.shift(shift_ns)
        if shift_ns and row["level"] == WHOLE_RUN.level:
            record.half_seconds.shift(shift_ns)
            record.seconds.shift(shift_ns, record.first_sent_unix_ns, record.last_done_unix_ns)
        into.setdefault(row["level"], Record()).merge(record)


def n_ended(rows: list[dict[str, Any]]) -> int:
    """Return how many requests ended, over all rows."""
    return sum(one.requests if isinstance(one, Record) else one["requests"] for one in (row["record"] for row in rows))
