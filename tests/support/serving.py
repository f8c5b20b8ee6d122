"""What servers of gRPC that are processes of their own have in common."""

import sys

import grpc


def serve(server: grpc.Server, port: int) -> None:
    """Serve until the test that started this process is gone, which reads the port when all is ready."""
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0)
