"""What tests of several files are given."""

import pytest

from tests.support.leaders import Web, leader_of


@pytest.fixture
def web():
    return Web()


@pytest.fixture
def leader(web):
    made = leader_of(web)
    yield made
    made._runner.quit()
