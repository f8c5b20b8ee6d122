"""A coordinator whose workers `a` and `b` are played by the test."""

from types import SimpleNamespace

import pytest
from locust.env import Environment

from tests.support.fake_master import Master
from tfsload.run import coordinator as coordinating
from tfsload.run.coordinator import Coordinator


@pytest.fixture
def finished():
    """Holds an item for each time that the coordinator has called its run finished."""
    return []


@pytest.fixture
def master():
    return Master(Environment(parsed_options=SimpleNamespace(), stop_timeout=0), ["a", "b"])


@pytest.fixture
def coordinator(master, finished, monkeypatch):
    monkeypatch.setattr(coordinating, "WATCH_INTERVAL_S", 0.01)
    leader = Coordinator(master.environment, master, on_over=lambda: finished.append(True))
    yield leader
    master.clients.clear()
    leader.end()
