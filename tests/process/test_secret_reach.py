"""Which servers hear what is in --metadata from runs of the web UI."""

import pytest

from tests.support.runs import PROJECT, wait_until
from tests.support.secret import METADATA, SECRET
from tests.support.web_ui import web_ui_of
from tfsload.settings.secret_reach import SecretReach

GIVEN = {"metadata": METADATA}
JSON = {"Content_Type": "application/json"}


@pytest.mark.parametrize(
    ("named", "is_on_loopback", "host", "options"),
    [
        pytest.param(["a:8500"], True, "a:8500", GIVEN, id="the-one-that-was-named"),
        pytest.param(["a:8500"], True, "grpc://A:8500/", GIVEN, id="written-otherwise"),
        pytest.param([None, "a:8500", "b:8500"], True, "b:8500", GIVEN, id="one-of-several-classes"),
        pytest.param(["a:8500"], True, None, GIVEN, id="the-embedded-one"),
        pytest.param(["a:8500"], False, "b:8500", {"metadata": ""}, id="no-secret"),
        pytest.param([None], True, "b:8500", GIVEN, id="none-was-named-and-nobody-else-is-here"),
        pytest.param(["unix:/A"], True, "unix:/A", GIVEN, id="a-socket"),
    ],
)
def test_a_secret_goes_where_it_was_given_for(named, is_on_loopback, host, options):
    assert SecretReach(named, is_on_loopback, {}).faults(host, options) == []


@pytest.mark.parametrize(
    ("named", "is_on_loopback", "host", "words"),
    [
        pytest.param(
            ["a:8500"], True, "b:8500", "'b:8500': --metadata holds a secret and was given for 'a:8500'", id="b"
        ),
        pytest.param(["a:8500"], True, "a:8501", "given for 'a:8500'", id="another-port"),
        pytest.param(["unix:/run/Serving"], True, "unix:/run/serving", "given for 'unix:/run/Serving'", id="a-socket"),
        pytest.param(["a:8500"], True, "no address", "given for 'a:8500'", id="no-address"),
        pytest.param([], False, "b:8500", "given for no server", id="none-was-named-and-others-are-here"),
    ],
)
def test_and_nowhere_else(named, is_on_loopback, host, words):
    (fault,) = SecretReach(named, is_on_loopback, {}).faults(host, GIVEN)

    assert words in fault
    assert "start Locust anew with --host" in fault
    assert SECRET not in fault


TLS = {"tls": "true", "tls_ca_file": "ca.pem"}


@pytest.mark.parametrize(
    ("at_start", "named", "form"),
    [
        pytest.param(TLS, ["a:8500"], TLS, id="the-same"),
        pytest.param(TLS, ["a:8500"], {"tls": " Yes", "tls_ca_file": "ca.pem "}, id="written-otherwise"),
        pytest.param({}, ["a:8500"], {"tls": "off", "tls_ca_file": ""}, id="never-any"),
        pytest.param(TLS, [], {"tls": "false"}, id="no-server-was-named-and-nobody-else-is-here"),
        pytest.param(TLS, ["a:8500"], {"tls": "false", "metadata": ""}, id="no-secret"),
    ],
)
def test_it_goes_as_it_was_to_go(at_start, named, form):
    assert SecretReach(named, True, at_start).faults("a:8500", GIVEN | form) == []


@pytest.mark.parametrize(
    ("at_start", "form", "words"),
    [
        pytest.param(TLS, TLS | {"tls": "false"}, ["--tls 'false': --metadata holds a", "with 'true'"], id="clear"),
        pytest.param(TLS, TLS | {"tls": "maybe"}, ["--tls 'maybe'"], id="unreadable"),
        pytest.param(TLS, TLS | {"tls_ca_file": "mine.pem"}, ["--tls-ca-file 'mine.pem'", "with 'ca.pem'"], id="ca"),
        pytest.param(TLS, {"tls": "true"}, ["--tls-ca-file ''"], id="the-systems-authorities"),
        pytest.param({}, TLS, ["--tls 'true'", "--tls-ca-file 'ca.pem'"], id="tls-that-nobody-asked-for"),
        pytest.param(TLS, TLS | {"tls_cert_file": "x.pem"}, ["--tls-cert-file 'x.pem'"], id="a-certificate"),
        pytest.param(TLS, TLS | {"tls_key_file": "x.pem"}, ["--tls-key-file 'x.pem'"], id="a-key"),
    ],
)
def test_and_not_otherwise(at_start, form, words):
    said = " ".join(SecretReach(["a:8500"], True, at_start).faults("a:8500", GIVEN | form))

    assert [word for word in words if word not in said] == []
    assert SECRET not in said


def test_nobody_takes_tls_from_it(tmp_path, scripted_server):
    address = f"localhost:{scripted_server.port}"
    arguments = ("--metadata", METADATA, "--host", address, "--tls")
    with web_ui_of(tmp_path, *arguments) as ui:
        as_it_was = ui.start(num_tests=10)
        in_clear = ui.start(num_tests=10, tls="false")
        trusting = ui.start(num_tests=10, tls_ca_file=str(PROJECT / "README.md"))

    assert [answer["success"] for answer in (as_it_was, in_clear, trusting)] == [False] * 3
    assert "does not speak TLS" in as_it_was["message"]
    assert "--tls 'false': --metadata holds a secret and was given with 'true'" in in_clear["message"]
    assert "--tls-ca-file" in trusting["message"]
    assert "--metadata holds a secret" in trusting["message"]


def test_nobody_tells_a_run_under_way_another_address(tmp_path, model_server, scripted_server):
    aimed = {"tfsload_address": scripted_server.address}
    with web_ui_of(tmp_path, "--metadata", METADATA, "--host", model_server.address) as ui:
        assert ui.start()["success"]
        wait_until(lambda: ui.stats()["state"] == "running", "the run")
        edit = ui.start(**aimed)
        ui.stop()
        wait_until(ui.n_summaries, "the summary")
        start = ui.start(**aimed)

    assert [answer["success"] for answer in (edit, start)] == [False, False]
    assert "'tfsload_address' is not a field of the form" in edit["message"]


def test_nobody_aims_it_at_a_server_of_their_own(tmp_path, model_server, scripted_server):
    arguments = ("--metadata", METADATA, "--host", model_server.address)
    with web_ui_of(tmp_path, *arguments) as ui:
        by_host = ui.start(num_tests=10, host=scripted_server.address)
        ui.ask(
            "POST", "/user", f'{{"user_class_name": "GrpcPredictionUser", "host": "{scripted_server.address}"}}', **JSON
        )
        by_class = ui.start(num_tests=10, host="")
        allowed = ui.start(num_tests=10, host=f"grpc://{model_server.address}")
        wait_until(ui.n_summaries, "the summary")

    assert [answer["success"] for answer in (by_host, by_class, allowed)] == [False, False, True]
    assert f"'{scripted_server.address}': --metadata holds a secret" in by_host["message"]
    assert f"'{scripted_server.address}': --metadata holds a secret" in by_class["message"]
