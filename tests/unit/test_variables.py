"""Environment variables that look like an option's, and set nothing."""

import pytest

from tfsload.settings.options import OPTIONS
from tfsload.settings.variables import unknown

# What a pod is told of the services tfsload and tfsload-master, and a container of the one that it is linked to.
OF_SERVICES = {
    "TFSLOAD_SERVICE_HOST": "10.0.0.1",
    "TFSLOAD_SERVICE_PORT": "8500",
    "TFSLOAD_SERVICE_PORT_GRPC": "8500",
    "TFSLOAD_PORT": "tcp://10.0.0.1:8500",
    "TFSLOAD_PORT_8500_TCP": "tcp://10.0.0.1:8500",
    "TFSLOAD_PORT_8500_TCP_ADDR": "10.0.0.1",
    "TFSLOAD_PORT_53_UDP_PROTO": "udp",
    "TFSLOAD_MASTER_SERVICE_HOST": "10.0.0.2",
    "TFSLOAD_MASTER_SERVICE_PORT": "5557",
    "TFSLOAD_MASTER_PORT": "tcp://10.0.0.2:5557",
    "TFSLOAD_MASTER_PORT_5557_TCP_PORT": "5557",
}


@pytest.mark.parametrize(
    ("environment", "own", "mistyped", "others"),
    [
        pytest.param({}, (), [], [], id="none"),
        pytest.param({option.env_var: "1" for option in OPTIONS}, (), [], [], id="every-option"),
        pytest.param({"TFSLOAD_CACHE_DIR": "/c", "TFSLOAD_TEST_MNIST": "/m"}, (), [], [], id="what-else-is-read"),
        pytest.param({"TFSLOAD_TRESHOLD": ""}, (), [], [], id="an-empty-one-is-unset"),
        pytest.param({"LOCUST_TRESHOLD": "1", "THRESHOLD": "1"}, (), [], [], id="of-others"),
        pytest.param(
            {"LOCUST_THRESHOLD": "1", "LOCUST_NUM_TESTS": "1"},
            (),
            [],
            ["LOCUST_NUM_TESTS", "LOCUST_THRESHOLD"],
            id="as-locusts-options-are-set",
        ),
        pytest.param({"LOCUST_SEED": "1"}, ("LOCUST_SEED",), [], [], id="a-locustfiles-own-like-locusts"),
        pytest.param({"LOCUST_HOST": "a:1", "LOCUST_SEEDS": "1", "SEED": "1"}, (), [], [], id="locusts-and-others"),
        pytest.param(
            {"tfsload_threshold": "1", "Tfsload_Seed": "1", "TFSLOAD-RATE": "1"},
            (),
            ["TFSLOAD-RATE … TFSLOAD_RATE?", "Tfsload_Seed … TFSLOAD_SEED?", "tfsload_threshold … TFSLOAD_THRESHOLD?"],
            [],
            id="in-other-letters",
        ),
        pytest.param(
            {"TFSLOAD_TEST_THRESHOLD": "1"}, (), ["TFSLOAD_TEST_THRESHOLD … TFSLOAD_THRESHOLD?"], [], id="of-tests"
        ),
        pytest.param(
            {"TFLOAD_SEED": "1", "TSFLOAD_SEED": "1", "TFS_LOAD_SEED": "1", "TFSLOADSEED": "1"},
            (),
            [f"{name} … TFSLOAD_SEED?" for name in ("TFLOAD_SEED", "TFSLOADSEED", "TFS_LOAD_SEED", "TSFLOAD_SEED")],
            [],
            id="mistyped-at-the-beginning",
        ),
        pytest.param({"WORKLOAD_SEED": "1", "LOAD_SEED": "1"}, (), [], [], id="of-another-load"),
        pytest.param({"TFSLOAD_RE_PORT": "out"}, (), ["TFSLOAD_RE_PORT … TFSLOAD_REPORT?"], [], id="no-port"),
        pytest.param({"TFSLOAD_RE_PORT": "tcp://10.0.0.1:80"}, (), [], [], id="the-port-of-the-service-tfsload-re"),
        pytest.param({"TFSLOAD_X_PORT": "out"}, (), [], ["TFSLOAD_X_PORT"], id="no-port-and-no-option"),
        pytest.param({"TFSLOAD_KEY": "1"}, ("TFSLOAD_KEY", "MY_KEY"), [], [], id="a-locustfiles-own"),
        pytest.param(OF_SERVICES, (), [], [], id="of-kubernetes-and-docker"),
        pytest.param({"TFSLOAD_TRESHOLD": "1"}, (), ["TFSLOAD_TRESHOLD … TFSLOAD_THRESHOLD?"], [], id="mistyped"),
        pytest.param({"TFSLOAD_NUM_TEST": "1"}, (), ["TFSLOAD_NUM_TEST … TFSLOAD_NUM_TESTS?"], [], id="a-letter-less"),
        pytest.param(
            {"TFSLOAD_KEYS": "1"}, ("TFSLOAD_KEY",), ["TFSLOAD_KEYS … TFSLOAD_KEY?"], [], id="near-to-an-own-one"
        ),
        pytest.param(
            {"TFSLOAD_CACHEDIR": "1"}, (), ["TFSLOAD_CACHEDIR … TFSLOAD_CACHE_DIR?"], [], id="near-to-the-cache"
        ),
        pytest.param({"TFSLOAD_VERSION": "0.1.0"}, (), [], ["TFSLOAD_VERSION"], id="the-version-of-an-image"),
        pytest.param(
            {"TFSLOAD_SWEEPS": "1", "TFSLOAD_ZZZ": "1", "TFSLOAD_RATES": "1"},
            (),
            ["TFSLOAD_RATES … TFSLOAD_RATE?", "TFSLOAD_SWEEPS … TFSLOAD_SWEEP?"],
            ["TFSLOAD_ZZZ"],
            id="all-at-once",
        ),
    ],
)
def test_variables_that_name_no_option(environment, own, mistyped, others):
    found = unknown(environment, own)

    assert [f"{one.split()[0]} … {one.split()[-1]}" for one in found.mistyped] == mistyped
    assert [one.split()[0] for one in found.others] == others
