"""Options: every good value, every bad one, and all faults at once."""

import itertools
from operator import attrgetter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from locust.argument_parser import default_args_dict, get_empty_argument_parser

from tfsload.analysis.tolerance import Tolerance
from tfsload.load.asked import LoadAsked
from tfsload.settings.given import options_of_levels
from tfsload.settings.options import OPTIONS
from tfsload.settings.settings import ChecksAsked, DataAsked, ReportAsked, Settings, SettingsError
from tfsload.suite.arguments import add_arguments
from tfsload.transport.address import AddressError, parse_address
from tfsload.transport.asked import ConnectionAsked, ModelAsked
from tfsload.transport.call_spec import MNIST_EXAMPLE
from tfsload.transport.grpc import codec
from tfsload.transport.spoken import GRPC, REST


def test_defaults_are_those_of_the_design():
    settings = Settings.parse({}, None)

    assert settings == Settings(
        model=ModelAsked(
            name="mnist",
            version=None,
            label="",
            signature_name="",
            input_name="",
            output_name="",
            inputs=(),
            pixel_scale=None,
            images_per_request=1,
            deadline_s=5.0,
        ),
        connection=ConnectionAsked(
            target=None,
            transport="native",
            connections=1,
            tls=False,
            tls_ca_file="",
            tls_cert_file="",
            tls_key_file="",
            metadata=(),
            wait_s=0.0,
        ),
        data=DataAsked(dataset="mnist5k", num_tests=0, seed=1),
        load=LoadAsked(
            sweep=(),
            rates=(),
            arrivals="poisson",
            pacing="sleep",
            find_max_rate=None,
            level_duration_s=10.0,
            warm_up_s=2.0,
            warm_up_requests=0,
            give_up_after_s=None,
        ),
        checks=ChecksAsked(thresholds=(), verify=0, tolerance=Tolerance("0.0001", 0.0001), label_offset=0),
        report=ReportAsked(directory="", hgrm=False, notes=(), dry_run=False),
        web_origins=(),
    )


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        pytest.param({"model_version": "3"}, "model.version", 3, id="version"),
        pytest.param({"model_version": "0"}, "model.version", 0, id="version-zero"),
        pytest.param({"images_per_request": " 64 "}, "model.images_per_request", 64, id="spaces-around"),
        pytest.param({"deadline": "0.25"}, "model.deadline_s", 0.25, id="fraction-of-a-second"),
        pytest.param({"num_tests": 100}, "data.num_tests", 100, id="a-number-instead-of-text"),
        pytest.param({"tls": "True"}, "connection.tls", True, id="switch"),
        pytest.param({"metadata": "a=b; x-y=z=1"}, "connection.metadata", (("a", "b"), ("x-y", "z=1")), id="metadata"),
        pytest.param({"model_version": str(2**63 - 1)}, "model.version", 2**63 - 1, id="largest-version"),
        pytest.param({"signature_name": "serving_default"}, "model.signature_name", "serving_default", id="signature"),
        pytest.param({"sweep": "1,2,4,8"}, "load.sweep", (1, 2, 4, 8), id="sweep"),
        pytest.param({"sweep": " 8 , 1 "}, "load.sweep", (8, 1), id="sweep-in-any-order-with-spaces"),
        pytest.param({"sweep": "1,1"}, "load.sweep", (1, 1), id="a-level-twice"),
        pytest.param({"sweep": "100000"}, "load.sweep", (100_000,), id="the-most-users"),
        pytest.param({"rate": "100,200.5,4e2"}, "load.rates", (100.0, 200.5, 400.0), id="rates"),
        pytest.param(
            {"rate": "0.001,1000000"}, "load.rates", (0.001, 1_000_000.0), id="the-lowest-and-the-highest-rate"
        ),
        pytest.param({"arrivals": "constant"}, "load.arrivals", "constant", id="arrivals"),
        pytest.param({"pacing": "spin"}, "load.pacing", "spin", id="pacing"),
        pytest.param(
            {"find_max_rate": "100:5000", "threshold": "p99 < 50ms"}, "load.find_max_rate", (100, 5000), id="search"
        ),
        pytest.param({"level_duration": "0.5"}, "load.level_duration_s", 0.5, id="level-duration"),
        pytest.param({"level_duration": "86400"}, "load.level_duration_s", 86_400.0, id="a-day"),
        pytest.param({"warm_up": "0"}, "load.warm_up_s", 0.0, id="no-warm-up"),
        pytest.param({"verify": "1000"}, "checks.verify", 1000, id="verify"),
        pytest.param({"threshold": " "}, "checks.thresholds", (), id="no-threshold"),
        pytest.param({"seed": "0"}, "data.seed", 0, id="seed"),
        pytest.param({"warm_up_requests": "7", "num_tests": "1"}, "load.warm_up_requests", 7, id="warm-up-requests"),
        pytest.param({"wait": "0.5"}, "connection.wait_s", 0.5, id="wait"),
        pytest.param({"note": "a=1; b c = 2 = 3 "}, "report.notes", (("a", "1"), ("b c", "2 = 3")), id="notes"),
        pytest.param({"note": "says="}, "report.notes", (("says", ""),), id="a-note-that-says-nothing"),
        pytest.param({"note": "why=two\n\n lines"}, "report.notes", (("why", "two lines"),), id="a-note-of-two-lines"),
        pytest.param({"note": "größe=5 µs"}, "report.notes", (("größe", "5 µs"),), id="a-note-in-any-script"),
    ],
)
def test_good_values(given, field, value):
    assert attrgetter(field)(Settings.parse(given, "localhost:8500")) == value


def the_fault_of(given):
    """Return the one fault that options have."""
    with pytest.raises(SettingsError) as caught:
        Settings.parse(given, None)
    (fault,) = caught.value.faults
    return fault


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
        pytest.param({"deadline": "3601"}, "at most 3,600", id="longer-than-an-hour"),
        pytest.param({"model_version": str(2**63)}, "--model-version", id="version-beyond-int64"),
        pytest.param({"num_tests": "9" * 5000}, "--num-tests", id="more-digits-than-python-reads"),
        pytest.param({"model_name": "m\udcff"}, "text in UTF-8", id="not-utf-8"),
        pytest.param({"transport": "carrier-pigeon"}, "expected native or grpcio", id="transport"),
        pytest.param({"tls": "maybe"}, "expected true or false", id="switch"),
        pytest.param(
            {"warm_up_requests": "9"},
            "--warm-up-requests 9 without --num-tests: it comes before the images that --num-tests counts; add",
            id="warm-up-requests-before-nothing",
        ),
        pytest.param(
            {"warm_up_requests": "9", "sweep": "1,2"}, "--warm-up is the one of levels", id="warm-up-requests-of-levels"
        ),
        pytest.param(
            {"warm_up_requests": "1000001", "num_tests": "1"},
            "from 0 to 1,000,000",
            id="more-warm-up-than-can-be-meant",
        ),
        pytest.param({"wait": "-1"}, "--wait '-1': expected a number of seconds from 0 to 86,400", id="wait-below-0"),
        pytest.param({"metadata": "novalue"}, "expected key=value", id="metadata-without-value"),
        pytest.param({"metadata": "Key=1"}, "keys in lower case", id="metadata-key-in-capitals"),
        pytest.param(
            {"metadata": "grpc-timeout=1"}, "expected keys other than HTTP's", id="metadata-that-is-grpcs-own"
        ),
        pytest.param({"metadata": "te=x"}, "expected keys other than HTTP's", id="metadata-that-is-https-own"),
        pytest.param({"metadata": "host=x"}, "expected keys other than HTTP's", id="metadata-that-http-2-forbids"),
        pytest.param({"metadata": "key-bin=1"}, "no binary values", id="metadata-in-binary"),
        pytest.param({"metadata": "key=ä"}, "in printable ASCII", id="metadata-that-is-not-ascii"),
        pytest.param({"note": "built"}, "--note 'built': expected key=value, such as", id="note-without-value"),
        pytest.param({"note": "why=a; b"}, "--note 'b': expected key=value", id="semicolon-in-a-note"),
        pytest.param({"note": " = b"}, "expected key=value", id="note-without-key"),
        pytest.param({"note": "a=1; b=1; a=2"}, "--note 'a' is there more often: expected each key", id="note-twice"),
        pytest.param({"note": "k" * 101 + "=1"}, "expected keys of at most 100 characters", id="note-of-a-long-key"),
        pytest.param({"note": "k=" + "1" * 999}, "and 1,000 with their value", id="note-that-is-a-file"),
        pytest.param({"note": "a=\udcff"}, "expected text in UTF-8", id="note-that-is-not-utf-8"),
        pytest.param({"deadline": "\u0661"}, "--deadline", id="digits-of-another-script"),
        pytest.param({"tls": "1"}, "--tls without --host", id="tls-without-a-server"),
        pytest.param({"tls_ca_file": "ca.pem"}, "--tls-ca-file without --tls", id="file-without-tls"),
        pytest.param({"tls": "1", "tls_key_file": "k"}, "without --tls-cert-file", id="key-without-certificate"),
        pytest.param({"model_name": ""}, "--model-name is empty: expected a name", id="empty-name"),
        pytest.param({"model_version": "1", "model_label": "stable"}, "exclude each other", id="version-and-label"),
    ],
)
def test_bad_values_are_named_with_what_was_expected(given, message):
    assert message in the_fault_of(given)


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
        codec.RequestEncoder(settings.model, MNIST_EXAMPLE).encode(
            np.zeros((1, 28, 28), np.uint8)
        )  # what is accepted can be sent
        assert settings.model.images_per_request >= 1
        assert 0 < settings.model.deadline_s <= 3600


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
def test_addresses(text, address):
    assert parse_address(text).text == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("http://serving:8501", "for example serving:8500", id="rest-address"),
        pytest.param("http://me:secret@serving:8501", "for example serving:8500", id="rest-address-of-a-user"),
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
def test_bad_addresses(text, message):
    with pytest.raises(AddressError) as caught:
        parse_address(text)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("host", "options", "is_tls", "whole"),
    [
        pytest.param("serving:8501", {}, False, "serving:8501", id="neither"),
        pytest.param("serving:8501", {"tls": "true"}, True, "serving:8501", id="by-option"),
        pytest.param("https://serving:8501", {}, True, "https://serving:8501", id="by-address"),
        pytest.param("HTTPS://serving", {"tls": "true"}, True, "https://serving:443", id="by-both"),
        pytest.param("http://serving:8501/", {}, False, "serving:8501", id="without"),
        pytest.param("https://serving:1", {"tls_ca_file": "ca.pem"}, True, "https://serving:1", id="with-an-authority"),
    ],
)
def test_an_address_of_rest_may_ask_for_tls(host, options, is_tls, whole):
    connection = Settings.parse(options, host, spoken=REST).connection

    assert connection.tls is is_tls
    assert connection.server.whole == whole
    assert Settings.parse({}, whole, spoken=REST).connection.tls is (is_tls and whole.startswith("https"))


@pytest.mark.parametrize(
    ("spoken", "host", "options", "message"),
    [
        pytest.param(
            REST, "grpc://serving:8500", {}, "for example serving:8501; GrpcPredictionUser sends gRPC", id="grpc"
        ),
        pytest.param(
            GRPC, "https://serving:8501", {}, "for example serving:8500; RestPredictionUser sends REST", id="rest"
        ),
        pytest.param(
            REST, "http://serving:8501", {"tls": "true"}, "names an address without TLS, and --tls asks", id="tls"
        ),
        pytest.param(
            REST, "serving:8501", {"transport": "grpcio"},
            "--transport grpcio: it says how gRPC is sent, and this run sends REST: leave it out, or run "
            "GrpcPredictionUser", id="transport",
        ),
        pytest.param(REST, "serving:8501", {"connections": "4"}, "--connections 4: it says how", id="connections"),
        pytest.param(
            GRPC, "serving:8500", {"rest_format": "column"},
            "--rest-format column: it says how REST is sent, and this run sends gRPC: leave it out, or run "
            "RestPredictionUser", id="rest-format",
        ),
        pytest.param(REST, "serving:8501", {"rest_format": "rows"}, "'rows': expected row or column", id="no-format"),
    ],
)  # fmt: skip
def test_what_is_of_another_protocol_is_refused(spoken, host, options, message):
    with pytest.raises(SettingsError) as caught:
        Settings.parse(options, host, spoken=spoken)

    assert message in str(caught.value)
    assert len(caught.value.faults) == 1


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
    assert parse_address(address).is_loopback is is_loopback


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        pytest.param(["--tls"], "connection.tls", True, id="a-bare-switch"),
        pytest.param(["--tls", "false"], "connection.tls", False, id="a-switch-with-a-value"),
        pytest.param(
            ["--metadata", "a=1", "--metadata", "b=2"], "connection.metadata", (("a", "1"), ("b", "2")), id="repeated"
        ),
        pytest.param([], "connection.metadata", (), id="not-given"),
        pytest.param(["--note", "a=1", "--note", "b=2"], "report.notes", (("a", "1"), ("b", "2")), id="notes"),
    ],
)
def test_the_command_line(arguments, field, value):
    parser = get_empty_argument_parser()
    add_arguments(parser)

    settings = Settings.parse(vars(parser.parse_args(arguments)), "localhost:8500")

    assert attrgetter(field)(settings) == value


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        pytest.param({}, [], id="none"),
        pytest.param({"warm_up": "2", "seed": "7"}, [], id="the-default-is-as-good-as-not-given"),
        pytest.param({"warm_up": "5", "arrivals": "constant"}, ["--warm-up", "--arrivals"], id="two"),
        pytest.param({"pacing": "spin"}, ["--pacing"], id="one-of-open-load"),
    ],
)
def test_what_is_said_of_levels(values, flags):
    assert sorted(options_of_levels(values)) == sorted(flags)


# Levels of load, thresholds and verification


def test_thresholds_are_read():
    settings = Settings.parse({"threshold": "p99<50ms; error_rate <= 5%"}, None)

    assert [threshold.text for threshold in settings.checks.thresholds] == ["p99 < 50ms", "error_rate <= 5%"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"sweep": "0,1"}, "--sweep '0,1': expected numbers of users from 1 to 100,000", id="no-user"),
        pytest.param({"sweep": "100001"}, "--sweep '100001': expected numbers of users", id="too-many-users"),
        pytest.param({"sweep": "1,,2"}, "such as 1,2,4,8", id="an-empty-place"),
        pytest.param({"sweep": "1;2"}, "--sweep '1;2'", id="another-separator"),
        pytest.param({"sweep": "1.5"}, "--sweep '1.5'", id="half-a-user"),
        pytest.param(
            {"find_max_rate": "1:9", "threshold": "p90 < 1s; rate > 5"},
            "--threshold 'rate > 5' with --find-max-rate: the search sets the rate",
            id="a-rate-to-hold-in-a-search-for-it",
        ),
        pytest.param({"rate": "0"}, "--rate '0': expected rates from 0.001 to 1,000,000", id="no-rate"),
        pytest.param({"rate": "100,fast"}, "--rate '100,fast': expected rates", id="not-a-rate"),
        pytest.param({"rate": "1e8"}, "--rate '1e8'", id="too-high-a-rate"),
        pytest.param({"rate": "nan"}, "--rate 'nan'", id="nan"),
        pytest.param({"rate": "-5"}, "--rate '-5'", id="negative"),
        pytest.param({"rate": "1_000"}, "--rate '1_000'", id="python-spelling"),
        pytest.param({"arrivals": "random"}, "--arrivals 'random': expected poisson or constant", id="arrivals"),
        pytest.param({"pacing": "busy"}, "--pacing 'busy': expected sleep or spin", id="pacing"),
        pytest.param({"find_max_rate": "100"}, "--find-max-rate '100': expected LOW:HIGH", id="one-end"),
        pytest.param({"find_max_rate": "5:a"}, "--find-max-rate '5:a': expected LOW:HIGH", id="no-number"),
        pytest.param({"find_max_rate": "9:5"}, "--find-max-rate '9:5': expected LOW below HIGH", id="turned-round"),
        pytest.param({"find_max_rate": "5:5"}, "expected LOW below HIGH", id="no-range"),
        pytest.param({"find_max_rate": "0:5"}, "expected LOW to be a rate from 0.001", id="too-low"),
        pytest.param(
            {"level_duration": "0"},
            "--level-duration '0': expected a number of seconds from 0.1 to 86,400",
            id="no-time",
        ),
        pytest.param({"level_duration": "86401"}, "to 86,400", id="more-than-a-day"),
        pytest.param({"level_duration": "1e-8"}, "from 0.1 to 86,400", id="no-time-for-a-request"),
        pytest.param({"level_duration": "0.0999"}, "from 0.1 to 86,400", id="a-little-too-short"),
        pytest.param({"warm_up": "-1"}, "--warm-up '-1': expected a number of seconds from 0 to 86,400", id="warm-up"),
        pytest.param({"verify": "-1"}, "--verify '-1': expected a whole number of at least 0", id="verify"),
        pytest.param({"seed": "-1"}, "--seed '-1'", id="seed"),
        pytest.param({"threshold": "p99 50ms"}, "--threshold 'p99 50ms': no operator", id="threshold"),
        pytest.param({"threshold": " ; "}, "--threshold ';': no threshold stands", id="threshold-of-empty-variables"),
    ],
)
def test_bad_values_of_load(given, message):
    # A search alone would also want a threshold.
    assert message in the_fault_of({"threshold": "p99 < 50ms", **given})


def test_a_fault_says_expected_once():
    assert the_fault_of({"find_max_rate": "0:5", "threshold": "p99 < 50ms"}).count("expected") == 1


def test_a_range_is_read_as_strictly_as_a_rate():
    with pytest.raises(SettingsError):
        Settings.parse({"find_max_rate": "1_000:2_000", "threshold": "p99 < 50ms"}, None)


LENGTHS = {"sweep": "1,2", "rate": "10", "find_max_rate": "100:5000", "num_tests": "10"}


@pytest.mark.parametrize(
    ("first", "second"),
    [pytest.param(first, second, id=f"{first}-and-{second}") for first, second in itertools.combinations(LENGTHS, 2)],
)
def test_a_run_has_one_length(first, second):
    fault = the_fault_of({"threshold": "p99 < 50ms", first: LENGTHS[first], second: LENGTHS[second]})

    flags = ["--" + name.replace("_", "-") for name in (first, second)]
    assert fault == f"{' and '.join(flags)} exclude each other: each says how long the run is; leave one"


def test_all_that_exclude_each_other_are_named_at_once():
    fault = the_fault_of({"threshold": "p99 < 50ms", **LENGTHS})

    assert fault.startswith("--sweep and --rate and --find-max-rate and --num-tests exclude each other")


@pytest.mark.parametrize("given", [pytest.param({"num_tests": "0", "sweep": "1"}, id="a-zero-is-no-number-of-tests")])
def test_what_is_not_asked_for_excludes_nothing(given):
    assert Settings.parse(given, None).load.sweep == (1,)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"threshold": "lag_p99 < 1ms"}, "no such figure without --rate or --find-max-rate", id="lag"),
        pytest.param(
            {"threshold": "lag_p99 < 1ms", "sweep": "1"},
            "--threshold 'lag_p99 < 1ms': there is no",
            id="lag-in-a-sweep",
        ),
        pytest.param({"threshold": "dropped_rate < 1%"}, "--threshold 'dropped_rate < 1%': there is no", id="dropped"),
        pytest.param(
            {"threshold": "mismatched_rate < 1%"},
            "without --verify: nothing is compared",
            id="mismatched-unverified",
        ),
        pytest.param({"find_max_rate": "1:2"}, "--find-max-rate without --threshold: say what must hold", id="search"),
    ],
)
def test_thresholds_that_nothing_could_be_held_against(given, message):
    assert message in the_fault_of(given)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"threshold": "lag_p99 < 1ms; dropped_rate < 1%", "rate": "10"}, id="open-load"),
        pytest.param({"threshold": "lag_p99 < 1ms", "find_max_rate": "10:20"}, id="a-search"),
        pytest.param({"threshold": "mismatched_rate < 1%", "verify": "5"}, id="verified"),
        pytest.param({"threshold": "p99 < 50ms; rate > 5", "sweep": "1"}, id="a-sweep"),
        pytest.param({"threshold": "p99 < 50ms; rate > 5"}, id="no-levels"),
    ],
)
def test_thresholds_that_fit(given):
    assert Settings.parse(given, None).checks.thresholds


def test_all_faults_of_load_come_at_once():
    with pytest.raises(SettingsError) as caught:
        Settings.parse(
            {
                "sweep": "none",
                "arrivals": "never",
                "level_duration": "0",
                "warm_up": "long",
                "threshold": "p101 < 1ms; mean",
                "verify": "some",
                "find_max_rate": "9:5",
            },
            None,
        )

    assert [fault.split(" '")[0] for fault in caught.value.faults] == [
        "--sweep",
        "--arrivals",
        "--find-max-rate",
        "--level-duration",
        "--warm-up",
        "--threshold",
        "--threshold",
        "--verify",
    ]


def test_a_search_whose_threshold_is_bad_is_not_told_to_have_one():
    assert "--threshold" in the_fault_of({"find_max_rate": "1:2", "threshold": "p99"})


def test_a_threshold_of_open_load_beside_a_bad_rate_has_no_fault():
    assert "--rate" in the_fault_of({"rate": "many", "threshold": "lag_p99 < 1ms"})


@pytest.mark.parametrize(
    ("given", "is_open_load", "has_levels"),
    [
        pytest.param({}, False, False, id="neither"),
        pytest.param({"num_tests": "5"}, False, False, id="a-number-of-tests"),
        pytest.param({"sweep": "1"}, False, True, id="sweep"),
        pytest.param({"rate": "5"}, True, True, id="rates"),
        pytest.param({"find_max_rate": "5:9", "threshold": "p99 < 1s"}, True, True, id="search"),
    ],
)
def test_what_kind_of_load_is_asked_for(given, is_open_load, has_levels):
    settings = Settings.parse(given, None)

    assert (settings.load.is_open, settings.load.has_levels) == (is_open_load, has_levels)


def test_thresholds_may_be_given_one_by_one():
    parser = get_empty_argument_parser()
    add_arguments(parser)
    arguments = parser.parse_args(["--threshold", "p99 < 50ms", "--threshold", "error_rate < 5%; mean < 1s"])

    assert len(Settings.parse(vars(arguments), None).checks.thresholds) == 3
