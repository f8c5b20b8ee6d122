"""A request over REST that has no answer: why, by the names that gRPC has for it. Pure."""

import html
import re

from tfsload.transport.failure import BAD_REPLY
from tfsload.transport.rest.reply import OK, HttpReply
from tfsload.transport.words import LONGEST_VALUE, cut

# As TensorFlow Serving turns its codes into HTTP's, and google/rpc/code.proto has it; 408 and 413 are proxies' own.
_BY_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    416: "OUT_OF_RANGE",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_FIRST_CLIENT_ERROR, _FIRST_SERVER_ERROR, _AFTER_ERRORS = 400, 500, 600
_FIRST_REDIRECT = 300
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
# Of a long page or text so much is looked at.
_LOOKED_AT = 1 << 14
# `{ "error": "…" }`: what stands in it is escaped as in C, so that most JSON readers refuse it.
_ERROR = re.compile(rb'"error"\s*:\s*"((?:[^"\\]|\\.)*)"?', re.DOTALL)
# An output that rows have no place for, which the model's description does not show.
_NO_ROWS = re.compile("^Tensor name: .* has (no shape information|inconsistent batch size|invalid batch size)")
_ESCAPED = re.compile(rb"\\([0-7]{3}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class RestError(Exception):
    """A request that ended without an answer.

    Attributes:
        code: as `PredictionFailure` has it.
        details: the server's words, or this side's.
    """

    def __init__(self, code: str, details: str) -> None:
        super().__init__(f"{code}: {details}")
        self.code = code
        self.details = details


def error_of(reply: HttpReply) -> RestError:
    """Return what a reply stands for that is no answer."""
    if reply.status == OK:
        return RestError(BAD_REPLY, f"HTTP 200 with {_page(reply)} in place of an answer")
    return RestError(_code(reply.status), f"HTTP {reply.status}: {_said(reply)}")


def _code(status: int) -> str:
    code = _BY_STATUS.get(status)
    if code is None and _FIRST_CLIENT_ERROR <= status < _FIRST_SERVER_ERROR:
        code = "FAILED_PRECONDITION"
    elif code is None and _FIRST_SERVER_ERROR <= status < _AFTER_ERRORS:
        code = "INTERNAL"
    return code or "UNKNOWN"


def _said(reply: HttpReply) -> str:
    body = reply.body[:_LOOKED_AT]
    if _FIRST_REDIRECT <= reply.status < _FIRST_CLIENT_ERROR and (where := reply.header("location")):
        return f"the server sends us to {cut(where, LONGEST_VALUE)}, and a load test goes nowhere else"
    if error := _ERROR.search(body):
        said = _unescaped(error[1]).decode("utf-8", "replace").strip()
        return f"{said}: pass --rest-format column" if _NO_ROWS.search(said) else said
    if reply.is_html:
        return _page(reply)
    text = " ".join(body.decode("utf-8", "replace").split())
    return text or reply.reason or "no words with it"


def _page(reply: HttpReply) -> str:
    """Return what is known of a page that no model server sends: its title, and the server that says it has made it."""
    title = _TITLE.search(reply.body[:_LOOKED_AT])
    text = html.unescape(" ".join(title[1].decode("utf-8", "replace").split())) if title else ""
    server = reply.header("server")
    named = f" {cut(text, LONGEST_VALUE)!r}" if text else ""
    return f"an HTML page{named}{f' by {cut(server, LONGEST_VALUE)}' if server else ''}"


def _unescaped(text: bytes) -> bytes:
    """Return a text without the escapes of C and of JSON."""

    def meant(escape: re.Match[bytes]) -> bytes:
        what = escape[1]
        if len(what) == 1:
            return _LETTERS.get(what, what)
        if what[:1] == b"u":
            return chr(int(what[1:], 16)).encode("utf-8", "replace")
        return bytes([int(what[1:], 16) if what[:1] == b"x" else int(what, 8) & 0xFF])

    return _ESCAPED.sub(meant, text)
