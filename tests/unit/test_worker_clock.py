"""Whose lateness a late message is: a worker's clock's, or that of the process that leads the run."""

import pytest

from tests.support.coordinator import coordinator as coordinator
from tests.support.coordinator import finished as finished
from tests.support.coordinator import master as master
from tests.support.fake_master import ask, begin, deliver
from tests.support.past_runs import PastRun
from tfsload.records.recorder import Recorder
from tfsload.run import ledger as keeping
from tfsload.run import messages
from tfsload.run.ledger import Ledger
from tfsload.run.result_making import course_of, make_result
from tfsload.run.results import Results
from tfsload.run.worker_clock import WorkerClock

SECOND = 10**9
HOUR_S = 3600


@pytest.mark.parametrize(
    ("heard", "shift_s", "is_settled"),
    [
        pytest.param([(0, 0)], 0, True, id="in-time"),
        pytest.param([(0, 0.2)], 0, True, id="on-its-way"),
        pytest.param([(0, 0), (1, 19), (2, 18)], 0, True, id="held-up-later"),
        pytest.param([(1, 19), (2, 18), (3, 17)], 17, False, id="all-waited-as-far-as-is-known"),
        pytest.param([(1, 19), (2, 18), (19, 1), (20, 3.01), (24, 0.01)], 0, True, id="all-but-the-last-waited"),
        pytest.param([(0, HOUR_S), (1, HOUR_S), (2, HOUR_S)], HOUR_S, False, id="behind-and-not-known-yet"),
        pytest.param([(0, HOUR_S), (1, HOUR_S), (3, HOUR_S + 1)], HOUR_S, True, id="behind"),
        pytest.param([(0, -HOUR_S), (4, -HOUR_S)], -HOUR_S, True, id="ahead"),
        pytest.param([(0, HOUR_S), (4, HOUR_S + 19), (5, HOUR_S)], HOUR_S, True, id="behind-and-held-up"),
    ],
)
def test_the_least_lateness_is_the_clocks(heard, shift_s, is_settled):
    """`heard`: when each message was sent, and by how much more the clock here showed when it was read."""
    clock = WorkerClock()
    for sent_s, late_s in heard:
        now_ns = int((sent_s + late_s) * SECOND)
        clock.hear(sent_s * SECOND, now_ns)

    assert clock.shift_ns == shift_s * SECOND
    assert clock.is_settled(now_ns) is is_settled


def test_a_clock_that_was_never_heard_of_is_not_settled():
    assert not WorkerClock().is_settled(0)


class Reports:
    """A worker that is answered 80 times a second, and tells every three; the leader reads when it can."""

    def __init__(self, monkeypatch, clock_s=0.0):
        self.now_s, self.clock_s = 0.0, clock_s
        monkeypatch.setattr(keeping.time, "time_ns", lambda: self.at(self.now_s))
        monkeypatch.setattr(keeping.time, "perf_counter_ns", lambda: self.at(self.now_s))
        self.results = Results()
        self.ledger = Ledger(self.results, 1)
        self.recorder = Recorder(int(clock_s * SECOND))
        self.sent = []
        for second in range(1, 31):
            for n in range(80):
                done_ns = self.at(second - 1) + n * SECOND // 80
                self.recorder.record([1], [1], None, done_ns - SECOND // 100, done_ns - SECOND // 100, done_ns, None)
            rows = self.recorder.take_unleased() if second % 3 == 0 else None
            self.sent.append((second, rows))

    @staticmethod
    def at(seconds):
        return int((1_700_000_000 + seconds) * SECOND)

    def read(self, held_up=()):
        """Read all that was sent, when it came, or where this process was held up, as soon as it was not."""
        for second, rows in self.sent:
            self.now_s = next((to_s for from_s, to_s in held_up if from_s <= second < to_s), second)
            unix_ns = self.at(second) + int(self.clock_s * SECOND)
            if rows is None:
                self.ledger.hear("a", unix_ns)
            else:
                self.ledger.take_report("a", rows, unix_ns)
        self.ledger.settle()
        return self.results.overall


@pytest.mark.parametrize("clock_s", [0.0, 7.0, -7.0, HOUR_S])
@pytest.mark.parametrize(
    "held_up",
    [
        pytest.param([], id="never"),
        pytest.param([(5, 24)], id="once"),
        pytest.param([(0, 19)], id="from-the-beginning"),
        pytest.param([(4, 8), (12, 29)], id="twice"),
    ],
)
def test_a_leader_that_was_held_up_moves_no_record(monkeypatch, held_up, clock_s):
    record = Reports(monkeypatch, clock_s).read(held_up)
    counts = record.seconds.counts

    assert record.requests == 2400
    assert record.last_done_unix_ns - record.first_sent_unix_ns == pytest.approx(30 * SECOND, rel=0.01)
    assert len(counts) == pytest.approx(30, abs=1)
    assert max(images for images, *_ in counts.values()) == pytest.approx(80, abs=1)


@pytest.mark.parametrize("behind_s", [0.0, 0.1, 0.24, -0.24, 0.6, -0.6, HOUR_S])
def test_a_run_lasts_as_long_as_its_workers_clocks_say(monkeypatch, behind_s):
    reports = Reports(monkeypatch, -behind_s)
    reports.results.begun_unix_s = reports.at(0) / SECOND
    reports.read()
    reports.results.ended_unix_s = reports.at(30) / SECOND
    past = PastRun({}, results=reports.results)
    course = course_of(past.results, past.checked)

    assert make_result(past.results, past.checked, course).totals.duration_s == pytest.approx(30.01, abs=0.001)


def test_the_records_are_as_far_behind_as_the_worker_that_is_furthest(monkeypatch):
    for clock in ("time_ns", "perf_counter_ns"):
        monkeypatch.setattr(keeping.time, clock, lambda: SECOND)
    results = Results()
    ledger = Ledger(results, 3)
    for worker, late_ns in (("a", 100), ("b", 300), ("c", 200)):
        ledger.hear(worker, SECOND - late_ns)
    ledger.settle()

    assert results.behind_ns == 300


def test_a_lease_of_a_run_that_gives_out_none_is_discarded(monkeypatch):
    reports = Reports(monkeypatch)
    rows = next(rows for _, rows in reports.sent if rows)

    assert not reports.ledger.take_lease("a", 0, {"rows": rows, "unix_ns": reports.at(3), "n_undelivered": 0})
    assert (reports.results.n_discarded, reports.results.overall.requests) == (240, 0)


def test_what_was_answered_under_leases_that_are_worked_off_later_is_of_the_pace(monkeypatch):
    reports = Reports(monkeypatch)
    reports.results.n_requests = 1000
    ledger = Ledger(reports.results, 1)
    lease = ledger.grant("a", [], -1, is_fit=True)
    rows = next(rows for _, rows in reports.sent if rows)
    ledger.take_lease("a", lease.number, {"rows": rows, "unix_ns": reports.at(3), "n_undelivered": 60})

    assert (reports.results.paces["a"].answered, reports.results.paces["a"].n_undelivered) == (240, 60)


def test_what_a_worker_has_told_counts_at_once_where_its_clock_is_known(monkeypatch):
    reports = Reports(monkeypatch)
    second, rows = next((second, rows) for second, rows in reports.sent if rows)
    reports.now_s = second
    reports.ledger.take_report("a", rows, reports.at(second))

    assert reports.results.overall.requests == 240


def test_a_question_that_waited_is_answered_once(master, coordinator):
    """A worker asks again after three seconds: a leader that was held up for four reads both questions at once."""
    begin(coordinator, n_requests=400)
    first = ask(master, "a", newest=-1)
    again = ask(master, "a", newest=-1)

    assert again == first
    deliver(master, "a", first)
    assert coordinator.results.n_discarded == 0
    assert ask(master, "a") != first


def test_a_lease_whose_message_was_lost_comes_again(master, coordinator):
    begin(coordinator, n_requests=1)
    lost = ask(master, "a", newest=-1)

    assert ask(master, "a", newest=-1) == lost


def test_an_unfit_workers_leases_go_to_others(master, coordinator):
    begin(coordinator, n_requests=1)
    ask(master, "a", newest=-1)
    master.receive(messages.UNFIT, {"run": 1, "reason": "old"}, "a")

    assert ask(master, "a", newest=-1) is None
    assert ask(master, "b", newest=-1)[1:] == [0, 1]
