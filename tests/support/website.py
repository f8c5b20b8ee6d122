"""A website, and users of one beside the suite's."""

from types import SimpleNamespace

import pytest
from gevent.pywsgi import WSGIServer


@pytest.fixture
def website():
    """A web server: `/good` is there, all else is not."""

    def answer(environ, start_response):
        start_response("200 OK" if environ["PATH_INFO"] == "/good" else "503 Busy", [("Content-Type", "text/plain")])
        return [b"words"]

    server = WSGIServer(("127.0.0.1", 0), answer, log=None)
    server.start()
    yield SimpleNamespace(address=f"http://127.0.0.1:{server.server_port}")
    server.stop()


WITH_A_WEBSITE = """
from locust import HttpUser, constant, task
from tests.support.locustfiles.observed import GrpcPredictionUser

class Website(HttpUser):
    host = "{website}"
    wait_time = constant(0.02)
    fixed_count = 1

    @task
    def load(self):
        {load}
"""
