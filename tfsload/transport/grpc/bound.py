"""A method of a server as a function of its message alone."""

import functools
import time
from collections.abc import Callable
from typing import Any

import grpc

from tfsload.transport.grpc.call import Call
from tfsload.transport.grpc.native import LONGEST_TIMEOUT_S, NativeChannel


def bound(channel: grpc.Channel, method: str, timeout_s: float) -> Callable[[bytes], bytes]:
    """Return what calls a method with a message, and returns the answer's, both as bytes.

    As `unary_unary(method)` with that timeout would, and it raises the same. That one is for all that a call may have:
    headers to be looked up, a deadline made of seconds, serialisers, compression. Here what is the same for every call
    was done once, which saves each two calls of functions. And it is a function: what functools.partial makes is called
    through C, whose stack is put aside for each user that waits. To be rid of it: return the last line always.
    """
    if isinstance(channel, NativeChannel) and timeout_s < LONGEST_TIMEOUT_S:
        return _bound(channel, method, timeout_s)
    return functools.partial(channel.unary_unary(method).__call__, timeout=timeout_s)


def _bound(channel: NativeChannel, method: str, timeout_s: float) -> Callable[[bytes], Any]:
    headers, unbound = channel.headers_of(method, timeout_s, None), channel.unary_unary(method)
    run, max_reply_bytes = channel.pool.run, channel.max_reply_bytes
    timeout_ns, clock_ns = int(timeout_s * 1e9), time.perf_counter_ns

    def call_bound(message: bytes) -> bytes | None:
        if not isinstance(message, bytes):
            unbound(message)  # which says what is wrong with it
        call = Call(headers, message, clock_ns() + timeout_ns, False, max_reply_bytes)
        run(call)
        if call.error is not None:
            raise call.error
        return call.reply

    return call_bound
