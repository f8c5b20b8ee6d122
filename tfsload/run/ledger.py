"""What the workers of a run owe: leases that are out, and reports on their way; and what has arrived of them."""

import time
from collections import Counter, defaultdict
from typing import Any

from tfsload.load.leases import Lease, Leases
from tfsload.records.recorder import merge_plain, n_ended
from tfsload.records.window import WHOLE_RUN
from tfsload.run.results import Pace, Results
from tfsload.run.worker_clock import WorkerClock

# A lease is small enough that losing a worker costs little and the end is shared out evenly,
# and large enough that its message costs little.
MAX_REQUESTS_PER_LEASE = 100
LEASES_PER_WORKER = 20


class Ledger:
    """Keeps the accounts of one run.

    Attributes:
        leases: of a run with `--num-tests`; else None.
    """

    def __init__(self, results: Results, n_workers: int) -> None:
        """Begin a run.

        Args:
            results: take what arrives; `n_requests` and `n_warm_up_left` of it say how many are to be made.
            n_workers: that are there by now.
        """
        self._results = results
        self._n_arrived: Counter[str] = Counter()  # requests outside leases, by worker
        # Add it to time.perf_counter_ns() for nanoseconds since 1970.
        self._unix_offset_ns = time.time_ns() - time.perf_counter_ns()
        self._clocks: defaultdict[str, WorkerClock] = defaultdict(WorkerClock)
        self._held_up: defaultdict[str, list[list[int]]] = defaultdict(list)  # as workers told it, by their clocks
        self._waiting: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)  # rows, until a clock is known
        self.leases: Leases | None = None
        if results.n_requests is not None:
            n, n_warm_up = results.n_requests, results.n_warm_up_left
            self.leases = Leases(n, _chunk(n, n_workers), n_warm_up, _chunk(n_warm_up, n_workers))

    def grant(self, worker: str, held: list[int], newest: int, is_fit: bool) -> Lease | None:
        """Give a worker that holds these leases a further one; None while nothing is free, or where it is unfit.

        One that asks again before it has heard gets the same again: it may have been lost, or the question waited here.

        Args:
            worker: asks.
            held: numbers of the leases that it holds.
            newest: the highest number that it knew of when it asked.
            is_fit: whether it has what the run is about.
        """
        if self.leases is None:
            return None
        self.leases.keep_only(worker, held, newest)
        if not is_fit:
            self.leases.keep_only(worker, held)
            return None
        return self.leases.on_its_way(worker, newest) or self.leases.grant(worker)

    @property
    def is_warming_up(self) -> bool:
        """Whether nothing that counts is given out yet."""
        return self.leases is not None and self.leases.is_warming_up

    def keep_only(self, worker: str, held: list[int], newest: int) -> None:
        """Take back what a worker no longer holds of the leases that it was given, up to the `newest` it knows of."""
        if self.leases:
            self.leases.keep_only(worker, held, newest)

    def hear(self, worker: str, unix_ns: int) -> None:
        """Hear of a worker, whose clock showed `unix_ns`: that tells whether its clock is another one."""
        now_ns = time.perf_counter_ns() + self._unix_offset_ns
        clock = self._clocks[worker]
        clock.hear(unix_ns, now_ns)
        if clock.is_settled(now_ns):
            self._merge_waiting(worker)

    def take_held_up(self, worker: str, spans: list[list[int]]) -> None:
        """Take in when a worker stood still: since when by its clock, and for how long, in ns; the latest, in order."""
        known = self._held_up[worker]
        known += [span for span in spans if not known or span[0] > known[-1][0]]
        self._tell_held_up()

    def _tell_held_up(self) -> None:
        """Tell who stood still by the clock of this process, which is known the better the more is heard."""
        for worker, spans in self._held_up.items():
            shift_ns = self._clocks[worker].shift_ns
            self._results.held_up[worker] = [[from_ns + shift_ns, lasted_ns] for from_ns, lasted_ns in spans]

    def settle(self) -> None:
        """Take in what waits for a clock to be known better: nothing more comes."""
        for worker in list(self._waiting):
            self._merge_waiting(worker)
        self._tell_held_up()
        # Of the one that is furthest behind is the earliest time in the records.
        self._results.behind_ns = max((clock.behind_ns for clock in self._clocks.values()), default=0)

    def lose(self, worker: str) -> int:
        """Take back what a worker holds; return how many requests go to others."""
        return sum(map(len, self.leases.lose(worker))) if self.leases else 0

    def take_lease(self, worker: str, lease: int, data: dict[str, Any]) -> bool:
        """Take in a lease that a worker has worked off, once; return whether that was the last."""
        if self.leases is None or not self.leases.deliver(lease):
            self._discard(data["rows"])
            return False
        self._merge(worker, data["rows"], data["unix_ns"], data["n_undelivered"])
        self._count(self.leases)
        return self.leases.is_finished

    def take_report(self, worker: str, rows: list[dict[str, Any]], unix_ns: int, n_undelivered: int = 0) -> None:
        """Take in what a worker has recorded outside leases, as its clock showed `unix_ns`.

        Args:
            worker: reports.
            rows: what it has recorded; none where nothing has ended, which is to be known too.
            unix_ns: what its clock showed.
            n_undelivered: requests that were answered under leases that it has not worked off.
        """
        self._n_arrived[worker] += n_ended(rows)
        self._merge(worker, rows, unix_ns, n_undelivered)

    def take_rest(self, worker: str, data: dict[str, Any], is_fit: bool, is_ending: bool) -> None:
        """Take in the last of a worker (a DRAINED message's data).

        Args:
            worker: hands it over.
            data: the message's.
            is_fit: whether it has measured what was asked for.
            is_ending: whether the run ends; while it goes on, a lease that is half done is given to another as a whole:
                which part of it was made is not known.
        """
        still_open = dict(data["open"])
        for row in data["rows"] if is_fit else ():
            lease = row["lease"]
            if lease is None:
                self.take_report(worker, [row], data["unix_ns"])
            elif is_ending and self.leases and self.leases.deliver(lease, still_open[lease]):
                self._merge(worker, [row], data["unix_ns"])
            else:
                self._discard([row])
        self._results.is_broken |= data["is_broken"]
        self._results.n_unaccounted += max(data["n_reported"] - self._n_arrived[worker], 0)
        if self.leases:
            self.leases.lose(worker)
            self._count(self.leases)

    def _count(self, leases: Leases) -> None:
        self._results.n_done, self._results.n_warm_up_left = leases.done, leases.n_warm_up_left

    def _discard(self, rows: list[dict[str, Any]]) -> None:
        self._results.n_discarded += n_ended(rows)

    def _merge(self, worker: str, rows: list[dict[str, Any]], unix_ns: int, n_undelivered: int = 0) -> None:
        self._results.paces.setdefault(worker, Pace()).take(rows, unix_ns, n_undelivered)
        self._waiting[worker] += [row for row in rows if row["level"] == WHOLE_RUN.level]
        # Both clocks go on evenly from the run's beginning: a wall clock that is set in the middle moves no record.
        self.hear(worker, unix_ns)
        shift_ns = self._clocks[worker].shift_ns
        # A level's seconds are of a window of each process's own clock; when the first was sent is of the run.
        merge_plain(self._results.records, [row for row in rows if row["level"] != WHOLE_RUN.level], shift_ns)
        self._results.told_until_unix_ns[worker] = unix_ns + shift_ns

    def _merge_waiting(self, worker: str) -> None:
        merge_plain(self._results.records, self._waiting.pop(worker, []), self._clocks[worker].shift_ns)


def _chunk(n_requests: int, n_workers: int) -> int:
    """Return how many requests a lease has."""
    share = n_requests // (LEASES_PER_WORKER * max(n_workers, 1))
    return min(max(share, 1), MAX_REQUESTS_PER_LEASE)
