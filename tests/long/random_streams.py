"""What servers send, made up at random, and damage to it. Pure: the same random numbers give the same bytes.

A unit is what must not be torn apart by other frames: one frame, or HEADERS with their CONTINUATION.
"""

import base64
import gzip
import itertools
import random
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import grpc
import hpack

from tests.support.grpc_frames import message
from tests.support.reply_styles import STYLES, usual_reply
from tfsload.transport.grpc import frames

# Calls take replies up to this many bytes.
REPLY_LIMIT = 30_000
UNPROCESSED = "UNPROCESSED"
MAX_FRAME = frames.DEFAULT_MAX_FRAME_SIZE
SIZES = (0, 1, 10, 10, 300, 300, 4000, MAX_FRAME - 5, MAX_FRAME - 4, 25_000)
# Written down once more, from gRPC's documents: http-grpc-status-mapping.md and PROTOCOL-HTTP2.md.
STATUS_NAMES = [code.name for code in sorted(grpc.StatusCode, key=lambda code: code.value[0])]
HTTP_NAMES = {
    **dict.fromkeys((204, 302, 418, 500), "UNKNOWN"),
    **dict.fromkeys((429, 502, 503, 504), "UNAVAILABLE"),
    400: "INTERNAL",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "UNIMPLEMENTED",
}
RESET_NAMES = {
    **dict.fromkeys((0, 1, 2, 3, 6, 9, 99), "INTERNAL"),
    7: UNPROCESSED,
    8: "CANCELLED",
    11: "RESOURCE_EXHAUSTED",
    12: "PERMISSION_DENIED",
}


class Fate(NamedTuple):
    """What must become of a call: a status code's name, or UNPROCESSED; and the reply, None without one."""

    code: str
    reply: bytes | None = None


def raw_frames(data: bytes) -> Iterator[bytes]:
    """Cut a stream into frames, by the length fields alone; the last may be cut short."""
    start = 0
    while start < len(data):
        stop = start + 9 + int.from_bytes(data[start : start + 3], "big")
        yield data[start:stop]
        start = stop


def cut(rng: random.Random, data: bytes, n_cuts: int) -> list[bytes]:
    """Cut data at random places; pieces may be empty."""
    places = [0, *sorted(rng.randrange(len(data) + 1) for _ in range(n_cuts)), len(data)]
    return [data[start:stop] for start, stop in itertools.pairwise(places)]


# Headers

Pairs = list[tuple[str, str]]


def encode(rng: random.Random, pairs: Pairs) -> bytes:
    """Encode headers as a server may that was offered a table of size 0."""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    encoder.header_table.resized = rng.random() < 0.5  # whether it says so once more
    flagged = [(name, value, rng.random() < 0.2) for name, value in pairs]
    return encoder.encode(flagged, huffman=rng.random() < 0.5)


def metadata(rng: random.Random) -> Pairs:
    """Return up to four pairs as they stand in a header block."""
    pairs = []
    for _ in range(rng.choice((0, 0, 0, 1, 4))):
        value = rng.randbytes(rng.choice((0, 1, 20, 200)))
        if rng.random() < 0.3:
            pairs.append((f"x{rng.randrange(9)}-bin", base64.b64encode(value).decode().rstrip("=")))
        else:
            pairs.append((f"x-{rng.randrange(9)}", value.hex()))
    return pairs


def _padded(rng: random.Random, flags: int, payload: bytes) -> tuple[int, bytes]:
    padding = rng.choice((0, 1, 100, 255))
    if rng.random() < 0.8 or len(payload) + padding >= MAX_FRAME:
        return flags, payload
    return flags | frames.PADDED, bytes([padding]) + payload + bytes(padding)


def headers_unit(rng: random.Random, stream: int, pairs: Pairs, ends: bool = False) -> bytes:
    """Return a header block as HEADERS and, at times, CONTINUATION."""
    first, *rest = cut(rng, encode(rng, pairs), rng.choice((0, 0, 0, 1, 3)))
    flags = (frames.END_STREAM if ends else 0) | (0 if rest else frames.END_HEADERS)
    if rng.random() < 0.1:
        flags, first = flags | frames.WITH_PRIORITY, bytes(5) + first
    unit = frames.frame(frames.HEADERS, *_on_stream(stream, *_padded(rng, flags, first)))
    for number, piece in enumerate(rest, start=1):
        unit += frames.frame(frames.CONTINUATION, frames.END_HEADERS if number == len(rest) else 0, stream, piece)
    return unit


def _on_stream(stream: int, flags: int, payload: bytes) -> tuple[int, int, bytes]:
    return flags, stream, payload


def data_units(rng: random.Random, stream: int, data: bytes, ends: bool = False) -> list[bytes]:
    """Return data in DATA frames of random lengths."""
    pieces = [
        piece[start : start + MAX_FRAME]
        for piece in cut(rng, data, rng.choice((0, 0, 1, 5)))
        for start in range(0, max(len(piece), 1), MAX_FRAME)
    ]
    units = []
    for number, piece in enumerate(pieces, start=1):
        flags = frames.END_STREAM if ends and number == len(pieces) else 0
        units.append(frames.frame(frames.DATA, *_on_stream(stream, *_padded(rng, flags, piece))))
    return units


# Replies

Reply = tuple[list[bytes], Fate]


def _opening(rng: random.Random, stream: int, *more: tuple[str, str]) -> list[bytes]:
    interim = [headers_unit(rng, stream, [(":status", "103")]) for _ in range(rng.choice((0, 0, 0, 0, 2)))]
    pairs = [(":status", "200"), ("content-type", "application/grpc"), *more, *metadata(rng)]
    return [*interim, headers_unit(rng, stream, pairs)]


def _trailers(rng: random.Random, stream: int, status: int) -> bytes:
    words = rng.choice(([], [("grpc-message", "a%20word%")]))
    return headers_unit(rng, stream, [("grpc-status", str(status)), *words, *metadata(rng)], ends=True)


def answer(rng: random.Random, stream: int, body: bytes | None = None) -> Reply:
    """Return a reply with a message, `body` or one made up."""
    body = rng.randbytes(rng.choice(SIZES)) if body is None else body
    if rng.random() < 0.2:
        opening = _opening(rng, stream, ("grpc-encoding", "gzip"))
        framed = message(gzip.compress(body, 1), compressed=1)
    else:
        opening, framed = _opening(rng, stream), message(body)
    units = [*opening, *data_units(rng, stream, framed), _trailers(rng, stream, 0)]
    return units, Fate("OK", body)


def usual_answer(rng: random.Random, stream: int, body: bytes | None = None, style: str = "") -> Reply:
    """Return a reply that differs from others in stream and message alone, if its message fits in a frame."""
    if body is None:
        body = rng.randbytes(rng.choice((40, 40, 44)))
    elif len(message(body)) > MAX_FRAME:
        return answer(rng, stream, body)
    first, *rest = usual_reply(style or rng.choice([*STYLES]), rng.randrange(3), stream, body)
    joined = b"".join(rest)
    return rng.choice(([first, *rest], [first, joined], [first + joined])), Fate("OK", body)


def _error(rng: random.Random, stream: int) -> Reply:
    number = rng.randrange(1, 20)
    code = STATUS_NAMES[number] if number < len(STATUS_NAMES) else "UNKNOWN"
    if rng.random() < 0.5:
        return [
            headers_unit(rng, stream, [(":status", "200"), ("grpc-status", str(number)), *metadata(rng)], ends=True)
        ], Fate(code)
    framed = message(rng.randbytes(rng.choice(SIZES)))
    content = data_units(rng, stream, framed) if rng.random() < 0.3 else []
    return [*_opening(rng, stream), *content, _trailers(rng, stream, number)], Fate(code)


def _http_error(rng: random.Random, stream: int) -> Reply:
    number, ends = rng.choice(list(HTTP_NAMES)), rng.random() < 0.5
    opening = headers_unit(rng, stream, [(":status", str(number)), *metadata(rng)], ends)
    content = [] if ends else data_units(rng, stream, b"<html>", ends=True)
    return [opening, *content], Fate(HTTP_NAMES[number])


def _reset(rng: random.Random, stream: int) -> Reply:
    number = rng.choice(list(RESET_NAMES))
    begun = answer(rng, stream)[0][:-1]
    units = begun[: rng.randrange(len(begun) + 1)]
    return [*units, frames.rst_stream(stream, number)], Fate(RESET_NAMES[number])


def _broken(rng: random.Random, stream: int) -> Reply:
    """Return a reply that keeps to HTTP/2 and not to gRPC."""
    framed = message(b"abc")
    content, code = rng.choice(
        [
            (framed + framed, "INTERNAL"),  # two messages
            (framed[:-1], "INTERNAL"),  # half a message
            (b"", "INTERNAL"),  # none
            (message(b"abc", compressed=1), "INTERNAL"),  # compressed as nothing
            (message(b"abc", compressed=9), "INTERNAL"),
            (message(bytes(REPLY_LIMIT + 1)), "RESOURCE_EXHAUSTED"),
            (struct.pack(">BL", 0, 2**32 - 1) + bytes(9), "RESOURCE_EXHAUSTED"),
        ]
    )
    units = [*_opening(rng, stream), *data_units(rng, stream, content), _trailers(rng, stream, 0)]
    return units, Fate(code)


def _without_status(rng: random.Random, stream: int) -> Reply:
    if rng.random() < 0.5:
        return [headers_unit(rng, stream, [(":status", "200")], ends=True)], Fate("UNKNOWN")
    units = [*_opening(rng, stream), *data_units(rng, stream, message(b"abc"), ends=True)]
    return units, Fate("UNKNOWN")


_REPLIES: list[Callable[..., Reply]] = [
    *[answer] * 6,
    *[usual_answer] * 6,
    _error,
    _http_error,
    _reset,
    _reset,
    _broken,
    _without_status,
]


def any_reply(rng: random.Random, stream: int) -> Reply:
    """Return the units of a reply that HTTP/2 allows, and what must become of its call."""
    return rng.choice(_REPLIES)(rng, stream)


# Frames of the connection

_SETTING_VALUES = {
    frames.HEADER_TABLE_SIZE: (0, 40, 64, 100, 150, 200, 300, 4096, 65_536),
    frames.ENABLE_PUSH: (0,),
    frames.MAX_CONCURRENT_STREAMS: (0, 1, 2, 5, 100, 2**32 - 1),
    frames.INITIAL_WINDOW_SIZE: (0, 1, 100, 20_000, 65_535, 2**20, 2**31 - 1),
    frames.MAX_FRAME_SIZE: (MAX_FRAME, MAX_FRAME + 1, 2**24 - 1),
    6: (100, 2**20),  # MAX_HEADER_LIST_SIZE
    0xABCD: (0, 1),
}


def settings_unit(rng: random.Random) -> bytes:
    """Return SETTINGS with up to three values, at times one of them twice."""
    names = rng.choices(list(_SETTING_VALUES), k=rng.choice((0, 1, 1, 2, 3)))
    payload = b"".join(struct.pack(">HL", name, rng.choice(_SETTING_VALUES[name])) for name in names)
    return frames.frame(frames.SETTINGS, 0, 0, payload)


def ignorable_unit(rng: random.Random, stream: int) -> bytes:
    """Return a frame that says nothing to a client."""
    return rng.choice(
        [
            frames.frame(frames.PRIORITY, 0, stream, rng.randbytes(5)),
            frames.frame(rng.randrange(10, 256), rng.randrange(256), rng.choice((0, stream)), rng.randbytes(20)),
            frames.frame(frames.PING, frames.ACK, 0, rng.randbytes(8)),
            frames.frame(frames.SETTINGS, frames.ACK, 0, b""),
        ]
    )


def any_frame(rng: random.Random) -> bytes:
    """Return a frame with the right length and anything in it, more often than not of a known form."""
    stream = rng.choice((0, 1, 1, 3, 3, 5, 7, 9, 2, 2**31 - 1))
    makers = [
        lambda: frames.window_update(stream, rng.choice((0, 1, 70_000, 2**31 - 1, 2**32 - 1))),
        lambda: settings_unit(rng),
        lambda: frames.goaway(stream, rng.randrange(16), rng.randbytes(rng.choice((0, 10)))),
        lambda: frames.rst_stream(stream, rng.randrange(16)),
        lambda: frames.frame(frames.PING, rng.randrange(2), 0, rng.randbytes(8)),
        lambda: b"".join(rng.sample(any_reply(rng, stream)[0], 1)),
        lambda: frames.frame(rng.randrange(12), rng.randrange(256), stream, rng.randbytes(rng.choice((0, 4, 8, 50)))),
    ]
    return rng.choice(makers)()


# Damage


def damage(rng: random.Random, data: bytes) -> bytes:
    """Spoil a stream in one to four places."""
    for _ in range(rng.randint(1, 4)):
        pieces = [*raw_frames(data)]
        if not pieces:
            return rng.randbytes(20)
        rng.choice(_DAMAGES)(rng, pieces)
        data = b"".join(pieces)
    return data


Pieces = list[bytes]


def _flip_bits(rng: random.Random, pieces: Pieces) -> None:
    place = rng.randrange(len(pieces))
    spoilt = bytearray(pieces[place])
    for _ in range(rng.choice((1, 1, 5))):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    pieces[place] = bytes(spoilt)


def _spoil_head(rng: random.Random, pieces: Pieces) -> None:
    """Put any byte in a frame's head: its length, kind, flags or stream."""
    place = rng.randrange(len(pieces))
    spoilt = bytearray(pieces[place])
    spoilt[rng.randrange(min(9, len(spoilt)))] = rng.randrange(256)
    pieces[place] = bytes(spoilt)


def _delete(rng: random.Random, pieces: Pieces) -> None:
    del pieces[rng.randrange(len(pieces))]


def _duplicate(rng: random.Random, pieces: Pieces) -> None:
    pieces.insert(rng.randrange(len(pieces) + 1), rng.choice(pieces))


def _swap(rng: random.Random, pieces: Pieces) -> None:
    one, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
    pieces[one], pieces[other] = pieces[other], pieces[one]


def _truncate(rng: random.Random, pieces: Pieces) -> None:
    """Cut a frame short, or leave all out from there."""
    place = rng.randrange(len(pieces))
    pieces[place] = pieces[place][: rng.randrange(len(pieces[place]))]
    if rng.random() < 0.3:
        del pieces[place + 1 :]


def _insert(rng: random.Random, pieces: Pieces) -> None:
    foreign = any_frame(rng) if rng.random() < 0.7 else rng.randbytes(rng.randrange(1, 30))
    pieces.insert(rng.randrange(len(pieces) + 1), foreign)


_DAMAGES = [_flip_bits, _spoil_head, _delete, _duplicate, _swap, _truncate, _insert]
