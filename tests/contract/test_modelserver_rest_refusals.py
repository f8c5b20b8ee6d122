"""The embedded server over REST: TensorFlow Serving's words and codes for bad requests."""

import pytest

from tests.support.modelserver_fixtures import MODEL, images, request
from tests.support.modelserver_fixtures import model_base_path as model_base_path
from tests.support.rest_fixtures import PREDICT
from tests.support.rest_fixtures import beside as beside
from tests.support.rest_fixtures import rest as rest
from tests.support.rest_fixtures import rest_server as rest_server

AT = f"/v1/models/{MODEL}"
ONE = {"instances": [1]}
# What a fault of a row begins with.
FIRST, SECOND = (f"Failed to process element: {i} of 'instances' list. " for i in (0, 1))
INVALID = "Error: INVALID_ARGUMENT: "
WANTED = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
SEVERAL = "as multiple input tensors required as per tensorinfo_map"
LOSS = "without loss of precision."


def shown(**members):
    """An object of numbers and texts, as messages show it."""
    return "JSON Value: {\n" + ",\n".join(f'    "{name}": {value}' for name, value in members.items()) + "\n}"


def echo(dtype, value):
    return {"signature_name": f"echo_{dtype}", "inputs": value}


def two(**content):
    return {"signature_name": "two_inputs", **content}


@pytest.mark.parametrize(
    ("path", "content", "code", "message"),
    [
        ("/v1/models/foo:predict", ONE, 404, "Servable not found for request: Latest(foo)"),
        (f"{AT}/versions/9:predict", ONE, 404, "Servable not found for request: Specific(mnist, 9)"),
        (f"{AT}/labels/x:predict", ONE, 400, "Unrecognized servable version label: x"),
        ("/v1/models/a%20b:predict", ONE, 404, "Servable not found for request: Latest(a b)"),
        (f"{AT}/versions/{2**63}:predict", {}, 400, f"Failed to convert version: {2**63} to numeric."),
        ("/v1/models/foo:classify", {"examples": [{}]}, 404, "Servable not found for request: Latest(foo)"),
        ("/v1/models/foo:regress", {"examples": [{}]}, 404, "Servable not found for request: Latest(foo)"),
    ],
    ids=["model", "version", "label", "escaped-name", "version-too-large", "classify", "regress"],
)
def test_which_model(rest, path, content, code, message):
    assert rest.post(path, content).fault == (code, message)


@pytest.mark.parametrize("call", ["predict", "classify", "regress"])
def test_the_body_is_read_before_the_model_is_looked_up(rest, call):
    message = "JSON Parse error: Missing a name for object member. at offset: 1"
    assert rest.post(f"/v1/models/foo:{call}", b"{").fault == (400, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "JSON Parse error: The document is empty", id="empty"),
        pytest.param(b"instances = [1]", "JSON Parse error: Invalid value. at offset: 0", id="no-json"),
        pytest.param([1], "JSON Value: [\n    1\n] Is not object", id="no-object"),
        pytest.param(
            {"signature_name": 1},
            f"{shown(signature_name=1)} not formatted correctly. 'signature_name' key must be a string value.",
            id="signature-no-text",
        ),
        pytest.param(
            {"signature_name": "x", **ONE}, 'Serving signature name: "x" not found in signature def', id="signature"
        ),
        pytest.param(
            {"signature_name": "nothing_taken", **ONE},
            "Failed to get input map for signature: nothing_taken",
            id="no-inputs",
        ),
        pytest.param({}, "Missing 'inputs' or 'instances' key", id="no-key"),
        pytest.param({"instances": 1, "inputs": 2}, f"{shown(instances=1, inputs=2)} {WANTED}", id="both-keys"),
        pytest.param({"instances": 1}, f"{shown(instances=1)} Excepting 'instances' to be an list/array", id="no-list"),
        pytest.param({"instances": []}, f"{shown(instances='[]')} No values in 'instances' array", id="no-rows"),
    ],
)
def test_body(rest, content, message):
    assert rest.predict(content).fault == (400, message)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(["a"], f'{FIRST}{INVALID}JSON Value: "a" Type: String is not of expected type: float', id="type"),
        pytest.param(
            [[1], [True]],
            f"{SECOND}{INVALID}JSON Value: true Type: True is not of expected type: float",
            id="type-of-a-later-row",
        ),
        pytest.param(
            [{"img": [1]}],
            f"Failed to process element: 0 key: img of 'instances' list. {INVALID}"
            "JSON object: does not have named input: img",
            id="name",
        ),
        pytest.param([{}], f"{FIRST}JSON object: {{}} must only have keys: images", id="no-name"),
        pytest.param(
            [{"images": [1]}, [1]], "Expecting object but got list at item 1 of input list", id="list-among-objects"
        ),
        pytest.param(
            [[1], {"images": [1]}],
            "Expecting value/list but got object at item 1 of input list",
            id="object-among-lists",
        ),
        pytest.param([[1, 2], [3]], f"{SECOND}{INVALID}Expecting tensor size: 2 but got: 1", id="size"),
        pytest.param([[1, 2], [[3, 4]]], f"{SECOND}{INVALID}Expecting shape [2] but got: [1,2]", id="shape"),
    ],
)
def test_rows(rest, rows, message):
    assert rest.predict({"instances": rows}).fault == (400, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            {"inputs": [[1, 2], [3]]},
            "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
            id="ragged",
        ),
        pytest.param({"inputs": [1, [2]]}, "Encountered list at unexpected level: 1 expected < 1", id="list"),
        pytest.param(
            {"inputs": [[1], 2]},
            "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
            id="number-beside-a-list",
        ),
        pytest.param({"inputs": {"img": [1]}}, "Missing named input: images in 'inputs' object.", id="name"),
        pytest.param(
            two(instances=[1]), f"instances is a plain list, but expecting list of objects {SEVERAL}", id="bare-rows"
        ),
        pytest.param(
            two(inputs=[1]), f"inputs is a plain value/list, but expecting an object {SEVERAL}", id="bare-columns"
        ),
    ],
)
def test_columns(rest, content, message):
    assert rest.predict(content).fault == (400, message)


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        ("int32", 1.5, "JSON Value: 1.5 Type: Number is not of expected type: int32"),
        ("int32", 2**31, f"JSON Value: {2**31} Type: Number is not of expected type: int32"),
        ("int32", None, "JSON Value: null Type: Null is not of expected type: int32"),
        ("uint64", -1, "JSON Value: -1 Type: Number is not of expected type: uint64"),
        ("bool", 1, "JSON Value: 1 Type: Number is not of expected type: bool"),
        ("string", 1, "JSON Value: 1 Type: Number is not of expected type: string"),
        ("float32", 2**24, f"Cannot convert JSON value: {2**24} to float {LOSS}"),
        ("float32", 1e39, f"Cannot convert JSON value: 1e+39 to float {LOSS}"),
        ("float64", 2**53, f"Cannot convert JSON value: {2**53} to double {LOSS}"),
        ("string", {"b64": "?"}, "Unable to base64 decode"),
        ("string", {"b65": ""}, "Missing named input: given in 'inputs' object."),
        ("string", [{"b65": 1}], f"{shown(b65=1)} not formatted correctly for base64 data"),
        ("float32", [{"b65": 1}], f"{shown(b65=1)} Type: Object is not of expected type: float"),
    ],
    ids=str,
)
def test_values(rest, dtype, value, message):
    assert rest.predict(echo(dtype, value)).fault == (400, message)


def test_the_ops_own_words(rest, beside):
    code, message = rest.predict({"instances": [[1] * 783]}).fault
    _, details = beside.fault(beside.prediction.Predict, request("serving_default", images=images(1, 783)))
    assert (code, message) == (400, details)
    assert message.startswith("Matrix size-incompatible: In[0]: [1,783], In[1]: [784,10]")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/foo"),
        ("POST", "/v1/foo"),
        ("GET", f"{AT}/more"),
        ("POST", AT),
        ("GET", PREDICT),
        ("POST", f"{AT}:PREDICT"),
        ("POST", f"{AT}:predict?x=1"),
        ("POST", f"{AT}/version/3:predict"),
        ("POST", f"{AT}/versions/x:predict"),
        ("POST", f"{AT}/versions/3/labels/x:predict"),
        ("PUT", PREDICT),
        ("DELETE", AT),
        ("OPTIONS", PREDICT),
    ],
)
def test_malformed(rest, method, path):
    assert rest.send(method, path).fault == (400, f"Malformed request: {method} {path}")


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/models/mnist", "/favicon.ico"])
def test_elsewhere(rest, path):
    reply = rest.get(path)
    assert (reply.code, reply.headers["content-type"]) == (404, "text/html")


def test_head_is_answered_without_a_body(rest):
    reply = rest.send("HEAD", AT)
    assert (reply.code, reply.body) == (400, b"")


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/v1/models/foo", 404, "Could not find any versions of model foo"),
        (f"{AT}/versions/9", 404, "Could not find version 9 of model mnist"),
        ("/v1/models", 400, "Missing model name in request."),
        ("/v1/models/foo/metadata", 404, "Servable not found for request: Latest(foo)"),
        (f"{AT}/labels/x/metadata", 400, "Unrecognized servable version label: x"),
    ],
)
def test_questions(rest, path, code, message):
    assert rest.get(path).fault == (code, message)
