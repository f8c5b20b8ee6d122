"""A gRPC server that repeats its callers' token in every refusal; run as a process of its own by the tests.

    python -m tests.support.repeating_server UPSTREAM METHOD [ADDRESS]

prints its port when it is ready. It passes all calls on to the model server at UPSTREAM, but for those whose method
ends with METHOD: these it refuses, in words that hold the caller's `authorization` and steer a terminal.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

from tests.support.serving import serve


class Handler(grpc.GenericRpcHandler):
    def __init__(self, upstream: str, refused: str) -> None:
        self._channel = grpc.insecure_channel(upstream)
        self._refused = refused

    def service(self, details):
        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            if details.method.endswith(self._refused):
                token = dict(context.invocation_metadata()).get("authorization", "")
                context.abort(grpc.StatusCode.UNAUTHENTICATED, f"\x1b[2Jnobody knows {token}" + "!" * 1000)
            return self._channel.unary_unary(details.method)(request)

        return grpc.unary_unary_rpc_method_handler(answer)


def main() -> None:
    handler = Handler(sys.argv[1], sys.argv[2])
    server = grpc.server(ThreadPoolExecutor(16), handlers=[handler], options=[("grpc.so_reuseport", 0)])
    port = server.add_insecure_port(sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1:0")
    serve(server, port)


if __name__ == "__main__":
    main()
