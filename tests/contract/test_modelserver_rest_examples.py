"""The embedded server's `:classify` and `:regress`: what they answer, and TensorFlow Serving's words."""

import pytest

from tests.support.inference_model import LABELS
from tests.support.inference_model import inference_base_path as inference_base_path
from tests.support.modelserver_fixtures import MODEL
from tests.support.rest_fixtures import RestClient
from tfsload.target.launcher import EmbeddedServer

CLASSIFY, REGRESS = (f"/v1/models/{MODEL}:{call}" for call in ("classify", "regress"))
LOW, MID, HIGH = LABELS


@pytest.fixture(scope="module")
def rest(inference_base_path):
    with EmbeddedServer.start(MODEL, inference_base_path, ["--rest_api_free_port"]) as started:
        yield RestClient(started.rest_address)


def test_classify(rest):
    content = {"examples": [{"x": 0.25}, {"x": [0.5], "offset": 0.125}]}
    reply = rest.post(CLASSIFY, content)
    assert reply.code == 200
    assert reply.body.decode() == (
        f'{{\n    "results": [[["{LOW}", 0.25], ["{MID}", 0.25], ["{HIGH}", 1.0]], '
        f'[["{LOW}", 0.5], ["{MID}", 0.625], ["{HIGH}", 1.0]]\n    ]\n}}'
    )


def test_regress(rest):
    content = {"signature_name": "regress", "context": {"offset": 0.125}, "examples": [{"x": 0.25}, {"x": 0.5}]}
    assert rest.post(REGRESS, content).body.decode() == '{\n    "results": [0.375, 0.625]\n}'


@pytest.mark.parametrize("signature", ["classes_alone", "scores_alone"])
def test_what_a_signature_does_not_tell(rest, signature):
    [row] = rest.post(CLASSIFY, {"signature_name": signature, "examples": [{"x": 0.25}]}).content["results"]
    assert [label for label, _ in row] == (list(LABELS) if signature == "classes_alone" else [""] * 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            {},
            "JSON Value: {} When method is classify, key 'examples' is expected and was not found",
            id="no-examples",
        ),
        pytest.param(
            {"examples": 1},
            "JSON Value: {\n    \"examples\": 1\n} Expecting 'examples' value to be an list/array",
            id="no-list",
        ),
        pytest.param(
            {"examples": []}, "JSON Value: {\n    \"examples\": []\n} 'examples' value is an empty array", id="empty"
        ),
        pytest.param({"examples": [1]}, "Example must be JSON object but got JSON Number", id="no-object"),
        pytest.param(
            {"context": [], "examples": [{}]}, "Example must be JSON object but got JSON Array", id="context-no-object"
        ),
        pytest.param({"examples": [{"x": None}]}, "Feature: x has element with unexpected JSON type: Null", id="null"),
        pytest.param(
            {"examples": [{"x": [[1]]}]}, "Feature: x has element with unexpected JSON type: Array", id="nested"
        ),
        pytest.param(
            {"examples": [{"x": {"b65": ""}}]}, "Feature: x has element with unexpected JSON type: Object", id="object"
        ),
        pytest.param(
            {"examples": [{"x": [0.5, "a"]}]},
            "Unexpected element type in feature: x expecting type: float",
            id="mixed",
        ),
        pytest.param(
            {"examples": [{"x": 2**63}]},
            "Feature: x has uint64 element. Only int64 is supported.",
            id="too-large",
        ),
        pytest.param(
            {"examples": [{"x": 1e39}]},
            "Cannot convert JSON value: 1e+39 to float without loss of precision.",
            id="lossy",
        ),
        pytest.param(
            {"signature_name": "x", "examples": [{}]}, "No signature was found with the name: x", id="signature"
        ),
    ],
)
def test_faults(rest, content, message):
    assert rest.post(CLASSIFY, content).fault == (400, message)


def test_another_kind_of_value_than_the_model_parses(rest):
    code, message = rest.post(CLASSIFY, {"examples": [{"x": 1}]}).fault
    assert code == 400
    assert "Data types don't match" in message


def test_bytes_and_truths_are_features(rest):
    """Which the model then does not parse as numbers: what it says shows that they came."""
    for value in ({"b64": "YQ=="}, "a", [True, 1]):
        assert "Data types don't match" in rest.post(CLASSIFY, {"examples": [{"x": value}]}).fault[1]
