"""Requests counted many at a time come to what they come to one by one, in any order with all that reads the counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.records import together
from tfsload.records.half_seconds import Limit
from tfsload.records.mismatch import Mismatch
from tfsload.records.recorder import Recorder
from tfsload.records.together import BATCH
from tfsload.records.window import Window
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.servable import UNTOLD, Servable

GONE = PredictionFailure("UNAVAILABLE", "gone")
OTHER = Servable("mnist", 2)
MS, SECOND = 1_000_000, 1_000_000_000
LIMITS = (Limit("p99 < 5ms", False, 5 * MS), Limit("mean < 5ms", False, None), Limit("lag p99 < 1ms", True, MS))


class Pair:
    """Two recorders that are told the same: one counts each request as it ends, and one many together."""

    def __init__(self, counts_later=False, limits=(), within_ns=()):
        self.one_by_one, self.together = (Recorder(7 * SECOND, counts_later, limits, within_ns) for _ in range(2))
        self.recorders = self.one_by_one, self.together
        self.handed_over = []  # by both, so far
        self.now_ns = 10 * SECOND

    def end(self, n_later_ns, latency_ns, lag_ns, images, lease, n_mismatched, who, is_failed):
        """Have a request end; `images` are pairs of a label and an answer."""
        self.now_ns += self.to_border(n_later_ns) if isinstance(n_later_ns, str) else n_later_ns
        done_ns = self.now_ns
        sent_ns = done_ns - latency_ns
        labels, predicted = [label for label, _ in images], [answer for _, answer in images]
        first, due_ns = 3 * labels[0], sent_ns - lag_ns
        if is_failed:
            for recorder in self.recorders:
                recorder.record(labels, None, GONE, due_ns, sent_ns, done_ns, lease, first_image=first)
            return
        example = Mismatch(first, 1, 2, 0, 0.5, 0.25) if n_mismatched else None
        one = labels, predicted, None, due_ns, sent_ns, done_ns, lease, n_mismatched, example, who, first
        self.one_by_one.record(*one)
        if n_mismatched:
            self.together.record(*one)
            return
        waiting = self.together.waiting
        waiting.append((labels, predicted, due_ns, sent_ns, done_ns, lease, n_mismatched, who, first))
        if len(waiting) >= BATCH:
            self.together.settle()

    def to_border(self, which):
        """Return how long it is to where the next second begins, a slice, or what follows the level; or 1 ns less."""
        window = self.together.window
        begin_ns, each_ns = 0, SECOND
        if window.slice_ns:
            begin_ns = window.begin_ns
            each_ns = {"second": SECOND, "slice": window.slice_ns, "level": window.duration_ns}[which.split()[-1]]
        left_ns = each_ns - (self.now_ns - begin_ns) % each_ns
        return max(left_ns - which.startswith("before"), 0)

    def read(self, what, *arguments):
        """Have both hand something over, and see that it is the same."""
        one, other = (getattr(recorder, what)(*arguments) for recorder in self.recorders)
        assert in_order(one) == in_order(other)
        self.handed_over.append(one)


def in_order(handed_over):
    """Return what was handed over with rows in order, since nothing depends on theirs."""
    if not isinstance(handed_over, list):
        return handed_over
    return sorted(handed_over, key=lambda row: (row["level"], -1 if row["lease"] is None else row["lease"]))


IMAGE = st.tuples(st.integers(0, 9), st.integers(0, 9)) | st.integers(0, 9).map(lambda label: (label, label))
BORDERS = ["second", "before second", "slice", "before slice", "level", "before level"]
LATER_NS = st.sampled_from([1000, 20_000, 100 * MS, 700 * MS, *BORDERS]) | st.integers(0, 40_000)
LATENCY_NS = st.integers(0, 100_000) | st.sampled_from([50_000, 4 * MS, 5 * MS, 700 * MS, 3 * SECOND])
END = st.tuples(
    st.just("end"),
    LATER_NS,
    LATENCY_NS,
    st.sampled_from([0, 0, 10_000, 2 * MS]),
    st.lists(IMAGE, min_size=1, max_size=3),
    st.sampled_from([None, None, None, 4, 5]),
    st.sampled_from([None, 0, 0, 0, 1]),
    st.sampled_from([UNTOLD, UNTOLD, OTHER]),
    st.sampled_from([False, False, False, False, True]),
)
# As users do: the same again and again.
MANY = st.tuples(END, st.integers(2, BATCH + 10)).map(lambda pair: ("many", *pair))
READ = st.tuples(
    st.just("read"), st.sampled_from(["take_all", "take_unleased", "counts_so_far", ("take", 4), "take_unleased"])
)
LEVEL = st.tuples(st.just("measure"), st.sampled_from([0, 30 * MS]), st.sampled_from([90 * MS, 3 * SECOND]))
OTHERS = st.sampled_from([("cut_off",), ("measure_all",), ("dropped",)])


@given(
    first=st.sampled_from([(), (("measure", 0, 90 * MS),), (("measure", 0, 3 * SECOND),)]),
    steps=st.lists(END | MANY | MANY | READ | LEVEL | OTHERS, max_size=25),
    counts_later=st.booleans(),
    is_open_load=st.booleans(),
    limits=st.sampled_from([(), LIMITS]),
    within_ns=st.sampled_from([(), (50_000, 5 * MS)]),
)
def test_any_order_of_requests_readers_and_levels_counts_the_same(
    first, steps, counts_later, is_open_load, limits, within_ns
):
    pair = Pair(counts_later, limits, within_ns)
    n_levels = 0
    for what, *arguments in (*first, *steps):
        if what == "end":
            pair.end(*arguments)
        elif what == "many":
            end, n = arguments
            for _ in range(n):
                pair.end(*end[1:])
        elif what == "read":
            name, *more = arguments if isinstance(arguments[0], str) else arguments[0]
            pair.read(name, *([pair.now_ns] if name == "counts_so_far" else more))
        elif what == "measure":
            warm_up_ns, duration_ns = arguments
            n_levels += 1
            for recorder in pair.recorders:
                recorder.measure(Window.of(n_levels, pair.now_ns + warm_up_ns, duration_ns, is_open_load))
        elif what == "measure_all":
            for recorder in pair.recorders:
                recorder.measure_all()
        else:
            for recorder in pair.recorders:
                if what == "cut_off":
                    recorder.count_cut_off(pair.now_ns - 20 * MS, pair.now_ns - 20 * MS, pair.now_ns, None)
                else:
                    recorder.count_dropped(pair.now_ns - MS)
    for recorder in pair.recorders:
        assert recorder.stamp()["n_undelivered"] == pair.one_by_one.stamp()["n_undelivered"]
    pair.read("take_all")


def request(done_ns, lease=None, who=UNTOLD, n_mismatched=None):
    return [3], [3], done_ns - MS, done_ns - MS, done_ns, lease, n_mismatched, who, 0


def in_a_second(n=20, **more):
    return [request(10 * SECOND + 10 * MS * number + 2 * MS, **more) for number in range(n)]


@pytest.mark.parametrize(
    ("requests", "is_together"),
    [
        pytest.param(in_a_second(), True, id="of one second"),
        pytest.param(in_a_second(3), False, id="few"),
        pytest.param(in_a_second(120), False, id="of two seconds"),
        pytest.param([*in_a_second(), request(10 * SECOND + MS - 1)], False, id="one begun before the level"),
        pytest.param([*in_a_second(), request(14 * SECOND)], False, id="one that ended after it"),
        pytest.param([*in_a_second(), request(10 * SECOND + 500 * MS, n_mismatched=0)], False, id="one compared"),
        pytest.param([*in_a_second(), request(10 * SECOND + 500 * MS, who=OTHER)], True, id="another model's answer"),
        pytest.param([*in_a_second(), request(10 * SECOND + 500 * MS, lease=1)], True, id="one of a lease"),
    ],
)
def test_what_is_counted_together(requests, is_together, monkeypatch):
    recorder = Recorder(counts_later=True)
    recorder.measure(Window.of(1, 10 * SECOND, 4 * SECOND, False))
    n_together = []

    def count(*arguments):
        n_together.append(together_count(*arguments))
        return n_together[-1]

    together_count = together.count
    monkeypatch.setattr(together, "count", count)
    recorder.waiting = list(requests)
    recorder.settle()

    assert any(n_together) == is_together
    assert sum(row["record"]["requests"] for row in recorder.take_all()) == len(requests)


def test_nothing_that_waits_is_left_behind_by_a_level_that_begins():
    recorder = Recorder(counts_later=True)
    recorder.measure(Window.of(1, 10 * SECOND, 4 * SECOND, False))
    recorder.waiting = in_a_second()
    recorder.measure(Window.of(2, 14 * SECOND, 4 * SECOND, False))

    assert not recorder.waiting
    assert [(row["level"], row["record"]["requests"]) for row in recorder.take_all()] == [(1, 20)]


@pytest.mark.parametrize("is_open_load", [pytest.param(True, id="open load"), pytest.param(False, id="closed load")])
@pytest.mark.parametrize("gap_ns", [pytest.param(1000, id="fast"), pytest.param(3 * MS, id="slow")])
def test_a_level_as_users_make_it_counts_the_same(is_open_load, gap_ns):
    pair = Pair(True, LIMITS, (50_000, 5 * MS))
    for recorder in pair.recorders:
        recorder.measure(Window.of(1, pair.now_ns + 10 * gap_ns, 1000 * gap_ns, is_open_load))
    latencies_ns = [1000, 49_999, 50_000, 50_001, 5 * MS - 1000, 5 * MS]
    for number in range(1100):
        images = [(number % 10, number % 10)] if number % 11 else [(1, 2), (3, 3)]
        who = OTHER if number % 200 == 13 else UNTOLD
        pair.end(gap_ns, latencies_ns[number % 6], number % 7 * 1000, images, None, 0, who, number % 150 == 3)
        if number % 100 == 50:
            pair.read("counts_so_far", pair.now_ns)
    pair.read("take_unleased")
