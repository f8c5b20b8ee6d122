"""The embedded server over REST around models as people build them: the numbers are those of gRPC."""

import base64

import numpy as np
import pytest

from tests.support.model_zoo import ZOO
from tests.support.rest_fixtures import RestClient
from tests.support.zoo_fixtures import zoo as zoo
from tests.support.zoo_fixtures import zoo_addresses as zoo_addresses
from tests.support.zoo_fixtures import zoo_client as zoo_client
from tests.support.zoo_fixtures import zoo_served as zoo_served
from tests.support.zoo_model import CLASSIFY, PREDICT, ZooModel, sample
from tfsload.transport.protos import classification_pb2, example_pb2, predict_pb2
from tfsload.transport.tensors import fill_proto, to_array

IMAGES, _ = sample()
PREDICTED = [model for model in ZOO.values() if model.method == PREDICT]
# Dtypes that REST has not: the real server has none of them, either.
UNTOLD = {"DT_HALF": "half", "DT_BFLOAT16": "bfloat16", "DT_UINT16": "uint16"}


@pytest.fixture
def rest(zoo_served):
    return lambda name: RestClient(zoo_served["REST"][name])


def over_grpc(client, model: ZooModel, inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model.served_as, model.signature
    for alias, value in inputs.items():
        fill_proto(request.inputs[alias], value, as_content=True)
    return {alias: to_array(proto) for alias, proto in client(model.served_as).predict(request).outputs.items()}


def in_json(value):
    """A tensor as JSON; strings as bytes."""
    if isinstance(value, np.ndarray):
        return in_json(value.tolist())
    if isinstance(value, list):
        return [in_json(one) for one in value]
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def in_text(value):
    """Strings as JSON has them where they are not named as bytes."""
    return [in_text(one) for one in value] if isinstance(value, list) else value.decode()


def assert_same(got, want):
    if want.dtype == object:
        assert got == in_text(want.tolist())
    else:
        np.testing.assert_array_equal(np.array(got, want.dtype), want)


def inputs_of(model: ZooModel):
    """The first request, with every input: REST knows no defaults."""
    given = {**model.requests(IMAGES)[0], **{alias: np.asarray(value) for alias, value in model.defaults.items()}}
    return dict(sorted(given.items()))


@pytest.mark.parametrize("model", PREDICTED, ids=lambda model: model.name)
class TestZoo:
    def test_columns(self, rest, zoo_client, model):
        inputs = inputs_of(model)
        content = {"signature_name": model.signature, "inputs": {name: in_json(one) for name, one in inputs.items()}}
        reply = rest(model.served_as).post(f"/v1/models/{model.served_as}:predict", content)
        if model.dtype in UNTOLD:
            code, message = reply.fault
            assert (code, message.rpartition(" to type: ")[2]) == (501, UNTOLD[model.dtype])
            return
        assert reply.code == 200, reply.body
        told = reply.content["outputs"]
        for alias, want in over_grpc(zoo_client, model, inputs).items():
            assert_same(told[alias] if len(model.outputs) > 1 else told, want)

    def test_rows(self, rest, zoo_client, model):
        inputs = inputs_of(model)
        n_rows = len(inputs[model.input]) if inputs[model.input].ndim else 0
        if any(one.ndim == 0 or len(one) != n_rows for one in inputs.values()) or model.dtype in UNTOLD:
            pytest.skip("it has an input that does not come in rows")
        rows = [{name: in_json(np.asarray(one[i], one.dtype)) for name, one in inputs.items()} for i in range(n_rows)]
        content = {"signature_name": model.signature, "instances": rows}
        reply = rest(model.served_as).post(f"/v1/models/{model.served_as}:predict", content)
        answers = over_grpc(zoo_client, model, inputs)
        if any(not one.ndim or len(one) != len(next(iter(answers.values()))) for one in answers.values()):
            assert reply.code == 400
            return
        assert reply.code == 200, reply.body
        told = reply.content["predictions"]
        for alias, want in answers.items():
            assert_same([row[alias] for row in told] if len(answers) > 1 else told, want)


@pytest.mark.parametrize("model", [m for m in ZOO.values() if m.method == CLASSIFY], ids=lambda model: model.name)
def test_classify(rest, zoo_client, model):
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = model.served_as, model.signature
    rows = []
    for serialized in model.requests(IMAGES)[0][model.input]:
        example = example_pb2.Example.FromString(serialized)
        request.input.example_list.examples.append(example)
        rows.append({name: list(one.float_list.value) for name, one in example.features.feature.items()})
    content = {"signature_name": model.signature, "examples": rows}
    told = rest(model.served_as).post(f"/v1/models/{model.served_as}:classify", content).content["results"]
    result = zoo_client(model.served_as).prediction.Classify(request, timeout=20).result
    for got, want in zip(told, result.classifications, strict=True):
        assert [label for label, _ in got] == [one.label for one in want.classes]
        scores = np.array([one.score for one in want.classes], "float32")
        np.testing.assert_array_equal(np.array([score for _, score in got], "float32"), scores)
