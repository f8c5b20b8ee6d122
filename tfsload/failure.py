"""A prediction without an answer: why."""

# Not a gRPC code: an answer came, with status OK, and could not be read.
BAD_REPLY = "BAD_REPLY"
# Not a gRPC code: the request failed on this side, through a fault of the load generator or of a user class.
CLIENT_ERROR = "CLIENT_ERROR"


# A server may say as much as it likes.
_LONGEST_WORDS = 300


class PredictionFailure(Exception):  # noqa: N818  (a prediction fails; a failure has a code)
    """A request that got no usable answer.

    Attributes:
        code: a gRPC status code's name (`DEADLINE_EXCEEDED`, `UNAVAILABLE`, …) `BAD_REPLY` or `CLIENT_ERROR`.
        message: the server's or the channel's own words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    def __reduce__(self):
        return type(self), (self.code, self.message)


def shown(words: str) -> str:
    """Return a server's words as a terminal may have them: on one line, cut, nothing that steers it."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in words[:_LONGEST_WORDS])
    return printable + ("…" if len(words) > _LONGEST_WORDS else "")
