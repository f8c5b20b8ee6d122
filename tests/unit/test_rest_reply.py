"""HTTP replies, read out of bytes however they are cut."""

import gzip
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.scripted_http import reply
from tfsload.transport.rest import reply as reply_module
from tfsload.transport.rest.reply import Heads, HttpProtocolError, ReplyReader

BODY = b'{"predictions": [[0.5, 0.25]]}'


def chunked(body, size=7, trailer=b"", extension=b""):
    """Return a reply in chunks."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n" + trailer + b"\r\n"


def read(pieces, is_ended=False, **options):
    """Return the reply that pieces make, and what reads them."""
    reader = ReplyReader({}, **options)
    made = None
    for piece in pieces:
        assert made is None, "a reply was complete before its last bytes"
        made = reader.receive(piece)
    if made is None and is_ended:
        made = reader.end()
    return made, reader


# What replies that may be answers are, and whether the connection may be kept.
ANSWERS = {
    "with-a-length": (reply(BODY), True),
    "in-chunks": (chunked(BODY), True),
    "in-chunks-with-extensions-and-a-trailer": (chunked(BODY, 5, b"X-Sum: 1\r\n", b";a=b"), True),
    "in-chunks-of-a-byte": (chunked(BODY, 1), True),
    "compressed": (reply(gzip.compress(BODY), content_encoding="gzip"), True),
    "compressed-as-it-was-once-called": (reply(gzip.compress(BODY), content_encoding="x-gzip"), True),
    "deflated": (reply(zlib.compress(BODY), content_encoding="deflate"), True),
    "compressed-twice": (reply(gzip.compress(zlib.compress(BODY)), content_encoding="deflate, gzip"), True),
    "compressed-as-nothing": (reply(BODY, content_encoding="identity"), True),
    "the-last-one": (reply(BODY, connection="close"), False),
    "of-an-old-server": (reply(BODY).replace(b"HTTP/1.1", b"HTTP/1.0"), False),
    "of-an-old-server-that-keeps": (reply(BODY, connection="keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"), True),
    "after-an-interim-one": (b"HTTP/1.1 100 Continue\r\n\r\n" + reply(BODY), True),
    "after-several-interim-ones": (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + reply(BODY), True),
    "without-words": (reply(BODY, status="200 "), True),
    "said-to-be-a-page": (reply(BODY, content_type="text/html; charset=utf-8"), True),
    "with-odd-headers": (reply(BODY, x_empty="", x_letters="\xe9"), True),
}


@pytest.mark.parametrize(("sent", "keeps"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_read_whole_and_byte_by_byte(sent, keeps):
    whole, reader = read([sent])
    by_bytes, _ = read([sent[place : place + 1] for place in range(len(sent))])

    assert whole == by_bytes
    assert (whole.body, whole.status, whole.keeps, whole.is_answer) == (BODY, 200, keeps, True)
    assert (reader.has_begun, reader.has_surplus) == (False, False)


@given(st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=4), st.data())
def test_replies_are_the_same_however_they_are_cut(names, data):
    heads: Heads = {}
    reader = ReplyReader(heads)
    for name in names:
        sent, keeps = ANSWERS[name]
        cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1), max_size=5)))
        pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]

        *none, made = [reader.receive(piece) for piece in pieces]

        assert none == [None] * len(none)
        assert (made.body, made.keeps, made.is_answer) == (BODY, keeps, True)
        if not keeps:
            reader = ReplyReader(heads)


def test_a_reply_without_a_length_ends_with_its_connection():
    sent = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + BODY

    made, _ = read([sent[:20], sent[20:60], sent[60:]], is_ended=True)

    assert (made.body, made.keeps) == (BODY, False)


CUT_SHORT = {
    "nothing": (b"", "in the head of its reply"),
    "in-its-head": (reply(BODY)[:30], "in the head of its reply"),
    "in-its-body": (reply(BODY)[:-5], f"after {len(BODY) - 5} of {len(BODY)} bytes of its reply"),
    "in-its-chunks": (chunked(BODY)[:-20], "in the middle of its reply"),
    "before-its-last-chunk": (chunked(BODY)[:-5], "in the middle of its reply"),
    "after-an-interim-one": (b"HTTP/1.1 100 Continue\r\n\r\n", "in the head of its reply"),
}


@pytest.mark.parametrize(("sent", "how_far"), CUT_SHORT.values(), ids=CUT_SHORT)
def test_a_reply_that_breaks_off_is_none_and_it_is_said_where(sent, how_far):
    made, reader = read([sent] if sent else [], is_ended=True)

    assert made is None
    assert reader.progress == how_far


FAULTS = {
    "two-lengths": (reply(BODY).replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n"), "no HTTP reply: Duplicate"),
    "a-length-and-chunks": (reply(BODY, transfer_encoding="chunked"), "no HTTP reply: Transfer-Encoding"),
    "a-length-that-is-none": (reply(BODY, content_length="3x"), "no HTTP reply: Invalid character in Content-Length"),
    "a-negative-length": (reply(BODY, content_length="-3"), "no HTTP reply"),
    "a-chunk-without-a-size": (chunked(BODY).replace(b"\r\n\r\n7", b"\r\n\r\nx"), "no HTTP reply: Invalid character"),
    "a-header-without-a-name": (reply(BODY, **{"": "x"}), "no HTTP reply: Invalid header token"),
    "a-header-with-a-zero": (reply(BODY, x="\0"), "no HTTP reply: Invalid header value char"),
    "lines-that-end-in-one-byte": (reply(BODY).replace(b"\r\n", b"\n"), "no HTTP reply: Missing expected CR"),
    "another-version": (reply(BODY).replace(b"HTTP/1.1", b"HTTP/9.9"), "no HTTP reply"),
    "another-protocol": (reply(BODY).replace(b"HTTP/1.1", b"RTSP/1.0"), "no HTTP reply"),
    "a-page-alone": (b"<html>hello</html>", "no HTTP reply"),
    "http-2": (bytes.fromhex("000012040000000000000300000064"), "is this the gRPC port"),
    "a-farewell-of-http-2": (bytes.fromhex("0000080700000000000000000000000001"), "is this the gRPC port"),
    "tls": (b"\x15\x03\x01\x00\x02\x02\x46", "speaks TLS: pass --tls"),
    "another-protocol-from-here": (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "switches to another protocol"),
    "packed-otherwise": (reply(BODY, content_encoding="br"), "compressed as 'br'"),
    "not-packed": (reply(BODY, content_encoding="gzip"), "not gzip, though it says so"),
    "packed-and-cut": (reply(gzip.compress(BODY)[:-3], content_encoding="gzip"), "it is cut short"),
    "packed-and-more": (reply(gzip.compress(BODY) + b"x", content_encoding="gzip"), "more follows its end"),
    "too-long": (reply(b"x" * 101), "at least 101 bytes: at most 100"),
    "too-long-in-chunks": (chunked(b"x" * 101), "at least 101 bytes: at most 100"),
    "too-long-unpacked": (reply(gzip.compress(b"x" * 101), content_encoding="gzip"), "at most 100"),
    "too-many-headers": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, "bytes of headers"),
    "a-header-without-an-end": (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000, "bytes of headers"),
    "interim-replies-without-an-end": (b"HTTP/1.1 100 Continue\r\n\r\n" * 4_000, "bytes of headers"),
    "a-trailer-without-an-end": (chunked(b"x")[:-2] + b"X: y\r\n" * 20_000, "bytes of headers"),
}


@pytest.mark.parametrize(("sent", "said"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("size", [1 << 20, 1000, 1], ids=["whole", "in-pieces", "by-bytes"])
def test_what_is_no_reply_is_named(sent, said, size):
    if size == 1 and ("HTTP/2" in said or said.startswith(("is this", "speaks"))):
        size = 9  # it is told by its first bytes, which come together
    with pytest.raises(HttpProtocolError, match=r"^(what|a reply|the server)") as raised:
        read([sent[start : start + size] for start in range(0, len(sent), size)], max_reply_bytes=100)

    assert said in str(raised.value)


def test_a_body_that_is_not_taken_has_a_code_of_its_own():
    with pytest.raises(HttpProtocolError) as raised:
        read([reply(b"x" * 101)], max_reply_bytes=100)

    assert raised.value.code == "RESOURCE_EXHAUSTED"


def test_what_unpacks_to_more_than_is_taken_is_not_unpacked_whole(monkeypatch):
    monkeypatch.setattr(reply_module, "_UNPACK_STEP", 1000)
    bomb = reply(gzip.compress(b"x" * 100_000), content_encoding="gzip")

    with pytest.raises(HttpProtocolError, match="at least 11000 bytes"):
        read([bomb], max_reply_bytes=10_500)


SURPLUS = {
    "another-reply": reply(BODY) + reply(b"another"),
    "the-beginning-of-one": reply(BODY) + b"HTT",
    "a-byte": reply(BODY) + b"x",
    "after-chunks": chunked(BODY) + b"\r\n0",
    "after-the-last-one": reply(BODY, connection="close") + b"more",
}


@pytest.mark.parametrize("sent", SURPLUS.values(), ids=SURPLUS)
def test_what_comes_after_a_reply_is_no_part_of_it_and_nothing_is_trusted_any_more(sent):
    made, reader = read([sent])

    assert made.body == BODY
    assert reader.has_surplus


def test_a_head_that_came_before_is_not_parsed_anew():
    heads: Heads = {}
    first, other = ReplyReader(heads), ReplyReader(heads)
    made = first.receive(reply(BODY, date="today"))
    other._parser = None  # it is not asked

    again = other.receive(reply(BODY[::-1], date="today"))

    assert again == made._replace(body=BODY[::-1])
    with pytest.raises(AttributeError):
        other.receive(reply(BODY, date="tomorrow"))


NOT_KEPT = {
    "in-chunks": chunked(BODY),
    "the-last-one": reply(BODY, connection="close"),
    "packed": reply(gzip.compress(BODY), content_encoding="gzip"),
    "an-error": reply(BODY, status="503 Busy"),
    "a-page": reply(b"<html></html>", content_type="text/html; charset=utf-8"),
    "said-to-be-a-page": reply(BODY, content_type="text/html"),
    "with-surplus": reply(BODY) + b"x",
    "after-an-interim-one": b"HTTP/1.1 100 Continue\r\n\r\n" + reply(BODY),
}


@pytest.mark.parametrize("sent", NOT_KEPT.values(), ids=NOT_KEPT)
def test_only_the_heads_of_plain_answers_are_known(sent):
    heads: Heads = {}
    ReplyReader(heads).receive(sent)

    assert heads == {}


def test_heads_that_are_ever_new_do_not_fill_the_memory():
    heads: Heads = {}
    reader = ReplyReader(heads, most_heads=4)
    for number in range(10):
        reader.receive(reply(BODY, x_number=str(number)))

    assert len(heads) == 2


# A word of each kind of bytes that replies are made of, so that arbitrary ones come near to replies.
WORDS = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/1.1 503 B\r\n", b"\r\n", b"\n"),
        *(b"Content-Length: 5\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n"),
        *(b"5\r\nhello\r\n", b"0\r\n\r\n", b"hello", b"ffffffffffffffff\r\n"),
        *(b"Upgrade: h2c\r\n", b"Content-Encoding: gzip\r\n", gzip.compress(b"hello")),
    ]
)


@given(st.lists(st.lists(WORDS | st.binary(max_size=6), max_size=6).map(b"".join), max_size=5))
@example([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"])
def test_any_bytes_are_replies_or_a_named_fault_and_known_heads_change_nothing(pieces):
    outcomes = []
    for most_heads in (0, 64):
        reader, told = ReplyReader({}, 1000, most_heads), []
        try:
            for piece in pieces:
                if piece:
                    told.append((reader.receive(piece), reader.has_begun, reader.has_surplus))
            told.append(reader.end())
        except HttpProtocolError as error:
            told.append(str(error))
        outcomes.append(told)

    assert outcomes[0] == outcomes[1]


@given(st.sampled_from(sorted(ANSWERS)), st.integers(0, 10_000), st.integers(0, 7))
def test_a_bit_that_is_spoilt_gives_another_reply_or_a_fault_and_no_hang(name, place, bit):
    sent = bytearray(ANSWERS[name][0])
    sent[place % len(sent)] ^= 1 << bit
    reader = ReplyReader({}, 1000)
    try:
        made = reader.receive(bytes(sent)) or reader.end()
    except HttpProtocolError:
        return

    assert made is None or isinstance(made.body, bytes)
