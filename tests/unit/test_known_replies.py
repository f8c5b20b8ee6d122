"""Replies of a known form, read where they lie: the same answers and errors as by the parser alone."""

import itertools
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tests.support.grpc_frames import block, message
from tests.support.nothing_known import NothingKnown
from tests.support.reply_styles import ADDED, STYLES, literals, usual_reply
from tfsload.transport.grpc import frames, known_replies, protocol
from tfsload.transport.grpc.call import PREFIX_SIZE, Call
from tfsload.transport.grpc.frames import ProtocolError
from tfsload.transport.grpc.headers import request_headers
from tfsload.transport.grpc.protocol import ClientProtocol

HEADERS = request_headers("/a/b", "here:1", "http", 5.0, ())
ENDS = frames.END_HEADERS | frames.END_STREAM
# Calls take replies up to this many bytes.
LIMIT = 100
BODY, OTHER_BODY = b"0123456789", b"9876543210"


class Trial:
    """A client, its calls, and all that can be seen of it after each step; a step is bytes, or the call to give up."""

    def __init__(self, n_calls, server_settings=(), knows=True, body=b"question"):
        self.protocol = ClientProtocol()
        if not knows:
            self.protocol._known = NothingKnown()
        self.seen = []
        self.error = None
        self.calls = [Call(HEADERS, body, None, False, LIMIT) for _ in range(n_calls)]
        self.act(frames.settings_frame(dict(server_settings)))
        for call in self.calls:
            self.protocol.start(call)
        self.act(b"")

    def act(self, step):
        try:
            if isinstance(step, bytes):
                self.protocol.receive(step)
            elif not self.calls[step].is_over and not self.is_let_go(self.calls[step]):
                self.protocol.cancel(self.calls[step])
        except ProtocolError as error:
            self.error = (error.code, str(error))
        ended, unprocessed = self.protocol.take_ended(), self.protocol.take_unprocessed()
        numbers = [[self.calls.index(call) for call in calls] for calls in (ended, unprocessed)]
        self.seen.append((*numbers, self.protocol.take_output(), self.error))

    def is_let_go(self, call):
        return call not in self.protocol.waiting and self.protocol.calls.get(call.stream) is not call

    def run(self, steps):
        for step in steps:
            if self.error is None:
                self.act(step)
        return self

    def all_that_is_seen(self):
        calls = [
            (call.stream, call.window, call.n_unsent, call.reply, str(call.error), call.initial, call.trailing)
            for call in self.calls
        ]
        known = self.protocol
        rest = None if self.error else known._parser._rest  # nobody reads on after an error
        return self.seen, calls, list(known.calls), known._window, known._unopened, rest


def tried(steps, *given, **options):
    """Return a trial, after it was held against the parser alone."""
    trial = Trial(*given, **options).run(steps)
    alone = Trial(*given, **options, knows=False).run(steps)
    assert trial.all_that_is_seen() == alone.all_that_is_seen()
    return trial


def whole(stream, body=BODY, style="grpcio", number=1):
    return b"".join(usual_reply(style, number, stream, body))


# What is read in place


@pytest.mark.parametrize("style", STYLES)
def test_a_reply_like_an_earlier_one_is_read_in_place(style, monkeypatch):
    trial = Trial(4).run([whole(1, style=style)])
    monkeypatch.setattr(trial.protocol._parser, "feed", None)  # whoever calls it fails

    trial.run([whole(5, OTHER_BODY, style) + whole(3, BODY, style)])

    assert [call.reply for call in trial.calls] == [BODY, BODY, OTHER_BODY, None]
    assert trial.seen[-1][:2] == ([2, 1], [])
    assert [call.trailing for call in trial.calls[1:3]] == [trial.calls[0].trailing] * 2
    assert [call.initial for call in trial.calls[1:3]] == [trial.calls[0].initial] * 2
    assert trial.protocol._unopened == 3 * len(message(BODY))


@pytest.mark.parametrize("style", STYLES)
def test_a_reply_in_one_piece_like_the_one_before_is_read_in_one_step(style, monkeypatch):
    trial = Trial(4).run([whole(1, style=style)])
    frame_by_frame = {"_openings": None, "_ends": None}  # whoever looks for a frame there fails
    for name, nothing in frame_by_frame.items():
        monkeypatch.setattr(trial.protocol._known, name, nothing)

    trial.run([whole(5, OTHER_BODY, style) + whole(3, BODY, style)])

    assert [call.reply for call in trial.calls] == [BODY, BODY, OTHER_BODY, None]
    assert {call.initial for call in trial.calls[:3]} == {trial.calls[0].initial}
    assert trial.protocol._unopened == 3 * len(message(BODY))


def test_frame_by_frame_is_known_what_is_not_like_the_one_before_in_one_piece():
    """A long answer and a short one by turns: of one form, which was learnt last, and of another."""
    bodies = [BODY, b"another length"] * 4

    trial = tried([whole(2 * place + 1, body) for place, body in enumerate(bodies)], len(bodies))

    assert [call.reply for call in trial.calls] == bodies


# What comes before usual replies in one piece, which are to be read in one step from the second on: bodies and forms.
A_LITTLE_LATER = {
    "a-shorter-one": [(BODY, "nghttpd", 1), (b"odd one", "nghttpd", 1), (BODY, "nghttpd", 1)],
    "a-longer-one": [(BODY, "nghttpd", 1), (b"a longer one than usual", "nghttpd", 1), (BODY, "nghttpd", 1)],
    "many-odd-ones": [(BODY, "nghttpd", 1), *((bytes(n), "nghttpd", 1) for n in range(80)), (BODY, "nghttpd", 1)],
    "another-server": [(BODY, "envoy", 1), (BODY, "nginx", 1), (BODY, "envoy", 1)],
    "a-second-later": [(BODY, "nginx", 0), (BODY, "nginx", 3), (BODY, "nginx", 0)],
    "of-parts-that-were-learnt-with-others": [(BODY, "nginx", 0), (b"odd one", "nginx", 3), (BODY, "nginx", 3)],
    "other-trailers-for-once": [
        (BODY, "grpcio", 1), (BODY, "nginx", 3), (b"odd one", "grpcio", 1), (BODY, "grpcio", 1),
    ],
}  # fmt: skip


@pytest.mark.parametrize("before", A_LITTLE_LATER.values(), ids=A_LITTLE_LATER)
def test_usual_replies_after_an_odd_one_are_read_in_one_step_again(before, monkeypatch):
    _, *form = before[-1]
    trial = tried([whole(2 * place + 1, *one) for place, one in enumerate(before)], len(before) + 3)
    in_one_step = {"_openings": None, "_ends": None}  # whoever looks for a frame there fails
    for name, nothing in in_one_step.items():
        monkeypatch.setattr(trial.protocol._known, name, nothing)

    first = 2 * len(before) + 1
    trial.run([whole(first, OTHER_BODY, *form), whole(first + 2, BODY, *form) + whole(first + 4, BODY, *form)])

    assert [call.reply for call in trial.calls[-3:]] == [OTHER_BODY, BODY, BODY]


def test_replies_of_two_lengths_by_turns_are_read_in_one_step_each(monkeypatch):
    bodies = [BODY, b"another length"]
    trial = Trial(8).run([whole(2 * place + 1, bodies[place % 2]) for place in range(4)])
    monkeypatch.setattr(trial.protocol._known, "_ends", None)

    trial.run([whole(2 * place + 1, bodies[place % 2]) for place in range(4, 6)] + [whole(13) + whole(15, bodies[1])])

    assert [call.reply for call in trial.calls] == bodies * 4


def test_several_forms_are_known_at_once(monkeypatch):
    """Two models, whose answers differ in length, behind a proxy whose headers differ from second to second."""
    forms = [("nginx", 0, b"long" * 9), ("nginx", 3, b"short"), ("envoy", 1, b"long" * 9)]
    trial = Trial(9).run([whole(2 * place + 1, body, *form) for place, (*form, body) in enumerate(forms)])
    monkeypatch.setattr(trial.protocol._parser, "feed", None)

    trial.run([whole(11, b"tiny5", "nginx", 0) + whole(7, b"five.", "nginx", 4) + whole(9, b"LONG" * 9, "envoy", 1)])

    assert [call.reply for call in trial.calls[3:6]] == [b"five.", b"LONG" * 9, b"tiny5"]


def test_frames_of_several_streams_alternate(monkeypatch):
    trial = Trial(3).run([whole(1)])
    monkeypatch.setattr(trial.protocol._parser, "feed", None)
    (opening, *rest), (other_opening, *other_rest) = (
        usual_reply("grpcio", 1, 3, BODY),
        usual_reply("grpcio", 1, 5, BODY),
    )

    trial.run([other_opening + opening + b"".join([*rest, *other_rest])])

    assert trial.seen[-1][0] == [1, 2]


def test_what_opens_the_connections_window_does_not_keep_from_reading_in_place(monkeypatch):
    """As gRPC's own servers send it, with every write."""
    trial = Trial(4).run([whole(1)])
    window = trial.protocol._window
    monkeypatch.setattr(trial.protocol._parser, "feed", None)

    trial.run([frames.window_update(0, 100) + whole(3) + frames.window_update(0, 11) + whole(5)])

    assert trial.seen[-1] == ([1, 2], [], b"", None)
    assert trial.protocol._window == window + 111


# What opens the connection's window between two known replies: the server's settings, how many calls there are, by how
# much, and whether the connection breaks.
OPENINGS = {
    "by-nothing": ({}, 3, [0], True),
    "by-nothing-with-the-reserved-bit": ({}, 3, [1 << 31], True),
    "with-the-reserved-bit": ({}, 3, [1 << 31 | 5], False),
    "as-wide-as-can-be": ({}, 3, [frames.MAX_WINDOW - frames.DEFAULT_WINDOW + 3 * 13], False),
    "too-wide": ({}, 3, [frames.MAX_WINDOW - frames.DEFAULT_WINDOW + 3 * 13 + 1], True),
    "too-wide-in-two-steps": ({}, 3, [frames.MAX_WINDOW - frames.DEFAULT_WINDOW, 3 * 13 + 1], True),
    "while-calls-wait": ({frames.MAX_CONCURRENT_STREAMS: 3}, 5, [100], False),
    "while-a-message-has-a-rest": ({frames.INITIAL_WINDOW_SIZE: 9}, 3, [100], False),
}


@pytest.mark.parametrize(("server_settings", "n_calls", "increments", "breaks"), OPENINGS.values(), ids=OPENINGS)
def test_what_opens_the_connections_window_is_as_the_parser_has_it(server_settings, n_calls, increments, breaks):
    opening = b"".join(frames.window_update(0, increment) for increment in increments)
    trial = tried([whole(1), whole(3) + opening + whole(5)], n_calls, server_settings)

    assert [call.is_over for call in trial.calls[:3]] == [True, True, not breaks]
    assert bool(trial.error) == breaks


@pytest.mark.parametrize("place", range(14))
def test_what_opens_the_connections_window_may_be_cut_anywhere(place):
    opening = frames.window_update(0, 1000)
    trial = tried([whole(1), whole(3) + opening[:place], opening[place:] + whole(5)], 3)

    assert [fate(trial, number) for number in range(3)] == ["OK"] * 3
    assert trial.protocol._window == frames.DEFAULT_WINDOW - 3 * len(message(b"question")) + 1000


def test_a_message_that_waits_for_the_connections_window_goes_on_when_it_is_opened():
    sizes = frames.DEFAULT_WINDOW - 2 * PREFIX_SIZE
    trial = tried([whole(1), frames.window_update(0, 20_000) + whole(3)], 3, body=bytes(sizes // 2))

    assert trial.seen[2][2] + trial.seen[3][2] != b""  # the third one's
    assert list(trial.protocol.calls) == [5]


def test_calls_that_wait_for_the_connections_window_begin_when_it_is_opened():
    trial = tried([whole(1), frames.window_update(0, 50_000)], 7, body=bytes(16_000))

    assert list(trial.protocol.calls) == [3, 5, 7, 9, 11, 13]
    assert not trial.protocol.waiting


@pytest.mark.parametrize(("stream", "breaks"), [(1, False), (5, False), (99, True), (2, True)])
def test_what_opens_a_streams_window_opens_that_one_alone(stream, breaks):
    trial = tried([whole(1), frames.window_update(stream, 1000) + whole(3)], 3)

    assert trial.protocol._window == frames.DEFAULT_WINDOW - 3 * len(message(b"question"))
    assert bool(trial.error) == breaks


def test_no_window_is_opened_before_the_servers_settings():
    for knows in (True, False):
        protocol = ClientProtocol()
        if not knows:
            protocol._known = NothingKnown()

        with pytest.raises(ProtocolError, match="first frame is not SETTINGS"):
            protocol.receive(frames.window_update(0, 5) + frames.settings_frame({}))


# What is left to the parser: a reply on stream 3 after one of known form, and what becomes of its call


def padded(frame, padding=3):
    kind, flags, stream = frame[3], frame[4], int.from_bytes(frame[5:9], "big")
    return frames.frame(kind, flags | frames.PADDED, stream, bytes([padding]) + frame[9:] + bytes(padding))


def continued(frame):
    kind, flags, stream = frame[3], frame[4], int.from_bytes(frame[5:9], "big")
    start = frames.frame(kind, flags & ~frames.END_HEADERS, stream, frame[9:12])
    return start + frames.frame(frames.CONTINUATION, frames.END_HEADERS, stream, frame[12:])


def with_priority(frame):
    kind, flags, stream = frame[3], frame[4], int.from_bytes(frame[5:9], "big")
    return frames.frame(kind, flags | frames.WITH_PRIORITY, stream, bytes(5) + frame[9:])


def with_flags(frame, flags):
    return frame[:4] + bytes([flags]) + frame[5:]


def on_stream(frame, stream):
    return frame[:5] + stream.to_bytes(4, "big") + frame[9:]


def data(content, stream=3, flags=0):
    return frames.frame(frames.DATA, flags, stream, content)


def trailers(*pairs, stream=3):
    return frames.frame(frames.HEADERS, ENDS, stream, block(*pairs))


RESERVED = 1 << 31
INTERIM = frames.frame(frames.HEADERS, frames.END_HEADERS, 3, block((":status", "103")))
# By name: what becomes of the three frames of a usual reply on stream 3, and of its call.
TWISTS = {
    "usual": (lambda *f: f, "OK"),
    "data-padded": (lambda h, d, t: (h, padded(d), t), "OK"),
    "headers-padded": (lambda h, d, t: (padded(h), d, t), "OK"),
    "trailers-padded": (lambda h, d, t: (h, d, padded(t)), "OK"),
    "headers-continued": (lambda h, d, t: (continued(h), d, t), "OK"),
    "trailers-continued": (lambda h, d, t: (h, d, continued(t)), "OK"),
    "with-priority": (lambda h, d, t: (with_priority(h), d, with_priority(t)), "OK"),
    "reserved-bit": (lambda *f: [on_stream(one, 3 | RESERVED) for one in f], "OK"),
    "reserved-bit-of-trailers": (lambda h, d, t: (h, d, on_stream(t, 3 | RESERVED)), "OK"),
    "unknown-flags": (lambda h, d, t: (with_flags(h, 0x44), with_flags(d, 0x40), with_flags(t, 0x45)), "OK"),
    "another-length": (lambda h, _d, t: (h, data(message(b"other")), t), "OK"),
    "in-two-frames": (lambda h, d, t: (h, data(d[9:14]), data(d[14:]), t), "OK"),
    "empty-frame-before": (lambda h, d, t: (h, data(b""), d, t), "OK"),
    "empty-frame-behind": (lambda h, d, t: (h, d, data(b""), t), "OK"),
    "interim-headers": (lambda h, d, t: (INTERIM, h, d, t), "OK"),
    "headers-behind-the-message": (lambda h, d, t: (d, h, t), "OK"),
    "ping-between": (lambda h, d, t: (h, frames.frame(frames.PING, 0, 0, b"pingpong"), d, t), "OK"),
    "window-between": (lambda h, d, t: (h, d, frames.window_update(0, 9) + frames.window_update(3, 9), t), "OK"),
    "unknown-frame-between": (lambda h, d, t: (h, frames.frame(0xEE, 4, 3, h[9:]), d, t), "OK"),
    "going-away-but-not-this": (lambda h, d, t: (h, frames.goaway(3, 0), d, t), "OK"),
    "going-away": (lambda h, d, t: (h, frames.goaway(1, 0), d, t), "UNPROCESSED"),
    "reset-between": (lambda h, d, t: (h, frames.rst_stream(3, frames.CANCEL), d, t), "CANCELLED"),
    "reset-as-refused": (lambda h, d, t: (frames.rst_stream(3, frames.REFUSED_STREAM), h, d, t), "UNPROCESSED"),
    "reset-behind": (lambda h, d, t: (h, d, t, frames.rst_stream(3, frames.NO_ERROR)), "OK"),
    "too-long": (lambda h, _d, t: (h, data(message(bytes(LIMIT + 1))), t), "RESOURCE_EXHAUSTED"),
    "compressed-it-says": (lambda h, d, t: (h, data(b"\x01" + d[10:]), t), "INTERNAL"),
    "a-longer-one-it-says": (lambda h, d, t: (h, data(d[9:13] + b"\x63" + d[14:]), t), "INTERNAL"),
    "a-shorter-one-it-says": (lambda h, d, t: (h, data(d[9:13] + b"\x01" + d[14:]), t), "INTERNAL"),
    "twice": (lambda h, d, t: (h, d, d, t), "INTERNAL"),
    "a-part-before": (lambda h, d, t: (h, data(d[9:11]), d, t), "INTERNAL"),
    "no-message": (lambda h, _d, t: (h, t), "INTERNAL"),
    "no-headers": (lambda _h, d, t: (d, t), "INTERNAL"),
    "headers-twice": (lambda h, d, t: (h, h, d, t), "INTERNAL"),
    "headers-twice-behind": (lambda h, d, t: (h, d, h, t), "INTERNAL"),
    "no-trailers": (lambda h, d, _t: (h, with_flags(d, frames.END_STREAM)), "UNKNOWN"),
    "data-that-ends-and-trailers": (lambda h, d, t: (h, with_flags(d, frames.END_STREAM), t), "UNKNOWN"),
    "headers-alone": (lambda h, _d, _t: (with_flags(h, ENDS),), "UNKNOWN"),
    "trailers-that-do-not-end": (lambda h, d, t: (h, d, with_flags(t, frames.END_HEADERS)), "INTERNAL"),
    "another-status": (lambda h, d, _t: (h, d, trailers(("grpc-status", "8"))), "RESOURCE_EXHAUSTED"),
    "another-status-as-long": (lambda h, d, t: (h, d, t[:-1] + b"8"), "RESOURCE_EXHAUSTED"),
    "more-in-the-trailers": (lambda h, d, _t: (h, d, trailers(("grpc-status", "0"), ("x-load", "1"))), "OK"),
    "http-503": (lambda _h, _d, _t: (trailers((":status", "503")),), "UNAVAILABLE"),
    "trailers-of-another-stream": (lambda h, d, t: (h, d, on_stream(t, 5)), "open"),
    "data-of-another-stream": (lambda h, d, t: (h, on_stream(d, 5), t), "INTERNAL"),
    "a-stream-that-never-was": (lambda h, d, t: (h, on_stream(d, 99), t), "broken"),
    "an-even-stream": (lambda h, d, t: (on_stream(h, 2), d, t), "broken"),
    "data-on-the-connection": (lambda h, d, t: (h, on_stream(d, 0), t), "broken"),
    "headers-on-the-connection": (lambda h, d, t: (on_stream(h, 0), d, t), "broken"),
    "continuation-of-nothing": (lambda h, d, t: (h, h[:3] + bytes([frames.CONTINUATION]) + h[4:], d, t), "broken"),
    "push": (lambda h, d, t: (h[:3] + bytes([frames.PUSH_PROMISE]) + h[4:], d, t), "broken"),
    "a-part-within-a-block": (lambda h, d, t: (with_flags(h, 0), h, d, t), "broken"),
    "a-frame-too-long": (lambda h, d, t: (h, frames.frame_header(20_000, frames.DATA, 0, 3), d, t), "broken"),
    # The server took in vain what it said it adds to the table, and refers to it.
    "refers-to-the-table": (lambda _h, d, t: (frames.frame(frames.HEADERS, 4, 3, b"\x88\xbe"), d, t), "broken"),
    "table-of-another-size": (
        lambda h, d, t: (frames.frame(frames.HEADERS, 4, 3, b"\x3f\x81\x1f" + h[9:]), d, t),
        "broken",
    ),
    "table-of-size-0-once-more": (lambda h, d, t: (frames.frame(frames.HEADERS, 4, 3, b"\x20" + h[9:]), d, t), "OK"),
    "adds-to-the-table": (
        lambda h, d, t: (frames.frame(frames.HEADERS, 4, 3, h[9:] + literals(ADDED, ("x", "y"))), d, t),
        "OK",
    ),
}  # fmt: skip


def fate(trial, number):
    call = trial.calls[number]
    if number in [one for _, unprocessed, *_ in trial.seen for one in unprocessed]:
        return "UNPROCESSED"
    if call.is_over:
        return call.error.code().name if call.error else "OK"
    return "broken" if trial.error else "open"


def twisted(name, stream=3, body=OTHER_BODY, style="grpcio", number=1):
    usual = usual_reply(style, number, 3, body)
    return [
        on_stream(frame, stream) if int.from_bytes(frame[5:9], "big") == 3 else frame
        for unit in TWISTS[name][0](*usual)
        for frame in single_frames(unit)
    ]


def single_frames(unit):
    start, cut = 0, []
    while start < len(unit):
        stop = start + 9 + int.from_bytes(unit[start : start + 3], "big")
        cut.append(unit[start:stop])
        start = stop
    return cut


@pytest.mark.parametrize("style", ["grpcio", "nghttpd"])
@pytest.mark.parametrize("name", TWISTS)
def test_what_differs_is_as_the_parser_has_it(name, style):
    steps = [
        whole(1, style=style),
        b"".join(twisted(name, style=style)) + whole(5, style=style) + whole(7, style=style),
    ]
    trial = tried(steps, 4)

    assert fate(trial, 1) == TWISTS[name][1]
    if fate(trial, 1) == "OK":
        assert trial.calls[1].reply in (OTHER_BODY, b"other")
    if TWISTS[name][1] != "broken" and "another-stream" not in name:
        others = "UNPROCESSED" if "going-away" in name else "OK"
        assert [fate(trial, 2), fate(trial, 3)] == [others] * 2


@pytest.mark.parametrize("name", TWISTS)
def test_what_differs_may_be_cut_between_frames(name):
    sent = twisted(name)
    for place in range(1, len(sent)):
        trial = tried([whole(1), b"".join(sent[:place]), b"".join(sent[place:]) + whole(5)], 3)

        assert fate(trial, 1) == TWISTS[name][1]


def test_headers_that_begin_like_known_ones_may_be_cut_where_those_end():
    opening, *rest = usual_reply("grpcio", 1, 3, OTHER_BODY)
    longer = frames.frame(frames.HEADERS, 4, 3, opening[9:] + literals(ADDED, ("x", "y")))
    trial = tried([whole(1), longer[: len(opening)], longer[len(opening) :] + b"".join(rest)], 2)

    assert [fate(trial, 0), fate(trial, 1)] == ["OK", "OK"]
    assert trial.calls[1].initial.metadata[-1] == ("x", "y")


def test_an_error_like_an_earlier_one_is_an_error():
    twist = TWISTS["another-status-as-long"][0]
    steps = [b"".join(twist(*usual_reply("grpcio", 1, stream, BODY))) for stream in (1, 3)]
    trial = tried([whole(5), *steps], 3)

    assert [fate(trial, number) for number in range(3)] == ["RESOURCE_EXHAUSTED"] * 2 + ["OK"]


@pytest.mark.parametrize("place", range(len(whole(3)) + 1))
def test_a_known_reply_may_be_cut_anywhere(place):
    content = whole(3, OTHER_BODY)
    trial = tried([whole(1), content[:place], content[place:] + whole(5)], 3)

    assert [call.reply for call in trial.calls] == [BODY, OTHER_BODY, BODY]


def test_a_known_reply_to_a_call_that_was_given_up_counts_for_the_window_alone():
    trial = tried([whole(1), 1, whole(3) + whole(5)], 3)

    assert trial.seen[-1][0] == [2]
    assert trial.protocol._unopened == 3 * len(message(BODY))


def test_a_known_reply_may_be_too_long_for_another_call():
    trial = Trial(2).run([whole(1)])
    trial.calls[1].max_reply_bytes = len(BODY) - 1
    trial.run([whole(3)])

    assert fate(trial, 1) == "RESOURCE_EXHAUSTED"


def test_a_known_reply_before_the_whole_message_was_sent_stops_the_rest():
    trial = tried([whole(1), whole(3)], 2, {frames.INITIAL_WINDOW_SIZE: 9}, body=b"a long question")

    assert [fate(trial, 0), fate(trial, 1)] == ["OK", "OK"]
    assert trial.seen[-1][2] == frames.rst_stream(3, frames.NO_ERROR)
    assert not trial.protocol._sendable


def test_room_that_known_replies_make_is_used_at_once():
    trial = tried([whole(1), whole(3) + whole(5), whole(7)], 6, {frames.MAX_CONCURRENT_STREAMS: 3})

    assert list(trial.protocol.calls) == [9, 11]
    assert [seen[2].count(b"question") for seen in trial.seen[1:]] == [3, 1, 2, 0]


def test_the_connections_window_is_opened_again_however_replies_are_read(monkeypatch):
    monkeypatch.setattr(protocol, "_REOPEN_AT", 2 * len(message(BODY)))
    trial = tried([whole(1), whole(3), whole(5), whole(7)], 4)

    updates = [seen[2] for seen in trial.seen[2:]]
    assert updates == [b"", frames.window_update(0, 2 * len(message(BODY)))] * 2


# What is kept


@pytest.mark.parametrize(
    ("opening", "size"),
    [
        pytest.param(block((":status", "200"), ("x", "y" * 2000)), 10, id="long-headers"),
        pytest.param(block((":status", "200")), frames.DEFAULT_MAX_FRAME_SIZE - 4, id="message-of-two-frames"),
    ],
)
def test_what_is_long_is_not_learnt(opening, size):
    trial = Trial(1)
    trial.calls[0].max_reply_bytes = 2 * size
    content = message(bytes(size))
    first, rest = content[:5], content[5:]
    trial.run([frames.frame(frames.HEADERS, 4, 1, opening) + data(first, 1) + data(rest, 1)])
    trial.run([trailers(("grpc-status", "0"), stream=1)])

    assert fate(trial, 0) == "OK"
    assert not trial.protocol._known._ends


def test_a_frame_of_a_length_that_is_not_allowed_is_refused_though_such_a_message_was_there():
    content = message(bytes(frames.DEFAULT_MAX_FRAME_SIZE))
    opening, _, end = usual_reply("grpcio", 1, 1, b"")
    first = opening + data(content[:9], 1) + data(content[9:], 1) + end
    trial = Trial(2)
    for call in trial.calls:
        call.max_reply_bytes = len(content)
    trial.run([first, on_stream(opening, 3) + data(content) + on_stream(end, 3)])

    assert [fate(trial, 0), fate(trial, 1)] == ["OK", "broken"]
    assert trial.error[0] == frames.FRAME_SIZE_ERROR


def test_what_a_server_never_says_again_does_not_pile_up():
    n_replies = 3 * known_replies._KEPT
    trial = Trial(n_replies)
    for call in trial.calls:
        call.max_reply_bytes = n_replies
    for number in range(n_replies):
        opening, content, end = usual_reply("grpcio", 1, 2 * number + 1, bytes(number))
        named = frames.frame(frames.HEADERS, 4, 2 * number + 1, opening[9:] + literals(ADDED, ("x-id", str(number))))
        trial.run([named + content + end])

    known = trial.protocol._known
    assert {fate(trial, number) for number in range(n_replies)} == {"OK"}
    assert 0 < len(known._openings) <= known_replies._KEPT
    assert 0 < len(known._ends) <= known_replies._KEPT
    assert 0 < len(known._wholes) <= known_replies._KEPT


# All of it together

USUAL = ["usual"] * len(TWISTS)
CONTROL = {
    "ping": frames.frame(frames.PING, 0, 0, b"pingpong"),
    "window": frames.window_update(0, 1000),
    "settings": frames.settings_frame({frames.INITIAL_WINDOW_SIZE: 70_000}),
    "fewer-streams": frames.settings_frame({frames.MAX_CONCURRENT_STREAMS: 1}),
    "goaway": frames.goaway(5, 0),
}


@st.composite
def conversations(draw):
    """Return what a server sends to some calls, cut anywhere, and which of them are given up in between."""
    styles = draw(st.lists(st.sampled_from([*STYLES]), min_size=1, max_size=2))
    queues = []
    for place in range(draw(st.integers(1, 8))):
        name = draw(st.sampled_from([*USUAL, *TWISTS]))
        body = draw(st.sampled_from([BODY, OTHER_BODY, b"", b"0123456789.", bytes(LIMIT + 1)]))
        queues.append(twisted(name, 2 * place + 1, body, draw(st.sampled_from(styles)), draw(st.integers(0, 2))))
    sent = []
    alternates = draw(st.booleans())
    while queues := [queue for queue in queues if queue]:
        queue = queues[draw(st.integers(0, len(queues) - 1)) if alternates else 0]
        sent.append(queue.pop(0))
    for name in draw(st.lists(st.sampled_from([*CONTROL]), max_size=2)):
        sent.insert(draw(st.integers(0, len(sent))), CONTROL[name])
    content = bytearray(b"".join(sent))
    if content and draw(st.integers(0, 4)) == 0:
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    cuts = draw(st.lists(st.integers(0, len(content)), max_size=12))
    places = sorted({0, len(content), *cuts})
    steps = [bytes(content[start:stop]) for start, stop in itertools.pairwise(places)]
    for number in draw(st.lists(st.integers(0, 8), max_size=2)):
        steps.insert(draw(st.integers(0, len(steps))), number)
    return steps


@settings(max_examples=scaled(600))
@given(
    conversations(),
    st.sampled_from([{}, {frames.MAX_CONCURRENT_STREAMS: 4}, {frames.INITIAL_WINDOW_SIZE: 9}]),
    st.sampled_from([1 << 28, 20]),
)
def test_any_conversation_is_as_the_parser_has_it(steps, server_settings, reopen_at):
    with mock.patch.object(protocol, "_REOPEN_AT", reopen_at):
        tried(steps, 9, server_settings)
