"""Models as people build them, served: each is called as it wants, and judged as TensorFlow's own answers are."""

from collections import Counter

import numpy as np
import pytest

from tests.support.model_zoo import ZOO, expected
from tests.support.zoo_fixtures import zoo as zoo
from tests.support.zoo_fixtures import zoo_addresses as zoo_addresses
from tests.support.zoo_fixtures import zoo_served as zoo_served
from tests.support.zoo_model import sample
from tfsload.datasets.dataset import Dataset
from tfsload.load.request_book import RequestBook
from tfsload.settings.settings import ChecksAsked, Settings
from tfsload.target import preflight
from tfsload.target.fired import DIGITS
from tfsload.target.preflight import MisfitError
from tfsload.target.verification import record_references
from tfsload.transport.grpc.transport import GrpcTransport

TIMEOUT_S = 20
# What no signature tells. All others need nothing but their name.
OPTIONS = {
    "tutorial_classify": {"signature_name": "serving_default"},  # by itself the other one, to predict with
    "estimator_classify": {"signature_name": "serving_default"},
    "tf1_required": {"input": "keep_prob=1"},
    "fixed_batch": {"images_per_request": "4"},
    "raw_float": {"pixel_scale": "0..255"},  # floats like any others
    # Which of several outputs counts, and what else an image comes with, is for who made the model to say.
    "ensemble": {"output_name": "mean"},
    "keras_ensemble": {"output_name": "output_0"},
    "instance_key": {"input": "key=a"},
    "example_raw": {"input": "label=0"},
}
# What is refused, whatever is passed: it can be served, and is no usual way to call a model.
REFUSED = {"columns": "is DT_FLOAT [784, -1], an image a column: expected [-1, 784]; export the model with a signature"}
IMAGES, LABELS = sample()
SAMPLE = Dataset("sample", IMAGES, LABELS)


def settings_of(model, addresses, **options):
    asked = {"model_name": model.served_as, **OPTIONS.get(model.name, {}), **options}
    return Settings.parse(asked, addresses[model.served_as])


def found(settings):
    """How the model is called, and the way to it."""
    bare = GrpcTransport(settings.model, settings.connection)
    spec = preflight.ask(bare, DIGITS, TIMEOUT_S).spec
    return spec, GrpcTransport(settings.model, settings.connection, spec)


def answers_of(transport):
    """The class of each image of the sample, as a run reads it, request by request."""
    book = RequestBook(IMAGES, LABELS, transport.model.images_per_request, transport.encode)
    try:
        return [
            one
            for number in range(len(book))
            for one in transport.reader_of(len(book[number].labels)).read(transport.call(book[number].body)).predicted
        ]
    finally:
        transport.close()


def tensorflows_own(zoo, model):
    return [one for answer in expected(zoo, model) for one in model.classes(answer[model.output])]


@pytest.mark.parametrize("model", [pytest.param(one, id=one.name) for one in ZOO.values() if one.name not in REFUSED])
@pytest.mark.parametrize("per_request", ["1", "3"])
def test_each_model_is_judged_as_by_tensorflow_itself(zoo, zoo_addresses, model, per_request):
    settings = settings_of(model, zoo_addresses)
    if model.images_per_request is None:
        settings = settings_of(model, zoo_addresses, images_per_request=per_request)
    elif per_request != "1":
        pytest.skip("it takes so many images at once, and no others")

    spec, transport = found(settings)
    answers, own = answers_of(transport), tensorflows_own(zoo, model)

    assert answers == own, spec.words
    confusion = Counter(zip(LABELS.tolist(), answers, strict=True))
    assert confusion == Counter(zip(LABELS.tolist(), own, strict=True))
    assert spec.signature_name == model.signature
    assert spec.input.name == model.input


@pytest.mark.parametrize("name", ["tutorial", "class_ids", "labels", "masked_logits", "half", "tutorial_classify"])
def test_answers_are_compared_with_those_without_load(zoo_addresses, name):
    settings = settings_of(ZOO[name], zoo_addresses, verify=str(len(LABELS)))
    _, transport = found(settings)
    checks: ChecksAsked = settings.checks

    references = record_references(checks, transport, SAMPLE)

    book = RequestBook(IMAGES, LABELS, 1, transport.encode)
    replies = [transport.reader_of(1).read(transport.call(book[number].body)) for number in range(len(book))]
    transport.close()
    assert [references.n_mismatched(number, one) for number, one in enumerate(replies)] == [0] * len(book)
    swapped = [references.n_mismatched(number, replies[number - 1]) for number in range(len(book))]
    differ = [replies[number - 1].predicted != one.predicted for number, one in enumerate(replies)]
    assert [bool(one) for one in swapped] >= differ
    assert any(differ)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        pytest.param("tf1_required", {"input": ""}, "also wants the input 'keep_prob', DT_FLOAT []", id="an-input"),
        pytest.param("fixed_batch", {"images_per_request": "1"}, "pass --images-per-request 4", id="fixed-batch"),
        pytest.param("no_batch", {"images_per_request": "2"}, "takes one image; leave it out", id="no-batch"),
        pytest.param("two_outputs", {"output_name": "x"}, "with one of class_id, scores", id="output"),
        pytest.param("named_signatures", {"signature_name": "x"}, "with one of classify_digit, embed", id="signature"),
        pytest.param("uint8", {"pixel_scale": "-1..1"}, "it holds 0 to 255", id="scale"),
        pytest.param("examples", {"pixel_scale": "0..1e39"}, "it holds no numbers as large", id="scale-of-a-feature"),
        pytest.param("columns", {}, REFUSED["columns"], id="columns"),
        pytest.param("ensemble", {"output_name": ""}, "with one of mean, member_0, member_1, member_2", id="heads"),
        pytest.param("instance_key", {"input": ""}, "pass --input key=VALUE", id="a-key"),
        pytest.param("example_raw", {"input": ""}, "pass --input label=VALUE for the other", id="a-feature"),
        pytest.param(
            "example_raw", {"input": "label=x"}, "is int64 in signature 'serving_default'", id="feature-value"
        ),
        pytest.param("example_raw", {"input": "label=0;size=2"}, "misses no such feature", id="no-feature"),
        pytest.param("example_png", {"input": "label=0"}, "misses no such feature; leave it out", id="no-more"),
        pytest.param("base64", {"input": "label=0"}, "misses no such feature (it says", id="no-examples"),
        pytest.param(
            "base64", {"pixel_scale": "0..1"}, "takes files, whose pixels are as they are", id="scale-of-files"
        ),
        pytest.param(
            "top_three",
            {"output_name": "scores"},
            "scores 3 classes and the data set's labels need 10",
            id="top-scores",
        ),
    ],
)
def test_what_does_not_fit_is_told_before_any_load(zoo_addresses, name, options, message):
    with pytest.raises(MisfitError) as caught:
        found(settings_of(ZOO[name], zoo_addresses, **options))

    assert message in str(caught.value)


def test_pixels_on_the_wrong_scale_are_seen_in_the_answers(zoo, zoo_addresses):
    """What no signature tells is not found, but measured."""
    _, transport = found(settings_of(ZOO["raw_float"], zoo_addresses, pixel_scale="0..1"))

    assert np.mean(np.array(answers_of(transport)) != LABELS) > 0.3
    assert tensorflows_own(zoo, ZOO["raw_float"]) != answers_of(transport)
