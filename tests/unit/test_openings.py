"""What begins a request is made once for all that are alike: the same bytes and books as made anew for each."""

import hpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tfsload.transport.grpc import frames, openings
from tfsload.transport.grpc.call import PREFIX_SIZE, Call
from tfsload.transport.grpc.frames import FrameParser
from tfsload.transport.grpc.headers import request_headers
from tfsload.transport.grpc.protocol import ClientProtocol


class KeepsNothing(dict):
    def __setitem__(self, key, value):
        pass


def headers_with(*metadata):
    return request_headers("/a/b", "here:1", "http", 5.0, metadata)


KINDS = [
    headers_with(),
    headers_with(("x-a", "1")),
    headers_with(("x-b", "2" * 900)),
    headers_with(("x-c", "3" * 3000)),
]
LENGTHS = (0, 1, 10, 3000, frames.DEFAULT_MAX_FRAME_SIZE - PREFIX_SIZE, frames.DEFAULT_MAX_FRAME_SIZE, 70_000)
OPEN_WIDE = frames.settings_frame({frames.INITIAL_WINDOW_SIZE: frames.MAX_WINDOW}) + frames.window_update(0, 2**30)


class Sender:
    """A client that is asked to start calls, and the bytes that it sends."""

    def __init__(self, keeps=True, first_stream=1, greeting=b""):
        self.protocol = ClientProtocol(first_stream)
        if not keeps:
            self.protocol._openings.known = KeepsNothing()
        self.calls = []
        self.protocol.receive(frames.settings_frame({}) + greeting)
        self.protocol.take_output()

    def start(self, headers, length):
        call = Call(headers, bytes([len(self.calls) % 256]) * length, None, False, 100)
        self.calls.append(call)
        if not self.protocol.is_draining:
            self.protocol.start(call)

    def act(self, step):
        action, *values = step
        if action == "start":
            self.start(KINDS[values[0]], values[1])
        elif action == "cancel":
            self.protocol.cancel(self.calls[values[0] % len(self.calls)]) if self.calls else None
        elif action == "receive":
            self.protocol.receive(values[0])
        else:
            return self.protocol.take_output()
        return b""

    def books(self):
        protocol = self.protocol
        calls = [(call.stream, call.window, call.n_unsent) for call in self.calls]
        own = (protocol._window, protocol._n_output, protocol._next_stream, protocol.is_draining)
        where = [[self.calls.index(call) for call in some] for some in (protocol.calls.values(), protocol.waiting)]
        return calls, own, where, [*protocol.calls]


STEPS = st.one_of(
    st.tuples(st.just("start"), st.integers(0, len(KINDS) - 1), st.sampled_from(LENGTHS)),
    st.tuples(st.just("start"), st.just(0), st.just(10)),
    st.tuples(st.just("start"), st.just(0), st.just(10)),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("take")),
    st.tuples(
        st.just("receive"),
        st.sampled_from(
            [
                frames.window_update(0, 20_000),
                frames.settings_frame({frames.HEADER_TABLE_SIZE: 0}),
                frames.settings_frame({frames.HEADER_TABLE_SIZE: 400}),
                frames.settings_frame({frames.HEADER_TABLE_SIZE: 4096}),
                frames.settings_frame({frames.MAX_CONCURRENT_STREAMS: 2}),
                frames.settings_frame({frames.MAX_CONCURRENT_STREAMS: 100}),
                frames.settings_frame({frames.INITIAL_WINDOW_SIZE: 14}),
                frames.settings_frame({frames.INITIAL_WINDOW_SIZE: 100_000}),
                frames.settings_frame({frames.MAX_FRAME_SIZE: 100_000}),
            ]
        ),
    ),
)


@settings(max_examples=scaled(300))
@given(st.lists(STEPS, max_size=40), st.sampled_from([1, frames.MAX_STREAM_ID - 8]), st.sampled_from([b"", OPEN_WIDE]))
def test_requests_are_the_same_as_if_each_were_made_anew(steps, first_stream, greeting):
    keeping, other = Sender(True, first_stream, greeting), Sender(False, first_stream, greeting)
    for step in [*steps, ("take",)]:
        assert keeping.act(step) == other.act(step)
        assert keeping.books() == other.books()


def test_a_server_reads_the_headers_that_were_meant_when_others_have_moved_them():
    sender, server = Sender(greeting=OPEN_WIDE), hpack.Decoder()
    order = [0, 0, 0, 3, 3, 0, 0, 2, 1, 0, 0, 3, 3, 0]
    for kind in order:
        sender.start(KINDS[kind], 10)
    read = [
        tuple(server.decode(payload))
        for kind, _, _, payload, _ in FrameParser().feed(sender.protocol.take_output())
        if kind == frames.HEADERS
    ]

    assert read == [KINDS[kind].pairs for kind in order]


def test_a_request_like_an_earlier_one_is_made_of_what_is_kept(monkeypatch):
    sender = Sender(greeting=OPEN_WIDE)
    for _ in range(2):
        sender.start(KINDS[0], 10)
    monkeypatch.setattr(sender.protocol._openings, "block", None)  # whoever calls it fails

    sender.start(KINDS[0], 10)

    assert list(sender.protocol.calls) == [1, 3, 5]


@pytest.mark.parametrize("is_new", [pytest.param(True, id="headers"), pytest.param(False, id="lengths")])
def test_requests_of_ever_new_kinds_do_not_pile_up(is_new, monkeypatch):
    monkeypatch.setattr(openings, "_KEPT", 10)
    sender = Sender(greeting=OPEN_WIDE)
    for number in range(100):
        headers = headers_with(("x-id", str(number))) if is_new else KINDS[0]
        for _ in range(2):
            sender.start(headers, number)

    assert len(sender.protocol._openings.known) <= 10


WIDE_FRAMES = frames.settings_frame({frames.MAX_FRAME_SIZE: 100_000})
NARROW_FRAMES = frames.settings_frame({frames.MAX_FRAME_SIZE: frames.DEFAULT_MAX_FRAME_SIZE})
# What leaves no room for a request like an earlier one: the greeting, the steps, and how many calls wait in the end.
WITHOUT_ROOM = {
    "window-shut": (b"", [("start", 0, 3000)] * 22, 1),
    "behind-one-that-waits": (b"", [*[("start", 0, 10)] * 2, *[("start", 0, 3000)] * 22, ("start", 0, 10)], 2),
    "much-to-be-sent-already": (OPEN_WIDE, [("start", 0, 10_000)] * 120, 120 - 105),
    "streams-used-up": (frames.settings_frame({frames.MAX_CONCURRENT_STREAMS: 3}), [("start", 0, 10)] * 5, 2),
    "smaller-frames": (
        OPEN_WIDE + WIDE_FRAMES,
        [*[("start", 0, 70_000)] * 2, ("receive", NARROW_FRAMES), ("start", 0, 70_000)],
        0,
    ),
}


@pytest.mark.parametrize(("greeting", "steps", "n_waiting"), WITHOUT_ROOM.values(), ids=WITHOUT_ROOM)
def test_a_request_like_an_earlier_one_waits_for_room_as_any_other(greeting, steps, n_waiting):
    keeping, other = Sender(True, greeting=greeting), Sender(False, greeting=greeting)
    for step in [*steps, ("take",)]:
        assert keeping.act(step) == other.act(step)
        assert keeping.books() == other.books()
        if step != ("take",):
            waiting = len(keeping.protocol.waiting)

    assert waiting == n_waiting
