"""What the preflight finds, over scripted signatures and over real servers."""

import contextlib
import re
import socket
import threading

import grpc
import pytest

from tfsload.settings.settings import Settings
from tfsload.target import preflight
from tfsload.target.preflight import MisfitError, NoServerError, check_signature, check_status
from tfsload.transport.grpc.status import ChannelRpcError
from tfsload.transport.grpc.transport import GrpcTransport
from tfsload.transport.signature import SignatureDescribed, TensorDescribed, VersionDescribed


def tensor_info(dtype="DT_FLOAT", shape=(-1, 784)):
    return TensorDescribed(dtype, shape)


def signature(inputs=None, outputs=None, method="tensorflow/serving/predict"):
    inputs = inputs or {"images": tensor_info()}
    return SignatureDescribed(method, inputs, outputs or {"scores": tensor_info(shape=(-1, 10))})


def transport_of(settings):
    return GrpcTransport(settings.model, settings.connection)


def ask(settings):
    return preflight.ask(transport_of(settings), n_classes=10, timeout_s=preflight.patience_s(settings.model))


@pytest.mark.parametrize(
    "fitting",
    [
        pytest.param(signature(), id="the-shipped-models"),
        pytest.param(signature({"images": tensor_info(shape=None)}), id="unknown-rank"),
        pytest.param(signature({"images": tensor_info(shape=(-1, -1))}), id="any-size"),
        pytest.param(signature({"images": tensor_info(shape=(1, 784))}), id="one-image-at-a-time"),
        pytest.param(signature(outputs={"scores": tensor_info("DT_DOUBLE", (-1, 10))}), id="double-scores"),
        pytest.param(signature(outputs={"scores": tensor_info(shape=None)}), id="scores-of-unknown-rank"),
        pytest.param(signature(outputs={"scores": tensor_info(shape=(-1, 1001))}), id="more-classes-than-labels"),
        pytest.param(
            signature(outputs={"scores": tensor_info(shape=(-1, 10)), "classes": tensor_info("DT_STRING")}),
            id="another-output-beside",
        ),
    ],
)
def test_signatures_that_fit(fitting):
    assert check_signature(Settings.parse({}, None).model, {"predict_images": fitting}, n_classes=10) == []


@pytest.mark.parametrize(
    ("definition", "messages"),
    [
        pytest.param(
            signature(method="tensorflow/serving/classify"), ["is tensorflow/serving/classify"], id="classify-signature"
        ),
        pytest.param(
            signature({"x": tensor_info()}), ["no input 'images': pass --input-name with one of x"], id="input-name"
        ),
        pytest.param(
            signature({"images": tensor_info(), "keep_prob": tensor_info(shape=())}),
            ["also keep_prob"],
            id="a-second-input",
        ),
        pytest.param(
            signature({"images": tensor_info("DT_UINT8")}),
            ["is DT_UINT8: images are sent as DT_FLOAT"],
            id="dtype",
        ),
        pytest.param(
            signature({"images": tensor_info(shape=(-1, 28, 28, 1))}),
            ["has shape [-1, 28, 28, 1]"],
            id="four-dimensions",
        ),
        pytest.param(signature({"images": tensor_info(shape=(-1, 783))}), ["has shape [-1, 783]"], id="too-few-pixels"),
        pytest.param(signature({"images": tensor_info(shape=(8, 784))}), ["has shape [8, 784]"], id="fixed-batch"),
        pytest.param(
            signature(outputs={"logits": tensor_info(shape=(-1, 10))}),
            ["no output 'scores': pass --output-name with one of logits"],
            id="output-name",
        ),
        pytest.param(
            signature(outputs={"scores": tensor_info("DT_STRING", (-1, 10))}),
            ["is DT_STRING: a score for each class"],
            id="output-dtype",
        ),
        pytest.param(
            signature(outputs={"scores": tensor_info(shape=(-1,))}),
            ["has shape [-1]: expected [-1, classes]"],
            id="a-class-only",
        ),
        pytest.param(
            signature(outputs={"scores": tensor_info(shape=(-1, 2))}), ["scores 2 classes and"], id="too-few-classes"
        ),
        pytest.param(
            signature({"images": tensor_info("DT_UINT8")}, {"scores": tensor_info(shape=(3,))}),
            ["is DT_UINT8", "has shape [3]"],
            id="input-and-output",
        ),
    ],
)
def test_signatures_that_do_not_fit(definition, messages):
    faults = check_signature(Settings.parse({}, None).model, {"predict_images": definition}, n_classes=10)

    assert len(faults) == len(messages)
    for fault, message in zip(faults, messages, strict=True):
        assert message in fault


def test_an_unknown_signature_is_answered_with_those_there_are():
    settings = Settings.parse({"signature_name": "predict"}, None)

    (fault,) = check_signature(settings.model, {"b": signature(), "a": signature()}, n_classes=10)

    assert fault == "the model has no signature 'predict': pass --signature-name with one of a, b"


EXPORT = "export the model with a signature of tensorflow/serving/predict"
CLASSIFY = signature(method="tensorflow/serving/classify")
NO_SCORES = {"classes": tensor_info("DT_STRING", (-1, 10)), "label": tensor_info("DT_FLOAT", (-1,))}


@pytest.mark.parametrize(
    ("signatures", "fault"),
    [
        pytest.param({"a": signature(), "__saved_model_init_op": signature()}, "with one of a", id="what-it-keeps"),
        pytest.param({"a": signature(), "b": signature(method="")}, "with one of a", id="without-a-method"),
        pytest.param({"a": signature(), "b": CLASSIFY}, "with one of a", id="no-prediction"),
        pytest.param({"b": CLASSIFY}, f"'predict_images': {EXPORT}", id="none-that-could-be-called"),
        pytest.param({"predict_images": CLASSIFY, "a": signature()}, "with one of a", id="another-one"),
        pytest.param({"predict_images": CLASSIFY}, f"is expected: {EXPORT}", id="no-other-one"),
        pytest.param({"predict_images": signature(method="")}, "says not how it is called", id="it-has-no-method"),
        pytest.param(
            {"predict_images": signature({"images": tensor_info(), "k": tensor_info()}), "a": signature()},
            "pass --signature-name with one of a",
            id="two-inputs-and-another-one",
        ),
        pytest.param(
            {"predict_images": signature({"images": tensor_info(), "k": tensor_info()})},
            "export the model with a signature that has one",
            id="two-inputs-and-no-other-one",
        ),
        pytest.param(
            {"predict_images": signature(outputs={"scores": tensor_info("DT_STRING", (-1, 10))})},
            "DT_FLOAT or DT_DOUBLE; export the model with a float32 output of [-1, classes]",
            id="the-only-output-is-no-score",
        ),
        pytest.param(
            {"predict_images": signature(outputs={"scores": tensor_info(shape=(-1,)), **NO_SCORES})},
            "expected [-1, classes]; export the model with a float32 output of [-1, classes]",
            id="no-output-is-a-score-each",
        ),
        pytest.param(
            {
                "predict_images": signature(
                    outputs={"scores": tensor_info(shape=(-1,)), "x": tensor_info(), **NO_SCORES}
                )
            },
            "expected [-1, classes]; pass --output-name with one of x",
            id="another-output",
        ),
        pytest.param(
            {"predict_images": signature(outputs=NO_SCORES)},
            "no output 'scores': export the model with a float32 output",
            id="no-output-of-that-name-and-none-that-would-do",
        ),
    ],
)
def test_only_what_can_be_passed_is_offered(signatures, fault):
    (found,) = check_signature(Settings.parse({}, None).model, signatures, n_classes=10)

    assert found.endswith(fault) or fault in found
    assert "__" not in found


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
