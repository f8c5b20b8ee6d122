"""A PredictionService that knows the truth about itself; run as a process of its own by the tests.

    python -m tests.support.truth_server SCRIPT LOG

prints `PORT` when it is ready, serves the shipped model's signature on loopback, and at SIGTERM, or when its
standard input ends, writes its log to the file LOG. SCRIPT is JSON:

| key | meaning |
| --- | --- |
| `service_ms` | S: how long a request is served (default 0) |
| `scatter` | requests take S·(1 ± scatter), by their bytes; a closed load of equal ones is answered in batches (default 0) |
| `workers` | k: so many requests are served at a time, the others queue, first come first served (default 0: no limit) |
| `lock_share` | p: each request first holds the one lock for p·S, first come first served (default 0: there is no lock) |
| `freeze` | [n, s]: from the arrival of the n-th request on, nothing is answered for s seconds |
| `models` | [[name, version], …]: the models that answers name, in turn; null for none, as for a version (default: [["mnist", 1]]) |
| `switch` | n: from the n-th request on the last of `models` answers, before it the first, and not in turn |
| `class` | c: every answer is of this class (default: of one that its bytes say) |
| `swap` | [m, how]: a request that arrives as the m-th in flight, or more, gets an answer that is not its own: of another class (`"class"`), or of the same with other scores (`"values"`) |
| `refuse` | m: a request that arrives as the m-th in flight, or more, is refused at once (RESOURCE_EXHAUSTED), and is not in the LOG |

The scores are a function of the request's bytes. LOG is JSON: for each Predict request, as it came, a row of
`arrival_ns`, `done_ns` (when it was to be answered), `departure_ns` (when it was; null: it was given up before), all on
CLOCK_MONOTONIC, which is `time.perf_counter_ns`'s, `in_flight` at its arrival with itself, `is_swapped`, and `crc`, the
CRC-32 of its message.

It speaks HTTP/2 itself. grpcio's server adds 0.9 ms to an answer that takes 10 ms, and with that nobody could
tell whether the load generator measures to 5 %; this one adds some 0.2 ms. When a request ends is reckoned as it
arrives: a worker is free again at exactly S after it has begun, so that k workers serve k/S, whatever the timers do.
"""  # noqa: E501

import asyncio
import contextlib
import heapq
import itertools
import json
import os
import selectors
import signal
import struct
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import hpack

from benchmarks import canned
from tfsload.transport.protos import predict_pb2

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _WINDOW_UPDATE, _CONTINUATION = 0, 1, 3, 4, 6, 8, 9
_END_STREAM = _ACK = 0x1
_END_HEADERS = 0x4
_PADDED, _PRIORITY = 0x8, 0x20
_INITIAL_WINDOW_SIZE = 4
_GREATEST_WINDOW = 2**31 - 1
_DEFAULT_WINDOW = 65_535
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME_HEADER = struct.Struct(">LBL")  # the length's 24 bits above the type's 8, flags, stream
_GRPC_HEADER = struct.Struct(">BL")
_NS_PER_S = 1_000_000_000
_SHARES = 1001


@dataclass
class Served:
    """One Predict request; its attributes are the log's columns."""

    arrival_ns: int
    done_ns: int
    departure_ns: int | None
    in_flight: int
    is_swapped: bool
    crc: int


class Service:
    """When a request that arrives now is answered, if nobody waits for a machine. Pure."""

    def __init__(self, service_ms: float = 0, workers: int = 0, lock_share: float = 0, scatter: float = 0) -> None:
        """Start idle; see the module's SCRIPT."""
        self._scatter = scatter
        self._service_ns = round(service_ms * 1e6)
        self._locked_ns = round(lock_share * service_ms * 1e6)
        self._free_ns = [0] * workers  # when each worker is free: a heap
        self._unlocked_ns = 0

    def done_ns(self, arrival_ns: int, crc: int = 0) -> int:
        """Return when the request that arrives now is done, a message with this checksum; calls come as they arrive."""
        begin_ns = max(arrival_ns, self._free_ns[0]) if self._free_ns else arrival_ns
        if self._locked_ns:
            begin_ns = max(begin_ns, self._unlocked_ns)
            self._unlocked_ns = begin_ns + self._locked_ns
        share = crc % _SHARES / (_SHARES - 1)  # from 0 to 1
        done_ns = begin_ns + round(self._service_ns * (1 + self._scatter * (2 * share - 1)))
        if self._free_ns:
            heapq.heapreplace(self._free_ns, done_ns)
        return done_ns


class Answers:
    """What is answered to a message: scores that depend on its bytes alone, and those of a swapped answer."""

    def __init__(
        self, swap: str = "class", models: Sequence[Sequence | None] = (("mnist", 1),), only: int | None = None
    ) -> None:
        """Answer as the script's `swap`, `models` and `class` say."""
        self._swap = swap
        self._models = models
        self._only = only
        self._known: dict[tuple[int, bool, int], bytes] = {}
        self._template = predict_pb2.PredictResponse.FromString(canned.replies()[canned.PREDICT_PATH][5:])

    def reply(self, crc: int, is_swapped: bool, model: int = 0) -> bytes:
        """Return the answer of a model, by its place, to the message with this checksum, framed as gRPC frames it."""
        key = crc, is_swapped, model
        if key not in self._known:
            self._name(self._models[model])
            del self._template.outputs["scores"].float_val[:]
            self._template.outputs["scores"].float_val.extend(self.scores(crc, is_swapped))
            body = self._template.SerializeToString()
            self._known[key] = _GRPC_HEADER.pack(0, len(body)) + body
        return self._known[key]

    def _name(self, model: Sequence | None) -> None:
        """Have the answer name a model."""
        self._template.ClearField("model_spec")
        if model is not None:
            name, version = model
            self._template.model_spec.name = name
            if version is not None:
                self._template.model_spec.version.value = version

    def scores(self, crc: int, is_swapped: bool) -> list[float]:
        """Return ten scores: one is at least 0.7, the others at most 0.02; no two messages are likely to share them."""
        scores = [(crc >> 3 * place) % 8 / 400 for place in range(canned.CLASSES)]
        answered = crc % canned.CLASSES if self._only is None else self._only
        if is_swapped and self._swap == "class":
            answered = (answered + 1) % canned.CLASSES
        scores[answered] = 0.7 if is_swapped else 0.8
        return scores


class Truth:
    """Serves by a script, and logs what it did."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        freeze: Sequence[float] = (),
        swap: tuple[int, str] | None = None,
        models: Sequence[Sequence | None] = (("mnist", 1),),
        switch: int = 0,
        refuse: int = 0,
        **more: float,
    ) -> None:
        """Take the keys of the module's SCRIPT."""
        self._loop = loop
        only = more.pop("class", None)
        self._service = Service(**more)
        self._freeze_at, self._freeze_s = freeze or (0, 0)
        self._thaw_ns = 0
        self._swap_from, how = swap or (0, "class")
        self._answers = Answers(how, models, only)
        self._n_models, self._switch_at = len(models), switch
        self._next_model = itertools.cycle(range(len(models))).__next__
        self._refuse_from = refuse
        self._n_in_flight = 0
        self.log: list[Served] = []

    def refuses(self) -> bool:
        """Return whether a message that arrives now is refused."""
        return 0 < self._refuse_from <= self._n_in_flight + 1

    def arrive(self, message: bytes, send: Callable[[bytes], bool]) -> None:
        """Serve a message: `send` is called with the answer, and tells whether anybody still wanted it."""
        now_ns = time.monotonic_ns()
        self._n_in_flight += 1
        is_swapped = 0 < self._swap_from <= self._n_in_flight
        crc = zlib.crc32(message)
        served = Served(now_ns, self._service.done_ns(now_ns, crc), None, self._n_in_flight, is_swapped, crc)
        self.log.append(served)
        if len(self.log) == self._freeze_at:
            self._thaw_ns = now_ns + round(self._freeze_s * _NS_PER_S)
        self._await(served, send)

    def _await(self, served: Served, send: Callable[[bytes], bool]) -> None:
        self._loop.call_at(served.done_ns / _NS_PER_S, self._depart, served, send)

    def _depart(self, served: Served, send: Callable[[bytes], bool]) -> None:
        if time.monotonic_ns() < self._thaw_ns:
            served.done_ns = self._thaw_ns
            self._await(served, send)
            return
        self._n_in_flight -= 1
        reply = self._answers.reply(served.crc, served.is_swapped, self._model())
        now_ns = time.monotonic_ns()
        if send(reply):
            served.departure_ns = now_ns  # when it began to leave: its caller may have it before `send` returns

    def _model(self) -> int:
        """Return the place of the model that answers now."""
        if self._switch_at:
            return self._n_models - 1 if len(self.log) >= self._switch_at else 0
        return self._next_model()


class Connection(asyncio.Protocol):
    """One HTTP/2 connection: as little of RFC 9113 as one client at a time needs that keeps to it."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._decoder = hpack.Decoder()
        self._buffer = bytearray()
        self._paths: dict[int, str] = {}  # of streams that are open
        self._bodies: dict[int, bytearray] = {}
        self._window = _DEFAULT_WINDOW  # what may still be sent
        self._fixed = {"/" + path: reply for path, reply in canned.replies().items() if path != canned.PREDICT_PATH}

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        settings = struct.pack(">HL", _INITIAL_WINDOW_SIZE, _GREATEST_WINDOW)
        window = struct.pack(">L", _GREATEST_WINDOW - _DEFAULT_WINDOW)
        transport.write(_frame(_SETTINGS, 0, 0, settings) + _frame(_WINDOW_UPDATE, 0, 0, window))
        self._preface = len(_PREFACE)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's name)
        self._paths.clear()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if self._preface and len(buffer) >= self._preface:
            del buffer[: self._preface]
            self._preface = 0
        while not self._preface and len(buffer) >= _FRAME_HEADER.size:
            head, flags, stream = _FRAME_HEADER.unpack_from(buffer)
            end = _FRAME_HEADER.size + (head >> 8)
            if len(buffer) < end:
                return
            payload = bytes(buffer[_FRAME_HEADER.size : end])
            del buffer[:end]
            self._on_frame(head & 0xFF, flags, stream, payload)

    def _on_frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _HEADERS:
            # None of these comes from the clients that this server is made for: better to fail than to guess.
            assert flags & _END_HEADERS
            assert not flags & (_PADDED | _PRIORITY | _END_STREAM)
            self._paths[stream] = dict(self._decoder.decode(payload))[":path"]
            self._bodies[stream] = bytearray()
        elif kind == _DATA and stream in self._bodies:
            assert not flags & _PADDED
            self._bodies[stream] += payload
            if flags & _END_STREAM:
                self._on_request(stream, self._bodies.pop(stream))
        elif kind == _RST_STREAM:
            self._paths.pop(stream, None)
            self._bodies.pop(stream, None)
        elif kind == _SETTINGS and not flags & _ACK:
            self._transport.write(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            self._transport.write(_frame(_PING, _ACK, 0, payload))
        elif kind == _WINDOW_UPDATE and not stream:
            self._window += struct.unpack(">L", payload)[0]
        else:
            assert kind != _CONTINUATION

    def _on_request(self, stream: int, body: bytearray) -> None:
        path = self._paths[stream]
        if path in self._fixed:
            self._answer(stream, self._fixed[path])
        elif path == "/" + canned.PREDICT_PATH and self._truth.refuses():
            self._transport.write(_headers(stream, _END_STREAM, _OK + _literal("grpc-status", "8")))
        elif path == "/" + canned.PREDICT_PATH:
            self._truth.arrive(bytes(body[_GRPC_HEADER.size :]), lambda reply: self._answer(stream, reply))
        else:
            self._transport.write(_headers(stream, _END_STREAM, _OK + _literal("grpc-status", "12")))

    def _answer(self, stream: int, reply: bytes) -> bool:
        """Send an answer, unless its stream was reset; return whether it was not."""
        if self._paths.pop(stream, None) is None:
            return False
        self._window -= len(reply)
        assert self._window >= 0, "the client lets nothing more through"
        self._transport.write(
            _headers(stream, 0, _OK)
            + _frame(_DATA, 0, stream, reply)
            + _headers(stream, _END_STREAM, _literal("grpc-status", "0"))
        )
        return True


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return _FRAME_HEADER.pack(len(payload) << 8 | kind, flags, stream) + payload


def _headers(stream: int, flags: int, block: bytes) -> bytes:
    return _frame(_HEADERS, flags | _END_HEADERS, stream, block)


def _literal(name: str, value: str) -> bytes:
    """Return a header that enters no table (RFC 7541, section 6.2.2); both texts are short."""
    return bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


_OK = b"\x88" + _literal("content-type", "application/grpc")  # \x88 is `:status 200`


async def serve(script: dict, log: Path) -> None:
    """Serve until SIGTERM, or until the test that started this process is gone."""
    loop = asyncio.get_running_loop()
    truth = Truth(loop, **script)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_reader(sys.stdin, lambda: os.read(sys.stdin.fileno(), 1) or ended.set())
    server = await loop.create_server(lambda: Connection(truth), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    log.write_text(json.dumps([list(vars(served).values()) for served in truth.log]))


def take_precedence() -> None:
    """Have this process served before others, where that is allowed: what else the machine does is not to be measured.

    On Linux a session's priority (`autogroup`) comes before that of its processes; so this one gets its own.
    """
    with contextlib.suppress(OSError):
        os.setsid()
        os.setpriority(os.PRIO_PROCESS, 0, -19)
        Path("/proc/self/autogroup").write_text("-19")


def main() -> None:
    take_precedence()
    # Timers of select() are of microseconds, those of epoll of whole milliseconds; the kernel may add 50 µs.
    with contextlib.suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1")
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    loop.run_until_complete(serve(json.loads(sys.argv[1]), Path(sys.argv[2])))


if __name__ == "__main__":
    main()
