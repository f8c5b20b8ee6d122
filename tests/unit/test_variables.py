"""Environment variables that look like an option's, and set nothing."""

import pytest

from tfsload.settings.options import OPTIONS
from tfsload.settings.variables import faults


@pytest.mark.parametrize(
    ("environment", "own", "told"),
    [
        pytest.param({}, (), [], id="none"),
        pytest.param({option.env_var: "1" for option in OPTIONS}, (), [], id="every-option"),
        pytest.param({"TFSLOAD_CACHE_DIR": "/c", "TFSLOAD_TEST_MNIST": "/m"}, (), [], id="what-else-is-read"),
        pytest.param({"TFSLOAD_TRESHOLD": ""}, (), [], id="an-empty-one-is-unset"),
        pytest.param({"LOCUST_TRESHOLD": "1", "THRESHOLD": "1"}, (), [], id="of-others"),
        pytest.param({"TFSLOAD_KEY": "1"}, ("TFSLOAD_KEY", "MY_KEY"), [], id="a-locustfiles-own"),
        pytest.param({"TFSLOAD_TRESHOLD": "1"}, (), ["TFSLOAD_TRESHOLD … TFSLOAD_THRESHOLD?"], id="mistyped"),
        pytest.param({"TFSLOAD_NUM_TEST": "1"}, (), ["TFSLOAD_NUM_TEST … TFSLOAD_NUM_TESTS?"], id="a-letter-less"),
        pytest.param({"TFSLOAD_KEYS": "1"}, ("TFSLOAD_KEY",), ["TFSLOAD_KEYS … TFSLOAD_KEY?"], id="near-to-an-own-one"),
        pytest.param({"TFSLOAD_CACHEDIR": "1"}, (), ["TFSLOAD_CACHEDIR … TFSLOAD_CACHE_DIR?"], id="near-to-the-cache"),
        pytest.param({"TFSLOAD_ZZZ": "1"}, (), ["TFSLOAD_ZZZ … --help"], id="near-to-nothing"),
        pytest.param(
            {"TFSLOAD_SWEEPS": "1", "TFSLOAD_RATES": "1"},
            (),
            ["TFSLOAD_RATES … TFSLOAD_RATE?", "TFSLOAD_SWEEPS … TFSLOAD_SWEEP?"],
            id="all-at-once",
        ),
    ],
)
def test_variables_that_name_no_option(environment, own, told):
    found = [f"{fault.split()[0]} … {fault.split()[-1]}" for fault in faults(environment, own)]

    assert found == told
