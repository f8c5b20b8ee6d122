"""The embedded server around models as people build them: each answer is TensorFlow's own."""

import numpy as np
import pytest

from tests.support.model_zoo import ZOO, expected
from tests.support.modelserver_fixtures import Client
from tests.support.zoo_fixtures import zoo as zoo
from tests.support.zoo_fixtures import zoo_addresses as zoo_addresses
from tests.support.zoo_fixtures import zoo_answers as zoo_answers
from tests.support.zoo_fixtures import zoo_client as zoo_client
from tests.support.zoo_fixtures import zoo_served as zoo_served
from tests.support.zoo_model import PREDICT, ZooModel, sample
from tfsload.target.launcher import EmbeddedServer
from tfsload.transport.protos import get_model_metadata_pb2, predict_pb2
from tfsload.transport.tensors import fill_proto, name_of, number_of, to_array

MODELS = pytest.mark.parametrize("model", ZOO.values(), ids=list(ZOO))
IMAGES, LABELS = sample()
PREDICTED = pytest.mark.parametrize("model", [m for m in ZOO.values() if m.method == PREDICT], ids=lambda m: m.name)


def ask(client, model: ZooModel, inputs, outputs=()):
    """Alias → tensor that a Predict request is answered with."""
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name, request.model_spec.signature_name = model.served_as, model.signature
    for alias, value in inputs.items():
        fill_proto(request.inputs[alias], np.asarray(value), as_content=True)
    reply = client(model.served_as).predict(request)
    return {alias: to_array(proto) for alias, proto in reply.outputs.items()}


class TestZoo:
    """What is said of the models is so: a fault of the zoo would be taken for one of a client or server."""

    @MODELS
    def test_tells_digits(self, zoo, model):
        answers = [answer[model.output] for answer in expected(zoo, model)]
        classes = [one for answer in answers for one in model.classes(answer)]
        # All have the same weights, which take the last of these images for a 9.
        assert classes == [*LABELS[:-1].tolist(), 9]
        assert LABELS[-1] == 3

    @MODELS
    def test_inputs_are_as_declared(self, model):
        for inputs in model.requests(IMAGES):
            value = inputs[model.input]
            assert name_of(number_of(value.dtype)) == model.dtype
            if model.shape is not None:
                assert len(value.shape) == len(model.shape)
                assert all(want in (-1, size) for want, size in zip(model.shape, value.shape, strict=True))

    def test_names_are_unique(self):
        assert len(ZOO) >= 15
        assert all(name == model.name for name, model in ZOO.items())


@MODELS
def test_answers_are_tensorflows_own(zoo, zoo_answers, model):
    """Asked by the official stubs, in a process without the suite's transport."""
    for got, want in zip(expected(zoo_answers, model), expected(zoo, model), strict=True):
        for alias in model.outputs:
            assert (got[alias].dtype, got[alias].shape) == (want[alias].dtype, want[alias].shape)
            if want[alias].dtype == object:
                assert got[alias].tolist() == want[alias].tolist()
            else:
                # The same kernels: what differs in the last digit is how they were put together.
                rtol = 1e-2 if model.dtype in ("DT_HALF", "DT_BFLOAT16") else 1e-5
                np.testing.assert_allclose(got[alias], want[alias], rtol=rtol, atol=1e-6)


def told(directory, model: ZooModel):
    """What GetModelMetadata said of a model's signatures, by name."""
    read = (directory / f"{model.name}.signatures").read_bytes()
    return get_model_metadata_pb2.SignatureDefMap.FromString(read).signature_def


@pytest.mark.parametrize("name", ["keras_export", "labels_file"])
def test_the_program_serves_it(zoo, name):
    """`python -m tfsload.modelserver`, as a user starts it: here one of Keras 3, and one with a file of its own."""
    model = ZOO[name]
    with EmbeddedServer.start(name, model.base_path(zoo)) as started:
        client = Client(started.address)
        got = ask(lambda _: client, model, model.requests(IMAGES)[0])
        client.channel.close()
    assert model.classes(got[model.output]) == model.classes(expected(zoo, model)[0][model.output])


class TestMetadata:
    @MODELS
    def test_signatures_are_told(self, zoo_answers, model):
        signatures = told(zoo_answers, model)
        methods = {name: one.method_name for name, one in signatures.items() if name != "__saved_model_init_op"}
        assert methods == model.signatures

    @MODELS
    def test_inputs_and_outputs_are_told(self, zoo_answers, model):
        signature = told(zoo_answers, model)[model.signature]
        assert set(signature.inputs) == {model.input, *model.required, *model.defaults}
        assert set(signature.outputs) == set(model.outputs)
        image = signature.inputs[model.input]
        assert name_of(image.dtype) == model.dtype
        shape = image.tensor_shape
        assert (None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)) == model.shape

    @MODELS
    def test_defaults_are_told(self, zoo_answers, model):
        defaults = told(zoo_answers, model)[model.signature].defaults
        assert {alias: to_array(proto) for alias, proto in defaults.items()} == model.defaults


class TestDefaults:
    @pytest.mark.parametrize(
        ("name", "alias", "value"),
        [
            pytest.param("tf1_defaults", "is_training", np.bool_(True), id="tf1"),
            pytest.param("tf2_defaults", "temperature", np.float32(9), id="tf2"),
        ],
    )
    def test_what_is_sent_overrules_the_default(self, zoo, zoo_client, name, alias, value):
        model = ZOO[name]
        inputs = model.requests(IMAGES)[0]
        usual = expected(zoo, model)[0]["scores"]
        sent_usual = ask(zoo_client, model, {**inputs, alias: model.defaults[alias]})["scores"]
        np.testing.assert_allclose(sent_usual, usual, rtol=1e-5)
        sent_other = ask(zoo_client, model, {**inputs, alias: value})["scores"]
        assert np.abs(sent_other - usual).max() > 0.05

    def test_one_of_several(self, zoo, zoo_client):
        model = ZOO["tf1_defaults"]
        inputs = model.requests(IMAGES)[0] | {"keep_prob": np.float32(1)}
        usual = expected(zoo, model)[0]["scores"]
        np.testing.assert_allclose(ask(zoo_client, model, inputs)["scores"], usual, rtol=1e-5)

    def test_what_has_no_default_is_required(self, zoo_client):
        model = ZOO["tf1_required"]
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model.name
        fill_proto(request.inputs["images"], model.value(IMAGES), as_content=False)
        client = zoo_client(model.name)
        assert client.fault(client.prediction.Predict, request)[1] == (
            "input size does not match signature: 1!=2 len({images}) != len({images,keep_prob}). "
            "Sent extra: {}. Missing but required: {keep_prob}."
        )


@PREDICTED
def test_output_filter_leaves_the_others_out(zoo_client, model):
    for alias in model.outputs:
        got = ask(zoo_client, model, model.requests(IMAGES)[0], (alias,))
        assert list(got) == [alias]


class TestRequestsThatDoNotFit:
    """The real server looks at names alone: what does not fit is refused by the ops, in TensorFlow's words."""

    @pytest.mark.parametrize(
        ("name", "value", "begin"),
        [
            pytest.param("uint8", IMAGES.astype("float32"), "Expects arg[0] to be uint8 but float is provided",
                         id="floats-for-uint8"),
            pytest.param("int64", IMAGES.reshape(-1, 784).astype("int32"),
                         "Expects arg[0] to be int64 but int32 is provided", id="int32-for-int64"),
            pytest.param("half", IMAGES.reshape(-1, 784).astype("float32"),
                         "Expects arg[0] to be half but float is provided", id="floats-for-halves"),
            pytest.param("png_bytes", IMAGES.astype("float32"), "Expects arg[0] to be string but float is provided",
                         id="pixels-for-files"),
            pytest.param("tutorial", np.ones((1, 783), "float32"),
                         "Matrix size-incompatible: In[0]: [1,783], In[1]: [784,10]", id="a-pixel-too-few"),
        ],
    )  # fmt: skip
    def test_in_tensorflows_words(self, zoo_client, name, value, begin):
        model = ZOO[name]
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = name, model.signature
        fill_proto(request.inputs[model.input], value, as_content=False)
        client = zoo_client(name)
        _, details = client.fault(client.prediction.Predict, request)
        assert details.startswith(begin)

    def test_a_string_that_is_no_image(self, zoo_client):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "png_bytes"
        fill_proto(request.inputs["image_bytes"], np.array([b"no PNG"], object), as_content=False)
        client = zoo_client("png_bytes")
        _, details = client.fault(client.prediction.Predict, request)
        assert "Unknown image file format" in details

    def test_no_default_signature(self, zoo_client):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "named_signatures"
        client = zoo_client("named_signatures")
        _, details = client.fault(client.prediction.Predict, request)
        assert details == 'Serving signature key "serving_default" not found.'

    def test_the_loaders_own_signature(self, zoo_client):
        """TensorFlow 2 lists it, and it has no tensor."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = "two_outputs", "__saved_model_init_op"
        client = zoo_client("two_outputs")
        _, details = client.fault(client.prediction.Predict, request)
        assert details.startswith("Tensor NoOp:0, specified in either feed_devices or fetch_devices was not found")
