"""How many requests a process sends over REST with one client or another, which read each answer's class.

    python -m benchmarks.rest_clients [--seconds 5] [--users 8]

against nginx with a canned reply (it must be installed). A request holds an image of 784 floats. Each client has a
process of its own, and greenlets that send one request after the other; nothing is recorded.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODEL_PATH = "/v1/models/mnist:predict"
REPLY = '{"predictions": [[0.1, 0.2, 0.3, 0.05, 0.05, 0.1, 0.05, 0.05, 0.05, 0.05]]}'
_CONFIGURATION = """
daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/errors;
events {{ worker_connections 512; }}
http {{
    access_log off; keepalive_requests 100000000; client_body_buffer_size 64k;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ default_type application/json; return 200 '{reply}'; }}
    }}
}}
"""


def tfsload_client(port: int) -> Callable[[], Callable[[int], int]]:
    """The suite's own: what makes a user's call, from a number to the class that was answered."""
    from benchmarks.rest_target import images, transport_to

    transport = transport_to(port)
    requests = [transport.encode(image) for image in images()]
    call, read = transport.bound_call(), transport.reader_of(1).read
    return lambda: lambda number: read(call(requests[number % len(requests)])).predicted[0]


def geventhttpclient_client(port: int) -> Callable[[], Callable[[int], int]]:
    """As above, by the library under Locust's fast client, bare."""
    from geventhttpclient import HTTPClient

    from benchmarks.rest_target import bodies

    client, texts = HTTPClient("127.0.0.1", port, concurrency=64), bodies(port)
    headers = {"Content-Type": "application/json"}

    def call(number: int) -> int:
        response = client.post(MODEL_PATH, body=texts[number % len(texts)], headers=headers)
        return _class_in(response.read())

    return lambda: call


def fast_http_user_client(port: int) -> Callable[[], Callable[[int], int]]:
    """As above, by Locust's fast user."""
    from locust import FastHttpUser
    from locust.env import Environment

    from benchmarks.rest_target import bodies

    texts = bodies(port)

    class User(FastHttpUser):
        host = f"http://127.0.0.1:{port}"

    environment = Environment(user_classes=[User])

    def user() -> Callable[[int], int]:
        client = User(environment).client
        headers = {"Content-Type": "application/json"}

        def call(number: int) -> int:
            body = texts[number % len(texts)]
            return _class_in(client.post(MODEL_PATH, data=body, headers=headers).content)

        return call

    return user


CLIENTS = {
    "tfsload": tfsload_client,
    "geventhttpclient": geventhttpclient_client,
    "FastHttpUser": fast_http_user_client,
}


def _class_in(reply: Any) -> int:
    (scores,) = json.loads(reply)["predictions"]
    return int(scores.index(max(scores)))


def measure(client: str, port: int, n_users: int, seconds: float) -> str:
    """Return a line: requests a second, and CPU time of each."""
    import gevent

    make = CLIENTS[client](port)
    counts, until_s = [0] * n_users, 0.0

    def user(place: int) -> None:
        call, number = make(), 0
        while time.perf_counter() < until_s:
            assert call(number) == 2, "another answer"
            number += 1
        counts[place] = number

    begun_s, cpu_s = time.perf_counter(), time.process_time()
    until_s = begun_s + seconds
    gevent.joinall([gevent.spawn(user, place) for place in range(n_users)], raise_error=True)
    n, passed_s, used_s = sum(counts), time.perf_counter() - begun_s, time.process_time() - cpu_s
    return f"| {client} | {n / passed_s:,.0f} | {used_s / n * 1e6:.1f} µs |"


def main() -> None:
    """Measure each client, or the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--client", choices=CLIENTS, help="one alone, in this process, against --port")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    if options.client:
        print(measure(options.client, options.port, options.users, options.seconds))
        return
    from benchmarks.rest_target import free_port, wait_for

    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        file = Path(directory) / "nginx.conf"
        file.write_text(_CONFIGURATION.format(directory=directory, port=port, reply=REPLY))
        server = subprocess.Popen(["nginx", "-p", directory, "-c", str(file)], stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            print("| client | requests/s | CPU a request |\n| --- | --- | --- |", flush=True)
            for client in CLIENTS:
                own = ["--client", client, "--port", str(port), "--users", str(options.users)]
                command = [sys.executable, "-m", "benchmarks.rest_clients", *own, "--seconds", str(options.seconds)]
                subprocess.run(command, check=True)
        finally:
            server.terminate()
            server.wait(20)


if __name__ == "__main__":
    main()
