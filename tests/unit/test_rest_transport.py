"""REST as TensorFlow Serving speaks it: what is asked where, and what becomes of what it says."""

import dataclasses

import gevent
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rest_replies import PREDICT_IMAGES, metadata, rows_text, status, tensor
from tests.support.rest_transports import rest_transport
from tests.support.scripted_http import ScriptedHttp, reply
from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import CLASSIFY, EXAMPLE, MNIST_EXAMPLE
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.rest.described import signatures_in, versions_in
from tfsload.transport.rest.failure import error_of
from tfsload.transport.rest.reply import ReplyReader
from tfsload.transport.rest.request import HeaderError, RequestMaker, header_faults
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.signature import SignatureDescribed, TensorDescribed, VersionDescribed

IMAGES = np.zeros((1, 28, 28), np.uint8)
SCORES = rows_text(np.array([[0.1, 0.7, 0.2]], np.float32))


@pytest.fixture
def model_server():
    """A server with one model, which says no more than a test wants to know."""

    def answer(request):
        method, path, _ = request.line.split()
        if method == "GET":
            return [reply(metadata({"predict_images": PREDICT_IMAGES}) if "metadata" in path else status((1, READY)))]
        return [reply(SCORES)]

    server = ScriptedHttp(answer)
    yield server
    server.stop()


READY = "AVAILABLE"


@pytest.fixture
def transport_to():
    opened = []

    def transport_to(server, *arguments, **options):
        opened.append(rest_transport(getattr(server, "address", server), *arguments, **options))
        return opened[-1]

    yield transport_to
    for one in opened:
        one.close()


PATHS = {
    "the-latest": ({}, "/v1/models/mnist"),
    "a-version": ({"model_version": "3"}, "/v1/models/mnist/versions/3"),
    "a-label": ({"model_label": "stable"}, "/v1/models/mnist/labels/stable"),
    "another-name": ({"model_name": "my model/é"}, "/v1/models/my%20model%2F%C3%A9"),
    "another-label": ({"model_label": "a b?c#d"}, "/v1/models/mnist/labels/a%20b%3Fc%23d"),
}


@pytest.mark.parametrize(("options", "path"), PATHS.values(), ids=PATHS)
def test_what_is_asked_where(model_server, transport_to, options, path):
    transport = transport_to(model_server, **options)

    answer = transport.reader_of(1).read(transport.bound_call()(transport.encode(IMAGES)))
    transport.describe(5)
    transport.bound_ping(5)()

    assert answer.predicted == [1]
    assert answer.servable == UNTOLD
    lines = [one.line for one in model_server.requests]
    model = path.split("/versions")[0].split("/labels")[0]
    described = [] if "model_version" in options else [f"GET {path}/metadata HTTP/1.1"]  # there is no version 3
    expected = [f"POST {path}:predict HTTP/1.1", f"GET {model} HTTP/1.1", *described, f"GET {model} HTTP/1.1"]
    assert lines == expected


def test_a_prediction_is_json_with_a_length_and_the_servers_name(model_server, transport_to):
    transport = transport_to(model_server, metadata=[("authorization", "Bearer x"), ("x-trace", "1")])
    transport.call(transport.encode(IMAGES))

    (request,) = model_server.requests
    assert request.said == {"signature_name": "predict_images", "instances": [[0.0] * 784]}
    assert request.headers == {
        "host": model_server.address,
        "user-agent": "tfsload",
        "accept": "application/json",
        "authorization": "Bearer x",
        "x-trace": "1",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
    }


def test_a_signature_to_classify_with_is_called_so(model_server, transport_to):
    images = dataclasses.replace(MNIST_EXAMPLE.input, form=EXAMPLE, feature="x", feature_dtype="DT_FLOAT")
    spec = dataclasses.replace(MNIST_EXAMPLE, method=CLASSIFY, signature_name="c", input=images)
    transport = transport_to(model_server)
    beside = transport.beside(spec)

    transport.send_blank(spec, 5)
    beside.call(beside.encode(IMAGES))

    assert {one.line for one in model_server.requests} == {"POST /v1/models/mnist:classify HTTP/1.1"}
    assert model_server.requests[0].body == model_server.requests[1].body
    assert model_server.n_connections == 1


def test_who_shares_connections_leaves_them_open(model_server, transport_to):
    transport = transport_to(model_server)
    beside = transport.beside(MNIST_EXAMPLE)
    beside.call(beside.encode(IMAGES))

    beside.close()

    assert transport.pool.n_connections == 1
    transport.call(transport.encode(IMAGES))
    assert model_server.n_connections == 1


def test_nothing_is_opened_before_it_is_needed(model_server, transport_to):
    transport = transport_to(model_server)
    transport.check_files()
    transport.encode(IMAGES)

    assert "pool" not in vars(transport)


def test_a_model_is_described(model_server, transport_to):
    found = transport_to(model_server).describe(5)

    assert found.versions == (VersionDescribed(1, READY),)
    assert found.servable == Servable("mnist", 1)
    assert found.signatures == {
        "predict_images": SignatureDescribed(
            "tensorflow/serving/predict",
            {"images": TensorDescribed("DT_FLOAT", (-1, 784))},
            {"scores": TensorDescribed("DT_FLOAT", (-1, 10))},
        )
    }


def test_a_model_that_is_not_ready_is_described_by_its_versions(transport_to):
    server = ScriptedHttp(lambda _: [reply(status((2, "LOADING"), (1, "END")))])
    try:
        found = transport_to(server).describe(5)
    finally:
        server.stop()

    assert found.versions == (VersionDescribed(2, "LOADING"), VersionDescribed(1, "END"))
    assert (found.servable, found.signatures) == (UNTOLD, {})
    assert len(server.requests) == 1


# Shapes and more, as protobuf's JSON has them.
DESCRIBED = {
    "scalar": (tensor("DT_INT64"), TensorDescribed("DT_INT64", ())),
    "any-rank": (
        {"dtype": "DT_STRING", "tensor_shape": {"dim": [], "unknown_rank": True}},
        TensorDescribed("DT_STRING", None),
    ),
    "sizes-as-numbers": (
        {"dtype": "DT_HALF", "tensor_shape": {"dim": [{"size": -1}]}},
        TensorDescribed("DT_HALF", (-1,)),
    ),
    "without-a-shape": ({"dtype": "DT_HALF"}, TensorDescribed("DT_HALF", ())),
}


@pytest.mark.parametrize(("said", "found"), DESCRIBED.values(), ids=DESCRIBED)
def test_a_tensor_is_described_and_no_default_holds_over_rest(said, found):
    _, signatures = signatures_in(metadata({"s": {"inputs": {"x": said}, "method_name": "m", "defaults": {"x": {}}}}))

    assert signatures == {"s": SignatureDescribed("m", {"x": found}, {})}


NO_DESCRIPTIONS = {
    "no-json": b"<html>",
    "a-list": b"[]",
    "nothing": b"{}",
    "null": b"null",
    "other-fields": b'{"model_version_status": 7, "metadata": {"signature_def": []}}',
    "no-version": b'{"model_version_status": [{"version": "x"}], "model_spec": {"version": Infinity}}',
    "no-numbers": b'{"model_version_status": [{"version": Infinity}], "model_spec": {"version": "x"}}',
    "no-objects": b'{"model_version_status": [1], "metadata": {"signature_def": {"signature_def": {"s": 1}}}}',
    "odd-status": b'{"model_version_status": [{"status": 1}], "model_spec": {"version": "x"}}',
    "odd-inputs": b'{"metadata": {"signature_def": {"signature_def": {"s": {"inputs": [1]}}}}}',
    "odd-sizes": metadata({"s": {"inputs": {"x": {"tensor_shape": {"dim": [1]}}}}}),
}


@pytest.mark.parametrize("body", NO_DESCRIPTIONS.values(), ids=NO_DESCRIPTIONS)
@pytest.mark.parametrize("read", [versions_in, signatures_in])
def test_what_describes_no_model_is_named(body, read):
    with pytest.raises(ReplyError, match=r"^the server's (word|description) .*cannot be read: .+"):
        read(body)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["inputs", "dim", "size", "tensor_shape", "dtype", "defaults"]), inner)
    ),
)


@given(ANY)
def test_whatever_is_said_of_a_model_is_a_description_or_a_named_fault(said):
    for body, read in ((metadata({"s": said}), signatures_in), (metadata(said), signatures_in)):
        try:
            read(body)
        except ReplyError as error:
            assert "cannot be read" in str(error)


# What a reply that is no answer is counted as, and in which words.
ERRORS = {
    "a-model-that-is-not-there": (
        reply(b'{ "error": "Servable not found for request: Latest(foo)" }', "404 Not Found"),
        "NOT_FOUND: HTTP 404: Servable not found for request: Latest(foo)",
    ),
    "escaped-as-in-c": (
        reply(rb"""{ "error": "Missing \'inputs\' or \"instances\"\nkey caf\303\251 \x21" }""", "400 Bad Request"),
        "INVALID_ARGUMENT: HTTP 400: Missing 'inputs' or \"instances\"\nkey café !",
    ),
    "escaped-as-in-json": (reply(rb'{"error": "caf\u00e9 \/"}', "500 x"), "INTERNAL: HTTP 500: café /"),
    "cut": (reply(b'{ "error": "half', "500 x"), "INTERNAL: HTTP 500: half"),
    "an-output-that-has-no-rows": (
        reply(b'{ "error": "Tensor name: version has no shape information " }', "400 x"),
        "INVALID_ARGUMENT: HTTP 400: Tensor name: version has no shape information: pass --rest-format column",
    ),
    "too-slow": (reply(b'{"error": "Timed out"}', "504 Gateway Timeout"), "DEADLINE_EXCEEDED: HTTP 504: Timed out"),
    "busy": (reply(b'{"error": "full"}', "503 x"), "UNAVAILABLE: HTTP 503: full"),
    "exhausted": (reply(b'{"error": "quota"}', "429 x"), "RESOURCE_EXHAUSTED: HTTP 429: quota"),
    "not-implemented": (reply(b'{"error": "no"}', "501 x"), "UNIMPLEMENTED: HTTP 501: no"),
    "cancelled": (reply(b'{"error": "no"}', "499 x"), "CANCELLED: HTTP 499: no"),
    "not-known": (reply(b"", "401 Unauthorized"), "UNAUTHENTICATED: HTTP 401: Unauthorized"),
    "not-let-in": (reply(b"RBAC: access denied", "403 Forbidden"), "PERMISSION_DENIED: HTTP 403: RBAC: access denied"),
    "another-of-ours": (reply(b"", "418 I'm a teapot"), "FAILED_PRECONDITION: HTTP 418: I'm a teapot"),
    "another-of-the-servers": (reply(b"", "599 "), "INTERNAL: HTTP 599: no words with it"),
    "elsewhere": (
        reply(b"<title>Moved</title>", "302 Found", location="https://gate/login", content_type="text/html"),
        "UNKNOWN: HTTP 302: the server sends us to https://gate/login, and a load test goes nowhere else",
    ),
    "no-content": (reply(b"", "204 No Content"), "UNKNOWN: HTTP 204: No Content"),
    "a-proxys-page": (
        reply(
            b"<html><head><TITLE>\n502 Bad &amp; Gateway</TITLE></head></html>",
            "502 Bad Gateway",
            content_type="text/html",
            server="nginx/1.22",
        ),
        "UNAVAILABLE: HTTP 502: an HTML page '502 Bad & Gateway' by nginx/1.22",
    ),
    "a-page-without-a-title": (
        reply(b"<html>", "404 x", content_type="text/html"),
        "NOT_FOUND: HTTP 404: an HTML page",
    ),
    "a-page-in-place-of-an-answer": (
        reply(b"<title>Log in</title>", content_type="text/html; charset=utf-8", server="gate"),
        "BAD_REPLY: HTTP 200 with an HTML page 'Log in' by gate in place of an answer",
    ),
}


@pytest.mark.parametrize(("sent", "told"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_told_by_its_code_and_the_servers_words(sent, told):
    found = ReplyReader({}).receive(sent)

    assert not found.is_answer
    assert str(error_of(found)) == told


@given(st.binary(max_size=200), st.sampled_from(["text/html", "application/json", ""]), st.integers(200, 599))
def test_whatever_an_error_holds_it_has_a_code_and_words(body, content_type, number):
    found = ReplyReader({}).receive(reply(body, f"{number} x", content_type=content_type))
    if found is None or found.is_answer:
        return

    failure = PredictionFailure(error_of(found).code, error_of(found).details)

    assert failure.code
    assert f"HTTP {number}" in failure.message
    assert failure.message.isprintable()


HEADER_FAULTS = {
    "a-second-line": (("x", "1\r\nHost: elsewhere"), "the value of 'x' holds what no HTTP header can"),
    "a-line-feed": (("x", "1\n2"), "the value of 'x'"),
    "a-zero": (("x", "\0"), "the value of 'x'"),
    "a-letter-of-elsewhere": (("x", "é"), "the value of 'x'"),
    "no-name": (("", "1"), "the key '' is no name"),
    "a-name-of-two-lines": (("x\r\ny", "1"), "is no name"),
    "a-name-with-a-colon": (("x:y", "1"), "is no name"),
    "a-length": (("content-length", "1"), "the header 'content-length' is made for each request"),
    "another-host": (("Host", "x"), "the header 'Host' is made"),
    "chunks": (("transfer-encoding", "chunked"), "is made for each request"),
    "an-expectation": (("expect", "100-continue"), "is made for each request"),
}


@pytest.mark.parametrize(("pair", "said"), HEADER_FAULTS.values(), ids=HEADER_FAULTS)
def test_metadata_that_http_cannot_carry_is_refused_before_the_load(transport_to, pair, said):
    transport = transport_to("127.0.0.1:1", metadata=[("fine", "1"), pair])

    with pytest.raises(HeaderError) as raised:
        transport.check_files()

    assert len(raised.value.faults) == 1
    assert said in raised.value.faults[0]
    assert not pair[1] or pair[1] not in raised.value.faults[0].replace(pair[0], "")  # it is a secret


@given(st.text(max_size=6), st.text(max_size=12))
def test_a_header_that_is_not_refused_is_one_line(key, value):
    if header_faults([(key, value)]):
        return

    lines = RequestMaker("h", [(key, value)]).get("/").split(b"\r\n")

    assert lines[4] == f"{key}: {value}".encode()
    assert len(lines) == 7


def test_the_transport_ends_its_requests_in_their_deadline(transport_to):
    server = ScriptedHttp(lambda _: [lambda: gevent.sleep(60)])
    transport = transport_to(server)
    try:
        for ask in (lambda: transport.describe(0.1), lambda: transport.send_blank(MNIST_EXAMPLE, 0.1)):
            with gevent.Timeout(5), pytest.raises(PredictionFailure, match="DEADLINE_EXCEEDED"):
                ask()
        with gevent.Timeout(5), pytest.raises(Exception, match="DEADLINE_EXCEEDED") as raised:
            transport.bound_ping(0.1)()
        assert transport.failure_of(raised.value).code == "DEADLINE_EXCEEDED"
        assert transport.failure_of(ValueError()) is None
    finally:
        server.stop()
