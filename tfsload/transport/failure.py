"""A prediction without an answer: why."""

from tfsload.transport.words import shown

# Not a gRPC code: an answer came, with status OK, and could not be read.
BAD_REPLY = "BAD_REPLY"
# Not a gRPC code: the request failed on this side, through a fault of the load generator or of a user class.
CLIENT_ERROR = "CLIENT_ERROR"
# Not a gRPC code: an answer came, and a user class's own `is_right` could not say whether it is right.
UNJUDGED = "UNJUDGED"
# gRPC codes by which a server, or its model, refuses what was sent; by others nothing of it was looked at.
JUDGED_CODES = ("INVALID_ARGUMENT", "INTERNAL", "UNKNOWN", "OUT_OF_RANGE", "FAILED_PRECONDITION")


class PredictionFailure(Exception):  # noqa: N818  (a prediction fails; a failure has a code)
    """A request that got no usable answer.

    Attributes:
        code: a gRPC status code's name (`DEADLINE_EXCEEDED`, `UNAVAILABLE`, …), `BAD_REPLY`, `CLIENT_ERROR` or
            `UNJUDGED`.
        message: the server's or the channel's own words, as they may be shown.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = shown(message)
        super().__init__(f"{code}: {self.message}")

    def __reduce__(self) -> tuple[type["PredictionFailure"], tuple[str, str]]:
        return type(self), (self.code, self.message)
