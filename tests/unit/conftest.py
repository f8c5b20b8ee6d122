"""What tests of several files are given."""

import math

import pytest
from locust import runners

from tests.support import compiled_templates
from tests.support.leaders import Web, leader_of


@pytest.fixture(scope="session", autouse=True)
def no_word_of_a_busy_process():
    """Keep Locust's runners, which tests leave behind, from warning in the middle of another test's log."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runners, "CPU_WARNING_THRESHOLD", math.inf)
        yield


@pytest.fixture(scope="session", autouse=True)
def templates_are_compiled_once():
    with pytest.MonkeyPatch.context() as patch:
        compiled_templates.keep(patch.setattr)
        yield


@pytest.fixture
def web():
    return Web()


@pytest.fixture
def leader(web):
    made = leader_of(web)
    yield made
    made._runner.quit()
