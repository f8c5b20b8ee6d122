"""Runs that nobody made: what the process that leads a run would hold at its end, the same to the digit each time."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tfsload.analysis.edges import limits_of
from tfsload.analysis.limit import Ending, SearchResult
from tfsload.analysis.others import OtherFailures, Others
from tfsload.prediction.process_run import load_images
from tfsload.records.cpu import CpuShares
from tfsload.records.level import Level, LevelRun
from tfsload.records.mismatch import Mismatch
from tfsload.records.recorder import Recorder, merge_plain
from tfsload.records.window import Window
from tfsload.run.asked import as_asked
from tfsload.run.checks import Checked
from tfsload.run.results import Results
from tfsload.settings.settings import Settings
from tfsload.suite.outcome import SaidByLocust
from tfsload.suite.run_time import RunTime
from tfsload.target.preflight import Preflight
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.grpc.transport import GrpcTransport
from tfsload.transport.servable import Servable

MS, SECOND = 1_000_000, 1_000_000_000
UNIX_OFFSET_NS = 1_700_000_000 * SECOND
MODEL = Servable("mnist", 1)
N_IMAGES = 1000
GAP_NS = 12 * SECOND  # from one level's begin to the next one's


@dataclass
class PastRun:
    """What is known of a run when it has ended.

    Attributes:
        options: as they were given, by name.
        results: the coordinator's.
        by_locust: what Locust knows.
        search: what a limit search found.
        changed: what the server says otherwise than before.
        run_time: how long it ran, and was to.
        recorder: of the only process.
    """

    options: dict[str, str]
    by_locust: SaidByLocust = field(default_factory=SaidByLocust)
    search: SearchResult | None = None
    changed: str = ""
    run_time: RunTime | None = None
    results: Results = field(default_factory=lambda: Results(n_workers=1, n_users=10, n_users_asked=10))

    def __post_init__(self) -> None:
        self.settings = Settings.parse(self.options, "127.0.0.1:8500")
        limits = limits_of(self.settings.checks.thresholds)
        self.recorder = Recorder(UNIX_OFFSET_NS, self.settings.load.counts_later, limits)
        self.random = random.Random(7)
        self.runs: list[LevelRun] = []

    @property
    def checked(self) -> Checked:
        transport = GrpcTransport(self.settings.model, self.settings.connection)
        n_images = self.settings.data.num_tests or N_IMAGES
        data = load_images(self.settings).fingerprint
        return Checked(self.settings, transport, n_images, data, Preflight(1, MODEL), asked=as_asked(self.options))

    def fire(
        self,
        image: int,
        sent_ns: int,
        latency_ns: int,
        lag_ns: int = 0,
        code: str = "",
        n_mismatched: int | None = None,
    ) -> None:
        """Record one image's request: of 48 images one is taken for the next digit."""
        label = image * 7 % 10
        failure = PredictionFailure(code, "no answer") if code else None
        predicted = None if code else [(label + 1) % 10 if image % 48 == 5 else label]
        example = Mismatch(image, label, (label + 3) % 10, label, 0.8125, 0.015625) if n_mismatched else None
        answered_by = None if code else MODEL
        self.recorder.record(
            [label],
            predicted,
            failure,
            sent_ns - lag_ns,
            sent_ns,
            sent_ns + latency_ns,
            None,
            n_mismatched,
            example,
            answered_by,
            image,
        )

    def jitter(self, latency_ns: float) -> int:
        """Return a latency as steady servers have it."""
        return int(latency_ns * self.random.gammavariate(40, 1 / 40))

    def hold(self, level: Level, busy: float = 0.31, **run: object) -> int:
        """Begin a level; return when its window begins, in ns."""
        begin_ns = level.number * GAP_NS
        is_open = level.rate_rps is not None
        self.recorder.measure(Window.of(level.number, begin_ns, int(level.duration_s * SECOND), is_open))
        given = {"n_workers": 1, "missing_workers": (), "n_users": level.users, "round_trip_ns": 310_000, **run}
        given["begun_s"] = (begin_ns - GAP_NS) / SECOND
        self.runs.append(LevelRun(level=level, cpu=(CpuShares(busy, 0.004, 21_000.0),), **given))
        return begin_ns

    def close_level(self, number: int, users: int, latency_ms: float, **run: object) -> None:
        """Hold a level of users that each send when they have their answer."""
        level = Level(number, users, None, 2.0, 10.0)
        begin_ns = self.hold(level, **run)
        image = 0
        for user in range(users):
            now_ns = begin_ns - 2 * SECOND + user * MS // 3
            while now_ns < begin_ns + 10 * SECOND + MS:
                latency_ns = self.jitter(latency_ms * MS)
                self.fire(image % N_IMAGES, now_ns, latency_ns)
                now_ns += latency_ns + 20_000
                image += 1

    def open_level(
        self,
        number: int,
        rate_rps: float,
        latency_ms: float,
        drop_each: int = 0,
        is_probe: bool = False,
        seconds: float = 10.0,
    ) -> None:
        """Hold a level of arrivals, of which each so many one finds no user."""
        begin_ns = self.hold(Level(number, 500, rate_rps, 2.0, seconds, is_probe))
        gap_ns = int(SECOND / rate_rps)
        for n in range(int(seconds * rate_rps)):
            due_ns = begin_ns + n * gap_ns + 1
            self.recorder.count_offered(due_ns)
            if drop_each and n % drop_each == 0:
                self.recorder.count_dropped(due_ns)
                continue
            self.recorder.count_sent(due_ns)
            lag_ns = self.jitter(90_000)
            self.fire(n % N_IMAGES, due_ns + lag_ns, self.jitter(latency_ms * MS), lag_ns)

    def end(self) -> "PastRun":
        """Hand over all that was recorded."""
        merge_plain(self.results.records, self.recorder.take_all())
        for run in self.runs:
            self.results.close_level(run, self.settings.checks.thresholds)
        return self


def demo() -> PastRun:
    """A thousand images, each once."""
    past = PastRun({"num_tests": "1000"})
    for image in range(1000):
        past.fire(image, SECOND + image * MS, past.jitter(3.2 * MS))
    past.results.n_requests = past.results.n_done = 1000
    return past.end()


def plain_with_thresholds() -> PastRun:
    """Users who fire for a time, on two workers, and thresholds that hold and do not."""
    options = {"threshold": "p99 < 50ms; error_rate < 1%; rate > 100", "note": "commit=1a2b3c4; why=half the threads"}
    past = PastRun(options, run_time=_ran(10.0, 10.0))
    for n in range(5000):
        past.fire(n % N_IMAGES, SECOND + n * 2 * MS, past.jitter(3.2 * MS))
    past.recorder.count_cut_off(11 * SECOND, 11 * SECOND, 11 * SECOND + MS, None)
    past.results.n_workers = 2
    return past.end()


def sweep() -> PastRun:
    """A server with two workers."""
    past = PastRun({"sweep": "1,2,4,8"})
    for number, (users, latency_ms) in enumerate(((1, 4.1), (2, 4.2), (4, 8.3), (8, 16.6)), 1):
        past.close_level(number, users, latency_ms)
    return past.end()


def rate() -> PastRun:
    """Two rates, of which the second one is more than there are users for."""
    past = PastRun({"rate": "100,400", "threshold": "p99 < 50ms; dropped_rate < 1%"})
    past.open_level(1, 100.0, 4.0)
    past.open_level(2, 400.0, 9.0, drop_each=25)
    return past.end()


def search() -> PastRun:
    """A search that has found the highest rate."""
    past = PastRun({"find_max_rate": "100:400", "threshold": "p99 < 50ms"})
    past.open_level(1, 200.0, 5.0, is_probe=True, seconds=5.0)
    past.open_level(2, 283.0, 70.0, is_probe=True, seconds=5.0)
    past.open_level(3, 200.0, 5.0, is_probe=True)
    past.search = SearchResult(
        Ending.FOUND,
        200.0,
        200.0,
        283.0,
        ("crossed p99 < 50 ms",),
        n_probes=3,
        low_rps=100,
        high_rps=400,
        max_probes=12,
    )
    return past.end()


def search_of_nothing() -> PastRun:
    """A search whose lowest rate crosses a threshold."""
    past = PastRun({"find_max_rate": "100:400", "threshold": "p99 < 50ms"})
    past.open_level(1, 200.0, 80.0, is_probe=True, seconds=5.0)
    past.open_level(2, 100.0, 70.0, is_probe=True, seconds=10.0)
    past.search = SearchResult(
        Ending.NONE_HOLDS,
        None,
        None,
        100.0,
        ("crossed p99 < 50 ms",),
        n_probes=2,
        low_rps=100,
        high_rps=400,
        max_probes=12,
    )
    return past.end()


def repeated() -> PastRun:
    """A sweep that holds each number of users twice."""
    past = PastRun({"sweep": "1,2,1,2", "threshold": "p99 < 4ms; error_rate < 5%"})
    for number, (users, latency_ms) in enumerate(((1, 2.0), (2, 3.4), (1, 2.1), (2, 3.5)), 1):
        past.close_level(number, users, latency_ms)
    return past.end()


def invalid() -> PastRun:
    """A sweep that was stopped, on a generator that had no time left, and a worker was lost."""
    past = PastRun({"sweep": "1,4,8,16"})
    past.close_level(1, 1, 4.1)
    past.close_level(2, 4, 4.4, busy=0.97, n_workers=2, missing_workers=("host_2",))
    results = past.results
    results.n_levels_left, results.n_workers, results.lost_workers = 2, 2, {"host_2"}
    return past.end()


def stopped() -> PastRun:
    """Nothing was fired before it was stopped; a worker was unfit."""
    past = PastRun({}, run_time=_ran(1.25, 60.0))
    past.results.n_users, past.results.unfit_workers = 4, {"host_1": "data set 'mine': no such directory"}
    return past.end()


def failed() -> PastRun:
    """Failures by two codes, answers that differ under load, another user's failures, images that are left."""
    others = Others(("Website",), (OtherFailures("GET /", 2, 30, "refused"),))
    past = PastRun({"num_tests": "1000", "verify": "200"}, by_locust=SaidByLocust(user_errors=3, others=others))
    for image in range(900):
        code = "UNAVAILABLE" if image % 100 == 99 else "RESOURCE_EXHAUSTED" if image % 300 == 7 else ""
        compared = None if image >= 200 or code else int(image == 17)
        past.fire(image, SECOND + image * MS, past.jitter(3.2 * MS), code=code, n_mismatched=compared)
    past.results.n_requests, past.results.n_done, past.results.n_discarded = 1000, 900, 12
    past.changed = "version 1 answered before, 2 after"
    return past.end()


def _ran(seconds: float, limit_s: float) -> RunTime:
    now_s = iter((0.0, seconds))
    run_time = RunTime(limit_s, clock_s=lambda: next(now_s))
    run_time.end()
    return run_time


PAST_RUNS: dict[str, Callable[[], PastRun]] = {
    "demo": demo,
    "thresholds": plain_with_thresholds,
    "sweep": sweep,
    "rate": rate,
    "search": search,
    "search-of-nothing": search_of_nothing,
    "repeated": repeated,
    "invalid": invalid,
    "stopped": stopped,
    "failed": failed,
}
