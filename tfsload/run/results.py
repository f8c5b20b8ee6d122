"""What has arrived of a run at the process that leads it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tfsload.analysis.abort import Aborted
from tfsload.analysis.attendance import Attendance
from tfsload.analysis.level_result import LevelResult, level_result
from tfsload.analysis.levels import finding_of, level_row
from tfsload.analysis.limit import Finding
from tfsload.analysis.thresholds import Threshold
from tfsload.records.level import LevelRun
from tfsload.records.record import Record
from tfsload.records.window import UNCOUNTED


class Tally(NamedTuple):
    """How much was done so far.

    Attributes:
        requests: requests that ended, answered or not.
        predictions: images in them.
        wrong, failed: of these, answered wrongly, and not at all.
        answered: requests that were answered.
        mismatched, dropped: as of `tfsload.records.record.Record`.
    """

    requests: int = 0
    predictions: int = 0
    wrong: int = 0
    failed: int = 0
    answered: int = 0
    mismatched: int = 0
    dropped: int = 0


@dataclass
class Pace:
    """How fast a worker was answered, by its own clock, as far as it has reported.

    Attributes:
        answered: requests that count and were answered.
        n_undelivered: further ones, under leases that it has not worked off.
        first_sent_unix_ns, until_unix_ns: when it sent the first that counts, and when it last reported; 0: never.
    """

    answered: int = 0
    n_undelivered: int = 0
    first_sent_unix_ns: int = 0
    until_unix_ns: int = 0

    def take(self, rows: list[dict[str, Any]], unix_ns: int, n_undelivered: int = 0) -> None:
        """Take in what it has reported, as its clock showed `unix_ns`: also that nothing has ended, as in a hang."""
        for row in rows:
            record = row["record"]
            counts: Mapping[str, Any] = vars(record) if isinstance(record, Record) else record
            if row["level"] == UNCOUNTED or not counts["requests"]:
                continue
            self.answered += counts["requests"] - counts["failed_requests"]
            first_ns = counts["first_sent_unix_ns"]
            self.first_sent_unix_ns = min(self.first_sent_unix_ns or first_ns, first_ns)
        self.n_undelivered = n_undelivered
        self.until_unix_ns = max(self.until_unix_ns, unix_ns)

    @property
    def rate_rps(self) -> float | None:
        """Answers a second; None: nothing that counts was reported."""
        span_ns = self.until_unix_ns - self.first_sent_unix_ns
        if not self.first_sent_unix_ns or span_ns <= 0:
            return None
        return (self.answered + self.n_undelivered) / (span_ns / 1e9)


@dataclass
class Results:
    """What has arrived of a run.

    Attributes:
        records: what was measured, by level.
        paces: how fast each worker was answered.
        told_until_unix_ns: until when each worker has told what it did, on the clock of this process.
        n_requests: with `--num-tests`: requests to make, each once; else None.
        n_done: with `--num-tests`: requests delivered.
        n_warm_up_left: requests to make and deliver before those, which do not count.
        lost_workers: workers that went away with what they had not yet reported.
        stalled: why the run was ended although requests were left; empty: it was not.
        gave_up_after_s: seconds without an answer after which the run was given up; None: it was not.
        aborted: by which threshold the run was ended; None: by none.
        n_unaccounted: requests that workers reported and that did not arrive.
        n_discarded: requests of workers that left in the middle of a lease, which others then were given.
        held_up: when processes stood still, by worker: since when, in ns since 1970 by our clock, and how long in ns.
        behind_ns: by how much the records' clock is behind ours, where it is taken to be the same.
        is_broken: whether an exception escaped in a worker, from a listener, say.
        unfit_workers: why a worker could not take part, by worker.
        n_workers: most workers at once.
        n_workers_left: those of them that were there until the end; None: it has not ended.
        attendance: users that ran, over the whole run, against those that were asked for.
        n_users, n_users_asked: users when the run began to end, and those that were asked for.
        levels: how each level was run that has ended.
        findings: of a search's probes: whether each holds all thresholds, by its number.
        n_levels_left: levels that were planned and not measured.
        is_labelled: whether the images have labels, so that answers are right or wrong.
        begun_unix_s, ended_unix_s: when the run began, and when it began to end, in seconds since 1970; 0: not known.
    """

    records: dict[int, Record] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)
    told_until_unix_ns: dict[str, int] = field(default_factory=dict)
    n_requests: int | None = None
    n_done: int = 0
    n_warm_up_left: int = 0
    lost_workers: set[str] = field(default_factory=set)
    stalled: str = ""
    gave_up_after_s: float | None = None
    aborted: Aborted | None = None
    n_unaccounted: int = 0
    n_discarded: int = 0
    held_up: dict[str, list[list[int]]] = field(default_factory=dict)
    behind_ns: int = 0
    is_broken: bool = False
    unfit_workers: dict[str, str] = field(default_factory=dict)
    n_workers: int = 0
    n_workers_left: int | None = None
    attendance: Attendance = field(default_factory=Attendance)
    n_users: int = 0
    n_users_asked: int = 0
    levels: list[LevelRun] = field(default_factory=list)
    findings: dict[int, Finding] = field(default_factory=dict)
    n_levels_left: int = 0
    is_labelled: bool = True
    begun_unix_s: float = 0.0
    ended_unix_s: float = 0.0

    def close_level(self, run: LevelRun, thresholds: tuple[Threshold, ...]) -> LevelResult:
        """Take note of a level that has ended; return what it came to, with what a search is to be told of it.

        Requests that lie across its end may still be reported: they are in none of its figures but `straddling`.
        """
        self.levels.append(run)
        row = level_row(run, self.records.get(run.level.number, Record()))
        if run.level.is_probe:
            self.findings[run.level.number] = finding_of(row, thresholds)
        return level_result(row, self.findings.get(run.level.number), self.is_labelled)

    @property
    def overall(self) -> Record:
        """All levels together, without what lies outside them."""
        total = Record()
        for level, record in self.records.items():
            if level != UNCOUNTED:
                total.merge(record)
        return total

    @property
    def tally(self) -> Tally:
        """What `overall` holds of this, for one who asks again and again: merging takes longer the longer a run is."""
        counted = [record for level, record in self.records.items() if level != UNCOUNTED]
        return Tally(
            sum(record.requests for record in counted),
            sum(record.predictions for record in counted),
            sum(record.wrong for record in counted),
            sum(sum(record.failed.values()) for record in counted),
            sum(record.requests - record.failed_requests for record in counted),
            sum(record.mismatched for record in counted),
            sum(record.dropped for record in counted),
        )

    def rate_rps(self, workers: Set[str]) -> float | None:
        """Return answers a second of these workers together; None: not all of them have reported any.

        Each report is of another age, so that what has arrived of all, by the time that has passed, is too little.
        """
        rates = [self.paces[worker].rate_rps if worker in self.paces else None for worker in workers]
        known = [rate_rps for rate_rps in rates if rate_rps is not None]
        return sum(known) if known and len(known) == len(rates) else None

    @property
    def uncounted(self) -> Record:
        """What lies outside all levels: warm-ups, and the time between levels."""
        return self.records.get(UNCOUNTED, Record())
