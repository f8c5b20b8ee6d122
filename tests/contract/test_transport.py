"""What any way to a model server does, held over both ways to gRPC, against the real server and a scripted one."""

import json

import numpy as np
import pytest

from tests.support.server_processes import ScriptedServer
from tfsload.datasets.dataset import load
from tfsload.settings.settings import Settings
from tfsload.transport.answer import ReplyError
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.grpc.transport import GrpcTransport
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.signature import SignatureDescribed, TensorDescribed, VersionDescribed
from tfsload.transport.tls import TlsFileError

TIMEOUT_S = 5


@pytest.fixture(params=["native", "grpcio"])
def transport_to(request):
    """A function from an address and options to a transport, which is closed at the end."""
    opened = []

    def transport_to(address, **options):
        settings = Settings.parse({"transport": request.param, **options}, address)
        opened.append(GrpcTransport(settings.model, settings.connection))
        return opened[-1]

    yield transport_to
    for one in opened:
        one.close()


@pytest.mark.parametrize("n_images", [1, 64], ids=["one-image", "many"])
def test_what_is_sent_is_answered_image_by_image(transport_to, model_server, n_images):
    transport = transport_to(model_server.address)
    dataset = load("mnist5k")
    call, reader = transport.bound_call(), transport.reader_of(n_images)

    answer = reader.read(call(transport.encode(dataset.images[:n_images])))

    assert answer.scores.shape == (n_images, 10)
    assert np.mean(np.array(answer.predicted) == dataset.labels[:n_images]) > 0.9
    assert answer.servable == Servable("mnist", 1)
    assert transport.reader_of(n_images) is reader


def test_a_model_is_described(transport_to, model_server):
    found = transport_to(model_server.address).describe(TIMEOUT_S)

    assert found.versions == (VersionDescribed(1, "AVAILABLE"),)
    assert found.servable == Servable("mnist", 1)
    assert found.signatures["predict_images"] == SignatureDescribed(
        "tensorflow/serving/predict",
        {"images": TensorDescribed("DT_FLOAT", (-1, 784))},
        {"scores": TensorDescribed("DT_FLOAT", (-1, 10))},
    )


def test_a_version_that_is_not_there_has_no_signatures(transport_to, model_server):
    found = transport_to(model_server.address, model_version="7").describe(TIMEOUT_S)

    assert [one.version for one in found.versions] == [1]
    assert found.signatures == {}


@pytest.mark.parametrize("state", ["START", "LOADING", "UNLOADING", "END"])
def test_a_model_that_is_not_ready_is_described_by_its_versions(transport_to, tmp_path, state):
    server = ScriptedServer("0", json.dumps([[state, 1]]), str(tmp_path / "log"), module="starting_server")
    try:
        transport = transport_to(server.address)
        before, after = transport.describe(TIMEOUT_S), transport.describe(TIMEOUT_S)
    finally:
        server.stop()

    assert (before.versions, before.servable, before.signatures) == ((VersionDescribed(1, state),), UNTOLD, {})
    assert after.versions == (VersionDescribed(1, "AVAILABLE"),)
    assert "predict_images" in after.signatures


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda transport: transport.describe(TIMEOUT_S), id="describe"),
        pytest.param(lambda transport: transport.call(b""), id="call"),
    ],
)
def test_nobody_there_is_a_failure(transport_to, ask):
    with pytest.raises(PredictionFailure) as caught:
        ask(transport_to("127.0.0.1:1", deadline="2"))

    assert caught.value.code == "UNAVAILABLE"


def test_the_bound_calls_errors_are_told_from_others(transport_to):
    transport = transport_to("127.0.0.1:1", deadline="2")
    for bound in (lambda: transport.bound_call()(b""), transport.bound_ping(TIMEOUT_S)):
        with pytest.raises(Exception) as caught:
            bound()
        assert transport.failure_of(caught.value).code == "UNAVAILABLE"

    assert transport.failure_of(ZeroDivisionError()) is None


def test_an_unknown_model_is_a_failure(transport_to, model_server):
    with pytest.raises(PredictionFailure) as caught:
        transport_to(model_server.address, model_name="nobody").describe(TIMEOUT_S)

    assert caught.value.code == "NOT_FOUND"


def test_a_ping_asks_the_model_for_nothing(transport_to, model_server):
    assert transport_to(model_server.address).bound_ping(TIMEOUT_S)() is not None


def test_a_reply_that_is_none_is_no_answer(transport_to):
    with pytest.raises(ReplyError, match="not a PredictResponse"):
        transport_to("127.0.0.1:1").reader_of(1).read(b"\xff")


def test_a_file_that_cannot_be_used_is_named(transport_to):
    transport = transport_to("127.0.0.1:1", tls="true", tls_ca_file="/nowhere.pem")

    with pytest.raises(TlsFileError, match=r"--tls-ca-file '/nowhere\.pem' cannot be read"):
        transport.check_files()


def test_it_can_be_used_again_after_it_was_closed(transport_to, model_server):
    transport = transport_to(model_server.address)
    transport.describe(TIMEOUT_S)
    transport.close()

    assert transport.describe(TIMEOUT_S).versions
