"""The part of a process that runs users: a Locust worker, or a process without workers."""

import gc
import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gevent
import gevent.event
import locust.log
from gevent.lock import RLock
from locust.env import Environment
from locust.exception import RPCError
from locust.rpc import Message
from locust.runners import LocalRunner, WorkerRunner

from tfsload.datasets.dataset import DataError
from tfsload.load.arrivals import SETTLES_AFTER_DEADLINE_S, Schedule
from tfsload.load.leases import Lease
from tfsload.load.supply import EndlessSupply, LeasedSupply
from tfsload.prediction import events
from tfsload.prediction.process_run import Run, RunImages
from tfsload.records.cpu import CpuTime
from tfsload.records.recorder import Recorder, n_ended
from tfsload.records.window import Window
from tfsload.run import messages, processes
from tfsload.run.getting_ready import get_ready
from tfsload.run.listening import RunEndedError, hearing
from tfsload.run.machine_reading import whereabouts
from tfsload.run.pulse import Pulse
from tfsload.settings.settings import SettingsError
from tfsload.target.references import References
from tfsload.target.waiting import StoppedError
from tfsload.transport.tls import TlsFileError
from tfsload.transport.words import sentence

logger = logging.getLogger(__name__)

_SETTLE_POLL_S = 0.01
_NO_REFERENCES = "the answers recorded without load did not come from the master: see its log, and start the run again"
# The master sends them at once; many take a while on their way.
REFERENCES_LIMIT_S = 30.0
# A master that is heard of again within this time has only been busy. Locust waits for a minute, under full load.
MASTER_LIMIT_S = 15.0
MASTER_POLL_S = 0.5


class Participant:
    """Begins and ends runs in this process, and hands over what was measured.

    Attributes:
        run: the run under way or last ended; None before the first, and where this process is unfit for it.
        open_run: the run under way; None between runs too.
        images: of the run about to begin, where this same process has checked it; else None.
    """

    def __init__(self, environment: Environment, runner: LocalRunner | WorkerRunner) -> None:
        self._environment = environment
        self._runner = runner
        self.run: Run | None = None
        self.images: RunImages | None = None
        self._begun: int | None = None  # the number of the run that was begun last, or that this process was unfit for
        self._joining = RLock()
        self._has_references = gevent.event.Event()  # or needs none
        self._is_open = False  # begun and not yet drained
        self._n_reported = 0  # requests handed over outside leases
        self._master_watcher: gevent.Greenlet[[], None] | None = None
        self._pulse: Pulse | None = None  # of the run under way
        self._heard_s = 0.0  # when the master was heard of last, on time.monotonic's clock
        self._level: gevent.Greenlet[..., None] | None = None  # sees a level through
        self._is_measuring = False  # a level, with which a report would interfere
        events.install(environment.events)
        environment.events.report_to_master.add_listener(self._on_report_to_master)
        environment.events.heartbeat_received.add_listener(self._on_heartbeat)
        runner.register_message(messages.LEASE, self._on_lease)
        runner.register_message(messages.REFERENCES, self._on_references)
        runner.register_message(messages.LEVEL, self._on_level)
        runner.register_message(messages.DRAIN, self._on_drain, concurrent=True)

    @property
    def open_run(self) -> Run | None:
        """The run under way, or None."""
        return self.run if self._is_open else None

    def join(self) -> Run | None:
        """Return the run under way, for a user that starts; None where this process takes no part in it.

        It is begun where it was not, because Locust told of it before anybody here could hear.
        """
        number = getattr(self._environment.parsed_options, messages.RUN_NUMBER_OPTION, None)
        with self._joining:  # to begin takes a while, in which others of this process's users come
            if not self._is_open and number is not None and number != self._begun:
                try:
                    self.begin()
                except BaseException as error:
                    if not isinstance(error, Exception):
                        self._begun = None  # by a user that was ended meanwhile: the next one may
                    raise
            run = self.open_run
            if run is not None and not self._has_references.wait(REFERENCES_LIMIT_S):
                self._give_up(run, _NO_REFERENCES)
        return self.open_run

    def begin(self, is_reading: bool = False) -> None:
        """Get ready to run users (on `test_start`); `is_reading`: in the greenlet that reads a worker's messages."""
        options = vars(self._environment.parsed_options)
        number = options.get(messages.RUN_NUMBER_OPTION)
        self.run, self._begun = None, number
        images, self.images = self.images, None  # of this run alone: the next one's may have changed
        if number is None:
            logger.error("The master does not run this suite: start it with the locustfile of this worker")
            return
        self._n_reported = 0
        if processes.is_of_another_run(options.get("processes"), options.get(messages.FORKED_BY_OPTION)):
            logger.error("This worker was forked for another run, whose master has not got its port: it ends")
            gevent.spawn(self._runner.quit)
            return
        self._send(messages.JOINED, {"run": number, "protocol": messages.PROTOCOL})
        try:
            make = partial(get_ready, self._environment, options, number, images)
            reader = self._runner if is_reading and isinstance(self._runner, WorkerRunner) else None
            run = hearing(reader, make, MASTER_LIMIT_S) if reader else make()
            run.supply = self._supply(run)
        except RunEndedError as error:
            # Asked next for what it has, it says nothing: others may have done all that was to be done.
            logger.info("This worker took no part in the run: %s", error)
            return
        except (SettingsError, TlsFileError, DataError, StoppedError) as error:
            self._tell_unfit(number, sentence(str(error)))
            return
        except Exception as error:  # such as an OSError: whoever waits for this worker is to know
            self._tell_unfit(number, f"it could not begin ({type(error).__name__}: {error}): see its log")
            raise
        self.run = run
        self._is_open = True
        self._ask_for_references(run)
        self._pulse = Pulse(
            run, self._users, partial(self._tell_pulse, run), count_all=lambda: len(self._runner.user_greenlets)
        )
        self._pulse.start()
        if isinstance(self._runner, WorkerRunner):
            self._master_watcher = gevent.spawn(self._stop_without_master)

    def _ask_for_references(self, run: Run) -> None:
        """Ask for the answers recorded without load, where they are to be compared: no user fires before they came."""
        self._has_references.clear()
        if run.settings.checks.verify:
            self._send(messages.REFERENCES_WANTED, {"run": run.number})
        else:
            self._has_references.set()

    def _on_references(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        run = self.open_run
        if run is not None and msg.data["run"] == run.number:
            run.compare_with(References.from_plain(msg.data["rows"], *run.settings.checks.compared_by))
            self._has_references.set()

    def _give_up(self, run: Run, reason: str) -> None:
        """Take no part in the run under way, in which this process has fired nothing."""
        self._tell_unfit(run.number, reason)
        self._stop_watching()
        self._is_open = False
        run.close()
        self.run = None

    def _tell_unfit(self, number: int, reason: str) -> None:
        logger.error("This worker cannot take part in the run: %s", reason)
        self._send(messages.UNFIT, {"run": number, "reason": reason})

    def _stop_watching(self) -> None:
        if self._pulse is not None:
            self._pulse.stop()
        if self._master_watcher is not None:
            self._master_watcher.kill(block=False)

    def _users(self) -> Iterator[Any]:
        """Yield the users of this process that fire images; other classes may run beside them."""
        users = (greenlet.args[0] for greenlet in self._runner.user_greenlets if greenlet.args)
        return (user for user in users if hasattr(user, "sent_ns"))

    def _tell_pulse(self, run: Run, pulse: dict[str, Any]) -> None:
        self._send(messages.PULSE, {"run": run.number, "unix_ns": run.recorder.now_unix_ns(), **pulse})

    def _stop_without_master(self) -> None:
        """Stop the load of a run whose master is gone, and with it whatever would end the run."""
        self._heard_s = time.monotonic()
        while time.monotonic() - self._heard_s < MASTER_LIMIT_S:
            gevent.sleep(MASTER_POLL_S)
        logger.error("Nothing was heard of the master for %g s: the load stops", MASTER_LIMIT_S)
        self._master_watcher = None  # what it is about to do would kill it
        self._runner.stop()

    def _on_heartbeat(self, **_: Any) -> None:
        self._heard_s = time.monotonic()

    def _supply(self, run: Run) -> EndlessSupply | LeasedSupply:
        if not run.settings.data.num_tests:
            return EndlessSupply(len(run.book), run.settings.data.seed, self._runner.worker_index)

        def ask(held: list[int]) -> None:
            self._send(messages.LEASE_WANTED, {"run": run.number, "held": held, "newest": run.supply.held().newest})

        def deliver(lease: int) -> None:
            rows = run.recorder.take(lease)
            self._send_rows(run, messages.LEASE_DONE, rows, lease=lease)

        return LeasedSupply(ask, deliver)

    def _on_level(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        run = self.open_run
        if run is None or msg.data["run"] != run.number:
            return
        data = msg.data
        is_open_load = data["rate_rps"] is not None
        # A full collection looks at every object that the process has and stops it for tens of milliseconds: what
        # is there by now will stay, and need not be looked at again.
        gc.collect()
        gc.freeze()
        begin_ns = time.perf_counter_ns()
        warm_up_ns, duration_ns = int(data["warm_up_s"] * 1e9), int(data["duration_s"] * 1e9)
        window = Window.of(data["level"], begin_ns + warm_up_ns, duration_ns, is_open_load)
        run.recorder.measure(window)
        if is_open_load:
            schedule = Schedule(
                data["rate_rps"],
                run.settings.load.arrivals,
                run.settings.data.seed,
                data["level"],
                data["share"],
                data["n_shares"],
            )
            assert run.pacer is not None  # as in any run of open load
            run.pacer.begin(schedule, begin_ns, window.end_ns)
        self._level = gevent.spawn(self._see_level_through, run, window)

    def _see_level_through(self, run: Run, window: Window) -> None:
        _sleep_until(window.begin_ns)
        self._is_measuring = True
        at_begin = CpuTime.now()
        _sleep_until(window.end_ns)
        cpu = CpuTime.now().since(at_begin)
        self._is_measuring = False
        held_up_s = self._pulse.held_up_s(window.begin_ns, window.end_ns) if self._pulse else 0.0
        n_users = self._runner.user_count
        if run.pacer is not None:
            # Each arrival is sent or dropped, and what this level has in flight is not to meet the next one.
            while run.pacer.has_more:
                gevent.sleep(_SETTLE_POLL_S)
            limit_ns = time.perf_counter_ns() + int((run.settings.model.deadline_s + SETTLES_AFTER_DEADLINE_S) * 1e9)
            while run.pacer.n_free < self._runner.user_count and time.perf_counter_ns() < limit_ns:
                gevent.sleep(_SETTLE_POLL_S)
        if self.open_run is run:
            self._send_rows(
                run,
                messages.LEVEL_DONE,
                self._counted(run.recorder.take_unleased()),
                level=window.level,
                cpu={**vars(cpu), "held_up_s": held_up_s},
                round_trip_ns=run.round_trip_ns,
                n_users=n_users,
                **whereabouts(),
            )

    def end(self) -> None:
        """Hand over what is left (on `test_stop`: the users of this process are stopped by now)."""
        run = self.run
        if run is None or not self._is_open:
            return
        if self._level is not None:
            self._level.kill()
        self._stop_watching()
        self._has_references.set()  # whoever still waits is to end
        self._is_open = self._is_measuring = False
        gc.unfreeze()
        run.supply.close()
        if run.pacer is not None:
            run.pacer.close()
        rows = run.recorder.take_all(is_sent=not isinstance(self._runner, LocalRunner))
        left = []
        if isinstance(run.supply, LeasedSupply):
            leases = {row["lease"] for row in rows} - {None}
            left = [[lease, run.supply.n_open(lease)] for lease in sorted(leases)]
        self._n_reported += n_ended([row for row in rows if row["lease"] is None])
        self._send_rows(run, messages.DRAINED, rows, open=left, **self._account())
        run.close()

    def _account(self) -> dict[str, Any]:
        return {"n_reported": self._n_reported, "is_broken": bool(locust.log.unhandled_greenlet_exception)}

    def _send_rows(self, run: Run, message: str, rows: list[dict[str, Any]], **more: Any) -> None:
        self._send(message, {"run": run.number, "rows": rows, **run.recorder.stamp(), **more})

    def _send(self, message: str, data: dict[str, Any]) -> None:
        """Send to the coordinator; a worker without a connection to it goes on, and no user pays for that."""
        try:
            self._runner.send_message(message, data)
        except RPCError as error:
            # The coordinator notices what is missing: a lease is given out again, and a report leaves a gap.
            logger.error("The message %s could not be sent to the master: %s", message, error)

    def report(self) -> dict[str, Any] | None:
        """Hand over what was recorded outside leases since the last report, to the coordinator in this process.

        None without a run, and while a level is measured: to merge a report takes a millisecond or more, in which no
        request leaves.
        """
        return self._report(Recorder.take_unleased_records)

    def _report(self, take: Callable[[Recorder], list[dict[str, Any]]]) -> dict[str, Any] | None:
        run = self.open_run
        if run is None or self._is_measuring:
            return None
        return {"run": run.number, "rows": self._counted(take(run.recorder)), **run.recorder.stamp()}

    def _counted(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return rows that were recorded outside leases, counted as reported."""
        self._n_reported += n_ended(rows)
        return rows

    def _on_report_to_master(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002  (Locust's names)
        if (report := self._report(Recorder.take_unleased)) is not None:
            data[messages.REPORT_KEY] = report

    def _on_lease(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        if self.run is None or msg.data["run"] != self.run.number:
            return
        if isinstance(supply := self.run.supply, LeasedSupply):
            lease, is_warming_up = msg.data["lease"], msg.data["is_warming_up"]
            if lease is not None and not is_warming_up:
                self.run.recorder.measure_all()  # the warm-up has ended, here and everywhere
            supply.grant(None if lease is None else Lease(*lease), is_soon=is_warming_up)

    def _on_drain(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002  (Locust's names)
        number = msg.data["run"]
        if self.run is None or number != self.run.number:
            # Joined too late for this run, or unfit: there is nothing to hand over, and nobody should wait.
            nothing = {"run": number, "rows": [], "open": [], "unix_ns": time.time_ns(), **self._account()}
            self._send(messages.DRAINED, {**nothing, "n_reported": 0})
        elif self._is_open:
            # Locust's own quit message would stop the users too, but too late for the last report to arrive.
            self._runner.stop()


def _sleep_until(at_ns: int) -> None:
    gevent.sleep(max(at_ns - time.perf_counter_ns(), 0) / 1e9)
