"""How fast users start where each image is fired once and nobody said how fast."""

from types import SimpleNamespace

import pytest

from tfsload.suite import users_at_once


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"num_tests": 1000, "num_users": 8}, 8.0, id="each-image-once"),
        pytest.param({"num_tests": 1000, "num_users": 8, "spawn_rate": 0.5}, 0.5, id="as-it-was-said"),
        pytest.param({"num_tests": 0, "num_users": 8}, None, id="until-it-is-stopped"),
        pytest.param({"num_tests": 0, "num_users": 8, "run_time": 60}, None, id="for-a-time"),
        pytest.param({"num_tests": 1000, "num_users": None}, None, id="one-user"),
        pytest.param({"num_users": 8}, None, id="without-the-suites-options"),
    ],
)
def test_how_fast_users_start(given, expected):
    options = SimpleNamespace(**{"spawn_rate": None, **given})
    users_at_once.fill_in(options)

    assert options.spawn_rate == expected
