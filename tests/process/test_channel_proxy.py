"""Through a real HTTP/2 proxy that recycles connections and sets its own limits."""

import json
import shutil
import subprocess

import gevent
import pytest

from tests.support.channels import open_channel
from tests.support.runs import free_port, is_listening, run_headless, wait_until
from tfsload.analysis import exit_codes
from tfsload.settings.settings import Settings

METHOD = "/test.Scripted/Call"
REQUESTS_PER_CONNECTION = 20

pytestmark = pytest.mark.skipif(
    shutil.which("nginx") is None, reason="nginx is not installed: apt-get install nginx-light"
)


def start_proxy(directory, upstream):
    """Start nginx before a gRPC server; return the process and its port."""
    port = free_port()
    configuration = directory / "nginx.conf"
    configuration.write_text(
        f"""
        daemon off;
        master_process off;
        pid {directory}/nginx.pid;
        error_log {directory}/error.log;
        events {{ worker_connections 200; }}
        http {{
            access_log off;
            client_body_temp_path {directory}/body;
            proxy_temp_path {directory}/proxy;
            fastcgi_temp_path {directory}/fastcgi;
            scgi_temp_path {directory}/scgi;
            uwsgi_temp_path {directory}/uwsgi;
            server {{
                listen 127.0.0.1:{port} http2;
                http2_max_concurrent_streams 4;
                keepalive_requests {REQUESTS_PER_CONNECTION};
                client_max_body_size 0;
                location / {{ grpc_pass grpc://{upstream}; }}
            }}
        }}
        """
    )
    process = subprocess.Popen(["nginx", "-p", str(directory), "-c", str(configuration)], stderr=subprocess.DEVNULL)
    return process, port


@pytest.fixture
def proxied(tmp_path):
    """Return a function that puts a proxy before a server and returns the proxy's address."""
    processes = []

    def put_before(upstream):
        process, port = start_proxy(tmp_path, upstream)
        processes.append(process)
        address = f"127.0.0.1:{port}"
        wait_until(lambda: is_listening(address), "the proxy")
        return address

    yield put_before
    for process in processes:
        process.kill()
        process.wait(20)


@pytest.mark.parametrize("connections", ["1", "3"])
def test_no_call_is_lost_when_connections_are_recycled(proxied, scripted_server, connections):
    channel = open_channel(Settings.parse({"connections": connections}, proxied(scripted_server.address)).connection)
    method = channel.unary_unary(METHOD)
    n_users, n_each = 16, 25

    def user(name):
        return [json.loads(method(json.dumps({"n": [name, n]}).encode(), timeout=30))["n"] for n in range(n_each)]

    greenlets = [gevent.spawn(user, name) for name in range(n_users)]
    gevent.joinall(greenlets, timeout=60)

    assert [greenlet.value for greenlet in greenlets] == [[[u, n] for n in range(n_each)] for u in range(n_users)]
    assert channel.pool.n_made >= n_users * n_each // REQUESTS_PER_CONNECTION
    assert channel.pool.n_open_calls == 0
    channel.close()


@pytest.mark.parametrize("size", [pytest.param(100_000, id="100-kB"), pytest.param(3_000_000, id="3-MB")])
def test_big_messages_pass(proxied, scripted_server, size):
    channel = open_channel(Settings.parse({}, proxied(scripted_server.address)).connection)
    request = json.dumps({"padding": "p" * size}).encode()

    assert channel.unary_unary(METHOD)(request, timeout=30) == request
    channel.close()


def test_a_run_through_the_proxy(tmp_path, proxied, model_server):
    address = proxied(model_server.address)
    ended = run_headless(tmp_path / "run", "--host", address, "-u", "8", "-r", "8", "--num-tests", "500")

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert ended.outcome["predictions"] == 500
