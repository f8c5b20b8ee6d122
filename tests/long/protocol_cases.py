"""Cases without a socket: streams that keep to the rules, damaged ones, arbitrary ones, and header blocks."""

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable

import grpc
import hpack

from tests.long import random_streams
from tests.long.finding import Finding, require
from tests.long.random_streams import REPLY_LIMIT, UNPROCESSED, Fate
from tests.long.strict_server import StrictServer
from tests.support.grpc_frames import message, uncut
from tests.support.nothing_known import NothingKnown
from tests.support.reply_styles import STYLES
from tfsload.transport.grpc import frames
from tfsload.transport.grpc.call import Call
from tfsload.transport.grpc.frames import ProtocolError
from tfsload.transport.grpc.headers import (
    HeadersTooLongError,
    RequestEncoder,
    RequestHeaders,
    decode_reply_headers,
    request_headers,
)
from tfsload.transport.grpc.protocol import ClientProtocol

# What one header block may cost, in CPU time: the event loop stands still meanwhile. A usual one takes some 0.05 ms.
BLOCK_LIMIT_S = 0.15
# An error's words go into every call's error, and to the terminal.
MAX_WORDS = 2000
# Calls that have ended, which the queue of those that wait for a window may still hold.
CANCELLED = "CANCELLED by its caller"

# What happens to a client, in order: ("receive", bytes), ("start", number of the call) or ("cancel", number).
Step = tuple[str, bytes | int]
Request = tuple[RequestHeaders, bytes]


class Client:
    """A protocol with its calls, and what became of them.

    Attributes:
        protocol: the one under test.
        calls: all calls, started or not.
        ended, unprocessed: numbers of the calls, in the order in which they were handed back.
        cancelled, started: numbers of calls.
        error: why it was lost.
        output: all that was sent.
    """

    def __init__(self, requests: Iterable[Request], knows_no_reply: bool = False) -> None:
        """Begin; `knows_no_reply`: every reply is read by the parser alone."""
        self.protocol = ClientProtocol()
        if knows_no_reply:
            self.protocol._known = NothingKnown()
        self.calls = [Call(headers, body, None, False, REPLY_LIMIT) for headers, body in requests]
        self._numbers = {id(call): number for number, call in enumerate(self.calls)}
        self.ended: list[int] = []
        self.unprocessed: list[int] = []
        self.started: set[int] = set()
        self.cancelled: set[int] = set()
        self.error = ""
        self.output = bytearray()
        self._is_lost = False

    def act(self, step: Step) -> bytes:
        """Take a step and return what the client sends.

        Raises:
            ProtocolError: the server broke the protocol.
        """
        action, value = step
        if action == "receive":
            self.protocol.receive(value)
        elif action == "start" and not self.protocol.is_draining:
            self.started.add(value)
            self.protocol.start(self.calls[value])
        elif action == "cancel" and value in self.under_way():
            self.cancelled.add(value)
            self.protocol.cancel(self.calls[value])
        return self._look()

    def lose(self) -> None:
        """End it, as after an error."""
        self._is_lost = True
        self.protocol.lose(grpc.StatusCode.INTERNAL, "broken")
        self._look()

    def _look(self) -> bytes:
        self.ended += [self._numbers[id(call)] for call in self.protocol.take_ended()]
        self.unprocessed += [self._numbers[id(call)] for call in self.protocol.take_unprocessed()]
        output = self.protocol.take_output()
        self.output += output
        return output

    def under_way(self) -> list[int]:
        """Return the numbers of the calls in flight or waiting."""
        return [self._numbers[id(call)] for call in (*self.protocol.calls.values(), *self.protocol.waiting)]

    def fate(self, number: int) -> Fate:
        """Return what has become of a call."""
        call = self.calls[number]
        if number in self.cancelled:
            return Fate(CANCELLED)
        if number in self.unprocessed:
            return Fate(UNPROCESSED)
        if not call.is_over:
            return Fate("open" if number in self.started else "not started")
        return Fate("OK", call.reply) if call.error is None else Fate(call.error.code().name)

    def journal(self) -> tuple:
        """Return all that is to be the same, however the stream arrives.

        Windows that are opened one after the other, and are read together, have a message cut at other places.
        """
        details = [(self.fate(number), str(self.calls[number].error)) for number in range(len(self.calls))]
        metadata = [(call.initial, call.trailing) for call in self.calls]
        rest = b"" if self.error else self.protocol._parser._rest  # nobody reads on after an error
        books = (self.protocol._window, self.protocol._unopened, rest)
        return self.ended, self.unprocessed, details, metadata, uncut(self.output), self.error, books

    def check(self) -> None:
        """See whether the books are in order.

        Raises:
            Finding: they are not.
        """
        accounts = sorted([*self.ended, *self.unprocessed, *self.cancelled, *self.under_way()])
        if accounts != sorted(self.started):
            raise Finding(f"calls {sorted(self.started)} were started, and {accounts} are accounted for")
        if not self._is_lost:
            self._check_streams()
            self._check_buffers()

    def _check_streams(self) -> None:
        protocol = self.protocol
        for stream, call in protocol.calls.items():
            require(call.stream == stream and not call.is_over, f"stream {stream} holds a call that is not its own")
            require(call.window <= frames.MAX_WINDOW, f"stream {stream} has a window of {call.window}")
            may_send = call.n_unsent and call.window > 0
            require(not may_send or call in protocol._sendable, f"stream {stream} will never send its rest")
            n_kept = len(call._buffer or b"")
            require(n_kept <= REPLY_LIMIT + 2 * random_streams.MAX_FRAME, f"stream {stream} keeps {n_kept} bytes")
        require(not any(call.stream or call.is_over for call in protocol.waiting), "a call waits that was sent")

    def _check_buffers(self) -> None:
        protocol = self.protocol
        require(0 <= protocol._window <= frames.MAX_WINDOW, f"the connection has a window of {protocol._window}")
        kept = [call for call in protocol._sendable if protocol.calls.get(call.stream) is not call]
        require(not kept, f"{len(kept)} calls that have ended are kept for a window that may never come")
        parser = protocol._parser
        require(len(parser._rest) < 9 + random_streams.MAX_FRAME, f"{len(parser._rest)} bytes of a frame are kept")
        require(len(parser._block or b"") <= frames.MAX_HEADER_BLOCK, "too long a header block is kept")


# Requests

_HEADERS = request_headers("/a/b", "here:1", "http", 5.0, ())


def random_requests(rng: random.Random, n_calls: int) -> list[Request]:
    """Return requests, most with the same headers, as a load test's are."""
    kinds = [_HEADERS]
    for number in range(rng.choice((0, 0, 1, 3))):
        # Long ones are rare: hpack's Huffman encoder takes its time over them.
        size = rng.choice((1, 10, 50, 200)) if rng.random() < 0.97 else 9000
        pairs = [(f"k{number}", rng.randbytes(size).hex())]
        kinds.append(request_headers("/a/b", "here:1", "http", 5.0, pairs))
    return [(rng.choice(kinds), bytes(rng.choice((*random_streams.SIZES, 70_000)))) for _ in range(n_calls)]


# Streams that keep to the rules


class Dialogue:
    """A server that keeps to the rules talks to a client; each unit follows from what the client has sent so far.

    Attributes:
        steps: what happened to the client.
        fates: what must become of its calls, by stream.
    """

    def __init__(self, rng: random.Random, requests: list[Request]) -> None:
        self._rng = rng
        self.client = Client(requests)
        self.server = StrictServer()
        self.steps: list[Step] = []
        self.fates: dict[int, Fate] = {}
        self._style = rng.choice(["", *STYLES])  # of most replies; empty: of none more than of others
        self._queues: dict[int, list[bytes]] = {}  # what is left of the replies begun, by stream
        self._promised: dict[int, Fate] = {}  # once a reply is out
        self._n_started = 0
        self._send(random_streams.settings_unit(rng))

    def run(self, n_steps: int) -> None:
        """Go on for some steps."""
        moves = [self._start] * 3 + [self._begin_reply] * 4 + [self._continue_reply] * 12
        moves += [self._open_window] * 4 + [self._settings, self._ping, self._ignorable, self._cancel]
        for _ in range(n_steps):
            self._rng.choice(moves)()
            if self.server.last_stream is None and self._rng.random() < 0.005:
                self._go_away()

    def finish(self) -> None:
        """Answer what is open."""
        while self._queues or any(stream not in self._promised for stream in self.server.open):
            self._begin_reply()
            self._continue_reply()

    def _send(self, unit: bytes) -> None:
        self.server.send(unit)
        self._step(("receive", unit))

    def _step(self, step: Step) -> None:
        self.steps.append(step)
        self.server.receive(self.client.act(step))
        self.client.check()
        self.server.check_is_answered()
        known, own = sorted(self.server.open), sorted(self.client.protocol.calls)
        require(known == own, f"streams {known} are open for the server, {own} for the client")

    def _start(self) -> None:
        for _ in range(self._rng.choice((1, 1, 4))):
            if self._n_started < len(self.client.calls):
                self._step(("start", self._n_started))
                self._n_started += 1

    def _cancel(self) -> None:
        under_way = self.client.under_way()
        if under_way and self._rng.random() < 0.3:
            self._step(("cancel", self._rng.choice(under_way)))

    def _begin_reply(self) -> None:
        unanswered = [stream for stream in self.server.open if stream not in self._promised]
        if unanswered:
            stream = self._rng.choice(unanswered)
            if self._style and self._rng.random() < 0.9:
                reply = random_streams.usual_answer(self._rng, stream, style=self._style)
            else:
                reply = random_streams.any_reply(self._rng, stream)
            self._queues[stream], self._promised[stream] = reply

    def _continue_reply(self) -> None:
        if not self._queues:
            return
        stream = self._rng.choice(list(self._queues))
        unit = self._queues[stream].pop(0)
        if not self._queues[stream]:
            del self._queues[stream]
            self.fates[stream] = self._promised[stream]
        self._send(unit)

    def _open_window(self) -> None:
        stream = self._rng.choice((0, *self.server.open))
        window = self.server.open[stream].window if stream else self.server.window
        increment = self._rng.choice((1, 1000, 70_000, 2**31 - 1))
        if window + increment <= frames.MAX_WINDOW:
            self._send(frames.window_update(stream, increment))

    def _settings(self) -> None:
        unit = random_streams.settings_unit(self._rng)
        if self.server.allows(unit):
            self._send(unit)

    def _ping(self) -> None:
        self._send(frames.frame(frames.PING, 0, 0, self._rng.randbytes(8)))

    def _ignorable(self) -> None:
        self._send(random_streams.ignorable_unit(self._rng, self._rng.choice((1, *self.server.open))))

    def _go_away(self) -> None:
        last = self._rng.choice((0, 2**31 - 1, *self.server.streams))
        for stream in [stream for stream in self.server.open if stream > last]:
            self._queues.pop(stream, None)
            self.fates[stream] = Fate(UNPROCESSED)
        self._send(frames.goaway(last, frames.NO_ERROR, b"later"))

    def check_fates(self) -> None:
        """See whether each call has come to its end, and each request arrived as it was sent."""
        for number, call in enumerate(self.client.calls):
            if not call.stream:
                continue
            known = self.server.streams[call.stream]
            require(known.headers == call.headers.pairs, f"call {number} arrived with the headers {known.headers}")
            framed = message(call.message)
            whole = bytes(known.body) == framed if known.is_sent else framed.startswith(known.body)
            require(whole, f"call {number}'s message did not arrive as it was sent")
            got, want = self.client.fate(number), self.fates.get(call.stream)
            if want is not None and number not in self.client.cancelled:
                require(got == want, f"call {number} ended as {_short(got)}, expected {_short(want)}")


def _short(fate: Fate) -> str:
    return f"{fate.code} with {'no reply' if fate.reply is None else f'a reply of {len(fate.reply)} bytes'}"


def stream_case(rng: random.Random) -> Counter[str]:
    """A valid stream ends each call as it should, and the same however it is cut."""
    requests = random_requests(rng, rng.choice((1, 3, 8, 20)))
    dialogue = Dialogue(rng, requests)
    dialogue.run(rng.choice((20, 60, 150)))
    if rng.random() < 0.7:
        dialogue.finish()
    dialogue.check_fates()
    want = dialogue.client.journal()
    for name, n_cuts, knows_no_reply in (
        ("in one piece", 0, False),
        ("in two pieces", 1, False),
        ("in many pieces", 40, False),
        ("in many pieces by the parser alone", 40, True),
    ):
        client = Client(requests, knows_no_reply)
        for step in recut(rng, dialogue.steps, n_cuts):
            client.act(step)
            client.check()
        require(client.journal() == want, f"a stream received {name} ends otherwise than unit by unit")
    return Counter(dialogue.client.fate(number).code for number in dialogue.client.started)


def recut(rng: random.Random, steps: list[Step], n_cuts: int) -> list[Step]:
    """Join what is received in a row, and cut it anew."""
    joined: list[Step] = []
    for step in steps:
        if joined and step[0] == "receive" == joined[-1][0]:
            joined[-1] = ("receive", joined[-1][1] + step[1])
        else:
            joined.append(step)
    pieces: list[Step] = []
    for action, value in joined:
        if action == "receive":
            pieces += [(action, piece) for piece in random_streams.cut(rng, value, n_cuts)]
        else:
            pieces.append((action, value))
    return pieces


# Streams that do not


def damaged_case(rng: random.Random) -> Counter[str]:
    """A damaged stream ends in ProtocolError or goes on, and no call is lost."""
    requests = random_requests(rng, rng.choice((1, 3, 8)))
    dialogue = Dialogue(rng, requests)
    dialogue.run(rng.choice((20, 60)))
    steps = recut(rng, dialogue.steps, 0)
    spoilt = [
        (action, random_streams.damage(rng, value) if action == "receive" and rng.random() < 0.5 else value)
        for action, value in steps
    ]
    return _survive_alike(rng, requests, recut(rng, spoilt, rng.choice((0, 1, 10))))


def bytes_case(rng: random.Random) -> Counter[str]:
    """Frames of any kind in any order, or bytes that are none, end in ProtocolError or go on."""
    data = frames.settings_frame({}) if rng.random() < 0.9 else b""
    for _ in range(rng.choice((1, 5, 20))):
        data += random_streams.any_frame(rng)
    data += rng.randbytes(rng.choice((0, 0, 10, 300)))
    requests = random_requests(rng, 4)
    steps: list[Step] = [("start", number) for number in range(4)]
    steps.insert(rng.randrange(5), ("receive", data))
    return _survive_alike(rng, requests, recut(rng, steps, rng.choice((0, 1, 10))))


def churn_case(rng: random.Random) -> Counter[str]:
    """Many calls are started and given up over a connection that may be stuck: nothing piles up."""
    requests = random_requests(rng, 200)
    steps: list[Step] = [("receive", random_streams.settings_unit(rng))]
    for number in range(200):
        steps += [("start", number), ("cancel", rng.randrange(max(number - 5, 0), number + 1))]
        if rng.random() < 0.05:
            increment = frames.window_update(0, rng.choice((1, 1000, 100_000)))
            steps.append(("receive", rng.choice((increment, random_streams.settings_unit(rng)))))
    return _survive(rng, Client(requests), steps)


def _survive_alike(rng: random.Random, requests: list[Request], steps: list[Step]) -> Counter[str]:
    """Survive, and end as by the parser alone."""
    seed = rng.getrandbits(64)
    client, other = Client(requests), Client(requests, knows_no_reply=True)
    outcome = _survive(random.Random(seed), client, steps)
    _survive(random.Random(seed), other, steps)
    require(client.journal() == other.journal(), "replies that are read in place end otherwise than by the parser")
    return outcome


def _survive(rng: random.Random, client: Client, steps: list[Step]) -> Counter[str]:
    outcome = "went on"
    try:
        for step in steps:
            client.act(step)
            client.check()
    except ProtocolError as error:
        outcome, client.error = "ProtocolError", str(error)
        require(len(str(error)) <= MAX_WORDS, f"an error of {len(str(error))} letters")
        client.lose()
        client.check()
        require(not client.under_way(), "a call is under way over a connection that was lost")
    if outcome == "went on" and rng.random() < 0.5:
        client.lose()
        client.check()
    fates = Counter(client.fate(number).code for number in client.started)
    return fates + Counter([outcome])


# Header blocks

_TABLE_SIZES = (0, 40, 100, 100, 200, 200, 300, 300, 4096, 65_536)


def encoder_case(rng: random.Random) -> Counter[str]:
    """A server reads the headers that were meant, however its table's size changes, and whatever they leave in it."""
    encoder, server = RequestEncoder(), StrictServer()
    server.receive(frames.PREFACE)
    values = ("v", "v" * 10, "v" * rng.randrange(300), "v" * rng.randrange(300))
    pairs = [(f"k{rng.randrange(4)}", f"{rng.choice(values)}{number}") for number in range(6)]
    known = [RequestHeaders(tuple(rng.choices(pairs, k=rng.randint(1, 4)))) for _ in range(4)]
    for stream in range(1, 81, 2):
        for _ in range(rng.choice((1, 1, 2, 3)) if stream == 1 or rng.random() < 0.03 else 0):
            size = rng.choice(_TABLE_SIZES)
            server.send(frames.settings_frame({frames.HEADER_TABLE_SIZE: size}))
            encoder.set_table_size(size)
            server.receive(frames.frame(frames.SETTINGS, frames.ACK, 0, b""))
        headers = rng.choice(known)
        server.receive(frames.header_frames(stream, encoder.encode(headers), 0, random_streams.MAX_FRAME))
        require(server.streams[stream].headers == headers.pairs, "the server reads other headers than were meant")
    return Counter({"read": 40})


def headers_case(rng: random.Random) -> Counter[str]:
    """A header block is read or refused, and soon."""
    block, want = rng.choices(list(_BLOCKS), list(_BLOCKS.values()))[0](rng)
    outcome = "read"
    before_s = time.thread_time()
    try:
        headers = decode_reply_headers(block)
    except (ProtocolError, HeadersTooLongError) as error:
        outcome = "refused"
        require(want is None, f"a valid header block was refused: {error}")
        require(len(str(error)) <= MAX_WORDS, f"an error of {len(str(error))} letters")
    else:
        require(want is None or _texts(headers.metadata) == want, f"read as {headers.metadata}, expected {want}")
        require(headers.grpc_status is None or headers.grpc_status >= -1, f"status {headers.grpc_status}")
    took_s = time.thread_time() - before_s
    require(took_s <= BLOCK_LIMIT_S, f"a header block of {len(block)} bytes took {took_s:.2f} s of CPU")
    return Counter([outcome])


def _texts(metadata: Iterable[tuple[str, str | bytes]]) -> list[str]:
    return [name for name, _ in metadata]


Block = tuple[bytes, list[str] | None]  # and the names of its metadata, None where it may be refused


def _valid_block(rng: random.Random) -> Block:
    pairs = random_streams.metadata(rng)
    return random_streams.encode(rng, [(":status", "200"), *pairs]), [name for name, _ in pairs]


def _odd_block(rng: random.Random) -> Block:
    """Known headers with odd values."""
    names = (":status", "grpc-status", "grpc-message", "grpc-encoding", "content-type", "x-bin", ":x", "")
    values = ("", "0", "-1", "9" * 30, "²", "%", "%zz%e2%82", "=", "a=b", "\udcff", "\n\0", "gzip")
    pairs = [(rng.choice(names), rng.choice(values).encode("utf-8", "replace")) for _ in range(rng.randrange(9))]
    return random_streams.encode(rng, pairs), None


def _damaged_block(rng: random.Random) -> Block:
    block = bytearray(_valid_block(rng)[0] + _odd_block(rng)[0])
    for _ in range(rng.choice((1, 1, 4))):
        place = rng.randrange(len(block) + 1)
        block[place : place + rng.choice((0, 1, 3))] = rng.randbytes(rng.choice((0, 1, 1, 5)))
    return bytes(block), None


def _any_block(rng: random.Random) -> Block:
    return rng.randbytes(rng.choice((0, 1, 5, 40, 600))), None


def _block_size(rng: random.Random) -> int:
    """Return a size up to that at which the parser refuses a block; the orders of magnitude are as likely."""
    return int(2 ** rng.uniform(8, math.log2(frames.MAX_HEADER_BLOCK)))


def _bomb(rng: random.Random) -> Block:
    """Few bytes that cost much, over and over."""
    literals = (b"\x00\x00\x00", b"\x40\x00\x00", b"\x10\x01a\x00", b"\x00\x81\xff\x81\xff", b"\x0f\x0b\x01a")
    entry = rng.choice((rng.choice(literals), b"\x20", b"\x82", b"\x7f\xff\xff\xff\xff", b"\xff"))
    size = _block_size(rng)
    head = rng.choice((b"", b"\x20", b"\x00", b"\x40"))
    return head + (entry * size)[:size] + rng.randbytes(rng.randrange(3)), None


def _long_value(rng: random.Random) -> Block:
    """One header of any length, at times of fewer bytes than it says."""
    size = _block_size(rng)
    name = rng.choice((b"grpc-message", b"x-bin", b"a"))
    length = hpack.hpack.encode_integer(size, 7)
    length[0] |= rng.choice((0, 0x80))  # Huffman's code or none
    value = rng.choice((b"%e2", b"A", b"\xff", b"\x00", rng.randbytes(7))) * size
    return b"\x00" + bytes([len(name)]) + name + bytes(length) + value[: size - rng.choice((0, 0, 1))], None


_BLOCKS: dict[Callable[[random.Random], Block], int] = {
    _valid_block: 40,
    _odd_block: 20,
    _damaged_block: 40,
    _any_block: 30,
    _bomb: 2,
    _long_value: 2,
}
