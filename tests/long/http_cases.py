"""Cases without sockets: HTTP replies, valid and damaged, read however their bytes are cut."""

import gzip
import random
import zlib
from collections import Counter

from tests.long.finding import require
from tfsload.transport.rest.reply import Heads, HttpProtocolError, ReplyReader

LIMIT = 50_000
_INTERIM = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
    b"HTTP/1.1 102 \r\n\r\n",
)
_DATES = [f"Date: Tue, 01 Dec 2026 10:00:0{second} GMT\r\n".encode() for second in range(3)]


def http_case(rng: random.Random) -> Counter[str]:
    """Replies are what was sent, by a reader that knows heads and by one that does not; what is damaged is named."""
    outcomes: Counter[str] = Counter()
    heads: Heads = {}
    for _ in range(rng.randint(1, 4)):  # connections, which share the heads
        knowing, unknowing = ReplyReader(heads, LIMIT), ReplyReader({}, LIMIT, 0)
        for _ in range(rng.randint(1, 12)):
            body = any_body(rng)
            sent, keeps, ends = valid_reply(rng, body)
            is_damaged = rng.random() < 0.15
            if is_damaged:
                sent = damaged(rng, sent)
            told = [_read(reader, pieces, ends) for reader in (knowing, unknowing) for pieces in [cut(rng, sent)]]
            require(is_damaged or told[0] == told[1] == (body, keeps), f"read as {told}, and {body!r} was sent")
            outcome = "damaged" if is_damaged else "right" if keeps else "right, the last one"
            outcomes[outcome] += 1
            if is_damaged or not keeps:
                break
    return outcomes


def _read(reader: ReplyReader, pieces: list[bytes], ends: bool) -> object:
    try:
        for place, piece in enumerate(pieces):
            reply = reader.receive(piece)
            if reply is not None:
                return (reply.body, reply.keeps) if place == len(pieces) - 1 else "too early"
        reply = reader.end() if ends else None
    except HttpProtocolError as error:
        return str(error)
    return (reply.body, reply.keeps) if reply is not None else "incomplete"


def any_body(rng: random.Random) -> bytes:
    """Return a body of any length and content; like replies have them, mostly."""
    if rng.random() < 0.7:
        scores = ", ".join(f"{rng.random():.6g}" for _ in range(rng.choice((1, 10, 10, 10, 100))))
        return f'{{\n    "predictions": [[{scores}]\n    ]\n}}'.encode()
    return rng.randbytes(rng.choice((0, 1, 10, 1000, 20_000)))


def valid_reply(rng: random.Random, body: bytes) -> tuple[bytes, bool, bool]:
    """Return a reply with a body; whether its connection may be kept, and whether the end of it ends the reply."""
    headers = [b"Content-Type: application/json\r\n", rng.choice(_DATES)]
    form = rng.choice(("length", "length", "length", "length", "chunks", "end"))
    version, keeps = b"HTTP/1.1", form != "end"
    if rng.random() < 0.1:
        packed = {b"gzip": gzip.compress(body, 1), b"deflate": zlib.compress(body)}
        encoding = rng.choice(sorted(packed))
        headers.append(b"Content-Encoding: " + encoding + b"\r\n")
        content = packed[encoding] if body else b""
    else:
        content = body
    if form == "length":
        headers.append(b"%b: %d\r\n" % (rng.choice((b"Content-Length", b"content-length")), len(content)))
    elif form == "chunks":
        headers.append(b"Transfer-Encoding: chunked\r\n")
        content = _in_chunks(rng, content)
    if keeps and rng.random() < 0.1:
        headers.append(b"Connection: close\r\n")
        keeps = False
    elif form == "length" and rng.random() < 0.05:
        version = b"HTTP/1.0"
        keeps = rng.random() < 0.5
        headers.append(b"Connection: keep-alive\r\n" if keeps else b"X: y\r\n")
    rng.shuffle(headers)
    interim = b"".join(rng.choices(_INTERIM, k=rng.choice((0, 0, 0, 0, 0, 1, 2))))
    return b"%b%b 200 OK\r\n%b\r\n%b" % (interim, version, b"".join(headers), content), keeps, form == "end"


def _in_chunks(rng: random.Random, content: bytes) -> bytes:
    pieces = [piece for piece in cut(rng, content) if piece]
    extension = rng.choice((b"", b"", b";a=b"))
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    return chunks + b"0\r\n" + rng.choice((b"", b"", b"X-Sum: 1\r\n")) + b"\r\n"


def cut(rng: random.Random, sent: bytes) -> list[bytes]:
    """Return bytes in pieces, one or many."""
    if len(sent) < 2 or rng.random() < 0.4:
        return [sent]
    most = min(len(sent) - 1, rng.choice((1, 2, 5, 40)))
    places = sorted(rng.sample(range(1, len(sent)), rng.randint(1, most)))
    return [sent[start:end] for start, end in zip([0, *places], [*places, len(sent)], strict=True)]


def damaged(rng: random.Random, sent: bytes) -> bytes:
    """Return bytes with some spoilt, left out, doubled or exchanged."""
    made = bytearray(sent)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = rng.randrange(len(made) + 1)
        match rng.choice(("flip", "cut", "double", "insert", "end")):
            case "flip" if place < len(made):
                made[place] ^= 1 << rng.randrange(8)
            case "cut":
                del made[place : place + rng.randint(1, 9)]
            case "double":
                made[place:place] = made[max(place - rng.randint(1, 60), 0) : place]
            case "insert":
                made[place:place] = rng.choice(
                    (b"\r\n", b"\r\n\r\n", b"0", b"\0", b"Content-Length: 9\r\n", rng.randbytes(4))
                )
            case "end":
                del made[place:]
    return bytes(made) or b"\0"
