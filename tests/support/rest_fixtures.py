"""An embedded server that answers REST, and a plain client of HTTP."""

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.modelserver_fixtures import DEADLINE_S, MODEL, Client
from tfsload.target.launcher import EmbeddedServer

PREDICT = f"/v1/models/{MODEL}:predict"


class Reply(NamedTuple):
    """What came back."""

    code: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)

    @property
    def fault(self) -> tuple[int, str]:
        """The code and the message of an error, which is all that there may be."""
        assert list(self.content) == ["error"], self.body
        return self.code, self.content["error"]


class RestClient:
    """Sends requests, each on a connection of its own."""

    def __init__(self, address: str) -> None:
        self.address = address

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        connection = http.client.HTTPConnection(self.address, timeout=DEADLINE_S)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, sent)
            reply = connection.getresponse()
            return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        return self.send("GET", path)

    def post(self, path: str, content: Any, **headers: str) -> Reply:
        """Send JSON; bytes as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.send("POST", path, body, **headers)

    def predict(self, content: Any, **headers: str) -> Reply:
        return self.post(PREDICT, content, **headers)


@pytest.fixture(scope="session")
def rest_server(model_base_path: Path) -> Iterator[EmbeddedServer]:
    """A server of both protocols with the default flags."""
    with EmbeddedServer.start(MODEL, model_base_path, ["--rest_api_free_port"]) as started:
        yield started


@pytest.fixture(scope="session")
def rest(rest_server: EmbeddedServer) -> RestClient:
    """A client of REST."""
    return RestClient(rest_server.rest_address)


@pytest.fixture(scope="session")
def beside(rest_server: EmbeddedServer) -> Iterator[Client]:
    """A client of gRPC of the same server."""
    one = Client(rest_server.address)
    yield one
    one.channel.close()
