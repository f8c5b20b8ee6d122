"""Which servers hear what is in --metadata from runs of the web UI."""

import pytest

from tests.runs import wait_until
from tests.test_secrets import METADATA, SECRET
from tests.web_ui import web_ui_of
from tfsload.webui.secret_reach import SecretReach

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
    ],
)
def test_a_secret_goes_where_it_was_given_for(named, is_on_loopback, host, options):
    assert SecretReach(named, is_on_loopback).faults(host, options) == []


@pytest.mark.parametrize(
    ("named", "is_on_loopback", "host", "words"),
    [
        pytest.param(
            ["a:8500"], True, "b:8500", "'b:8500': --metadata holds a secret and was given for 'a:8500'", id="b"
        ),
        pytest.param(["a:8500"], True, "a:8501", "given for 'a:8500'", id="another-port"),
        pytest.param(["a:8500"], True, "no address", "given for 'a:8500'", id="no-address"),
        pytest.param([], False, "b:8500", "given for no server", id="none-was-named-and-others-are-here"),
    ],
)
def test_and_nowhere_else(named, is_on_loopback, host, words):
    (fault,) = SecretReach(named, is_on_loopback).faults(host, GIVEN)

    assert words in fault
    assert "start Locust anew with --host" in fault
    assert SECRET not in fault


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
