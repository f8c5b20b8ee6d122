"""What the preflight finds, over scripted signatures and over real servers."""

import contextlib
import re
import socket
import threading

import grpc
import pytest

from tfsload.settings.settings import Settings
from tfsload.target import preflight
from tfsload.target.fired import DIGITS
from tfsload.target.preflight import MisfitError, NoServerError, check_status
from tfsload.transport.grpc.status import ChannelRpcError
from tfsload.transport.grpc.transport import GrpcTransport
from tfsload.transport.signature import VersionDescribed


def transport_of(settings):
    return GrpcTransport(settings.model, settings.connection)


def ask(settings):
    return preflight.ask(transport_of(settings), DIGITS, preflight.patience_s(settings.model))


@pytest.mark.parametrize(
    ("asked", "states", "kind", "message"),
    [
        pytest.param("", [VersionDescribed(1, "AVAILABLE")], None, "", id="one-version"),
        pytest.param(
            "2", [VersionDescribed(1, "END"), VersionDescribed(2, "AVAILABLE")], None, "", id="the-one-asked-for"
        ),
        pytest.param(
            "1",
            [VersionDescribed(1, "END"), VersionDescribed(2, "AVAILABLE")],
            MisfitError,
            "has no version 1: pass --model-version with one of 2",
            id="unloaded",
        ),
        pytest.param(
            "",
            [VersionDescribed(1, "LOADING")],
            NoServerError,
            "model 'mnist' is LOADING (version 1): pass --wait 60 to wait for it",
            id="loading",
        ),
        pytest.param("", [VersionDescribed(1, "END", "out of memory")], NoServerError, "out of memory", id="failed"),
        pytest.param("", [], NoServerError, "none at all", id="none"),
    ],
)
def test_versions(asked, states, kind, message):
    error = check_status(Settings.parse({"model_version": asked}, None).model, states)

    assert error is None if kind is None else type(error) is kind
    assert message in str(error or "")


def test_the_shipped_model_fits(model_server):
    found = ask(Settings.parse({}, model_server.address))

    assert found.model_version == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"model_name": "foo"}, "has no model 'foo'", id="model"),
        pytest.param({"model_version": "9"}, "has no version 9: pass --model-version with one of 1", id="version"),
        pytest.param({"model_label": "canary"}, "Unrecognized servable version label: canary", id="label"),
        pytest.param({"signature_name": "foo"}, "one of predict_images, serving_default", id="signature"),
        pytest.param({"input_name": "foo"}, "one of images", id="input"),
        pytest.param({"output_name": "foo"}, "one of scores", id="output"),
    ],
)
def test_a_real_server_without_what_is_asked(model_server, options, message):
    with pytest.raises(MisfitError) as caught:
        ask(Settings.parse(options, model_server.address))

    assert message in str(caught.value)


_REST = "is this the REST port? pass the gRPC port with --host (gRPC's is 8500 as a rule, and REST's 8501)"
_CLOSED = "pass the gRPC port with --host (gRPC's is 8500 as a rule, and REST's 8501), --tls where it wants that, or"


def test_nobody_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(NoServerError, match="no model server answers at"):
            ask(Settings.parse({}, address))


def test_somebody_listens_who_says_nothing(monkeypatch):
    monkeypatch.setattr(preflight, "LEAST_PATIENCE_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]

        with pytest.raises(NoServerError) as caught:
            ask(Settings.parse({"deadline": "0.3"}, f"127.0.0.1:{port}"))

    assert f"no answer from 127.0.0.1:{port} within 0.3 s" in str(caught.value)


def test_a_grpc_server_that_serves_no_models(scripted_server):
    with pytest.raises(MisfitError, match="speaks gRPC but is no TensorFlow Serving"):
        ask(Settings.parse({}, scripted_server.address))


@pytest.mark.parametrize("transport", ["native", "grpcio"])
@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", _REST, id="http-1"),
        pytest.param(b"<!DOCTYPE HTML>\n<html lang='en'>" + b" " * 300 + b"</html>\n", _REST, id="http-0.9"),
        pytest.param(b"", _CLOSED, id="closes-at-once"),
    ],
)
def test_a_port_that_is_not_grpcs_is_told_from_one_where_nobody_listens(said, words, transport):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer():
            with contextlib.suppress(OSError):
                while True:  # grpcio comes again
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(1000)
                        connection.sendall(said)

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(NoServerError) as caught:
            ask(Settings.parse({"transport": transport}, f"127.0.0.1:{listener.getsockname()[1]}"))
        listener.shutdown(socket.SHUT_RDWR)

    assert (transport == "grpcio" and words == _CLOSED) or words in str(caught.value)
    assert bool(caught.value.passing) == (words == _CLOSED)


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        pytest.param(
            grpc.StatusCode.UNAVAILABLE,
            "the server's certificate does not verify: expired",
            "is not to be trusted .* --tls-ca-file",
            id="certificate",
        ),
        pytest.param(grpc.StatusCode.UNAUTHENTICATED, "who is it?", "does not let us in .* --metadata", id="no-token"),
        pytest.param(
            grpc.StatusCode.PERMISSION_DENIED, "not you", "does not let us in .* --tls-cert-file", id="denied"
        ),
        pytest.param(
            grpc.StatusCode.INTERNAL, "\x1b[2J" + "x" * 5000, r"INTERNAL: \?\[2Jx{100,}…", id="steers-terminals"
        ),
        pytest.param(grpc.StatusCode.UNAVAILABLE, "connection refused", "no model server answers", id="nobody"),
    ],
)
def test_what_cannot_be_reached_is_told_with_its_cure(code, said, words):
    transport = transport_of(Settings.parse({}, "127.0.0.1:1"))

    explained = str(preflight._explained(transport, transport.failure_of(ChannelRpcError(code, said)), 5))
    assert re.search(words, explained)
    assert len(explained) < 1000
