"""A second locustfile that puts a null server within the process, and prints what a request costs it.

    locust -f locustfile.py,benchmarks/in_process.py --headless --host 127.0.0.1:1 -u 8 -r 8

Whatever is sent to any address is answered by a few lines of Python, from canned replies, in the next turn of the event
loop: no kernel, no second process. So the CPU time of a request varies by a few percent where it varies by ten against
a real server; the null server's own part of it is in it, and the same for every tree. Nothing of it is like a network:
it holds one tree's speed against another's, and says nothing else.
"""

import struct
import time
from collections.abc import Callable
from typing import Any

import gevent
import gevent.event
import hpack
from locust import events

from benchmarks import canned

try:
    from tfsload.transport.grpc import connection, frames
except ImportError:  # a tree of before, that this one is held against
    from tfsload.channel import connection, frames

SETTLE_S = 2.0
WINDOW_S = 4.0
# The client's window is opened again each time that so much of it has been used.
_REOPEN_AT = 1 << 29
_HEAD = struct.Struct(">LBL")  # of a frame: its length and kind, its flags, its stream


class NullSocket:
    """What a connection takes for its socket: takes requests, and has the replies read in the loop's next turn."""

    def __init__(self, on_readable: Any) -> None:
        self._on_readable = on_readable
        self._loop = gevent.get_hub().loop
        self._is_due = False
        self._n_preface = len(frames.PREFACE)
        self._decoder, self._encoder = hpack.Decoder(), hpack.Encoder()
        self._encoder.header_table_size = 0
        self._replies = canned.replies()
        self._answers: dict[bytes, Callable[[int], bytes]] = {}  # by the block of a request's headers
        self._asked: dict[int, Callable[[int], bytes]] = {}  # by stream
        self._used = 0
        greeting = {frames.MAX_CONCURRENT_STREAMS: 100_000, frames.INITIAL_WINDOW_SIZE: frames.MAX_WINDOW}
        self._output = [frames.settings_frame(greeting)]
        self._output.append(frames.window_update(0, frames.MAX_WINDOW - frames.DEFAULT_WINDOW))

    def send(self, data: bytes | memoryview) -> int:
        """Take whole frames, and answer the requests among them."""
        n_bytes, data = len(data), bytes(data)[self._n_preface :]
        self._n_preface, at = 0, 0
        while at < len(data):
            word, flags, stream = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            length, kind = word >> 8, word & 255
            if kind == frames.HEADERS:
                self._asked[stream] = self._answer_to(data[at : at + length])
            elif kind == frames.DATA:
                self._used += length
                if flags & frames.END_STREAM:
                    self._output.append(self._asked.pop(stream)(stream))
            at += length
        if self._used > _REOPEN_AT:
            self._output.append(frames.window_update(0, self._used))
            self._used = 0
        self._be_read()
        return n_bytes

    def _answer_to(self, block: bytes) -> Callable[[int], bytes]:
        """Return what answers requests with these headers, by stream."""
        if (answer := self._answers.get(block)) is None:
            path = dict(self._decoder.decode(block))[":path"].removeprefix("/")
            reply = self._replies[path]
            head = self._encoder.encode([(":status", "200"), ("content-type", "application/grpc")])
            tail = self._encoder.encode([("grpc-status", "0")])
            pack = struct.Struct(f">LBL{len(head)}sLBL{len(reply)}sLBL{len(tail)}s").pack
            words = [len(head) << 8 | frames.HEADERS, len(reply) << 8 | frames.DATA, len(tail) << 8 | frames.HEADERS]

            def answer(stream: int) -> bytes:
                first = (words[0], frames.END_HEADERS, stream, head, words[1], 0, stream, reply)
                return pack(*first, words[2], frames.END_HEADERS | frames.END_STREAM, stream, tail)

            self._answers[block] = answer
        return answer

    def _be_read(self) -> None:
        if self._output and not self._is_due:
            self._is_due = True
            self._loop.run_callback(self._go)

    def _go(self) -> None:
        self._is_due = False
        self._on_readable()
        self._be_read()

    def recv_into(self, buffer: memoryview) -> int:
        """Give what fits of the replies."""
        data = b"".join(self._output)
        n_bytes = min(len(data), len(buffer))
        buffer[:n_bytes] = data[:n_bytes]
        self._output = [data[n_bytes:]] if n_bytes < len(data) else []
        return n_bytes

    def close(self) -> None:
        """There is nothing to close."""


class _NoWatcher:
    active = True

    def start(self, *_: Any) -> None: ...

    stop = close = start


def _open(self: connection.Connection, *_: Any) -> None:
    self._reader = self._writer = _NoWatcher()
    self._opened = gevent.event.Event()
    self._socket = NullSocket(self._on_readable)
    self.flush()
    self._opened.wait()


connection.Connection._open = _open


@events.init.add_listener
def _on_init(environment: Any, **_: Any) -> None:
    environment.events.spawning_complete.add_listener(lambda **_: gevent.spawn(_measure, environment))


def _measure(environment: Any) -> None:
    gevent.sleep(SETTLE_S)
    n_before, cpu_before_s, start_s = environment.stats.total.num_requests, time.process_time(), time.perf_counter()
    gevent.sleep(WINDOW_S)
    n, cpu_s = environment.stats.total.num_requests - n_before, time.process_time() - cpu_before_s
    share = cpu_s / (time.perf_counter() - start_s)
    print(f"in process: {cpu_s / n * 1e6:.2f} µs of CPU a request at {share:.3f} of a core", flush=True)
    environment.runner.quit()
