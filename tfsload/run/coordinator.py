"""The part of the process that leads a run: the master, or a process without workers.

It gives out leases, merges what participants measured, notices lost workers, and at the end waits until
every participant has handed over the rest.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import gevent
from locust.runners import STATE_RUNNING, MasterRunner

from tfsload.load.leases import Leases
from tfsload.records.recorder import merge_plain, n_ended
from tfsload.run import messages, processes
from tfsload.run.headcount import Headcount
from tfsload.run.results import Results
from tfsload.run.roster import OTHER_VERSION, STRANGER, Roster
from tfsload.run.vigil import Vigil
from tfsload.target.references import References
from tfsload.transport.words import redacted, sentence

logger = logging.getLogger(__name__)

# How often lost workers are looked for and the own process's records are taken in.
WATCH_INTERVAL_S = 0.5
# How long participants may take to stop their users and hand over the rest, beside Locust's --stop-timeout.
DRAIN_LIMIT_S = 15
DRAIN_POLL_S = 0.02
# Clocks of workers that differ by less are taken to be the same: a message takes its time, too.
SAME_CLOCK_NS = 250_000_000
# A lease is small enough that losing a worker costs little and the end is shared out evenly,
# and large enough that its message costs little.
MAX_REQUESTS_PER_LEASE = 100
LEASES_PER_WORKER = 20


class Coordinator:
    """Leads one run after another.

    Attributes:
        results: of the run under way or last ended; None before the first.
        probe: the number of a search's probe under way; None: there is none.
    """

    def __init__(
        self,
        environment: Any,
        runner: Any,
        on_finished: Callable[[], None],
        own_report: Callable[[], dict[str, Any] | None] | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Listen to participants.

        Args:
            environment, runner: Locust's.
            on_finished: called, in a greenlet of its own, when each image was fired, or when nobody can fire any.
            own_report: the report of the participant in this same process, where there is one.
            clock_s: the time.
        """
        self._environment = environment
        self._runner = runner
        self._on_finished = on_finished
        self._own_report = own_report
        self._number = 0
        self._is_open = False
        self._is_ending = False
        self._leases: Leases | None = None
        self._references: list[list[Any]] | None = None  # of the run under way, as a message holds them
        self._roster, self._headcount = Roster(runner), Headcount(environment, runner)
        self._n_arrived: Counter[str] = Counter()  # requests outside leases, by worker
        self._watcher: gevent.Greenlet | None = None
        self._unix_offset_ns = 0  # add it to time.perf_counter_ns() for nanoseconds since 1970
        self._clock_s = clock_s
        self._begun_s = self._looked_s = 0.0
        self._vigil = Vigil(runner)
        self.probe: int | None = None
        self.results: Results | None = None
        environment.events.worker_report.add_listener(self._on_worker_report)
        for message, listener in (
            (messages.JOINED, self._on_joined),
            (messages.LEASE_WANTED, self._on_lease_wanted),
            (messages.LEASE_DONE, self._on_lease_done),
            (messages.REFERENCES_WANTED, self._on_references_wanted),
            (messages.PULSE, self._on_pulse),
            (messages.DRAINED, self._on_drained),
            (messages.UNFIT, self._on_unfit),
        ):
            runner.register_message(message, listener)

    @property
    def number(self) -> int:
        """Which run of this process's is under way or was the last."""
        return self._number

    @property
    def has_begun(self) -> bool:
        """Whether a run has ever begun."""
        return self._number > 0

    @property
    def running_users(self) -> set[str]:
        """Workers that take part and run at least one user."""
        return self._roster.with_users() - set(self.results.unfit_workers)

    @property
    def is_open(self) -> bool:
        """Whether a run is under way."""
        return self._is_open

    @property
    def is_ending(self) -> bool:
        """Whether the run under way is being stopped."""
        return self._is_open and self._is_ending

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return self._clock_s() - self._begun_s

    def begin(
        self,
        n_requests: int | None,
        data_fingerprint: str = "",
        references: References | None = None,
        give_up_after_s: float | None = None,
    ) -> None:
        """Begin a run, clean of the last one (on `test_start`, before any user is spawned).

        Args:
            n_requests: requests to make, each exactly once; None: no limit.
            data_fingerprint: of the images; workers that have others do not take part.
            references: answers recorded without load, with which workers compare theirs; None: they do not.
            give_up_after_s: seconds in which requests are sent and none is answered, which end the run; None: none do.
        """
        self._number += 1
        options = vars(self._environment.parsed_options)
        options[messages.RUN_NUMBER_OPTION] = self._number
        options[messages.PROTOCOL_OPTION] = messages.PROTOCOL
        options[messages.RUN_DATA_OPTION] = data_fingerprint
        self._references = references.to_plain() if references else None
        options[messages.FORKED_BY_OPTION] = processes.forked_by() if options.get("processes") else None
        self._roster.begin()
        self._vigil = Vigil(self._runner, give_up_after_s)
        self._n_arrived = Counter()
        self.results = Results(n_requests=n_requests, begun_unix_s=time.time())
        n_workers = len(self.live_workers())
        self._leases = None
        if n_requests is not None:
            share = n_requests // (LEASES_PER_WORKER * max(n_workers, 1))
            self._leases = Leases(n_requests, min(max(share, 1), MAX_REQUESTS_PER_LEASE))
        self._unix_offset_ns = time.time_ns() - time.perf_counter_ns()
        self._begun_s = self._looked_s = self._clock_s()
        self._is_open = True
        self._is_ending = False
        self._watcher = gevent.spawn(self._watch)

    def begin_to_end(self) -> None:
        """Know that users are being stopped, so that leases come back half done (on `test_stopping`)."""
        if self._is_open and not self._is_ending:
            self.results.attendance.end()
            self.results.ended_unix_s = time.time()
            self.results.n_users, self.results.n_users_asked = self._headcount.at_the_end()
        self._is_ending = True

    def end(self) -> None:
        """Wait until every participant has handed over the rest (on `test_stop`)."""
        if not self._is_open:
            return
        if self._watcher is not None:
            self._watcher.kill(block=False)
        if isinstance(self._runner, MasterRunner):
            self._drain()
        self._is_open = False

    def refresh(self) -> None:
        """Take in what the participant in this process has recorded, if there is one."""
        report = self._own_report() if self._own_report else None
        if report is not None:
            self.take_report("local", report)

    def _drain(self) -> None:
        self._roster.end()
        self._runner.send_message(messages.DRAIN, {"run": self._number})
        limit = self._clock_s() + DRAIN_LIMIT_S + self._environment.stop_timeout
        while waiting := self._roster.to_hand_over():
            gone = waiting - self.live_workers()
            for worker in gone:
                self._lose(worker)
            if waiting == gone:
                return
            if self._clock_s() > limit:
                for worker in waiting - gone:
                    logger.error("Worker %s did not hand over its last results in time", worker)
                    self._lose(worker)
                return
            gevent.sleep(DRAIN_POLL_S)

    def live_workers(self) -> set[str]:
        """Return the workers that are heard of; a process without workers is its own."""
        return self._roster.live()

    def _watch(self) -> None:
        while True:
            gevent.sleep(WATCH_INTERVAL_S)
            live = self.live_workers()
            self.results.lost_workers -= live  # heard of again; what it held is with others, it may hold anew
            self._look_at_users()
            for worker in self._roster.gone() - self.results.lost_workers:
                self._lose(worker)
            self.refresh()
            if self._vigil.is_over(self.results, self._leases, live - set(self.results.unfit_workers)):
                gevent.spawn(self._on_finished)

    def _look_at_users(self) -> None:
        """Add up who runs, once all users of a ramp are there; say which workers do not take part."""
        now_s = self._clock_s()
        seconds, self._looked_s = now_s - self._looked_s, now_s
        if self._runner.state == STATE_RUNNING and not self._is_ending:
            taking_part = self._roster.with_users() - set(self.results.unfit_workers)
            self.results.attendance.add(seconds, self._headcount.asked_for(), self._headcount.running(taking_part))
        for worker in self._roster.strangers(seconds) - set(self.results.unfit_workers):
            self._refuse(worker, STRANGER)

    def _lose(self, worker: str) -> None:
        if worker in self.results.lost_workers:
            return
        if worker not in self._roster.joined and not self._misses_users():
            return  # it never ran a user, and none is missing: it had nothing to lose
        self.results.lost_workers.add(worker)
        taken_back = self._leases.lose(worker) if self._leases else []
        logger.warning(
            "Worker %s was lost%s",
            worker,
            f"; {sum(map(len, taken_back))} requests that it held go to others" if taken_back else "",
        )

    def _misses_users(self) -> bool:
        if self._is_ending:
            return self.results.n_users < self.results.n_users_asked
        return self._runner.user_count < self._runner.target_user_count

    def is_of_this_run(self, msg: Any) -> bool:
        """Whether a message belongs to the run under way."""
        return self._is_open and msg.data["run"] == self._number

    def _on_worker_report(self, client_id: str, data: dict[str, Any]) -> None:
        report = data.pop(messages.REPORT_KEY, None)
        if report is not None and self._is_open and report["run"] == self._number:
            self.take_report(client_id, report)

    def take_report(self, worker: str, report: dict[str, Any]) -> None:
        """Take in what a worker has recorded outside leases."""
        if worker in self.results.unfit_workers:
            return  # it has measured something else, and may write it otherwise
        self._n_arrived[worker] += n_ended(report["rows"])
        self._merge(report["rows"], report)

    def _merge(self, rows: list[dict[str, Any]], data: dict[str, Any]) -> None:
        # Both clocks go on evenly from the run's beginning: a wall clock that is set in the middle moves no record.
        shift_ns = time.perf_counter_ns() + self._unix_offset_ns - data["unix_ns"]
        merge_plain(self.results.records, rows, shift_ns if abs(shift_ns) > SAME_CLOCK_NS else 0)

    def _on_joined(self, environment: Any, msg: Any) -> None:  # noqa: ARG002  (Locust's names)
        if self.is_of_this_run(msg):
            if msg.data.get("protocol") != messages.PROTOCOL:
                self._refuse(msg.node_id, OTHER_VERSION)
                return
            if self.results.unfit_workers.get(msg.node_id) == STRANGER:
                del self.results.unfit_workers[msg.node_id]  # it has only been slow
            self._roster.joined.add(msg.node_id)
            n_workers = len(self._roster.joined - self.results.lost_workers)
            self.results.n_workers = max(self.results.n_workers, n_workers)

    def _on_lease_wanted(self, environment: Any, msg: Any) -> None:  # noqa: ARG002  (Locust's names)
        if not self.is_of_this_run(msg):
            return
        self.results.lost_workers.discard(msg.node_id)
        self._leases.keep_only(msg.node_id, msg.data["held"])
        lease = None if msg.node_id in self.results.unfit_workers else self._leases.grant(msg.node_id)
        data = {"run": self._number, "lease": lease and [lease.number, lease.start, lease.stop]}
        self._runner.send_message(messages.LEASE, data, client_id=msg.node_id)

    def _on_references_wanted(self, environment: Any, msg: Any) -> None:  # noqa: ARG002  (Locust's names)
        if self.is_of_this_run(msg) and self._references is not None:
            data = {"run": self._number, "rows": self._references}
            self._runner.send_message(messages.REFERENCES, data, client_id=msg.node_id)

    def _on_lease_done(self, environment: Any, msg: Any) -> None:  # noqa: ARG002  (Locust's names)
        if not self.is_of_this_run(msg):
            return
        if not self._leases.deliver(msg.data["lease"]):
            self.results.n_discarded += n_ended(msg.data["rows"])
            return
        self._merge(msg.data["rows"], msg.data)
        self.results.n_done = self._leases.done
        if self._leases.is_finished:
            # Not here: this may be the greenlet that receives messages, and ending a run waits for some.
            gevent.spawn(self._on_finished)

    def _on_pulse(self, environment: Any, msg: Any) -> None:  # noqa: ARG002  (Locust's names)
        if not self.is_of_this_run(msg):
            return
        self._vigil.take(msg.node_id, msg.data, self._clock_s(), self.probe)
        self.results.n_discarded += msg.data["n_discarded"]
        if self._leases:
            self._leases.keep_only(msg.node_id, msg.data["held"], msg.data["newest"])

    def _on_drained(self, environment: Any, msg: Any) -> None:  # noqa: ARG002  (Locust's names)
        if not self.is_of_this_run(msg):
            return
        self._roster.drained.add(msg.node_id)
        self.results.lost_workers.discard(msg.node_id)
        still_open = dict(msg.data["open"])
        for row in () if msg.node_id in self.results.unfit_workers else msg.data["rows"]:
            if row["lease"] is None:
                self.take_report(msg.node_id, {"rows": [row], "unix_ns": msg.data["unix_ns"]})
            elif self._takes_part(row["lease"], still_open[row["lease"]]):
                self._merge([row], msg.data)
            else:
                self.results.n_discarded += n_ended([row])
        self.results.is_broken |= msg.data["is_broken"]
        self.results.n_unaccounted += max(msg.data["n_reported"] - self._n_arrived[msg.node_id], 0)
        if self._leases:
            self._leases.lose(msg.node_id)
            self.results.n_done = self._leases.done

    def _takes_part(self, lease: int, n_open: int) -> bool:
        # While the run goes on, the whole lease is given to another: which part of it was made is not known.
        return self._is_ending and self._leases.deliver(lease, n_open)

    def _on_unfit(self, environment: Any, msg: Any) -> None:  # noqa: ARG002  (Locust's names)
        if self.is_of_this_run(msg):
            self._refuse(msg.node_id, sentence(redacted(msg.data["reason"])))

    def _refuse(self, worker: str, why: str) -> None:
        self.results.unfit_workers[worker] = why
        logger.error("Worker %s cannot take part: %s", worker, why)
        if self.live_workers() <= set(self.results.unfit_workers):
            gevent.spawn(self._on_finished)  # nobody is left to make the requests
