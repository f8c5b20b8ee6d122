"""What one prediction costs in calls of Python functions: a measure of speed that has no noise.

Clocks differ by a tenth between equal runs; the number of calls is the same to the digit. A change that makes the way
of a prediction longer is seen here at once: it says why where it raises a figure below. (`make bench-against` holds
two commits against each other by the clock.)
"""

import gc
import itertools
import json
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hpack
import locust.stats
import numpy as np
import pytest

from tests.support.answering_user import REPLY, AnsweringConnection, AnsweringHttpConnection, answered_by
from tfsload.analysis.edges import rests_on_many
from tfsload.prediction import prediction_user, process_run, statistics_book
from tfsload.prediction.process_run import load_images
from tfsload.records.half_seconds import BATCH, HalfSeconds
from tfsload.run import messages
from tfsload.settings.settings import Settings
from tfsload.target.references import References
from tfsload.transport.call_spec import MNIST_EXAMPLE
from tfsload.transport.grpc import frames
from tfsload.transport.grpc.call import PREFIX_SIZE, Call
from tfsload.transport.grpc.codec import ReplyReader
from tfsload.transport.grpc.headers import request_headers
from tfsload.transport.grpc.protocol import ClientProtocol
from users import GrpcPredictionUser, RestPredictionUser

TESTS = str(Path(__file__).parents[1])
# What is counted: whole rounds of the data set's 1,000 images, and whole batches of the 64 latencies that are counted
# at once, wherever in a batch it begins. Before it, one round, with all that is done only once.
N_WARM, N_COUNTED = 1_000, 8_000
LAST_SCORE = struct.pack("<f", 0.91)  # of the canned reply
IN_FLIGHT = 8
# A call more in each batch of the 64 latencies is seen (0.016); what a numpy does in each round of images is not.
ROOM = 0.005

# Calls a prediction, from the user's `predict` on, all but the connection's; a Python that inlines more has fewer.
# Each reply is one that was there before, as a model's are that is asked for the same images over and over.
CALLS_OF_A_PREDICTION = dict.fromkeys(((3, 11), (3, 12), (3, 13)), 5.8458)
# The same over REST, whose requests are bytes with their HTTP around them. Replies are looked up by their bytes, too.
CALLS_OF_A_REST_PREDICTION = {(3, 11): 5.8458}
# Thresholds count in batches, too: some calls for the batch, and one for each threshold.
CALLS_WITH_A_THRESHOLD = dict.fromkeys(((3, 11), (3, 12), (3, 13)), 5.9083)
CALLS_WITH_THREE_THRESHOLDS = dict.fromkeys(((3, 11), (3, 12), (3, 13)), 5.9395)
# Each limit is gone through once a batch.
CALLS_WITH_RIGHT_RATES = dict.fromkeys(((3, 11), (3, 12), (3, 13)), 5.9083)
# Answers that are those recorded without load, byte by byte.
CALLS_WITH_VERIFY = dict.fromkeys(((3, 11), (3, 12), (3, 13)), 7.8458)
# With a user class's own `encode`, which is over before the load, and `is_right`: to an image's answer in the same
# bytes its last verdict is taken, so that it costs what any reply does that is known.
CALLS_WITH_HOOKS = dict.fromkeys(((3, 11), (3, 12), (3, 13)), 5.8458)
# To read a reply that is new and to judge it, `is_right` left out: what it reads of the answer comes to that.
CALLS_OF_A_NEW_JUDGED_REPLY = {(3, 11): 11.0, (3, 12): 10.0, (3, 13): 10.0}
# Calls for a reply that was not there before, as all are of a model that answers each time in other digits: to read it,
# and to put its answer together. In the figures above there is one of them.
CALLS_OF_A_NEW_REPLY = dict.fromkeys(((3, 11), (3, 12), (3, 13)), 2.0)
# Calls a request of the connection's protocol, eight in flight: frames written, and read.
CALLS_OF_THE_PROTOCOL = dict.fromkeys(((3, 11), (3, 12), (3, 13)), 1.75)
# The same where the server's window takes half of them, so that the others wait for room.
CALLS_WITH_A_NARROW_WINDOW = dict.fromkeys(((3, 11), (3, 12), (3, 13)), 3.5)


def known(figures: dict[tuple[int, int], float]) -> float:
    """Return this Python's figure."""
    version = sys.version_info[:2]
    if version not in figures:
        pytest.skip(f"no figure is known for Python {version[0]}.{version[1]}: count there, and enter it")
    return figures[version]


def calls_in(function: Callable[[], None]) -> Counter[str]:
    """Return how often each Python function was called while a function ran, the tests' own left out."""
    counts: Counter[str] = Counter()

    def count(frame, event, _):
        if event == "call" and not frame.f_code.co_filename.startswith(TESTS):
            counts[frame.f_code.co_qualname] += 1

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return counts


def references_to_all(n_requests: int) -> list[list[Any]]:
    """Return, as `--verify` sends it, that each request was answered without load as the connection answers it."""
    references = References()
    scores = ReplyReader("scores", 1).read(REPLY[PREFIX_SIZE:]).scores
    for number in range(n_requests):
        references.keep(number, scores)
    return references.to_plain()


@pytest.fixture
def clock(monkeypatch):
    """Have a microsecond go by with each look at the time: however slow the machine is, no second turns."""
    looks_ns = itertools.count(10**18, 1000)

    def look_ns():
        return next(looks_ns)

    slow = {"perf_counter_ns": look_ns, "time_ns": look_ns, "time": lambda: look_ns() / 1e9}
    for module in (prediction_user, process_run, statistics_book, locust.stats):
        monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), **slow}))


@pytest.fixture
def user(request, clock):  # noqa: ARG001  (it sets the time)
    """A user of a run under way, over the native channel, whose connection answers at once.

    Its parameter, if any: the run's thresholds, and whether answers are compared with references.
    """
    thresholds, has_references = getattr(request, "param", ("", False))
    n_images = len(load_images(Settings.parse({}, None)).labels)
    options = {"threshold": thresholds, **({"verify": str(n_images)} if has_references else {})}
    references = references_to_all(n_images) if has_references else None
    with answered_by(AnsweringConnection(), references, **options) as user:
        yield user


@pytest.mark.parametrize(
    ("user", "calls", "n_compared"),
    [
        pytest.param(("", False), CALLS_OF_A_PREDICTION, 0, id="plain"),
        pytest.param(("p99 < 50ms", False), CALLS_WITH_A_THRESHOLD, 0, id="a-threshold"),
        pytest.param(("p99 < 50ms; p50 > 1us; mean < 1s", False), CALLS_WITH_THREE_THRESHOLDS, 0, id="three-of-them"),
        pytest.param(("", True), CALLS_WITH_VERIFY, N_WARM + N_COUNTED, id="verify"),
        pytest.param(("right_rate[20ms] > 5; right_rate[9ns] > 5", False), CALLS_WITH_RIGHT_RATES, 0, id="right-rates"),
        pytest.param(("error_rate < 5% abort; recall[7] > 5%", False), CALLS_OF_A_PREDICTION, 0, id="abort-and-class"),
    ],
    indirect=["user"],
)
def test_a_prediction_takes_no_more_calls(user, calls, n_compared):
    def predict(n):
        for _ in range(n):
            user.predict()

    predict(N_WARM)
    counts = calls_in(lambda: predict(N_COUNTED))

    (report,) = [row["record"] for row in user._run.recorder.take_all()]
    assert (report["requests"], report["failed_requests"]) == (N_WARM + N_COUNTED, 0)
    assert (report["compared"], report["mismatched"]) == (n_compared, 0)
    for rows in report["half_seconds"].values():
        assert sum(n for _, n, _, _ in rows) == N_WARM + N_COUNTED
    judging = user._run.settings.checks.thresholds
    assert set(report["half_seconds"]) == {one.text for one in judging if rests_on_many(one)}
    n_right = sum(count for label, predicted, count in report["confusion"] if label == predicted)
    assert sum(report["right"].values()) == n_right * sum(one.within_ns == 20_000_000 for one in judging)
    assert counts["PredictionUser.predict"] == N_COUNTED
    assert counts.total() / N_COUNTED == pytest.approx(known(calls), abs=ROOM), counts.most_common()


def test_a_prediction_over_rest_takes_no_more_calls(clock):  # noqa: ARG001  (it sets the time)
    with answered_by(AnsweringHttpConnection(), user_class=RestPredictionUser) as user:
        for _ in range(N_WARM):
            user.predict()
        counts = calls_in(lambda: [user.predict() for _ in range(N_COUNTED)])
        (report,) = [row["record"] for row in user._run.recorder.take_all()]

    assert (report["requests"], report["failed_requests"]) == (N_WARM + N_COUNTED, 0)
    assert counts["PredictionUser.predict"] == N_COUNTED
    expected = known(CALLS_OF_A_REST_PREDICTION)
    assert counts.total() / N_COUNTED == pytest.approx(expected, abs=ROOM), counts.most_common()


def replies_of(n: int) -> list[bytes]:
    """Return as many replies that differ in their scores."""
    prefix, scores = REPLY[PREFIX_SIZE:].split(LAST_SCORE)
    return [prefix + struct.pack("<f", 1 + number / 2**20) + scores for number in range(n)]


@pytest.fixture
def without_collections():
    """Keep Python from collecting garbage: who listens to that (hypothesis does) is called, too."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collections")
def test_a_reply_that_is_new_takes_no_more_calls():
    reader = ReplyReader("scores", 1)
    first, *replies = replies_of(1 + N_COUNTED)
    reader.read(first)
    counts = calls_in(lambda: [reader.read(reply) for reply in replies])

    per_reply = counts.total() / len(replies)
    assert per_reply == pytest.approx(known(CALLS_OF_A_NEW_REPLY), abs=ROOM), counts.most_common()
    assert reader.read(replies[-1]).scores[0, -1] == np.float32(1 + N_COUNTED / 2**20)


class Hooked(GrpcPredictionUser):
    """Has ways of its own."""

    n_encoded = n_judged = 0

    def encode(self, image):
        self.n_encoded += 1
        return 255 - image

    def is_right(self, label, answer):
        self.n_judged += 1
        return answer.predicted == label


HOOKED = replace(MNIST_EXAMPLE, judged_by="Hooked.is_right", asks_for=())


@pytest.fixture
def hooked(clock, monkeypatch):  # noqa: ARG001  (it sets the time)
    """A user as of `user`, of a class with ways of its own."""
    monkeypatch.setattr(Hooked, "n_encoded", 0)
    monkeypatch.setattr(Hooked, "n_judged", 0)
    calls = json.dumps([[["Hooked"], HOOKED.to_text()]])
    with answered_by(AnsweringConnection(), user_class=Hooked, **{messages.CALL_SPEC_OPTION: calls}) as user:
        yield user


def test_ways_of_a_class_s_own_take_no_more_calls(hooked):
    n_images = len(hooked._run.book)
    for _ in range(N_WARM):
        hooked.predict()
    assert (Hooked.n_encoded, Hooked.n_judged) == (n_images, n_images)

    counts = calls_in(lambda: [hooked.predict() for _ in range(N_COUNTED)])

    assert (Hooked.n_encoded, Hooked.n_judged) == (n_images, n_images)
    (report,) = [row["record"] for row in hooked._run.recorder.take_all()]
    assert report["requests"] == N_WARM + N_COUNTED
    assert counts["PredictionUser.predict"] == N_COUNTED
    assert counts.total() / N_COUNTED == pytest.approx(known(CALLS_WITH_HOOKS), abs=ROOM), counts.most_common()


@pytest.mark.usefixtures("without_collections")
def test_a_new_reply_that_a_class_judges_itself_takes_no_more_calls(hooked):
    request = hooked._book[0]
    first, *replies = replies_of(1 + N_COUNTED)
    request.judge(first)
    counts = calls_in(lambda: [request.judge(reply) for reply in replies])

    per_reply = counts.total() / len(replies)
    assert Hooked.n_judged == 1 + N_COUNTED
    assert per_reply == pytest.approx(known(CALLS_OF_A_NEW_JUDGED_REPLY), abs=ROOM), counts.most_common()


def reply_frames(encoder: hpack.Encoder, stream: int) -> bytes:
    """Return an answer as nghttpd sends it: headers, one message, trailers."""
    headers, trailers = (
        encoder.encode(pairs) for pairs in ([(":status", "200"), ("trailer", "grpc-status")], [("grpc-status", "0")])
    )
    return (
        frames.header_frames(stream, headers, 0, frames.DEFAULT_MAX_FRAME_SIZE)
        + frames.frame(frames.DATA, 0, stream, REPLY)
        + frames.header_frames(stream, trailers, frames.END_STREAM, frames.DEFAULT_MAX_FRAME_SIZE)
    )


@pytest.mark.parametrize(
    ("n_at_once", "expected"),
    [
        pytest.param(IN_FLIGHT, CALLS_OF_THE_PROTOCOL, id="all-at-once"),
        pytest.param(IN_FLIGHT // 2, CALLS_WITH_A_NARROW_WINDOW, id="half-of-them-wait"),
    ],
)
def test_the_protocol_takes_no_more_calls(n_at_once, expected):
    encoder = hpack.Encoder()
    encoder.header_table_size = 0  # as the client asks for
    message = bytes(frames.DEFAULT_WINDOW // n_at_once - PREFIX_SIZE)
    protocol = ClientProtocol()
    protocol.receive(frames.settings_frame({frames.INITIAL_WINDOW_SIZE: frames.MAX_WINDOW}))
    protocol.take_output()
    headers = request_headers("/p/m", "h:1", "http", 5.0, ())
    n_flights = 100
    opening = frames.window_update(0, n_at_once * (len(message) + PREFIX_SIZE))
    answers = [
        opening + b"".join(reply_frames(encoder, 2 * (first + place) + 1) for place in range(n_at_once))
        for first in range(0, (n_flights + 1) * IN_FLIGHT, n_at_once)
    ]
    calls = [Call(headers, message, None, False, 2**20) for _ in range((n_flights + 1) * IN_FLIGHT)]

    def fly(flight):
        for call in calls[flight * IN_FLIGHT : (flight + 1) * IN_FLIGHT]:
            if protocol.waiting or not protocol.start_like_others(call):  # as the connection does
                protocol.start(call)
        ended = []
        while protocol.calls:
            protocol.take_output()
            protocol.receive(answers.pop(0))
            ended += protocol.take_ended()
        return ended

    assert len(fly(0)) == IN_FLIGHT
    ended = []
    counts = calls_in(lambda: ended.extend(call for flight in range(1, n_flights + 1) for call in fly(flight)))

    assert [call.error for call in ended] == [None] * (n_flights * IN_FLIGHT)
    assert {call.reply for call in ended} == {REPLY[PREFIX_SIZE:]}
    per_request = counts.total() / len(ended)
    assert per_request == pytest.approx(known(expected), abs=ROOM), counts.most_common()


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("user", "owner", "name", "each"),
    [
        pytest.param(("", False), ReplyReader, "read", 1, id="plain"),
        pytest.param(("p99 < 50ms", False), HalfSeconds, "fill", BATCH, id="a-threshold"),
        pytest.param(("", True), References, "n_mismatched", 1, id="verify"),
    ],
    indirect=["user"],
)
def test_one_function_more_is_seen(user, monkeypatch, owner, name, each):
    """The guard's own test: a call more for each request, or for each batch of them."""
    planted = {"function": getattr(owner, name)}
    exec("def more(*given):\n    return function(*given)", planted)

    def calls_a_prediction():
        # The least of three: what else is at work in this process only adds to it.
        counts = [calls_in(lambda: [user.predict() for _ in range(N_COUNTED)]).total() for _ in range(3)]
        return min(counts) / N_COUNTED

    for _ in range(N_WARM):
        user.predict()
    before = calls_a_prediction()
    monkeypatch.setattr(owner, name, planted["more"])

    assert calls_a_prediction() == pytest.approx(before + 1 / each, abs=ROOM)
    assert 1 / each > 2 * ROOM
