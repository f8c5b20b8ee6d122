"""Options: every good value, every bad one, and all faults at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from locust.argument_parser import default_args_dict, get_empty_argument_parser

from tfsload import codec
from tfsload.settings import OPTIONS, Settings, SettingsError, add_arguments
from tfsload.target import TargetError, parse_grpc_target


def test_defaults_are_those_of_the_design():
    settings = Settings.parse({}, None)

    assert settings == Settings(
        target=None,
        model_name="mnist",
        model_version=None,
        model_label="",
        signature_name="predict_images",
        input_name="images",
        output_name="scores",
        images_per_request=1,
        deadline_s=5.0,
        transport="native",
        connections=1,
        tls=False,
        tls_ca_file="",
        tls_cert_file="",
        tls_key_file="",
        metadata=(),
        dataset="mnist5k",
        num_tests=0,
        seed=1,
        sweep=(),
        rates=(),
        arrivals="poisson",
        find_max_rate=None,
        level_duration_s=10.0,
        warm_up_s=2.0,
        thresholds=(),
        verify=0,
    )


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        pytest.param({"model_version": "3"}, "model_version", 3, id="version"),
        pytest.param({"model_version": "0"}, "model_version", 0, id="version-zero"),
        pytest.param({"images_per_request": " 64 "}, "images_per_request", 64, id="spaces-around"),
        pytest.param({"deadline": "0.25"}, "deadline_s", 0.25, id="fraction-of-a-second"),
        pytest.param({"num_tests": 100}, "num_tests", 100, id="a-number-instead-of-text"),
        pytest.param({"tls": "True"}, "tls", True, id="switch"),
        pytest.param({"metadata": "a=b; x-y=z=1"}, "metadata", (("a", "b"), ("x-y", "z=1")), id="metadata"),
        pytest.param({"model_version": str(2**63 - 1)}, "model_version", 2**63 - 1, id="largest-version"),
        pytest.param({"signature_name": "serving_default"}, "signature_name", "serving_default", id="signature"),
    ],
)
def test_good_values(given, field, value):
    assert getattr(Settings.parse(given, None), field) == value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            {"images_per_request": "0"}, "--images-per-request '0': expected a whole number from 1", id="zero"
        ),
        pytest.param({"images_per_request": "many"}, "--images-per-request 'many': expected", id="not-a-number"),
        pytest.param({"num_tests": "-1"}, "--num-tests '-1': expected a whole number of at least 0", id="negative"),
        pytest.param({"num_tests": "1_000"}, "--num-tests '1_000'", id="python-spelling"),
        pytest.param({"num_tests": "1e3"}, "--num-tests '1e3'", id="exponent"),
        pytest.param({"num_tests": "٣"}, "--num-tests '٣'", id="digits-of-another-script"),
        pytest.param({"deadline": "0"}, "--deadline '0': expected a number of seconds above 0", id="no-time"),
        pytest.param({"deadline": "nan"}, "--deadline 'nan'", id="nan"),
        pytest.param({"deadline": "inf"}, "--deadline 'inf'", id="infinite"),
        pytest.param({"deadline": "3601"}, "at most 3600", id="longer-than-an-hour"),
        pytest.param({"model_version": str(2**63)}, "--model-version", id="version-beyond-int64"),
        pytest.param({"num_tests": "9" * 5000}, "--num-tests", id="more-digits-than-python-reads"),
        pytest.param({"model_name": "m\udcff"}, "text in UTF-8", id="not-utf-8"),
        pytest.param({"transport": "carrier-pigeon"}, "expected native or grpcio", id="transport"),
        pytest.param({"tls": "maybe"}, "expected true or false", id="switch"),
        pytest.param({"metadata": "novalue"}, "expected key=value", id="metadata-without-value"),
        pytest.param({"metadata": "Key=1"}, "keys in lower case", id="metadata-key-in-capitals"),
        pytest.param({"metadata": "grpc-timeout=1"}, "expected key=value", id="metadata-that-is-grpcs-own"),
        pytest.param({"tls_ca_file": "ca.pem"}, "--tls-ca-file without --tls", id="file-without-tls"),
        pytest.param({"tls": "1", "tls_key_file": "k"}, "without --tls-cert-file", id="key-without-certificate"),
        pytest.param({"model_name": ""}, "--model-name '': expected a name", id="empty-name"),
        pytest.param({"model_version": "1", "model_label": "stable"}, "exclude each other", id="version-and-label"),
    ],
)
def test_bad_values_are_named_with_what_was_expected(given, message):
    with pytest.raises(SettingsError) as caught:
        Settings.parse(given, None)

    assert len(caught.value.faults) == 1
    assert message in caught.value.faults[0]


def test_all_faults_come_at_once():
    with pytest.raises(SettingsError) as caught:
        Settings.parse({"deadline": "soon", "num_tests": "few", "model_name": " "}, "http://x:8501")

    assert [fault.split()[0] for fault in caught.value.faults] == [
        "--model-name",
        "--deadline",
        "--num-tests",
        "--host",
    ]


@given(st.dictionaries(st.sampled_from([option.dest for option in OPTIONS]), st.text()))
def test_any_text_gives_settings_or_faults(values):
    try:
        settings = Settings.parse(values, None)
    except SettingsError as error:
        assert error.faults
    else:
        codec.encode_request(settings, np.zeros((1, 28, 28), np.uint8))  # what is accepted can be sent
        assert settings.images_per_request >= 1
        assert 0 < settings.deadline_s <= 3600


def test_every_option_is_text_until_it_is_checked():
    # Locust's form would turn a default of None into text and leave choices unchecked.
    assert all(isinstance(option.default, str) and option.read(option.default) is not Ellipsis for option in OPTIONS)


def test_environment_variables_are_named_after_the_options():
    names = {option.env_var for option in OPTIONS}

    assert "TFSLOAD_NUM_TESTS" in names
    assert len(names) == len(OPTIONS)


def test_options_do_not_collide_with_locusts_own():
    assert not {option.dest for option in OPTIONS} & set(default_args_dict())


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("127.0.0.1:8500", "127.0.0.1:8500", id="ipv4"),
        pytest.param("[::1]:8500", "[::1]:8500", id="ipv6"),
        pytest.param("serving.local:8500", "serving.local:8500", id="name"),
        pytest.param("grpc://serving:8500/", "serving:8500", id="with-scheme"),
        pytest.param("unix:/tmp/serving.sock", "unix:/tmp/serving.sock", id="unix-socket"),
        pytest.param(" localhost:1 ", "localhost:1", id="spaces"),
    ],
)
def test_targets(text, address):
    assert parse_grpc_target(text).address == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("http://serving:8501", "for example serving:8500", id="rest-address"),
        pytest.param("https://[::1]:8501/v1", "for example [::1]:8500", id="https"),
        pytest.param("serving", "expected HOST:PORT", id="no-port"),
        pytest.param("serving:", "expected HOST:PORT", id="empty-port"),
        pytest.param(":8500", "expected HOST:PORT", id="no-host"),
        pytest.param("serving:0", "expected 1 to 65535", id="port-zero"),
        pytest.param("serving:65536", "expected 1 to 65535", id="port-too-high"),
        pytest.param("::1:8500", "[IPV6]:PORT", id="ipv6-without-brackets"),
        pytest.param("unix:", "names no socket", id="unix-without-path"),
        pytest.param("a b:1", "expected HOST:PORT", id="space-inside"),
    ],
)
def test_bad_targets(text, message):
    with pytest.raises(TargetError) as caught:
        parse_grpc_target(text)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [
        pytest.param("localhost:8500", True, id="localhost"),
        pytest.param("127.0.0.1:8500", True, id="ipv4"),
        pytest.param("[::1]:8500", True, id="ipv6"),
        pytest.param("10.0.0.1:8500", False, id="another-machine"),
    ],
)
def test_loopback(address, is_loopback):
    assert parse_grpc_target(address).is_loopback is is_loopback


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        pytest.param(["--tls"], "tls", True, id="a-bare-switch"),
        pytest.param(["--tls", "false"], "tls", False, id="a-switch-with-a-value"),
        pytest.param(["--metadata", "a=1", "--metadata", "b=2"], "metadata", (("a", "1"), ("b", "2")), id="repeated"),
        pytest.param([], "metadata", (), id="not-given"),
    ],
)
def test_the_command_line(arguments, field, value):
    parser = get_empty_argument_parser()
    add_arguments(parser)

    settings = Settings.parse(vars(parser.parse_args(arguments)), None)

    assert getattr(settings, field) == value
