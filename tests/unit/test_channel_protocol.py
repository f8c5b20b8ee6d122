"""The HTTP/2 client as pure functions: bytes in, ended calls out."""

import gc
import gzip
import itertools
import struct

import grpc
import hpack
import pytest
from hpack.hpack import decode_integer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tests.support.grpc_frames import OK_HEADERS, OK_TRAILERS, block, headers_only, message, reply
from tfsload.transport.backoff import Backoff
from tfsload.transport.grpc import frames
from tfsload.transport.grpc.call import Call
from tfsload.transport.grpc.frames import FrameParser, ProtocolError
from tfsload.transport.grpc.headers import (
    RequestEncoder,
    RequestHeaders,
    decode_reply_headers,
    request_headers,
    timeout_text,
)
from tfsload.transport.grpc.protocol import ClientProtocol

CODE = grpc.StatusCode
HEADERS = request_headers("/a/b", "here:1", "http", 5.0, ())


def connected(server_settings=None, n_calls=0, body=b"question", limit=10**6):
    """Return a protocol that has the server's settings, and calls in flight."""
    protocol = ClientProtocol()
    protocol.receive(frames.settings_frame(server_settings or {}))
    calls = [Call(HEADERS, body, None, False, limit) for _ in range(n_calls)]
    for call in calls:
        protocol.start(call)
    return protocol, calls


def sent(protocol):
    """Return the frames that the protocol has sent, after its preface."""
    output = protocol.take_output().removeprefix(frames.PREFACE)
    return FrameParser(2**24).feed(output)


def kinds(protocol):
    return [frame[0] for frame in sent(protocol)]


def in_pieces(data, cuts):
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[start:stop] for start, stop in itertools.pairwise(places)]


# Frames


@given(
    st.lists(st.tuples(st.integers(1, 99).map(lambda n: 2 * n + 1), st.binary(max_size=60), st.integers(0, 20))),
    st.lists(st.integers(0, 5000)),
)
def test_any_split_of_a_stream_gives_the_same_frames(written, cuts):
    data = b""
    for stream, payload, padding in written:
        padded = bytes([padding]) + payload + bytes(padding) if padding else payload
        data += frames.frame(frames.DATA, frames.PADDED if padding else 0, stream, padded)
    whole = FrameParser().feed(data)
    parser = FrameParser()

    assert [frame for piece in in_pieces(data, cuts) for frame in parser.feed(piece)] == whole
    assert [(frame[2], frame[3]) for frame in whole] == [(stream, payload) for stream, payload, _ in written]


@given(st.binary(max_size=300), st.integers(1, 40))
def test_header_blocks_survive_their_continuation(content, max_frame_size):
    data = frames.header_frames(3, content, frames.END_STREAM, max_frame_size)
    (frame,) = FrameParser().feed(data)

    assert frame[0] == frames.HEADERS
    assert frame[1] & frames.END_STREAM
    assert frame[2:4] == (3, content)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(frames.frame_header(20_000, frames.DATA, 0, 1), frames.FRAME_SIZE_ERROR, id="too-long"),
        pytest.param(frames.frame(frames.DATA, 0, 0, b""), frames.PROTOCOL_ERROR, id="data-on-the-connection"),
        pytest.param(frames.frame(frames.SETTINGS, 0, 1, b""), frames.PROTOCOL_ERROR, id="settings-on-a-stream"),
        pytest.param(frames.frame(frames.SETTINGS, 0, 0, b"12345"), frames.FRAME_SIZE_ERROR, id="settings-of-5-bytes"),
        pytest.param(frames.frame(frames.SETTINGS, 1, 0, bytes(6)), frames.FRAME_SIZE_ERROR, id="ack-with-settings"),
        pytest.param(frames.frame(frames.PING, 0, 0, b"1234567"), frames.FRAME_SIZE_ERROR, id="short-ping"),
        pytest.param(frames.frame(frames.GOAWAY, 0, 0, b"1234567"), frames.FRAME_SIZE_ERROR, id="short-goaway"),
        pytest.param(frames.frame(frames.RST_STREAM, 0, 1, b"1"), frames.FRAME_SIZE_ERROR, id="short-reset"),
        pytest.param(frames.frame(frames.DATA, 8, 1, b"\x05abc"), frames.PROTOCOL_ERROR, id="more-padding-than-data"),
        pytest.param(frames.frame(frames.DATA, 8, 1, b""), frames.PROTOCOL_ERROR, id="padded-and-empty"),
        pytest.param(frames.frame(frames.HEADERS, 0x20, 1, b"1234"), frames.FRAME_SIZE_ERROR, id="short-priority"),
        pytest.param(frames.frame(frames.CONTINUATION, 4, 1, b""), frames.PROTOCOL_ERROR, id="continues-nothing"),
        pytest.param(
            frames.frame(frames.HEADERS, 0, 1, b"") + frames.frame(frames.DATA, 0, 1, b""),
            frames.PROTOCOL_ERROR,
            id="data-within-headers",
        ),
        pytest.param(
            frames.frame(frames.HEADERS, 0, 1, b"") + frames.frame(frames.CONTINUATION, 4, 3, b""),
            frames.PROTOCOL_ERROR,
            id="another-streams-continuation",
        ),
        pytest.param(frames.frame(frames.PUSH_PROMISE, 4, 1, bytes(4)), frames.PROTOCOL_ERROR, id="push"),
        pytest.param(
            frames.frame(frames.HEADERS, 0, 1, b"") + frames.frame(frames.CONTINUATION, 0, 1, bytes(16_000)) * 20,
            frames.ENHANCE_YOUR_CALM,
            id="endless-headers",
        ),
    ],
)
def test_malformed_frames_end_the_connection(data, code):
    with pytest.raises(ProtocolError) as caught:
        FrameParser().feed(data)

    assert caught.value.code == code


@pytest.mark.parametrize("cuts", [pytest.param([], id="in-one-piece"), pytest.param([len(reply(1))], id="in-two")])
def test_an_answer_before_a_malformed_frame_counts_however_both_arrive(cuts):
    protocol, (call, other) = connected(n_calls=2)
    pieces = in_pieces(reply(1) + frames.frame(frames.PING, 0, 0, b"1234567") + reply(3), cuts)

    with pytest.raises(ProtocolError, match="frame of kind 6 with 7 bytes"):
        list(map(protocol.receive, pieces))

    assert protocol.take_ended() == [call]
    assert (call.reply, call.error, other.is_over) == (b"answer", None, False)


def test_unknown_frames_and_priorities_are_ignored():
    data = frames.frame(0xEE, 0xFF, 7, b"?") + frames.frame(frames.PRIORITY, 0, 1, bytes(5))

    assert FrameParser().feed(data) == []


# Calls


def test_a_call_is_two_frames_and_its_reply_ends_it():
    protocol, (call,) = connected(n_calls=1)
    assert kinds(protocol) == [frames.SETTINGS, frames.WINDOW_UPDATE, frames.SETTINGS, frames.HEADERS, frames.DATA]

    protocol.receive(reply(1))

    assert protocol.take_ended() == [call]
    assert (call.reply, call.error, call.is_over) == (b"answer", None, True)
    assert protocol.is_idle


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.lists(st.integers(0, 3000)))
def test_any_split_of_replies_gives_the_same_answers(bodies, cuts):
    protocol, calls = connected(n_calls=len(bodies))
    data = b"".join(reply(call.stream, body) for call, body in zip(calls, bodies, strict=True))
    ended = []
    for piece in in_pieces(data, cuts):
        protocol.receive(piece)
        ended += protocol.take_ended()

    assert ended == calls
    assert [call.reply for call in calls] == bodies


@given(st.lists(st.integers(0, 200)))
def test_a_message_split_over_frames_is_joined(cuts):
    protocol, (call,) = connected(n_calls=1)
    body = bytes(range(150))
    data = frames.frame(frames.HEADERS, frames.END_HEADERS, 1, OK_HEADERS)
    for piece in in_pieces(message(body), cuts):
        data += frames.frame(frames.DATA, 0, 1, piece)
    protocol.receive(data + frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, 1, OK_TRAILERS))

    assert call.reply == body


@pytest.mark.parametrize(
    ("data", "code", "details"),
    [
        pytest.param(
            headers_only((":status", "200"), ("grpc-status", "5"), ("grpc-message", "a%20b")),
            CODE.NOT_FOUND,
            "a b",
            id="trailers-only",
        ),
        pytest.param(headers_only((":status", "503")), CODE.UNAVAILABLE, "HTTP status 503", id="http-503"),
        pytest.param(
            headers_only((":status", "404"), flags=frames.END_HEADERS),
            CODE.UNIMPLEMENTED,
            "HTTP status 404",
            id="http-404",
        ),
        pytest.param(headers_only((":status", "200")), CODE.UNKNOWN, "without a grpc-status", id="no-status"),
        pytest.param(
            headers_only((":status", "200"), ("grpc-status", "junk")), CODE.UNKNOWN, "", id="status-that-is-no-number"
        ),
        pytest.param(
            headers_only((":status", "200"), ("grpc-status", "0")),
            CODE.INTERNAL,
            "no message",
            id="ok-without-a-message",
        ),
        pytest.param(reply(1, bytes(2000)), CODE.RESOURCE_EXHAUSTED, "at most 1000 are taken", id="too-long"),
        pytest.param(
            frames.frame(frames.HEADERS, 4, 1, OK_HEADERS) + frames.frame(frames.DATA, 0, 1, message(b"a") * 2),
            CODE.INTERNAL,
            "more than one message",
            id="two-messages",
        ),
        pytest.param(
            frames.frame(frames.HEADERS, 4, 1, OK_HEADERS) * 2, CODE.INTERNAL, "second header block", id="headers-twice"
        ),
        pytest.param(
            frames.frame(frames.HEADERS, 4, 1, OK_HEADERS) + frames.frame(frames.DATA, 0, 1, message(b"a", 7)),
            CODE.INTERNAL,
            "begins with 7",
            id="unknown-flag",
        ),
        pytest.param(
            frames.frame(frames.HEADERS, 4, 1, OK_HEADERS) + frames.frame(frames.DATA, 0, 1, message(b"a", 1)),
            CODE.INTERNAL,
            "compressed as 'identity'",
            id="compressed-as-nothing",
        ),
        pytest.param(frames.rst_stream(1, frames.CANCEL), CODE.CANCELLED, "reset", id="reset-cancel"),
        pytest.param(frames.rst_stream(1, frames.INTERNAL_ERROR), CODE.INTERNAL, "error 2", id="reset-internal"),
        pytest.param(frames.rst_stream(1, frames.ENHANCE_YOUR_CALM), CODE.RESOURCE_EXHAUSTED, "reset", id="reset-calm"),
    ],
)
def test_ends_without_an_answer(data, code, details):
    protocol, (call,) = connected(n_calls=1, limit=1000)
    protocol.receive(data)

    assert protocol.take_ended() == [call]
    assert call.error.code() == code
    assert details in call.error.details()


def test_gzip_is_unpacked_and_bounded():
    headers = block((":status", "200"), ("grpc-encoding", "gzip"))
    for size, code in ((900, None), (10**6, CODE.RESOURCE_EXHAUSTED)):
        protocol, (call,) = connected(n_calls=1, limit=1000)
        packed = gzip.compress(bytes(size))
        protocol.receive(
            frames.frame(frames.HEADERS, 4, 1, headers)
            + frames.frame(frames.DATA, 0, 1, message(packed, 1))
            + frames.frame(frames.HEADERS, 5, 1, OK_TRAILERS)
        )
        assert (call.error and call.error.code(), call.reply) == (code, bytes(size) if code is None else None)


# Limits and windows


def test_calls_wait_for_the_servers_limit_of_streams():
    protocol, calls = connected({frames.MAX_CONCURRENT_STREAMS: 2}, n_calls=5)
    assert (len(protocol.calls), len(protocol.waiting)) == (2, 3)

    for number, call in enumerate(calls):
        protocol.receive(reply(call.stream, b"%d" % number))

    assert [call.reply for call in calls] == [b"0", b"1", b"2", b"3", b"4"]


@given(st.integers(1, 300), st.integers(1, 200), st.integers(0, 100_000))
def test_windows_are_kept_and_nothing_is_lost(initial_window, increment, extra):
    body = bytes(1 + extra % 3000)
    protocol, _ = connected({frames.INITIAL_WINDOW_SIZE: initial_window}, n_calls=1, body=body)
    allowed, received = initial_window, b""
    for _ in range(5000):
        for kind, flags, _, payload, size in sent(protocol):
            if kind == frames.DATA:
                received += payload
                allowed -= size
                assert allowed >= 0
                if flags & frames.END_STREAM:
                    assert received == message(body)
                    return
        protocol.receive(frames.window_update(1, increment) + frames.window_update(0, increment))
        allowed += increment
    pytest.fail("the message was never sent whole")


def test_short_messages_wait_until_the_window_takes_them_whole():
    protocol, calls = connected(n_calls=5, body=bytes(16_000))
    assert (len(protocol.calls), len(protocol.waiting)) == (4, 1)  # 65,535 bytes take four of them

    protocol.receive(frames.window_update(0, 1))
    assert protocol.waiting
    protocol.receive(frames.window_update(0, 20_000))
    assert not protocol.waiting
    assert calls[4].n_unsent == 0


def test_a_short_message_alone_goes_as_far_as_the_window_does():
    protocol, (filling, short) = connected(n_calls=2, body=bytes(40_000))
    assert filling.n_unsent == 0
    protocol.receive(reply(1))
    assert short.n_unsent  # too long to wait for the rest of the window
    protocol, calls = connected(n_calls=5, body=bytes(16_000))
    for call in calls[:4]:
        protocol.receive(reply(call.stream))

    assert protocol.calls  # nobody is left who would open the window
    protocol.receive(frames.window_update(0, 20_000) + reply(calls[4].stream))
    assert calls[4].reply == b"answer"


def test_a_shrinking_window_stops_the_sender():
    protocol, (call,) = connected({frames.INITIAL_WINDOW_SIZE: 10}, n_calls=1, body=bytes(100))
    protocol.receive(frames.settings_frame({frames.INITIAL_WINDOW_SIZE: 0}))
    sent(protocol)

    assert call.window == -10
    protocol.receive(frames.window_update(1, 10))
    assert frames.DATA not in kinds(protocol)
    protocol.receive(frames.window_update(1, 1))
    assert frames.DATA in kinds(protocol)


def test_pings_are_answered():
    protocol, _ = connected()
    sent(protocol)
    protocol.receive(frames.frame(frames.PING, 0, 0, b"12345678"))

    assert [(frame[0], frame[1], frame[3]) for frame in sent(protocol)] == [(frames.PING, frames.ACK, b"12345678")]


def test_a_flood_of_pings_ends_the_connection():
    protocol, _ = connected()
    with pytest.raises(ProtocolError, match="too many pings"):
        protocol.receive(frames.frame(frames.PING, 0, 0, bytes(8)) * 20_000)


# Going away


def test_goaway_lets_go_of_what_the_server_has_not_seen():
    protocol, calls = connected({frames.MAX_CONCURRENT_STREAMS: 3}, n_calls=4)
    protocol.receive(frames.goaway(1, frames.NO_ERROR, b"recycled"))

    assert protocol.is_draining
    assert set(protocol.take_unprocessed()) == set(calls[1:])
    protocol.receive(reply(1))
    assert calls[0].reply == b"answer"
    assert protocol.is_idle


def test_a_refused_stream_is_unprocessed():
    protocol, (call,) = connected(n_calls=1)
    protocol.receive(frames.rst_stream(1, frames.REFUSED_STREAM))

    assert protocol.take_unprocessed() == [call]
    assert not call.is_over


def test_used_up_stream_numbers_drain_the_connection():
    protocol = ClientProtocol(first_stream=frames.MAX_STREAM_ID - 2)
    protocol.receive(frames.settings_frame({}))
    calls = [Call(HEADERS, b"q", None, False, 1000) for _ in range(2)]
    for call in calls:
        assert not protocol.is_draining
        protocol.start(call)

    assert protocol.is_draining
    protocol.receive(reply(calls[1].stream))
    assert calls[1].reply == b"answer"


def test_late_frames_of_a_cancelled_call_are_ignored():
    protocol, (call,) = connected(n_calls=1)
    protocol.cancel(call)
    assert kinds(protocol)[-1] == frames.RST_STREAM
    protocol.receive(reply(1))

    assert protocol.take_ended() == []
    assert protocol.is_idle


def test_a_frame_of_a_stream_that_never_was_ends_the_connection():
    protocol, _ = connected(n_calls=1)
    with pytest.raises(ProtocolError, match="never opened"):
        protocol.receive(reply(5))


def test_a_lost_connection_ends_what_was_sent_and_frees_what_was_not():
    protocol, calls = connected({frames.MAX_CONCURRENT_STREAMS: 1}, n_calls=2)
    protocol.lose(CODE.UNAVAILABLE, "gone")

    assert protocol.take_ended() == [calls[0]]
    assert calls[0].error.code() == CODE.UNAVAILABLE
    assert protocol.take_unprocessed() == [calls[1]]


# Damage

VALID = (
    frames.settings_frame({frames.MAX_CONCURRENT_STREAMS: 10})
    + frames.window_update(0, 1000)
    + reply(1)
    + frames.frame(frames.PING, 0, 0, bytes(8))
    + reply(3, bytes(300))
    + frames.goaway(3, 0)
    + reply(5)
)


def fates(data, pieces):
    """Feed a protocol with three calls until it breaks; return the calls, and all that are open or were let go."""
    protocol = ClientProtocol()
    calls = [Call(HEADERS, b"q", None, False, 10_000) for _ in range(3)]
    for call in calls:
        protocol.start(call)
    gone = []
    try:
        for piece in in_pieces(data, pieces):
            protocol.receive(piece)
            gone += protocol.take_ended() + protocol.take_unprocessed()
            protocol.take_output()
    except ProtocolError:
        protocol.lose(CODE.INTERNAL, "broken")
        gone += protocol.take_ended() + protocol.take_unprocessed()
    return sorted(map(id, calls)), sorted(map(id, [*gone, *protocol.calls.values(), *protocol.waiting]))


@settings(max_examples=scaled(300))
@given(st.binary(max_size=400), st.lists(st.integers(0, 400)))
def test_arbitrary_bytes_end_in_an_error_or_wait(data, cuts):
    for stream in (data, frames.settings_frame({}) + data):
        calls, accounted_for = fates(stream, cuts)
        assert accounted_for == calls  # each once: in flight, ended or unprocessed


@settings(max_examples=scaled(300))
@given(st.integers(0, len(VALID)), st.binary(max_size=12), st.integers(0, 12), st.lists(st.integers(0, len(VALID))))
def test_damaged_streams_end_each_call_once(place, inserted, n_removed, cuts):
    calls, accounted_for = fates(VALID[:place] + inserted + VALID[place + n_removed :], cuts)
    assert accounted_for == calls


# Headers


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c-bin"]), st.text("xyz", max_size=9)), max_size=5), st.integers(2, 5)
)
def test_a_servers_decoder_reads_every_block(metadata, n_blocks):
    encoder, decoder = RequestEncoder(), hpack.Decoder()
    some = request_headers("/a/b", "here:1", "http", 5.0, metadata)
    other = request_headers("/c/d", "here:1", "http", None, ())
    for number in range(3 * n_blocks):
        headers = other if number % 4 == 1 else some
        assert tuple(decoder.decode(encoder.encode(headers))) == headers.pairs


def test_a_block_shrinks_once_the_server_knows_it():
    encoder = RequestEncoder()
    sizes = [len(encoder.encode(HEADERS)) for _ in range(3)]

    assert sizes[0] > 60
    assert sizes[1] == sizes[2] <= len(HEADERS.pairs)


@given(st.binary(max_size=60))
def test_any_header_block_is_read_or_refused(content):
    try:
        headers = decode_reply_headers(content)
    except ProtocolError as error:
        assert error.code == frames.COMPRESSION_ERROR
    else:
        assert headers.grpc_status is None or headers.grpc_status >= -1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(5.0, "5000m", id="seconds"),
        pytest.param(0.25, "250000u", id="a-fraction"),
        pytest.param(1e-6, "1000n", id="a-microsecond"),
        pytest.param(3600, "3600000m", id="an-hour"),
        pytest.param(1e6, "1000000S", id="days"),
        pytest.param(0, "0n", id="none"),
    ],
)
def test_timeouts(seconds, text):
    assert timeout_text(seconds) == text


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param([("Upper", "x")], id="upper-case"),
        pytest.param([("grpc-timeout", "1S")], id="grpcs-own"),
        pytest.param([(":path", "/")], id="pseudo-header"),
        pytest.param([("a", "ü")], id="not-ascii"),
        pytest.param([("a", "x\ny")], id="line-break"),
        pytest.param([("", "x")], id="empty"),
    ],
)
def test_metadata_that_cannot_be_sent(metadata):
    with pytest.raises(ValueError, match="metadata"):
        request_headers("/a/b", "here:1", "http", None, metadata)


def test_backoff_grows_to_its_limit_and_begins_anew():
    backoff = Backoff(initial_s=0.1, max_s=1.0, seed=1)
    delays = [backoff.next_s() for _ in range(10)]

    assert 0.08 <= delays[0] <= 0.12
    assert all(0.8 <= delay <= 1.2 for delay in delays[6:])
    backoff.reset()
    assert backoff.next_s() <= 0.12


# What a fuzz has found (`make fuzz`), each in its smallest form


def n_calls_alive():
    gc.collect()
    return sum(type(thing) is Call for thing in gc.get_objects())


@pytest.mark.heavy
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda protocol, call: protocol.cancel(call), id="given-up"),
        pytest.param(
            lambda protocol, call: protocol.receive(frames.rst_stream(call.stream, frames.CANCEL)), id="reset"
        ),
        pytest.param(
            lambda protocol, call: protocol.receive(frames.rst_stream(call.stream, frames.REFUSED_STREAM)), id="refused"
        ),
        pytest.param(lambda protocol, call: protocol.receive(reply(call.stream)), id="answered-before-it-was-sent"),
    ],
)
def test_calls_that_end_before_the_window_opens_are_not_kept(end):
    protocol, _ = connected()
    before = n_calls_alive()
    for _ in range(200):
        call = Call(HEADERS, bytes(70_000), None, False, 1000)
        protocol.start(call)
        assert call.n_unsent  # the first one uses up the connection's window, which stays shut
        end(protocol, call)
        protocol.take_output()
        protocol.take_ended()
        protocol.take_unprocessed()
    del call

    assert n_calls_alive() - before <= 10


class ServersDecoder:
    """A server's header decoder, which insists on hearing of each table that its settings have made smaller."""

    def __init__(self):
        self._decoder = hpack.Decoder()
        self._smallest = self._decoder.max_allowed_table_size  # since the last block

    def set_table_size(self, size):
        self._decoder.max_allowed_table_size = size
        self._smallest = min(self._smallest, size)

    def read(self, block):
        if self._smallest < self._decoder.header_table_size:
            assert block[0] & 0xE0 == 0x20, "the block does not begin with a table size"
            assert decode_integer(block, 5)[0] <= self._smallest
        self._smallest = self._decoder.max_allowed_table_size
        return tuple(self._decoder.decode(block))


def entries(names):
    """Return headers of which each takes 34 bytes of a table."""
    return [(name, "1") for name in names]


_PAIRS = st.tuples(st.sampled_from("abcd"), st.sampled_from(("", "1", "v" * 30, "v" * 300)))


@given(
    st.integers(0, 300),
    st.lists(st.lists(_PAIRS, max_size=4), min_size=4, max_size=4),
    st.lists(st.integers(0, 3), max_size=20),
)
# Two fit: between the two times that "c" is sent, the first and the number of entries stay as they were.
@example(70, [entries("c"), entries("a"), entries("bda"), []], [0, 1, 0, 2, 0])
def test_a_servers_small_table_reads_what_was_meant(size, header_sets, order):
    encoder, server = RequestEncoder(), ServersDecoder()
    known = [RequestHeaders(tuple(pairs)) for pairs in header_sets]
    encoder.set_table_size(size)
    server.set_table_size(size)
    for number in order:
        assert server.read(encoder.encode(known[number])) == known[number].pairs


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([200, 200], id="one-size-twice"),
        pytest.param([300, 100, 300], id="smaller-in-between"),
        pytest.param([100, 300, 300], id="smaller-before-one-size-twice"),
        pytest.param([300, 100], id="larger-in-between"),
        pytest.param([0, 4096], id="emptied"),
        pytest.param([4096, 65_536], id="no-smaller"),
    ],
)
def test_a_server_may_change_its_tables_size_again_and_again(sizes):
    encoder, server = RequestEncoder(), ServersDecoder()
    known = [request_headers("/a/b", "here:1", "http", 5.0, [(name, name * 40)]) for name in "xyz"]
    for _ in range(2):
        for headers in known * 2:
            assert server.read(encoder.encode(headers)) == headers.pairs
        for size in sizes:
            encoder.set_table_size(size)
            server.set_table_size(size)
    for headers in known * 2:
        assert server.read(encoder.encode(headers)) == headers.pairs


@given(
    st.lists(st.tuples(st.lists(st.sampled_from((0, 70, 200, 4096, 65_536)), max_size=3), st.integers(0, 2))),
    st.lists(st.lists(_PAIRS, max_size=3), min_size=3, max_size=3),
)
def test_a_server_reads_what_was_meant_whenever_its_tables_size_changes(steps, header_sets):
    encoder, server = RequestEncoder(), ServersDecoder()
    known = [RequestHeaders((("a", "1"), *pairs)) for pairs in header_sets]
    for sizes, number in steps:
        for size in sizes:
            encoder.set_table_size(size)
            server.set_table_size(size)
        assert server.read(encoder.encode(known[number])) == known[number].pairs


def test_a_header_block_of_64_kib_is_read_and_no_longer_one():
    whole = frames.header_frames(1, bytes(65_536), 0, frames.DEFAULT_MAX_FRAME_SIZE)
    assert [len(frame[3]) for frame in FrameParser().feed(whole)] == [65_536]

    longer = frames.header_frames(1, bytes(65_537), 0, frames.DEFAULT_MAX_FRAME_SIZE)
    with pytest.raises(ProtocolError) as caught:
        FrameParser().feed(longer)
    assert caught.value.code == frames.ENHANCE_YOUR_CALM


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        pytest.param("headers", frames.END_HEADERS, id="headers"),
        pytest.param("trailers", frames.END_HEADERS | frames.END_STREAM, id="trailers"),
    ],
)
def test_headers_that_unpack_to_more_than_64_kib_end_their_call_alone(kind, flags):
    packed = block((":status", "200"), ("x", "a" * 70_000))
    assert len(packed) < 65_536  # Huffman's code has five bits for an "a"
    protocol, calls = connected(n_calls=2)
    sent(protocol)
    protocol.receive(frames.header_frames(1, packed, flags & frames.END_STREAM, 16_384) + reply(3))

    assert calls[0].error.code() == CODE.RESOURCE_EXHAUSTED
    assert "more than 65536 bytes" in calls[0].error.details()
    assert calls[1].reply == b"answer"
    assert kinds(protocol) == ([frames.RST_STREAM] if kind == "headers" else [])


def test_the_server_is_told_how_long_headers_may_be():
    (first, *_) = sent(ClientProtocol())

    assert dict(frames.read_settings(first[3]))[frames.MAX_HEADER_LIST_SIZE] == frames.MAX_HEADER_BLOCK


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x7f" + b"\xff" * 5000, id="an-endless-number"),
        pytest.param(b"\x00\x01a\x7f" + b"\xff" * 500, id="an-endless-length"),
        pytest.param(b"\x80", id="a-short-one"),
    ],
)
def test_the_error_of_a_long_header_block_is_short(content):
    with pytest.raises(ProtocolError, match="unreadable headers: ") as caught:
        decode_reply_headers(content)

    assert len(str(caught.value)) <= 200


def test_a_compressed_reply_with_more_behind_it_is_refused():
    protocol, (call,) = connected(n_calls=1)
    headers = block((":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "gzip"))
    packed = gzip.compress(b"first ") + gzip.compress(b"second")
    protocol.receive(
        frames.frame(frames.HEADERS, frames.END_HEADERS, 1, headers)
        + frames.frame(frames.DATA, 0, 1, message(packed, compressed=1))
        + frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, 1, OK_TRAILERS)
    )

    assert call.error.code() == CODE.INTERNAL
    assert "more follows its end" in call.error.details()


def test_the_words_of_a_server_that_goes_away_are_cut_and_cannot_steer_a_terminal():
    protocol, _ = connected(n_calls=1)
    protocol.receive(frames.goaway(0, 0, b"\x1b[2J" + b"x" * 10_000))

    assert len(protocol.going_away) < 300
    assert "\x1b" not in protocol.going_away


def generous(n_calls, size):
    """Return a protocol to whose server anything may be sent, and calls of so many bytes."""
    protocol, _ = connected({frames.INITIAL_WINDOW_SIZE: frames.MAX_WINDOW})
    protocol.receive(frames.window_update(0, frames.MAX_WINDOW - frames.DEFAULT_WINDOW))
    calls = [Call(HEADERS, bytes(size), None, False, 1000) for _ in range(n_calls)]
    for call in calls:
        protocol.start(call)
    return protocol, calls


@pytest.mark.parametrize("size", [pytest.param(10_000, id="in-one-frame"), pytest.param(3_000_000, id="in-many")])
def test_what_nobody_takes_does_not_pile_up(size):
    protocol, calls = generous(500, size)
    for call in calls[:400]:
        protocol.cancel(call)

    assert sum(map(len, protocol._output)) < (1 << 20) + 100_000
    assert protocol.n_open == 100


def test_what_waited_for_output_to_be_taken_is_sent_in_order():
    protocol, calls = generous(500, 10_000)
    assert protocol.waiting
    frames_sent = []
    while protocol.has_output:
        frames_sent += sent(protocol)
    data = [frame for frame in frames_sent if frame[0] == frames.DATA]

    assert [frame[2] for frame in data] == [call.stream for call in calls] == list(range(1, 1001, 2))
    assert all(len(frame[3]) == 10_005 for frame in data)


@given(st.binary(max_size=50), st.lists(st.integers(1, 12)))
def test_a_message_sent_in_pieces_is_whole(content, sizes):
    call = Call(HEADERS, content, None, False, 1000)
    call.n_unsent = len(content) + 5
    pieces = []
    for size in [*sizes, 100]:
        pieces.append(call.take_piece(min(size, call.n_unsent)))

    assert b"".join(pieces) == message(content)
    assert call.n_unsent == 0


def test_calls_whose_own_window_is_shut_hold_up_no_other():
    protocol, _ = connected({frames.INITIAL_WINDOW_SIZE: 100})
    shut = [Call(HEADERS, bytes(200), None, False, 1000) for _ in range(50)]
    for call in shut:
        protocol.start(call)
    sent(protocol)
    assert not protocol._sendable  # nobody looks at them until their own window opens
    protocol.receive(frames.window_update(shut[7].stream, 105))

    assert [(frame[2], len(frame[3])) for frame in sent(protocol) if frame[0] == frames.DATA] == [(shut[7].stream, 105)]
    assert [call.n_unsent for call in shut] == [0 if call is shut[7] else 105 for call in shut]


def test_long_calls_wait_until_the_connections_window_opens():
    protocol, calls = connected(n_calls=100, body=bytes(100_000))
    assert (len(protocol.calls), len(protocol.waiting)) == (1, 99)
    protocol.receive(frames.window_update(0, 50_000))

    assert calls[1].stream == 3


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "it speaks HTTP/1, as a REST port", id="a-rest-port"),
        pytest.param(b"<!DOCTYPE HTML>\n<html>", "as a REST port does: '<!DOCTYPE HTML><html>'", id="of-http-0.9"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", "or other text, .* 'SSH-2.0-", id="of-something-else"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x46", "pass --tls", id="a-tls-port"),
    ],
)
def test_a_port_that_speaks_something_else_is_named(greeting, words):
    with pytest.raises(ProtocolError, match=words):
        ClientProtocol().receive(greeting)


def test_a_message_before_its_headers_is_no_answer():
    protocol, (call,) = connected(n_calls=1)
    protocol.receive(
        frames.frame(frames.DATA, 0, 1, message(b"answer"))
        + frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, 1, OK_TRAILERS)
    )

    assert call.error.code() == CODE.INTERNAL
    assert "before its headers" in call.error.details()


def test_an_answer_that_is_not_grpc_names_its_content_type():
    protocol, (call,) = connected(n_calls=1)
    headers = block((":status", "200"), ("content-type", "text/html"))
    protocol.receive(
        frames.frame(frames.HEADERS, frames.END_HEADERS, 1, headers)
        + frames.frame(frames.DATA, frames.END_STREAM, 1, b"<p>")
    )

    assert call.error.code() == CODE.UNKNOWN
    assert "'text/html'" in call.error.details()


def test_a_message_that_is_neither_plain_nor_packed_ends_its_call_at_once():
    protocol, (call,) = connected(n_calls=1)
    protocol.receive(
        frames.frame(frames.HEADERS, frames.END_HEADERS, 1, OK_HEADERS)
        + frames.frame(frames.DATA, 0, 1, struct.pack(">BL", 7, 100_000))
    )

    assert call.error.code() == CODE.INTERNAL
    assert "begins with 7" in call.error.details()


def test_binary_metadata_that_was_joined_is_several():
    reply_headers = decode_reply_headers(block(("a-bin", "YQ,Yg=="), ("b", "1,2")))

    assert reply_headers.metadata == (("a-bin", b"a"), ("a-bin", b"b"), ("b", "1,2"))
