"""REST through a real HTTP proxy that ends connections, packs replies, and has pages and limits of its own."""

import shutil
import subprocess

import gevent
import numpy as np
import pytest

from tests.support.rest_replies import rows_text
from tests.support.rest_transports import rest_transport
from tests.support.runs import free_port, is_listening, wait_until
from tests.support.scripted_http import ScriptedHttp, reply
from tfsload.transport.failure import PredictionFailure

REQUESTS_PER_CONNECTION = 3
ANSWER = rows_text(np.linspace(0, 1, 1000, dtype=np.float32)[None])
IMAGE = np.zeros((1, 28, 28), np.uint8)

pytestmark = pytest.mark.skipif(
    shutil.which("nginx") is None, reason="nginx is not installed: apt-get install nginx-light"
)


def configuration(directory, port, upstream, dead):
    return f"""
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
                listen 127.0.0.1:{port};
                keepalive_requests {REQUESTS_PER_CONNECTION};
                client_max_body_size 100k;
                gzip on;
                gzip_types application/json;
                location ~ ^/v1/models/mnist.*: {{ proxy_pass http://{upstream}; }}
                location ~ ^/v1/models/dead {{ proxy_pass http://{dead}; }}
                location ~ ^/v1/models/short {{
                    keepalive_timeout 1ms;
                    default_type application/json;
                    return 200 '{{"predictions": [[0.5, 0.25]]}}';
                }}
                location ~ ^/v1/models/moved {{ return 301 https://elsewhere.example/; }}
            }}
        }}
        """


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    """Start nginx before a server; return its address."""
    directory = tmp_path_factory.mktemp("nginx")
    upstream = ScriptedHttp(lambda _: [reply(ANSWER)])
    port, dead = free_port(), free_port()
    (directory / "nginx.conf").write_text(configuration(directory, port, upstream.address, f"127.0.0.1:{dead}"))
    command = ["nginx", "-p", str(directory), "-c", str(directory / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_listening(f"127.0.0.1:{port}"), "the proxy")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(20)
        upstream.stop()


@pytest.fixture
def transport_to(proxy):
    opened = []

    def transport_to(**options):
        opened.append(rest_transport(proxy, **options))
        return opened[-1]

    yield transport_to
    for one in opened:
        one.close()


def test_no_request_is_lost_when_connections_are_recycled(transport_to):
    transport = transport_to()
    call, request = transport.bound_call(), transport.encode(IMAGE)
    n_users, n_each = 16, 25

    users = [gevent.spawn(lambda: [call(request) for _ in range(n_each)]) for _ in range(n_users)]

    assert [one.get(timeout=60) for one in users] == [[ANSWER] * n_each] * n_users
    assert transport.pool.n_made >= n_users * n_each // REQUESTS_PER_CONNECTION
    assert transport.pool.n_sent_again == 0  # the proxy says which reply is the last


def test_a_connection_that_the_proxy_closes_while_it_is_idle_costs_no_request(transport_to):
    transport = transport_to(model_name="short")
    call, request = transport.bound_call(), transport.encode(IMAGE)

    for pause_s in np.linspace(0, 0.004, 60):  # about when it is closed
        assert b"predictions" in call(request)
        gevent.sleep(pause_s)

    assert transport.pool.n_made > 1


def test_a_reply_that_the_proxy_packs_is_read(transport_to):
    transport = transport_to(metadata=[("accept-encoding", "gzip")])

    reply_body = transport.call(transport.encode(IMAGE))

    assert reply_body == ANSWER
    assert transport.reader_of(1).read(reply_body).predicted == [999]


PAGES = {
    "nobody-behind-it": ({"model_name": "dead"}, "UNAVAILABLE: HTTP 502: an HTML page '502 Bad Gateway' by nginx"),
    "no-such-place": ({"model_name": "other"}, "NOT_FOUND: HTTP 404: an HTML page '404 Not Found' by nginx"),
    "elsewhere": ({"model_name": "moved"}, "UNKNOWN: HTTP 301: the server sends us to https://elsewhere.example/"),
    "too-large": (
        {"images_per_request": "64"},
        "INVALID_ARGUMENT: HTTP 413: an HTML page '413 Request Entity Too Large'",
    ),
}


@pytest.mark.parametrize(("options", "said"), PAGES.values(), ids=PAGES)
def test_a_page_of_the_proxys_is_a_failure_that_names_it(transport_to, options, said):
    transport = transport_to(**options)
    images = np.repeat(IMAGE + 7, int(options.get("images_per_request", 1)), axis=0)

    for _ in range(2):
        with pytest.raises(PredictionFailure) as raised:
            transport.call(transport.encode(images))
        assert str(raised.value).startswith(said)
