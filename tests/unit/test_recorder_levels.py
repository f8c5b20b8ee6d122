"""Which level a request belongs to, and what of it is counted where: held against a model that counts by hand."""

from collections import defaultdict
from dataclasses import dataclass, field

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tfsload.records.recorder import Record, Recorder, merge_plain
from tfsload.records.window import BETWEEN_LEVELS, N_SLICES, UNCOUNTED, WHOLE_RUN, Window
from tfsload.transport.failure import PredictionFailure

GONE = PredictionFailure("UNAVAILABLE", "gone")
SLICE_NS = 100
BEGIN_NS, END_NS = 1000, 1000 + N_SLICES * SLICE_NS
LEVEL_1 = Window.of(1, BEGIN_NS, N_SLICES * SLICE_NS, is_open_load=True)


def records_of(recorder):
    """Return what a recorder hands over, by level, after a journey through a message."""
    merged: dict[int, Record] = {}
    merge_plain(merged, msgpack.loads(msgpack.dumps(recorder.take_all())))
    return defaultdict(Record, merged)


def record(recorder, due_ns, sent_ns, done_ns, failure=None, n_mismatched=0):
    return recorder.record([1], None if failure else [1], failure, due_ns, sent_ns, done_ns, None, n_mismatched)


@pytest.fixture
def recorder():
    return Recorder(counts_later=True)


@pytest.mark.parametrize(
    ("duration_ns", "end_ns", "slice_ns"),
    [
        pytest.param(1200, 2200, 100, id="divides"),
        pytest.param(1211, 2200, 100, id="the-last-nanoseconds-are-left-out"),
        pytest.param(12, 1012, 1, id="the-shortest-that-is-cut"),
        pytest.param(11, 1000, 0, id="too-short-to-cut-holds-nothing"),
    ],
)
def test_a_window_has_twelve_equal_slices(duration_ns, end_ns, slice_ns):
    window = Window.of(3, 1000, duration_ns, is_open_load=False)

    assert (window.level, window.begin_ns, window.end_ns, window.slice_ns) == (3, 1000, end_ns, slice_ns)
    assert window.duration_ns == 12 * slice_ns


@pytest.mark.parametrize(
    ("span", "overlap_ns"),
    [
        pytest.param((1100, 1300), 200, id="inside"),
        pytest.param((900, 1100), 100, id="begun-before"),
        pytest.param((2100, 2300), 100, id="ended-after"),
        pytest.param((0, 9000), 1200, id="around"),
        pytest.param((0, 1000), 0, id="before"),
        pytest.param((2200, 9000), 0, id="after"),
    ],
)
def test_the_overlap_of_a_span(span, overlap_ns):
    assert LEVEL_1.overlap_ns(*span) == overlap_ns


@pytest.mark.parametrize(
    ("due_ns", "sent_ns", "done_ns", "is_whole", "straddling", "in_flight_ns"),
    [
        pytest.param(1100, 1110, 1300, True, 0, 190, id="inside"),
        pytest.param(1000, 1000, 1001, True, 0, 1, id="due-as-it-begins"),
        pytest.param(2198, 2198, 2199, True, 0, 1, id="done-before-it-ends"),
        pytest.param(999, 1010, 1300, False, 1, 290, id="due-before-it-begins"),
        pytest.param(900, 900, 1300, False, 1, 300, id="sent-before-it-begins"),
        pytest.param(2100, 2150, 2200, False, 1, 50, id="done-as-it-ends"),
        pytest.param(2100, 2300, 2400, False, 1, 0, id="due-inside-and-sent-after"),
        pytest.param(500, 600, 9000, False, 1, 1200, id="all-around-it"),
        pytest.param(500, 600, 999, False, 0, 0, id="over-before-it-begins"),
        pytest.param(2200, 2200, 2300, False, 0, 0, id="due-as-it-ends"),
    ],
)
def test_where_a_request_counts(recorder, due_ns, sent_ns, done_ns, is_whole, straddling, in_flight_ns):
    recorder.measure(LEVEL_1)
    level = record(recorder, due_ns, sent_ns, done_ns)
    records = records_of(recorder)

    assert level == (1 if is_whole else UNCOUNTED)
    assert (records[1].requests, records[UNCOUNTED].requests) == ((1, 0) if is_whole else (0, 1))
    assert (records[1].straddling, records[1].in_flight_ns) == (straddling, in_flight_ns)


def test_a_request_across_two_levels_straddles_both(recorder):
    level_2 = Window.of(2, END_NS + 500, 1200, is_open_load=False)
    recorder.measure(LEVEL_1)
    recorder.measure(level_2)
    record(recorder, END_NS - 100, END_NS - 100, END_NS + 800)
    records = records_of(recorder)

    assert [(records[level].straddling, records[level].in_flight_ns) for level in (1, 2)] == [(1, 100), (1, 300)]
    assert (records[1].requests, records[2].requests, records[UNCOUNTED].requests) == (0, 0, 1)
    assert sum(records[1].slice_answers) == 0
    assert sum(records[2].slice_answers) == 1  # the answer came in the second one


@pytest.mark.parametrize(
    ("due_ns", "done_ns", "failed_later"),
    [
        pytest.param(2100, 2200, [1, 0], id="as-its-level-ends"),
        pytest.param(2100, 9000, [1, 0], id="beyond-the-next-level"),
        pytest.param(2190, 2800, [1, 0], id="in-the-next-level"),
        pytest.param(900, 1300, [0, 0], id="sent-before-the-level"),
        pytest.param(1100, 1300, [0, 0], id="within-it"),
        pytest.param(2300, 2350, [0, 0], id="between-levels"),
    ],
)
def test_a_failure_is_kept_for_the_level_that_it_left_in(recorder, due_ns, done_ns, failed_later):
    recorder.measure(LEVEL_1)
    recorder.measure(Window.of(2, END_NS + 500, 1200, is_open_load=False))
    recorder.record([1], None, GONE, due_ns, due_ns, done_ns, None)
    records = records_of(recorder)
    copies = [Record.from_plain(records[level].to_plain()) for level in (1, 2)]

    assert [one.failed_later for one in copies] == failed_later


def test_a_request_between_levels_is_uncounted_and_straddles_none(recorder):
    recorder.measure(LEVEL_1)
    recorder.measure(Window.of(2, END_NS + 500, 1200, is_open_load=False))
    record(recorder, END_NS + 10, END_NS + 10, END_NS + 490)
    records = records_of(recorder)

    assert set(records) == {UNCOUNTED}
    assert (records[UNCOUNTED].requests, records[UNCOUNTED].latency.count) == (1, 1)


def test_before_the_first_level_all_is_uncounted(recorder):
    assert recorder.window is BETWEEN_LEVELS
    assert record(recorder, 0, 0, 10**18) == UNCOUNTED


def test_a_request_that_is_told_late_counts_in_its_own_level(recorder):
    recorder.measure(LEVEL_1)
    recorder.measure(Window.of(2, END_NS + 500, 1200, is_open_load=True))
    assert record(recorder, 1100, 1120, 1250) == 1
    records = records_of(recorder)

    assert (records[1].requests, records[2].straddling, records[UNCOUNTED].requests) == (1, 0, 0)
    assert records[1].slice_answers[2] == 1
    assert (records[1].lag.count, records[1].lag.max_ns) == (1, 20)


def test_latency_is_from_when_a_request_was_due_and_time_in_flight_from_when_it_left(recorder):
    recorder.measure(LEVEL_1)
    record(recorder, 1100, 1150, 1300)
    found = records_of(recorder)[1]

    assert (found.latency.max_ns, found.lag.max_ns, found.in_flight_ns) == (200, 50, 150)
    assert (found.slice_answers[3], found.slice_latency_ns[3]) == (1, 200)


def test_a_request_without_an_answer_was_in_flight_and_is_in_no_slice(recorder):
    recorder.measure(LEVEL_1)
    record(recorder, 1100, 1150, 1300, GONE)
    record(recorder, 900, 900, 1300, GONE)
    found = records_of(recorder)[1]

    assert (found.requests, found.failed_requests, found.latency.count) == (1, 1, 0)
    assert (found.straddling, found.in_flight_ns) == (1, 150 + 300)
    assert (sum(found.slice_answers), found.lag.count) == (0, 1)


def test_closed_load_has_no_lag(recorder):
    recorder.measure(Window.of(1, BEGIN_NS, 1200, is_open_load=False))
    record(recorder, 1100, 1100, 1300)

    assert records_of(recorder)[1].lag.count == 0


def test_mismatches_are_booked_with_their_request(recorder):
    recorder.measure(LEVEL_1)
    record(recorder, 1100, 1100, 1300, n_mismatched=1)
    record(recorder, 100, 100, 300, n_mismatched=1)
    records = records_of(recorder)

    assert (records[1].mismatched, records[UNCOUNTED].mismatched) == (1, 1)


def test_a_run_without_levels_has_neither_slices_nor_straddling_requests():
    recorder = Recorder()
    assert recorder.window is WHOLE_RUN
    assert record(recorder, 0, 0, 10**18) == 0
    recorder.count_cut_off(5, 5, 10, None)
    found = records_of(recorder)[0]

    assert (found.requests, found.straddling, found.in_flight_ns, found.cut_off) == (1, 0, 0, 1)
    assert sum(found.slice_answers) == 0


@pytest.mark.parametrize(
    ("due_ns", "sent_ns", "now_ns", "straddling", "in_flight_ns"),
    [
        pytest.param(1100, 1150, 1300, 1, 150, id="inside"),
        pytest.param(900, 900, 2500, 1, 1200, id="around"),
        pytest.param(100, 100, 900, 0, 0, id="before"),
        pytest.param(2300, 2300, 2500, 0, 0, id="after"),
    ],
)
def test_a_request_that_is_cut_off_is_counted_as_that_alone(
    recorder, due_ns, sent_ns, now_ns, straddling, in_flight_ns
):
    recorder.measure(LEVEL_1)
    recorder.count_cut_off(due_ns, sent_ns, now_ns, None)
    records = records_of(recorder)

    assert (records[UNCOUNTED].cut_off, records[UNCOUNTED].requests) == (1, 0)
    assert (records[1].straddling, records[1].in_flight_ns) == (straddling, in_flight_ns)
    assert (records[1].requests, records[1].cut_off, sum(records[1].slice_answers)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("due_ns", "level"),
    [
        pytest.param(999, None, id="in-the-warm-up"),
        pytest.param(1000, 1, id="as-it-begins"),
        pytest.param(2199, 1, id="before-it-ends"),
        pytest.param(2200, None, id="as-it-ends"),
        pytest.param(2700, 2, id="in-the-next"),
    ],
)
def test_arrivals_count_where_they_were_due(recorder, due_ns, level):
    recorder.measure(LEVEL_1)
    recorder.measure(Window.of(2, END_NS + 500, 1200, is_open_load=True))
    recorder.count_offered(due_ns)
    recorder.count_sent(due_ns)
    recorder.count_offered(due_ns)
    recorder.count_dropped(due_ns)
    records = records_of(recorder)

    assert set(records) == ({level} if level else set())
    assert level is None or (records[level].offered, records[level].sent, records[level].dropped) == (2, 1, 1)


def test_arrivals_of_a_run_without_levels_are_nobodys():
    recorder = Recorder()
    recorder.count_offered(5)

    assert recorder.take_all() == []


def test_what_was_taken_is_taken_once_and_a_level_goes_on_afterwards(recorder):
    recorder.measure(LEVEL_1)
    record(recorder, 1100, 1100, 1200)
    first = recorder.take_unleased()
    record(recorder, 1200, 1200, 1300)
    merged: dict[int, Record] = {}
    merge_plain(merged, first)
    merge_plain(merged, recorder.take_unleased())

    assert merged[1].requests == 2
    assert recorder.take_unleased() == []


def test_what_was_answered_under_leases_and_not_taken_is_told():
    recorder = Recorder(unix_offset_ns=10**18)
    for lease, failure in ((1, None), (1, GONE), (2, None), (2, None), (None, None)):
        recorder.record([1], None if failure else [1], failure, 5, 5, 9, lease)

    assert recorder.stamp()["n_undelivered"] == 3
    recorder.take(2)
    assert recorder.stamp()["n_undelivered"] == 1
    assert recorder.stamp()["unix_ns"] > 10**18


# The model: everything by hand, request by request and window by window.


@dataclass
class Counted:
    """What the model counts of a level."""

    requests: int = 0
    failed: int = 0
    straddling: int = 0
    in_flight_ns: int = 0
    latency_sum_ns: int = 0
    lag_sum_ns: int = 0
    cut_off: int = 0
    offered: int = 0
    answers: list[int] = field(default_factory=lambda: [0] * N_SLICES)
    answers_ns: list[int] = field(default_factory=lambda: [0] * N_SLICES)


def count_by_hand(windows, made):
    counted = defaultdict(Counted)
    for request in made:
        due, sent, done, failed, is_cut = request
        owner = UNCOUNTED
        for window in windows:
            if window.begin_ns <= due and done < window.end_ns and not is_cut:
                owner = window.level
        for window in windows:
            touches = any(window.begin_ns <= instant < window.end_ns for instant in range(due, done + 1))
            level = counted[window.level] if touches else Counted()
            level.in_flight_ns += sum(window.begin_ns <= instant < window.end_ns for instant in range(sent, done))
            level.straddling += owner != window.level
            if window.begin_ns <= done < window.end_ns and not failed and not is_cut:
                level.answers[(done - window.begin_ns) // window.slice_ns] += 1
                level.answers_ns[(done - window.begin_ns) // window.slice_ns] += done - due
            if window.level == owner and window.is_open_load:
                level.lag_sum_ns += sent - due
            if window.begin_ns <= due < window.end_ns:
                level.offered += 1
        level = counted[owner]
        level.cut_off += is_cut
        level.requests += not is_cut
        level.failed += failed and not is_cut
        level.latency_sum_ns += 0 if failed or is_cut else done - due
    return counted


def found_by_level(records):
    return {
        level: Counted(
            requests=found.requests,
            failed=found.failed_requests,
            straddling=found.straddling,
            in_flight_ns=found.in_flight_ns,
            latency_sum_ns=found.latency.sum_ns,
            lag_sum_ns=found.lag.sum_ns,
            cut_off=found.cut_off,
            offered=found.offered,
            answers=found.slice_answers,
            answers_ns=found.slice_latency_ns,
        )
        for level, found in records.items()
    }


@st.composite
def windows_made(draw):
    """Windows one after another, each with the instant at which the recorder is told of it."""
    at_ns, made = 0, []
    for level in range(1, draw(st.integers(0, 3)) + 1):
        told_ns = at_ns + draw(st.integers(0, 20))
        begin_ns = told_ns + draw(st.integers(0, 20))
        window = Window.of(level, begin_ns, draw(st.integers(12, 50)), draw(st.booleans()))
        made.append((told_ns, window))
        at_ns = window.end_ns
    return made


@st.composite
def requests_made(draw):
    """A request: due, sent, done, whether it failed, whether it was cut off; and how late it is told."""
    due, lag, flight = draw(st.integers(0, 200)), draw(st.integers(0, 10)), draw(st.integers(0, 80))
    kind = draw(st.sampled_from(["answered", "answered", "failed", "cut off"]))
    told_ns = due + lag + flight + draw(st.integers(0, 40))
    return told_ns, (due, due + lag, due + lag + flight, kind == "failed", kind == "cut off")


def tell(recorder, windows, made):
    """Tell a recorder of windows and requests, in the order in which they are told."""
    happenings = [(told_ns, 0, recorder.measure, (window,)) for told_ns, window in windows]
    for told_ns, (due, sent, done, failed, is_cut) in made:
        if is_cut:
            happenings.append((told_ns, 1, recorder.count_cut_off, (due, sent, done, None)))
        else:
            happenings.append((told_ns, 1, record, (recorder, due, sent, done, GONE if failed else None)))
        happenings.append((told_ns, 1, recorder.count_offered, (due,)))
    for _, _, happen, arguments in sorted(happenings, key=lambda happening: happening[:2]):
        happen(*arguments)


@given(windows_made(), st.lists(requests_made(), max_size=12))
@settings(max_examples=scaled(150))
def test_all_is_booked_as_counted_by_hand(windows, made):
    recorder = Recorder(10**18, counts_later=True)
    tell(recorder, windows, made)
    found = found_by_level(records_of(recorder))
    expected = count_by_hand([window for _, window in windows], [request for _, request in made])

    assert {level: value for level, value in found.items() if value != Counted()} == {
        level: value for level, value in expected.items() if value != Counted()
    }
    ended = [request for _, request in made if not request[4]]
    assert sum(value.requests for value in found.values()) == len(ended)  # each exactly once


ONE_LEVEL = [(0, Window.of(1, 0, 12, is_open_load=False))]
WITHIN_IT = (22, (1, 2, 3, False, False))
# Due as the level's last nanosecond passes, and sent after it: nothing of it was in flight within the level.
SENT_AFTER_IT = (22, (11, 12, 13, False, False))


@given(windows_made(), st.lists(st.tuples(st.integers(0, 3), requests_made()), max_size=20))
@example(ONE_LEVEL, [(0, WITHIN_IT), (1, SENT_AFTER_IT)])
@settings(max_examples=scaled(80))
def test_merged_recorders_equal_one(windows, made):
    one, *four = (Recorder(10**18, counts_later=True) for _ in range(5))
    tell(one, windows, [request for _, request in made])
    merged: dict[int, Record] = {}
    for number, recorder in enumerate(four):
        tell(recorder, windows, [request for where, request in made if where == number])
        merge_plain(merged, msgpack.loads(msgpack.dumps(recorder.take_all())))

    assert plain_of(merged) == plain_of(records_of(one))


def plain_of(records):
    return {level: record.to_plain() for level, record in records.items()}
