"""The HTTP server around the REST calls: its port, its threads, and how a body is read."""

import logging
import threading
import traceback
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
import uvloop

from tfsload.modelserver.flags import ServerFlags
from tfsload.modelserver.ports import PortError, address_words, listening_socket
from tfsload.modelserver.rest import paths
from tfsload.modelserver.rest.service import Answer, RestService, refusal
from tfsload.modelserver.rest.workers import Workers

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_BACKLOG = 2048
_MOST_BYTES = 2**31 - 1  # as gRPC's messages
_MOST_UNZIPPED_BYTES = 100 * 2**20  # the real server's limit
_GZIP = 16 + zlib.MAX_WBITS
_IDLE_S = 50  # the real server's: an idle connection is closed
_START_LIMIT_S = 20.0
_JSON, _HTML = b"application/json", b"text/html"
_NOT_FOUND = b"<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n<H1>Not Found</H1>\n</BODY></HTML>\n"


class RestServer:
    """A model's REST server; it answers from `start` to `stop`.

    Args:
        model: a loaded `tfsload.modelserver.model.Model`.
        flags: port, address, threads and time limit.
    """

    def __init__(self, model: Any, flags: ServerFlags) -> None:
        self._flags = flags
        service = RestService(
            model.with_time_limit(flags.rest_api_timeout_in_ms),
            checks_methods=flags.enable_signature_method_name_check,
        )
        # One thread is the loop, as in the real server, where it is one of them.
        app = _App(service, Workers(flags.rest_api_num_threads - 1))
        self._server = _Server(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_IDLE_S,
            )
        )
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Open the port and answer; returns "address:port".

        Raises:
            PortError: if the port cannot be opened.
        """
        host = self._flags.bind_address
        listening = listening_socket(host, self._flags.rest_api_port, "--rest_api_port")
        listening.listen(_BACKLOG)
        port = int(listening.getsockname()[1])
        # What clients send wrong is told to them.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)

        def serve() -> None:
            loop = uvloop.new_event_loop()
            loop.run_until_complete(self._server.serve([listening]))
            loop.close()

        self._thread = threading.Thread(target=serve, name="rest", daemon=True)
        self._thread.start()
        if not self._server.is_ready.wait(_START_LIMIT_S):
            raise PortError(f"the REST server on {address_words(host, port)} did not start")
        return address_words(host, port)

    def stop(self, grace_s: float) -> None:
        """Take no more calls, and give those under way `grace_s` seconds to end."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(grace_s)


class _Server(uvicorn.Server):
    """One that tells when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()


class _App:
    """What uvicorn calls for each request."""

    def __init__(self, service: RestService, workers: Workers) -> None:
        self._service = service
        self._workers = workers

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        path = _path(scope)
        if not paths.is_of_the_api(path):
            return await _send(send, Answer(404, _NOT_FOUND), _HTML)
        body = await _body(scope, receive)
        if body is None:
            message = f"The body is larger than {_MOST_BYTES} bytes"
            return await _send(send, refusal(413, message), closes=True)
        answer = await self._workers.run(self._answer, scope["method"], path, scope["headers"], body)
        return await _send(send, answer)

    def _answer(self, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Answer:
        try:
            if any(name == b"content-encoding" and b"gzip" in value for name, value in headers):
                body = _unzipped(body)
            return self._service.answer(method, path, body)
        except Exception as error:
            # A fault of ours: whoever looks after the server is to see it, and whoever called is to get an answer.
            traceback.print_exc()
            return refusal(500, f"the embedded server failed: {type(error).__name__}: {error}")


def _path(scope: _Message) -> str:
    path = bytes(scope["raw_path"])
    if scope["query_string"]:
        path += b"?" + scope["query_string"]
    return path.decode("utf-8", "surrogateescape")


async def _body(scope: _Message, receive: _Receive) -> bytes | None:
    """Return the body; None: it is too large."""
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > _MOST_BYTES:
            return None
    message = await receive()
    body = message.get("body", b"")
    if not message.get("more_body"):
        return bytes(body)
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > _MOST_BYTES:
            return None
    return b"".join(parts)


def _unzipped(body: bytes) -> bytes:
    """Return what was compressed; empty, as in the real server, where that cannot be read or is too large."""
    try:
        reader = zlib.decompressobj(_GZIP)
        found = reader.decompress(body, _MOST_UNZIPPED_BYTES + 1)
    except zlib.error:
        return b""
    return found if reader.eof and len(found) <= _MOST_UNZIPPED_BYTES else b""


async def _send(send: _Send, answer: Answer, content_type: bytes = _JSON, *, closes: bool = False) -> None:
    code, body = answer
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    if closes:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
