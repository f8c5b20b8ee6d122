"""A website, and users of one beside the suite's."""

from types import SimpleNamespace

import pytest
from gevent.pywsgi import WSGIServer


@pytest.fixture
def website():
    """A web server: what begins with `/good` is there, all else is not."""

    def answer(environ, start_response):
        start_response(
            "200 OK" if environ["PATH_INFO"].startswith("/good") else "503 Busy", [("Content-Type", "text/plain")]
        )
        return [b"words"]

    server = WSGIServer(("127.0.0.1", 0), answer, log=None)
    server.start()
    yield SimpleNamespace(address=f"http://127.0.0.1:{server.server_port}")
    server.stop()


_WITH_A_WEBSITE = """
from locust import HttpUser, constant, task
from locust.exception import StopUser
from tests.support.locustfiles.observed import GrpcPredictionUser

class Website(HttpUser):
    host = "{website}"
    wait_time = constant(0.02)
    fixed_count = 1

    @task
    def load(self):
        {load}

GrpcPredictionUser.host = "{model_server}"
"""


def with_website(tmp_path, website, model_server, load):
    """Return a locustfile of predictions and of an HTTP user, whose task is `load`."""
    path = tmp_path / "own.py"
    path.write_text(_WITH_A_WEBSITE.format(website=website.address, model_server=model_server.address, load=load))
    return path
