"""A gRPC server that answers as its callers ask; run as a process of its own by the tests.

    python -m tests.support.scripted_server [--address 127.0.0.1:0] [--tls CERTIFICATE KEY] [--client-ca CA]

prints `PORT` when it is ready. Its method `/test.Scripted/Call` takes JSON and returns bytes:

| key | meaning |
| --- | --- |
| `sleep_s` | wait before answering |
| `size` | answer with so many bytes (default: with the request itself) |
| `code`, `details` | end with this status |
| `initial`, `trailing` | metadata, pairs |
| `gzip` | compress the answer |
| `echo_metadata` | answer with the request's metadata, as JSON |

`/test.Scripted/Begun` returns how many calls of it were begun so far.
"""

import argparse
import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

from tests.support.serving import serve


def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
    asked = json.loads(request)
    time.sleep(asked.get("sleep_s", 0))
    if "initial" in asked:
        context.send_initial_metadata(pairs(asked["initial"]))
    if "trailing" in asked:
        context.set_trailing_metadata(pairs(asked["trailing"]))
    if asked.get("gzip"):
        context.set_compression(grpc.Compression.Gzip)
    if "code" in asked:
        context.abort(grpc.StatusCode[asked["code"]], asked.get("details", ""))
    if asked.get("echo_metadata"):
        return json.dumps(
            [[key, base64.b64encode(value).decode() if isinstance(value, bytes) else value]
             for key, value in context.invocation_metadata()]
        ).encode()  # fmt: skip
    return b"x" * asked["size"] if "size" in asked else request


def pairs(metadata):
    return [(key, base64.b64decode(value) if key.endswith("-bin") else value) for key, value in metadata]


class Handler(grpc.GenericRpcHandler):
    def __init__(self):
        self._begun = []  # an item a call, since threads may add to it at once
        self._methods = {
            "/test.Scripted/Call": grpc.unary_unary_rpc_method_handler(self._answer),
            "/test.Scripted/Begun": grpc.unary_unary_rpc_method_handler(lambda *_: str(len(self._begun)).encode()),
        }

    def service(self, details):
        return self._methods.get(details.method)

    def _answer(self, request, context):
        self._begun.append(None)
        return answer(request, context)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", default="127.0.0.1:0")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--client-ca")
    options = parser.parse_args()
    server = grpc.server(
        ThreadPoolExecutor(64),
        handlers=[Handler()],
        options=[
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ],
    )
    if options.tls:
        with open(options.tls[0], "rb") as certificate, open(options.tls[1], "rb") as key:
            pair = (key.read(), certificate.read())
        client_ca = None
        if options.client_ca:
            with open(options.client_ca, "rb") as file:
                client_ca = file.read()
        credentials = grpc.ssl_server_credentials([pair], client_ca, bool(client_ca))
        port = server.add_secure_port(options.address, credentials)
    else:
        port = server.add_insecure_port(options.address)
    serve(server, port)


if __name__ == "__main__":
    main()
