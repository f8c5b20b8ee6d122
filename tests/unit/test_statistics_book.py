"""Locust's statistics booked many requests at a time are those that Locust books one by one."""

import locust.stats
import pytest
from hypothesis import given
from hypothesis import strategies as st
from locust.env import Environment
from locust.stats import RequestStats, StatsEntry

from tfsload.load.request_book import PreparedRequest
from tfsload.prediction import events, statistics_book
from tfsload.prediction.statistics_book import BATCH, LONGEST_NS, BookedStatistics
from tfsload.records.recorder import Recorder
from tfsload.transport.answer import Answer
from tfsload.transport.failure import PredictionFailure

SECOND_NS = 1_000_000_000


class SetClock:
    """Shows what it is told, in the place of the `time` module: a clock that goes on, and a wall clock that is set."""

    def __init__(self):
        self.now_ns = 5 * SECOND_NS
        self.unix_offset_ns = 1_700_000_000 * SECOND_NS

    def perf_counter_ns(self):
        return self.now_ns

    def time_ns(self):
        return self.now_ns + self.unix_offset_ns

    def time(self):
        return self.time_ns() / 1e9


class Books:
    """An environment in which requests are booked; with `is_booked`, many at a time."""

    def __init__(self, is_booked):
        self.environment = Environment(user_classes=[])
        events.install(self.environment.events)
        self.environment.create_local_runner()
        self.statistics = statistics_book.booked(self.environment) if is_booked else None
        self.recorder = Recorder()

    def end(self, done_ns, name="Predict", latency_ns=1_000_000, reply_bytes=100, is_failed=False):
        """Have a request end."""
        events.book(
            self.environment.events,
            self.recorder,
            self.statistics,
            request_type="grpc",
            name=name,
            request=PreparedRequest(b"", 0, [3]),
            lease=None,
            answer=None if is_failed else Answer([3], b"", 0, float, (1, 10)),
            failure=PredictionFailure("UNAVAILABLE", "away") if is_failed else None,
            n_mismatched=None,
            example=None,
            due_ns=done_ns - latency_ns,
            sent_ns=done_ns - latency_ns,
            done_ns=done_ns,
            reply_bytes=reply_bytes,
            url="grpc://here:1",
        )

    def rows(self):
        """Return all that Locust's statistics hold."""
        stats = self.environment.stats
        named = {key: held(entry) for key, entry in stats.entries.items()}
        errors = {key: error.occurrences for key, error in stats.errors.items()}
        return {"total": held(stats.total), "rows": named, "errors": errors}


def held(entry):
    return {name: value for name, value in vars(entry).items() if name != "stats"}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that stands until it is told to go on; Locust's and the suite's."""
    clock = SetClock()
    monkeypatch.setattr(locust.stats, "time", clock)
    monkeypatch.setattr(statistics_book, "time", clock)
    return clock


def both():
    one_by_one, at_once = Books(is_booked=False), Books(is_booked=True)
    assert one_by_one.statistics is None
    assert type(at_once.statistics) is BookedStatistics
    return one_by_one, at_once


REQUEST = st.tuples(
    st.just("end"),
    # Some are such that a second ends while requests wait.
    st.sampled_from([950_000_000, 30_000_000, 10_000_000]) | st.integers(0, 3 * SECOND_NS) | st.integers(0, 2_000_000),
    st.sampled_from(["Predict", "Predict", "Predict", "Other"]),
    st.integers(0, 20 * SECOND_NS) | st.integers(0, 5_000_000),
    st.integers(0, 1000),
    st.sampled_from([False, False, False, True]),
)
READ = st.tuples(st.just("read"), st.sampled_from(["report", "rows", "requests", "reset", "clear", "median", "listen"]))
SET_CLOCK = st.tuples(st.just("set"), st.integers(-5, 5))


@given(steps=st.lists(REQUEST | READ | SET_CLOCK, max_size=3 * BATCH))
def test_any_order_of_requests_and_readers_books_what_locust_books(steps):
    with pytest.MonkeyPatch.context() as patch:
        clock = SetClock()
        patch.setattr(locust.stats, "time", clock)
        patch.setattr(statistics_book, "time", clock)
        books = both()
        for what, *arguments in steps:
            if what == "end":
                later_ns, name, latency_ns, reply_bytes, is_failed = arguments
                clock.now_ns += later_ns
                for one in books:
                    one.end(clock.now_ns, name, latency_ns, reply_bytes, is_failed)
            elif what == "set":
                for one in books:  # what ended before belongs to the clock as it was
                    assert one.environment.stats.total
                clock.unix_offset_ns += arguments[0] * SECOND_NS
            else:
                one, other = (READERS[arguments[0]](one.environment) for one in books)
                assert one == other
        one, other = (one.rows() for one in books)

    assert one == other


def _listen(environment):
    """Come as a listener to `request`, or go where there is one: both ways of booking take turns."""
    handlers = environment.events.request._handlers
    handlers.pop() if len(handlers) > 1 else environment.events.request.add_listener(lambda **_: None)


READERS = {
    "report": lambda environment: [row | {"stats": None} for row in environment.stats.serialize_stats()],
    "rows": lambda environment: sorted(environment.stats.entries),
    "requests": lambda environment: environment.stats.num_requests,
    "reset": lambda environment: environment.stats.reset_all(),
    "clear": lambda environment: environment.stats.clear_all(),
    "median": lambda environment: environment.stats.total.get_current_response_time_percentile(0.5),
    "listen": _listen,
}


def test_requests_wait_until_there_are_many_or_the_first_has_waited_for_long(clock):
    _, books = both()
    waiting = []
    for later_ns in [0, *[1000] * BATCH, LONGEST_NS, 1000]:
        clock.now_ns += later_ns
        books.end(clock.now_ns)
        waiting.append(len(books.statistics.waiting))

    assert waiting == [0, *range(1, BATCH), 0, 0, 1]


def _another_listener(environment, _patch):
    environment.events.request.add_listener(lambda **_: None)


def _own_log(environment, _patch):
    environment.stats.log_request = lambda *_: None


def _replaced(owner, name):
    return lambda _environment, patch: patch.setattr(owner, name, lambda *_: None)


def _wrapped(_environment, patch):
    log = StatsEntry.log

    def wrapper(*arguments):
        log(*arguments)

    wrapper.__wrapped__, wrapper.__module__, wrapper.__qualname__ = log, log.__module__, log.__qualname__
    patch.setattr(StatsEntry, "log", wrapper)


def _own_statistics(environment, _patch):
    class Own(RequestStats):
        pass

    environment.stats = Own()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_own_log, id="a log_request of this environment's"),
        pytest.param(_replaced(RequestStats, "log_request"), id="another log_request"),
        pytest.param(_replaced(StatsEntry, "_log_response_time"), id="another way to count times"),
        pytest.param(_wrapped, id="a plugin's wrap"),
        pytest.param(_own_statistics, id="statistics of another class"),
        pytest.param(lambda environment, _: environment.events.request._handlers.clear(), id="no listener of Locust's"),
    ],
)
def test_where_somebody_has_changed_how_locust_books_it_books_one_by_one(change):
    environment = Environment(user_classes=[])
    environment.create_local_runner()
    with pytest.MonkeyPatch.context() as patch:
        change(environment, patch)

        assert statistics_book.booked(environment) is None


@pytest.mark.parametrize("where", ["added before", "added while requests wait"])
def test_who_listens_is_told_of_each_request_at_once(clock, where):
    _, books = both()
    heard = []

    def listen():
        books.environment.events.request.add_listener(lambda **request: heard.append(request["response_time"]))

    if where == "added before":
        listen()
    for _ in range(3):
        clock.now_ns += 1000
        books.end(clock.now_ns)
    if where != "added before":
        assert books.statistics.waiting
        listen()
    books.end(clock.now_ns, latency_ns=7_000_000)

    assert heard[-1] == 7
    assert books.environment.stats.num_requests == 4
    assert books.environment.stats.total.max_response_time == 7


def test_a_listener_to_request_of_another_environment_is_told():
    shared = Environment(user_classes=[])
    shared.create_local_runner()
    beside = Environment(user_classes=[], events=shared.events)
    beside.create_local_runner()
    events.install(shared.events)

    for environment in (shared, beside):
        statistics = statistics_book.booked(environment)
        assert statistics is environment.stats
        assert statistics.listener is shared.events.request._handlers[environment is beside]


def test_a_way_to_round_times_of_the_users_own_is_kept(monkeypatch):
    monkeypatch.setattr(locust.stats, "bucket_response_time", lambda time_ms: round(time_ms * 2) / 2)
    books = both()
    for one in books:
        for latency_ns in (1_400_000, 1_600_000, 250_000_000):
            one.end(SECOND_NS, latency_ns=latency_ns)

    assert [dict(one.environment.stats.total.response_times) for one in books] == [{1.5: 2, 250.0: 1}] * 2
