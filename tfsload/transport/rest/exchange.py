"""One request and its reply: what is sent, what has come back, and how it ended. Pure."""

from typing import Any

from tfsload.transport.rest.failure import RestError
from tfsload.transport.rest.reply import HttpReply


class Exchange:
    """A request from its first byte sent to the last byte of its reply.

    Attributes:
        request: its bytes, head and body.
        deadline_ns: on `time.perf_counter_ns`'s clock.
        waiter: whom to wake when it has ended; set by the pool.
        connection: what carries it; None: nothing, yet or any more.
        reply: the reply; None until it is complete.
        error: why there is none; None while it goes on and after a reply.
        is_over: whether it has ended.
        is_sent_again: whether it is on its second connection, the first having been closed by the server while idle.
    """

    __slots__ = ("connection", "deadline_ns", "error", "is_over", "is_sent_again", "reply", "request", "waiter")

    def __init__(self, request: bytes, deadline_ns: int) -> None:
        self.request = request
        self.deadline_ns = deadline_ns
        self.waiter: Any = None
        self.connection: Any = None
        self.reply: HttpReply | None = None
        self.error: RestError | None = None
        self.is_over = self.is_sent_again = False

    def fail(self, code: str, details: str) -> None:
        """End with an error; the first one stands."""
        if not self.is_over:
            self.is_over = True
            self.error = RestError(code, details)
