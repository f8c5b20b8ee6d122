"""Locust's statistics booked many requests at a time are those that Locust books one by one."""

import contextlib
import functools
import time

import grpc
import locust.stats
import pytest
from hypothesis import given
from hypothesis import strategies as st
from locust.env import Environment
from locust.stats import RequestStats, StatsEntry

from tests.support.answering_user import REPLY, answered_by
from tfsload.prediction import events, prediction_user, statistics_book
from tfsload.prediction.statistics_book import LONGEST_NS, BookedStatistics
from tfsload.records.together import BATCH
from tfsload.transport.grpc.call import PREFIX_SIZE

SECOND_NS = 1_000_000_000


class SetClock:
    """Shows what it is told, in the place of the `time` module: a clock that goes on, and a wall clock that is set."""

    def __init__(self):
        self.now_ns = 5 * SECOND_NS
        self.unix_offset_ns = 1_700_000_000 * SECOND_NS

    monotonic = staticmethod(time.monotonic)

    def perf_counter_ns(self):
        return self.now_ns

    def time_ns(self):
        return self.now_ns + self.unix_offset_ns

    def time(self):
        return self.time_ns() / 1e9


class Connection:
    """Stands in for a connection: a call has ended when it is started, as it was told, and time has gone by."""

    def __init__(self, clock):
        self.clock = clock
        self.latency_ns, self.is_failed = 1_000_000, False

    def start(self, call):
        self.clock.now_ns += self.latency_ns
        if self.is_failed:
            call.fail(grpc.StatusCode.DATA_LOSS, "gone")
        else:
            call.reply, call.is_over = REPLY[PREFIX_SIZE:], True
        call.waiter = None
        return True


class Books:
    """An environment in which a user's requests are booked; with `is_booked`, many at a time."""

    def __init__(self, clock, is_booked):
        self.clock, self.is_booked, self.connection = clock, is_booked, Connection(clock)

    def __enter__(self):
        self._made = answered_by(self.connection)
        self.user = self._made.__enter__()
        self.environment = self.user.environment
        self.statistics = self.user._statistics
        assert type(self.statistics) is BookedStatistics
        if not self.is_booked:
            self.user._statistics = None
        return self

    def __exit__(self, *error):
        self._made.__exit__(*error)

    def end(self, name="Predict", latency_ns=1_000_000, is_failed=False):
        """Have a request be made, and end."""
        self.connection.latency_ns, self.connection.is_failed = latency_ns, is_failed
        self.user.request_name = name
        self.user.predict()

    def rows(self):
        """Return all that Locust's statistics hold."""
        stats = self.environment.stats
        named = {key: held(entry) for key, entry in stats.entries.items()}
        errors = {key: error.occurrences for key, error in stats.errors.items()}
        return {"total": held(stats.total), "rows": named, "errors": errors}


def held(entry):
    return {name: value for name, value in vars(entry).items() if name != "stats"}


@contextlib.contextmanager
def both():
    """Yield a clock that goes on as requests take their time, and two books by it."""
    clock = SetClock()
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as opened:
        for module in (locust.stats, statistics_book, prediction_user):
            patch.setattr(module, "time", clock)
        yield clock, [opened.enter_context(Books(clock, is_booked)) for is_booked in (False, True)]


REQUEST = st.tuples(
    st.just("end"),
    # Some are such that a second ends while requests wait.
    st.sampled_from([950_000_000, 30_000_000, 10_000_000]) | st.integers(0, 3 * SECOND_NS) | st.integers(0, 2_000_000),
    st.sampled_from(["Predict", "Predict", "Predict", "Other"]),
    st.sampled_from([False, False, False, True]),
)
READ = st.tuples(st.just("read"), st.sampled_from(["report", "rows", "requests", "reset", "clear", "median", "listen"]))
SET_CLOCK = st.tuples(st.just("set"), st.integers(-5, 5))


@given(steps=st.lists(REQUEST | READ | SET_CLOCK, max_size=3 * BATCH))
def test_any_order_of_requests_and_readers_books_what_locust_books(steps):
    with both() as (clock, books):
        for what, *arguments in steps:
            begin_ns = clock.now_ns
            if what == "end":
                latency_ns, name, is_failed = arguments
                for one in books:
                    clock.now_ns = begin_ns
                    one.end(name, latency_ns, is_failed)
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


def test_requests_wait_until_there_are_many_or_the_first_has_waited_for_long():
    waiting = []
    with both() as (_, (_, books)):
        for latency_ns in [0, *[1000] * (3 * BATCH), LONGEST_NS, 1000]:
            books.end(latency_ns=latency_ns)
            waiting.append(len(books.statistics.waiting))

    # The first is booked at once. Then they are booked when half as many wait to be counted as are counted together.
    half = BATCH // 2
    assert waiting[:-2] == [0, *range(1, half - 1), *[*range(BATCH)] * 2, *range(3 * BATCH - (half - 2) - 2 * BATCH)]
    assert waiting[-2:] == [0, 1]


def test_no_more_than_a_few_wait_where_what_is_counted_is_handed_over_again_and_again():
    with both() as (_, (_, books)):
        waiting = []
        for _ in range(10 * BATCH):
            books.end(latency_ns=1000)
            books.user._run.recorder.settle()  # as leases of a request do
            waiting.append(len(books.statistics.waiting))

    assert max(waiting) == 2 * BATCH


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


@pytest.mark.parametrize("hook", ["request", "prediction"])
@pytest.mark.parametrize("where", ["added before", "added while requests wait"])
def test_who_listens_is_told_of_each_at_once(where, hook):
    heard = []
    with both() as (_, (_, books)):
        listeners = getattr(books.environment.events, hook)
        if where == "added while requests wait":
            books.end(latency_ns=LONGEST_NS)
            books.end(latency_ns=2_000_000)
            assert books.statistics.waiting
        listeners.add_listener(lambda **of_it: heard.append(of_it))
        books.end(latency_ns=7_000_000)

        assert len(heard) == 1
        listeners.remove_listener(listeners._handlers[-1])
        books.end(latency_ns=9_000_000)
        assert len(heard) == 1
        total = books.environment.stats.total
        assert (total.num_requests, total.max_response_time) == (
            4 if where != "added before" else 2,
            100 if where != "added before" else 9,
        )


@pytest.mark.parametrize("replaced", ["statistics", "rows"])
def test_what_waits_belongs_to_the_statistics_that_there_were(replaced):
    with both() as (_, (_, books)):
        for latency_ns in (LONGEST_NS, 1000, 1000):
            books.end(latency_ns=latency_ns)
        assert books.statistics.waiting
        if replaced == "statistics":
            books.environment.stats = RequestStats()
        else:
            type(books.statistics).clear_all(books.statistics)
        books.end()

        assert books.environment.stats.num_requests == 1


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


def wrapped():
    @functools.wraps(locust.stats.bucket_response_time)
    def in_halves(time_ms):
        return round(time_ms * 2) / 2

    return in_halves


@pytest.mark.parametrize(
    "bucket_of",
    [
        pytest.param(locust.stats.bucket_response_time, id="locusts"),
        pytest.param(lambda time_ms: round(time_ms * 2) / 2, id="of-the-users-own"),
        pytest.param(functools.partial(round, ndigits=1), id="no-function"),
        pytest.param(wrapped(), id="in-a-wrap"),
    ],
)
@pytest.mark.parametrize("latency_ns", [400_000, 99_499_999, 99_500_000, 99_999_999, 100_000_000, 147_300_000])
def test_times_are_in_the_bucket_in_which_locust_would_have_them(monkeypatch, bucket_of, latency_ns):
    monkeypatch.setattr(locust.stats, "bucket_response_time", bucket_of)
    with both() as (_, (_, books)):
        for _ in range(2 * BATCH):
            books.end(latency_ns=latency_ns)
        found = dict(books.statistics.total.response_times)

    assert found == {bucket_of(latency_ns / 1e6): 2 * BATCH}


def test_a_way_to_round_times_of_the_users_own_is_kept(monkeypatch):
    monkeypatch.setattr(locust.stats, "bucket_response_time", lambda time_ms: round(time_ms * 2) / 2)
    with both() as (_, books):
        for one in books:
            for latency_ns in (1_400_000, 1_600_000, 250_000_000):
                one.end(latency_ns=latency_ns)

        assert [dict(one.environment.stats.total.response_times) for one in books] == [{1.5: 2, 250.0: 1}] * 2


@pytest.mark.parametrize("hook", ["test_stopping", "test_stop"])
def test_a_row_that_a_listener_has_got_hold_of_is_whole_at_the_end(hook):
    """Also of one that was there before the suite, and so hears of it first."""
    with both() as (_, (_, ours)):
        row, seen = vars(ours.statistics)["total"], []
        getattr(ours.environment.events, hook).add_listener(lambda **_: seen.append(row.num_requests))
        for _ in range(5):
            ours.end()
        getattr(ours.environment.events, hook).fire(environment=ours.environment)

    assert ours.is_booked
    assert seen == [5]
