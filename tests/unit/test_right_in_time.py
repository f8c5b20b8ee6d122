"""Images that are answered rightly within a latency limit: held against a plain count of the requests."""

from collections import Counter

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.records.record import Record
from tfsload.records.recorder import Recorder, merge_plain
from tfsload.records.window import N_SLICES, Window
from tfsload.transport.failure import PredictionFailure

GONE = PredictionFailure("UNAVAILABLE", "gone")
LIMITS_NS = (50, 120, 400)
FIRST = Window.of(1, 1000, 100 * N_SLICES, is_open_load=True)
SECOND = Window.of(2, 2500, 50 * N_SLICES, is_open_load=False)


@st.composite
def requests(draw):
    """A request: when it was due, sent and done in ns, the labels of its images, and what was answered."""
    due_ns = draw(st.integers(500, 3300))
    sent_ns = due_ns + draw(st.integers(0, 60))
    done_ns = sent_ns + draw(st.integers(0, 600))
    labels = tuple(draw(st.lists(st.integers(0, 2), min_size=1, max_size=3)))
    answered = st.tuples(*[st.integers(0, 2)] * len(labels)).map(list) | st.just(list(labels))
    return due_ns, sent_ns, done_ns, list(labels), draw(st.none() | answered)


def handed_over(recorders):
    """Return what recorders hand over, merged by level after a journey through a message."""
    merged: dict[int, Record] = {}
    for recorder in recorders:
        merge_plain(merged, msgpack.loads(msgpack.dumps(recorder.take_all())))
    return merged


def n_right(request):
    _, _, _, labels, predicted = request
    return sum(label == answer for label, answer in zip(labels, predicted or (), strict=False))


def counted_plainly(made, begin_ns, end_ns):
    """Return right images by limit, of answers that came in a span: from their requests alone."""
    count = Counter()
    for request in made:
        due_ns, _, done_ns, _, predicted = request
        if predicted is not None and begin_ns <= done_ns < end_ns:
            for limit_ns in LIMITS_NS:
                if done_ns - due_ns <= limit_ns:
                    count[limit_ns] += n_right(request)
    return +count


def tell(recorder, request, lease=None):
    due_ns, sent_ns, done_ns, labels, predicted = request
    recorder.record(labels, predicted, GONE if predicted is None else None, due_ns, sent_ns, done_ns, lease)


@given(st.lists(requests(), max_size=30), st.integers(1, 3))
def test_in_levels(made, n_workers):
    recorders = [Recorder(counts_later=True, within_ns=LIMITS_NS) for _ in range(n_workers)]
    for recorder in recorders:
        recorder.measure(FIRST)
        recorder.measure(SECOND)
    for number, request in enumerate(made):
        tell(recorders[number % n_workers], request)
    records = handed_over(recorders)

    for window in (FIRST, SECOND):
        right = records.get(window.level, Record()).right
        assert +Counter(right) == counted_plainly(made, window.begin_ns, window.end_ns)


@given(st.lists(requests(), max_size=30), st.integers(1, 3), st.booleans())
def test_without_levels(made, n_workers, has_leases):
    recorders = [Recorder(10**18, within_ns=LIMITS_NS) for _ in range(n_workers)]
    for number, request in enumerate(made):
        tell(recorders[number % n_workers], request, lease=number // 4 if has_leases else None)

    assert +Counter(handed_over(recorders).get(0, Record()).right) == counted_plainly(made, 0, 10**6)


@pytest.mark.parametrize(
    ("done_ns", "expected"),
    [
        pytest.param(1150, {50: 1, 120: 1, 400: 1}, id="just-within"),
        pytest.param(1151, {120: 1, 400: 1}, id="just-beyond"),
        pytest.param(1500, {400: 1}, id="as-late-as-may-be"),
        pytest.param(1501, {}, id="too-late-for-all"),
    ],
)
def test_the_limit_itself_is_in_time(done_ns, expected):
    recorder = Recorder(counts_later=True, within_ns=LIMITS_NS)
    recorder.measure(FIRST)
    tell(recorder, (1100, 1100, done_ns, [1, 2], [1, 7]))

    assert handed_over([recorder])[1].right == expected


def test_a_latency_is_from_when_a_request_was_due():
    recorder = Recorder(counts_later=True, within_ns=LIMITS_NS)
    recorder.measure(FIRST)
    tell(recorder, (1100, 1140, 1160, [1], [1]))  # 20 ns after it was sent, 60 after it was due

    assert handed_over([recorder])[1].right == {120: 1, 400: 1}


def test_nothing_is_counted_that_nobody_asked_for():
    recorder = Recorder()
    tell(recorder, (1100, 1100, 1101, [1], [1]))

    assert handed_over([recorder])[0].right == {}
