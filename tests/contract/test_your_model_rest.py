"""Models as people build them, called over REST: judged as TensorFlow's own answers are, in rows and in columns."""

import numpy as np
import pytest

from tests.support.model_zoo import ZOO, expected
from tests.support.rest_transports import rest_transport
from tests.support.zoo_fixtures import zoo as zoo
from tests.support.zoo_fixtures import zoo_addresses as zoo_addresses
from tests.support.zoo_fixtures import zoo_served as zoo_served
from tests.support.zoo_model import sample
from tfsload.load.request_book import RequestBook
from tfsload.target import preflight
from tfsload.target.fired import DIGITS
from tfsload.target.preflight import MisfitError
from tfsload.transport.asked import COLUMN, ROW
from tfsload.transport.failure import PredictionFailure

TIMEOUT_S = 20
# What no signature tells. All others need nothing but their name.
OPTIONS = {
    "tutorial_classify": {"signature_name": "serving_default"},
    "estimator_classify": {"signature_name": "serving_default"},
    "tf1_required": {"input": "keep_prob=1"},
    # Defaults do not hold over REST.
    "tf1_defaults": {"input": "keep_prob=1;is_training=false"},
    "tf2_defaults": {"input": "temperature=1"},
    "fixed_batch": {"images_per_request": "4"},
    "raw_float": {"pixel_scale": "0..255"},
    "ensemble": {"output_name": "mean"},
    "keras_ensemble": {"output_name": "output_0"},
    "instance_key": {"input": "key=a"},
    "example_raw": {"input": "label=0"},
}
# No usual way to call a model; and dtypes that TensorFlow Serving does not take over REST.
REFUSED = {"columns"}
NOT_OVER_REST = {"half": "half", "bfloat16": "bfloat16"}
IMAGES, LABELS = sample()


@pytest.fixture
def called(zoo_served):
    """A function from a model to the way to it, as it is called; closed at the end."""
    opened = []

    def called(model, rest_format=ROW, **options):
        asked = {"model_name": model.served_as, **OPTIONS.get(model.name, {}), **options}
        address = zoo_served["REST"][model.served_as]
        spec = preflight.ask(rest_transport(address, **asked), DIGITS, TIMEOUT_S).spec
        opened.append(rest_transport(address, spec, rest_format, **asked))
        return opened[-1]

    yield called
    for one in opened:
        one.close()


@pytest.mark.parametrize("rest_format", [ROW, COLUMN])
@pytest.mark.parametrize("per_request", ["1", "3"])
@pytest.mark.parametrize("name", [name for name in ZOO if name not in {*REFUSED, *NOT_OVER_REST}])
def test_each_model_is_judged_as_by_tensorflow_itself(zoo, called, name, per_request, rest_format):
    model = ZOO[name]
    if model.images_per_request is not None and per_request != "1":
        pytest.skip("it takes so many images at once, and no others")
    options = {"images_per_request": per_request} if model.images_per_request is None else {}
    transport = called(model, rest_format, **options)

    book = RequestBook(IMAGES, LABELS, transport.model.images_per_request, transport.encode)
    answers = [
        one
        for number in range(len(book))
        for one in transport.reader_of(len(book[number].labels)).read(transport.call(book[number].body)).predicted
    ]

    own = [one for answer in expected(zoo, model) for one in model.classes(answer[model.output])]
    assert answers == own, transport.spec.words
    assert (transport.spec.signature_name, transport.spec.input.name) == (model.signature, model.input)


@pytest.mark.parametrize(("name", "word"), NOT_OVER_REST.items())
def test_a_dtype_that_rest_has_not_is_refused_by_the_server(called, name, word):
    transport = called(ZOO[name])

    with pytest.raises(PredictionFailure, match=f"^INVALID_ARGUMENT: HTTP 400: .* to type: {word}"):
        transport.call(transport.encode(np.asarray(IMAGES[:1])))


@pytest.mark.parametrize(("name", "wants"), [("tf1_defaults", "keep_prob"), ("tf2_defaults", "temperature")])
def test_an_input_that_has_a_default_wants_a_value(called, name, wants):
    with pytest.raises(MisfitError, match=f"also wants the input '{wants}'"):
        called(ZOO[name], input="")
