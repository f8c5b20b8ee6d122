"""The part of the process that leads a run: the master, or a process without workers.

It hears participants: the roster knows who is here, the ledger what they owe, the vigil whether any of it can still
come. It notices lost workers, and at the end waits until every participant has handed over the rest.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import gevent
from locust.env import Environment
from locust.exception import RPCError
from locust.rpc import Message
from locust.runners import STATE_RUNNING, MasterRunner, Runner

from tfsload.records.level_counts import LevelCounts
from tfsload.run import messages, processes
from tfsload.run.headcount import Headcount
from tfsload.run.ledger import Ledger
from tfsload.run.results import Results
from tfsload.run.roster import OTHER_VERSION, STRANGER, Roster
from tfsload.run.vigil import Vigil
from tfsload.target.references import References
from tfsload.transport.call_spec import MNIST_EXAMPLE
from tfsload.transport.words import redacted, sentence

logger = logging.getLogger(__name__)

# How often lost workers are looked for and the own process's records are taken in.
WATCH_INTERVAL_S = 0.5
# How long participants may take to stop their users and hand over the rest, beside Locust's --stop-timeout.
DRAIN_LIMIT_S = 15
DRAIN_POLL_S = 0.02


class Coordinator:
    """Leads one run after another.

    Attributes:
        results: of the run under way or last ended; empty before the first.
        probe: the number of a search's probe under way; None: there is none.
        counted: what participants have counted of the level under way, as their last pulse has it.
    """

    def __init__(
        self,
        environment: Environment,
        runner: Runner,
        on_over: Callable[[], None],
        own_report: Callable[[], dict[str, Any] | None] | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Listen to participants.

        Args:
            environment, runner: Locust's.
            on_over: called, in a greenlet of its own, when each image was fired, nobody can fire any, or the server
                answers nobody.
            own_report: the report of the participant in this same process, where there is one.
            clock_s: the time.
        """
        self._environment = environment
        self._runner = runner
        self._on_over = on_over
        self._own_report = own_report
        self._number = 0
        self._is_open = False
        self._is_ending = False
        self.results = Results()
        self._ledger = Ledger(self.results, 0)  # of the run under way
        self._references: list[list[Any]] | None = None  # of the run under way, as a message holds them
        self._roster, self._headcount = Roster(runner), Headcount(environment, runner)
        self._watcher: gevent.Greenlet[[], None] | None = None
        self._clock_s = clock_s
        self._begun_s = self._looked_s = 0.0
        self._vigil = Vigil(runner)
        self.probe: int | None = None
        self.counted: dict[str, LevelCounts] = {}
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
        calls: str = MNIST_EXAMPLE.to_text(),
        references: References | None = None,
        give_up_after_s: float | None = None,
        n_warm_up: int = 0,
        is_labelled: bool = True,
    ) -> None:
        """Begin a run, clean of the last one (on `test_start`, before any user is spawned).

        Args:
            n_requests: requests to make, each exactly once; None: no limit.
            data_fingerprint: of the images; workers that have others do not take part.
            calls: how the model is called, as `calls_text` has it.
            references: answers recorded without load, with which workers compare theirs; None: they do not.
            give_up_after_s: seconds in which requests are sent and none is answered, which end the run; None: none do.
            n_warm_up: requests to make before those, which do not count.
            is_labelled: whether the images have labels.
        """
        self._number += 1
        options = vars(self._environment.parsed_options)
        options[messages.RUN_NUMBER_OPTION] = self._number
        options[messages.PROTOCOL_OPTION] = messages.PROTOCOL
        options[messages.RUN_DATA_OPTION] = data_fingerprint
        options[messages.CALL_SPEC_OPTION] = calls
        self._references = references.to_plain() if references else None
        self.counted.clear()
        options[messages.FORKED_BY_OPTION] = processes.forked_by() if options.get("processes") else None
        self._roster.begin()
        self._vigil = Vigil(self._runner, give_up_after_s)
        self.results = Results(
            n_requests=n_requests, n_warm_up_left=n_warm_up, is_labelled=is_labelled, begun_unix_s=time.time()
        )
        self._ledger = Ledger(self.results, len(self.live_workers()))
        self._begun_s = self._looked_s = self._clock_s()
        self._is_open = True
        self._is_ending = False
        self._watcher = gevent.spawn(self._watch)

    def begin_to_end(self) -> None:
        """Know that users are being stopped, so that leases come back half done (on `test_stopping`)."""
        if self._is_open and not self._is_ending:
            self.results.attendance.end()
            # Not the wall clock, which may have been set meanwhile: records go on evenly, too.
            self.results.ended_unix_s = self.results.begun_unix_s + self.elapsed_s
            self.results.n_users, self.results.n_users_asked = self._headcount.at_the_end()
        self._is_ending = True

    def end(self) -> None:
        """Wait until every participant has handed over the rest (on `test_stop`)."""
        if not self._is_open:
            return
        if self._watcher is not None:
            self._watcher.kill(block=False)
        self._roster.end()
        if isinstance(self._runner, MasterRunner):
            self._drain()
        self._ledger.settle()
        self.results.n_workers_left = len(self._roster.until_the_end - self.results.lost_workers)
        self._is_open = False

    def refresh(self) -> None:
        """Take in what the participant in this process has recorded, if there is one."""
        report = self._own_report() if self._own_report else None
        if report is not None:
            self.take_report("local", report)

    def _drain(self) -> None:
        self.tell(messages.DRAIN, {"run": self._number})
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

    def tell(self, message: str, data: dict[str, Any], worker: str | None = None) -> None:
        """Send to a worker, or to all (None); those that it does not reach are noticed by their silence."""
        try:
            self._runner.send_message(message, data, client_id=worker)
        except RPCError as error:
            logger.error("The message %s could not be sent to %s: %s", message, worker or "the workers", error)

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
            fit = live - set(self.results.unfit_workers)
            if self._vigil.is_over(self.results, self._ledger.leases, fit, self._roster.joined):
                gevent.spawn(self._on_over)

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
        self._count_workers()
        n_requests = self._ledger.lose(worker)
        logger.warning(
            "Worker %s was lost%s", worker, f"; {n_requests} requests that it held go to others" if n_requests else ""
        )

    def _count_workers(self) -> None:
        """Keep the most workers at once; one that was lost before it could say that it takes part is one of them."""
        lost, joined = self.results.lost_workers, self._roster.joined
        self.results.n_workers = max(self.results.n_workers, len((joined - lost) | (lost - joined)))

    def _misses_users(self) -> bool:
        if self._is_ending:
            return self.results.n_users < self.results.n_users_asked
        return self._runner.user_count < self._runner.target_user_count

    def is_of_this_run(self, msg: Message) -> bool:
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
        self._ledger.take_report(worker, report["rows"], report["unix_ns"], report["n_undelivered"])

    def _on_joined(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        if self.is_of_this_run(msg):
            if msg.data.get("protocol") != messages.PROTOCOL:
                self._refuse(msg.node_id, OTHER_VERSION)
                return
            if self.results.unfit_workers.get(msg.node_id) == STRANGER:
                del self.results.unfit_workers[msg.node_id]  # it has only been slow
            self._roster.joined.add(msg.node_id)
            self._count_workers()

    def _on_lease_wanted(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        if not self.is_of_this_run(msg):
            return
        self.results.lost_workers.discard(msg.node_id)
        is_fit = msg.node_id not in self.results.unfit_workers
        lease = self._ledger.grant(msg.node_id, msg.data["held"], msg.data["newest"], is_fit)
        data = {
            "run": self._number,
            "lease": lease and [lease.number, lease.start, lease.stop],
            "is_warming_up": self._ledger.is_warming_up,
        }
        self.tell(messages.LEASE, data, msg.node_id)

    def _on_references_wanted(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        if self.is_of_this_run(msg) and self._references is not None:
            data = {"run": self._number, "rows": self._references}
            self.tell(messages.REFERENCES, data, msg.node_id)

    def _on_lease_done(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        if self.is_of_this_run(msg) and self._ledger.take_lease(msg.node_id, msg.data["lease"], msg.data):
            # Not here: this may be the greenlet that receives messages, and ending a run waits for some.
            gevent.spawn(self._on_over)

    def _on_pulse(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        if not self.is_of_this_run(msg):
            return
        self._ledger.hear(msg.node_id, msg.data["unix_ns"])
        self._vigil.take(msg.node_id, msg.data, self._clock_s(), self.probe)
        if msg.data["counted"] is not None:
            self.counted[msg.node_id] = LevelCounts.from_plain(msg.data["counted"])
        self.results.n_discarded += msg.data["n_discarded"]
        if msg.data["held_up"]:
            self._ledger.take_held_up(msg.node_id, msg.data["held_up"])
        self._ledger.keep_only(msg.node_id, msg.data["held"], msg.data["newest"])

    def _on_drained(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        if not self.is_of_this_run(msg):
            return
        self._roster.drained.add(msg.node_id)
        self.results.lost_workers.discard(msg.node_id)
        is_fit = msg.node_id not in self.results.unfit_workers
        self._ledger.take_rest(msg.node_id, msg.data, is_fit, self._is_ending)

    def _on_unfit(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        if self.is_of_this_run(msg):
            self._refuse(msg.node_id, sentence(redacted(msg.data["reason"])))

    def _refuse(self, worker: str, why: str) -> None:
        self.results.unfit_workers[worker] = why
        logger.error("Worker %s cannot take part: %s", worker, why)
        if self.live_workers() <= set(self.results.unfit_workers):
            gevent.spawn(self._on_over)  # nobody is left to make the requests
